//! DROP of every kind of object.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::object::Naming;

impl Parser<'_> {
    /// At DROP.
    pub(in crate::parser) fn drop_stmt(&mut self) -> PgResult<Statement> {
        self.bump();
        let kw = self.kw();
        match kw {
            Kw::Type | Kw::Domain => {
                self.bump();
                let kind = if kw == Kw::Type { ObjectType::Type } else { ObjectType::Domain };
                let missing_ok = self.opt_if_exists()?;
                let objects = self.list(|p| Ok(ObjectName::TypeName(Box::new(p.typename()?))))?;
                Ok(self.finish_drop(kind, objects, missing_ok, false))
            }
            Kw::Function | Kw::Procedure | Kw::Routine => {
                self.bump();
                let kind = match kw {
                    Kw::Function => ObjectType::Function,
                    Kw::Procedure => ObjectType::Procedure,
                    _ => ObjectType::Routine,
                };
                self.drop_with_args(kind, Self::function_with_argtypes)
            }
            Kw::Aggregate => {
                self.bump();
                self.drop_with_args(ObjectType::Aggregate, Self::aggregate_with_argtypes)
            }
            Kw::Operator => self.drop_operator(),
            Kw::Cast => {
                self.bump();
                let missing_ok = self.eat_seq(&[Kw::If, Kw::Exists])?;
                let (source, target) = self.cast_types()?;
                let object = ObjectName::Cast(Box::new(source), Box::new(target));
                Ok(self.finish_drop(ObjectType::Cast, vec![object], missing_ok, false))
            }
            Kw::Transform => {
                self.bump();
                let missing_ok = self.eat_seq(&[Kw::If, Kw::Exists])?;
                let (t, language) = self.transform_target()?;
                let object = ObjectName::Transform(Box::new(t), language);
                Ok(self.finish_drop(ObjectType::Transform, vec![object], missing_ok, false))
            }
            Kw::Owned => {
                self.bump();
                self.expect(Kw::By)?;
                let roles = self.role_list()?;
                let behavior = self.opt_drop_behavior();
                Ok(DropOwnedStmt { roles, behavior }.into())
            }
            Kw::User if self.ahead(1).kw == Kw::Mapping && matches!(self.ahead(2).kw, Kw::For | Kw::If) => {
                Ok(self.drop_user_mapping_stmt()?.into())
            }
            Kw::Role | Kw::User | Kw::Group => {
                self.bump();
                let missing_ok = self.opt_if_exists()?;
                Ok(DropRoleStmt { roles: self.role_list()?, missing_ok }.into())
            }
            Kw::Database => self.drop_db(),
            Kw::Tablespace => {
                self.bump();
                let missing_ok = self.opt_if_exists()?;
                Ok(DropTableSpaceStmt { tablespacename: self.name()?, missing_ok }.into())
            }
            Kw::Subscription => {
                self.bump();
                let missing_ok = self.opt_if_exists()?;
                let subname = self.name()?;
                let behavior = self.opt_drop_behavior();
                Ok(DropSubscriptionStmt { subname, missing_ok, behavior }.into())
            }
            _ => self.drop_general(),
        }
    }

    fn finish_drop(
        &mut self,
        remove_type: ObjectType,
        objects: Vec<ObjectName>,
        missing_ok: bool,
        concurrent: bool,
    ) -> Statement {
        let behavior = self.opt_drop_behavior();
        DropStmt { objects, remove_type, behavior, missing_ok, concurrent }.into()
    }

    fn drop_with_args(
        &mut self,
        kind: ObjectType,
        item: impl Fn(&mut Self) -> PgResult<ObjectWithArgs>,
    ) -> PgResult<Statement> {
        let missing_ok = self.opt_if_exists()?;
        let objects = self.list(|p| Ok(ObjectName::WithArgs(Box::new(item(p)?))))?;
        Ok(self.finish_drop(kind, objects, missing_ok, false))
    }

    fn drop_operator(&mut self) -> PgResult<Statement> {
        self.bump();
        if matches!(self.kw(), Kw::Class | Kw::Family) && !self.is_operator_after_dot() {
            let class = self.bump().kw == Kw::Class;
            let kind = if class { ObjectType::OpClass } else { ObjectType::OpFamily };
            let missing_ok = self.opt_if_exists()?;
            let object = self.class_name()?;
            return Ok(self.finish_drop(kind, vec![object], missing_ok, false));
        }
        // IF could be an operator's schema.
        let missing_ok = self.ahead(1).tok != Tok::Dot && self.eat_seq(&[Kw::If, Kw::Exists])?;
        let objects = self.list(|p| Ok(ObjectName::WithArgs(Box::new(p.operator_with_argtypes()?))))?;
        Ok(self.finish_drop(ObjectType::Operator, objects, missing_ok, false))
    }

    /// The kinds with the plain forms of DropStmt.
    fn drop_general(&mut self) -> PgResult<Statement> {
        let Some((kind, naming)) = self.opt_object_type()? else { return Err(self.unexpected()) };
        let concurrent = kind == ObjectType::Index && self.eat(Kw::Concurrently);
        let missing_ok = self.opt_if_exists()?;
        let objects = match naming {
            Naming::AnyName => self.list(|p| p.any_name().map(ObjectName::Names))?,
            Naming::Name { .. } => self.list(|p| p.name().map(ObjectName::Name))?,
            Naming::OnTable => vec![self.name_on_table()?],
        };
        Ok(self.finish_drop(kind, objects, missing_ok, concurrent))
    }
}
