//! Utility statements: DDL, COPY, VACUUM, GRANT, EXPLAIN ...
//!
//! The session calls [`execute`] with the raw tree; each family of statements is a module.

pub mod client;
pub mod host;

pub mod copy;
pub mod explain;
pub mod vacuum;

mod alter;
mod ctx;
mod dispatch;
mod index;
mod relation;
mod sequence;
mod table;
mod tags;

pub use client::{Client, OutColumn};
pub use dispatch::execute;
pub use host::{CommandHost, CommandOutcome, StatementEnv};
pub use tags::command_tag;
