//! The end of a transaction: commit through the store's pipeline, or abort.
//!
//! Order at commit: the store publishes -> `on_commit` hooks -> counters -> locks are released -> the committer is
//! told. So whoever gets one of the locks sees the commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

use pglite_error::{PgResult, bail};
use pglite_storage::{CommitTicket, Durability, WriteBatch};
use smallvec::SmallVec;

use super::{Hook, State, TableUse, Transaction};
use crate::backend::Backend;
use crate::counters::TableCounters;
use crate::layout::Space;
use crate::lock::HeldLock;
use crate::manager::{TxnManager, XID_SPACE};

/// Fresh rows of at least this size are ingested as tables.
const BULK_BYTES: usize = 8 << 20;

/// A commit under way. It is taken further when somebody waits for it, polls it or drops it (`CommitTicket`).
#[derive(Debug)]
#[must_use = "a commit is done only when it says so"]
pub struct Commit {
    /// `None`: there was nothing to wait for.
    ticket: Option<CommitTicket>,
}

impl Commit {
    /// The outcome, if it is there already.
    pub fn poll(&self) -> Option<PgResult<()>> {
        self.ticket.as_ref().map_or(Some(Ok(())), CommitTicket::poll)
    }
    /// For futures: the outcome, or `waker` is woken when it is there.
    pub fn poll_with(&self, waker: &Waker) -> Poll<PgResult<()>> {
        self.ticket.as_ref().map_or(Poll::Ready(Ok(())), |ticket| ticket.poll_with(waker))
    }
    /// Blocks until the commit is as durable as asked, visible, and its locks are free. The thread may do the work of a
    /// whole group meanwhile.
    pub fn wait(&self) -> PgResult<()> {
        self.ticket.as_ref().map_or(Ok(()), CommitTicket::wait)
    }
    /// Calls `done` at that point: perhaps at once, perhaps on the commit pipeline, so it must be short.
    pub fn on_done(self, done: impl FnOnce(PgResult<()>) + Send + 'static) {
        match self.ticket {
            Some(ticket) => ticket.on_done(Box::new(done)),
            None => done(Ok(())),
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
        let mut state = std::mem::take(&mut *self.state.lock());
        if state.writes.is_empty() {
            self.finish(state, SmallVec::new()).run(true);
            return Ok(Commit { ticket: None });
        }
        // Why around the log: a bulk load would be written to the log and the memtable and then to tables again.
        let bulk = state.writes.fresh_bytes() > BULK_BYTES;
        let (batch, limits) = self.batch(&state, !bulk);
        let store = self.manager.store();
        let ticket = if bulk {
            let writes = std::mem::take(&mut state.writes);
            let finish = self.finish(state, limits);
            let finish = Box::new(move |outcome: &PgResult<()>| finish.run(outcome.is_ok()));
            store.ingest(&mut writes.fresh_rows(), batch, Some(finish))
        } else {
            // Frees the write set before the log takes its copy.
            let finish = self.finish(state, limits);
            store.commit_with(batch, durability, Box::new(move |outcome| finish.run(outcome.is_ok())))
        }?;
        self.manager.committed();
        Ok(Commit { ticket: Some(ticket) })
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
