//! Making a semijoin's right side unique, so that a plain join (in either order) does the work.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::plan::AggStrategy;

use crate::cost::{self, AggCosts, costs_of};
use crate::sel;
use crate::types::*;

/// The cheapest path of the relation without duplicates in the semijoin's columns, if it can be had.
pub(crate) fn create_unique_path(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    sj: &SpecialJoin,
) -> PgResult<Option<Rc<Path>>> {
    if let Some(cached) = &root.rels[rel].cheapest_unique {
        return Ok(cached.clone());
    }
    let made = build(g, root, rel, sj).map(Rc::new);
    root.rels[rel].cheapest_unique = Some(made.clone());
    Ok(made)
}

fn build(g: &mut Glob<'_>, root: &mut Root, rel: RelId, sj: &SpecialJoin) -> Option<Path> {
    let sub = root.rels[rel].cheapest_total.clone()?;
    if sub.param.is_some() || !(sj.semi_can_btree || sj.semi_can_hash) || sj.semi_rhs.is_empty() {
        return None;
    }
    let make = |method, rows: f64, c: cost::Costs, r: &Rel| Path {
        node: PathNode::Unique {
            sub: sub.clone(),
            method,
            ops: sj.semi_ops.clone(),
            exprs: sj.semi_rhs.clone(),
        },
        rel,
        target: r.target.clone(),
        param: None,
        rows,
        startup: c.startup,
        total: c.total,
        disabled: c.disabled,
        pathkeys: Vec::new(),
    };
    let extra: Vec<_> = sj
        .semi_rhs
        .iter()
        .zip(&sj.semi_ops)
        .filter_map(|(e, op)| Some((e.clone(), g.cat.right_side_eq(*op)?)))
        .collect();
    if root.rels[rel].kind == RelKind::Base
        && root.rels[rel].scan == ScanKind::Relation
        && crate::index::unique_for(g, root, rel, &[], &extra)
        || super::paths::subquery_is_unique(root, rel, &sj.semi_rhs)
    {
        return Some(make(UniqueMethod::Noop, sub.rows, costs_of(&sub), &root.rels[rel]));
    }
    let rows = sel::num_groups(g, root, &sj.semi_rhs, root.rels[rel].rows);
    let n = sj.semi_rhs.len();
    let width = root.rels[rel].width;
    let mut sorted = sj.semi_can_btree.then(|| {
        let mut c = cost::sort(g, costs_of(&sub), sub.rows, width, -1.0);
        c.total += g.set.cpu_operator_cost * sub.rows * n as f64;
        c
    });
    let mut hashed = sj.semi_can_hash.then(|| {
        cost::agg(
            g,
            AggStrategy::Hashed,
            &AggCosts::default(),
            n,
            rows,
            costs_of(&sub),
            sub.rows,
            width,
            QualCost::default(),
            1.0,
        )
        .0
    });
    if hashed.is_some() && !cost::fits_in_hash_mem(g, rows, width) && sorted.is_some() {
        hashed = None;
    }
    if let (Some(h), Some(s)) = (hashed, sorted)
        && (h.disabled, h.total) < (s.disabled, s.total)
    {
        sorted = None;
    }
    match (sorted, hashed) {
        (Some(c), _) => Some(make(UniqueMethod::Sort, rows, c, &root.rels[rel])),
        (None, Some(c)) => Some(make(UniqueMethod::Hash, rows, c, &root.rels[rel])),
        _ => None,
    }
}
