//! ARRAY[...], subscripts (fetch and store, elements and slices), and `op ANY/ALL (array)`.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::abi::{Body, CallInfo, FnCtx};
use pglite_types::array::{ArrayValue, Dim, MAX_DIMS};
use pglite_types::{Datum, Oid, oid};
use smallvec::SmallVec;

use super::call::FnRef;
use super::code::{CmpOp, Code, Rows};
use crate::compare::{fast_cmp, fast_eq, hash_datum};
use crate::operand;
use crate::state::ExecCx;

/// `ARRAY[...]`.
pub struct ArrayCode {
    pub elements: Box<[Code]>,
    pub elem_type: Oid,
    pub multidims: bool,
}

impl ArrayCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut values = Vec::with_capacity(self.elements.len());
        for code in &self.elements {
            values.push(code.eval(rows, cx)?);
        }
        if !self.multidims {
            return Ok(Datum::Array(Arc::new(ArrayValue::one_dim(self.elem_type, values))));
        }
        nest(self.elem_type, values)
    }
}

/// Stacks arrays of equal shape into one with one dimension more.
pub fn nest(elem_type: Oid, parts: Vec<Datum>) -> PgResult<Datum> {
    let mut dims: Option<SmallVec<[Dim; 2]>> = None;
    let mut values = Vec::new();
    let mut empty = 0usize;
    let total = parts.len();
    let mismatch = || {
        err!(
            ARRAY_SUBSCRIPT_ERROR,
            "multidimensional arrays must have array expressions with matching dimensions"
        )
    };
    for part in parts {
        let a = match part {
            Datum::Array(a) => a,
            Datum::Null => {
                empty += 1;
                continue;
            }
            other => return Err(PgError::internal(format!("array element is not an array: {other:?}"))),
        };
        if a.dims.is_empty() {
            empty += 1;
            continue;
        }
        if a.ndim() + 1 > MAX_DIMS {
            bail!(
                PROGRAM_LIMIT_EXCEEDED,
                "number of array dimensions ({}) exceeds the maximum allowed ({MAX_DIMS})",
                a.ndim() + 1
            );
        }
        match &dims {
            None => dims = Some(a.dims.clone()),
            Some(d) if *d != a.dims => return Err(mismatch()),
            Some(_) => {}
        }
        values.extend(a.values.iter().cloned());
    }
    let Some(inner) = dims else {
        return Ok(Datum::Array(Arc::new(ArrayValue::empty(elem_type))));
    };
    if empty > 0 {
        return Err(mismatch());
    }
    let mut all: SmallVec<[Dim; 2]> = SmallVec::new();
    all.push(Dim { len: total as i32, lower: 1 });
    all.extend(inner);
    Ok(Datum::Array(Arc::new(ArrayValue { elem_type, dims: all, values })))
}

/// `a[...]`, or assignment into it.
pub struct SubscriptCode {
    pub container: Code,
    pub upper: Box<[Option<Code>]>,
    pub lower: Box<[Option<Code>]>,
    pub is_slice: bool,
    pub elem_type: Oid,
    /// jsonb and other non-array containers: fetch and store go through functions.
    pub jsonb: bool,
    pub assign: Option<Code>,
    /// `name`, `point` and other fixed-length subscriptable types.
    pub fixed: bool,
}

type Bounds = SmallVec<[Option<i32>; 4]>;

