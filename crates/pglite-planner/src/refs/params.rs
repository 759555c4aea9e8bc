//! Which exec params each subtree reads from above (`SS_finalize_plan`).

use std::collections::BTreeSet;

use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::walk::any_child;

type Params = BTreeSet<u32>;

/// Fills in `ext_params` of all plans. `subplans` first, in order: a subplan refers to earlier ones only.
pub(crate) fn set_ext_params(plan: &mut Plan, subplans: &mut [Plan]) {
    let mut known: Vec<Params> = Vec::with_capacity(subplans.len());
    let mut ctes: Vec<(u32, usize)> = Vec::new();
    for p in subplans.iter() {
        collect_ctes(p, &mut ctes);
    }
    collect_ctes(plan, &mut ctes);
    for p in subplans.iter_mut() {
        let ext = visit(p, &known, &ctes);
        known.push(ext);
    }
    visit(plan, &known, &ctes);
}

fn collect_ctes(plan: &Plan, out: &mut Vec<(u32, usize)>) {
    for i in &plan.init_plans {
        if let Some(c) = i.cte_param {
            out.push((c, i.plan as usize));
        }
    }
    each_child(plan, &mut |c| collect_ctes(c, out));
}

fn each_child(plan: &Plan, f: &mut dyn FnMut(&Plan)) {
    [&plan.left, &plan.right].into_iter().flatten().for_each(|c| f(c));
    if let PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } = &plan.node {
        children.iter().for_each(f);
    }
}

fn expr_params(e: &Expr, known: &[Params], out: &mut Params) {
    match e {
        Expr::Param(p) if p.kind == ParamKind::Exec => {
            out.insert(p.id);
        }
        Expr::SubPlan(s) => {
            let mut inner = Params::new();
            if let Some(k) = known.get(s.plan as usize) {
                inner.extend(k);
            }
            if let Some(t) = &s.test {
                expr_params(t, known, &mut inner);
            }
            for p in s.params.iter().chain(&s.column_params).chain(&s.set_params) {
                inner.remove(p);
            }
            out.extend(inner);
            s.args.iter().for_each(|a| expr_params(a, known, out));
            return;
        }
        _ => {}
    }
    any_child(e, &mut |c| {
        expr_params(c, known, out);
        false
    });
}

fn visit(plan: &mut Plan, known: &[Params], ctes: &[(u32, usize)]) -> Params {
    let mut own = Params::new();
    for e in plan.targets.iter().map(|t| &t.expr).chain(&plan.qual) {
        expr_params(e, known, &mut own);
    }
    node_params(&plan.node, known, ctes, &mut own);
    let mut provided: Vec<u32> = Vec::new();
    let mut right_only: Vec<u32> = Vec::new();
    match &plan.node {
        PlanNode::NestLoop { params, .. } => right_only.extend(params.iter().map(|p| p.0)),
        PlanNode::RecursiveUnion { param, .. } => right_only.push(*param),
        _ => {}
    }
    // MULTIEXPR subplans set params for other columns of the same target list.
    for t in &plan.targets {
        if let Expr::SubPlan(s) = &t.expr {
            provided.extend(&s.set_params);
        }
    }
    if let Some(l) = plan.left.as_deref_mut() {
        own.extend(visit(l, known, ctes));
    }
    if let Some(r) = plan.right.as_deref_mut() {
        let mut inner = visit(r, known, ctes);
        right_only.iter().for_each(|p| {
            inner.remove(p);
        });
        own.extend(inner);
    }
    if let PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } = &mut plan.node {
        for c in children {
            own.extend(visit(c, known, ctes));
        }
    }
    for i in &plan.init_plans {
        provided.extend(&i.set_params);
        if let Some(k) = known.get(i.plan as usize) {
            own.extend(k);
        }
    }
    for p in provided {
        own.remove(&p);
    }
    plan.ext_params = own.iter().copied().collect();
    own
}

fn node_params(node: &PlanNode, known: &[Params], ctes: &[(u32, usize)], out: &mut Params) {
    let mut add = |e: &Expr| expr_params(e, known, out);
    match node {
        PlanNode::Result { one_time } => one_time.iter().for_each(add),
        PlanNode::ModifyTable(m) => {
            for t in &m.targets {
                t.returning.iter().for_each(|t| add(&t.expr));
                t.check_options.iter().for_each(|c| add(&c.qual));
                for a in &t.merge_actions {
                    a.qual.iter().for_each(&mut add);
                    a.targets.iter().for_each(|t| add(&t.expr));
                }
            }
            for a in &m.merge_actions {
                a.qual.iter().for_each(&mut add);
                a.targets.iter().for_each(|t| add(&t.expr));
            }
            if let Some(oc) = &m.on_conflict {
                oc.set.iter().for_each(|t| add(&t.expr));
                oc.where_.iter().for_each(add);
            }
        }
        PlanNode::SampleScan { sample, .. } => sample.args.iter().chain(&sample.repeatable).for_each(add),
        PlanNode::IndexScan(s) | PlanNode::IndexOnlyScan(s) => {
            for q in &s.quals {
                match q {
                    IndexQual::Op { value, .. } | IndexQual::OrderBy { value, .. } => add(value),
                    IndexQual::Array { array, .. } => add(array),
                    IndexQual::NullTest { .. } => {}
                    IndexQual::Row { values, .. } => values.iter().for_each(&mut add),
                }
            }
            s.recheck.iter().for_each(add);
        }
        PlanNode::TidScan { quals, .. } => quals.iter().for_each(add),
        PlanNode::FunctionScan { functions, .. } => functions.iter().for_each(|f| add(&f.expr)),
        PlanNode::TableFuncScan { func, .. } => {
            func.namespaces.iter().for_each(|(_, e)| add(e));
            add(&func.doc);
            func.row.iter().for_each(&mut add);
            for c in &func.columns {
                [&c.expr, &c.default, &c.json].into_iter().flatten().for_each(&mut add);
            }
            func.passing.iter().for_each(|(_, e)| add(e));
        }
        PlanNode::ValuesScan { rows, .. } => rows.iter().flatten().for_each(add),
        PlanNode::NestLoop { join_qual, .. } => join_qual.iter().for_each(add),
        PlanNode::MergeJoin { join_qual, keys, .. } => {
            join_qual.iter().for_each(&mut add);
            keys.iter().for_each(|k| {
                add(&k.outer);
                add(&k.inner);
            });
        }
        PlanNode::HashJoin { join_qual, keys, .. } => {
            join_qual.iter().for_each(&mut add);
            keys.iter().for_each(|k| {
                add(&k.outer);
                add(&k.inner);
            });
        }
        PlanNode::Memoize { keys, .. } => keys.iter().for_each(add),
        PlanNode::WindowAgg { frame, run_condition, .. } => {
            for b in [&frame.start, &frame.end] {
                if let BoundPlan::Preceding(e) | BoundPlan::Following(e) = b {
                    add(e);
                }
            }
            run_condition.iter().for_each(add);
        }
        PlanNode::Limit { limit, offset, .. } => limit.iter().chain(offset).for_each(add),
        PlanNode::CteScan { cte_param, .. } => {
            if let Some((_, plan)) = ctes.iter().find(|c| c.0 == *cte_param)
                && let Some(k) = known.get(*plan)
            {
                out.extend(k);
            }
        }
        PlanNode::WorkTableScan { param, .. } => {
            out.insert(*param);
        }
        _ => {}
    }
}
