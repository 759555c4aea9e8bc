//! Kinds of objects by their words; COMMENT ON and SECURITY LABEL.

mod alter_object;
pub(in crate::parser) mod define;
mod domain;
mod drop;
mod operator;
mod text_search;

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::parser::Parser;

/// How objects of a kind are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parser) enum Naming {
    /// object_type_any_name
    AnyName,
    /// object_type_name; `droppable` if DROP's general form has it (drop_type_name).
    Name { droppable: bool },
    /// object_type_name_on_any_name
    OnTable,
}

impl Parser<'_> {
    /// The words of a kind of object, for the kinds that need no special syntax.
    pub(in crate::parser) fn opt_object_type(&mut self) -> PgResult<Option<(ObjectType, Naming)>> {
        use Naming::*;
        let simple = match self.kw() {
            Kw::Table => (ObjectType::Table, AnyName),
            Kw::Sequence => (ObjectType::Sequence, AnyName),
            Kw::View => (ObjectType::View, AnyName),
            Kw::Index => (ObjectType::Index, AnyName),
            Kw::Collation => (ObjectType::Collation, AnyName),
            Kw::Conversion => (ObjectType::Conversion, AnyName),
            Kw::Statistics => (ObjectType::StatisticExt, AnyName),
            Kw::Extension => (ObjectType::Extension, Name { droppable: true }),
            Kw::Language => (ObjectType::Language, Name { droppable: true }),
            Kw::Publication => (ObjectType::Publication, Name { droppable: true }),
            Kw::Schema => (ObjectType::Schema, Name { droppable: true }),
            Kw::Server => (ObjectType::ForeignServer, Name { droppable: true }),
            Kw::Database => (ObjectType::Database, Name { droppable: false }),
            Kw::Role => (ObjectType::Role, Name { droppable: false }),
            Kw::Subscription => (ObjectType::Subscription, Name { droppable: false }),
            Kw::Tablespace => (ObjectType::Tablespace, Name { droppable: false }),
            Kw::Policy => (ObjectType::Policy, OnTable),
            Kw::Rule => (ObjectType::Rule, OnTable),
            Kw::Trigger => (ObjectType::Trigger, OnTable),
            Kw::Text => return Ok(Some((self.text_search_type()?, AnyName))),
            Kw::Materialized => {
                self.bump();
                self.expect(Kw::View)?;
                return Ok(Some((ObjectType::MatView, AnyName)));
            }
            Kw::Access => {
                self.bump();
                self.expect(Kw::Method)?;
                return Ok(Some((ObjectType::AccessMethod, Name { droppable: true })));
            }
            Kw::Event => {
                self.bump();
                self.expect(Kw::Trigger)?;
                return Ok(Some((ObjectType::EventTrigger, Name { droppable: true })));
            }
            Kw::Procedural => {
                self.bump();
                self.expect(Kw::Language)?;
                return Ok(Some((ObjectType::Language, Name { droppable: true })));
            }
            Kw::Foreign => {
                self.bump();
                if self.eat(Kw::Table) {
                    return Ok(Some((ObjectType::ForeignTable, AnyName)));
                }
                self.expect_all(&[Kw::Data, Kw::Wrapper])?;
                return Ok(Some((ObjectType::Fdw, Name { droppable: true })));
            }
            _ => return Ok(None),
        };
        self.bump();
        Ok(Some(simple))
    }

    /// `name ON table`: the table's name followed by the object's.
    pub(in crate::parser) fn name_on_table(&mut self) -> PgResult<ObjectName> {
        let name = self.name()?;
        self.expect(Kw::On)?;
        let mut names = self.any_name()?;
        names.push(name);
        Ok(ObjectName::Names(names))
    }

    /// `name USING access_method`: the access method first.
    pub(in crate::parser) fn class_name(&mut self) -> PgResult<ObjectName> {
        let (names, method) = self.class_using()?;
        Ok(ObjectName::Names(std::iter::once(method).chain(names).collect()))
    }

    /// What COMMENT ON names. `labels`: SECURITY LABEL, which knows fewer kinds.
    fn described_object(&mut self, labels: bool) -> PgResult<(ObjectType, ObjectName)> {
        if labels && matches!(self.kw(), Kw::Policy | Kw::Rule | Kw::Trigger) {
            return Err(self.unexpected());
        }
        if let Some((kind, naming)) = self.opt_object_type()? {
            let name = match naming {
                Naming::AnyName => ObjectName::Names(self.any_name()?),
                Naming::Name { .. } => ObjectName::Name(self.name()?),
                Naming::OnTable => self.name_on_table()?,
            };
            return Ok((kind, name));
        }
        let kw = self.kw();
        let known = matches!(
            kw,
            Kw::Column
                | Kw::Type
                | Kw::Domain
                | Kw::Aggregate
                | Kw::Function
                | Kw::Procedure
                | Kw::Routine
                | Kw::Large
        );
        let more = matches!(kw, Kw::Operator | Kw::Constraint | Kw::Transform | Kw::Cast);
        if !known && (labels || !more) {
            return Err(self.unexpected());
        }
        self.bump();
        let with_args = |o| ObjectName::WithArgs(Box::new(o));
        Ok(match kw {
            Kw::Column => (ObjectType::Column, ObjectName::Names(self.any_name()?)),
            Kw::Type => (ObjectType::Type, ObjectName::TypeName(Box::new(self.typename()?))),
            Kw::Domain => (ObjectType::Domain, ObjectName::TypeName(Box::new(self.typename()?))),
            Kw::Aggregate => (ObjectType::Aggregate, with_args(self.aggregate_with_argtypes()?)),
            Kw::Function => (ObjectType::Function, with_args(self.function_with_argtypes()?)),
            Kw::Procedure => (ObjectType::Procedure, with_args(self.function_with_argtypes()?)),
            Kw::Routine => (ObjectType::Routine, with_args(self.function_with_argtypes()?)),
            Kw::Large => {
                self.expect(Kw::Object)?;
                (ObjectType::LargeObject, ObjectName::LargeObject(self.numeric_value()?))
            }
            Kw::Operator => self.operator_object()?,
            Kw::Transform => {
                let (t, language) = self.transform_target()?;
                (ObjectType::Transform, ObjectName::Transform(Box::new(t), language))
            }
            Kw::Cast => {
                let (source, target) = self.cast_types()?;
                (ObjectType::Cast, ObjectName::Cast(Box::new(source), Box::new(target)))
            }
            _ => self.constraint_object()?,
        })
    }

    /// `CLASS ...`, `FAMILY ...` or an operator, after OPERATOR.
    pub(in crate::parser) fn operator_object(&mut self) -> PgResult<(ObjectType, ObjectName)> {
        if !self.is_operator_after_dot() {
            if self.eat(Kw::Class) {
                return Ok((ObjectType::OpClass, self.class_name()?));
            }
            if self.eat(Kw::Family) {
                return Ok((ObjectType::OpFamily, self.class_name()?));
            }
        }
        let operator = self.operator_with_argtypes()?;
        Ok((ObjectType::Operator, ObjectName::WithArgs(Box::new(operator))))
    }

    /// `name ON [DOMAIN] name`, after CONSTRAINT.
    fn constraint_object(&mut self) -> PgResult<(ObjectType, ObjectName)> {
        let name = self.name()?;
        self.expect(Kw::On)?;
        // DOMAIN may also be a table's name.
        if self.at(Kw::Domain) && self.is_col_id(1) {
            self.bump();
            let location = self.loc();
            let names = self.any_name()?;
            let t = TypeName { names, location, ..TypeName::default() };
            return Ok((ObjectType::DomConstraint, ObjectName::DomainConstraint(Box::new(t), name)));
        }
        let mut names = self.any_name()?;
        names.push(name);
        Ok((ObjectType::TabConstraint, ObjectName::Names(names)))
    }

    /// `IS 'text'` or `IS NULL`
    fn is_text(&mut self) -> PgResult<Option<String>> {
        self.expect(Kw::Is)?;
        if self.eat(Kw::Null) { Ok(None) } else { self.sconst().map(Some) }
    }

    pub(in crate::parser) fn comment_stmt(&mut self) -> PgResult<CommentStmt> {
        self.bump();
        self.expect(Kw::On)?;
        let (objtype, object) = self.described_object(false)?;
        Ok(CommentStmt { objtype, object, comment: self.is_text()? })
    }

    pub(in crate::parser) fn sec_label_stmt(&mut self) -> PgResult<SecLabelStmt> {
        self.bump();
        self.expect(Kw::Label)?;
        let provider = if self.eat(Kw::For) { Some(self.word_or_sconst()?) } else { None };
        self.expect(Kw::On)?;
        let (objtype, object) = self.described_object(true)?;
        Ok(SecLabelStmt { objtype, object, provider, label: self.is_text()? })
    }
}