impl SubscriptCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let container = self.container.eval(rows, cx)?;
        if self.jsonb {
            return self.eval_jsonb(container, rows, cx);
        }
        if container.is_null() && self.assign.is_none() {
            return Ok(Datum::Null);
        }
        let Some(upper) = self.bounds(&self.upper, rows, cx)? else { return Ok(Datum::Null) };
        let Some(lower) = self.bounds(&self.lower, rows, cx)? else { return Ok(Datum::Null) };
        if let Some(assign) = &self.assign {
            // The value's own expression may refer to the old element or slice (nested assignment).
            let old = match &container {
                Datum::Array(a) if self.is_slice => slice(a, &lower, &upper),
                Datum::Array(a) => element(a, &upper),
                _ => Datum::Null,
            };
            cx.run.case.push(old);
            let value = assign.eval(rows, cx);
            cx.run.case.pop();
            let value = value?;
            return if self.is_slice {
                store_slice(self.elem_type, container, &lower, &upper, value)
            } else {
                store_element(self.elem_type, container, &upper, value)
            };
        }
        let array = match container {
            Datum::Array(a) => a,
            other => return fixed_element(&other, &upper, self.elem_type),
        };
        Ok(if self.is_slice { slice(&array, &lower, &upper) } else { element(&array, &upper) })
    }

    /// None: a subscript is NULL (fetch yields NULL, store raises).
    fn bounds(
        &self,
        codes: &[Option<Code>],
        rows: &Rows<'_>,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<Option<Bounds>> {
        let mut out = Bounds::new();
        for code in codes {
            let Some(code) = code else {
                out.push(None);
                continue;
            };
            match code.eval(rows, cx)? {
                Datum::Int4(v) => out.push(Some(v)),
                Datum::Null if self.assign.is_some() => {
                    bail!(NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null")
                }
                Datum::Null => return Ok(None),
                other => return Err(PgError::internal(format!("array subscript {other:?}"))),
            }
        }
        Ok(Some(out))
    }

    fn eval_jsonb(&self, container: Datum, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut path = Vec::new();
        for code in self.upper.iter().flatten() {
            let text = match code.eval(rows, cx)? {
                Datum::Null if self.assign.is_some() => {
                    bail!(NULL_VALUE_NOT_ALLOWED, "jsonb subscript in assignment must not be null")
                }
                Datum::Null => return Ok(Datum::Null),
                Datum::Int4(v) => Datum::text(v.to_string()),
                other => other,
            };
            path.push(text);
        }
        let path = Datum::Array(Arc::new(ArrayValue::one_dim(oid::TEXT, path)));
        match &self.assign {
            None if container.is_null() => Ok(Datum::Null),
            None => call_jsonb("jsonb_extract_path", oid::JSONB, &[container, path], cx),
            Some(value) => {
                let value = value.eval(rows, cx)?;
                call_jsonb("jsonb_subscript_set", oid::JSONB, &[container, path, value], cx)
            }
        }
    }
}

fn call_jsonb(prosrc: &str, ret_type: Oid, args: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    match pglite_functions::body(prosrc) {
        Some(Body::Scalar(f)) => {
            let arg_types = vec![oid::JSONB, oid::TEXT_ARRAY, oid::JSONB];
            let call = CallInfo { ret_type, arg_types, variadic: true, ..CallInfo::default() };
            f(&FnCtx { host: cx.env.host, call: &call }, args)
        }
        _ => Err(PgError::unsupported("jsonb subscripting is not supported")),
    }
}

fn element(a: &ArrayValue, subs: &[Option<i32>]) -> Datum {
    let subs: SmallVec<[i32; 4]> = subs.iter().map(|s| s.unwrap_or(i32::MIN)).collect();
    a.get(&subs).cloned().unwrap_or_default()
}

/// Elements of fixed-length pseudo arrays: `name[0]` is a "char", points have two floats.
fn fixed_element(value: &Datum, subs: &[Option<i32>], elem_type: Oid) -> PgResult<Datum> {
    let at = subs.first().copied().flatten().unwrap_or(-1);
    match value {
        Datum::Null => Ok(Datum::Null),
        Datum::Text(s) if elem_type == oid::CHAR => Ok(usize::try_from(at)
            .ok()
            .and_then(|i| s.as_bytes().get(i))
            .map_or(Datum::Null, |b| Datum::Char(*b))),
        Datum::Geo(_) => Err(PgError::unsupported("subscripting of geometric types is not supported")),
        other => Err(PgError::internal(format!("subscript of {other:?}"))),
    }
}

/// The slice with lower bounds 1; empty when out of bounds.
fn slice(a: &ArrayValue, lower: &[Option<i32>], upper: &[Option<i32>]) -> Datum {
    let n = upper.len();
    let empty = || Datum::Array(Arc::new(ArrayValue::empty(a.elem_type)));
    if a.ndim() < n || a.dims.is_empty() {
        return empty();
    }
    let mut ranges: SmallVec<[(i64, i64); 4]> = SmallVec::new();
    for (i, dim) in a.dims.iter().enumerate() {
        let first = dim.lower as i64;
        let last = first + dim.len as i64 - 1;
        let lo = lower.get(i).copied().flatten().map_or(first, |v| v as i64).max(first);
        let hi = upper.get(i).copied().flatten().map_or(last, |v| v as i64).min(last);
        if lo > hi {
            return empty();
        }
        ranges.push((lo - first, hi - first));
    }
    let mut values = Vec::new();
    collect(a, &ranges, 0, 0, &mut values);
    let dims = ranges.iter().map(|(lo, hi)| Dim { len: (hi - lo + 1) as i32, lower: 1 }).collect();
    Datum::Array(Arc::new(ArrayValue { elem_type: a.elem_type, dims, values }))
}

