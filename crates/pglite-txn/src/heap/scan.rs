//! The sequential scan: rows by id, handed out by position.
//!
//! Versions lie in the store by row id, but come out in the order of their positions, as PostgreSQL's heap would give
//! them. An updated row's position is greater than its id; such a version is *held* until the scan has passed that
//! position. What is held is bounded by [`MAX_HELD_BYTES`]; past it the held versions come out at once, in the order of
//! their positions, and a scan of a table with that many moved rows is no longer in position order throughout.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pglite_error::PgResult;
use pglite_types::{BATCH_ROWS, Batch};

use super::{Wanted, emit};
use crate::Transaction;
use crate::am::{Direction, RowMeta, TableScan};
use crate::counters::TableCounters;
use crate::desc::TableDesc;
use crate::layout::row_id_of;
use crate::merged::MergedCursor;
use crate::rows::split_row;
use crate::view::ReadView;

/// Bytes of versions that may wait for their position.
const MAX_HELD_BYTES: usize = 16 << 20;

/// Versions that wait for their position. Their bytes lie in one buffer, which is emptied when none is left.
#[derive(Default)]
struct Held {
    heap: BinaryHeap<Reverse<HeldRow>>,
    bytes: Vec<u8>,
}

/// Ordered by position, which is unique within a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HeldRow {
    position: u64,
    row_id: u64,
    version: u64,
    at: usize,
    len: usize,
}

impl Held {
    #[inline]
    fn next_position(&self) -> Option<u64> {
        self.heap.peek().map(|row| row.0.position)
    }
    fn push(&mut self, row_id: u64, position: u64, version: u64, row: &[u8]) {
        if self.heap.is_empty() {
            self.bytes.clear();
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(row);
        self.heap.push(Reverse(HeldRow { position, row_id, version, at, len: row.len() }));
    }
    fn is_full(&self) -> bool {
        self.bytes.len() + self.heap.len() * size_of::<HeldRow>() > MAX_HELD_BYTES
    }
}

pub(super) struct RowScan {
    table: Arc<TableDesc>,
    columns: Wanted,
    cursor: MergedCursor,
    /// Of the cursor's rows, those already taken.
    at: usize,
    done: bool,
    held: Held,
    /// The held versions are being let out, all of them.
    flushing: bool,
    /// A backward scan gathers everything first: the last position may belong to the first row.
    backward: Option<Vec<HeldRow>>,
    counters: Arc<TableCounters>,
}

impl RowScan {
    pub(super) fn open(
        txn: &Transaction,
        view: &ReadView,
        table: &Arc<TableDesc>,
        columns: Wanted,
        dir: Direction,
    ) -> PgResult<RowScan> {
        let (start, end) = (table.space.prefix(), table.space.end());
        let mut scan = RowScan {
            table: table.clone(),
            columns,
            cursor: MergedCursor::open(txn, view, &start, &end, pglite_storage::Direction::Forward)?,
            at: 0,
            done: false,
            held: Held::default(),
            flushing: false,
            backward: None,
            counters: txn.manager().counters(table.space)?,
        };
        if dir == Direction::Backward {
            scan.gather(txn)?;
        }
        Ok(scan)
    }

    fn gather(&mut self, txn: &Transaction) -> PgResult<()> {
        while self.cursor.next_batch(txn, BATCH_ROWS)? {
            for (key, value, ts) in self.cursor.rows().iter() {
                let (position, row) = split_row(value)?;
                self.held.push(row_id_of(key), position, ts.0, row);
            }
        }
        self.done = true;
        let heap = std::mem::take(&mut self.held.heap);
        self.backward = Some(heap.into_iter().map(|row| row.0).collect());
        if let Some(rows) = &mut self.backward {
            rows.sort_unstable();
        }
        Ok(())
    }

    /// Hands out the held version with the lowest position.
    fn emit_held(&mut self, out: &mut Batch, meta: &mut RowMeta) -> PgResult<()> {
        let Some(Reverse(row)) = self.held.heap.pop() else { return Ok(()) };
        self.emit_gathered(row, out, meta)
    }
    fn emit_gathered(&self, row: HeldRow, out: &mut Batch, meta: &mut RowMeta) -> PgResult<()> {
        let bytes = &self.held.bytes[row.at..row.at + row.len];
        emit(&self.table, &self.columns, (row.row_id, row.position, row.version, bytes), out, meta)
    }

    /// Takes rows from the cursor's batch until `out` holds `limit` rows or the batch is used up.
    fn take_rows(&mut self, out: &mut Batch, meta: &mut RowMeta, limit: usize) -> PgResult<()> {
        let rows = self.cursor.rows();
        let mut next_held = self.held.next_position();
        while self.at < rows.len() && out.len() < limit {
            let row_id = row_id_of(rows.key(self.at));
            if next_held.is_some_and(|position| position < row_id) {
                let Some(Reverse(row)) = self.held.heap.pop() else { break };
                let bytes = &self.held.bytes[row.at..row.at + row.len];
                emit(&self.table, &self.columns, (row.row_id, row.position, row.version, bytes), out, meta)?;
                next_held = self.held.next_position();
                continue;
            }
            let version = rows.ts(self.at).0;
            let (position, row) = split_row(rows.value(self.at))?;
            if position <= row_id || self.columns.is_empty() {
                // With no columns asked for there is only the number of rows to tell.
                emit(&self.table, &self.columns, (row_id, position, version, row), out, meta)?;
            } else {
                self.held.push(row_id, position, version, row);
                next_held = self.held.next_position();
                if self.held.is_full() {
                    self.flushing = true;
                    self.at += 1;
                    break;
                }
            }
            self.at += 1;
        }
        Ok(())
    }

    fn fill(&mut self, txn: &Transaction, out: &mut Batch, meta: &mut RowMeta, limit: usize) -> PgResult<()> {
        while out.len() < limit {
            if let Some(rows) = &mut self.backward {
                let Some(row) = rows.pop() else { return Ok(()) };
                self.emit_gathered(row, out, meta)?;
            } else if self.flushing {
                self.emit_held(out, meta)?;
                self.flushing = self.held.next_position().is_some();
            } else if self.at < self.cursor.rows().len() {
                self.take_rows(out, meta, limit)?;
            } else if self.done {
                if self.held.next_position().is_none() {
                    return Ok(());
                }
                self.flushing = true;
            } else {
                txn.backend().cancel_token().check()?;
                self.at = 0;
                self.done = !self.cursor.next_batch(txn, BATCH_ROWS)?;
                if self.done {
                    // Why: the cursor may keep its last rows.
                    self.at = self.cursor.rows().len();
                }
            }
        }
        Ok(())
    }
}

impl TableScan for RowScan {
    fn next_batch(
        &mut self,
        txn: &Transaction,
        out: &mut Batch,
        meta: &mut RowMeta,
        max: usize,
    ) -> PgResult<bool> {
        let before = out.len();
        self.fill(txn, out, meta, before + max)?;
        self.counters.seq_rows.fetch_add((out.len() - before) as u64, Ordering::Relaxed);
        Ok(out.len() > before)
    }
}
