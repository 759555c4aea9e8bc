//! The wire-protocol server: configuration, listeners, TLS, authentication, and the protocol's state machine.
//!
//! Thin on purpose: everything SQL is `pglite-sql`'s. A connection is a task; its statements run to completion on the
//! worker that picked it up, and a statement about to wait gives the worker up.

pub mod config;
pub mod log;
pub mod tls;

pub mod server;

pub mod connection;
pub mod startup;
pub mod wire;

pub mod protocol;

pub mod auth;
pub mod stream;
