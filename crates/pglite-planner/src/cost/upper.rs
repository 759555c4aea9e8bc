//! Costs of grouping, windows, set operations and limits.

use super::{Costs, page_size, relation_bytes};
use crate::types::*;
use pglite_ir::plan::AggStrategy;

/// What the aggregates of a query cost to evaluate.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct AggCosts {
    pub trans: QualCost,
    pub last: QualCost,
    pub state_bytes: f64,
    pub count: usize,
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn agg(
    g: &Glob<'_>,
    strategy: AggStrategy,
    aggs: &AggCosts,
    columns: usize,
    groups: f64,
    input: Costs,
    input_tuples: f64,
    input_width: i32,
    having: QualCost,
    having_selectivity: f64,
) -> (Costs, f64) {
    let op = g.set.cpu_operator_cost;
    let mut c = Costs { disabled: input.disabled, ..Default::default() };
    let mut rows = groups;
    let n = columns as f64;
    match strategy {
        AggStrategy::Plain => {
            c.startup = input.total + aggs.trans.startup + aggs.trans.per_tuple * input_tuples;
            c.startup += aggs.last.startup + aggs.last.per_tuple;
            c.total = c.startup + g.set.cpu_tuple_cost;
            rows = 1.0;
        }
        AggStrategy::Sorted | AggStrategy::Mixed => {
            c.startup = input.startup;
            c.total = input.total;
            if strategy == AggStrategy::Mixed && !g.set.hashagg {
                c.disabled += 1;
            }
            c.total += aggs.trans.startup + aggs.trans.per_tuple * input_tuples;
            c.total += op * n * input_tuples;
            c.total += aggs.last.startup + aggs.last.per_tuple * groups;
            c.total += g.set.cpu_tuple_cost * groups;
        }
        AggStrategy::Hashed => {
            c.disabled += super::disabled(g.set.hashagg);
            c.startup = input.total + aggs.trans.startup + aggs.trans.per_tuple * input_tuples;
            c.startup += op * n * input_tuples + aggs.last.startup;
            c.total = c.startup + aggs.last.per_tuple * groups + g.set.cpu_tuple_cost * groups;
            spill(g, aggs, groups, input_tuples, input_width, &mut c);
        }
    }
    c.startup += having.startup;
    c.total += having.startup + groups * having.per_tuple;
    if having_selectivity < 1.0 {
        rows = crate::glob::clamp_rows(rows * having_selectivity);
    }
    (c, rows)
}

fn spill(g: &Glob<'_>, aggs: &AggCosts, groups: f64, input_tuples: f64, input_width: i32, c: &mut Costs) {
    let entry = hash_entry_size(aggs, f64::from(input_width));
    let batches = (groups * entry / g.set.hash_mem()).max((groups / (g.set.hash_mem() / 64.0)).max(1.0));
    if batches <= 1.0 {
        return;
    }
    let batches = batches.ceil().max(2.0);
    let depth = (batches.ln() / 32f64.ln()).ceil();
    let pages = (relation_bytes(input_tuples, input_width) / super::PAGE).ceil();
    let written = pages * depth * 2.0;
    c.startup += written * g.set.random_page_cost;
    c.total += written * g.set.random_page_cost + written * g.set.seq_page_cost;
    let spill = depth * input_tuples * 2.0 * g.set.cpu_tuple_cost;
    c.startup += spill;
    c.total += spill;
}

pub(crate) fn hash_entry_size(aggs: &AggCosts, width: f64) -> f64 {
    24.0 + 8.0 * aggs.count as f64 + (width / 8.0).ceil() * 8.0 + 16.0 + aggs.state_bytes + 16.0
}

pub(crate) fn group(
    g: &Glob<'_>,
    columns: usize,
    groups: f64,
    input: Costs,
    input_tuples: f64,
    qual: QualCost,
    selectivity: f64,
) -> (Costs, f64) {
    let mut c = Costs { startup: input.startup, total: input.total, disabled: input.disabled };
    c.total += g.set.cpu_operator_cost * input_tuples * columns as f64;
    c.startup += qual.startup;
    c.total += qual.startup + groups * qual.per_tuple;
    let rows = if selectivity < 1.0 { crate::glob::clamp_rows(groups * selectivity) } else { groups };
    (c, rows)
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn window(
    g: &Glob<'_>,
    funcs: QualCost,
    n_funcs: usize,
    partition: usize,
    order: usize,
    input: Costs,
    rows: f64,
    startup_tuples: f64,
) -> Costs {
    let mut c = Costs { startup: input.startup, total: input.total, disabled: input.disabled };
    c.startup += funcs.startup;
    c.total += funcs.startup + rows * (funcs.per_tuple + g.set.cpu_operator_cost * n_funcs as f64);
    c.total += g.set.cpu_operator_cost * (partition + order) as f64 * rows;
    c.total += g.set.cpu_tuple_cost * rows;
    // The first row appears when the rows its frame needs have been read.
    if startup_tuples > 1.0 && rows > 0.0 {
        c.startup += (c.total - c.startup) / rows * (startup_tuples - 1.0);
    }
    c
}

/// Adjusts a path's rows and costs for LIMIT and OFFSET; negative estimates are unknown, 0 means none.
pub(crate) fn limit(rows: &mut f64, c: &mut Costs, offset_est: i64, count_est: i64) {
    let (input_rows, input_startup, input_total) = (*rows, c.startup, c.total);
    if offset_est != 0 {
        let offset =
            if offset_est > 0 { offset_est as f64 } else { crate::glob::clamp_rows(input_rows * 0.1) }
                .min(*rows);
        if input_rows > 0.0 {
            c.startup += (input_total - input_startup) * offset / input_rows;
        }
        *rows = (*rows - offset).max(1.0);
    }
    if count_est != 0 {
        let count = if count_est > 0 { count_est as f64 } else { crate::glob::clamp_rows(input_rows * 0.1) }
            .min(*rows);
        if input_rows > 0.0 {
            c.total = c.startup + (input_total - input_startup) * count / input_rows;
        }
        *rows = count.max(1.0);
    }
}

pub(crate) fn recursive_union(g: &Glob<'_>, non: &Path, rec: &Path, width: i32) -> (Costs, f64) {
    let mut total = non.total;
    let mut rows = non.rows;
    total += 10.0 * rec.total;
    rows += 10.0 * rec.rows;
    total += g.set.cpu_tuple_cost * rows;
    let _ = width;
    (Costs { startup: non.startup, total, disabled: non.disabled + rec.disabled }, rows)
}

/// Bytes a hash table of the rows would take.
pub(crate) fn fits_in_hash_mem(g: &Glob<'_>, rows: f64, width: i32) -> bool {
    let _ = page_size(rows, width);
    rows * (f64::from((width + 7) & !7) + 40.0) <= g.set.hash_mem()
}
