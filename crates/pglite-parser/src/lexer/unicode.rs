//! `U&''` and `U&""` literals with their UESCAPE clause, and helpers for Unicode escapes.

use super::*;

pub(super) const BAD_PAIR: &str = "invalid Unicode surrogate pair";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surrogate {
    No,
    First,
    Second,
}

pub(super) fn classify(c: u32) -> Surrogate {
    match c {
        0xd800..=0xdbff => Surrogate::First,
        0xdc00..=0xdfff => Surrogate::Second,
        _ => Surrogate::No,
    }
}

pub(super) fn join(first: u32, second: u32) -> u32 {
    0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff)
}

/// The value of hex digits (at most eight).
pub(super) fn hex(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |n, &b| (n << 4) | (b as char).to_digit(16).unwrap_or(0))
}

/// The length of a UTF-8 character by its first byte.
pub(super) fn utf8_len(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    }
}

impl Lexer<'_> {
    pub(super) fn unicode_string(&mut self, start: usize) -> LexResult<Token> {
        if !self.opts.standard_conforming_strings {
            return Err(PgError::unsupported("unsafe use of string constant with Unicode escapes")
                .detail("String constants with Unicode escapes cannot be used when \"standard_conforming_strings\" is off.")
                .at(start as i32));
        }
        self.pos += 2;
        let raw = self.quoted(start, "unterminated quoted string", true)?;
        let escape = self.uescape()?;
        let value = unescape(&raw, escape, start)?;
        Ok(self.text_token(Tok::Sconst, start, value))
    }

    pub(super) fn unicode_identifier(&mut self, start: usize) -> LexResult<Token> {
        self.pos += 2;
        let raw = self.double_quoted(start)?;
        let escape = self.uescape()?;
        let value = unescape(&raw, escape, start)?;
        let name = self.truncate(value);
        Ok(self.text_token(Tok::Ident, start, name))
    }

    /// The escape character: that of a UESCAPE clause if one follows, else the backslash.
    fn uescape(&mut self) -> LexResult<u8> {
        let end = self.pos;
        let next = match self.skip_space().and_then(|()| self.next()) {
            Ok(token) if token.kw == Kw::Uescape => self.next()?,
            // A lexical error in the next token is met again, at its turn.
            _ => {
                self.pos = end;
                return Ok(b'\\');
            }
        };
        let (start, end) = (next.start as usize, next.end as usize);
        if next.tok != Tok::Sconst {
            let message = "UESCAPE must be followed by a simple string literal";
            return Err(self.error_at(message, start, end));
        }
        let value = match next.aux {
            0 if self.src[start] == b'$' => self.sql[start..end].trim_matches('$'),
            0 => &self.sql[start + 1..end - 1],
            i => self.out.texts[i as usize - 1].as_str(),
        };
        match value.as_bytes() {
            [b] if !b.is_ascii_hexdigit() && !matches!(b, b'+' | b'\'' | b'"') && !is_space(*b) => Ok(*b),
            _ => Err(self.error_at("invalid Unicode escape character", start, end)),
        }
    }
}

/// Replaces the escapes of a `U&` literal that starts at `start`.
fn unescape(raw: &str, escape: u8, start: usize) -> LexResult<String> {
    let bytes = raw.as_bytes();
    let mut out = String::with_capacity(raw.len());
    let mut pair: Option<u32> = None;
    let mut at = 0;
    let fail = |message: &str, at: usize| PgError::syntax(message).at((start + 3 + at) as i32);
    let hex_run = |from: usize, n: usize| {
        bytes.get(from..from + n).filter(|d| d.iter().all(u8::is_ascii_hexdigit)).map(hex)
    };
    while at < bytes.len() {
        if bytes[at] != escape || bytes.get(at + 1) == Some(&escape) {
            if pair.is_some() {
                return Err(fail(BAD_PAIR, at));
            }
            let c = raw[at..].chars().next().unwrap_or_default();
            out.push(c);
            at += if bytes[at] == escape { 2 } else { c.len_utf8() };
            continue;
        }
        let (c, len) = match (hex_run(at + 1, 4), bytes.get(at + 1)) {
            (Some(c), _) => (c, 5),
            (None, Some(b'+')) if hex_run(at + 2, 6).is_some() => (hex_run(at + 2, 6).unwrap_or(0), 8),
            _ => {
                return Err(
                    fail("invalid Unicode escape", at).hint("Unicode escapes must be \\XXXX or \\+XXXXXX.")
                );
            }
        };
        if c == 0 || c > 0x10ffff {
            return Err(fail("invalid Unicode escape value", at));
        }
        match (pair.take(), classify(c)) {
            (Some(first), Surrogate::Second) => out.extend(char::from_u32(join(first, c))),
            (Some(_), _) | (None, Surrogate::Second) => return Err(fail(BAD_PAIR, at)),
            (None, Surrogate::First) => pair = Some(c),
            (None, Surrogate::No) => out.extend(char::from_u32(c)),
        }
        at += len;
    }
    if pair.is_some() {
        return Err(fail(BAD_PAIR, at));
    }
    Ok(out)
}
