//! What a token is.

use crate::keyword::Kw;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tok {
    Eof,
    /// A lexical error; see `Lexed::error`.
    Error,
    Ident,
    /// See `Token::kw`.
    Keyword,
    /// An integer that fits in 32 bits; `aux` is its value.
    Iconst,
    Fconst,
    Sconst,
    Bconst,
    Xconst,
    /// `$n`; `aux` is n.
    Param,
    /// An operator without a token of its own.
    Op,
    Typecast,
    DotDot,
    ColonEquals,
    EqualsGreater,
    LessEquals,
    GreaterEquals,
    NotEquals,
    LParen,
    RParen,
    LBracket,
    RBracket,
    Comma,
    Semicolon,
    Colon,
    Dot,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Caret,
    Less,
    Greater,
    Equals,
    /// A character that starts no token.
    Other,
}

/// A token: its kind and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub tok: Tok,
    pub kw: Kw,
    pub start: u32,
    pub end: u32,
    /// A number's value, or the index plus one of a text in `Lexed::texts`.
    pub aux: u32,
}
