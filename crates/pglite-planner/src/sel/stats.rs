//! What is known about an expression's values, and estimates for comparisons with them.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_ir::expr::*;
use pglite_types::{Datum, Oid, compare, oid};

use super::{DEFAULT_INEQ, clamp};
use crate::env::ColumnStats;
use crate::exprs::strip_relabel;
use crate::types::*;
use crate::walker::varnos;

/// An expression with its statistics.
pub(crate) struct VarData {
    pub expr: Expr,
    pub rel: Option<RelId>,
    pub stats: Option<Arc<ColumnStats>>,
    pub unique: bool,
    pub ty: Oid,
}

impl VarData {
    pub fn null_frac(&self) -> f64 {
        self.stats.as_ref().map_or(0.0, |s| s.null_frac)
    }
}

/// Looks up what is known about an expression; only Vars of `var_rel` count when it is not 0.
pub(crate) fn examine(g: &Glob<'_>, root: &Root, e: &Expr, var_rel: u32) -> VarData {
    let base = strip_relabel(e);
    let mut data = VarData { expr: base.clone(), rel: None, stats: None, unique: false, ty: base.ty() };
    if let Expr::Var(v) = base
        && v.levels_up == 0
        && (var_rel == 0 || var_rel == v.rte)
    {
        let rel = root.base_rel(v.rte).ok();
        data.rel = rel;
        let Some(id) = rel else { return data };
        let r = &root.rels[id];
        match &r.table {
            Some(t) => {
                data.stats = g.env.column_stats(t.oid, v.attno);
                data.unique = r.indexes.iter().any(|i| {
                    i.unique
                        && i.columns.len() == 1
                        && i.columns[0] == v.attno
                        && (i.predicate.is_empty() || i.pred_ok)
                });
            }
            None => subquery_column(g, root, r, v, &mut data),
        }
        return data;
    }
    let rels = varnos(base);
    if let Some(rti) = rels.singleton()
        && (var_rel == 0 || var_rel == rti)
    {
        data.rel = root.base_rel(rti).ok();
        if let Some(id) = data.rel {
            data.unique = root.rels[id].indexes.iter().any(|i| {
                i.unique
                    && i.columns.len() == 1
                    && i.columns[0] == 0
                    && (i.predicate.is_empty() || i.pred_ok)
                    && crate::equal::equal(&i.exprs[0], base)
            });
        }
    } else if !rels.is_empty() && var_rel != 0 && rels.contains(var_rel) {
        data.rel = root.base_rel(var_rel).ok();
    }
    data
}

/// A subquery's output column takes over the statistics of the column below it.
fn subquery_column(g: &Glob<'_>, root: &Root, rel: &Rel, v: &Var, data: &mut VarData) {
    let Some(sub) = rel.subroot.and_then(|i| root.subroots.get(i)).and_then(|s| s.as_ref()) else { return };
    if sub.query.set_ops.is_some() || !sub.query.grouping_sets.is_empty() {
        return;
    }
    let Some(t) = sub.processed_targets.iter().find(|t| t.resno == v.attno && !t.junk) else { return };
    let grouped = |c: &[pglite_ir::SortGroupClause]| {
        c.len() == 1 && t.sort_group_ref != 0 && c[0].target_ref == t.sort_group_ref
    };
    if !sub.query.distinct.is_empty() || !sub.query.group.is_empty() {
        data.unique = grouped(&sub.query.distinct) || grouped(&sub.query.group);
        return;
    }
    if let Expr::Var(inner) = strip_relabel(&t.expr)
        && inner.levels_up == 0
        && sub.base_rel(inner.rte).is_ok()
    {
        let below = examine(g, sub, &t.expr, 0);
        data.stats = below.stats;
    }
}

/// (number of distinct values, it is only the default).
pub(crate) fn num_distinct(g: &Glob<'_>, root: &Root, data: &VarData) -> (f64, bool) {
    let mut stadistinct = match &data.stats {
        Some(s) => s.n_distinct,
        None if data.ty == oid::BOOL => 2.0,
        None => {
            let scan = data.rel.map(|r| root.rels[r].scan);
            match (&data.expr, scan) {
                (_, Some(ScanKind::Values)) => -1.0,
                (Expr::Var(v), _) if v.attno == sysattr::CTID || v.attno == sysattr::ROWID => -1.0,
                (Expr::Var(v), _) if v.attno == sysattr::TABLEOID => 1.0,
                _ => 0.0,
            }
        }
    };
    let null_frac = data.null_frac();
    if data.unique {
        stadistinct = -(1.0 - null_frac);
    }
    let _ = g;
    if stadistinct > 0.0 {
        return (crate::glob::clamp_rows(stadistinct), false);
    }
    let Some(rel) = data.rel else { return (200.0, true) };
    let tuples = root.rels[rel].tuples;
    if tuples <= 0.0 {
        return (200.0, true);
    }
    if stadistinct < 0.0 {
        return (crate::glob::clamp_rows(-stadistinct * tuples), false);
    }
    if tuples < 200.0 {
        return (crate::glob::clamp_rows(tuples), false);
    }
    (200.0, true)
}

