//! Locks: modes, what can be locked, the shared table, waiting and deadlocks.

pub mod mode;
pub mod tag;

pub use mode::LockMode;
pub use tag::LockTag;
