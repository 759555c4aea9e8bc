//! OVER clauses, WINDOW definitions and frames.

use pglite_error::{PgError, PgResult, codes};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

struct Bound {
    /// START_* bits of [`frame`].
    options: u32,
    offset: Option<Expr>,
    location: i32,
}

impl Parser<'_> {
    pub(in crate::parser) fn over_clause(&mut self) -> PgResult<Option<Box<WindowDef>>> {
        if !self.eat(Kw::Over) {
            return Ok(None);
        }
        if self.at_tok(Tok::LParen) {
            return Ok(Some(Box::new(self.window_specification()?)));
        }
        let location = self.loc();
        let name = Some(self.col_id()?);
        Ok(Some(Box::new(WindowDef {
            name,
            frame_options: frame::DEFAULTS,
            location,
            ..WindowDef::default()
        })))
    }

    /// WINDOW ..., ...
    pub(in crate::parser) fn window_clause(&mut self) -> PgResult<Vec<WindowDef>> {
        if !self.eat(Kw::Window) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let name = p.col_id()?;
            p.expect(Kw::As)?;
            let mut w = p.window_specification()?;
            w.name = Some(name);
            Ok(w)
        })
    }

    fn window_specification(&mut self) -> PgResult<WindowDef> {
        self.check_stack()?;
        let mut w =
            WindowDef { location: self.loc(), frame_options: frame::DEFAULTS, ..WindowDef::default() };
        self.lparen()?;
        if self.is_col_id(0) && !matches!(self.kw(), Kw::Partition | Kw::Range | Kw::Rows | Kw::Groups) {
            w.refname = Some(self.col_id()?);
        }
        if self.eat_seq(&[Kw::Partition, Kw::By])? {
            w.partition_clause = self.expr_list()?;
        }
        w.order_clause = self.opt_sort_clause()?;
        let unit = match self.eat_any(&[Kw::Range, Kw::Rows, Kw::Groups]) {
            Some(Kw::Range) => frame::RANGE,
            Some(Kw::Rows) => frame::ROWS,
            Some(_) => frame::GROUPS,
            None => {
                self.rparen()?;
                return Ok(w);
            }
        };
        self.frame_extent(&mut w)?;
        w.frame_options |= unit | frame::NONDEFAULT | self.frame_exclusion()?;
        self.rparen()?;
        Ok(w)
    }

    fn frame_extent(&mut self, w: &mut WindowDef) -> PgResult<()> {
        let error = |message: &str, at: i32| Err(PgError::new(codes::WINDOWING_ERROR, message).at(at));
        const UNBOUNDED: &str = "frame start cannot be UNBOUNDED FOLLOWING";
        if !self.is_frame_between()? {
            let b = self.frame_bound()?;
            if b.options & frame::START_UNBOUNDED_FOLLOWING != 0 {
                return error(UNBOUNDED, b.location);
            }
            if b.options & frame::START_OFFSET_FOLLOWING != 0 {
                return error("frame starting from following row cannot end with current row", b.location);
            }
            w.frame_options = b.options | frame::END_CURRENT_ROW;
            w.start_offset = b.offset;
            return Ok(());
        }
        let start = self.frame_bound()?;
        self.expect(Kw::And)?;
        let end = self.frame_bound()?;
        // An END_* bit is the START_* bit shifted by one.
        let options = start.options | end.options << 1 | frame::BETWEEN;
        let has = |bits: u32| options & bits != 0;
        if has(frame::START_UNBOUNDED_FOLLOWING) {
            return error(UNBOUNDED, start.location);
        }
        if has(frame::END_UNBOUNDED_PRECEDING) {
            return error("frame end cannot be UNBOUNDED PRECEDING", end.location);
        }
        if has(frame::START_CURRENT_ROW) && has(frame::END_OFFSET_PRECEDING) {
            return error("frame starting from current row cannot have preceding rows", end.location);
        }
        if has(frame::START_OFFSET_FOLLOWING) && has(frame::END_OFFSET_PRECEDING | frame::END_CURRENT_ROW) {
            return error("frame starting from following row cannot have preceding rows", end.location);
        }
        w.frame_options = options;
        w.start_offset = start.offset;
        w.end_offset = end.offset;
        Ok(())
    }

    /// Takes BETWEEN. It may also be a column's name, and before some operators it can be neither.
    fn is_frame_between(&mut self) -> PgResult<bool> {
        if !self.at(Kw::Between) {
            return Ok(false);
        }
        let next = self.ahead(1);
        if matches!(
            next.tok,
            Tok::Typecast
                | Tok::Dot
                | Tok::LBracket
                | Tok::Star
                | Tok::Slash
                | Tok::Percent
                | Tok::Caret
                | Tok::Less
                | Tok::Greater
                | Tok::Equals
                | Tok::LessEquals
                | Tok::GreaterEquals
                | Tok::NotEquals
        ) {
            return Ok(false);
        }
        self.bump();
        if matches!(next.kw, Kw::Between | Kw::Like | Kw::Ilike | Kw::Similar | Kw::NotLa) {
            return Err(self.unexpected());
        }
        Ok(true)
    }

    fn frame_bound(&mut self) -> PgResult<Bound> {
        let location = self.loc();
        let next = self.ahead(1).kw;
        let fixed = match (self.kw(), next) {
            (Kw::Unbounded, Kw::Preceding) => Some(frame::START_UNBOUNDED_PRECEDING),
            (Kw::Unbounded, Kw::Following) => Some(frame::START_UNBOUNDED_FOLLOWING),
            (Kw::Current, Kw::Row) => Some(frame::START_CURRENT_ROW),
            _ => None,
        };
        if let Some(options) = fixed {
            self.bump();
            self.bump();
            return Ok(Bound { options, offset: None, location });
        }
        let offset = Some(self.a_expr()?);
        let options = match self.eat_any(&[Kw::Preceding, Kw::Following]) {
            Some(Kw::Preceding) => frame::START_OFFSET_PRECEDING,
            Some(_) => frame::START_OFFSET_FOLLOWING,
            None => return Err(self.unexpected()),
        };
        Ok(Bound { options, offset, location })
    }

    fn frame_exclusion(&mut self) -> PgResult<u32> {
        if !self.eat(Kw::Exclude) {
            return Ok(0);
        }
        match self.eat_any(&[Kw::Current, Kw::Group, Kw::Ties, Kw::No]) {
            Some(Kw::Current) => self.expect(Kw::Row).map(|()| frame::EXCLUDE_CURRENT_ROW),
            Some(Kw::Group) => Ok(frame::EXCLUDE_GROUP),
            Some(Kw::Ties) => Ok(frame::EXCLUDE_TIES),
            Some(_) => self.expect(Kw::Others).map(|()| 0),
            None => Err(self.unexpected()),
        }
    }
}
