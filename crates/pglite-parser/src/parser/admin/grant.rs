//! GRANT, REVOKE, ALTER DEFAULT PRIVILEGES.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// What privileges are on.
struct Target {
    targtype: GrantTargetType,
    objtype: ObjectType,
    objects: Vec<GrantObject>,
}

impl Parser<'_> {
    /// GRANT privileges or roles, at the keyword.
    pub(in crate::parser) fn grant_stmt(&mut self) -> PgResult<Statement> {
        self.bump();
        let privileges = self.privileges(true)?;
        if self.at(Kw::On) || privileges.is_none() {
            return self.grant_on(privileges.unwrap_or_default());
        }
        self.expect(Kw::To)?;
        let grantee_roles = self.role_list()?;
        let mut opt = Vec::new();
        if self.eat(Kw::With) {
            opt = self.list(|p| {
                let location = p.loc();
                let name = p.col_label()?;
                let value = match p.eat_any(&[Kw::Option, Kw::True, Kw::False]) {
                    Some(kw) => kw != Kw::False,
                    None => return Err(p.unexpected()),
                };
                Ok(DefElem::new(name, Some(DefArg::Boolean(value)), location))
            })?;
        }
        let grantor = self.opt_granted_by()?;
        Ok(GrantRoleStmt {
            granted_roles: privileges.unwrap_or_default(),
            grantee_roles,
            is_grant: true,
            opt,
            grantor,
            behavior: DropBehavior::Restrict,
        }
        .into())
    }

    /// GRANT on objects only (in CREATE SCHEMA), at the keyword.
    pub(in crate::parser) fn grant_object_stmt(&mut self) -> PgResult<Statement> {
        self.bump();
        let privileges = self.privileges(true)?.unwrap_or_default();
        self.grant_on(privileges)
    }

    fn grant_on(&mut self, privileges: Vec<AccessPriv>) -> PgResult<Statement> {
        self.expect(Kw::On)?;
        let Target { targtype, objtype, objects } = self.privilege_target()?;
        self.expect(Kw::To)?;
        let grantees = self.grantee_list()?;
        let grant_option = self.eat_seq(&[Kw::With, Kw::Grant, Kw::Option])?;
        let grantor = self.opt_granted_by()?;
        Ok(GrantStmt {
            is_grant: true,
            targtype,
            objtype,
            objects,
            privileges,
            grantees,
            grant_option,
            grantor,
            behavior: DropBehavior::Restrict,
        }
        .into())
    }

    /// REVOKE, at the keyword.
    pub(in crate::parser) fn revoke_stmt(&mut self) -> PgResult<Statement> {
        self.bump();
        let grant_option = self.eat_seq(&[Kw::Grant, Kw::Option, Kw::For])?;
        let mut opt = Vec::new();
        if !grant_option && self.is_col_id(0) && self.ahead(1).kw == Kw::Option {
            let location = self.loc();
            let name = self.col_id()?;
            self.expect_all(&[Kw::Option, Kw::For])?;
            opt.push(DefElem::new(name, Some(DefArg::Boolean(false)), location));
        }
        let privileges = self.privileges(opt.is_empty())?;
        if opt.is_empty() && (grant_option || privileges.is_none() || self.at(Kw::On)) {
            self.expect(Kw::On)?;
            let Target { targtype, objtype, objects } = self.privilege_target()?;
            self.expect(Kw::From)?;
            let grantees = self.grantee_list()?;
            let grantor = self.opt_granted_by()?;
            let behavior = self.opt_drop_behavior();
            return Ok(GrantStmt {
                is_grant: false,
                targtype,
                objtype,
                objects,
                privileges: privileges.unwrap_or_default(),
                grantees,
                grant_option,
                grantor,
                behavior,
            }
            .into());
        }
        self.expect(Kw::From)?;
        let grantee_roles = self.role_list()?;
        let grantor = self.opt_granted_by()?;
        let behavior = self.opt_drop_behavior();
        Ok(GrantRoleStmt {
            granted_roles: privileges.unwrap_or_default(),
            grantee_roles,
            is_grant: false,
            opt,
            grantor,
            behavior,
        }
        .into())
    }

    /// A list of privileges; None for plain ALL [PRIVILEGES]. `all`: whether ALL may stand here.
    fn privileges(&mut self, all: bool) -> PgResult<Option<Vec<AccessPriv>>> {
        if all && self.eat(Kw::All) {
            self.eat(Kw::Privileges);
            if !self.at_tok(Tok::LParen) {
                return Ok(None);
            }
            let cols = self.paren_name_list()?;
            if !self.at(Kw::On) {
                return Err(self.unexpected());
            }
            return Ok(Some(vec![AccessPriv { priv_name: None, cols }]));
        }
        self.list(|p| {
            if p.at_all(&[Kw::Alter, Kw::System]) {
                p.bump();
                p.bump();
                return Ok(AccessPriv { priv_name: Some("alter system".to_string()), cols: Vec::new() });
            }
            let name = match p.eat_any(&[Kw::Select, Kw::References, Kw::Create]) {
                Some(kw) => kw.word().to_string(),
                None => p.col_id()?,
            };
            Ok(AccessPriv { priv_name: Some(name), cols: p.opt_name_list()? })
        })
        .map(Some)
    }

    fn privilege_target(&mut self) -> PgResult<Target> {
        let names = |p: &mut Self| p.list(|p| p.name().map(GrantObject::Name));
        let any_names = |p: &mut Self| p.list(|p| p.any_name().map(GrantObject::Names));
        let relations =
            |p: &mut Self| p.list(|p| p.qualified_name().map(|rv| GrantObject::RangeVar(Box::new(rv))));
        let functions =
            |p: &mut Self| p.list(|p| p.function_with_argtypes().map(|f| GrantObject::WithArgs(Box::new(f))));
        let kw = self.kw();
        let object = |objtype, objects| Ok(Target { targtype: GrantTargetType::Object, objtype, objects });
        if kw == Kw::All {
            return self.all_in_schema();
        }
        // The words that are not reserved may also be names of tables.
        let next_is_name = self.is_non_reserved_word(1);
        match kw {
            Kw::Table => {
                self.bump();
                object(ObjectType::Table, relations(self)?)
            }
            Kw::Foreign => {
                self.bump();
                if self.eat(Kw::Server) {
                    return object(ObjectType::ForeignServer, names(self)?);
                }
                self.expect_all(&[Kw::Data, Kw::Wrapper])?;
                object(ObjectType::Fdw, names(self)?)
            }
            _ if !next_is_name => object(ObjectType::Table, relations(self)?),
            Kw::Sequence => {
                self.bump();
                object(ObjectType::Sequence, relations(self)?)
            }
            Kw::Function => {
                self.bump();
                object(ObjectType::Function, functions(self)?)
            }
            Kw::Procedure => {
                self.bump();
                object(ObjectType::Procedure, functions(self)?)
            }
            Kw::Routine => {
                self.bump();
                object(ObjectType::Routine, functions(self)?)
            }
            Kw::Database => {
                self.bump();
                object(ObjectType::Database, names(self)?)
            }
            Kw::Domain => {
                self.bump();
                object(ObjectType::Domain, any_names(self)?)
            }
            Kw::Language => {
                self.bump();
                object(ObjectType::Language, names(self)?)
            }
            Kw::Large => {
                self.bump();
                self.expect(Kw::Object)?;
                let objects = self.list(|p| p.numeric_value().map(GrantObject::LargeObject))?;
                object(ObjectType::LargeObject, objects)
            }
            Kw::Parameter => {
                self.bump();
                let objects = self.list(|p| {
                    let mut name = p.col_id()?;
                    while p.eat_tok(Tok::Dot) {
                        name.push('.');
                        name.push_str(&p.col_id()?);
                    }
                    Ok(GrantObject::Name(name))
                })?;
                object(ObjectType::ParameterAcl, objects)
            }
            Kw::Schema => {
                self.bump();
                object(ObjectType::Schema, names(self)?)
            }
            Kw::Tablespace => {
                self.bump();
                object(ObjectType::Tablespace, names(self)?)
            }
            Kw::Type => {
                self.bump();
                object(ObjectType::Type, any_names(self)?)
            }
            _ => object(ObjectType::Table, relations(self)?),
        }
    }

    /// ALL TABLES IN SCHEMA ...
    fn all_in_schema(&mut self) -> PgResult<Target> {
        self.bump();
        let objtype =
            match self.eat_any(&[Kw::Tables, Kw::Sequences, Kw::Functions, Kw::Procedures, Kw::Routines]) {
                Some(Kw::Tables) => ObjectType::Table,
                Some(Kw::Sequences) => ObjectType::Sequence,
                Some(Kw::Functions) => ObjectType::Function,
                Some(Kw::Procedures) => ObjectType::Procedure,
                Some(_) => ObjectType::Routine,
                None => return Err(self.unexpected()),
            };
        self.expect_all(&[Kw::In, Kw::Schema])?;
        let objects = self.list(|p| p.name().map(GrantObject::Name))?;
        Ok(Target { targtype: GrantTargetType::AllInSchema, objtype, objects })
    }

    fn grantee_list(&mut self) -> PgResult<Vec<RoleSpec>> {
        self.list(|p| {
            p.eat(Kw::Group);
            p.role_spec()
        })
    }

    fn opt_granted_by(&mut self) -> PgResult<Option<RoleSpec>> {
        if self.eat_seq(&[Kw::Granted, Kw::By])? { self.role_spec().map(Some) } else { Ok(None) }
    }

    /// ALTER DEFAULT PRIVILEGES, at DEFAULT.
    pub(in crate::parser) fn alter_default_privileges_stmt(
        &mut self,
    ) -> PgResult<AlterDefaultPrivilegesStmt> {
        self.bump();
        self.expect(Kw::Privileges)?;
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            if self.eat_seq(&[Kw::In, Kw::Schema])? {
                let schemas = DefArg::Names(self.name_list()?);
                options.push(DefElem::new("schemas", Some(schemas), location));
            } else if self.eat(Kw::For) {
                if self.eat_any(&[Kw::Role, Kw::User]).is_none() {
                    return Err(self.unexpected());
                }
                let roles = DefArg::Roles(self.role_list()?);
                options.push(DefElem::new("roles", Some(roles), location));
            } else {
                break;
            }
        }
        let is_grant = match self.eat_any(&[Kw::Grant, Kw::Revoke]) {
            Some(kw) => kw == Kw::Grant,
            None => return Err(self.unexpected()),
        };
        let mut grant_option = !is_grant && self.eat_seq(&[Kw::Grant, Kw::Option, Kw::For])?;
        let privileges = self.privileges(true)?.unwrap_or_default();
        self.expect(Kw::On)?;
        let objtype = self.default_target()?;
        self.expect(if is_grant { Kw::To } else { Kw::From })?;
        let grantees = self.grantee_list()?;
        let mut behavior = DropBehavior::Restrict;
        if is_grant {
            grant_option = self.eat_seq(&[Kw::With, Kw::Grant, Kw::Option])?;
        } else {
            behavior = self.opt_drop_behavior();
        }
        let action = GrantStmt {
            is_grant,
            targtype: GrantTargetType::Defaults,
            objtype,
            objects: Vec::new(),
            privileges,
            grantees,
            grant_option,
            grantor: None,
            behavior,
        };
        Ok(AlterDefaultPrivilegesStmt { options, action })
    }

    fn default_target(&mut self) -> PgResult<ObjectType> {
        let kind = match self.kw() {
            Kw::Tables => ObjectType::Table,
            Kw::Functions | Kw::Routines => ObjectType::Function,
            Kw::Sequences => ObjectType::Sequence,
            Kw::Types => ObjectType::Type,
            Kw::Schemas => ObjectType::Schema,
            Kw::Large => {
                self.bump();
                if !self.at(Kw::Objects) {
                    return Err(self.unexpected());
                }
                ObjectType::LargeObject
            }
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(kind)
    }
}
