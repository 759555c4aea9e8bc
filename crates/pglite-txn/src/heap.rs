//! `RowTable`: tables as rows in the store - the one implementation of [`TableAm`].
//!
//! A row keeps its id for life; an UPDATE writes the same key with a new position. See `layout` for the bytes.

mod scan;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pglite_error::{PgError, PgResult, bail};
use pglite_storage::Timestamp;
use pglite_types::{BATCH_ROWS, Batch, Datum};
use smallvec::SmallVec;

use crate::Transaction;
use crate::am::{Columns, Direction, RowId, RowLock, RowMeta, RowStatus, TableAm, TableScan, Wait};
use crate::desc::TableDesc;
use crate::layout::{position_to_tid, row_id_of};
use crate::lock::{Acquired, LockTag};
use crate::merged::MergedCursor;
use crate::rows::{ReadColumn, read_columns, reader, split_row, write_row};
use crate::transaction::Isolation;
use crate::view::ReadView;
use crate::write_set::Own;

use scan::RowScan;

/// Tables as rows in the store.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowTable;

/// Columns to decode, with their readers.
pub(crate) type Wanted = SmallVec<[(u16, ReadColumn); 8]>;

/// The wanted columns with their readers.
fn wanted(table: &TableDesc, columns: &[u16]) -> PgResult<Wanted> {
    let column = |i: &u16| table.kinds.get(*i as usize).map(|kind| (*i, reader(*kind)));
    match columns.iter().map(column).collect::<Option<Wanted>>() {
        Some(wanted) => Ok(wanted),
        None => bail!(INTERNAL_ERROR, "table \"{}\" has no such column", table.name),
    }
}

/// Appends one row version to a batch; false if it is damaged beyond its position.
#[inline]
fn emit(
    table: &TableDesc,
    columns: &[(u16, ReadColumn)],
    row: (u64, u64, u64, &[u8]),
    out: &mut Batch,
    meta: &mut RowMeta,
) -> PgResult<()> {
    let (row_id, position, version, bytes) = row;
    if let Err(error) = read_columns(table, columns, bytes, out.values_mut()) {
        out.abandon_row();
        return Err(error);
    }
    out.finish_row();
    meta.row_ids.push(row_id);
    meta.positions.push(position);
    meta.versions.push(version);
    Ok(())
}

/// Rows in ascending order, close together: one pass over their range beats as many lookups.
fn is_dense(rows: &[u64]) -> bool {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return false };
    rows.len() >= DENSE_ROWS
        && last.saturating_sub(*first) < rows.len() as u64 * DENSE_SPAN
        && rows.windows(2).all(|pair| pair[0] < pair[1])
}

/// The least number of rows worth a scan, and how much longer than they the scanned range may be.
const DENSE_ROWS: usize = 16;
const DENSE_SPAN: u64 = 3;

/// [`TableAm::fetch`] by a scan of the range that the rows lie in.
fn fetch_dense(
    txn: &Transaction,
    view: &ReadView,
    table: &TableDesc,
    columns: &[(u16, ReadColumn)],
    rows: &[u64],
    out: &mut Batch,
    meta: &mut RowMeta,
) -> PgResult<()> {
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    let (start, end) = (table.space.row_key(first), table.space.row_key(last + 1));
    let mut cursor = MergedCursor::open(txn, view, &start, &end, pglite_storage::Direction::Forward)?;
    let mut wanted = rows.iter().copied().peekable();
    while cursor.next_batch(txn, BATCH_ROWS)? {
        for (key, value, ts) in cursor.rows().iter() {
            let row = row_id_of(key);
            while wanted.next_if(|want| *want < row).is_some() {}
            if wanted.next_if_eq(&row).is_some() {
                let (position, bytes) = split_row(value)?;
                emit(table, columns, (row, position, ts.0, bytes), out, meta)?;
            }
        }
    }
    Ok(())
}

