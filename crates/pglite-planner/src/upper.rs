//! What happens above the joins: grouping, windows, DISTINCT, set-returning targets, ORDER BY, LIMIT (`grouping_planner`).

mod distinct;
mod group;
pub(crate) mod minmax;
mod sets;
pub(crate) mod targets;
mod window;

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_ir::query::*;
use pglite_types::Datum;

use crate::cost::{self, Costs, costs_of};
use crate::exprs::*;
use crate::path::{add_path, set_cheapest};
use crate::pathkeys;
use crate::relids::Relids;
use crate::subquery::SetopChild;
use crate::types::*;
use targets::*;

/// Estimates of LIMIT and OFFSET: 0 none, -1 unknown.
#[derive(Clone, Copy, Default)]
pub(crate) struct LimitEst {
    pub offset: i64,
    pub count: i64,
}

pub(crate) fn grouping_planner(
    g: &mut Glob<'_>,
    root: &mut Root,
    setop: Option<&SetopChild>,
) -> PgResult<()> {
    let mut limit = LimitEst::default();
    let mut fraction = root.tuple_fraction;
    if root.query.limit.is_some() || root.query.offset.is_some() {
        fraction = preprocess_limit(g, root, fraction, &mut limit);
        if limit.count > 0 && limit.offset >= 0 {
            root.limit_tuples = limit.count as f64 + limit.offset as f64;
        }
    }
    root.tuple_fraction = fraction;
    let current = if root.query.set_ops.is_some() { setop_rel(g, root)? } else { plain_rel(g, root, setop)? };
    finish(g, root, current, limit)
}

/// A new upper relation with the input's properties.
pub(crate) fn upper_rel(root: &mut Root, relids: Relids) -> RelId {
    let mut rel = Rel::new(RelKind::Upper, ScanKind::Upper, relids);
    rel.consider_startup = root.tuple_fraction > 0.0;
    root.rels.push(rel);
    root.rels.len() - 1
}

fn setop_rel(g: &mut Glob<'_>, root: &mut Root) -> PgResult<RelId> {
    if !root.query.sort.is_empty() {
        root.tuple_fraction = 0.0;
    }
    let rel = crate::setop::plan_set_operations(g, root)?;
    // The set operation's output columns are what ORDER BY refers to.
    let sort = root.query.sort.clone();
    let targets = root.processed_targets.clone();
    root.sort_pathkeys = pathkeys::for_clauses(g, root, &sort, &targets);
    Ok(rel)
}

fn plain_rel(g: &mut Glob<'_>, root: &mut Root, setop: Option<&SetopChild>) -> PgResult<RelId> {
    group::preprocess(g, root)?;
    crate::modify::preprocess_targets(g, root)?;
    let has_grouping = !root.query.group.is_empty()
        || !root.query.grouping_sets.is_empty()
        || root.query.has_aggs
        || root.has_having;
    let windows = window::active(root);
    if !root.query.has_windows || windows.is_empty() {
        root.query.windows.clear();
    }
    if has_grouping && root.query.has_aggs {
        minmax::prepare(g, root)?;
    }
    if has_grouping || root.query.has_windows || !root.query.distinct.is_empty() || root.query.has_target_srfs
    {
        root.limit_tuples = -1.0;
    }
    if has_grouping
        || !root.query.distinct.is_empty()
        || root.query.has_windows
        || root.query.has_target_srfs
        || !root.query.sort.is_empty()
    {
        root.limit_tuples = if has_grouping
            || root.query.has_target_srfs
            || !root.query.distinct.is_empty()
            || root.query.has_windows
        {
            -1.0
        } else {
            root.limit_tuples
        };
    }
    let wins = windows.clone();
    let setop_group = setop.map(|s| s.group.clone()).unwrap_or_default();
    let mut rel = crate::query_main::query_planner(g, root, &mut |g, root| {
        set_pathkeys(g, root, &wins, &setop_group);
    })?;
    let final_target = make_final_target(g, root);
    let (sort_input, postponed) = if root.query.sort.is_empty() {
        (final_target.clone(), false)
    } else {
        make_sort_input(g, root, &final_target)
    };
    let _ = postponed;
    let grouping_target = if windows.is_empty() {
        sort_input.clone()
    } else {
        make_window_input(g, root, &sort_input, &windows)
    };
    let scanjoin_target =
        if has_grouping { make_group_input(g, root, &grouping_target) } else { grouping_target.clone() };
    let srfs = root.query.has_target_srfs;
    rel = apply_scanjoin_target(g, root, rel, &scanjoin_target, srfs);
    if has_grouping {
        rel = group::add_grouping_paths(g, root, rel, &grouping_target)?;
        if srfs {
            adjust_for_srfs(g, root, rel, &grouping_target, &scanjoin_target);
        }
    }
    if !windows.is_empty() {
        rel = window::add_window_paths(g, root, rel, &grouping_target, &sort_input, &windows)?;
        if srfs {
            adjust_for_srfs(g, root, rel, &sort_input, &grouping_target);
        }
    }
    if !root.query.distinct.is_empty() {
        rel = distinct::add_distinct_paths(g, root, rel)?;
    }
    if !root.query.sort.is_empty() {
        let limit = root.limit_tuples;
        rel = add_ordered_paths(g, root, rel, &final_target, limit);
        if srfs {
            adjust_for_srfs(g, root, rel, &final_target, &sort_input);
        }
    }
    Ok(rel)
}

