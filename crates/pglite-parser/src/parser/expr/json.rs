//! SQL/JSON: constructors, query functions, aggregates, IS JSON, JSON_TABLE.

use pglite_error::{PgError, PgResult, codes};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::{string_const, system_name};

impl Parser<'_> {
    /// Inside the parentheses of a JSON function.
    pub(in crate::parser) fn json_func(&mut self, kw: Kw, location: i32) -> PgResult<Expr> {
        match kw {
            Kw::JsonObject => self.json_object(location),
            Kw::JsonArray => self.json_array(location),
            Kw::Json => {
                let expr = self.json_value_expr()?;
                let unique_keys = self.json_unique_keys()?;
                Ok(Expr::JsonParseExpr(Box::new(JsonParseExpr { expr, unique_keys, location })))
            }
            Kw::JsonScalar => {
                Ok(Expr::JsonScalarExpr(Box::new(JsonScalarExpr { expr: self.a_expr()?, location })))
            }
            Kw::JsonSerialize => {
                let expr = self.json_value_expr()?;
                let output = self.json_returning()?;
                Ok(Expr::JsonSerializeExpr(Box::new(JsonSerializeExpr { expr, output, location })))
            }
            _ => self.json_query_func(kw, location),
        }
    }

    /// JSON_QUERY, JSON_VALUE, JSON_EXISTS
    fn json_query_func(&mut self, kw: Kw, location: i32) -> PgResult<Expr> {
        let context_item = self.json_value_expr()?;
        self.expect_tok(Tok::Comma)?;
        let pathspec = self.a_expr()?;
        let passing = self.json_passing()?;
        let mut f = JsonFuncExpr {
            op: JsonExprOp::Exists,
            context_item,
            pathspec,
            passing,
            output: None,
            on_empty: None,
            on_error: None,
            wrapper: JsonWrapper::Unspec,
            quotes: JsonQuotes::Unspec,
            location,
        };
        if kw == Kw::JsonExists {
            f.on_error = self.json_on_error()?;
            return Ok(Expr::JsonFuncExpr(Box::new(f)));
        }
        f.op = if kw == Kw::JsonQuery { JsonExprOp::Query } else { JsonExprOp::Value };
        f.output = self.json_returning()?;
        if kw == Kw::JsonQuery {
            f.wrapper = self.json_wrapper()?;
            f.quotes = self.json_quotes()?;
        }
        (f.on_empty, f.on_error) = self.json_behaviors()?;
        Ok(Expr::JsonFuncExpr(Box::new(f)))
    }

    fn json_object(&mut self, location: i32) -> PgResult<Expr> {
        let mut object = JsonObjectConstructor {
            exprs: Vec::new(),
            output: None,
            absent_on_null: false,
            unique: false,
            location,
        };
        if self.at_tok(Tok::RParen) || self.at(Kw::Returning) {
            object.output = self.json_returning()?;
            return Ok(Expr::JsonObjectConstructor(Box::new(object)));
        }
        let first = self.func_arg_expr()?;
        let bare = self.bare_primary;
        if first.name.is_some() || !(self.at_tok(Tok::Colon) || bare && self.at(Kw::Value)) {
            let mut args = vec![first.into_expr()];
            while self.eat_tok(Tok::Comma) {
                args.push(self.func_arg_expr()?.into_expr());
            }
            let funcname = system_name("json_object");
            return Ok(Expr::FuncCall(Box::new(FuncCall {
                funcname,
                args,
                location,
                ..FuncCall::default()
            })));
        }
        let value = self.json_pair_value()?;
        object.exprs.push(JsonKeyValue { key: first.expr, value });
        while self.eat_tok(Tok::Comma) {
            object.exprs.push(self.json_name_and_value()?);
        }
        object.absent_on_null = self.json_null_clause(false)?;
        object.unique = self.json_unique_keys()?;
        object.output = self.json_returning()?;
        Ok(Expr::JsonObjectConstructor(Box::new(object)))
    }

    /// What follows a key: `VALUE v` or `: v`.
    fn json_pair_value(&mut self) -> PgResult<JsonValueExpr> {
        self.bump();
        self.json_value_expr()
    }

    fn json_name_and_value(&mut self) -> PgResult<JsonKeyValue> {
        let key = self.a_expr()?;
        if !(self.at_tok(Tok::Colon) || self.bare_primary && self.at(Kw::Value)) {
            return Err(self.unexpected());
        }
        let value = self.json_pair_value()?;
        Ok(JsonKeyValue { key, value })
    }

    fn json_array(&mut self, location: i32) -> PgResult<Expr> {
        let array = |exprs, absent_on_null, output| {
            Ok(Expr::JsonArrayConstructor(Box::new(JsonArrayConstructor {
                exprs,
                output,
                absent_on_null,
                location,
            })))
        };
        if self.at_tok(Tok::RParen) || self.at(Kw::Returning) {
            return array(Vec::new(), true, self.json_returning()?);
        }
        if self.is_select_start(0) {
            let query = self.select_no_parens()?;
            return self.json_array_query(query, location);
        }
        let mut exprs = Vec::new();
        if self.at_tok(Tok::LParen) {
            // (select ...) may begin a query or an expression.
            let start = self.loc();
            let outer = self.begin_height();
            let left = match self.paren(true)? {
                crate::parser::expr::primary::Paren::Select(s) if self.continues_select() => {
                    let query = self.select_rest(s)?;
                    self.end_height(outer);
                    return self.json_array_query(query, location);
                }
                crate::parser::expr::primary::Paren::Row(args) if self.at(Kw::Overlaps) => {
                    self.overlaps(args, start)?
                }
                other => self.paren_expr(other, start)?,
            };
            let raw_expr = self.continue_expr(left, start)?;
            self.end_height(outer);
            let format = self.json_format_opt()?;
            exprs.push(JsonValueExpr { raw_expr, format });
        } else {
            exprs.push(self.json_value_expr()?);
        }
        while self.eat_tok(Tok::Comma) {
            exprs.push(self.json_value_expr()?);
        }
        let absent = self.json_null_clause(true)?;
        array(exprs, absent, self.json_returning()?)
    }

    fn json_array_query(&mut self, query: Box<SelectStmt>, location: i32) -> PgResult<Expr> {
        let format = self.json_format_opt()?;
        let output = self.json_returning()?;
        Ok(Expr::JsonArrayQueryConstructor(Box::new(JsonArrayQueryConstructor {
            query,
            output,
            format,
            absent_on_null: true,
            location,
        })))
    }

    /// JSON_OBJECTAGG, JSON_ARRAYAGG: inside their parentheses, and what follows them.
    pub(in crate::parser) fn json_aggregate(
        &mut self,
        kw: Kw,
        location: i32,
        windows: bool,
    ) -> PgResult<Expr> {
        let mut c = JsonAggConstructor {
            output: None,
            agg_filter: None,
            agg_order: Vec::new(),
            over: None,
            location,
        };
        if kw == Kw::JsonObjectagg {
            let arg = self.json_name_and_value()?;
            let absent_on_null = self.json_null_clause(false)?;
            let unique = self.json_unique_keys()?;
            c.output = self.json_returning()?;
            self.rparen()?;
            self.json_aggregate_clauses(&mut c, windows)?;
            return Ok(Expr::JsonObjectAgg(Box::new(JsonObjectAgg {
                constructor: c,
                arg,
                absent_on_null,
                unique,
            })));
        }
        let arg = self.json_value_expr()?;
        c.agg_order = self.opt_sort_clause()?;
        let absent_on_null = self.json_null_clause(true)?;
        c.output = self.json_returning()?;
        self.rparen()?;
        self.json_aggregate_clauses(&mut c, windows)?;
        Ok(Expr::JsonArrayAgg(Box::new(JsonArrayAgg { constructor: c, arg, absent_on_null })))
    }

    fn json_aggregate_clauses(&mut self, c: &mut JsonAggConstructor, windows: bool) -> PgResult<()> {
        if windows {
            c.agg_filter = self.filter_clause()?;
            c.over = self.over_clause()?;
        }
        Ok(())
    }

    /// `IS JSON ...`, at JSON.
    pub(in crate::parser) fn is_json(&mut self, expr: Expr, location: i32) -> PgResult<Expr> {
        self.bump();
        let item_type = match self.eat_any(&[Kw::Value, Kw::Array, Kw::Object, Kw::Scalar]) {
            Some(Kw::Array) => JsonValueType::Array,
            Some(Kw::Object) => JsonValueType::Object,
            Some(Kw::Scalar) => JsonValueType::Scalar,
            _ => JsonValueType::Any,
        };
        let unique_keys = self.json_unique_keys()?;
        Ok(Expr::JsonIsPredicate(Box::new(JsonIsPredicate { expr, item_type, unique_keys, location })))
    }

    fn json_unique_keys(&mut self) -> PgResult<bool> {
        let Some(kw) = self.eat_any(&[Kw::With, Kw::Without]) else { return Ok(false) };
        self.expect(Kw::Unique)?;
        self.eat(Kw::Keys);
        Ok(kw == Kw::With)
    }

    /// NULL ON NULL, ABSENT ON NULL
    fn json_null_clause(&mut self, default: bool) -> PgResult<bool> {
        match self.eat_any(&[Kw::Null, Kw::Absent]) {
            None => Ok(default),
            Some(kw) => {
                self.expect_all(&[Kw::On, Kw::Null])?;
                Ok(kw == Kw::Absent)
            }
        }
    }

    fn json_value_expr(&mut self) -> PgResult<JsonValueExpr> {
        let raw_expr = self.a_expr()?;
        let format = self.json_format_opt()?;
        Ok(JsonValueExpr { raw_expr, format })
    }

    fn json_format_opt(&mut self) -> PgResult<JsonFormat> {
        if self.at(Kw::FormatLa) {
            return self.json_format();
        }
        Ok(JsonFormat { location: -1, ..JsonFormat::default() })
    }

    fn json_format(&mut self) -> PgResult<JsonFormat> {
        let location = self.loc();
        self.expect_all(&[Kw::FormatLa, Kw::Json])?;
        let mut encoding = JsonEncoding::Default;
        if self.eat(Kw::Encoding) {
            let at = self.loc();
            let name = self.name()?;
            encoding = match name.to_ascii_lowercase().as_str() {
                "utf8" => JsonEncoding::Utf8,
                "utf16" => JsonEncoding::Utf16,
                "utf32" => JsonEncoding::Utf32,
                _ => {
                    let message = format!("unrecognized JSON encoding: {name}");
                    return Err(PgError::new(codes::INVALID_PARAMETER_VALUE, message).at(at));
                }
            };
        }
        Ok(JsonFormat { format_type: JsonFormatType::Json, encoding, location })
    }

    fn json_returning(&mut self) -> PgResult<Option<JsonOutput>> {
        if !self.eat(Kw::Returning) {
            return Ok(None);
        }
        let type_name = self.typename()?;
        let format = self.json_format_opt()?;
        Ok(Some(JsonOutput { type_name, format }))
    }

    fn json_passing(&mut self) -> PgResult<Vec<JsonArgument>> {
        if !self.eat(Kw::Passing) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let val = p.json_value_expr()?;
            p.expect(Kw::As)?;
            Ok(JsonArgument { val, name: p.col_label()? })
        })
    }

    fn json_wrapper(&mut self) -> PgResult<JsonWrapper> {
        let wrapper = match self.eat_any(&[Kw::With, Kw::Without]) {
            None => return Ok(JsonWrapper::Unspec),
            Some(Kw::Without) => JsonWrapper::None,
            Some(_) => match self.eat_any(&[Kw::Conditional, Kw::Unconditional]) {
                Some(Kw::Conditional) => JsonWrapper::Conditional,
                _ => JsonWrapper::Unconditional,
            },
        };
        self.eat(Kw::Array);
        self.expect(Kw::Wrapper)?;
        Ok(wrapper)
    }

    fn json_quotes(&mut self) -> PgResult<JsonQuotes> {
        let Some(kw) = self.eat_any(&[Kw::Keep, Kw::Omit]) else { return Ok(JsonQuotes::Unspec) };
        self.expect(Kw::Quotes)?;
        self.eat_seq(&[Kw::On, Kw::Scalar, Kw::String])?;
        Ok(if kw == Kw::Keep { JsonQuotes::Keep } else { JsonQuotes::Omit })
    }

    fn is_json_behavior(&self) -> bool {
        matches!(
            self.kw(),
            Kw::Default | Kw::Error | Kw::Null | Kw::True | Kw::False | Kw::Unknown | Kw::Empty
        )
    }

    fn json_behavior(&mut self) -> PgResult<JsonBehavior> {
        let token = self.bump();
        let btype = match token.kw {
            Kw::Default => {
                let expr = Some(self.a_expr()?);
                return Ok(JsonBehavior {
                    btype: JsonBehaviorType::Default,
                    expr,
                    location: token.start as i32,
                });
            }
            Kw::Error => JsonBehaviorType::Error,
            Kw::Null => JsonBehaviorType::Null,
            Kw::True => JsonBehaviorType::True,
            Kw::False => JsonBehaviorType::False,
            Kw::Unknown => JsonBehaviorType::Unknown,
            _ if self.eat(Kw::Object) => JsonBehaviorType::EmptyObject,
            _ => {
                self.eat(Kw::Array);
                JsonBehaviorType::EmptyArray
            }
        };
        Ok(JsonBehavior { btype, expr: None, location: token.start as i32 })
    }

    /// `b ON EMPTY`, `b ON ERROR`, or both in this order.
    fn json_behaviors(&mut self) -> PgResult<(Option<JsonBehavior>, Option<JsonBehavior>)> {
        if !self.is_json_behavior() {
            return Ok((None, None));
        }
        let first = self.json_behavior()?;
        self.expect(Kw::On)?;
        match self.eat_any(&[Kw::Empty, Kw::Error]) {
            Some(Kw::Error) => return Ok((None, Some(first))),
            Some(_) => {}
            None => return Err(self.unexpected()),
        }
        let second = self.json_on_error()?;
        Ok((Some(first), second))
    }

    fn json_on_error(&mut self) -> PgResult<Option<JsonBehavior>> {
        if !self.is_json_behavior() {
            return Ok(None);
        }
        let b = self.json_behavior()?;
        self.expect_all(&[Kw::On, Kw::Error])?;
        Ok(Some(b))
    }

    /// JSON_TABLE(...), at the keyword.
    pub(in crate::parser) fn json_table(&mut self) -> PgResult<JsonTable> {
        let location = self.bump().start as i32;
        self.lparen()?;
        let context_item = self.json_value_expr()?;
        self.expect_tok(Tok::Comma)?;
        let path_at = self.loc();
        let path = self.a_expr()?;
        let name_location = self.loc();
        let name = if self.eat(Kw::As) { Some(self.name()?) } else { None };
        let passing = self.json_passing()?;
        let columns = self.json_table_columns()?;
        let on_error = self.json_on_error()?;
        self.rparen()?;
        let pathspec = match &path {
            Expr::AConst(c) if matches!(c.val, Value::String(_)) => JsonTablePathSpec {
                string: path,
                name_location: if name.is_some() { name_location } else { -1 },
                name,
                location: path_at,
            },
            _ => {
                let message = "only string constants are supported in JSON_TABLE path specification";
                return Err(PgError::unsupported(message).at(path_at));
            }
        };
        Ok(JsonTable {
            context_item,
            pathspec,
            passing,
            columns,
            on_error,
            alias: None,
            lateral: false,
            location,
        })
    }

    fn json_table_columns(&mut self) -> PgResult<Vec<JsonTableColumn>> {
        self.check_stack()?;
        self.expect(Kw::Columns)?;
        self.paren_list(Self::json_table_column)
    }

    fn json_table_column(&mut self) -> PgResult<JsonTableColumn> {
        let location = self.loc();
        let next = self.ahead(1);
        if self.at(Kw::Nested) && (next.kw == Kw::Path || next.tok == Tok::Sconst) {
            return self.json_table_nested();
        }
        let name = Some(self.col_id()?);
        let mut col = JsonTableColumn { name, location, ..JsonTableColumn::default() };
        col.format.location = -1;
        if self.eat(Kw::For) {
            self.expect(Kw::Ordinality)?;
            return Ok(col);
        }
        col.type_name = Some(self.typename()?);
        if self.eat(Kw::Exists) {
            col.coltype = JsonTableColumnType::Exists;
            col.wrapper = JsonWrapper::None;
            col.pathspec = self.json_column_path()?;
            col.on_error = self.json_on_error()?;
            return Ok(col);
        }
        col.coltype = JsonTableColumnType::Regular;
        if self.at(Kw::FormatLa) {
            col.coltype = JsonTableColumnType::Formatted;
            col.format = self.json_format()?;
        }
        col.pathspec = self.json_column_path()?;
        col.wrapper = self.json_wrapper()?;
        col.quotes = self.json_quotes()?;
        (col.on_empty, col.on_error) = self.json_behaviors()?;
        Ok(col)
    }

    fn json_column_path(&mut self) -> PgResult<Option<JsonTablePathSpec>> {
        if !self.eat(Kw::Path) {
            return Ok(None);
        }
        let location = self.loc();
        let string = string_const(&self.sconst()?, location);
        Ok(Some(JsonTablePathSpec { string, name: None, name_location: -1, location }))
    }

    fn json_table_nested(&mut self) -> PgResult<JsonTableColumn> {
        let location = self.bump().start as i32;
        self.eat(Kw::Path);
        let path_at = self.loc();
        let string = string_const(&self.sconst()?, path_at);
        let mut pathspec = JsonTablePathSpec { string, name: None, name_location: -1, location: path_at };
        if self.eat(Kw::As) {
            pathspec.name_location = self.loc();
            pathspec.name = Some(self.name()?);
        }
        let columns = self.json_table_columns()?;
        Ok(JsonTableColumn {
            coltype: JsonTableColumnType::Nested,
            pathspec: Some(pathspec),
            columns,
            location,
            ..JsonTableColumn::default()
        })
    }
}
