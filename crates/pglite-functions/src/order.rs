//! Comparison functions of every built-in type: the operators, the btree support functions, larger/smaller.
//!
//! Each family has one comparer; the table derives its functions from it. Values of nested types are ordered by
//! [`value_cmp`], which asks the catalog for the order of enum labels.

use std::cmp::Ordering;

use pglite_error::{PgResult, bail};
use pglite_ir::FnCtx;
use pglite_types::array::ArrayValue;
use pglite_types::record::RecordValue;
use pglite_types::{Datum, Oid, compare, datetime as dt, oid};

mod table;

pub use table::TABLE;

/// Order of two non-NULL values of one type.
pub type Comparer = fn(&FnCtx<'_>, &Datum, &Datum) -> PgResult<Ordering>;

fn plain(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    Ok(compare::cmp(a, b))
}

fn text(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Text(a), Datum::Text(b)) => Ok(a.as_bytes().cmp(b.as_bytes())),
        _ => Ok(compare::cmp(a, b)),
    }
}

fn bpchar(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Text(a), Datum::Text(b)) => Ok(compare::cmp_bpchar(a, b)),
        _ => Ok(compare::cmp(a, b)),
    }
}

fn float_of(d: &Datum) -> f64 {
    match d {
        Datum::Float4(v) => f64::from(*v),
        Datum::Float8(v) => *v,
        _ => f64::NAN,
    }
}

fn float(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    Ok(compare::cmp_f64(float_of(a), float_of(b)))
}

fn unsigned(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Int8(a), Datum::Int8(b)) => Ok((*a as u64).cmp(&(*b as u64))),
        _ => Ok(compare::cmp(a, b)),
    }
}

/// A timestamp without zone as an instant; None when it lies past the end of timestamptz.
fn instant(cx: &FnCtx<'_>, ts: i64) -> Option<i64> {
    dt::timestamp_to_timestamptz(ts, &cx.host.settings().timezone).ok()
}

fn date_instant(cx: &FnCtx<'_>, d: i32) -> Option<i64> {
    dt::date_to_timestamptz(d, &cx.host.settings().timezone).ok()
}

/// An instant out of range is beyond every finite one, but before infinity.
fn beyond(ts: i64, positive: bool) -> Ordering {
    match (positive, ts) {
        (true, i64::MAX) | (false, i64::MIN) => {
            if positive {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (true, _) => Ordering::Greater,
        (false, _) => Ordering::Less,
    }
}

fn date_timestamp(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    Ok(match (a, b) {
        (Datum::Date(d), Datum::Timestamp(t)) => dt::cmp_date_timestamp(*d, *t),
        (Datum::Timestamp(t), Datum::Date(d)) => dt::cmp_date_timestamp(*d, *t).reverse(),
        _ => compare::cmp(a, b),
    })
}

fn date_timestamptz(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    let one = |d: i32, t: i64| match date_instant(cx, d) {
        Some(v) => v.cmp(&t),
        None => beyond(t, d > 0),
    };
    Ok(match (a, b) {
        (Datum::Date(d), Datum::Timestamp(t)) => one(*d, *t),
        (Datum::Timestamp(t), Datum::Date(d)) => one(*d, *t).reverse(),
        _ => compare::cmp(a, b),
    })
}

fn local_instant(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Timestamp(a), Datum::Timestamp(b)) => Ok(match instant(cx, *a) {
            Some(v) => v.cmp(b),
            None => beyond(*b, *a > 0),
        }),
        _ => Ok(compare::cmp(a, b)),
    }
}

fn instant_local(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    local_instant(cx, b, a).map(Ordering::reverse)
}

fn enums(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    let ty = cx.call.arg_types.first().copied().unwrap_or(Oid::INVALID);
    enum_cmp(cx, ty, a, b)
}

