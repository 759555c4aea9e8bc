//! Base relations: row estimates, and the paths that scan them.

mod child;
mod pushdown;
mod tid;

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::JoinKind;
use pglite_ir::query::*;

use crate::cost::{self, Costs};
use crate::eclass;
use crate::glob::clamp_rows;
use crate::path::{add_path, set_cheapest};
use crate::pathkeys;
use crate::rel::*;
use crate::relids::Relids;
use crate::sel::{self, SelCtx};
use crate::types::*;

/// A clause that could be pushed into a parameterized scan of the relation.
pub(crate) fn movable_to(r: &RInfo, rel: &Rel) -> bool {
    r.relids.overlaps(&rel.relids)
        && !r.outer.overlaps(&rel.relids)
        && !r.nullable.overlaps(&rel.relids)
        && !rel.lateral_referencers.overlaps(&r.relids)
}

/// A clause that can be evaluated at a scan or join of `current`, given values of the outer relations in `all`.
pub(crate) fn movable_into(r: &RInfo, current: &Relids, all: &Relids) -> bool {
    r.relids.subset_of(all)
        && r.relids.overlaps(current)
        && !r.outer.overlaps(current)
        && !r.nullable.overlaps(current)
}

/// The parameterization of a base relation by outer relations (shared between its paths).
pub(crate) fn param_info(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    required: &Relids,
) -> Option<Rc<ParamInfo>> {
    if required.is_empty() {
        return None;
    }
    if let Some(p) = root.rels[rel].param_infos.iter().find(|p| p.required == *required) {
        return Some(p.clone());
    }
    let relids = root.rels[rel].relids.clone();
    let all = relids.union(required);
    let mut clauses: Vec<Rc<RInfo>> =
        root.rels[rel].joininfo.iter().filter(|r| movable_into(r, &relids, &all)).cloned().collect();
    clauses.extend(eclass::join_equalities(g, root, &all, required, &relids));
    let mut both = clauses.clone();
    both.extend(root.rels[rel].restrict.iter().cloned());
    let ctx = SelCtx { var_rel: root.rels[rel].relid, kind: JoinKind::Inner, sj: None };
    let s = sel::list_selectivity(g, root, &both, ctx);
    let rows = clamp_rows(root.rels[rel].tuples * s).min(root.rels[rel].rows.max(1.0));
    let info = Rc::new(ParamInfo { required: required.clone(), rows, clauses });
    root.rels[rel].param_infos.push(info.clone());
    Some(info)
}

/// A leaf path with the relation's own target.
pub(crate) fn leaf(
    root: &Root,
    rel: RelId,
    node: PathNode,
    costs: Costs,
    param: Option<Rc<ParamInfo>>,
) -> Path {
    let r = &root.rels[rel];
    Path {
        node,
        rel,
        target: r.target.clone(),
        rows: param.as_ref().map_or(r.rows, |p| p.rows),
        param,
        startup: costs.startup,
        total: costs.total,
        disabled: costs.disabled,
        pathkeys: Vec::new(),
    }
}

/// Estimates every base relation, then makes its paths.
pub(crate) fn make_base_paths(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    let rels: Vec<RelId> = (0..root.rels.len()).filter(|r| root.rels[*r].kind == RelKind::Base).collect();
    for &rel in &rels {
        root.rels[rel].has_ec_joins = eclass::has_ec_joins(root, &root.rels[rel].relids.clone());
    }
    for &rel in &rels {
        set_size(g, root, rel)?;
    }
    root.total_pages = root.rels.iter().filter(|r| !r.dummy && r.table.is_some()).map(|r| r.pages).sum();
    for rel in rels {
        set_paths(g, root, rel)?;
    }
    Ok(())
}

/// A condition that is constant false or NULL empties the relation.
fn is_excluded(root: &Root, rel: RelId) -> bool {
    root.rels[rel].restrict.iter().any(|r| crate::exprs::is_false_or_null_const(&r.clause))
}

pub(crate) fn mark_dummy(root: &mut Root, rel: RelId) {
    let r = &mut root.rels[rel];
    r.dummy = true;
    r.rows = 0.0;
    r.paths.clear();
    let lateral = r.lateral.clone();
    let path = Path {
        node: PathNode::Append { children: Vec::new() },
        rel,
        target: r.target.clone(),
        param: (!lateral.is_empty())
            .then(|| Rc::new(ParamInfo { required: lateral, rows: 0.0, clauses: Vec::new() })),
        rows: 0.0,
        startup: 0.0,
        total: 0.0,
        disabled: 0,
        pathkeys: Vec::new(),
    };
    add_path(r, path);
    set_cheapest(r);
}

