//! Default btree order and equality of values of one type.

use std::cmp::Ordering;

use crate::Datum;

/// The default btree order of two non-NULL values of one type. Text compares by bytes (C collation).
pub fn cmp(a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::Char(a), Datum::Char(b)) => a.cmp(b),
        (Datum::Int2(a), Datum::Int2(b)) => a.cmp(b),
        (Datum::Int4(a), Datum::Int4(b)) => a.cmp(b),
        (Datum::Int8(a), Datum::Int8(b)) => a.cmp(b),
        (Datum::Float4(a), Datum::Float4(b)) => cmp_f64(*a as f64, *b as f64),
        (Datum::Float8(a), Datum::Float8(b)) => cmp_f64(*a, *b),
        (Datum::Oid(a), Datum::Oid(b)) => a.cmp(b),
        (Datum::Text(a), Datum::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Datum::Bytea(a), Datum::Bytea(b)) => a.as_slice().cmp(b.as_slice()),
        _ => Ordering::Equal,
    }
}

/// PostgreSQL's float order: NaN equals NaN and is greater than everything else; -0 equals 0.
pub fn cmp_f64(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

/// Equality as `=` of the type's default btree operator class; both non-NULL, of one type.
pub fn eq(a: &Datum, b: &Datum) -> bool {
    cmp(a, b) == Ordering::Equal
}

/// bpchar order: trailing blanks do not count.
pub fn cmp_bpchar(a: &str, b: &str) -> Ordering {
    a.trim_end_matches(' ').as_bytes().cmp(b.trim_end_matches(' ').as_bytes())
}
