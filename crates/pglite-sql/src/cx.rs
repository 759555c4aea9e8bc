//! `Cx`: one statement's surroundings - the catalogs, settings, transaction and view it runs with - and the answers to
//! every callback of the layers below.

mod analyze;
mod functions;
mod hooks;
mod planner;
mod reg;
mod types;

use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::{SearchPath, Snapshot};
use pglite_commands::StatementEnv;
use pglite_error::PgResult;
use pglite_exec::{ExecEnv, ExecHooks};
use pglite_ir::FnHost;
use pglite_planner::PlannerEnv;
use pglite_txn::{ReadView, Transaction};
use pglite_types::IoSettings;

use crate::core::Core;

pub(crate) struct Cx<'s> {
    pub core: &'s Core,
    pub catalog: Arc<Snapshot>,
    pub io: Arc<IoSettings>,
    pub path: Arc<SearchPath>,
    pub txn: Arc<Transaction>,
    pub view: ReadView,
    pub generation: u64,
    work_mem: usize,
}

impl<'s> Cx<'s> {
    /// Surroundings with a new view.
    pub fn new(core: &'s Core) -> PgResult<Cx<'s>> {
        let txn = core.txn()?;
        let view = txn.statement_view();
        Cx::with_view(core, view)
    }

    /// Surroundings with a view taken before (a suspended portal).
    pub fn with_view(core: &'s Core, view: ReadView) -> PgResult<Cx<'s>> {
        let txn = core.txn()?;
        let work_mem = core.settings.borrow().hot().work_mem;
        Ok(Cx {
            catalog: core.snapshot(),
            io: core.io(),
            path: core.search_path(),
            generation: core.generation(),
            core,
            txn,
            view,
            work_mem,
        })
    }

    pub fn exec_env(&self) -> ExecEnv<'_> {
        ExecEnv { txn: &self.txn, view: &self.view, host: self, hooks: self, work_mem: self.work_mem }
    }
}

impl StatementEnv for Cx<'_> {
    fn as_fn_host(&self) -> &dyn FnHost {
        self
    }
    fn as_analyze_env(&self) -> &dyn AnalyzeEnv {
        self
    }
    fn as_planner_env(&self) -> &dyn PlannerEnv {
        self
    }
    fn as_exec_hooks(&self) -> &dyn ExecHooks {
        self
    }
}
