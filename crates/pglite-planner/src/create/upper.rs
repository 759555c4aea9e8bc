//! Plans of everything that is neither scan nor join.

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::*;

use super::*;

pub(super) fn create(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>) -> PgResult<Plan> {
    match &path.node {
        PathNode::Result { quals: q } | PathNode::MinMax { quals: q } => {
            if matches!(path.node, PathNode::MinMax { .. }) {
                crate::upper::minmax::make_init_plans(g, root)?;
            }
            let targets = tlist(g, root, path);
            let one_time = quals(g, root, q.clone());
            Ok(node(path, PlanNode::Result { one_time }, targets))
        }
        PathNode::Projection { sub } => projection(g, root, path, sub),
        PathNode::ProjectSet { sub } => {
            let below = super::create(g, root, sub)?;
            let targets = tlist(g, root, path);
            Ok(above(path, PlanNode::ProjectSet, targets, below))
        }
        PathNode::Append { children } => append(g, root, path, children),
        PathNode::MergeAppend { children } => merge_append(g, root, path, children),
        PathNode::Material { sub } => {
            let below = super::create(g, root, sub)?;
            let targets = pass_targets(&below);
            Ok(above(path, PlanNode::Material, targets, below))
        }
        PathNode::Memoize { sub, keys, ops, single_row, binary, .. } => {
            let below = super::create(g, root, sub)?;
            let mut keys = keys.clone();
            keys.iter_mut().for_each(|k| replace_nest_params(g, root, k));
            let targets = pass_targets(&below);
            let n = PlanNode::Memoize { keys, eq_ops: ops.clone(), single_row: *single_row, binary: *binary };
            Ok(above(path, n, targets, below))
        }
        PathNode::Unique { sub, method, ops, exprs } => unique(g, root, path, sub, *method, ops, exprs),
        PathNode::Sort { sub } => {
            let below = super::create(g, root, sub)?;
            let rels = root.rels[path.rel].relids.clone();
            let (below, keys) = sort_keys(g, root, below, &path.pathkeys, &rels)?;
            let targets = pass_targets(&below);
            Ok(above(path, PlanNode::Sort { keys }, targets, below))
        }
        PathNode::IncSort { sub, presorted } => {
            let below = super::create(g, root, sub)?;
            let rels = root.rels[path.rel].relids.clone();
            let (below, keys) = sort_keys(g, root, below, &path.pathkeys, &rels)?;
            let targets = pass_targets(&below);
            Ok(above(path, PlanNode::IncrementalSort { keys, presorted: *presorted }, targets, below))
        }
        PathNode::Group { sub, group, qual } => {
            let below = super::create(g, root, sub)?;
            let keys = group_keys(&below, group)?;
            let targets = tlist(g, root, path);
            let mut p = above(path, PlanNode::Group { keys }, targets, below);
            p.qual = quals(g, root, qual.clone());
            Ok(p)
        }
        PathNode::UpperUnique { sub, columns } => {
            let below = super::create(g, root, sub)?;
            let rels = root.rels[path.rel].relids.clone();
            let (below, keys) = sort_keys(g, root, below, &path.pathkeys[..*columns], &rels)?;
            let keys = keys
                .iter()
                .map(|k| GroupKey { column: k.column, eq_op: k.eq_op, collation: k.collation })
                .collect();
            let targets = pass_targets(&below);
            Ok(above(path, PlanNode::Unique { keys }, targets, below))
        }
        PathNode::Agg(a) => agg(g, root, path, a),
        PathNode::Window { sub, clause, run_condition } => window(g, root, path, sub, *clause, run_condition),
        PathNode::SetOp { left, right, kind, all, hashed, group } => {
            let l = super::create(g, root, left)?;
            let r = super::create(g, root, right)?;
            let keys = set_keys(g, group, &path.target)?;
            let strategy = if *hashed { SetOpStrategy::Hashed } else { SetOpStrategy::Sorted };
            let targets = tlist(g, root, path);
            let mut p = above(path, PlanNode::SetOp { kind: *kind, all: *all, strategy, keys }, targets, l);
            p.right = Some(Box::new(r));
            Ok(p)
        }
        PathNode::RecursiveUnion { left, right, group, param } => {
            let l = super::create(g, root, left)?;
            let r = super::create(g, root, right)?;
            let distinct = set_group_keys(group, &path.target);
            let targets = tlist(g, root, path);
            let mut p = above(path, PlanNode::RecursiveUnion { param: *param, distinct }, targets, l);
            p.right = Some(Box::new(r));
            Ok(p)
        }
        PathNode::LockRows { sub } => {
            let mut below = super::create(g, root, sub)?;
            label(&mut below, &root.processed_targets);
            let marks = crate::modify::lock_marks(root, &below);
            let targets = pass_targets(&below);
            Ok(above(path, PlanNode::LockRows { marks }, targets, below))
        }
        PathNode::Modify { sub } => {
            let mut below = super::create(g, root, sub)?;
            label(&mut below, &root.processed_targets);
            let m = crate::modify::modify_node(root, &below)?;
            let targets = root.query.returning.clone();
            Ok(above(path, PlanNode::ModifyTable(Box::new(m)), targets, below))
        }
        PathNode::Limit { sub, limit, offset, ties } => {
            let below = super::create(g, root, sub)?;
            let ties = if *ties { ties_keys(root, &below) } else { Vec::new() };
            let targets = pass_targets(&below);
            Ok(above(
                path,
                PlanNode::Limit { limit: limit.clone(), offset: offset.clone(), ties },
                targets,
                below,
            ))
        }
        _ => Err(PgError::internal("unexpected upper path")),
    }
}

