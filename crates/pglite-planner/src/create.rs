//! From the chosen path to a plan tree (`create_plan`). Vars still name this level's relations; `refs` rewrites them.

mod joins;
mod scans;
mod upper;

use std::rc::Rc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::TargetEntry;
use pglite_ir::walk::each_child_mut;

use crate::eclass;
use crate::equal::equal;
use crate::relids::Relids;
use crate::types::*;

/// Chooses the best path of a planned query for the fraction of rows wanted, and makes its plan.
pub(crate) fn finish_query(g: &mut Glob<'_>, root: &mut Root, fraction: f64) -> PgResult<Plan> {
    let final_rel = root.final_rel.ok_or_else(|| PgError::internal("query without a final relation"))?;
    let path = crate::path::cheapest_fractional(&root.rels[final_rel], fraction)
        .cloned()
        .ok_or_else(|| PgError::internal("query without a path"))?;
    let mut plan = make_top(g, root, &path)?;
    plan.init_plans.splice(0..0, std::mem::take(&mut root.init_plans));
    charge_init_plans(g, &mut plan);
    Ok(plan)
}

fn charge_init_plans(g: &Glob<'_>, plan: &mut Plan) {
    let extra: f64 = plan
        .init_plans
        .iter()
        .filter_map(|i| g.subplans[i.plan as usize].plan.as_ref())
        .map(|p| p.cost.total)
        .sum();
    plan.cost.startup += extra;
    plan.cost.total += extra;
}

/// The plan of a whole query level, its output labelled with names and junk flags.
fn make_top(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>) -> PgResult<Plan> {
    root.cur_outer_rels = Relids::new();
    root.cur_outer_params = Vec::new();
    let mut plan = create(g, root, path)?;
    if !matches!(plan.node, PlanNode::ModifyTable(_)) {
        label(&mut plan, &root.processed_targets);
    }
    Ok(plan)
}

/// Copies names, numbers and flags onto a plan's output.
pub(crate) fn label(plan: &mut Plan, targets: &[TargetEntry]) {
    for (i, t) in plan.targets.iter_mut().enumerate() {
        match targets.get(i) {
            Some(src) => {
                t.name = src.name.clone();
                t.resno = i as i16 + 1;
                t.junk = src.junk;
                t.sort_group_ref = src.sort_group_ref;
                t.orig_table = src.orig_table;
                t.orig_column = src.orig_column;
            }
            None => t.junk = true,
        }
    }
}

/// Makes the plan of one path.
pub(crate) fn create(g: &mut Glob<'_>, root: &mut Root, path: &Rc<Path>) -> PgResult<Plan> {
    g.depth += 1;
    g.check_depth()?;
    let plan = match &path.node {
        PathNode::SeqScan
        | PathNode::SampleScan
        | PathNode::Index(_)
        | PathNode::Tid { .. }
        | PathNode::Subquery { .. }
        | PathNode::Function
        | PathNode::TableFunc
        | PathNode::Values
        | PathNode::Cte
        | PathNode::WorkTable
        | PathNode::Tuplestore => scans::create(g, root, path),
        PathNode::Result { .. } | PathNode::MinMax { .. } if root.rels[path.rel].kind != RelKind::Upper => {
            scans::create(g, root, path)
        }
        PathNode::Nest { .. } | PathNode::Merge { .. } | PathNode::Hash { .. } => {
            joins::create(g, root, path)
        }
        _ => upper::create(g, root, path),
    };
    g.depth -= 1;
    plan
}

pub(crate) fn cost_of(path: &Path) -> Cost {
    Cost {
        startup: path.startup,
        total: path.total,
        rows: path.rows,
        width: path.target.width,
        disabled_nodes: path.disabled,
    }
}

/// A path's target as a target list, nested loop params put in.
pub(crate) fn tlist(g: &mut Glob<'_>, root: &mut Root, path: &Path) -> Vec<TargetEntry> {
    let target = path.target.clone();
    let mut out = Vec::with_capacity(target.exprs.len());
    for (i, e) in target.exprs.iter().enumerate() {
        let mut e = e.clone();
        if path.param.is_some() {
            replace_nest_params(g, root, &mut e);
        }
        let mut t = TargetEntry::new(e, i as i16 + 1, None);
        t.sort_group_ref = target.sort_ref(i);
        out.push(t);
    }
    out
}

/// Entries that pass on the child's output.
pub(crate) fn pass_targets(child: &Plan) -> Vec<TargetEntry> {
    child.targets.clone()
}

pub(crate) fn node(path: &Path, node: PlanNode, targets: Vec<TargetEntry>) -> Plan {
    let mut p = Plan::new(node, targets);
    p.cost = cost_of(path);
    p
}

/// Replaces columns of the outer sides of enclosing nested loops by params.
pub(crate) fn replace_nest_params(g: &mut Glob<'_>, root: &mut Root, e: &mut Expr) {
    if root.cur_outer_rels.is_empty() {
        return;
    }
    if let Expr::Var(v) = e {
        if v.levels_up == 0 && root.cur_outer_rels.contains(v.rte) {
            *e = nest_param(g, root, e.clone());
        }
        return;
    }
    let _ = each_child_mut(e, &mut |c| -> Result<(), ()> {
        replace_nest_params(g, root, c);
        Ok(())
    });
}

fn nest_param(g: &mut Glob<'_>, root: &mut Root, e: Expr) -> Expr {
    let id = match root.cur_outer_params.iter().find(|p| equal(&p.expr, &e)) {
        Some(p) => p.id,
        None => {
            let id = g.new_param();
            root.cur_outer_params.push(PlanParam { id, expr: e.clone() });
            id
        }
    };
    crate::sublink::exec_param(id, e.ty(), e.typmod(), e.collation())
}

