//! Text and binary forms of [`Numeric`], and its type modifier.

use pglite_error::{PgError, PgResult, bail, codes};

use super::big::{self, Big, DEC_DIGITS};
use super::{MAX_DSCALE, MAX_WEIGHT, Numeric, POW10, SMALL_LIMIT, overflow};

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn starts_ci(s: &[u8], word: &str) -> bool {
    s.len() >= word.len() && s[..word.len()].eq_ignore_ascii_case(word.as_bytes())
}

/// Parses PostgreSQL's numeric syntax: decimal with `_` and exponent, `0x`/`0o`/`0b` integers, NaN and infinities.
pub fn parse(text: &str) -> PgResult<Numeric> {
    let bad = || PgError::invalid_input("numeric", text);
    let b = text.as_bytes();
    let start = b.iter().take_while(|&&c| is_space(c)).count();
    let end = b.len() - b[start..].iter().rev().take_while(|&&c| is_space(c)).count();
    let s = &b[start..end];
    let (neg, body) = match s.first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    match body.first() {
        Some(c) if c.is_ascii_digit() || *c == b'.' => {}
        _ => {
            return if s.eq_ignore_ascii_case(b"nan") {
                Ok(Numeric::NaN)
            } else if body.eq_ignore_ascii_case(b"infinity") || body.eq_ignore_ascii_case(b"inf") {
                Ok(if neg { Numeric::NegInf } else { Numeric::PosInf })
            } else {
                Err(bad())
            };
        }
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if starts_ci(body, prefix) {
            return parse_radix(&body[2..], radix, neg).ok_or_else(bad)?;
        }
    }
    parse_decimal(body, neg).ok_or_else(bad)?
}

/// Digits of a radix 2, 8 or 16 integer; `_` may come before each digit.
fn parse_radix(s: &[u8], radix: u32, neg: bool) -> Option<PgResult<Numeric>> {
    let mut big: Option<Big> = None;
    let mut acc = 0i128;
    let base = Big::from_i128(radix as i128, 0);
    let mut last_digit = false;
    for &c in s {
        if c == b'_' {
            last_digit = false;
            continue;
        }
        let d = (c as char).to_digit(radix)? as i128;
        last_digit = true;
        match &mut big {
            None if acc < i128::MAX >> 5 => acc = acc * radix as i128 + d,
            None => {
                let v = big::mul(&Big::from_i128(acc, 0), &base);
                big = Some(big::add(&v, &Big::from_i128(d, 0)));
            }
            Some(v) => *v = big::add(&big::mul(v, &base), &Big::from_i128(d, 0)),
        }
    }
    if !last_digit || s.windows(2).any(|w| w == b"__") {
        return None;
    }
    Some(match big {
        None => Ok(Numeric::from_i128(if neg { -acc } else { acc }, 0)),
        Some(v) => Numeric::from_big(if neg { v.negate() } else { v }),
    })
}

/// `digits[.digits][e[+-]digits]` with single underscores between digits.
fn parse_decimal(s: &[u8], neg: bool) -> Option<PgResult<Numeric>> {
    let mut digits: smallvec::SmallVec<[u8; 40]> = smallvec::SmallVec::new();
    let mut point: Option<usize> = None;
    let mut i = 0;
    while i < s.len() {
        match s[i] {
            c if c.is_ascii_digit() => digits.push(c - b'0'),
            b'.' if point.is_none() => {
                point = Some(digits.len());
                if i > 0 && s[i - 1] == b'_' || s.get(i + 1) == Some(&b'_') {
                    return None;
                }
            }
            b'_' => {
                let before = i > 0 && s[i - 1].is_ascii_digit();
                if !before || !s.get(i + 1).is_some_and(u8::is_ascii_digit) {
                    return None;
                }
            }
            _ => break,
        }
        i += 1;
    }
    if digits.is_empty() {
        return None;
    }
    let mut exp = 0i64;
    if i < s.len() {
        if !s[i].eq_ignore_ascii_case(&b'e') {
            return None;
        }
        exp = parse_exponent(&s[i + 1..])?;
        if exp.abs() >= (i32::MAX / 2) as i64 {
            return Some(Err(overflow()));
        }
    }
    let frac = digits.len() - point.unwrap_or(digits.len());
    let dscale = (frac as i64 - exp).max(0);
    // Exponent of the last digit.
    let low = exp - frac as i64;
    if (-18..=0).contains(&low) && digits.len() <= 18 {
        let coef = digits.iter().fold(0i64, |v, &d| v * 10 + d as i64);
        return Some(Ok(Numeric::Small { coef: if neg { -coef } else { coef }, dscale: dscale as u8 }));
    }
    if digits.iter().all(|&d| d == 0) {
        return Some(zero_with_scale(dscale));
    }
    if low + digits.len() as i64 > (MAX_WEIGHT as i64 + 2) * 4 + digits.len() as i64 {
        return Some(Err(overflow()));
    }
    Some(from_decimal_digits(&digits, low, dscale, neg))
}

