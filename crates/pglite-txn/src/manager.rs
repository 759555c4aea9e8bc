//! `TxnManager`: what all sessions share - the store, the locks, the counters, the pinned timestamps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use pglite_error::PgResult;
use pglite_storage::{CommitTicket, Durability, Store, Timestamp, WriteBatch};

use crate::backend::{Backend, WaitHook};
use crate::counters::{TableCounters, TableStats};
use crate::layout::{Space, SpaceMap};
use crate::lock::{LockInfo, LockManager};
use crate::transaction::{Isolation, Transaction};
use crate::view::{Pin, Pins};

/// The pseudo table whose counter gives out transaction numbers.
pub(crate) const XID_SPACE: Space = Space::new(0, 0);
/// The first transaction number of a new store; smaller ones mean special things in PostgreSQL.
const FIRST_XID: u64 = 750;
/// Commits between two moves of the garbage collection horizon.
const HORIZON_EVERY: u64 = 64;

/// Shared by all sessions of one store.
pub struct TxnManager {
    store: Arc<Store>,
    locks: Arc<LockManager>,
    pins: Arc<Pins>,
    counters: RwLock<SpaceMap<Arc<TableCounters>>>,
    xids: Arc<TableCounters>,
    commits: AtomicU64,
}

impl TxnManager {
    /// Reads what the store remembers of the counters.
    pub fn open(store: Arc<Store>) -> PgResult<Arc<TxnManager>> {
        let xids = Arc::new(TableCounters::load(&store, XID_SPACE)?);
        xids.start_at(FIRST_XID);
        Ok(Arc::new(TxnManager {
            store,
            locks: Arc::default(),
            pins: Arc::default(),
            counters: RwLock::default(),
            xids,
            commits: AtomicU64::new(0),
        }))
    }
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }
    /// Makes a session known. `pid` is what it shows to users.
    pub fn backend(&self, pid: i32, hook: Arc<dyn WaitHook>) -> Arc<Backend> {
        self.locks.register(|owner| Arc::new(Backend::new(owner, pid, hook, self.locks.clone())))
    }
    /// Begins a transaction of the session. The session's last one must have ended, its commit be done.
    pub fn begin(
        self: &Arc<TxnManager>,
        backend: &Arc<Backend>,
        isolation: Isolation,
        read_only: bool,
    ) -> Transaction {
        Transaction::new(self.clone(), backend.clone(), isolation, read_only)
    }
    /// Commits writes of no transaction at once (sequences). The keys must be ones that no transaction writes.
    pub fn commit_raw(&self, batch: WriteBatch, durability: Durability) -> PgResult<CommitTicket> {
        self.store.commit(batch, durability)
    }

    pub(crate) fn locks(&self) -> &LockManager {
        &self.locks
    }
    pub(crate) fn pin(&self) -> Arc<Pin> {
        self.pins.pin(&self.store)
    }

    // ---- counters -------------------------------------------------------------------------------------------

    pub(crate) fn counters(&self, space: Space) -> PgResult<Arc<TableCounters>> {
        if let Some(counters) = self.counters.read().get(&space) {
            return Ok(counters.clone());
        }
        let mut all = self.counters.write();
        if let Some(counters) = all.get(&space) {
            return Ok(counters.clone());
        }
        let counters = Arc::new(TableCounters::load(&self.store, space)?);
        all.insert(space, counters.clone());
        Ok(counters)
    }
    pub(crate) fn forget(&self, spaces: &[Space]) {
        if !spaces.is_empty() {
            let mut all = self.counters.write();
            for space in spaces {
                all.remove(space);
            }
        }
    }
    pub(crate) fn xids(&self) -> &Arc<TableCounters> {
        &self.xids
    }
    pub(crate) fn next_xid(&self) -> u32 {
        self.xids.draw(1) as u32
    }
    /// The number the next transaction will get.
    pub fn peek_xid(&self) -> u32 {
        self.xids.draw(0) as u32
    }
    /// Activity and size estimates of a table or index.
    pub fn table_stats(&self, space: Space) -> PgResult<TableStats> {
        Ok(self.counters(space)?.stats())
    }
    /// Tells what ANALYZE or VACUUM counted.
    pub fn set_live_rows(&self, space: Space, rows: u64) -> PgResult<()> {
        self.counters(space)?.analyzed(rows);
        Ok(())
    }
    /// Bytes a table or index takes, estimated, in whole 8 kB pages.
    pub fn relation_size(&self, space: Space) -> PgResult<u64> {
        let stats = self.table_stats(space)?;
        // What a heap page spends on a row beside its data.
        Ok((stats.bytes + stats.live_rows * 28).div_ceil(8168) * 8192)
    }
    /// Stores the estimates, so that a restart knows them. For a clean stop, and now and then.
    pub fn save_stats(&self) -> PgResult<()> {
        let mut batch = WriteBatch::new();
        for (space, counters) in self.counters.read().iter() {
            counters.save(*space, &mut batch);
        }
        if batch.is_empty() { Ok(()) } else { self.store.commit(batch, Durability::Async)?.wait() }
    }

    // ---- locks, as others see them --------------------------------------------------------------------------

    /// The rows of `pg_locks`.
    pub fn lock_report(&self) -> Vec<LockInfo> {
        self.locks.report()
    }
    /// The sessions that keep session `pid` waiting.
    pub fn blocking_pids(&self, pid: i32) -> Vec<i32> {
        self.locks.blocking_pids(pid)
    }

    // ---- garbage --------------------------------------------------------------------------------------------

    pub(crate) fn committed(&self) {
        if self.commits.fetch_add(1, Ordering::Relaxed).is_multiple_of(HORIZON_EVERY) {
            self.advance_gc_horizon();
        }
    }
    /// Lets compaction drop versions no view can ask for. Cheap; commits call it now and then.
    pub fn advance_gc_horizon(&self) {
        self.store.set_gc_horizon(self.gc_horizon());
    }
    /// The oldest timestamp any view reads at.
    pub fn gc_horizon(&self) -> Timestamp {
        self.pins.horizon(&self.store)
    }
}

impl std::fmt::Debug for TxnManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TxnManager").finish_non_exhaustive()
    }
}
