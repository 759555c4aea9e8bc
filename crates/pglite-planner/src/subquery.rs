//! Planning one query level: preprocessing, then paths for the whole query (`subquery_planner`).

mod cte;
mod merge;

use std::mem;

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::query::*;

use crate::exprs::*;
use crate::fold;
use crate::pullup;
use crate::sublink;
use crate::types::*;
use crate::walker::*;

/// Information a set operation passes to the planning of its arms.
pub(crate) struct SetopChild {
    /// Wanted sort order of the arm's columns, for sorted set operations.
    pub group: Vec<SortGroupClause>,
}

/// Plans a query of nesting depth `level`; its paths are in the root's `final_rel`.
pub(crate) fn plan_query(
    g: &mut Glob<'_>,
    query: Query,
    level: usize,
    recursive: bool,
    fraction: f64,
    setop: Option<SetopChild>,
) -> PgResult<Root> {
    g.check_depth()?;
    debug_assert_eq!(g.levels.len(), level);
    g.levels.push(Level::default());
    let result = plan_level(g, query, level, recursive, fraction, setop);
    g.levels.truncate(level);
    result
}

fn plan_level(
    g: &mut Glob<'_>,
    query: Query,
    level: usize,
    recursive: bool,
    fraction: f64,
    setop: Option<SetopChild>,
) -> PgResult<Root> {
    let mut root = Root::new(query, level);
    root.tuple_fraction = fraction;
    root.has_recursion = recursive;
    root.is_setop_child = setop.is_some();
    if recursive {
        let param = g.new_param();
        g.levels[level].wt_param = Some(param);
    }
    if !root.query.ctes.is_empty() {
        cte::process(g, &mut root)?;
    }
    if root.query.command == CommandType::Merge {
        merge::transform(&mut root.query)?;
    }
    if root.query.has_sublinks {
        sublink::pull_up_sublinks(g, &mut root)?;
    }
    pullup::pull_up_subqueries(g, &mut root)?;
    pullup::flatten_aliases(&mut root.query);
    for rte in &mut root.query.rtable {
        // Only parents are expanded.
        if let RteKind::Relation { rel, .. } = &rte.kind {
            rte.inherit &= rel.has_children || rel.is_partitioned();
        }
    }
    if jointree_relids(&root.query.jointree, false).is_empty() {
        add_result_relation(&mut root.query);
    }
    preprocess(g, &mut root)?;
    crate::outer::reduce_outer_joins(g, &mut root);
    crate::modify::set_row_marks(&mut root);
    crate::upper::grouping_planner(g, &mut root, setop.as_ref())?;
    Ok(root)
}

/// A query without FROM reads one empty row.
fn add_result_relation(q: &mut Query) {
    q.rtable.push(RangeTblEntry {
        kind: RteKind::Result,
        alias: None,
        eref: Alias { name: "*RESULT*".into(), columns: Vec::new() },
        lateral: false,
        in_from: true,
        inherit: false,
        perms: PermInfo::default(),
        security_quals: Vec::new(),
    });
    q.jointree.from.push(FromItem::Rte(q.rtable.len() as u32));
}

/// Folds, turns sublinks into SubPlans and outer references into params.
pub(crate) fn preprocess_expr(
    g: &mut Glob<'_>,
    root: &mut Root,
    e: &mut Expr,
    is_qual: bool,
) -> PgResult<()> {
    match e {
        Expr::Var(v) if v.levels_up == 0 => return Ok(()),
        Expr::Const(_) => return Ok(()),
        _ => {}
    }
    fold::fold(g, e)?;
    if is_qual {
        let q = mem::replace(e, Expr::bool(true));
        *e = fold::canonicalize_qual(q);
    }
    // Why the level: pull-up may have put an outer expression with sublinks in the place of an outer Var.
    if root.query.has_sublinks || root.level > 0 || !root.multiexpr_params.is_empty() {
        sublink::process_sublinks(g, root, e, is_qual)?;
    }
    if root.level > 0 {
        g.replace_correlation_vars(e, root.level)?;
    }
    Ok(())
}

fn preprocess_opt(
    g: &mut Glob<'_>,
    root: &mut Root,
    e: Option<Expr>,
    is_qual: bool,
) -> PgResult<Option<Expr>> {
    let Some(mut e) = e else { return Ok(None) };
    preprocess_expr(g, root, &mut e, is_qual)?;
    if is_qual && is_true_const(&e) {
        return Ok(None);
    }
    Ok(Some(e))
}

fn preprocess_targets(g: &mut Glob<'_>, root: &mut Root, targets: &mut Vec<TargetEntry>) -> PgResult<()> {
    // The sources of multi-column assignments come first: the columns refer to their params.
    let is_multi = |e: &Expr| matches!(e, Expr::SubLink(s) if s.kind == SubLinkKind::MultiExpr);
    for t in targets.iter_mut().filter(|t| is_multi(&t.expr)) {
        preprocess_expr(g, root, &mut t.expr, false)?;
        t.sort_group_ref = u32::MAX;
    }
    for t in targets.iter_mut() {
        if t.sort_group_ref == u32::MAX {
            t.sort_group_ref = 0;
        } else {
            preprocess_expr(g, root, &mut t.expr, false)?;
        }
    }
    // An init plan's placeholder carries nothing.
    targets.retain(|t| {
        !(t.junk
            && matches!(&t.expr, Expr::Const(c) if c.ty == pglite_types::oid::RECORD && c.value.is_null()))
    });
    Ok(())
}

