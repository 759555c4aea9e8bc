//! Snapshots, MVCC, savepoints, locks: transactions over the store, and the access-method traits.

pub mod am;
