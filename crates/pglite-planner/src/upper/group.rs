//! GROUP BY, aggregates, HAVING.

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::{AggKind, Expr};
use pglite_ir::plan::AggStrategy;
use pglite_ir::walk::any_child;

use super::*;
use crate::cost::AggCosts;
use crate::sel::{self, SelCtx};

pub(super) fn preprocess(g: &Glob<'_>, root: &mut Root) -> PgResult<()> {
    let _ = g;
    root.processed_group = root.query.group.clone();
    Ok(())
}

/// Collects the distinct aggregates of an expression.
fn gather(e: &Expr, out: &mut Vec<Expr>) {
    if matches!(e, Expr::Aggref(a) if a.levels_up == 0) {
        if !crate::equal::member(out, e) {
            out.push(e.clone());
        }
        return;
    }
    any_child(e, &mut |c| {
        gather(c, out);
        false
    });
}

pub(super) fn all_aggs(root: &Root, target: &Target) -> Vec<Expr> {
    let mut out = Vec::new();
    target.exprs.iter().for_each(|e| gather(e, &mut out));
    root.query.having.iter().for_each(|e| gather(e, &mut out));
    out
}

fn agg_costs(g: &Glob<'_>, aggs: &[Expr]) -> AggCosts {
    let mut c = AggCosts { count: aggs.len(), ..AggCosts::default() };
    for a in aggs {
        let Expr::Aggref(a) = a else { continue };
        c.trans.per_tuple += g.set.cpu_operator_cost;
        let args = list_cost(g, a.args.iter().map(|t| &t.expr).chain(a.filter.as_ref()));
        c.trans.startup += args.startup;
        c.trans.per_tuple += args.per_tuple;
        if g.cat.0.aggregate(a.func).is_some_and(|r| r.aggfinalfn.is_valid()) {
            c.last.per_tuple += g.set.cpu_operator_cost;
        }
        let trans = g.cat.0.aggregate(a.func).map_or(pglite_types::Oid::INVALID, |r| r.aggtranstype);
        let width = g.cat.type_width(trans, -1);
        if width > 8 {
            c.state_bytes += f64::from(width) + 16.0;
        }
        if a.kind == AggKind::OrderedSet {
            c.last.per_tuple += list_cost(g, &a.direct_args).per_tuple;
        }
    }
    c
}

/// Hashing is out when an aggregate wants its input sorted or distinct.
fn aggs_allow_hash(aggs: &[Expr]) -> bool {
    aggs.iter().all(|a| match a {
        Expr::Aggref(a) => a.order.is_empty() && a.distinct.is_empty() && a.kind == AggKind::Normal,
        _ => true,
    })
}

pub(super) fn add_grouping_paths(
    g: &mut Glob<'_>,
    root: &mut Root,
    input: RelId,
    target: &Rc<Target>,
) -> PgResult<RelId> {
    let out = upper_rel(root, root.rels[input].relids.clone());
    root.rels[out].target = target.clone();
    let having: Vec<Expr> = crate::walker::into_conjuncts(root.query.having.clone());
    let aggs = all_aggs(root, target);
    let grouped = !root.query.group.is_empty() || !root.query.grouping_sets.is_empty();
    if !grouped && aggs.is_empty() && !root.query.has_aggs {
        // Only HAVING: one row, or none.
        let c = list_cost(g, &having);
        let path = Path {
            node: PathNode::Result { quals: having },
            rel: out,
            target: target.clone(),
            param: None,
            rows: 1.0,
            startup: c.startup + c.per_tuple,
            total: c.startup
                + c.per_tuple
                + g.set.cpu_tuple_cost
                + target.cost.startup
                + target.cost.per_tuple,
            disabled: 0,
            pathkeys: Vec::new(),
        };
        add_path(&mut root.rels[out], path);
        set_cheapest(&mut root.rels[out]);
        return Ok(out);
    }
    let costs = agg_costs(g, &aggs);
    if !root.query.grouping_sets.is_empty() {
        super::sets::add_paths(g, root, input, out, target, &having, &aggs, &costs)?;
    } else {
        add_plain(g, root, input, out, target, &having, &aggs, &costs)?;
    }
    if let Some(p) = super::minmax::path(g, root, out, target, &having)? {
        add_path(&mut root.rels[out], p);
    }
    if root.rels[out].paths.is_empty() {
        return Err(PgError::unsupported("could not implement GROUP BY")
            .detail("Some of the datatypes only support hashing, while others only support sorting."));
    }
    set_cheapest(&mut root.rels[out]);
    if let Some(p) = &root.rels[out].cheapest_total {
        root.rels[out].rows = p.rows;
    }
    Ok(out)
}

fn group_exprs(root: &Root) -> Vec<Expr> {
    exprs_of(root, &root.processed_group.iter().map(|c| c.target_ref).collect::<Vec<_>>())
}

pub(super) fn exprs_of(root: &Root, refs: &[u32]) -> Vec<Expr> {
    refs.iter()
        .filter_map(|r| {
            root.processed_targets.iter().find(|t| t.sort_group_ref == *r).map(|t| t.expr.clone())
        })
        .collect()
}