fn zero_with_scale(dscale: i64) -> PgResult<Numeric> {
    if dscale > MAX_DSCALE as i64 {
        return Err(overflow());
    }
    Numeric::from_big(Big::zero(dscale as i32))
}

fn parse_exponent(s: &[u8]) -> Option<i64> {
    let (neg, s) = match s.first()? {
        b'-' => (true, &s[1..]),
        b'+' => (false, &s[1..]),
        _ => (false, s),
    };
    let mut v = 0i64;
    let mut digit = false;
    for &c in s {
        if c == b'_' {
            if !digit {
                return None;
            }
            digit = false;
            continue;
        }
        if !c.is_ascii_digit() {
            return None;
        }
        digit = true;
        v = (v * 10 + (c - b'0') as i64).min(1 << 40);
    }
    digit.then_some(if neg { -v } else { v })
}

/// Groups decimal digits, the last at exponent `low`, into base-10000 digits.
fn from_decimal_digits(digits: &[u8], low: i64, dscale: i64, neg: bool) -> PgResult<Numeric> {
    let high = low + digits.len() as i64 - 1;
    let weight = high.div_euclid(DEC_DIGITS as i64);
    let last = low.div_euclid(DEC_DIGITS as i64);
    let mut out = vec![0u16; (weight - last + 1) as usize];
    for (i, &d) in digits.iter().enumerate() {
        let e = high - i as i64;
        let at = (weight - e.div_euclid(DEC_DIGITS as i64)) as usize;
        out[at] += d as u16 * 10u16.pow(e.rem_euclid(DEC_DIGITS as i64) as u32);
    }
    let mut v = Big { neg, weight: weight as i32, dscale: dscale.min(i32::MAX as i64) as i32, digits: out };
    v.strip();
    if v.dscale > MAX_DSCALE || v.weight > MAX_WEIGHT {
        return Err(overflow());
    }
    Numeric::from_big(v)
}

/// Appends the plain decimal text with `dscale` decimals.
pub fn write_text(v: &Numeric, out: &mut String) {
    match v {
        Numeric::Small { coef, dscale } => write_small(*coef, *dscale as usize, out),
        Numeric::Big(b) => write_big(b, out),
        Numeric::NaN => out.push_str("NaN"),
        Numeric::PosInf => out.push_str("Infinity"),
        Numeric::NegInf => out.push_str("-Infinity"),
    }
}

fn write_small(coef: i64, dscale: usize, out: &mut String) {
    if coef < 0 {
        out.push('-');
    }
    let v = coef.unsigned_abs();
    let p = POW10[dscale] as u64;
    crate::text::fmt::push_u64(out, v / p);
    if dscale > 0 {
        out.push('.');
        crate::text::fmt::push_u64_padded(out, v % p, dscale);
    }
}

fn write_big(b: &Big, out: &mut String) {
    if b.neg {
        out.push('-');
    }
    if b.weight < 0 || b.digits.is_empty() {
        out.push('0');
    } else {
        crate::text::fmt::push_u64(out, b.digit(b.weight) as u64);
        for w in (0..b.weight).rev() {
            crate::text::fmt::push_u64_padded(out, b.digit(w) as u64, 4);
        }
    }
    if b.dscale > 0 {
        out.push('.');
        let end = out.len() + b.dscale as usize;
        let mut w = -1;
        while out.len() < end {
            crate::text::fmt::push_u64_padded(out, b.digit(w) as u64, 4);
            w -= 1;
        }
        out.truncate(end);
    }
}

