//! Text form of ranges and multiranges.

use pglite_error::{PgError, PgResult, codes};

use super::{Bound, MultirangeValue, RangeValue, make, make_multirange};
use crate::text::scalar::is_space;
use crate::text::{text_in, text_out};
use crate::{Oid, TypeEnv};

/// Range input; `subtype` is the type of the bounds.
pub fn range_in(
    env: &dyn TypeEnv,
    range_type: Oid,
    subtype: Oid,
    typmod: i32,
    s: &str,
) -> PgResult<RangeValue> {
    let bad = |detail: &str| {
        PgError::new(codes::INVALID_TEXT_REPRESENTATION, format!("malformed range literal: \"{s}\""))
            .detail(detail)
    };
    let b = s.as_bytes();
    let skip = |mut i: usize| {
        while b.get(i).is_some_and(|&c| is_space(c)) {
            i += 1;
        }
        i
    };
    let mut i = skip(0);
    if b[i..].len() >= 5 && b[i..i + 5].eq_ignore_ascii_case(b"empty") {
        if skip(i + 5) < b.len() {
            return Err(bad("Junk after \"empty\" key word."));
        }
        return Ok(RangeValue::empty(range_type));
    }
    let lower_inc = match b.get(i) {
        Some(b'[') => true,
        Some(b'(') => false,
        _ => return Err(bad("Missing left parenthesis or bracket.")),
    };
    i += 1;
    let ended = || bad("Unexpected end of input.");
    let (lower, next) = bound_text(s, i).ok_or_else(ended)?;
    i = next;
    if b.get(i) != Some(&b',') {
        return Err(bad("Missing comma after lower bound."));
    }
    let (upper, next) = bound_text(s, i + 1).ok_or_else(ended)?;
    i = next;
    let upper_inc = match b.get(i) {
        Some(b']') => true,
        Some(b')') => false,
        _ => return Err(bad("Too many commas.")),
    };
    if skip(i + 1) < b.len() {
        return Err(bad("Junk after right parenthesis or bracket."));
    }
    let read = |t: Option<String>| t.map(|t| text_in(env, subtype, typmod, &t)).transpose();
    make(
        range_type,
        Bound { value: read(lower)?, inclusive: lower_inc },
        Bound { value: read(upper)?, inclusive: upper_inc },
    )
}

/// One bound from `i` on: `None` inside when it is infinite; outside when the text ends.
fn bound_text(s: &str, mut i: usize) -> Option<(Option<String>, usize)> {
    let b = s.as_bytes();
    if matches!(b.get(i), Some(b',' | b')' | b']')) {
        return Some((None, i));
    }
    let mut out = String::new();
    let mut quoted = false;
    loop {
        let c = *b.get(i)?;
        if !quoted && matches!(c, b',' | b')' | b']') {
            return Some((Some(out), i));
        }
        match c {
            b'\\' => {
                let c = s[i + 1..].chars().next()?;
                out.push(c);
                i += 1 + c.len_utf8();
            }
            b'"' if !quoted => {
                quoted = true;
                i += 1;
            }
            b'"' if b.get(i + 1) == Some(&b'"') => {
                out.push('"');
                i += 2;
            }
            b'"' => {
                quoted = false;
                i += 1;
            }
            _ => {
                let c = s[i..].chars().next()?;
                out.push(c);
                i += c.len_utf8();
            }
        }
    }
}

/// Range output.
pub fn range_out(env: &dyn TypeEnv, subtype: Oid, r: &RangeValue, out: &mut String) -> PgResult<()> {
    if r.empty {
        out.push_str("empty");
        return Ok(());
    }
    let mut tmp = String::new();
    let mut bound = |b: &Bound, out: &mut String| -> PgResult<()> {
        let Some(v) = &b.value else { return Ok(()) };
        tmp.clear();
        text_out(env, subtype, v, &mut tmp)?;
        let special = |c: u8| matches!(c, b'"' | b'\\' | b'(' | b')' | b'[' | b']' | b',') || is_space(c);
        if !tmp.is_empty() && !tmp.bytes().any(special) {
            out.push_str(&tmp);
            return Ok(());
        }
        out.push('"');
        for c in tmp.chars() {
            if c == '"' || c == '\\' {
                out.push(c);
            }
            out.push(c);
        }
        out.push('"');
        Ok(())
    };
    out.push(if r.lower.inclusive { '[' } else { '(' });
    bound(&r.lower, out)?;
    out.push(',');
    bound(&r.upper, out)?;
    out.push(if r.upper.inclusive { ']' } else { ')' });
    Ok(())
}

/// Multirange input.
pub fn multirange_in(
    env: &dyn TypeEnv,
    multirange_type: Oid,
    range_type: Oid,
    subtype: Oid,
    typmod: i32,
    s: &str,
) -> PgResult<MultirangeValue> {
    let bad = |detail: &str| {
        PgError::new(codes::INVALID_TEXT_REPRESENTATION, format!("malformed multirange literal: \"{s}\""))
            .detail(detail)
    };
    let b = s.as_bytes();
    let skip = |mut i: usize| {
        while b.get(i).is_some_and(|&c| is_space(c)) {
            i += 1;
        }
        i
    };
    let mut i = skip(0);
    if b.get(i) != Some(&b'{') {
        return Err(bad("Missing left brace."));
    }
    i = skip(i + 1);
    let mut ranges = Vec::new();
    let mut count = 0;
    loop {
        // A range, or the end of an empty list.
        i = skip(i);
        match b.get(i) {
            None => return Err(bad("Unexpected end of input.")),
            Some(b'}') if count == 0 => break,
            Some(b'[' | b'(') => {
                let end = range_end(s, i).ok_or_else(|| bad("Unexpected end of input."))?;
                ranges.push(range_in(env, range_type, subtype, typmod, &s[i..end])?);
                i = end;
            }
            Some(_) if b[i..].len() >= 5 && b[i..i + 5].eq_ignore_ascii_case(b"empty") => i += 5,
            Some(_) => return Err(bad("Expected range start.")),
        }
        count += 1;
        i = skip(i);
        match b.get(i) {
            None => return Err(bad("Unexpected end of input.")),
            Some(b',') => i += 1,
            Some(b'}') => break,
            Some(_) => return Err(bad("Expected comma or end of multirange.")),
        }
    }
    if skip(i + 1) < b.len() {
        return Err(bad("Junk after closing right brace."));
    }
    Ok(make_multirange(multirange_type, range_type, ranges))
}

/// The end of the range that begins at `i`.
fn range_end(s: &str, mut i: usize) -> Option<usize> {
    let b = s.as_bytes();
    let mut quoted = false;
    loop {
        match *b.get(i)? {
            b'\\' => i += 1,
            b'"' if quoted && b.get(i + 1) == Some(&b'"') => i += 1,
            b'"' => quoted = !quoted,
            b']' | b')' if !quoted => return Some(i + 1),
            _ => {}
        }
        i += 1;
    }
}

/// Multirange output.
pub fn multirange_out(
    env: &dyn TypeEnv,
    subtype: Oid,
    m: &MultirangeValue,
    out: &mut String,
) -> PgResult<()> {
    out.push('{');
    for (i, r) in m.ranges.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        range_out(env, subtype, r, out)?;
    }
    out.push('}');
    Ok(())
}
