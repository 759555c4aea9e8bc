//! Selectivity: the fraction of rows a condition keeps, from statistics where there are any, by PostgreSQL's defaults otherwise.

mod joinsel;
pub(crate) mod pattern;
mod stats;

use std::rc::Rc;

use pglite_ir::JoinKind;
use pglite_ir::expr::*;
use pglite_types::{Datum, oid};

use crate::cat::SelKind;
use crate::equal::equal;
use crate::exprs::*;
use crate::relids::Relids;
use crate::types::*;
use crate::walker::varnos;

pub(crate) use joinsel::*;
pub(crate) use pattern::{like_prefix, next_prefix, regex_prefix};
pub(crate) use stats::*;

const DEFAULT_EQ: f64 = 0.005;
const DEFAULT_INEQ: f64 = 1.0 / 3.0;
const DEFAULT_RANGE: f64 = 0.005;
const DEFAULT_UNK: f64 = 0.005;
const DEFAULT_MATCH: f64 = 0.005;

/// The setting of an estimate: one relation, or a join of a kind.
#[derive(Clone, Copy)]
pub(crate) struct SelCtx<'a> {
    /// Only this relation's Vars count as such; others are fixed values (0: all are Vars).
    pub var_rel: u32,
    pub kind: JoinKind,
    pub sj: Option<&'a SpecialJoin>,
}

impl SelCtx<'_> {
    pub fn scan() -> SelCtx<'static> {
        SelCtx { var_rel: 0, kind: JoinKind::Inner, sj: None }
    }
    pub fn rel(var_rel: u32) -> SelCtx<'static> {
        SelCtx { var_rel, kind: JoinKind::Inner, sj: None }
    }
}

fn clamp(p: f64) -> f64 {
    p.clamp(0.0, 1.0)
}

/// A lower or upper bound on one expression, waiting for its partner.
struct RangeBound {
    var: Expr,
    lo: Option<f64>,
    hi: Option<f64>,
}

/// The product over a list, with `lo < x AND x < hi` treated as one range.
pub(crate) fn list_selectivity(g: &Glob<'_>, root: &Root, list: &[Rc<RInfo>], ctx: SelCtx<'_>) -> f64 {
    let items: Vec<(&Expr, f64, bool)> =
        list.iter().map(|r| (&r.clause, rinfo_selectivity(g, root, r, ctx), r.pseudoconstant)).collect();
    combine(g, ctx, &items)
}

pub(crate) fn exprs_selectivity(g: &Glob<'_>, root: &Root, list: &[Expr], ctx: SelCtx<'_>) -> f64 {
    let items: Vec<(&Expr, f64, bool)> =
        list.iter().map(|e| (e, selectivity(g, root, e, ctx), false)).collect();
    combine(g, ctx, &items)
}

fn combine(g: &Glob<'_>, ctx: SelCtx<'_>, items: &[(&Expr, f64, bool)]) -> f64 {
    if items.len() == 1 {
        return items[0].1;
    }
    let mut s = 1.0;
    let mut ranges: Vec<RangeBound> = Vec::new();
    for (e, sel, pseudo) in items {
        match (pseudo, range_side(g, ctx, e)) {
            (false, Some((var, is_lower))) => {
                let found = ranges.iter_mut().find(|r| equal(&r.var, var));
                let slot = match found {
                    Some(r) => r,
                    None => {
                        ranges.push(RangeBound { var: var.clone(), lo: None, hi: None });
                        let last = ranges.len() - 1;
                        &mut ranges[last]
                    }
                };
                let bound = if is_lower { &mut slot.lo } else { &mut slot.hi };
                *bound = Some(bound.map_or(*sel, |old| old.min(*sel)));
            }
            _ => s *= sel,
        }
    }
    for r in ranges {
        s *= match (r.lo, r.hi) {
            (Some(lo), Some(hi)) => {
                if lo == DEFAULT_INEQ || hi == DEFAULT_INEQ {
                    DEFAULT_RANGE
                } else {
                    let both = hi + lo - 1.0;
                    if both <= 0.0 { if both < -0.01 { DEFAULT_RANGE } else { 1.0e-10 } } else { both }
                }
            }
            (Some(x), None) | (None, Some(x)) => x,
            (None, None) => 1.0,
        };
    }
    s
}

