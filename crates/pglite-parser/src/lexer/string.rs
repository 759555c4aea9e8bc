//! Quoted string literals: standard, escape (`E''`), bit and hex strings; continuation over newlines.

use super::unicode::{self, Surrogate};
use super::*;
use crate::BackslashQuote;
use pglite_error::codes;

const UNTERMINATED: &str = "unterminated quoted string";

impl Lexer<'_> {
    /// A string in plain quotes; `pos` is at the quote.
    pub(super) fn string(&mut self, start: usize, standard: bool) -> LexResult<Token> {
        if !standard {
            return self.escape_string(start, true);
        }
        let first = self.pos + 1;
        let len = self.src[first..].iter().position(|&b| b == b'\'');
        if let Some(len) = len {
            self.pos = first + len + 1;
            if self.peek(0) != b'\'' && self.continuation().is_none() {
                return Ok(self.token(Tok::Sconst, start));
            }
        }
        self.pos = start;
        let value = self.quoted(start, UNTERMINATED, true)?;
        Ok(self.text_token(Tok::Sconst, start, value))
    }

    /// The text between quotes, over continuations. `pos` is at the opening quote and ends after the last.
    pub(super) fn quoted(&mut self, start: usize, unterminated: &str, doubling: bool) -> LexResult<String> {
        self.pos += 1;
        let mut value = String::new();
        loop {
            let Some(len) = self.src[self.pos..].iter().position(|&b| b == b'\'') else {
                return Err(self.error_at(unterminated, start, self.src.len()));
            };
            value.push_str(&self.sql[self.pos..self.pos + len]);
            self.pos += len + 1;
            if doubling && self.peek(0) == b'\'' {
                value.push('\'');
                self.pos += 1;
            } else if let Some(next) = self.continuation() {
                self.pos = next;
            } else {
                return Ok(value);
            }
        }
    }

    /// After a closing quote: if white space with a newline and another quote follow, the place after that quote.
    fn continuation(&self) -> Option<usize> {
        let mut at = self.pos;
        let mut newline = false;
        loop {
            match self.src.get(at)? {
                b'\n' | b'\r' => {
                    newline = true;
                    at += 1;
                }
                b if is_space(*b) => at += 1,
                b'-' if self.src.get(at + 1) == Some(&b'-') => {
                    at += self.src[at..].iter().position(|b| matches!(b, b'\n' | b'\r'))?;
                }
                b'\'' if newline => return Some(at + 1),
                _ => return None,
            }
        }
    }

    pub(super) fn bit_string(&mut self, start: usize, tok: Tok) -> LexResult<Token> {
        self.pos += 1;
        let (prefix, unterminated) = match tok {
            Tok::Bconst => ("b", "unterminated bit string literal"),
            _ => ("x", "unterminated hexadecimal string literal"),
        };
        let digits = self.quoted(start, unterminated, false)?;
        Ok(self.text_token(tok, start, format!("{prefix}{digits}")))
    }

    /// A string with backslash escapes; `pos` is at the quote. `warn`: it had no E, escapes deserve a warning.
    pub(super) fn escape_string(&mut self, start: usize, warn: bool) -> LexResult<Token> {
        let mut warn = warn && self.opts.escape_string_warning;
        self.pos += 1;
        let mut value: Vec<u8> = Vec::new();
        let mut verify = false;
        loop {
            let rest = &self.src[self.pos..];
            let Some(len) = rest.iter().position(|&b| b == b'\'' || b == b'\\') else {
                return Err(self.error_at(UNTERMINATED, start, self.src.len()));
            };
            value.extend_from_slice(&rest[..len]);
            self.pos += len;
            if self.src[self.pos] == b'\\' {
                self.escape(start, &mut value, &mut verify, &mut warn)?;
                continue;
            }
            self.pos += 1;
            if self.peek(0) == b'\'' {
                value.push(b'\'');
                self.pos += 1;
            } else if let Some(next) = self.continuation() {
                self.pos = next;
            } else {
                break;
            }
        }
        if verify && value.contains(&0) {
            return Err(invalid_encoding(&[0]));
        }
        match String::from_utf8(value) {
            Ok(value) => Ok(self.text_token(Tok::Sconst, start, value)),
            Err(e) => {
                let bad = e.utf8_error().valid_up_to();
                let bytes = &e.as_bytes()[bad..];
                let len = unicode::utf8_len(bytes[0]).min(bytes.len());
                Err(invalid_encoding(&bytes[..len]))
            }
        }
    }

    /// One escape sequence; `pos` is at the backslash.
    fn escape(
        &mut self,
        start: usize,
        out: &mut Vec<u8>,
        verify: &mut bool,
        warn: &mut bool,
    ) -> LexResult<()> {
        let at = self.pos;
        let Some(&kind) = self.src.get(at + 1) else {
            self.pos += 1;
            return Ok(());
        };
        match kind {
            b'0'..=b'7' => {
                let digits =
                    self.src[at + 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                self.warn_escape(start, kind, warn);
                let byte = self.src[at + 1..at + 1 + digits]
                    .iter()
                    .fold(0u32, |n, b| n * 8 + (b - b'0') as u32) as u8;
                *verify |= byte == 0 || byte >= 0x80;
                out.push(byte);
                self.pos = at + 1 + digits;
            }
            b'x' if self.peek(2).is_ascii_hexdigit() => {
                let digits = 1 + self.peek(3).is_ascii_hexdigit() as usize;
                self.warn_escape(start, kind, warn);
                let byte = unicode::hex(&self.src[at + 2..at + 2 + digits]) as u8;
                *verify |= byte == 0 || byte >= 0x80;
                out.push(byte);
                self.pos = at + 2 + digits;
            }
            b'u' | b'U' => {
                let c = self.unicode_escape()?;
                self.warn_escape(start, kind, warn);
                let c = match unicode::classify(c) {
                    Surrogate::First => {
                        let second_at = self.pos;
                        if self.peek(0) != b'\\' || !matches!(self.peek(1), b'u' | b'U') {
                            return Err(self.error_at(unicode::BAD_PAIR, second_at, second_at + 1));
                        }
                        let second = self.unicode_escape()?;
                        if unicode::classify(second) != Surrogate::Second {
                            return Err(self.error_at(unicode::BAD_PAIR, second_at, self.pos));
                        }
                        unicode::join(c, second)
                    }
                    Surrogate::Second => return Err(self.error_at(unicode::BAD_PAIR, at, self.pos)),
                    Surrogate::No => c,
                };
                match char::from_u32(c).filter(|&c| c != '\0') {
                    Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    None => return Err(self.error_at("invalid Unicode escape value", at, self.pos)),
                }
            }
            _ => {
                if kind == b'\'' && self.opts.backslash_quote == BackslashQuote::Off {
                    return Err(PgError::new(
                        codes::NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
                        "unsafe use of \\' in a string literal",
                    )
                    .hint("Use '' to write quotes in strings. \\' is insecure in client-only encodings.")
                    .at(start as i32));
                }
                self.warn_escape(start, kind, warn);
                out.push(match kind {
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    other => other,
                });
                self.pos += 2;
            }
        }
        Ok(())
    }

    /// `\uXXXX` or `\UXXXXXXXX` at `pos`; moves past it.
    fn unicode_escape(&mut self) -> LexResult<u32> {
        let at = self.pos;
        let want = if self.peek(1) == b'u' { 4 } else { 8 };
        let digits = self.src[at + 2..].iter().take(want).take_while(|b| b.is_ascii_hexdigit()).count();
        if digits < want {
            return Err(PgError::new(codes::INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape")
                .hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
                .at(at as i32));
        }
        self.pos = at + 2 + want;
        Ok(unicode::hex(&self.src[at + 2..self.pos]))
    }

    /// The warning about the first escape of a string without E.
    fn warn_escape(&mut self, start: usize, kind: u8, warn: &mut bool) {
        if !std::mem::take(warn) {
            return;
        }
        let (message, hint) = match kind {
            b'\'' => (
                "nonstandard use of \\' in a string literal",
                "Use '' to write quotes in strings, or use the escape string syntax (E'...').",
            ),
            b'\\' => (
                "nonstandard use of \\\\ in a string literal",
                "Use the escape string syntax for backslashes, e.g., E'\\\\'.",
            ),
            _ => (
                "nonstandard use of escape in a string literal",
                "Use the escape string syntax for escapes, e.g., E'\\r\\n'.",
            ),
        };
        let warning = PgError::warning(codes::NONSTANDARD_USE_OF_ESCAPE_CHARACTER, message);
        self.out.notices.push(warning.hint(hint).at(start as i32));
    }
}

fn invalid_encoding(bytes: &[u8]) -> PgError {
    let hex: Vec<String> = bytes.iter().map(|b| format!("0x{b:02x}")).collect();
    PgError::new(
        codes::CHARACTER_NOT_IN_REPERTOIRE,
        format!("invalid byte sequence for encoding \"UTF8\": {}", hex.join(" ")),
    )
}
