//! The commit pipeline: queue, log, sync, apply, publish, acknowledge.

use super::StoreStats;
use super::lead::LAZY_SYNC;
use super::open::Opened;
use super::ticket::TicketState;
use crate::batch::WriteBatch;
use crate::engine::Engine;
use crate::lsm::Lsm;
use crate::manifest::Edit;
use crate::options::{FatalHook, StoreOptions};
use crate::table::TableMeta;
use crate::types::Timestamp;
use crate::wal::{FRAME_BYTES, Wal, WalError};
use parking_lot::{Condvar, Mutex};
use pglite_error::{PgError, PgResult, codes};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Runs before anybody hears of a commit's outcome, in the order of the log; must be short and must not commit.
pub type Finish = Box<dyn FnOnce(&PgResult<()>) + Send>;

pub(super) struct Pending {
    pub(super) ts: u64,
    pub(super) batch: WriteBatch,
    /// Durable tables that become visible with the commit.
    pub(super) tables: Vec<TableMeta>,
    pub(super) sync: bool,
    pub(super) finish: Option<Finish>,
    pub(super) ticket: Arc<TicketState>,
}

pub(super) struct Queue {
    pub(super) pending: Vec<Pending>,
    pub(super) next_ts: u64,
    /// The newest timestamp that a leader has taken.
    pub(super) taken: u64,
    /// Whether somebody leads.
    pub(super) leading: bool,
    /// The pipeline thread has been woken to lead, if nobody does.
    pub(super) turn: bool,
    /// The log has frames that are not synced.
    pub(super) dirty: bool,
    pub(super) stop: bool,
    pub(super) fatal: Option<PgError>,
}

/// A commit at its end.
pub(super) type Done = (Arc<TicketState>, PgResult<()>);

/// What only one thread at a time may touch: the tail of the log.
pub(super) struct Work {
    wal: Option<Wal>,
    group: Vec<Pending>,
    /// Commits whose finish has run and whose committers have not been told.
    pub(super) done: Vec<Done>,
    /// Since when the log has had frames that are not synced.
    unsynced: Option<Duration>,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    groups: AtomicU64,
    syncs: AtomicU64,
    wal_bytes: AtomicU64,
}

pub(super) struct Pipeline {
    pub(super) lsm: Lsm,
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    pub(super) work: Mutex<Work>,
    /// Whether there is a pipeline thread.
    pub(super) threaded: bool,
    published: AtomicU64,
    counters: Counters,
    sync: bool,
    wal_limit: u64,
    on_fatal: Option<FatalHook>,
}

impl Pipeline {
    pub(super) fn new(opened: Opened, options: &StoreOptions, threaded: bool) -> Pipeline {
        let newest = opened.newest;
        let queue = Queue {
            pending: Vec::new(),
            next_ts: newest + 1,
            taken: newest,
            leading: false,
            turn: false,
            dirty: false,
            stop: false,
            fatal: None,
        };
        Pipeline {
            lsm: opened.lsm,
            queue: Mutex::new(queue),
            wake: Condvar::new(),
            work: Mutex::new(Work { wal: opened.wal, group: Vec::new(), done: Vec::new(), unsynced: None }),
            threaded,
            published: AtomicU64::new(newest),
            counters: Counters::default(),
            sync: options.sync,
            wal_limit: options.wal_limit,
            on_fatal: options.on_fatal.clone(),
        }
    }

    #[inline]
    pub(super) fn published(&self) -> Timestamp {
        Timestamp(self.published.load(Ordering::Acquire))
    }

    /// Makes durable what asynchronous commits have written.
    pub(super) fn lazy_sync(&self) {
        let mut work = self.work.lock();
        if let Some(wal) = &mut work.wal
            && self.sync
            && let Err(WalError::Fatal(error) | WalError::Retry(error)) = wal.sync()
        {
            self.fail(&error);
        }
    }

    /// Takes the queue through the pipeline; answers whether the log has frames that are not synced.
    pub(super) fn process(&self, work: &mut Work) -> bool {
        {
            let mut queue = self.queue.lock();
            std::mem::swap(&mut work.group, &mut queue.pending);
            queue.taken = queue.next_ts - 1;
            if let Some(error) = queue.fatal.clone() {
                drop(queue);
                finish(work, &Err(error));
                return false;
            }
        }
        if work.group.is_empty() {
            return work.wal.as_ref().is_some_and(Wal::is_dirty);
        }
        let log_is_long = work.wal.as_ref().is_some_and(|wal| wal.shared().finished_bytes() > self.wal_limit);
        if let Err(error) = self.lsm.make_room(log_is_long) {
            self.reject(work, error);
            return false;
        }
        let (logged, result) = self.log(work);
        if let Err(WalError::Fatal(error)) = &result {
            self.fail(error);
            finish(work, &Err(error.clone()));
            return false;
        }
        let rest = work.group.split_off(logged);
        self.publish(work);
        work.group = rest;
        if let Err(WalError::Retry(error)) = result {
            self.reject(work, error);
        }
        work.wal.as_ref().is_some_and(Wal::is_dirty)
    }

