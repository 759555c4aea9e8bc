//! `Executor`: one run of a prepared plan, suspended and resumed between calls of `run`.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_types::{BATCH_ROWS, Batch, Datum};

use crate::env::ExecEnv;
use crate::instrument::NodeStats;
use crate::node::BoxNode;
use crate::prepared::Prepared;
use crate::state::{ExecCx, RunState};

/// How a `run` call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunResult {
    /// Rows handed to the sink by this call.
    pub rows: u64,
    /// Nothing is left.
    pub done: bool,
}

/// An owned state machine: holds no borrow of its surroundings between calls.
pub struct Executor {
    prepared: Arc<Prepared>,
    root: BoxNode,
    state: RunState,
    batch: Batch,
    opened: bool,
    done: bool,
}

impl Executor {
    pub fn new(prepared: Arc<Prepared>, params: Arc<[Datum]>) -> Executor {
        Executor::with_instrumentation(prepared, params, false)
    }

    /// `instrument`: count rows and time per node (EXPLAIN ANALYZE).
    pub fn with_instrumentation(prepared: Arc<Prepared>, params: Arc<[Datum]>, instrument: bool) -> Executor {
        let state = RunState::for_program(prepared.program.clone(), params, instrument);
        let root = crate::node::make(&prepared.program.root, instrument);
        Executor { prepared, root, state, batch: Batch::default(), opened: false, done: false }
    }

    /// Bounds the statement's memory in bytes; 0 = no bound.
    pub fn set_memory_limit(&mut self, bytes: usize) {
        self.state.memory_limit = bytes;
    }

    /// Pulls up to `max_rows` rows (0 = all) and hands them over in batches. The sink returns false to stop early.
    pub fn run(
        &mut self,
        env: &ExecEnv<'_>,
        max_rows: u64,
        sink: &mut dyn FnMut(&mut Batch) -> PgResult<bool>,
    ) -> PgResult<RunResult> {
        let mut rows = 0;
        if self.done {
            return Ok(RunResult { rows, done: true });
        }
        let mut cx = ExecCx::new(env, &mut self.state);
        if !self.opened {
            self.opened = true;
            self.root.open(&mut cx)?;
        }
        loop {
            let left = if max_rows == 0 { BATCH_ROWS as u64 } else { max_rows - rows };
            if left == 0 {
                return Ok(RunResult { rows, done: false });
            }
            cx.check_interrupts()?;
            let max = left.min(BATCH_ROWS as u64) as usize;
            if !self.root.next_batch(&mut cx, &mut self.batch, max)? {
                self.done = true;
                crate::modify::finish_statement(&mut cx)?;
                return Ok(RunResult { rows, done: true });
            }
            rows += self.batch.len() as u64;
            if !sink(&mut self.batch)? {
                return Ok(RunResult { rows, done: false });
            }
        }
    }

    /// Rows inserted, updated, deleted or merged by the top-level ModifyTable so far.
    pub fn processed(&self) -> u64 {
        self.state.processed
    }
    /// Per node, numbered in pre-order (left, right, then listed children): first every subplan, then the main plan.
    pub fn stats(&self) -> &[NodeStats] {
        &self.state.stats
    }
    pub fn prepared(&self) -> &Arc<Prepared> {
        &self.prepared
    }
    pub fn is_done(&self) -> bool {
        self.done
    }
}

const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Executor>();
};