#[allow(clippy::too_many_arguments)]
pub(super) fn agg_path(
    g: &Glob<'_>,
    root: &Root,
    out: RelId,
    sub: Rc<Path>,
    target: &Rc<Target>,
    strategy: AggStrategy,
    group: Vec<SortGroupClause>,
    having: &[Expr],
    costs: &AggCosts,
    groups: f64,
    sets: Option<Vec<Vec<u32>>>,
) -> Path {
    let hcost = list_cost(g, having);
    let hsel = if having.is_empty() { 1.0 } else { sel::exprs_selectivity(g, root, having, SelCtx::scan()) };
    let n = group.len();
    let (c, rows) =
        cost::agg(g, strategy, costs, n, groups, costs_of(&sub), sub.rows, sub.target.width, hcost, hsel);
    let keys =
        if strategy == AggStrategy::Sorted && sets.is_none() { sub.pathkeys.clone() } else { Vec::new() };
    let keys = keys.into_iter().take(root.num_groupby_pathkeys).collect();
    Path {
        rel: out,
        target: target.clone(),
        param: None,
        rows,
        startup: c.startup + target.cost.startup,
        total: c.total + target.cost.startup + target.cost.per_tuple * rows,
        disabled: c.disabled,
        pathkeys: keys,
        node: PathNode::Agg(Box::new(AggPath {
            sub,
            strategy,
            group,
            qual: having.to_vec(),
            num_groups: groups,
            sets,
        })),
    }
}

#[allow(clippy::too_many_arguments)]
fn add_plain(
    g: &mut Glob<'_>,
    root: &mut Root,
    input: RelId,
    out: RelId,
    target: &Rc<Target>,
    having: &[Expr],
    aggs: &[Expr],
    costs: &AggCosts,
) -> PgResult<()> {
    let Some(cheapest) = root.rels[input].cheapest_total.clone() else { return Ok(()) };
    if root.query.group.is_empty() {
        let p = agg_path(
            g,
            root,
            out,
            cheapest,
            target,
            AggStrategy::Plain,
            Vec::new(),
            having,
            costs,
            1.0,
            None,
        );
        add_path(&mut root.rels[out], p);
        return Ok(());
    }
    let exprs = group_exprs(root);
    let groups = if exprs.is_empty() { 1.0 } else { sel::num_groups(g, root, &exprs, cheapest.rows) };
    let group = root.processed_group.clone();
    let sortable = root.query.group.iter().all(|c| c.sort_op.is_valid());
    let hashable = root.query.group.iter().all(|c| c.hashable);
    if sortable {
        let keys = root.group_pathkeys.clone();
        for p in root.rels[input].paths.clone() {
            let is_cheapest = Rc::ptr_eq(&p, &cheapest);
            let Some(sorted) = ordered(g, root, out, &p, &keys, -1.0, is_cheapest) else { continue };
            // The grouping columns in the order of the sort.
            let ordered_group = order_clauses(g, root, &group, &keys);
            let path = if aggs.is_empty() {
                group_path(g, root, out, sorted, target, ordered_group, having, groups)
            } else {
                agg_path(
                    g,
                    root,
                    out,
                    sorted,
                    target,
                    AggStrategy::Sorted,
                    ordered_group,
                    having,
                    costs,
                    groups,
                    None,
                )
            };
            add_path(&mut root.rels[out], path);
        }
    }
    if hashable && !group.is_empty() && aggs_allow_hash(aggs) {
        let p =
            agg_path(g, root, out, cheapest, target, AggStrategy::Hashed, group, having, costs, groups, None);
        add_path(&mut root.rels[out], p);
    }
    Ok(())
}

fn order_clauses(
    g: &Glob<'_>,
    root: &mut Root,
    group: &[SortGroupClause],
    keys: &[PathKey],
) -> Vec<SortGroupClause> {
    let _ = (g, keys, root);
    group.to_vec()
}

#[allow(clippy::too_many_arguments)]
fn group_path(
    g: &Glob<'_>,
    root: &Root,
    out: RelId,
    sub: Rc<Path>,
    target: &Rc<Target>,
    group: Vec<SortGroupClause>,
    having: &[Expr],
    groups: f64,
) -> Path {
    let hcost = list_cost(g, having);
    let hsel = if having.is_empty() { 1.0 } else { sel::exprs_selectivity(g, root, having, SelCtx::scan()) };
    let (c, rows) = cost::group(g, group.len(), groups, costs_of(&sub), sub.rows, hcost, hsel);
    Path {
        rel: out,
        target: target.clone(),
        param: None,
        rows,
        startup: c.startup + target.cost.startup,
        total: c.total + target.cost.startup + target.cost.per_tuple * rows,
        disabled: c.disabled,
        pathkeys: sub.pathkeys.clone(),
        node: PathNode::Group { sub, group, qual: having.to_vec() },
    }
}
