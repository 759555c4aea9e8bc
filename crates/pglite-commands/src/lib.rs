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
mod ctx;
mod database;
mod dispatch;
mod drop;
mod grant;
mod index;
mod objects;
mod relation;
mod role;
mod schema;
mod schema_order;
mod sequence;
mod table;
mod tags;
mod truncate;
mod view;

pub use client::{Client, OutColumn};
pub use dispatch::execute;
pub use host::{CommandHost, CommandOutcome, StatementEnv};
pub use tags::command_tag;
