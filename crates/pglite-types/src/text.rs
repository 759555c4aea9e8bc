//! Text input and output of every type, by type OID.

use pglite_error::{PgError, PgResult};

use crate::{Datum, Oid, TypeEnv};

/// The type's input function: parses `s`, then applies `typmod` (-1 for none).
pub fn text_in(_env: &dyn TypeEnv, type_oid: Oid, _typmod: i32, _s: &str) -> PgResult<Datum> {
    Err(PgError::unsupported(format!("text input of type {type_oid} is not supported")))
}

/// The type's output function: appends the text of `value` (not NULL) to `out`.
pub fn text_out(_env: &dyn TypeEnv, type_oid: Oid, _value: &Datum, _out: &mut String) -> PgResult<()> {
    Err(PgError::unsupported(format!("text output of type {type_oid} is not supported")))
}
