//! Utility statements: DDL, COPY, VACUUM, GRANT, EXPLAIN ...
//!
//! The session calls [`execute`] with the raw tree; each family of statements is a module.

pub mod client;
pub mod host;

pub use client::{Client, OutColumn};
pub use host::{CommandHost, CommandOutcome, StatementEnv};
