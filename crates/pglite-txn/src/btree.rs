//! `KeyIndex`: an index as an ordered key space - the built-in implementation of [`IndexAm`] (btree, and hash too).
//!
//! An entry's key is the memcomparable columns and the row id; its value holds what the key cannot give back exactly
//! (numeric's scale, floats, character(n), ...) and the INCLUDE columns. Entries are versioned like rows: an entry is
//! visible exactly where the row version that made it is, so index scans need no look at the table for visibility.
//!
//! Uniqueness: whoever inserts or deletes a key of a unique index holds the key's lock until his transaction ends, so
//! rivals wait for each other; then the newest committed state decides.

mod build;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pglite_codec::key::prefix_end;
use pglite_codec::{KeyBuf, KeyReader, RowView};
use pglite_error::{PgError, PgResult, bail};
use pglite_storage::{Direction as StoreDirection, KvBatch};
use pglite_types::{BATCH_ROWS, Batch, Datum, keys};

use crate::Transaction;
use crate::am::{Direction, IndexAm, IndexScan, KeyRange, NextRows, RowId, Wait};
use crate::counters::TableCounters;
use crate::desc::{IndexColumn, IndexRef};
use crate::layout::row_id_of;
use crate::lock::{Acquired, HeldLock, LockMode, LockTag, hash_bytes};
use crate::merged::MergedCursor;
use crate::rows::{reader as column_reader, write_values};
use crate::view::ReadView;

/// Indexes as ordered key spaces.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyIndex;

/// Longer keys are refused, as PostgreSQL refuses keys past a third of a page.
const MAX_KEY: usize = 2704;

impl IndexColumn {
    /// Appends this column of a key.
    #[inline]
    pub fn encode(&self, value: &Datum, key: &mut KeyBuf) -> PgResult<()> {
        if let (Some(order), Datum::Oid(label)) = (&self.enum_order, value) {
            let at = order.binary_search_by_key(label, |(oid, _)| *oid);
            key.push_f32(at.map_or(f32::INFINITY, |at| order[at].1), self.order);
            return Ok(());
        }
        keys::encode_key(self.type_oid, value, self.order, key)
    }
}

impl IndexRef {
    /// Appends the key columns for the leading values.
    #[inline]
    pub fn encode_prefix(&self, values: &[Datum], key: &mut KeyBuf) -> PgResult<()> {
        self.columns.iter().zip(values).try_for_each(|(column, value)| column.encode(value, key))
    }

    /// The entries whose leading columns equal `equal` and whose next column lies between the bounds (value, and
    /// whether it belongs to the range). With a bound NULLs are outside; a NULL in `equal` means IS NULL.
    pub fn range(
        &self,
        equal: &[Datum],
        lower: Option<(&Datum, bool)>,
        upper: Option<(&Datum, bool)>,
    ) -> PgResult<KeyRange> {
        let mut prefix = KeyBuf::new();
        self.encode_prefix(equal, &mut prefix)?;
        if lower.is_none() && upper.is_none() {
            let end = prefix_end(&prefix).map_or_else(Vec::new, |end| end.to_vec());
            return Ok(KeyRange { start: prefix.to_vec(), end });
        }
        let Some(column) = self.columns.get(equal.len()) else {
            return Err(PgError::internal("index range past the last key column"));
        };
        let (first, last) = if column.order.desc { (upper, lower) } else { (lower, upper) };
        let bound = |bound: Option<(&Datum, bool)>, at_start: bool| -> PgResult<Vec<u8>> {
            let mut key = prefix.clone();
            let Some((value, inclusive)) = bound else {
                // The byte before the first and after the last value that is not NULL.
                key.put_u8(if at_start { 1 } else { 2 });
                return Ok(key.to_vec());
            };
            column.encode(value, &mut key)?;
            let past = inclusive != at_start;
            Ok(if past { prefix_end(&key).map_or_else(Vec::new, |end| end.to_vec()) } else { key.to_vec() })
        };
        Ok(KeyRange { start: bound(first, true)?, end: bound(last, false)? })
    }

