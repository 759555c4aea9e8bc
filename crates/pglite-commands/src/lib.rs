//! Utility statements: DDL, COPY, VACUUM, GRANT, EXPLAIN ...
//!
//! The session calls [`execute`] with the raw tree; each family of statements is a module.

pub mod client;
pub mod host;

pub mod copy;
pub mod explain;
pub mod vacuum;

mod alter;
mod comment;
mod ctas;
mod ctx;
mod database;
mod define;
mod dispatch;
mod domain;
mod drop;
mod foreign;
mod function;
mod grant;
mod index;
mod lock;
mod objects;
mod owner;
mod partition;
mod policy;
mod publication;
mod reindex;
mod relation;
mod rename;
mod role;
mod schema;
mod schema_order;
mod sequence;
mod statistics;
mod stored;
mod table;
mod tags;
mod trigger;
mod truncate;
mod types;
mod view;

pub use client::{Client, OutColumn, PendingCommit};
pub use dispatch::execute;
pub use function::transpose_body_error;
pub use host::{CommandHost, CommandOutcome, StatementEnv};
pub use tags::command_tag;
