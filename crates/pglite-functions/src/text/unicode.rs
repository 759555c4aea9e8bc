//! unistr, normalize, is_normalized.

use pglite_error::{PgError, PgResult, bail, err};
use unicode_normalization::UnicodeNormalization;

use crate::builtins;

#[cold]
fn bad_escape() -> PgError {
    err!(SYNTAX_ERROR, "invalid Unicode escape")
        .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.")
}

fn unistr(s: &str) -> PgResult<String> {
    let mut out = String::with_capacity(s.len());
    let mut rest = s;
    let mut high: Option<u32> = None;
    let pair = || err!(SYNTAX_ERROR, "invalid Unicode surrogate pair");
    while let Some(c) = rest.chars().next() {
        if c != '\\' || rest[1..].starts_with('\\') {
            if high.is_some() {
                return Err(pair());
            }
            out.push(c);
            rest = &rest[if c == '\\' { 2 } else { c.len_utf8() }..];
            continue;
        }
        let (skip, n) = match rest.as_bytes().get(1) {
            Some(b'u') => (2, 4),
            Some(b'U') => (2, 8),
            Some(b'+') => (2, 6),
            _ => (1, 4),
        };
        let digits = rest.get(skip..skip + n).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or_else(bad_escape)?;
        rest = &rest[skip + n..];
        if code == 0 || code > 0x10ffff {
            bail!(INVALID_PARAMETER_VALUE, "invalid Unicode code point: {code:04X}");
        }
        match (high.take(), code) {
            (None, 0xd800..=0xdbff) => high = Some(code),
            (Some(h), 0xdc00..=0xdfff) => {
                let joined = 0x10000 + ((h - 0xd800) << 10) + (code - 0xdc00);
                out.push(char::from_u32(joined).ok_or_else(pair)?);
            }
            (Some(_), _) | (None, 0xdc00..=0xdfff) => return Err(pair()),
            (None, _) => out.push(char::from_u32(code).ok_or_else(pair)?),
        }
    }
    if high.is_some() { Err(pair()) } else { Ok(out) }
}

fn normalize(s: &str, form: &str) -> PgResult<String> {
    match form.to_ascii_uppercase().as_str() {
        "NFC" => Ok(s.nfc().collect()),
        "NFD" => Ok(s.nfd().collect()),
        "NFKC" => Ok(s.nfkc().collect()),
        "NFKD" => Ok(s.nfkd().collect()),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid normalization form: {form}"),
    }
}
fn is_normalized(s: &str, form: &str) -> PgResult<bool> {
    normalize(s, form).map(|n| n == s)
}

builtins! { pub TABLE:
    "unistr" => unistr[&str];
    "unicode_normalize_func" => normalize[&str, &str];
    "unicode_is_normalized" => is_normalized[&str, &str];
}
