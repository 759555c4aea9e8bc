//! Numeric literals and parameters.

use super::*;

const JUNK: &str = "trailing junk after numeric literal";

impl Lexer<'_> {
    /// The end of digits (with single underscores between them) that starts at `at`.
    fn digits(&self, mut at: usize, is_digit: impl Fn(u8) -> bool) -> usize {
        loop {
            match self.src.get(at) {
                Some(&b) if is_digit(b) => at += 1,
                Some(b'_') if self.src.get(at + 1).is_some_and(|&b| is_digit(b)) => at += 2,
                _ => return at,
            }
        }
    }

    /// The end of digits that must start with a digit.
    fn decimal(&self, at: usize) -> usize {
        if self.src.get(at).is_some_and(u8::is_ascii_digit) {
            self.digits(at, |b| b.is_ascii_digit())
        } else {
            at
        }
    }

    /// The end of the identifier that runs on at `at`, if one does.
    fn junk_end(&self, at: usize) -> Option<usize> {
        if !self.src.get(at).is_some_and(|&b| is_ident_start(b)) {
            return None;
        }
        let rest = &self.src[at..];
        Some(at + rest.iter().position(|&b| !is_ident_cont(b)).unwrap_or(rest.len()))
    }

    pub(super) fn number(&mut self, start: usize) -> LexResult<Token> {
        if self.src[start] == b'0' {
            match self.peek(1) {
                b'x' | b'X' => return self.radix(start, 16, "invalid hexadecimal integer"),
                b'o' | b'O' => return self.radix(start, 8, "invalid octal integer"),
                b'b' | b'B' => return self.radix(start, 2, "invalid binary integer"),
                _ => {}
            }
        }
        let mut end = self.decimal(start);
        let mut integer = true;
        if self.src.get(end) == Some(&b'.') && (end == start || self.src.get(end + 1) != Some(&b'.')) {
            integer = false;
            end = self.decimal(end + 1);
        }
        if matches!(self.src.get(end), Some(b'e' | b'E')) {
            let sign = matches!(self.src.get(end + 1), Some(b'+' | b'-')) as usize;
            let exponent = self.decimal(end + 1 + sign);
            if exponent > end + 1 + sign {
                integer = false;
                end = exponent;
            } else if sign == 1 {
                return Err(self.error_at(JUNK, start, end + 2));
            }
        }
        if let Some(junk) = self.junk_end(end) {
            return Err(self.error_at(JUNK, start, junk));
        }
        self.pos = end;
        if !integer {
            return Ok(self.token(Tok::Fconst, start));
        }
        Ok(self.integer(start, start, 10))
    }

    /// `0x`, `0o`, `0b`
    fn radix(&mut self, start: usize, radix: u32, message: &str) -> LexResult<Token> {
        let end = self.digits(start + 2, |b| (b as char).is_digit(radix));
        let junk = self.junk_end(start + 1).unwrap_or(end);
        if end == start + 2 {
            let fail = if self.peek(2) == b'_' { start + 3 } else { start + 2 };
            let message = if junk > fail { JUNK } else { message };
            return Err(self.error_at(message, start, junk.max(fail)));
        }
        if junk > end {
            return Err(self.error_at(JUNK, start, junk));
        }
        self.pos = end;
        Ok(self.integer(start, start + 2, radix))
    }

    fn integer(&self, start: usize, digits: usize, radix: u32) -> Token {
        let mut value: u32 = 0;
        for &b in &self.src[digits..self.pos] {
            if b == b'_' {
                continue;
            }
            let digit = (b as char).to_digit(radix).unwrap_or(0);
            match value.checked_mul(radix).and_then(|v| v.checked_add(digit)) {
                Some(v) if v <= i32::MAX as u32 => value = v,
                _ => return self.token(Tok::Fconst, start),
            }
        }
        Token { aux: value, ..self.token(Tok::Iconst, start) }
    }

    pub(super) fn parameter(&mut self, start: usize) -> LexResult<Token> {
        let mut end = start + 1;
        while self.src.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        if let Some(junk) = self.junk_end(end) {
            return Err(self.error_at("trailing junk after parameter", start, junk));
        }
        self.pos = end;
        match self.sql[start + 1..end].parse::<i32>() {
            Ok(n) => Ok(Token { aux: n as u32, ..self.token(Tok::Param, start) }),
            Err(_) => Err(self.error_at("parameter number too large", start, end)),
        }
    }
}
