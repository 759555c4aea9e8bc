//! `Transaction`: one session's view of the data and its uncommitted writes.
//!
//! Executor nodes share `&Transaction`; it is used by one thread at a time, so its mutex is never contended.
//! Savepoints are in `savepoint.rs`, the end in `commit.rs`.
//!
//! Invariant: no lock is waited for and the store is not called while the state's mutex is held.

mod commit;
mod savepoint;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use pglite_error::{PgResult, bail};
use smallvec::SmallVec;

use crate::am::{RelKey, Wait};
use crate::backend::Backend;
use crate::counters::{TableActivity, TableCounters, limit_range};
use crate::gaps::Gaps;
use crate::layout::Space;
use crate::lock::{Acquired, HeldLock, LockMode, LockTag};
use crate::manager::TxnManager;
use crate::merged::MergedCursor;
use crate::view::{CommandId, Pin, ReadView};
use crate::write_set::{Own, WriteSet};

pub use commit::Commit;
pub use savepoint::Savepoint;

/// Isolation levels. READ UNCOMMITTED is READ COMMITTED; SERIALIZABLE behaves as REPEATABLE READ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// Takes a key and its value; false ends the scan.
pub type RawRow<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> PgResult<bool>;

/// A piece of work tied to the transaction's fate.
pub(crate) enum Hook {
    Commit(Box<dyn FnOnce() + Send>),
    Abort(Box<dyn FnOnce() + Send>),
}

/// A table this transaction has written to.
#[derive(Clone)]
pub(crate) struct TableUse {
    pub(crate) space: Space,
    pub(crate) counters: Arc<TableCounters>,
    pub(crate) done: TableActivity,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) writes: WriteSet,
    pub(crate) locks: Vec<HeldLock>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) tables: SmallVec<[TableUse; 4]>,
    /// Spaces that only this transaction can see.
    pub(crate) created: Vec<Space>,
    dropped: Vec<Space>,
    /// The one snapshot above READ COMMITTED.
    snapshot: Option<Arc<Pin>>,
    /// Where unique indexes are known to be empty.
    pub(crate) gaps: Gaps,
    levels: Vec<savepoint::Level>,
    next_level: u32,
}

/// A running transaction. Dropping it aborts it.
pub struct Transaction {
    manager: Arc<TxnManager>,
    backend: Arc<Backend>,
    /// Its number within the session.
    local: u32,
    isolation: AtomicU32,
    read_only: AtomicBool,
    command: AtomicU32,
    ended: AtomicBool,
    state: Mutex<State>,
}

