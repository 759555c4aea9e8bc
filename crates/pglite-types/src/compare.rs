//! Default btree order and equality of values of one type.

use std::cmp::Ordering;

use crate::array::ArrayValue;
use crate::jsonb::Jsonb;
use crate::net::Inet;
use crate::range::{Bound, RangeValue};
use crate::record::RecordValue;
use crate::{Datum, Oid, oid};

/// The default btree order of two non-NULL values of one type. Text compares by bytes (C collation); enum labels by OID
/// (callers that know the sort positions compare those).
pub fn cmp(a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::Int4(a), Datum::Int4(b)) => a.cmp(b),
        (Datum::Int8(a), Datum::Int8(b)) => a.cmp(b),
        (Datum::Text(a), Datum::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Datum::Numeric(a), Datum::Numeric(b)) => crate::numeric::cmp(a, b),
        (Datum::Timestamp(a), Datum::Timestamp(b)) => a.cmp(b),
        (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::Char(a), Datum::Char(b)) => a.cmp(b),
        (Datum::Int2(a), Datum::Int2(b)) => a.cmp(b),
        (Datum::Float4(a), Datum::Float4(b)) => cmp_f64(*a as f64, *b as f64),
        (Datum::Float8(a), Datum::Float8(b)) => cmp_f64(*a, *b),
        (Datum::Oid(a), Datum::Oid(b)) => a.cmp(b),
        (Datum::Bytea(a), Datum::Bytea(b)) => a.as_slice().cmp(b.as_slice()),
        (Datum::Time(a), Datum::Time(b)) => a.cmp(b),
        (Datum::TimeTz(a), Datum::TimeTz(b)) => a.cmp(b),
        (Datum::Interval(a), Datum::Interval(b)) => a.cmp_value().cmp(&b.cmp_value()),
        (Datum::Uuid(a), Datum::Uuid(b)) => a.cmp(b),
        (Datum::Jsonb(a), Datum::Jsonb(b)) => cmp_jsonb(a, b),
        (Datum::Array(a), Datum::Array(b)) => cmp_array(a, b),
        (Datum::Record(a), Datum::Record(b)) => cmp_record(a, b),
        (Datum::Range(a), Datum::Range(b)) => cmp_range(a, b),
        (Datum::Multirange(a), Datum::Multirange(b)) => lexicographic(&a.ranges, &b.ranges, cmp_range),
        (Datum::Bits(a), Datum::Bits(b)) => a.bytes.cmp(&b.bytes).then(a.len.cmp(&b.len)),
        (Datum::Inet(a), Datum::Inet(b)) => cmp_inet(a, b),
        (Datum::MacAddr(a), Datum::MacAddr(b)) => a.cmp(b),
        (Datum::MacAddr8(a), Datum::MacAddr8(b)) => a.cmp(b),
        (Datum::Geo(a), Datum::Geo(b)) => a.coordinates().map(Total).cmp(b.coordinates().map(Total)),
        (Datum::TsVector(a), Datum::TsVector(b)) => crate::tsearch::cmp_vector(a, b),
        (Datum::TsQuery(a), Datum::TsQuery(b)) => crate::tsearch::cmp_query(a, b),
        (Datum::Tid(a), Datum::Tid(b)) => a.cmp(b),
        (Datum::Lsn(a), Datum::Lsn(b)) => a.cmp(b),
        (Datum::Extension(a), Datum::Extension(b)) => a.compare(&**b),
        _ => Ordering::Equal,
    }
}

struct Total(f64);

impl PartialEq for Total {
    fn eq(&self, other: &Total) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Total {}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Total) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Total {
    fn cmp(&self, other: &Total) -> Ordering {
        cmp_f64(self.0, other.0)
    }
}

/// PostgreSQL's float order: NaN equals NaN and is greater than everything else; -0 equals 0.
pub fn cmp_f64(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Equality as `=` of the type's default btree operator class; both non-NULL, of one type.
pub fn eq(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Text(a), Datum::Text(b)) => a == b,
        (Datum::Array(a), Datum::Array(b)) => {
            a.dims == b.dims
                && a.values.iter().zip(&b.values).all(|(x, y)| cmp_elem(a.elem_type, x, y).is_eq())
        }
        _ => cmp(a, b) == Ordering::Equal,
    }
}

/// bpchar order: trailing blanks do not count.
pub fn cmp_bpchar(a: &str, b: &str) -> Ordering {
    trim_blanks(a).as_bytes().cmp(trim_blanks(b).as_bytes())
}

/// The text without its trailing blanks: what counts of a `character(n)`.
#[inline]
pub fn trim_blanks(s: &str) -> &str {
    let mut bytes = s.as_bytes();
    while let Some((head, b"        ")) = bytes.split_last_chunk::<8>() {
        bytes = head;
    }
    while let [head @ .., b' '] = bytes {
        bytes = head;
    }
    &s[..bytes.len()]
}

/// Order of two values that may be NULL; NULL is greatest.
pub fn cmp_nulls_last(a: &Datum, b: &Datum) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (false, false) => cmp(a, b),
        (x, y) => x.cmp(&y),
    }
}

