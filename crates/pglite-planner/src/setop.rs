//! UNION, INTERSECT, EXCEPT and recursive unions.

use std::mem;
use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::plan::AggStrategy;
use pglite_ir::query::*;

use crate::cost::{self, AggCosts, costs_of};
use crate::path::{add_path, set_cheapest};
use crate::rel::build_base_rel;
use crate::relids::Relids;
use crate::subquery::SetopChild;
use crate::types::*;
use crate::upper::{setop_keys, sort_path, upper_rel};

/// A planned arm: its relation, and its output as target entries in terms of the arm's own range table entry.
struct Arm {
    rel: RelId,
    targets: Vec<TargetEntry>,
}

pub(crate) fn plan_set_operations(g: &mut Glob<'_>, root: &mut Root) -> PgResult<RelId> {
    let Some(tree) = root.query.set_ops.take() else { return Err(PgError::internal("no set operation")) };
    root.base.resize(root.query.rtable.len() + 1, None);
    let rel =
        if root.has_recursion { recursive_union(g, root, &tree) } else { plan_tree(g, root, &tree, None) };
    let arm = rel?;
    root.query.set_ops = Some(tree);
    // The query's target list names the columns; ORDER BY refers to them.
    let first = arm.targets;
    let mut targets = mem::take(&mut root.query.targets);
    for (i, t) in targets.iter_mut().enumerate() {
        if let Some(f) = first.get(i) {
            t.expr = f.expr.clone();
        }
    }
    root.query.targets = targets.clone();
    root.processed_targets = targets;
    let target = target_of(g, root, &root.processed_targets.clone());
    for i in 0..root.rels[arm.rel].paths.len() {
        let p = root.rels[arm.rel].paths[i].clone();
        if !Rc::ptr_eq(&p.target, &target) {
            let t = Rc::new(Path {
                target: target.clone(),
                node: PathNode::Projection { sub: p.clone() },
                ..crate::upper::copy(&p)
            });
            root.rels[arm.rel].paths[i] = t;
        }
    }
    root.rels[arm.rel].target = target;
    set_cheapest(&mut root.rels[arm.rel]);
    Ok(arm.rel)
}

fn target_of(g: &Glob<'_>, root: &Root, targets: &[TargetEntry]) -> Rc<Target> {
    let t = Target {
        exprs: targets.iter().map(|t| t.expr.clone()).collect(),
        refs: targets.iter().map(|t| t.sort_group_ref).collect(),
        ..Target::default()
    };
    Rc::new(crate::rel::finish_target(g, root, t))
}

/// Plans one arm or operation. `want` asks for sorted output by these clauses as one of the paths.
fn plan_tree(
    g: &mut Glob<'_>,
    root: &mut Root,
    tree: &SetOpTree,
    want: Option<&[SortGroupClause]>,
) -> PgResult<Arm> {
    match tree {
        SetOpTree::Leaf(rti) => plan_leaf(g, root, *rti, want),
        SetOpTree::Op { kind: SetOpKind::Union, .. } => plan_union(g, root, tree),
        SetOpTree::Op { .. } => plan_other(g, root, tree),
    }
}

