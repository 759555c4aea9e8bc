//! Costs of nested loop, merge and hash joins.

use std::rc::Rc;

use pglite_ir::JoinKind;

use super::*;

/// How many inner rows a semi or anti join (or one with a unique inner side) looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SemiFactors {
    pub outer_match_frac: f64,
    pub match_count: f64,
}

/// What running an inner path again costs: (startup, total).
pub(crate) fn rescan(g: &Glob<'_>, p: &Path) -> (f64, f64) {
    match &p.node {
        PathNode::Function | PathNode::TableFunc => (0.0, p.total - p.startup),
        PathNode::Hash { j, .. } if j.inner.total > 0.0 => {
            // A single-batch hash table is kept.
            if relation_bytes(j.inner.rows, j.inner.target.width) <= g.set.hash_mem() {
                (0.0, p.total - p.startup)
            } else {
                (p.startup, p.total)
            }
        }
        PathNode::Cte | PathNode::WorkTable => {
            let mut run = g.set.cpu_tuple_cost * p.rows;
            let bytes = relation_bytes(p.rows, p.target.width);
            if bytes > g.set.sort_mem() {
                run += g.set.seq_page_cost * (bytes / PAGE).ceil();
            }
            (0.0, run)
        }
        PathNode::Material { .. } | PathNode::Sort { .. } => {
            let mut run = g.set.cpu_operator_cost * p.rows;
            let bytes = relation_bytes(p.rows, p.target.width);
            if bytes > g.set.sort_mem() {
                run += g.set.seq_page_cost * (bytes / PAGE).ceil();
            }
            (0.0, run)
        }
        PathNode::Memoize { rescan, .. } => *rescan,
        _ => (p.startup, p.total),
    }
}

/// Nested loop: the first, cheap estimate, also the final one for plain inner joins.
#[allow(clippy::too_many_arguments)]
pub(crate) fn nestloop(
    g: &Glob<'_>,
    kind: JoinKind,
    outer: &Path,
    inner: &Path,
    inner_unique: bool,
    semi: &SemiFactors,
    quals: QualCost,
    has_indexed_quals: bool,
    rows: f64,
    target: &Target,
) -> Costs {
    let (outer_rows, inner_rows) = (outer.rows.max(1.0), inner.rows.max(1.0));
    let (rescan_start, rescan_total) = rescan(g, inner);
    let mut startup = outer.startup + inner.startup;
    let mut run = outer.total - outer.startup;
    if outer_rows > 1.0 {
        run += (outer_rows - 1.0) * rescan_start;
    }
    let inner_run = inner.total - inner.startup;
    let inner_rescan_run = rescan_total - rescan_start;
    let ntuples = if matches!(kind, JoinKind::Semi | JoinKind::Anti) || inner_unique {
        let matched = (outer_rows * semi.outer_match_frac).round_ties_even();
        let unmatched = outer_rows - matched;
        let scan_frac = 2.0 / (semi.match_count + 1.0);
        let mut tuples = matched * inner_rows * scan_frac;
        if has_indexed_quals {
            run += inner_run * scan_frac;
            if matched > 1.0 {
                run += (matched - 1.0) * inner_rescan_run * scan_frac;
            }
            run += unmatched * inner_rescan_run / inner_rows;
        } else {
            run += inner_run;
            if unmatched >= 1.0 {
                run += (unmatched - 1.0).max(0.0) * inner_rescan_run;
                tuples += unmatched * inner_rows;
            }
            if matched > 0.0 {
                run += (matched - if unmatched >= 1.0 { 0.0 } else { 1.0 }).max(0.0)
                    * inner_rescan_run
                    * scan_frac;
            }
        }
        tuples
    } else {
        run += inner_run;
        if outer_rows > 1.0 {
            run += (outer_rows - 1.0) * inner_rescan_run;
        }
        outer_rows * inner_rows
    };
    startup += quals.startup;
    run += (g.set.cpu_tuple_cost + quals.per_tuple) * ntuples;
    startup += target.cost.startup;
    run += target.cost.per_tuple * rows;
    Costs {
        startup,
        total: startup + run,
        disabled: outer.disabled + inner.disabled + disabled(g.set.nestloop),
    }
}