impl TableAm for RowTable {
    fn scan(
        &self,
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        columns: &Columns,
        dir: Direction,
    ) -> PgResult<Box<dyn TableScan>> {
        txn.manager().counters(table.space)?.seq_scans.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(RowScan::open(txn, view, table, wanted(table, columns)?, dir)?))
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
        let columns = wanted(table, columns)?;
        if is_dense(rows) {
            return fetch_dense(txn, view, table, &columns, rows, out, meta);
        }
        let store = txn.manager().store();
        let own_rows = txn.has_writes();
        for row in rows {
            let key = table.space.row_key(*row);
            if own_rows {
                let own = txn.with_writes(|writes| match writes.get(&key, view.command().0) {
                    Some(Own::Put(value)) => {
                        let (position, bytes) = split_row(value)?;
                        emit(table, &columns, (*row, position, 0, bytes), out, meta).map(|()| true)
                    }
                    Some(Own::Deleted) => Ok(true),
                    None => Ok(false),
                })?;
                if own {
                    continue;
                }
            }
            if let Some((value, ts)) = store.engine().get(&key, view.ts())? {
                let (position, bytes) = split_row(&value)?;
                emit(table, &columns, (*row, position, ts.0, bytes), out, meta)?;
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        txn: &Transaction,
        table: &Arc<TableDesc>,
        rows: &Batch,
        ids: &mut Vec<u64>,
    ) -> PgResult<()> {
        txn.with_table(table.space, |state, at, command| {
            let count = rows.len() as u64;
            let first = state.tables[at].counters.draw(count);
            let before = state.writes.bytes();
            for (i, values) in rows.rows().enumerate() {
                let row = first + i as u64;
                let key = table.space.row_key(row);
                state.writes.put_with(&key, true, command, |out| write_row(table, row, values, out))?;
                ids.push(row);
            }
            let done = &mut state.tables[at].done;
            done.inserted += count;
            done.bytes += (state.writes.bytes() - before) as u64;
            done.used = done.used.max(first + count);
            Ok(())
        })
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
        let key = table.space.row_key(row.0);
        let own = txn.with_writes(|writes| {
            let (own, command) = writes.newest(&key)?;
            let status = if command >= view.command().0 {
                RowStatus::SelfModified
            } else if own == Own::Deleted {
                RowStatus::Deleted
            } else {
                RowStatus::Ok
            };
            Some((status, writes.created(&key)))
        });
        match own {
            // Nobody else can see the row: there is nothing to lock.
            Some((status, true)) => return Ok(status),
            Some((status, false)) if status != RowStatus::Ok => return Ok(status),
            _ => {}
        }
        if txn.is_created(table.space) {
            return Ok(RowStatus::Ok);
        }
        txn.xid();
        let tag = LockTag::Row(table.space, row.0);
        let acquired = txn.acquire(tag, lock.into(), wait);
        match acquired.map_err(|error| wait_context(txn, table, row, lock, error))? {
            Acquired::NotAvailable if wait == Wait::Error => {
                bail!(LOCK_NOT_AVAILABLE, "could not obtain lock on row in relation \"{}\"", table.name)
            }
            Acquired::NotAvailable => return Ok(RowStatus::WouldBlock),
            Acquired::New | Acquired::Already => {}
        }
        if own.is_some() {
            return Ok(RowStatus::Ok);
        }
        check_newest(txn, view, &key)
    }

    fn update(
        &self,
        txn: &Transaction,
        table: &Arc<TableDesc>,
        row: RowId,
        values: &[Datum],
    ) -> PgResult<u64> {
        txn.with_table(table.space, |state, at, command| {
            let position = state.tables[at].counters.draw(1);
            let key = table.space.row_key(row.0);
            let mut len = 0;
            state.writes.put_with(&key, false, command, |out| {
                let start = out.len();
                write_row(table, position, values, out)?;
                len = out.len() - start;
                Ok(())
            })?;
            let done = &mut state.tables[at].done;
            done.updated += 1;
            done.bytes += len as u64 + 16;
            done.used = done.used.max(position + 1);
            Ok(position)
        })
    }

    fn delete(&self, txn: &Transaction, table: &Arc<TableDesc>, row: RowId) -> PgResult<()> {
        txn.with_table(table.space, |state, at, command| {
            state.writes.delete(&table.space.row_key(row.0), command);
            state.tables[at].done.deleted += 1;
            Ok(())
        })
    }
}

/// First updater wins: whether the version that the view sees is still the newest, now that the row is locked.
fn check_newest(txn: &Transaction, view: &ReadView, key: &[u8]) -> PgResult<RowStatus> {
    let store = txn.manager().store();
    let published = store.published();
    if published == view.ts() {
        return Ok(RowStatus::Ok);
    }
    let newest: Option<Timestamp> = store.engine().get(key, published)?.map(|(_, ts)| ts);
    let repeatable = txn.isolation() != Isolation::ReadCommitted;
    match newest {
        Some(ts) if ts <= view.ts() => Ok(RowStatus::Ok),
        Some(_) if repeatable => {
            bail!(T_R_SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")
        }
        Some(_) => Ok(RowStatus::Updated),
        None if repeatable => {
            bail!(T_R_SERIALIZATION_FAILURE, "could not serialize access due to concurrent delete")
        }
        None => Ok(RowStatus::Deleted),
    }
}

/// Says which row a failed wait was for.
#[cold]
fn wait_context(txn: &Transaction, table: &TableDesc, row: RowId, lock: RowLock, error: PgError) -> PgError {
    let store = txn.manager().store();
    let newest = store.engine().get(&table.space.row_key(row.0), store.published());
    let position = match &newest {
        Ok(Some((value, _))) => split_row(value).map_or(row.0, |(position, _)| position),
        _ => row.0,
    };
    let (block, offset) = position_to_tid(position);
    // PG: "deleting" for DELETE, which asks for the same strength as FOR UPDATE.
    let doing = if lock == RowLock::NoKeyUpdate { "updating" } else { "locking" };
    error.context(format!("while {doing} tuple ({block},{offset}) in relation \"{}\"", table.name))
}
