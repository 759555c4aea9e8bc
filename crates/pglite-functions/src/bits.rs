//! bit and varbit functions.

use pglite_error::{PgResult, bail, err};
use pglite_types::bits::{self, BitString};

use crate::builtins;
use crate::text::plain::window;

fn and(a: &BitString, b: &BitString) -> PgResult<BitString> {
    bits::zip(a, b, "AND", |x, y| x & y)
}
fn or(a: &BitString, b: &BitString) -> PgResult<BitString> {
    bits::zip(a, b, "OR", |x, y| x | y)
}
fn xor(a: &BitString, b: &BitString) -> PgResult<BitString> {
    bits::zip(a, b, "XOR", |x, y| x ^ y)
}
fn not(a: &BitString) -> BitString {
    bits::not(a)
}
fn left(a: &BitString, n: i32) -> BitString {
    bits::shift(a, i64::from(n))
}
fn right(a: &BitString, n: i32) -> BitString {
    bits::shift(a, -i64::from(n))
}
fn cat(a: &BitString, b: &BitString) -> BitString {
    bits::concat(a, b)
}
fn len(a: &BitString) -> i32 {
    a.len as i32
}
fn octets(a: &BitString) -> i32 {
    a.bytes.len() as i32
}
fn count(a: &BitString) -> i64 {
    a.bytes.iter().map(|b| i64::from(b.count_ones())).sum()
}
fn part(a: &BitString, from: usize, to: usize) -> BitString {
    let to = to.min(a.len as usize);
    let from = from.min(to);
    bits::shift(a, from as i64).resized((to - from) as u32)
}
fn substr(a: &BitString, start: i32, len: i32) -> PgResult<BitString> {
    let (from, to) = window(start, Some(len))?;
    Ok(part(a, from, to.unwrap_or(a.len as usize)))
}
fn substr_from(a: &BitString, start: i32) -> PgResult<BitString> {
    let (from, _) = window(start, None)?;
    Ok(part(a, from, a.len as usize))
}
fn overlay(a: &BitString, with: &BitString, start: i32, len: i32) -> PgResult<BitString> {
    if start <= 0 {
        bail!(SUBSTRING_ERROR, "negative substring length not allowed");
    }
    let Some(rest) = start.checked_add(len) else {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    };
    Ok(cat(&cat(&substr(a, 1, start - 1)?, with), &substr_from(a, rest)?))
}
fn overlay_whole(a: &BitString, with: &BitString, start: i32) -> PgResult<BitString> {
    overlay(a, with, start, with.len as i32)
}
/// 1-based position of `needle`, or 0.
fn find(a: &BitString, needle: &BitString) -> i32 {
    if needle.len == 0 {
        return i32::from(a.len > 0);
    }
    let fits = |at: u32| (0..needle.len).all(|i| a.get(at + i) == needle.get(i));
    (0..(a.len + 1).saturating_sub(needle.len)).find(|at| fits(*at)).map_or(0, |at| at as i32 + 1)
}
fn index(a: &BitString, n: i32) -> PgResult<u32> {
    if n < 0 || n as u32 >= a.len {
        bail!(ARRAY_SUBSCRIPT_ERROR, "bit index {n} out of valid range (0..{})", i64::from(a.len) - 1);
    }
    Ok(n as u32)
}
fn get_bit(a: &BitString, n: i32) -> PgResult<i32> {
    Ok(i32::from(a.get(index(a, n)?)))
}
fn set_bit(a: &BitString, n: i32, v: i32) -> PgResult<BitString> {
    let at = index(a, n)?;
    if v != 0 && v != 1 {
        bail!(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1");
    }
    let mut out = a.clone();
    out.set(at, v == 1);
    Ok(out)
}
/// The low bits of a number, sign-extended, `len` bits long.
fn from_number(v: i64, width: u32, len: i32) -> BitString {
    let len = if len <= 0 { 1 } else { len as u32 };
    let mut out = BitString::zeros(len);
    for i in 0..len {
        let bit = len - 1 - i;
        let on = if bit >= width { v < 0 } else { v >> bit & 1 == 1 };
        out.set(i, on);
    }
    out
}
fn from_i4(v: i32, len: i32) -> BitString {
    from_number(i64::from(v), 32, len)
}
fn from_i8(v: i64, len: i32) -> BitString {
    from_number(v, 64, len)
}
fn to_number(a: &BitString) -> u64 {
    (0..a.len).fold(0, |acc, i| acc << 1 | u64::from(a.get(i)))
}
fn to_i4(a: &BitString) -> PgResult<i32> {
    if a.len > 32 {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range");
    }
    Ok(to_number(a) as u32 as i32)
}
fn to_i8(a: &BitString) -> PgResult<i64> {
    if a.len > 64 {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range");
    }
    Ok(to_number(a) as i64)
}

builtins! { pub TABLE:
    "bit_and" => and[&BitString, &BitString];
    "bit_or" => or[&BitString, &BitString];
    "bitxor" => xor[&BitString, &BitString];
    "bitnot" => not[&BitString];
    "bitshiftleft" => left[&BitString, i32];
    "bitshiftright" => right[&BitString, i32];
    "bitcat" => cat[&BitString, &BitString];
    "bitlength" => len[&BitString];
    "bitoctetlength" => octets[&BitString];
    "bit_bit_count" => count[&BitString];
    "bitsubstr" => substr[&BitString, i32, i32];
    "bitsubstr_no_len" => substr_from[&BitString, i32];
    "bitoverlay" => overlay[&BitString, &BitString, i32, i32];
    "bitoverlay_no_len" => overlay_whole[&BitString, &BitString, i32];
    "bitposition" => find[&BitString, &BitString];
    "bitgetbit" => get_bit[&BitString, i32];
    "bitsetbit" => set_bit[&BitString, i32, i32];
    "bitfromint4" => from_i4[i32, i32];
    "bitfromint8" => from_i8[i64, i32];
    "bittoint4" => to_i4[&BitString];
    "bittoint8" => to_i8[&BitString];
}
