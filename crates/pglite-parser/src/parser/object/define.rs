//! CREATE AGGREGATE, TYPE, COLLATION: the DEFINE family.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

pub(in crate::parser) fn define(kind: ObjectType, defnames: Vec<String>, location: i32) -> DefineStmt {
    DefineStmt {
        kind,
        oldstyle: false,
        defnames,
        args: None,
        definition: Vec::new(),
        if_not_exists: false,
        replace: false,
        location,
    }
}

impl Parser<'_> {
    /// At AGGREGATE.
    pub(in crate::parser) fn create_aggregate(&mut self, replace: bool) -> PgResult<DefineStmt> {
        let location = self.bump().start as i32;
        let name = self.func_name()?;
        let mut stmt = DefineStmt { replace, ..define(ObjectType::Aggregate, name, location) };
        // The old style has only definitions: `(basetype = ...)`.
        if self.at_tok(Tok::LParen) && self.ahead(1).tok == Tok::Ident && self.ahead(2).tok == Tok::Equals {
            stmt.oldstyle = true;
            stmt.definition = self.paren_list(|p| {
                let at = p.loc();
                let name = p.ident()?;
                p.expect_tok(Tok::Equals)?;
                Ok(DefElem::new(name, Some(p.def_arg()?), at))
            })?;
            return Ok(stmt);
        }
        stmt.args = Some(self.aggr_args()?);
        stmt.definition = self.definition()?;
        Ok(stmt)
    }

    /// CREATE TYPE, at TYPE.
    pub(in crate::parser) fn create_type(&mut self) -> PgResult<Statement> {
        let location = self.bump().start as i32;
        let name_at = self.loc();
        let names = self.any_name()?;
        if self.at_tok(Tok::LParen) {
            let definition = self.definition()?;
            return Ok(DefineStmt { definition, ..define(ObjectType::Type, names, location) }.into());
        }
        if !self.eat(Kw::As) {
            return Ok(define(ObjectType::Type, names, location).into());
        }
        match self.kw() {
            Kw::Enum => {
                self.bump();
                self.lparen()?;
                let vals = if self.at_tok(Tok::RParen) { Vec::new() } else { self.list(Self::sconst)? };
                self.rparen()?;
                Ok(CreateEnumStmt { type_name: names, vals }.into())
            }
            Kw::Range => {
                self.bump();
                Ok(CreateRangeStmt { type_name: names, params: self.definition()? }.into())
            }
            _ => {
                self.lparen()?;
                let coldeflist =
                    if self.at_tok(Tok::RParen) { Vec::new() } else { self.list(Self::table_func_element)? };
                self.rparen()?;
                let typevar = self.range_var_from_names(names, name_at)?;
                Ok(CompositeTypeStmt { typevar, coldeflist }.into())
            }
        }
    }

    /// CREATE COLLATION, at COLLATION.
    pub(in crate::parser) fn create_collation(&mut self) -> PgResult<DefineStmt> {
        let location = self.bump().start as i32;
        let if_not_exists = self.opt_if_not_exists()?;
        let names = self.any_name()?;
        let mut stmt = DefineStmt { if_not_exists, ..define(ObjectType::Collation, names, location) };
        if self.eat(Kw::From) {
            let at = self.loc();
            let source = DefArg::Names(self.any_name()?);
            stmt.definition = vec![DefElem::new("from", Some(source), at)];
        } else {
            stmt.definition = self.definition()?;
        }
        Ok(stmt)
    }
}
