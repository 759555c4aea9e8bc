//! The cost model: PostgreSQL's formulas with its default parameters.

mod join;
mod upper;

use std::rc::Rc;

use crate::exprs::expr_cost;
use crate::types::*;

pub(crate) use join::*;
pub(crate) use upper::*;

pub(crate) const PAGE: f64 = 8192.0;
/// Bytes a stored row takes beyond its columns.
const TUPLE_HEADER: f64 = 24.0;

/// Costs of a path under construction.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Costs {
    pub startup: f64,
    pub total: f64,
    pub disabled: u32,
}

pub(crate) fn disabled(enabled: bool) -> u32 {
    u32::from(!enabled)
}

/// Bytes of `tuples` rows in memory or on disk.
pub(crate) fn relation_bytes(tuples: f64, width: i32) -> f64 {
    let align = |x: f64| (x / 8.0).ceil() * 8.0;
    tuples * (align(f64::from(width.max(0))) + align(TUPLE_HEADER - 1.0))
}

pub(crate) fn page_size(tuples: f64, width: i32) -> f64 {
    (relation_bytes(tuples, width) / PAGE).ceil()
}

/// The cost of one clause, cached.
pub(crate) fn rinfo_cost(g: &Glob<'_>, r: &RInfo) -> QualCost {
    if let Some((startup, per_tuple)) = r.eval_cost.get() {
        return QualCost { startup, per_tuple };
    }
    let mut c = expr_cost(g, &r.clause);
    if r.pseudoconstant {
        c.startup += c.per_tuple;
        c.per_tuple = 0.0;
    }
    r.eval_cost.set(Some((c.startup, c.per_tuple)));
    c
}

pub(crate) fn rinfos_cost<'a>(g: &Glob<'_>, list: impl IntoIterator<Item = &'a Rc<RInfo>>) -> QualCost {
    let mut sum = QualCost::default();
    for r in list {
        let c = rinfo_cost(g, r);
        sum.startup += c.startup;
        sum.per_tuple += c.per_tuple;
    }
    sum
}

/// The cost of a relation's own conditions plus those of a parameterization.
pub(crate) fn restriction_cost(g: &Glob<'_>, rel: &Rel, param: Option<&Rc<ParamInfo>>) -> QualCost {
    let mut c = rel.restrict_cost;
    if let Some(p) = param {
        let more = rinfos_cost(g, &p.clauses);
        c.startup += more.startup;
        c.per_tuple += more.per_tuple;
    }
    c
}

pub(crate) fn target_cost(rel_target: &Target, rows: f64) -> (f64, f64) {
    (rel_target.cost.startup, rel_target.cost.startup + rel_target.cost.per_tuple * rows)
}

fn path_rows(rel: &Rel, param: Option<&Rc<ParamInfo>>) -> f64 {
    param.map_or(rel.rows, |p| p.rows)
}

/// A scan that reads `tuples` rows from `pages` pages in order and filters them.
pub(crate) fn seqscan(g: &Glob<'_>, rel: &Rel, param: Option<&Rc<ParamInfo>>) -> Costs {
    let qual = restriction_cost(g, rel, param);
    let rows = path_rows(rel, param);
    let (t_start, t_total) = target_cost(&rel.target, rows);
    let cpu = (g.set.cpu_tuple_cost + qual.per_tuple) * rel.tuples;
    Costs {
        startup: qual.startup + t_start,
        total: qual.startup + t_total + cpu + g.set.seq_page_cost * rel.pages,
        disabled: disabled(g.set.seqscan),
    }
}

/// Scans whose rows come from memory: functions, VALUES, CTEs, work tables.
pub(crate) fn memory_scan(
    g: &Glob<'_>,
    rel: &Rel,
    param: Option<&Rc<ParamInfo>>,
    startup: f64,
    per_tuple: f64,
) -> Costs {
    let qual = restriction_cost(g, rel, param);
    let rows = path_rows(rel, param);
    let (t_start, t_total) = target_cost(&rel.target, rows);
    let startup = startup + qual.startup;
    let cpu = g.set.cpu_tuple_cost + per_tuple + qual.per_tuple;
    Costs { startup: startup + t_start, total: startup + t_total + cpu * rel.tuples, disabled: 0 }
}

pub(crate) fn subquery_scan(
    g: &Glob<'_>,
    rel: &Rel,
    param: Option<&Rc<ParamInfo>>,
    sub: &Path,
    trivial: bool,
) -> Costs {
    let qual = restriction_cost(g, rel, param);
    let rows = path_rows(rel, param);
    if trivial && qual.per_tuple == 0.0 && qual.startup == 0.0 {
        return Costs { startup: sub.startup, total: sub.total, disabled: sub.disabled };
    }
    let (t_start, t_total) = target_cost(&rel.target, rows);
    let cpu = g.set.cpu_tuple_cost + qual.per_tuple;
    Costs {
        startup: sub.startup + qual.startup + t_start,
        total: sub.total + qual.startup + t_total + cpu * sub.rows,
        disabled: sub.disabled,
    }
}