    /// Writes the group to the log, and syncs it if one of its commits wants that. Answers how many commits are in.
    fn log(&self, work: &mut Work) -> (usize, Result<(), WalError>) {
        let Some(wal) = &mut work.wal else { return (work.group.len(), Ok(())) };
        let mut logged = 0;
        let mut result = Ok(());
        for (i, pending) in work.group.iter().enumerate() {
            let bytes = wal.add(pending.ts, &encode_tables(&pending.tables), pending.batch.encoded());
            if bytes < FRAME_BYTES && i + 1 < work.group.len() {
                continue;
            }
            result = wal.write_frame(pending.ts);
            if result.is_err() {
                break;
            }
            logged = i + 1;
        }
        let mut sync = work.group[..logged].iter().any(|pending| pending.sync);
        if !sync && self.sync {
            let now = self.lsm.now();
            let since = *work.unsynced.get_or_insert(now);
            sync = now.saturating_sub(since) >= LAZY_SYNC;
        }
        if sync {
            work.unsynced = None;
        }
        if sync
            && self.sync
            && !matches!(result, Err(WalError::Fatal(_)))
            && let Err(error) = wal.sync()
        {
            result = Err(error);
        }
        self.counters.syncs.store(wal.syncs, Ordering::Relaxed);
        self.counters.wal_bytes.store(wal.bytes, Ordering::Relaxed);
        if wal.shared().wants_spare() {
            self.lsm.want_maintenance();
        }
        (logged, result)
    }

    /// Applies logged commits, makes them visible and acknowledges them.
    fn publish(&self, work: &mut Work) {
        let Some(last) = work.group.last().map(|pending| pending.ts) else { return };
        for pending in &mut work.group {
            // Tables first: once the batch is flushed, nobody looks at this commit's log record again.
            let installed = self.install(std::mem::take(&mut pending.tables), pending.ts);
            if let Err(error) = installed.and_then(|()| self.lsm.apply(&pending.batch, Timestamp(pending.ts)))
            {
                // What is in the log but not in memory must not be missing from anybody's sight.
                self.fail(&error);
                finish(work, &Err(error));
                return;
            }
        }
        self.published.store(last, Ordering::Release);
        self.counters.groups.fetch_add(1, Ordering::Relaxed);
        self.counters.commits.fetch_add(work.group.len() as u64, Ordering::Relaxed);
        finish(work, &Ok(()));
    }

    /// Fails commits that are not in the log.
    fn reject(&self, work: &mut Work, error: PgError) {
        work.group.iter().for_each(|pending| self.lsm.discard_run(&pending.tables));
        finish(work, &Err(error));
    }

    /// Adds a logged commit's tables to the tree. It is committed already, so a full disk is waited for a while.
    fn install(&self, tables: Vec<TableMeta>, ts: u64) -> PgResult<()> {
        let mut patience = 50;
        loop {
            match self.lsm.install_run(tables.clone(), ts) {
                Err(error) if error.code() == codes::DISK_FULL && patience > 0 => {
                    patience -= 1;
                    self.lsm.pause(LAZY_SYNC);
                }
                done => return done,
            }
        }
    }

    /// Durability can no longer be promised: every commit from now on fails, and the owner is told to end the process.
    pub(super) fn fail(&self, error: &PgError) {
        {
            let mut queue = self.queue.lock();
            if queue.fatal.is_some() {
                return;
            }
            queue.fatal = Some(error.clone());
        }
        if let Some(hook) = &self.on_fatal {
            hook(error);
        }
    }

    /// Lets the pipeline thread finish its queue and end.
    pub(super) fn stop(&self) {
        self.queue.lock().stop = true;
        self.wake.notify_one();
    }

    /// Ends the log in an orderly way.
    pub(super) fn close(&self) {
        if self.queue.lock().fatal.is_some() {
            return;
        }
        if let Some(wal) = &mut self.work.lock().wal {
            // Failing here loses nothing that was acknowledged as durable; the next start recovers as after a crash.
            let _ = wal.close();
        }
    }

    pub(super) fn stats(&self) -> StoreStats {
        StoreStats {
            engine: self.lsm.stats(),
            commits: self.counters.commits.load(Ordering::Relaxed),
            groups: self.counters.groups.load(Ordering::Relaxed),
            syncs: self.counters.syncs.load(Ordering::Relaxed),
            wal_bytes: self.counters.wal_bytes.load(Ordering::Relaxed),
            published: self.published(),
            background_error: self.lsm.background_error(),
        }
    }
}

/// The log's form of the tables a commit ingests.
fn encode_tables(tables: &[TableMeta]) -> Vec<u8> {
    let mut out = Vec::new();
    if !tables.is_empty() {
        let added = tables.iter().map(|meta| (0, meta.clone())).collect();
        Edit { added, ..Edit::default() }.encode(&mut out);
    }
    out
}

/// Runs the group's finishes, in the order of the log. The leader tells the committers later.
fn finish(work: &mut Work, result: &PgResult<()>) {
    for pending in work.group.drain(..) {
        if let Some(finish) = pending.finish {
            finish(result);
        }
        work.done.push((pending.ticket, result.clone()));
    }
}
