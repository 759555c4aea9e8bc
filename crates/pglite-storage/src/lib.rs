//! The storage engine: versioned keys and values that survive a crash.
//!
//! Last station on the way of a statement: the transaction layer hands a [`WriteBatch`] to [`Store::commit`], which
//! gives it a commit timestamp and a place in the write-ahead log in one order, makes it durable together with its
//! neighbours, applies it to the LSM tree and publishes it. Readers ask the [`Engine`] at a timestamp.
//!
//! It knows no SQL and no transactions: keys and values are bytes, a timestamp is a version number.
//! `docs/storage.md` shows the file formats and the crash argument.
//!
//! Architecture Invariant: commits become visible in WAL order; what was acknowledged as durable is there after any
//! crash; every effect on the world goes through [`env`].

pub mod env;

mod batch;
mod cursor;
mod engine;
mod lsm;
mod manifest;
mod memtable;
mod options;
mod rangedel;
mod store;
mod table;
mod types;
mod wal;

pub use batch::{Op, WriteBatch};
pub use engine::{Cursor, Engine, EngineStats, SortedRows};
pub use env::Env;
pub use options::{FatalHook, StoreOptions};
pub use store::{CommitTicket, Durability, Finish, Store, StoreStats};
pub use types::{Direction, KvBatch, Timestamp, Value};
