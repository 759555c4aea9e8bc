//! The parser's state: a cursor over tokens, and what every production needs of it.

use pglite_error::{PgError, PgResult};

use crate::keyword::{KeywordCategory, Kw};
use crate::lexer::{Lexed, Tok, Token};
use crate::{ParseOptions, lexer};

use crate::parser::limits;

pub(crate) struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    texts: Vec<String>,
    lex_error: Option<PgError>,
    pub(crate) notices: Vec<PgError>,
    pos: usize,
    pub(in crate::parser) stack_base: usize,
    pub(in crate::parser) stack_limit: usize,
    /// Height of the highest subtree parsed since the last `begin_height`.
    pub(in crate::parser) height: u32,
    /// Whether the expression parsed last is a bare `c_expr` (some productions allow only that).
    pub(in crate::parser) bare_primary: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(sql: &'a str, opts: &ParseOptions) -> Parser<'a> {
        let Lexed { tokens, texts, error, notices } = lexer::lex(sql, opts);
        Parser {
            sql,
            tokens,
            texts,
            lex_error: error,
            notices,
            pos: 0,
            stack_base: limits::stack_position(),
            stack_limit: opts.max_stack_bytes,
            height: 0,
            bare_primary: false,
        }
    }

    #[inline]
    pub(in crate::parser) fn cur(&self) -> Token {
        self.tokens[self.pos]
    }

    /// The token `n` places ahead; the last token repeats.
    #[inline]
    pub(in crate::parser) fn ahead(&self, n: usize) -> Token {
        self.tokens[(self.pos + n).min(self.tokens.len() - 1)]
    }

    #[inline]
    pub(in crate::parser) fn tok(&self) -> Tok {
        self.cur().tok
    }

    #[inline]
    pub(in crate::parser) fn kw(&self) -> Kw {
        self.cur().kw
    }

    /// The byte offset of the current token.
    #[inline]
    pub(in crate::parser) fn loc(&self) -> i32 {
        self.cur().start as i32
    }

    /// The kind of the token read last.
    pub(in crate::parser) fn prev_tok(&self) -> Tok {
        self.tokens[self.pos.saturating_sub(1)].tok
    }

    #[inline]
    pub(in crate::parser) fn bump(&mut self) -> Token {
        let token = self.tokens[self.pos];
        if self.pos + 1 < self.tokens.len() {
            self.pos += 1;
        }
        token
    }

    #[inline]
    pub(in crate::parser) fn at(&self, kw: Kw) -> bool {
        self.kw() == kw
    }

    #[inline]
    pub(in crate::parser) fn at_tok(&self, tok: Tok) -> bool {
        self.tok() == tok
    }

    /// Whether the next tokens are these keywords.
    pub(in crate::parser) fn at_all(&self, kws: &[Kw]) -> bool {
        kws.iter().enumerate().all(|(i, &kw)| self.ahead(i).kw == kw)
    }

    #[inline]
    pub(in crate::parser) fn eat(&mut self, kw: Kw) -> bool {
        let found = self.at(kw);
        if found {
            self.bump();
        }
        found
    }

    #[inline]
    pub(in crate::parser) fn eat_tok(&mut self, tok: Tok) -> bool {
        let found = self.at_tok(tok);
        if found {
            self.bump();
        }
        found
    }

    /// Any of the keywords; the one found.
    pub(in crate::parser) fn eat_any(&mut self, kws: &[Kw]) -> Option<Kw> {
        let kw = self.kw();
        kws.contains(&kw).then(|| {
            self.bump();
            kw
        })
    }

    /// The first keyword decides; the others must follow it.
    pub(in crate::parser) fn eat_seq(&mut self, kws: &[Kw]) -> PgResult<bool> {
        if !self.at(kws[0]) {
            return Ok(false);
        }
        self.expect_all(kws)?;
        Ok(true)
    }

    #[inline]
    pub(in crate::parser) fn expect(&mut self, kw: Kw) -> PgResult<()> {
        if self.eat(kw) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(in crate::parser) fn expect_all(&mut self, kws: &[Kw]) -> PgResult<()> {
        kws.iter().try_for_each(|&kw| self.expect(kw))
    }

    #[inline]
    pub(in crate::parser) fn expect_tok(&mut self, tok: Tok) -> PgResult<()> {
        if self.eat_tok(tok) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(in crate::parser) fn lparen(&mut self) -> PgResult<()> {
        self.expect_tok(Tok::LParen)
    }

    pub(in crate::parser) fn rparen(&mut self) -> PgResult<()> {
        self.expect_tok(Tok::RParen)
    }

    /// A place to come back to with [`restore`](Self::restore).
    pub(in crate::parser) fn save(&self) -> usize {
        self.pos
    }

    /// Goes one token back.
    pub(in crate::parser) fn unread(&mut self) {
        self.pos -= 1;
    }

    pub(in crate::parser) fn restore(&mut self, saved: usize) {
        self.pos = saved;
    }

    /// The text of a token as written.
    #[inline]
    pub(in crate::parser) fn text(&self, token: Token) -> &'a str {
        &self.sql[token.start as usize..token.end as usize]
    }

    /// The value of an identifier token.
    pub(in crate::parser) fn ident_text(&self, token: Token) -> String {
        lexer::ident_value(self.sql, &self.texts, token)
    }

    /// The value of a string or bit string token.
    pub(in crate::parser) fn string_text(&self, token: Token) -> &str {
        lexer::string_value(self.sql, &self.texts, token)
    }

    /// The syntax error at the current token (or the lexical one, if the text ends in one).
    #[cold]
    pub(in crate::parser) fn unexpected(&self) -> PgError {
        self.error_here("syntax error")
    }

    /// `message at or near "token"`, as PostgreSQL words what its grammar's actions reject.
    #[cold]
    pub(in crate::parser) fn error_here(&self, message: &str) -> PgError {
        let token = self.cur();
        match (token.tok, &self.lex_error) {
            (Tok::Error, Some(e)) => e.clone(),
            // PG: some tokens are read together with the one after them, so that one's error comes first.
            (_, Some(e)) if self.ahead(1).tok == Tok::Error && self.is_read_ahead(token) => e.clone(),
            (Tok::Eof, _) => PgError::syntax(format!("{message} at end of input")).at(self.sql.len() as i32),
            _ => PgError::syntax(format!("{message} at or near \"{}\"", self.text(token))).at(self.loc()),
        }
    }

    fn is_read_ahead(&self, token: Token) -> bool {
        matches!(token.kw, Kw::Not | Kw::With | Kw::Without | Kw::Nulls | Kw::Format)
            || matches!(self.text(token).as_bytes(), [b'u' | b'U', b'&', ..])
    }

    /// Whether a keyword's category, or plain identifier-ness, allows the token `n` ahead where `allow` holds.
    #[inline]
    fn name_at(&self, n: usize, allow: impl Fn(KeywordCategory) -> bool) -> bool {
        let token = self.ahead(n);
        match token.tok {
            Tok::Ident => true,
            Tok::Keyword => token.kw.category().is_some_and(allow),
            _ => false,
        }
    }

    /// ColId: a column, table or other name.
    #[inline]
    pub(in crate::parser) fn is_col_id(&self, n: usize) -> bool {
        self.name_at(n, |c| matches!(c, KeywordCategory::Unreserved | KeywordCategory::ColName))
    }

    /// type_function_name
    #[inline]
    pub(in crate::parser) fn is_type_function_name(&self, n: usize) -> bool {
        self.name_at(n, |c| matches!(c, KeywordCategory::Unreserved | KeywordCategory::TypeFuncName))
    }

    pub(in crate::parser) fn is_non_reserved_word(&self, n: usize) -> bool {
        self.name_at(n, |c| c != KeywordCategory::Reserved)
    }

    pub(in crate::parser) fn is_col_label(&self, n: usize) -> bool {
        self.name_at(n, |_| true)
    }

    /// Takes the current token as a name if `ok`.
    fn name_if(&mut self, ok: bool) -> PgResult<String> {
        if !ok {
            return Err(self.unexpected());
        }
        let token = self.bump();
        Ok(if token.tok == Tok::Ident { self.ident_text(token) } else { token.kw.word().to_string() })
    }

    pub(in crate::parser) fn col_id(&mut self) -> PgResult<String> {
        let ok = self.is_col_id(0);
        self.name_if(ok)
    }

    pub(in crate::parser) fn type_function_name(&mut self) -> PgResult<String> {
        let ok = self.is_type_function_name(0);
        self.name_if(ok)
    }

    pub(in crate::parser) fn non_reserved_word(&mut self) -> PgResult<String> {
        let ok = self.is_non_reserved_word(0);
        self.name_if(ok)
    }

    pub(in crate::parser) fn col_label(&mut self) -> PgResult<String> {
        let ok = self.is_col_label(0);
        self.name_if(ok)
    }

    /// A label without AS, if one stands here.
    pub(in crate::parser) fn opt_bare_col_label(&mut self) -> PgResult<Option<String>> {
        let token = self.cur();
        let ok = match token.tok {
            Tok::Ident => true,
            Tok::Keyword => token.kw.is_bare_label(),
            _ => false,
        };
        if ok { self.name_if(true).map(Some) } else { Ok(None) }
    }

    pub(in crate::parser) fn ident(&mut self) -> PgResult<String> {
        let ok = self.at_tok(Tok::Ident);
        self.name_if(ok)
    }

    pub(in crate::parser) fn sconst(&mut self) -> PgResult<String> {
        if !self.at_tok(Tok::Sconst) {
            return Err(self.unexpected());
        }
        let token = self.bump();
        Ok(self.string_text(token).to_string())
    }

    pub(in crate::parser) fn iconst(&mut self) -> PgResult<i32> {
        if !self.at_tok(Tok::Iconst) {
            return Err(self.unexpected());
        }
        Ok(self.bump().aux as i32)
    }

    /// SignedIconst
    pub(in crate::parser) fn signed_iconst(&mut self) -> PgResult<i32> {
        match self.tok() {
            Tok::Plus => {
                self.bump();
                self.iconst()
            }
            Tok::Minus => {
                self.bump();
                Ok(-self.iconst()?)
            }
            _ => self.iconst(),
        }
    }

    /// A comma-separated list.
    pub(in crate::parser) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> PgResult<T>,
    ) -> PgResult<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_tok(Tok::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A comma-separated list in parentheses.
    pub(in crate::parser) fn paren_list<T>(
        &mut self,
        item: impl FnMut(&mut Self) -> PgResult<T>,
    ) -> PgResult<Vec<T>> {
        self.lparen()?;
        let items = self.list(item)?;
        self.rparen()?;
        Ok(items)
    }

    /// A parenthesized list if `(` stands here, else nothing.
    pub(in crate::parser) fn opt_paren_list<T>(
        &mut self,
        item: impl FnMut(&mut Self) -> PgResult<T>,
    ) -> PgResult<Vec<T>> {
        if self.at_tok(Tok::LParen) { self.paren_list(item) } else { Ok(Vec::new()) }
    }
}