/// The orders that the steps above the joins would like.
fn set_pathkeys(g: &mut Glob<'_>, root: &mut Root, windows: &[usize], setop_group: &[SortGroupClause]) {
    let targets = root.processed_targets.clone();
    let group = root.processed_group.clone();
    if group.iter().all(|c| c.sort_op.is_valid()) && !group.is_empty() {
        let (keys, rest, _) = pathkeys::useful_clauses(g, root, &group, &targets);
        root.group_pathkeys = keys;
        if root.query.grouping_sets.is_empty() {
            root.processed_group = if rest.is_empty() { Vec::new() } else { rest };
        }
    }
    root.num_groupby_pathkeys = root.group_pathkeys.len();
    if let Some(&w) = windows.first() {
        root.window_pathkeys = window::keys(g, root, w, &targets);
    }
    let distinct = root.query.distinct.clone();
    root.processed_distinct = distinct.clone();
    if !distinct.is_empty() && distinct.iter().all(|c| c.sort_op.is_valid()) {
        let (keys, rest, _) = pathkeys::useful_clauses(g, root, &distinct, &targets);
        root.distinct_pathkeys = keys;
        root.processed_distinct = rest;
    }
    let sort = root.query.sort.clone();
    root.sort_pathkeys = pathkeys::for_clauses(g, root, &sort, &targets);
    if !setop_group.is_empty() {
        root.setop_pathkeys = setop_keys(g, root, setop_group, &targets);
    }
    root.query_pathkeys = if !root.group_pathkeys.is_empty() {
        root.group_pathkeys.clone()
    } else if !root.window_pathkeys.is_empty() {
        root.window_pathkeys.clone()
    } else if root.distinct_pathkeys.len() > root.sort_pathkeys.len() {
        root.distinct_pathkeys.clone()
    } else if !root.sort_pathkeys.is_empty() {
        root.sort_pathkeys.clone()
    } else {
        root.setop_pathkeys.clone()
    };
}

/// Keys of a set operation's columns, by position.
pub(crate) fn setop_keys(
    g: &Glob<'_>,
    root: &mut Root,
    group: &[SortGroupClause],
    targets: &[TargetEntry],
) -> Vec<PathKey> {
    let mut list = Vec::new();
    let mut clauses = Vec::new();
    for (i, (c, t)) in group.iter().zip(targets.iter().filter(|t| !t.junk)).enumerate() {
        let mut t = t.clone();
        let mut c = c.clone();
        if t.sort_group_ref == 0 {
            t.sort_group_ref = 1_000_000 + i as u32;
        }
        c.target_ref = t.sort_group_ref;
        list.push(t);
        clauses.push(c);
    }
    if clauses.iter().any(|c| !c.sort_op.is_valid()) {
        return Vec::new();
    }
    pathkeys::for_clauses(g, root, &clauses, &list)
}

