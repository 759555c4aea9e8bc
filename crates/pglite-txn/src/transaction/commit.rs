//! The end of a transaction: commit through the store's pipeline, or abort.
//!
//! Order at commit: the store publishes -> `on_commit` hooks -> counters -> locks are released -> the committer is
//! told. So whoever gets one of the locks sees the commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::{Condvar, Mutex};
use pglite_error::{PgResult, bail};
use pglite_storage::{Durability, WriteBatch};
use smallvec::SmallVec;

use super::{Hook, State, TableUse, Transaction};
use crate::backend::Backend;
use crate::counters::TableCounters;
use crate::layout::Space;
use crate::lock::HeldLock;
use crate::manager::{TxnManager, XID_SPACE};

/// Fresh rows of at least this size are ingested as tables.
const BULK_BYTES: usize = 8 << 20;

type Callback = Box<dyn FnOnce(PgResult<()>) + Send>;

enum Progress {
    Pending,
    Called(Callback),
    Done(PgResult<()>),
}

struct Completion {
    progress: Mutex<Progress>,
    done: Condvar,
}

/// A commit under way.
#[must_use = "a commit is done only when it says so"]
pub struct Commit {
    /// `None`: there was nothing to wait for.
    completion: Option<Arc<Completion>>,
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").field("pending", &self.completion.is_some()).finish()
    }
}

impl Commit {
    /// The outcome, if it is there already.
    pub fn poll(&self) -> Option<PgResult<()>> {
        let Some(completion) = &self.completion else { return Some(Ok(())) };
        match &*completion.progress.lock() {
            Progress::Done(result) => Some(result.clone()),
            _ => None,
        }
    }
    /// Blocks until the commit is as durable as asked, visible, and its locks are free.
    pub fn wait(self) -> PgResult<()> {
        let Some(completion) = self.completion else { return Ok(()) };
        let mut progress = completion.progress.lock();
        loop {
            if let Progress::Done(result) = &*progress {
                return result.clone();
            }
            completion.done.wait(&mut progress);
        }
    }
    /// Calls `done` at that point: perhaps at once, perhaps on the commit pipeline, so it must be short.
    pub fn on_done(self, done: impl FnOnce(PgResult<()>) + Send + 'static) {
        let Some(completion) = self.completion else { return done(Ok(())) };
        let mut progress = completion.progress.lock();
        if let Progress::Done(result) = &*progress {
            let result = result.clone();
            drop(progress);
            return done(result);
        }
        *progress = Progress::Called(Box::new(done));
    }
}

impl Completion {
    fn complete(&self, result: PgResult<()>) {
        let before = std::mem::replace(&mut *self.progress.lock(), Progress::Done(result.clone()));
        match before {
            Progress::Called(callback) => callback(result),
            _ => {
                self.done.notify_all();
            }
        }
    }
}

/// The counter limits a commit moves.
type Limits = SmallVec<[(Arc<TableCounters>, u64); 2]>;

/// What is left to do when the store has published (or refused) the commit.
struct Finish {
    manager: Arc<TxnManager>,
    backend: Arc<Backend>,
    local: u32,
    locks: Vec<HeldLock>,
    hooks: Vec<Hook>,
    tables: SmallVec<[TableUse; 4]>,
    dropped: Vec<Space>,
    limits: Limits,
}

impl Finish {
    fn run(self, committed: bool) {
        for (counters, limit) in &self.limits {
            if committed {
                counters.limit_moved(*limit);
            }
        }
        run_hooks(self.hooks, committed);
        for table in &self.tables {
            table.counters.count(&table.done, committed);
        }
        if committed {
            self.manager.forget(&self.dropped);
        }
        self.backend.end(self.local);
        for lock in self.locks.iter().rev() {
            self.manager.locks().release(self.backend.owner, lock, false);
        }
    }
}

fn run_hooks(hooks: Vec<Hook>, committed: bool) {
    // Undo goes backwards.
    let (commit, abort): (Vec<Hook>, Vec<Hook>) =
        hooks.into_iter().partition(|h| matches!(h, Hook::Commit(_)));
    let run = |hook| match hook {
        Hook::Commit(action) | Hook::Abort(action) => action(),
    };
    if committed {
        commit.into_iter().for_each(run);
    } else {
        abort.into_iter().rev().for_each(run);
    }
}

impl Transaction {
    /// Commits. A transaction that wrote nothing costs nothing. On an error it is aborted.
    pub fn commit(&self, durability: Durability) -> PgResult<Commit> {
        if self.ended.swap(true, Ordering::AcqRel) {
            bail!(INVALID_TRANSACTION_STATE, "transaction has ended");
        }
        let state = std::mem::take(&mut *self.state.lock());
        if state.writes.is_empty() {
            self.finish(state, SmallVec::new()).run(true);
            return Ok(Commit { completion: None });
        }
        // Why around the log: a bulk load would be written to the log and the memtable and then to tables again.
        let bulk = state.writes.fresh_bytes() > BULK_BYTES;
        let (batch, limits) = self.batch(&state, !bulk);
        let in_order = state.hooks.iter().any(|hook| matches!(hook, Hook::Commit(_)));
        let store = self.manager.store();
        // Why: hooks run in WAL order only if nobody commits between our place in the log and our callback.
        let order = in_order.then(|| self.manager.commit_order.lock());
        let (ticket, finish) = if bulk {
            let ticket = store.ingest(&mut state.writes.fresh_rows(), batch);
            (ticket, self.finish(state, limits))
        } else {
            // Frees the write set before the log takes its copy.
            let finish = self.finish(state, limits);
            (store.commit(batch, durability), finish)
        };
        let ticket = match ticket {
            Ok(ticket) => ticket,
            Err(error) => {
                finish.run(false);
                return Err(error);
            }
        };
        let completion =
            Arc::new(Completion { progress: Mutex::new(Progress::Pending), done: Condvar::new() });
        let told = completion.clone();
        ticket.on_done(Box::new(move |result| {
            finish.run(result.is_ok());
            told.complete(result);
        }));
        drop(order);
        self.manager.committed();
        Ok(Commit { completion: Some(completion) })
    }

    /// Everything this commit changes, and the counter limits it moves.
    fn batch(&self, state: &State, with_fresh: bool) -> (WriteBatch, Limits) {
        let mut batch = state.writes.to_batch(64 * (state.tables.len() + 1), with_fresh);
        let mut limits = SmallVec::new();
        for table in &state.tables {
            if table.done.used > 0
                && !state.dropped.contains(&table.space)
                && let Some(limit) = table.counters.add_limit(table.space, table.done.used, &mut batch)
            {
                limits.push((table.counters.clone(), limit));
            }
        }
        let xids = self.manager.xids();
        if let Some(xid) = self.xid_if_assigned()
            && let Some(limit) = xids.add_limit(XID_SPACE, xid as u64 + 1, &mut batch)
        {
            limits.push((xids.clone(), limit));
        }
        (batch, limits)
    }

    fn finish(&self, state: State, limits: Limits) -> Finish {
        Finish {
            manager: self.manager.clone(),
            backend: self.backend.clone(),
            local: self.local,
            locks: state.locks,
            hooks: state.hooks,
            tables: state.tables,
            dropped: state.dropped,
            limits,
        }
    }

    /// Undoes everything. No effect on a transaction that has ended.
    pub fn abort(&self) {
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        let state = std::mem::take(&mut *self.state.lock());
        self.finish(state, SmallVec::new()).run(false);
    }
    /// Whether it has committed or aborted.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}
