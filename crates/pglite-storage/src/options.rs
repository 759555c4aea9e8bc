//! How a store is opened.

use pglite_error::PgError;
use std::fmt;
use std::sync::Arc;

/// Called once when the store can no longer promise durability (a failed sync). The process must end.
pub type FatalHook = Arc<dyn Fn(&PgError) + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// Memory for memtables, the block cache and table indexes together.
    pub memory_budget: usize,
    /// Whether synchronous commits wait for the disk (`fsync`).
    pub sync: bool,
    /// Whether there is a write-ahead log at all; without it everything since the last flush dies with the process.
    pub wal: bool,
    /// Bytes of one log segment.
    pub wal_segment: usize,
    /// Bytes of log after which memory is flushed so that segments can be reused.
    pub wal_limit: u64,
    /// Bytes of a memtable; by default a share of the memory budget.
    pub memtable_size: Option<usize>,
    /// Bytes of a table file.
    pub table_size: usize,
    pub on_fatal: Option<FatalHook>,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            memory_budget: 256 << 20,
            sync: true,
            wal: true,
            wal_segment: 16 << 20,
            wal_limit: 256 << 20,
            memtable_size: None,
            table_size: 16 << 20,
            on_fatal: None,
        }
    }
}

impl StoreOptions {
    /// For a database that lives and dies with the process.
    pub fn in_memory() -> StoreOptions {
        StoreOptions { sync: false, wal: false, ..StoreOptions::default() }
    }
    pub(crate) fn memtable_bytes(&self) -> usize {
        self.memtable_size.unwrap_or_else(|| (self.memory_budget / 8).clamp(1 << 20, 64 << 20))
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("memory_budget", &self.memory_budget)
            .field("sync", &self.sync)
            .field("wal", &self.wal)
            .finish_non_exhaustive()
    }
}
