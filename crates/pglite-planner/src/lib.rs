//! `Query` to `PlannedStmt`: preprocessing, paths with costs, and the finished plan.
//!
//! On the way of a statement: after the rewriter, before the executor. [`plan`] is the entry point; what it needs of the
//! session it asks through [`PlannerEnv`].
//!
//! In reading order: [`subquery`] prepares one query level (sublinks, pull-up, folding), `query_main` takes FROM and WHERE
//! apart and joins them, `upper` adds grouping to LIMIT, `create` turns the cheapest path into a plan, `refs` finishes it.
//!
//! Invariant: until `refs`, Vars name the range table of their own query level; no expression refers to an outer level
//! after `subquery::preprocess_expr` (exec params stand in for such references).

pub mod env;

mod cat;
mod cost;
mod create;
mod decon;
mod eclass;
mod equal;
mod exprs;
mod fold;
mod glob;
mod index;
mod inherit;
mod join;
mod modify;
mod outer;
mod path;
mod pathkeys;
mod predicate;
mod prune;
mod pullup;
mod query_main;
mod refs;
mod rel;
mod relids;
mod removal;
mod restrict;
mod scan;
mod sel;
mod setop;
mod settings;
mod sublink;
mod subquery;
mod types;
mod upper;
mod walker;

pub use env::{ColumnStats, PlanOptions, PlannerEnv};

use pglite_error::PgResult;
use pglite_ir::plan::{Plan, PlanNode};
use pglite_ir::{CommandType, PlannedStmt, Query};

use types::Glob;

/// Plans one rewritten, non-utility query.
pub fn plan(env: &dyn PlannerEnv, query: Query, options: PlanOptions) -> PgResult<PlannedStmt> {
    let mut g = Glob::new(env, &options);
    let command = query.command;
    let has_returning = !query.returning.is_empty();
    let has_modifying_cte = query.has_modifying_cte;
    let locks = !query.row_marks.is_empty();
    let fraction = if options.cursor { g.set.cursor_tuple_fraction } else { 0.0 };
    let fraction = if fraction >= 1.0 { 0.0 } else { fraction };
    let mut root = subquery::plan_query(&mut g, query, 0, false, fraction, None)?;
    let mut top = create::finish_query(&mut g, &mut root, fraction)?;
    let mut flat = refs::Flat { rtable: Vec::new(), result_relations: Vec::new() };
    flat.set_root(&mut top, &mut root)?;
    let mut subplans = Vec::with_capacity(g.subplans.len());
    for slot in std::mem::take(&mut g.subplans) {
        let (Some(mut p), Some(mut r)) = (slot.plan, slot.root) else { continue };
        flat.set_root(&mut p, &mut r)?;
        subplans.push(p);
    }
    refs::set_ext_params(&mut top, &mut subplans);
    let can_scroll = command == CommandType::Select && !locks && supports_backward(&top);
    Ok(PlannedStmt {
        command,
        plan: top,
        rtable: flat.rtable,
        subplans,
        exec_params: g.nparams,
        has_returning,
        has_modifying_cte,
        read_only: command == CommandType::Select && !has_modifying_cte && !locks,
        result_relations: flat.result_relations,
        can_scroll,
    })
}

/// The plan can be read backward without storing its output.
fn supports_backward(plan: &Plan) -> bool {
    match &plan.node {
        PlanNode::SeqScan { .. }
        | PlanNode::IndexScan(_)
        | PlanNode::IndexOnlyScan(_)
        | PlanNode::TidScan { .. }
        | PlanNode::FunctionScan { .. }
        | PlanNode::ValuesScan { .. }
        | PlanNode::CteScan { .. }
        | PlanNode::Material
        | PlanNode::Sort { .. } => true,
        PlanNode::SubqueryScan { .. } | PlanNode::Limit { .. } => {
            plan.left.as_deref().is_some_and(supports_backward)
        }
        PlanNode::Append { children, .. } => children.iter().all(supports_backward),
        _ => false,
    }
}