/// The number of pages an index scan of `tuples` random rows fetches (Mackert and Lohman).
pub(crate) fn index_pages_fetched(
    g: &Glob<'_>,
    tuples: f64,
    pages: f64,
    index_pages: f64,
    total_pages: f64,
) -> f64 {
    let t = pages.max(1.0);
    let total = (total_pages + index_pages).max(1.0);
    let b = (g.set.effective_cache_size * t / total).max(1.0).ceil();
    if t <= b {
        let fetched = (2.0 * t * tuples) / (2.0 * t + tuples);
        if fetched >= t { t } else { fetched.ceil() }
    } else {
        let lim = (2.0 * t * b) / (2.0 * t - b);
        let fetched = if tuples <= lim {
            (2.0 * t * tuples) / (2.0 * t + tuples)
        } else {
            b + (tuples - lim) * (t - b) / t
        };
        fetched.ceil()
    }
}

/// What the access method estimates for its part of an index scan.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct AmCost {
    pub startup: f64,
    pub total: f64,
    pub selectivity: f64,
    pub correlation: f64,
}

/// Table access and filtering above the index.
#[allow(clippy::too_many_arguments)]
pub(crate) fn index_scan(
    g: &Glob<'_>,
    root: &Root,
    rel: &Rel,
    index: &IndexInfo,
    am: AmCost,
    index_only: bool,
    filter: QualCost,
    param: Option<&Rc<ParamInfo>>,
    loops: f64,
) -> Costs {
    let rows = path_rows(rel, param);
    let enabled = if index_only { g.set.indexonlyscan && g.set.indexscan } else { g.set.indexscan };
    let tuples_fetched = crate::glob::clamp_rows(am.selectivity * rel.tuples);
    let allvis = if index_only { visible_fraction(g, rel) } else { 0.0 };
    let visible = |pages: f64| if index_only { (pages * (1.0 - allvis)).ceil() } else { pages };
    let (min_io, max_io);
    if loops > 1.0 {
        let mut pages =
            index_pages_fetched(g, tuples_fetched * loops, rel.pages, index.pages, root.total_pages);
        pages = visible(pages);
        max_io = pages * g.set.random_page_cost / loops;
        let mut pages = (am.selectivity * rel.pages).ceil();
        pages = index_pages_fetched(g, pages * loops, rel.pages, index.pages, root.total_pages);
        pages = visible(pages);
        min_io = pages * g.set.random_page_cost / loops;
    } else {
        let pages = visible(index_pages_fetched(g, tuples_fetched, rel.pages, index.pages, root.total_pages));
        max_io = pages * g.set.random_page_cost;
        let pages = visible((am.selectivity * rel.pages).ceil());
        min_io = if pages > 0.0 {
            g.set.random_page_cost + (pages - 1.0).max(0.0) * g.set.seq_page_cost
        } else {
            0.0
        };
    }
    let csquared = am.correlation * am.correlation;
    let io = max_io + csquared * (min_io - max_io);
    let (t_start, t_total) = target_cost(&rel.target, rows);
    let cpu = (g.set.cpu_tuple_cost + filter.per_tuple) * tuples_fetched;
    let startup = am.startup + filter.startup;
    Costs {
        startup: startup + t_start,
        total: startup + (am.total - am.startup) + io + cpu + t_total,
        disabled: disabled(enabled),
    }
}

/// The share of pages known to hold only rows that everybody sees, as the last VACUUM left it.
fn visible_fraction(g: &Glob<'_>, rel: &Rel) -> f64 {
    let Some(class) = rel.table.as_ref().and_then(|t| g.cat.0.class_by_oid(t.oid)) else { return 0.0 };
    if rel.pages <= 0.0 { 0.0 } else { (f64::from(class.relallvisible) / rel.pages).clamp(0.0, 1.0) }
}

pub(crate) fn tid_scan(
    g: &Glob<'_>,
    rel: &Rel,
    tuples: f64,
    param: Option<&Rc<ParamInfo>>,
    current_of: bool,
) -> Costs {
    let qual = restriction_cost(g, rel, param);
    let rows = path_rows(rel, param);
    let (t_start, t_total) = target_cost(&rel.target, rows);
    let cpu = g.set.cpu_tuple_cost + qual.per_tuple;
    Costs {
        startup: qual.startup + t_start,
        total: qual.startup + t_total + g.set.random_page_cost * tuples + cpu * tuples,
        disabled: if current_of { 0 } else { disabled(g.set.tidscan) },
    }
}