/// The share of each input a merge join reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MergeScan {
    pub outer_start: f64,
    pub outer_end: f64,
    pub inner_start: f64,
    pub inner_end: f64,
}

pub(crate) struct MergeInputs<'a> {
    pub kind: JoinKind,
    pub outer: &'a Path,
    pub inner: &'a Path,
    pub sort_outer: bool,
    /// Leading keys the outer order delivers, with the estimated number of groups, for an incremental sort.
    pub sort_inner: bool,
    pub scan: MergeScan,
    /// Estimated rows the merge clauses match.
    pub merge_tuples: f64,
    pub inner_unique: bool,
    pub all_joinclauses_are_merge: bool,
    pub merge_qual: QualCost,
    pub other_qual: QualCost,
}

pub(crate) struct MergeCosts {
    pub costs: Costs,
    pub materialize: bool,
    pub skip_mark: bool,
}

pub(crate) fn mergejoin(g: &Glob<'_>, m: &MergeInputs<'_>, rows: f64, target: &Target) -> MergeCosts {
    let (outer_rows_all, inner_rows_all) = (m.outer.rows.max(1.0), m.inner.rows.max(1.0));
    let s = &m.scan;
    let outer_rows = crate::glob::clamp_rows(outer_rows_all * s.outer_end);
    let inner_rows = crate::glob::clamp_rows(inner_rows_all * s.inner_end);
    let outer_skip = (outer_rows_all * s.outer_start).round_ties_even();
    let inner_skip = (inner_rows_all * s.inner_start).round_ties_even();
    let mut dis = m.outer.disabled + m.inner.disabled + disabled(g.set.mergejoin);
    let side = |p: &Path, sort_it: bool, start: f64, end: f64, dis: &mut u32| -> (f64, f64, f64, f64) {
        let (st, tot) = if sort_it {
            let c = sort(g, costs_of(p), p.rows, p.target.width, -1.0);
            *dis += c.disabled - p.disabled;
            (c.startup, c.total)
        } else {
            (p.startup, p.total)
        };
        (st + (tot - st) * start, (tot - st) * (end - start), st, tot)
    };
    let (o_start, o_run, _, _) = side(m.outer, m.sort_outer, s.outer_start, s.outer_end, &mut dis);
    let (i_start, inner_run, i_st, i_tot) = side(m.inner, m.sort_inner, s.inner_start, s.inner_end, &mut dis);
    let mut startup = o_start + i_start;
    let mut run = o_run;
    let skip_mark =
        (matches!(m.kind, JoinKind::Semi | JoinKind::Anti) || m.inner_unique) && m.all_joinclauses_are_merge;
    let rescanned = if skip_mark || m.inner_unique { 0.0 } else { (m.merge_tuples - inner_rows).max(0.0) };
    let ratio = 1.0 + rescanned / inner_rows;
    let bare = inner_run * ratio;
    let mat = inner_run + g.set.cpu_operator_cost * inner_rows * ratio;
    let _ = (i_st, i_tot);
    let materialize = if skip_mark {
        false
    } else if g.set.material && mat < bare || !m.sort_inner && !supports_mark_restore(m.inner) {
        true
    } else {
        g.set.material
            && m.sort_inner
            && relation_bytes(inner_rows_all, m.inner.target.width) > g.set.sort_mem()
    };
    run += if materialize { mat } else { bare };
    startup += m.merge_qual.startup;
    startup += m.merge_qual.per_tuple * (outer_skip + inner_skip * ratio);
    run += m.merge_qual.per_tuple * ((outer_rows - outer_skip) + (inner_rows - inner_skip) * ratio);
    startup += m.other_qual.startup;
    run += (g.set.cpu_tuple_cost + m.other_qual.per_tuple) * m.merge_tuples;
    startup += target.cost.startup;
    run += target.cost.per_tuple * rows;
    MergeCosts { costs: Costs { startup, total: startup + run, disabled: dis }, materialize, skip_mark }
}

fn supports_mark_restore(p: &Path) -> bool {
    match &p.node {
        PathNode::Index(_) | PathNode::Material { .. } | PathNode::Sort { .. } => true,
        PathNode::Projection { sub } => supports_mark_restore(sub),
        _ => false,
    }
}

