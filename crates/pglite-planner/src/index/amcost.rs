//! What the btree and hash access methods cost: descending, reading entries, and how selective the conditions are.

use std::rc::Rc;

use pglite_ir::expr::Expr;

use crate::cat::BT_EQ;
use crate::cost::AmCost;
use crate::sel::{self, SelCtx};
use crate::types::*;

pub(crate) fn estimate(
    g: &Glob<'_>,
    root: &Root,
    rel: RelId,
    index: &IndexInfo,
    clauses: &[IndexClause],
    loops: f64,
) -> AmCost {
    let r = &root.rels[rel];
    let ctx = SelCtx::rel(r.relid);
    let eq = if index.am == IndexAm::Hash { 1 } else { BT_EQ };
    // The conditions that bound the scan: equalities on leading columns, then one column's inequalities.
    let mut bound: Vec<Expr> = Vec::new();
    let mut sa_scans = 1.0;
    let (mut all_eq, mut next, mut has_array, mut has_null) = (true, 0, false, false);
    let mut stopped = false;
    for col in 0..index.columns.len() {
        let here: Vec<&IndexClause> = clauses.iter().filter(|c| c.column == col).collect();
        if here.is_empty() || col != next || stopped {
            stopped = true;
            all_eq = false;
            continue;
        }
        let mut eq_here = false;
        for c in here {
            for q in &c.quals {
                match q {
                    IndexCond::Op { strategy, original, .. } => {
                        eq_here |= *strategy == eq;
                        bound.push(original.clone());
                    }
                    IndexCond::Array { strategy, original, array, .. } => {
                        eq_here |= *strategy == eq;
                        has_array = true;
                        let n = crate::exprs::array_length_estimate(&crate::fold::estimate(g, array));
                        if n > 1.0 {
                            sa_scans *= n;
                        }
                        bound.push(original.clone());
                    }
                    IndexCond::Null { is_null, original } => {
                        has_null |= *is_null;
                        eq_here |= *is_null;
                        bound.push(original.clone());
                    }
                    IndexCond::Row { original, .. } => bound.push(original.clone()),
                }
            }
        }
        if eq_here {
            next = col + 1;
        } else {
            all_eq = false;
            stopped = true;
        }
    }
    let quals: Vec<Rc<RInfo>> = clauses.iter().map(|c| c.rinfo.clone()).collect();
    let mut selectivity = sel::list_selectivity(g, root, &quals, ctx);
    if !index.predicate.is_empty() {
        let extra: Vec<Expr> = index
            .predicate
            .iter()
            .filter(|p| !quals.iter().any(|q| crate::equal::equal(&q.clause, p)))
            .cloned()
            .collect();
        selectivity *= sel::exprs_selectivity(g, root, &extra, ctx);
    }
    let mut tuples = if index.unique && all_eq && next == index.columns.len() && !has_array && !has_null {
        1.0
    } else {
        let s = if bound.is_empty() { 1.0 } else { sel::exprs_selectivity(g, root, &bound, ctx) };
        let s = if index.predicate.is_empty() {
            s
        } else {
            s.min(1.0) * (index.tuples / r.tuples.max(1.0)).min(1.0)
        };
        // Several searches are estimated one by one.
        sa_scans = sa_scans.min((index.pages * 0.3333333).ceil().max(1.0));
        (s * r.tuples / sa_scans).round_ties_even()
    };
    tuples = tuples.min(index.tuples).max(1.0);
    let pages = if index.pages > 1.0 && index.tuples > 1.0 {
        (tuples * index.pages / index.tuples).ceil()
    } else {
        1.0
    };
    let random = g.set.random_page_cost;
    let scans = sa_scans * loops;
    let io = if scans > 1.0 {
        let fetched =
            crate::cost::index_pages_fetched(g, pages * scans, index.pages, index.pages, root.total_pages);
        fetched * random / loops
    } else {
        pages * random
    };
    let op = g.set.cpu_operator_cost;
    let quals_cost = op * clauses.iter().map(|c| c.quals.len()).sum::<usize>() as f64;
    let mut total = io + tuples * sa_scans * (g.set.cpu_index_tuple_cost + quals_cost);
    let mut startup = 0.0;
    if index.am == IndexAm::Btree {
        if index.tuples > 1.0 {
            let descent = index.tuples.log2().ceil() * op;
            startup += descent;
            total += sa_scans * descent;
        }
        let descent = (index.height + 1.0) * 50.0 * op;
        startup += descent;
        total += sa_scans * descent;
    }
    AmCost { startup, total, selectivity, correlation: correlation(g, r, index) }
}

fn correlation(g: &Glob<'_>, r: &Rel, index: &IndexInfo) -> f64 {
    let (Some(t), Some(&attno)) = (&r.table, index.columns.first()) else { return 0.0 };
    if attno == 0 || index.am != IndexAm::Btree {
        return 0.0;
    }
    let Some(stats) = g.env.column_stats(t.oid, attno) else { return 0.0 };
    let c = if index.desc[0] { -stats.correlation } else { stats.correlation };
    if index.columns.len() > 1 { c * 0.75 } else { c }
}
