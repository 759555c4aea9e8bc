//! Facts about expressions: volatility, strictness, set-returning, nonnullable relations, costs and widths.

use pglite_ir::expr::*;
use pglite_ir::walk::{any_child, contains};
use pglite_types::{Datum, Oid, oid};

use crate::cat::{Cat, Volatility};
use crate::relids::Relids;
use crate::types::{Glob, QualCost};
use crate::walker::{Visit, visit, visit_query};

/// The most volatile function the node itself (not its children) calls.
fn node_volatility(cat: &Cat, e: &Expr) -> Volatility {
    match e {
        Expr::Func(f) => cat.volatility(f.func),
        Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => cat.volatility(o.func),
        Expr::ScalarArrayOp(s) => cat.volatility(s.func),
        Expr::Aggref(a) => cat.volatility(a.func),
        Expr::WindowFunc(w) => cat.volatility(w.func),
        Expr::RowCompare(r) => {
            r.ops.iter().map(|o| cat.volatility(cat.op_func(*o))).max().unwrap_or(Volatility::Immutable)
        }
        Expr::CoerceViaIo { arg, ty, .. } => cat.io_volatility(arg.ty(), *ty),
        Expr::NextValue { .. } | Expr::CurrentOf { .. } => Volatility::Volatile,
        Expr::SqlValue { .. } => Volatility::Stable,
        Expr::CoerceToDomain { ty, .. } if cat.domain_has_constraints(*ty) => Volatility::Stable,
        Expr::Json(_) | Expr::Xml(_) => Volatility::Stable,
        _ => Volatility::Immutable,
    }
}

fn worst_at_least(cat: &Cat, e: &Expr, limit: Volatility) -> bool {
    visit(e, 0, &mut |e, _| if node_volatility(cat, e) >= limit { Visit::Stop } else { Visit::Into })
}

pub(crate) fn is_volatile(cat: &Cat, e: &Expr) -> bool {
    worst_at_least(cat, e, Volatility::Volatile)
}

pub(crate) fn has_mutable(cat: &Cat, e: &Expr) -> bool {
    worst_at_least(cat, e, Volatility::Stable)
}

pub(crate) fn query_is_volatile(cat: &Cat, q: &pglite_ir::Query) -> bool {
    visit_query(q, 0, &mut |e, _| {
        if node_volatility(cat, e) >= Volatility::Volatile { Visit::Stop } else { Visit::Into }
    })
}

pub(crate) fn has_subplans(e: &Expr) -> bool {
    contains(e, &|e| matches!(e, Expr::SubPlan(_) | Expr::SubLink(_)))
}

pub(crate) fn has_aggs(e: &Expr) -> bool {
    contains(e, &|e| {
        matches!(e, Expr::Aggref(a) if a.levels_up == 0) || matches!(e, Expr::Grouping { levels_up: 0, .. })
    })
}

pub(crate) fn has_windows(e: &Expr) -> bool {
    contains(e, &|e| matches!(e, Expr::WindowFunc(_)))
}

/// A set-returning function at the top or below (not inside an aggregate or sublink).
pub(crate) fn returns_set(e: &Expr) -> bool {
    contains(e, &is_srf)
}

pub(crate) fn is_srf(e: &Expr) -> bool {
    match e {
        Expr::Func(f) => f.retset,
        Expr::Op(o) => o.retset,
        _ => false,
    }
}

/// Strict in its scalar argument (an empty array defeats ANY's strictness unless `false_ok`).
pub(crate) fn saop_is_strict(cat: &Cat, s: &ScalarArrayOpExpr, false_ok: bool) -> bool {
    if !cat.is_strict(s.func) {
        return false;
    }
    if s.use_or && false_ok {
        return true;
    }
    match &s.args[1] {
        Expr::Const(c) => match &c.value {
            Datum::Null => false,
            Datum::Array(a) => !a.values.is_empty(),
            _ => false,
        },
        Expr::Array { elements, multidims, .. } => !elements.is_empty() && !multidims,
        _ => false,
    }
}

/// Relations whose all-NULL row makes the condition not true (`top`), or the expression NULL (not `top`).
pub(crate) fn nonnullable_rels(cat: &Cat, e: &Expr, top: bool) -> Relids {
    nonnullable_vars(cat, e, top).iter().map(|(r, _)| *r).collect()
}

