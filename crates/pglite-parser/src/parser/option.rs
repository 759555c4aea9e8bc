//! Option lists: `definition`, reloptions, generic options, utility options, and their values.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::{KeywordCategory, Kw};
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::negate_float;

impl Parser<'_> {
    pub(in crate::parser) fn is_numeric_only(&self) -> bool {
        let number = |tok| matches!(tok, Tok::Iconst | Tok::Fconst);
        number(self.tok()) || matches!(self.tok(), Tok::Plus | Tok::Minus) && number(self.ahead(1).tok)
    }

    /// NumericOnly: a number with an optional sign.
    pub(in crate::parser) fn numeric_only(&mut self) -> PgResult<DefArg> {
        let negative = self.at_tok(Tok::Minus);
        if matches!(self.tok(), Tok::Plus | Tok::Minus) {
            self.bump();
        }
        match self.tok() {
            Tok::Iconst => {
                let n = self.bump().aux as i32;
                Ok(DefArg::Integer(if negative { -n } else { n }))
            }
            Tok::Fconst => {
                let token = self.bump();
                let f = self.text(token).to_string();
                Ok(DefArg::Float(if negative { negate_float(f) } else { f }))
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::parser) fn numeric_value(&mut self) -> PgResult<Value> {
        Ok(match self.numeric_only()? {
            DefArg::Integer(i) => Value::Integer(i),
            DefArg::Float(f) => Value::Float(f),
            _ => Value::Null,
        })
    }

    /// NonReservedWord_or_Sconst
    pub(in crate::parser) fn word_or_sconst(&mut self) -> PgResult<String> {
        if self.at_tok(Tok::Sconst) { self.sconst() } else { self.non_reserved_word() }
    }

    pub(in crate::parser) fn is_boolean_or_string(&self) -> bool {
        matches!(self.kw(), Kw::True | Kw::False | Kw::On)
            || self.at_tok(Tok::Sconst)
            || self.is_non_reserved_word(0)
    }

    /// opt_boolean_or_string (never empty, in spite of its name)
    pub(in crate::parser) fn boolean_or_string(&mut self) -> PgResult<String> {
        if matches!(self.kw(), Kw::True | Kw::False | Kw::On) {
            return Ok(self.bump().kw.word().to_string());
        }
        self.word_or_sconst()
    }

    /// `(name [= value], ...)`
    pub(in crate::parser) fn definition(&mut self) -> PgResult<Vec<DefElem>> {
        self.paren_list(|p| {
            let location = p.loc();
            let defname = p.col_label()?;
            let arg = if p.eat_tok(Tok::Equals) { Some(p.def_arg()?) } else { None };
            Ok(DefElem::new(defname, arg, location))
        })
    }

    /// `WITH (...)` if present
    pub(in crate::parser) fn opt_definition(&mut self) -> PgResult<Vec<DefElem>> {
        if self.eat(Kw::With) { self.definition() } else { Ok(Vec::new()) }
    }

    pub(in crate::parser) fn def_arg(&mut self) -> PgResult<DefArg> {
        if self.at_tok(Tok::Sconst) {
            return self.sconst().map(DefArg::String);
        }
        if self.is_numeric_only() {
            return self.numeric_only();
        }
        let operator = self.at(Kw::Operator) && self.ahead(1).tok == Tok::LParen;
        if operator || self.peek_all_op().is_some() {
            return self.qual_all_op().map(DefArg::Names);
        }
        if self.at(Kw::None) || self.kw().category() == Some(KeywordCategory::Reserved) {
            return Ok(DefArg::String(self.bump().kw.word().to_string()));
        }
        Ok(DefArg::TypeName(Box::new(self.func_type()?)))
    }

    /// reloptions: names may have a namespace.
    pub(in crate::parser) fn reloptions(&mut self) -> PgResult<Vec<DefElem>> {
        self.paren_list(|p| {
            let location = p.loc();
            let mut defname = p.col_label()?;
            let mut defnamespace = None;
            if p.eat_tok(Tok::Dot) {
                defnamespace = Some(std::mem::replace(&mut defname, p.col_label()?));
            }
            let arg = if p.eat_tok(Tok::Equals) { Some(p.def_arg()?) } else { None };
            Ok(DefElem { defnamespace, ..DefElem::new(defname, arg, location) })
        })
    }

    /// `WITH (...)` if present
    pub(in crate::parser) fn opt_reloptions(&mut self) -> PgResult<Vec<DefElem>> {
        if self.eat(Kw::With) { self.reloptions() } else { Ok(Vec::new()) }
    }

    fn generic_option_elem(&mut self) -> PgResult<DefElem> {
        let location = self.loc();
        let defname = self.col_label()?;
        let arg = Some(DefArg::String(self.sconst()?));
        Ok(DefElem::new(defname, arg, location))
    }

    /// `OPTIONS (name 'value', ...)` if present
    pub(in crate::parser) fn create_generic_options(&mut self) -> PgResult<Vec<DefElem>> {
        if self.eat(Kw::Options) { self.paren_list(Self::generic_option_elem) } else { Ok(Vec::new()) }
    }

    /// `OPTIONS ([ADD | SET | DROP] name ['value'], ...)`
    pub(in crate::parser) fn alter_generic_options(&mut self) -> PgResult<Vec<DefElem>> {
        self.expect(Kw::Options)?;
        self.paren_list(|p| {
            // ADD, SET and DROP may be names of options, too.
            let action = if p.is_col_label(1) { p.kw() } else { Kw::NoKeyword };
            let defaction = match action {
                Kw::Set => DefElemAction::Set,
                Kw::Add => DefElemAction::Add,
                Kw::Drop => DefElemAction::Drop,
                _ => return p.generic_option_elem(),
            };
            p.bump();
            if defaction == DefElemAction::Drop {
                let location = p.loc();
                let defname = p.col_label()?;
                return Ok(DefElem { defaction, ..DefElem::new(defname, None, location) });
            }
            let elem = p.generic_option_elem()?;
            Ok(DefElem { defaction, ..elem })
        })
    }

    /// `(name [value], ...)` of EXPLAIN, VACUUM and their like
    pub(in crate::parser) fn utility_options(&mut self) -> PgResult<Vec<DefElem>> {
        self.paren_list(|p| {
            let location = p.loc();
            let defname = match p.kw() {
                Kw::Analyze | Kw::Analyse => {
                    p.bump();
                    "analyze".to_string()
                }
                Kw::FormatLa => {
                    p.bump();
                    "format".to_string()
                }
                _ => p.non_reserved_word()?,
            };
            let arg = if p.is_boolean_or_string() {
                Some(DefArg::String(p.boolean_or_string()?))
            } else if matches!(p.tok(), Tok::Plus | Tok::Minus | Tok::Iconst | Tok::Fconst) {
                Some(p.numeric_only()?)
            } else {
                None
            };
            Ok(DefElem::new(defname, arg, location))
        })
    }
}
