//! JSON from SQL values: to_json, row_to_json, json_build_*, json_object and their jsonb twins.

use std::fmt::Write;
use std::sync::Arc;

use ecow::EcoString;
use pglite_error::{PgError, PgResult, bail};
use pglite_ir::{Body, FnCtx};
use pglite_types::array::ArrayValue;
use pglite_types::datetime::{self as dt, DateStyle};
use pglite_types::jsonb::{self, Jsonb};
use pglite_types::record::RecordValue;
use pglite_types::{Datum, Oid, TypeKind, oid, text};

use crate::builtins;

/// A date or time in ISO 8601 with a T, as JSON has it; None for other values.
fn iso(cx: &FnCtx<'_>, ty: Oid, v: &Datum) -> Option<String> {
    let mut io = cx.host.settings().clone();
    io.date_style = DateStyle::Iso;
    let mut out = String::new();
    match v {
        Datum::Date(d) => dt::date_out(*d, &io, &mut out),
        Datum::Timestamp(ts) => {
            if ty == oid::TIMESTAMPTZ {
                dt::timestamptz_out(*ts, &io, &mut out);
                // JSON wants hours and minutes of the offset.
                if let Some(at) = out.rfind(['+', '-']).filter(|at| out.len() - at == 3 && out.contains(':'))
                {
                    debug_assert!(at > 10);
                    out.push_str(":00");
                }
            } else {
                dt::timestamp_out(*ts, &io, &mut out);
            }
            out = out.replacen(' ', "T", 1);
        }
        _ => return None,
    }
    Some(out)
}

/// The base type below domains.
fn base(cx: &FnCtx<'_>, mut ty: Oid) -> PgResult<Oid> {
    loop {
        let d = cx.host.type_desc(ty)?;
        if d.kind != TypeKind::Domain {
            return Ok(ty);
        }
        ty = d.base;
    }
}

/// The cast function from a type to json, if the user made one.
fn cast_to_json(cx: &FnCtx<'_>, ty: Oid) -> Option<Oid> {
    if ty < Oid::FIRST_NORMAL {
        return None;
    }
    let cast = cx.host.catalog().cast(ty, oid::JSON)?;
    cast.castfunc.valid()
}

/// Appends a value as JSON text. `lines`: line feeds between the elements of the outermost level.
pub fn write(cx: &FnCtx<'_>, ty: Oid, v: &Datum, lines: bool, out: &mut String) -> PgResult<()> {
    let plain = |out: &mut String| text::text_out(cx.host, ty, v, out);
    match v {
        Datum::Null => out.push_str("null"),
        Datum::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Datum::Int2(_) | Datum::Int4(_) => plain(out)?,
        Datum::Int8(_) if base(cx, ty)? == oid::INT8 => plain(out)?,
        Datum::Numeric(n) if n.is_finite() => plain(out)?,
        Datum::Float4(f) if f.is_finite() => plain(out)?,
        Datum::Float8(f) if f.is_finite() => plain(out)?,
        Datum::Text(s) if base(cx, ty)? == oid::JSON => out.push_str(s),
        Datum::Jsonb(j) => jsonb::write(j, out),
        Datum::Array(a) if !matches!(ty, oid::INT2VECTOR | oid::OIDVECTOR) => write_array(cx, a, lines, out)?,
        Datum::Record(r) => write_record(cx, r, lines, out)?,
        Datum::Text(s) if cast_to_json(cx, ty).is_none() => jsonb::write_string(s, out),
        _ => {
            if let Some(f) = cast_to_json(cx, ty) {
                let made = cx.host.call(f, Oid::INVALID, std::slice::from_ref(v))?;
                out.push_str(made.as_str().unwrap_or("null"));
                return Ok(());
            }
            let shown = match iso(cx, base(cx, ty)?, v) {
                Some(s) => s,
                None => {
                    let mut s = String::new();
                    plain(&mut s)?;
                    s
                }
            };
            jsonb::write_string(&shown, out);
        }
    }
    Ok(())
}

fn write_array(cx: &FnCtx<'_>, a: &ArrayValue, lines: bool, out: &mut String) -> PgResult<()> {
    if a.ndim() == 0 {
        out.push_str("[]");
        return Ok(());
    }
    level(cx, a, 0, &a.values, lines, out)
}
fn level(
    cx: &FnCtx<'_>,
    a: &ArrayValue,
    dim: usize,
    v: &[Datum],
    lines: bool,
    out: &mut String,
) -> PgResult<()> {
    let n = a.dims[dim].len.max(1) as usize;
    out.push('[');
    for (i, part) in v.chunks((v.len() / n).max(1)).enumerate() {
        if i > 0 {
            out.push_str(if lines { ",\n " } else { "," });
        }
        if dim + 1 < a.ndim() {
            level(cx, a, dim + 1, part, false, out)?;
        } else {
            write(cx, a.elem_type, &part[0], false, out)?;
        }
    }
    out.push(']');
    Ok(())
}

