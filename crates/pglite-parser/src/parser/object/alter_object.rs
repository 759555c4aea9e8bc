//! ALTER: the choice of a statement, and the forms all kinds share: RENAME TO, OWNER TO, SET SCHEMA,
//! DEPENDS ON EXTENSION.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// At ALTER.
    pub(in crate::parser) fn alter_stmt(&mut self) -> PgResult<Statement> {
        self.bump();
        let kw = self.kw();
        match kw {
            Kw::Table | Kw::Index | Kw::View | Kw::Sequence => {
                self.bump();
                self.alter_relation(match kw {
                    Kw::Table => ObjectType::Table,
                    Kw::Index => ObjectType::Index,
                    Kw::View => ObjectType::View,
                    _ => ObjectType::Sequence,
                })
            }
            Kw::Materialized => {
                self.bump();
                self.expect(Kw::View)?;
                self.alter_relation(ObjectType::MatView)
            }
            Kw::Foreign => {
                self.bump();
                if self.eat(Kw::Table) {
                    self.alter_relation(ObjectType::ForeignTable)
                } else {
                    self.alter_fdw()
                }
            }
            Kw::Type => self.alter_type(),
            Kw::Domain => {
                self.bump();
                let names = self.any_name()?;
                match (self.kw(), self.ahead(1).kw) {
                    (Kw::Rename, Kw::Constraint) => self.rename_domain_constraint(names),
                    (Kw::Rename | Kw::Owner, _) | (Kw::Set, Kw::Schema) => {
                        self.alter_common(ObjectType::Domain, ObjectName::Names(names), &[])
                    }
                    _ => Ok(self.alter_domain_stmt(names)?.into()),
                }
            }
            Kw::Function | Kw::Procedure | Kw::Routine => self.alter_routine(),
            Kw::Aggregate => {
                self.bump();
                let object = ObjectName::WithArgs(Box::new(self.aggregate_with_argtypes()?));
                self.alter_common(ObjectType::Aggregate, object, &[])
            }
            Kw::Operator => self.alter_operator(),
            Kw::Collation => {
                self.bump();
                let names = self.any_name()?;
                if self.eat_seq(&[Kw::Refresh, Kw::Version])? {
                    return Ok(AlterCollationStmt { collname: names }.into());
                }
                self.alter_common(ObjectType::Collation, ObjectName::Names(names), &[])
            }
            Kw::Conversion => {
                self.bump();
                let object = ObjectName::Names(self.any_name()?);
                self.alter_common(ObjectType::Conversion, object, &[])
            }
            Kw::Statistics => self.alter_statistics(),
            Kw::Text => self.alter_text_search(),
            Kw::Language | Kw::Procedural => {
                self.eat(Kw::Procedural);
                self.expect(Kw::Language)?;
                let object = ObjectName::Name(self.name()?);
                self.alter_common(ObjectType::Language, object, &[Kw::Set])
            }
            Kw::Large => {
                self.bump();
                self.expect(Kw::Object)?;
                let object = ObjectName::LargeObject(self.numeric_value()?);
                self.alter_common(ObjectType::LargeObject, object, &[Kw::Set, Kw::Rename])
            }
            Kw::Schema => {
                self.bump();
                let object = ObjectName::Name(self.name()?);
                self.alter_common(ObjectType::Schema, object, &[Kw::Set])
            }
            Kw::Trigger | Kw::Rule => self.alter_on_table(),
            Kw::Event => self.alter_event_trigger(),
            Kw::Policy => self.alter_policy(),
            Kw::Database => self.alter_database(),
            Kw::Role | Kw::User | Kw::Group => self.alter_role(),
            Kw::Tablespace => self.alter_tablespace(),
            Kw::Extension => self.alter_extension(),
            Kw::Server => self.alter_server(),
            Kw::Publication => self.alter_publication(),
            Kw::Subscription => self.alter_subscription(),
            Kw::Default => Ok(self.alter_default_privileges_stmt()?.into()),
            Kw::System => self.alter_system(),
            _ => Err(self.unexpected()),
        }
    }

    /// RENAME TO, OWNER TO, SET SCHEMA - but not those in `without`.
    pub(in crate::parser) fn alter_common(
        &mut self,
        object_type: ObjectType,
        object: ObjectName,
        without: &[Kw],
    ) -> PgResult<Statement> {
        let kw = self.kw();
        if without.contains(&kw) {
            return Err(self.unexpected());
        }
        match kw {
            Kw::Rename => {
                self.bump();
                self.expect(Kw::To)?;
                let newname = self.name()?;
                Ok(self.rename(object_type, object, newname))
            }
            Kw::Owner => {
                self.bump();
                self.expect(Kw::To)?;
                let newowner = self.role_spec()?;
                Ok(AlterOwnerStmt { object_type, object, newowner }.into())
            }
            Kw::Set => {
                self.bump();
                self.expect(Kw::Schema)?;
                let newschema = self.name()?;
                let (relation, object, missing_ok) = (None, Some(object), false);
                Ok(AlterObjectSchemaStmt { object_type, relation, object, newschema, missing_ok }.into())
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(in crate::parser) fn rename(
        &self,
        rename_type: ObjectType,
        object: ObjectName,
        newname: String,
    ) -> Statement {
        // PG: what is named by one word of its own is in `subname`.
        let (object, subname) = match (rename_type, object) {
            (
                ObjectType::Role | ObjectType::Database | ObjectType::Schema | ObjectType::Tablespace,
                ObjectName::Name(name),
            ) => (None, Some(name)),
            (_, object) => (Some(object), None),
        };
        RenameStmt {
            rename_type,
            relation_type: ObjectType::AccessMethod,
            relation: None,
            object,
            subname,
            newname,
            behavior: DropBehavior::Restrict,
            missing_ok: false,
        }
        .into()
    }

    fn rename_domain_constraint(&mut self, names: Vec<String>) -> PgResult<Statement> {
        self.bump();
        self.bump();
        let subname = Some(self.name()?);
        self.expect(Kw::To)?;
        let newname = self.name()?;
        Ok(RenameStmt {
            rename_type: ObjectType::DomConstraint,
            relation_type: ObjectType::AccessMethod,
            relation: None,
            object: Some(ObjectName::Names(names)),
            subname,
            newname,
            behavior: DropBehavior::Restrict,
            missing_ok: false,
        }
        .into())
    }

    /// `[NO] DEPENDS ON EXTENSION name`
    pub(in crate::parser) fn alter_depends(
        &mut self,
        object_type: ObjectType,
        relation: Option<RangeVar>,
        object: Option<ObjectName>,
    ) -> PgResult<AlterObjectDependsStmt> {
        let remove = self.eat(Kw::No);
        self.expect_all(&[Kw::Depends, Kw::On, Kw::Extension])?;
        let extname = self.name()?;
        Ok(AlterObjectDependsStmt { object_type, relation, object, extname, remove })
    }

    fn alter_routine(&mut self) -> PgResult<Statement> {
        let kind = match self.bump().kw {
            Kw::Function => ObjectType::Function,
            Kw::Procedure => ObjectType::Procedure,
            _ => ObjectType::Routine,
        };
        let func = self.function_with_argtypes()?;
        let schema = self.at(Kw::Set) && self.ahead(1).kw == Kw::Schema && self.is_col_id(2);
        let object = |f| ObjectName::WithArgs(Box::new(f));
        match self.kw() {
            Kw::Rename | Kw::Owner => self.alter_common(kind, object(func), &[]),
            Kw::Set if schema => self.alter_common(kind, object(func), &[]),
            Kw::No | Kw::Depends => Ok(self.alter_depends(kind, None, Some(object(func)))?.into()),
            _ => Ok(self.alter_function_actions(kind, func)?.into()),
        }
    }

    fn alter_operator(&mut self) -> PgResult<Statement> {
        self.bump();
        if !self.is_operator_after_dot() {
            if self.eat(Kw::Class) {
                let object = self.class_name()?;
                return self.alter_common(ObjectType::OpClass, object, &[]);
            }
            if self.eat(Kw::Family) {
                let (names, method) = self.class_using()?;
                if matches!(self.kw(), Kw::Add | Kw::Drop) {
                    return Ok(self.alter_op_family_stmt(names, method)?.into());
                }
                let names = std::iter::once(method).chain(names).collect();
                return self.alter_common(ObjectType::OpFamily, ObjectName::Names(names), &[]);
            }
        }
        let opername = self.operator_with_argtypes()?;
        if self.at(Kw::Set) && self.ahead(1).tok == Tok::LParen {
            self.bump();
            return Ok(AlterOperatorStmt { opername, options: self.operator_def_list()? }.into());
        }
        self.alter_common(ObjectType::Operator, ObjectName::WithArgs(Box::new(opername)), &[Kw::Rename])
    }

    fn alter_statistics(&mut self) -> PgResult<Statement> {
        self.bump();
        let missing_ok = self.opt_if_exists()?;
        let defnames = self.any_name()?;
        if missing_ok || (self.at(Kw::Set) && self.ahead(1).kw == Kw::Statistics) {
            self.expect_all(&[Kw::Set, Kw::Statistics])?;
            let stxstattarget = match self.statistics_value()? {
                AlterTableDef::Integer(n) => Some(n),
                _ => None,
            };
            return Ok(AlterStatsStmt { defnames, stxstattarget, missing_ok }.into());
        }
        self.alter_common(ObjectType::StatisticExt, ObjectName::Names(defnames), &[])
    }

    /// ALTER TRIGGER and ALTER RULE: `name ON table ...`.
    fn alter_on_table(&mut self) -> PgResult<Statement> {
        let kind = if self.bump().kw == Kw::Trigger { ObjectType::Trigger } else { ObjectType::Rule };
        let name = self.name()?;
        self.expect(Kw::On)?;
        let relation = self.qualified_name()?;
        if kind == ObjectType::Trigger && matches!(self.kw(), Kw::No | Kw::Depends) {
            let object = Some(ObjectName::Name(name));
            return Ok(self.alter_depends(kind, Some(relation), object)?.into());
        }
        self.rename_on_table(kind, name, relation, false)
    }

    pub(in crate::parser) fn rename_on_table(
        &mut self,
        rename_type: ObjectType,
        name: String,
        relation: RangeVar,
        missing_ok: bool,
    ) -> PgResult<Statement> {
        self.expect_all(&[Kw::Rename, Kw::To])?;
        let newname = self.name()?;
        Ok(RenameStmt {
            rename_type,
            relation_type: ObjectType::AccessMethod,
            relation: Some(relation),
            object: None,
            subname: Some(name),
            newname,
            behavior: DropBehavior::Restrict,
            missing_ok,
        }
        .into())
    }

    fn alter_event_trigger(&mut self) -> PgResult<Statement> {
        self.bump();
        self.expect(Kw::Trigger)?;
        let trigname = self.name()?;
        if matches!(self.kw(), Kw::Enable | Kw::Disable) {
            return Ok(AlterEventTrigStmt { trigname, tgenabled: self.enable_trigger()? }.into());
        }
        self.alter_common(ObjectType::EventTrigger, ObjectName::Name(trigname), &[Kw::Set])
    }

    fn alter_system(&mut self) -> PgResult<Statement> {
        self.bump();
        let setstmt = match self.eat_any(&[Kw::Set, Kw::Reset]) {
            Some(Kw::Set) => self.generic_set(false)?,
            Some(_) => self.generic_reset()?,
            None => return Err(self.unexpected()),
        };
        Ok(AlterSystemStmt { setstmt }.into())
    }
}