fn plan_leaf(g: &mut Glob<'_>, root: &mut Root, rti: u32, want: Option<&[SortGroupClause]>) -> PgResult<Arm> {
    let rel = build_base_rel(g, root, rti, RelKind::Base)?;
    let RteKind::Subquery { query, .. } = &mut root.query.rtable[rti as usize - 1].kind else {
        return Err(PgError::internal("set operation arm is no subquery"));
    };
    let query = mem::replace(&mut **query, Query::new(CommandType::Select));
    let saved = mem::take(&mut g.levels[root.level].plan_params);
    let child = SetopChild { group: want.map(<[_]>::to_vec).unwrap_or_default() };
    let sub = crate::subquery::plan_query(g, query, root.level + 1, false, root.tuple_fraction, Some(child))?;
    let params = mem::replace(&mut g.levels[root.level].plan_params, saved);
    if !params.is_empty() {
        return Err(PgError::internal("unexpected outer reference in set operation subquery"));
    }
    let targets: Vec<TargetEntry> = sub
        .processed_targets
        .iter()
        .filter(|t| !t.junk)
        .map(|t| {
            let mut n = t.clone();
            n.sort_group_ref = 0;
            n.expr = Root::var(rti, t.resno, t.expr.ty(), t.expr.typmod(), t.expr.collation());
            n
        })
        .collect();
    let rows = sub.final_rel.and_then(|f| sub.rels[f].cheapest_total.as_ref().map(|p| p.rows)).unwrap_or(1.0);
    let dummy = sub.final_rel.is_some_and(|f| sub.rels[f].dummy);
    root.subroots.push(Some(Box::new(sub)));
    let slot = root.subroots.len() - 1;
    let target = target_of(g, root, &targets);
    let r = &mut root.rels[rel];
    r.subroot = Some(slot);
    r.tuples = rows;
    r.rows = rows;
    r.width = target.width;
    r.target = target;
    if dummy {
        crate::scan::mark_dummy(root, rel);
    } else {
        crate::scan::add_subquery_paths(g, root, rel)?;
        set_cheapest(&mut root.rels[rel]);
    }
    Ok(Arm { rel, targets })
}

/// Nested UNIONs of the same kind are one Append.
fn union_arms<'t>(tree: &'t SetOpTree, all: bool, types: &[ColType], out: &mut Vec<&'t SetOpTree>) {
    if let SetOpTree::Op { kind: SetOpKind::Union, all: a, left, right, types: t, .. } = tree
        && (*a == all || !all)
        && t == types
    {
        union_arms(left, all, types, out);
        union_arms(right, all, types, out);
        return;
    }
    out.push(tree);
}

/// The output columns of an operation: the first arm's, retyped.
fn output_targets(
    first: &[TargetEntry],
    types: &[ColType],
    first_rti_expr: impl Fn(usize, &TargetEntry) -> Expr,
) -> Vec<TargetEntry> {
    let _ = types;
    first
        .iter()
        .enumerate()
        .map(|(i, t)| {
            let mut n = t.clone();
            n.resno = i as i16 + 1;
            n.expr = first_rti_expr(i, t);
            n
        })
        .collect()
}

/// Kind, ALL, both sides, column types and comparisons of an operation.
type OpParts<'t> = (&'t SetOpKind, bool, &'t SetOpTree, &'t SetOpTree, &'t [ColType], &'t [SortGroupClause]);

fn op_parts(tree: &SetOpTree) -> PgResult<OpParts<'_>> {
    match tree {
        SetOpTree::Op { kind, all, left, right, types, group } => Ok((kind, *all, left, right, types, group)),
        SetOpTree::Leaf(_) => Err(PgError::internal("set operation expected")),
    }
}

/// Columns of a set operation carry no relation of their own: Vars of range table entry 0 with the operation's types.
fn columns_of(types: &[ColType], first: &[TargetEntry]) -> Vec<TargetEntry> {
    output_targets(first, types, |i, t| match types.get(i) {
        Some(c) => {
            let mut v = Root::var(0, i as i16 + 1, c.ty, c.typmod, c.collation);
            if let (Expr::Var(v), Expr::Var(o)) = (&mut v, &t.expr) {
                v.syn_rte = o.syn_rte;
                v.syn_attno = o.syn_attno;
            }
            v
        }
        None => t.expr.clone(),
    })
}

fn number_clauses(group: &[SortGroupClause], targets: &mut [TargetEntry]) -> Vec<SortGroupClause> {
    group
        .iter()
        .zip(targets.iter_mut())
        .enumerate()
        .map(|(i, (c, t))| {
            let mut c = c.clone();
            t.sort_group_ref = i as u32 + 1;
            c.target_ref = t.sort_group_ref;
            c
        })
        .collect()
}

