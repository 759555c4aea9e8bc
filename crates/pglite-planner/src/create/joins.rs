//! Plans of joins.

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::JoinKind;
use pglite_ir::plan::*;

use super::*;
use crate::exprs::as_binary;
use crate::restrict::split_join_clauses;

fn is_outer(kind: JoinKind) -> bool {
    matches!(kind, JoinKind::Left | JoinKind::Full | JoinKind::Right | JoinKind::Anti | JoinKind::RightAnti)
}

/// (conditions of the join itself, conditions on its result, conditions checked once)
fn clauses(root: &Root, path: &Path, j: &JoinPath, skip: &[Rc<RInfo>]) -> (Vec<Expr>, Vec<Expr>, Vec<Expr>) {
    let list: Vec<Rc<RInfo>> = j
        .clauses
        .iter()
        .filter(|r| !skip.iter().any(|k| Rc::ptr_eq(k, r)) && !r.pseudoconstant)
        .cloned()
        .collect();
    let once: Vec<Expr> = j.clauses.iter().filter(|r| r.pseudoconstant).map(|r| r.clause.clone()).collect();
    if is_outer(j.kind) {
        let (on, above) = split_join_clauses(&list, &root.rels[path.rel].relids);
        (on, above, once)
    } else {
        let on = list
            .iter()
            .filter(|r| !crate::exprs::is_true_const(&r.clause))
            .map(|r| r.clause.clone())
            .collect();
        (on, Vec::new(), once)
    }
}

pub(super) fn create(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>) -> PgResult<Plan> {
    let plan = match &path.node {
        PathNode::Nest { j } => nest(g, root, path, j)?,
        PathNode::Merge { j, keys, outer_sort, inner_sort, skip_mark, materialize, merge_pathkeys } => {
            merge(g, root, path, j, keys, (outer_sort, inner_sort), *skip_mark, *materialize, merge_pathkeys)?
        }
        PathNode::Hash { j, keys } => hash(g, root, path, j, keys)?,
        _ => return Err(PgError::internal("join path expected")),
    };
    let (j, _) = match &path.node {
        PathNode::Nest { j } | PathNode::Merge { j, .. } | PathNode::Hash { j, .. } => (j, ()),
        _ => return Ok(plan),
    };
    let (_, _, once) = clauses(root, path, j, &[]);
    Ok(gate(plan, quals(g, root, once)))
}

fn nest(g: &mut Glob<'_>, root: &mut Root, path: &Path, j: &JoinPath) -> PgResult<Plan> {
    let saved = root.cur_outer_rels.clone();
    let outer = super::create(g, root, &j.outer)?;
    let outer_rels = root.rels[j.outer.rel].relids.clone();
    root.cur_outer_rels.add(&outer_rels);
    let inner = super::create(g, root, &j.inner)?;
    root.cur_outer_rels = saved;
    // The params that this loop's outer side provides.
    let mut params = Vec::new();
    let mut keep = Vec::new();
    for p in std::mem::take(&mut root.cur_outer_params) {
        if crate::walker::varnos(&p.expr).subset_of(&outer_rels) {
            params.push((p.id, p.expr));
        } else {
            keep.push(p);
        }
    }
    root.cur_outer_params = keep;
    let (on, above, _) = clauses(root, path, j, &[]);
    let targets = tlist(g, root, path);
    let join_qual = quals(g, root, on);
    let qual = quals(g, root, above);
    let mut p = node(
        path,
        PlanNode::NestLoop { kind: j.kind, join_qual, params, inner_unique: j.inner_unique },
        targets,
    );
    p.qual = qual;
    p.left = Some(Box::new(outer));
    p.right = Some(Box::new(inner));
    Ok(p)
}

/// (outer side, inner side, operator) of a join clause.
fn sides(
    g: &Glob<'_>,
    r: &RInfo,
    outer: &Relids,
) -> PgResult<(Expr, Expr, pglite_types::Oid, pglite_types::Oid)> {
    let (o, l, rr) = as_binary(&r.clause).ok_or_else(|| PgError::internal("join key is no operator"))?;
    if r.left.subset_of(outer) {
        return Ok((l.clone(), rr.clone(), o.op, o.input_collation));
    }
    let op = g.cat.commutator(o.op).ok_or_else(|| PgError::internal("join operator has no commutator"))?;
    Ok((rr.clone(), l.clone(), op, o.input_collation))
}

