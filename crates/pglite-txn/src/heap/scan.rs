//! The sequential scan: rows by id, handed out by position.
//!
//! Versions lie in the store by row id, but come out in the order of their positions, as PostgreSQL's heap would give
//! them. An updated row's position is greater than its id; such a version is *held* until the scan has passed that
//! position. What is held is bounded by [`MAX_HELD_BYTES`]; past it the held versions come out at once, in the order of
//! their positions, and a scan of a table with that many moved rows is no longer in position order throughout.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use pglite_error::{PgResult, bail};
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
/// Bytes that a backward scan may gather.
const MAX_GATHERED_BYTES: usize = 1 << 30;

/// Versions that wait for their position. Their bytes lie in one buffer, which is emptied when none is left.
#[derive(Default)]
struct Held {
    heap: BinaryHeap<HeldRow>,
    bytes: Vec<u8>,
}

/// Lowest position first in a heap. A position is unique within a table.
#[derive(Clone, Copy)]
struct HeldRow {
    position: u64,
    row_id: u64,
    version: u64,
    at: u32,
    len: u32,
}

impl PartialEq for HeldRow {
    fn eq(&self, other: &HeldRow) -> bool {
        self.position == other.position
    }
}

impl Eq for HeldRow {}

impl PartialOrd for HeldRow {
    fn partial_cmp(&self, other: &HeldRow) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HeldRow {
    fn cmp(&self, other: &HeldRow) -> Ordering {
        other.position.cmp(&self.position)
    }
}

impl Held {
    #[inline]
    fn next_position(&self) -> Option<u64> {
        self.heap.peek().map(|row| row.position)
    }
    fn push(&mut self, row_id: u64, position: u64, version: u64, row: &[u8]) {
        if self.heap.is_empty() {
            self.bytes.clear();
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(row);
        self.heap.push(HeldRow { position, row_id, version, at: at as u32, len: row.len() as u32 });
    }
    fn is_full(&self) -> bool {
        self.bytes.len() + self.heap.len() * size_of::<HeldRow>() > MAX_HELD_BYTES
    }
    fn bytes(&self, row: HeldRow) -> &[u8] {
        &self.bytes[row.at as usize..(row.at + row.len) as usize]
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
    /// Held versions that are being let out, all of them, last one first.
    leaving: Vec<HeldRow>,
    direction: Direction,
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
            leaving: Vec::new(),
            direction: dir,
            counters: txn.manager().counters(table.space)?,
        };
        if dir == Direction::Backward {
            scan.gather(txn)?;
        }
        Ok(scan)
    }

    /// A backward scan gathers everything first: the last position may belong to the first row.
    fn gather(&mut self, txn: &Transaction) -> PgResult<()> {
        while self.cursor.next_batch(txn, BATCH_ROWS)? {
            for (key, value, ts) in self.cursor.rows().iter() {
                let (position, row) = split_row(value)?;
                self.held.push(row_id_of(key), position, ts.0, row);
            }
            if self.held.bytes.len() > MAX_GATHERED_BYTES {
                bail!(
                    PROGRAM_LIMIT_EXCEEDED,
                    "table \"{}\" is too large to be scanned backward",
                    self.table.name
                );
            }
        }
        self.at = self.cursor.rows().len();
        self.done = true;
        self.let_out();
        Ok(())
    }

    /// From now on the held versions come out, whatever their positions.
    fn let_out(&mut self) {
        self.leaving = std::mem::take(&mut self.held.heap).into_vec();
        match self.direction {
            Direction::Forward => self.leaving.sort_unstable_by_key(|row| Reverse(row.position)),
            Direction::Backward => self.leaving.sort_unstable_by_key(|row| row.position),
        }
    }

    #[inline]
    fn emit_held(&self, row: HeldRow, out: &mut Batch, meta: &mut RowMeta) -> PgResult<()> {
        let version = (row.row_id, row.position, row.version, self.held.bytes(row));
        emit(&self.table, &self.columns, version, out, meta)
    }

    /// Takes rows from the cursor's batch until `out` holds `limit` rows or the batch is used up.
    fn take_rows(&mut self, out: &mut Batch, meta: &mut RowMeta, limit: usize) -> PgResult<()> {
        let rows = self.cursor.rows();
        let mut next_held = self.held.next_position();
        while self.at < rows.len() && out.len() < limit {
            let row_id = row_id_of(rows.key(self.at));
            if next_held.is_some_and(|position| position < row_id) {
                let Some(row) = self.held.heap.pop() else { break };
                self.emit_held(row, out, meta)?;
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
                    self.at += 1;
                    self.let_out();
                    break;
                }
            }
            self.at += 1;
        }
        Ok(())
    }

    fn fill(&mut self, txn: &Transaction, out: &mut Batch, meta: &mut RowMeta, limit: usize) -> PgResult<()> {
        while out.len() < limit {
            if let Some(row) = self.leaving.pop() {
                self.emit_held(row, out, meta)?;
            } else if self.at < self.cursor.rows().len() {
                self.take_rows(out, meta, limit)?;
            } else if self.done {
                if self.held.next_position().is_none() {
                    return Ok(());
                }
                self.let_out();
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
        self.counters.seq_rows.fetch_add((out.len() - before) as u64, Relaxed);
        Ok(out.len() > before)
    }
}
