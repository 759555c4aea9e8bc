//! The mutable state of one run: parameters, subplans, CTE stores, case-test values.
//!
//! Invariant: a subplan's state is taken out of its slot while it runs, so no node is entered twice at once.

use std::sync::Arc;

use pglite_error::{PgResult, err};
use pglite_types::Datum;

use crate::env::ExecEnv;
use crate::instrument::NodeStats;
use crate::node::BoxNode;
use crate::prepared::PlanProgram;
use crate::store::{CteStore, WorkTable};

/// Bytes that one statement's sorts, hash tables and stores may hold together, unless told otherwise.
const STATEMENT_MEMORY: usize = 2 << 30;

/// An exec parameter: set by nested loops, subplans and init plans.
#[derive(Clone, Debug, Default)]
pub struct ParamSlot {
    pub value: Datum,
    /// Grows with every change; caching nodes compare it.
    pub stamp: u64,
    /// The init plan (index in the program's list) that computes the value on first use.
    pub pending: Option<u32>,
}

/// A SubPlan's or init plan's running state.
#[derive(Default)]
pub struct SubState {
    pub node: Option<BoxNode>,
    pub opened: bool,
    /// Hashed ANY: built lazily.
    pub hash: Option<Box<crate::expr::subplan::HashedSub>>,
    /// Stamp sum of the outer parameters at the last run, for uncorrelated re-use.
    pub seen: u64,
}

/// One row standing in for a whole relation while a changed row is re-checked.
#[derive(Clone, Debug)]
pub struct Recheck {
    pub rte: u32,
    pub row: u64,
    pub table: pglite_types::Oid,
}

pub struct RunState {
    pub program: Option<Arc<PlanProgram>>,
    pub params: Arc<[Datum]>,
    pub exec: Vec<ParamSlot>,
    pub subplans: Vec<SubState>,
    /// Values of enclosing CASE tests and array elements, innermost last.
    pub case: Vec<Datum>,
    /// `VALUE` of enclosing domain checks.
    pub domain: Vec<Datum>,
    pub ctes: Vec<Option<Box<CteStore>>>,
    pub work_tables: Vec<Option<Box<WorkTable>>>,
    pub stamp: u64,
    pub memory: usize,
    /// 0 = unlimited.
    pub memory_limit: usize,
    pub recheck: Option<Recheck>,
    /// Rows processed by the top-level ModifyTable.
    pub processed: u64,
    pub stats: Vec<NodeStats>,
    pub instrument: bool,
    /// The instrumented node that is running.
    pub node: usize,
    pub modify: crate::modify::StatementState,
}

impl RunState {
    /// A state for expressions outside a plan.
    pub fn bare(params: Arc<[Datum]>) -> RunState {
        RunState {
            program: None,
            params,
            exec: Vec::new(),
            subplans: Vec::new(),
            case: Vec::new(),
            domain: Vec::new(),
            ctes: Vec::new(),
            work_tables: Vec::new(),
            stamp: 1,
            memory: 0,
            memory_limit: 0,
            recheck: None,
            processed: 0,
            stats: Vec::new(),
            instrument: false,
            node: 0,
            modify: Default::default(),
        }
    }

    pub fn for_program(program: Arc<PlanProgram>, params: Arc<[Datum]>, instrument: bool) -> RunState {
        let mut state = RunState::bare(params);
        state.exec.resize_with(program.exec_params, ParamSlot::default);
        state.subplans.resize_with(program.subplans.len(), SubState::default);
        state.ctes.resize_with(program.exec_params, || None);
        state.work_tables.resize_with(program.exec_params, || None);
        state.memory_limit = STATEMENT_MEMORY;
        state.instrument = instrument;
        if instrument {
            state.stats.resize_with(program.node_count, NodeStats::default);
        }
        state.program = Some(program);
        state
    }

    /// Accounts `bytes` more; 53200 past the statement's bound.
    pub fn charge(&mut self, bytes: usize) -> PgResult<()> {
        self.memory += bytes;
        if self.memory_limit != 0 && self.memory > self.memory_limit {
            return Err(err!(OUT_OF_MEMORY, "out of memory")
                .detail(format!("Statement uses more than {} bytes.", self.memory_limit)));
        }
        Ok(())
    }

    /// Notes something about the running node, when anybody wants to know.
    #[inline]
    pub fn note(&mut self, f: impl FnOnce(&mut NodeStats)) {
        if self.instrument
            && let Some(stats) = self.stats.get_mut(self.node)
        {
            f(stats);
        }
    }

    pub fn release(&mut self, bytes: usize) {
        self.memory = self.memory.saturating_sub(bytes);
    }

    pub fn set_param(&mut self, id: usize, value: Datum) {
        self.stamp += 1;
        let stamp = self.stamp;
        if let Some(slot) = self.exec.get_mut(id) {
            slot.value = value;
            slot.stamp = stamp;
            slot.pending = None;
        }
    }

    /// The newest change among `params`.
    pub fn newest(&self, params: &[u32]) -> u64 {
        params.iter().filter_map(|p| self.exec.get(*p as usize)).map(|s| s.stamp).max().unwrap_or(0)
    }
}

/// What evaluation and nodes get: the surroundings and the run's state.
pub struct ExecCx<'a> {
    pub env: &'a ExecEnv<'a>,
    pub run: &'a mut RunState,
}

impl<'a> ExecCx<'a> {
    pub fn new(env: &'a ExecEnv<'a>, run: &'a mut RunState) -> ExecCx<'a> {
        ExecCx { env, run }
    }
    pub fn check_interrupts(&self) -> PgResult<()> {
        self.env.host.check_interrupts()
    }
}
