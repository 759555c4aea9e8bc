//! Cursors: DECLARE, FETCH, MOVE, CLOSE.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    pub(in crate::parser) fn declare_cursor_stmt(&mut self) -> PgResult<DeclareCursorStmt> {
        self.bump();
        let portalname = self.name()?;
        let mut options = 0;
        loop {
            options |= match self.kw() {
                Kw::No => {
                    self.bump();
                    if !self.at(Kw::Scroll) {
                        return Err(self.unexpected());
                    }
                    cursor_option::NO_SCROLL
                }
                Kw::Scroll => cursor_option::SCROLL,
                Kw::Binary => cursor_option::BINARY,
                Kw::Asensitive => cursor_option::ASENSITIVE,
                Kw::Insensitive => cursor_option::INSENSITIVE,
                _ => break,
            };
            self.bump();
        }
        self.expect(Kw::Cursor)?;
        if let Some(kw) = self.eat_any(&[Kw::With, Kw::Without]) {
            self.expect(Kw::Hold)?;
            if kw == Kw::With {
                options |= cursor_option::HOLD;
            }
        }
        self.expect(Kw::For)?;
        let query = self.select_stmt()?;
        Ok(DeclareCursorStmt { portalname, options: options | cursor_option::FAST_PLAN, query })
    }

    pub(in crate::parser) fn close_portal_stmt(&mut self) -> PgResult<ClosePortalStmt> {
        self.bump();
        let portalname = if self.eat(Kw::All) { None } else { Some(self.name()?) };
        Ok(ClosePortalStmt { portalname })
    }

    pub(in crate::parser) fn fetch_stmt(&mut self) -> PgResult<FetchStmt> {
        let ismove = self.bump().kw == Kw::Move;
        let (direction, how_many) = self.fetch_direction()?;
        self.eat_any(&[Kw::From, Kw::In]);
        let portalname = self.name()?;
        Ok(FetchStmt { direction, how_many, portalname, ismove })
    }

    fn is_count(&self) -> bool {
        matches!(self.tok(), Tok::Iconst | Tok::Plus | Tok::Minus)
    }

    fn fetch_direction(&mut self) -> PgResult<(FetchDirection, i64)> {
        use FetchDirection::*;
        if self.is_count() {
            return Ok((Forward, self.signed_iconst()?.into()));
        }
        // The words may also be the cursor's name; then nothing follows.
        let next = self.ahead(1);
        let named = matches!(next.tok, Tok::Eof | Tok::Semicolon | Tok::RParen);
        let kw = self.kw();
        let word = matches!(
            kw,
            Kw::Next
                | Kw::Prior
                | Kw::First
                | Kw::Last
                | Kw::Absolute
                | Kw::Relative
                | Kw::Forward
                | Kw::Backward
                | Kw::All
        );
        if !word || (named && kw != Kw::All) {
            return Ok((Forward, 1));
        }
        self.bump();
        Ok(match kw {
            Kw::Next => (Forward, 1),
            Kw::Prior => (Backward, 1),
            Kw::First => (Absolute, 1),
            Kw::Last => (Absolute, -1),
            Kw::Absolute => (Absolute, self.signed_iconst()?.into()),
            Kw::Relative => (Relative, self.signed_iconst()?.into()),
            Kw::All => (Forward, FETCH_ALL),
            _ => {
                let direction = if kw == Kw::Forward { Forward } else { Backward };
                if self.is_count() {
                    (direction, self.signed_iconst()?.into())
                } else if self.eat(Kw::All) {
                    (direction, FETCH_ALL)
                } else {
                    (direction, 1)
                }
            }
        })
    }
}
