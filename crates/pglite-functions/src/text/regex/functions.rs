//! The SQL functions over regular expressions.

use pglite_error::{PgResult, bail, err};
use pglite_types::array::ArrayValue;
use pglite_types::{Datum, oid};

use super::{Compiled, Flags, Spans, compile};
use crate::builtins;
use crate::text::{chars, offset};

fn matches(s: &str, p: &str) -> PgResult<bool> {
    compile(p, Flags::default())?.is_match(s)
}
fn mismatches(s: &str, p: &str) -> PgResult<bool> {
    matches(s, p).map(|b| !b)
}
fn imatches(s: &str, p: &str) -> PgResult<bool> {
    compile(p, Flags { icase: true, ..Flags::default() })?.is_match(s)
}
fn imismatches(s: &str, p: &str) -> PgResult<bool> {
    imatches(s, p).map(|b| !b)
}

/// Flags of a function that has no use for `g`.
fn no_global(flags: &str, function: &str) -> PgResult<Flags> {
    let f = Flags::parse(flags)?;
    if f.global {
        bail!(INVALID_PARAMETER_VALUE, "{function} does not support the \"global\" option");
    }
    Ok(f)
}
fn positive(name: &str, v: i32) -> PgResult<usize> {
    if v <= 0 {
        bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{name}\": {v}");
    }
    Ok(v as usize)
}
fn piece<'a>(s: &'a str, spans: &Spans, n: usize) -> Option<&'a str> {
    spans.get(n).copied().flatten().map(|(a, b)| &s[a..b])
}

/// The groups of a match as a text array; the whole match when there are none.
fn groups(s: &str, re: &Compiled, spans: &Spans) -> ArrayValue {
    let range = if re.groups == 0 { 0..1 } else { 1..re.groups + 1 };
    let values = range.map(|n| piece(s, spans, n).map_or(Datum::Null, Datum::text)).collect();
    ArrayValue::one_dim(oid::TEXT, values)
}

/// Rows of `regexp_matches(s, p, flags)`.
pub fn match_rows(s: &str, p: &str, flags: &str) -> PgResult<Vec<ArrayValue>> {
    let flags = Flags::parse(flags)?;
    let re = compile(p, flags)?;
    let found = re.find_all(s, 0, flags.global, true)?;
    Ok(found.iter().map(|m| groups(s, &re, m)).collect())
}

/// Pieces of `regexp_split_to_table/array(s, p, flags)`.
pub fn split_parts(s: &str, p: &str, flags: &str, function: &str) -> PgResult<Vec<String>> {
    let re = compile(p, no_global(flags, function)?)?;
    let mut out = Vec::new();
    let mut from = 0;
    for m in re.find_all(s, 0, true, false)? {
        let (start, end) = m.first().copied().flatten().unwrap_or((0, 0));
        out.push(s[from..start].to_string());
        from = end;
    }
    out.push(s[from..].to_string());
    Ok(out)
}

fn regexp_match_flags(s: &str, p: &str, flags: &str) -> PgResult<Option<ArrayValue>> {
    let flags = no_global(flags, "regexp_match()").map_err(|e| {
        if e.to_string().contains("global") { e.hint("Use the regexp_matches function instead.") } else { e }
    })?;
    let re = compile(p, flags)?;
    Ok(re.find(s, 0)?.map(|m| groups(s, &re, &m)))
}
fn regexp_match(s: &str, p: &str) -> PgResult<Option<ArrayValue>> {
    regexp_match_flags(s, p, "")
}
fn split_array_flags(s: &str, p: &str, flags: &str) -> PgResult<ArrayValue> {
    let parts = split_parts(s, p, flags, "regexp_split_to_array()")?;
    Ok(ArrayValue::one_dim(oid::TEXT, parts.into_iter().map(Datum::text).collect()))
}
fn split_array(s: &str, p: &str) -> PgResult<ArrayValue> {
    split_array_flags(s, p, "")
}
fn like_flags(s: &str, p: &str, flags: &str) -> PgResult<bool> {
    compile(p, no_global(flags, "regexp_like()")?)?.is_match(s)
}
fn substring(s: &str, p: &str) -> PgResult<Option<String>> {
    let re = compile(p, Flags::default())?;
    let n = usize::from(re.groups > 0);
    Ok(re.find(s, 0)?.and_then(|m| piece(s, &m, n).map(str::to_string)))
}

