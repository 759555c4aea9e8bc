//! Proofs that a condition follows from others (partial indexes) or contradicts them.

use pglite_ir::expr::*;
use pglite_types::Oid;

use crate::cat::*;
use crate::equal::equal;
use crate::exprs::*;
use crate::sel::compare_values;
use crate::types::Glob;

/// Every condition of `goal` follows from the conjunction of `given`.
pub(crate) fn implied_by(g: &Glob<'_>, goal: &[Expr], given: &[Expr]) -> bool {
    goal.iter().all(|p| implied_by_list(g, p, given))
}

fn implied_by_list(g: &Glob<'_>, p: &Expr, given: &[Expr]) -> bool {
    match p {
        Expr::Bool { op: BoolOp::And, args, .. } => args.iter().all(|a| implied_by_list(g, a, given)),
        Expr::Bool { op: BoolOp::Or, args, .. } if args.iter().any(|a| implied_by_list(g, a, given)) => true,
        _ => given.iter().any(|c| implies(g, c, p)),
    }
}

/// `c` implies `p`.
fn implies(g: &Glob<'_>, c: &Expr, p: &Expr) -> bool {
    if equal(c, p) {
        return true;
    }
    match c {
        Expr::Bool { op: BoolOp::And, args, .. } => return args.iter().any(|a| implies(g, a, p)),
        Expr::Bool { op: BoolOp::Or, args, .. } => {
            return args.iter().all(|a| implied_by_list(g, p, std::slice::from_ref(a)));
        }
        _ => {}
    }
    if let Expr::ScalarArrayOp(s) = c
        && s.use_or
        && let Some(arms) = array_arms(g, s)
    {
        return !arms.is_empty() && arms.iter().all(|a| implied_by_list(g, p, std::slice::from_ref(a)));
    }
    match p {
        Expr::Bool { op: BoolOp::And, args, .. } => return args.iter().all(|a| implies(g, c, a)),
        Expr::Bool { op: BoolOp::Or, args, .. } => return args.iter().any(|a| implies(g, c, a)),
        _ => {}
    }
    if let Expr::ScalarArrayOp(s) = p
        && let Some(arms) = array_arms(g, s)
    {
        return if s.use_or {
            arms.iter().any(|a| implies(g, c, a))
        } else {
            arms.iter().all(|a| implies(g, c, a))
        };
    }
    if let Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } = p
        && strict_for(g, c, arg)
    {
        return true;
    }
    operators_imply(g, c, p)
}

/// The comparisons a small constant array stands for.
fn array_arms(g: &Glob<'_>, s: &ScalarArrayOpExpr) -> Option<Vec<Expr>> {
    let elem = g.cat.array_elem(g.cat.base_type(s.args[1].ty()))?;
    let values: Vec<Expr> = match &s.args[1] {
        Expr::Const(c) => match &c.value {
            pglite_types::Datum::Array(a) if a.values.len() <= 100 => a
                .values
                .iter()
                .map(|v| {
                    Expr::Const(Const {
                        ty: elem,
                        typmod: -1,
                        collation: c.collation,
                        value: v.clone(),
                        location: -1,
                    })
                })
                .collect(),
            _ => return None,
        },
        Expr::Array { elements, multidims: false, .. } if elements.len() <= 100 => elements.clone(),
        _ => return None,
    };
    Some(values.into_iter().map(|v| make_op(&g.cat, s.op, s.args[0].clone(), v, s.input_collation)).collect())
}

