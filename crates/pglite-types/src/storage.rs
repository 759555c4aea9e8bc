//! Row storage form of values: how each type lies in a stored row.

use pglite_error::{PgError, PgResult};

use crate::{Datum, Oid};

/// How a value of a type is stored: decoding is one match on this per column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PhysKind {
    Bool,
    Char,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Oid,
    Text,
    Bytea,
    Numeric,
    Date,
    Time,
    TimeTz,
    Timestamp,
    Interval,
    Uuid,
    Jsonb,
    Array,
    Record,
    Range,
    Multirange,
    Bits,
    Inet,
    MacAddr,
    MacAddr8,
    Geo,
    TsVector,
    TsQuery,
    Tid,
    Lsn,
    Extension,
}

/// Fixed width in bytes, or variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Fixed(u8),
    Variable,
}

impl PhysKind {
    pub fn shape(self) -> Shape {
        use PhysKind::*;
        match self {
            Bool | Char => Shape::Fixed(1),
            Int2 => Shape::Fixed(2),
            Int4 | Float4 | Oid | Date => Shape::Fixed(4),
            Int8 | Float8 | Time | Timestamp | MacAddr8 | Tid | Lsn => Shape::Fixed(8),
            TimeTz => Shape::Fixed(12),
            Interval | Uuid => Shape::Fixed(16),
            MacAddr => Shape::Fixed(6),
            _ => Shape::Variable,
        }
    }
    /// The kind of a built-in base type; composites, enums, domains and arrays are decided from their `TypeDesc`.
    pub fn of_builtin(type_oid: Oid) -> Option<PhysKind> {
        let _ = type_oid;
        None
    }
}

/// Appends the stored form of `value` (not NULL).
pub fn encode(value: &Datum, out: &mut Vec<u8>) -> PgResult<()> {
    let _ = (value, out);
    Err(PgError::unsupported("storing values of this type is not supported"))
}

/// Reads back what [`encode`] wrote.
pub fn decode(kind: PhysKind, bytes: &[u8]) -> PgResult<Datum> {
    let _ = (kind, bytes);
    Err(PgError::unsupported("reading values of this type is not supported"))
}