pub(crate) struct HashInputs<'a> {
    pub kind: JoinKind,
    pub outer: &'a Path,
    pub inner: &'a Path,
    pub keys: usize,
    pub inner_unique: bool,
    pub semi: SemiFactors,
    /// Fraction of the inner rows in one bucket, and of its most common value.
    pub bucket_size: f64,
    pub mcv_freq: f64,
    pub hash_tuples: f64,
    pub hash_qual: QualCost,
    pub other_qual: QualCost,
}

/// (buckets, batches) of a hash table.
pub(crate) fn hash_table_size(g: &Glob<'_>, rows: f64, width: i32) -> (f64, f64) {
    let rows = if rows <= 0.0 { 1000.0 } else { rows };
    let tuple = 16.0 + 24.0 + f64::from((width + 7) & !7);
    let bytes = rows * tuple;
    let mem = g.set.hash_mem();
    let max_pointers = (mem / 8.0).log2().floor().exp2().max(1024.0);
    let buckets = rows.min(max_pointers).max(1024.0).log2().ceil().exp2();
    if bytes + buckets * 8.0 <= mem {
        return (buckets, 1.0);
    }
    let bucket_bytes = tuple + 8.0;
    let mut nbuckets = if mem <= bucket_bytes { 1.0 } else { (mem / bucket_bytes).log2().ceil().exp2() };
    nbuckets = nbuckets.min(max_pointers);
    let batches = (bytes / (mem - nbuckets * 8.0).max(mem / 2.0)).ceil().max(2.0).log2().ceil().exp2();
    (nbuckets, batches)
}

pub(crate) fn hashjoin(g: &Glob<'_>, h: &HashInputs<'_>, rows: f64, target: &Target) -> Costs {
    let op = g.set.cpu_operator_cost;
    let (outer_rows, inner_rows) = (h.outer.rows, h.inner.rows);
    let keys = h.keys as f64;
    let (_, batches) = hash_table_size(g, inner_rows, h.inner.target.width);
    let mut startup = h.outer.startup + h.inner.total;
    let mut run = h.outer.total - h.outer.startup;
    startup += (op * keys + g.set.cpu_tuple_cost) * inner_rows;
    run += op * keys * outer_rows;
    let mut dis = h.outer.disabled + h.inner.disabled + disabled(g.set.hashjoin);
    if batches > 1.0 {
        let (outer_pages, inner_pages) =
            (page_size(outer_rows, h.outer.target.width), page_size(inner_rows, h.inner.target.width));
        startup += g.set.seq_page_cost * inner_pages;
        run += g.set.seq_page_cost * (inner_pages + 2.0 * outer_pages);
    }
    if relation_bytes(crate::glob::clamp_rows(inner_rows * h.mcv_freq), h.inner.target.width)
        > g.set.hash_mem()
    {
        dis += 1;
    }
    startup += h.hash_qual.startup;
    let hash_tuples = if matches!(h.kind, JoinKind::Semi | JoinKind::Anti) || h.inner_unique {
        let matched = (outer_rows * h.semi.outer_match_frac).round_ties_even();
        let scan_frac = 2.0 / (h.semi.match_count + 1.0);
        run += h.hash_qual.per_tuple
            * matched
            * crate::glob::clamp_rows(inner_rows * h.bucket_size * scan_frac)
            * 0.5;
        let virtual_buckets = 1.0 / h.bucket_size.max(1e-9);
        run += h.hash_qual.per_tuple
            * (outer_rows - matched)
            * crate::glob::clamp_rows(inner_rows / virtual_buckets)
            * 0.05;
        if h.kind == JoinKind::Anti { outer_rows - matched } else { matched }
    } else {
        run += h.hash_qual.per_tuple * outer_rows * crate::glob::clamp_rows(inner_rows * h.bucket_size) * 0.5;
        h.hash_tuples
    };
    startup += h.other_qual.startup;
    run += (g.set.cpu_tuple_cost + h.other_qual.per_tuple) * hash_tuples;
    startup += target.cost.startup;
    run += target.cost.per_tuple * rows;
    Costs { startup, total: startup + run, disabled: dis }
}

/// Sums clause costs of shared clauses.
pub(crate) fn clauses_cost(g: &Glob<'_>, list: &[Rc<RInfo>]) -> QualCost {
    rinfos_cost(g, list)
}
