//! jsonb operators: access, containment, existence, concatenation, deletion, editing, casts.

use pglite_error::{PgResult, bail};
use pglite_types::array::ArrayValue;
use pglite_types::jsonb::{self, Jsonb, PathEdit};
use pglite_types::numeric::Numeric;
use pglite_types::{Datum, jsonb as jb};

use crate::builtins;

/// A value as `->>` shows it.
pub fn shown(j: &Jsonb) -> Option<String> {
    match j {
        Jsonb::Null => None,
        Jsonb::String(s) => Some(s.to_string()),
        other => Some(other.to_string()),
    }
}

/// The texts of a path; None when one is NULL.
pub fn path(a: &ArrayValue) -> Option<Vec<&str>> {
    a.values.iter().map(Datum::as_str).collect()
}

fn field(j: &Jsonb, key: &str) -> Option<Jsonb> {
    jsonb::object_get(j, key).cloned()
}
fn field_text(j: &Jsonb, key: &str) -> Option<String> {
    jsonb::object_get(j, key).and_then(shown)
}
fn element(j: &Jsonb, i: i32) -> Option<Jsonb> {
    jsonb::array_get(j, i64::from(i)).cloned()
}
fn element_text(j: &Jsonb, i: i32) -> Option<String> {
    jsonb::array_get(j, i64::from(i)).and_then(shown)
}
fn extract(j: &Jsonb, p: &ArrayValue) -> Option<Jsonb> {
    jsonb::path_get(j, &path(p)?).cloned()
}
fn extract_text(j: &Jsonb, p: &ArrayValue) -> Option<String> {
    jsonb::path_get(j, &path(p)?).and_then(shown)
}
fn exists(j: &Jsonb, key: &str) -> bool {
    jsonb::exists(j, key)
}
fn exists_any(j: &Jsonb, keys: &ArrayValue) -> bool {
    keys.values.iter().filter_map(Datum::as_str).any(|k| jsonb::exists(j, k))
}
fn exists_all(j: &Jsonb, keys: &ArrayValue) -> bool {
    keys.values.iter().filter_map(Datum::as_str).all(|k| jsonb::exists(j, k))
}
fn contains(a: &Jsonb, b: &Jsonb) -> bool {
    jsonb::contains(a, b)
}
fn contained(a: &Jsonb, b: &Jsonb) -> bool {
    jsonb::contains(b, a)
}
fn type_of(j: &Jsonb) -> &'static str {
    jsonb::type_name(j)
}
fn array_length(j: &Jsonb) -> PgResult<i32> {
    match j {
        Jsonb::Array(a) => Ok(a.len() as i32),
        Jsonb::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a non-array"),
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a scalar"),
    }
}
fn pretty(j: &Jsonb) -> String {
    let mut out = String::new();
    jb::write_pretty(j, &mut out);
    out
}
fn strip(j: &Jsonb, arrays: bool) -> Jsonb {
    jsonb::strip_nulls(j, arrays)
}

fn concat(a: &Jsonb, b: &Jsonb) -> PgResult<Jsonb> {
    let list = |j: &Jsonb| match j {
        Jsonb::Array(a) => a.clone(),
        other => vec![other.clone()],
    };
    match (a, b) {
        (Jsonb::Object(x), Jsonb::Object(y)) => {
            Ok(jsonb::object_from_pairs(x.iter().chain(y.iter()).cloned().collect()))
        }
        (a, b) => {
            let mut out = list(a);
            out.extend(list(b));
            Ok(Jsonb::Array(out))
        }
    }
}

