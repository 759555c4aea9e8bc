//! DISTINCT and DISTINCT ON.

use std::rc::Rc;

use pglite_ir::plan::AggStrategy;
use pglite_types::{Datum, oid};

use super::group::exprs_of;
use super::*;
use crate::cost::AggCosts;
use crate::sel;

pub(super) fn add_distinct_paths(g: &mut Glob<'_>, root: &mut Root, input: RelId) -> PgResult<RelId> {
    let out = upper_rel(root, root.rels[input].relids.clone());
    let target = root.rels[input].target.clone();
    root.rels[out].target = target;
    root.rels[out].dummy = root.rels[input].dummy;
    let Some(cheapest) = root.rels[input].cheapest_total.clone() else {
        return Err(PgError::internal("no path for the input of DISTINCT"));
    };
    let exprs = exprs_of(root, &root.processed_distinct.iter().map(|c| c.target_ref).collect::<Vec<_>>());
    let grouped = !root.query.group.is_empty() || !root.query.grouping_sets.is_empty() || root.query.has_aggs;
    let groups = if grouped {
        cheapest.rows
    } else if exprs.is_empty() {
        1.0
    } else {
        sel::num_groups(g, root, &exprs, cheapest.rows)
    };
    let sortable = root.query.distinct.iter().all(|c| c.sort_op.is_valid());
    let hashable = root.query.distinct.iter().all(|c| c.hashable) && !root.query.distinct_on;
    if sortable {
        let distinct_keys = root.distinct_pathkeys.clone();
        let mut keys = distinct_keys.clone();
        if root.query.distinct_on && root.sort_pathkeys.len() > keys.len() {
            keys = root.sort_pathkeys.clone();
        }
        if distinct_keys.is_empty() {
            // All columns are constant: any one row will do.
            let one = Expr::constant(oid::INT8, Datum::Int8(1));
            let sub = match (root.query.distinct_on, keys.is_empty()) {
                (true, false) => {
                    ordered(g, root, out, &cheapest, &keys, -1.0, true).unwrap_or(cheapest.clone())
                }
                _ => cheapest.clone(),
            };
            let mut rows = sub.rows;
            let mut c = costs_of(&sub);
            cost::limit(&mut rows, &mut c, 0, 1);
            let path = Path {
                rows,
                startup: c.startup,
                total: c.total,
                rel: out,
                node: PathNode::Limit { sub: sub.clone(), limit: Some(one), offset: None, ties: false },
                ..copy(&sub)
            };
            add_path(&mut root.rels[out], path);
            set_cheapest(&mut root.rels[out]);
            return Ok(out);
        }
        for p in root.rels[input].paths.clone() {
            let is_cheapest = Rc::ptr_eq(&p, &cheapest);
            let Some(sorted) = ordered(g, root, out, &p, &keys, -1.0, is_cheapest) else { continue };
            let path = Path {
                rel: out,
                rows: groups,
                total: sorted.total + g.set.cpu_operator_cost * sorted.rows * distinct_keys.len() as f64,
                node: PathNode::UpperUnique { sub: sorted.clone(), columns: distinct_keys.len() },
                ..copy(&sorted)
            };
            add_path(&mut root.rels[out], path);
        }
    }
    if hashable && !root.processed_distinct.is_empty() {
        let n = root.processed_distinct.len();
        let (c, rows) = cost::agg(
            g,
            AggStrategy::Hashed,
            &AggCosts::default(),
            n,
            groups,
            costs_of(&cheapest),
            cheapest.rows,
            cheapest.target.width,
            QualCost::default(),
            1.0,
        );
        let path = Path {
            rel: out,
            rows,
            startup: c.startup,
            total: c.total,
            disabled: c.disabled,
            pathkeys: Vec::new(),
            node: PathNode::Agg(Box::new(AggPath {
                sub: cheapest.clone(),
                strategy: AggStrategy::Hashed,
                group: root.processed_distinct.clone(),
                qual: Vec::new(),
                num_groups: groups,
                sets: None,
            })),
            ..copy(&cheapest)
        };
        add_path(&mut root.rels[out], path);
    }
    if root.rels[out].paths.is_empty() {
        return Err(PgError::unsupported("could not implement DISTINCT")
            .detail("Some of the datatypes only support hashing, while others only support sorting."));
    }
    set_cheapest(&mut root.rels[out]);
    Ok(out)
}
