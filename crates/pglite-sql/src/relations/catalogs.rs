//! The system catalogs as relations: their rows as SQL sees them, and their indexes, made once per catalog state and
//! shared by all sessions.
//!
//! Invariant: a [`CatalogTable`] holds the snapshot that its rows came from, so the identity of that snapshot's tables
//! decides whether the rows are still right.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use pglite_catalog::generated::rows::AuthidRow;
use pglite_catalog::row::CatalogRow;
use pglite_catalog::{IndexDesc, Snapshot};
use pglite_codec::KeyBuf;
use pglite_error::{PgError, PgResult};
use pglite_planner::ColumnStats;
use pglite_txn::am::{Direction, IndexAm, IndexScan, KeyRange, NextRows, RowId, Wait};
use pglite_txn::{IndexRef, ReadView, Transaction};
use pglite_types::{Batch, Datum, Oid, Row};

/// (encoded key, row), in key order.
type Entries = Arc<Vec<(Box<[u8]>, u32)>>;

/// One catalog's rows and the indexes that scans have asked for.
pub(crate) struct CatalogTable {
    snapshot: Arc<Snapshot>,
    pub rows: Arc<Vec<Row>>,
    indexes: RwLock<HashMap<Oid, Entries>>,
}

/// The newest rows of each database's catalogs that somebody has read, and what the planner knows of their columns.
#[derive(Default)]
pub(crate) struct CatalogRows {
    tables: RwLock<HashMap<(Oid, Oid), Arc<CatalogTable>>>,
    columns: RwLock<HashMap<(Oid, Oid, i16), (usize, Arc<ColumnStats>)>>,
}

/// As many common values as the planner gets.
const COMMON: usize = 20;

/// What ANALYZE would find in a column of a catalog. None: values that do not hash.
fn analyze(rows: &[Row], column: usize) -> Option<ColumnStats> {
    #[derive(PartialEq, Eq, Hash)]
    enum Value<'a> {
        Number(i64),
        Text(&'a str),
    }
    let mut counts: HashMap<Value<'_>, (usize, &Datum)> = HashMap::new();
    let (mut nulls, mut width) = (0, 0);
    for row in rows {
        let value = row.get(column)?;
        let key = match value {
            Datum::Null => {
                nulls += 1;
                continue;
            }
            Datum::Bool(v) => Value::Number(i64::from(*v)),
            Datum::Char(v) => Value::Number(i64::from(*v)),
            Datum::Int2(v) => Value::Number(i64::from(*v)),
            Datum::Int4(v) => Value::Number(i64::from(*v)),
            Datum::Oid(v) => Value::Number(i64::from(v.0)),
            Datum::Text(v) => Value::Text(v),
            _ => return None,
        };
        width += if let Value::Text(t) = key { t.len() } else { 4 };
        counts.entry(key).or_insert((0, value)).0 += 1;
    }
    let total = rows.len().max(1) as f64;
    let found = (rows.len() - nulls).max(1);
    let distinct = counts.len();
    let mut common: Vec<(usize, &Datum)> = counts.into_values().filter(|(n, _)| *n > 1).collect();
    common.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    common.truncate(COMMON);
    Some(ColumnStats {
        null_frac: nulls as f64 / total,
        n_distinct: if distinct == found { -(found as f64) / total } else { distinct as f64 },
        mcv: common.into_iter().map(|(n, v)| (v.clone(), n as f64 / total)).collect(),
        avg_width: (width / found) as i32,
        ..ColumnStats::default()
    })
}

/// Whether both snapshots hold the very same rows of a catalog (privileges are printed with role names).
fn same(a: &Snapshot, b: &Snapshot, catalog: Oid) -> bool {
    let one = |c: Oid| match (a.any_table(c), b.any_table(c)) {
        (Some(x), Some(y)) => std::ptr::addr_eq(x, y),
        _ => false,
    };
    one(catalog) && one(AuthidRow::CATALOG)
}

