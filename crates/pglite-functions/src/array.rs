//! Arrays: building, measuring, searching, editing and ordering; enumerations as arrays.

use std::cmp::Ordering;

use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::{Body, FnCtx};
use pglite_types::array::{ArrayValue, Dim, MAX_DIMS, check_dims};
use pglite_types::{Datum, Oid};

use crate::builtins;
use crate::order::value_cmp;

/// The element type of the array argument at `i`.
fn elem_of(cx: &FnCtx<'_>, i: usize) -> PgResult<Oid> {
    match cx.call.arg_types.get(i) {
        Some(t) => Ok(cx.host.type_desc(*t)?.elem),
        None => Ok(Oid::INVALID),
    }
}

fn out_of_range() -> PgError {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range")
}

fn one_dimensional(a: &ArrayValue) -> PgResult<()> {
    if a.ndim() > 1 {
        bail!(DATA_EXCEPTION, "argument must be empty or one-dimensional array");
    }
    Ok(())
}

fn append(cx: &FnCtx<'_>, a: Option<&ArrayValue>, v: &Datum) -> PgResult<ArrayValue> {
    let mut out = match a {
        Some(a) => a.clone(),
        None => ArrayValue::empty(elem_of(cx, 0)?),
    };
    one_dimensional(&out)?;
    let lower = out.dims.first().map_or(1, |d| d.lower);
    lower.checked_add(out.len() as i32).ok_or_else(out_of_range)?;
    out.values.push(v.clone());
    Ok(ArrayValue::one_dim_from(out.elem_type, lower, out.values))
}
fn prepend(cx: &FnCtx<'_>, v: &Datum, a: Option<&ArrayValue>) -> PgResult<ArrayValue> {
    let mut out = match a {
        Some(a) => a.clone(),
        None => ArrayValue::empty(elem_of(cx, 1)?),
    };
    one_dimensional(&out)?;
    let lower = out.dims.first().map_or(1, |d| d.lower);
    lower.checked_sub(1).ok_or_else(out_of_range)?;
    out.values.insert(0, v.clone());
    Ok(ArrayValue::one_dim_from(out.elem_type, lower, out.values))
}

fn incompatible(detail: String) -> PgError {
    err!(ARRAY_SUBSCRIPT_ERROR, "cannot concatenate incompatible arrays").detail(detail)
}

fn cat(a: Option<&ArrayValue>, b: Option<&ArrayValue>) -> PgResult<Option<ArrayValue>> {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (a, b) => return Ok(a.or(b).cloned()),
    };
    if a.ndim() == 0 {
        return Ok(Some(b.clone()));
    }
    if b.ndim() == 0 {
        return Ok(Some(a.clone()));
    }
    let same = |x: &[Dim], y: &[Dim]| x.iter().map(|d| d.len).eq(y.iter().map(|d| d.len));
    let mut dims = if b.ndim() > a.ndim() { b.dims.clone() } else { a.dims.clone() };
    let differing = |what: &str| {
        incompatible(format!("Arrays with differing {what} are not compatible for concatenation."))
    };
    match (a.ndim(), b.ndim()) {
        (x, y) if x == y => {
            if !same(&a.dims[1..], &b.dims[1..]) {
                return Err(differing("element dimensions"));
            }
            dims[0].len += b.dims[0].len;
        }
        (x, y) if x + 1 == y => {
            if !same(&a.dims, &b.dims[1..]) {
                return Err(differing("dimensions"));
            }
            dims[0].len += 1;
        }
        (x, y) if x == y + 1 => {
            if !same(&b.dims, &a.dims[1..]) {
                return Err(differing("dimensions"));
            }
            dims[0].len += 1;
        }
        (x, y) => {
            return Err(incompatible(format!(
                "Arrays of {x} and {y} dimensions are not compatible for concatenation."
            )));
        }
    }
    check_dims(&dims)?;
    let values = a.values.iter().chain(&b.values).cloned().collect();
    Ok(Some(ArrayValue { elem_type: a.elem_type, dims, values }))
}

