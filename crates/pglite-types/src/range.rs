//! Ranges and multiranges.

use crate::{Datum, Oid, oid};

/// One end of a range; no value means infinite (then `inclusive` is false).
#[derive(Clone, Debug, Default)]
pub struct Bound {
    pub value: Option<Datum>,
    pub inclusive: bool,
}

/// A range in canonical form.
#[derive(Clone, Debug)]
pub struct RangeValue {
    pub range_type: Oid,
    pub empty: bool,
    pub lower: Bound,
    pub upper: Bound,
}

/// Sorted, disjoint, non-adjacent, non-empty ranges.
#[derive(Clone, Debug)]
pub struct MultirangeValue {
    pub multirange_type: Oid,
    pub range_type: Oid,
    pub ranges: Vec<RangeValue>,
}

impl RangeValue {
    pub fn empty(range_type: Oid) -> RangeValue {
        RangeValue { range_type, empty: true, lower: Bound::default(), upper: Bound::default() }
    }
}

/// Range types with their subtypes, and multirange types with their range types.
const BUILTIN: &[(Oid, Oid)] = &[
    (oid::INT4RANGE, oid::INT4),
    (oid::INT8RANGE, oid::INT8),
    (oid::NUMRANGE, oid::NUMERIC),
    (oid::DATERANGE, oid::DATE),
    (oid::TSRANGE, oid::TIMESTAMP),
    (oid::TSTZRANGE, oid::TIMESTAMPTZ),
    (oid::INT4MULTIRANGE, oid::INT4RANGE),
    (oid::INT8MULTIRANGE, oid::INT8RANGE),
    (oid::NUMMULTIRANGE, oid::NUMRANGE),
    (oid::DATEMULTIRANGE, oid::DATERANGE),
    (oid::TSMULTIRANGE, oid::TSRANGE),
    (oid::TSTZMULTIRANGE, oid::TSTZRANGE),
];

/// The subtype of a built-in range type, or the range type of a built-in multirange type.
pub fn builtin_subtype(t: Oid) -> Option<Oid> {
    BUILTIN.iter().find(|(r, _)| *r == t).map(|(_, s)| *s)
}

mod io;
mod ops;

pub use io::{multirange_in, multirange_out, range_in, range_out};
pub use ops::*;

use std::cmp::Ordering;

use pglite_error::{PgResult, bail, codes::DATA_EXCEPTION};

/// Builds a range from its bounds: checks their order, notes emptiness, and brings discrete types to `[)` form.
pub fn make(range_type: Oid, mut lower: Bound, mut upper: Bound) -> PgResult<RangeValue> {
    for b in [&mut lower, &mut upper] {
        if b.value.is_none() {
            b.inclusive = false;
        }
    }
    let mut r = RangeValue { range_type, empty: false, lower, upper };
    check_order(&mut r)?;
    if matches!(range_type, oid::INT4RANGE | oid::INT8RANGE | oid::DATERANGE) && !r.empty {
        if r.lower.value.is_some() && !r.lower.inclusive {
            step(&mut r.lower, true)?;
        }
        if r.upper.value.is_some() && r.upper.inclusive {
            step(&mut r.upper, false)?;
        }
        check_order(&mut r)?;
    }
    Ok(r)
}

/// 22000 when the bounds are the wrong way round; empty when they meet without both being inclusive.
fn check_order(r: &mut RangeValue) -> PgResult<()> {
    if let (Some(l), Some(u)) = (&r.lower.value, &r.upper.value) {
        match crate::compare::cmp(l, u) {
            Ordering::Greater => {
                return Err(pglite_error::PgError::new(
                    DATA_EXCEPTION,
                    "range lower bound must be less than or equal to range upper bound",
                ));
            }
            Ordering::Equal if !(r.lower.inclusive && r.upper.inclusive) => {
                *r = RangeValue::empty(r.range_type)
            }
            _ => {}
        }
    }
    Ok(())
}

/// Moves a discrete bound up by one and sets whether it is inclusive. Infinite dates stay.
fn step(b: &mut Bound, inclusive: bool) -> PgResult<()> {
    let next = match &b.value {
        Some(Datum::Int4(v)) => v.checked_add(1).map(Datum::Int4),
        Some(Datum::Int8(v)) => v.checked_add(1).map(Datum::Int8),
        Some(Datum::Date(v)) if crate::datetime::is_finite_date(*v) => {
            Some(v + 1).filter(|&v| crate::datetime::is_valid_date(v as i64)).map(Datum::Date)
        }
        _ => return Ok(()),
    };
    match (next, &b.value) {
        (Some(v), _) => *b = Bound { value: Some(v), inclusive },
        (None, Some(Datum::Int4(_))) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"),
        (None, Some(Datum::Int8(_))) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"),
        _ => bail!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range"),
    }
    Ok(())
}

/// Sorts, drops empty ranges, and joins those that overlap or touch.
pub fn make_multirange(
    multirange_type: Oid,
    range_type: Oid,
    mut ranges: Vec<RangeValue>,
) -> MultirangeValue {
    ranges.retain(|r| !r.empty);
    ranges.sort_by(crate::compare::cmp_range);
    let mut out: Vec<RangeValue> = Vec::with_capacity(ranges.len());
    for r in ranges {
        match out.last_mut() {
            Some(last) if overlaps(last, &r) || adjacent(last, &r) => {
                if crate::compare::cmp_bound(&r.upper, false, &last.upper, false).is_gt() {
                    last.upper = r.upper;
                }
            }
            _ => out.push(r),
        }
    }
    MultirangeValue { multirange_type, range_type, ranges: out }
}
