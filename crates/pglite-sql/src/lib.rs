//! The facade: sessions over an open database. What an embedder links and the server serves.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let db = pglite_sql::Database::open_in_memory()?; // or open("directory")
//! let mut session = db.session()?;
//! session.execute("CREATE TABLE account (id int PRIMARY KEY, owner text, balance numeric)")?;
//! let added = session.execute("INSERT INTO account VALUES (1, 'ann', 10.50), (2, NULL, 20)")?;
//! assert_eq!(added, 2);
//! let rows = session.query("SELECT id, owner, balance::float8 AS b FROM account ORDER BY id")?;
//! for row in rows.iter() {
//!     let (id, owner): (i32, Option<String>) = (row.get("id")?, row.get("owner")?);
//!     println!("{id} {owner:?} {}", row.get::<f64>(2)?);
//! }
//! let one = session.query_params("SELECT owner FROM account WHERE id = $1", &[Some("1")])?;
//! assert_eq!(one.one::<String>()?, "ann");
//! # Ok(())
//! # }
//! ```
//!
//! Feature `arrow` adds `Session::query_arrow` (record batches), feature `sqlparser` adds `Session::execute_statement`.
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
#[cfg(feature = "arrow")]
pub use embedded::arrow::ArrowStream;
pub use embedded::{Column, FromDatum, RowRef, Rows};
pub use pglite_commands::{Client, OutColumn, PendingCommit};
pub use session::{ExecuteOutcome, Session};
pub use slot::{ClientInfo, TlsInfo};