/// Order of array elements and record fields of a known type; NULL is greatest.
pub fn cmp_elem(elem: Oid, a: &Datum, b: &Datum) -> Ordering {
    match (a, b) {
        (Datum::Text(x), Datum::Text(y)) if elem == oid::BPCHAR => cmp_bpchar(x, y),
        _ => cmp_nulls_last(a, b),
    }
}

fn lexicographic<T>(a: &[T], b: &[T], f: impl Fn(&T, &T) -> Ordering) -> Ordering {
    let first = a.iter().zip(b).map(|(x, y)| f(x, y)).find(|o| o.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Elements first, then the number of dimensions, lengths and lower bounds.
pub fn cmp_array(a: &ArrayValue, b: &ArrayValue) -> Ordering {
    lexicographic(&a.values, &b.values, |x, y| cmp_elem(a.elem_type, x, y))
        .then_with(|| a.ndim().cmp(&b.ndim()))
        .then_with(|| a.dims.iter().map(|d| d.len).cmp(b.dims.iter().map(|d| d.len)))
        .then_with(|| a.dims.iter().map(|d| d.lower).cmp(b.dims.iter().map(|d| d.lower)))
}

/// Field by field; callers have checked that the column types agree.
pub fn cmp_record(a: &RecordValue, b: &RecordValue) -> Ordering {
    for (i, (x, y)) in a.values.iter().zip(&b.values).enumerate() {
        let elem = a.attrs.get(i).map_or(Oid::INVALID, |d| d.type_oid);
        let o = cmp_elem(elem, x, y);
        if o.is_ne() {
            return o;
        }
    }
    a.values.len().cmp(&b.values.len())
}

/// Order of two range bounds, each a lower (`true`) or upper one.
pub fn cmp_bound(a: &Bound, a_lower: bool, b: &Bound, b_lower: bool) -> Ordering {
    match (&a.value, &b.value) {
        (None, None) => match (a_lower, b_lower) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        },
        (None, Some(_)) => {
            if a_lower {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (Some(_), None) => {
            if b_lower {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (Some(x), Some(y)) => cmp(x, y).then_with(|| {
            // An exclusive lower bound lies just above its value, an exclusive upper one just below.
            let side = |inclusive: bool, lower: bool| match (inclusive, lower) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => -1,
            };
            side(a.inclusive, a_lower).cmp(&side(b.inclusive, b_lower))
        }),
    }
}

pub fn cmp_range(a: &RangeValue, b: &RangeValue) -> Ordering {
    match (a.empty, b.empty) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => cmp_bound(&a.lower, true, &b.lower, true)
            .then_with(|| cmp_bound(&a.upper, false, &b.upper, false)),
    }
}

/// Family, then the common network bits, then mask length, then the whole address.
pub fn cmp_inet(a: &Inet, b: &Inet) -> Ordering {
    if a.v6 != b.v6 {
        return a.v6.cmp(&b.v6);
    }
    let n = a.bits.min(b.bits) as usize;
    let common = |x: &Inet| {
        let mut v = u128::from_be_bytes(x.addr);
        if n < 128 {
            v &= !(u128::MAX >> n);
        }
        v
    };
    common(a).cmp(&common(b)).then(a.bits.cmp(&b.bits)).then(a.addr.cmp(&b.addr))
}

fn json_rank(j: &Jsonb) -> u8 {
    match j {
        Jsonb::Null => 0,
        Jsonb::String(_) => 1,
        Jsonb::Number(_) => 2,
        Jsonb::Bool(_) => 3,
        Jsonb::Array(_) => 4,
        Jsonb::Object(_) => 5,
    }
}

/// jsonb btree order. PG: an empty top-level array sorts below every scalar document.
pub fn cmp_jsonb(a: &Jsonb, b: &Jsonb) -> Ordering {
    match (a, b) {
        (Jsonb::Array(x), Jsonb::Array(_) | Jsonb::Object(_))
            if !matches!(b, Jsonb::Object(_)) || x.is_empty() =>
        {
            cmp_json_value(a, b)
        }
        (Jsonb::Array(x), _) if x.is_empty() && !matches!(b, Jsonb::Object(_)) => Ordering::Less,
        (_, Jsonb::Array(y)) if y.is_empty() && !matches!(a, Jsonb::Object(_)) => Ordering::Greater,
        _ => cmp_json_value(a, b),
    }
}

fn cmp_json_value(a: &Jsonb, b: &Jsonb) -> Ordering {
    match (a, b) {
        (Jsonb::Null, Jsonb::Null) => Ordering::Equal,
        (Jsonb::Bool(x), Jsonb::Bool(y)) => x.cmp(y),
        (Jsonb::Number(x), Jsonb::Number(y)) => crate::numeric::cmp(x, y),
        (Jsonb::String(x), Jsonb::String(y)) => x.as_bytes().cmp(y.as_bytes()),
        (Jsonb::Array(x), Jsonb::Array(y)) => {
            x.len().cmp(&y.len()).then_with(|| lexicographic(x, y, cmp_json_value))
        }
        (Jsonb::Object(x), Jsonb::Object(y)) => x.len().cmp(&y.len()).then_with(|| {
            lexicographic(x, y, |(k, v), (l, w)| {
                k.as_bytes().cmp(l.as_bytes()).then_with(|| cmp_json_value(v, w))
            })
        }),
        _ => json_rank(a).cmp(&json_rank(b)),
    }
}