fn ndims(a: &ArrayValue) -> Option<i32> {
    (a.ndim() > 0).then_some(a.ndim() as i32)
}
fn dims(a: &ArrayValue) -> Option<String> {
    if a.ndim() == 0 {
        return None;
    }
    Some(
        a.dims
            .iter()
            .map(|d| format!("[{}:{}]", d.lower, i64::from(d.lower) + i64::from(d.len) - 1))
            .collect(),
    )
}
fn dim(a: &ArrayValue, n: i32) -> Option<Dim> {
    a.dims.get(usize::try_from(n).ok()?.checked_sub(1)?).copied()
}
fn lower(a: &ArrayValue, n: i32) -> Option<i32> {
    dim(a, n).map(|d| d.lower)
}
fn upper(a: &ArrayValue, n: i32) -> Option<i32> {
    dim(a, n).map(|d| d.lower + d.len - 1)
}
fn length(a: &ArrayValue, n: i32) -> Option<i32> {
    dim(a, n).map(|d| d.len)
}
fn cardinality(a: &ArrayValue) -> i32 {
    a.len() as i32
}

fn is_same(cx: &FnCtx<'_>, ty: Oid, a: &Datum, b: &Datum) -> PgResult<bool> {
    Ok(value_cmp(cx, ty, a, b)? == Ordering::Equal)
}

fn no_multi(a: &ArrayValue, what: &str) -> PgResult<()> {
    if a.ndim() > 1 {
        bail!(FEATURE_NOT_SUPPORTED, "{what} multidimensional arrays is not supported");
    }
    Ok(())
}