fn preprocess(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let mut targets = mem::take(&mut root.query.targets);
    preprocess_targets(g, root, &mut targets)?;
    root.query.targets = targets;
    let mut returning = mem::take(&mut root.query.returning);
    preprocess_targets(g, root, &mut returning)?;
    root.query.returning = returning;
    let mut tree = mem::take(&mut root.query.jointree);
    preprocess_tree(g, root, &mut tree)?;
    root.query.jointree = tree;
    let having = root.query.having.take();
    root.query.having = preprocess_opt(g, root, having, true)?;
    let (limit, offset) = (root.query.limit.take(), root.query.offset.take());
    root.query.limit = preprocess_opt(g, root, limit, false)?;
    root.query.offset = preprocess_opt(g, root, offset, false)?;
    let mut windows = mem::take(&mut root.query.windows);
    for w in &mut windows {
        for b in [&mut w.frame.start, &mut w.frame.end] {
            if let FrameBound::Preceding(e) | FrameBound::Following(e) = b {
                preprocess_expr(g, root, e, false)?;
            }
        }
    }
    root.query.windows = windows;
    if let Some(mut oc) = root.query.on_conflict.take() {
        preprocess_targets(g, root, &mut oc.set)?;
        for a in &mut oc.arbiter_elems {
            preprocess_expr(g, root, &mut a.expr, false)?;
        }
        oc.where_ = preprocess_opt(g, root, oc.where_.take(), true)?;
        oc.arbiter_where = preprocess_opt(g, root, oc.arbiter_where.take(), true)?;
        root.query.on_conflict = Some(oc);
    }
    if let Some(mut m) = root.query.merge.take() {
        for a in &mut m.actions {
            preprocess_targets(g, root, &mut a.targets)?;
            a.qual = preprocess_opt(g, root, a.qual.take(), true)?;
        }
        m.join_condition = preprocess_opt(g, root, m.join_condition.take(), true)?;
        root.query.merge = Some(m);
    }
    let mut checks = mem::take(&mut root.query.check_options);
    for c in &mut checks {
        preprocess_expr(g, root, &mut c.qual, true)?;
    }
    checks.retain(|c| !is_true_const(&c.qual));
    root.query.check_options = checks;
    preprocess_rtable(g, root)?;
    move_having(g, root);
    Ok(())
}

fn preprocess_tree(g: &mut Glob<'_>, root: &mut Root, tree: &mut JoinTree) -> PgResult<()> {
    for i in &mut tree.from {
        preprocess_item(g, root, i)?;
    }
    tree.quals = preprocess_opt(g, root, tree.quals.take(), true)?;
    Ok(())
}

fn preprocess_item(g: &mut Glob<'_>, root: &mut Root, item: &mut FromItem) -> PgResult<()> {
    match item {
        FromItem::Rte(_) => Ok(()),
        FromItem::From(t) => preprocess_tree(g, root, t),
        FromItem::Join(j) => {
            preprocess_item(g, root, &mut j.left)?;
            preprocess_item(g, root, &mut j.right)?;
            j.quals = preprocess_opt(g, root, j.quals.take(), true)?;
            Ok(())
        }
    }
}

fn preprocess_rtable(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    for i in 0..root.query.rtable.len() {
        let needed = match &root.query.rtable[i].kind {
            RteKind::Relation { sample, .. } => {
                sample.is_some() || !root.query.rtable[i].security_quals.is_empty()
            }
            RteKind::Function { .. } | RteKind::TableFunc(_) | RteKind::Values { .. } => true,
            _ => !root.query.rtable[i].security_quals.is_empty(),
        };
        if !needed {
            continue;
        }
        let mut rte = root.query.rtable[i].clone();
        let mut error = None;
        rte_exprs_mut(&mut rte, &mut |e| {
            if error.is_none()
                && let Err(x) = preprocess_expr(g, root, e, false)
            {
                error = Some(x);
            }
        });
        if let Some(e) = error {
            return Err(e);
        }
        root.query.rtable[i] = rte;
    }
    Ok(())
}

/// HAVING conditions without aggregates filter rows before grouping.
fn move_having(g: &Glob<'_>, root: &mut Root) {
    root.has_having = root.query.having.is_some();
    let Some(having) = root.query.having.take() else { return };
    let q = &mut root.query;
    let mut keep = Vec::new();
    let has_empty_set = !q.grouping_sets.is_empty();
    for c in into_conjuncts(Some(having)) {
        let stays =
            has_aggs(&c) || is_volatile(&g.cat, &c) || has_subplans(&c) || has_empty_set || returns_set(&c);
        if stays {
            keep.push(c);
        } else if !q.group.is_empty() {
            add_qual(&mut q.jointree.quals, c);
        } else {
            // No grouping at all: the condition decides about the one row and saves reading when false.
            add_qual(&mut q.jointree.quals, c.clone());
            keep.push(c);
        }
    }
    q.having = from_conjuncts(keep);
}

fn add_qual(slot: &mut Option<Expr>, e: Expr) {
    *slot = Some(match slot.take() {
        None => e,
        Some(Expr::Bool { op: BoolOp::And, mut args, location }) => {
            args.push(e);
            Expr::Bool { op: BoolOp::And, args, location }
        }
        Some(other) => Expr::and(vec![other, e]),
    });
}
