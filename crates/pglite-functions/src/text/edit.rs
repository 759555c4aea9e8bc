//! replace, translate, split_part, arrays of strings, numbers in other bases, quoting.

use ecow::EcoString;
use pglite_error::{PgResult, bail};
use pglite_ir::FnCtx;
use pglite_types::array::ArrayValue;
use pglite_types::{Datum, oid};

use super::output;
use crate::builtins;

fn replace(s: &EcoString, from: &str, to: &str) -> EcoString {
    if from.is_empty() || !s.contains(from) { s.clone() } else { s.replace(from, to) }
}
fn translate(s: &str, from: &str, to: &str) -> String {
    s.chars()
        .filter_map(|c| match from.chars().position(|f| f == c) {
            Some(at) => to.chars().nth(at),
            None => Some(c),
        })
        .collect()
}
fn split_part(s: &EcoString, sep: &str, n: i32) -> PgResult<EcoString> {
    if n == 0 {
        bail!(INVALID_PARAMETER_VALUE, "field position must not be zero");
    }
    if s.is_empty() {
        return Ok(EcoString::new());
    }
    if sep.is_empty() {
        return Ok(if n == 1 || n == -1 { s.clone() } else { EcoString::new() });
    }
    let at = n.unsigned_abs() as usize - 1;
    let part = if n > 0 {
        s.split(sep).nth(at)
    } else {
        // Fields are cut from the left also when counted from the right.
        let all: Vec<&str> = s.split(sep).collect();
        all.len().checked_sub(at + 1).map(|i| all[i])
    };
    Ok(part.unwrap_or("").into())
}

fn to_array(s: Option<&str>, sep: Option<&str>) -> Option<ArrayValue> {
    to_array_null(s, sep, None)
}
fn to_array_null(s: Option<&str>, sep: Option<&str>, null: Option<&str>) -> Option<ArrayValue> {
    let s = s?;
    if s.is_empty() {
        return Some(ArrayValue::empty(oid::TEXT));
    }
    let item = |p: &str| if null == Some(p) { Datum::Null } else { Datum::text(p) };
    let values = match sep {
        None => s.chars().map(|c| item(c.encode_utf8(&mut [0; 4]))).collect(),
        Some("") => vec![item(s)],
        Some(sep) => s.split(sep).map(item).collect(),
    };
    Some(ArrayValue::one_dim(oid::TEXT, values))
}
fn join(cx: &FnCtx<'_>, a: &ArrayValue, sep: &str, null: Option<&str>) -> PgResult<String> {
    let mut out = String::new();
    let mut first = true;
    for v in &a.values {
        if v.is_null() && null.is_none() {
            continue;
        }
        if !first {
            out.push_str(sep);
        }
        first = false;
        match null {
            Some(text) if v.is_null() => out.push_str(text),
            _ => output(cx, a.elem_type, v, &mut out)?,
        }
    }
    Ok(out)
}
fn array_to_text(cx: &FnCtx<'_>, a: &ArrayValue, sep: &str) -> PgResult<String> {
    join(cx, a, sep, None)
}
fn array_to_text_null(
    cx: &FnCtx<'_>,
    a: Option<&ArrayValue>,
    sep: Option<&str>,
    null: Option<&str>,
) -> PgResult<Option<String>> {
    match (a, sep) {
        (Some(a), Some(sep)) => join(cx, a, sep, null).map(Some),
        _ => Ok(None),
    }
}

fn hex32(v: i32) -> String {
    format!("{v:x}")
}
fn hex64(v: i64) -> String {
    format!("{v:x}")
}
fn oct32(v: i32) -> String {
    format!("{v:o}")
}
fn oct64(v: i64) -> String {
    format!("{v:o}")
}
fn bin32(v: i32) -> String {
    format!("{v:b}")
}
fn bin64(v: i64) -> String {
    format!("{v:b}")
}

pub fn quote_literal(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    if s.contains('\\') {
        out.push('E');
    }
    out.push('\'');
    for c in s.chars() {
        if c == '\'' || c == '\\' {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}
pub fn quote_ident(s: &str) -> String {
    pglite_catalog::names::quote_ident(s)
}
fn quote_nullable(s: Option<&str>) -> String {
    s.map_or_else(|| "NULL".to_string(), quote_literal)
}

/// Splits a possibly qualified, possibly quoted name.
fn parse_ident(s: &str, strict: bool) -> PgResult<ArrayValue> {
    let bad = || pglite_error::err!(INVALID_PARAMETER_VALUE, "string is not a valid identifier: \"{s}\"");
    let mut rest = s.trim_start();
    let mut parts = Vec::new();
    let mut after_dot = false;
    loop {
        if let Some(body) = rest.strip_prefix('"') {
            let mut name = String::new();
            let mut it = body.char_indices().peekable();
            let end = loop {
                match it.next() {
                    None => return Err(bad().detail("String has unclosed double quotes.")),
                    Some((_, '"')) if it.peek().is_some_and(|(_, c)| *c == '"') => {
                        it.next();
                        name.push('"');
                    }
                    Some((at, '"')) => break at,
                    Some((_, c)) => name.push(c),
                }
            };
            if name.is_empty() {
                return Err(bad().detail("Quoted identifier must not be empty."));
            }
            parts.push(Datum::text(name));
            rest = &body[end + 1..];
        } else if rest.starts_with(|c: char| c.is_alphabetic() || c == '_' || !c.is_ascii()) {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            parts.push(Datum::text(rest[..end].to_lowercase()));
            rest = &rest[end..];
        } else if rest.starts_with('.') {
            return Err(bad().detail("No valid identifier before \".\"."));
        } else if after_dot {
            return Err(bad().detail("No valid identifier after \".\"."));
        } else {
            return Err(bad());
        }
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(r) => {
                rest = r.trim_start();
                after_dot = true;
            }
            None if rest.is_empty() || !strict => break,
            None => return Err(bad()),
        }
    }
    Ok(ArrayValue::one_dim(oid::TEXT, parts))
}

builtins! { pub TABLE:
    "replace_text" => replace[&EcoString, &str, &str];
    "translate" => translate[&str, &str, &str];
    "split_part" => split_part[&EcoString, &str, i32];
    "text_to_array" => to_array[Option<&str>, Option<&str>];
    "text_to_array_null" => to_array_null[Option<&str>, Option<&str>, Option<&str>];
    "array_to_text" => cx array_to_text[&ArrayValue, &str];
    "array_to_text_null" => cx array_to_text_null[Option<&ArrayValue>, Option<&str>, Option<&str>];
    "to_hex32" => hex32[i32];
    "to_hex64" => hex64[i64];
    "to_oct32" => oct32[i32];
    "to_oct64" => oct64[i64];
    "to_bin32" => bin32[i32];
    "to_bin64" => bin64[i64];
    "quote_ident" => quote_ident[&str];
    "quote_literal" => quote_literal[&str];
    "quote_nullable" => quote_nullable[Option<&str>];
    "parse_ident" => parse_ident[&str, bool];
}