fn plan_union(g: &mut Glob<'_>, root: &mut Root, tree: &SetOpTree) -> PgResult<Arm> {
    let (_, all, _, _, types, group) = op_parts(tree)?;
    let mut trees = Vec::new();
    let (_, _, left, right, _, _) = op_parts(tree)?;
    union_arms(left, all, types, &mut trees);
    union_arms(right, all, types, &mut trees);
    let saved_fraction = root.tuple_fraction;
    if !all {
        root.tuple_fraction = 0.0;
    }
    let mut arms = Vec::new();
    for t in trees {
        let want = (!all).then_some(group);
        arms.push(plan_tree(g, root, t, want)?);
    }
    root.tuple_fraction = saved_fraction;
    let mut targets = columns_of(types, &arms[0].targets);
    let clauses = if all { Vec::new() } else { number_clauses(group, &mut targets) };
    let mut relids = Relids::new();
    arms.iter().for_each(|a| relids.add(&root.rels[a.rel].relids));
    let out = upper_rel(root, relids.clone());
    let target = target_of(g, root, &targets);
    root.rels[out].target = target.clone();
    let live: Vec<&Arm> = arms.iter().filter(|a| !root.rels[a.rel].dummy).collect();
    let total: Vec<Rc<Path>> = live.iter().filter_map(|a| root.rels[a.rel].cheapest_total.clone()).collect();
    let dummy = live.is_empty();
    let append = |g: &Glob<'_>, list: Vec<Rc<Path>>| {
        let (c, rows) = cost::append(g, &list);
        Path {
            node: PathNode::Append { children: list },
            rel: out,
            target: target.clone(),
            param: None,
            rows,
            startup: c.startup,
            total: c.total,
            disabled: c.disabled,
            pathkeys: Vec::new(),
        }
    };
    let rows: f64 = total.iter().map(|p| p.rows).sum();
    root.rels[out].rows = rows;
    root.rels[out].dummy = dummy;
    if all {
        let p = append(g, total);
        add_path(&mut root.rels[out], p);
        if saved_fraction > 0.0 {
            let startup: Vec<Rc<Path>> = arms
                .iter()
                .filter(|a| !root.rels[a.rel].dummy)
                .filter_map(|a| crate::path::cheapest_fractional(&root.rels[a.rel], saved_fraction).cloned())
                .collect();
            let p = append(g, startup);
            add_path(&mut root.rels[out], p);
        }
        set_cheapest(&mut root.rels[out]);
        return Ok(Arm { rel: out, targets });
    }
    let n = clauses.len();
    let input = Rc::new(append(g, total));
    let groups = input.rows.max(1.0);
    let keys = setop_keys(g, root, &clauses, &targets);
    let hashable = clauses.iter().all(|c| c.hashable);
    let sortable = clauses.iter().all(|c| c.sort_op.is_valid());
    if n == 0 {
        // SELECT UNION SELECT: at most one row.
        let one = Expr::constant(pglite_types::oid::INT8, pglite_types::Datum::Int8(1));
        let p = Path {
            rows: 1.0,
            node: PathNode::Limit { sub: input.clone(), limit: Some(one), offset: None, ties: false },
            ..crate::upper::copy(&input)
        };
        add_path(&mut root.rels[out], p);
        set_cheapest(&mut root.rels[out]);
        return Ok(Arm { rel: out, targets });
    }
    if hashable {
        let (c, rows) = cost::agg(
            g,
            AggStrategy::Hashed,
            &AggCosts::default(),
            n,
            groups,
            costs_of(&input),
            input.rows,
            target.width,
            QualCost::default(),
            1.0,
        );
        let p = Path {
            rows,
            startup: c.startup,
            total: c.total,
            disabled: c.disabled,
            node: PathNode::Agg(Box::new(AggPath {
                sub: input.clone(),
                strategy: AggStrategy::Hashed,
                group: clauses.clone(),
                qual: Vec::new(),
                num_groups: groups,
                sets: None,
            })),
            ..crate::upper::copy(&input)
        };
        add_path(&mut root.rels[out], p);
    }
    if sortable {
        let sorted = Rc::new(sort_path(g, out, input.clone(), keys.clone(), target.width, -1.0));
        let p = Path {
            rows: groups,
            total: sorted.total + g.set.cpu_operator_cost * sorted.rows * n as f64,
            node: PathNode::UpperUnique { sub: sorted.clone(), columns: keys.len() },
            ..crate::upper::copy(&sorted)
        };
        add_path(&mut root.rels[out], p);
    }
    if root.rels[out].paths.is_empty() {
        return Err(PgError::unsupported("could not implement UNION")
            .detail("Some of the datatypes only support hashing, while others only support sorting."));
    }
    set_cheapest(&mut root.rels[out]);
    Ok(Arm { rel: out, targets })
}