/// `var op constant` with an inequality: (var, is a lower bound).
fn range_side<'e>(g: &Glob<'_>, ctx: SelCtx<'_>, e: &'e Expr) -> Option<(&'e Expr, bool)> {
    let (o, l, r) = as_binary(e)?;
    let lower = match g.cat.rest_kind(o.op) {
        SelKind::Gt | SelKind::Ge => true,
        SelKind::Lt | SelKind::Le => false,
        _ => return None,
    };
    let (lv, rv) = (varnos(l), varnos(r));
    if ctx.var_rel == 0 && !lv.is_empty() && !rv.is_empty() {
        return None;
    }
    let mine = |v: &Relids| if ctx.var_rel == 0 { !v.is_empty() } else { v.contains(ctx.var_rel) };
    if mine(&lv) && !mine(&rv) && is_fixed(g, ctx, r) {
        Some((l, lower))
    } else if mine(&rv) && !mine(&lv) && is_fixed(g, ctx, l) {
        Some((r, !lower))
    } else {
        None
    }
}

fn is_fixed(g: &Glob<'_>, ctx: SelCtx<'_>, e: &Expr) -> bool {
    let v = varnos(e);
    (v.is_empty() || ctx.var_rel != 0 && !v.contains(ctx.var_rel)) && !is_volatile(&g.cat, e)
}

/// One clause's selectivity, cached where the setting allows.
pub(crate) fn rinfo_selectivity(g: &Glob<'_>, root: &Root, r: &RInfo, ctx: SelCtx<'_>) -> f64 {
    if r.pseudoconstant {
        return if is_true_const(&r.clause) || !matches!(r.clause, Expr::Const(_)) { 1.0 } else { 0.0 };
    }
    let cacheable = ctx.var_rel == 0 || r.relids.singleton() == Some(ctx.var_rel);
    let inner = ctx.kind == JoinKind::Inner;
    if cacheable {
        let cached = if inner { r.norm_selec.get() } else { r.outer_selec.get() };
        if cached >= 0.0 {
            return cached;
        }
    }
    let s = selectivity(g, root, &r.clause, ctx);
    if cacheable {
        if inner { r.norm_selec.set(s) } else { r.outer_selec.set(s) }
    }
    s
}

/// The fraction of rows for which the expression is true.
pub(crate) fn selectivity(g: &Glob<'_>, root: &Root, e: &Expr, ctx: SelCtx<'_>) -> f64 {
    clamp(match e {
        Expr::Const(c) => {
            if c.value.as_bool() == Some(true) {
                1.0
            } else {
                0.0
            }
        }
        Expr::Var(v) if v.levels_up == 0 && (ctx.var_rel == 0 || ctx.var_rel == v.rte) => {
            bool_var(g, root, e, ctx)
        }
        Expr::Param(_) => match crate::fold::estimate(g, e) {
            Expr::Const(c) => f64::from(u8::from(c.value.as_bool() == Some(true))),
            _ => 0.5,
        },
        Expr::Bool { op: BoolOp::Not, args, .. } => 1.0 - selectivity(g, root, &args[0], ctx),
        Expr::Bool { op: BoolOp::And, args, .. } => exprs_selectivity(g, root, args, ctx),
        Expr::Bool { op: BoolOp::Or, args, .. } => args.iter().fold(0.0, |acc, a| {
            let s = selectivity(g, root, a, ctx);
            acc + s - acc * s
        }),
        Expr::Op(_) => operator(g, root, e, ctx),
        Expr::Distinct(o) => {
            let eq = Expr::Op(o.clone());
            1.0 - operator(g, root, &eq, ctx)
        }
        Expr::ScalarArrayOp(s) => scalar_array(g, root, s, ctx),
        Expr::RowCompare(r) => {
            let first =
                make_op(&g.cat, r.ops[0], r.left[0].clone(), r.right[0].clone(), r.input_collations[0]);
            operator(g, root, &first, ctx)
        }
        Expr::NullTest { arg, is_null, .. } => null_test(g, root, arg, *is_null, ctx),
        Expr::BooleanTest { arg, test, .. } => bool_test(g, root, arg, *test, ctx),
        Expr::CurrentOf { rte, .. } => match root.base_rel(*rte) {
            Ok(rel) if root.rels[rel].tuples > 0.0 => 1.0 / root.rels[rel].tuples,
            _ => 0.5,
        },
        Expr::Relabel { arg, .. } | Expr::CoerceToDomain { arg, .. } => selectivity(g, root, arg, ctx),
        Expr::Func(_) => 1.0 / 3.0,
        Expr::SubPlan(_) | Expr::SubLink(_) => 0.5,
        _ => bool_var(g, root, e, ctx),
    })
}

