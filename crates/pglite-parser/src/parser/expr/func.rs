//! Function calls: arguments, WITHIN GROUP, FILTER, OVER.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::primary::FuncArg;

/// What follows the name of a call in parentheses.
struct Application {
    args: Vec<FuncArg>,
    order: Vec<SortBy>,
    order_at: i32,
    variadic: bool,
    distinct: bool,
    star: bool,
    /// Only plain arguments, so that a string after it makes it a typed constant.
    plain: bool,
}

impl Parser<'_> {
    pub(in crate::parser) fn func_arg_expr(&mut self) -> PgResult<FuncArg> {
        let location = self.loc();
        let mut name = None;
        if matches!(self.ahead(1).tok, Tok::ColonEquals | Tok::EqualsGreater) && self.is_type_function_name(0)
        {
            name = Some(self.type_function_name()?);
            self.bump();
        }
        let expr = self.a_expr()?;
        Ok(FuncArg { name, expr, location })
    }

    pub(in crate::parser) fn func_arg_list(&mut self) -> PgResult<Vec<Expr>> {
        self.list(|p| Ok(p.func_arg_expr()?.into_expr()))
    }

    fn application(&mut self) -> PgResult<Application> {
        self.lparen()?;
        let mut app = Application {
            args: Vec::new(),
            order: Vec::new(),
            order_at: -1,
            variadic: false,
            distinct: false,
            star: false,
            plain: false,
        };
        match self.tok() {
            Tok::RParen => {
                self.bump();
                return Ok(app);
            }
            Tok::Star => {
                self.bump();
                self.rparen()?;
                app.star = true;
                return Ok(app);
            }
            _ => {}
        }
        match self.eat_any(&[Kw::All, Kw::Distinct, Kw::Variadic]) {
            Some(Kw::Variadic) => {
                app.variadic = true;
                app.args.push(self.func_arg_expr()?);
            }
            set => {
                app.distinct = set == Some(Kw::Distinct);
                app.plain = set.is_none();
                app.args.push(self.func_arg_expr()?);
                while self.eat_tok(Tok::Comma) {
                    if app.plain && self.eat(Kw::Variadic) {
                        app.variadic = true;
                        app.plain = false;
                        app.args.push(self.func_arg_expr()?);
                        break;
                    }
                    app.args.push(self.func_arg_expr()?);
                }
            }
        }
        app.order_at = self.loc();
        app.order = self.opt_sort_clause()?;
        self.rparen()?;
        Ok(app)
    }

    fn call(funcname: Vec<String>, app: Application, location: i32) -> FuncCall {
        FuncCall {
            funcname,
            args: app.args.into_iter().map(FuncArg::into_expr).collect(),
            agg_order: app.order,
            agg_star: app.star,
            agg_distinct: app.distinct,
            func_variadic: app.variadic,
            location,
            ..FuncCall::default()
        }
    }

    /// A call without the aggregate clauses, at its parenthesis.
    pub(in crate::parser) fn func_application(
        &mut self,
        funcname: Vec<String>,
        location: i32,
    ) -> PgResult<FuncCall> {
        let app = self.application()?;
        Ok(Self::call(funcname, app, location))
    }

    /// A call with all its clauses, or `type(args) 'string'`; at the parenthesis.
    pub(in crate::parser) fn func_expr(&mut self, funcname: Vec<String>, location: i32) -> PgResult<Expr> {
        let app = self.application()?;
        if app.plain && self.at_tok(Tok::Sconst) {
            return self.const_with_modifiers(funcname, app.args, app.order, app.order_at, location);
        }
        let mut call = Self::call(funcname, app, location);
        if matches!(self.kw(), Kw::Within | Kw::Filter | Kw::Over) {
            self.within_group(&mut call)?;
            call.agg_filter = self.filter_clause()?;
            call.over = self.over_clause()?;
        }
        Ok(Expr::FuncCall(Box::new(call)))
    }

    fn within_group(&mut self, call: &mut FuncCall) -> PgResult<()> {
        let at = self.loc();
        if !self.eat(Kw::Within) {
            return Ok(());
        }
        self.expect(Kw::Group)?;
        self.lparen()?;
        let order = self.sort_clause()?;
        self.rparen()?;
        // PostgreSQL finds these conflicts when the whole call is read.
        let error = |message: &str| Err(PgError::syntax(message).at(at));
        if !call.agg_order.is_empty() {
            return error("cannot use multiple ORDER BY clauses with WITHIN GROUP");
        }
        if call.agg_distinct {
            return error("cannot use DISTINCT with WITHIN GROUP");
        }
        if call.func_variadic {
            return error("cannot use VARIADIC with WITHIN GROUP");
        }
        call.agg_order = order;
        call.agg_within_group = true;
        Ok(())
    }

    pub(in crate::parser) fn filter_clause(&mut self) -> PgResult<Option<Expr>> {
        if !self.eat(Kw::Filter) {
            return Ok(None);
        }
        self.lparen()?;
        self.expect(Kw::Where)?;
        let e = self.a_expr()?;
        self.rparen()?;
        Ok(Some(e))
    }

    /// func_expr_windowless: a call without WITHIN GROUP, FILTER and OVER.
    pub(in crate::parser) fn func_expr_windowless(&mut self) -> PgResult<Expr> {
        if let Some(e) = self.opt_common_func(false)? {
            return Ok(e);
        }
        let location = self.loc();
        let name = self.func_name()?;
        Ok(Expr::FuncCall(Box::new(self.func_application(name, location)?)))
    }

    /// Whether a func_expr_windowless starts here, where the alternative is an unqualified name.
    pub(in crate::parser) fn is_function_not_name(&self) -> bool {
        matches!(self.ahead(1).tok, Tok::Dot | Tok::LBracket) || self.is_function_start()
    }

    /// Whether a func_expr_windowless (rather than a name) starts here.
    pub(in crate::parser) fn is_function_start(&self) -> bool {
        if self.is_common_func() {
            return true;
        }
        if !self.is_type_function_name(0) && !self.is_col_id(0) {
            return false;
        }
        // A qualified name decides at its end.
        let mut n = 1;
        while self.ahead(n).tok == Tok::Dot && self.is_col_label(n + 1) {
            n += 2;
        }
        self.ahead(n).tok == Tok::LParen && (n > 1 || self.is_type_function_name(0)) || !self.is_col_id(0)
    }
}