fn enum_cmp(cx: &FnCtx<'_>, ty: Oid, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    let (Datum::Oid(a), Datum::Oid(b)) = (a, b) else { return Ok(compare::cmp(a, b)) };
    if a == b {
        return Ok(Ordering::Equal);
    }
    let desc = cx.host.type_desc(ty)?;
    let desc = if desc.base.is_valid() { cx.host.type_desc(desc.base)? } else { desc };
    let place = |o: &Oid| desc.labels.iter().position(|(l, ..)| l == o);
    match (place(a), place(b)) {
        (Some(x), Some(y)) => Ok(x.cmp(&y)),
        _ => Ok(a.cmp(b)),
    }
}

/// Types without a default btree operator class.
fn has_no_order(ty: Oid) -> bool {
    matches!(
        ty.0,
        114 | 142 | 600
            ..=604 | 628 | 718 | 4072 | 1790 | 1033 | 194 | 3361 | 3402 | 5017 | 5038 | 2970 | 28 | 29
    )
}

/// The default order of two values of type `ty`, either of which may be NULL (greatest).
pub fn value_cmp(cx: &FnCtx<'_>, ty: Oid, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Null, _) | (_, Datum::Null) => Ok(a.is_null().cmp(&b.is_null())),
        (Datum::Text(a), Datum::Text(b)) if ty == oid::BPCHAR => Ok(compare::cmp_bpchar(a, b)),
        (Datum::Array(a), Datum::Array(b)) => arrays(cx, a, b),
        (Datum::Record(a), Datum::Record(b)) => records(cx, a, b),
        (Datum::Oid(_), Datum::Oid(_)) if ty.0 >= 16384 => enum_cmp(cx, ty, a, b),
        (Datum::Int8(_), Datum::Int8(_)) if ty.0 == 5069 => unsigned(cx, a, b),
        _ if has_no_order(ty) => {
            let name = cx.host.type_desc(ty)?.name.clone();
            bail!(UNDEFINED_FUNCTION, "could not identify a comparison function for type {name}")
        }
        _ => Ok(compare::cmp(a, b)),
    }
}

/// Elements first, then the number of dimensions, lengths and lower bounds.
pub fn arrays(cx: &FnCtx<'_>, a: &ArrayValue, b: &ArrayValue) -> PgResult<Ordering> {
    if a.elem_type != b.elem_type {
        bail!(DATATYPE_MISMATCH, "cannot compare arrays of different element types");
    }
    for (x, y) in a.values.iter().zip(&b.values) {
        let o = value_cmp(cx, a.elem_type, x, y)?;
        if o.is_ne() {
            return Ok(o);
        }
    }
    Ok(a.values
        .len()
        .cmp(&b.values.len())
        .then_with(|| a.ndim().cmp(&b.ndim()))
        .then_with(|| a.dims.iter().map(|d| d.len).cmp(b.dims.iter().map(|d| d.len)))
        .then_with(|| a.dims.iter().map(|d| d.lower).cmp(b.dims.iter().map(|d| d.lower))))
}

fn array(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Array(a), Datum::Array(b)) => arrays(cx, a, b),
        _ => Ok(compare::cmp(a, b)),
    }
}

/// `=` of arrays: shapes first.
fn array_same(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Array(x), Datum::Array(y)) if x.elem_type == y.elem_type && x.dims != y.dims => {
            Ok(Ordering::Less)
        }
        _ => array(cx, a, b),
    }
}

/// Field by field; the column types must agree.
pub fn records(cx: &FnCtx<'_>, a: &RecordValue, b: &RecordValue) -> PgResult<Ordering> {
    let live = |r: &RecordValue| -> Vec<usize> {
        (0..r.values.len()).filter(|i| r.attrs.get(*i).is_none_or(|d| !d.dropped)).collect()
    };
    let (left, right) = (live(a), live(b));
    for (n, (i, j)) in left.iter().zip(&right).enumerate() {
        let (x, y) = (a.attrs.get(*i), b.attrs.get(*j));
        let ty = x.map_or(Oid::INVALID, |d| d.type_oid);
        if let (Some(x), Some(y)) = (x, y)
            && x.type_oid != y.type_oid
        {
            let (x, y) = (cx.host.type_desc(x.type_oid)?, cx.host.type_desc(y.type_oid)?);
            bail!(
                DATATYPE_MISMATCH,
                "cannot compare dissimilar column types {} and {} at record column {}",
                x.name,
                y.name,
                n + 1
            );
        }
        let o = value_cmp(cx, ty, &a.values[*i], &b.values[*j])?;
        if o.is_ne() {
            return Ok(o);
        }
    }
    if left.len() != right.len() {
        bail!(DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns");
    }
    Ok(Ordering::Equal)
}

fn record(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Record(a), Datum::Record(b)) => records(cx, a, b),
        _ => Ok(compare::cmp(a, b)),
    }
}

