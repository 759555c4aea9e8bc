//! Schemas, databases, tablespaces.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// CREATE SCHEMA, at SCHEMA.
    pub(in crate::parser) fn create_schema_stmt(&mut self) -> PgResult<CreateSchemaStmt> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let mut schemaname = None;
        let mut authrole = None;
        if self.is_col_id(0) {
            schemaname = Some(self.col_id()?);
        }
        if self.eat(Kw::Authorization) {
            authrole = Some(self.role_spec()?);
        } else if schemaname.is_none() {
            return Err(self.unexpected());
        }
        let elements_at = self.loc();
        let mut schema_elts = Vec::new();
        while matches!(self.kw(), Kw::Create | Kw::Grant) {
            schema_elts.push(self.schema_stmt()?);
        }
        if if_not_exists && !schema_elts.is_empty() {
            let message = "CREATE SCHEMA IF NOT EXISTS cannot include schema elements";
            return Err(PgError::unsupported(message).at(elements_at));
        }
        Ok(CreateSchemaStmt { schemaname, authrole, schema_elts, if_not_exists })
    }

    /// CREATE DATABASE, at DATABASE.
    pub(in crate::parser) fn createdb_stmt(&mut self) -> PgResult<CreatedbStmt> {
        self.bump();
        let dbname = self.name()?;
        self.opt_with();
        Ok(CreatedbStmt { dbname, options: self.createdb_options()? })
    }

    fn createdb_options(&mut self) -> PgResult<Vec<DefElem>> {
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            let name = match self.kw() {
                _ if self.at_tok(Tok::Ident) => self.ident()?,
                Kw::Connection => {
                    self.bump();
                    self.expect(Kw::Limit)?;
                    "connection_limit".to_string()
                }
                kw @ (Kw::Encoding | Kw::Location | Kw::Owner | Kw::Tablespace | Kw::Template) => {
                    self.bump();
                    kw.word().to_string()
                }
                _ => return Ok(options),
            };
            self.eat_tok(Tok::Equals);
            let arg = if self.eat(Kw::Default) {
                None
            } else if matches!(self.tok(), Tok::Plus | Tok::Minus | Tok::Iconst | Tok::Fconst) {
                Some(self.numeric_only()?)
            } else {
                Some(DefArg::String(self.boolean_or_string()?))
            };
            options.push(DefElem::new(name, arg, location));
        }
    }

    /// ALTER DATABASE, at DATABASE.
    pub(in crate::parser) fn alter_database(&mut self) -> PgResult<Statement> {
        self.bump();
        let dbname = self.name()?;
        match (self.kw(), self.ahead(1).kw) {
            // OWNER is also an option.
            (Kw::Rename, _) | (Kw::Owner, Kw::To) => {
                self.alter_common(ObjectType::Database, ObjectName::Name(dbname), &[])
            }
            (Kw::Set, Kw::Tablespace) => {
                self.bump();
                self.bump();
                let location = self.loc();
                let space = DefArg::String(self.name()?);
                let options = vec![DefElem::new("tablespace", Some(space), location)];
                Ok(AlterDatabaseStmt { dbname, options }.into())
            }
            (Kw::Set | Kw::Reset, _) => {
                let setstmt = self.set_reset_clause()?;
                Ok(AlterDatabaseSetStmt { dbname, setstmt }.into())
            }
            (Kw::Refresh, _) => {
                self.expect_all(&[Kw::Refresh, Kw::Collation, Kw::Version])?;
                Ok(AlterDatabaseRefreshCollStmt { dbname }.into())
            }
            _ => {
                self.eat(Kw::With);
                Ok(AlterDatabaseStmt { dbname, options: self.createdb_options()? }.into())
            }
        }
    }

    /// DROP DATABASE, at DATABASE.
    pub(in crate::parser) fn drop_db(&mut self) -> PgResult<Statement> {
        self.bump();
        let missing_ok = self.opt_if_exists()?;
        let dbname = self.name()?;
        let with = self.eat_any(&[Kw::With, Kw::WithLa]).is_some();
        let mut options = Vec::new();
        if with || self.at_tok(Tok::LParen) {
            options = self.paren_list(|p| {
                let location = p.loc();
                p.expect(Kw::Force)?;
                Ok(DefElem::new("force", None, location))
            })?;
        }
        Ok(DropdbStmt { dbname, missing_ok, options }.into())
    }

    /// CREATE TABLESPACE, at TABLESPACE.
    pub(in crate::parser) fn create_tablespace_stmt(&mut self) -> PgResult<CreateTableSpaceStmt> {
        self.bump();
        let tablespacename = self.name()?;
        let owner = if self.eat(Kw::Owner) { Some(self.role_spec()?) } else { None };
        self.expect(Kw::Location)?;
        let location = self.sconst()?;
        let options = self.opt_reloptions()?;
        Ok(CreateTableSpaceStmt { tablespacename, owner, location, options })
    }

    /// ALTER TABLESPACE, at TABLESPACE.
    pub(in crate::parser) fn alter_tablespace(&mut self) -> PgResult<Statement> {
        self.bump();
        let tablespacename = self.name()?;
        match self.kw() {
            Kw::Set | Kw::Reset => {
                let is_reset = self.bump().kw == Kw::Reset;
                let options = self.reloptions()?;
                Ok(AlterTableSpaceOptionsStmt { tablespacename, options, is_reset }.into())
            }
            _ => self.alter_common(ObjectType::Tablespace, ObjectName::Name(tablespacename), &[]),
        }
    }
}
