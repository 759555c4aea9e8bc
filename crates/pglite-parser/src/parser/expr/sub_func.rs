//! func_expr_common_subexpr: calls with a syntax of their own.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::{sql_call, string_const, system_name};

fn value_function(kw: Kw) -> Option<SqlValueFunctionOp> {
    Some(match kw {
        Kw::CurrentDate => SqlValueFunctionOp::CurrentDate,
        Kw::CurrentTime => SqlValueFunctionOp::CurrentTime,
        Kw::CurrentTimestamp => SqlValueFunctionOp::CurrentTimestamp,
        Kw::Localtime => SqlValueFunctionOp::LocalTime,
        Kw::Localtimestamp => SqlValueFunctionOp::LocalTimestamp,
        Kw::CurrentRole => SqlValueFunctionOp::CurrentRole,
        Kw::CurrentUser => SqlValueFunctionOp::CurrentUser,
        Kw::SessionUser => SqlValueFunctionOp::SessionUser,
        Kw::User => SqlValueFunctionOp::User,
        Kw::CurrentCatalog => SqlValueFunctionOp::CurrentCatalog,
        Kw::CurrentSchema => SqlValueFunctionOp::CurrentSchema,
        _ => return None,
    })
}

/// The form with a precision, of those that have one.
fn with_precision(op: SqlValueFunctionOp) -> Option<SqlValueFunctionOp> {
    match op {
        SqlValueFunctionOp::CurrentTime => Some(SqlValueFunctionOp::CurrentTimeN),
        SqlValueFunctionOp::CurrentTimestamp => Some(SqlValueFunctionOp::CurrentTimestampN),
        SqlValueFunctionOp::LocalTime => Some(SqlValueFunctionOp::LocalTimeN),
        SqlValueFunctionOp::LocalTimestamp => Some(SqlValueFunctionOp::LocalTimestampN),
        _ => None,
    }
}

fn plain_call(funcname: Vec<String>, args: Vec<Expr>, location: i32) -> Expr {
    Expr::FuncCall(Box::new(FuncCall { funcname, args, location, ..FuncCall::default() }))
}

