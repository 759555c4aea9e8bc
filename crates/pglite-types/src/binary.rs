//! Binary input and output of every type, by type OID.

use pglite_error::{PgError, PgResult};

use crate::{Datum, Oid, TypeEnv};

/// The type's receive function; `typmod` as in [`crate::text::text_in`].
pub fn binary_recv(_env: &dyn TypeEnv, type_oid: Oid, _typmod: i32, _bytes: &[u8]) -> PgResult<Datum> {
    Err(PgError::unsupported(format!("binary input of type {type_oid} is not supported")))
}

/// The type's send function: appends the wire form of `value` (not NULL) to `out`.
pub fn binary_send(_env: &dyn TypeEnv, type_oid: Oid, _value: &Datum, _out: &mut Vec<u8>) -> PgResult<()> {
    Err(PgError::unsupported(format!("binary output of type {type_oid} is not supported")))
}