    /// Space and key columns: what all entries of equal keys begin with.
    fn entry_prefix(&self, values: &[Datum]) -> PgResult<KeyBuf> {
        let mut key = KeyBuf::new();
        key.put_slice(&self.space.prefix());
        self.encode_prefix(values, &mut key)?;
        if key.len() > MAX_KEY {
            let (size, name) = (key.len(), &self.name);
            let message = format!(
                "index row size {size} exceeds btree version 4 maximum {MAX_KEY} for index \"{name}\""
            );
            return Err(PgError::new(pglite_error::codes::PROGRAM_LIMIT_EXCEEDED, message)
                .hint(
                    "Values larger than 1/3 of a buffer page cannot be indexed.\n\
                     Consider a function index of an MD5 hash of the value, or use full text indexing.",
                )
                .table("", ""));
        }
        Ok(key)
    }
    fn is_distinct(&self, values: &[Datum]) -> bool {
        !self.nulls_not_distinct && values.iter().take(self.columns.len()).any(Datum::is_null)
    }
    fn lock_tag(&self, prefix: &[u8]) -> LockTag {
        LockTag::Key(self.space, hash_bytes(prefix))
    }
    fn write_stored(&self, values: &[Datum], out: &mut Vec<u8>) -> PgResult<()> {
        if self.stored.is_empty() {
            return Ok(());
        }
        let value = |i: &u16| values.get(*i as usize).unwrap_or(&Datum::Null);
        write_values(&self.stored_layout, &self.stored_kinds, self.stored.iter().map(value), out)
    }
    /// Appends an entry's values: key columns, then INCLUDE columns.
    fn read_entry(&self, key: &[u8], value: &[u8], out: &mut Vec<Datum>) -> PgResult<()> {
        let mut reader = KeyReader::new(key);
        reader.skip(8)?;
        let stored = match self.stored.is_empty() {
            true => None,
            false => Some(RowView::new(&self.stored_layout, value)?),
        };
        let mut next_stored = 0;
        let mut push_stored = |out: &mut Vec<Datum>| {
            let at = next_stored;
            next_stored += 1;
            match &stored {
                Some(row) if !row.is_null(at) => column_reader(self.stored_kinds[at])(row, at, out),
                _ => {
                    out.push(Datum::Null);
                    Ok(())
                }
            }
        };
        // Where the columns after it are all stored, an undecodable column ends the reading of the key.
        let last_decodable = self.columns.iter().rposition(IndexColumn::decodable);
        for (i, column) in self.columns.iter().enumerate() {
            if column.decodable() {
                out.push(keys::decode_key(column.kind, column.order, &mut reader)?);
                continue;
            }
            push_stored(out)?;
            if last_decodable.is_some_and(|last| i < last) {
                let mut again = KeyBuf::new();
                column.encode(out.last().unwrap_or(&Datum::Null), &mut again)?;
                reader.skip(again.len())?;
            }
        }
        for _ in 0..self.include.len() {
            push_stored(out)?;
        }
        Ok(())
    }
}

struct EntryScan {
    index: Arc<IndexRef>,
    cursor: MergedCursor,
    at: usize,
    want_values: bool,
    counters: Arc<TableCounters>,
}

impl IndexScan for EntryScan {
    fn next_batch(
        &mut self,
        txn: &Transaction,
        out: &mut Batch,
        row_ids: &mut Vec<u64>,
        max: usize,
    ) -> PgResult<bool> {
        if self.at == self.cursor.rows().len() {
            txn.backend().cancel_token().check()?;
            self.at = 0;
            if !self.cursor.next_batch(txn, max.min(BATCH_ROWS))? {
                self.at = self.cursor.rows().len();
                return Ok(false);
            }
        }
        let rows = self.cursor.rows();
        let end = rows.len().min(self.at + max);
        for i in self.at..end {
            let key = rows.key(i);
            row_ids.push(row_id_of(key));
            if self.want_values {
                if let Err(error) = self.index.read_entry(key, rows.value(i), out.values_mut()) {
                    out.abandon_row();
                    return Err(error);
                }
                out.finish_row();
            }
        }
        self.counters.index_rows.fetch_add((end - self.at) as u64, Ordering::Relaxed);
        let any = end > self.at;
        self.at = end;
        Ok(any)
    }
}

/// Looks how far the store has nothing from a key on.
fn find_gap(txn: &Transaction, index: &IndexRef, view: &ReadView, prefix: &[u8]) -> PgResult<()> {
    let end = index.space.end();
    let mut cursor = txn.manager().store().engine().scan(prefix, &end, view.ts(), StoreDirection::Forward)?;
    let mut rows = KvBatch::new();
    let more = cursor.next_batch(&mut rows, 1)?;
    let end = if more && !rows.is_empty() { rows.key(0).to_vec() } else { end.to_vec() };
    txn.with_state(|state| state.gaps.found(index.space, view.ts(), prefix, &end));
    Ok(())
}