const SIGN_NEG: u16 = 0x4000;
const SIGN_NAN: u16 = 0xC000;
const SIGN_PINF: u16 = 0xD000;
const SIGN_NINF: u16 = 0xF000;

/// The wire form: digit count, weight, sign, display scale, base-10000 digits.
pub fn send(v: &Numeric, out: &mut Vec<u8>) {
    let put = |out: &mut Vec<u8>, x: u16| out.extend_from_slice(&x.to_be_bytes());
    let special = match v {
        Numeric::NaN => Some(SIGN_NAN),
        Numeric::PosInf => Some(SIGN_PINF),
        Numeric::NegInf => Some(SIGN_NINF),
        _ => None,
    };
    if let Some(sign) = special {
        // PG: the infinities carry a display scale of 32.
        let dscale = if sign == SIGN_NAN { 0 } else { 32 };
        for x in [0, 0, sign, dscale] {
            put(out, x);
        }
        return;
    }
    let b = v.to_big().unwrap_or_default();
    put(out, b.digits.len() as u16);
    put(out, b.weight as i16 as u16);
    put(out, if b.neg { SIGN_NEG } else { 0 });
    put(out, b.dscale as u16);
    for &d in &b.digits {
        put(out, d);
    }
}

/// Reads the wire form.
pub fn recv(bytes: &[u8]) -> PgResult<Numeric> {
    let short = || PgError::new(codes::PROTOCOL_VIOLATION, "insufficient data left in message");
    let word = |i: usize| -> PgResult<u16> {
        let pair = bytes.get(i * 2..i * 2 + 2).ok_or_else(short)?;
        Ok(u16::from_be_bytes([pair[0], pair[1]]))
    };
    let (n, weight, sign, dscale) = (word(0)? as usize, word(1)? as i16, word(2)?, word(3)?);
    match sign {
        SIGN_NAN => return Ok(Numeric::NaN),
        SIGN_PINF => return Ok(Numeric::PosInf),
        SIGN_NINF => return Ok(Numeric::NegInf),
        0 | SIGN_NEG => {}
        _ => bail!(INVALID_BINARY_REPRESENTATION, "invalid sign in external \"numeric\" value"),
    }
    if dscale > MAX_DSCALE as u16 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid scale in external \"numeric\" value");
    }
    let mut digits = Vec::with_capacity(n.min(bytes.len()));
    for i in 0..n {
        let d = word(4 + i)?;
        if d as u32 >= big::NBASE {
            bail!(INVALID_BINARY_REPRESENTATION, "invalid digit in external \"numeric\" value");
        }
        digits.push(d);
    }
    let mut v = Big { neg: sign == SIGN_NEG, weight: weight as i32, dscale: dscale as i32, digits };
    v.strip();
    v.trunc(dscale as i32);
    Numeric::from_big(v)
}

/// Rounds to `numeric(precision, scale)` and checks the range; typmod as PostgreSQL packs it.
pub fn apply_typmod(v: Numeric, typmod: i32) -> PgResult<Numeric> {
    if typmod < 4 {
        return Ok(v);
    }
    let precision = ((typmod - 4) >> 16) & 0xffff;
    let scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
    if let Numeric::Small { coef, dscale } = &v
        && scale == *dscale as i32
        && precision <= 18
        && coef.abs() < POW10[precision as usize].min(SMALL_LIMIT)
    {
        return Ok(v);
    }
    if v.is_nan() {
        return Ok(v);
    }
    let fail = |detail: String| {
        PgError::new(codes::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow")
            .detail(format!("A field with precision {precision}, scale {scale} {detail}"))
    };
    let Some(mut b) = v.to_big() else {
        return Err(fail("cannot hold an infinite value.".into()));
    };
    b.round(scale);
    b.dscale = b.dscale.max(0);
    let max = precision - scale;
    if !b.digits.is_empty() && b.dec_weight() + 1 > max {
        let (prefix, bound) = if max != 0 { ("10^", max) } else { ("", 1) };
        return Err(fail(format!("must round to an absolute value less than {prefix}{bound}.")));
    }
    Numeric::from_big(b)
}
