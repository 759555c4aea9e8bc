//! Comparing and hashing values in nodes: sort keys, group keys, join keys.
//!
//! Built-in kinds with a byte or machine order compare inline; everything else calls the operator's function.
//! Invariant: values equal by [`fast_eq`] hash alike by [`hash_datum`], across integer and float widths too.

use std::cmp::Ordering;

use pglite_error::{PgError, PgResult};
use pglite_types::{Datum, Oid};

use crate::expr::FnRef;
use crate::state::ExecCx;

/// Total order of two non-NULL values of built-in kinds.
#[inline]
pub fn fast_cmp(a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::Int4(x), Datum::Int4(y)) => x.cmp(y),
        (Datum::Int8(x), Datum::Int8(y)) => x.cmp(y),
        (Datum::Text(x), Datum::Text(y)) => x.as_bytes().cmp(y.as_bytes()),
        (Datum::Timestamp(x), Datum::Timestamp(y)) => x.cmp(y),
        (Datum::Date(x), Datum::Date(y)) => x.cmp(y),
        (Datum::Bool(x), Datum::Bool(y)) => x.cmp(y),
        (Datum::Oid(x), Datum::Oid(y)) => x.cmp(y),
        _ => mixed_cmp(a, b),
    }
}

fn mixed_cmp(a: &Datum, b: &Datum) -> Ordering {
    if let (Some(x), Some(y)) = (as_int(a), as_int(b)) {
        return x.cmp(&y);
    }
    if let (Some(x), Some(y)) = (as_float(a), as_float(b)) {
        return pglite_types::compare::cmp_f64(x, y);
    }
    pglite_types::compare::cmp(a, b)
}

#[inline]
pub fn as_int(d: &Datum) -> Option<i64> {
    match d {
        Datum::Int2(v) => Some(*v as i64),
        Datum::Int4(v) => Some(*v as i64),
        Datum::Int8(v) => Some(*v),
        _ => None,
    }
}

fn as_float(d: &Datum) -> Option<f64> {
    match d {
        Datum::Float4(v) => Some(*v as f64),
        Datum::Float8(v) => Some(*v),
        _ => None,
    }
}

#[inline]
pub fn fast_eq(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Text(x), Datum::Text(y)) => x == y,
        _ => fast_cmp(a, b) == Ordering::Equal,
    }
}

/// A hash consistent with [`fast_eq`]; NULL hashes to a constant.
#[inline]
pub fn hash_datum(d: &Datum) -> u64 {
    match d {
        Datum::Null => 0x9E37_79B9,
        Datum::Int2(v) => mix(*v as i64 as u64),
        Datum::Int4(v) => mix(*v as i64 as u64),
        Datum::Int8(v) => mix(*v as u64),
        Datum::Float4(v) => hash_float(*v as f64),
        Datum::Float8(v) => hash_float(*v),
        Datum::Date(v) => mix(*v as i64 as u64),
        Datum::Timestamp(v) => mix(*v as u64),
        Datum::Bool(v) => mix(*v as u64 + 1),
        Datum::Oid(v) => mix(v.0 as u64),
        other => pglite_types::hash::hash(other),
    }
}

fn hash_float(v: f64) -> u64 {
    mix(if v == 0.0 {
        0
    } else if v.is_nan() {
        f64::NAN.to_bits()
    } else {
        v.to_bits()
    })
}