/// Is this clause a join clause in this setting?
fn treat_as_join(e: &Expr, ctx: SelCtx<'_>) -> bool {
    if ctx.var_rel != 0 {
        return false;
    }
    ctx.sj.is_some() && varnos(e).is_multiple()
}

fn operator(g: &Glob<'_>, root: &Root, e: &Expr, ctx: SelCtx<'_>) -> f64 {
    let Some((o, l, r)) = as_binary(e) else { return 0.5 };
    if treat_as_join(e, ctx) {
        return match g.cat.join_kind(o.op) {
            SelKind::None => 0.5,
            SelKind::Eq => eqjoinsel(g, root, o, l, r, ctx),
            SelKind::Neq => neqjoinsel(g, root, o, l, r, ctx),
            SelKind::Lt | SelKind::Le | SelKind::Gt | SelKind::Ge => DEFAULT_INEQ,
            SelKind::Contains => 0.001,
            _ => DEFAULT_MATCH,
        };
    }
    let kind = g.cat.rest_kind(o.op);
    let (lv, rv) = (varnos(l), varnos(r));
    let is_mine = |v: &Relids| if ctx.var_rel == 0 { !v.is_empty() } else { v.contains(ctx.var_rel) };
    let (var, other, on_left) = match (is_mine(&lv), is_mine(&rv)) {
        (true, false) => (l, r, true),
        (false, true) => (r, l, false),
        _ => return default_for(kind),
    };
    let data = examine(g, root, var, ctx.var_rel);
    let fixed = crate::fold::estimate(g, other);
    let value = match &fixed {
        Expr::Const(c) => Some(&c.value),
        _ => None,
    };
    match kind {
        SelKind::Eq => eq_sel(g, root, &data, value),
        SelKind::Neq => {
            if value.is_some_and(Datum::is_null) {
                return 0.0;
            }
            let null_frac = data.null_frac();
            clamp(1.0 - eq_sel(g, root, &data, value) - null_frac)
        }
        SelKind::Lt | SelKind::Le | SelKind::Gt | SelKind::Ge => {
            let greater = matches!(kind, SelKind::Gt | SelKind::Ge) == on_left;
            match value {
                Some(v) => ineq_sel(&data, v, greater),
                None => DEFAULT_INEQ,
            }
        }
        SelKind::Like | SelKind::Prefix | SelKind::Regex if on_left => {
            pattern::pattern_sel(g, root, &data, o.op, kind, value)
        }
        SelKind::NotLike | SelKind::NotRegex if on_left => {
            let positive = if kind == SelKind::NotLike { SelKind::Like } else { SelKind::Regex };
            clamp(1.0 - pattern::pattern_sel(g, root, &data, o.op, positive, value) - data.null_frac())
        }
        k => default_for(k),
    }
}

fn default_for(kind: SelKind) -> f64 {
    match kind {
        SelKind::None => 0.5,
        SelKind::Eq => DEFAULT_EQ,
        SelKind::Neq => 1.0 - DEFAULT_EQ,
        SelKind::Lt | SelKind::Le | SelKind::Gt | SelKind::Ge => DEFAULT_INEQ,
        SelKind::NotLike | SelKind::NotRegex => 1.0 - DEFAULT_MATCH,
        SelKind::Matching => 0.010,
        SelKind::Contains => 0.001,
        SelKind::Position => 0.1,
        SelKind::Area => 0.005,
        _ => DEFAULT_MATCH,
    }
}

