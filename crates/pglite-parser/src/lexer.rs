//! The lexer: text to tokens, in one pass, before the parser starts.
//!
//! Zero-copy: a token is 16 bytes of kind and span; only literals whose value differs from their spelling
//! (doubled quotes, escapes, continuation) are copied, into a side table. A lexical error becomes an
//! `Error` token, so that the parser raises it only if it gets that far - a syntax error before it wins.
//!
//! Invariant: the last token is `Eof` or `Error`.

mod number;
mod operator;
mod string;
mod token;
mod unicode;

pub(crate) use token::{Tok, Token};

use pglite_error::PgError;

use crate::ParseOptions;
use crate::keyword::{self, Kw};

/// Longest identifier in bytes; what is longer is truncated with a notice.
pub(crate) const MAX_NAME: usize = 63;

/// What [`lex`] hands to the parser.
pub(crate) struct Lexed {
    pub tokens: Vec<Token>,
    /// Values of tokens with a nonzero `aux` (index plus one).
    pub texts: Vec<String>,
    /// Set if the last token is `Error`.
    pub error: Option<PgError>,
    pub notices: Vec<PgError>,
}

struct Lexer<'a> {
    sql: &'a str,
    src: &'a [u8],
    pos: usize,
    opts: &'a ParseOptions,
    out: Lexed,
}

type LexResult<T> = Result<T, PgError>;

/// Cuts the text into tokens.
pub(crate) fn lex(sql: &str, opts: &ParseOptions) -> Lexed {
    let out = Lexed {
        tokens: Vec::with_capacity(sql.len() / 4 + 8),
        texts: Vec::new(),
        error: None,
        notices: Vec::new(),
    };
    let mut lexer = Lexer { sql, src: sql.as_bytes(), pos: 0, opts, out };
    loop {
        match lexer.next() {
            Ok(token) => {
                let done = token.tok == Tok::Eof;
                lexer.push(token);
                if done {
                    break;
                }
            }
            Err(e) => {
                let at = lexer.pos as u32;
                lexer.push(Token { tok: Tok::Error, kw: Kw::NoKeyword, start: at, end: at, aux: 0 });
                lexer.out.error = Some(e);
                break;
            }
        }
    }
    lexer.out
}

/// The value of an identifier token.
pub(crate) fn ident_value(sql: &str, texts: &[String], token: Token) -> String {
    match token.aux {
        0 => sql[token.start as usize..token.end as usize].to_ascii_lowercase(),
        i => texts[i as usize - 1].clone(),
    }
}

/// The value of a string or bit string token.
pub(crate) fn string_value<'a>(sql: &'a str, texts: &'a [String], token: Token) -> &'a str {
    if token.aux != 0 {
        return &texts[token.aux as usize - 1];
    }
    let text = &sql[token.start as usize..token.end as usize];
    let quote = match text.as_bytes()[0] {
        b'$' => text[1..].find('$').map_or(1, |i| i + 2),
        _ => 1,
    };
    &text[quote..text.len() - quote]
}

pub(crate) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c | 0x0b)
}

fn is_ident_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80
}

fn is_ident_cont(b: u8) -> bool {
    is_ident_start(b) || b.is_ascii_digit() || b == b'$'
}