fn count(s: &str, p: &str, start: i32, flags: &str) -> PgResult<i32> {
    let start = positive("start", start)?;
    let re = compile(p, no_global(flags, "regexp_count()")?)?;
    if start > chars(s) + 1 {
        return Ok(0);
    }
    Ok(re.find_all(s, offset(s, start - 1), true, true)?.len() as i32)
}
fn count_from(s: &str, p: &str, start: i32) -> PgResult<i32> {
    count(s, p, start, "")
}
fn count_all(s: &str, p: &str) -> PgResult<i32> {
    count(s, p, 1, "")
}

/// The n-th match from character `start`.
fn nth(
    s: &str,
    p: &str,
    start: i32,
    n: i32,
    flags: Flags,
) -> PgResult<(std::rc::Rc<Compiled>, Option<Spans>)> {
    let re = compile(p, flags)?;
    let start = start as usize;
    if start > chars(s) + 1 {
        return Ok((re, None));
    }
    let mut found = re.find_all(s, offset(s, start - 1), n > 1, true)?;
    let n = n as usize - 1;
    let hit = if n < found.len() { Some(found.swap_remove(n)) } else { None };
    Ok((re, hit))
}
fn subexpression(n: i32) -> PgResult<usize> {
    if n < 0 {
        bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"subexpr\": {n}");
    }
    Ok(n as usize)
}
fn instr(s: &str, p: &str, start: i32, n: i32, end: i32, flags: &str, sub: i32) -> PgResult<i32> {
    positive("start", start)?;
    positive("n", n)?;
    if end != 0 && end != 1 {
        bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"endoption\": {end}");
    }
    let sub = subexpression(sub)?;
    let (_, hit) = nth(s, p, start, n, no_global(flags, "regexp_instr()")?)?;
    Ok(hit.and_then(|m| m.get(sub).copied().flatten()).map_or(0, |(a, b)| {
        let at = if end == 1 { b } else { a };
        chars(&s[..at]) as i32 + 1
    }))
}
fn instr_2(s: &str, p: &str) -> PgResult<i32> {
    instr(s, p, 1, 1, 0, "", 0)
}
fn instr_3(s: &str, p: &str, start: i32) -> PgResult<i32> {
    instr(s, p, start, 1, 0, "", 0)
}
fn instr_4(s: &str, p: &str, start: i32, n: i32) -> PgResult<i32> {
    instr(s, p, start, n, 0, "", 0)
}
fn instr_5(s: &str, p: &str, start: i32, n: i32, end: i32) -> PgResult<i32> {
    instr(s, p, start, n, end, "", 0)
}
fn instr_6(s: &str, p: &str, start: i32, n: i32, end: i32, flags: &str) -> PgResult<i32> {
    instr(s, p, start, n, end, flags, 0)
}
fn substr(s: &str, p: &str, start: i32, n: i32, flags: &str, sub: i32) -> PgResult<Option<String>> {
    positive("start", start)?;
    positive("n", n)?;
    let sub = subexpression(sub)?;
    let (_, hit) = nth(s, p, start, n, no_global(flags, "regexp_substr()")?)?;
    Ok(hit.and_then(|m| piece(s, &m, sub).map(str::to_string)))
}
fn substr_2(s: &str, p: &str) -> PgResult<Option<String>> {
    substr(s, p, 1, 1, "", 0)
}
fn substr_3(s: &str, p: &str, start: i32) -> PgResult<Option<String>> {
    substr(s, p, start, 1, "", 0)
}
fn substr_4(s: &str, p: &str, start: i32, n: i32) -> PgResult<Option<String>> {
    substr(s, p, start, n, "", 0)
}
fn substr_5(s: &str, p: &str, start: i32, n: i32, flags: &str) -> PgResult<Option<String>> {
    substr(s, p, start, n, flags, 0)
}

/// Writes the replacement: `\&` the match, `\1`..`\9` groups, `\\` a backslash.
fn expand(s: &str, m: &Spans, with: &str, out: &mut String) {
    let mut it = with.chars().peekable();
    while let Some(c) = it.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match it.peek().copied() {
            Some('&') => out.push_str(piece(s, m, 0).unwrap_or("")),
            Some('\\') => out.push('\\'),
            Some(d @ '1'..='9') => out.push_str(piece(s, m, d as usize - '0' as usize).unwrap_or("")),
            _ => {
                out.push('\\');
                continue;
            }
        }
        it.next();
    }
}

