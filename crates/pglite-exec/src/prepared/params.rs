//! Which exec parameters a plan reads and sets.

use std::collections::BTreeSet;

use pglite_ir::expr::{Expr, ParamKind};
use pglite_ir::plan::{BoundPlan, IndexQual, Plan, PlanNode, PlannedStmt};
use pglite_ir::walk::any_child;

type Set = BTreeSet<u32>;

pub fn expr(e: &Expr, stmt: &PlannedStmt, read: &mut Set, set: &mut Set) {
    match e {
        Expr::Param(p) if p.kind == ParamKind::Exec => {
            read.insert(p.id);
        }
        Expr::SubPlan(s) => {
            set.extend(&s.column_params);
            set.extend(&s.params);
            set.extend(&s.set_params);
            if let Some(p) = stmt.subplans.get(s.plan as usize) {
                plan(p, stmt, read, set);
            }
        }
        _ => {}
    }
    any_child(e, &mut |c| {
        expr(c, stmt, read, set);
        false
    });
}

pub fn plan(p: &Plan, stmt: &PlannedStmt, read: &mut Set, set: &mut Set) {
    for t in &p.targets {
        expr(&t.expr, stmt, read, set);
    }
    for q in &p.qual {
        expr(q, stmt, read, set);
    }
    for init in &p.init_plans {
        set.extend(&init.set_params);
        set.extend(init.cte_param);
        if let Some(sub) = stmt.subplans.get(init.plan as usize) {
            plan(sub, stmt, read, set);
        }
    }
    node(&p.node, stmt, read, set);
    for child in [&p.left, &p.right].into_iter().flatten() {
        plan(child, stmt, read, set);
    }
}

fn node(n: &PlanNode, stmt: &PlannedStmt, read: &mut Set, set: &mut Set) {
    let each =
        |list: &[Expr], read: &mut Set, set: &mut Set| list.iter().for_each(|e| expr(e, stmt, read, set));
    match n {
        PlanNode::Result { one_time } => each(one_time, read, set),
        PlanNode::ModifyTable(m) => {
            for t in &m.targets {
                t.returning.iter().for_each(|e| expr(&e.expr, stmt, read, set));
                t.check_options.iter().for_each(|c| expr(&c.qual, stmt, read, set));
            }
            if let Some(c) = &m.on_conflict {
                c.set.iter().for_each(|e| expr(&e.expr, stmt, read, set));
                c.where_.iter().for_each(|e| expr(e, stmt, read, set));
            }
            for a in &m.merge_actions {
                a.qual.iter().for_each(|e| expr(e, stmt, read, set));
                a.targets.iter().for_each(|t| expr(&t.expr, stmt, read, set));
            }
        }
        PlanNode::Append { children, .. } | PlanNode::MergeAppend { children, .. } => {
            children.iter().for_each(|c| plan(c, stmt, read, set));
        }
        PlanNode::RecursiveUnion { param, .. } => {
            set.insert(*param);
        }
        PlanNode::SampleScan { sample, .. } => {
            each(&sample.args, read, set);
            sample.repeatable.iter().for_each(|e| expr(e, stmt, read, set));
        }
        PlanNode::IndexScan(s) | PlanNode::IndexOnlyScan(s) => {
            each(&s.recheck, read, set);
            for q in &s.quals {
                match q {
                    IndexQual::Op { value, .. } | IndexQual::OrderBy { value, .. } => {
                        expr(value, stmt, read, set)
                    }
                    IndexQual::Array { array, .. } => expr(array, stmt, read, set),
                    IndexQual::Row { values, .. } => each(values, read, set),
                    IndexQual::NullTest { .. } => {}
                }
            }
        }
        PlanNode::TidScan { quals, .. } => each(quals, read, set),
        PlanNode::FunctionScan { functions, .. } => {
            functions.iter().for_each(|f| expr(&f.expr, stmt, read, set))
        }
        PlanNode::TableFuncScan { func, .. } => {
            expr(&func.doc, stmt, read, set);
            func.row.iter().for_each(|e| expr(e, stmt, read, set));
            func.passing.iter().for_each(|(_, e)| expr(e, stmt, read, set));
            for c in &func.columns {
                c.expr.iter().chain(&c.default).chain(&c.json).for_each(|e| expr(e, stmt, read, set));
            }
        }
        PlanNode::ValuesScan { rows, .. } => rows.iter().for_each(|r| each(r, read, set)),
        PlanNode::CteScan { cte_param, .. } => {
            read.insert(*cte_param);
        }
        PlanNode::WorkTableScan { param, .. } => {
            read.insert(*param);
        }
        PlanNode::NestLoop { join_qual, params, .. } => {
            each(join_qual, read, set);
            set.extend(params.iter().map(|(p, _)| *p));
            params.iter().for_each(|(_, e)| expr(e, stmt, read, set));
        }
        PlanNode::MergeJoin { join_qual, keys, .. } => {
            each(join_qual, read, set);
            for k in keys {
                expr(&k.outer, stmt, read, set);
                expr(&k.inner, stmt, read, set);
            }
        }
        PlanNode::HashJoin { join_qual, keys, .. } => {
            each(join_qual, read, set);
            for k in keys {
                expr(&k.outer, stmt, read, set);
                expr(&k.inner, stmt, read, set);
            }
        }
        PlanNode::Memoize { keys, .. } => each(keys, read, set),
        PlanNode::WindowAgg { frame, run_condition, .. } => {
            each(run_condition, read, set);
            for b in [&frame.start, &frame.end] {
                if let BoundPlan::Preceding(e) | BoundPlan::Following(e) = b {
                    expr(e, stmt, read, set);
                }
            }
        }
        PlanNode::Limit { limit, offset, .. } => {
            limit.iter().chain(offset).for_each(|e| expr(e, stmt, read, set));
        }
        _ => {}
    }
}
