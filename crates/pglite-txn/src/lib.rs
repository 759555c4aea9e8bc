//! Snapshots, MVCC, savepoints, locks: transactions over the store, and the access-method traits.
//!
//! On the way of a statement: below the executor, above the store. `docs/transactions.md` tells it in order.
//!
//! Architecture Invariant: nothing uncommitted ever reaches the store; locks are released only after the commit is
//! visible.

pub mod am;
pub mod backend;
mod btree;
mod catalog;
mod counters;
pub mod desc;
mod gaps;
mod heap;
pub mod layout;
pub mod lock;
pub mod manager;
mod merged;
mod rows;
pub mod transaction;
pub mod view;
mod write_set;

pub use backend::{Backend, BlockThread, CancelToken, Parker, WaitHook};
pub use btree::KeyIndex;
pub use catalog::{enum_order, kind_of};
pub use counters::TableStats;
pub use desc::{EnumOrder, IndexColumn, IndexRef, TableDesc};
pub use heap::RowTable;
pub use layout::{Space, position_to_tid, tid_to_position};
pub use lock::{LockInfo, LockMode, LockTag};
pub use manager::TxnManager;
pub use transaction::{Commit, Isolation, Savepoint, Transaction};
pub use view::{CommandId, ReadView};

#[cfg(test)]
mod tests;
