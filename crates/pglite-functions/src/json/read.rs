//! Readers of `json` text, and set-returning functions over both types.

use std::sync::Arc;

use pglite_error::{PgResult, bail};
use pglite_ir::abi::RowSource;
use pglite_ir::{Body, FnCtx};
use pglite_types::Datum;
use pglite_types::array::ArrayValue;
use pglite_types::jsonb::Jsonb;

use super::text::{self, Outer};
use super::tree;
use crate::builtins;
use crate::info::{column, made};

type Rows = PgResult<Box<dyn RowSource>>;

fn show(v: Option<&str>) -> PgResult<Option<String>> {
    v.map_or(Ok(None), text::shown)
}
fn field(j: &str, key: &str) -> PgResult<Option<String>> {
    Ok(text::field(j, key)?.map(String::from))
}
fn field_text(j: &str, key: &str) -> PgResult<Option<String>> {
    show(text::field(j, key)?)
}
fn element(j: &str, i: i32) -> PgResult<Option<String>> {
    Ok(text::element(j, i64::from(i))?.map(String::from))
}
fn element_text(j: &str, i: i32) -> PgResult<Option<String>> {
    show(text::element(j, i64::from(i))?)
}
fn extract(j: &str, p: &ArrayValue) -> PgResult<Option<String>> {
    match tree::path(p) {
        Some(p) => Ok(text::follow(j, &p)?.map(String::from)),
        None => Ok(None),
    }
}
fn extract_text(j: &str, p: &ArrayValue) -> PgResult<Option<String>> {
    match tree::path(p) {
        Some(p) => show(text::follow(j, &p)?),
        None => Ok(None),
    }
}
fn type_of(j: &str) -> PgResult<&'static str> {
    text::type_name(j)
}
fn array_length(j: &str) -> PgResult<i32> {
    match text::outer(j)? {
        Outer::Array(a) => Ok(a.len() as i32),
        Outer::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a non-array"),
        Outer::Scalar(_) => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a scalar"),
    }
}
fn strip_nulls(j: &str, arrays: bool) -> PgResult<String> {
    let mut out = String::new();
    strip(j, arrays, &mut out)?;
    Ok(out)
}
fn strip(j: &str, arrays: bool, out: &mut String) -> PgResult<()> {
    match text::outer(j)? {
        Outer::Object(members) => {
            out.push('{');
            let mut first = true;
            for (k, v) in members.iter().filter(|(_, v)| v.trim() != "null") {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                pglite_types::jsonb::write_string(k, out);
                out.push(':');
                strip(v, arrays, out)?;
            }
            out.push('}');
        }
        Outer::Array(items) => {
            out.push('[');
            let mut first = true;
            for v in items.iter().filter(|v| !arrays || v.trim() != "null") {
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                strip(v, arrays, out)?;
            }
            out.push(']');
        }
        Outer::Scalar(_) => out.push_str(j.trim()),
    }
    Ok(())
}

/// Members of a json object.
fn members<'a>(args: &'a [Datum], name: &str) -> PgResult<Vec<(String, &'a str)>> {
    match text::outer(args[0].as_str().unwrap_or("null"))? {
        Outer::Object(m) => Ok(m),
        Outer::Array(_) => bail!(INVALID_PARAMETER_VALUE, "cannot {name} an array"),
        Outer::Scalar(_) => bail!(INVALID_PARAMETER_VALUE, "cannot {name} a scalar"),
    }
}
fn items(args: &[Datum]) -> PgResult<Vec<&str>> {
    match text::outer(args[0].as_str().unwrap_or("null"))? {
        Outer::Array(a) => Ok(a),
        Outer::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot call json_array_elements on a non-array"),
        Outer::Scalar(_) => bail!(INVALID_PARAMETER_VALUE, "cannot call json_array_elements on a scalar"),
    }
}
fn opt(v: Option<String>) -> Datum {
    v.map_or(Datum::Null, Datum::text)
}