impl Parser<'_> {
    /// Whether a func_expr_common_subexpr or a JSON aggregate starts here.
    pub(in crate::parser) fn is_common_func(&self) -> bool {
        let next = self.ahead(1).tok;
        match self.kw() {
            Kw::CurrentSchema => !matches!(next, Tok::LParen | Tok::Sconst),
            Kw::Collation => self.ahead(1).kw == Kw::For,
            Kw::SystemUser | Kw::Cast => true,
            kw if value_function(kw).is_some() => true,
            Kw::Extract
            | Kw::Normalize
            | Kw::Overlay
            | Kw::Position
            | Kw::Substring
            | Kw::Treat
            | Kw::Trim
            | Kw::Nullif
            | Kw::Coalesce
            | Kw::Greatest
            | Kw::Least
            | Kw::Xmlconcat
            | Kw::Xmlelement
            | Kw::Xmlexists
            | Kw::Xmlforest
            | Kw::Xmlparse
            | Kw::Xmlpi
            | Kw::Xmlroot
            | Kw::Xmlserialize
            | Kw::JsonObject
            | Kw::JsonArray
            | Kw::Json
            | Kw::JsonScalar
            | Kw::JsonSerialize
            | Kw::MergeAction
            | Kw::JsonQuery
            | Kw::JsonExists
            | Kw::JsonValue
            | Kw::JsonObjectagg
            | Kw::JsonArrayagg => next == Tok::LParen,
            _ => false,
        }
    }

    /// Such a call, if one starts here. `windows`: JSON aggregates may have FILTER and OVER.
    pub(in crate::parser) fn opt_common_func(&mut self, windows: bool) -> PgResult<Option<Expr>> {
        if !self.is_common_func() {
            return Ok(None);
        }
        let token = self.bump();
        let location = token.start as i32;
        if let Some(op) = value_function(token.kw) {
            return self.value_function_expr(op, location).map(Some);
        }
        if token.kw == Kw::SystemUser {
            return Ok(Some(sql_call("system_user", Vec::new(), location)));
        }
        if token.kw == Kw::Collation {
            self.expect(Kw::For)?;
        }
        self.lparen()?;
        let e = match token.kw {
            Kw::JsonObject
            | Kw::JsonArray
            | Kw::Json
            | Kw::JsonScalar
            | Kw::JsonSerialize
            | Kw::JsonQuery
            | Kw::JsonExists
            | Kw::JsonValue => self.json_func(token.kw, location)?,
            Kw::JsonObjectagg | Kw::JsonArrayagg => {
                return self.json_aggregate(token.kw, location, windows).map(Some);
            }
            Kw::Xmlconcat
            | Kw::Xmlelement
            | Kw::Xmlexists
            | Kw::Xmlforest
            | Kw::Xmlparse
            | Kw::Xmlpi
            | Kw::Xmlroot
            | Kw::Xmlserialize => self.xml_func(token.kw, location)?,
            kw => self.plain_common_func(kw, location)?,
        };
        self.rparen()?;
        Ok(Some(e))
    }

    fn value_function_expr(&mut self, op: SqlValueFunctionOp, location: i32) -> PgResult<Expr> {
        let (mut op, mut typmod) = (op, -1);
        if let Some(precise) = with_precision(op)
            && self.eat_tok(Tok::LParen)
        {
            op = precise;
            typmod = self.iconst()?;
            self.rparen()?;
        }
        Ok(Expr::SqlValueFunction(Box::new(SqlValueFunction { op, typmod, location })))
    }

    /// Inside the parentheses.
    fn plain_common_func(&mut self, kw: Kw, location: i32) -> PgResult<Expr> {
        Ok(match kw {
            Kw::Collation => sql_call("pg_collation_for", vec![self.a_expr()?], location),
            Kw::Cast => {
                let arg = self.a_expr()?;
                self.expect(Kw::As)?;
                let type_name = self.typename()?;
                Expr::TypeCast(Box::new(TypeCast { arg, type_name, location }))
            }
            Kw::Treat => {
                let arg = self.a_expr()?;
                self.expect(Kw::As)?;
                let mut t = self.typename()?;
                let name = t.names.pop().unwrap_or_default();
                plain_call(system_name(&name), vec![arg], location)
            }
            Kw::Extract => {
                let field = self.extract_arg()?;
                self.expect(Kw::From)?;
                sql_call("extract", vec![field, self.a_expr()?], location)
            }
            Kw::Normalize => {
                let mut args = vec![self.a_expr()?];
                if self.eat_tok(Tok::Comma) {
                    args.push(self.unicode_normal_form()?);
                }
                sql_call("normalize", args, location)
            }
            Kw::Overlay => self.overlay(location)?,
            Kw::Position => {
                let needle = self.b_expr()?;
                self.expect(Kw::In)?;
                let hay = self.b_expr()?;
                sql_call("position", vec![hay, needle], location)
            }
            Kw::Substring => self.substring(location)?,
            Kw::Trim => self.trim(location)?,
            Kw::Nullif => {
                let left = self.a_expr()?;
                self.expect_tok(Tok::Comma)?;
                let rexpr = AExprRight::Expr(self.a_expr()?);
                let name = vec!["=".to_string()];
                Expr::AExpr(Box::new(AExpr {
                    kind: AExprKind::NullIf,
                    name,
                    lexpr: Some(left),
                    rexpr,
                    location,
                }))
            }
            Kw::Coalesce => Expr::CoalesceExpr(Box::new(CoalesceExpr { args: self.expr_list()?, location })),
            Kw::Greatest | Kw::Least => {
                let op = if kw == Kw::Greatest { MinMaxOp::Greatest } else { MinMaxOp::Least };
                Expr::MinMaxExpr(Box::new(MinMaxExpr { op, args: self.expr_list()?, location }))
            }
            _ => Expr::MergeSupportFunc(Box::new(MergeSupportFunc { location })),
        })
    }

    fn extract_arg(&mut self) -> PgResult<Expr> {
        let token = self.cur();
        let location = token.start as i32;
        let field = match (token.tok, token.kw) {
            (Tok::Ident, _) => self.ident()?,
            (Tok::Sconst, _) => self.sconst()?,
            (_, Kw::Year | Kw::Month | Kw::Day | Kw::Hour | Kw::Minute | Kw::Second) => {
                self.bump();
                token.kw.word().to_string()
            }
            _ => return Err(self.unexpected()),
        };
        Ok(string_const(&field, location))
    }

    /// The plain arguments of a call whose first argument is `first`, if that is not a word with another syntax.
    fn more_args(&mut self, first: Expr) -> PgResult<Vec<Expr>> {
        let mut args = vec![first];
        while self.eat_tok(Tok::Comma) {
            args.push(self.func_arg_expr()?.into_expr());
        }
        Ok(args)
    }

    /// `()` or a named argument: certainly plain call syntax.
    fn is_plain_args(&self) -> bool {
        self.at_tok(Tok::RParen)
            || (self.is_type_function_name(0)
                && matches!(self.ahead(1).tok, Tok::ColonEquals | Tok::EqualsGreater))
    }

    fn opt_func_arg_list(&mut self) -> PgResult<Vec<Expr>> {
        if self.at_tok(Tok::RParen) { Ok(Vec::new()) } else { self.func_arg_list() }
    }

    fn overlay(&mut self, location: i32) -> PgResult<Expr> {
        let name = || vec!["overlay".to_string()];
        if self.is_plain_args() {
            return Ok(plain_call(name(), self.opt_func_arg_list()?, location));
        }
        let first = self.a_expr()?;
        if !self.eat(Kw::Placing) {
            return Ok(plain_call(name(), self.more_args(first)?, location));
        }
        let new = self.a_expr()?;
        self.expect(Kw::From)?;
        let mut args = vec![first, new, self.a_expr()?];
        if self.eat(Kw::For) {
            args.push(self.a_expr()?);
        }
        Ok(sql_call("overlay", args, location))
    }

    fn substring(&mut self, location: i32) -> PgResult<Expr> {
        let name = || vec!["substring".to_string()];
        if self.is_plain_args() {
            return Ok(plain_call(name(), self.opt_func_arg_list()?, location));
        }
        let first = self.substring_expr()?;
        let args = match self.eat_any(&[Kw::From, Kw::For, Kw::Similar]) {
            Some(Kw::From) => {
                let mut args = vec![first, self.a_expr()?];
                if self.eat(Kw::For) {
                    args.push(self.a_expr()?);
                }
                args
            }
            Some(Kw::For) => {
                let len = self.a_expr()?;
                if self.eat(Kw::From) {
                    vec![first, self.a_expr()?, len]
                } else {
                    let one = Expr::AConst(Box::new(AConst { val: Value::Integer(1), location: -1 }));
                    let type_name = TypeName::system("int4", -1);
                    let len = Expr::TypeCast(Box::new(TypeCast { arg: len, type_name, location: -1 }));
                    vec![first, one, len]
                }
            }
            Some(_) => {
                let pattern = self.a_expr()?;
                self.expect(Kw::Escape)?;
                vec![first, pattern, self.a_expr()?]
            }
            None => return Ok(plain_call(name(), self.more_args(first)?, location)),
        };
        Ok(sql_call("substring", args, location))
    }

    fn trim(&mut self, location: i32) -> PgResult<Expr> {
        let name = match self.eat_any(&[Kw::Both, Kw::Leading, Kw::Trailing]) {
            Some(Kw::Leading) => "ltrim",
            Some(Kw::Trailing) => "rtrim",
            _ => "btrim",
        };
        let args = if self.eat(Kw::From) {
            self.expr_list()?
        } else {
            let first = self.a_expr()?;
            if self.eat(Kw::From) {
                let mut args = self.expr_list()?;
                args.push(first);
                args
            } else if self.eat_tok(Tok::Comma) {
                let mut args = vec![first];
                args.append(&mut self.expr_list()?);
                args
            } else {
                vec![first]
            }
        };
        Ok(sql_call(name, args, location))
    }
}