fn set_size(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    let rti = root.rels[rel].relid;
    if root.rte(rti).inherit && root.rels[rel].scan == ScanKind::Relation {
        return child::set_append_size(g, root, rel);
    }
    if is_excluded(root, rel) && root.rels[rel].scan != ScanKind::Subquery {
        set_width(g, root, rel);
        mark_dummy(root, rel);
        return Ok(());
    }
    match root.rels[rel].scan {
        ScanKind::Relation => {
            sample_size(g, root, rel);
            set_base_size(g, root, rel);
        }
        ScanKind::Subquery => pushdown::plan_subquery(g, root, rel)?,
        ScanKind::Function => {
            let RteKind::Function { functions, .. } = &root.rte(rti).kind else { return Ok(()) };
            let rows = functions.iter().map(|f| sel::function_rows(g, &f.expr)).fold(1.0, f64::max);
            root.rels[rel].tuples = rows;
            set_base_size(g, root, rel);
        }
        ScanKind::TableFunc => {
            root.rels[rel].tuples = 100.0;
            set_base_size(g, root, rel);
        }
        ScanKind::Values => {
            let RteKind::Values { rows, .. } = &root.rte(rti).kind else { return Ok(()) };
            root.rels[rel].tuples = rows.len() as f64;
            set_base_size(g, root, rel);
        }
        ScanKind::Cte | ScanKind::WorkTable => cte_size(g, root, rel)?,
        ScanKind::Tuplestore => {
            root.rels[rel].tuples = 100.0;
            set_base_size(g, root, rel);
        }
        _ => {
            root.rels[rel].tuples = 1.0;
            set_base_size(g, root, rel);
        }
    }
    Ok(())
}

fn sample_size(g: &Glob<'_>, root: &mut Root, rel: RelId) {
    let rti = root.rels[rel].relid;
    let RteKind::Relation { sample: Some(s), .. } = &root.rte(rti).kind else { return };
    let fraction = match s.args.first().map(|a| crate::fold::estimate(g, a)) {
        Some(pglite_ir::Expr::Const(c)) => sel::scalar(&c.value).map_or(0.1, |p| (p / 100.0).clamp(0.0, 1.0)),
        _ => 0.1,
    };
    let r = &mut root.rels[rel];
    r.tuples = clamp_rows(r.tuples * fraction);
}

fn cte_size(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    let rti = root.rels[rel].relid;
    let RteKind::Cte { name, levels_up, self_reference, .. } = &root.rte(rti).kind else { return Ok(()) };
    let (name, up, own) = (name.clone(), *levels_up as usize, *self_reference);
    let missing = || PgError::internal(format!("common table expression \"{name}\" has no plan"));
    if own {
        // The working table belongs to the CTE's own query, one level below its WITH.
        let at = (root.level + 1).checked_sub(up).ok_or_else(missing)?;
        let l = g.levels.get(at).ok_or_else(missing)?;
        let (param, rows) = (l.wt_param.ok_or_else(missing)?, l.nonrecursive_rows);
        root.rels[rel].wt_param = param;
        root.rels[rel].tuples = clamp_rows(rows * g.set.recursive_worktable_factor);
    } else {
        let level = root.level.checked_sub(up).ok_or_else(missing)?;
        let slot = g.levels[level].ctes.iter().rev().find(|c| c.name == name).cloned().ok_or_else(missing)?;
        let rows = slot.plan.and_then(|p| g.subplans[p].plan.as_ref()).map_or(1.0, |p| p.cost.rows);
        root.rels[rel].cte = Some(slot);
        root.rels[rel].tuples = rows;
    }
    set_base_size(g, root, rel);
    Ok(())
}

pub(crate) fn set_paths(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    if root.rels[rel].dummy {
        return Ok(());
    }
    let rti = root.rels[rel].relid;
    if root.rte(rti).inherit && root.rels[rel].scan == ScanKind::Relation {
        return child::set_append_paths(g, root, rel);
    }
    let lateral = root.rels[rel].lateral.clone();
    match root.rels[rel].scan {
        ScanKind::Relation => {
            let param = param_info(g, root, rel, &lateral);
            let c = cost::seqscan(g, &root.rels[rel], param.as_ref());
            let sample = matches!(&root.rte(rti).kind, RteKind::Relation { sample: Some(_), .. });
            let node = if sample { PathNode::SampleScan } else { PathNode::SeqScan };
            let path = leaf(root, rel, node, c, param);
            add_path(&mut root.rels[rel], path);
            if !sample && !tid::add_tid_paths(g, root, rel)? {
                crate::index::add_index_paths(g, root, rel)?;
            }
        }
        ScanKind::Subquery => {}
        scan => {
            let param = param_info(g, root, rel, &lateral);
            let (startup, per_tuple, node) = memory_costs(g, root, rel, scan);
            let c = cost::memory_scan(g, &root.rels[rel], param.as_ref(), startup, per_tuple);
            let path = leaf(root, rel, node, c, param);
            add_path(&mut root.rels[rel], path);
        }
    }
    set_cheapest(&mut root.rels[rel]);
    if root.rels[rel].cheapest_total.is_none() {
        return Err(PgError::internal("could not devise a query plan for the given query"));
    }
    Ok(())
}