/// Gives every path of the joined relation the target the next step wants.
fn apply_scanjoin_target(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    target: &Rc<Target>,
    srfs: bool,
) -> RelId {
    let out = upper_rel(root, root.rels[rel].relids.clone());
    root.rels[out].dummy = root.rels[rel].dummy;
    let plain = if srfs {
        split_srf_levels(target).into_iter().next().unwrap_or_default()
    } else {
        (**target).clone()
    };
    let plain = Rc::new(crate::rel::finish_target(g, root, plain));
    root.rels[out].rows = root.rels[rel].rows;
    root.rels[out].target = plain.clone();
    for p in root.rels[rel].paths.clone() {
        if p.param.is_some() {
            continue;
        }
        let p = project(g, out, p, &plain);
        add_path(&mut root.rels[out], p);
    }
    set_cheapest(&mut root.rels[out]);
    if srfs {
        adjust_for_srfs(g, root, out, target, &plain);
    }
    out
}

/// A path with another target.
pub(crate) fn project(g: &Glob<'_>, rel: RelId, sub: Rc<Path>, target: &Rc<Target>) -> Path {
    let _ = g;
    let same = crate::equal::equal_list(&sub.target.exprs, &target.exprs);
    let (start, per) = if same { (0.0, 0.0) } else { (target.cost.startup, target.cost.per_tuple) };
    let (old_start, old_per) =
        if same { (0.0, 0.0) } else { (sub.target.cost.startup, sub.target.cost.per_tuple) };
    let delta = (per - old_per).max(0.0);
    Path {
        rel,
        target: target.clone(),
        param: sub.param.clone(),
        rows: sub.rows,
        startup: sub.startup + (start - old_start).max(0.0),
        total: sub.total + (start - old_start).max(0.0) + delta * sub.rows,
        disabled: sub.disabled,
        pathkeys: sub.pathkeys.clone(),
        node: PathNode::Projection { sub },
    }
}

pub(crate) fn sort_path(
    g: &Glob<'_>,
    rel: RelId,
    sub: Rc<Path>,
    keys: Vec<PathKey>,
    width: i32,
    limit: f64,
) -> Path {
    let c = cost::sort(g, costs_of(&sub), sub.rows, width, limit);
    Path {
        rel,
        target: sub.target.clone(),
        param: sub.param.clone(),
        rows: sub.rows,
        startup: c.startup,
        total: c.total,
        disabled: c.disabled,
        pathkeys: keys,
        node: PathNode::Sort { sub },
    }
}

/// Brings a path into an order: as it is, by a full sort, or by sorting within presorted groups. None when an
/// incremental sort is the only reason to use the path and it is not possible.
pub(crate) fn ordered(
    g: &Glob<'_>,
    root: &Root,
    rel: RelId,
    sub: &Rc<Path>,
    keys: &[PathKey],
    limit: f64,
    is_cheapest: bool,
) -> Option<Rc<Path>> {
    let presorted = pathkeys::common_prefix(keys, &sub.pathkeys);
    if presorted == keys.len() {
        return Some(sub.clone());
    }
    if !is_cheapest && (presorted == 0 || !g.set.incremental_sort) {
        return None;
    }
    let width = sub.target.width;
    if presorted == 0 || !g.set.incremental_sort {
        return Some(Rc::new(sort_path(g, rel, sub.clone(), keys.to_vec(), width, limit)));
    }
    let exprs: Vec<Expr> = keys[..presorted]
        .iter()
        .filter_map(|k| root.ecs[root.canon(k.ec)].members.first().map(|m| m.expr.clone()))
        .collect();
    let groups = crate::sel::num_groups(g, root, &exprs, sub.rows);
    let c = cost::incremental_sort(g, costs_of(sub), sub.rows, groups, width, limit);
    Some(Rc::new(Path {
        rel,
        target: sub.target.clone(),
        param: sub.param.clone(),
        rows: sub.rows,
        startup: c.startup,
        total: c.total,
        disabled: c.disabled,
        pathkeys: keys.to_vec(),
        node: PathNode::IncSort { sub: sub.clone(), presorted },
    }))
}

