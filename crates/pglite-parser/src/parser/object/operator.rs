//! Operators, operator classes and families.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// CREATE OPERATOR [CLASS | FAMILY], at OPERATOR.
    pub(in crate::parser) fn create_operator(&mut self) -> PgResult<Statement> {
        let location = self.bump().start as i32;
        // CLASS and FAMILY may also be schemas of an operator.
        let qualified = self.ahead(1).tok == Tok::Dot;
        if self.at(Kw::Class) && !(qualified && self.is_operator_after_dot()) {
            return Ok(self.create_op_class_stmt()?.into());
        }
        if self.at(Kw::Family) && !(qualified && self.is_operator_after_dot()) {
            self.bump();
            let (opfamilyname, amname) = self.class_using()?;
            return Ok(CreateOpFamilyStmt { opfamilyname, amname }.into());
        }
        let defnames = self.any_operator()?;
        let definition = self.definition()?;
        Ok(DefineStmt {
            kind: ObjectType::Operator,
            oldstyle: false,
            defnames,
            args: None,
            definition,
            if_not_exists: false,
            replace: false,
            location,
        }
        .into())
    }

    pub(in crate::parser) fn is_operator_after_dot(&self) -> bool {
        self.ahead(1).tok == Tok::Dot
    }

    /// `name USING access_method`
    pub(in crate::parser) fn class_using(&mut self) -> PgResult<(Vec<String>, String)> {
        let name = self.any_name()?;
        self.expect(Kw::Using)?;
        Ok((name, self.name()?))
    }

    fn create_op_class_stmt(&mut self) -> PgResult<CreateOpClassStmt> {
        self.bump();
        let opclassname = self.any_name()?;
        let is_default = self.eat(Kw::Default);
        self.expect_all(&[Kw::For, Kw::Type])?;
        let datatype = self.typename()?;
        self.expect(Kw::Using)?;
        let amname = self.name()?;
        let opfamilyname = if self.eat(Kw::Family) { self.any_name()? } else { Vec::new() };
        self.expect(Kw::As)?;
        let items = self.list(Self::opclass_item)?;
        Ok(CreateOpClassStmt { opclassname, opfamilyname, amname, datatype, items, is_default })
    }

    fn opclass_item(&mut self) -> PgResult<CreateOpClassItem> {
        let mut item = CreateOpClassItem::default();
        match self.eat_any(&[Kw::Operator, Kw::Function, Kw::Storage]) {
            Some(Kw::Operator) => {
                item.number = self.iconst()?;
                let location = self.loc();
                let objname = self.any_operator()?;
                let objargs = if self.at_tok(Tok::LParen) { self.oper_argtypes()? } else { Vec::new() };
                item.name = Some(ObjectWithArgs { objname, objargs, location, ..ObjectWithArgs::default() });
                if self.eat(Kw::For) {
                    match self.eat_any(&[Kw::Search, Kw::Order]) {
                        Some(Kw::Search) => {}
                        Some(_) => {
                            self.expect(Kw::By)?;
                            item.order_family = self.any_name()?;
                        }
                        None => return Err(self.unexpected()),
                    }
                }
            }
            Some(Kw::Function) => {
                item.itemtype = OpClassItemType::Function;
                item.number = self.iconst()?;
                item.class_args = self.opt_paren_list(Self::typename)?;
                item.name = Some(self.function_with_argtypes()?);
            }
            Some(_) => {
                item.itemtype = OpClassItemType::StorageType;
                item.storedtype = Some(self.typename()?);
            }
            None => return Err(self.unexpected()),
        }
        Ok(item)
    }

    /// ADD or DROP of ALTER OPERATOR FAMILY.
    pub(in crate::parser) fn alter_op_family_stmt(
        &mut self,
        opfamilyname: Vec<String>,
        amname: String,
    ) -> PgResult<AlterOpFamilyStmt> {
        let is_drop = self.bump().kw == Kw::Drop;
        let items = if is_drop { self.list(Self::opclass_drop)? } else { self.list(Self::opclass_item)? };
        Ok(AlterOpFamilyStmt { opfamilyname, amname, is_drop, items })
    }

    fn opclass_drop(&mut self) -> PgResult<CreateOpClassItem> {
        let itemtype = match self.eat_any(&[Kw::Operator, Kw::Function]) {
            Some(Kw::Operator) => OpClassItemType::Operator,
            Some(_) => OpClassItemType::Function,
            None => return Err(self.unexpected()),
        };
        let number = self.iconst()?;
        let class_args = self.paren_list(Self::typename)?;
        Ok(CreateOpClassItem { itemtype, number, class_args, ..CreateOpClassItem::default() })
    }

    /// `(name [= NONE | value], ...)` of ALTER OPERATOR and ALTER TYPE
    pub(in crate::parser) fn operator_def_list(&mut self) -> PgResult<Vec<DefElem>> {
        self.paren_list(|p| {
            let location = p.loc();
            let defname = p.col_label()?;
            let mut arg = None;
            if p.eat_tok(Tok::Equals) && !p.eat(Kw::None) {
                arg = Some(p.def_arg()?);
            }
            Ok(DefElem::new(defname, arg, location))
        })
    }
}
