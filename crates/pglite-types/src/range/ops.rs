//! Set operations on ranges and multiranges of one type.

use std::cmp::Ordering;

use pglite_error::{PgError, PgResult, codes};

use super::{Bound, MultirangeValue, RangeValue, make, make_multirange};
use crate::Datum;
use crate::compare::{cmp, cmp_bound};

fn lower_lower(a: &RangeValue, b: &RangeValue) -> Ordering {
    cmp_bound(&a.lower, true, &b.lower, true)
}

fn upper_upper(a: &RangeValue, b: &RangeValue) -> Ordering {
    cmp_bound(&a.upper, false, &b.upper, false)
}

fn lower_upper(a: &RangeValue, b: &RangeValue) -> Ordering {
    cmp_bound(&a.lower, true, &b.upper, false)
}

pub fn contains_elem(r: &RangeValue, v: &Datum) -> bool {
    if r.empty {
        return false;
    }
    let above = r.lower.value.as_ref().is_none_or(|l| match cmp(l, v) {
        Ordering::Less => true,
        Ordering::Equal => r.lower.inclusive,
        Ordering::Greater => false,
    });
    above
        && r.upper.value.as_ref().is_none_or(|u| match cmp(u, v) {
            Ordering::Greater => true,
            Ordering::Equal => r.upper.inclusive,
            Ordering::Less => false,
        })
}

/// `a @> b`.
pub fn contains(a: &RangeValue, b: &RangeValue) -> bool {
    b.empty || (!a.empty && lower_lower(a, b).is_le() && upper_upper(a, b).is_ge())
}

/// `a && b`.
pub fn overlaps(a: &RangeValue, b: &RangeValue) -> bool {
    !a.empty && !b.empty && lower_upper(a, b).is_le() && lower_upper(b, a).is_le()
}

/// `a << b`.
pub fn before(a: &RangeValue, b: &RangeValue) -> bool {
    !a.empty && !b.empty && lower_upper(b, a).is_gt()
}

/// `a &< b`: a does not extend to the right of b.
pub fn over_left(a: &RangeValue, b: &RangeValue) -> bool {
    !a.empty && !b.empty && upper_upper(a, b).is_le()
}

/// `a &> b`: a does not extend to the left of b.
pub fn over_right(a: &RangeValue, b: &RangeValue) -> bool {
    !a.empty && !b.empty && lower_lower(a, b).is_ge()
}

/// Whether an upper bound and a lower bound meet without a gap and without overlapping.
fn bounds_touch(range_type: crate::Oid, upper: &Bound, lower: &Bound) -> bool {
    let (Some(u), Some(l)) = (&upper.value, &lower.value) else { return false };
    match cmp(u, l) {
        Ordering::Equal => upper.inclusive != lower.inclusive,
        Ordering::Greater => false,
        // For discrete types nothing may lie between them.
        Ordering::Less => make(
            range_type,
            Bound { value: Some(u.clone()), inclusive: !upper.inclusive },
            Bound { value: Some(l.clone()), inclusive: !lower.inclusive },
        )
        .is_ok_and(|r| r.empty),
    }
}

/// `a -|- b`.
pub fn adjacent(a: &RangeValue, b: &RangeValue) -> bool {
    !a.empty
        && !b.empty
        && (bounds_touch(a.range_type, &a.upper, &b.lower) || bounds_touch(a.range_type, &b.upper, &a.lower))
}

/// The smallest range that covers both.
pub fn merge(a: &RangeValue, b: &RangeValue) -> RangeValue {
    if a.empty {
        return b.clone();
    }
    if b.empty {
        return a.clone();
    }
    let lower = if lower_lower(a, b).is_le() { &a.lower } else { &b.lower };
    let upper = if upper_upper(a, b).is_ge() { &a.upper } else { &b.upper };
    RangeValue { range_type: a.range_type, empty: false, lower: lower.clone(), upper: upper.clone() }
}

