//! Text forms of booleans, numbers, identifiers, bytes and other plain scalars.

use ecow::EcoVec;
use pglite_error::{PgError, PgResult, bail, err};

/// C `isspace` in the C locale.
pub fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// `s` without leading and trailing `isspace` bytes.
pub fn trim_space(s: &str) -> &str {
    s.trim_matches(|c: char| c.is_ascii() && is_space(c as u8))
}

/// boolean input: any unambiguous prefix of the accepted words.
pub fn parse_bool(s: &str) -> Option<bool> {
    let t = trim_space(s);
    let is = |word: &str, min: usize| {
        t.len() >= min
            && t.len() <= word.len()
            && word.as_bytes()[..t.len()].eq_ignore_ascii_case(t.as_bytes())
    };
    if is("true", 1) || is("yes", 1) || is("on", 2) || t == "1" {
        Some(true)
    } else if is("false", 1) || is("no", 1) || is("off", 2) || t == "0" {
        Some(false)
    } else {
        None
    }
}

pub fn bool_in(s: &str) -> PgResult<bool> {
    parse_bool(s).ok_or_else(|| PgError::invalid_input("boolean", s))
}

/// Integer input within `min..=max`, with radix prefixes and underscores.
fn int_in(s: &str, min: i64, max: i64, type_name: &str) -> PgResult<i64> {
    let bad = || PgError::invalid_input(type_name, s);
    let range = || err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{s}\" is out of range for type {type_name}");
    let b = s.as_bytes();
    let mut i = b.iter().take_while(|&&c| is_space(c)).count();
    let neg = b.get(i) == Some(&b'-');
    if neg || b.get(i) == Some(&b'+') {
        i += 1;
    }
    let radix = match (b.get(i), b.get(i + 1)) {
        (Some(b'0'), Some(b'x' | b'X')) => 16,
        (Some(b'0'), Some(b'o' | b'O')) => 8,
        (Some(b'0'), Some(b'b' | b'B')) => 2,
        _ => 10,
    };
    if radix != 10 {
        i += 2;
    }
    // The negative half is the larger one.
    let limit = if neg { min.unsigned_abs() } else { max as u64 };
    let mut v = 0u64;
    let first = i;
    while let Some(&c) = b.get(i) {
        if let Some(d) = (c as char).to_digit(radix) {
            v = v.checked_mul(radix as u64).and_then(|v| v.checked_add(d as u64)).ok_or_else(range)?;
            if v > limit {
                return Err(range());
            }
        } else if c == b'_' {
            let next = b.get(i + 1).is_some_and(|&c| (c as char).is_digit(radix));
            if !next || (i == first && radix == 10) {
                return Err(bad());
            }
        } else {
            break;
        }
        i += 1;
    }
    if i == first || b[i..].iter().any(|&c| !is_space(c)) {
        return Err(bad());
    }
    Ok(if neg { (v as i64).wrapping_neg() } else { v as i64 })
}

pub fn int2_in(s: &str) -> PgResult<i16> {
    int_in(s, i16::MIN as i64, i16::MAX as i64, "smallint").map(|v| v as i16)
}

pub fn int4_in(s: &str) -> PgResult<i32> {
    int_in(s, i32::MIN as i64, i32::MAX as i64, "integer").map(|v| v as i32)
}

pub fn int8_in(s: &str) -> PgResult<i64> {
    int_in(s, i64::MIN, i64::MAX, "bigint")
}

