//! Roles, users, groups; REASSIGN OWNED.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// Options that are plain words: the option they set and its value.
fn word_option(word: &str) -> Option<(&'static str, bool)> {
    Some(match word {
        "superuser" => ("superuser", true),
        "nosuperuser" => ("superuser", false),
        "createrole" => ("createrole", true),
        "nocreaterole" => ("createrole", false),
        "replication" => ("isreplication", true),
        "noreplication" => ("isreplication", false),
        "createdb" => ("createdb", true),
        "nocreatedb" => ("createdb", false),
        "login" => ("canlogin", true),
        "nologin" => ("canlogin", false),
        "bypassrls" => ("bypassrls", true),
        "nobypassrls" => ("bypassrls", false),
        "noinherit" => ("inherit", false),
        _ => return None,
    })
}

impl Parser<'_> {
    pub(in crate::parser) fn opt_with(&mut self) {
        self.eat_any(&[Kw::With, Kw::WithLa]);
    }

    /// CREATE ROLE, USER, GROUP, at that word.
    pub(in crate::parser) fn create_role_stmt(
        &mut self,
        stmt_type: RoleStmtType,
    ) -> PgResult<CreateRoleStmt> {
        self.bump();
        let role = self.role_id()?;
        self.opt_with();
        let options = self.role_options(true)?;
        Ok(CreateRoleStmt { stmt_type, role, options })
    }

    fn role_options(&mut self, create: bool) -> PgResult<Vec<DefElem>> {
        let mut options = Vec::new();
        while let Some(option) = self.opt_role_option(create)? {
            options.push(option);
        }
        Ok(options)
    }

    fn opt_role_option(&mut self, create: bool) -> PgResult<Option<DefElem>> {
        let location = self.loc();
        let make = |name: &str, arg| Ok(Some(DefElem::new(name, arg, location)));
        if self.at_tok(Tok::Ident) {
            let word = self.ident()?;
            return match word_option(&word) {
                Some((name, value)) => make(name, Some(DefArg::Boolean(value))),
                None => Err(PgError::syntax(format!("unrecognized role option \"{word}\"")).at(location)),
            };
        }
        let kw = self.kw();
        let known = matches!(
            kw,
            Kw::Password
                | Kw::Encrypted
                | Kw::Unencrypted
                | Kw::Inherit
                | Kw::Connection
                | Kw::Valid
                | Kw::User
        );
        let known = known || create && matches!(kw, Kw::Sysid | Kw::Admin | Kw::Role | Kw::In);
        if !known {
            return Ok(None);
        }
        self.bump();
        match kw {
            Kw::Password => {
                let arg = if self.eat(Kw::Null) { None } else { Some(DefArg::String(self.sconst()?)) };
                make("password", arg)
            }
            Kw::Encrypted => {
                self.expect(Kw::Password)?;
                make("password", Some(DefArg::String(self.sconst()?)))
            }
            Kw::Unencrypted => {
                self.expect(Kw::Password)?;
                self.sconst()?;
                Err(PgError::unsupported("UNENCRYPTED PASSWORD is no longer supported")
                    .hint("Remove UNENCRYPTED to store the password in encrypted form instead.")
                    .at(location))
            }
            Kw::Inherit => make("inherit", Some(DefArg::Boolean(true))),
            Kw::Connection => {
                self.expect(Kw::Limit)?;
                make("connectionlimit", Some(DefArg::Integer(self.signed_iconst()?)))
            }
            Kw::Valid => {
                self.expect(Kw::Until)?;
                make("validUntil", Some(DefArg::String(self.sconst()?)))
            }
            Kw::Sysid => make("sysid", Some(DefArg::Integer(self.iconst()?))),
            Kw::Admin => make("adminmembers", Some(DefArg::Roles(self.role_list()?))),
            Kw::In => {
                if self.eat_any(&[Kw::Role, Kw::Group]).is_none() {
                    return Err(self.unexpected());
                }
                make("addroleto", Some(DefArg::Roles(self.role_list()?)))
            }
            _ => make("rolemembers", Some(DefArg::Roles(self.role_list()?))),
        }
    }

    /// ALTER ROLE, USER, GROUP, USER MAPPING, at that word.
    pub(in crate::parser) fn alter_role(&mut self) -> PgResult<Statement> {
        let kw = self.bump().kw;
        if kw == Kw::User && self.at_all(&[Kw::Mapping, Kw::For]) {
            return Ok(self.alter_user_mapping_stmt()?.into());
        }
        if kw != Kw::Group && self.eat(Kw::All) {
            let database = self.opt_in_database()?;
            let setstmt = self.set_reset_clause()?;
            return Ok(AlterRoleSetStmt { role: None, database, setstmt }.into());
        }
        let start = self.save();
        let role = self.role_spec()?;
        if self.at(Kw::Rename) {
            self.restore(start);
            let name = self.role_id()?;
            self.expect_all(&[Kw::Rename, Kw::To])?;
            let newname = self.role_id()?;
            return Ok(self.rename(ObjectType::Role, ObjectName::Name(name), newname));
        }
        if kw == Kw::Group {
            let action = match self.eat_any(&[Kw::Add, Kw::Drop]) {
                Some(Kw::Add) => 1,
                Some(_) => -1,
                None => return Err(self.unexpected()),
            };
            self.expect(Kw::User)?;
            let location = self.loc();
            let members = DefArg::Roles(self.role_list()?);
            let options = vec![DefElem::new("rolemembers", Some(members), location)];
            return Ok(AlterRoleStmt { role, options, action }.into());
        }
        if matches!(self.kw(), Kw::Set | Kw::Reset | Kw::In) {
            let database = self.opt_in_database()?;
            let setstmt = self.set_reset_clause()?;
            return Ok(AlterRoleSetStmt { role: Some(role), database, setstmt }.into());
        }
        self.opt_with();
        let options = self.role_options(false)?;
        Ok(AlterRoleStmt { role, options, action: 1 }.into())
    }

    fn opt_in_database(&mut self) -> PgResult<Option<String>> {
        if self.eat_seq(&[Kw::In, Kw::Database])? { self.name().map(Some) } else { Ok(None) }
    }

    pub(in crate::parser) fn reassign_owned_stmt(&mut self) -> PgResult<ReassignOwnedStmt> {
        self.bump();
        self.expect_all(&[Kw::Owned, Kw::By])?;
        let roles = self.role_list()?;
        self.expect(Kw::To)?;
        Ok(ReassignOwnedStmt { roles, newrole: self.role_spec()? })
    }
}
