//! The facade: sessions over an open database. What an embedder links and the server serves.
//!
//! ```no_run
//! let db = pglite_sql::Database::open_in_memory().unwrap();
//! let mut session = db.session().unwrap();
//! session.query("SELECT 1 + 1").unwrap();
//! ```
//!
//! Architecture Invariant: everything a statement needs from above a lower layer is a callback that the layer defines and
//! [`cx::Cx`] answers.

/// The version clients are told: that of PostgreSQL, whose behaviour is the contract.
pub const SERVER_VERSION: &str = "18.6";
pub const SERVER_VERSION_NUM: &str = "180006";

mod database;
mod session;
mod slot;

mod core;
mod cx;
mod run;

mod control;
mod portal;
mod prepared;
mod prng;

mod cluster;
mod collect;
mod deferred;
mod notify;
pub mod password;
mod relations;
mod sequence;
mod services;
pub mod settings;
mod spi;
mod sqlfunc;
mod stats;
mod temp;
mod triggers;
mod waits;

mod embedded;

pub use database::{ConnectParams, Database, OpenError, OpenOptions};
pub use embedded::Rows;
pub use pglite_commands::{Client, OutColumn, PendingCommit};
pub use session::{ExecuteOutcome, Session};
pub use slot::{ClientInfo, TlsInfo};
