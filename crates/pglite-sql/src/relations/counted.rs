//! Activity counters of relations: access methods that count what goes through them, per session and transaction, and
//! the shared totals behind `pg_stat_all_tables`, `pg_stat_all_indexes` and `pg_stat_database`.
//!
//! Invariant: a session adds to its own [`Pending`] only; the totals move when its transaction ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use parking_lot::{Mutex, RwLock};
use pglite_error::PgResult;
use pglite_txn::am::{
    Columns, Direction, IndexAm, IndexScan, KeyRange, NextRows, RowId, RowLock, RowMeta, RowStatus, TableAm,
    TableScan, Wait,
};
use pglite_txn::{IndexRef, KeyIndex, ReadView, RowTable, TableDesc, Transaction};
use pglite_types::{Batch, Datum, Oid};

pub(crate) const SCANS: usize = 0;
pub(crate) const RETURNED: usize = 1;
pub(crate) const FETCHED: usize = 2;
pub(crate) const INSERTED: usize = 3;
pub(crate) const UPDATED: usize = 4;
pub(crate) const DELETED: usize = 5;
pub(crate) const HOT: usize = 6;
/// How many kinds of events are counted.
pub(crate) const KINDS: usize = 7;

/// What VACUUM or ANALYZE did to a relation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Runs {
    pub count: i64,
    pub last: Option<i64>,
}

/// One relation's totals.
#[derive(Debug, Default)]
pub(crate) struct RelationTotals {
    pub events: [AtomicI64; KINDS],
    pub dead: AtomicI64,
    pub modified_since_analyze: AtomicI64,
    pub inserted_since_vacuum: AtomicI64,
    /// Microseconds since 2000-01-01; 0 = never.
    pub last_scan: AtomicI64,
    pub vacuum: Mutex<Runs>,
    pub analyze: Mutex<Runs>,
}

/// One database's totals.
#[derive(Debug, Default)]
pub(crate) struct DatabaseTotals {
    pub commits: AtomicI64,
    pub rollbacks: AtomicI64,
    pub deadlocks: AtomicI64,
    pub sessions: AtomicI64,
    pub killed: AtomicI64,
    pub events: [AtomicI64; KINDS],
    pub reset: Mutex<Option<i64>>,
}

/// All totals of the server.
#[derive(Default)]
pub(crate) struct Totals {
    relations: RwLock<HashMap<(Oid, Oid), Arc<RelationTotals>>>,
    databases: RwLock<HashMap<Oid, Arc<DatabaseTotals>>>,
}

impl Totals {
    pub fn relation(&self, database: Oid, relation: Oid) -> Arc<RelationTotals> {
        if let Some(found) = self.find(database, relation) {
            return found;
        }
        self.relations.write().entry((database, relation)).or_default().clone()
    }
    pub fn find(&self, database: Oid, relation: Oid) -> Option<Arc<RelationTotals>> {
        self.relations.read().get(&(database, relation)).cloned()
    }
    pub fn database(&self, database: Oid) -> Arc<DatabaseTotals> {
        if let Some(found) = self.databases.read().get(&database) {
            return found.clone();
        }
        self.databases.write().entry(database).or_default().clone()
    }
    /// `pg_stat_reset()`: sessions that hold totals go on counting in them, so they are emptied in place.
    pub fn reset(&self, database: Oid, now: i64) {
        for ((_, _), totals) in self.relations.read().iter().filter(|((d, _), _)| *d == database) {
            totals.reset();
        }
        let totals = self.database(database);
        for counter in
            [&totals.commits, &totals.rollbacks, &totals.deadlocks, &totals.sessions, &totals.killed]
        {
            counter.store(0, Relaxed);
        }
        totals.events.iter().for_each(|e| e.store(0, Relaxed));
        *totals.reset.lock() = Some(now);
    }
}