/// A value on a number line, for interpolation and comparison across number types.
pub(crate) fn scalar(d: &Datum) -> Option<f64> {
    Some(match d {
        Datum::Bool(b) => f64::from(u8::from(*b)),
        Datum::Char(c) => f64::from(*c),
        Datum::Int2(i) => f64::from(*i),
        Datum::Int4(i) | Datum::Date(i) => f64::from(*i),
        Datum::Int8(i) | Datum::Time(i) | Datum::Timestamp(i) => *i as f64,
        Datum::Float4(f) => f64::from(*f),
        Datum::Float8(f) => *f,
        Datum::Oid(o) => f64::from(o.0),
        Datum::Tid(t) | Datum::Lsn(t) => *t as f64,
        Datum::Numeric(n) => format!("{n}").parse().ok()?,
        _ => return None,
    })
}

pub(crate) fn compare_values(a: &Datum, b: &Datum) -> Ordering {
    if std::mem::discriminant(a) == std::mem::discriminant(b) {
        return compare::cmp(a, b);
    }
    match (scalar(a), scalar(b)) {
        (Some(x), Some(y)) => x.partial_cmp(&y).unwrap_or(Ordering::Equal),
        _ => Ordering::Less,
    }
}

/// `var = value` (or an unknown value).
pub(crate) fn eq_sel(g: &Glob<'_>, root: &Root, data: &VarData, value: Option<&Datum>) -> f64 {
    if value.is_some_and(Datum::is_null) {
        return 0.0;
    }
    let tuples = data.rel.map_or(0.0, |r| root.rels[r].tuples);
    if data.unique && tuples >= 1.0 {
        return clamp(1.0 / tuples);
    }
    let (ndistinct, _) = num_distinct(g, root, data);
    let Some(stats) = &data.stats else { return clamp(1.0 / ndistinct) };
    match value {
        Some(v) => {
            if let Some((_, freq)) = stats.mcv.iter().find(|(m, _)| compare_values(m, v) == Ordering::Equal) {
                return clamp(*freq);
            }
            let sum: f64 = stats.mcv.iter().map(|m| m.1).sum();
            let mut s = clamp(1.0 - sum - stats.null_frac);
            let others = ndistinct - stats.mcv.len() as f64;
            if others > 1.0 {
                s /= others;
            }
            if let Some((_, last)) = stats.mcv.last() {
                s = s.min(*last);
            }
            clamp(s)
        }
        None => {
            let mut s = 1.0 - stats.null_frac;
            if ndistinct > 1.0 {
                s /= ndistinct;
            }
            if let Some((_, first)) = stats.mcv.first() {
                s = s.min(*first);
            }
            clamp(s)
        }
    }
}

/// `var < value`, or `var > value` when `greater`.
pub(crate) fn ineq_sel(data: &VarData, value: &Datum, greater: bool) -> f64 {
    if value.is_null() {
        return 0.0;
    }
    let Some(stats) = &data.stats else { return DEFAULT_INEQ };
    let mut mcv_sel = 0.0;
    let mut mcv_sum = 0.0;
    for (v, f) in &stats.mcv {
        mcv_sum += f;
        let c = compare_values(v, value);
        if if greater { c.is_gt() } else { c.is_lt() } {
            mcv_sel += f;
        }
    }
    let rest = 1.0 - stats.null_frac - mcv_sum;
    let hist = histogram_fraction(&stats.histogram, value).map(|f| if greater { 1.0 - f } else { f });
    match hist {
        Some(h) => clamp(mcv_sel + rest.max(0.0) * h),
        None => clamp(mcv_sel + rest.max(0.0) * 0.5),
    }
}

/// The fraction of a histogram below the value.
pub(crate) fn histogram_fraction(hist: &[Datum], value: &Datum) -> Option<f64> {
    if hist.len() < 2 {
        return None;
    }
    let n = hist.len() - 1;
    let below = hist.partition_point(|h| compare_values(h, value).is_lt());
    let fraction = if below == 0 {
        0.0
    } else if below > n {
        1.0
    } else {
        let (lo, hi) = (&hist[below - 1], &hist[below]);
        let within = match (position(lo), position(hi), position(value)) {
            (Some(l), Some(h), Some(v)) if h > l => ((v - l) / (h - l)).clamp(0.0, 1.0),
            _ => 0.5,
        };
        (below as f64 - 1.0 + within) / n as f64
    };
    let cutoff = 0.01 / n as f64;
    Some(fraction.clamp(cutoff, 1.0 - cutoff))
}

/// Numbers as themselves, text as a base-256 fraction of its first bytes.
fn position(d: &Datum) -> Option<f64> {
    if let Some(x) = scalar(d) {
        return Some(x);
    }
    let text = d.as_str()?;
    let mut scale = 1.0;
    let mut v = 0.0;
    for b in text.bytes().take(12) {
        scale /= 256.0;
        v += f64::from(b) * scale;
    }
    Some(v)
}