fn distinct_rows(root: &Root, rel: RelId) -> f64 {
    let rows = root.rels[rel].cheapest_total.as_ref().map_or(1.0, |p| p.rows);
    let grouped = root.rels[rel]
        .subroot
        .and_then(|s| root.subroots[s].as_ref())
        .is_some_and(|s| !s.query.group.is_empty() || !s.query.distinct.is_empty() || s.query.has_aggs);
    if grouped {
        rows
    } else {
        (rows * 0.1).max(1.0).min(rows.max(1.0)).max(if rows < 200.0 { rows } else { 1.0 })
    }
}

/// INTERSECT and EXCEPT.
fn plan_other(g: &mut Glob<'_>, root: &mut Root, tree: &SetOpTree) -> PgResult<Arm> {
    let (kind, all, left, right, types, group) = op_parts(tree)?;
    let (kind, saved) = (*kind, root.tuple_fraction);
    root.tuple_fraction = 0.0;
    let mut l = plan_tree(g, root, left, Some(group))?;
    let mut r = plan_tree(g, root, right, Some(group))?;
    root.tuple_fraction = saved;
    let (mut dl, mut dr) = (distinct_rows(root, l.rel), distinct_rows(root, r.rel));
    // INTERSECT hashes its smaller side.
    if kind == SetOpKind::Intersect && dl > dr {
        mem::swap(&mut l, &mut r);
        mem::swap(&mut dl, &mut dr);
    }
    let mut targets = columns_of(types, &l.targets);
    let clauses = number_clauses(group, &mut targets);
    let out = upper_rel(root, root.rels[l.rel].relids.union(&root.rels[r.rel].relids));
    let target = target_of(g, root, &targets);
    root.rels[out].target = target.clone();
    let (Some(lp), Some(rp)) =
        (root.rels[l.rel].cheapest_total.clone(), root.rels[r.rel].cheapest_total.clone())
    else {
        return Err(PgError::internal("no path for a set operation's arm"));
    };
    let groups = if kind == SetOpKind::Except { dl } else { dl.min(dr) };
    let rows =
        if all { if kind == SetOpKind::Except { lp.rows } else { lp.rows.min(rp.rows) } } else { groups };
    root.rels[out].rows = rows;
    let op = g.set.cpu_operator_cost;
    let n = clauses.len() as f64;
    let hashable = clauses.iter().all(|c| c.hashable);
    let sortable = clauses.iter().all(|c| c.sort_op.is_valid());
    let disabled = lp.disabled + rp.disabled;
    let make = |l: Rc<Path>,
                r: Rc<Path>,
                hashed: bool,
                startup: f64,
                total: f64,
                keys: Vec<PathKey>,
                disabled: u32| Path {
        node: PathNode::SetOp { left: l, right: r, kind, all, hashed, group: clauses.clone() },
        rel: out,
        target: target.clone(),
        param: None,
        rows,
        startup,
        total,
        disabled,
        pathkeys: keys,
    };
    if hashable {
        let startup = lp.total + rp.total + op * n * (lp.rows + rp.rows);
        let mut dis = disabled + cost::disabled(g.set.hashagg);
        if !cost::fits_in_hash_mem(g, dl, target.width) {
            dis += 1;
        }
        let p = make(
            lp.clone(),
            rp.clone(),
            true,
            startup,
            startup + g.set.cpu_tuple_cost * rows,
            Vec::new(),
            dis,
        );
        add_path(&mut root.rels[out], p);
    }
    if sortable {
        let mut sides = Vec::new();
        for (arm, path) in [(&l, &lp), (&r, &rp)] {
            let arm_targets = arm.targets.clone();
            let keys = setop_keys(g, root, &clauses, &arm_targets);
            let best = crate::path::cheapest_for_keys(&root.rels[arm.rel].paths, &keys, None, false).cloned();
            let width = root.rels[arm.rel].width;
            let sorted = Rc::new(sort_path(g, arm.rel, path.clone(), keys, width, -1.0));
            sides.push(match best {
                Some(b) if b.total < sorted.total => b,
                _ => sorted,
            });
        }
        let keys = setop_keys(g, root, &clauses, &targets);
        let (ls, rs) = (sides[0].clone(), sides[1].clone());
        let total = ls.total + rs.total + op * n * (ls.rows + rs.rows) + g.set.cpu_tuple_cost * rows;
        let p = make(
            ls.clone(),
            rs.clone(),
            false,
            ls.startup + rs.startup,
            total,
            keys,
            ls.disabled + rs.disabled,
        );
        add_path(&mut root.rels[out], p);
    }
    if root.rels[out].paths.is_empty() {
        let name = if kind == SetOpKind::Except { "EXCEPT" } else { "INTERSECT" };
        return Err(PgError::unsupported(format!("could not implement {name}"))
            .detail("Some of the datatypes only support hashing, while others only support sorting."));
    }
    set_cheapest(&mut root.rels[out]);
    Ok(Arm { rel: out, targets })
}

