//! VALUES as a query.

use super::locking::strength_name;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn transform_values(&mut self, s: &ast::SelectStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Select);
        if let Some(w) = &s.with_clause {
            q.recursive = w.recursive;
            self.transform_with(w)?;
        }
        let mut rows: Vec<Vec<Expr>> = Vec::with_capacity(s.values_lists.len());
        for raw in &s.values_lists {
            let row = self.transform_expr_list(raw, ExprKind::Values, false)?;
            if rows.first().is_some_and(|f| f.len() != row.len()) {
                return Err(
                    err!(SYNTAX_ERROR, "VALUES lists must all be the same length").at(row_location(&row))
                );
            }
            rows.push(row);
        }
        let width = rows.first().map_or(0, Vec::len);
        let mut types = Vec::with_capacity(width);
        for col in 0..width {
            types.push(self.unify_column(&mut rows, col)?);
        }
        let lateral =
            !self.cur().rtable.is_empty() && rows.iter().flatten().any(crate::expr::contains_local_var);
        let item = self.add_values(rows, types, None, lateral)?;
        self.cur().joinlist.push(FromItem::Rte(item.rte));
        self.add_namespace(item.clone());
        let mut targets = Vec::new();
        for (name, e) in self.expand_item(&item, 0, -1) {
            let resno = self.take_resno();
            targets.push(TargetEntry::new(e, resno, Some(name)));
        }
        q.sort = self.transform_sort(&s.sort_clause, &mut targets, ExprKind::OrderBy, false)?;
        self.finish_limit(&mut q, s)?;
        if let Some(l) = s.locking_clause.first() {
            bail!(FEATURE_NOT_SUPPORTED, "{} cannot be applied to VALUES", strength_name(l.strength));
        }
        q.targets = targets;
        q.jointree = JoinTree { from: std::mem::take(&mut self.cur().joinlist), quals: None };
        self.finish_query(&mut q);
        self.assign_query_collations(&mut q)?;
        Ok(q)
    }

    /// Coerces one column of all rows to its common type.
    fn unify_column(&mut self, rows: &mut [Vec<Expr>], col: usize) -> PgResult<ColType> {
        let exprs: Vec<&Expr> = rows.iter().map(|r| &r[col]).collect();
        let ty = self.select_common_type(&exprs, "VALUES")?;
        for r in rows.iter_mut() {
            let e = std::mem::replace(&mut r[col], crate::expr::null_unknown());
            r[col] = self.coerce_to_common(e, ty, "VALUES")?;
        }
        let exprs: Vec<&Expr> = rows.iter().map(|r| &r[col]).collect();
        let typmod = self.common_typmod(&exprs, ty);
        let mut cells: Vec<&mut Expr> = rows.iter_mut().map(|r| &mut r[col]).collect();
        let collation = self.common_collation(&mut cells, true)?;
        Ok(ColType { ty, typmod, collation })
    }
}

/// The first known place in a list.
pub(crate) fn row_location(row: &[Expr]) -> i32 {
    row.iter().map(Expr::location).find(|l| *l >= 0).unwrap_or(-1)
}