/// ORDER BY.
fn add_ordered_paths(
    g: &mut Glob<'_>,
    root: &mut Root,
    input: RelId,
    target: &Rc<Target>,
    limit: f64,
) -> RelId {
    let out = upper_rel(root, root.rels[input].relids.clone());
    root.rels[out].dummy = root.rels[input].dummy;
    let keys = root.sort_pathkeys.clone();
    let cheapest = root.rels[input].cheapest_total.clone();
    let srfs = root.query.has_target_srfs;
    for p in root.rels[input].paths.clone() {
        let is_cheapest = cheapest.as_ref().is_some_and(|c| Rc::ptr_eq(c, &p));
        let Some(sorted) = ordered(g, root, out, &p, &keys, limit, is_cheapest) else { continue };
        let path = if srfs || crate::equal::equal_list(&sorted.target.exprs, &target.exprs) {
            wrap(out, sorted)
        } else {
            project(g, out, sorted, target)
        };
        add_path(&mut root.rels[out], path);
    }
    root.rels[out].target = target.clone();
    set_cheapest(&mut root.rels[out]);
    out
}

/// The same path as one of another relation.
pub(crate) fn wrap(rel: RelId, p: Rc<Path>) -> Path {
    let target = p.target.clone();
    Path {
        rel,
        target,
        param: p.param.clone(),
        rows: p.rows,
        startup: p.startup,
        total: p.total,
        disabled: p.disabled,
        pathkeys: p.pathkeys.clone(),
        node: PathNode::Projection { sub: p },
    }
}

/// LockRows, LIMIT and ModifyTable on top.
fn finish(g: &mut Glob<'_>, root: &mut Root, current: RelId, limit: LimitEst) -> PgResult<()> {
    // Set operations with ORDER BY come here unsorted.
    let mut current = current;
    if root.query.set_ops.is_some() && !root.query.sort.is_empty() {
        let target = root.rels[current].target.clone();
        let l = root.limit_tuples;
        current = add_ordered_paths(g, root, current, &target, l);
    }
    let final_rel = upper_rel(root, root.rels[current].relids.clone());
    root.rels[final_rel].dummy = root.rels[current].dummy;
    root.rels[final_rel].target = root.rels[current].target.clone();
    let has_limit = root.query.limit.as_ref().is_some_and(limit_matters)
        || root.query.offset.as_ref().is_some_and(offset_matters);
    let locks = root.query.command == CommandType::Select && !root.row_marks.is_empty();
    for p in root.rels[current].paths.clone() {
        let mut path = wrap(final_rel, p);
        if locks {
            let total = path.total + g.set.cpu_tuple_cost * path.rows;
            let sub = Rc::new(path);
            path = Path {
                total,
                pathkeys: sub.pathkeys.clone(),
                node: PathNode::LockRows { sub: sub.clone() },
                ..copy(&sub)
            };
        }
        if has_limit {
            let sub = Rc::new(path);
            let mut rows = sub.rows;
            let mut c: Costs = costs_of(&sub);
            cost::limit(&mut rows, &mut c, limit.offset, limit.count);
            path = Path {
                rows,
                startup: c.startup,
                total: c.total,
                node: PathNode::Limit {
                    sub: sub.clone(),
                    limit: root.query.limit.clone().filter(limit_matters),
                    offset: root.query.offset.clone().filter(offset_matters),
                    ties: root.query.with_ties,
                },
                ..copy(&sub)
            };
        }
        if root.query.command != CommandType::Select {
            let sub = Rc::new(path);
            path = crate::modify::modify_path(g, root, final_rel, sub)?;
        }
        add_path(&mut root.rels[final_rel], path);
    }
    set_cheapest(&mut root.rels[final_rel]);
    root.final_rel = Some(final_rel);
    if root.rels[final_rel].cheapest_total.is_none() {
        return Err(PgError::internal("could not devise a query plan for the given query"));
    }
    Ok(())
}

/// A path with the same properties, to be given another node.
pub(crate) fn copy(p: &Path) -> Path {
    Path {
        node: PathNode::SeqScan,
        rel: p.rel,
        target: p.target.clone(),
        param: p.param.clone(),
        rows: p.rows,
        startup: p.startup,
        total: p.total,
        disabled: p.disabled,
        pathkeys: p.pathkeys.clone(),
    }
}

fn limit_matters(e: &Expr) -> bool {
    !matches!(e, Expr::Const(c) if c.value.is_null())
}

fn offset_matters(e: &Expr) -> bool {
    !matches!(e, Expr::Const(c) if c.value.is_null() || matches!(c.value, Datum::Int8(0)))
}