/// The term's result as one with the operation's columns.
fn recursive_union(g: &mut Glob<'_>, root: &mut Root, tree: &SetOpTree) -> PgResult<Arm> {
    let (kind, all, left, right, types, group) = op_parts(tree)?;
    if *kind != SetOpKind::Union {
        return Err(PgError::internal("only UNION queries can be recursive"));
    }
    let saved = mem::replace(&mut root.tuple_fraction, 0.0);
    let l = plan_tree(g, root, left, None)?;
    let Some(lp) = root.rels[l.rel].cheapest_total.clone() else {
        return Err(PgError::internal("no path for a recursive query"));
    };
    g.levels[root.level].nonrecursive_rows = lp.rows;
    g.levels[root.level].nonrecursive_width = lp.target.width;
    let r = plan_tree(g, root, right, None)?;
    root.tuple_fraction = saved;
    let Some(rp) = root.rels[r.rel].cheapest_total.clone() else {
        return Err(PgError::internal("no path for a recursive query"));
    };
    let param = g.levels[root.level]
        .wt_param
        .ok_or_else(|| PgError::internal("recursive query without a working table"))?;
    let mut targets = columns_of(types, &l.targets);
    let clauses = if all { Vec::new() } else { number_clauses(group, &mut targets) };
    if clauses.iter().any(|c| !c.hashable) {
        return Err(PgError::unsupported("could not implement recursive UNION")
            .detail("All column datatypes must be hashable."));
    }
    let out = upper_rel(root, root.rels[l.rel].relids.union(&root.rels[r.rel].relids));
    let target = target_of(g, root, &targets);
    root.rels[out].target = target.clone();
    let (c, rows) = cost::recursive_union(g, &lp, &rp, target.width);
    root.rels[out].rows = rows;
    let p = Path {
        node: PathNode::RecursiveUnion { left: lp, right: rp, group: clauses, param },
        rel: out,
        target,
        param: None,
        rows,
        startup: c.startup,
        total: c.total,
        disabled: c.disabled,
        pathkeys: Vec::new(),
    };
    add_path(&mut root.rels[out], p);
    set_cheapest(&mut root.rels[out]);
    Ok(Arm { rel: out, targets })
}