fn each(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    made(
        members(args, "deconstruct")?
            .into_iter()
            .map(|(k, v)| vec![Datum::text(k), Datum::text(v)])
            .collect(),
    )
}
fn each_text(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let mut rows = Vec::new();
    for (k, v) in members(args, "deconstruct")? {
        rows.push(vec![Datum::text(k), opt(text::shown(v)?)]);
    }
    made(rows)
}
fn keys(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let found = match text::outer(args[0].as_str().unwrap_or("null"))? {
        Outer::Object(m) => m,
        Outer::Array(_) => bail!(INVALID_PARAMETER_VALUE, "cannot call json_object_keys on an array"),
        Outer::Scalar(_) => bail!(INVALID_PARAMETER_VALUE, "cannot call json_object_keys on a scalar"),
    };
    column(found.into_iter().map(|(k, _)| Datum::text(k)).collect())
}
fn elements(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    column(items(args)?.into_iter().map(Datum::text).collect())
}
fn elements_text(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    column(items(args)?.into_iter().map(|v| text::shown(v).map(opt)).collect::<PgResult<_>>()?)
}

fn object<'a>(args: &'a [Datum], call: &str) -> PgResult<&'a [(ecow::EcoString, Jsonb)]> {
    match &args[0] {
        Datum::Jsonb(j) => match &**j {
            Jsonb::Object(o) => Ok(o),
            Jsonb::Array(_) if call == "jsonb_object_keys" => {
                bail!(INVALID_PARAMETER_VALUE, "cannot call {call} on an array")
            }
            _ if call == "jsonb_object_keys" => {
                bail!(INVALID_PARAMETER_VALUE, "cannot call {call} on a scalar")
            }
            _ => bail!(INVALID_PARAMETER_VALUE, "cannot call {call} on a non-object"),
        },
        _ => Ok(&[]),
    }
}
fn list<'a>(args: &'a [Datum], call: &str) -> PgResult<&'a [Jsonb]> {
    match &args[0] {
        Datum::Jsonb(j) => match &**j {
            Jsonb::Array(a) => Ok(a),
            Jsonb::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot extract elements from an object"),
            _ => bail!(INVALID_PARAMETER_VALUE, "cannot extract elements from a scalar"),
        },
        _ => bail!(INTERNAL_ERROR, "{call} called without a document"),
    }
}
fn node(j: &Jsonb) -> Datum {
    Datum::Jsonb(Arc::new(j.clone()))
}
fn b_each(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    made(object(args, "jsonb_each")?.iter().map(|(k, v)| vec![Datum::Text(k.clone()), node(v)]).collect())
}
fn b_each_text(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let members = object(args, "jsonb_each_text")?;
    made(members.iter().map(|(k, v)| vec![Datum::Text(k.clone()), opt(tree::shown(v))]).collect())
}
fn b_keys(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    column(object(args, "jsonb_object_keys")?.iter().map(|(k, _)| Datum::Text(k.clone())).collect())
}
fn b_elements(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    column(list(args, "jsonb_array_elements")?.iter().map(node).collect())
}
fn b_elements_text(_: &FnCtx<'_>, args: &[Datum]) -> Rows {
    column(list(args, "jsonb_array_elements_text")?.iter().map(|v| opt(tree::shown(v))).collect())
}

builtins! { pub TABLE:
    "json_object_field" => field[&str, &str];
    "json_object_field_text" => field_text[&str, &str];
    "json_array_element" => element[&str, i32];
    "json_array_element_text" => element_text[&str, i32];
    "json_extract_path" => extract[&str, &ArrayValue];
    "json_extract_path_text" => extract_text[&str, &ArrayValue];
    "json_typeof" => type_of[&str];
    "json_array_length" => array_length[&str];
    "json_strip_nulls" => strip_nulls[&str, bool];
}

pub static SETS: &[(&str, Body)] = &[
    ("json_each", Body::Set(each)),
    ("json_each_text", Body::Set(each_text)),
    ("json_object_keys", Body::Set(keys)),
    ("json_array_elements", Body::Set(elements)),
    ("json_array_elements_text", Body::Set(elements_text)),
    ("jsonb_each", Body::Set(b_each)),
    ("jsonb_each_text", Body::Set(b_each_text)),
    ("jsonb_object_keys", Body::Set(b_keys)),
    ("jsonb_array_elements", Body::Set(b_elements)),
    ("jsonb_array_elements_text", Body::Set(b_elements_text)),
];