type VarSet = std::collections::BTreeSet<(u32, i16)>;

/// (relation, column) pairs that must be non-NULL for the condition to be true.
pub(crate) fn nonnullable_vars(cat: &Cat, e: &Expr, top: bool) -> VarSet {
    let all = |args: &[Expr]| args.iter().flat_map(|a| nonnullable_vars(cat, a, false)).collect::<VarSet>();
    match e {
        Expr::Var(v) if v.levels_up == 0 => VarSet::from([(v.rte, v.attno)]),
        Expr::Func(f) if cat.is_strict(f.func) => all(&f.args),
        Expr::Op(o) if cat.is_strict(o.func) => all(&o.args),
        Expr::ScalarArrayOp(s) if saop_is_strict(cat, s, true) => all(&s.args),
        Expr::Bool { op: BoolOp::And, args, .. } if top => {
            args.iter().flat_map(|a| nonnullable_vars(cat, a, true)).collect()
        }
        Expr::Bool { op: BoolOp::And | BoolOp::Or, args, .. } => {
            let mut sets = args.iter().map(|a| nonnullable_vars(cat, a, top));
            let first = sets.next().unwrap_or_default();
            sets.fold(first, |acc, s| acc.intersection(&s).copied().collect())
        }
        Expr::Bool { op: BoolOp::Not, args, .. } => all(args),
        Expr::Relabel { arg, .. }
        | Expr::CoerceViaIo { arg, .. }
        | Expr::ArrayCoerce { arg, .. }
        | Expr::ConvertRowtype { arg, .. }
        | Expr::Collate { arg, .. } => nonnullable_vars(cat, arg, top),
        Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } if top => {
            nonnullable_vars(cat, arg, false)
        }
        Expr::BooleanTest {
            arg,
            test: BoolTest::IsTrue | BoolTest::IsFalse | BoolTest::IsNotUnknown,
            ..
        } if top => nonnullable_vars(cat, arg, false),
        Expr::RowCompare(_) => VarSet::new(),
        _ => VarSet::new(),
    }
}

/// Columns that the condition requires to be NULL (`x IS NULL` at the top).
pub(crate) fn forced_null_vars(e: &Expr) -> VarSet {
    match e {
        Expr::NullTest { arg, is_null: true, arg_is_row: false, .. } => match &**arg {
            Expr::Var(v) if v.levels_up == 0 => VarSet::from([(v.rte, v.attno)]),
            _ => VarSet::new(),
        },
        Expr::BooleanTest { arg, test: BoolTest::IsUnknown, .. } => match &**arg {
            Expr::Var(v) if v.levels_up == 0 => VarSet::from([(v.rte, v.attno)]),
            _ => VarSet::new(),
        },
        Expr::Bool { op: BoolOp::And, args, .. } => args.iter().flat_map(forced_null_vars).collect(),
        _ => VarSet::new(),
    }
}

/// Strips binary-compatible casts.
pub(crate) fn strip_relabel(e: &Expr) -> &Expr {
    match e {
        Expr::Relabel { arg, .. } | Expr::Collate { arg, .. } => strip_relabel(arg),
        e => e,
    }
}

/// A two-argument operator call.
pub(crate) fn as_binary(e: &Expr) -> Option<(&OpExpr, &Expr, &Expr)> {
    match e {
        Expr::Op(o) if o.args.len() == 2 => Some((o, &o.args[0], &o.args[1])),
        _ => None,
    }
}

pub(crate) fn is_true_const(e: &Expr) -> bool {
    matches!(e, Expr::Const(c) if c.value.as_bool() == Some(true))
}

/// Constant false or NULL.
pub(crate) fn is_false_or_null_const(e: &Expr) -> bool {
    matches!(e, Expr::Const(c) if c.value.as_bool() != Some(true))
}

pub(crate) fn has_vars(e: &Expr) -> bool {
    visit(e, 0, &mut |e, depth| match e {
        Expr::Var(v) if v.levels_up == depth => Visit::Stop,
        Expr::CurrentOf { .. } => Visit::Stop,
        _ => Visit::Into,
    })
}

/// Makes `left op right` of type boolean.
pub(crate) fn make_op(cat: &Cat, op: Oid, left: Expr, right: Expr, collation: Oid) -> Expr {
    Expr::Op(Box::new(OpExpr {
        op,
        func: cat.op_func(op),
        ty: oid::BOOL,
        retset: false,
        collation: Oid::INVALID,
        input_collation: collation,
        args: vec![left, right],
        location: -1,
    }))
}