fn delete_keys(j: &Jsonb, gone: &dyn Fn(&str) -> bool) -> PgResult<Jsonb> {
    Ok(match j {
        Jsonb::Object(o) => Jsonb::Object(o.iter().filter(|(k, _)| !gone(k)).cloned().collect()),
        Jsonb::Array(a) => {
            Jsonb::Array(a.iter().filter(|v| !matches!(v, Jsonb::String(s) if gone(s))).cloned().collect())
        }
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot delete from scalar"),
    })
}
fn delete(j: &Jsonb, key: &str) -> PgResult<Jsonb> {
    delete_keys(j, &|k| k == key)
}
fn delete_array(j: &Jsonb, keys: &ArrayValue) -> PgResult<Jsonb> {
    delete_keys(j, &|k| keys.values.iter().any(|v| v.as_str() == Some(k)))
}
fn delete_index(j: &Jsonb, i: i32) -> PgResult<Jsonb> {
    match j {
        Jsonb::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot delete from object using integer index"),
        Jsonb::Array(a) => {
            let at = if i < 0 { i64::from(i) + a.len() as i64 } else { i64::from(i) };
            let mut out = a.clone();
            if let Some(at) = usize::try_from(at).ok().filter(|at| *at < out.len()) {
                out.remove(at);
            }
            Ok(Jsonb::Array(out))
        }
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot delete from scalar"),
    }
}

