//! Arrays: the value, its dimensions and element access.

use smallvec::SmallVec;

use crate::{Datum, Oid};

/// PostgreSQL's `MAXDIM`.
pub const MAX_DIMS: usize = 6;

/// One dimension: its length and its lowest subscript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dim {
    pub len: i32,
    pub lower: i32,
}

/// An array of any element type. Invariant: `values.len()` is the product of the lengths; no dimension means empty.
#[derive(Clone, Debug)]
pub struct ArrayValue {
    pub elem_type: Oid,
    pub dims: SmallVec<[Dim; 2]>,
    /// Row-major elements; [`Datum::Null`] is a null element.
    pub values: Vec<Datum>,
}

impl ArrayValue {
    pub fn empty(elem_type: Oid) -> ArrayValue {
        ArrayValue { elem_type, dims: SmallVec::new(), values: Vec::new() }
    }
    /// A one-dimensional array with lower bound 1 (no dimension when there is no value).
    pub fn one_dim(elem_type: Oid, values: Vec<Datum>) -> ArrayValue {
        ArrayValue::one_dim_from(elem_type, 1, values)
    }
    pub fn one_dim_from(elem_type: Oid, lower: i32, values: Vec<Datum>) -> ArrayValue {
        let mut dims = SmallVec::new();
        if !values.is_empty() {
            dims.push(Dim { len: values.len() as i32, lower });
        }
        ArrayValue { elem_type, dims, values }
    }
    pub fn ndim(&self) -> usize {
        self.dims.len()
    }
    pub fn len(&self) -> usize {
        self.values.len()
    }
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
    pub fn has_nulls(&self) -> bool {
        self.values.iter().any(Datum::is_null)
    }
    /// The element at `subscripts` (one per dimension), or `None` when any is out of bounds or the count differs.
    pub fn get(&self, subscripts: &[i32]) -> Option<&Datum> {
        if subscripts.len() != self.dims.len() || self.dims.is_empty() {
            return None;
        }
        let mut at = 0usize;
        for (dim, &sub) in self.dims.iter().zip(subscripts) {
            let off = (sub as i64) - (dim.lower as i64);
            if off < 0 || off >= dim.len as i64 {
                return None;
            }
            at = at * dim.len as usize + off as usize;
        }
        self.values.get(at)
    }
}

mod io;

pub use io::{array_in, array_out, vector_in};

use pglite_error::{PgResult, bail};

/// Most elements an array may have.
pub const MAX_ARRAY_SIZE: usize = 134_217_727;

/// Checks lengths and bounds of dimensions; returns the number of elements.
pub fn check_dims(dims: &[Dim]) -> PgResult<usize> {
    let mut n: usize = if dims.is_empty() { 0 } else { 1 };
    for d in dims {
        if d.len < 0 {
            bail!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed ({MAX_ARRAY_SIZE})");
        }
        n = n.saturating_mul(d.len as usize);
        if n > MAX_ARRAY_SIZE {
            bail!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed ({MAX_ARRAY_SIZE})");
        }
    }
    for d in dims {
        if d.lower.checked_add(d.len).is_none() {
            bail!(PROGRAM_LIMIT_EXCEEDED, "array lower bound is too large: {}", d.lower);
        }
    }
    Ok(n)
}