/// Unsigned input as C's strtoul with base 0: a sign wraps, `0x` is hexadecimal, a leading `0` octal. Returns the value
/// and where it ended; with `whole` only white space may follow.
fn unsigned_in(s: &str, bits: u32, type_name: &str, whole: bool) -> PgResult<(u64, usize)> {
    let bad = || PgError::invalid_input(type_name, s);
    let b = s.as_bytes();
    let mut i = b.iter().take_while(|&&c| is_space(c)).count();
    let neg = b.get(i) == Some(&b'-');
    if neg || b.get(i) == Some(&b'+') {
        i += 1;
    }
    let radix = match &b[i..] {
        [b'0', b'x' | b'X', c, ..] if c.is_ascii_hexdigit() => {
            i += 2;
            16
        }
        [b'0', ..] => 8,
        _ => 10,
    };
    let n = b[i..].iter().take_while(|&&c| (c as char).is_digit(radix)).count();
    if n == 0 {
        return Err(bad());
    }
    let range = || err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{s}\" is out of range for type {type_name}");
    let v = u64::from_str_radix(&s[i..i + n], radix).map_err(|_| range())?;
    let v = if neg { v.wrapping_neg() } else { v };
    i += n;
    if whole && b[i..].iter().any(|&c| !is_space(c)) {
        return Err(bad());
    }
    // 32 bits take what fits unsigned, or signed.
    if bits == 32 && v != v as u32 as u64 && v != v as u32 as i32 as i64 as u64 {
        return Err(range());
    }
    Ok((if bits == 32 { v & u32::MAX as u64 } else { v }, i))
}

/// One oid at the start of a list; returns where it ended.
pub fn oid_prefix(s: &str) -> PgResult<(u32, usize)> {
    unsigned_in(s, 32, "oid", false).map(|(v, n)| (v as u32, n))
}

/// oid, xid, cid ...
pub fn uint4_in(s: &str, type_name: &str) -> PgResult<u32> {
    unsigned_in(s, 32, type_name, true).map(|(v, _)| v as u32)
}

/// xid8.
pub fn uint8_in(s: &str, type_name: &str) -> PgResult<u64> {
    unsigned_in(s, 64, type_name, true).map(|(v, _)| v)
}

/// Whether the mantissa of a number has a digit other than 0.
fn has_nonzero_digit(s: &str) -> bool {
    s.bytes().take_while(|c| !c.eq_ignore_ascii_case(&b'e')).any(|c| (b'1'..=b'9').contains(&c))
}

fn float_syntax_ok(s: &str) -> bool {
    let t = s.strip_prefix(['+', '-']).unwrap_or(s);
    t.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || t.eq_ignore_ascii_case("inf")
        || t.eq_ignore_ascii_case("infinity")
        || t.eq_ignore_ascii_case("nan")
}

/// The hexadecimal floats C's strtod takes: `0x1.8p3`.
fn hex_float(s: &str) -> Option<f64> {
    let (neg, t) = match s.as_bytes().first()? {
        b'-' => (true, &s[1..]),
        b'+' => (false, &s[1..]),
        _ => (false, s),
    };
    let t = t.strip_prefix("0x").or_else(|| t.strip_prefix("0X"))?;
    let (mant, exp) = t.split_once(['p', 'P']).unwrap_or((t, "0"));
    let mut e: i32 = exp.parse().ok()?;
    let mut v = 0f64;
    let mut seen = false;
    let mut frac = false;
    for c in mant.chars() {
        if c == '.' && !frac {
            frac = true;
            continue;
        }
        v = v * 16.0 + c.to_digit(16)? as f64;
        e -= 4 * frac as i32;
        seen = true;
    }
    let v = v * 2f64.powi(e);
    seen.then_some(if neg { -v } else { v })
}

/// float8 input; `orig` is what messages quote.
pub fn float8_in(s: &str) -> PgResult<f64> {
    let t = trim_space(s);
    let v = match t.parse::<f64>() {
        Ok(v) if float_syntax_ok(t) => v,
        _ => hex_float(t).ok_or_else(|| PgError::invalid_input("double precision", s))?,
    };
    let inf = v.is_infinite() && t.bytes().any(|c| c.is_ascii_digit());
    if inf || (v == 0.0 && has_nonzero_digit(t) && !t.contains(['x', 'X'])) {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{t}\" is out of range for type double precision");
    }
    Ok(v)
}

