//! Per-table counters: row ids and positions, and the activity that statistics views and the planner ask for.
//!
//! Row ids and positions come from one counter. What may have been given out must never come again, so the store
//! holds a *limit* above everything committed: a commit that used numbers past the limit moves it up by [`CHUNK`].
//! After a restart counting goes on at the limit.
//!
//! The limit is the key, not the value: commits may reach the log in another order than they chose their limits in,
//! and the greatest key wins whatever the order.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;
use pglite_error::PgResult;
use pglite_storage::{Direction, KvBatch, Store, WriteBatch};

use crate::layout::{LIMITS, Space, row_id_of};
use crate::rows::split_row;

/// How far a commit moves the limit.
const CHUNK: u64 = 8192;

/// The counters of one table (or, for the space 0, the transaction numbers).
#[derive(Debug, Default)]
pub(crate) struct TableCounters {
    next: AtomicU64,
    /// The limit that is known to be committed.
    durable: AtomicU64,
    /// The greatest limit that any commit has asked for.
    target: Mutex<u64>,
    inserted: AtomicU64,
    updated: AtomicU64,
    deleted: AtomicU64,
    live: AtomicI64,
    /// Versions replaced or deleted since the table was emptied or vacuumed.
    dead: AtomicU64,
    bytes: AtomicI64,
    modified_since_analyze: AtomicU64,
    pub(crate) seq_scans: AtomicU64,
    pub(crate) seq_rows: AtomicU64,
    pub(crate) index_scans: AtomicU64,
    pub(crate) index_rows: AtomicU64,
}

/// What one transaction did to one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableActivity {
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) bytes: u64,
    /// One more than the greatest row id or position used; 0 if none was.
    pub(crate) used: u64,
    /// The table was emptied (TRUNCATE in place) before the rows counted here came.
    pub(crate) dropped: bool,
}

/// The figures of `pg_stat_user_tables`, as far as they are counted here, and the planner's estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
    pub live_rows: u64,
    /// Versions replaced or deleted since the last VACUUM; collected ones are counted too.
    pub dead_rows: u64,
    /// Bytes of the live rows.
    pub bytes: u64,
    pub modified_since_analyze: u64,
    pub seq_scans: u64,
    pub seq_rows: u64,
    pub index_scans: u64,
    pub index_rows: u64,
}

fn limit_key(space: Space, limit: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&LIMITS.prefix());
    key[8..16].copy_from_slice(&space.prefix());
    key[16..].copy_from_slice(&limit.to_be_bytes());
    key
}

/// The limit entries of a space, as a key range.
pub(crate) fn limit_range(space: Space) -> ([u8; 24], [u8; 24]) {
    (limit_key(space, 0), limit_key(Space(space.0.wrapping_add(1)), 0))
}