impl CatalogRows {
    pub fn get(&self, snapshot: &Arc<Snapshot>, catalog: Oid) -> Arc<CatalogTable> {
        let key = (snapshot.database(), catalog);
        if let Some(found) = self.tables.read().get(&key)
            && same(&found.snapshot, snapshot, catalog)
        {
            return found.clone();
        }
        let rows = snapshot.rows(catalog).map(Iterator::collect).unwrap_or_default();
        let made = Arc::new(CatalogTable {
            snapshot: snapshot.clone(),
            rows: Arc::new(rows),
            indexes: RwLock::default(),
        });
        self.tables.write().insert(key, made.clone());
        made
    }
    /// Statistics of a column, made anew when the catalog has changed much.
    pub fn column(&self, snapshot: &Arc<Snapshot>, catalog: Oid, attno: i16) -> Option<Arc<ColumnStats>> {
        let key = (snapshot.database(), catalog, attno);
        let size = snapshot.any_table(catalog)?.size();
        if let Some((then, stats)) = self.columns.read().get(&key)
            && then.abs_diff(size) * 10 <= *then
        {
            return Some(stats.clone());
        }
        let column = usize::try_from(attno).ok()?.checked_sub(1)?;
        let stats = Arc::new(analyze(&self.get(snapshot, catalog).rows, column)?);
        self.columns.write().insert(key, (size, stats.clone()));
        Some(stats)
    }
}

impl CatalogTable {
    fn entries(&self, index: &IndexRef, columns: &[usize]) -> PgResult<Entries> {
        if let Some(found) = self.indexes.read().get(&index.index) {
            return Ok(found.clone());
        }
        let mut entries = Vec::with_capacity(self.rows.len());
        for (i, row) in self.rows.iter().enumerate() {
            let values: Vec<Datum> =
                columns.iter().map(|c| row.get(*c).cloned().unwrap_or_default()).collect();
            let mut key = KeyBuf::new();
            index.encode_prefix(&values, &mut key)?;
            entries.push((Box::from(&key[..]), i as u32));
        }
        entries.sort();
        let entries = Arc::new(entries);
        self.indexes.write().insert(index.index, entries.clone());
        Ok(entries)
    }
}

/// An index of a catalog, read-only.
pub(crate) struct CatalogIndex {
    table: Arc<CatalogTable>,
    /// The table column of each index column.
    columns: Box<[usize]>,
}

impl CatalogIndex {
    pub fn new(table: Arc<CatalogTable>, index: &IndexDesc) -> CatalogIndex {
        let columns = index.keys.iter().map(|k| (k.attnum.max(1) - 1) as usize).collect();
        CatalogIndex { table, columns }
    }
}

struct Scan {
    entries: Entries,
    rows: Arc<Vec<Row>>,
    columns: Option<Box<[usize]>>,
    at: std::ops::Range<usize>,
    backward: bool,
}

impl IndexScan for Scan {
    fn next_batch(
        &mut self,
        _: &Transaction,
        out: &mut Batch,
        row_ids: &mut Vec<u64>,
        max: usize,
    ) -> PgResult<bool> {
        for _ in 0..max {
            let Some(i) = (if self.backward { self.at.next_back() } else { self.at.next() }) else { break };
            let row = self.entries[i].1;
            row_ids.push(u64::from(row) + 1);
            if let Some(columns) = &self.columns {
                let values = &self.rows[row as usize];
                out.push_row(columns.iter().map(|c| values.get(*c).cloned().unwrap_or_default()));
            }
        }
        Ok(!self.at.is_empty())
    }
}

fn read_only<T>() -> PgResult<T> {
    Err(PgError::unsupported("direct changes of this relation are not supported"))
}

impl IndexAm for CatalogIndex {
    fn scan(
        &self,
        _: &Transaction,
        _: &ReadView,
        index: &Arc<IndexRef>,
        range: &KeyRange,
        want_values: bool,
        dir: Direction,
    ) -> PgResult<Box<dyn IndexScan>> {
        let entries = self.table.entries(index, &self.columns)?;
        let from = entries.partition_point(|(k, _)| **k < *range.start);
        let to = match range.end.is_empty() {
            true => entries.len(),
            false => entries.partition_point(|(k, _)| **k < *range.end),
        };
        Ok(Box::new(Scan {
            entries,
            rows: self.table.rows.clone(),
            columns: want_values.then(|| self.columns.clone()),
            at: from..to.max(from),
            backward: dir == Direction::Backward,
        }))
    }
    fn insert(&self, _: &Transaction, _: &Arc<IndexRef>, _: &[Datum], _: RowId) -> PgResult<()> {
        read_only()
    }
    fn delete(&self, _: &Transaction, _: &Arc<IndexRef>, _: &[Datum], _: RowId) -> PgResult<()> {
        read_only()
    }
    fn find_conflict(
        &self,
        _: &Transaction,
        _: &Arc<IndexRef>,
        _: &[Datum],
        _: Option<RowId>,
        _: Wait,
    ) -> PgResult<Option<RowId>> {
        Ok(None)
    }
    fn build(&self, _: &Transaction, _: &Arc<IndexRef>, _: NextRows<'_>) -> PgResult<Option<Vec<Datum>>> {
        read_only()
    }
}
