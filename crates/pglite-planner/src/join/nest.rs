//! Nested loops (plain, materialized, memoized, parameterized inner) and merge joins over presorted outer paths.

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::JoinKind;
use pglite_ir::expr::Expr;
use pglite_types::Oid;

use super::hashmerge;
use super::paths::{Pair, Uniq, join_param};
use crate::cost;
use crate::path::{add_path, add_path_precheck};
use crate::pathkeys;
use crate::relids::Relids;
use crate::scan::movable_into;
use crate::types::*;

/// All joins that keep the outer path's order as it is.
pub(super) fn unsorted_outer(g: &mut Glob<'_>, root: &mut Root, pair: &Pair<'_>) -> PgResult<()> {
    let nest_ok = matches!(pair.kind, JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti);
    let use_all = matches!(pair.kind, JoinKind::Right | JoinKind::RightAnti | JoinKind::Full);
    if pair.kind == JoinKind::RightSemi {
        return Ok(());
    }
    let outer_rels = root.rels[pair.outer].relids.clone();
    let mut inner_total = root.rels[pair.inner].cheapest_total.clone();
    if inner_total.as_ref().is_some_and(|p| p.required().is_some_and(|r| r.overlaps(&outer_rels))) {
        inner_total = None;
    }
    let mut material = None;
    if pair.uniq == Uniq::Inner {
        inner_total = root.rels[pair.inner].cheapest_unique.clone().flatten();
    } else if nest_ok
        && g.set.material
        && let Some(i) = &inner_total
        && i.param.is_none()
        && !materializes(i)
    {
        material = Some(Rc::new(material_path(g, i.clone())));
    }
    let outer_paths = if pair.uniq == Uniq::Outer {
        root.rels[pair.outer].cheapest_unique.clone().flatten().into_iter().collect()
    } else {
        root.rels[pair.outer].paths.clone()
    };
    let inner_rels = root.rels[pair.inner].relids.clone();
    for outer in outer_paths {
        if outer.required().is_some_and(|r| r.overlaps(&inner_rels)) {
            continue;
        }
        let keys = {
            let mut k = pathkeys::for_join(pair.kind, &outer.pathkeys);
            pathkeys::truncate_useless(g, root, pair.rel, &mut k);
            k
        };
        if pair.uniq == Uniq::Inner {
            if let Some(i) = &inner_total {
                try_nest(g, root, pair, &outer, i, keys.clone());
            }
        } else if nest_ok {
            for i in root.rels[pair.inner].cheapest_param.clone() {
                try_nest(g, root, pair, &outer, &i, keys.clone());
                if let Some(m) = memoize(g, root, pair, &outer, &i) {
                    try_nest(g, root, pair, &outer, &Rc::new(m), keys.clone());
                }
            }
            if let Some(m) = &material {
                try_nest(g, root, pair, &outer, m, keys.clone());
            }
        }
        if pair.uniq == Uniq::Outer || !pair.merge_ok {
            continue;
        }
        if let Some(i) = &inner_total {
            hashmerge::merge_with_outer(g, root, pair, &outer, i, use_all, keys)?;
        }
    }
    Ok(())
}

fn materializes(p: &Path) -> bool {
    matches!(
        p.node,
        PathNode::Material { .. }
            | PathNode::Sort { .. }
            | PathNode::Function
            | PathNode::TableFunc
            | PathNode::Cte
            | PathNode::WorkTable
            | PathNode::Tuplestore
    )
}

pub(crate) fn material_path(g: &Glob<'_>, sub: Rc<Path>) -> Path {
    let run = cost::material_run_cost(g, sub.rows, sub.target.width);
    Path {
        rel: sub.rel,
        target: sub.target.clone(),
        param: sub.param.clone(),
        rows: sub.rows,
        startup: sub.startup,
        total: sub.total + run,
        disabled: sub.disabled + cost::disabled(g.set.material),
        pathkeys: sub.pathkeys.clone(),
        node: PathNode::Material { sub },
    }
}

