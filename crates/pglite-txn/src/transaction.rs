//! `Transaction`: one session's view of the data and its uncommitted writes.
//!
//! Executor nodes share `&Transaction`; it is used by one thread at a time, so its locks are never contended.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};

use crate::am::{RelKey, Wait};
use crate::backend::Backend;
use pglite_storage::{CommitTicket, Durability};
use crate::layout::Space;
use crate::lock::{LockMode, LockTag};
use crate::manager::TxnManager;
use crate::view::{CommandId, ReadView};

/// Isolation levels. READ UNCOMMITTED is READ COMMITTED; SERIALIZABLE behaves as REPEATABLE READ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// A point to roll back to.
#[derive(Clone, Debug)]
pub struct Savepoint {
    pub(crate) id: u32,
}

/// A commit under way.
#[derive(Debug)]
pub struct Commit {
    pub(crate) ticket: Option<CommitTicket>,
}

impl Commit {
    /// Blocks until the commit is as durable as asked, visible, and its locks are free.
    pub fn wait(self) -> PgResult<()> {
        self.ticket.map_or(Ok(()), |ticket| ticket.wait())
    }
    /// Calls `done` at that point, perhaps at once, perhaps on another thread.
    pub fn on_done(self, done: impl FnOnce(PgResult<()>) + Send + 'static) {
        match self.ticket {
            Some(ticket) => ticket.on_done(Box::new(done)),
            None => done(Ok(())),
        }
    }
}

/// A running transaction. Dropping it aborts it.
pub struct Transaction {
    manager: Arc<TxnManager>,
    backend: Arc<Backend>,
    isolation: Isolation,
    read_only: bool,
}

fn pending<T>() -> PgResult<T> {
    Err(PgError::unsupported("transactions are not supported"))
}

impl Transaction {
    pub(crate) fn new(
        manager: Arc<TxnManager>,
        backend: Arc<Backend>,
        isolation: Isolation,
        read_only: bool,
    ) -> Transaction {
        Transaction { manager, backend, isolation, read_only }
    }
    pub fn manager(&self) -> &Arc<TxnManager> {
        &self.manager
    }
    pub fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }
    pub fn read_only(&self) -> bool {
        self.read_only
    }
    /// The view of a new statement: a new snapshot under READ COMMITTED, the transaction's one otherwise.
    pub fn statement_view(&self) -> ReadView {
        ReadView::newest(self)
    }
    pub fn current_command(&self) -> CommandId {
        CommandId::FIRST
    }
    /// Makes the writes so far visible to what comes next. Call it after each command.
    pub fn bump_command(&self) -> PgResult<()> {
        pending()
    }
    /// The transaction's number, assigned now if it has none yet.
    pub fn xid(&self) -> PgResult<u32> {
        pending()
    }
    pub fn xid_if_assigned(&self) -> Option<u32> {
        None
    }

    // ---- raw keys -------------------------------------------------------------------------------------------
    // Keys of other layers (catalog rows, sequences). They must not lie in a table's or index's space.

    pub fn get_raw(&self, view: &ReadView, key: &[u8]) -> PgResult<Option<Vec<u8>>> {
        let _ = (view, key);
        pending()
    }
    pub fn put_raw(&self, key: &[u8], value: &[u8]) -> PgResult<()> {
        let _ = (key, value);
        pending()
    }
    pub fn delete_raw(&self, key: &[u8]) -> PgResult<()> {
        let _ = key;
        pending()
    }
    pub fn delete_range_raw(&self, start: &[u8], end: &[u8]) -> PgResult<()> {
        let _ = (start, end);
        pending()
    }
    /// Calls `row(key, value)` in key order for `start <= key < end`, until it returns false.
    pub fn scan_raw(
        &self,
        view: &ReadView,
        start: &[u8],
        end: &[u8],
        row: &mut dyn FnMut(&[u8], &[u8]) -> PgResult<bool>,
    ) -> PgResult<()> {
        let _ = (view, start, end, row);
        pending()
    }

    // ---- relations ------------------------------------------------------------------------------------------

    /// Tells that this transaction creates the space: nobody else can see it, so its rows and keys need no locks.
    pub fn create_space(&self, space: Space) {
        let _ = space;
    }
    /// Drops everything in the space: at once for this transaction, at commit for the others.
    pub fn drop_space(&self, space: Space) -> PgResult<()> {
        let _ = space;
        pending()
    }

    // ---- locks ----------------------------------------------------------------------------------------------

    /// Locks a table until the end of the transaction (or the rollback to an earlier savepoint). False: `Wait::Skip`
    /// or `Wait::Error` and it is not to be had; the caller knows the relation's name for the message.
    pub fn lock_table(&self, table: RelKey, mode: LockMode, wait: Wait) -> PgResult<bool> {
        self.lock(LockTag::Relation(table), mode, wait)
    }
    /// Locks anything until the end of the transaction. False: not to be had without waiting.
    pub fn lock(&self, tag: LockTag, mode: LockMode, wait: Wait) -> PgResult<bool> {
        let _ = (tag, mode, wait);
        pending()
    }

    // ---- savepoints and the end -----------------------------------------------------------------------------

    pub fn savepoint(&self) -> Savepoint {
        Savepoint { id: 0 }
    }
    /// Undoes everything since the savepoint, which stays.
    pub fn rollback_to(&self, savepoint: &Savepoint) -> PgResult<()> {
        let _ = savepoint;
        pending()
    }
    /// Forgets the savepoint; its work is the enclosing level's.
    pub fn release(&self, savepoint: Savepoint) {
        let _ = savepoint;
    }
    /// Runs `action` when the commit becomes visible, in WAL order, before the locks are free. Dropped by a rollback
    /// to an earlier savepoint.
    pub fn on_commit(&self, action: Box<dyn FnOnce() + Send>) {
        drop(action);
    }
    /// Runs `action` when the work so far is undone: at abort, or a rollback to an earlier savepoint.
    pub fn on_abort(&self, action: Box<dyn FnOnce() + Send>) {
        drop(action);
    }
    /// Commits. A transaction that wrote nothing costs nothing.
    pub fn commit(&self, durability: Durability) -> PgResult<Commit> {
        let _ = durability;
        pending()
    }
    pub fn abort(&self) {}
}
