//! Length, case, parts of a string, positions.

use ecow::EcoString;
use pglite_error::{PgResult, bail, err};
use pglite_ir::FnCtx;

use super::{chars, offset, too_long};
use crate::builtins;

fn textcat(a: &EcoString, b: &EcoString) -> EcoString {
    let mut out = EcoString::with_capacity(a.len() + b.len());
    out.push_str(a);
    out.push_str(b);
    out
}
fn textlen(s: &str) -> i32 {
    chars(s) as i32
}
fn bpcharlen(s: &str) -> i32 {
    chars(s.trim_end_matches(' ')) as i32
}
fn octets(s: &str) -> i32 {
    s.len() as i32
}

/// The collations "C" and "POSIX" know ASCII letters only.
fn ascii_only(cx: &FnCtx<'_>) -> bool {
    matches!(cx.call.collation.0, 950 | 951)
}
pub fn lower_char(c: char) -> char {
    let mut it = c.to_lowercase();
    match (it.next(), it.next()) {
        (Some(l), None) => l,
        _ => c,
    }
}
pub fn upper_char(c: char) -> char {
    let mut it = c.to_uppercase();
    match (it.next(), it.next()) {
        (Some(u), None) => u,
        _ => c,
    }
}
fn lower(cx: &FnCtx<'_>, s: &str) -> String {
    if s.is_ascii() || ascii_only(cx) { s.to_ascii_lowercase() } else { s.chars().map(lower_char).collect() }
}
fn upper(cx: &FnCtx<'_>, s: &str) -> String {
    if s.is_ascii() || ascii_only(cx) { s.to_ascii_uppercase() } else { s.chars().map(upper_char).collect() }
}
fn initcap(cx: &FnCtx<'_>, s: &str) -> String {
    let ascii = ascii_only(cx);
    let mut inside = false;
    s.chars()
        .map(|c| {
            let out = match (inside, ascii) {
                (true, true) => c.to_ascii_lowercase(),
                (true, false) => lower_char(c),
                (false, true) => c.to_ascii_uppercase(),
                (false, false) => upper_char(c),
            };
            inside = if ascii { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
            out
        })
        .collect()
}

/// `substring(s from start for len)` over anything counted in units: the clipped 0-based range.
pub(crate) fn window(start: i32, len: Option<i32>) -> PgResult<(usize, Option<usize>)> {
    let from = (i64::from(start) - 1).max(0) as usize;
    match len {
        None => Ok((from, None)),
        Some(len) => {
            let end = i64::from(start) - 1 + i64::from(len);
            if len < 0 && end < i64::from(start) - 1 {
                bail!(SUBSTRING_ERROR, "negative substring length not allowed");
            }
            // PG: an end past the integer range means "to the end".
            if i64::from(start) + i64::from(len) > i64::from(i32::MAX) {
                return Ok((from, None));
            }
            Ok((from, Some((end.max(0) as usize).max(from))))
        }
    }
}
fn slice(s: &str, start: i32, len: Option<i32>) -> PgResult<EcoString> {
    let (from, to) = window(start, len)?;
    let begin = offset(s, from);
    let end = to.map_or(s.len(), |to| begin + offset(&s[begin..], to - from));
    Ok(s[begin..end].into())
}
pub fn substr(s: &str, start: i32, len: i32) -> PgResult<EcoString> {
    slice(s, start, Some(len))
}
pub fn substr_from(s: &str, start: i32) -> PgResult<EcoString> {
    slice(s, start, None)
}
fn overlay(s: &str, with: &str, start: i32, len: i32) -> PgResult<EcoString> {
    if start <= 0 {
        bail!(SUBSTRING_ERROR, "negative substring length not allowed");
    }
    let Some(rest) = start.checked_add(len) else {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    };
    let mut out = slice(s, 1, Some(start - 1))?;
    out.push_str(with);
    out.push_str(&slice(s, rest, None)?);
    Ok(out)
}
fn overlay_whole(s: &str, with: &str, start: i32) -> PgResult<EcoString> {
    overlay(s, with, start, chars(with) as i32)
}
fn left(s: &str, n: i32) -> EcoString {
    let keep = if n >= 0 { n as usize } else { chars(s).saturating_sub(n.unsigned_abs() as usize) };
    s[..offset(s, keep)].into()
}
fn right(s: &str, n: i32) -> EcoString {
    let skip = if n >= 0 { chars(s).saturating_sub(n as usize) } else { n.unsigned_abs() as usize };
    s[offset(s, skip)..].into()
}
fn position(s: &str, needle: &str) -> i32 {
    s.find(needle).map_or(0, |at| chars(&s[..at]) as i32 + 1)
}
fn starts_with(s: &str, prefix: &str) -> bool {
    s.starts_with(prefix)
}
fn reverse(s: &str) -> String {
    s.chars().rev().collect()
}

fn padding(fill: &str, n: usize) -> String {
    fill.chars().cycle().take(n).collect()
}
fn pad(s: &str, len: i32, fill: &str, left: bool) -> PgResult<String> {
    let len = len.max(0) as usize;
    let have = chars(s);
    if len > (1 << 30) / 4 {
        return Err(too_long());
    }
    if have >= len || fill.is_empty() {
        return Ok(s[..offset(s, len)].to_string());
    }
    let extra = padding(fill, len - have);
    Ok(if left { extra + s } else { s.to_string() + &extra })
}
fn lpad(s: &str, len: i32, fill: &str) -> PgResult<String> {
    pad(s, len, fill, true)
}
fn rpad(s: &str, len: i32, fill: &str) -> PgResult<String> {
    pad(s, len, fill, false)
}
fn repeat(s: &str, n: i32) -> PgResult<String> {
    let n = n.max(0) as usize;
    if s.len().checked_mul(n).is_none_or(|l| l >= (1 << 30) - 5) {
        return Err(too_long());
    }
    Ok(s.repeat(n))
}
fn btrim(s: &str, set: &str) -> EcoString {
    s.trim_matches(|c| set.contains(c)).into()
}
fn ltrim(s: &str, set: &str) -> EcoString {
    s.trim_start_matches(|c| set.contains(c)).into()
}
fn rtrim(s: &str, set: &str) -> EcoString {
    s.trim_end_matches(|c| set.contains(c)).into()
}
fn btrim1(s: &str) -> EcoString {
    s.trim_matches(' ').into()
}
fn ltrim1(s: &str) -> EcoString {
    s.trim_start_matches(' ').into()
}
fn rtrim1(s: &EcoString) -> EcoString {
    if s.ends_with(' ') { s.trim_end_matches(' ').into() } else { s.clone() }
}
fn ascii(s: &str) -> i32 {
    s.chars().next().map_or(0, |c| c as i32)
}
fn chr(n: i32) -> PgResult<EcoString> {
    if n < 0 {
        bail!(INVALID_PARAMETER_VALUE, "character number must be positive");
    }
    if n == 0 {
        bail!(PROGRAM_LIMIT_EXCEEDED, "null character not permitted");
    }
    if n > 0x10ffff {
        bail!(PROGRAM_LIMIT_EXCEEDED, "requested character too large for encoding: {n}");
    }
    match char::from_u32(n as u32) {
        Some(c) => Ok(EcoString::from(c.encode_utf8(&mut [0; 4]) as &str)),
        None => bail!(PROGRAM_LIMIT_EXCEEDED, "requested character not valid for encoding: {n}"),
    }
}
fn name_concat_oid(s: &str, oid: pglite_types::Oid) -> String {
    let tail = format!("_{}", oid.0);
    let mut keep = s.len().min(63 - tail.len());
    while !s.is_char_boundary(keep) {
        keep -= 1;
    }
    s[..keep].to_string() + &tail
}

builtins! { pub TABLE:
    "textcat" => textcat[&EcoString, &EcoString];
    "textlen" => textlen[&str];
    "bpcharlen" => bpcharlen[&str];
    "textoctetlen" => octets[&str];
    "bpcharoctetlen" => octets[&str];
    "lower" => cx lower[&str];
    "upper" => cx upper[&str];
    "casefold" => cx lower[&str];
    "initcap" => cx initcap[&str];
    "text_substr" => substr[&str, i32, i32];
    "text_substr_no_len" => substr_from[&str, i32];
    "textoverlay" => overlay[&str, &str, i32, i32];
    "textoverlay_no_len" => overlay_whole[&str, &str, i32];
    "text_left" => left[&str, i32];
    "text_right" => right[&str, i32];
    "textpos" => position[&str, &str];
    "text_starts_with" => starts_with[&str, &str];
    "text_reverse" => reverse[&str];
    "lpad" => lpad[&str, i32, &str];
    "rpad" => rpad[&str, i32, &str];
    "repeat" => repeat[&str, i32];
    "btrim" => btrim[&str, &str];
    "ltrim" => ltrim[&str, &str];
    "rtrim" => rtrim[&str, &str];
    "btrim1" => btrim1[&str];
    "ltrim1" => ltrim1[&str];
    "rtrim1" => rtrim1[&EcoString];
    "ascii" => ascii[&str];
    "chr" => chr[i32];
    "nameconcatoid" => name_concat_oid[&str, pglite_types::Oid];
}
