//! The store: commits in one order, made durable in groups, applied, published.
//!
//! A commit draws its timestamp and its place in the queue under one lock; whoever runs the pipeline (a thread of its
//! own, or the committer itself) takes the whole queue, appends it to the log as one frame, syncs once, applies every
//! batch to the LSM tree, publishes the newest timestamp and completes the tickets.
//!
//! Invariant: timestamp order = log order = order of visibility. After a failed sync nothing is acknowledged any more.
//!
//! Lock order: `work` before `queue`.

mod open;
mod pipeline;
mod ticket;

pub use ticket::CommitTicket;

use crate::batch::WriteBatch;
use crate::engine::{Engine, EngineStats, SortedRows};
use crate::env::{Env, Joiner, LockGuard, io_error};
use crate::lsm::{check_batch, run_compactor, run_flusher};
use crate::options::StoreOptions;
use crate::types::Timestamp;
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
        let leader = env.threads.is_none() || !options.pipeline_thread;
        let pipeline = Arc::new(Pipeline::new(opened, &options));
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
            if !leader {
                let p = store.pipeline.clone();
                store.committer = Some(spawn("pglite-commit", Box::new(move || p.run()))?);
            }
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
        batch.check()?;
        check_batch(&batch)?;
        self.pipeline.submit(batch, Vec::new(), mode == Durability::Sync, self.committer.is_some())
    }

    /// Commits sorted rows together with `batch`, as one commit. The rows go into tables at once, around the log and
    /// the memtable: meant for bulk loads. `rows` and `batch` must not share keys.
    pub fn ingest(&self, rows: &mut dyn SortedRows, batch: WriteBatch) -> PgResult<CommitTicket> {
        batch.check()?;
        check_batch(&batch)?;
        let lsm = &self.pipeline.lsm;
        let tables = lsm.write_run(rows)?;
        let ids = tables.clone();
        let submitted = self.pipeline.submit(batch, tables, true, self.committer.is_some());
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