/// Smallest and largest value known.
pub(crate) fn value_range(stats: &ColumnStats) -> Option<(Datum, Datum)> {
    let mut range: Option<(Datum, Datum)> = match (stats.histogram.first(), stats.histogram.last()) {
        (Some(a), Some(b)) => Some((a.clone(), b.clone())),
        _ => None,
    };
    if range.is_none() && stats.mcv.iter().map(|m| m.1).sum::<f64>() + stats.null_frac < 0.99999 {
        return None;
    }
    for (v, _) in &stats.mcv {
        range = Some(match range {
            None => (v.clone(), v.clone()),
            Some((lo, hi)) => {
                let lo = if compare_values(v, &lo).is_lt() { v.clone() } else { lo };
                let hi = if compare_values(v, &hi).is_gt() { v.clone() } else { hi };
                (lo, hi)
            }
        });
    }
    range
}

/// The number of distinct combinations of grouping expressions among `rows` rows.
pub(crate) fn num_groups(g: &Glob<'_>, root: &Root, exprs: &[Expr], rows: f64) -> f64 {
    let rows = crate::glob::clamp_rows(rows);
    let mut num = 1.0;
    // (relation, distinct count, expression)
    let mut vars: Vec<(RelId, f64, Expr)> = Vec::new();
    let mut srf = 1.0f64;
    for e in exprs {
        srf = srf.max(srf_rows(g, e));
        if e.ty() == oid::BOOL {
            num *= 2.0;
            continue;
        }
        let mut add = |data: VarData, num: &mut f64| {
            let (nd, _) = num_distinct(g, root, &data);
            match data.rel {
                Some(rel) => {
                    if !vars.iter().any(|v| crate::equal::equal(&v.2, &data.expr)) {
                        vars.push((rel, nd, data.expr));
                    }
                }
                None => *num *= nd,
            }
        };
        let data = examine(g, root, e, 0);
        if data.stats.is_some() || data.unique || matches!(data.expr, Expr::Var(_)) {
            add(data, &mut num);
            continue;
        }
        let mut inner = Vec::new();
        crate::walker::each_var(e, &mut |v| inner.push(Expr::Var(v.clone())));
        if inner.is_empty() {
            if crate::exprs::is_volatile(&g.cat, e) {
                return rows;
            }
            continue;
        }
        for v in inner {
            add(examine(g, root, &v, 0), &mut num);
        }
    }
    if exprs.is_empty() {
        return 1.0;
    }
    while let Some((rel, nd, _)) = vars.first().cloned() {
        let same: Vec<f64> = vars.iter().filter(|v| v.0 == rel).map(|v| v.1).collect();
        vars.retain(|v| v.0 != rel);
        let r = &root.rels[rel];
        let mut distinct: f64 = same.iter().product();
        let max = same.iter().copied().fold(nd, f64::max);
        if r.tuples > 0.0 {
            let mut cap = r.tuples;
            if same.len() > 1 {
                cap = (cap * 0.1).max(max).min(r.tuples);
            }
            distinct = distinct.min(cap);
            if distinct > 0.0 && r.rows < r.tuples {
                distinct *= 1.0 - ((r.tuples - r.rows) / r.tuples).powf(r.tuples / distinct);
            }
            distinct = crate::glob::clamp_rows(distinct);
            num *= distinct;
        } else {
            num *= distinct;
        }
    }
    num = (num * srf).ceil();
    num.min(rows * srf.max(1.0)).max(1.0).min(if srf > 1.0 { f64::MAX } else { rows })
}

/// Rows a set-returning expression makes of one.
pub(crate) fn srf_rows(g: &Glob<'_>, e: &Expr) -> f64 {
    let own = match e {
        Expr::Func(f) if f.retset => function_rows(g, e),
        Expr::Op(o) if o.retset => g.cat.func_rows(o.func),
        _ => 1.0,
    };
    let mut max = own.max(1.0);
    pglite_ir::walk::any_child(e, &mut |c| {
        max = max.max(srf_rows(g, c));
        false
    });
    max
}

/// Rows of a set-returning function call; generate_series and unnest look at constant arguments.
pub(crate) fn function_rows(g: &Glob<'_>, e: &Expr) -> f64 {
    let Expr::Func(f) = e else { return 1.0 };
    if !f.retset {
        return 1.0;
    }
    let number = |i: usize| {
        f.args.get(i).and_then(|a| match crate::fold::estimate(g, a) {
            Expr::Const(c) => scalar(&c.value),
            _ => None,
        })
    };
    match g.cat.func_name(f.func) {
        "generate_series"
            if f.args.len() >= 2 && matches!(f.args[0].ty(), oid::INT4 | oid::INT8 | oid::NUMERIC) =>
        {
            let step = if f.args.len() == 3 { number(2) } else { Some(1.0) };
            if let (Some(a), Some(b), Some(s)) = (number(0), number(1), step)
                && s != 0.0
            {
                return crate::glob::clamp_rows(((b - a + s) / s).floor().max(0.0));
            }
        }
        "unnest" if f.args.len() == 1 => {
            let n = crate::exprs::array_length_estimate(&f.args[0]);
            return crate::glob::clamp_rows(n);
        }
        _ => {}
    }
    crate::glob::clamp_rows(g.cat.func_rows(f.func))
}
