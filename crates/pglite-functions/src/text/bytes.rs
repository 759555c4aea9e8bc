//! bytea functions, encode and decode, conversions of encodings.

use pglite_error::{PgError, PgResult, bail, err};
use pglite_types::text::scalar;

use super::plain::window;
use crate::builtins;

fn cat(a: &[u8], b: &[u8]) -> Vec<u8> {
    [a, b].concat()
}
fn len(b: &[u8]) -> i32 {
    b.len() as i32
}
fn slice(b: &[u8], start: i32, len: Option<i32>) -> PgResult<Vec<u8>> {
    let (from, to) = window(start, len)?;
    let to = to.map_or(b.len(), |t| t.min(b.len()));
    Ok(b.get(from..to).unwrap_or(&[]).to_vec())
}
fn substr(b: &[u8], start: i32, len: i32) -> PgResult<Vec<u8>> {
    slice(b, start, Some(len))
}
fn substr_from(b: &[u8], start: i32) -> PgResult<Vec<u8>> {
    slice(b, start, None)
}
fn overlay(b: &[u8], with: &[u8], start: i32, len: i32) -> PgResult<Vec<u8>> {
    if start <= 0 {
        bail!(SUBSTRING_ERROR, "negative substring length not allowed");
    }
    let Some(rest) = start.checked_add(len) else {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"));
    };
    Ok([slice(b, 1, Some(start - 1))?, with.to_vec(), slice(b, rest, None)?].concat())
}
fn overlay_whole(b: &[u8], with: &[u8], start: i32) -> PgResult<Vec<u8>> {
    overlay(b, with, start, with.len() as i32)
}
fn position(b: &[u8], needle: &[u8]) -> i32 {
    if needle.is_empty() {
        return 1;
    }
    b.windows(needle.len()).position(|w| w == needle).map_or(0, |at| at as i32 + 1)
}
fn trim(b: &[u8], set: &[u8], left: bool, right: bool) -> Vec<u8> {
    let start = if left { b.iter().position(|c| !set.contains(c)).unwrap_or(b.len()) } else { 0 };
    let end = if right { b.iter().rposition(|c| !set.contains(c)).map_or(0, |p| p + 1) } else { b.len() };
    b.get(start..end).unwrap_or(&[]).to_vec()
}
fn btrim(b: &[u8], set: &[u8]) -> Vec<u8> {
    trim(b, set, true, true)
}
fn ltrim(b: &[u8], set: &[u8]) -> Vec<u8> {
    trim(b, set, true, false)
}
fn rtrim(b: &[u8], set: &[u8]) -> Vec<u8> {
    trim(b, set, false, true)
}
fn reverse(b: &[u8]) -> Vec<u8> {
    b.iter().rev().copied().collect()
}
fn bit_count(b: &[u8]) -> i64 {
    b.iter().map(|c| i64::from(c.count_ones())).sum()
}

fn index(n: i64, len: i64) -> PgResult<usize> {
    if n < 0 || n >= len {
        bail!(ARRAY_SUBSCRIPT_ERROR, "index {n} out of valid range, 0..{}", len - 1);
    }
    Ok(n as usize)
}
fn get_byte(b: &[u8], n: i32) -> PgResult<i32> {
    Ok(i32::from(b[index(i64::from(n), b.len() as i64)?]))
}
fn set_byte(b: &[u8], n: i32, v: i32) -> PgResult<Vec<u8>> {
    let at = index(i64::from(n), b.len() as i64)?;
    let mut out = b.to_vec();
    out[at] = v as u8;
    Ok(out)
}
fn get_bit(b: &[u8], n: i64) -> PgResult<i32> {
    let at = index(n, b.len() as i64 * 8)?;
    Ok(i32::from(b[at / 8] >> (at % 8) & 1))
}
fn set_bit(b: &[u8], n: i64, v: i32) -> PgResult<Vec<u8>> {
    let at = index(n, b.len() as i64 * 8)?;
    if v != 0 && v != 1 {
        bail!(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1");
    }
    let mut out = b.to_vec();
    let mask = 1 << (at % 8);
    out[at / 8] = if v == 1 { out[at / 8] | mask } else { out[at / 8] & !mask };
    Ok(out)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with lines of 76 characters.
fn base64(b: &[u8]) -> String {
    let mut out = String::with_capacity(b.len().div_ceil(3) * 4);
    let mut line = 0;
    for group in b.chunks(3) {
        let v = group.iter().fold(0u32, |a, c| a << 8 | u32::from(*c)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let c = BASE64[(v >> (18 - 6 * i) & 63) as usize] as char;
            out.push(if i > group.len() { '=' } else { c });
        }
        line += 4;
        if line == 76 {
            out.push('\n');
            line = 0;
        }
    }
    out
}
fn base64_decode(s: &str) -> PgResult<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len() / 4 * 3);
    let (mut acc, mut have, mut end) = (0u32, 0, 0);
    for c in s.chars() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        let value = if c == '=' {
            if end == 0 {
                end = match have {
                    2 => 1,
                    3 => 2,
                    _ => bail!(INVALID_PARAMETER_VALUE, "unexpected \"=\" while decoding base64 sequence"),
                };
            }
            0
        } else {
            match BASE64.iter().position(|b| char::from(*b) == c) {
                Some(v) if end == 0 => v as u32,
                _ => bail!(
                    INVALID_PARAMETER_VALUE,
                    "invalid symbol \"{c}\" found while decoding base64 sequence"
                ),
            }
        };
        acc = acc << 6 | value;
        have += 1;
        if have == 4 {
            let keep = if end == 0 { 3 } else { end };
            out.extend_from_slice(&acc.to_be_bytes()[1..1 + keep]);
            (acc, have) = (0, 0);
        }
    }
    if have != 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out)
}
/// Format `escape`: zero bytes and high bytes in octal, backslashes doubled.
fn escape(b: &[u8]) -> String {
    let mut out = String::with_capacity(b.len());
    for c in b {
        match c {
            b'\\' => out.push_str("\\\\"),
            0 | 0x80.. => out.push_str(&format!("\\{c:03o}")),
            _ => out.push(*c as char),
        }
    }
    out
}

