//! `Core`: a session's state, and its transactions.
//!
//! Everything is reached through `&Core` with interior mutability, because callbacks of a running statement (functions,
//! commands, nested queries) come back to the session that runs it. A session is used by one thread at a time.
//!
//! The transaction block follows PostgreSQL's states: idle, an implicit transaction around one message, an explicit
//! block, and a failed block that only ROLLBACK leaves.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use pglite_catalog::{CatalogTxn, Mark, SearchPath, Snapshot};
use pglite_commands::{Client, PendingCommit};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_storage::Durability;
use pglite_txn::{Isolation, ReadView, Savepoint, Transaction};
use pglite_types::{IoSettings, Oid};

use crate::database::{Database, Shared};
use crate::relations::RelationCache;
use crate::settings::{self, Settings};
use crate::slot::Slot;

/// Plans from this cost on run off the server's workers: some milliseconds of work.
const LONG_COST: f64 = 5000.0;

/// A message that takes longer gives its worker up on the way.
const LONG: std::time::Duration = std::time::Duration::from_millis(20);
const HAND_OVER: std::time::Duration = std::time::Duration::from_micros(200);
const GIVEN_UP: std::time::Duration = std::time::Duration::MAX;
const CHECKS_PER_LOOK: u32 = 64;

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    Idle,
    /// Around the statements of one message (or up to Sync).
    Implicit,
    /// BEGIN ... COMMIT.
    Explicit,
    /// An explicit block after an error.
    Failed,
}

/// One level of savepoint.
struct SaveLevel {
    /// Empty for internal levels (PL/pgSQL exception blocks).
    name: String,
    savepoint: Savepoint,
    catalog: Mark,
    settings: settings::Mark,
    catalog_changes: u64,
    /// Deferred checks and triggers.
    deferred: crate::deferred::Mark,
}

struct Running {
    txn: Arc<Transaction>,
    settings_at_begin: settings::Mark,
    users_at_begin: (Oid, Oid),
    saves: Vec<SaveLevel>,
    deferrable: bool,
    started: i64,
}

/// The session's view of the catalogs.
struct CatalogState {
    txn: CatalogTxn,
    /// A copy of the current snapshot for statements to share.
    current: Arc<Snapshot>,
    /// Bumped whenever `current` changes; cached plans and descriptors compare it.
    generation: u64,
    /// Changes made by the running transaction.
    changes: u64,
}

/// Settings and what is derived from them, recomputed when the settings' version moves.
struct Derived {
    version: u64,
    generation: u64,
    io: Arc<IoSettings>,
    path: Arc<SearchPath>,
}

pub(crate) struct Core {
    pub database: Database,
    pub slot: Arc<Slot>,
    pub session_user: Cell<Oid>,
    pub current_user: Cell<Oid>,
    pub settings: RefCell<Settings>,
    pub block: Cell<Block>,
    pub temp_namespace: Cell<Oid>,
    pub relations: RelationCache,
    /// What the running transaction has done to each relation.
    pub counts: crate::relations::counted::Session,
    totals: Arc<crate::relations::counted::DatabaseTotals>,
    /// After setseed.
    pub prng: Cell<Option<crate::prng::Prng>>,
    /// Notices not yet sent.
    pub notices: RefCell<Vec<PgError>>,
    /// NOTIFY of the running transaction.
    pub outbox: RefCell<Vec<(String, String)>>,
    pub listening: RefCell<std::collections::BTreeSet<String>>,
    pub currval: RefCell<std::collections::HashMap<Oid, i64>>,
    pub lastval: Cell<Option<Oid>>,
    pub statement_start: Cell<i64>,
    pub depth: Cell<u32>,
    pub deferred: RefCell<crate::deferred::Deferred>,
    pub bodies: crate::sqlfunc::Bodies,
    pub pl: crate::spi::PlState,
    pub trigger_quals: crate::triggers::Quals,
    /// Named row sets that running statements may read (COPY's input, transition tables).
    pub tuplestores: RefCell<
        std::collections::HashMap<String, (Arc<pglite_catalog::RelDesc>, Arc<Vec<pglite_types::Row>>)>,
    >,
    pub prepared: RefCell<std::collections::HashMap<String, Arc<crate::prepared::PreparedStatement>>>,
    pub portals: RefCell<crate::portal::Portals>,
    /// `statement_timeout`: when the running statement must stop, on the monotonic clock.
    deadline: Cell<Option<std::time::Duration>>,
    /// Interrupt checks since the message began, and when the first counted one was.
    checks: Cell<u32>,
    first_check: Cell<Option<std::time::Duration>>,
    /// The commit that may still hold its locks.
    last_commit: RefCell<Option<PendingCommit>>,
    running: RefCell<Option<Running>>,
    catalog: RefCell<CatalogState>,
    derived: RefCell<Derived>,
}

