//! Functions of text, varchar, bpchar, name and bytea.

pub mod bytes;
pub mod digest;
pub mod edit;
pub mod format;
pub mod like;
pub mod plain;
pub mod regex;
pub mod similar;
pub mod unicode;

use pglite_error::{PgError, PgResult, err};
use pglite_ir::FnCtx;
use pglite_types::{Datum, Oid};

/// The output form of a value.
pub fn output(cx: &FnCtx<'_>, ty: Oid, value: &Datum, out: &mut String) -> PgResult<()> {
    match value {
        Datum::Text(s) => {
            out.push_str(s);
            Ok(())
        }
        _ => pglite_types::text::text_out(cx.host, ty, value, out),
    }
}

#[cold]
pub(crate) fn too_long() -> PgError {
    err!(PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}

/// Number of characters.
pub(crate) fn chars(s: &str) -> usize {
    if s.is_ascii() { s.len() } else { s.chars().count() }
}

/// Byte offset of character `n` (or the end).
pub(crate) fn offset(s: &str, n: usize) -> usize {
    if s.is_ascii() { n.min(s.len()) } else { s.char_indices().nth(n).map_or(s.len(), |(at, _)| at) }
}
