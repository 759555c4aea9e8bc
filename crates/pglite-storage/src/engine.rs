//! The edge between the transaction layer and whatever holds the data.

use crate::batch::WriteBatch;
use crate::types::{Direction, KvBatch, Timestamp, Value};
use pglite_error::PgResult;

/// A versioned key-value engine. Readers never block writers.
pub trait Engine: Send + Sync {
    /// Makes the batch part of the data at version `ts`, which must be greater than every earlier one.
    fn apply(&self, batch: &WriteBatch, ts: Timestamp) -> PgResult<()>;
    /// The newest version of `key` that is not newer than `at`, with its own version; `None` if there is none or it
    /// is a deletion.
    fn get(&self, key: &[u8], at: Timestamp) -> PgResult<Option<(Value, Timestamp)>>;
    /// The rows with `start <= key < end` as of `at`. An empty `end` means no upper bound.
    fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        at: Timestamp,
        direction: Direction,
    ) -> PgResult<Box<dyn Cursor>>;
    /// Adds rows in strictly ascending key order at version `ts`, around the memtable.
    fn ingest(&self, rows: &mut dyn SortedRows, ts: Timestamp) -> PgResult<()>;
    /// Moves what is in memory to durable tables.
    fn flush(&self) -> PgResult<()>;
    /// No reader will ask below `horizon` again: versions that only such readers could see may go.
    fn set_gc_horizon(&self, horizon: Timestamp);
    fn stats(&self) -> EngineStats;
}

/// Rows in strictly ascending key order, for bulk loading.
pub trait SortedRows {
    /// The next key and value; `None` at the end.
    fn next_row(&mut self) -> PgResult<Option<(&[u8], &[u8])>>;
}

/// A position in a range of rows as of one timestamp; deletions and other versions are already resolved.
pub trait Cursor: Send {
    /// Replaces `out` by up to `max` next rows; `false` (and an empty `out`) at the end.
    fn next_batch(&mut self, out: &mut KvBatch, max: usize) -> PgResult<bool>;
    /// Forward: the next row is the first with a key of at least `key`. Reverse: the last with a key below `key`.
    /// The range of the cursor stays.
    fn seek(&mut self, key: &[u8]) -> PgResult<()>;
}

/// Figures about the engine's state.
#[derive(Clone, Debug, Default)]
pub struct EngineStats {
    /// Bytes in memtables (active and waiting to be flushed).
    pub memtable_bytes: u64,
    pub immutable_memtables: u64,
    /// Tables and bytes of each level.
    pub levels: Vec<(u64, u64)>,
    pub cache_bytes: u64,
    pub cache_misses: u64,
    pub flushes: u64,
    pub compactions: u64,
    pub compacted_bytes: u64,
    /// Times a writer had to wait for flushing or compaction.
    pub stalls: u64,
}