impl RelationTotals {
    pub fn reset(&self) {
        self.events.iter().for_each(|e| e.store(0, Relaxed));
        for counter in
            [&self.dead, &self.modified_since_analyze, &self.inserted_since_vacuum, &self.last_scan]
        {
            counter.store(0, Relaxed);
        }
        *self.vacuum.lock() = Runs::default();
        *self.analyze.lock() = Runs::default();
    }
    fn add(&self, pending: &[u64; KINDS], committed: bool, now: i64) {
        for (total, n) in self.events.iter().zip(pending) {
            if *n > 0 {
                total.fetch_add(*n as i64, Relaxed);
            }
        }
        if pending[SCANS] > 0 {
            self.last_scan.store(now, Relaxed);
        }
        let (inserted, updated, deleted) =
            (pending[INSERTED] as i64, pending[UPDATED] as i64, pending[DELETED] as i64);
        // PG: an aborted insert leaves a dead row, an aborted delete leaves none.
        let dead = if committed { updated + deleted } else { inserted + updated };
        self.dead.fetch_add(dead, Relaxed);
        self.inserted_since_vacuum.fetch_add(inserted, Relaxed);
        if committed {
            self.modified_since_analyze.fetch_add(inserted + updated + deleted, Relaxed);
        }
    }
}

/// One session's counts of one relation since its transaction began.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    events: [AtomicU64; KINDS],
    /// One more than the id of the row whose update has touched no index yet; 0: none.
    hot_row: AtomicU64,
}

impl Pending {
    #[inline]
    fn add(&self, kind: usize, n: u64) {
        // Why no read-modify-write: only this session's thread writes.
        self.events[kind].store(self.events[kind].load(Relaxed) + n, Relaxed);
    }
    pub fn read(&self) -> [u64; KINDS] {
        std::array::from_fn(|i| self.events[i].load(Relaxed))
    }
}

/// A session's counters by relation.
#[derive(Default)]
pub(crate) struct Session {
    relations: std::cell::RefCell<HashMap<Oid, (Arc<Pending>, Arc<RelationTotals>)>>,
}

impl Session {
    pub fn of(&self, totals: &Totals, database: Oid, relation: Oid) -> Arc<Pending> {
        let mut all = self.relations.borrow_mut();
        let entry = all.entry(relation);
        entry.or_insert_with(|| (Arc::default(), totals.relation(database, relation))).0.clone()
    }
    pub fn find(&self, relation: Oid) -> Option<Arc<Pending>> {
        self.relations.borrow().get(&relation).map(|found| found.0.clone())
    }
    /// Moves everything to the totals: the transaction has ended.
    pub fn flush(&self, database: &DatabaseTotals, committed: bool, now: impl Fn() -> i64) {
        for (pending, totals) in self.relations.borrow().values() {
            let events = pending.read();
            if events.iter().all(|n| *n == 0) {
                continue;
            }
            pending.events.iter().for_each(|e| e.store(0, Relaxed));
            totals.add(&events, committed, now());
            for (total, n) in database.events.iter().zip(events) {
                if n > 0 {
                    total.fetch_add(n as i64, Relaxed);
                }
            }
        }
        let ends = if committed { &database.commits } else { &database.rollbacks };
        ends.fetch_add(1, Relaxed);
    }
}

/// [`RowTable`], counted.
pub(crate) struct CountedTable(pub Arc<Pending>);

struct CountedScan {
    inner: Box<dyn TableScan>,
    counts: Arc<Pending>,
}

impl TableScan for CountedScan {
    fn next_batch(
        &mut self,
        txn: &Transaction,
        out: &mut Batch,
        meta: &mut RowMeta,
        max: usize,
    ) -> PgResult<bool> {
        let before = out.len();
        let more = self.inner.next_batch(txn, out, meta, max);
        self.counts.add(RETURNED, (out.len() - before) as u64);
        more
    }
}

