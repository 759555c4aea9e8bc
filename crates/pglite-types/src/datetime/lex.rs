//! Splits date/time text into typed fields.

use super::decode::{DtError, DtResult};
use super::words;
use crate::text::scalar::is_space;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Digits, maybe with a decimal point.
    Number,
    /// Letters.
    Word,
    /// Digits and letters joined by `-`, `/` or `.`.
    Date,
    /// Digits and colons.
    Time,
    /// A sign and digits.
    Zone,
    /// A sign and letters.
    Special,
}

/// One field, in lower case.
#[derive(Clone, Debug)]
pub struct Field {
    pub kind: Kind,
    pub text: String,
}

const MAX_FIELDS: usize = 25;

/// Splits `s`; `limit` bounds the total length of the fields (their terminators counted).
pub fn split(s: &str, limit: usize) -> DtResult<Vec<Field>> {
    let mut l = Lexer { b: s.as_bytes(), i: 0 };
    let mut out: Vec<Field> = Vec::with_capacity(4);
    let mut used = 0;
    while let Some(c) = l.peek() {
        if is_space(c) {
            l.i += 1;
            continue;
        }
        if out.len() >= MAX_FIELDS {
            return Err(DtError::BadFormat);
        }
        let field = if c.is_ascii_digit() {
            l.digits_first()
        } else if c == b'.' {
            let mut text = l.take_one();
            l.take_while(&mut text, |c| c.is_ascii_digit());
            Field { kind: Kind::Number, text }
        } else if c.is_ascii_alphabetic() {
            l.letters_first()
        } else if c == b'+' || c == b'-' {
            l.sign_first()?
        } else if c.is_ascii_punctuation() {
            l.i += 1;
            continue;
        } else {
            return Err(DtError::BadFormat);
        };
        used += field.text.len() + 1;
        if used > limit {
            return Err(DtError::BadFormat);
        }
        out.push(field);
    }
    Ok(out)
}

struct Lexer<'a> {
    b: &'a [u8],
    i: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.b.get(self.i).copied()
    }
    fn take_one(&mut self) -> String {
        let mut s = String::with_capacity(12);
        s.push(self.b[self.i].to_ascii_lowercase() as char);
        self.i += 1;
        s
    }
    fn take_while(&mut self, out: &mut String, ok: impl Fn(u8) -> bool) {
        while let Some(c) = self.peek()
            && ok(c)
        {
            out.push(c.to_ascii_lowercase() as char);
            self.i += 1;
        }
    }
    fn digits_first(&mut self) -> Field {
        let mut text = self.take_one();
        self.take_while(&mut text, |c| c.is_ascii_digit());
        let kind = match self.peek() {
            Some(b':') => {
                self.take_while(&mut text, |c| c.is_ascii_digit() || c == b':' || c == b'.');
                Kind::Time
            }
            Some(delim @ (b'-' | b'/' | b'.')) => {
                text.push(delim as char);
                self.i += 1;
                if self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.take_while(&mut text, |c| c.is_ascii_digit());
                    if self.peek() == Some(delim) {
                        self.take_while(&mut text, |c| c.is_ascii_digit() || c == delim);
                        Kind::Date
                    } else if delim == b'.' {
                        Kind::Number
                    } else {
                        Kind::Date
                    }
                } else {
                    self.take_while(&mut text, |c| c.is_ascii_alphanumeric() || c == delim);
                    Kind::Date
                }
            }
            _ => Kind::Number,
        };
        Field { kind, text }
    }
    fn letters_first(&mut self) -> Field {
        let mut text = self.take_one();
        self.take_while(&mut text, |c| c.is_ascii_alphabetic());
        let date = match self.peek() {
            Some(b'-' | b'/' | b'.') => true,
            // A sign or digit joins a word only when the word means nothing by itself.
            Some(c) if c == b'+' || c.is_ascii_digit() => words::special(&text).is_none(),
            _ => false,
        };
        if !date {
            return Field { kind: Kind::Word, text };
        }
        loop {
            text.push(self.b[self.i].to_ascii_lowercase() as char);
            self.i += 1;
            match self.peek() {
                Some(c)
                    if matches!(c, b'+' | b'-' | b'/' | b'_' | b'.' | b':') || c.is_ascii_alphanumeric() => {}
                _ => break,
            }
        }
        Field { kind: Kind::Date, text }
    }
    fn sign_first(&mut self) -> DtResult<Field> {
        let mut text = self.take_one();
        while self.peek().is_some_and(is_space) {
            self.i += 1;
        }
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                self.take_while(&mut text, |c| c.is_ascii_digit() || matches!(c, b':' | b'.' | b'-'));
                Ok(Field { kind: Kind::Zone, text })
            }
            Some(c) if c.is_ascii_alphabetic() => {
                self.take_while(&mut text, |c| c.is_ascii_alphabetic());
                Ok(Field { kind: Kind::Special, text })
            }
            _ => Err(DtError::BadFormat),
        }
    }
}