/// Replaces the n-th match from character `start`; every one when n = 0.
fn replace_at(s: &str, p: &str, with: &str, start: usize, n: usize, flags: Flags) -> PgResult<String> {
    let re = compile(p, flags)?;
    let from = offset(s, start - 1);
    let found = re.find_all(s, from, n != 1, true)?;
    let mut out = String::with_capacity(s.len());
    let mut at = 0;
    for (i, m) in found.iter().enumerate() {
        if n != 0 && i + 1 != n {
            continue;
        }
        let (a, b) = m.first().copied().flatten().unwrap_or((at, at));
        out.push_str(&s[at..a]);
        expand(s, m, with, &mut out);
        at = b;
        if n != 0 {
            break;
        }
    }
    out.push_str(&s[at..]);
    Ok(out)
}
fn replace(s: &str, p: &str, with: &str) -> PgResult<String> {
    replace_at(s, p, with, 1, 1, Flags::default())
}
fn replace_flags(s: &str, p: &str, with: &str, flags: &str) -> PgResult<String> {
    if let Some(c) = flags.chars().next().filter(char::is_ascii_digit) {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid regular expression option: \"{c}\"").hint(
            "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.",
        ));
    }
    let flags = Flags::parse(flags)?;
    replace_at(s, p, with, 1, usize::from(!flags.global), flags)
}
fn replace_n(s: &str, p: &str, with: &str, start: i32, n: i32) -> PgResult<String> {
    replace_all(s, p, with, start, n, "")
}
fn replace_start(s: &str, p: &str, with: &str, start: i32) -> PgResult<String> {
    replace_all(s, p, with, start, 1, "")
}
fn replace_all(s: &str, p: &str, with: &str, start: i32, n: i32, flags: &str) -> PgResult<String> {
    let start = positive("start", start)?;
    if n < 0 {
        bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"n\": {n}");
    }
    replace_at(s, p, with, start, n as usize, Flags::parse(flags)?)
}

builtins! { pub TABLE:
    "textregexeq" => matches[&str, &str];
    "textregexne" => mismatches[&str, &str];
    "texticregexeq" => imatches[&str, &str];
    "texticregexne" => imismatches[&str, &str];
    "nameregexeq" => matches[&str, &str];
    "nameregexne" => mismatches[&str, &str];
    "nameicregexeq" => imatches[&str, &str];
    "nameicregexne" => imismatches[&str, &str];
    "regexp_like" => like_flags[&str, &str, &str];
    "regexp_like_no_flags" => matches[&str, &str];
    "regexp_match" => regexp_match_flags[&str, &str, &str];
    "regexp_match_no_flags" => regexp_match[&str, &str];
    "regexp_split_to_array" => split_array_flags[&str, &str, &str];
    "regexp_split_to_array_no_flags" => split_array[&str, &str];
    "regexp_count" => count[&str, &str, i32, &str];
    "regexp_count_no_flags" => count_from[&str, &str, i32];
    "regexp_count_no_start" => count_all[&str, &str];
    "regexp_instr" => instr[&str, &str, i32, i32, i32, &str, i32];
    "regexp_instr_no_subexpr" => instr_6[&str, &str, i32, i32, i32, &str];
    "regexp_instr_no_flags" => instr_5[&str, &str, i32, i32, i32];
    "regexp_instr_no_endoption" => instr_4[&str, &str, i32, i32];
    "regexp_instr_no_n" => instr_3[&str, &str, i32];
    "regexp_instr_no_start" => instr_2[&str, &str];
    "regexp_substr" => substr[&str, &str, i32, i32, &str, i32];
    "regexp_substr_no_subexpr" => substr_5[&str, &str, i32, i32, &str];
    "regexp_substr_no_flags" => substr_4[&str, &str, i32, i32];
    "regexp_substr_no_n" => substr_3[&str, &str, i32];
    "regexp_substr_no_start" => substr_2[&str, &str];
    "textregexsubstr" => substring[&str, &str];
    "textregexreplace_noopt" => replace[&str, &str, &str];
    "textregexreplace" => replace_flags[&str, &str, &str, &str];
    "textregexreplace_extended" => replace_all[&str, &str, &str, i32, i32, &str];
    "textregexreplace_extended_no_flags" => replace_n[&str, &str, &str, i32, i32];
    "textregexreplace_extended_no_n" => replace_start[&str, &str, &str, i32];
}