fn above(path: &Path, n: PlanNode, targets: Vec<TargetEntry>, below: Plan) -> Plan {
    let mut p = node(path, n, targets);
    p.left = Some(Box::new(below));
    p
}

fn projection(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>, sub: &Rc<Path>) -> PgResult<Plan> {
    let below = super::create(g, root, sub)?;
    let same = below.targets.len() >= path.target.exprs.len()
        && path.target.exprs.iter().zip(&below.targets).all(|(e, t)| equal(e, &t.expr));
    if same && below.targets.len() == path.target.exprs.len() {
        let mut below = below;
        for (i, t) in below.targets.iter_mut().enumerate() {
            t.sort_group_ref = path.target.sort_ref(i);
        }
        return Ok(below);
    }
    // Sort columns that were added below the wanted ones may stay as junk.
    if same && matches!(below.node, PlanNode::Sort { .. } | PlanNode::IncrementalSort { .. }) {
        return Ok(below);
    }
    let targets = tlist(g, root, path);
    Ok(with_targets(below, targets, cost_of(path)))
}

fn append(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>, children: &[Rc<Path>]) -> PgResult<Plan> {
    let targets = tlist(g, root, path);
    if children.is_empty() {
        return Ok(node(path, PlanNode::Result { one_time: vec![Expr::bool(false)] }, targets));
    }
    let mut plans = Vec::with_capacity(children.len());
    for c in children {
        plans.push(super::create(g, root, c)?);
    }
    Ok(node(path, PlanNode::Append { children: plans, first_partial: children.len() }, targets))
}

fn merge_append(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>, children: &[Rc<Path>]) -> PgResult<Plan> {
    let targets = tlist(g, root, path);
    let rels = root.rels[path.rel].relids.clone();
    let mut plans: Vec<Plan> = Vec::new();
    let mut keys: Option<Vec<SortKey>> = None;
    for c in children {
        let below = super::create(g, root, c)?;
        let child_rels = root.rels[c.rel].relids.clone();
        let (below, k) = sort_keys(g, root, below, &path.pathkeys, &child_rels)?;
        match &keys {
            Some(first) if *first != k => {
                return Err(PgError::internal("MergeAppend children disagree on sort columns"));
            }
            _ => keys = Some(k),
        }
        plans.push(below);
    }
    let _ = rels;
    let mut p =
        node(path, PlanNode::MergeAppend { children: plans, keys: keys.unwrap_or_default() }, targets);
    // Columns added for sorting are part of every child's output.
    if let PlanNode::MergeAppend { children, .. } = &p.node
        && let Some(first) = children.first()
    {
        for t in first.targets.iter().skip(p.targets.len()) {
            p.targets.push(t.clone());
        }
    }
    Ok(p)
}

