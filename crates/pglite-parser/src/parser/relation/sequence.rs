//! Sequences and their options.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::create::Persistence;

impl Parser<'_> {
    /// CREATE ... SEQUENCE, at SEQUENCE.
    pub(in crate::parser) fn create_seq_stmt(&mut self, persistence: Persistence) -> PgResult<CreateSeqStmt> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let mut sequence = self.qualified_name()?;
        sequence.relpersistence = persistence.relpersistence();
        let options = self.seq_options()?;
        Ok(CreateSeqStmt { sequence, options, if_not_exists })
    }

    /// Any number of options.
    pub(in crate::parser) fn seq_options(&mut self) -> PgResult<Vec<DefElem>> {
        let mut options = Vec::new();
        while self.is_seq_option() {
            options.push(self.seq_opt_elem()?);
        }
        Ok(options)
    }

    /// `( option ... )` if present; at least one option.
    pub(in crate::parser) fn opt_paren_seq_options(&mut self) -> PgResult<Vec<DefElem>> {
        if !self.eat_tok(Tok::LParen) {
            return Ok(Vec::new());
        }
        let mut options = vec![self.seq_opt_elem()?];
        options.extend(self.seq_options()?);
        self.rparen()?;
        Ok(options)
    }

    pub(in crate::parser) fn is_seq_option(&self) -> bool {
        matches!(
            self.kw(),
            Kw::As
                | Kw::Cache
                | Kw::Cycle
                | Kw::No
                | Kw::Increment
                | Kw::Logged
                | Kw::Maxvalue
                | Kw::Minvalue
                | Kw::Owned
                | Kw::Sequence
                | Kw::Start
                | Kw::Restart
                | Kw::Unlogged
        )
    }

    pub(in crate::parser) fn seq_opt_elem(&mut self) -> PgResult<DefElem> {
        if !self.is_seq_option() {
            return Err(self.unexpected());
        }
        let token = self.bump();
        let (name, arg) = match token.kw {
            Kw::As => ("as", Some(DefArg::TypeName(Box::new(self.simple_typename()?)))),
            Kw::Cycle => ("cycle", Some(DefArg::Boolean(true))),
            Kw::Logged => ("logged", None),
            Kw::Unlogged => ("unlogged", None),
            Kw::No => match self.eat_any(&[Kw::Cycle, Kw::Maxvalue, Kw::Minvalue]) {
                Some(Kw::Cycle) => ("cycle", Some(DefArg::Boolean(false))),
                Some(Kw::Maxvalue) => ("maxvalue", None),
                Some(_) => ("minvalue", None),
                None => return Err(self.unexpected()),
            },
            Kw::Increment => {
                self.eat(Kw::By);
                ("increment", Some(self.numeric_only()?))
            }
            Kw::Owned => {
                self.expect(Kw::By)?;
                ("owned_by", Some(DefArg::Names(self.any_name()?)))
            }
            Kw::Sequence => {
                self.expect(Kw::Name)?;
                ("sequence_name", Some(DefArg::Names(self.any_name()?)))
            }
            Kw::Start => {
                self.eat_any(&[Kw::With, Kw::WithLa]);
                ("start", Some(self.numeric_only()?))
            }
            Kw::Restart => ("restart", self.opt_restart_value()?),
            kw => (kw.word(), Some(self.numeric_only()?)),
        };
        Ok(DefElem::new(name, arg, token.start as i32))
    }

    /// `[WITH] number` after RESTART
    pub(in crate::parser) fn opt_restart_value(&mut self) -> PgResult<Option<DefArg>> {
        let with = self.eat_any(&[Kw::With, Kw::WithLa]).is_some();
        if with || matches!(self.tok(), Tok::Plus | Tok::Minus | Tok::Iconst | Tok::Fconst) {
            return self.numeric_only().map(Some);
        }
        Ok(None)
    }
}