#[inline]
pub fn mix(v: u64) -> u64 {
    let v = (v ^ (v >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let v = (v ^ (v >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    v ^ (v >> 32)
}

/// How two values of a type are ordered.
pub enum CmpFn {
    Fast,
    BpChar,
    /// A btree support function 1 (or any function yielding a negative, zero or positive integer).
    Proc(FnRef),
}

impl CmpFn {
    /// Both non-NULL.
    #[inline]
    pub fn cmp(&self, cx: &mut ExecCx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
        match self {
            CmpFn::Fast => Ok(fast_cmp(a, b)),
            CmpFn::BpChar => match (a, b) {
                (Datum::Text(x), Datum::Text(y)) => Ok(pglite_types::compare::cmp_bpchar(x, y)),
                _ => Ok(fast_cmp(a, b)),
            },
            CmpFn::Proc(f) => match f.call(cx, &[a.clone(), b.clone()])? {
                Datum::Int4(v) => Ok(v.cmp(&0)),
                other => Err(PgError::internal(format!("comparison function returned {other:?}"))),
            },
        }
    }
}

/// How two values of a type are tested for equality and hashed.
pub enum EqFn {
    Fast,
    BpChar,
    Proc(FnRef),
}

impl EqFn {
    /// Both non-NULL.
    #[inline]
    pub fn eq(&self, cx: &mut ExecCx<'_>, a: &Datum, b: &Datum) -> PgResult<bool> {
        match self {
            EqFn::Fast => Ok(fast_eq(a, b)),
            EqFn::BpChar => match (a, b) {
                (Datum::Text(x), Datum::Text(y)) => {
                    Ok(pglite_types::compare::cmp_bpchar(x, y) == Ordering::Equal)
                }
                _ => Ok(fast_eq(a, b)),
            },
            EqFn::Proc(f) => Ok(f.call(cx, &[a.clone(), b.clone()])?.as_bool() == Some(true)),
        }
    }

    /// NULLs count as equal (grouping, DISTINCT, set operations).
    #[inline]
    pub fn not_distinct(&self, cx: &mut ExecCx<'_>, a: &Datum, b: &Datum) -> PgResult<bool> {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ok(true),
            (false, false) => self.eq(cx, a, b),
            _ => Ok(false),
        }
    }

    /// Consistent with [`eq`](Self::eq). Why a constant for functions: the kind's own equality may be coarser than ours;
    /// such tables degrade to comparing, they never miss.
    #[inline]
    pub fn hash(&self, d: &Datum) -> u64 {
        match self {
            EqFn::Fast => hash_datum(d),
            EqFn::BpChar => match d {
                Datum::Text(s) => {
                    pglite_types::hash::hash(&Datum::text(pglite_types::compare::trim_blanks(s)))
                }
                other => hash_datum(other),
            },
            EqFn::Proc(_) if d.is_null() => 1,
            EqFn::Proc(_) => 7,
        }
    }
}

/// A compiled sort column.
pub struct SortCol {
    pub col: usize,
    pub cmp: CmpFn,
    pub desc: bool,
    pub nulls_first: bool,
}

impl SortCol {
    #[inline]
    pub fn order(&self, cx: &mut ExecCx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ok(Ordering::Equal),
            (true, false) => Ok(if self.nulls_first { Ordering::Less } else { Ordering::Greater }),
            (false, true) => Ok(if self.nulls_first { Ordering::Greater } else { Ordering::Less }),
            (false, false) => {
                let o = self.cmp.cmp(cx, a, b)?;
                Ok(if self.desc { o.reverse() } else { o })
            }
        }
    }
}

/// Compares two rows by the sort columns.
pub fn cmp_rows(keys: &[SortCol], cx: &mut ExecCx<'_>, a: &[Datum], b: &[Datum]) -> PgResult<Ordering> {
    for key in keys {
        let o = key.order(cx, &a[key.col], &b[key.col])?;
        if o != Ordering::Equal {
            return Ok(o);
        }
    }
    Ok(Ordering::Equal)
}

/// A compiled grouping column.
pub struct GroupCol {
    pub col: usize,
    pub eq: EqFn,
}

/// Rows equal in all grouping columns, NULLs alike.
pub fn same_group(keys: &[GroupCol], cx: &mut ExecCx<'_>, a: &[Datum], b: &[Datum]) -> PgResult<bool> {
    // Why backward: later columns of a sorted input change more often.
    for key in keys.iter().rev() {
        if !key.eq.not_distinct(cx, &a[key.col], &b[key.col])? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub fn hash_row(keys: &[GroupCol], row: &[Datum]) -> u64 {
    let mut h = 0u64;
    for key in keys {
        h = mix(h.rotate_left(5) ^ key.eq.hash(&row[key.col]));
    }
    h
}

/// Collations whose order is the bytes' order.
pub fn is_byte_order(collation: Oid) -> bool {
    matches!(collation.0, 0 | 100 | 950 | 951 | 962 | 811)
}