fn is_scalar(j: &Jsonb) -> bool {
    !matches!(j, Jsonb::Array(_) | Jsonb::Object(_))
}
fn steps(p: &ArrayValue) -> PgResult<Vec<&str>> {
    if p.ndim() > 1 {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    let step = |(i, d): (usize, &'_ Datum)| match d {
        Datum::Text(_) => Ok(()),
        _ => Err(pglite_error::err!(NULL_VALUE_NOT_ALLOWED, "path element at position {} is null", i + 1)),
    };
    p.values.iter().enumerate().try_for_each(step)?;
    Ok(p.values.iter().filter_map(Datum::as_str).collect())
}
fn delete_path(j: &Jsonb, p: &ArrayValue) -> PgResult<Jsonb> {
    if is_scalar(j) {
        bail!(INVALID_PARAMETER_VALUE, "cannot delete path in scalar");
    }
    jsonb::delete_path(j, &steps(p)?)
}
fn set(j: &Jsonb, p: &ArrayValue, v: &Jsonb, create: bool) -> PgResult<Jsonb> {
    if is_scalar(j) {
        bail!(INVALID_PARAMETER_VALUE, "cannot set path in scalar");
    }
    jsonb::set_path(j, &steps(p)?, v, if create { PathEdit::Upsert } else { PathEdit::Replace })
}
fn insert(j: &Jsonb, p: &ArrayValue, v: &Jsonb, after: bool) -> PgResult<Jsonb> {
    if is_scalar(j) {
        bail!(INVALID_PARAMETER_VALUE, "cannot set path in scalar");
    }
    jsonb::set_path(j, &steps(p)?, v, if after { PathEdit::InsertAfter } else { PathEdit::InsertBefore })
}
fn set_lax(
    j: Option<&Jsonb>,
    p: Option<&ArrayValue>,
    v: Option<&Jsonb>,
    create: Option<bool>,
    treatment: Option<&str>,
) -> PgResult<Option<Jsonb>> {
    let (Some(j), Some(p), Some(create)) = (j, p, create) else { return Ok(None) };
    let Some(treatment) = treatment else {
        bail!(
            INVALID_PARAMETER_VALUE,
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\""
        );
    };
    if let Some(v) = v {
        return set(j, p, v, create).map(Some);
    }
    match treatment {
        "raise_exception" => Err(pglite_error::err!(NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
            .hint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")),
        "use_json_null" => set(j, p, &Jsonb::Null, create).map(Some),
        "delete_key" => delete_path(j, p).map(Some),
        "return_target" => Ok(Some(j.clone())),
        _ => bail!(
            INVALID_PARAMETER_VALUE,
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\""
        ),
    }
}

fn number<'a>(j: &'a Jsonb, to: &str) -> PgResult<Option<&'a Numeric>> {
    match j {
        Jsonb::Number(n) => Ok(Some(n)),
        Jsonb::Null => Ok(None),
        other => {
            let what = match other {
                Jsonb::Array(_) => "array",
                Jsonb::Object(_) => "object",
                Jsonb::Bool(_) => "boolean",
                _ => "string",
            };
            bail!(INVALID_PARAMETER_VALUE, "cannot cast jsonb {what} to type {to}")
        }
    }
}
fn as_bool(j: &Jsonb) -> PgResult<Option<bool>> {
    match j {
        Jsonb::Bool(b) => Ok(Some(*b)),
        Jsonb::Null => Ok(None),
        Jsonb::Number(_) => bail!(INVALID_PARAMETER_VALUE, "cannot cast jsonb numeric to type boolean"),
        other => number(other, "boolean").map(|_| None),
    }
}
fn as_numeric(j: &Jsonb) -> PgResult<Option<Numeric>> {
    Ok(number(j, "numeric")?.cloned())
}
fn as_int2(j: &Jsonb) -> PgResult<Option<i16>> {
    number(j, "smallint")?.map(Numeric::to_i16).transpose()
}
fn as_int4(j: &Jsonb) -> PgResult<Option<i32>> {
    number(j, "integer")?.map(Numeric::to_i32).transpose()
}
fn as_int8(j: &Jsonb) -> PgResult<Option<i64>> {
    number(j, "bigint")?.map(Numeric::to_i64).transpose()
}
fn as_float4(j: &Jsonb) -> PgResult<Option<f32>> {
    number(j, "real")?.map(Numeric::to_f32_checked).transpose()
}
fn as_float8(j: &Jsonb) -> PgResult<Option<f64>> {
    number(j, "double precision")?.map(Numeric::to_f64_checked).transpose()
}

builtins! { pub TABLE:
    "jsonb_object_field" => field[&Jsonb, &str];
    "jsonb_object_field_text" => field_text[&Jsonb, &str];
    "jsonb_array_element" => element[&Jsonb, i32];
    "jsonb_array_element_text" => element_text[&Jsonb, i32];
    "jsonb_extract_path" => extract[&Jsonb, &ArrayValue];
    "jsonb_extract_path_text" => extract_text[&Jsonb, &ArrayValue];
    "jsonb_exists" => exists[&Jsonb, &str];
    "jsonb_exists_any" => exists_any[&Jsonb, &ArrayValue];
    "jsonb_exists_all" => exists_all[&Jsonb, &ArrayValue];
    "jsonb_contains" => contains[&Jsonb, &Jsonb];
    "jsonb_contained" => contained[&Jsonb, &Jsonb];
    "jsonb_typeof" => type_of[&Jsonb];
    "jsonb_array_length" => array_length[&Jsonb];
    "jsonb_pretty" => pretty[&Jsonb];
    "jsonb_strip_nulls" => strip[&Jsonb, bool];
    "jsonb_concat" => concat[&Jsonb, &Jsonb];
    "jsonb_delete" => delete[&Jsonb, &str];
    "jsonb_delete_array" => delete_array[&Jsonb, &ArrayValue];
    "jsonb_delete_idx" => delete_index[&Jsonb, i32];
    "jsonb_delete_path" => delete_path[&Jsonb, &ArrayValue];
    "jsonb_set" => set[&Jsonb, &ArrayValue, &Jsonb, bool];
    "jsonb_insert" => insert[&Jsonb, &ArrayValue, &Jsonb, bool];
    "jsonb_set_lax" => set_lax[Option<&Jsonb>, Option<&ArrayValue>, Option<&Jsonb>, Option<bool>, Option<&str>];
    "jsonb_bool" => as_bool[&Jsonb];
    "jsonb_numeric" => as_numeric[&Jsonb];
    "jsonb_int2" => as_int2[&Jsonb];
    "jsonb_int4" => as_int4[&Jsonb];
    "jsonb_int8" => as_int8[&Jsonb];
    "jsonb_float4" => as_float4[&Jsonb];
    "jsonb_float8" => as_float8[&Jsonb];
}