impl Transaction {
    pub(crate) fn new(
        manager: Arc<TxnManager>,
        backend: Arc<Backend>,
        isolation: Isolation,
        read_only: bool,
    ) -> Transaction {
        let local = backend.begin();
        Transaction {
            manager,
            backend,
            local,
            isolation: AtomicU32::new(isolation as u32),
            read_only: AtomicBool::new(read_only),
            command: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }
    pub fn manager(&self) -> &Arc<TxnManager> {
        &self.manager
    }
    pub fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }
    pub fn isolation(&self) -> Isolation {
        match self.isolation.load(Ordering::Relaxed) {
            0 => Isolation::ReadCommitted,
            1 => Isolation::RepeatableRead,
            _ => Isolation::Serializable,
        }
    }
    /// `SET TRANSACTION`; the session sees to it that no query has run yet.
    pub fn set_isolation(&self, isolation: Isolation) {
        self.isolation.store(isolation as u32, Ordering::Relaxed);
    }
    pub fn read_only(&self) -> bool {
        self.read_only.load(Ordering::Relaxed)
    }
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }

    // ---- views and commands ---------------------------------------------------------------------------------

    /// The view of a new statement: a new snapshot under READ COMMITTED, the transaction's one otherwise.
    pub fn statement_view(&self) -> ReadView {
        let pin = match self.isolation() {
            Isolation::ReadCommitted => self.manager.pin(),
            _ => self.state.lock().snapshot.get_or_insert_with(|| self.manager.pin()).clone(),
        };
        ReadView::new(pin, self.current_command())
    }
    /// Whether the transaction's one snapshot has been taken.
    pub fn has_snapshot(&self) -> bool {
        self.state.lock().snapshot.is_some()
    }
    /// Reads as another transaction does (`SET TRANSACTION SNAPSHOT`).
    pub fn adopt_snapshot(&self, view: &ReadView) {
        self.state.lock().snapshot = Some(view.pin().clone());
    }
    pub fn current_command(&self) -> CommandId {
        CommandId(self.command.load(Ordering::Relaxed))
    }
    /// Makes the writes so far visible to what comes next. Call it after each command.
    pub fn bump_command(&self) -> PgResult<()> {
        if self.command.fetch_add(1, Ordering::Relaxed) >= u32::MAX - 2 {
            bail!(PROGRAM_LIMIT_EXCEEDED, "cannot have more than 2^32-2 commands in a transaction");
        }
        Ok(())
    }
    /// The transaction's number, assigned now if it has none yet.
    pub fn xid(&self) -> u32 {
        self.backend.xid_if_assigned().unwrap_or_else(|| {
            let xid = self.manager.next_xid();
            self.backend.set_xid(xid);
            xid
        })
    }
    pub fn xid_if_assigned(&self) -> Option<u32> {
        self.backend.xid_if_assigned()
    }
    /// Whether it has written anything that a commit would have to store.
    pub fn has_writes(&self) -> bool {
        !self.state.lock().writes.is_empty()
    }
    /// Approximate memory of the uncommitted writes.
    pub fn write_bytes(&self) -> usize {
        self.state.lock().writes.bytes()
    }

    #[inline]
    pub(crate) fn with_writes<R>(&self, f: impl FnOnce(&WriteSet) -> R) -> R {
        f(&self.state.lock().writes)
    }
    #[inline]
    pub(crate) fn with_state<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock())
    }
    /// Like [`with_state`](Self::with_state), for a write.
    #[inline]
    pub(crate) fn write<R>(&self, f: impl FnOnce(&mut State, u32) -> PgResult<R>) -> PgResult<R> {
        if self.backend.xid_if_assigned().is_none() {
            self.xid();
        }
        if self.ended.load(Ordering::Relaxed) {
            bail!(INVALID_TRANSACTION_STATE, "transaction has ended");
        }
        f(&mut self.state.lock(), self.command.load(Ordering::Relaxed))
    }

    // ---- raw keys -------------------------------------------------------------------------------------------
    // Keys of other layers (catalog rows, sequences). They must not lie in a table's or index's space.

    pub fn get_raw(&self, view: &ReadView, key: &[u8]) -> PgResult<Option<Vec<u8>>> {
        let own = self.with_writes(|writes| match writes.get(key, view.command().0) {
            Some(Own::Put(value)) => Some(Some(value.to_vec())),
            Some(Own::Deleted) => Some(None),
            None => None,
        });
        if let Some(own) = own {
            return Ok(own);
        }
        Ok(self.manager.store().engine().get(key, view.ts())?.map(|(value, _)| value.to_vec()))
    }
    pub fn put_raw(&self, key: &[u8], value: &[u8]) -> PgResult<()> {
        self.write(|state, command| state.writes.put(key, command, value))
    }
    pub fn delete_raw(&self, key: &[u8]) -> PgResult<()> {
        self.write(|state, command| {
            state.writes.delete(key, command);
            Ok(())
        })
    }
    /// Deletes `start <= key < end` (empty `end`: no bound).
    pub fn delete_range_raw(&self, start: &[u8], end: &[u8]) -> PgResult<()> {
        self.write(|state, command| {
            state.writes.delete_range(start, end, command);
            Ok(())
        })
    }
    /// Calls `row(key, value)` in key order for `start <= key < end` (empty `end`: no bound), until it returns false.
    pub fn scan_raw(&self, view: &ReadView, start: &[u8], end: &[u8], row: RawRow<'_>) -> PgResult<()> {
        let mut cursor = MergedCursor::open(self, view, start, end, pglite_storage::Direction::Forward)?;
        while cursor.next_batch(self, 256)? {
            for (key, value, _) in cursor.rows().iter() {
                if !row(key, value)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    // ---- relations ------------------------------------------------------------------------------------------

    /// Tells that this transaction creates the space: nobody else can see it, so its rows and keys need no locks.
    pub fn create_space(&self, space: Space) {
        self.state.lock().created.push(space);
    }
    #[inline]
    pub(crate) fn is_created(&self, space: Space) -> bool {
        self.state.lock().created.contains(&space)
    }
    /// Drops everything in the space: at once for this transaction, at commit for the others.
    pub fn drop_space(&self, space: Space) -> PgResult<()> {
        self.write(|state, command| {
            state.writes.delete_range(&space.prefix(), &space.end(), command);
            let (start, end) = limit_range(space);
            state.writes.delete_range(&start, &end, command);
            state.dropped.push(space);
            if let Some(table) = state.tables.iter_mut().find(|table| table.space == space) {
                table.done = TableActivity { dropped: true, used: table.done.used, ..table.done };
            }
            Ok(())
        })
    }
    /// The counters of a table, and this transaction's account of it.
    #[inline]
    pub(crate) fn with_table<R>(
        &self,
        space: Space,
        f: impl FnOnce(&mut State, usize, u32) -> PgResult<R>,
    ) -> PgResult<R> {
        let known = self.state.lock().tables.iter().position(|table| table.space == space);
        let counters = match known {
            Some(_) => None,
            None => Some(self.manager.counters(space)?),
        };
        self.write(|state, command| {
            let at = match (known, counters) {
                (Some(at), _) => at,
                (None, Some(counters)) => {
                    state.tables.push(TableUse { space, counters, done: TableActivity::default() });
                    state.tables.len() - 1
                }
                (None, None) => 0,
            };
            f(state, at, command)
        })
    }

    // ---- locks ----------------------------------------------------------------------------------------------

    /// Locks a table until the end of the transaction (or the rollback to an earlier savepoint). False: `Wait::Skip`
    /// or `Wait::Error` and it is not to be had; the caller knows the relation's name for the message.
    pub fn lock_table(&self, table: RelKey, mode: LockMode, wait: Wait) -> PgResult<bool> {
        self.lock(LockTag::Relation(table), mode, wait)
    }
    /// Locks anything until the end of the transaction. False: not to be had without waiting.
    pub fn lock(&self, tag: LockTag, mode: LockMode, wait: Wait) -> PgResult<bool> {
        Ok(self.acquire(tag, mode, wait)? != Acquired::NotAvailable)
    }
    #[inline]
    pub(crate) fn acquire(&self, tag: LockTag, mode: LockMode, wait: Wait) -> PgResult<Acquired> {
        let acquired = self.manager.locks().acquire(&self.backend, tag, mode, false, wait)?;
        if acquired == Acquired::New {
            self.state.lock().locks.push(HeldLock { tag, mode });
        }
        Ok(acquired)
    }
    /// Gives back the lock taken last, before the transaction's end.
    pub(crate) fn release_last(&self, lock: HeldLock) {
        let mut state = self.state.lock();
        if state.locks.last() == Some(&lock) {
            state.locks.pop();
            drop(state);
            self.manager.locks().release(self.backend.owner, &lock, false);
        }
    }
    /// Whether the transaction or its session holds the mode on it.
    pub fn holds(&self, tag: LockTag, mode: LockMode) -> bool {
        self.manager.locks().holds(self.backend.owner, &tag, mode)
    }

    /// Runs `action` when the commit becomes visible, in WAL order, before the locks are free. It runs on the commit
    /// pipeline: it must be short and must not commit. Dropped by a rollback to an earlier savepoint.
    pub fn on_commit(&self, action: Box<dyn FnOnce() + Send>) {
        self.state.lock().hooks.push(Hook::Commit(action));
    }
    /// Runs `action` when the work so far is undone: at abort, or a rollback to an earlier savepoint.
    pub fn on_abort(&self, action: Box<dyn FnOnce() + Send>) {
        self.state.lock().hooks.push(Hook::Abort(action));
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.abort();
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("backend", &self.backend).finish_non_exhaustive()
    }
}
