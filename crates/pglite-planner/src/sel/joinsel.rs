//! Join selectivity, hash bucket sizes and merge join ranges.

use pglite_ir::JoinKind;
use pglite_ir::expr::*;

use super::stats::*;
use super::{SelCtx, clamp};
use crate::types::*;
use crate::walker::varnos;

/// `a = b` across a join.
pub(crate) fn eqjoinsel(g: &Glob<'_>, root: &Root, o: &OpExpr, l: &Expr, r: &Expr, ctx: SelCtx<'_>) -> f64 {
    let _ = o;
    let (v1, v2) = (examine(g, root, l, 0), examine(g, root, r, 0));
    let (nd1, d1) = num_distinct(g, root, &v1);
    let (nd2, d2) = num_distinct(g, root, &v2);
    let inner = eq_inner(&v1, &v2, nd1, nd2);
    match (ctx.kind, ctx.sj) {
        (JoinKind::Semi | JoinKind::Anti, Some(sj)) => {
            let reversed = varnos(r).overlaps(&sj.syn_left) && !varnos(l).overlaps(&sj.syn_left);
            let inner_rel_rows = |v: &VarData| v.rel.map_or(f64::MAX, |x| root.rels[x].rows);
            let semi = if reversed {
                eq_semi(&v2, &v1, nd2, nd1, d2, d1, inner_rel_rows(&v1))
            } else {
                eq_semi(&v1, &v2, nd1, nd2, d1, d2, inner_rel_rows(&v2))
            };
            let outer_rows = if reversed { inner_rel_rows(&v1) } else { inner_rel_rows(&v2) };
            clamp(semi.min(if outer_rows < f64::MAX { inner * outer_rows } else { 1.0 }.max(0.0)))
        }
        _ => clamp(inner),
    }
}

fn mcv_match(a: &crate::env::ColumnStats, b: &crate::env::ColumnStats) -> (f64, f64, f64, usize) {
    let (mut product, mut freq_a, mut freq_b, mut n) = (0.0, 0.0, 0.0, 0);
    let mut used = vec![false; b.mcv.len()];
    for (v, f) in &a.mcv {
        for (j, (w, h)) in b.mcv.iter().enumerate() {
            if !used[j] && compare_values(v, w).is_eq() {
                used[j] = true;
                product += f * h;
                freq_a += f;
                freq_b += h;
                n += 1;
                break;
            }
        }
    }
    (product, freq_a, freq_b, n)
}

fn eq_inner(v1: &VarData, v2: &VarData, nd1: f64, nd2: f64) -> f64 {
    if let (Some(a), Some(b)) = (&v1.stats, &v2.stats)
        && !a.mcv.is_empty()
        && !b.mcv.is_empty()
    {
        let (product, matched1, matched2, n) = mcv_match(a, b);
        let sum1: f64 = a.mcv.iter().map(|m| m.1).sum();
        let sum2: f64 = b.mcv.iter().map(|m| m.1).sum();
        let (unmatched1, unmatched2) = (clamp(sum1 - matched1), clamp(sum2 - matched2));
        let other1 = clamp(1.0 - a.null_frac - matched1 - unmatched1);
        let other2 = clamp(1.0 - b.null_frac - matched2 - unmatched2);
        let (n1, n2, n) = (a.mcv.len() as f64, b.mcv.len() as f64, n as f64);
        let mut total1 = product;
        if nd2 > n2 {
            total1 += unmatched1 * other2 / (nd2 - n2);
        }
        if nd2 > n {
            total1 += other1 * (other2 + unmatched2) / (nd2 - n);
        }
        let mut total2 = product;
        if nd1 > n1 {
            total2 += unmatched2 * other1 / (nd1 - n1);
        }
        if nd1 > n {
            total2 += other2 * (other1 + unmatched1) / (nd1 - n);
        }
        return total1.min(total2);
    }
    (1.0 - v1.null_frac()) * (1.0 - v2.null_frac()) / nd1.max(nd2)
}