fn write_record(cx: &FnCtx<'_>, r: &RecordValue, lines: bool, out: &mut String) -> PgResult<()> {
    out.push('{');
    let mut first = true;
    for (a, v) in r.attrs.iter().zip(&r.values).filter(|(a, _)| !a.dropped) {
        if !first {
            out.push_str(if lines { ",\n " } else { "," });
        }
        first = false;
        jsonb::write_string(&a.name, out);
        out.push(':');
        write(cx, a.type_oid, v, false, out)?;
    }
    out.push('}');
    Ok(())
}

/// A value as a jsonb tree.
pub fn tree(cx: &FnCtx<'_>, ty: Oid, v: &Datum) -> PgResult<Jsonb> {
    Ok(match v {
        Datum::Null => Jsonb::Null,
        Datum::Bool(b) => Jsonb::Bool(*b),
        Datum::Jsonb(j) => (**j).clone(),
        Datum::Numeric(n) if n.is_finite() => Jsonb::Number(n.clone()),
        Datum::Text(s) if base(cx, ty)? != oid::JSON && cast_to_json(cx, ty).is_none() => {
            Jsonb::String(s.clone())
        }
        _ => {
            let mut out = String::new();
            write(cx, ty, v, false, &mut out)?;
            jsonb::parse(&out)?
        }
    })
}

/// A key of an object as text.
pub fn key(cx: &FnCtx<'_>, ty: Oid, v: &Datum) -> PgResult<EcoString> {
    match v {
        Datum::Text(s) if base(cx, ty)? != oid::JSON => Ok(s.clone()),
        Datum::Array(_) | Datum::Record(_) | Datum::Jsonb(_) | Datum::Text(_) => {
            bail!(INVALID_PARAMETER_VALUE, "key value must be scalar, not array, composite, or json")
        }
        Datum::Bool(b) => Ok(if *b { "true" } else { "false" }.into()),
        _ => {
            let mut out = String::new();
            match iso(cx, base(cx, ty)?, v) {
                Some(s) => out = s,
                None => text::text_out(cx.host, ty, v, &mut out)?,
            }
            Ok(out.into())
        }
    }
}

fn type_at(cx: &FnCtx<'_>, i: usize) -> Oid {
    cx.call.arg_types.get(i).copied().unwrap_or(oid::TEXT)
}

fn to_json(cx: &FnCtx<'_>, v: &Datum) -> PgResult<String> {
    to_json_pretty(cx, v, false)
}
fn to_json_pretty(cx: &FnCtx<'_>, v: &Datum, lines: bool) -> PgResult<String> {
    let mut out = String::new();
    write(cx, type_at(cx, 0), v, lines, &mut out)?;
    Ok(out)
}
fn to_jsonb(cx: &FnCtx<'_>, v: &Datum) -> PgResult<Jsonb> {
    tree(cx, type_at(cx, 0), v)
}

/// The arguments of a VARIADIC "any" function with their types.
fn variadic<'a>(cx: &FnCtx<'_>, args: &'a [Datum]) -> Option<Vec<(Oid, &'a Datum)>> {
    if !cx.call.variadic {
        return Some(args.iter().enumerate().map(|(i, v)| (type_at(cx, i), v)).collect());
    }
    match args.first() {
        Some(Datum::Array(a)) => Some(a.values.iter().map(|v| (a.elem_type, v)).collect()),
        _ => None,
    }
}

fn build_array(cx: &FnCtx<'_>, args: &[Datum], binary: bool) -> PgResult<Datum> {
    let Some(items) = variadic(cx, args) else { return Ok(Datum::Null) };
    if binary {
        let list = items.iter().map(|(t, v)| tree(cx, *t, v)).collect::<PgResult<Vec<_>>>()?;
        return Ok(Datum::Jsonb(Arc::new(Jsonb::Array(list))));
    }
    let mut out = String::from("[");
    for (i, (t, v)) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(cx, *t, v, false, &mut out)?;
    }
    out.push(']');
    Ok(Datum::text(out))
}

