//! Snapshots, MVCC, locks, savepoints.
