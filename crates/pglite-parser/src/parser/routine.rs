//! Options and bodies of functions; ALTER FUNCTION; DO, CALL; languages, casts, transforms, conversions.

mod function;
mod rule;
mod trigger;

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// createfunc_opt_list, perhaps empty.
    pub(in crate::parser) fn create_func_options(&mut self) -> PgResult<Vec<DefElem>> {
        let mut options = Vec::new();
        loop {
            let location = self.loc();
            let (name, arg) = match self.kw() {
                Kw::As => {
                    self.bump();
                    let mut body = vec![self.sconst()?];
                    if self.eat_tok(Tok::Comma) {
                        body.push(self.sconst()?);
                    }
                    ("as", DefArg::Names(body))
                }
                Kw::Language => {
                    self.bump();
                    ("language", DefArg::String(self.word_or_sconst()?))
                }
                Kw::Transform => {
                    self.bump();
                    let types = self.list(|p| {
                        p.expect_all(&[Kw::For, Kw::Type])?;
                        p.typename()
                    })?;
                    ("transform", DefArg::TypeNames(types))
                }
                Kw::Window => {
                    self.bump();
                    ("window", DefArg::Boolean(true))
                }
                _ => match self.opt_common_func_option()? {
                    Some(option) => {
                        options.push(option);
                        continue;
                    }
                    None => return Ok(options),
                },
            };
            options.push(DefElem::new(name, Some(arg), location));
        }
    }

    /// common_func_opt_item, if one starts here.
    fn opt_common_func_option(&mut self) -> PgResult<Option<DefElem>> {
        let location = self.loc();
        let flag = |name: &str, value| Some(DefElem::new(name, Some(DefArg::Boolean(value)), location));
        let kw = self.kw();
        if matches!(kw, Kw::Set | Kw::Reset) {
            let set = DefArg::Set(Box::new(self.function_set_reset_clause()?));
            return Ok(Some(DefElem::new("set", Some(set), location)));
        }
        if !matches!(
            kw,
            Kw::Called
                | Kw::Returns
                | Kw::Strict
                | Kw::Immutable
                | Kw::Stable
                | Kw::Volatile
                | Kw::External
                | Kw::Security
                | Kw::Leakproof
                | Kw::Not
                | Kw::Cost
                | Kw::Rows
                | Kw::Support
                | Kw::Parallel
        ) {
            return Ok(None);
        }
        self.bump();
        Ok(match kw {
            Kw::Called => {
                self.expect_all(&[Kw::On, Kw::Null, Kw::Input])?;
                flag("strict", false)
            }
            Kw::Returns => {
                self.expect_all(&[Kw::Null, Kw::On, Kw::Null, Kw::Input])?;
                flag("strict", true)
            }
            Kw::Strict => flag("strict", true),
            Kw::Immutable | Kw::Stable | Kw::Volatile => {
                let volatility = DefArg::String(kw.word().to_string());
                Some(DefElem::new("volatility", Some(volatility), location))
            }
            Kw::External | Kw::Security => {
                if kw == Kw::External {
                    self.expect(Kw::Security)?;
                }
                match self.eat_any(&[Kw::Definer, Kw::Invoker]) {
                    Some(kw) => flag("security", kw == Kw::Definer),
                    None => return Err(self.unexpected()),
                }
            }
            Kw::Leakproof => flag("leakproof", true),
            Kw::Not => {
                self.expect(Kw::Leakproof)?;
                flag("leakproof", false)
            }
            Kw::Cost | Kw::Rows => Some(DefElem::new(kw.word(), Some(self.numeric_only()?), location)),
            Kw::Support => {
                let name = DefArg::Names(self.any_name()?);
                Some(DefElem::new("support", Some(name), location))
            }
            _ => {
                let value = DefArg::String(self.col_id()?);
                Some(DefElem::new("parallel", Some(value), location))
            }
        })
    }

    /// opt_routine_body: RETURN or BEGIN ATOMIC.
    pub(in crate::parser) fn opt_routine_body(&mut self) -> PgResult<Option<SqlBody>> {
        if self.at(Kw::Return) {
            return Ok(Some(SqlBody::Return(Box::new(self.return_stmt()?))));
        }
        if !self.eat_seq(&[Kw::Begin, Kw::Atomic])? {
            return Ok(None);
        }
        let mut stmts = Vec::new();
        while !self.eat(Kw::End) {
            if self.at(Kw::Return) {
                stmts.push(self.return_stmt()?.into());
            } else if let Some(stmt) = self.stmt()? {
                stmts.push(stmt);
            }
            self.expect_tok(Tok::Semicolon)?;
        }
        Ok(Some(SqlBody::Atomic(stmts)))
    }

    fn return_stmt(&mut self) -> PgResult<ReturnStmt> {
        self.expect(Kw::Return)?;
        Ok(ReturnStmt { returnval: self.a_expr()? })
    }

    /// The options of ALTER FUNCTION, with a noise word at their end.
    pub(in crate::parser) fn alter_function_actions(
        &mut self,
        objtype: ObjectType,
        func: ObjectWithArgs,
    ) -> PgResult<AlterFunctionStmt> {
        let mut actions = Vec::new();
        while let Some(option) = self.opt_common_func_option()? {
            actions.push(option);
        }
        if actions.is_empty() {
            return Err(self.unexpected());
        }
        self.eat(Kw::Restrict);
        Ok(AlterFunctionStmt { objtype, func, actions })
    }

    pub(in crate::parser) fn do_stmt(&mut self) -> PgResult<DoStmt> {
        self.bump();
        let mut args = Vec::new();
        loop {
            let location = self.loc();
            if self.at_tok(Tok::Sconst) {
                args.push(DefElem::new("as", Some(DefArg::String(self.sconst()?)), location));
            } else if self.eat(Kw::Language) {
                args.push(DefElem::new("language", Some(DefArg::String(self.word_or_sconst()?)), location));
            } else if args.is_empty() {
                return Err(self.unexpected());
            } else {
                return Ok(DoStmt { args });
            }
        }
    }

    pub(in crate::parser) fn call_stmt(&mut self) -> PgResult<CallStmt> {
        self.bump();
        let location = self.loc();
        let name = self.func_name()?;
        Ok(CallStmt { funccall: self.func_application(name, location)? })
    }

    /// CREATE [TRUSTED] [PROCEDURAL] LANGUAGE
    pub(in crate::parser) fn create_plang_stmt(&mut self, replace: bool) -> PgResult<CreatePLangStmt> {
        let pltrusted = self.eat(Kw::Trusted);
        self.eat(Kw::Procedural);
        self.expect(Kw::Language)?;
        let plname = self.name()?;
        let mut stmt = CreatePLangStmt {
            replace,
            plname,
            plhandler: Vec::new(),
            plinline: Vec::new(),
            plvalidator: Vec::new(),
            pltrusted,
        };
        if self.eat(Kw::Handler) {
            stmt.plhandler = self.handler_name()?;
            if self.eat(Kw::Inline) {
                stmt.plinline = self.handler_name()?;
            }
            if self.eat(Kw::Validator) {
                stmt.plvalidator = self.handler_name()?;
            } else if self.eat(Kw::No) {
                self.expect(Kw::Validator)?;
            }
        }
        Ok(stmt)
    }

    /// `(source AS target)`
    pub(in crate::parser) fn cast_types(&mut self) -> PgResult<(TypeName, TypeName)> {
        self.lparen()?;
        let source = self.typename()?;
        self.expect(Kw::As)?;
        let target = self.typename()?;
        self.rparen()?;
        Ok((source, target))
    }

    pub(in crate::parser) fn create_cast_stmt(&mut self) -> PgResult<CreateCastStmt> {
        self.bump();
        let (sourcetype, targettype) = self.cast_types()?;
        let (mut func, mut inout) = (None, false);
        match self.eat_any(&[Kw::With, Kw::Without]) {
            Some(Kw::With) if self.eat(Kw::Inout) => inout = true,
            Some(Kw::With) => {
                self.expect(Kw::Function)?;
                func = Some(self.function_with_argtypes()?);
            }
            Some(_) => self.expect(Kw::Function)?,
            None => return Err(self.unexpected()),
        }
        let mut context = CoercionContext::Explicit;
        if self.eat(Kw::As) {
            context = match self.eat_any(&[Kw::Implicit, Kw::Assignment]) {
                Some(Kw::Implicit) => CoercionContext::Implicit,
                Some(_) => CoercionContext::Assignment,
                None => return Err(self.unexpected()),
            };
        }
        Ok(CreateCastStmt { sourcetype, targettype, func, context, inout })
    }

    /// `FOR type LANGUAGE name`
    pub(in crate::parser) fn transform_target(&mut self) -> PgResult<(TypeName, String)> {
        self.expect(Kw::For)?;
        let type_name = self.typename()?;
        self.expect(Kw::Language)?;
        Ok((type_name, self.name()?))
    }

    pub(in crate::parser) fn create_transform_stmt(
        &mut self,
        replace: bool,
    ) -> PgResult<CreateTransformStmt> {
        self.bump();
        let (type_name, lang) = self.transform_target()?;
        let mut stmt = CreateTransformStmt { replace, type_name, lang, fromsql: None, tosql: None };
        self.lparen()?;
        loop {
            let from = if stmt.fromsql.is_none() && self.eat(Kw::From) {
                true
            } else if stmt.tosql.is_none() && self.eat(Kw::To) {
                false
            } else {
                return Err(self.unexpected());
            };
            self.expect_all(&[Kw::Sql, Kw::With, Kw::Function])?;
            let func = Some(self.function_with_argtypes()?);
            if from {
                stmt.fromsql = func;
            } else {
                stmt.tosql = func;
            }
            if stmt.fromsql.is_some() && stmt.tosql.is_some() || !self.eat_tok(Tok::Comma) {
                break;
            }
        }
        self.rparen()?;
        Ok(stmt)
    }

    /// CREATE [DEFAULT] CONVERSION
    pub(in crate::parser) fn create_conversion_stmt(&mut self) -> PgResult<CreateConversionStmt> {
        let def = self.eat(Kw::Default);
        self.expect(Kw::Conversion)?;
        let conversion_name = self.any_name()?;
        self.expect(Kw::For)?;
        let for_encoding_name = self.sconst()?;
        self.expect(Kw::To)?;
        let to_encoding_name = self.sconst()?;
        self.expect(Kw::From)?;
        let func_name = self.any_name()?;
        Ok(CreateConversionStmt { conversion_name, for_encoding_name, to_encoding_name, func_name, def })
    }

    /// CREATE ACCESS METHOD
    pub(in crate::parser) fn create_am_stmt(&mut self) -> PgResult<CreateAmStmt> {
        self.bump();
        self.expect(Kw::Method)?;
        let amname = self.name()?;
        self.expect(Kw::Type)?;
        let amtype = match self.eat_any(&[Kw::Index, Kw::Table]) {
            Some(Kw::Index) => 'i',
            Some(_) => 't',
            None => return Err(self.unexpected()),
        };
        self.expect(Kw::Handler)?;
        Ok(CreateAmStmt { amname, handler_name: self.handler_name()?, amtype })
    }
}
