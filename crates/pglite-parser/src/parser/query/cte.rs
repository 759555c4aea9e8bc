//! WITH clauses.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::parser::Parser;

impl Parser<'_> {
    pub(in crate::parser) fn opt_with_clause(&mut self) -> PgResult<Option<Box<WithClause>>> {
        let location = self.loc();
        let recursive = match self.eat_any(&[Kw::With, Kw::WithLa]) {
            None => return Ok(None),
            // RECURSIVE may also be the name of the first query.
            Some(Kw::With) if self.at(Kw::Recursive) && self.is_col_id(1) => self.eat(Kw::Recursive),
            Some(_) => false,
        };
        let ctes = self.list(Self::common_table_expr)?;
        Ok(Some(Box::new(WithClause { ctes, recursive, location })))
    }

    fn common_table_expr(&mut self) -> PgResult<CommonTableExpr> {
        let location = self.loc();
        let ctename = self.name()?;
        let aliascolnames = self.opt_name_list()?;
        self.expect(Kw::As)?;
        let ctematerialized = match self.eat_any(&[Kw::Materialized, Kw::Not]) {
            Some(Kw::Materialized) => CteMaterialize::Always,
            Some(_) => {
                self.expect(Kw::Materialized)?;
                CteMaterialize::Never
            }
            None => CteMaterialize::Default,
        };
        self.lparen()?;
        let ctequery = self.preparable_stmt()?;
        self.rparen()?;
        let search_clause = self.opt_search_clause()?;
        let cycle_clause = self.opt_cycle_clause()?;
        Ok(CommonTableExpr {
            ctename,
            aliascolnames,
            ctematerialized,
            ctequery,
            search_clause,
            cycle_clause,
            location,
        })
    }

    fn opt_search_clause(&mut self) -> PgResult<Option<CteSearchClause>> {
        let location = self.loc();
        if !self.eat(Kw::Search) {
            return Ok(None);
        }
        let search_breadth_first = match self.eat_any(&[Kw::Depth, Kw::Breadth]) {
            Some(kw) => kw == Kw::Breadth,
            None => return Err(self.unexpected()),
        };
        self.expect_all(&[Kw::First, Kw::By])?;
        let search_col_list = self.name_list()?;
        self.expect(Kw::Set)?;
        let search_seq_column = self.col_id()?;
        Ok(Some(CteSearchClause { search_col_list, search_breadth_first, search_seq_column, location }))
    }

    fn opt_cycle_clause(&mut self) -> PgResult<Option<CteCycleClause>> {
        let location = self.loc();
        if !self.eat(Kw::Cycle) {
            return Ok(None);
        }
        let cycle_col_list = self.name_list()?;
        self.expect(Kw::Set)?;
        let cycle_mark_column = self.col_id()?;
        let flag = |b| Expr::AConst(Box::new(AConst { val: Value::Boolean(b), location: -1 }));
        let (mut cycle_mark_value, mut cycle_mark_default) = (flag(true), flag(false));
        if self.eat(Kw::To) {
            cycle_mark_value = self.aexpr_const()?;
            self.expect(Kw::Default)?;
            cycle_mark_default = self.aexpr_const()?;
        }
        self.expect(Kw::Using)?;
        let cycle_path_column = self.col_id()?;
        Ok(Some(CteCycleClause {
            cycle_col_list,
            cycle_mark_column,
            cycle_mark_value,
            cycle_mark_default,
            cycle_path_column,
            location,
        }))
    }
}