/// The condition cannot be true when `e` is NULL.
fn strict_for(g: &Glob<'_>, c: &Expr, e: &Expr) -> bool {
    if equal(strip_relabel(c), strip_relabel(e)) {
        return true;
    }
    match c {
        Expr::Op(o) if g.cat.is_strict(o.func) => o.args.iter().any(|a| strict_for(g, a, e)),
        Expr::Func(f) if g.cat.is_strict(f.func) => f.args.iter().any(|a| strict_for(g, a, e)),
        Expr::ScalarArrayOp(s) if saop_is_strict(&g.cat, s, true) => strict_for(g, &s.args[0], e),
        Expr::Relabel { arg, .. } | Expr::CoerceViaIo { arg, .. } | Expr::Collate { arg, .. } => {
            strict_for(g, arg, e)
        }
        Expr::BooleanTest {
            arg,
            test: BoolTest::IsTrue | BoolTest::IsFalse | BoolTest::IsNotUnknown,
            ..
        } => strict_for(g, arg, e),
        Expr::Bool { op: BoolOp::Not, args, .. } => strict_for(g, &args[0], e),
        Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } => equal(arg, e),
        _ => false,
    }
}

/// (left side, operator, right side) with a constant on the right where there is one.
fn normalized(g: &Glob<'_>, e: &Expr) -> Option<(Expr, Oid, Expr, Oid)> {
    let (o, l, r) = as_binary(e)?;
    if matches!(l, Expr::Const(_)) && !matches!(r, Expr::Const(_)) {
        return Some((r.clone(), g.cat.commutator(o.op)?, l.clone(), o.input_collation));
    }
    Some((l.clone(), o.op, r.clone(), o.input_collation))
}

/// Which target strategies a given strategy proves, by how the constants compare (given against target).
fn proves(given: i16, target: i16, order: std::cmp::Ordering) -> bool {
    use std::cmp::Ordering::*;
    match (given, target) {
        (BT_LT, BT_LT) | (BT_LE, BT_LE) | (BT_LT, BT_LE) => order != Greater,
        (BT_LE, BT_LT) => order == Less,
        (BT_GT, BT_GT) | (BT_GE, BT_GE) | (BT_GT, BT_GE) => order != Less,
        (BT_GE, BT_GT) => order == Greater,
        (BT_EQ, BT_LT) => order == Less,
        (BT_EQ, BT_LE) => order != Greater,
        (BT_EQ, BT_EQ) => order == Equal,
        (BT_EQ, BT_GE) => order != Less,
        (BT_EQ, BT_GT) => order == Greater,
        _ => false,
    }
}

fn operators_imply(g: &Glob<'_>, c: &Expr, p: &Expr) -> bool {
    let (Some((cl, cop, cr, ccoll)), Some((pl, pop, pr, pcoll))) = (normalized(g, c), normalized(g, p))
    else {
        return false;
    };
    if ccoll != pcoll || !equal(&cl, &pl) {
        return false;
    }
    let same_value = equal(&cr, &pr);
    // x <> k follows from x < k and from x = other.
    if let Some(negator) = g.cat.negator(pop)
        && let Some(fam) = g
            .cat
            .families(negator)
            .find(|f| f.am == pglite_catalog::well_known::AM_BTREE && f.strategy == BT_EQ)
        && let Some(cs) = g.cat.strategy(cop, fam.family)
        && let Some(order) = const_order(&cr, &pr, same_value)
    {
        return match cs.strategy {
            BT_LT => !order.is_gt(),
            BT_GT => !order.is_lt(),
            BT_LE => order.is_lt(),
            BT_GE => order.is_gt(),
            BT_EQ => !order.is_eq(),
            _ => false,
        };
    }
    for f in g.cat.families(pop) {
        if f.am != pglite_catalog::well_known::AM_BTREE {
            continue;
        }
        if let Some(cs) = g.cat.strategy(cop, f.family)
            && let Some(order) = const_order(&cr, &pr, same_value)
        {
            return proves(cs.strategy, f.strategy, order);
        }
    }
    false
}

