//! Domains; and ALTER TYPE, whose forms depend on what comes after the name.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// At DOMAIN.
    pub(in crate::parser) fn create_domain_stmt(&mut self) -> PgResult<CreateDomainStmt> {
        self.bump();
        let domainname = self.any_name()?;
        self.eat(Kw::As);
        let type_name = self.typename()?;
        let mut col = ColumnDef::default();
        self.col_qual_list(&mut col)?;
        let (coll_clause, constraints) = (col.coll_clause, col.constraints);
        Ok(CreateDomainStmt { domainname, type_name, coll_clause, constraints })
    }

    /// What only ALTER DOMAIN can do, after the name; the other forms are common to all objects.
    pub(in crate::parser) fn alter_domain_stmt(
        &mut self,
        type_name: Vec<String>,
    ) -> PgResult<AlterDomainStmt> {
        let mut stmt = AlterDomainStmt {
            subtype: 'T',
            type_name,
            name: None,
            def: AlterDomainDef::None,
            behavior: DropBehavior::Restrict,
            missing_ok: false,
        };
        match self.eat_any(&[Kw::Set, Kw::Drop, Kw::Add, Kw::Validate]) {
            Some(Kw::Set) => {
                if self.eat(Kw::Default) {
                    stmt.def = AlterDomainDef::Expr(self.a_expr()?);
                } else {
                    self.expect_all(&[Kw::Not, Kw::Null])?;
                    stmt.subtype = 'O';
                }
            }
            Some(Kw::Drop) => match self.eat_any(&[Kw::Default, Kw::Not, Kw::Constraint]) {
                Some(Kw::Default) => {}
                Some(Kw::Not) => {
                    self.expect(Kw::Null)?;
                    stmt.subtype = 'N';
                }
                Some(_) => {
                    stmt.subtype = 'X';
                    stmt.missing_ok = self.opt_if_exists()?;
                    stmt.name = Some(self.name()?);
                    stmt.behavior = self.opt_drop_behavior();
                }
                None => return Err(self.unexpected()),
            },
            Some(Kw::Add) => {
                stmt.subtype = 'C';
                stmt.def = AlterDomainDef::Constraint(Box::new(self.domain_constraint()?));
            }
            Some(_) => {
                self.expect(Kw::Constraint)?;
                stmt.subtype = 'V';
                stmt.name = Some(self.name()?);
            }
            None => return Err(self.unexpected()),
        }
        Ok(stmt)
    }

    /// ALTER TYPE, at TYPE.
    pub(in crate::parser) fn alter_type(&mut self) -> PgResult<Statement> {
        self.bump();
        let name_at = self.loc();
        let names = self.any_name()?;
        let next = self.ahead(1);
        match (self.kw(), next.kw) {
            (Kw::Add | Kw::Rename | Kw::Drop, Kw::Value) => self.alter_enum_stmt(names),
            (Kw::Add | Kw::Drop | Kw::Alter, _) => {
                let relation = self.range_var_from_names(names, name_at)?;
                let cmds = self.list(Self::alter_type_cmd)?;
                let objtype = ObjectType::Type;
                Ok(AlterTableStmt { relation, cmds, objtype, missing_ok: false }.into())
            }
            (Kw::Rename, Kw::Attribute) => {
                self.bump();
                self.bump();
                let relation = Some(self.range_var_from_names(names, name_at)?);
                let subname = Some(self.name()?);
                self.expect(Kw::To)?;
                let newname = self.name()?;
                let behavior = self.opt_drop_behavior();
                Ok(RenameStmt {
                    rename_type: ObjectType::Attribute,
                    relation_type: ObjectType::Type,
                    relation,
                    object: None,
                    subname,
                    newname,
                    behavior,
                    missing_ok: false,
                }
                .into())
            }
            (Kw::Set, _) if next.tok == Tok::LParen => {
                self.bump();
                Ok(AlterTypeStmt { type_name: names, options: self.operator_def_list()? }.into())
            }
            _ => self.alter_common(ObjectType::Type, ObjectName::Names(names), &[]),
        }
    }

    /// ADD VALUE, RENAME VALUE, DROP VALUE
    fn alter_enum_stmt(&mut self, type_name: Vec<String>) -> PgResult<Statement> {
        let location = self.loc();
        let kw = self.bump().kw;
        self.bump();
        let mut stmt = AlterEnumStmt {
            type_name,
            old_val: None,
            new_val: String::new(),
            new_val_neighbor: None,
            new_val_is_after: true,
            skip_if_new_val_exists: false,
        };
        match kw {
            Kw::Add => {
                stmt.skip_if_new_val_exists = self.eat_seq(&[Kw::If, Kw::Not, Kw::Exists])?;
                stmt.new_val = self.sconst()?;
                if let Some(kw) = self.eat_any(&[Kw::Before, Kw::After]) {
                    stmt.new_val_is_after = kw == Kw::After;
                    stmt.new_val_neighbor = Some(self.sconst()?);
                }
            }
            Kw::Rename => {
                stmt.new_val_is_after = false;
                stmt.old_val = Some(self.sconst()?);
                self.expect(Kw::To)?;
                stmt.new_val = self.sconst()?;
            }
            _ => {
                self.sconst()?;
                return Err(PgError::unsupported("dropping an enum value is not implemented").at(location));
            }
        }
        Ok(stmt.into())
    }
}
