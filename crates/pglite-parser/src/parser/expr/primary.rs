//! `c_expr`: constants, columns, parentheses, CASE, ARRAY, ROW, subselects.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::{KeywordCategory, Kw};
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::{sql_call, string_const};

/// What a pair of parentheses turned out to hold.
pub(in crate::parser) enum Paren {
    Select(Box<SelectStmt>),
    One(Expr),
    /// Two or more expressions.
    Row(Vec<Expr>),
}

fn sub_link(sub_link_type: SubLinkType, subselect: Box<SelectStmt>, location: i32) -> Expr {
    let (testexpr, oper_name) = (None, Vec::new());
    Expr::SubLink(Box::new(SubLink { sub_link_type, testexpr, oper_name, subselect, location }))
}

fn row_expr(args: Vec<Expr>, row_format: CoercionForm, location: i32) -> Expr {
    Expr::RowExpr(Box::new(RowExpr { args, row_format, location }))
}

impl Parser<'_> {
    pub(in crate::parser) fn c_expr(&mut self) -> PgResult<Expr> {
        self.c_expr_or_overlaps(false)
    }

    /// A c_expr, or (where an a_expr may stand) `row OVERLAPS row`, which starts like one.
    pub(in crate::parser) fn c_expr_or_overlaps(&mut self, overlaps: bool) -> PgResult<Expr> {
        let token = self.cur();
        let location = token.start as i32;
        let e = match token.tok {
            Tok::Ident => self.name_expr()?,
            Tok::Iconst => {
                self.bump();
                self.constant(Value::Integer(token.aux as i32), location)
            }
            Tok::Sconst => {
                self.bump();
                let value = self.string_text(token).to_string();
                self.constant(Value::String(value), location)
            }
            Tok::Fconst => {
                self.bump();
                self.constant(Value::Float(self.text(token).to_string()), location)
            }
            Tok::Bconst | Tok::Xconst => {
                self.bump();
                let value = self.string_text(token).to_string();
                self.constant(Value::BitString(value), location)
            }
            Tok::Param => {
                self.bump();
                let param = Expr::ParamRef(Box::new(ParamRef { number: token.aux as i32, location }));
                self.with_indirection(param)?
            }
            Tok::LParen => match self.paren(true)? {
                Paren::Row(args) => {
                    if overlaps && self.at(Kw::Overlaps) {
                        return self.overlaps(args, location);
                    }
                    row_expr(args, CoercionForm::ImplicitCast, location)
                }
                other => self.paren_expr(other, location)?,
            },
            Tok::Keyword => {
                if token.kw == Kw::Row && self.ahead(1).tok == Tok::LParen {
                    let args = self.explicit_row()?;
                    if overlaps && self.at(Kw::Overlaps) {
                        return self.overlaps(args, location);
                    }
                    row_expr(args, CoercionForm::ExplicitCall, location)
                } else {
                    self.keyword_expr()?
                }
            }
            _ => return Err(self.unexpected()),
        };
        self.bare_primary = true;
        Ok(e)
    }

    fn constant(&self, val: Value, location: i32) -> Expr {
        Expr::AConst(Box::new(AConst { val, location }))
    }

    /// Applies an indirection, if one follows, to something that is not a column.
    fn with_indirection(&mut self, arg: Expr) -> PgResult<Expr> {
        if !matches!(self.tok(), Tok::Dot | Tok::LBracket) {
            return Ok(arg);
        }
        let indirection = self.checked_indirection()?;
        Ok(Expr::AIndirection(Box::new(AIndirection { arg, indirection })))
    }

    /// The expression a pair of parentheses (not a row) is, with the indirection after it.
    pub(in crate::parser) fn paren_expr(&mut self, paren: Paren, location: i32) -> PgResult<Expr> {
        match paren {
            Paren::Select(s) => {
                let link = sub_link(SubLinkType::Expr, s, location);
                self.with_indirection(link)
            }
            Paren::One(e) => self.with_indirection(e),
            Paren::Row(args) => Ok(row_expr(args, CoercionForm::ImplicitCast, location)),
        }
    }

    /// Whether a subselect starts at the token `n` ahead (parentheses aside).
    pub(in crate::parser) fn is_select_start(&self, n: usize) -> bool {
        match self.ahead(n).kw {
            Kw::Select | Kw::With | Kw::WithLa | Kw::Table => true,
            Kw::Values => self.ahead(n + 1).tok == Tok::LParen,
            _ => false,
        }
    }

    /// Parentheses around a subselect, an expression or (if `row`) several expressions.
    ///
    /// As many parentheses as possible belong to a subselect, as in PostgreSQL's grammar.
    pub(in crate::parser) fn paren(&mut self, row: bool) -> PgResult<Paren> {
        self.check_stack()?;
        self.lparen()?;
        if self.is_select_start(0) {
            let s = self.select_no_parens()?;
            self.rparen()?;
            return Ok(Paren::Select(s));
        }
        let first = if self.at_tok(Tok::LParen) {
            let start = self.loc();
            let outer = self.begin_height();
            let inner = self.paren(true)?;
            let left = match inner {
                Paren::Select(s) if self.at_tok(Tok::RParen) || self.continues_select() => {
                    let s = self.select_rest(s)?;
                    self.rparen()?;
                    self.end_height(outer);
                    return Ok(Paren::Select(s));
                }
                Paren::Row(args) if self.at(Kw::Overlaps) => self.overlaps(args, start)?,
                inner => self.paren_expr(inner, start)?,
            };
            let e = self.continue_expr(left, start)?;
            self.end_height(outer);
            e
        } else {
            self.a_expr()?
        };
        if !row || !self.at_tok(Tok::Comma) {
            self.rparen()?;
            return Ok(Paren::One(first));
        }
        let mut items = vec![first];
        while self.eat_tok(Tok::Comma) {
            items.push(self.a_expr()?);
        }
        self.rparen()?;
        Ok(Paren::Row(items))
    }

    /// Whether the token after a parenthesized subselect makes it the beginning of a longer one.
    pub(in crate::parser) fn continues_select(&self) -> bool {
        matches!(
            self.kw(),
            Kw::Union | Kw::Intersect | Kw::Except | Kw::Order | Kw::Limit | Kw::Offset | Kw::Fetch | Kw::For
        )
    }

    /// ROW(...), at the keyword.
    fn explicit_row(&mut self) -> PgResult<Vec<Expr>> {
        self.bump();
        self.lparen()?;
        if self.eat_tok(Tok::RParen) {
            return Ok(Vec::new());
        }
        let args = self.expr_list()?;
        self.rparen()?;
        Ok(args)
    }

    /// `row OVERLAPS row`, at the keyword.
    pub(in crate::parser) fn overlaps(&mut self, mut left: Vec<Expr>, left_location: i32) -> PgResult<Expr> {
        let location = self.bump().start as i32;
        let right_location = self.loc();
        let right = if self.at_all(&[Kw::Row]) {
            self.explicit_row()?
        } else {
            self.lparen()?;
            let first = self.a_expr()?;
            let mut args = vec![first];
            self.expect_tok(Tok::Comma)?;
            args.append(&mut self.expr_list()?);
            self.rparen()?;
            args
        };
        let wrong = |side: &str, at: i32| {
            Err(PgError::syntax(format!("wrong number of parameters on {side} side of OVERLAPS expression"))
                .at(at))
        };
        if left.len() != 2 {
            return wrong("left", left_location);
        }
        if right.len() != 2 {
            return wrong("right", right_location);
        }
        left.extend(right);
        self.bare_primary = false;
        Ok(sql_call("overlaps", left, location))
    }

    /// A c_expr that starts with a keyword.
    fn keyword_expr(&mut self) -> PgResult<Expr> {
        let token = self.cur();
        let location = token.start as i32;
        let paren_next = self.ahead(1).tok == Tok::LParen;
        match token.kw {
            Kw::True | Kw::False => {
                self.bump();
                Ok(self.constant(Value::Boolean(token.kw == Kw::True), location))
            }
            Kw::Null => {
                self.bump();
                Ok(self.constant(Value::Null, location))
            }
            Kw::Case => self.case_expr(),
            Kw::Exists if paren_next => {
                self.bump();
                let s = self.select_with_parens()?;
                Ok(sub_link(SubLinkType::Exists, s, location))
            }
            Kw::Array => {
                self.bump();
                if self.at_tok(Tok::LParen) {
                    let s = self.select_with_parens()?;
                    return Ok(sub_link(SubLinkType::Array, s, location));
                }
                self.array_expr(location)
            }
            Kw::Grouping if paren_next => {
                self.bump();
                let args = self.paren_list(Self::a_expr)?;
                Ok(Expr::GroupingFunc(Box::new(GroupingFunc { args, location })))
            }
            kw => {
                if self.is_const_type() {
                    return self.const_type_expr();
                }
                if let Some(e) = self.opt_common_func(true)? {
                    return Ok(e);
                }
                match kw.category() {
                    None | Some(KeywordCategory::Reserved) => Err(self.unexpected()),
                    Some(_) => self.name_expr(),
                }
            }
        }
    }

    /// `[...]` of ARRAY; nested arrays have their own brackets.
    fn array_expr(&mut self, location: i32) -> PgResult<Expr> {
        self.check_stack()?;
        let outer = self.begin_height();
        self.expect_tok(Tok::LBracket)?;
        let elements = match self.tok() {
            Tok::RBracket => Vec::new(),
            Tok::LBracket => self.list(|p| {
                let at = p.loc();
                p.array_expr(at)
            })?,
            _ => self.expr_list()?,
        };
        self.expect_tok(Tok::RBracket)?;
        self.add_level()?;
        self.end_height(outer);
        Ok(Expr::AArrayExpr(Box::new(AArrayExpr { elements, location })))
    }

    fn case_expr(&mut self) -> PgResult<Expr> {
        let location = self.bump().start as i32;
        let arg = if self.at(Kw::When) { None } else { Some(self.a_expr()?) };
        let mut args = Vec::new();
        while args.is_empty() || self.at(Kw::When) {
            let at = self.loc();
            self.expect(Kw::When)?;
            let expr = self.a_expr()?;
            self.expect(Kw::Then)?;
            let result = self.a_expr()?;
            args.push(CaseWhen { expr, result, location: at });
        }
        let defresult = if self.eat(Kw::Else) { Some(self.a_expr()?) } else { None };
        self.expect(Kw::End)?;
        Ok(Expr::CaseExpr(Box::new(CaseExpr { arg, args, defresult, location })))
    }

    /// Whether a constant with a type keyword in front starts here: `int '1'`, `time with time zone '...'`.
    fn is_const_type(&self) -> bool {
        let next = self.ahead(1);
        match self.kw() {
            Kw::Int | Kw::Integer | Kw::Smallint | Kw::Bigint | Kw::Real | Kw::Boolean | Kw::Json => {
                next.tok == Tok::Sconst
            }
            Kw::Double => next.kw == Kw::Precision,
            Kw::Float | Kw::Decimal | Kw::Dec | Kw::Numeric | Kw::Varchar | Kw::Interval => {
                matches!(next.tok, Tok::Sconst | Tok::LParen)
            }
            Kw::Bit | Kw::Character | Kw::Char | Kw::Nchar => {
                matches!(next.tok, Tok::Sconst | Tok::LParen) || next.kw == Kw::Varying
            }
            Kw::National => matches!(next.kw, Kw::Character | Kw::Char),
            Kw::Time | Kw::Timestamp => {
                matches!(next.tok, Tok::Sconst | Tok::LParen) || matches!(next.kw, Kw::WithLa | Kw::WithoutLa)
            }
            _ => false,
        }
    }

    fn const_type_expr(&mut self) -> PgResult<Expr> {
        let location = self.loc();
        if !self.eat(Kw::Interval) {
            let t = self.keyword_typename(true)?;
            return self.typed_string(t);
        }
        let mut t = TypeName::system("interval", location);
        if self.at_tok(Tok::LParen) {
            t.typmods = self.interval_precision()?;
            return self.typed_string(t);
        }
        let at = self.loc();
        let value = self.sconst()?;
        t.typmods = self.opt_interval()?;
        let arg = string_const(&value, at);
        Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name: t, location: -1 })))
    }

    /// The string of a typed constant.
    fn typed_string(&mut self, type_name: TypeName) -> PgResult<Expr> {
        let at = self.loc();
        let value = self.sconst()?;
        let arg = string_const(&value, at);
        Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name, location: -1 })))
    }

    /// What starts with a name: a column, a call, or a constant of a named type.
    fn name_expr(&mut self) -> PgResult<Expr> {
        let location = self.loc();
        let column = self.is_col_id(0);
        let function = self.is_type_function_name(0);
        let first = self.col_label()?;
        match self.tok() {
            Tok::Dot | Tok::LBracket if column => return self.qualified_expr(first, location),
            Tok::LParen if function => return self.func_expr(vec![first], location),
            Tok::Sconst if function => {
                return self.typed_string(TypeName { names: vec![first], location, ..TypeName::default() });
            }
            _ => {}
        }
        if !column {
            return Err(self.unexpected());
        }
        Ok(Expr::ColumnRef(Box::new(ColumnRef { fields: vec![Field::Name(first)], location })))
    }

    /// A name with an indirection after it.
    fn qualified_expr(&mut self, first: String, location: i32) -> PgResult<Expr> {
        let steps = self.indirection()?;
        if matches!(self.tok(), Tok::LParen | Tok::Sconst) {
            let mut names = vec![first];
            for step in steps {
                match step {
                    Indirection::Name(name) => names.push(name),
                    _ => return Err(self.unexpected()),
                }
            }
            if self.at_tok(Tok::LParen) {
                return self.func_expr(names, location);
            }
            return self.typed_string(TypeName { names, location, ..TypeName::default() });
        }
        self.column_ref(first, steps, location)
    }

    /// A column reference; from the first subscript on, the indirection applies to the column's value.
    pub(in crate::parser) fn column_ref(
        &mut self,
        first: String,
        steps: Vec<Indirection>,
        location: i32,
    ) -> PgResult<Expr> {
        let star = steps.iter().position(|s| *s == Indirection::Star);
        if star.is_some_and(|i| i + 1 < steps.len()) {
            return Err(self.error_here("improper use of \"*\""));
        }
        let mut fields = vec![Field::Name(first)];
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next_if(|s| !matches!(s, Indirection::Indices(_))) {
            match step {
                Indirection::Name(name) => fields.push(Field::Name(name)),
                _ => fields.push(Field::Star),
            }
        }
        let column = Expr::ColumnRef(Box::new(ColumnRef { fields, location }));
        let indirection: Vec<Indirection> = steps.collect();
        if indirection.is_empty() {
            return Ok(column);
        }
        Ok(Expr::AIndirection(Box::new(AIndirection { arg: column, indirection })))
    }

    /// AexprConst: constants only, as CYCLE takes them.
    pub(in crate::parser) fn aexpr_const(&mut self) -> PgResult<Expr> {
        match self.tok() {
            Tok::Iconst | Tok::Fconst | Tok::Sconst | Tok::Bconst | Tok::Xconst => return self.c_expr(),
            Tok::Keyword if matches!(self.kw(), Kw::True | Kw::False | Kw::Null) => return self.c_expr(),
            _ => {}
        }
        if self.is_const_type() {
            return self.const_type_expr();
        }
        let location = self.loc();
        let names = self.func_name()?;
        if self.at_tok(Tok::LParen) {
            return self.type_with_modifiers(names, location);
        }
        self.typed_string(TypeName { names, location, ..TypeName::default() })
    }

    fn type_with_modifiers(&mut self, names: Vec<String>, location: i32) -> PgResult<Expr> {
        self.lparen()?;
        let args = self.list(Self::func_arg_expr)?;
        let order_at = self.loc();
        let order = self.opt_sort_clause()?;
        self.rparen()?;
        self.const_with_modifiers(names, args, order, order_at, location)
    }

    /// `type(args) 'string'`, at the string.
    pub(in crate::parser) fn const_with_modifiers(
        &mut self,
        names: Vec<String>,
        args: Vec<FuncArg>,
        order: Vec<SortBy>,
        order_at: i32,
        location: i32,
    ) -> PgResult<Expr> {
        let at = self.loc();
        let value = self.sconst()?;
        if let Some(named) = args.iter().find(|a| a.name.is_some()) {
            return Err(PgError::syntax("type modifier cannot have parameter name").at(named.location));
        }
        if !order.is_empty() {
            return Err(PgError::syntax("type modifier cannot have ORDER BY").at(order_at));
        }
        let typmods = args.into_iter().map(|a| a.expr).collect();
        let type_name = TypeName { names, typmods, location, ..TypeName::default() };
        let arg = string_const(&value, at);
        Ok(Expr::TypeCast(Box::new(TypeCast { arg, type_name, location: -1 })))
    }
}

/// An argument of a call: perhaps named.
pub(in crate::parser) struct FuncArg {
    pub name: Option<String>,
    pub expr: Expr,
    pub location: i32,
}

impl FuncArg {
    pub(in crate::parser) fn into_expr(self) -> Expr {
        match self.name {
            None => self.expr,
            Some(name) => {
                Expr::NamedArgExpr(Box::new(NamedArgExpr { name, arg: self.expr, location: self.location }))
            }
        }
    }
}
