//! CREATE INDEX, index elements, and extended statistics.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// CREATE [UNIQUE] INDEX, after CREATE.
    pub(in crate::parser) fn index_stmt(&mut self) -> PgResult<IndexStmt> {
        let unique = self.eat(Kw::Unique);
        self.expect(Kw::Index)?;
        let concurrent = self.eat(Kw::Concurrently);
        let if_not_exists = self.opt_if_not_exists()?;
        let idxname = if if_not_exists || self.is_col_id(0) { Some(self.name()?) } else { None };
        self.expect(Kw::On)?;
        let relation = self.relation_expr()?;
        let access_method = if self.eat(Kw::Using) { self.name()? } else { "btree".to_string() };
        let index_params = self.paren_list(Self::index_elem)?;
        let index_including_params =
            if self.eat(Kw::Include) { self.paren_list(Self::index_elem)? } else { Vec::new() };
        let nulls_not_distinct = !self.opt_unique_null_treatment()?;
        let options = self.opt_reloptions()?;
        let table_space = self.opt_tablespace()?;
        let where_clause = self.where_clause()?;
        Ok(IndexStmt {
            idxname,
            relation,
            access_method,
            table_space,
            index_params,
            index_including_params,
            options,
            where_clause,
            unique,
            nulls_not_distinct,
            concurrent,
            if_not_exists,
        })
    }

    pub(in crate::parser) fn index_elem(&mut self) -> PgResult<IndexElem> {
        let location = self.loc();
        let mut elem = IndexElem { location, ..IndexElem::default() };
        if self.at_tok(Tok::LParen) {
            elem.expr = Some(self.paren_expr_only()?);
        } else if self.is_function_not_name() {
            elem.expr = Some(self.func_expr_windowless()?);
        } else {
            elem.name = Some(self.col_id()?);
        }
        elem.collation = self.opt_collate()?;
        elem.opclass = self.opt_qualified_name()?;
        if !elem.opclass.is_empty() && self.at_tok(Tok::LParen) {
            elem.opclassopts = self.reloptions()?;
        }
        elem.ordering = self.opt_asc_desc();
        elem.nulls_ordering = self.opt_nulls_order()?;
        Ok(elem)
    }

    pub(in crate::parser) fn opt_collate(&mut self) -> PgResult<Vec<String>> {
        if self.eat(Kw::Collate) { self.any_name() } else { Ok(Vec::new()) }
    }

    pub(in crate::parser) fn opt_qualified_name(&mut self) -> PgResult<Vec<String>> {
        if self.is_col_id(0) { self.any_name() } else { Ok(Vec::new()) }
    }

    /// CREATE STATISTICS, at STATISTICS.
    pub(in crate::parser) fn create_stats_stmt(&mut self) -> PgResult<CreateStatsStmt> {
        self.bump();
        let if_not_exists = self.opt_if_not_exists()?;
        let defnames = if if_not_exists { self.any_name()? } else { self.opt_qualified_name()? };
        let stat_types = self.opt_name_list()?;
        self.expect(Kw::On)?;
        let exprs = self.list(|p| {
            if p.at_tok(Tok::LParen) {
                return Ok(StatsElem { name: None, expr: Some(p.paren_expr_only()?) });
            }
            if p.is_function_not_name() {
                return Ok(StatsElem { name: None, expr: Some(p.func_expr_windowless()?) });
            }
            Ok(StatsElem { name: Some(p.col_id()?), expr: None })
        })?;
        self.expect(Kw::From)?;
        let relations = self.table_ref_list()?;
        Ok(CreateStatsStmt { defnames, stat_types, exprs, relations, if_not_exists })
    }
}