fn eq_semi(v1: &VarData, v2: &VarData, nd1: f64, nd2: f64, d1: bool, d2: bool, inner_rows: f64) -> f64 {
    let mut nd2 = nd2;
    let mut d2 = d2;
    if nd2 >= inner_rows {
        nd2 = inner_rows;
        d2 = false;
    }
    let null1 = v1.null_frac();
    if let (Some(a), Some(b)) = (&v1.stats, &v2.stats)
        && !a.mcv.is_empty()
        && !b.mcv.is_empty()
    {
        let (_, matched, _, n) = mcv_match(a, b);
        let n = n as f64;
        let uncertain = if !d1 && !d2 {
            let (x, y) = (nd1 - n, nd2 - n);
            if x <= y || y < 0.0 { 1.0 } else { y / x }
        } else {
            0.5
        };
        return matched + uncertain * clamp(1.0 - matched - null1);
    }
    if !d1 && !d2 {
        if nd1 <= nd2 || nd2 < 0.0 { 1.0 - null1 } else { nd2 / nd1 * (1.0 - null1) }
    } else {
        0.5 * (1.0 - null1)
    }
}

pub(crate) fn neqjoinsel(g: &Glob<'_>, root: &Root, o: &OpExpr, l: &Expr, r: &Expr, ctx: SelCtx<'_>) -> f64 {
    if matches!(ctx.kind, JoinKind::Semi | JoinKind::Anti) {
        let outer = match ctx.sj {
            Some(sj) if varnos(r).overlaps(&sj.syn_left) => r,
            _ => l,
        };
        return 1.0 - examine(g, root, outer, 0).null_frac();
    }
    1.0 - eqjoinsel(g, root, o, l, r, ctx)
}

/// (fraction of rows in one bucket, frequency of the most common value) of a hash key.
pub(crate) fn hash_bucket_stats(g: &Glob<'_>, root: &Root, key: &Expr, buckets: f64) -> (f64, f64) {
    let data = examine(g, root, key, 0);
    let mcv = data.stats.as_ref().and_then(|s| s.mcv.first()).map_or(0.0, |m| m.1);
    let (mut nd, default) = num_distinct(g, root, &data);
    if default {
        return (mcv.max(0.1), mcv);
    }
    let null = data.null_frac();
    let average = (1.0 - null) / nd;
    if let Some(rel) = data.rel {
        let r = &root.rels[rel];
        if r.tuples > 0.0 {
            nd *= r.rows / r.tuples;
            nd = crate::glob::clamp_rows(nd);
        }
    }
    let mut fraction = if nd > buckets { 1.0 / buckets } else { 1.0 / nd };
    if average > 0.0 && mcv > average {
        fraction *= mcv / average;
    }
    (fraction.clamp(1.0e-6, 1.0), mcv)
}

/// The share of both inputs that a merge join on `l = r` has to read.
pub(crate) fn merge_scan(g: &Glob<'_>, root: &Root, l: &Expr, r: &Expr, desc: bool) -> (f64, f64, f64, f64) {
    let full = (0.0, 1.0, 0.0, 1.0);
    let (v1, v2) = (examine(g, root, l, 0), examine(g, root, r, 0));
    let (Some(a), Some(b)) = (&v1.stats, &v2.stats) else { return full };
    let (Some((min1, max1)), Some((min2, max2))) = (value_range(a), value_range(b)) else { return full };
    // Fractions of each side up to the other side's maximum, and below the other side's minimum.
    let le = |v: &VarData, x: &pglite_types::Datum| 1.0 - ineq_sel(v, x, true);
    let (mut left_end, mut right_end, mut left_start, mut right_start) = if desc {
        (ge(&v1, &min2), ge(&v2, &min1), ineq_sel(&v1, &max2, true), ineq_sel(&v2, &max1, true))
    } else {
        (le(&v1, &max2), le(&v2, &max1), ineq_sel(&v1, &min2, false), ineq_sel(&v2, &min1, false))
    };
    if left_end > right_end {
        left_end = left_end.min(left_end);
    }
    // Only one of the two ends can matter: the other side runs out first.
    if left_end > right_end {
        left_end = 1.0;
    } else if right_end > left_end {
        right_end = 1.0;
    } else {
        (left_end, right_end) = (1.0, 1.0);
    }
    if left_start < right_start {
        left_start = 0.0;
    } else if right_start < left_start {
        right_start = 0.0;
    } else {
        (left_start, right_start) = (0.0, 0.0);
    }
    (left_start, left_end, right_start, right_end)
}

fn ge(v: &VarData, x: &pglite_types::Datum) -> f64 {
    1.0 - ineq_sel(v, x, false)
}
