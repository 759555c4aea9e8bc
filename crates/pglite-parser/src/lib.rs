//! The PostgreSQL 18 grammar: text to raw parse tree.
//!
//! First stage of a statement's way: the session hands the text to [`parse`], the analyzer reads the tree.
//! Nothing here looks at a catalog. `lexer` makes tokens, `parser` (one file a production family) builds
//! the nodes of [`ast`].
//!
//! Architecture Invariant: a syntax error is reported at the first token that no statement of the grammar could
//! have at that place, as PostgreSQL's generated parser does.
//! Architecture Invariant: no input overflows the stack; what nests too deep raises 54001.

pub mod ast;
mod keyword;
mod lexer;
mod parser;
pub mod scan;

pub use keyword::{KEYWORDS, Keyword, KeywordCategory, keyword_category, quote_identifier};

use ast::{RawStmt, TypeName};
use pglite_error::{PgError, PgResult};

/// What to parse the text as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParseMode {
    /// Statements separated by `;`.
    #[default]
    Default,
    /// A PL/pgSQL expression: the parts of a SELECT after the keyword. Yields one SelectStmt.
    PlpgsqlExpr,
    /// A PL/pgSQL assignment whose target's first 1, 2 or 3 names are the variable. Yields one PLAssignStmt.
    PlpgsqlAssign1,
    PlpgsqlAssign2,
    PlpgsqlAssign3,
}

/// The value of `backslash_quote`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackslashQuote {
    Off,
    On,
    #[default]
    SafeEncoding,
}

/// The settings that change how text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseOptions {
    pub mode: ParseMode,
    pub standard_conforming_strings: bool,
    pub escape_string_warning: bool,
    pub backslash_quote: BackslashQuote,
    /// Stack the parser may use before it raises 54001.
    pub max_stack_bytes: usize,
}

impl Default for ParseOptions {
    fn default() -> ParseOptions {
        ParseOptions {
            mode: ParseMode::Default,
            standard_conforming_strings: true,
            escape_string_warning: true,
            backslash_quote: BackslashQuote::SafeEncoding,
            max_stack_bytes: 1 << 20,
        }
    }
}

/// The result of [`parse`].
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    pub stmts: Vec<RawStmt>,
    /// Notices and warnings of the lexer (truncated identifiers, nonstandard escapes), in order.
    pub notices: Vec<PgError>,
}

/// Parses a text. Empty statements are dropped.
pub fn parse(sql: &str, opts: &ParseOptions) -> PgResult<Parsed> {
    let mut parser = parser::Parser::new(sql, opts);
    let stmts = parser.parse_text(opts.mode)?;
    Ok(Parsed { stmts, notices: parser.notices })
}

/// Parses a text as one type name, as `regtype` input does. SETOF is none.
pub fn parse_type_name(text: &str) -> PgResult<TypeName> {
    let invalid = || PgError::syntax(format!("invalid type name \"{text}\""));
    if text.trim().is_empty() {
        return Err(invalid());
    }
    match parser::Parser::new(text, &ParseOptions::default()).parse_typename() {
        Ok(t) if t.setof => Err(invalid()),
        Ok(t) => Ok(t),
        Err(mut e) => {
            // The position is one within this text, not within the statement's.
            e.fields_mut().position = None;
            Err(e.context(format!("invalid type name \"{text}\"")))
        }
    }
}
