//! The choice of a CREATE statement.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// What stands between CREATE and the kind of relation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parser) enum Persistence {
    Permanent,
    Temporary,
    Unlogged,
}

impl Persistence {
    pub(in crate::parser) fn relpersistence(self) -> char {
        match self {
            Persistence::Permanent => 'p',
            Persistence::Temporary => 't',
            Persistence::Unlogged => 'u',
        }
    }
}

impl Parser<'_> {
    /// OptTemp
    fn opt_temp(&mut self) -> PgResult<Persistence> {
        let location = self.loc();
        match self.eat_any(&[Kw::Temporary, Kw::Temp, Kw::Local, Kw::Global, Kw::Unlogged]) {
            None => return Ok(Persistence::Permanent),
            Some(Kw::Unlogged) => return Ok(Persistence::Unlogged),
            Some(kw @ (Kw::Local | Kw::Global)) => {
                if self.eat_any(&[Kw::Temporary, Kw::Temp]).is_none() {
                    return Err(self.unexpected());
                }
                if kw == Kw::Global {
                    self.warn_global(location);
                }
            }
            Some(_) => {}
        }
        Ok(Persistence::Temporary)
    }

    /// CREATE, at the keyword.
    pub(in crate::parser) fn create_stmt(&mut self) -> PgResult<Statement> {
        let create_at = self.bump().start as i32;
        if self.eat(Kw::Or) {
            self.expect(Kw::Replace)?;
            return self.create_or_replace(create_at);
        }
        Ok(match self.kw() {
            Kw::Table
            | Kw::Temporary
            | Kw::Temp
            | Kw::Local
            | Kw::Global
            | Kw::Unlogged
            | Kw::View
            | Kw::Recursive
            | Kw::Sequence
            | Kw::Materialized => return self.create_relation(true),
            Kw::Index => self.index_stmt()?.into(),
            Kw::Unique => self.index_stmt()?.into(),
            Kw::Schema => self.create_schema_stmt()?.into(),
            Kw::Type => self.create_type()?,
            Kw::Domain => self.create_domain_stmt()?.into(),
            Kw::Function | Kw::Procedure => self.create_function_stmt(false)?.into(),
            Kw::Trigger => self.create_trig_stmt(false)?.into(),
            Kw::Constraint => self.create_trig_stmt(false)?.into(),
            Kw::Rule => self.rule_stmt(false)?.into(),
            Kw::Aggregate => self.create_aggregate(false)?.into(),
            Kw::Operator => self.create_operator()?,
            Kw::Language | Kw::Trusted | Kw::Procedural => self.create_plang_stmt(false)?.into(),
            Kw::Cast => self.create_cast_stmt()?.into(),
            Kw::Transform => self.create_transform_stmt(false)?.into(),
            Kw::Collation => self.create_collation()?.into(),
            Kw::Conversion | Kw::Default => self.create_conversion_stmt()?.into(),
            Kw::Text => self.create_text_search()?.into(),
            Kw::Extension => self.create_extension_stmt()?.into(),
            Kw::Role => self.create_role_stmt(RoleStmtType::Role)?.into(),
            Kw::Group => self.create_role_stmt(RoleStmtType::Group)?.into(),
            Kw::User if self.ahead(1).kw == Kw::Mapping && !self.is_user_named_mapping() => {
                self.create_user_mapping_stmt()?.into()
            }
            Kw::User => self.create_role_stmt(RoleStmtType::User)?.into(),
            Kw::Database => self.createdb_stmt()?.into(),
            Kw::Tablespace => self.create_tablespace_stmt()?.into(),
            Kw::Foreign => self.create_foreign()?,
            Kw::Server => self.create_foreign_server_stmt()?.into(),
            Kw::Policy => self.create_policy_stmt()?.into(),
            Kw::Publication => self.create_publication_stmt()?.into(),
            Kw::Subscription => self.create_subscription_stmt()?.into(),
            Kw::Statistics => self.create_stats_stmt()?.into(),
            Kw::Access => self.create_am_stmt()?.into(),
            Kw::Event => self.create_event_trig_stmt()?.into(),
            Kw::Assertion => return Err(self.create_assertion(create_at)?),
            _ => return Err(self.unexpected()),
        })
    }

    fn create_or_replace(&mut self, create_at: i32) -> PgResult<Statement> {
        Ok(match self.kw() {
            Kw::View | Kw::Recursive | Kw::Temporary | Kw::Temp | Kw::Local | Kw::Global | Kw::Unlogged => {
                let persistence = self.opt_temp()?;
                self.view_stmt(persistence, true)?.into()
            }
            Kw::Function | Kw::Procedure => self.create_function_stmt(true)?.into(),
            Kw::Trigger => self.create_trig_stmt(true)?.into(),
            Kw::Constraint => {
                self.create_trig_stmt(true)?;
                let message = "CREATE OR REPLACE CONSTRAINT TRIGGER is not supported";
                return Err(PgError::unsupported(message).at(create_at));
            }
            Kw::Rule => self.rule_stmt(true)?.into(),
            Kw::Aggregate => self.create_aggregate(true)?.into(),
            Kw::Language | Kw::Trusted | Kw::Procedural => self.create_plang_stmt(true)?.into(),
            Kw::Transform => self.create_transform_stmt(true)?.into(),
            _ => return Err(self.unexpected()),
        })
    }

    /// Tables, views, sequences, perhaps temporary.
    fn create_relation(&mut self, may_be_as: bool) -> PgResult<Statement> {
        let persistence = self.opt_temp()?;
        match self.kw() {
            Kw::Table => self.create_table(persistence, may_be_as),
            Kw::View | Kw::Recursive => Ok(self.view_stmt(persistence, false)?.into()),
            Kw::Sequence => Ok(self.create_seq_stmt(persistence)?.into()),
            Kw::Materialized if persistence != Persistence::Temporary => {
                Ok(self.create_mat_view_stmt(persistence)?.into())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// What EXPLAIN may explain: CREATE TABLE AS and CREATE MATERIALIZED VIEW.
    pub(in crate::parser) fn explainable_create(&mut self) -> PgResult<Statement> {
        self.bump();
        let persistence = self.opt_temp()?;
        match self.kw() {
            Kw::Table => self.create_table_as_only(persistence),
            Kw::Materialized if persistence != Persistence::Temporary => {
                Ok(self.create_mat_view_stmt(persistence)?.into())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// An element of CREATE SCHEMA.
    pub(in crate::parser) fn schema_stmt(&mut self) -> PgResult<Statement> {
        if self.at(Kw::Grant) {
            return self.grant_object_stmt();
        }
        self.expect(Kw::Create)?;
        if self.at(Kw::Or) {
            self.bump();
            self.expect(Kw::Replace)?;
            let persistence = self.opt_temp()?;
            return match self.kw() {
                Kw::View | Kw::Recursive => Ok(self.view_stmt(persistence, true)?.into()),
                Kw::Trigger if persistence == Persistence::Permanent => {
                    Ok(self.create_trig_stmt(true)?.into())
                }
                _ => Err(self.unexpected()),
            };
        }
        match self.kw() {
            Kw::Index | Kw::Unique => Ok(self.index_stmt()?.into()),
            Kw::Trigger | Kw::Constraint => Ok(self.create_trig_stmt(false)?.into()),
            Kw::Materialized => Err(self.unexpected()),
            _ => self.create_relation(false),
        }
    }

    fn is_user_named_mapping(&self) -> bool {
        // CREATE USER mapping [WITH] option ...: a role of that name.
        !(self.ahead(2).kw == Kw::For || self.ahead(2).kw == Kw::If)
    }

    fn create_assertion(&mut self, create_at: i32) -> PgResult<PgError> {
        self.bump();
        self.any_name()?;
        self.expect(Kw::Check)?;
        self.expect_tok(Tok::LParen)?;
        self.a_expr()?;
        self.rparen()?;
        self.constraint_attributes()?;
        Ok(PgError::unsupported("CREATE ASSERTION is not yet implemented").at(create_at))
    }
}