fn unique(
    g: &mut Glob<'_>,
    root: &mut Root,
    path: &Rc<Path>,
    sub: &Rc<Path>,
    method: UniqueMethod,
    ops: &[pglite_types::Oid],
    exprs: &[Expr],
) -> PgResult<Plan> {
    let mut below = super::create(g, root, sub)?;
    if method == UniqueMethod::Noop {
        return Ok(below);
    }
    let mut columns: Vec<(i16, pglite_types::Oid, Expr)> = Vec::new();
    for (e, op) in exprs.iter().zip(ops) {
        let mut e = e.clone();
        replace_nest_params(g, root, &mut e);
        let eq =
            g.cat.right_side_eq(*op).ok_or_else(|| PgError::internal("no equality for a semijoin column"))?;
        let at = below.targets.iter().position(|t| equal(&t.expr, &e));
        let column = match at {
            Some(i) => i as i16 + 1,
            None => {
                if !can_project(&below.node) {
                    let (targets, cost) = (pass_targets(&below), below.cost);
                    let mut r = Plan::new(PlanNode::Result { one_time: Vec::new() }, targets);
                    r.cost = cost;
                    r.left = Some(Box::new(below));
                    below = r;
                }
                below.targets.push(TargetEntry::new(e.clone(), below.targets.len() as i16 + 1, None));
                below.targets.len() as i16
            }
        };
        columns.push((column, eq, e));
    }
    let keys: Vec<GroupKey> = columns
        .iter()
        .map(|(c, eq, e)| GroupKey { column: *c, eq_op: *eq, collation: e.collation() })
        .collect();
    let targets = pass_targets(&below);
    if method == UniqueMethod::Hash {
        let n =
            PlanNode::Agg { strategy: AggStrategy::Hashed, keys, sets: Vec::new(), num_groups: path.rows };
        return Ok(above(path, n, targets, below));
    }
    let mut sort = Vec::new();
    for (c, eq, e) in &columns {
        let op = g
            .cat
            .ordering_for_eq(*eq)
            .ok_or_else(|| PgError::internal("no ordering for a semijoin column"))?;
        sort.push(SortKey {
            column: *c,
            op,
            eq_op: *eq,
            collation: e.collation(),
            desc: false,
            nulls_first: false,
        });
    }
    let mut s = Plan::new(PlanNode::Sort { keys: sort }, targets.clone());
    s.cost = cost_of(path);
    s.cost.rows = below.cost.rows;
    s.left = Some(Box::new(below));
    Ok(above(path, PlanNode::Unique { keys }, targets, s))
}

/// Positions of grouping columns in the input.
fn group_keys(below: &Plan, group: &[SortGroupClause]) -> PgResult<Vec<GroupKey>> {
    group
        .iter()
        .map(|c| {
            let i = below
                .targets
                .iter()
                .position(|t| t.sort_group_ref == c.target_ref)
                .ok_or_else(|| PgError::internal("grouping column missing from its input"))?;
            Ok(GroupKey {
                column: i as i16 + 1,
                eq_op: c.eq_op,
                collation: below.targets[i].expr.collation(),
            })
        })
        .collect()
}

fn agg(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>, a: &AggPath) -> PgResult<Plan> {
    let below = super::create(g, root, &a.sub)?;
    let keys = if root.query.set_ops.is_some() {
        set_group_keys(&a.group, &path.target)
    } else {
        group_keys(&below, &a.group)?
    };
    let sets = match &a.sets {
        None => Vec::new(),
        Some(sets) => sets
            .iter()
            .map(|s| {
                s.iter()
                    .filter_map(|r| a.group.iter().position(|c| c.target_ref == *r))
                    .collect::<Vec<usize>>()
            })
            .collect(),
    };
    let targets = tlist(g, root, path);
    let n = PlanNode::Agg { strategy: a.strategy, keys, sets, num_groups: a.num_groups };
    let mut p = above(path, n, targets, below);
    p.qual = quals(g, root, a.qual.clone());
    Ok(p)
}