impl TableAm for CountedTable {
    fn scan(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        columns: &Columns,
        dir: Direction,
    ) -> PgResult<Box<dyn TableScan>> {
        self.0.add(SCANS, 1);
        let inner = RowTable.scan(txn, view, table, columns, dir)?;
        Ok(Box::new(CountedScan { inner, counts: self.0.clone() }))
    }
    fn fetch(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        columns: &Columns,
        rows: &[u64],
        out: &mut Batch,
        meta: &mut RowMeta,
    ) -> PgResult<()> {
        RowTable.fetch(txn, view, table, columns, rows, out, meta)
    }
    fn insert(
        &self,
        txn: &Transaction,
        table: &Arc<TableDesc>,
        rows: &Batch,
        ids: &mut Vec<u64>,
    ) -> PgResult<()> {
        self.0.add(INSERTED, rows.len() as u64);
        RowTable.insert(txn, table, rows, ids)
    }
    fn lock(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        row: RowId,
        lock: RowLock,
        wait: Wait,
    ) -> PgResult<RowStatus> {
        RowTable.lock(txn, view, table, row, lock, wait)
    }
    fn update(
        &self,
        txn: &Transaction,
        table: &Arc<TableDesc>,
        row: RowId,
        values: &[Datum],
    ) -> PgResult<u64> {
        self.0.add(UPDATED, 1);
        // An entry that follows in any index takes this back: see `CountedIndex::insert`.
        self.0.add(HOT, 1);
        self.0.hot_row.store(row.0 + 1, Relaxed);
        RowTable.update(txn, table, row, values)
    }
    fn delete(&self, txn: &Transaction, table: &Arc<TableDesc>, row: RowId) -> PgResult<()> {
        self.0.add(DELETED, 1);
        RowTable.delete(txn, table, row)
    }
}

/// [`KeyIndex`], counted.
pub(crate) struct CountedIndex {
    pub counts: Arc<Pending>,
    /// Of the index's table.
    pub table: Arc<Pending>,
}

struct CountedEntries {
    inner: Box<dyn IndexScan>,
    counts: Arc<Pending>,
    fetches: bool,
}

impl IndexScan for CountedEntries {
    fn next_batch(
        &mut self,
        txn: &Transaction,
        out: &mut Batch,
        row_ids: &mut Vec<u64>,
        max: usize,
    ) -> PgResult<bool> {
        let before = row_ids.len();
        let more = self.inner.next_batch(txn, out, row_ids, max);
        let n = (row_ids.len() - before) as u64;
        self.counts.add(RETURNED, n);
        if self.fetches {
            self.counts.add(FETCHED, n);
        }
        more
    }
}

impl IndexAm for CountedIndex {
    fn scan(
        &self,
        txn: &Transaction,
        view: &ReadView,
        index: &Arc<IndexRef>,
        range: &KeyRange,
        want_values: bool,
        dir: Direction,
    ) -> PgResult<Box<dyn IndexScan>> {
        self.counts.add(SCANS, 1);
        let inner = KeyIndex.scan(txn, view, index, range, want_values, dir)?;
        Ok(Box::new(CountedEntries { inner, counts: self.counts.clone(), fetches: !want_values }))
    }
    fn insert(&self, txn: &Transaction, index: &Arc<IndexRef>, values: &[Datum], row: RowId) -> PgResult<()> {
        let table = &self.table;
        if table.hot_row.load(Relaxed) == row.0 + 1 {
            table.hot_row.store(0, Relaxed);
            table.events[HOT].store(table.events[HOT].load(Relaxed).saturating_sub(1), Relaxed);
        }
        KeyIndex.insert(txn, index, values, row)
    }
    fn delete(&self, txn: &Transaction, index: &Arc<IndexRef>, values: &[Datum], row: RowId) -> PgResult<()> {
        KeyIndex.delete(txn, index, values, row)
    }
    fn find_conflict(
        &self,
        txn: &Transaction,
        index: &Arc<IndexRef>,
        values: &[Datum],
        ignore: Option<RowId>,
        wait: Wait,
    ) -> PgResult<Option<RowId>> {
        KeyIndex.find_conflict(txn, index, values, ignore, wait)
    }
    fn build(
        &self,
        txn: &Transaction,
        index: &Arc<IndexRef>,
        next: NextRows<'_>,
    ) -> PgResult<Option<Vec<Datum>>> {
        KeyIndex.build(txn, index, next)
    }
}
