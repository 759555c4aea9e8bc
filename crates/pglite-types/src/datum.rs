//! `Datum`: one SQL value in memory, 24 bytes, cheap to clone.
//!
//! The variant is the *physical* kind; the SQL type travels beside it in the plan (a `timestamptz` and a `timestamp`
//! are both [`Datum::Timestamp`], every domain has its base type's variant, an enum is the OID of its label).
//!
//! Invariant: `Text` holds valid UTF-8. Values past 15 bytes are shared by reference count, so a clone never copies.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use ecow::{EcoString, EcoVec};

use crate::Oid;
use crate::array::ArrayValue;
use crate::bits::BitString;
use crate::datetime::{Interval, TimeTz};
use crate::geo::Geo;
use crate::jsonb::Jsonb;
use crate::net::Inet;
use crate::numeric::Numeric;
use crate::range::{MultirangeValue, RangeValue};
use crate::record::RecordValue;
use crate::tsearch::{TsQuery, TsVector};

#[derive(Clone, Debug, Default)]
pub enum Datum {
    #[default]
    Null,
    Bool(bool),
    /// `"char"`.
    Char(u8),
    Int2(i16),
    Int4(i32),
    /// int8, money, xid8.
    Int8(i64),
    Float4(f32),
    Float8(f64),
    /// oid, reg*, xid, cid, and enum values (OID of the pg_enum row).
    Oid(Oid),
    /// text, varchar, bpchar (blank-padded), name, cstring, unknown, json, xml, refcursor, jsonpath source ...
    Text(EcoString),
    Bytea(EcoVec<u8>),
    Numeric(Numeric),
    /// Days since 2000-01-01; `i32::MIN`/`MAX` are the infinities.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    TimeTz(TimeTz),
    /// timestamp and timestamptz: microseconds since 2000-01-01 (UTC for timestamptz); `i64::MIN`/`MAX` are the infinities.
    Timestamp(i64),
    Interval(Interval),
    Uuid([u8; 16]),
    Jsonb(Arc<Jsonb>),
    Array(Arc<ArrayValue>),
    Record(Arc<RecordValue>),
    Range(Arc<RangeValue>),
    Multirange(Arc<MultirangeValue>),
    /// bit, varbit.
    Bits(Arc<BitString>),
    /// inet, cidr.
    Inet(Arc<Inet>),
    MacAddr([u8; 6]),
    MacAddr8([u8; 8]),
    /// point, lseg, path, box, polygon, line, circle.
    Geo(Arc<Geo>),
    TsVector(Arc<TsVector>),
    TsQuery(Arc<TsQuery>),
    /// A row position (`ctid`): the block and offset shown to the user are derived from it.
    Tid(u64),
    /// pg_lsn.
    Lsn(u64),
    /// Values of extension types (vector ...) that bring their own behaviour.
    Extension(Arc<dyn ExtensionValue>),
    /// The SQL type `internal`: aggregate transition states and the like; never stored.
    Internal(Arc<dyn Any + Send + Sync>),
}

/// A value whose type lives in an extension crate.
pub trait ExtensionValue: Debug + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    /// The storage form; the type's decoder reads it back.
    fn bytes(&self) -> &[u8];
    fn compare(&self, other: &dyn ExtensionValue) -> std::cmp::Ordering;
}

/// A text of its own; see [`Datum::text_of`].
#[inline]
pub fn shared_text(s: &str) -> EcoString {
    if s.len() <= EcoString::INLINE_LIMIT {
        return s.into();
    }
    let mut out = EcoString::with_capacity(s.len());
    out.push_str(s);
    out
}

/// One row: a value per column.
pub type Row = Vec<Datum>;

impl Datum {
    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }
    pub fn text(s: impl Into<EcoString>) -> Datum {
        Datum::Text(s.into())
    }
    /// A text copied from a slice. Why: the conversion from `&str` copies long texts byte by byte.
    #[inline]
    pub fn text_of(s: &str) -> Datum {
        Datum::Text(shared_text(s))
    }
    /// The value under a binary-coercible cast to `to`: the bits stay, the physical kind may change (integer and the OID
    /// types are one another's).
    pub fn relabel(self, to: Oid) -> Datum {
        use crate::storage::PhysKind;
        match self {
            Datum::Int4(v) if PhysKind::of_builtin(to) == Some(PhysKind::Oid) => Datum::Oid(Oid(v as u32)),
            Datum::Oid(v) if to == crate::oid::INT4 => Datum::Int4(v.0 as i32),
            other => other,
        }
    }
    /// Whether a binary-coercible cast between the types changes the physical kind.
    pub fn relabel_changes(from: Oid, to: Oid) -> bool {
        use crate::storage::PhysKind;
        let is_oid = |t| PhysKind::of_builtin(t) == Some(PhysKind::Oid);
        (from == crate::oid::INT4 && is_oid(to)) || (is_oid(from) && to == crate::oid::INT4)
    }
    /// The value of a boolean; NULL and everything else are `None`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Datum::Bool(b) => Some(*b),
            _ => None,
        }
    }
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Datum::Text(s) => Some(s),
            _ => None,
        }
    }
    pub fn as_oid(&self) -> Option<Oid> {
        match self {
            Datum::Oid(o) => Some(*o),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Datum>() == 24);
