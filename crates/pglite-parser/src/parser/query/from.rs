//! FROM: tables, functions, subselects, joins, aliases, TABLESAMPLE.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// What a pair of parentheses in FROM turned out to hold.
enum TableParen {
    Select(Box<SelectStmt>),
    Join(FromItem),
}

/// An alias clause as functions may have it: with column definitions instead of names.
#[derive(Default)]
struct FuncAlias {
    alias: Option<Alias>,
    coldeflist: Vec<ColumnDef>,
}

impl Parser<'_> {
    pub(in crate::parser) fn opt_from_clause(&mut self) -> PgResult<Vec<FromItem>> {
        if self.eat(Kw::From) { self.table_ref_list() } else { Ok(Vec::new()) }
    }

    pub(in crate::parser) fn table_ref_list(&mut self) -> PgResult<Vec<FromItem>> {
        self.list(Self::table_ref)
    }

    pub(in crate::parser) fn where_clause(&mut self) -> PgResult<Option<Expr>> {
        if self.eat(Kw::Where) { self.a_expr().map(Some) } else { Ok(None) }
    }

    /// A table with all the joins that follow it.
    pub(in crate::parser) fn table_ref(&mut self) -> PgResult<FromItem> {
        self.check_stack()?;
        let outer = self.begin_height();
        let first = self.table_primary()?;
        let t = self.joins(first)?;
        self.end_height(outer);
        Ok(t)
    }

    fn is_join(&self) -> bool {
        matches!(self.kw(), Kw::Join | Kw::Inner | Kw::Left | Kw::Right | Kw::Full | Kw::Cross | Kw::Natural)
    }

    fn joins(&mut self, mut left: FromItem) -> PgResult<FromItem> {
        while self.is_join() {
            left = self.join(left)?;
            self.add_level()?;
        }
        Ok(left)
    }

    fn join(&mut self, larg: FromItem) -> PgResult<FromItem> {
        let join = |jointype, is_natural, larg, rarg| JoinExpr {
            jointype,
            is_natural,
            larg,
            rarg,
            using_clause: Vec::new(),
            join_using_alias: None,
            quals: None,
            alias: None,
        };
        if self.eat(Kw::Cross) {
            self.expect(Kw::Join)?;
            let rarg = self.table_primary()?;
            return Ok(FromItem::JoinExpr(Box::new(join(JoinType::Inner, false, larg, rarg))));
        }
        let natural = self.eat(Kw::Natural);
        let jointype = self.join_type()?;
        self.expect(Kw::Join)?;
        if natural {
            let rarg = self.table_primary()?;
            return Ok(FromItem::JoinExpr(Box::new(join(jointype, true, larg, rarg))));
        }
        // Joins to the right belong to the right side until its condition comes.
        let rarg = self.table_ref()?;
        let mut j = join(jointype, false, larg, rarg);
        if self.eat(Kw::Using) {
            j.using_clause = self.paren_name_list()?;
            if self.eat(Kw::As) {
                j.join_using_alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
            }
        } else {
            self.expect(Kw::On)?;
            j.quals = Some(self.a_expr()?);
        }
        Ok(FromItem::JoinExpr(Box::new(j)))
    }

    fn join_type(&mut self) -> PgResult<JoinType> {
        let jointype = match self.eat_any(&[Kw::Inner, Kw::Left, Kw::Right, Kw::Full]) {
            None => return Ok(JoinType::Inner),
            Some(Kw::Inner) => return Ok(JoinType::Inner),
            Some(Kw::Left) => JoinType::Left,
            Some(Kw::Right) => JoinType::Right,
            Some(_) => JoinType::Full,
        };
        self.eat(Kw::Outer);
        Ok(jointype)
    }

    /// A table_ref without joins at its top, unless they are in parentheses.
    fn table_primary(&mut self) -> PgResult<FromItem> {
        let lateral = self.eat(Kw::Lateral);
        let next_paren = self.ahead(1).tok == Tok::LParen;
        match self.kw() {
            _ if self.at_tok(Tok::LParen) && !lateral => return self.parenthesized_table(),
            _ if self.at_tok(Tok::LParen) => {
                let subquery = self.select_with_parens()?;
                return self.subselect(subquery, true);
            }
            Kw::Xmltable if next_paren => {
                let mut t = self.xmltable()?;
                t.lateral = lateral;
                t.alias = self.opt_alias_clause()?;
                return Ok(FromItem::RangeTableFunc(Box::new(t)));
            }
            Kw::JsonTable if next_paren => {
                let mut t = self.json_table()?;
                t.lateral = lateral;
                t.alias = self.opt_alias_clause()?;
                return Ok(FromItem::JsonTable(Box::new(t)));
            }
            Kw::Rows if self.ahead(1).kw == Kw::From => return self.rows_from(lateral),
            _ => {}
        }
        if lateral || (!self.at(Kw::Only) && self.is_function_start()) {
            return self.range_function(lateral);
        }
        self.sampled_relation()
    }

    /// A relation, perhaps sampled.
    fn sampled_relation(&mut self) -> PgResult<FromItem> {
        let mut rv = self.relation_expr()?;
        rv.alias = self.opt_alias_clause()?;
        let relation = FromItem::RangeVar(Box::new(rv));
        if !self.eat(Kw::Tablesample) {
            return Ok(relation);
        }
        // PostgreSQL's location here is that of the method's name.
        let location = self.loc();
        let method = self.func_name()?;
        let args = self.paren_list(Self::a_expr)?;
        let repeatable = if self.eat(Kw::Repeatable) {
            self.lparen()?;
            let seed = self.a_expr()?;
            self.rparen()?;
            Some(seed)
        } else {
            None
        };
        Ok(FromItem::RangeTableSample(Box::new(RangeTableSample {
            relation,
            method,
            args,
            repeatable,
            location,
        })))
    }

    fn subselect(&mut self, subquery: Box<SelectStmt>, lateral: bool) -> PgResult<FromItem> {
        let alias = self.opt_alias_clause()?;
        Ok(FromItem::RangeSubselect(Box::new(RangeSubselect { lateral, subquery, alias })))
    }

    fn parenthesized_table(&mut self) -> PgResult<FromItem> {
        match self.table_paren()? {
            TableParen::Select(s) => self.subselect(s, false),
            TableParen::Join(t) => self.aliased_join(t).map(|(t, _)| t),
        }
    }

    /// `(joined_table) alias`; whether there was an alias.
    fn aliased_join(&mut self, t: FromItem) -> PgResult<(FromItem, bool)> {
        let alias = self.opt_alias_clause()?;
        let found = alias.is_some();
        let t = match t {
            FromItem::JoinExpr(mut j) => {
                if found {
                    j.alias = alias;
                }
                FromItem::JoinExpr(j)
            }
            t => t,
        };
        Ok((t, found))
    }

    /// Parentheses around a subselect or a join.
    fn table_paren(&mut self) -> PgResult<TableParen> {
        self.check_stack()?;
        self.lparen()?;
        if self.is_select_start(0) {
            let s = self.select_no_parens()?;
            self.rparen()?;
            return Ok(TableParen::Select(s));
        }
        let outer = self.begin_height();
        // Only a join may be in parentheses: one that is already, or one that follows.
        let mut joined = false;
        let first = if self.at_tok(Tok::LParen) {
            match self.table_paren()? {
                TableParen::Select(s) if self.at_tok(Tok::RParen) || self.continues_select() => {
                    let s = self.select_rest(s)?;
                    self.rparen()?;
                    self.end_height(outer);
                    return Ok(TableParen::Select(s));
                }
                TableParen::Select(s) => self.subselect(s, false)?,
                TableParen::Join(t) => {
                    let (t, aliased) = self.aliased_join(t)?;
                    joined = !aliased;
                    t
                }
            }
        } else {
            self.table_primary()?
        };
        if !joined && !self.is_join() {
            return Err(self.unexpected());
        }
        let t = self.joins(first)?;
        self.rparen()?;
        self.end_height(outer);
        Ok(TableParen::Join(t))
    }

    fn range_function(&mut self, lateral: bool) -> PgResult<FromItem> {
        let func = self.func_expr_windowless()?;
        let ordinality = self.opt_ordinality()?;
        let FuncAlias { alias, coldeflist } = self.func_alias_clause()?;
        Ok(FromItem::RangeFunction(Box::new(RangeFunction {
            lateral,
            ordinality,
            is_rowsfrom: false,
            functions: vec![RangeFunctionItem { func, coldeflist: Vec::new() }],
            alias,
            coldeflist,
        })))
    }

    /// ROWS FROM (...), at ROWS.
    fn rows_from(&mut self, lateral: bool) -> PgResult<FromItem> {
        self.expect_all(&[Kw::Rows, Kw::From])?;
        let functions = self.paren_list(|p| {
            let func = p.func_expr_windowless()?;
            let coldeflist = if p.eat(Kw::As) { p.paren_list(Self::table_func_element)? } else { Vec::new() };
            Ok(RangeFunctionItem { func, coldeflist })
        })?;
        let ordinality = self.opt_ordinality()?;
        let FuncAlias { alias, coldeflist } = self.func_alias_clause()?;
        Ok(FromItem::RangeFunction(Box::new(RangeFunction {
            lateral,
            ordinality,
            is_rowsfrom: true,
            functions,
            alias,
            coldeflist,
        })))
    }

    fn opt_ordinality(&mut self) -> PgResult<bool> {
        self.eat_seq(&[Kw::WithLa, Kw::Ordinality])
    }

    /// opt_alias_clause
    pub(in crate::parser) fn opt_alias_clause(&mut self) -> PgResult<Option<Alias>> {
        if !self.eat(Kw::As) && !self.is_col_id(0) {
            return Ok(None);
        }
        let aliasname = self.col_id()?;
        let colnames = self.opt_name_list()?;
        Ok(Some(Alias { aliasname, colnames }))
    }

    fn func_alias_clause(&mut self) -> PgResult<FuncAlias> {
        let with_as = self.eat(Kw::As);
        if with_as && self.at_tok(Tok::LParen) {
            let coldeflist = self.paren_list(Self::table_func_element)?;
            return Ok(FuncAlias { alias: None, coldeflist });
        }
        if !with_as && !self.is_col_id(0) {
            return Ok(FuncAlias::default());
        }
        let aliasname = self.col_id()?;
        let mut colnames = Vec::new();
        if !self.eat_tok(Tok::LParen) {
            return Ok(FuncAlias { alias: Some(Alias { aliasname, colnames }), coldeflist: Vec::new() });
        }
        // A list of names, or of names with types: the second token tells.
        let mut coldeflist = Vec::new();
        if self.is_col_id(0) && !matches!(self.ahead(1).tok, Tok::Comma | Tok::RParen) {
            coldeflist = self.list(Self::table_func_element)?;
        } else {
            colnames = self.name_list()?;
        }
        self.rparen()?;
        Ok(FuncAlias { alias: Some(Alias { aliasname, colnames }), coldeflist })
    }

    /// TableFuncElement: `name type [COLLATE ...]`
    pub(in crate::parser) fn table_func_element(&mut self) -> PgResult<ColumnDef> {
        let location = self.loc();
        let colname = self.col_id()?;
        let type_name = Some(self.typename()?);
        let coll_clause = self.opt_collate_clause()?;
        Ok(ColumnDef { colname, type_name, coll_clause, location, ..ColumnDef::default() })
    }

    pub(in crate::parser) fn opt_collate_clause(&mut self) -> PgResult<Option<CollateClause>> {
        let location = self.loc();
        if !self.eat(Kw::Collate) {
            return Ok(None);
        }
        let collname = self.any_name()?;
        Ok(Some(CollateClause { arg: None, collname, location }))
    }

    /// relation_expr: `t`, `t *`, `ONLY t`, `ONLY (t)`
    pub(in crate::parser) fn relation_expr(&mut self) -> PgResult<RangeVar> {
        if self.eat(Kw::Only) {
            let mut rv = if self.eat_tok(Tok::LParen) {
                let rv = self.qualified_name()?;
                self.rparen()?;
                rv
            } else {
                self.qualified_name()?
            };
            rv.inh = false;
            return Ok(rv);
        }
        let rv = self.qualified_name()?;
        self.eat_tok(Tok::Star);
        Ok(rv)
    }

    pub(in crate::parser) fn relation_expr_list(&mut self) -> PgResult<Vec<RangeVar>> {
        self.list(Self::relation_expr)
    }

    /// relation_expr_opt_alias: the target of UPDATE, DELETE, MERGE. SET is never an alias without AS.
    pub(in crate::parser) fn relation_expr_opt_alias(&mut self) -> PgResult<RangeVar> {
        let mut rv = self.relation_expr()?;
        if self.eat(Kw::As) || (self.is_col_id(0) && !self.at(Kw::Set)) {
            rv.alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
        }
        Ok(rv)
    }
}
