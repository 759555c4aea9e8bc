//! INSERT, UPDATE, DELETE, and what may stand in WITH, PREPARE, COPY, EXPLAIN.

use std::sync::Arc;

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// PreparableStmt: SELECT, INSERT, UPDATE, DELETE, MERGE, any with WITH.
    pub(in crate::parser) fn preparable_stmt(&mut self) -> PgResult<Statement> {
        self.check_stack()?;
        let outer = self.begin_height();
        let with = self.opt_with_clause()?;
        let stmt = match self.kw() {
            Kw::Insert => self.insert_stmt(with)?.into(),
            Kw::Update => self.update_stmt(with)?.into(),
            Kw::Delete => self.delete_stmt(with)?.into(),
            Kw::Merge => self.merge_stmt(with)?.into(),
            _ => Statement::SelectStmt(self.select_after_with(with)?),
        };
        self.add_level()?;
        self.end_height(outer);
        Ok(stmt)
    }

    /// Whether a PreparableStmt starts here.
    pub(in crate::parser) fn is_preparable_start(&self) -> bool {
        self.at_tok(Tok::LParen)
            || matches!(
                self.kw(),
                Kw::Select
                    | Kw::Values
                    | Kw::Table
                    | Kw::With
                    | Kw::WithLa
                    | Kw::Insert
                    | Kw::Update
                    | Kw::Delete
                    | Kw::Merge
            )
    }

    fn insert_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> PgResult<InsertStmt> {
        self.bump();
        self.expect(Kw::Into)?;
        let mut relation = self.qualified_name()?;
        if self.eat(Kw::As) {
            relation.alias = Some(Alias { aliasname: self.col_id()?, colnames: Vec::new() });
        }
        let mut stmt = InsertStmt {
            relation,
            cols: Vec::new(),
            select_stmt: None,
            on_conflict_clause: None,
            returning_clause: None,
            with_clause,
            override_: OverridingKind::NotSet,
        };
        if self.eat_seq(&[Kw::Default, Kw::Values])? {
        } else {
            if self.at_tok(Tok::LParen) && !self.is_select_start(1) && self.ahead(1).tok != Tok::LParen {
                stmt.cols = self.paren_list(Self::insert_column_item)?;
            }
            stmt.override_ = self.opt_overriding()?;
            stmt.select_stmt = Some(self.select_stmt()?);
        }
        stmt.on_conflict_clause = self.opt_on_conflict()?.map(Box::new);
        stmt.returning_clause = self.returning_clause()?;
        Ok(stmt)
    }

    pub(in crate::parser) fn insert_column_item(&mut self) -> PgResult<ResTarget> {
        let location = self.loc();
        let name = Some(self.col_id()?);
        let indirection = self.checked_indirection()?;
        Ok(ResTarget { name, indirection, val: None, location })
    }

    /// OVERRIDING {USER | SYSTEM} VALUE
    pub(in crate::parser) fn opt_overriding(&mut self) -> PgResult<OverridingKind> {
        if !self.eat(Kw::Overriding) {
            return Ok(OverridingKind::NotSet);
        }
        let kind = match self.eat_any(&[Kw::User, Kw::System]) {
            Some(Kw::User) => OverridingKind::UserValue,
            Some(_) => OverridingKind::SystemValue,
            None => return Err(self.unexpected()),
        };
        self.expect(Kw::Value)?;
        Ok(kind)
    }

    fn opt_on_conflict(&mut self) -> PgResult<Option<OnConflictClause>> {
        let location = self.loc();
        if !self.eat_seq(&[Kw::On, Kw::Conflict])? {
            return Ok(None);
        }
        let infer_location = self.loc();
        let mut infer = None;
        if self.at_tok(Tok::LParen) {
            let index_elems = self.paren_list(Self::index_elem)?;
            let where_clause = self.where_clause()?;
            infer = Some(InferClause { index_elems, where_clause, conname: None, location: infer_location });
        } else if self.eat_seq(&[Kw::On, Kw::Constraint])? {
            let conname = Some(self.name()?);
            infer = Some(InferClause { conname, location: infer_location, ..InferClause::default() });
        }
        self.expect(Kw::Do)?;
        let mut clause = OnConflictClause {
            action: OnConflictAction::Nothing,
            infer,
            target_list: Vec::new(),
            where_clause: None,
            location,
        };
        if self.eat(Kw::Nothing) {
            return Ok(Some(clause));
        }
        self.expect_all(&[Kw::Update, Kw::Set])?;
        clause.action = OnConflictAction::Update;
        clause.target_list = self.set_clause_list()?;
        clause.where_clause = self.where_clause()?;
        Ok(Some(clause))
    }

    /// RETURNING [WITH (OLD AS o, NEW AS n)] targets
    pub(in crate::parser) fn returning_clause(&mut self) -> PgResult<Option<ReturningClause>> {
        if !self.eat(Kw::Returning) {
            return Ok(None);
        }
        let mut options = Vec::new();
        if self.eat(Kw::With) {
            options = self.paren_list(|p| {
                let location = p.loc();
                let option = match p.eat_any(&[Kw::Old, Kw::New]) {
                    Some(Kw::Old) => ReturningOptionKind::Old,
                    Some(_) => ReturningOptionKind::New,
                    None => return Err(p.unexpected()),
                };
                p.expect(Kw::As)?;
                Ok(ReturningOption { option, value: p.col_id()?, location })
            })?;
        }
        Ok(Some(ReturningClause { options, exprs: self.target_list()? }))
    }

    fn update_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> PgResult<UpdateStmt> {
        self.bump();
        let relation = self.relation_expr_opt_alias()?;
        self.expect(Kw::Set)?;
        let target_list = self.set_clause_list()?;
        let from_clause = self.opt_from_clause()?;
        let where_clause = self.where_or_current_clause()?;
        let returning_clause = self.returning_clause()?;
        Ok(UpdateStmt { relation, target_list, where_clause, from_clause, returning_clause, with_clause })
    }

    fn delete_stmt(&mut self, with_clause: Option<Box<WithClause>>) -> PgResult<DeleteStmt> {
        self.bump();
        self.expect(Kw::From)?;
        let relation = self.relation_expr_opt_alias()?;
        let using_clause = if self.eat(Kw::Using) { self.table_ref_list()? } else { Vec::new() };
        let where_clause = self.where_or_current_clause()?;
        let returning_clause = self.returning_clause()?;
        Ok(DeleteStmt { relation, using_clause, where_clause, returning_clause, with_clause })
    }

    /// WHERE, or WHERE CURRENT OF a cursor.
    fn where_or_current_clause(&mut self) -> PgResult<Option<Expr>> {
        if !self.eat(Kw::Where) {
            return Ok(None);
        }
        if self.at_all(&[Kw::Current, Kw::Of]) {
            let location = self.loc();
            self.bump();
            self.bump();
            let cursor_name = self.name()?;
            return Ok(Some(Expr::CurrentOfExpr(Box::new(CurrentOfExpr { cursor_name, location }))));
        }
        self.a_expr().map(Some)
    }

    /// The assignments of SET; `(a, b) = source` makes one target for each column.
    pub(in crate::parser) fn set_clause_list(&mut self) -> PgResult<Vec<ResTarget>> {
        let mut targets = Vec::new();
        loop {
            if self.at_tok(Tok::LParen) {
                let mut columns = self.paren_list(Self::insert_column_item)?;
                self.expect_tok(Tok::Equals)?;
                let source = Arc::new(self.a_expr()?);
                let ncolumns = columns.len() as i32;
                for (i, column) in columns.iter_mut().enumerate() {
                    let source = Arc::clone(&source);
                    let colno = i as i32 + 1;
                    column.val =
                        Some(Expr::MultiAssignRef(Box::new(MultiAssignRef { source, colno, ncolumns })));
                }
                targets.append(&mut columns);
            } else {
                let mut column = self.insert_column_item()?;
                self.expect_tok(Tok::Equals)?;
                column.val = Some(self.a_expr()?);
                targets.push(column);
            }
            if !self.eat_tok(Tok::Comma) {
                return Ok(targets);
            }
        }
    }

    /// PLAssignStmt: `target := expression`
    pub(in crate::parser) fn pl_assign_stmt(&mut self, nnames: i32) -> PgResult<PLAssignStmt> {
        let location = self.loc();
        let name = if self.at_tok(Tok::Param) { format!("${}", self.bump().aux) } else { self.col_id()? };
        let indirection = self.checked_indirection()?;
        if !self.eat_tok(Tok::ColonEquals) {
            self.expect_tok(Tok::Equals)?;
        }
        let val = self.plpgsql_expr()?;
        Ok(PLAssignStmt { name, indirection, nnames, val, location })
    }
}
