//! Outer-join clauses `outer = inner` whose outer side equals a constant constrain the inner side too.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;

use super::{process_equivalence, select_op};
use crate::equal::equal;
use crate::exprs::*;
use crate::relids::Relids;
use crate::restrict::*;
use crate::types::*;

/// Derives what can be derived, then hands the outer-join clauses to their relations.
pub(crate) fn reconsider_outer_join_clauses(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let (mut left, mut right) =
        (std::mem::take(&mut root.left_clauses), std::mem::take(&mut root.right_clauses));
    let full = std::mem::take(&mut root.full_clauses);
    loop {
        let mut found = false;
        for (list, outer_on_left) in [(&mut left, true), (&mut right, false)] {
            let mut i = 0;
            while i < list.len() {
                if reconsider(g, root, &list[i].0.clone(), outer_on_left)? {
                    found = true;
                    let (r, _) = list.remove(i);
                    replace_by_true(g, root, &r)?;
                } else {
                    i += 1;
                }
            }
        }
        if !found {
            break;
        }
    }
    for (r, _) in left.into_iter().chain(right).chain(full) {
        distribute_to_rels(g, root, r)?;
    }
    Ok(())
}

/// The clause is implied now, but the join must not lose its connection.
fn replace_by_true(g: &mut Glob<'_>, root: &mut Root, r: &RInfo) -> PgResult<()> {
    let args = RInfoArgs {
        is_pushed_down: r.is_pushed_down,
        outerjoin_delayed: r.outerjoin_delayed,
        security: 0,
        required: Some(r.required.clone()),
        outer: r.outer.clone(),
        nullable: r.nullable.clone(),
        ..Default::default()
    };
    let dummy = make_rinfo(g, Expr::bool(true), args);
    distribute_to_rels(g, root, Rc::new(dummy))
}

fn reconsider(g: &mut Glob<'_>, root: &mut Root, r: &RInfo, outer_on_left: bool) -> PgResult<bool> {
    if r.outerjoin_delayed {
        return Ok(false);
    }
    let Some((o, l, rt)) = as_binary(&r.clause) else { return Ok(false) };
    let (op, collation) = (o.op, o.input_collation);
    if !g.cat.is_strict(o.func) {
        return Ok(false);
    }
    let (lty, rty) = g.cat.op_inputs(op);
    let (outer, inner, outer_ty, inner_ty, inner_rels) = if outer_on_left {
        (l.clone(), rt.clone(), lty, rty, r.right.clone())
    } else {
        (rt.clone(), l.clone(), rty, lty, r.left.clone())
    };
    let inner_nullable = inner_rels.intersect(&r.nullable);
    let mut matched = false;
    for id in 0..root.ecs.len() {
        let ec = &root.ecs[id];
        if ec.merged.is_some()
            || !ec.has_const
            || ec.has_volatile
            || ec.collation != collation
            || ec.families != r.merge_families
            || !ec.members.iter().any(|m| m.ty == outer_ty && equal(&m.expr, &outer))
        {
            continue;
        }
        let constants: Vec<Em> = ec.members.iter().filter(|m| m.is_const).cloned().collect();
        for c in constants {
            let Some(eq) = select_op(g, &root.ecs[id], inner_ty, c.ty) else { continue };
            let clause = make_op(&g.cat, eq, inner.clone(), c.expr.clone(), collation);
            let args = RInfoArgs {
                is_pushed_down: true,
                security: r.security,
                required: Some(inner_rels.clone()),
                nullable: inner_nullable.clone(),
                ..Default::default()
            };
            let new = make_rinfo(g, clause, args);
            match process_equivalence(g, root, new, true)? {
                None => matched = true,
                Some(new) => {
                    if new.required != Relids::new() {
                        distribute_to_rels(g, root, Rc::new(new))?;
                        matched = true;
                    }
                }
            }
        }
        if matched {
            break;
        }
    }
    Ok(matched)
}
