//! Ranges and multiranges.

use crate::{Datum, Oid};

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