/// float4 input.
pub fn float4_in(s: &str) -> PgResult<f32> {
    let t = trim_space(s);
    let v = match t.parse::<f32>() {
        Ok(v) if float_syntax_ok(t) => v,
        _ => hex_float(t).ok_or_else(|| PgError::invalid_input("real", s))? as f32,
    };
    let inf = v.is_infinite() && t.bytes().any(|c| c.is_ascii_digit());
    if inf || (v == 0.0 && has_nonzero_digit(t) && !t.contains(['x', 'X'])) {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "\"{t}\" is out of range for type real");
    }
    Ok(v)
}

/// `"char"` input: the first byte, or `\ooo`.
pub fn char_in(s: &str) -> u8 {
    let b = s.as_bytes();
    if let [b'\\', a @ b'0'..=b'3', c @ b'0'..=b'7', d @ b'0'..=b'7'] = b {
        return ((a - b'0') << 6) | ((c - b'0') << 3) | (d - b'0');
    }
    b.first().copied().unwrap_or(0)
}

/// `"char"` output: nothing for 0, `\ooo` for a byte above 127.
pub fn char_out(c: u8, out: &mut String) {
    if c >= 0x80 {
        out.push('\\');
        for shift in [6, 3, 0] {
            out.push((b'0' + ((c >> shift) & 7)) as char);
        }
    } else if c != 0 {
        out.push(c as char);
    }
}

/// Cuts to 63 bytes at a character boundary.
pub fn clip_name(s: &str) -> &str {
    if s.len() <= 63 {
        return s;
    }
    let mut end = 63;
    while !s.is_char_boundary(end) {
        end -= 1;
    }
    &s[..end]
}

pub fn bytea_in(s: &str) -> PgResult<EcoVec<u8>> {
    let b = s.as_bytes();
    if b.starts_with(b"\\x") {
        return hex_decode(&s[2..]);
    }
    let mut out = EcoVec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        if b[i] != b'\\' {
            out.push(b[i]);
            i += 1;
            continue;
        }
        match &b[i + 1..] {
            [b'\\', ..] => {
                out.push(b'\\');
                i += 2;
            }
            [a @ b'0'..=b'3', c @ b'0'..=b'7', d @ b'0'..=b'7', ..] => {
                out.push(((a - b'0') << 6) | ((c - b'0') << 3) | (d - b'0'));
                i += 4;
            }
            _ => bail!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea"),
        }
    }
    Ok(out)
}

