//! The store: commits in one order, made durable in groups, applied, published.
//!
//! A commit draws its timestamp and its place in the queue under one lock; whoever runs the pipeline (a thread of its
//! own, or the committer itself) takes the whole queue, appends it to the log as one frame, syncs once, applies every
//! batch to the LSM tree, publishes the newest timestamp and completes the tickets.
//!
//! Invariant: timestamp order = log order = order of visibility.
//!
//! Lock order: `work` before `queue`.

mod ticket;

pub use ticket::CommitTicket;

use crate::batch::WriteBatch;
use crate::engine::{Engine, EngineStats, SortedRows};
use crate::env::{Env, Joiner, LockGuard};
use crate::lsm::Lsm;
use crate::options::StoreOptions;
use crate::types::Timestamp;
use parking_lot::{Condvar, Mutex};
use pglite_error::{PgError, PgResult, codes};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use ticket::TicketState;

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
}

struct Pending {
    ts: u64,
    batch: WriteBatch,
    sync: bool,
    ticket: Arc<TicketState>,
}

#[derive(Default)]
struct Queue {
    pending: Vec<Pending>,
    next_ts: u64,
    /// Whether the pipeline thread waits to be woken.
    idle: bool,
    stop: bool,
    fatal: Option<PgError>,
}

/// What only one thread at a time may touch: the tail of the log.
#[derive(Default)]
struct Work {
    group: Vec<Pending>,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    groups: AtomicU64,
}

struct Inner {
    lsm: Lsm,
    queue: Mutex<Queue>,
    wake: Condvar,
    work: Mutex<Work>,
    published: AtomicU64,
    counters: Counters,
}

/// An open database directory.
pub struct Store {
    inner: Arc<Inner>,
    pipeline: Option<Joiner>,
    dir: PathBuf,
    _lock: Box<dyn LockGuard>,
}

impl Store {
    /// Opens the directory, creating or recovering it.
    pub fn open(env: Env, dir: &Path, options: StoreOptions) -> PgResult<Store> {
        env.vfs.create_dir(dir).map_err(|e| crate::env::io_error("create directory for", dir, &e))?;
        let lock = lock_dir(&env, dir)?;
        let inner = Arc::new(Inner {
            lsm: Lsm::new(&options),
            queue: Mutex::new(Queue { next_ts: 1, ..Queue::default() }),
            wake: Condvar::new(),
            work: Mutex::default(),
            published: AtomicU64::new(0),
            counters: Counters::default(),
        });
        let pipeline = match &env.threads {
            Some(threads) if options.pipeline_thread => {
                let inner = inner.clone();
                let body = Box::new(move || inner.run_pipeline());
                Some(threads.spawn("pglite-commit", body).map_err(|e| {
                    PgError::new(
                        codes::INSUFFICIENT_RESOURCES,
                        format!("could not start the commit thread: {e}"),
                    )
                })?)
            }
            _ => None,
        };
        Ok(Store { inner, pipeline, dir: dir.to_owned(), _lock: lock })
    }

    /// The database directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the batch its timestamp and its place in the log. It becomes visible and durable in that order; the
    /// ticket tells when.
    pub fn commit(&self, batch: WriteBatch, mode: Durability) -> PgResult<CommitTicket> {
        batch.check()?;
        let ticket = Arc::new(TicketState::default());
        let (ts, wake) = {
            let mut queue = self.inner.queue.lock();
            if let Some(error) = &queue.fatal {
                return Err(error.clone());
            }
            let ts = queue.next_ts;
            queue.next_ts += 1;
            let sync = mode == Durability::Sync;
            queue.pending.push(Pending { ts, batch, sync, ticket: ticket.clone() });
            (ts, std::mem::take(&mut queue.idle))
        };
        if self.pipeline.is_none() {
            self.inner.process();
        } else if wake {
            self.inner.wake.notify_one();
        }
        Ok(CommitTicket::new(Timestamp(ts), ticket))
    }

    /// Commits sorted rows together with `batch`, as one commit. Meant for bulk loads.
    pub fn ingest(&self, rows: &mut dyn SortedRows, mut batch: WriteBatch) -> PgResult<CommitTicket> {
        while let Some((key, value)) = rows.next_row()? {
            batch.put(key, value);
        }
        self.commit(batch, Durability::Sync)
    }

    /// The newest visible timestamp.
    #[inline]
    pub fn published(&self) -> Timestamp {
        Timestamp(self.inner.published.load(Ordering::Acquire))
    }
    #[inline]
    pub fn engine(&self) -> &dyn Engine {
        &self.inner.lsm
    }
    /// Moves everything committed so far into tables and frees the log.
    pub fn checkpoint(&self) -> PgResult<()> {
        self.inner.lsm.flush()
    }
    /// No reader will ask below `horizon` again.
    pub fn set_gc_horizon(&self, horizon: Timestamp) {
        self.inner.lsm.set_gc_horizon(horizon);
    }
    pub fn stats(&self) -> StoreStats {
        StoreStats {
            engine: self.inner.lsm.stats(),
            commits: self.inner.counters.commits.load(Ordering::Relaxed),
            groups: self.inner.counters.groups.load(Ordering::Relaxed),
            published: self.published(),
            ..StoreStats::default()
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.inner.queue.lock().stop = true;
        self.inner.wake.notify_one();
        if let Some(join) = self.pipeline.take() {
            join();
        }
    }
}

impl Inner {
    /// The body of the pipeline thread.
    fn run_pipeline(&self) {
        loop {
            {
                let mut queue = self.queue.lock();
                while queue.pending.is_empty() && !queue.stop {
                    queue.idle = true;
                    self.wake.wait(&mut queue);
                }
                queue.idle = false;
                if queue.pending.is_empty() {
                    return;
                }
            }
            self.process();
        }
    }

    /// Takes the queue through the pipeline.
    fn process(&self) {
        let mut work = self.work.lock();
        let work = &mut *work;
        std::mem::swap(&mut work.group, &mut self.queue.lock().pending);
        if work.group.is_empty() {
            return;
        }
        self.counters.groups.fetch_add(1, Ordering::Relaxed);
        self.counters.commits.fetch_add(work.group.len() as u64, Ordering::Relaxed);
        let mut result = Ok(());
        for pending in &work.group {
            debug_assert!(pending.ts > self.published.load(Ordering::Relaxed));
            let _ = pending.sync;
            result = self.lsm.apply(&pending.batch, Timestamp(pending.ts));
            if result.is_err() {
                break;
            }
        }
        if let Some(last) = work.group.last() {
            self.published.store(last.ts, Ordering::Release);
        }
        for pending in work.group.drain(..) {
            pending.ticket.complete(result.clone());
        }
    }
}

fn lock_dir(env: &Env, dir: &Path) -> PgResult<Box<dyn LockGuard>> {
    let path = dir.join("LOCK");
    env.vfs.lock(&path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::WouldBlock {
            PgError::new(
                codes::LOCK_FILE_EXISTS,
                format!("data directory \"{}\" is in use by another process", dir.display()),
            )
            .hint(format!("The process that holds it is named in \"{}\".", path.display()))
        } else {
            crate::env::io_error("lock", &path, &error)
        }
    })
}