impl Core {
    pub fn new(database: Database, slot: Arc<Slot>, user: Oid, settings: Settings) -> PgResult<Core> {
        let snapshot = database.shared.catalog.snapshot(slot.database)?;
        let totals = database.shared.totals.database(slot.database);
        totals.sessions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let io = Arc::new(settings.io());
        let path = Arc::new(SearchPath::resolve(
            &snapshot,
            &settings.get("search_path").unwrap_or_default(),
            user,
            None,
        ));
        Ok(Core {
            derived: RefCell::new(Derived { version: settings.version(), generation: 0, io, path }),
            catalog: RefCell::new(CatalogState {
                txn: CatalogTxn::new(snapshot.clone()),
                current: Arc::new(snapshot),
                generation: 0,
                changes: 0,
            }),
            database,
            slot,
            session_user: Cell::new(user),
            current_user: Cell::new(user),
            settings: RefCell::new(settings),
            block: Cell::new(Block::Idle),
            temp_namespace: Cell::new(Oid::INVALID),
            relations: RelationCache::default(),
            counts: Default::default(),
            totals,
            prng: Cell::new(None),
            notices: RefCell::default(),
            outbox: RefCell::default(),
            listening: RefCell::default(),
            currval: RefCell::default(),
            lastval: Cell::new(None),
            statement_start: Cell::new(0),
            depth: Cell::new(0),
            deferred: RefCell::default(),
            bodies: crate::sqlfunc::Bodies::default(),
            pl: crate::spi::PlState::default(),
            trigger_quals: crate::triggers::Quals::default(),
            tuplestores: RefCell::default(),
            prepared: RefCell::default(),
            portals: RefCell::default(),
            deadline: Cell::new(None),
            checks: Cell::new(0),
            first_check: Cell::new(None),
            last_commit: RefCell::new(None),
            running: RefCell::new(None),
        })
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.database.shared
    }

    // ---- catalogs -------------------------------------------------------------------------------------------

