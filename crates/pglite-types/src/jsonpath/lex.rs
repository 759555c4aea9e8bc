//! The jsonpath lexer: ECMAScript-like tokens.

use pglite_error::{PgError, PgResult, codes};

#[derive(Clone, Debug, PartialEq)]
pub enum Tok {
    End,
    /// One special character.
    Char(char),
    And,
    Or,
    Not,
    Any,
    Less,
    LessEq,
    Eq,
    NotEq,
    Greater,
    GreaterEq,
    /// A number with a point or exponent.
    Numeric(String),
    Int(String),
    String(String),
    Variable(String),
    /// A bare word; keywords are told apart by the parser.
    Word(String),
}

pub struct Lexer<'a> {
    s: &'a str,
    i: usize,
    /// What a syntax error at the last token quotes; empty for the end of the input.
    pub near: String,
}

fn is_special(c: char) -> bool {
    matches!(
        c,
        '?' | '%'
            | '$'
            | '.'
            | '['
            | ']'
            | '{'
            | '}'
            | '('
            | ')'
            | '|'
            | '&'
            | '!'
            | '='
            | '<'
            | '>'
            | '@'
            | '#'
            | ','
            | '*'
            | ':'
            | '-'
            | '+'
            | '/'
    )
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn is_other(c: char) -> bool {
    !is_special(c) && !is_blank(c) && c != '\\' && c != '"'
}

/// The error of lexer and parser alike.
pub fn error(message: &str, near: &str) -> PgError {
    let place = if near.is_empty() {
        "at end of jsonpath input".to_string()
    } else {
        format!("at or near \"{near}\" of jsonpath input")
    };
    PgError::new(codes::SYNTAX_ERROR, format!("{message} {place}"))
}

impl<'a> Lexer<'a> {
    pub fn new(s: &'a str) -> Lexer<'a> {
        Lexer { s, i: 0, near: String::new() }
    }
    fn rest(&self) -> &'a str {
        &self.s[self.i..]
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    pub fn next(&mut self) -> PgResult<Tok> {
        loop {
            let blank = self.rest().find(|c| !is_blank(c)).unwrap_or(self.rest().len());
            self.i += blank;
            if !self.rest().starts_with("/*") {
                break;
            }
            self.comment()?;
        }
        let rest = self.rest();
        let Some(c) = self.peek() else {
            self.near.clear();
            return Ok(Tok::End);
        };
        const OPS: [(&str, Tok); 10] = [
            ("&&", Tok::And),
            ("||", Tok::Or),
            ("**", Tok::Any),
            ("<=", Tok::LessEq),
            ("==", Tok::Eq),
            ("<>", Tok::NotEq),
            ("!=", Tok::NotEq),
            (">=", Tok::GreaterEq),
            ("!", Tok::Not),
            ("<", Tok::Less),
        ];
        for (text, tok) in OPS {
            if rest.starts_with(text) {
                return Ok(self.take(text.len(), tok));
            }
        }
        match c {
            '>' => Ok(self.take(1, Tok::Greater)),
            '$' => self.dollar(),
            '"' => {
                self.i += 1;
                let s = self.quoted()?;
                self.near = "\"".into();
                Ok(Tok::String(s))
            }
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            c if is_special(c) => Ok(self.take(1, Tok::Char(c))),
            _ => self.word(),
        }
    }
    fn take(&mut self, n: usize, tok: Tok) -> Tok {
        self.near = self.rest()[..n].to_string();
        self.i += n;
        tok
    }
    fn comment(&mut self) -> PgResult<()> {
        match self.rest()[2..].find("*/") {
            Some(at) => {
                self.i += at + 4;
                Ok(())
            }
            None => Err(error("unexpected end of comment", "")),
        }
    }
    fn dollar(&mut self) -> PgResult<Tok> {
        let rest = &self.rest()[1..];
        if rest.starts_with('"') {
            self.i += 2;
            let s = self.quoted()?;
            self.near = "\"".into();
            return Ok(Tok::Variable(s));
        }
        let n = rest.find(|c| !is_other(c)).unwrap_or(rest.len());
        if n == 0 {
            return Ok(self.take(1, Tok::Char('$')));
        }
        let name = rest[..n].to_string();
        Ok(self.take(n + 1, Tok::Variable(name)))
    }
    fn quoted(&mut self) -> PgResult<String> {
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(error("unterminated quoted string", "")),
                Some('"') => {
                    self.i += 1;
                    return Ok(out);
                }
                Some('\\') => self.escape(&mut out)?,
                Some(c) => {
                    out.push(c);
                    self.i += c.len_utf8();
                }
            }
        }
    }
    /// A bare word with escapes; it ends at a blank, a special character or a quote.
    fn word(&mut self) -> PgResult<Tok> {
        let mut out = String::new();
        loop {
            match self.peek() {
                Some('\\') => self.escape(&mut out)?,
                Some(c) if is_other(c) => {
                    out.push(c);
                    self.i += c.len_utf8();
                }
                end => {
                    // PG: an error at a word quotes what ended it.
                    self.near = match end {
                        Some(c) if is_blank(c) => self.rest().chars().take_while(|c| is_blank(*c)).collect(),
                        Some('/') if self.rest().starts_with("/*") => "/*".into(),
                        _ => String::new(),
                    };
                    return Ok(Tok::Word(out));
                }
            }
        }
    }
    fn escape(&mut self, out: &mut String) -> PgResult<()> {
        let rest = &self.rest()[1..];
        let Some(c) = rest.chars().next() else {
            return Err(error("unexpected end after backslash", "\\"));
        };
        let plain = match c {
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => return self.unicode(out),
            'x' => {
                let digits: String = rest[1..].chars().take(2).take_while(char::is_ascii_hexdigit).collect();
                if digits.len() < 2 {
                    return Err(error("invalid hexadecimal character sequence", &format!("\\x{digits}")));
                }
                self.i += 4;
                let v = u32::from_str_radix(&digits, 16).unwrap_or(0);
                return push_code(v, &mut None, out);
            }
            c => c,
        };
        out.push(plain);
        self.i += 1 + c.len_utf8();
        Ok(())
    }
    /// A run of `\uXXXX` and `\u{...}`, which may form surrogate pairs.
    fn unicode(&mut self, out: &mut String) -> PgResult<()> {
        let start = self.i;
        let mut high = None;
        while self.rest().starts_with("\\u") {
            let rest = &self.rest()[2..];
            let (digits, len, ok) = match rest.strip_prefix('{') {
                Some(r) => {
                    let d: String = r.chars().take(6).take_while(char::is_ascii_hexdigit).collect();
                    let closed = r[d.len()..].starts_with('}') && !d.is_empty();
                    (d.clone(), d.len() + 2, closed)
                }
                None => {
                    let d: String = rest.chars().take(4).take_while(char::is_ascii_hexdigit).collect();
                    (d.clone(), d.len(), d.len() == 4)
                }
            };
            if !ok {
                let brace = rest.starts_with('{') as usize;
                let end = self.i + 2 + digits.len() + brace;
                return Err(error("invalid Unicode escape sequence", &self.s[start..end]));
            }
            self.i += 2 + len;
            push_code(u32::from_str_radix(&digits, 16).unwrap_or(0), &mut high, out)?;
        }
        if high.is_some() {
            return Err(surrogate("Unicode low surrogate must follow a high surrogate."));
        }
        Ok(())
    }
    fn number(&mut self) -> PgResult<Tok> {
        let rest = self.rest();
        let b = rest.as_bytes();
        // Digits with single underscores between them.
        let digits = |from: usize, radix: u32| {
            let mut n = from;
            while let Some(&c) = b.get(n) {
                let next_digit = |at: usize| b.get(at).is_some_and(|&c| (c as char).is_digit(radix));
                if (c as char).is_digit(radix)
                    || (c == b'_' && n > from && next_digit(n + 1) && b[n - 1] != b'_')
                {
                    n += 1;
                } else {
                    break;
                }
            }
            n
        };
        let mut end = if b[0] == b'0' { 1 } else { digits(0, 10) };
        let mut int = true;
        if b[0] == b'0'
            && let Some(radix) = match b.get(1) {
                Some(b'x' | b'X') => Some(16),
                Some(b'o' | b'O') => Some(8),
                Some(b'b' | b'B') => Some(2),
                _ => None,
            }
        {
            let n = digits(2, radix);
            if n > 2 {
                let text = rest[..n].to_string();
                return Ok(self.take(n, Tok::Int(text)));
            }
        }
        if b.get(end) == Some(&b'.') {
            end = digits(end + 1, 10);
            int = false;
        }
        if matches!(b.get(end), Some(b'e' | b'E')) {
            let sign = matches!(b.get(end + 1), Some(b'+' | b'-')) as usize;
            let n = digits(end + 1 + sign, 10);
            if n > end + 1 + sign {
                end = n;
                int = false;
            } else if sign == 1 {
                return Err(error("invalid numeric literal", &rest[..end + 2]));
            }
        }
        if let Some(c) = rest[end..].chars().next()
            && is_other(c)
        {
            let junk = end + c.len_utf8();
            // A longer run of word characters makes it a word.
            if rest.find(|c| !is_other(c)).unwrap_or(rest.len()) > junk {
                return self.word();
            }
            return Err(error("trailing junk after numeric literal", &rest[..junk]));
        }
        let text = rest[..end].to_string();
        Ok(self.take(end, if int { Tok::Int(text) } else { Tok::Numeric(text) }))
    }
}

fn surrogate(detail: &str) -> PgError {
    PgError::new(codes::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath").detail(detail)
}

fn push_code(v: u32, high: &mut Option<u32>, out: &mut String) -> PgResult<()> {
    match (v, *high) {
        (0, _) => Err(PgError::new(codes::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
            .detail("\\u0000 cannot be converted to text.")),
        (0xd800..=0xdbff, Some(_)) => {
            Err(surrogate("Unicode high surrogate must not follow a high surrogate."))
        }
        (0xd800..=0xdbff, None) => {
            *high = Some(v);
            Ok(())
        }
        (0xdc00..=0xdfff, Some(h)) => {
            *high = None;
            out.push(char::from_u32(0x10000 + ((h & 0x3ff) << 10) + (v & 0x3ff)).unwrap_or('\u{fffd}'));
            Ok(())
        }
        (0xdc00..=0xdfff, None) | (_, Some(_)) => {
            Err(surrogate("Unicode low surrogate must follow a high surrogate."))
        }
        _ => match char::from_u32(v) {
            Some(c) => {
                out.push(c);
                Ok(())
            }
            None => Err(PgError::new(codes::SYNTAX_ERROR, "could not convert Unicode to server encoding")),
        },
    }
}