/// Sorting `tuples` rows; `limit` bounds how many are wanted (negative: all).
pub(crate) fn sort_costs(g: &Glob<'_>, tuples: f64, width: i32, comparison: f64, limit: f64) -> (f64, f64) {
    let tuples = tuples.max(2.0);
    let comparison = comparison + 2.0 * g.set.cpu_operator_cost;
    let input_bytes = relation_bytes(tuples, width);
    let (output_tuples, output_bytes) = if limit > 0.0 && limit < tuples {
        (limit, relation_bytes(limit, width))
    } else {
        (tuples, input_bytes)
    };
    let mem = g.set.sort_mem();
    let startup = if output_bytes > mem {
        let pages = (input_bytes / PAGE).ceil();
        let runs = input_bytes / mem;
        let merge_order = (mem / (PAGE * 33.0)).clamp(6.0, 500.0);
        let log_runs = if runs > merge_order { (runs.ln() / merge_order.ln()).ceil() } else { 1.0 };
        let accesses = 2.0 * pages * log_runs;
        comparison * tuples * tuples.log2()
            + accesses * (g.set.seq_page_cost * 0.75 + g.set.random_page_cost * 0.25)
    } else if tuples > 2.0 * output_tuples || input_bytes > mem {
        comparison * tuples * (2.0 * output_tuples).log2()
    } else {
        comparison * tuples * tuples.log2()
    };
    (startup, g.set.cpu_operator_cost * tuples)
}

/// A full sort above an input of the given total cost.
pub(crate) fn sort(g: &Glob<'_>, input: Costs, tuples: f64, width: i32, limit: f64) -> Costs {
    let (startup, run) = sort_costs(g, tuples, width, 0.0, limit);
    let startup = startup + input.total;
    Costs { startup, total: startup + run, disabled: input.disabled + disabled(g.set.sort) }
}

/// Sorting within groups of rows that are sorted by the leading keys already.
pub(crate) fn incremental_sort(
    g: &Glob<'_>,
    input: Costs,
    tuples: f64,
    groups: f64,
    width: i32,
    limit: f64,
) -> Costs {
    let tuples = tuples.max(2.0);
    let groups = groups.max(1.0);
    let group_tuples = tuples / groups;
    let group_input = (input.total - input.startup) / groups;
    let (start, run) = sort_costs(g, group_tuples, width, 0.0, limit);
    let startup = start + input.startup + group_input;
    let mut run_cost = run + (run + start) * (groups - 1.0) + group_input * (groups - 1.0);
    run_cost += (g.set.cpu_tuple_cost + g.set.cpu_operator_cost) * tuples;
    run_cost += 2.0 * g.set.cpu_tuple_cost * groups;
    Costs {
        startup,
        total: startup + run_cost,
        disabled: input.disabled + disabled(g.set.incremental_sort && g.set.sort),
    }
}

/// What materializing adds while running.
pub(crate) fn material_run_cost(g: &Glob<'_>, tuples: f64, width: i32) -> f64 {
    let bytes = relation_bytes(tuples, width);
    let mut cost = 2.0 * g.set.cpu_operator_cost * tuples;
    if bytes > g.set.sort_mem() {
        cost += g.set.seq_page_cost * (bytes / PAGE).ceil();
    }
    cost
}

pub(crate) fn costs_of(p: &Path) -> Costs {
    Costs { startup: p.startup, total: p.total, disabled: p.disabled }
}

pub(crate) fn append(g: &Glob<'_>, children: &[Rc<Path>]) -> (Costs, f64) {
    let mut c = Costs::default();
    let mut rows = 0.0;
    for (i, p) in children.iter().enumerate() {
        if i == 0 {
            c.startup = p.startup;
        }
        rows += p.rows;
        c.total += p.total;
        c.disabled += p.disabled;
    }
    c.total += g.set.cpu_tuple_cost * 0.5 * rows;
    (c, rows)
}

pub(crate) fn merge_append(g: &Glob<'_>, input: Costs, streams: f64, tuples: f64) -> Costs {
    let n = streams.max(2.0);
    let log_n = n.log2();
    let comparison = 2.0 * g.set.cpu_operator_cost;
    let startup = comparison * n * log_n + input.startup;
    let run = tuples * comparison * log_n + g.set.cpu_tuple_cost * 0.5 * tuples;
    Costs { startup, total: comparison * n * log_n + input.total + run, disabled: input.disabled }
}
