//! The store: commits in one order, made durable in groups, applied, published.
//!
//! A commit draws its timestamp and its place in the queue under one lock; whoever leads (a committer that waits, or the
//! pipeline thread: `lead`) takes the whole queue, appends it to the log as one frame, syncs once, applies every batch
//! to the LSM tree, publishes the newest timestamp and completes the tickets.
//!
//! Invariant: timestamp order = log order = order of visibility. After a failed sync nothing is acknowledged any more.

mod lead;
mod open;
mod pipeline;
mod ticket;

pub use pipeline::Finish;
pub use ticket::CommitTicket;

use crate::batch::WriteBatch;
use crate::engine::{Engine, EngineStats, SortedRows};
use crate::env::{Env, Joiner, LockGuard, io_error};
use crate::lsm::{check_batch, run_compactor, run_flusher};
use crate::options::StoreOptions;
use crate::types::Timestamp;
use lead::{Submission, refuse};
use pglite_error::{PgError, PgResult, codes};
use pipeline::Pipeline;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk (if the store syncs at all).
    Sync,
    /// When it is visible; it reaches the disk soon.
    Async,
}

/// Figures about the store.
#[derive(Clone, Debug, Default)]
pub struct StoreStats {
    pub engine: EngineStats,
    pub commits: u64,
    /// Groups written to the log, and syncs of it.
    pub groups: u64,
    pub syncs: u64,
    pub wal_bytes: u64,
    pub published: Timestamp,
    /// What background work is stuck on, if anything.
    pub background_error: Option<PgError>,
}

/// An open database directory.
pub struct Store {
    pipeline: Arc<Pipeline>,
    committer: Option<Joiner>,
    workers: Vec<Joiner>,
    dir: PathBuf,
    _lock: Box<dyn LockGuard>,
}

impl Store {
    /// Opens the directory, creating or recovering it.
    pub fn open(env: Env, dir: &Path, options: StoreOptions) -> PgResult<Store> {
        env.vfs.create_dir(dir).map_err(|e| io_error("create", dir, &e))?;
        let lock = open::lock_dir(&env, dir)?;
        let opened = open::open(&env, dir, &options)?;
        if let Some(wal) = &opened.wal {
            opened.lsm.set_wal(wal.shared().clone());
        }
        let pipeline = Arc::new(Pipeline::new(opened, &options, env.threads.is_some()));
        let mut store =
            Store { pipeline, committer: None, workers: Vec::new(), dir: dir.to_owned(), _lock: lock };
        if let Some(threads) = &env.threads {
            let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
                threads.spawn(name, body).map_err(|e| {
                    PgError::new(codes::INSUFFICIENT_RESOURCES, format!("could not start a thread: {e}"))
                })
            };
            store.pipeline.lsm.set_threaded();
            let p = store.pipeline.clone();
            store.workers.push(spawn("pglite-flush", Box::new(move || run_flusher(&p.lsm, &|e| p.fail(e))))?);
            let p = store.pipeline.clone();
            store
                .workers
                .push(spawn("pglite-compact", Box::new(move || run_compactor(&p.lsm, &|e| p.fail(e))))?);
            let p = store.pipeline.clone();
            store.committer = Some(spawn("pglite-commit", Box::new(move || p.run()))?);
        }
        Ok(store)
    }

    /// The database directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the batch its timestamp and its place in the log. It becomes visible and durable in that order; the
    /// ticket tells when.
    pub fn commit(&self, batch: WriteBatch, mode: Durability) -> PgResult<CommitTicket> {
        self.submit(batch, mode, None)
    }

    /// Likewise; `finish` runs with the outcome before anybody hears of it, in the order of the log, also when the
    /// commit is refused.
    pub fn commit_with(&self, batch: WriteBatch, mode: Durability, finish: Finish) -> PgResult<CommitTicket> {
        self.submit(batch, mode, Some(finish))
    }

    fn submit(&self, batch: WriteBatch, mode: Durability, finish: Option<Finish>) -> PgResult<CommitTicket> {
        if let Err(error) = batch.check().and_then(|()| check_batch(&batch)) {
            return Err(refuse(finish, error));
        }
        let sync = mode == Durability::Sync;
        self.pipeline.submit(Submission { batch, tables: Vec::new(), sync, finish })
    }

    /// Commits sorted rows together with `batch`, as one commit. The rows go into tables at once, around the log and
    /// the memtable: meant for bulk loads. `rows` and `batch` must not share keys. `finish` as with
    /// [`commit_with`](Self::commit_with).
    pub fn ingest(
        &self,
        rows: &mut dyn SortedRows,
        batch: WriteBatch,
        finish: Option<Finish>,
    ) -> PgResult<CommitTicket> {
        let lsm = &self.pipeline.lsm;
        let checked = batch.check().and_then(|()| check_batch(&batch)).and_then(|()| lsm.write_run(rows));
        let tables = match checked {
            Ok(tables) => tables,
            Err(error) => return Err(refuse(finish, error)),
        };
        let ids = tables.clone();
        let submitted = self.pipeline.submit(Submission { batch, tables, sync: true, finish });
        submitted.inspect_err(|_| lsm.discard_run(&ids))
    }

    /// The newest visible timestamp.
    #[inline]
    pub fn published(&self) -> Timestamp {
        self.pipeline.published()
    }
    #[inline]
    pub fn engine(&self) -> &dyn Engine {
        &self.pipeline.lsm
    }
    /// Moves everything committed so far into tables and frees the log.
    pub fn checkpoint(&self) -> PgResult<()> {
        self.pipeline.lsm.flush()
    }
    /// No reader will ask below `horizon` again.
    pub fn set_gc_horizon(&self, horizon: Timestamp) {
        self.pipeline.lsm.set_gc_horizon(horizon);
    }
    pub fn stats(&self) -> StoreStats {
        self.pipeline.stats()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.pipeline.stop();
        if let Some(join) = self.committer.take() {
            join();
        }
        self.pipeline.lsm.stop_background();
        self.workers.drain(..).for_each(|join| join());
        self.pipeline.close();
    }
}