/// A cache of the inner side's results by its parameters.
fn memoize(g: &Glob<'_>, root: &Root, pair: &Pair<'_>, outer: &Rc<Path>, inner: &Rc<Path>) -> Option<Path> {
    if !g.set.memoize || outer.rows < 2.0 {
        return None;
    }
    let param = inner.param.as_ref()?;
    let outer_rels = &root.rels[outer.rel].relids;
    if !param.required.subset_of(outer_rels) {
        return None;
    }
    let r = &root.rels[inner.rel];
    if matches!(pair.kind, JoinKind::Semi | JoinKind::Anti) && !pair.inner_unique {
        return None;
    }
    if !matches!(r.kind, RelKind::Base)
        || r.restrict.iter().any(|c| crate::exprs::is_volatile(&g.cat, &c.clause))
    {
        return None;
    }
    // Single-row caching needs every join condition inside the parameterized scan.
    if pair.inner_unique && param.clauses.len() < pair.restrict.len() {
        return None;
    }
    let (mut keys, mut ops): (Vec<Expr>, Vec<Oid>) = (Vec::new(), Vec::new());
    for c in &param.clauses {
        let (o, a, b) = crate::exprs::as_binary(&c.clause)?;
        let (key, is_left) = if c.left.subset_of(outer_rels) { (a, true) } else { (b, false) };
        if !crate::walker::varnos(key).subset_of(outer_rels) || !c.can_join {
            return None;
        }
        let op = if is_left { g.cat.left_side_eq(o.op) } else { g.cat.right_side_eq(o.op) }?;
        if !g.cat.can_hash(op, key.ty()) {
            return None;
        }
        if !crate::equal::member(&keys, key) {
            keys.push(key.clone());
            ops.push(op);
        }
    }
    for v in &r.lateral_vars {
        let op = g.cat.default_eq(v.ty())?;
        if !g.cat.can_hash(op, v.ty()) {
            return None;
        }
        if !crate::equal::member(&keys, v) {
            keys.push(v.clone());
            ops.push(op);
        }
    }
    if keys.is_empty() {
        return None;
    }
    let calls = outer.rows;
    let ndistinct = crate::sel::num_groups(g, root, &keys, calls).min(calls);
    let defaults = keys.iter().any(|k| {
        let d = crate::sel::examine(g, root, k, 0);
        crate::sel::num_distinct(g, root, &d).1
    });
    let ndistinct = if defaults { calls } else { ndistinct };
    let entry = cost::relation_bytes(inner.rows, inner.target.width) + 100.0;
    let capacity = (g.set.hash_mem() / entry).floor().max(1.0);
    let evict = 1.0 - capacity.min(ndistinct) / ndistinct;
    let hit = ((calls - ndistinct) / calls * (capacity / ndistinct.max(capacity))).max(0.0);
    let mut total = inner.total * (1.0 - hit) + g.set.cpu_operator_cost;
    total += g.set.cpu_tuple_cost * evict + g.set.cpu_operator_cost * evict * inner.rows;
    total += g.set.cpu_tuple_cost + g.set.cpu_operator_cost * inner.rows;
    let startup = inner.startup * (1.0 - hit) + g.set.cpu_tuple_cost;
    Some(Path {
        node: PathNode::Memoize {
            sub: inner.clone(),
            keys,
            ops,
            single_row: pair.inner_unique,
            binary: false,
            rescan: (startup, total),
        },
        rel: inner.rel,
        target: inner.target.clone(),
        param: inner.param.clone(),
        rows: inner.rows,
        startup: inner.startup + g.set.cpu_tuple_cost,
        total: inner.total + g.set.cpu_tuple_cost,
        disabled: inner.disabled,
        pathkeys: inner.pathkeys.clone(),
    })
}

/// Relations a nested loop's result still depends on.
fn nest_required(root: &Root, outer: &Path, inner: &Path) -> Relids {
    let (o, i) = (&root.rels[outer.rel].relids, &root.rels[inner.rel].relids);
    outer.required_or_empty().union(&inner.required_or_empty()).minus(o).minus(i)
}

fn try_nest(
    g: &mut Glob<'_>,
    root: &mut Root,
    pair: &Pair<'_>,
    outer: &Rc<Path>,
    inner: &Rc<Path>,
    keys: Vec<PathKey>,
) {
    let required = nest_required(root, outer, inner);
    let outer_rels = root.rels[outer.rel].relids.clone();
    if !required.is_empty() && !required.overlaps(&pair.param_sources) {
        // A star join: part of the inner's needs come from this outer side, the rest from above.
        let star = inner.required().is_some_and(|r| r.overlaps(&outer_rels) && !r.subset_of(&outer_rels));
        if !star {
            return;
        }
    }
    // A lateral inner side runs inside the loop only.
    let inner_rels = root.rels[inner.rel].relids.clone();
    let mut clauses: Vec<Rc<RInfo>> = pair.restrict.to_vec();
    let param = join_param(g, root, pair, outer, inner, &required, &mut clauses);
    if let Some(r) = inner.required()
        && r.overlaps(&outer_rels)
    {
        let all = inner_rels.union(r);
        clauses.retain(|c| !movable_into(c, &inner_rels, &all));
    }
    let quals = cost::clauses_cost(g, &clauses);
    let indexed = has_indexed_quals(pair, inner, &clauses);
    let rows = param.as_ref().map_or(root.rels[pair.rel].rows, |p| p.rows);
    let target = root.rels[pair.rel].target.clone();
    let c = cost::nestloop(
        g,
        pair.kind,
        outer,
        inner,
        pair.inner_unique,
        &pair.semi,
        quals,
        indexed,
        rows,
        &target,
    );
    if !add_path_precheck(&root.rels[pair.rel], c.disabled, c.startup, c.total, &keys, &required) {
        return;
    }
    let path = Path {
        node: PathNode::Nest {
            j: JoinPath {
                kind: pair.kind,
                outer: outer.clone(),
                inner: inner.clone(),
                clauses,
                inner_unique: pair.inner_unique,
            },
        },
        rel: pair.rel,
        target,
        param,
        rows,
        startup: c.startup,
        total: c.total,
        disabled: c.disabled,
        pathkeys: keys,
    };
    add_path(&mut root.rels[pair.rel], path);
}

/// The inner scan checks all the join's conditions in its index.
fn has_indexed_quals(pair: &Pair<'_>, inner: &Path, clauses: &[Rc<RInfo>]) -> bool {
    let _ = pair;
    if !clauses.is_empty() {
        return false;
    }
    let mut p = inner;
    if let PathNode::Memoize { sub, .. } = &p.node {
        p = sub;
    }
    match (&p.node, &p.param) {
        (PathNode::Index(i), Some(param)) => param.clauses.iter().all(|c| {
            i.clauses.iter().any(|x| {
                Rc::ptr_eq(&x.rinfo, c) || x.rinfo.parent_ec.is_some() && x.rinfo.parent_ec == c.parent_ec
            })
        }),
        _ => false,
    }
}