impl IndexAm for KeyIndex {
    fn scan(
        &self,
        txn: &Transaction,
        view: &ReadView,
        index: &Arc<IndexRef>,
        range: &KeyRange,
        want_values: bool,
        dir: Direction,
    ) -> PgResult<Box<dyn IndexScan>> {
        let counters = txn.manager().counters(index.space)?;
        counters.index_scans.fetch_add(1, Ordering::Relaxed);
        let mut start = KeyBuf::from(&index.space.prefix()[..]);
        start.put_slice(&range.start);
        let mut end = KeyBuf::new();
        match range.end.is_empty() {
            true => end.put_slice(&index.space.end()),
            false => {
                end.put_slice(&index.space.prefix());
                end.put_slice(&range.end);
            }
        }
        let direction = match dir {
            Direction::Forward => StoreDirection::Forward,
            Direction::Backward => StoreDirection::Reverse,
        };
        let cursor = MergedCursor::open(txn, view, &start, &end, direction)?;
        Ok(Box::new(EntryScan { index: index.clone(), cursor, at: 0, want_values, counters }))
    }

    fn insert(&self, txn: &Transaction, index: &Arc<IndexRef>, values: &[Datum], row: RowId) -> PgResult<()> {
        let mut key = index.entry_prefix(values)?;
        key.put_u64(row.0);
        txn.write(|state, command| {
            state.writes.put_with(&key, true, command, |out| index.write_stored(values, out))
        })
    }

    fn delete(&self, txn: &Transaction, index: &Arc<IndexRef>, values: &[Datum], row: RowId) -> PgResult<()> {
        let mut key = index.entry_prefix(values)?;
        if index.unique && !index.is_distinct(values) && !txn.is_created(index.space) {
            txn.acquire(index.lock_tag(&key), LockMode::AccessExclusive, Wait::Block)?;
        }
        key.put_u64(row.0);
        txn.write(|state, command| {
            state.writes.delete(&key, command);
            Ok(())
        })
    }

    fn find_conflict(
        &self,
        txn: &Transaction,
        index: &Arc<IndexRef>,
        values: &[Datum],
        ignore: Option<RowId>,
        wait: Wait,
    ) -> PgResult<Option<RowId>> {
        if index.is_distinct(values) {
            return Ok(None);
        }
        let prefix = index.entry_prefix(values)?;
        let lock = HeldLock { tag: index.lock_tag(&prefix), mode: LockMode::AccessExclusive };
        let end = prefix_end(&prefix).unwrap_or_default();
        let created = txn.is_created(index.space);
        if created && !txn.with_writes(|writes| writes.touches(&prefix, &end)) {
            // Why: building an index checks every key; the store has none of them.
            return Ok(None);
        }
        let acquired = match created {
            true => Acquired::Already,
            false => {
                txn.xid();
                txn.acquire(lock.tag, lock.mode, wait)?
            }
        };
        match (acquired, wait) {
            (Acquired::NotAvailable, Wait::Error) => {
                bail!(LOCK_NOT_AVAILABLE, "could not obtain lock on key of index \"{}\"", index.name)
            }
            // Somebody is at it: a conflict that only waiting could decide.
            (Acquired::NotAvailable, _) => return Ok(Some(RowId(u64::MAX))),
            _ => {}
        }
        let published = txn.manager().store().published();
        let free = txn.with_state(|state| {
            state.gaps.is_empty(index.space, published, &prefix, &end) && !state.writes.touches(&prefix, &end)
        });
        if free {
            return Ok(None);
        }
        let view = ReadView::newest_with_own(txn);
        let mut cursor = MergedCursor::open(txn, &view, &prefix, &end, StoreDirection::Forward)?;
        while cursor.next_batch(txn, 4)? {
            for (key, _, _) in cursor.rows().iter() {
                let row = RowId(row_id_of(key));
                if key.len() == prefix.len() + 8 && Some(row) != ignore {
                    if acquired == Acquired::New {
                        // The key is not ours; the row's own lock is what its owner and we meet at.
                        txn.release_last(lock);
                    }
                    return Ok(Some(row));
                }
            }
        }
        if txn.with_state(|state| state.gaps.missed(index.space)) {
            find_gap(txn, index, &view, &prefix)?;
        }
        Ok(None)
    }

    fn build(
        &self,
        txn: &Transaction,
        index: &Arc<IndexRef>,
        next: NextRows<'_>,
    ) -> PgResult<Option<Vec<Datum>>> {
        build::run(txn, index, next)
    }
}
