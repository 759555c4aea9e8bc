//! `Prepared`: a `PlannedStmt` compiled once. Shared by every run of a cached plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::{Expr, SubLinkKind};
use pglite_ir::plan::{Plan, PlanNode, PlannedStmt};
use pglite_types::Oid;

use crate::env::ExecEnv;
use crate::node::{Builder, NodeProg};

mod params;

/// A compiled plan.
pub struct Prepared {
    pub stmt: Arc<PlannedStmt>,
    pub program: Arc<PlanProgram>,
}

pub struct PlanProgram {
    pub root: NodeProg,
    pub subplans: Vec<SubProgram>,
    pub init_plans: Vec<InitProgram>,
    pub exec_params: usize,
    pub node_count: usize,
    pub width: usize,
    /// Some node writes.
    pub modifying: bool,
}

pub struct SubProgram {
    pub prog: NodeProg,
    pub width: usize,
    pub first_type: Oid,
    /// Exec parameters read from outside.
    pub deps: Vec<u32>,
    /// A data-modifying CTE.
    pub modifies: bool,
}

pub struct InitProgram {
    pub plan: u32,
    pub kind: SubLinkKind,
    pub set_params: Vec<u32>,
    pub cte_param: Option<u32>,
    pub deps: Vec<u32>,
}

impl Prepared {
    pub fn compile(stmt: Arc<PlannedStmt>, env: &ExecEnv<'_>) -> PgResult<Arc<Prepared>> {
        let mut b = Builder::new(env, &stmt);
        let mut subplans = Vec::with_capacity(stmt.subplans.len());
        for plan in &stmt.subplans {
            let built = b.build(plan)?;
            subplans.push(SubProgram {
                prog: built.prog,
                width: built.width,
                first_type: plan.targets.iter().find(|t| !t.junk).map_or(Oid::INVALID, |t| t.expr.ty()),
                deps: outside_params(plan, &stmt),
                modifies: matches!(plan.node, PlanNode::ModifyTable(_)),
            });
        }
        let root = b.build(&stmt.plan)?;
        let is_write = |p: &Plan| matches!(p.node, PlanNode::ModifyTable(_));
        let program = PlanProgram {
            modifying: is_write(&stmt.plan) || stmt.subplans.iter().any(is_write),
            root: root.prog,
            subplans,
            init_plans: b.init_plans,
            exec_params: stmt.exec_params as usize,
            node_count: b.next_id,
            width: root.width,
        };
        Ok(Arc::new(Prepared { stmt, program: Arc::new(program) }))
    }
}

/// Exec parameters that a subtree reads and does not set itself.
pub fn outside_params(plan: &Plan, stmt: &PlannedStmt) -> Vec<u32> {
    let (mut read, mut set) = (BTreeSet::new(), BTreeSet::new());
    params::plan(plan, stmt, &mut read, &mut set);
    read.difference(&set).copied().collect()
}

/// Exec parameters an expression reads.
pub fn expr_params(expr: &Expr, stmt: &PlannedStmt) -> Vec<u32> {
    let (mut read, mut set) = (BTreeSet::new(), BTreeSet::new());
    params::expr(expr, stmt, &mut read, &mut set);
    read.difference(&set).copied().collect()
}