fn collect(a: &ArrayValue, ranges: &[(i64, i64)], dim: usize, base: usize, out: &mut Vec<Datum>) {
    for i in ranges[dim].0..=ranges[dim].1 {
        let at = base * a.dims[dim].len as usize + i as usize;
        if dim + 1 == ranges.len() {
            out.push(a.values[at].clone());
        } else {
            collect(a, ranges, dim + 1, at, out);
        }
    }
}

fn wrong_subscripts() -> PgError {
    err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
}

fn out_of_bounds() -> PgError {
    err!(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range")
}

fn store_element(elem_type: Oid, container: Datum, subs: &[Option<i32>], value: Datum) -> PgResult<Datum> {
    let mut array = match container {
        Datum::Array(a) => Arc::unwrap_or_clone(a),
        Datum::Null => ArrayValue::empty(elem_type),
        other => return Err(PgError::internal(format!("assignment to an element of {other:?}"))),
    };
    let subs: SmallVec<[i32; 4]> = subs.iter().map(|s| s.unwrap_or(1)).collect();
    if array.dims.is_empty() {
        array.dims = subs.iter().map(|s| Dim { len: 1, lower: *s }).collect();
        array.values = vec![value];
        return Ok(Datum::Array(Arc::new(array)));
    }
    if array.ndim() != subs.len() {
        return Err(wrong_subscripts());
    }
    if array.ndim() == 1 {
        extend_one_dim(&mut array, subs[0] as i64, subs[0] as i64)?;
    }
    let mut at = 0usize;
    for (dim, sub) in array.dims.iter().zip(&subs) {
        let off = *sub as i64 - dim.lower as i64;
        if off < 0 || off >= dim.len as i64 {
            return Err(out_of_bounds());
        }
        at = at * dim.len as usize + off as usize;
    }
    array.values[at] = value;
    Ok(Datum::Array(Arc::new(array)))
}

/// Grows a one-dimensional array with NULLs so that it covers `lo..=hi`.
fn extend_one_dim(array: &mut ArrayValue, lo: i64, hi: i64) -> PgResult<()> {
    const MAX: i64 = 134_217_727;
    let dim = array.dims[0];
    let (first, last) = (dim.lower as i64, dim.lower as i64 + dim.len as i64 - 1);
    let (new_first, new_last) = (first.min(lo), last.max(hi));
    if new_last - new_first + 1 > MAX || new_last >= i32::MAX as i64 {
        bail!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed ({MAX})");
    }
    if new_first < first {
        let pad = (first - new_first) as usize;
        array.values.splice(0..0, std::iter::repeat_n(Datum::Null, pad));
    }
    if new_last > last {
        array.values.resize((new_last - new_first + 1) as usize, Datum::Null);
    }
    array.dims[0] = Dim { len: (new_last - new_first + 1) as i32, lower: new_first as i32 };
    Ok(())
}

fn store_slice(
    elem_type: Oid,
    container: Datum,
    lower: &[Option<i32>],
    upper: &[Option<i32>],
    value: Datum,
) -> PgResult<Datum> {
    let source = match value {
        Datum::Array(a) => a,
        // PG: assigning NULL to a slice changes nothing.
        _ => return Ok(container),
    };
    let mut array = match container {
        Datum::Array(a) => Arc::unwrap_or_clone(a),
        _ => ArrayValue::empty(elem_type),
    };
    let n = upper.len();
    if array.dims.is_empty() {
        let mut dims: SmallVec<[Dim; 2]> = SmallVec::new();
        let mut need = 1usize;
        for i in 0..n {
            let (Some(lo), Some(hi)) = (lower.get(i).copied().flatten().or(Some(1)), upper[i]) else {
                return Err(err!(ARRAY_SUBSCRIPT_ERROR, "array slice subscript must provide both boundaries").detail(
                    "When assigning to a slice of an empty array value, slice boundaries must be fully specified.",
                ));
            };
            if lo > hi {
                bail!(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound");
            }
            need *= (hi as i64 - lo as i64 + 1) as usize;
            dims.push(Dim { len: (hi as i64 - lo as i64 + 1) as i32, lower: lo });
        }
        if source.values.len() < need {
            bail!(ARRAY_SUBSCRIPT_ERROR, "source array too small");
        }
        array.dims = dims;
        array.values = source.values[..need].to_vec();
        return Ok(Datum::Array(Arc::new(array)));
    }
    if array.ndim() < n {
        return Err(wrong_subscripts());
    }
    let mut ranges: SmallVec<[(i64, i64); 4]> = SmallVec::new();
    for i in 0..array.ndim() {
        let dim = array.dims[i];
        let lo = lower.get(i).copied().flatten().map_or(dim.lower as i64, |v| v as i64);
        let hi = upper.get(i).copied().flatten().map_or(dim.lower as i64 + dim.len as i64 - 1, |v| v as i64);
        if lo > hi {
            bail!(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound");
        }
        ranges.push((lo, hi));
    }
    if array.ndim() == 1 {
        extend_one_dim(&mut array, ranges[0].0, ranges[0].1)?;
    }
    let mut offsets: SmallVec<[(i64, i64); 4]> = SmallVec::new();
    for (dim, (lo, hi)) in array.dims.iter().zip(&ranges) {
        let first = dim.lower as i64;
        if *lo < first || *hi > first + dim.len as i64 - 1 {
            return Err(out_of_bounds());
        }
        offsets.push((lo - first, hi - first));
    }
    let need: usize = offsets.iter().map(|(lo, hi)| (hi - lo + 1) as usize).product();
    if source.values.len() < need {
        bail!(ARRAY_SUBSCRIPT_ERROR, "source array too small");
    }
    let mut from = source.values.iter();
    put(&mut array, &offsets, 0, 0, &mut from);
    Ok(Datum::Array(Arc::new(array)))
}

fn put(
    a: &mut ArrayValue,
    ranges: &[(i64, i64)],
    dim: usize,
    base: usize,
    from: &mut std::slice::Iter<'_, Datum>,
) {
    for i in ranges[dim].0..=ranges[dim].1 {
        let at = base * a.dims[dim].len as usize + i as usize;
        if dim + 1 == ranges.len() {
            a.values[at] = from.next().cloned().unwrap_or_default();
        } else {
            put(a, ranges, dim + 1, at, from);
        }
    }
}

/// How one element is compared with the scalar.
pub enum SaopTest {
    Fast(CmpOp),
    Call(FnRef),
}

/// `scalar op ANY/ALL (array)`.
pub struct SaopCode {
    pub scalar: Code,
    pub array: Code,
    pub use_or: bool,
    pub test: SaopTest,
    /// `= ANY` of a large constant array: its elements by hash.
    pub hashed: Option<HashedArray>,
}

/// A constant array's elements, by hash.
pub struct HashedArray {
    map: HashMap<u64, SmallVec<[u32; 2]>>,
    values: Vec<Datum>,
    has_null: bool,
}

impl HashedArray {
    pub fn new(values: &[Datum]) -> HashedArray {
        let mut h = HashedArray { map: HashMap::new(), values: Vec::new(), has_null: false };
        for v in values {
            if v.is_null() {
                h.has_null = true;
                continue;
            }
            h.map.entry(hash_datum(v)).or_default().push(h.values.len() as u32);
            h.values.push(v.clone());
        }
        h
    }
    fn contains(&self, v: &Datum) -> bool {
        self.map.get(&hash_datum(v)).is_some_and(|c| c.iter().any(|i| fast_eq(&self.values[*i as usize], v)))
    }
}

impl SaopCode {
    pub fn test(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Option<bool>> {
        operand!(x, self.scalar, rows, cx);
        if let Some(h) = &self.hashed {
            if x.is_null() {
                return Ok(None);
            }
            let hit = h.contains(x);
            return Ok(match (hit, self.use_or) {
                (true, true) => Some(true),
                (true, false) => Some(false),
                (false, _) if h.has_null => None,
                (false, or) => Some(!or),
            });
        }
        operand!(a, self.array, rows, cx);
        let array = match a {
            Datum::Array(a) => a,
            Datum::Null => return Ok(None),
            other => return Err(PgError::internal(format!("ANY over {other:?}"))),
        };
        if array.values.is_empty() {
            return Ok(Some(!self.use_or));
        }
        let strict = match &self.test {
            SaopTest::Fast(_) => true,
            SaopTest::Call(f) => f.strict,
        };
        if x.is_null() && strict {
            return Ok(None);
        }
        let mut null = false;
        for v in &array.values {
            let r = if v.is_null() && strict {
                None
            } else {
                match &self.test {
                    SaopTest::Fast(op) => Some(op.holds(fast_cmp(x, v))),
                    SaopTest::Call(f) => f.call(cx, &[x.clone(), v.clone()])?.as_bool(),
                }
            };
            match r {
                Some(b) if b == self.use_or => return Ok(Some(b)),
                Some(_) => {}
                None => null = true,
            }
        }
        Ok(if null { None } else { Some(!self.use_or) })
    }
}
