//! SELECT: set operations, clauses, ORDER BY, LIMIT, locking, INTO.

use pglite_error::{PgError, PgResult, Severity, codes};

use crate::ast::*;
use crate::keyword::{KeywordCategory, Kw};
use crate::lexer::Tok;
use crate::parser::Parser;

/// LIMIT and OFFSET with the places errors about them point at.
#[derive(Default)]
struct SelectLimit {
    offset: Option<Expr>,
    offset_loc: i32,
    count: Option<Expr>,
    count_loc: i32,
    option: LimitOption,
    option_loc: i32,
}

impl Parser<'_> {
    /// A SELECT in its own pair of parentheses.
    pub(in crate::parser) fn select_with_parens(&mut self) -> PgResult<Box<SelectStmt>> {
        self.check_stack()?;
        self.lparen()?;
        let s = if self.at_tok(Tok::LParen) {
            let outer = self.begin_height();
            let inner = self.select_with_parens()?;
            let s = self.select_rest(inner)?;
            self.end_height(outer);
            s
        } else {
            self.select_no_parens()?
        };
        self.rparen()?;
        Ok(s)
    }

    /// SelectStmt: with or without parentheses around the whole.
    pub(in crate::parser) fn select_stmt(&mut self) -> PgResult<Box<SelectStmt>> {
        self.select_no_parens()
    }

    pub(in crate::parser) fn select_no_parens(&mut self) -> PgResult<Box<SelectStmt>> {
        self.check_stack()?;
        let outer = self.begin_height();
        let with = self.opt_with_clause()?;
        let s = self.select_after_with(with)?;
        self.end_height(outer);
        Ok(s)
    }

    /// A SELECT whose WITH clause is already read.
    pub(in crate::parser) fn select_after_with(
        &mut self,
        with: Option<Box<WithClause>>,
    ) -> PgResult<Box<SelectStmt>> {
        let first = self.select_primary()?;
        self.select_tail(first, with)
    }

    /// Goes on after a parenthesized first operand.
    pub(in crate::parser) fn select_rest(&mut self, first: Box<SelectStmt>) -> PgResult<Box<SelectStmt>> {
        self.select_tail(first, None)
    }

    fn select_tail(
        &mut self,
        first: Box<SelectStmt>,
        with: Option<Box<WithClause>>,
    ) -> PgResult<Box<SelectStmt>> {
        let mut s = self.set_operations(first, 0)?;
        let sort = self.opt_sort_clause()?;
        let (locking, limit) = if self.at(Kw::For) {
            let locking = self.for_locking_clause()?;
            (locking, self.opt_select_limit()?)
        } else {
            let limit = self.opt_select_limit()?;
            (if limit.is_some() { self.for_locking_clause()? } else { Vec::new() }, limit)
        };
        insert_options(&mut s, sort, locking, limit, with)?;
        self.add_level()?;
        Ok(s)
    }

    /// An operand of a set operation.
    fn select_primary(&mut self) -> PgResult<Box<SelectStmt>> {
        match (self.tok(), self.kw()) {
            (Tok::LParen, _) => self.select_with_parens(),
            (_, Kw::Select) => self.simple_select(),
            (_, Kw::Values) => self.values_clause(),
            (_, Kw::Table) => {
                self.bump();
                let relation = self.relation_expr()?;
                let star = Expr::ColumnRef(Box::new(ColumnRef { fields: vec![Field::Star], location: -1 }));
                Ok(Box::new(SelectStmt {
                    target_list: vec![ResTarget {
                        name: None,
                        indirection: Vec::new(),
                        val: Some(star),
                        location: -1,
                    }],
                    from_clause: vec![FromItem::RangeVar(Box::new(relation))],
                    ..SelectStmt::default()
                }))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// UNION, EXCEPT (loosest) and INTERSECT, all left-associative.
    fn set_operations(&mut self, mut left: Box<SelectStmt>, min: u8) -> PgResult<Box<SelectStmt>> {
        loop {
            let (op, power) = match self.kw() {
                Kw::Union => (SetOperation::Union, 1),
                Kw::Except => (SetOperation::Except, 1),
                Kw::Intersect => (SetOperation::Intersect, 2),
                _ => return Ok(left),
            };
            if power < min {
                return Ok(left);
            }
            self.bump();
            let all = self.set_quantifier() == Some(Kw::All);
            let right = self.select_primary()?;
            let right = self.set_operations(right, power + 1)?;
            left = Box::new(SelectStmt {
                op,
                all,
                larg: Some(left),
                rarg: Some(right),
                ..SelectStmt::default()
            });
            self.add_level()?;
        }
    }

    /// ALL, DISTINCT or nothing.
    fn set_quantifier(&mut self) -> Option<Kw> {
        self.eat_any(&[Kw::All, Kw::Distinct])
    }

    fn simple_select(&mut self) -> PgResult<Box<SelectStmt>> {
        self.bump();
        let mut s = Box::new(SelectStmt::default());
        s.distinct_clause = self.opt_distinct_clause()?;
        if s.distinct_clause.is_some() || self.starts_target() {
            s.target_list = self.target_list()?;
        }
        if self.eat(Kw::Into) {
            s.into_clause = Some(Box::new(self.select_into()?));
        }
        self.select_clauses(&mut s)?;
        Ok(s)
    }

    /// FROM to WINDOW.
    pub(in crate::parser) fn select_clauses(&mut self, s: &mut SelectStmt) -> PgResult<()> {
        s.from_clause = self.opt_from_clause()?;
        s.where_clause = self.where_clause()?;
        if self.eat_seq(&[Kw::Group, Kw::By])? {
            s.group_distinct = self.set_quantifier() == Some(Kw::Distinct);
            s.group_clause = self.list(Self::group_by_item)?;
        }
        if self.eat(Kw::Having) {
            s.having_clause = Some(self.a_expr()?);
        }
        s.window_clause = self.window_clause()?;
        Ok(())
    }

    /// DISTINCT [ON (...)] or ALL
    pub(in crate::parser) fn opt_distinct_clause(&mut self) -> PgResult<Option<Vec<Expr>>> {
        if !self.eat(Kw::Distinct) {
            self.eat(Kw::All);
            return Ok(None);
        }
        if self.eat(Kw::On) { self.paren_list(Self::a_expr).map(Some) } else { Ok(Some(Vec::new())) }
    }

    /// Whether the token here can begin an element of a target list (the list may be empty).
    pub(in crate::parser) fn starts_target(&self) -> bool {
        match self.tok() {
            Tok::Eof | Tok::Semicolon | Tok::RParen => false,
            Tok::Keyword => match self.kw().category() {
                Some(KeywordCategory::Reserved) => matches!(
                    self.kw(),
                    Kw::Not
                        | Kw::Case
                        | Kw::Cast
                        | Kw::Null
                        | Kw::True
                        | Kw::False
                        | Kw::Array
                        | Kw::Unique
                        | Kw::Default
                        | Kw::CurrentCatalog
                        | Kw::CurrentDate
                        | Kw::CurrentRole
                        | Kw::CurrentTime
                        | Kw::CurrentTimestamp
                        | Kw::CurrentUser
                        | Kw::Localtime
                        | Kw::Localtimestamp
                        | Kw::SessionUser
                        | Kw::SystemUser
                        | Kw::User
                ),
                Some(_) => true,
                None => self.at(Kw::NotLa),
            },
            _ => true,
        }
    }

    pub(in crate::parser) fn target_list(&mut self) -> PgResult<Vec<ResTarget>> {
        self.list(Self::target_el)
    }

    fn target_el(&mut self) -> PgResult<ResTarget> {
        let location = self.loc();
        if self.eat_tok(Tok::Star) {
            let star = Expr::ColumnRef(Box::new(ColumnRef { fields: vec![Field::Star], location }));
            return Ok(ResTarget { name: None, indirection: Vec::new(), val: Some(star), location });
        }
        let val = Some(self.target_expr()?);
        let name = if self.eat(Kw::As) { Some(self.col_label()?) } else { self.opt_bare_col_label()? };
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn values_clause(&mut self) -> PgResult<Box<SelectStmt>> {
        self.bump();
        let values_lists = self.list(|p| p.paren_list(Self::a_expr))?;
        Ok(Box::new(SelectStmt { values_lists, ..SelectStmt::default() }))
    }

    /// OptTempTableName, after INTO.
    fn select_into(&mut self) -> PgResult<IntoClause> {
        let location = self.loc();
        let names_table = |p: &Self, n: usize| p.ahead(n).kw == Kw::Table || p.is_col_id(n);
        let is_temp = |kw: Kw| matches!(kw, Kw::Temporary | Kw::Temp);
        let mut persistence = 'p';
        match self.kw() {
            Kw::Temporary | Kw::Temp if names_table(self, 1) => {
                self.bump();
                self.eat(Kw::Table);
                persistence = 't';
            }
            Kw::Local | Kw::Global if is_temp(self.ahead(1).kw) => {
                let global = self.bump().kw == Kw::Global;
                self.bump();
                self.eat(Kw::Table);
                if global {
                    self.warn_global(location);
                }
                persistence = 't';
            }
            Kw::Unlogged if names_table(self, 1) => {
                self.bump();
                self.eat(Kw::Table);
                persistence = 'u';
            }
            _ => {
                self.eat(Kw::Table);
            }
        }
        let mut rel = self.qualified_name()?;
        rel.relpersistence = persistence;
        Ok(IntoClause {
            rel,
            col_names: Vec::new(),
            access_method: None,
            options: Vec::new(),
            on_commit: OnCommitAction::Noop,
            table_space_name: None,
            skip_data: false,
        })
    }

    pub(in crate::parser) fn warn_global(&mut self, location: i32) {
        let message = "GLOBAL is deprecated in temporary table creation";
        self.notices.push(PgError::with_severity(Severity::Warning, codes::WARNING, message).at(location));
    }

    fn group_by_item(&mut self) -> PgResult<GroupItem> {
        self.check_stack()?;
        let location = self.loc();
        let next = self.ahead(1);
        let set =
            |kind, content| Ok(GroupItem::GroupingSet(Box::new(GroupingSet { kind, content, location })));
        match (self.tok(), self.kw()) {
            (Tok::LParen, _) if next.tok == Tok::RParen => {
                self.bump();
                self.bump();
                set(GroupingSetKind::Empty, Vec::new())
            }
            (_, kw @ (Kw::Rollup | Kw::Cube)) if next.tok == Tok::LParen => {
                self.bump();
                let content = self.paren_list(|p| p.a_expr().map(GroupItem::Expr))?;
                set(if kw == Kw::Cube { GroupingSetKind::Cube } else { GroupingSetKind::Rollup }, content)
            }
            (_, Kw::Grouping) if next.kw == Kw::Sets => {
                self.bump();
                self.bump();
                let outer = self.begin_height();
                let content = self.paren_list(Self::group_by_item)?;
                self.add_level()?;
                self.end_height(outer);
                set(GroupingSetKind::Sets, content)
            }
            _ => self.a_expr().map(GroupItem::Expr),
        }
    }

    pub(in crate::parser) fn opt_sort_clause(&mut self) -> PgResult<Vec<SortBy>> {
        if self.at(Kw::Order) { self.sort_clause() } else { Ok(Vec::new()) }
    }

    pub(in crate::parser) fn sort_clause(&mut self) -> PgResult<Vec<SortBy>> {
        self.expect_all(&[Kw::Order, Kw::By])?;
        self.list(|p| {
            let node = p.a_expr()?;
            let mut sort = SortBy {
                node,
                sortby_dir: SortByDir::Default,
                sortby_nulls: SortByNulls::Default,
                use_op: Vec::new(),
                location: -1,
            };
            if p.eat(Kw::Using) {
                sort.location = p.loc();
                sort.sortby_dir = SortByDir::Using;
                sort.use_op = p.qual_all_op()?;
            } else {
                sort.sortby_dir = p.opt_asc_desc();
            }
            sort.sortby_nulls = p.opt_nulls_order()?;
            Ok(sort)
        })
    }

    pub(in crate::parser) fn opt_asc_desc(&mut self) -> SortByDir {
        match self.eat_any(&[Kw::Asc, Kw::Desc]) {
            Some(Kw::Asc) => SortByDir::Asc,
            Some(_) => SortByDir::Desc,
            None => SortByDir::Default,
        }
    }

    pub(in crate::parser) fn opt_nulls_order(&mut self) -> PgResult<SortByNulls> {
        if !self.eat(Kw::NullsLa) {
            return Ok(SortByNulls::Default);
        }
        match self.eat_any(&[Kw::First, Kw::Last]) {
            Some(Kw::First) => Ok(SortByNulls::First),
            Some(_) => Ok(SortByNulls::Last),
            None => Err(self.unexpected()),
        }
    }

    fn opt_select_limit(&mut self) -> PgResult<Option<SelectLimit>> {
        let mut limit =
            SelectLimit { offset_loc: -1, count_loc: -1, option_loc: -1, ..SelectLimit::default() };
        limit.option = LimitOption::Count;
        match self.kw() {
            Kw::Limit | Kw::Fetch => {
                self.limit_clause(&mut limit)?;
                if self.at(Kw::Offset) {
                    self.offset_clause(&mut limit)?;
                }
            }
            Kw::Offset => {
                self.offset_clause(&mut limit)?;
                if matches!(self.kw(), Kw::Limit | Kw::Fetch) {
                    self.limit_clause(&mut limit)?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(limit))
    }

    fn limit_clause(&mut self, limit: &mut SelectLimit) -> PgResult<()> {
        limit.count_loc = self.loc();
        if self.bump().kw == Kw::Fetch {
            return self.fetch_first(limit);
        }
        let at = self.loc();
        limit.count = Some(if self.eat(Kw::All) {
            Expr::AConst(Box::new(AConst { val: Value::Null, location: at }))
        } else {
            self.a_expr()?
        });
        if self.eat_tok(Tok::Comma) {
            self.a_expr()?;
            return Err(PgError::syntax("LIMIT #,# syntax is not supported")
                .hint("Use separate LIMIT and OFFSET clauses.")
                .at(limit.count_loc));
        }
        Ok(())
    }

    /// FETCH FIRST ..., after the keyword.
    fn fetch_first(&mut self, limit: &mut SelectLimit) -> PgResult<()> {
        if self.eat_any(&[Kw::First, Kw::Next]).is_none() {
            return Err(self.unexpected());
        }
        let next = self.ahead(1);
        let no_value = match self.kw() {
            Kw::Row => next.tok != Tok::LParen && !matches!(next.kw, Kw::Row | Kw::Rows),
            Kw::Rows => matches!(next.kw, Kw::Only | Kw::With | Kw::WithLa),
            _ => false,
        };
        limit.count = Some(if no_value {
            Expr::AConst(Box::new(AConst { val: Value::Integer(1), location: -1 }))
        } else {
            self.fetch_first_value()?
        });
        self.row_or_rows()?;
        if self.eat(Kw::Only) {
            return Ok(());
        }
        limit.option_loc = self.loc();
        limit.option = LimitOption::WithTies;
        self.expect_all(&[Kw::With, Kw::Ties])
    }

    fn row_or_rows(&mut self) -> PgResult<()> {
        if self.eat_any(&[Kw::Row, Kw::Rows]).is_none() { Err(self.unexpected()) } else { Ok(()) }
    }

    /// select_fetch_first_value: a c_expr or a signed number.
    fn fetch_first_value(&mut self) -> PgResult<Expr> {
        let location = self.loc();
        let sign = self.tok();
        if !matches!(sign, Tok::Plus | Tok::Minus) {
            return self.c_expr();
        }
        self.bump();
        if !matches!(self.tok(), Tok::Iconst | Tok::Fconst) {
            return Err(self.unexpected());
        }
        let number = self.c_expr()?;
        let name = vec![if sign == Tok::Plus { "+" } else { "-" }.to_string()];
        match number {
            Expr::AConst(mut c) if sign == Tok::Minus => {
                c.val = match c.val {
                    Value::Integer(i) => Value::Integer(i.wrapping_neg()),
                    Value::Float(f) => Value::Float(crate::parser::expr::negate_float(f)),
                    other => other,
                };
                c.location = location;
                Ok(Expr::AConst(c))
            }
            number => Ok(Expr::AExpr(Box::new(AExpr {
                kind: AExprKind::Op,
                name,
                lexpr: None,
                rexpr: AExprRight::Expr(number),
                location,
            }))),
        }
    }

    fn offset_clause(&mut self, limit: &mut SelectLimit) -> PgResult<()> {
        limit.offset_loc = self.bump().start as i32;
        let signed = matches!(self.tok(), Tok::Plus | Tok::Minus)
            && matches!(self.ahead(1).tok, Tok::Iconst | Tok::Fconst)
            && matches!(self.ahead(2).kw, Kw::Row | Kw::Rows);
        if signed {
            limit.offset = Some(self.fetch_first_value()?);
            return self.row_or_rows();
        }
        limit.offset = Some(self.a_expr()?);
        if self.bare_primary {
            self.eat_any(&[Kw::Row, Kw::Rows]);
        }
        Ok(())
    }

    /// FOR UPDATE ... (any number), or FOR READ ONLY.
    fn for_locking_clause(&mut self) -> PgResult<Vec<LockingClause>> {
        let mut items = Vec::new();
        if self.at(Kw::For) && self.ahead(1).kw == Kw::Read {
            self.bump();
            self.expect_all(&[Kw::Read, Kw::Only])?;
            return Ok(items);
        }
        while self.eat(Kw::For) {
            let strength = match self.eat_any(&[Kw::Update, Kw::No, Kw::Share, Kw::Key]) {
                Some(Kw::Update) => LockClauseStrength::ForUpdate,
                Some(Kw::Share) => LockClauseStrength::ForShare,
                Some(Kw::No) => {
                    self.expect_all(&[Kw::Key, Kw::Update])?;
                    LockClauseStrength::ForNoKeyUpdate
                }
                Some(_) => {
                    self.expect(Kw::Share)?;
                    LockClauseStrength::ForKeyShare
                }
                None => return Err(self.unexpected()),
            };
            let locked_rels = if self.eat(Kw::Of) { self.qualified_name_list()? } else { Vec::new() };
            let wait_policy = match self.eat_any(&[Kw::Nowait, Kw::Skip]) {
                Some(Kw::Nowait) => LockWaitPolicy::Error,
                Some(_) => {
                    self.expect(Kw::Locked)?;
                    LockWaitPolicy::Skip
                }
                None => LockWaitPolicy::Block,
            };
            items.push(LockingClause { locked_rels, strength, wait_policy });
        }
        Ok(items)
    }

    /// PLpgSQL_Expr: a SELECT's parts without the keyword.
    pub(in crate::parser) fn plpgsql_expr(&mut self) -> PgResult<Box<SelectStmt>> {
        let mut s = Box::new(SelectStmt::default());
        s.distinct_clause = self.opt_distinct_clause()?;
        if self.starts_target() {
            s.target_list = self.target_list()?;
        }
        self.select_clauses(&mut s)?;
        let sort = self.opt_sort_clause()?;
        let limit = self.opt_select_limit()?;
        let locking = self.for_locking_clause()?;
        insert_options(&mut s, sort, locking, limit, None)?;
        Ok(s)
    }
}

/// Adds the clauses that stand after a SELECT, which may come in parentheses with its own.
fn insert_options(
    s: &mut SelectStmt,
    sort: Vec<SortBy>,
    locking: Vec<LockingClause>,
    limit: Option<SelectLimit>,
    with: Option<Box<WithClause>>,
) -> PgResult<()> {
    let error = |message: &str, at: i32| Err(PgError::syntax(message).at(at));
    if let Some(first) = sort.first() {
        if !s.sort_clause.is_empty() {
            return error("multiple ORDER BY clauses not allowed", first.node.location());
        }
        s.sort_clause = sort;
    }
    s.locking_clause.extend(locking);
    if let Some(limit) = limit {
        if limit.offset.is_some() {
            if s.limit_offset.is_some() {
                return error("multiple OFFSET clauses not allowed", limit.offset_loc);
            }
            s.limit_offset = limit.offset;
        }
        if limit.count.is_some() {
            if s.limit_count.is_some() {
                return error("multiple LIMIT clauses not allowed", limit.count_loc);
            }
            s.limit_count = limit.count;
        }
        if limit.option == LimitOption::WithTies {
            if s.sort_clause.is_empty() {
                return error("WITH TIES cannot be specified without ORDER BY clause", limit.option_loc);
            }
            if s.locking_clause.iter().any(|l| l.wait_policy == LockWaitPolicy::Skip) {
                return error("SKIP LOCKED and WITH TIES options cannot be used together", limit.option_loc);
            }
        }
        s.limit_option = limit.option;
    }
    if let Some(with) = with {
        if s.with_clause.is_some() {
            return error("multiple WITH clauses not allowed", with.location);
        }
        s.with_clause = Some(with);
    }
    Ok(())
}
