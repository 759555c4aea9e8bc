//! The JSON lexer, with PostgreSQL's error details and context lines.

use pglite_error::{PgError, PgResult, codes};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    String,
    Number,
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Comma,
    Colon,
    True,
    False,
    Null,
    End,
}

/// Tokens of a JSON text. With `decode`, strings are unescaped into [`Lexer::string`].
pub struct Lexer<'a> {
    text: &'a str,
    b: &'a [u8],
    decode: bool,
    pub token: Token,
    pub start: usize,
    /// End of the token, or of what an error is about.
    pub end: usize,
    line: usize,
    line_start: usize,
    /// The last string, unescaped.
    pub string: String,
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, decode: bool) -> Lexer<'a> {
        Lexer {
            text,
            b: text.as_bytes(),
            decode,
            token: Token::End,
            start: 0,
            end: 0,
            line: 1,
            line_start: 0,
            string: String::new(),
        }
    }
    /// The text of the current token.
    pub fn text(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or("")
    }
    /// Moves to the next token.
    pub fn advance(&mut self) -> PgResult<Token> {
        let b = self.b;
        let mut s = self.end;
        while let Some(c) = b.get(s)
            && matches!(c, b' ' | b'\t' | b'\n' | b'\r')
        {
            s += 1;
            if *c == b'\n' {
                self.line += 1;
                self.line_start = s;
            }
        }
        self.start = s;
        self.end = s + 1;
        self.token = match b.get(s) {
            None => {
                self.end = s;
                Token::End
            }
            Some(b'{') => Token::ObjectStart,
            Some(b'}') => Token::ObjectEnd,
            Some(b'[') => Token::ArrayStart,
            Some(b']') => Token::ArrayEnd,
            Some(b',') => Token::Comma,
            Some(b':') => Token::Colon,
            Some(b'"') => {
                self.lex_string()?;
                Token::String
            }
            Some(b'-') => self.lex_number(s + 1)?,
            Some(b'0'..=b'9') => self.lex_number(s)?,
            Some(_) => {
                let n = b[s..].iter().take_while(|c| is_word(**c)).count();
                self.end = s + n.max(1);
                match &b[s..s + n] {
                    b"true" => Token::True,
                    b"false" => Token::False,
                    b"null" => Token::Null,
                    _ => return Err(self.invalid_token()),
                }
            }
        };
        Ok(self.token)
    }
    fn lex_number(&mut self, at: usize) -> PgResult<Token> {
        let b = self.b;
        let digits = |from: usize| b[from.min(b.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
        let mut s = at;
        let mut bad = false;
        match b.get(s) {
            Some(b'0') => s += 1,
            Some(b'1'..=b'9') => s += digits(s),
            _ => bad = true,
        }
        if b.get(s) == Some(&b'.') {
            let n = digits(s + 1);
            bad |= n == 0;
            s += 1 + n;
        }
        if matches!(b.get(s), Some(b'e' | b'E')) {
            s += 1;
            if matches!(b.get(s), Some(b'+' | b'-')) {
                s += 1;
            }
            let n = digits(s);
            bad |= n == 0;
            s += n;
        }
        // Letters glued to a number belong to the bad token.
        let junk = b[s.min(b.len())..].iter().take_while(|c| is_word(**c)).count();
        self.end = (s + junk).min(b.len());
        if bad || junk > 0 {
            return Err(self.invalid_token());
        }
        Ok(Token::Number)
    }
    fn lex_string(&mut self) -> PgResult<()> {
        let b = self.b;
        let mut s = self.start + 1;
        let mut high: Option<u32> = None;
        self.string.clear();
        loop {
            // A run of plain characters.
            let run = b[s..].iter().take_while(|&&c| c >= 0x20 && c != b'"' && c != b'\\').count();
            if run > 0 {
                if high.is_some() {
                    return Err(self.char_error(s, LOW_SURROGATE));
                }
                if self.decode {
                    self.string.push_str(&self.text[s..s + run]);
                }
                s += run;
            }
            match b.get(s) {
                None => {
                    self.end = s;
                    return Err(self.invalid_token());
                }
                Some(b'"') => break,
                Some(b'\\') => s = self.lex_escape(s + 1, &mut high)?,
                Some(&c) => {
                    self.end = s;
                    return Err(self.error(format!("Character with value 0x{c:02x} must be escaped.")));
                }
            }
        }
        self.end = s + 1;
        if high.is_some() {
            return Err(self.error(LOW_SURROGATE.into()));
        }
        Ok(())
    }
    /// The escape whose letter is at `s`; returns where the string goes on.
    fn lex_escape(&mut self, s: usize, high: &mut Option<u32>) -> PgResult<usize> {
        let Some(&c) = self.b.get(s) else {
            self.end = s;
            return Err(self.invalid_token());
        };
        if c == b'u' {
            return self.lex_unicode(s, high);
        }
        if self.decode && high.is_some() {
            return Err(self.char_error(s, LOW_SURROGATE));
        }
        let plain = match c {
            b'"' | b'\\' | b'/' => c as char,
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => {
                self.end = s + self.char_len(s);
                let shown = &self.text[s..self.end];
                return Err(self.error(format!("Escape sequence \"\\{shown}\" is invalid.")));
            }
        };
        if self.decode {
            self.string.push(plain);
        }
        Ok(s + 1)
    }
    fn lex_unicode(&mut self, s: usize, high: &mut Option<u32>) -> PgResult<usize> {
        let mut ch = 0;
        for i in 1..=4 {
            match self.b.get(s + i) {
                None => {
                    self.end = s + i;
                    return Err(self.invalid_token());
                }
                Some(&c) => match (c as char).to_digit(16) {
                    Some(d) => ch = ch * 16 + d,
                    None => {
                        return Err(
                            self.char_error(s + i, "\"\\u\" must be followed by four hexadecimal digits.")
                        );
                    }
                },
            }
        }
        if self.decode {
            match (ch, *high) {
                (0xd800..=0xdbff, Some(_)) => {
                    let text = "Unicode high surrogate must not follow a high surrogate.";
                    return Err(self.char_error(s + 4, text));
                }
                (0xd800..=0xdbff, None) => *high = Some(ch),
                (0xdc00..=0xdfff, None) => return Err(self.char_error(s + 4, LOW_SURROGATE)),
                (0xdc00..=0xdfff, Some(h)) => {
                    *high = None;
                    let v = 0x10000 + ((h & 0x3ff) << 10) + (ch & 0x3ff);
                    self.string.push(char::from_u32(v).unwrap_or('\u{fffd}'));
                }
                (_, Some(_)) => return Err(self.char_error(s + 4, LOW_SURROGATE)),
                (0, None) => {
                    self.end = s + 5;
                    let mut e = self.error("\\u0000 cannot be converted to text.".into());
                    e.fields_mut().code = codes::UNTRANSLATABLE_CHARACTER;
                    e.fields_mut().message = "unsupported Unicode escape sequence".into();
                    return Err(e);
                }
                (_, None) => self.string.push(char::from_u32(ch).unwrap_or('\u{fffd}')),
            }
        }
        Ok(s + 5)
    }
    fn char_len(&self, at: usize) -> usize {
        self.text.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
    }
    /// An error about the text through the character at `at`.
    fn char_error(&mut self, at: usize, detail: &str) -> PgError {
        self.end = at + self.char_len(at);
        self.error(detail.into())
    }
    pub fn invalid_token(&self) -> PgError {
        self.error(format!("Token \"{}\" is invalid.", self.text()))
    }
    /// The parser expected something else.
    pub fn expected(&self, what: &str) -> PgError {
        if self.token == Token::End {
            return self.error("The input string ended unexpectedly.".into());
        }
        self.error(format!("Expected {what}, but found \"{}\".", self.text()))
    }
    pub fn error(&self, detail: String) -> PgError {
        PgError::new(codes::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json")
            .detail(detail)
            .context(self.context())
    }
    /// The line the error is in, up to it, at most 50 bytes.
    fn context(&self) -> String {
        let end = self.end.min(self.b.len());
        let mut from = self.line_start;
        while end - from >= 50 {
            from += self.char_len(from);
        }
        if from - self.line_start <= 3 {
            from = self.line_start;
        }
        let prefix = if from > self.line_start { "..." } else { "" };
        let more = self.token != Token::End || self.start < self.b.len();
        let suffix = match self.b.get(end) {
            Some(c) if more && *c != b'\n' && *c != b'\r' => "...",
            _ => "",
        };
        let shown = String::from_utf8_lossy(&self.b[from.min(end)..end]);
        format!("JSON data, line {}: {prefix}{shown}{suffix}", self.line)
    }
}

const LOW_SURROGATE: &str = "Unicode low surrogate must follow a high surrogate.";
