//! GROUPING SETS, ROLLUP, CUBE.

use std::rc::Rc;

use pglite_ir::plan::AggStrategy;

use super::group::{agg_path, exprs_of};
use super::*;
use crate::cost::AggCosts;
use crate::sel;

const MAX_SETS: usize = 4096;

/// Multiplies out the grouping clause into plain sets of target references.
pub(super) fn expand(root: &Root) -> PgResult<Vec<Vec<u32>>> {
    let mut result: Vec<Vec<u32>> = vec![Vec::new()];
    for item in &root.query.grouping_sets {
        let sets = expand_one(item)?;
        let mut next = Vec::new();
        for a in &result {
            for b in &sets {
                let mut both = a.clone();
                for r in b {
                    if !both.contains(r) {
                        both.push(*r);
                    }
                }
                next.push(both);
            }
        }
        result = next;
        if result.len() > MAX_SETS {
            return Err(PgError::new(
                pglite_error::codes::STATEMENT_TOO_COMPLEX,
                format!("too many grouping sets present (maximum {MAX_SETS})"),
            ));
        }
    }
    for s in &mut result {
        let mut seen = Vec::new();
        s.retain(|r| {
            let new = !seen.contains(r);
            seen.push(*r);
            new
        });
    }
    if root.query.group_distinct {
        let mut unique: Vec<Vec<u32>> = Vec::new();
        for s in result {
            let same = |o: &Vec<u32>| o.len() == s.len() && o.iter().all(|r| s.contains(r));
            if !unique.iter().any(same) {
                unique.push(s);
            }
        }
        result = unique;
    }
    result.sort_by_key(Vec::len);
    Ok(result)
}

fn flat(set: &GroupingSet) -> Vec<u32> {
    match set {
        GroupingSet::Simple(r) => r.clone(),
        GroupingSet::Empty => Vec::new(),
        GroupingSet::Rollup(l) | GroupingSet::Cube(l) | GroupingSet::Sets(l) => {
            l.iter().flat_map(flat).collect()
        }
    }
}

fn expand_one(set: &GroupingSet) -> PgResult<Vec<Vec<u32>>> {
    Ok(match set {
        GroupingSet::Empty => vec![Vec::new()],
        GroupingSet::Simple(r) => vec![r.clone()],
        GroupingSet::Rollup(list) => {
            (0..=list.len()).rev().map(|n| list[..n].iter().flat_map(flat).collect()).collect()
        }
        GroupingSet::Cube(list) => {
            if list.len() > 12 {
                return Err(PgError::new(
                    pglite_error::codes::TOO_MANY_COLUMNS,
                    "CUBE is limited to 12 elements",
                ));
            }
            (0..1usize << list.len())
                .map(|mask| {
                    (0..list.len()).filter(|i| mask & (1 << i) != 0).flat_map(|i| flat(&list[i])).collect()
                })
                .collect()
        }
        GroupingSet::Sets(list) => {
            let mut out = Vec::new();
            for s in list {
                out.extend(expand_one(s)?);
            }
            out
        }
    })
}

#[allow(clippy::too_many_arguments)]
pub(super) fn add_paths(
    g: &mut Glob<'_>,
    root: &mut Root,
    input: RelId,
    out: RelId,
    target: &Rc<Target>,
    having: &[Expr],
    aggs: &[Expr],
    costs: &AggCosts,
) -> PgResult<()> {
    let sets = expand(root)?;
    let Some(cheapest) = root.rels[input].cheapest_total.clone() else { return Ok(()) };
    let mut groups = 0.0;
    for s in &sets {
        let exprs = exprs_of(root, s);
        groups += if exprs.is_empty() { 1.0 } else { sel::num_groups(g, root, &exprs, cheapest.rows) };
    }
    let clause = |root: &Root, r: u32| root.query.group.iter().find(|c| c.target_ref == r).cloned();
    // One chain, each set within the next: sorted input serves all of them.
    let is_chain = sets.windows(2).all(|w| w[0].iter().all(|r| w[1].contains(r)));
    let mut order: Vec<u32> = Vec::new();
    for s in &sets {
        for r in s {
            if !order.contains(r) {
                order.push(*r);
            }
        }
    }
    let group: Vec<SortGroupClause> = order.iter().filter_map(|r| clause(root, *r)).collect();
    let sortable = group.iter().all(|c| c.sort_op.is_valid());
    let hashable = group.iter().all(|c| c.hashable) && aggs.iter().all(|a| matches!(a, Expr::Aggref(a) if a.order.is_empty() && a.distinct.is_empty() && a.kind == pglite_ir::AggKind::Normal));
    let descending: Vec<Vec<u32>> = sets.iter().rev().cloned().collect();
    if is_chain && sortable {
        let targets = root.processed_targets.clone();
        let keys = pathkeys::for_clauses(g, root, &group, &targets);
        for p in root.rels[input].paths.clone() {
            let is_cheapest = Rc::ptr_eq(&p, &cheapest);
            let Some(sorted) = ordered(g, root, out, &p, &keys, -1.0, is_cheapest) else { continue };
            let strategy = if group.is_empty() { AggStrategy::Plain } else { AggStrategy::Sorted };
            let mut path = agg_path(
                g,
                root,
                out,
                sorted,
                target,
                strategy,
                group.clone(),
                having,
                costs,
                groups,
                Some(descending.clone()),
            );
            path.rows = groups;
            add_path(&mut root.rels[out], path);
        }
    }
    if hashable || !(is_chain && sortable) {
        let has_empty = sets.iter().any(Vec::is_empty);
        let strategy = if has_empty { AggStrategy::Mixed } else { AggStrategy::Hashed };
        let mut path = agg_path(
            g,
            root,
            out,
            cheapest,
            target,
            AggStrategy::Hashed,
            group,
            having,
            costs,
            groups,
            Some(descending),
        );
        if let PathNode::Agg(a) = &mut path.node {
            a.strategy = strategy;
        }
        path.rows = groups;
        add_path(&mut root.rels[out], path);
    }
    Ok(())
}
