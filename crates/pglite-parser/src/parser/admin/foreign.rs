//! Foreign data: wrappers, servers, foreign tables, user mappings, IMPORT FOREIGN SCHEMA.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// CREATE FOREIGN TABLE or DATA WRAPPER, at FOREIGN.
    pub(in crate::parser) fn create_foreign(&mut self) -> PgResult<Statement> {
        self.bump();
        if self.eat(Kw::Table) {
            return Ok(self.create_foreign_table_stmt()?.into());
        }
        self.expect_all(&[Kw::Data, Kw::Wrapper])?;
        let fdwname = self.name()?;
        let func_options = self.fdw_options()?;
        let options = self.create_generic_options()?;
        Ok(CreateFdwStmt { fdwname, func_options, options }.into())
    }

    /// HANDLER, VALIDATOR, NO HANDLER, NO VALIDATOR; any number.
    fn fdw_options(&mut self) -> PgResult<Vec<DefElem>> {
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            let option = match self.eat_any(&[Kw::Handler, Kw::Validator, Kw::No]) {
                Some(Kw::No) => match self.eat_any(&[Kw::Handler, Kw::Validator]) {
                    Some(kw) => DefElem::new(kw.word(), None, location),
                    None => return Err(self.unexpected()),
                },
                Some(kw) => DefElem::new(kw.word(), Some(DefArg::Names(self.handler_name()?)), location),
                None => return Ok(options),
            };
            options.push(option);
        }
    }

    /// ALTER FOREIGN DATA WRAPPER, after FOREIGN.
    pub(in crate::parser) fn alter_fdw(&mut self) -> PgResult<Statement> {
        self.expect_all(&[Kw::Data, Kw::Wrapper])?;
        let fdwname = self.name()?;
        if matches!(self.kw(), Kw::Rename | Kw::Owner) {
            return self.alter_common(ObjectType::Fdw, ObjectName::Name(fdwname), &[]);
        }
        let func_options = self.fdw_options()?;
        let options = if func_options.is_empty() || self.at(Kw::Options) {
            self.alter_generic_options()?
        } else {
            Vec::new()
        };
        Ok(AlterFdwStmt { fdwname, func_options, options }.into())
    }

    fn create_foreign_table_stmt(&mut self) -> PgResult<CreateForeignTableStmt> {
        let if_not_exists = self.opt_if_not_exists()?;
        let mut base = CreateStmt {
            relation: self.qualified_name()?,
            table_elts: Vec::new(),
            inh_relations: Vec::new(),
            partbound: None,
            partspec: None,
            of_typename: None,
            options: Vec::new(),
            oncommit: OnCommitAction::Noop,
            tablespacename: None,
            access_method: None,
            if_not_exists,
        };
        if self.eat(Kw::Partition) {
            self.expect(Kw::Of)?;
            base.inh_relations = vec![self.qualified_name()?];
            base.table_elts = self.opt_typed_table_elements()?;
            base.partbound = Some(self.partition_bound_spec()?);
        } else {
            base.table_elts = self.table_elements()?;
            base.inh_relations = self.opt_inherit()?;
        }
        self.expect(Kw::Server)?;
        let servername = self.name()?;
        let options = self.create_generic_options()?;
        Ok(CreateForeignTableStmt { base, servername, options })
    }

    /// VERSION 'text' or NULL, if present: whether it was, and the text.
    fn opt_server_version(&mut self) -> PgResult<(bool, Option<String>)> {
        if !self.eat(Kw::Version) {
            return Ok((false, None));
        }
        let version = if self.eat(Kw::Null) { None } else { Some(self.sconst()?) };
        Ok((true, version))
    }

    /// CREATE SERVER, at SERVER.
    pub(in crate::parser) fn create_foreign_server_stmt(&mut self) -> PgResult<CreateForeignServerStmt> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let servername = self.name()?;
        let servertype = if self.eat(Kw::Type) { Some(self.sconst()?) } else { None };
        let (_, version) = self.opt_server_version()?;
        self.expect_all(&[Kw::Foreign, Kw::Data, Kw::Wrapper])?;
        let fdwname = self.name()?;
        let options = self.create_generic_options()?;
        Ok(CreateForeignServerStmt { servername, servertype, version, fdwname, if_not_exists, options })
    }

    /// ALTER SERVER, at SERVER.
    pub(in crate::parser) fn alter_server(&mut self) -> PgResult<Statement> {
        self.bump();
        let servername = self.name()?;
        if !matches!(self.kw(), Kw::Version | Kw::Options) {
            return self.alter_common(ObjectType::ForeignServer, ObjectName::Name(servername), &[Kw::Set]);
        }
        let (has_version, version) = self.opt_server_version()?;
        let options =
            if !has_version || self.at(Kw::Options) { self.alter_generic_options()? } else { Vec::new() };
        Ok(AlterForeignServerStmt { servername, version, options, has_version }.into())
    }

    /// auth_ident: a role, or USER for the current one.
    fn auth_ident(&mut self) -> PgResult<RoleSpec> {
        let location = self.loc();
        if self.eat(Kw::User) {
            return Ok(RoleSpec { roletype: RoleSpecType::CurrentUser, rolename: None, location });
        }
        self.role_spec()
    }

    /// `FOR user SERVER name`
    fn user_mapping_target(&mut self) -> PgResult<(RoleSpec, String)> {
        self.expect(Kw::For)?;
        let user = self.auth_ident()?;
        self.expect(Kw::Server)?;
        Ok((user, self.name()?))
    }

    /// CREATE USER MAPPING, at USER.
    pub(in crate::parser) fn create_user_mapping_stmt(&mut self) -> PgResult<CreateUserMappingStmt> {
        self.expect_all(&[Kw::User, Kw::Mapping])?;
        let if_not_exists = self.eat_seq(&[Kw::If, Kw::Not, Kw::Exists])?;
        let (user, servername) = self.user_mapping_target()?;
        let options = self.create_generic_options()?;
        Ok(CreateUserMappingStmt { user, servername, if_not_exists, options })
    }

    /// ALTER USER MAPPING, at MAPPING.
    pub(in crate::parser) fn alter_user_mapping_stmt(&mut self) -> PgResult<AlterUserMappingStmt> {
        self.bump();
        let (user, servername) = self.user_mapping_target()?;
        let options = self.alter_generic_options()?;
        Ok(AlterUserMappingStmt { user, servername, options })
    }

    /// DROP USER MAPPING, at USER.
    pub(in crate::parser) fn drop_user_mapping_stmt(&mut self) -> PgResult<DropUserMappingStmt> {
        self.expect_all(&[Kw::User, Kw::Mapping])?;
        let missing_ok = self.eat_seq(&[Kw::If, Kw::Exists])?;
        let (user, servername) = self.user_mapping_target()?;
        Ok(DropUserMappingStmt { user, servername, missing_ok })
    }

    pub(in crate::parser) fn import_foreign_schema_stmt(&mut self) -> PgResult<ImportForeignSchemaStmt> {
        self.bump();
        self.expect_all(&[Kw::Foreign, Kw::Schema])?;
        let remote_schema = self.name()?;
        let list_type = match self.eat_any(&[Kw::Limit, Kw::Except]) {
            Some(Kw::Limit) => {
                self.expect(Kw::To)?;
                ImportForeignSchemaType::LimitTo
            }
            Some(_) => ImportForeignSchemaType::Except,
            None => ImportForeignSchemaType::All,
        };
        let mut table_list = Vec::new();
        if list_type != ImportForeignSchemaType::All {
            self.expect_tok(Tok::LParen)?;
            table_list = self.relation_expr_list()?;
            self.rparen()?;
        }
        self.expect_all(&[Kw::From, Kw::Server])?;
        let server_name = self.name()?;
        self.expect(Kw::Into)?;
        let local_schema = self.name()?;
        let options = self.create_generic_options()?;
        Ok(ImportForeignSchemaStmt {
            server_name,
            remote_schema,
            local_schema,
            list_type,
            table_list,
            options,
        })
    }
}
