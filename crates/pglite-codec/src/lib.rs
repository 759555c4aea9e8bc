//! Byte formats shared by every layer above: order-preserving keys, rows, varints, checksummed frames.
//!
//! Stands below everything: the executor and the transaction layer encode keys and rows with it, the storage
//! engine frames its log with it. It knows no SQL and no files.
//!
//! Architecture Invariant: for any two values of one type, the byte order of their encoded keys is the order
//! PostgreSQL gives the values. Encoding and decoding allocate nothing on the hot path.

pub mod crc32c;
pub mod frame;
pub mod key;
pub mod row;
pub mod varint;

pub use key::{KeyBuf, KeyOrder, KeyReader};
pub use row::{ColumnShape, RowLayout, RowView, RowWriter};

use pglite_error::{PgError, PgResult, codes};

/// XX001 `data_corrupted`: bytes that this crate did not write.
#[cold]
pub(crate) fn corrupt<T>(what: &str) -> PgResult<T> {
    Err(PgError::new(codes::DATA_CORRUPTED, format!("corrupted {what}")))
}