/// Order of the stored images: by field, bytes of the storage form.
fn image(cx: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    let (Datum::Record(a), Datum::Record(b)) = (a, b) else { return Ok(compare::cmp(a, b)) };
    for (n, (x, y)) in a.values.iter().zip(&b.values).enumerate() {
        if let (Some(s), Some(t)) = (a.attrs.get(n), b.attrs.get(n))
            && s.type_oid != t.type_oid
        {
            let (s, t) = (cx.host.type_desc(s.type_oid)?, cx.host.type_desc(t.type_oid)?);
            bail!(
                DATATYPE_MISMATCH,
                "cannot compare dissimilar column types {} and {} at record column {}",
                s.name,
                t.name,
                n + 1
            );
        }
        let o = match (x, y) {
            (Datum::Null, _) | (_, Datum::Null) => x.is_null().cmp(&y.is_null()),
            (Datum::Record(_), Datum::Record(_)) => image(cx, x, y)?,
            _ => {
                let (mut p, mut q) = (Vec::new(), Vec::new());
                pglite_types::storage::encode(x, &mut p)?;
                pglite_types::storage::encode(y, &mut q)?;
                if p == q { Ordering::Equal } else { compare::cmp(x, y).then_with(|| p.cmp(&q)) }
            }
        };
        if o.is_ne() {
            return Ok(o);
        }
    }
    if a.values.len() != b.values.len() {
        bail!(DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns");
    }
    Ok(Ordering::Equal)
}

macro_rules! op {
    (eq $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Bool(super::$f(cx, &a[0], &a[1])?.is_eq())))
    };
    (ne $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Bool(super::$f(cx, &a[0], &a[1])?.is_ne())))
    };
    (lt $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Bool(super::$f(cx, &a[0], &a[1])?.is_lt())))
    };
    (le $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Bool(super::$f(cx, &a[0], &a[1])?.is_le())))
    };
    (gt $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Bool(super::$f(cx, &a[0], &a[1])?.is_gt())))
    };
    (ge $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Bool(super::$f(cx, &a[0], &a[1])?.is_ge())))
    };
    (cmp $f:ident) => {
        Body::Scalar(|cx, a| Ok(Datum::Int4(super::$f(cx, &a[0], &a[1])? as i32)))
    };
    (max $f:ident) => {
        Body::Scalar(|cx, a| {
            Ok(if super::$f(cx, &a[0], &a[1])?.is_ge() { a[0].clone() } else { a[1].clone() })
        })
    };
    (min $f:ident) => {
        Body::Scalar(|cx, a| {
            Ok(if super::$f(cx, &a[0], &a[1])?.is_le() { a[0].clone() } else { a[1].clone() })
        })
    };
}
pub(crate) use op;

/// `"x_eq"` and its five brothers, then further functions, of one comparer.
macro_rules! families {
    ($($f:ident: $($name:literal $op:ident),+;)*) => {
        &[$($(($name, op!($op $f)),)+)*]
    };
}
pub(crate) use families;

#[inline]
fn text_same(_: &FnCtx<'_>, a: &Datum, b: &Datum) -> PgResult<Ordering> {
    match (a, b) {
        (Datum::Text(a), Datum::Text(b)) => Ok(if a == b { Ordering::Equal } else { Ordering::Less }),
        _ => Ok(compare::cmp(a, b)),
    }
}