fn build_object(cx: &FnCtx<'_>, args: &[Datum], binary: bool) -> PgResult<Datum> {
    let Some(items) = variadic(cx, args) else { return Ok(Datum::Null) };
    let name = if binary { "jsonb_build_object()" } else { "json_build_object()" };
    if items.len() % 2 != 0 {
        return Err(pglite_error::err!(
            INVALID_PARAMETER_VALUE,
            "argument list must have even number of elements"
        )
        .hint(format!("The arguments of {name} must consist of alternating keys and values.")));
    }
    let (mut out, mut pairs) = (String::from("{"), Vec::new());
    for (i, pair) in items.chunks_exact(2).enumerate() {
        let ((kt, k), (vt, v)) = (pair[0], pair[1]);
        if k.is_null() {
            if binary {
                bail!(INVALID_PARAMETER_VALUE, "argument {}: key must not be null", 2 * i + 1);
            }
            bail!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key");
        }
        let k = key(cx, kt, k)?;
        if binary {
            pairs.push((k, tree(cx, vt, v)?));
            continue;
        }
        if i > 0 {
            out.push_str(", ");
        }
        jsonb::write_string(&k, &mut out);
        out.push_str(" : ");
        write(cx, vt, v, false, &mut out)?;
    }
    if binary {
        return Ok(Datum::Jsonb(Arc::new(jsonb::object_from_pairs(pairs))));
    }
    out.push('}');
    Ok(Datum::text(out))
}

/// Keys and values of `json_object(text[])` and `json_object(text[], text[])`.
fn text_pairs(args: &[Datum]) -> PgResult<Vec<(EcoString, Option<EcoString>)>> {
    let null_key =
        || -> PgError { pglite_error::err!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key") };
    let arrays: Vec<&ArrayValue> =
        args.iter().filter_map(|a| if let Datum::Array(a) = a { Some(&**a) } else { None }).collect();
    let text = |d: &Datum| if let Datum::Text(s) = d { Some(s.clone()) } else { None };
    match arrays.as_slice() {
        [a] => {
            match a.ndim() {
                0 => return Ok(Vec::new()),
                1 if a.len() % 2 != 0 => {
                    bail!(ARRAY_SUBSCRIPT_ERROR, "array must have even number of elements")
                }
                2 if a.dims[1].len != 2 => bail!(ARRAY_SUBSCRIPT_ERROR, "array must have two columns"),
                1 | 2 => {}
                _ => bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"),
            }
            a.values.chunks_exact(2).map(|p| Ok((text(&p[0]).ok_or_else(null_key)?, text(&p[1])))).collect()
        }
        [k, v] => {
            if k.ndim() > 1 || k.ndim() != v.ndim() {
                bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
            }
            if k.len() != v.len() {
                bail!(ARRAY_SUBSCRIPT_ERROR, "mismatched array dimensions");
            }
            k.values
                .iter()
                .zip(&v.values)
                .map(|(k, v)| Ok((text(k).ok_or_else(null_key)?, text(v))))
                .collect()
        }
        _ => Ok(Vec::new()),
    }
}
fn object(args: &[Datum], binary: bool) -> PgResult<Datum> {
    let pairs = text_pairs(args)?;
    if binary {
        let pairs = pairs.into_iter().map(|(k, v)| (k, v.map_or(Jsonb::Null, Jsonb::String))).collect();
        return Ok(Datum::Jsonb(Arc::new(jsonb::object_from_pairs(pairs))));
    }
    let mut out = String::from("{");
    for (i, (k, v)) in pairs.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        jsonb::write_string(k, &mut out);
        out.push_str(" : ");
        match v {
            Some(v) => jsonb::write_string(v, &mut out),
            None => {
                let _ = out.write_str("null");
            }
        }
    }
    out.push('}');
    Ok(Datum::text(out))
}

builtins! { pub TABLE:
    "to_json" => cx to_json[&Datum];
    "to_jsonb" => cx to_jsonb[&Datum];
    "array_to_json" => cx to_json[&Datum];
    "array_to_json_pretty" => cx to_json_pretty[&Datum, bool];
    "row_to_json" => cx to_json[&Datum];
    "row_to_json_pretty" => cx to_json_pretty[&Datum, bool];
}

pub static VARIADIC: &[(&str, Body)] = &[
    ("json_build_array", Body::Scalar(|cx, a| build_array(cx, a, false))),
    ("json_build_array_noargs", Body::Scalar(|cx, a| build_array(cx, a, false))),
    ("jsonb_build_array", Body::Scalar(|cx, a| build_array(cx, a, true))),
    ("jsonb_build_array_noargs", Body::Scalar(|cx, a| build_array(cx, a, true))),
    ("json_build_object", Body::Scalar(|cx, a| build_object(cx, a, false))),
    ("json_build_object_noargs", Body::Scalar(|cx, a| build_object(cx, a, false))),
    ("jsonb_build_object", Body::Scalar(|cx, a| build_object(cx, a, true))),
    ("jsonb_build_object_noargs", Body::Scalar(|cx, a| build_object(cx, a, true))),
    ("json_object", Body::Scalar(|_, a| object(a, false))),
    ("json_object_two_arg", Body::Scalar(|_, a| object(a, false))),
    ("jsonb_object", Body::Scalar(|_, a| object(a, true))),
    ("jsonb_object_two_arg", Body::Scalar(|_, a| object(a, true))),
];
