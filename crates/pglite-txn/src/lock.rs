//! Locks: modes, what can be locked, the shared table, waiting, deadlocks, and what `pg_locks` shows.
//!
//! Rows, tables, unique keys, objects and advisory numbers are all tags in one sharded table with PostgreSQL's eight
//! modes; the four row strengths are four of those modes.
//!
//! Lock order: a shard's mutex is held alone, or inside the deadlock mutex, or around a backend's `waiting` cell;
//! never two shards.

mod deadlock;
pub mod mode;
mod report;
mod table;
pub mod tag;
mod wait;

pub use mode::LockMode;
pub use report::LockInfo;
pub use tag::LockTag;

pub(crate) use table::{Acquired, HeldLock, LockManager, Owner};
pub(crate) use tag::hash_bytes;
