//! A cursor over the store with the transaction's own writes laid over it.
//!
//! If the transaction has written nothing in the range, it is the store's cursor and nothing else.
//! Invariant: keys come out strictly ascending (or descending), each at most once.

use std::cmp::Ordering;

use pglite_error::PgResult;
use pglite_storage::{Cursor, Direction, KvBatch};

use crate::Transaction;
use crate::view::ReadView;
use crate::write_set::Collect;

/// Own writes copied out of the write set at a time.
const OWN_BATCH: usize = 256;

pub(crate) struct MergedCursor {
    /// `None`: the transaction has deleted the whole range.
    store: Option<Box<dyn Cursor>>,
    overlay: Option<Box<Overlay>>,
    rows: KvBatch,
}

/// The store's rows and the own ones, side by side.
struct Overlay {
    stored: KvBatch,
    stored_at: usize,
    own: KvBatch,
    own_deleted: Vec<bool>,
    own_at: usize,
    own_done: bool,
    start: Vec<u8>,
    end: Vec<u8>,
    command: u32,
    reverse: bool,
    /// Ranges the transaction deleted: they hide stored rows only, own ones are resolved already.
    deleted_ranges: Vec<(Vec<u8>, Vec<u8>)>,
}

impl MergedCursor {
    /// The rows with `start <= key < end` (empty `end`: no bound) as the view sees them.
    pub(crate) fn open(
        txn: &Transaction,
        view: &ReadView,
        start: &[u8],
        end: &[u8],
        direction: Direction,
    ) -> PgResult<MergedCursor> {
        let overlay = txn.with_writes(|writes| {
            writes.touches(start, end).then(|| {
                Box::new(Overlay {
                    stored: KvBatch::new(),
                    stored_at: 0,
                    own: KvBatch::new(),
                    own_deleted: Vec::new(),
                    own_at: 0,
                    own_done: false,
                    start: start.to_vec(),
                    end: end.to_vec(),
                    command: view.command().0,
                    reverse: direction == Direction::Reverse,
                    deleted_ranges: writes.deleted_ranges(view.command().0),
                })
            })
        });
        let all_deleted = overlay.as_ref().is_some_and(|o| {
            o.deleted_ranges.iter().any(|(from, to)| {
                from.as_slice() <= start && (to.is_empty() || (!end.is_empty() && end <= to.as_slice()))
            })
        });
        let store = match all_deleted {
            true => None,
            false => Some(txn.manager().store().engine().scan(start, end, view.ts(), direction)?),
        };
        Ok(MergedCursor { store, overlay, rows: KvBatch::new() })
    }

    /// The rows of the last [`next_batch`](Self::next_batch). Own ones have version 0.
    #[inline]
    pub(crate) fn rows(&self) -> &KvBatch {
        &self.rows
    }

    /// Replaces [`rows`](Self::rows) by up to `max` next ones; false at the end.
    pub(crate) fn next_batch(&mut self, txn: &Transaction, max: usize) -> PgResult<bool> {
        let Some(overlay) = &mut self.overlay else {
            return match &mut self.store {
                Some(store) => store.next_batch(&mut self.rows, max),
                None => Ok(false),
            };
        };
        self.rows.clear();
        overlay.merge(txn, &mut self.store, &mut self.rows, max)?;
        Ok(!self.rows.is_empty())
    }
}

impl Overlay {
    fn merge(
        &mut self,
        txn: &Transaction,
        store: &mut Option<Box<dyn Cursor>>,
        out: &mut KvBatch,
        max: usize,
    ) -> PgResult<()> {
        while out.len() < max {
            if self.stored_at == self.stored.len()
                && let Some(cursor) = store
            {
                self.stored_at = 0;
                if !cursor.next_batch(&mut self.stored, max)? {
                    self.stored.clear();
                    *store = None;
                }
            }
            if self.own_at == self.own.len() && !self.own_done {
                self.refill(txn);
            }
            let (has_stored, has_own) = (self.stored_at < self.stored.len(), self.own_at < self.own.len());
            let order = match (has_stored, has_own) {
                (false, false) if self.own_done => return Ok(()),
                (false, false) => continue,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (true, true) => {
                    let order = self.stored.key(self.stored_at).cmp(self.own.key(self.own_at));
                    if self.reverse { order.reverse() } else { order }
                }
            };
            if order.is_ge() {
                if !self.own_deleted[self.own_at] {
                    let at = self.own_at;
                    out.push(self.own.key(at), self.own.value(at), self.own.ts(at));
                }
                self.own_at += 1;
            }
            if order.is_le() {
                let at = self.stored_at;
                if order.is_lt() && !self.hidden(self.stored.key(at)) {
                    out.push(self.stored.key(at), self.stored.value(at), self.stored.ts(at));
                }
                self.stored_at += 1;
            }
        }
        Ok(())
    }

    fn hidden(&self, key: &[u8]) -> bool {
        self.deleted_ranges
            .iter()
            .any(|(start, end)| start.as_slice() <= key && (end.is_empty() || key < end.as_slice()))
    }

    fn refill(&mut self, txn: &Transaction) {
        self.own.clear();
        self.own_deleted.clear();
        self.own_at = 0;
        let want = Collect {
            start: &self.start,
            end: &self.end,
            command: self.command,
            reverse: self.reverse,
            max: OWN_BATCH,
        };
        let more = txn.with_writes(|writes| writes.collect(&want, &mut self.own, &mut self.own_deleted));
        self.own_done = !more;
        let Some(last) = self.own.len().checked_sub(1) else { return };
        if self.reverse {
            self.end = self.own.key(last).to_vec();
        } else {
            self.start = self.own.key(last).to_vec();
            self.start.push(0);
        }
    }
}
