//! Tokens for those who read more than SQL: PL/pgSQL's scanner, and whoever cuts statements apart.
//!
//! Same tokens as the grammar's, with their values; white space and comments are gone.

use pglite_error::PgResult;

use crate::ParseOptions;
use crate::keyword::Kw;
use crate::lexer::{self, Tok};

/// A token's kind and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanKind {
    /// A name: downcased if it was not quoted, truncated to 63 bytes.
    Ident {
        name: String,
        quoted: bool,
    },
    /// A keyword of SQL, in lower case.
    Keyword(&'static str),
    Integer(i32),
    /// Any other number, as spelled.
    Float,
    String(String),
    BitString(String),
    /// `$n`
    Param(i32),
    /// Operators and punctuation: one of `( ) [ ] , ; : . :: := .. =>` or an operator.
    Symbol,
    /// A character that begins no token of SQL.
    Other,
}

/// A token with its span in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanToken {
    pub kind: ScanKind,
    pub start: u32,
    pub end: u32,
}

impl ScanToken {
    /// The token as written.
    pub fn text<'a>(&self, source: &'a str) -> &'a str {
        &source[self.start as usize..self.end as usize]
    }
}

/// Cuts a text into tokens. The first lexical error ends it.
pub fn scan(source: &str, opts: &ParseOptions) -> PgResult<Vec<ScanToken>> {
    let lexed = lexer::lex(source, opts);
    if let Some(e) = lexed.error {
        return Err(e);
    }
    let value = |token: lexer::Token| lexer::string_value(source, &lexed.texts, token).to_string();
    let kind_of = |token: lexer::Token| match token.tok {
        Tok::Ident => {
            let quoted = source[token.start as usize..token.end as usize].contains('"');
            ScanKind::Ident { name: lexer::ident_value(source, &lexed.texts, token), quoted }
        }
        Tok::Keyword => ScanKind::Keyword(token.kw.word()),
        Tok::Iconst => ScanKind::Integer(token.aux as i32),
        Tok::Fconst => ScanKind::Float,
        Tok::Sconst => ScanKind::String(value(token)),
        Tok::Bconst | Tok::Xconst => ScanKind::BitString(value(token)),
        Tok::Param => ScanKind::Param(token.aux as i32),
        Tok::Other | Tok::Error | Tok::Eof => ScanKind::Other,
        _ => ScanKind::Symbol,
    };
    debug_assert!(lexed.tokens.iter().all(|t| (t.tok == Tok::Keyword) == (t.kw != Kw::NoKeyword)));
    Ok(lexed
        .tokens
        .iter()
        .filter(|t| t.tok != Tok::Eof)
        .map(|&t| ScanToken { kind: kind_of(t), start: t.start, end: t.end })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_spans() {
        let sql = "Foo := \"Bar\" || E'a\\n' -- note\n + 12..3.5 $2 x'1F' IF";
        let tokens = scan(sql, &ParseOptions::default()).unwrap();
        let kinds: Vec<ScanKind> = tokens.iter().map(|t| t.kind.clone()).collect();
        assert_eq!(
            kinds,
            [
                ScanKind::Ident { name: "foo".into(), quoted: false },
                ScanKind::Symbol,
                ScanKind::Ident { name: "Bar".into(), quoted: true },
                ScanKind::Symbol,
                ScanKind::String("a\n".into()),
                ScanKind::Symbol,
                ScanKind::Integer(12),
                ScanKind::Symbol,
                ScanKind::Float,
                ScanKind::Param(2),
                ScanKind::BitString("x1F".into()),
                ScanKind::Keyword("if"),
            ]
        );
        assert_eq!(tokens[1].text(sql), ":=");
        assert_eq!(tokens[7].text(sql), "..");
        assert!(scan("'x", &ParseOptions::default()).is_err());
    }
}