fn const_order(a: &Expr, b: &Expr, same: bool) -> Option<std::cmp::Ordering> {
    if same {
        return Some(std::cmp::Ordering::Equal);
    }
    match (a, b) {
        (Expr::Const(a), Expr::Const(b)) if !a.value.is_null() && !b.value.is_null() => {
            let comparable = a.ty == b.ty
                || (crate::sel::scalar(&a.value).is_some() && crate::sel::scalar(&b.value).is_some());
            comparable.then(|| compare_values(&a.value, &b.value))
        }
        _ => None,
    }
}

/// The conditions `p` (all true of every row) and `c` cannot hold together.
pub(crate) fn refuted_by(g: &Glob<'_>, p: &[Expr], c: &[Expr]) -> bool {
    p.iter().any(|p| c.iter().any(|c| refutes(g, c, p)))
}

/// `c` true means `p` not true.
fn refutes(g: &Glob<'_>, c: &Expr, p: &Expr) -> bool {
    match c {
        Expr::Bool { op: BoolOp::And, args, .. } => return args.iter().any(|a| refutes(g, a, p)),
        Expr::Bool { op: BoolOp::Or, args, .. } => return args.iter().all(|a| refutes(g, a, p)),
        _ => {}
    }
    match p {
        Expr::Bool { op: BoolOp::And, args, .. } => return args.iter().any(|a| refutes(g, c, a)),
        Expr::Bool { op: BoolOp::Or, args, .. } => return args.iter().all(|a| refutes(g, c, a)),
        Expr::Bool { op: BoolOp::Not, args, .. } if implies(g, c, &args[0]) => return true,
        _ => {}
    }
    if let Expr::ScalarArrayOp(s) = c
        && s.use_or
        && let Some(arms) = array_arms(g, s)
    {
        return !arms.is_empty() && arms.iter().all(|a| refutes(g, a, p));
    }
    if let Expr::ScalarArrayOp(s) = p
        && s.use_or
        && let Some(arms) = array_arms(g, s)
    {
        return !arms.is_empty() && arms.iter().all(|a| refutes(g, c, a));
    }
    if let Expr::NullTest { arg, is_null: true, arg_is_row: false, .. } = p
        && strict_for(g, c, arg)
    {
        return true;
    }
    if let Expr::NullTest { arg, is_null: true, arg_is_row: false, .. } = c
        && (strict_for(g, p, arg)
            || matches!(p, Expr::NullTest { arg: a, is_null: false, .. } if equal(a, arg)))
    {
        return true;
    }
    operators_refute(g, c, p)
}

fn operators_refute(g: &Glob<'_>, c: &Expr, p: &Expr) -> bool {
    let (Some((cl, cop, cr, ccoll)), Some((pl, pop, pr, pcoll))) = (normalized(g, c), normalized(g, p))
    else {
        return false;
    };
    if ccoll != pcoll || !equal(strip_relabel(&cl), strip_relabel(&pl)) {
        return false;
    }
    let same = equal(&cr, &pr);
    for f in g.cat.families(pop) {
        if f.am != pglite_catalog::well_known::AM_BTREE {
            continue;
        }
        if let Some(cs) = g.cat.strategy(cop, f.family)
            && let Some(order) = const_order(&cr, &pr, same)
        {
            // Given constant against target's: c says x op cr, p says x op pr.
            return match (cs.strategy, f.strategy) {
                (BT_EQ, BT_LT) => !order.is_lt(),
                (BT_EQ, BT_LE) => order.is_gt(),
                (BT_EQ, BT_EQ) => !order.is_eq(),
                (BT_EQ, BT_GE) => order.is_lt(),
                (BT_EQ, BT_GT) => !order.is_gt(),
                (BT_LT, BT_GE | BT_GT | BT_EQ) | (BT_LE, BT_GT) => !order.is_gt(),
                (BT_LE, BT_GE | BT_EQ) => order.is_lt(),
                (BT_GT, BT_LE | BT_LT | BT_EQ) | (BT_GE, BT_LT) => !order.is_lt(),
                (BT_GE, BT_LE | BT_EQ) => order.is_gt(),
                _ => false,
            };
        }
    }
    false
}