fn bool_var(g: &Glob<'_>, root: &Root, e: &Expr, ctx: SelCtx<'_>) -> f64 {
    if has_subplans(e) || !matches!(strip_relabel(e), Expr::Var(_)) {
        return 0.5;
    }
    let data = examine(g, root, e, ctx.var_rel);
    match &data.stats {
        Some(_) => eq_sel(g, root, &data, Some(&Datum::Bool(true))),
        None => 0.5,
    }
}

fn null_test(g: &Glob<'_>, root: &Root, arg: &Expr, is_null: bool, ctx: SelCtx<'_>) -> f64 {
    let data = examine(g, root, arg, ctx.var_rel);
    match &data.stats {
        Some(s) => {
            if is_null {
                s.null_frac
            } else {
                1.0 - s.null_frac
            }
        }
        None if matches!(strip_relabel(arg), Expr::Var(v) if v.attno < 0) => {
            if is_null {
                0.0
            } else {
                1.0
            }
        }
        None => {
            if is_null {
                DEFAULT_UNK
            } else {
                1.0 - DEFAULT_UNK
            }
        }
    }
}

fn bool_test(g: &Glob<'_>, root: &Root, arg: &Expr, test: BoolTest, ctx: SelCtx<'_>) -> f64 {
    let data = examine(g, root, arg, ctx.var_rel);
    let Some(stats) = &data.stats else {
        return match test {
            BoolTest::IsUnknown => DEFAULT_UNK,
            BoolTest::IsNotUnknown => 1.0 - DEFAULT_UNK,
            BoolTest::IsTrue | BoolTest::IsNotFalse => selectivity(g, root, arg, ctx),
            BoolTest::IsFalse | BoolTest::IsNotTrue => 1.0 - selectivity(g, root, arg, ctx),
        };
    };
    let null = stats.null_frac;
    let is_true = eq_sel(g, root, &data, Some(&Datum::Bool(true)));
    let is_false = (1.0 - null - is_true).max(0.0);
    match test {
        BoolTest::IsUnknown => null,
        BoolTest::IsNotUnknown => 1.0 - null,
        BoolTest::IsTrue => is_true,
        BoolTest::IsNotTrue => 1.0 - is_true,
        BoolTest::IsFalse => is_false,
        BoolTest::IsNotFalse => 1.0 - is_false,
    }
}

fn scalar_array(g: &Glob<'_>, root: &Root, s: &ScalarArrayOpExpr, ctx: SelCtx<'_>) -> f64 {
    let kind = g.cat.rest_kind(s.op);
    let array = crate::fold::estimate(g, &s.args[1]);
    let elem_ty = g.cat.array_elem(g.cat.base_type(array.ty())).unwrap_or(oid::TEXT);
    let one = |value: Expr| {
        let e = make_op(&g.cat, s.op, s.args[0].clone(), value, s.input_collation);
        operator(g, root, &e, ctx)
    };
    let mut each: Vec<f64> = Vec::new();
    match strip_relabel(&array) {
        Expr::Const(c) => match &c.value {
            Datum::Array(a) => {
                for v in &a.values {
                    each.push(one(Expr::constant(elem_ty, v.clone())));
                }
            }
            _ => return 0.0,
        },
        Expr::Array { elements, multidims: false, .. } => {
            each.extend(elements.iter().map(|e| one(e.clone())))
        }
        _ => {
            let s1 = one(Expr::CaseTest { ty: elem_ty, typmod: -1, collation: s.input_collation });
            each.extend(std::iter::repeat_n(s1, 10));
        }
    }
    if s.use_or {
        let disjoint: f64 = each.iter().sum();
        if kind == SelKind::Eq && (0.0..=1.0).contains(&disjoint) {
            return disjoint;
        }
        each.iter().fold(0.0, |acc, x| acc + x - acc * x)
    } else {
        if kind == SelKind::Neq {
            let disjoint = each.iter().fold(1.0, |acc, x| acc + x - 1.0);
            if (0.0..=1.0).contains(&disjoint) {
                return disjoint;
            }
        }
        each.iter().product()
    }
}
