//! The clauses of a query: ORDER BY, GROUP BY, DISTINCT, LIMIT, WINDOW, and what they share: references from a clause to
//! the target list.

mod check;
mod group;
mod sort;
mod window;

use crate::coerce::How;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// LIMIT and OFFSET.
    pub fn transform_limit(
        &mut self,
        clause: Option<&ast::Expr>,
        kind: ExprKind,
        option: ast::LimitOption,
    ) -> PgResult<Option<Expr>> {
        let Some(c) = clause else { return Ok(None) };
        let name = if kind == ExprKind::Limit { "LIMIT" } else { "OFFSET" };
        let e = self.transform_as(c, kind)?;
        let e = self.coerce_to_specific(e, oid::INT8, -1, name)?;
        if let Some(at) = local_var_location(&e) {
            return Err(
                err!(INVALID_COLUMN_REFERENCE, "argument of {name} must not contain variables").at(at)
            );
        }
        if kind == ExprKind::Limit
            && option == ast::LimitOption::WithTies
            && matches!(c, ast::Expr::AConst(k) if k.val == ast::Value::Null)
        {
            bail!(
                INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
                "row count cannot be null in FETCH FIRST ... WITH TIES clause"
            );
        }
        Ok(Some(e))
    }

    /// An unknown-typed target becomes text when it is sorted or grouped by.
    pub(crate) fn fix_unknown(&mut self, t: &mut TargetEntry) -> PgResult<Oid> {
        if t.expr.ty() == oid::UNKNOWN {
            let e = std::mem::replace(&mut t.expr, crate::expr::null_unknown());
            t.expr = self.coerce_type(e, oid::TEXT, -1, How::IMPLICIT)?;
        }
        Ok(t.expr.ty())
    }

    /// PostgreSQL's `findTargetlistEntrySQL99`: an expression, matched against the list or added to it as junk.
    pub(crate) fn find_target_sql99(
        &mut self,
        node: &ast::Expr,
        list: &mut Vec<TargetEntry>,
        kind: ExprKind,
    ) -> PgResult<usize> {
        let e = self.transform_as(node, kind)?;
        if let Some(at) =
            list.iter().position(|t| crate::equal::equal(&e, crate::equal::strip_implicit(&t.expr)))
        {
            return Ok(at);
        }
        let resno = self.take_resno();
        let mut t = TargetEntry::new(e, resno, None);
        t.junk = true;
        list.push(t);
        Ok(list.len() - 1)
    }

    /// PostgreSQL's `findTargetlistEntrySQL92`: an output name or position first.
    pub(crate) fn find_target_sql92(
        &mut self,
        node: &ast::Expr,
        list: &mut Vec<TargetEntry>,
        kind: ExprKind,
    ) -> PgResult<usize> {
        if let ast::Expr::ColumnRef(c) = node
            && let [ast::Field::Name(name)] = c.fields.as_slice()
        {
            let is_input = kind == ExprKind::GroupBy && self.column_by_name(name, c.location)?.is_some();
            if !is_input {
                let mut found: Option<usize> = None;
                for (i, t) in list.iter().enumerate() {
                    if t.junk || t.name.as_deref() != Some(name) {
                        continue;
                    }
                    match found {
                        Some(f) if !crate::equal::equal(&list[f].expr, &t.expr) => {
                            return Err(err!(AMBIGUOUS_COLUMN, "{} \"{name}\" is ambiguous", kind.name())
                                .at(c.location));
                        }
                        Some(_) => {}
                        None => found = Some(i),
                    }
                }
                if let Some(i) = found {
                    self.check_sql92_target(&list[i], kind)?;
                    return Ok(i);
                }
            }
        }
        if let ast::Expr::AConst(c) = node {
            let ast::Value::Integer(n) = c.val else {
                return Err(err!(SYNTAX_ERROR, "non-integer constant in {}", kind.name()).at(c.location));
            };
            let at = list
                .iter()
                .enumerate()
                .filter(|(_, t)| !t.junk)
                .nth((n as usize).wrapping_sub(1))
                .map(|(i, _)| i);
            let Some(i) = at.filter(|_| n > 0) else {
                return Err(err!(
                    INVALID_COLUMN_REFERENCE,
                    "{} position {n} is not in select list",
                    kind.name()
                )
                .at(c.location));
            };
            self.check_sql92_target(&list[i], kind)?;
            return Ok(i);
        }
        self.find_target_sql99(node, list, kind)
    }

    /// GROUP BY must not name an aggregate or window function.
    fn check_sql92_target(&self, t: &TargetEntry, kind: ExprKind) -> PgResult<()> {
        if kind != ExprKind::GroupBy {
            return Ok(());
        }
        if let Some(at) = crate::agg::find_agg(&t.expr, 0) {
            return Err(err!(GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY").at(at));
        }
        if let Some(at) = crate::agg::find_window(&t.expr) {
            return Err(err!(WINDOWING_ERROR, "window functions are not allowed in GROUP BY").at(at));
        }
        Ok(())
    }
}

/// The place of a variable of this query level.
pub(crate) fn local_var_location(e: &Expr) -> Option<i32> {
    let mut found = None;
    pglite_ir::tree::visit_expr(e, 0, &mut |e, depth| {
        if let Expr::Var(v) = e
            && v.levels_up == depth
            && found.is_none()
        {
            found = Some(v.location);
        }
        found.is_none()
    });
    found
}
