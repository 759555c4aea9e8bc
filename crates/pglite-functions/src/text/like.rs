//! LIKE and ILIKE over text, name and bytea.

use pglite_error::{PgError, PgResult, err};

use crate::builtins;

#[cold]
fn dangling() -> PgError {
    err!(INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

/// Matches bytes; `%` any run, `_` one character (one byte when `!utf8`), `\` escapes.
/// Backtracks to the last `%` only, so the time is at most the product of the lengths.
pub fn matches(s: &[u8], p: &[u8], utf8: bool) -> PgResult<bool> {
    let (mut i, mut j) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    let step = |i: usize| {
        let mut n = i + 1;
        while utf8 && n < s.len() && s[n] & 0xc0 == 0x80 {
            n += 1;
        }
        n
    };
    loop {
        let matched = match p.get(j) {
            Some(b'%') => {
                while p.get(j) == Some(&b'%') {
                    j += 1;
                }
                if j == p.len() {
                    return Ok(true);
                }
                retry = Some((i, j));
                continue;
            }
            Some(b'_') if i < s.len() => {
                (i, j) = (step(i), j + 1);
                true
            }
            Some(b'\\') => {
                let Some(c) = p.get(j + 1) else {
                    return if i < s.len() { Err(dangling()) } else { Ok(false) };
                };
                let hit = s.get(i) == Some(c);
                if hit {
                    (i, j) = (i + 1, j + 2);
                }
                hit
            }
            Some(c) if *c != b'_' && s.get(i) == Some(c) => {
                (i, j) = (i + 1, j + 1);
                true
            }
            None if i == s.len() => return Ok(true),
            _ => false,
        };
        if matched {
            continue;
        }
        match retry {
            Some((at, back)) if at < s.len() => {
                let next = step(at);
                retry = Some((next, back));
                (i, j) = (next, back);
            }
            _ => return Ok(false),
        }
    }
}

fn like(s: &str, p: &str) -> PgResult<bool> {
    matches(s.as_bytes(), p.as_bytes(), true)
}
fn nlike(s: &str, p: &str) -> PgResult<bool> {
    like(s, p).map(|b| !b)
}
fn fold(s: &str) -> String {
    if s.is_ascii() { s.to_ascii_lowercase() } else { s.chars().map(super::plain::lower_char).collect() }
}
fn ilike(s: &str, p: &str) -> PgResult<bool> {
    like(&fold(s), &fold(p))
}
fn nilike(s: &str, p: &str) -> PgResult<bool> {
    ilike(s, p).map(|b| !b)
}
fn bytes_like(s: &[u8], p: &[u8]) -> PgResult<bool> {
    matches(s, p, false)
}
fn bytes_nlike(s: &[u8], p: &[u8]) -> PgResult<bool> {
    bytes_like(s, p).map(|b| !b)
}

#[cold]
pub(crate) fn bad_escape() -> PgError {
    err!(INVALID_ESCAPE_SEQUENCE, "invalid escape string")
        .hint("Escape string must be empty or one character.")
}

/// Rewrites a pattern with another escape character into one with backslash.
fn like_escape(p: &str, esc: &str) -> PgResult<String> {
    let mut it = esc.chars();
    let (esc, more) = (it.next(), it.next());
    if more.is_some() {
        return Err(bad_escape());
    }
    if esc == Some('\\') {
        return Ok(p.to_string());
    }
    let mut out = String::with_capacity(p.len());
    let mut escaped = false;
    for c in p.chars() {
        if Some(c) == esc && !escaped {
            out.push('\\');
            escaped = true;
        } else if c == '\\' {
            out.push('\\');
            if !escaped {
                out.push('\\');
            }
            escaped = false;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    Ok(out)
}
fn like_escape_bytes(p: &[u8], esc: &[u8]) -> PgResult<Vec<u8>> {
    let esc = match esc {
        [] => None,
        [c] => Some(*c),
        _ => return Err(bad_escape()),
    };
    if esc == Some(b'\\') {
        return Ok(p.to_vec());
    }
    let mut out = Vec::with_capacity(p.len());
    let mut escaped = false;
    for c in p {
        if Some(*c) == esc && !escaped {
            out.push(b'\\');
            escaped = true;
        } else {
            if *c == b'\\' && !escaped {
                out.push(b'\\');
            }
            out.push(*c);
            escaped = false;
        }
    }
    Ok(out)
}

builtins! { pub TABLE:
    "textlike" => like[&str, &str];
    "textnlike" => nlike[&str, &str];
    "namelike" => like[&str, &str];
    "namenlike" => nlike[&str, &str];
    "texticlike" => ilike[&str, &str];
    "texticnlike" => nilike[&str, &str];
    "nameiclike" => ilike[&str, &str];
    "nameicnlike" => nilike[&str, &str];
    "bytealike" => bytes_like[&[u8], &[u8]];
    "byteanlike" => bytes_nlike[&[u8], &[u8]];
    "like_escape" => like_escape[&str, &str];
    "like_escape_bytea" => like_escape_bytes[&[u8], &[u8]];
}