/// `NOT e`, unsimplified.
pub(crate) fn make_not(e: Expr) -> Expr {
    Expr::Bool { op: BoolOp::Not, args: vec![e], location: -1 }
}

/// The cost of evaluating an expression once (startup) and per row.
pub(crate) fn expr_cost(g: &Glob<'_>, e: &Expr) -> QualCost {
    let mut cost = QualCost::default();
    add_cost(g, e, &mut cost);
    cost
}

pub(crate) fn list_cost<'a>(g: &Glob<'_>, list: impl IntoIterator<Item = &'a Expr>) -> QualCost {
    let mut cost = QualCost::default();
    for e in list {
        add_cost(g, e, &mut cost);
    }
    cost
}

fn add_cost(g: &Glob<'_>, e: &Expr, cost: &mut QualCost) {
    let op = g.set.cpu_operator_cost;
    match e {
        Expr::Func(f) => cost.per_tuple += g.cat.func_cost(f.func) * op,
        Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => cost.per_tuple += g.cat.func_cost(o.func) * op,
        Expr::ScalarArrayOp(s) => {
            let n = array_length_estimate(&s.args[1]);
            cost.per_tuple += g.cat.func_cost(s.func) * op * n * 0.5;
        }
        Expr::Aggref(_) | Expr::WindowFunc(_) | Expr::Grouping { .. } => return,
        Expr::CoerceViaIo { .. } => cost.per_tuple += 2.0 * op,
        Expr::ArrayCoerce { arg, elem, .. } => {
            let per = expr_cost(g, elem);
            cost.startup += per.startup;
            if per.per_tuple > 0.0 {
                cost.per_tuple += per.per_tuple * array_length_estimate(arg);
            }
            add_cost(g, arg, cost);
            return;
        }
        Expr::RowCompare(r) => cost.per_tuple += r.ops.len() as f64 * op,
        Expr::MinMax { .. }
        | Expr::SqlValue { .. }
        | Expr::CoerceToDomain { .. }
        | Expr::NextValue { .. }
        | Expr::Xml(_) => cost.per_tuple += op,
        Expr::SubPlan(s) => {
            let plan = g.subplans.get(s.plan as usize).and_then(|p| p.plan.as_ref());
            if let Some(plan) = plan {
                let (startup, per) = subplan_cost(g, s, plan);
                cost.startup += startup;
                cost.per_tuple += per;
            }
        }
        _ => {}
    }
    any_child(e, &mut |c| {
        add_cost(g, c, cost);
        false
    });
}

/// (startup, per call) of a SubPlan.
pub(crate) fn subplan_cost(g: &Glob<'_>, s: &SubPlan, plan: &pglite_ir::Plan) -> (f64, f64) {
    let op = g.set.cpu_operator_cost;
    let c = &plan.cost;
    if s.use_hash {
        return (c.total + op * c.rows, op);
    }
    let rescan_run = c.total - c.startup;
    let per = match s.kind {
        SubLinkKind::Exists => rescan_run / c.rows.max(1.0),
        SubLinkKind::All | SubLinkKind::Any => 0.5 * rescan_run + 0.5 * c.rows * op,
        _ => rescan_run,
    };
    if s.params.is_empty() {
        (c.startup, per + if rescan_is_cheap(plan) { 0.0 } else { c.startup })
    } else {
        (0.0, per + c.startup)
    }
}

fn rescan_is_cheap(plan: &pglite_ir::Plan) -> bool {
    use pglite_ir::PlanNode as N;
    matches!(
        plan.node,
        N::Material
            | N::FunctionScan { .. }
            | N::TableFuncScan { .. }
            | N::CteScan { .. }
            | N::WorkTableScan { .. }
            | N::Sort { .. }
    )
}

pub(crate) fn array_length_estimate(e: &Expr) -> f64 {
    match strip_relabel(e) {
        Expr::Const(c) => match &c.value {
            Datum::Array(a) => a.values.len() as f64,
            _ => 0.0,
        },
        Expr::Array { elements, multidims: false, .. } => elements.len() as f64,
        Expr::ArrayCoerce { arg, .. } => array_length_estimate(arg),
        _ => 10.0,
    }
}