/// Hexadecimal digits in pairs; white space may stand between pairs.
pub fn hex_decode(s: &str) -> PgResult<EcoVec<u8>> {
    let nibble = |at: usize| -> PgResult<u8> {
        let c = s[at..].chars().next().unwrap_or(' ');
        match c.to_digit(16) {
            Some(d) => Ok(d as u8),
            None => bail!(INVALID_PARAMETER_VALUE, "invalid hexadecimal digit: \"{c}\""),
        }
    };
    let b = s.as_bytes();
    let mut out = EcoVec::with_capacity(b.len() / 2);
    let mut i = 0;
    while i < b.len() {
        if matches!(b[i], b' ' | b'\n' | b'\t' | b'\r') {
            i += 1;
            continue;
        }
        let high = nibble(i)?;
        if i + 1 >= b.len() {
            bail!(INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits");
        }
        out.push(high << 4 | nibble(i + 1)?);
        i += 2;
    }
    Ok(out)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

pub fn push_hex(bytes: &[u8], out: &mut String) {
    out.reserve(bytes.len() * 2);
    for &b in bytes {
        out.push(HEX[(b >> 4) as usize] as char);
        out.push(HEX[(b & 15) as usize] as char);
    }
}

pub fn bytea_out(bytes: &[u8], hex: bool, out: &mut String) {
    if hex {
        out.push_str("\\x");
        return push_hex(bytes, out);
    }
    for &b in bytes {
        match b {
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(b as char),
            _ => {
                out.push('\\');
                for shift in [6, 3, 0] {
                    out.push((b'0' + ((b >> shift) & 7)) as char);
                }
            }
        }
    }
}

pub fn uuid_in(s: &str) -> PgResult<[u8; 16]> {
    let bad = || PgError::invalid_input("uuid", s);
    let mut b = s.as_bytes();
    if b.first() == Some(&b'{') {
        b = b[1..].strip_suffix(b"}").ok_or_else(bad)?;
    }
    let mut out = [0; 16];
    let mut i = 0;
    for (n, slot) in out.iter_mut().enumerate() {
        let digit = |at: usize| b.get(at).and_then(|&c| (c as char).to_digit(16)).ok_or_else(bad);
        *slot = (digit(i)? << 4 | digit(i + 1)?) as u8;
        i += 2;
        if n % 2 == 1 && n < 15 && b.get(i) == Some(&b'-') {
            i += 1;
        }
    }
    if i == b.len() { Ok(out) } else { Err(bad()) }
}

pub fn uuid_out(u: &[u8; 16], out: &mut String) {
    for (i, part) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
        if i > 0 {
            out.push('-');
        }
        push_hex(&u[part], out);
    }
}

pub fn lsn_in(s: &str) -> PgResult<u64> {
    let half = |h: &str| {
        let ok = (1..=8).contains(&h.len()) && h.bytes().all(|c| c.is_ascii_hexdigit());
        ok.then(|| u64::from_str_radix(h, 16).ok()).flatten()
    };
    let parts = s.split_once('/').and_then(|(h, l)| Some((half(h)?, half(l)?)));
    parts.map(|(h, l)| h << 32 | l).ok_or_else(|| PgError::invalid_input("pg_lsn", s))
}

pub fn lsn_out(v: u64, out: &mut String) {
    use std::fmt::Write;
    let _ = write!(out, "{:X}/{:X}", v >> 32, v as u32);
}

/// tid input: `(block,offset)`, packed as `block << 16 | offset`.
pub fn tid_in(s: &str) -> PgResult<u64> {
    let bad = || PgError::invalid_input("tid", s);
    // PG: whatever comes before the parenthesis and after the closing one does not matter.
    let (block, rest) = s.split_once('(').and_then(|(_, r)| r.split_once(',')).ok_or_else(bad)?;
    let (offset, _) = rest.split_once(')').ok_or_else(bad)?;
    let block: i64 = trim_space(block).parse().map_err(|_| bad())?;
    let offset: u16 = trim_space(offset).parse().map_err(|_| bad())?;
    if block < i32::MIN as i64 || block > u32::MAX as i64 {
        return Err(bad());
    }
    Ok((block as u32 as u64) << 16 | offset as u64)
}

pub fn tid_out(v: u64, out: &mut String) {
    out.push('(');
    super::fmt::push_u64(out, v >> 16);
    out.push(',');
    super::fmt::push_u64(out, v & 0xffff);
    out.push(')');
}

/// pg_snapshot: `xmin:xmax:xip,xip...`, ascending; returns the canonical text.
pub fn snapshot_in(s: &str) -> PgResult<String> {
    let parse = || -> Option<String> {
        let mut parts = s.splitn(3, ':');
        let num = |t: &str| t.parse::<u64>().ok().filter(|&v| v > 0 && v <= i64::MAX as u64);
        let (xmin, xmax) = (num(parts.next()?)?, num(parts.next()?)?);
        let list = parts.next()?;
        if xmax < xmin {
            return None;
        }
        let mut out = format!("{xmin}:{xmax}:");
        let mut last = 0;
        for item in list.split(',').filter(|_| !list.is_empty()) {
            let v = num(item)?;
            if v < xmin || v >= xmax || v < last {
                return None;
            }
            if v != last {
                if last != 0 {
                    out.push(',');
                }
                super::fmt::push_u64(&mut out, v);
            }
            last = v;
        }
        Some(out)
    };
    parse().ok_or_else(|| PgError::invalid_input("pg_snapshot", s))
}
