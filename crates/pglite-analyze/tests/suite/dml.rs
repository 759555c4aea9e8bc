//! What the rewriter makes of INSERT and UPDATE.

use pglite_ir::expr::Expr;
use pglite_ir::query::RteKind;
use pglite_types::Datum;

use crate::support::{env, rewritten};

fn int(e: &Expr) -> Option<i32> {
    match e {
        Expr::Const(c) => match c.value {
            Datum::Int4(v) => Some(v),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn insert_lists_have_one_entry_per_column() {
    let env = env();
    let q = rewritten(&env, "insert into t (c) values (1.5)");
    assert_eq!(q.targets.iter().map(|t| t.resno).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(matches!(&q.targets[0].expr, Expr::Const(c) if c.value.is_null()));
}

#[test]
fn defaults_are_filled_in() {
    let env = env();
    let q = rewritten(&env, "insert into g (arr) values ('{1}')");
    assert_eq!(int(&q.targets[0].expr), Some(7));
    assert!(
        matches!(&q.targets[1].expr, Expr::Const(c) if c.value.is_null()),
        "generated columns are computed later"
    );
    let q = rewritten(&env, "update g set x = default");
    assert_eq!(int(&q.targets[0].expr), Some(7));
}

#[test]
fn default_in_a_values_list() {
    let env = env();
    let q = rewritten(&env, "insert into g (x) values (1), (default), (3)");
    let rows = q.rtable.iter().find_map(|r| match &r.kind {
        RteKind::Values { rows, .. } => Some(rows.clone()),
        _ => None,
    });
    let column: Vec<Option<i32>> = rows.expect("VALUES").iter().map(|r| int(&r[0])).collect();
    assert_eq!(column, [Some(1), Some(7), Some(3)]);
}

#[test]
fn element_assignments_are_nested() {
    let env = env();
    let q = rewritten(&env, "update g set arr[1] = 1, arr[2] = 2");
    assert_eq!(q.targets.len(), 1);
    let Expr::Subscript(outer) = &q.targets[0].expr else { panic!("a store") };
    assert!(matches!(&outer.container, Expr::Subscript(inner) if inner.assign.is_some()));
}