/// Estimates LIMIT and OFFSET and what fraction of the rows will be fetched.
fn preprocess_limit(g: &Glob<'_>, root: &Root, fraction: f64, est: &mut LimitEst) -> f64 {
    let value = |e: &Option<Expr>| -> Option<Option<i64>> {
        let e = e.as_ref()?;
        match crate::fold::estimate(g, e) {
            Expr::Const(c) => match c.value {
                Datum::Null => None,
                Datum::Int8(n) => Some(Some(n)),
                _ => Some(None),
            },
            _ => Some(None),
        }
    };
    est.count = match value(&root.query.limit) {
        None => 0,
        Some(Some(n)) => n.max(1),
        Some(None) => -1,
    };
    est.offset = match value(&root.query.offset) {
        None => 0,
        Some(Some(n)) => n.max(0),
        Some(None) => -1,
    };
    let mut fraction = fraction;
    if est.count != 0 {
        let limit_fraction =
            if est.count < 0 || est.offset < 0 { 0.10 } else { est.count as f64 + est.offset as f64 };
        fraction = if fraction >= 1.0 {
            if limit_fraction >= 1.0 { fraction.min(limit_fraction) } else { fraction }
        } else if fraction > 0.0 {
            if limit_fraction >= 1.0 { limit_fraction } else { fraction.min(limit_fraction) }
        } else {
            limit_fraction
        };
    } else if est.offset != 0 && fraction > 0.0 {
        let offset_fraction = if est.offset < 0 { 0.10 } else { est.offset as f64 };
        fraction = match (fraction >= 1.0, offset_fraction >= 1.0) {
            (true, true) => fraction + offset_fraction,
            (true, false) => offset_fraction,
            (false, true) => 0.0,
            (false, false) => {
                let f = fraction + offset_fraction;
                if f >= 1.0 { 0.0 } else { f }
            }
        };
    }
    fraction
}

/// Expressions that need one more evaluation level because a set-returning function is inside.
pub(crate) fn adjust_for_srfs(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    target: &Rc<Target>,
    input: &Target,
) {
    let levels = srf_levels_above(target, input);
    if levels.is_empty() {
        if !crate::equal::equal_list(&root.rels[rel].target.exprs, &target.exprs) {
            let paths = std::mem::take(&mut root.rels[rel].paths);
            for p in paths {
                let p = project(g, rel, p, target);
                add_path(&mut root.rels[rel], p);
            }
            root.rels[rel].target = target.clone();
            set_cheapest(&mut root.rels[rel]);
        }
        return;
    }
    let levels: Vec<(Rc<Target>, bool)> =
        levels.into_iter().map(|(t, srf)| (Rc::new(crate::rel::finish_target(g, root, t)), srf)).collect();
    let paths = std::mem::take(&mut root.rels[rel].paths);
    for p in paths {
        let mut p = p;
        for (t, srf) in &levels {
            p = Rc::new(if *srf { project_set(g, rel, p, t) } else { project(g, rel, p, t) });
        }
        let p = wrap(rel, p);
        add_path(&mut root.rels[rel], p);
    }
    if let Some((t, _)) = levels.last() {
        root.rels[rel].target = t.clone();
    }
    set_cheapest(&mut root.rels[rel]);
    if let Some(p) = &root.rels[rel].cheapest_total {
        root.rels[rel].rows = p.rows;
    }
}

fn project_set(g: &Glob<'_>, rel: RelId, sub: Rc<Path>, target: &Rc<Target>) -> Path {
    let per_row = target.exprs.iter().map(|e| crate::sel::srf_rows(g, e)).fold(1.0, f64::max);
    let rows = sub.rows * per_row;
    let total = sub.total
        + target.cost.startup
        + (g.set.cpu_tuple_cost + target.cost.per_tuple) * sub.rows
        + (rows - sub.rows) * g.set.cpu_tuple_cost / 2.0;
    Path {
        rel,
        target: target.clone(),
        param: sub.param.clone(),
        rows,
        startup: sub.startup + target.cost.startup,
        total,
        disabled: sub.disabled,
        pathkeys: sub.pathkeys.clone(),
        node: PathNode::ProjectSet { sub },
    }
}

/// True when an expression must not be evaluated before sorting under LIMIT.
pub(crate) fn is_expensive(g: &Glob<'_>, e: &Expr) -> bool {
    expr_cost(g, e).per_tuple > 10.0 * g.set.cpu_operator_cost
}