/// Cuts a name to 63 bytes at a character boundary.
pub(crate) fn truncated(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

impl<'a> Lexer<'a> {
    /// Appends a token, renaming the keyword before it where the pair asks for it.
    fn push(&mut self, token: Token) {
        if token.kw != Kw::NoKeyword
            && let Some(last) = self.out.tokens.last_mut()
        {
            last.kw = match (last.kw, token.kw) {
                (Kw::Not, Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Similar) => Kw::NotLa,
                (Kw::With, Kw::Time | Kw::Ordinality) => Kw::WithLa,
                (Kw::Without, Kw::Time) => Kw::WithoutLa,
                (Kw::Nulls, Kw::First | Kw::Last) => Kw::NullsLa,
                (Kw::Format, Kw::Json) => Kw::FormatLa,
                (kw, _) => kw,
            };
        }
        self.out.tokens.push(token);
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.src.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn token(&self, tok: Tok, start: usize) -> Token {
        Token { tok, kw: Kw::NoKeyword, start: start as u32, end: self.pos as u32, aux: 0 }
    }

    fn text_token(&mut self, tok: Tok, start: usize, text: String) -> Token {
        self.out.texts.push(text);
        Token { aux: self.out.texts.len() as u32, ..self.token(tok, start) }
    }

    /// `message at or near "..."`, quoting the text from `start` to `end`.
    fn error_at(&self, message: &str, start: usize, end: usize) -> PgError {
        let e = if start >= self.src.len() {
            PgError::syntax(format!("{message} at end of input"))
        } else {
            let mut end = end;
            while !self.sql.is_char_boundary(end) {
                end += 1;
            }
            PgError::syntax(format!("{message} at or near \"{}\"", &self.sql[start..end]))
        };
        e.at(start as i32)
    }

    fn skip_space(&mut self) -> LexResult<()> {
        loop {
            match self.peek(0) {
                b if is_space(b) => self.pos += 1,
                b'-' if self.peek(1) == b'-' => {
                    while self.pos < self.src.len() && !matches!(self.src[self.pos], b'\n' | b'\r') {
                        self.pos += 1;
                    }
                }
                b'/' if self.peek(1) == b'*' => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// A `/* */` comment; they nest.
    fn skip_comment(&mut self) -> LexResult<()> {
        let start = self.pos;
        self.pos += 2;
        let mut depth = 1;
        while depth > 0 {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.pos += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.pos += 2;
                }
                _ if self.pos >= self.src.len() => {
                    return Err(self.error_at("unterminated /* comment", start, self.src.len()));
                }
                _ => self.pos += 1,
            }
        }
        Ok(())
    }

    fn next(&mut self) -> LexResult<Token> {
        self.skip_space()?;
        let start = self.pos;
        if start >= self.src.len() {
            return Ok(self.token(Tok::Eof, start));
        }
        let b = self.src[start];
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word(start),
            b'0'..=b'9' => self.number(start),
            b'\'' => self.string(start, self.opts.standard_conforming_strings),
            b'"' => self.quoted_identifier(start),
            b'$' => self.dollar(start),
            b'.' if self.peek(1).is_ascii_digit() => self.number(start),
            _ => self.operator(start),
        }
    }

    /// An identifier, a keyword, or a literal with a letter in front.
    fn word(&mut self, start: usize) -> LexResult<Token> {
        if self.peek(1) == b'\'' {
            match self.src[start] {
                b'e' | b'E' => {
                    self.pos += 1;
                    return self.escape_string(start, false);
                }
                b'b' | b'B' => return self.bit_string(start, Tok::Bconst),
                b'x' | b'X' => return self.bit_string(start, Tok::Xconst),
                b'n' | b'N' => {
                    self.pos += 1;
                    return Ok(Token { kw: Kw::Nchar, ..self.token(Tok::Keyword, start) });
                }
                _ => {}
            }
        } else if self.peek(1) == b'&' && matches!(self.src[start], b'u' | b'U') {
            match self.peek(2) {
                b'\'' => return self.unicode_string(start),
                b'"' => return self.unicode_identifier(start),
                _ => {}
            }
        }
        let mut end = start + 1;
        while end < self.src.len() && is_ident_cont(self.src[end]) {
            end += 1;
        }
        self.pos = end;
        let kw = keyword::lookup(&self.src[start..end]);
        if kw != Kw::NoKeyword {
            return Ok(Token { kw, ..self.token(Tok::Keyword, start) });
        }
        if end - start > MAX_NAME {
            let name = self.sql[start..end].to_ascii_lowercase();
            let name = self.truncate(name);
            return Ok(self.text_token(Tok::Ident, start, name));
        }
        Ok(self.token(Tok::Ident, start))
    }

    fn truncate(&mut self, name: String) -> String {
        if name.len() <= MAX_NAME {
            return name;
        }
        let short = truncated(&name).to_string();
        let notice = PgError::with_severity(
            pglite_error::Severity::Notice,
            pglite_error::codes::NAME_TOO_LONG,
            format!("identifier \"{name}\" will be truncated to \"{short}\""),
        );
        self.out.notices.push(notice);
        short
    }

    fn quoted_identifier(&mut self, start: usize) -> LexResult<Token> {
        let name = self.double_quoted(start)?;
        let name = self.truncate(name);
        Ok(self.text_token(Tok::Ident, start, name))
    }

    /// The text between double quotes; `pos` is at the opening one. `start` is where the token begins.
    fn double_quoted(&mut self, start: usize) -> LexResult<String> {
        self.pos += 1;
        let mut value = String::new();
        loop {
            let Some(len) = self.src[self.pos..].iter().position(|&b| b == b'"') else {
                return Err(self.error_at("unterminated quoted identifier", start, self.src.len()));
            };
            value.push_str(&self.sql[self.pos..self.pos + len]);
            self.pos += len + 1;
            if self.peek(0) != b'"' {
                break;
            }
            value.push('"');
            self.pos += 1;
        }
        if value.is_empty() {
            return Err(self.error_at("zero-length delimited identifier", start, self.pos));
        }
        Ok(value)
    }

    /// `$1`, or a dollar-quoted string, or a lone dollar sign.
    fn dollar(&mut self, start: usize) -> LexResult<Token> {
        if self.peek(1).is_ascii_digit() {
            return self.parameter(start);
        }
        let mut end = start + 1;
        if self.src.get(end).is_some_and(|&b| is_ident_start(b)) {
            while self.src.get(end).is_some_and(|&b| is_ident_start(b) || b.is_ascii_digit()) {
                end += 1;
            }
        }
        if self.src.get(end) != Some(&b'$') {
            self.pos += 1;
            return Ok(self.token(Tok::Other, start));
        }
        let delimiter = &self.sql[start..=end];
        match self.sql[end + 1..].find(delimiter) {
            Some(len) => {
                self.pos = end + 1 + len + delimiter.len();
                Ok(self.token(Tok::Sconst, start))
            }
            None => Err(self.error_at("unterminated dollar-quoted string", start, self.src.len())),
        }
    }
}