/// `a + b`; an error when there is a gap.
pub fn union(a: &RangeValue, b: &RangeValue) -> PgResult<RangeValue> {
    if !a.empty && !b.empty && !overlaps(a, b) && !adjacent(a, b) {
        return Err(PgError::new(codes::DATA_EXCEPTION, "result of range union would not be contiguous"));
    }
    Ok(merge(a, b))
}

/// `a * b`.
pub fn intersect(a: &RangeValue, b: &RangeValue) -> RangeValue {
    if !overlaps(a, b) {
        return RangeValue::empty(a.range_type);
    }
    let lower = if lower_lower(a, b).is_ge() { &a.lower } else { &b.lower };
    let upper = if upper_upper(a, b).is_le() { &a.upper } else { &b.upper };
    RangeValue { range_type: a.range_type, empty: false, lower: lower.clone(), upper: upper.clone() }
}

/// What of `a` lies left and right of `b`.
fn cut(a: &RangeValue, b: &RangeValue) -> PgResult<Vec<RangeValue>> {
    if a.empty {
        return Ok(Vec::new());
    }
    if !overlaps(a, b) {
        return Ok(vec![a.clone()]);
    }
    let flip = |x: &Bound| Bound { value: x.value.clone(), inclusive: !x.inclusive };
    let mut out = Vec::new();
    if lower_lower(a, b).is_lt() {
        out.push(make(a.range_type, a.lower.clone(), flip(&b.lower))?);
    }
    if upper_upper(a, b).is_gt() {
        out.push(make(a.range_type, flip(&b.upper), a.upper.clone())?);
    }
    out.retain(|r| !r.empty);
    Ok(out)
}

/// `a - b`; an error when two pieces would remain.
pub fn minus(a: &RangeValue, b: &RangeValue) -> PgResult<RangeValue> {
    let mut pieces = cut(a, b)?;
    if pieces.len() > 1 {
        return Err(PgError::new(
            codes::DATA_EXCEPTION,
            "result of range difference would not be contiguous",
        ));
    }
    Ok(pieces.pop().unwrap_or_else(|| RangeValue::empty(a.range_type)))
}

fn rebuild(like: &MultirangeValue, ranges: Vec<RangeValue>) -> MultirangeValue {
    make_multirange(like.multirange_type, like.range_type, ranges)
}

pub fn multirange_union(a: &MultirangeValue, b: &MultirangeValue) -> MultirangeValue {
    rebuild(a, a.ranges.iter().chain(&b.ranges).cloned().collect())
}

pub fn multirange_intersect(a: &MultirangeValue, b: &MultirangeValue) -> MultirangeValue {
    let mut out = Vec::new();
    for x in &a.ranges {
        out.extend(b.ranges.iter().map(|y| intersect(x, y)));
    }
    rebuild(a, out)
}

pub fn multirange_minus(a: &MultirangeValue, b: &MultirangeValue) -> PgResult<MultirangeValue> {
    let mut left = a.ranges.clone();
    for y in &b.ranges {
        let mut next = Vec::with_capacity(left.len() + 1);
        for x in &left {
            next.extend(cut(x, y)?);
        }
        left = next;
    }
    Ok(rebuild(a, left))
}

/// Whether one range of `m` covers all of `r`.
pub fn multirange_contains_range(m: &MultirangeValue, r: &RangeValue) -> bool {
    r.empty || m.ranges.iter().any(|x| contains(x, r))
}

pub fn multirange_contains_elem(m: &MultirangeValue, v: &Datum) -> bool {
    m.ranges.iter().any(|r| contains_elem(r, v))
}

pub fn multirange_contains(a: &MultirangeValue, b: &MultirangeValue) -> bool {
    b.ranges.iter().all(|r| multirange_contains_range(a, r))
}

pub fn multirange_overlaps(a: &MultirangeValue, b: &MultirangeValue) -> bool {
    a.ranges.iter().any(|x| b.ranges.iter().any(|y| overlaps(x, y)))
}

/// The range from the first to the last bound.
pub fn multirange_span(m: &MultirangeValue) -> RangeValue {
    match (m.ranges.first(), m.ranges.last()) {
        (Some(a), Some(b)) => merge(a, b),
        _ => RangeValue::empty(m.range_type),
    }
}