impl TableCounters {
    /// Continues where the store's limit stands.
    pub(crate) fn load(store: &Store, space: Space) -> PgResult<TableCounters> {
        let (start, end) = limit_range(space);
        let mut cursor = store.engine().scan(&start, &end, store.published(), Direction::Reverse)?;
        let mut rows = KvBatch::new();
        let counters = TableCounters::default();
        if cursor.next_batch(&mut rows, 1)?
            && let Some(limit) = rows.key(0).last_chunk::<8>()
        {
            let limit = u64::from_be_bytes(*limit);
            counters.next.store(limit, Ordering::Relaxed);
            counters.durable.store(limit, Ordering::Relaxed);
            *counters.target.lock() = limit;
            let number = |at: usize| {
                rows.value(0).get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, i64::from_le_bytes)
            };
            counters.live.store(number(0), Ordering::Relaxed);
            counters.bytes.store(number(8), Ordering::Relaxed);
        } else {
            counters.count_rows(store, space)?;
        }
        Ok(counters)
    }
    /// Rows without a limit: a copied database. They tell themselves what has been used.
    fn count_rows(&self, store: &Store, space: Space) -> PgResult<()> {
        let mut cursor =
            store.engine().scan(&space.prefix(), &space.end(), store.published(), Direction::Forward)?;
        let mut rows = KvBatch::new();
        while cursor.next_batch(&mut rows, 1024)? {
            for (key, value, _) in rows.iter() {
                if key.len() != size_of_val(&space.row_key(0)) {
                    // Entries of an index: it has no numbers of its own.
                    return Ok(());
                }
                let position = split_row(value)?.0;
                self.start_at(position.max(row_id_of(key)) + 1);
                self.live.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(value.len() as i64, Ordering::Relaxed);
            }
        }
        Ok(())
    }
    /// Draws `n` numbers; the first of them.
    #[inline]
    pub(crate) fn draw(&self, n: u64) -> u64 {
        self.next.fetch_add(n, Ordering::Relaxed)
    }
    /// Makes sure numbers from now on are at least `from`.
    pub(crate) fn start_at(&self, from: u64) {
        self.next.fetch_max(from, Ordering::Relaxed);
    }
    /// Adds what the commit needs so that `used` numbers never come again. The limit it moves to, if it does.
    pub(crate) fn add_limit(&self, space: Space, used: u64, batch: &mut WriteBatch) -> Option<u64> {
        let durable = self.durable.load(Ordering::Acquire);
        if used <= durable {
            return None;
        }
        let mut target = self.target.lock();
        *target = (*target).max(used + CHUNK);
        if durable > 0 {
            batch.delete(&limit_key(space, durable));
        }
        self.put_limit(space, *target, batch);
        Some(*target)
    }
    fn put_limit(&self, space: Space, limit: u64, batch: &mut WriteBatch) {
        let mut value = [0; 16];
        value[..8].copy_from_slice(&self.live.load(Ordering::Relaxed).to_le_bytes());
        value[8..].copy_from_slice(&self.bytes.load(Ordering::Relaxed).to_le_bytes());
        batch.put(&limit_key(space, limit), &value);
    }
    /// The commit that moved the limit is visible.
    pub(crate) fn limit_moved(&self, limit: u64) {
        self.durable.fetch_max(limit, Ordering::AcqRel);
    }
    /// Writes the current estimates beside the limit (at a clean stop).
    pub(crate) fn save(&self, space: Space, batch: &mut WriteBatch) {
        let durable = self.durable.load(Ordering::Acquire);
        if durable > 0 {
            self.put_limit(space, durable, batch);
        }
    }

    pub(crate) fn count(&self, done: &TableActivity, committed: bool) {
        self.inserted.fetch_add(done.inserted, Ordering::Relaxed);
        self.updated.fetch_add(done.updated, Ordering::Relaxed);
        self.deleted.fetch_add(done.deleted, Ordering::Relaxed);
        if !committed {
            return;
        }
        if done.dropped {
            self.live.store(0, Ordering::Relaxed);
            self.dead.store(0, Ordering::Relaxed);
            self.bytes.store(0, Ordering::Relaxed);
        }
        self.modified_since_analyze.fetch_add(done.inserted + done.updated + done.deleted, Ordering::Relaxed);
        self.dead.fetch_add(done.updated + done.deleted, Ordering::Relaxed);
        let live = self.live.fetch_add(done.inserted as i64 - done.deleted as i64, Ordering::Relaxed);
        // A deleted or replaced row is taken for one of average size.
        let bytes = self.bytes.load(Ordering::Relaxed);
        let gone = if live > 0 { bytes / live * (done.deleted + done.updated) as i64 } else { 0 };
        self.bytes.fetch_add(done.bytes as i64 - gone, Ordering::Relaxed);
    }
    pub(crate) fn stats(&self) -> TableStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TableStats {
            inserted: get(&self.inserted),
            updated: get(&self.updated),
            deleted: get(&self.deleted),
            dead_rows: get(&self.dead),
            live_rows: self.live.load(Ordering::Relaxed).max(0) as u64,
            bytes: self.bytes.load(Ordering::Relaxed).max(0) as u64,
            modified_since_analyze: get(&self.modified_since_analyze),
            seq_scans: get(&self.seq_scans),
            seq_rows: get(&self.seq_rows),
            index_scans: get(&self.index_scans),
            index_rows: get(&self.index_rows),
        }
    }
    /// ANALYZE has counted: its figures replace the estimates.
    pub(crate) fn analyzed(&self, live_rows: u64) {
        self.live.store(live_rows as i64, Ordering::Relaxed);
        self.modified_since_analyze.store(0, Ordering::Relaxed);
    }
}
