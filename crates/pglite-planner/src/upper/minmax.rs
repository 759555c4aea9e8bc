//! MIN and MAX through an index: each becomes an init plan `SELECT col ... ORDER BY col LIMIT 1`.

use pglite_error::PgResult;
use pglite_ir::AggKind;
use pglite_ir::expr::*;
use pglite_ir::plan::InitPlan;
use pglite_ir::query::*;
use pglite_types::{Datum, oid};

use super::*;
use crate::sublink::exec_param;
use crate::types::{MinMaxAgg, SubplanSlot};

/// Plans the one-row subqueries when all the query's aggregates are MIN or MAX of one table's columns.
pub(super) fn prepare(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let q = &root.query;
    if !q.group.is_empty() || !q.grouping_sets.is_empty() || q.has_windows || !q.ctes.is_empty() {
        return Ok(());
    }
    let Some(rti) = single_relation(&q.jointree) else { return Ok(()) };
    if !matches!(&root.rte(rti).kind, RteKind::Relation { sample: None, .. })
        || !root.rte(rti).security_quals.is_empty()
    {
        return Ok(());
    }
    let target = Target {
        exprs: root.processed_targets.iter().map(|t| t.expr.clone()).collect(),
        ..Target::default()
    };
    let aggs = super::group::all_aggs(root, &target);
    if aggs.is_empty() || own_quals(&q.jointree).iter().any(has_subplans) {
        return Ok(());
    }
    let mut found = Vec::new();
    for agg in aggs {
        let Some((arg, sort)) = sortable_arg(g, &agg) else { return Ok(()) };
        match plan_one(g, root, arg, sort)? {
            Some((sub, cost)) => found.push(MinMaxAgg { agg, param: None, sub: Some(Box::new(sub)), cost }),
            None => return Ok(()),
        }
    }
    root.minmax = found;
    Ok(())
}

/// The one relation of a join tree without joins.
fn single_relation(t: &JoinTree) -> Option<u32> {
    match t.from.as_slice() {
        [FromItem::Rte(r)] => Some(*r),
        [FromItem::From(inner)] => single_relation(inner),
        _ => None,
    }
}

fn own_quals(t: &JoinTree) -> Vec<Expr> {
    let mut out: Vec<Expr> = t.quals.iter().cloned().collect();
    for i in &t.from {
        if let FromItem::From(f) = i {
            out.extend(own_quals(f));
        }
    }
    out
}

fn sortable_arg(g: &Glob<'_>, agg: &Expr) -> Option<(Expr, SortGroupClause)> {
    let Expr::Aggref(a) = agg else { return None };
    if a.kind != AggKind::Normal || a.args.len() != 1 || !a.order.is_empty() || a.filter.is_some() || a.star {
        return None;
    }
    let sort_op = g.cat.agg_sort_op(a.func)?;
    let arg = a.args[0].expr.clone();
    if has_mutable(&g.cat, &arg) || !has_vars(&arg) || has_subplans(&arg) {
        return None;
    }
    let eq_op = g.cat.eq_for_ordering(sort_op)?;
    let desc = g.cat.ordering_op(sort_op)?.2;
    Some((
        arg,
        SortGroupClause { target_ref: 1, eq_op, sort_op, reverse: desc, nulls_first: desc, hashable: false },
    ))
}

/// `SELECT arg FROM ... WHERE arg IS NOT NULL ORDER BY arg LIMIT 1`, when an index delivers that order.
fn plan_one(
    g: &mut Glob<'_>,
    root: &Root,
    arg: Expr,
    sort: SortGroupClause,
) -> PgResult<Option<(Root, f64)>> {
    let mut q = Query::new(CommandType::Select);
    q.rtable = root.query.rtable.clone();
    let test = Expr::NullTest { arg: Box::new(arg.clone()), is_null: false, arg_is_row: false, location: -1 };
    q.jointree =
        JoinTree { from: vec![FromItem::From(Box::new(root.query.jointree.clone()))], quals: Some(test) };
    let mut t = TargetEntry::new(arg, 1, Some("agg_target".into()));
    t.sort_group_ref = 1;
    q.targets = vec![t];
    q.sort = vec![sort];
    q.limit = Some(Expr::constant(oid::INT8, Datum::Int8(1)));
    let sub = crate::subquery::plan_query(g, q, root.level + 1, false, 1.0, None)?;
    let Some(f) = sub.final_rel else { return Ok(None) };
    let Some(path) = crate::path::cheapest_fractional(&sub.rels[f], 1.0) else { return Ok(None) };
    if sorts(path) {
        return Ok(None);
    }
    let cost = path.total;
    Ok(Some((sub, cost)))
}

fn sorts(p: &Path) -> bool {
    match &p.node {
        PathNode::Sort { .. } | PathNode::IncSort { .. } => true,
        PathNode::Projection { sub } | PathNode::Limit { sub, .. } => sorts(sub),
        _ => false,
    }
}

pub(super) fn path(
    g: &Glob<'_>,
    root: &Root,
    out: RelId,
    target: &Rc<Target>,
    having: &[Expr],
) -> PgResult<Option<Path>> {
    if root.minmax.is_empty() {
        return Ok(None);
    }
    let init: f64 = root.minmax.iter().map(|m| m.cost).sum();
    let qual = list_cost(g, having);
    Ok(Some(Path {
        node: PathNode::MinMax { quals: having.to_vec() },
        rel: out,
        target: target.clone(),
        param: None,
        rows: 1.0,
        startup: init + target.cost.startup + qual.startup,
        total: init
            + target.cost.startup
            + qual.startup
            + target.cost.per_tuple
            + qual.per_tuple
            + g.set.cpu_tuple_cost,
        disabled: 0,
        pathkeys: Vec::new(),
    }))
}

/// Makes the init plans once the path is chosen; the aggregates are replaced by their params in the last step.
pub(crate) fn make_init_plans(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let mut list = std::mem::take(&mut root.minmax);
    for m in &mut list {
        let Some(mut sub) = m.sub.take() else { continue };
        let plan = crate::create::finish_query(g, &mut sub, 1.0)?;
        let param = g.new_param();
        let no = g.subplans.len() as u32;
        g.subplans.push(SubplanSlot { plan: Some(plan), root: Some(sub) });
        root.init_plans.push(InitPlan {
            plan: no,
            set_params: vec![param],
            kind: SubLinkKind::Expr,
            name: format!("InitPlan {}", no + 1),
            cte_param: None,
        });
        m.param = Some(exec_param(param, m.agg.ty(), m.agg.typmod(), m.agg.collation()));
    }
    root.minmax = list;
    Ok(())
}

/// Replaces the aggregates that init plans compute.
pub(crate) fn replace_aggs(root: &Root, e: &mut Expr) {
    if root.minmax.is_empty() {
        return;
    }
    if let Some(m) = root.minmax.iter().find(|m| m.param.is_some() && crate::equal::equal(&m.agg, e))
        && let Some(p) = &m.param
    {
        *e = p.clone();
        return;
    }
    let _ = pglite_ir::walk::each_child_mut(e, &mut |c| -> Result<(), ()> {
        replace_aggs(root, c);
        Ok(())
    });
}
