//! Extensions.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::parser::Parser;
use crate::parser::object::Naming;

impl Parser<'_> {
    /// CREATE EXTENSION, at EXTENSION.
    pub(in crate::parser) fn create_extension_stmt(&mut self) -> PgResult<CreateExtensionStmt> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let extname = self.name()?;
        self.opt_with();
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            let (name, arg) = match self.eat_any(&[Kw::Schema, Kw::Version, Kw::From, Kw::Cascade]) {
                Some(Kw::Schema) => ("schema", DefArg::String(self.name()?)),
                Some(Kw::Version) => ("new_version", DefArg::String(self.word_or_sconst()?)),
                Some(Kw::From) => {
                    self.word_or_sconst()?;
                    let message = "CREATE EXTENSION ... FROM is no longer supported";
                    return Err(PgError::unsupported(message).at(location));
                }
                Some(_) => ("cascade", DefArg::Boolean(true)),
                None => break,
            };
            options.push(DefElem::new(name, Some(arg), location));
        }
        Ok(CreateExtensionStmt { extname, if_not_exists, options })
    }

    /// ALTER EXTENSION, at EXTENSION.
    pub(in crate::parser) fn alter_extension(&mut self) -> PgResult<Statement> {
        self.bump();
        let extname = self.name()?;
        match self.eat_any(&[Kw::Update, Kw::Add, Kw::Drop]) {
            Some(Kw::Update) => {
                let mut options = Vec::new();
                loop {
                    let location = self.loc();
                    if !self.eat(Kw::To) {
                        break;
                    }
                    let version = DefArg::String(self.word_or_sconst()?);
                    options.push(DefElem::new("new_version", Some(version), location));
                }
                Ok(AlterExtensionStmt { extname, options }.into())
            }
            Some(kw) => {
                let action = if kw == Kw::Add { 1 } else { -1 };
                let (objtype, object) = self.extension_member()?;
                Ok(AlterExtensionContentsStmt { extname, action, objtype, object }.into())
            }
            None => {
                self.alter_common(ObjectType::Extension, ObjectName::Name(extname), &[Kw::Rename, Kw::Owner])
            }
        }
    }

    fn extension_member(&mut self) -> PgResult<(ObjectType, ObjectName)> {
        if matches!(self.kw(), Kw::Policy | Kw::Rule | Kw::Trigger) {
            return Err(self.unexpected());
        }
        if let Some((kind, naming)) = self.opt_object_type()? {
            let object = match naming {
                Naming::AnyName => ObjectName::Names(self.any_name()?),
                _ => ObjectName::Name(self.name()?),
            };
            return Ok((kind, object));
        }
        let with_args = |o| ObjectName::WithArgs(Box::new(o));
        let kws = [
            Kw::Aggregate,
            Kw::Cast,
            Kw::Domain,
            Kw::Type,
            Kw::Function,
            Kw::Procedure,
            Kw::Routine,
            Kw::Operator,
            Kw::Transform,
        ];
        Ok(match self.eat_any(&kws) {
            Some(Kw::Aggregate) => (ObjectType::Aggregate, with_args(self.aggregate_with_argtypes()?)),
            Some(Kw::Cast) => {
                let (source, target) = self.cast_types()?;
                (ObjectType::Cast, ObjectName::Cast(Box::new(source), Box::new(target)))
            }
            Some(Kw::Domain) => (ObjectType::Domain, ObjectName::TypeName(Box::new(self.typename()?))),
            Some(Kw::Type) => (ObjectType::Type, ObjectName::TypeName(Box::new(self.typename()?))),
            Some(Kw::Function) => (ObjectType::Function, with_args(self.function_with_argtypes()?)),
            Some(Kw::Procedure) => (ObjectType::Procedure, with_args(self.function_with_argtypes()?)),
            Some(Kw::Routine) => (ObjectType::Routine, with_args(self.function_with_argtypes()?)),
            Some(Kw::Operator) => self.operator_object()?,
            Some(_) => {
                let (t, language) = self.transform_target()?;
                (ObjectType::Transform, ObjectName::Transform(Box::new(t), language))
            }
            None => return Err(self.unexpected()),
        })
    }
}