fn hash(g: &mut Glob<'_>, root: &mut Root, path: &Path, j: &JoinPath, keys: &[Rc<RInfo>]) -> PgResult<Plan> {
    let outer = super::create(g, root, &j.outer)?;
    let inner = super::create(g, root, &j.inner)?;
    let outer_rels = root.rels[j.outer.rel].relids.clone();
    let mut hash_keys = Vec::new();
    for r in keys {
        let (mut o, mut i, op, collation) = sides(g, r, &outer_rels)?;
        replace_nest_params(g, root, &mut o);
        replace_nest_params(g, root, &mut i);
        hash_keys.push(HashKey { outer: o, inner: i, op, collation });
    }
    let (on, above, _) = clauses(root, path, j, keys);
    let targets = tlist(g, root, path);
    let join_qual = quals(g, root, on);
    let qual = quals(g, root, above);
    let mut p = node(
        path,
        PlanNode::HashJoin { kind: j.kind, join_qual, keys: hash_keys, inner_unique: j.inner_unique },
        targets,
    );
    p.qual = qual;
    p.left = Some(Box::new(outer));
    p.right = Some(Box::new(inner));
    Ok(p)
}

fn sorted(g: &Glob<'_>, root: &Root, plan: Plan, keys: &[PathKey], rels: &Relids) -> PgResult<Plan> {
    if keys.is_empty() {
        return Ok(plan);
    }
    let (plan, sort) = sort_keys(g, root, plan, keys, rels)?;
    let (startup, run) = crate::cost::sort_costs(g, plan.cost.rows, plan.cost.width, 0.0, -1.0);
    let mut p = Plan::new(PlanNode::Sort { keys: sort }, pass_targets(&plan));
    p.cost = plan.cost;
    p.cost.startup = plan.cost.total + startup;
    p.cost.total = p.cost.startup + run;
    p.left = Some(Box::new(plan));
    Ok(p)
}

#[allow(clippy::too_many_arguments)]
fn merge(
    g: &mut Glob<'_>,
    root: &mut Root,
    path: &Path,
    j: &JoinPath,
    keys: &[Rc<RInfo>],
    sorts: (&[PathKey], &[PathKey]),
    skip_mark: bool,
    materialize: bool,
    merge_keys: &[PathKey],
) -> PgResult<Plan> {
    let outer = super::create(g, root, &j.outer)?;
    let inner = super::create(g, root, &j.inner)?;
    let (orel, irel) = (root.rels[j.outer.rel].relids.clone(), root.rels[j.inner.rel].relids.clone());
    let outer = sorted(g, root, outer, sorts.0, &orel)?;
    let mut inner = sorted(g, root, inner, sorts.1, &irel)?;
    if materialize {
        let mut m = Plan::new(PlanNode::Material, pass_targets(&inner));
        m.cost = inner.cost;
        m.cost.total += crate::cost::material_run_cost(g, inner.cost.rows, inner.cost.width);
        m.left = Some(Box::new(inner));
        inner = m;
    }
    let mut out = Vec::new();
    for r in keys {
        let (mut o, mut i, op, collation) = sides(g, r, &orel)?;
        let ec = if r.left.subset_of(&orel) { r.left_ec.get() } else { r.right_ec.get() };
        let key = ec.and_then(|e| merge_keys.iter().find(|k| k.ec == root.canon(e)));
        let family = key.map(|k| k.family).or_else(|| r.merge_families.first().copied()).unwrap_or_default();
        replace_nest_params(g, root, &mut o);
        replace_nest_params(g, root, &mut i);
        out.push(MergeKey {
            outer: o,
            inner: i,
            op,
            family,
            collation,
            desc: key.is_some_and(|k| k.desc),
            nulls_first: key.is_some_and(|k| k.nulls_first),
        });
    }
    let (on, above, _) = clauses(root, path, j, keys);
    let targets = tlist(g, root, path);
    let join_qual = quals(g, root, on);
    let qual = quals(g, root, above);
    let mut p = node(
        path,
        PlanNode::MergeJoin { kind: j.kind, join_qual, keys: out, inner_unique: j.inner_unique, skip_mark },
        targets,
    );
    p.qual = qual;
    p.left = Some(Box::new(outer));
    p.right = Some(Box::new(inner));
    Ok(p)
}