fn position(cx: &FnCtx<'_>, a: Option<&ArrayValue>, v: &Datum) -> PgResult<Option<i32>> {
    find(cx, a, v, None)
}
fn position_start(
    cx: &FnCtx<'_>,
    a: Option<&ArrayValue>,
    v: &Datum,
    start: Option<i32>,
) -> PgResult<Option<i32>> {
    if a.is_none() {
        return Ok(None);
    }
    let Some(start) = start else { bail!(NULL_VALUE_NOT_ALLOWED, "initial position must not be null") };
    find(cx, a, v, Some(start))
}
fn find(cx: &FnCtx<'_>, a: Option<&ArrayValue>, v: &Datum, start: Option<i32>) -> PgResult<Option<i32>> {
    let Some(a) = a else { return Ok(None) };
    no_multi(a, "searching for elements in")?;
    let low = a.dims.first().map_or(1, |d| d.lower);
    for (i, e) in a.values.iter().enumerate() {
        let at = low + i as i32;
        if start.is_none_or(|s| at >= s) && is_same(cx, a.elem_type, e, v)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
fn positions(cx: &FnCtx<'_>, a: Option<&ArrayValue>, v: &Datum) -> PgResult<Option<ArrayValue>> {
    let Some(a) = a else { return Ok(None) };
    no_multi(a, "searching for elements in")?;
    let low = a.dims.first().map_or(1, |d| d.lower);
    let mut out = Vec::new();
    for (i, e) in a.values.iter().enumerate() {
        if is_same(cx, a.elem_type, e, v)? {
            out.push(Datum::Int4(low + i as i32));
        }
    }
    Ok(Some(ArrayValue::one_dim(pglite_types::oid::INT4, out)))
}

fn remove(cx: &FnCtx<'_>, a: Option<&ArrayValue>, v: &Datum) -> PgResult<Option<ArrayValue>> {
    let Some(a) = a else { return Ok(None) };
    no_multi(a, "removing elements from")?;
    let mut out = Vec::with_capacity(a.len());
    for e in &a.values {
        if !is_same(cx, a.elem_type, e, v)? {
            out.push(e.clone());
        }
    }
    let low = a.dims.first().map_or(1, |d| d.lower);
    Ok(Some(ArrayValue::one_dim_from(a.elem_type, low, out)))
}
fn replace(cx: &FnCtx<'_>, a: Option<&ArrayValue>, v: &Datum, with: &Datum) -> PgResult<Option<ArrayValue>> {
    let Some(a) = a else { return Ok(None) };
    let mut out = a.clone();
    for e in &mut out.values {
        if is_same(cx, a.elem_type, e, v)? {
            *e = with.clone();
        }
    }
    Ok(Some(out))
}

fn sizes(a: &ArrayValue) -> PgResult<Vec<i32>> {
    if a.ndim() > 1 {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Dimension array must be one dimensional."));
    }
    let each = |d: &Datum| match d {
        Datum::Int4(v) => Ok(*v),
        _ => Err(err!(NULL_VALUE_NOT_ALLOWED, "dimension values cannot be null")),
    };
    a.values.iter().map(each).collect()
}
fn fill(cx: &FnCtx<'_>, v: &Datum, dims: Option<&ArrayValue>) -> PgResult<ArrayValue> {
    let Some(dims) = dims else {
        bail!(NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null")
    };
    filled(cx, v, sizes(dims)?, None)
}
fn fill_lower(
    cx: &FnCtx<'_>,
    v: &Datum,
    dims: Option<&ArrayValue>,
    lower: Option<&ArrayValue>,
) -> PgResult<ArrayValue> {
    let (Some(dims), Some(lower)) = (dims, lower) else {
        bail!(NULL_VALUE_NOT_ALLOWED, "dimension array or low bound array cannot be null")
    };
    filled(cx, v, sizes(dims)?, Some(sizes(lower)?))
}
fn filled(cx: &FnCtx<'_>, v: &Datum, sizes: Vec<i32>, lower: Option<Vec<i32>>) -> PgResult<ArrayValue> {
    let elem = cx.call.arg_types.first().copied().unwrap_or_default();
    if sizes.len() > MAX_DIMS {
        bail!(
            PROGRAM_LIMIT_EXCEEDED,
            "number of array dimensions ({}) exceeds the maximum allowed ({MAX_DIMS})",
            sizes.len()
        );
    }
    if let Some(l) = &lower
        && l.len() != sizes.len()
    {
        return Err(err!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
            .detail("Low bound array has different size than dimensions array."));
    }
    let mut out = ArrayValue::empty(elem);
    for (i, &len) in sizes.iter().enumerate() {
        out.dims.push(Dim { len, lower: lower.as_ref().map_or(1, |l| l[i]) });
    }
    let n = check_dims(&out.dims)?;
    if n == 0 {
        return Ok(ArrayValue::empty(elem));
    }
    out.values = vec![v.clone(); n];
    Ok(out)
}

fn overlap(cx: &FnCtx<'_>, a: &ArrayValue, b: &ArrayValue) -> PgResult<bool> {
    for x in a.values.iter().filter(|v| !v.is_null()) {
        for y in b.values.iter().filter(|v| !v.is_null()) {
            if is_same(cx, a.elem_type, x, y)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
fn contains(cx: &FnCtx<'_>, a: &ArrayValue, b: &ArrayValue) -> PgResult<bool> {
    'each: for y in &b.values {
        if y.is_null() {
            return Ok(false);
        }
        for x in a.values.iter().filter(|v| !v.is_null()) {
            if is_same(cx, a.elem_type, x, y)? {
                continue 'each;
            }
        }
        return Ok(false);
    }
    Ok(true)
}
fn contained(cx: &FnCtx<'_>, a: &ArrayValue, b: &ArrayValue) -> PgResult<bool> {
    contains(cx, b, a)
}

/// The array from slices of its first dimension.
fn from_slices(a: &ArrayValue, slices: Vec<&[Datum]>, lower: i32) -> ArrayValue {
    let mut out = ArrayValue { elem_type: a.elem_type, dims: a.dims.clone(), values: slices.concat() };
    match out.dims.first_mut() {
        Some(d) if !slices.is_empty() => *d = Dim { len: slices.len() as i32, lower },
        _ => return ArrayValue::empty(a.elem_type),
    }
    out
}
fn slices(a: &ArrayValue) -> Vec<&[Datum]> {
    let n = a.dims.first().map_or(1, |d| d.len.max(1)) as usize;
    a.values.chunks((a.len() / n).max(1)).collect()
}
fn first_lower(a: &ArrayValue) -> i32 {
    a.dims.first().map_or(1, |d| d.lower)
}

fn trim(a: &ArrayValue, n: i32) -> PgResult<ArrayValue> {
    let len = a.dims.first().map_or(0, |d| d.len);
    if n < 0 || n > len {
        bail!(ARRAY_ELEMENT_ERROR, "number of elements to trim must be between 0 and {len}");
    }
    let mut kept = slices(a);
    kept.truncate((len - n) as usize);
    Ok(from_slices(a, kept, first_lower(a)))
}
fn reverse(a: &ArrayValue) -> ArrayValue {
    let mut s = slices(a);
    s.reverse();
    from_slices(a, s, first_lower(a))
}
fn shuffle(cx: &FnCtx<'_>, a: &ArrayValue) -> ArrayValue {
    let s = pick(cx, slices(a), usize::MAX);
    from_slices(a, s, first_lower(a))
}
fn sample(cx: &FnCtx<'_>, a: &ArrayValue, n: i32) -> PgResult<ArrayValue> {
    let len = a.dims.first().map_or(0, |d| d.len);
    if n < 0 || n > len {
        bail!(INVALID_PARAMETER_VALUE, "sample size must be between 0 and {len}");
    }
    Ok(from_slices(a, pick(cx, slices(a), n as usize), 1))
}
fn pick<'a>(cx: &FnCtx<'_>, mut s: Vec<&'a [Datum]>, n: usize) -> Vec<&'a [Datum]> {
    let n = n.min(s.len());
    for i in 0..n {
        let j = i + (cx.host.random() % (s.len() - i) as u64) as usize;
        s.swap(i, j);
    }
    s.truncate(n);
    s
}

fn sort(cx: &FnCtx<'_>, a: &ArrayValue) -> PgResult<ArrayValue> {
    sort_by(cx, a, false, false)
}
fn sort_order(cx: &FnCtx<'_>, a: &ArrayValue, desc: bool) -> PgResult<ArrayValue> {
    sort_by(cx, a, desc, desc)
}
fn sort_by(cx: &FnCtx<'_>, a: &ArrayValue, desc: bool, nulls_first: bool) -> PgResult<ArrayValue> {
    let mut s = slices(a);
    let mut failed = None;
    s.sort_by(|x, y| {
        if a.ndim() == 1 && (x[0].is_null() || y[0].is_null()) {
            let order = x[0].is_null().cmp(&y[0].is_null());
            return if nulls_first { order.reverse() } else { order };
        }
        let mut order = Ordering::Equal;
        for (p, q) in x.iter().zip(y.iter()) {
            order = value_cmp(cx, a.elem_type, p, q).unwrap_or_else(|e| {
                failed = Some(e);
                Ordering::Equal
            });
            if order.is_ne() {
                break;
            }
        }
        if desc { order.reverse() } else { order }
    });
    match failed {
        Some(e) => Err(e),
        None => Ok(from_slices(a, s, first_lower(a))),
    }
}

/// `num_nulls(VARIADIC "any")` and its complement.
fn count_nulls(cx: &FnCtx<'_>, args: &[Datum], nulls: bool) -> PgResult<Datum> {
    let count = |v: &[Datum]| v.iter().filter(|d| d.is_null() == nulls).count() as i32;
    if !cx.call.variadic {
        return Ok(Datum::Int4(count(args)));
    }
    match args.first() {
        Some(Datum::Array(a)) => Ok(Datum::Int4(count(&a.values))),
        _ => Ok(Datum::Null),
    }
}

fn labels(cx: &FnCtx<'_>, t: Oid) -> PgResult<Vec<Oid>> {
    Ok(cx.host.type_desc(t)?.labels.iter().map(|l| l.0).collect())
}
fn enum_type(cx: &FnCtx<'_>) -> Oid {
    cx.call.arg_types.first().copied().unwrap_or_default()
}
fn enum_end(cx: &FnCtx<'_>, last: bool) -> PgResult<Oid> {
    let all = labels(cx, enum_type(cx))?;
    let found = if last { all.last() } else { all.first() };
    match found {
        Some(o) => Ok(*o),
        None => {
            let name = cx.host.type_desc(enum_type(cx))?.name.to_string();
            bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "enum {name} contains no values")
        }
    }
}
fn enum_first(cx: &FnCtx<'_>, _v: &Datum) -> PgResult<Oid> {
    enum_end(cx, false)
}
fn enum_last(cx: &FnCtx<'_>, _v: &Datum) -> PgResult<Oid> {
    enum_end(cx, true)
}
fn enum_all(cx: &FnCtx<'_>, _v: &Datum) -> PgResult<ArrayValue> {
    enum_range(cx, None, None)
}
fn enum_range(cx: &FnCtx<'_>, low: Option<Oid>, high: Option<Oid>) -> PgResult<ArrayValue> {
    let t = enum_type(cx);
    let mut out = Vec::new();
    let mut inside = low.is_none();
    for o in labels(cx, t)? {
        inside |= Some(o) == low;
        if inside {
            out.push(Datum::Oid(o));
        }
        if Some(o) == high {
            if !inside {
                out.clear();
            }
            break;
        }
    }
    Ok(ArrayValue::one_dim(t, out))
}

fn column_size(cx: &FnCtx<'_>, v: &Datum) -> PgResult<i32> {
    let t = cx.call.arg_types.first().copied().unwrap_or_default();
    let len = cx.host.type_desc(t)?.len;
    if len > 0 {
        return Ok(i32::from(len));
    }
    let mut bytes = Vec::new();
    pglite_types::storage::encode(v, &mut bytes)?;
    Ok(match v {
        Datum::Text(s) => s.len() as i32 + 4,
        Datum::Bytea(b) => b.len() as i32 + 4,
        _ => bytes.len() as i32 + 4,
    })
}

builtins! { pub TABLE:
    "array_append" => cx append[Option<&ArrayValue>, &Datum];
    "array_prepend" => cx prepend[&Datum, Option<&ArrayValue>];
    "array_cat" => cat[Option<&ArrayValue>, Option<&ArrayValue>];
    "array_ndims" => ndims[&ArrayValue];
    "array_dims" => dims[&ArrayValue];
    "array_lower" => lower[&ArrayValue, i32];
    "array_upper" => upper[&ArrayValue, i32];
    "array_length" => length[&ArrayValue, i32];
    "array_cardinality" => cardinality[&ArrayValue];
    "array_position" => cx position[Option<&ArrayValue>, &Datum];
    "array_position_start" => cx position_start[Option<&ArrayValue>, &Datum, Option<i32>];
    "array_positions" => cx positions[Option<&ArrayValue>, &Datum];
    "array_remove" => cx remove[Option<&ArrayValue>, &Datum];
    "array_replace" => cx replace[Option<&ArrayValue>, &Datum, &Datum];
    "array_fill" => cx fill[&Datum, Option<&ArrayValue>];
    "array_fill_with_lower_bounds" => cx fill_lower[&Datum, Option<&ArrayValue>, Option<&ArrayValue>];
    "arrayoverlap" => cx overlap[&ArrayValue, &ArrayValue];
    "arraycontains" => cx contains[&ArrayValue, &ArrayValue];
    "arraycontained" => cx contained[&ArrayValue, &ArrayValue];
    "trim_array" => trim[&ArrayValue, i32];
    "array_reverse" => reverse[&ArrayValue];
    "array_shuffle" => cx shuffle[&ArrayValue];
    "array_sample" => cx sample[&ArrayValue, i32];
    "array_sort" => cx sort[&ArrayValue];
    "array_sort_order" => cx sort_order[&ArrayValue, bool];
    "array_sort_order_nulls_first" => cx sort_by[&ArrayValue, bool, bool];
    "enum_first" => cx enum_first[&Datum];
    "enum_last" => cx enum_last[&Datum];
    "enum_range_all" => cx enum_all[&Datum];
    "enum_range_bounds" => cx enum_range[Option<Oid>, Option<Oid>];
    "pg_column_size" => cx column_size[&Datum];
}

pub static VARIADIC: &[(&str, Body)] = &[
    ("pg_num_nulls", Body::Scalar(|cx, a| count_nulls(cx, a, true))),
    ("pg_num_nonnulls", Body::Scalar(|cx, a| count_nulls(cx, a, false))),
];
