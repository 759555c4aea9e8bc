//! The access-method traits: what the executor sees of tables and indexes.
//!
//! Both sides of the trait speak batches. A scan hands out only the columns asked for, in the order asked.
//! Row identity: `RowId` is stable for the life of a row; every version has a position (`ctid`).

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_types::{Batch, Datum, Oid};

use crate::{ReadView, TableDesc, Transaction};

/// Stable identity of a row within its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u64);

/// Per-row facts beside the column values of a [`Batch`], parallel to its rows.
#[derive(Clone, Debug, Default)]
pub struct RowMeta {
    pub row_ids: Vec<u64>,
    /// The version's position: what `ctid` shows.
    pub positions: Vec<u64>,
    /// The version's commit timestamp, or 0 for the transaction's own write.
    pub versions: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// Which columns a scan must decode: 0-based column indexes, output order.
pub type Columns = Arc<[u16]>;

/// An open table scan.
pub trait TableScan: Send {
    /// Appends up to `max` rows to `out` (width = number of requested columns; the caller resets it) and to `meta`.
    /// Returns false when nothing is left.
    fn next_batch(
        &mut self,
        txn: &Transaction,
        out: &mut Batch,
        meta: &mut RowMeta,
        max: usize,
    ) -> PgResult<bool>;
}

/// An open index scan: row ids in index order, with the key's values when the scan asked for them (index-only).
pub trait IndexScan: Send {
    fn next_batch(
        &mut self,
        txn: &Transaction,
        out: &mut Batch,
        row_ids: &mut Vec<u64>,
        max: usize,
    ) -> PgResult<bool>;
}

/// Row lock strengths, weakest first (FOR KEY SHARE ... FOR UPDATE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowLock {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Block,
    Skip,
    Error,
}

/// What became of a row that a statement wants to lock, update or delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// Locked; the version the statement saw is still the newest.
    Ok,
    /// Somebody committed a newer version; it is now locked. READ COMMITTED re-checks it (fetch with `ReadView::newest`).
    Updated,
    /// Gone.
    Deleted,
    /// Changed already by this very statement (cmin = current command): skip, as PostgreSQL does.
    SelfModified,
    /// `Wait::Skip` and somebody else holds it.
    WouldBlock,
}

/// The bounds of an index scan: an encoded key range, produced by the executor from its index quals.
#[derive(Clone, Debug, Default)]
pub struct KeyRange {
    /// Inclusive lower bound (prefix of an encoded key), empty = unbounded.
    pub start: Vec<u8>,
    /// Exclusive upper bound, empty = unbounded.
    pub end: Vec<u8>,
}

/// A table's storage behaviour. One implementation: rows in the LSM store.
pub trait TableAm: Send + Sync {
    fn scan(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        columns: &Columns,
        dir: Direction,
    ) -> PgResult<Box<dyn TableScan>>;
    #[expect(clippy::too_many_arguments)]
    /// Fetches rows by id in the given order, appending the visible ones; `meta.row_ids` tells which were found.
    fn fetch(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        columns: &Columns,
        rows: &[u64],
        out: &mut Batch,
        meta: &mut RowMeta,
    ) -> PgResult<()>;
    /// Inserts rows (all columns, in attnum order). Returns their ids (appended to `ids`).
    fn insert(
        &self,
        txn: &Transaction,
        table: &Arc<TableDesc>,
        rows: &Batch,
        ids: &mut Vec<u64>,
    ) -> PgResult<()>;
    /// Locks a row and checks that the version seen at `view` is still current; waits as told.
    fn lock(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        row: RowId,
        lock: RowLock,
        wait: Wait,
    ) -> PgResult<RowStatus>;
    /// Writes a new version of a row that [`lock`](Self::lock) reported Ok (or re-checked). Returns its new position.
    fn update(
        &self,
        txn: &Transaction,
        table: &Arc<TableDesc>,
        row: RowId,
        values: &[Datum],
    ) -> PgResult<u64>;
    fn delete(&self, txn: &Transaction, table: &Arc<TableDesc>, row: RowId) -> PgResult<()>;
}

/// Hands out the next rows of a table that is being indexed: the index's values and the row ids. False at the end.
pub type NextRows<'a> = &'a mut dyn FnMut(&mut Batch, &mut Vec<u64>) -> PgResult<bool>;

/// An index's storage behaviour. The built-in one is an ordered key space (btree; also serves hash); vector indexes are others.
pub trait IndexAm: Send + Sync {
    fn scan(
        &self,
        txn: &Transaction,
        view: &ReadView,
        index: &Arc<crate::IndexRef>,
        range: &KeyRange,
        want_values: bool,
        dir: Direction,
    ) -> PgResult<Box<dyn IndexScan>>;
    fn insert(
        &self,
        txn: &Transaction,
        index: &Arc<crate::IndexRef>,
        values: &[Datum],
        row: RowId,
    ) -> PgResult<()>;
    fn delete(
        &self,
        txn: &Transaction,
        index: &Arc<crate::IndexRef>,
        values: &[Datum],
        row: RowId,
    ) -> PgResult<()>;
    /// Unique check: locks the key for the transaction, waits for rivals, and returns a conflicting live row if any.
    fn find_conflict(
        &self,
        txn: &Transaction,
        index: &Arc<crate::IndexRef>,
        values: &[Datum],
        ignore: Option<RowId>,
        wait: Wait,
    ) -> PgResult<Option<RowId>>;
    /// Fills a new index, which nobody else can see. Returns the values of a key that a unique index met twice.
    fn build(
        &self,
        txn: &Transaction,
        index: &Arc<crate::IndexRef>,
        next: NextRows<'_>,
    ) -> PgResult<Option<Vec<Datum>>>;
}

/// Identifies a relation in error messages and locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelKey {
    pub database: Oid,
    pub relation: Oid,
}
