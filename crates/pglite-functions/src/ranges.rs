//! Ranges and multiranges: constructors, operators, accessors.
//!
//! Operators between ranges and multiranges are written once, over lists of ranges.

use pglite_error::{PgResult, bail, err};
use pglite_ir::{Body, FnCtx};
use pglite_types::range::{self, Bound, MultirangeValue, RangeValue, make_multirange};
use pglite_types::{Datum, Oid};

use crate::builtins;

fn subtype(cx: &FnCtx<'_>, ty: Oid) -> PgResult<Oid> {
    match range::builtin_subtype(ty) {
        Some(t) => Ok(t),
        None => Ok(cx.host.type_desc(ty)?.subtype),
    }
}

fn bound(v: &Datum, inclusive: bool) -> Bound {
    if v.is_null() { Bound::default() } else { Bound { value: Some(v.clone()), inclusive } }
}
fn construct2(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let [a, b, ..] = args else { return Ok(Datum::Null) };
    let r = range::make(cx.call.ret_type, bound(a, true), bound(b, false))?;
    Ok(Datum::Range(r.into()))
}
fn construct3(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let [a, b, flags, ..] = args else { return Ok(Datum::Null) };
    let Some(flags) = flags.as_str() else {
        bail!(DATA_EXCEPTION, "range constructor flags argument must not be null");
    };
    let (low, high) = match flags {
        "[]" => (true, true),
        "[)" => (true, false),
        "(]" => (false, true),
        "()" => (false, false),
        _ => {
            return Err(err!(SYNTAX_ERROR, "invalid range bound flags")
                .hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
        }
    };
    let r = range::make(cx.call.ret_type, bound(a, low), bound(b, high))?;
    Ok(Datum::Range(r.into()))
}
fn multi(cx: &FnCtx<'_>, ranges: Vec<RangeValue>) -> PgResult<MultirangeValue> {
    let ty = cx.call.ret_type;
    Ok(make_multirange(ty, subtype(cx, ty)?, ranges))
}
fn multi0(cx: &FnCtx<'_>) -> PgResult<MultirangeValue> {
    multi(cx, Vec::new())
}
fn multi1(cx: &FnCtx<'_>, r: &RangeValue) -> PgResult<MultirangeValue> {
    multi(cx, vec![r.clone()])
}
fn multi2(cx: &FnCtx<'_>, a: &Datum) -> PgResult<MultirangeValue> {
    let Datum::Array(a) = a else { return multi0(cx) };
    if a.ndim() > 1 {
        bail!(CARDINALITY_VIOLATION, "multiranges cannot be constructed from multidimensional arrays");
    }
    let mut out = Vec::with_capacity(a.len());
    for v in &a.values {
        match v {
            Datum::Range(r) => out.push((**r).clone()),
            _ => bail!(NULL_VALUE_NOT_ALLOWED, "multirange values cannot contain null members"),
        }
    }
    multi(cx, out)
}

fn lower(r: &RangeValue) -> Option<Datum> {
    if r.empty { None } else { r.lower.value.clone() }
}
fn upper(r: &RangeValue) -> Option<Datum> {
    if r.empty { None } else { r.upper.value.clone() }
}
fn is_empty(r: &RangeValue) -> bool {
    r.empty
}
fn lower_inc(r: &RangeValue) -> bool {
    !r.empty && r.lower.inclusive
}
fn upper_inc(r: &RangeValue) -> bool {
    !r.empty && r.upper.inclusive
}
fn lower_inf(r: &RangeValue) -> bool {
    !r.empty && r.lower.value.is_none()
}
fn upper_inf(r: &RangeValue) -> bool {
    !r.empty && r.upper.value.is_none()
}
fn m_lower(m: &MultirangeValue) -> Option<Datum> {
    m.ranges.first().and_then(lower)
}
fn m_upper(m: &MultirangeValue) -> Option<Datum> {
    m.ranges.last().and_then(upper)
}
fn m_is_empty(m: &MultirangeValue) -> bool {
    m.ranges.is_empty()
}
fn m_lower_inc(m: &MultirangeValue) -> bool {
    m.ranges.first().is_some_and(lower_inc)
}
fn m_upper_inc(m: &MultirangeValue) -> bool {
    m.ranges.last().is_some_and(upper_inc)
}
fn m_lower_inf(m: &MultirangeValue) -> bool {
    m.ranges.first().is_some_and(lower_inf)
}
fn m_upper_inf(m: &MultirangeValue) -> bool {
    m.ranges.last().is_some_and(upper_inf)
}

/// The ranges of a range or multirange; an empty range has none.
fn parts(v: &Datum) -> &[RangeValue] {
    match v {
        Datum::Range(r) if r.empty => &[],
        Datum::Range(r) => std::slice::from_ref(r),
        Datum::Multirange(m) => &m.ranges,
        _ => &[],
    }
}
fn overlaps(a: &Datum, b: &Datum) -> bool {
    parts(a).iter().any(|x| parts(b).iter().any(|y| range::overlaps(x, y)))
}
fn contains(a: &Datum, b: &Datum) -> bool {
    parts(b).iter().all(|y| parts(a).iter().any(|x| range::contains(x, y)))
}
fn contained(a: &Datum, b: &Datum) -> bool {
    contains(b, a)
}
fn contains_elem(a: &Datum, v: &Datum) -> bool {
    parts(a).iter().any(|r| range::contains_elem(r, v))
}
fn elem_contained(v: &Datum, a: &Datum) -> bool {
    contains_elem(a, v)
}
fn before(a: &Datum, b: &Datum) -> bool {
    matches!((parts(a).last(), parts(b).first()), (Some(x), Some(y)) if range::before(x, y))
}
fn after(a: &Datum, b: &Datum) -> bool {
    before(b, a)
}
fn over_left(a: &Datum, b: &Datum) -> bool {
    matches!((parts(a).last(), parts(b).last()), (Some(x), Some(y)) if range::over_left(x, y))
}
fn over_right(a: &Datum, b: &Datum) -> bool {
    matches!((parts(a).first(), parts(b).first()), (Some(x), Some(y)) if range::over_right(x, y))
}
fn adjacent(a: &Datum, b: &Datum) -> bool {
    let touch = |x: Option<&RangeValue>, y: Option<&RangeValue>| match (x, y) {
        (Some(x), Some(y)) => range::adjacent(x, y) && range::before(x, y),
        _ => false,
    };
    touch(parts(a).last(), parts(b).first()) || touch(parts(b).last(), parts(a).first())
}

fn union(a: &RangeValue, b: &RangeValue) -> PgResult<RangeValue> {
    range::union(a, b)
}
fn minus(a: &RangeValue, b: &RangeValue) -> PgResult<RangeValue> {
    range::minus(a, b)
}
fn intersect(a: &RangeValue, b: &RangeValue) -> RangeValue {
    range::intersect(a, b)
}
fn merge(a: &RangeValue, b: &RangeValue) -> RangeValue {
    range::merge(a, b)
}
fn m_merge(m: &MultirangeValue) -> RangeValue {
    range::multirange_span(m)
}
fn m_union(a: &MultirangeValue, b: &MultirangeValue) -> MultirangeValue {
    range::multirange_union(a, b)
}
fn m_minus(a: &MultirangeValue, b: &MultirangeValue) -> PgResult<MultirangeValue> {
    range::multirange_minus(a, b)
}
fn m_intersect(a: &MultirangeValue, b: &MultirangeValue) -> MultirangeValue {
    range::multirange_intersect(a, b)
}
fn canonical(r: &RangeValue) -> PgResult<RangeValue> {
    if r.empty { Ok(r.clone()) } else { range::make(r.range_type, r.lower.clone(), r.upper.clone()) }
}

fn diff_i4(a: i32, b: i32) -> f64 {
    f64::from(a) - f64::from(b)
}
fn diff_i8(a: i64, b: i64) -> f64 {
    a as f64 - b as f64
}
fn diff_date(a: crate::arg::Date, b: crate::arg::Date) -> f64 {
    f64::from(a.0) - f64::from(b.0)
}
fn diff_ts(a: crate::arg::Timestamp, b: crate::arg::Timestamp) -> f64 {
    (a.0 as f64 - b.0 as f64) / 1e6
}
fn diff_num(a: &pglite_types::numeric::Numeric, b: &pglite_types::numeric::Numeric) -> PgResult<f64> {
    Ok(pglite_types::numeric::sub(a, b)?.to_f64())
}

pub static CONSTRUCTORS: &[(&str, Body)] =
    &[("range_constructor2", Body::Scalar(construct2)), ("range_constructor3", Body::Scalar(construct3))];

builtins! { pub TABLE:
    "multirange_constructor0" => cx multi0[];
    "multirange_constructor1" => cx multi1[&RangeValue];
    "multirange_constructor2" => cx multi2[&Datum];
    "range_lower" => lower[&RangeValue];
    "range_upper" => upper[&RangeValue];
    "range_empty" => is_empty[&RangeValue];
    "range_lower_inc" => lower_inc[&RangeValue];
    "range_upper_inc" => upper_inc[&RangeValue];
    "range_lower_inf" => lower_inf[&RangeValue];
    "range_upper_inf" => upper_inf[&RangeValue];
    "multirange_lower" => m_lower[&MultirangeValue];
    "multirange_upper" => m_upper[&MultirangeValue];
    "multirange_empty" => m_is_empty[&MultirangeValue];
    "multirange_lower_inc" => m_lower_inc[&MultirangeValue];
    "multirange_upper_inc" => m_upper_inc[&MultirangeValue];
    "multirange_lower_inf" => m_lower_inf[&MultirangeValue];
    "multirange_upper_inf" => m_upper_inf[&MultirangeValue];
    "range_overlaps" => overlaps[&Datum, &Datum];
    "range_overlaps_multirange" => overlaps[&Datum, &Datum];
    "multirange_overlaps_range" => overlaps[&Datum, &Datum];
    "multirange_overlaps_multirange" => overlaps[&Datum, &Datum];
    "range_contains" => contains[&Datum, &Datum];
    "range_contains_multirange" => contains[&Datum, &Datum];
    "multirange_contains_range" => contains[&Datum, &Datum];
    "multirange_contains_multirange" => contains[&Datum, &Datum];
    "range_contained_by" => contained[&Datum, &Datum];
    "range_contained_by_multirange" => contained[&Datum, &Datum];
    "multirange_contained_by_range" => contained[&Datum, &Datum];
    "multirange_contained_by_multirange" => contained[&Datum, &Datum];
    "range_contains_elem" => contains_elem[&Datum, &Datum];
    "multirange_contains_elem" => contains_elem[&Datum, &Datum];
    "elem_contained_by_range" => elem_contained[&Datum, &Datum];
    "elem_contained_by_multirange" => elem_contained[&Datum, &Datum];
    "range_before" => before[&Datum, &Datum];
    "range_before_multirange" => before[&Datum, &Datum];
    "multirange_before_range" => before[&Datum, &Datum];
    "multirange_before_multirange" => before[&Datum, &Datum];
    "range_after" => after[&Datum, &Datum];
    "range_after_multirange" => after[&Datum, &Datum];
    "multirange_after_range" => after[&Datum, &Datum];
    "multirange_after_multirange" => after[&Datum, &Datum];
    "range_overleft" => over_left[&Datum, &Datum];
    "range_overleft_multirange" => over_left[&Datum, &Datum];
    "multirange_overleft_range" => over_left[&Datum, &Datum];
    "multirange_overleft_multirange" => over_left[&Datum, &Datum];
    "range_overright" => over_right[&Datum, &Datum];
    "range_overright_multirange" => over_right[&Datum, &Datum];
    "multirange_overright_range" => over_right[&Datum, &Datum];
    "multirange_overright_multirange" => over_right[&Datum, &Datum];
    "range_adjacent" => adjacent[&Datum, &Datum];
    "range_adjacent_multirange" => adjacent[&Datum, &Datum];
    "multirange_adjacent_range" => adjacent[&Datum, &Datum];
    "multirange_adjacent_multirange" => adjacent[&Datum, &Datum];
    "range_union" => union[&RangeValue, &RangeValue];
    "range_minus" => minus[&RangeValue, &RangeValue];
    "range_intersect" => intersect[&RangeValue, &RangeValue];
    "range_merge" => merge[&RangeValue, &RangeValue];
    "range_merge_from_multirange" => m_merge[&MultirangeValue];
    "multirange_union" => m_union[&MultirangeValue, &MultirangeValue];
    "multirange_minus" => m_minus[&MultirangeValue, &MultirangeValue];
    "multirange_intersect" => m_intersect[&MultirangeValue, &MultirangeValue];
    "int4range_canonical" => canonical[&RangeValue];
    "int8range_canonical" => canonical[&RangeValue];
    "daterange_canonical" => canonical[&RangeValue];
    "int4range_subdiff" => diff_i4[i32, i32];
    "int8range_subdiff" => diff_i8[i64, i64];
    "numrange_subdiff" => diff_num[&pglite_types::numeric::Numeric, &pglite_types::numeric::Numeric];
    "daterange_subdiff" => diff_date[crate::arg::Date, crate::arg::Date];
    "tsrange_subdiff" => diff_ts[crate::arg::Timestamp, crate::arg::Timestamp];
    "tstzrange_subdiff" => diff_ts[crate::arg::Timestamp, crate::arg::Timestamp];
}