fn window(
    g: &mut Glob<'_>,
    root: &mut Root,
    path: &Rc<Path>,
    sub: &Rc<Path>,
    clause: usize,
    run_condition: &[Expr],
) -> PgResult<Plan> {
    let below = super::create(g, root, sub)?;
    let w = root.query.windows[clause].clone();
    let partition = group_keys(&below, &w.partition)?;
    let order = group_keys(&below, &w.order)?
        .into_iter()
        .zip(&w.order)
        .map(|(k, c)| SortKey {
            column: k.column,
            op: c.sort_op,
            eq_op: c.eq_op,
            collation: k.collation,
            desc: g.cat.ordering_op(c.sort_op).is_some_and(|o| o.2),
            nulls_first: c.nulls_first,
        })
        .collect();
    let f = &w.frame;
    let bound = |b: &FrameBound| match b {
        FrameBound::UnboundedPreceding => BoundPlan::UnboundedPreceding,
        FrameBound::Preceding(e) => BoundPlan::Preceding(e.clone()),
        FrameBound::CurrentRow => BoundPlan::CurrentRow,
        FrameBound::Following(e) => BoundPlan::Following(e.clone()),
        FrameBound::UnboundedFollowing => BoundPlan::UnboundedFollowing,
    };
    let frame = Box::new(FramePlan {
        explicit: f.explicit,
        mode: f.mode,
        start: bound(&f.start),
        end: bound(&f.end),
        exclude: f.exclude,
        start_in_range: f.start_in_range,
        end_in_range: f.end_in_range,
        in_range_collation: f.in_range_collation,
        in_range_asc: f.in_range_asc,
        in_range_nulls_first: f.in_range_nulls_first,
    });
    let name = w.name.clone().unwrap_or_else(|| {
        // PG: unnamed windows are shown as w1, w2 ... by their place among the query's windows.
        format!("w{}", clause + 1)
    });
    let targets = tlist(g, root, path);
    let n = PlanNode::WindowAgg {
        winref: w.winref,
        partition,
        order,
        frame,
        run_condition: run_condition.to_vec(),
        name,
    };
    Ok(above(path, n, targets, below))
}

/// Set operation columns by position.
fn set_group_keys(group: &[SortGroupClause], target: &Target) -> Vec<GroupKey> {
    group
        .iter()
        .enumerate()
        .map(|(i, c)| GroupKey {
            column: i as i16 + 1,
            eq_op: c.eq_op,
            collation: target.exprs.get(i).map_or(pglite_types::Oid::INVALID, Expr::collation),
        })
        .collect()
}

fn set_keys(g: &Glob<'_>, group: &[SortGroupClause], target: &Target) -> PgResult<Vec<SortKey>> {
    Ok(group
        .iter()
        .enumerate()
        .map(|(i, c)| SortKey {
            column: i as i16 + 1,
            op: c.sort_op,
            eq_op: c.eq_op,
            collation: target.exprs.get(i).map_or(pglite_types::Oid::INVALID, Expr::collation),
            desc: g.cat.ordering_op(c.sort_op).is_some_and(|o| o.2),
            nulls_first: c.nulls_first,
        })
        .collect())
}

/// ORDER BY columns for WITH TIES.
fn ties_keys(root: &Root, below: &Plan) -> Vec<GroupKey> {
    let mut targets = below.targets.clone();
    for (t, src) in targets.iter_mut().zip(&root.processed_targets) {
        t.sort_group_ref = src.sort_group_ref;
    }
    root.query
        .sort
        .iter()
        .filter_map(|c| {
            let i = targets.iter().position(|t| t.sort_group_ref == c.target_ref)?;
            Some(GroupKey { column: i as i16 + 1, eq_op: c.eq_op, collation: targets[i].expr.collation() })
        })
        .collect()
}