#[cold]
fn unknown(kind: &str) -> PgError {
    err!(INVALID_PARAMETER_VALUE, "unrecognized encoding: \"{kind}\"")
}
fn encode(b: &[u8], kind: &str) -> PgResult<String> {
    match kind.to_ascii_lowercase().as_str() {
        "hex" => {
            let mut out = String::new();
            scalar::push_hex(b, &mut out);
            Ok(out)
        }
        "base64" => Ok(base64(b)),
        "escape" => Ok(escape(b)),
        _ => Err(unknown(kind)),
    }
}
fn decode(s: &str, kind: &str) -> PgResult<Vec<u8>> {
    match kind.to_ascii_lowercase().as_str() {
        "hex" => Ok(scalar::hex_decode(s)?.to_vec()),
        "base64" => base64_decode(s),
        // PG: hexadecimal input is not recognized here, so a leading \x is a bad escape.
        "escape" if s.starts_with("\\x") => {
            bail!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")
        }
        "escape" => Ok(scalar::bytea_in(s)?.to_vec()),
        _ => Err(unknown(kind)),
    }
}

enum Charset {
    Utf8,
    Ascii,
    Latin1,
}
fn charset(name: &str, what: &str) -> PgResult<Charset> {
    let key: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    match key.as_str() {
        "utf8" | "unicode" => Ok(Charset::Utf8),
        "sqlascii" => Ok(Charset::Ascii),
        "latin1" | "iso88591" => Ok(Charset::Latin1),
        k if k.starts_with("win")
            || k.starts_with("latin")
            || k.starts_with("euc")
            || k.starts_with("iso") =>
        {
            Err(PgError::unsupported(format!("conversion of encoding \"{name}\" is not supported")))
        }
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid {what} encoding name \"{name}\""),
    }
}
fn convert_from(b: &[u8], name: &str) -> PgResult<String> {
    match charset(name, "source")? {
        Charset::Latin1 => Ok(b.iter().map(|c| char::from(*c)).collect()),
        _ => Ok(pglite_types::binary::utf8(b)?.to_string()),
    }
}
fn convert_to(s: &str, name: &str) -> PgResult<Vec<u8>> {
    match charset(name, "destination")? {
        Charset::Latin1 => s.chars().map(latin1).collect(),
        _ => Ok(s.as_bytes().to_vec()),
    }
}
fn latin1(c: char) -> PgResult<u8> {
    u8::try_from(u32::from(c)).map_err(|_| {
        let bytes: Vec<String> = c.encode_utf8(&mut [0; 4]).bytes().map(|b| format!("0x{b:02x}")).collect();
        err!(
            UNTRANSLATABLE_CHARACTER,
            "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
            bytes.join(" ")
        )
    })
}
fn convert(b: &[u8], from: &str, to: &str) -> PgResult<Vec<u8>> {
    charset(to, "destination")?;
    convert_to(&convert_from(b, from)?, to)
}
fn length_in(b: &[u8], name: &str) -> PgResult<i32> {
    Ok(convert_from(b, name)?.chars().count() as i32)
}

builtins! { pub TABLE:
    "byteacat" => cat[&[u8], &[u8]];
    "byteaoctetlen" => len[&[u8]];
    "bytea_substr" => substr[&[u8], i32, i32];
    "bytea_substr_no_len" => substr_from[&[u8], i32];
    "byteaoverlay" => overlay[&[u8], &[u8], i32, i32];
    "byteaoverlay_no_len" => overlay_whole[&[u8], &[u8], i32];
    "byteapos" => position[&[u8], &[u8]];
    "byteatrim" => btrim[&[u8], &[u8]];
    "bytealtrim" => ltrim[&[u8], &[u8]];
    "byteartrim" => rtrim[&[u8], &[u8]];
    "bytea_reverse" => reverse[&[u8]];
    "bytea_bit_count" => bit_count[&[u8]];
    "byteaGetByte" => get_byte[&[u8], i32];
    "byteaSetByte" => set_byte[&[u8], i32, i32];
    "byteaGetBit" => get_bit[&[u8], i64];
    "byteaSetBit" => set_bit[&[u8], i64, i32];
    "binary_encode" => encode[&[u8], &str];
    "binary_decode" => decode[&str, &str];
    "pg_convert_from" => convert_from[&[u8], &str];
    "pg_convert_to" => convert_to[&str, &str];
    "pg_convert" => convert[&[u8], &str, &str];
    "length_in_encoding" => length_in[&[u8], &str];
}