/// Condition expressions of a list of clauses, cheap ones first, nested loop params put in.
pub(crate) fn quals(g: &mut Glob<'_>, root: &mut Root, list: Vec<Expr>) -> Vec<Expr> {
    let mut costed: Vec<(f64, Expr)> = list
        .into_iter()
        .map(|mut e| {
            let c = crate::exprs::expr_cost(g, &e).per_tuple;
            replace_nest_params(g, root, &mut e);
            (c, e)
        })
        .collect();
    if costed.len() > 1 {
        costed.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal));
    }
    costed.into_iter().map(|c| c.1).collect()
}

/// Wraps a plan in a Result that checks conditions on nothing but constants and params, once.
pub(crate) fn gate(plan: Plan, conditions: Vec<Expr>) -> Plan {
    if conditions.is_empty() {
        return plan;
    }
    let mut r = Plan::new(PlanNode::Result { one_time: conditions }, pass_targets(&plan));
    r.cost = plan.cost;
    r.left = Some(Box::new(plan));
    r
}

/// Can the node compute any target list?
pub(crate) fn can_project(node: &PlanNode) -> bool {
    !matches!(
        node,
        PlanNode::Material
            | PlanNode::Memoize { .. }
            | PlanNode::Sort { .. }
            | PlanNode::IncrementalSort { .. }
            | PlanNode::Unique { .. }
            | PlanNode::SetOp { .. }
            | PlanNode::LockRows { .. }
            | PlanNode::Limit { .. }
            | PlanNode::ModifyTable(_)
            | PlanNode::Append { .. }
            | PlanNode::MergeAppend { .. }
            | PlanNode::RecursiveUnion { .. }
            | PlanNode::ProjectSet
    )
}

/// Gives the plan another target list, by itself where it can.
pub(crate) fn with_targets(plan: Plan, targets: Vec<TargetEntry>, cost: Cost) -> Plan {
    let same = plan.targets.len() == targets.len()
        && plan.targets.iter().zip(&targets).all(|(a, b)| equal(&a.expr, &b.expr));
    let mut plan = plan;
    if same || can_project(&plan.node) {
        plan.targets = targets;
        if !same {
            plan.cost = Cost { disabled_nodes: plan.cost.disabled_nodes, ..cost };
        }
        return plan;
    }
    let mut r = Plan::new(PlanNode::Result { one_time: Vec::new() }, targets);
    r.cost = cost;
    r.left = Some(Box::new(plan));
    r
}

/// Sort columns for path keys, adding columns to the plan's output where one is missing.
pub(crate) fn sort_keys(
    g: &Glob<'_>,
    root: &Root,
    plan: Plan,
    keys: &[PathKey],
    rels: &Relids,
) -> PgResult<(Plan, Vec<SortKey>)> {
    let mut plan = plan;
    let mut out = Vec::with_capacity(keys.len());
    for k in keys {
        let ec = &root.ecs[root.canon(k.ec)];
        let (column, ty) = match find_column(&plan, ec, rels) {
            Some(found) => found,
            None => {
                let m = computable(ec, &plan)
                    .ok_or_else(|| PgError::internal("could not find pathkey item to sort"))?;
                let (expr, ty) = (m.expr.clone(), m.ty);
                if !can_project(&plan.node) {
                    let (targets, cost) = (pass_targets(&plan), plan.cost);
                    let mut r = Plan::new(PlanNode::Result { one_time: Vec::new() }, targets);
                    r.cost = cost;
                    r.left = Some(Box::new(plan));
                    plan = r;
                }
                let mut t = TargetEntry::new(expr, plan.targets.len() as i16 + 1, None);
                t.junk = true;
                plan.targets.push(t);
                (plan.targets.len() as i16, ty)
            }
        };
        let strategy = if k.desc { crate::cat::BT_GT } else { crate::cat::BT_LT };
        let member = |s: i16| g.cat.family_member(k.family, ty, ty, s);
        let (Some(op), Some(eq_op)) = (member(strategy), member(crate::cat::BT_EQ)) else {
            return Err(PgError::internal("missing operator in sort family"));
        };
        out.push(SortKey {
            column,
            op,
            eq_op,
            collation: ec.collation,
            desc: k.desc,
            nulls_first: k.nulls_first,
        });
    }
    Ok((plan, out))
}

fn find_column(plan: &Plan, ec: &Ec, rels: &Relids) -> Option<(i16, pglite_types::Oid)> {
    if ec.has_volatile {
        let i = plan.targets.iter().position(|t| t.sort_group_ref != 0 && t.sort_group_ref == ec.sort_ref)?;
        return Some((i as i16 + 1, ec.members.first()?.ty));
    }
    let exprs: Vec<Expr> = plan.targets.iter().map(|t| t.expr.clone()).collect();
    eclass::find_in_exprs(ec, &exprs, rels).map(|(i, ty)| (i as i16 + 1, ty))
}

/// A member whose columns the plan's output has.
fn computable<'a>(ec: &'a Ec, plan: &Plan) -> Option<&'a Em> {
    ec.members.iter().find(|m| {
        if m.is_const {
            return false;
        }
        let mut ok = true;
        crate::walker::each_var(&m.expr, &mut |v| {
            ok &=
                plan.targets.iter().any(|t| matches!(&t.expr, Expr::Var(x) if crate::equal::equal_var(x, v)));
        });
        ok && !eclass::is_upper_expr(&m.expr)
    })
}
