//! Type modifiers: input, output, application on a value, and `format_type` of built-in types.

use pglite_error::{PgError, PgResult};

use crate::{Datum, Oid};

/// `typmodin`: the modifiers between the parentheses of a type name.
pub fn typmod_in(type_oid: Oid, _args: &[&str]) -> PgResult<i32> {
    Err(PgError::unsupported(format!("type modifier of type {type_oid} is not supported")))
}

/// `typmodout`: the parenthesised text, empty for -1.
pub fn typmod_out(_type_oid: Oid, _typmod: i32) -> String {
    String::new()
}

/// Applies a type modifier to a value of the type: the length coercion casts. `explicit` truncates where an
/// assignment would raise an error.
pub fn apply(type_oid: Oid, typmod: i32, value: Datum, _explicit: bool) -> PgResult<Datum> {
    if typmod < 0 {
        return Ok(value);
    }
    Err(PgError::unsupported(format!("type modifier of type {type_oid} is not supported")))
}

/// `format_type` of a built-in type that is not an array over a user type; `None` for unknown OIDs.
pub fn format_type(_type_oid: Oid, _typmod: i32) -> Option<String> {
    None
}