fn memory_costs(g: &Glob<'_>, root: &Root, rel: RelId, scan: ScanKind) -> (f64, f64, PathNode) {
    let rti = root.rels[rel].relid;
    match (&root.rte(rti).kind, scan) {
        (RteKind::Function { functions, .. }, _) => {
            let c = crate::exprs::list_cost(g, functions.iter().map(|f| &f.expr));
            (c.startup + c.per_tuple, 0.0, PathNode::Function)
        }
        (RteKind::TableFunc(_), _) => (0.0, g.set.cpu_operator_cost, PathNode::TableFunc),
        (RteKind::Values { .. }, _) => (0.0, g.set.cpu_operator_cost, PathNode::Values),
        (_, ScanKind::Cte) => (0.0, g.set.cpu_tuple_cost, PathNode::Cte),
        (_, ScanKind::WorkTable) => (0.0, g.set.cpu_tuple_cost, PathNode::WorkTable),
        (_, ScanKind::Tuplestore) => (0.0, g.set.cpu_tuple_cost, PathNode::Tuplestore),
        _ => (0.0, 0.0, PathNode::Result { quals: Vec::new() }),
    }
}

/// LATERAL dependencies between the base relations.
pub(crate) fn set_lateral_info(g: &Glob<'_>, root: &mut Root) {
    let _ = g;
    if !root.query.rtable.iter().any(|r| r.lateral) {
        return;
    }
    let ids: Vec<u32> = (1..root.base.len() as u32).filter(|i| root.has_rel(*i)).collect();
    for &rti in &ids {
        let (refs, vars) = lateral_refs(root, rti);
        let refs: Relids = refs.iter().filter(|r| root.has_rel(*r)).collect();
        if refs.is_empty() {
            continue;
        }
        root.has_lateral = true;
        for v in &vars {
            crate::restrict::add_vars_to_targets(root, v, &Relids::single(rti));
        }
        if let Ok(rel) = root.base_rel(rti) {
            root.rels[rel].direct_lateral = refs.clone();
            root.rels[rel].lateral = refs;
            root.rels[rel].lateral_vars = vars;
        }
    }
    // Whoever refers to a lateral relation depends on what that one needs.
    loop {
        let mut changed = false;
        for &rti in &ids {
            let Ok(rel) = root.base_rel(rti) else { continue };
            let mut all = root.rels[rel].lateral.clone();
            for r in root.rels[rel].lateral.iter() {
                if let Ok(other) = root.base_rel(r) {
                    all.add(&root.rels[other].lateral);
                }
            }
            all.remove(rti);
            if all != root.rels[rel].lateral {
                root.rels[rel].lateral = all;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for &rti in &ids {
        let Ok(rel) = root.base_rel(rti) else { continue };
        for r in root.rels[rel].lateral.clone().iter() {
            if let Ok(other) = root.base_rel(r) {
                root.rels[other].lateral_referencers.insert(rti);
            }
        }
    }
}

/// Paths of a subquery relation from those of its own planning.
pub(crate) fn add_subquery_paths(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    let Some(slot) = root.rels[rel].subroot else { return Ok(()) };
    let lateral = root.rels[rel].lateral.clone();
    let param = param_info(g, root, rel, &lateral);
    let Some(sub) = root.subroots[slot].take() else { return Ok(()) };
    if let Some(f) = sub.final_rel {
        let targets: Vec<TargetEntry> = sub.processed_targets.clone();
        let trivial = is_trivial(&root.rels[rel], &targets);
        for p in &sub.rels[f].paths {
            let keys = pathkeys::convert_subquery(g, root, rel, &sub, &p.pathkeys, &targets);
            let c = cost::subquery_scan(g, &root.rels[rel], param.as_ref(), p, trivial);
            let mut path = leaf(root, rel, PathNode::Subquery { sub: p.clone() }, c, param.clone());
            path.pathkeys = keys;
            add_path(&mut root.rels[rel], path);
        }
    }
    root.subroots[slot] = Some(sub);
    Ok(())
}

/// The scan would pass on all columns of the subquery as they are.
fn is_trivial(rel: &Rel, targets: &[TargetEntry]) -> bool {
    let n = targets.iter().filter(|t| !t.junk).count();
    rel.target.exprs.len() == n
        && rel
            .target
            .exprs
            .iter()
            .enumerate()
            .all(|(i, e)| matches!(e, pglite_ir::Expr::Var(v) if v.attno as usize == i + 1))
}
