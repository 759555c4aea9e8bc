//! Operators and punctuation.

use super::*;

fn is_op_char(b: u8) -> bool {
    matches!(
        b,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

/// Characters that occur in no operator of the SQL standard: an operator with one may end in + or -.
fn is_non_sql(b: u8) -> bool {
    matches!(b, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%')
}

impl Lexer<'_> {
    pub(super) fn operator(&mut self, start: usize) -> LexResult<Token> {
        if is_op_char(self.src[start]) {
            return self.long_operator(start);
        }
        let (tok, len) = match (self.src[start], self.peek(1)) {
            (b',', _) => (Tok::Comma, 1),
            (b'(', _) => (Tok::LParen, 1),
            (b')', _) => (Tok::RParen, 1),
            (b'[', _) => (Tok::LBracket, 1),
            (b']', _) => (Tok::RBracket, 1),
            (b';', _) => (Tok::Semicolon, 1),
            (b'.', b'.') => (Tok::DotDot, 2),
            (b'.', _) => (Tok::Dot, 1),
            (b':', b':') => (Tok::Typecast, 2),
            (b':', b'=') => (Tok::ColonEquals, 2),
            (b':', _) => (Tok::Colon, 1),
            _ => (Tok::Other, 1),
        };
        self.pos += len;
        Ok(self.token(tok, start))
    }

    /// A run of operator characters. It ends before a comment; and trailing + and - do not belong to it unless
    /// it has a character that no SQL operator has.
    fn long_operator(&mut self, start: usize) -> LexResult<Token> {
        let mut end = start + 1;
        while end < self.src.len() && is_op_char(self.src[end]) {
            if matches!(&self.src[end..end + 2.min(self.src.len() - end)], b"/*" | b"--") {
                break;
            }
            end += 1;
        }
        let last_is_sign = |end: usize| matches!(self.src[end - 1], b'+' | b'-');
        if end - start > 1 && last_is_sign(end) && !self.src[start..end - 1].iter().any(|&b| is_non_sql(b)) {
            while end - start > 1 && last_is_sign(end) {
                end -= 1;
            }
        }
        self.pos = end;
        let tok = match &self.src[start..end] {
            b"+" => Tok::Plus,
            b"-" => Tok::Minus,
            b"*" => Tok::Star,
            b"/" => Tok::Slash,
            b"%" => Tok::Percent,
            b"^" => Tok::Caret,
            b"<" => Tok::Less,
            b">" => Tok::Greater,
            b"=" => Tok::Equals,
            b"=>" => Tok::EqualsGreater,
            b"<=" => Tok::LessEquals,
            b">=" => Tok::GreaterEquals,
            b"<>" | b"!=" => Tok::NotEquals,
            op if op.len() > MAX_NAME => return Err(self.error_at("operator too long", start, end)),
            _ => Tok::Op,
        };
        Ok(self.token(tok, start))
    }
}