    /// The catalogs as the session sees them now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.catalog.borrow().current.clone()
    }
    pub fn generation(&self) -> u64 {
        self.catalog.borrow().generation
    }
    /// True while the transaction has uncommitted catalog changes.
    pub fn catalog_dirty(&self) -> bool {
        self.catalog.borrow().changes > 0
    }

    /// Takes in what other sessions committed. Called before each statement.
    pub fn refresh_catalog(&self) -> PgResult<()> {
        let mut state = self.catalog.borrow_mut();
        if self.shared().catalog.version() != state.txn.base().version() {
            let newest = self.shared().catalog.snapshot(self.slot.database)?;
            state.txn.rebase(newest);
            state.current = Arc::new(state.txn.snapshot().clone());
            state.generation += 1;
        }
        Ok(())
    }

    /// Changes the catalogs within the transaction.
    pub fn with_catalog(&self, f: &mut dyn FnMut(&mut CatalogTxn) -> PgResult<()>) -> PgResult<()> {
        let mut state = self.catalog.borrow_mut();
        // Why: dropping our copy first lets the overlay change its descriptor cache in place.
        state.current = EMPTY.with(Clone::clone);
        let result = f(&mut state.txn);
        state.current = Arc::new(state.txn.snapshot().clone());
        state.generation += 1;
        state.changes += 1;
        result
    }

    fn reset_catalog(&self) -> PgResult<()> {
        let mut state = self.catalog.borrow_mut();
        if state.changes > 0 {
            let newest = self.shared().catalog.snapshot(self.slot.database)?;
            state.txn = CatalogTxn::new(newest);
            state.current = Arc::new(state.txn.snapshot().clone());
            state.generation += 1;
            state.changes = 0;
        }
        Ok(())
    }

    // ---- settings -------------------------------------------------------------------------------------------

    fn derive(&self) {
        let settings = self.settings.borrow();
        let generation = self.generation();
        let mut d = self.derived.borrow_mut();
        if d.version == settings.version() && d.generation == generation {
            return;
        }
        if d.version != settings.version() {
            d.io = Arc::new(settings.io());
            let ms = |name| std::time::Duration::from_millis(settings.get_int(name).max(0) as u64);
            self.slot.backend.set_lock_timeout(ms("lock_timeout"));
            self.slot.backend.set_deadlock_timeout(ms("deadlock_timeout"));
        }
        let path = settings.get("search_path").unwrap_or_default();
        d.path = Arc::new(SearchPath::resolve(
            &self.snapshot(),
            &path,
            self.current_user.get(),
            self.temp_namespace.get().valid(),
        ));
        d.version = settings.version();
        d.generation = generation;
    }
    pub fn io(&self) -> Arc<IoSettings> {
        self.derive();
        self.derived.borrow().io.clone()
    }
    pub fn search_path(&self) -> Arc<SearchPath> {
        self.derive();
        self.derived.borrow().path.clone()
    }
    /// Makes the next statement resolve its names anew (SET ROLE changes "$user", CREATE TEMP adds a schema).
    pub fn invalidate_path(&self) {
        self.derived.borrow_mut().generation = u64::MAX;
    }
    pub fn is_superuser(&self) -> bool {
        pglite_catalog::acl::is_superuser(&self.snapshot(), self.current_user.get())
    }
    pub fn setting_source(&self) -> settings::Source {
        settings::Source::Session { superuser: self.is_superuser() }
    }

    // ---- transactions ---------------------------------------------------------------------------------------

    pub fn in_transaction(&self) -> bool {
        self.running.borrow().is_some()
    }

    /// The running transaction; begins one when there is none.
    pub fn txn(&self) -> PgResult<Arc<Transaction>> {
        if let Some(r) = self.running.borrow().as_ref() {
            return Ok(r.txn.clone());
        }
        self.begin()
    }

    /// Waits for the session's last commit, whose locks the next transaction must not meet.
    fn settle_last_commit(&self) -> PgResult<()> {
        let Some(last) = self.last_commit.borrow_mut().take() else { return Ok(()) };
        if last.is_done() {
            return last.wait();
        }
        let mut result = Ok(());
        self.slot.backend.wait_hook().clone().block(&mut || result = last.wait());
        result
    }

    fn begin(&self) -> PgResult<Arc<Transaction>> {
        self.settle_last_commit()?;
        let settings = self.settings.borrow();
        let hot = settings.hot();
        let isolation = hot.isolation;
        let txn = Arc::new(self.shared().manager.begin(&self.slot.backend, isolation, hot.read_only));
        let started =
            if self.statement_start.get() != 0 { self.statement_start.get() } else { self.shared().now() };
        *self.running.borrow_mut() = Some(Running {
            txn: txn.clone(),
            settings_at_begin: settings.mark(),
            users_at_begin: (self.session_user.get(), self.current_user.get()),
            saves: Vec::new(),
            deferrable: hot.deferrable,
            started,
        });
        drop(settings);
        self.slot.activity.lock().xact_start = Some(started);
        if isolation == Isolation::Serializable {
            self.warn_serializable();
        }
        if self.block.get() == Block::Idle {
            self.block.set(Block::Implicit);
        }
        Ok(txn)
    }

    fn warn_serializable(&self) {
        self.notices.borrow_mut().push(
            PgError::warning(
                codes::FEATURE_NOT_SUPPORTED,
                "SERIALIZABLE is not supported yet, REPEATABLE READ is used",
            )
            .hint("Write skew is not detected."),
        );
    }

    /// Changes the characteristics of the transaction that has just begun.
    pub fn set_isolation(&self, isolation: Isolation) -> PgResult<()> {
        let txn = self.txn()?;
        if txn.isolation() == isolation {
            return Ok(());
        }
        if txn.has_snapshot() {
            bail!(ACTIVE_SQL_TRANSACTION, "SET TRANSACTION ISOLATION LEVEL must be called before any query");
        }
        if isolation == Isolation::Serializable {
            self.warn_serializable();
        }
        txn.set_isolation(isolation);
        Ok(())
    }
    pub fn set_read_only(&self, read_only: bool) -> PgResult<()> {
        let txn = self.txn()?;
        if txn.read_only() && !read_only && txn.has_snapshot() {
            bail!(ACTIVE_SQL_TRANSACTION, "transaction read-write mode must be set before any query");
        }
        txn.set_read_only(read_only);
        Ok(())
    }
    pub fn set_deferrable(&self, deferrable: bool) -> PgResult<()> {
        self.txn()?;
        if let Some(r) = self.running.borrow_mut().as_mut() {
            r.deferrable = deferrable;
        }
        Ok(())
    }
    /// transaction_isolation, _read_only, _deferrable as SHOW prints them.
    pub fn transaction_setting(&self, name: &str) -> Option<String> {
        let running = self.running.borrow();
        let settings = self.settings.borrow();
        let on = |b: bool| if b { "on" } else { "off" }.to_string();
        Some(match (name, running.as_ref()) {
            ("transaction_isolation", Some(r)) => match r.txn.isolation() {
                Isolation::ReadCommitted => "read committed".into(),
                Isolation::RepeatableRead => "repeatable read".into(),
                Isolation::Serializable => "serializable".into(),
            },
            ("transaction_isolation", None) => settings.get("default_transaction_isolation")?.to_string(),
            ("transaction_read_only", Some(r)) => on(r.txn.read_only()),
            ("transaction_read_only", None) => settings.get("default_transaction_read_only")?.to_string(),
            ("transaction_deferrable", Some(r)) => on(r.deferrable),
            ("transaction_deferrable", None) => settings.get("default_transaction_deferrable")?.to_string(),
            _ => return None,
        })
    }
    /// Start of the transaction, microseconds since 2000-01-01.
    pub fn transaction_start(&self) -> i64 {
        self.running.borrow().as_ref().map_or_else(|| self.statement_start.get(), |r| r.started)
    }

    /// Commits; the client is told of the commit that is under way.
    pub fn commit(&self, client: &mut dyn Client) -> PgResult<()> {
        let Some(txn) = self.running.borrow().as_ref().map(|r| r.txn.clone()) else {
            self.block.set(Block::Idle);
            return Ok(());
        };
        let result = self.commit_work(&txn);
        match result {
            Ok(commit) => {
                self.end(true);
                let commit = PendingCommit::of(commit);
                *self.last_commit.borrow_mut() = Some(commit.clone());
                client.commit_pending(commit)
            }
            Err(e) => {
                self.abort();
                Err(e)
            }
        }
    }

    fn commit_work(&self, txn: &Arc<Transaction>) -> PgResult<pglite_txn::Commit> {
        crate::deferred::run_all(self)?;
        if self.catalog_dirty() {
            let overlay = self.catalog.borrow().txn.clone();
            let guard = self.shared().catalog.begin_commit(overlay)?;
            for (key, value) in guard.writes()? {
                match value {
                    Some(v) => txn.put_raw(&key, &v)?,
                    None => txn.delete_raw(&key)?,
                }
            }
            let (key, value) = self.shared().oid_mark();
            txn.put_raw(&key, &value)?;
            txn.on_commit(Box::new(move || {
                let _ = guard.publish();
            }));
        }
        let durability = if self.settings.borrow().hot().asynchronous_commit {
            Durability::Async
        } else {
            Durability::Sync
        };
        let outbox = std::mem::take(&mut *self.outbox.borrow_mut());
        if !outbox.is_empty() {
            let (shared, pid, database) = (self.shared().clone(), self.slot.pid, self.slot.database);
            txn.on_commit(Box::new(move || crate::notify::deliver(&shared, database, pid, &outbox)));
        }
        txn.commit(durability)
    }

    /// Rolls everything back; the block is left to the caller.
    pub fn abort(&self) {
        let running = self.running.borrow_mut().take();
        if let Some(r) = running {
            r.txn.abort();
            self.flush_counts(false);
            self.settings.borrow_mut().restore(&r.settings_at_begin);
            self.session_user.set(r.users_at_begin.0);
            self.current_user.set(r.users_at_begin.1);
        }
        let _ = self.reset_catalog();
        self.after_end();
    }

    /// Adds what the transaction did to the server's statistics.
    fn flush_counts(&self, committed: bool) {
        let shared = self.shared();
        self.counts.flush(&self.totals, committed, || shared.now());
    }

    fn end(&self, committed: bool) {
        *self.running.borrow_mut() = None;
        self.flush_counts(committed);
        {
            // The overlay is committed: start the next one from it at the next refresh.
            let mut state = self.catalog.borrow_mut();
            if state.changes > 0 {
                state.changes = 0;
                if let Ok(newest) = self.shared().catalog.snapshot(self.slot.database) {
                    state.txn = CatalogTxn::new(newest);
                    state.current = Arc::new(state.txn.snapshot().clone());
                    state.generation += 1;
                }
            }
        }
        self.after_end();
        self.block.set(Block::Idle);
    }

    fn after_end(&self) {
        self.settings.borrow_mut().end_transaction();
        self.outbox.borrow_mut().clear();
        self.deferred.borrow_mut().clear();
        self.slot.activity.lock().xact_start = None;
    }

    /// After an error in an explicit block: undoes the work of the current savepoint level, or everything. The savepoints
    /// themselves stay, so that ROLLBACK TO can go on from them.
    pub fn abort_to_savepoint(&self) {
        let innermost = self.running.borrow().as_ref().and_then(|r| r.saves.last().map(|s| s.name.clone()));
        match innermost {
            Some(name) => {
                let _ = self.rollback_to(&name);
            }
            None => self.abort(),
        }
    }

    // ---- savepoints -----------------------------------------------------------------------------------------

    pub fn savepoint(&self, name: &str) -> PgResult<()> {
        let txn = self.txn()?;
        let level = SaveLevel {
            name: name.to_string(),
            savepoint: txn.savepoint(),
            catalog: self.catalog.borrow().txn.mark(),
            settings: self.settings.borrow().mark(),
            catalog_changes: self.catalog.borrow().changes,
            deferred: self.deferred.borrow().mark(),
        };
        if let Some(r) = self.running.borrow_mut().as_mut() {
            r.saves.push(level);
        }
        Ok(())
    }

    /// The newest savepoint of that name: its index.
    fn find_save(&self, name: &str) -> PgResult<usize> {
        let running = self.running.borrow();
        running
            .as_ref()
            .and_then(|r| r.saves.iter().rposition(|s| s.name == name))
            .ok_or_else(|| err!(S_E_INVALID_SPECIFICATION, "savepoint \"{name}\" does not exist"))
    }

    pub fn release(&self, name: &str) -> PgResult<()> {
        let at = self.find_save(name)?;
        let mut running = self.running.borrow_mut();
        if let Some(r) = running.as_mut() {
            let levels: Vec<SaveLevel> = r.saves.drain(at..).collect();
            levels.into_iter().rev().for_each(|l| r.txn.release(l.savepoint));
        }
        Ok(())
    }

    /// Ends the innermost level, keeping its work.
    pub fn release_innermost(&self) -> PgResult<()> {
        if let Some(r) = self.running.borrow_mut().as_mut()
            && let Some(level) = r.saves.pop()
        {
            r.txn.release(level.savepoint);
        }
        Ok(())
    }

    /// Undoes the innermost level and ends it.
    pub fn rollback_innermost(&self) -> PgResult<()> {
        let last = self.running.borrow().as_ref().map_or(0, |r| r.saves.len());
        if last > 0 {
            self.rollback_level(last - 1)?;
        }
        self.release_innermost()
    }

    /// Undoes everything since the savepoint, which stays.
    pub fn rollback_to(&self, name: &str) -> PgResult<()> {
        let at = self.find_save(name)?;
        self.rollback_level(at)
    }

    fn rollback_level(&self, at: usize) -> PgResult<()> {
        let mut running = self.running.borrow_mut();
        let Some(r) = running.as_mut() else { return Ok(()) };
        while r.saves.len() > at + 1 {
            if let Some(l) = r.saves.pop() {
                r.txn.rollback_to(&l.savepoint)?;
                r.txn.release(l.savepoint);
            }
        }
        let level = &r.saves[at];
        r.txn.rollback_to(&level.savepoint)?;
        self.settings.borrow_mut().restore(&level.settings);
        self.deferred.borrow_mut().rollback_to(&level.deferred);
        let mut state = self.catalog.borrow_mut();
        if state.changes != level.catalog_changes {
            state.txn.rollback_to(&level.catalog);
            state.current = Arc::new(state.txn.snapshot().clone());
            state.generation += 1;
            state.changes = level.catalog_changes;
        }
        Ok(())
    }

    // ---- statements -----------------------------------------------------------------------------------------

    /// A view for the next statement.
    pub fn statement_view(&self) -> PgResult<ReadView> {
        Ok(self.txn()?.statement_view())
    }

    /// Makes the statement's writes visible to the next one.
    pub fn command_done(&self) -> PgResult<()> {
        match self.running.borrow().as_ref() {
            Some(r) => r.txn.bump_command(),
            None => Ok(()),
        }
    }

    /// Starts the clock of `statement_timeout` (milliseconds, 0 = none).
    pub fn arm_timeout(&self, ms: i64) {
        self.checks.set(0);
        self.first_check.set(None);
        let clock = &self.shared().env.clock;
        self.deadline.set((ms > 0).then(|| clock.monotonic() + std::time::Duration::from_millis(ms as u64)));
    }

    /// Gives the worker up once, when the message has taken long already.
    fn look_at_clock(&self) {
        let clock = &self.shared().env.clock;
        let now = clock.monotonic();
        match self.first_check.get() {
            None => self.first_check.set(Some(now)),
            Some(first) if first != GIVEN_UP && now.saturating_sub(first) >= LONG => {
                self.first_check.set(Some(GIVEN_UP));
                // Why a sleep: whoever takes the worker over must come before this thread takes it back.
                self.slot.backend.wait_hook().clone().block(&mut || clock.sleep(HAND_OVER));
            }
            Some(_) => {}
        }
    }

    /// Runs a piece of work; one that is expected to take long (by its cost in the planner's units) gives its worker up.
    pub fn run_long<T>(&self, cost: f64, mut work: impl FnMut() -> PgResult<T>) -> PgResult<T> {
        if cost < LONG_COST {
            return work();
        }
        let mut result = None;
        self.slot.backend.wait_hook().clone().block(&mut || result = Some(work()));
        result.unwrap_or_else(|| Err(PgError::internal("the statement was not run")))
    }

    /// The error that must stop the running statement, if any.
    pub fn check_interrupts(&self) -> PgResult<()> {
        let checks = self.checks.get().wrapping_add(1);
        self.checks.set(checks);
        if checks.is_multiple_of(CHECKS_PER_LOOK) {
            self.look_at_clock();
        }
        self.slot.backend.cancel_token().check()?;
        if let Some(deadline) = self.deadline.get()
            && self.shared().env.clock.monotonic() >= deadline
        {
            self.deadline.set(None);
            bail!(QUERY_CANCELED, "canceling statement due to statement timeout");
        }
        Ok(())
    }

    pub fn send_notices(&self, client: &mut dyn Client) {
        let notices = std::mem::take(&mut *self.notices.borrow_mut());
        notices.iter().for_each(|n| client.notice(n));
    }
}

thread_local! {
    static EMPTY: Arc<Snapshot> = Arc::new(Snapshot::builtin(Oid::INVALID));
}
