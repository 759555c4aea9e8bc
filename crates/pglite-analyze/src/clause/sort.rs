//! ORDER BY, DISTINCT and DISTINCT ON.

use crate::prelude::*;

/// Gives the entry a reference number, the highest so far plus one.
pub(crate) fn assign_ref(at: usize, list: &mut [TargetEntry]) -> u32 {
    if list[at].sort_group_ref != 0 {
        return list[at].sort_group_ref;
    }
    let max = list.iter().map(|t| t.sort_group_ref).max().unwrap_or(0);
    list[at].sort_group_ref = max + 1;
    max + 1
}

/// The list's entry with a reference number.
pub(crate) fn target_by_ref(r: u32, list: &[TargetEntry]) -> Option<usize> {
    list.iter().position(|t| t.sort_group_ref == r)
}

impl Analyzer<'_, '_> {
    pub fn transform_sort(
        &mut self,
        order: &[ast::SortBy],
        list: &mut Vec<TargetEntry>,
        kind: ExprKind,
        sql99: bool,
    ) -> PgResult<Vec<SortGroupClause>> {
        let mut out = Vec::new();
        for s in order {
            let at = if sql99 {
                self.find_target_sql99(&s.node, list, kind)?
            } else {
                self.find_target_sql92(&s.node, list, kind)?
            };
            self.add_to_sort_list(at, &mut out, list, s)?;
        }
        Ok(out)
    }

    /// PostgreSQL's `addTargetToSortList`.
    pub(crate) fn add_to_sort_list(
        &mut self,
        at: usize,
        out: &mut Vec<SortGroupClause>,
        list: &mut [TargetEntry],
        s: &ast::SortBy,
    ) -> PgResult<()> {
        let ty = self.fix_unknown(&mut list[at])?;
        let location = if s.location >= 0 { s.location } else { crate::target::raw_location(&s.node) };
        let (sort_op, eq_op, reverse) = match s.sortby_dir {
            ast::SortByDir::Default | ast::SortByDir::Asc => {
                let ops = self.ordering_ops(ty, location)?;
                (ops.lt, ops.eq, false)
            }
            ast::SortByDir::Desc => {
                let ops = self.ordering_ops(ty, location)?;
                (ops.gt, ops.eq, true)
            }
            ast::SortByDir::Using => {
                let op = self.binary_operator(&s.use_op, ty, ty, location)?;
                match self.cat.equality_for_ordering(op) {
                    Some((eq, reverse)) => (op, eq, reverse),
                    None => {
                        return Err(err!(
                            WRONG_OBJECT_TYPE,
                            "operator {} is not a valid ordering operator",
                            s.use_op.last().map_or("", String::as_str)
                        )
                        .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
                        .at(location));
                    }
                }
            }
        };
        let r = list[at].sort_group_ref;
        if r != 0 && out.iter().any(|c| c.target_ref == r && self.same_order(c.sort_op, sort_op)) {
            return Ok(());
        }
        let target_ref = assign_ref(at, list);
        let nulls_first = match s.sortby_nulls {
            ast::SortByNulls::Default => reverse,
            ast::SortByNulls::First => true,
            ast::SortByNulls::Last => false,
        };
        let hashable = self.cat.op_hashable(eq_op, ty);
        out.push(SortGroupClause { target_ref, eq_op, sort_op, reverse, nulls_first, hashable });
        Ok(())
    }

    /// The same operator or its commutator.
    fn same_order(&self, a: Oid, b: Oid) -> bool {
        a == b || self.cat.oper(a).is_ok_and(|o| o.oprcom == b)
    }

    fn ordering_ops(&self, ty: Oid, location: i32) -> PgResult<crate::cat::SortOps> {
        let ops = self.cat.sort_ops(ty);
        if !ops.lt.is_valid() || !ops.gt.is_valid() {
            return Err(err!(
                UNDEFINED_FUNCTION,
                "could not identify an ordering operator for type {}",
                self.cat.format_type(ty)
            )
            .hint("Use an explicit ordering operator or modify the query.")
            .at(location));
        }
        Ok(ops)
    }

    /// Equality is enough (GROUP BY, DISTINCT, UNION); sorting is used when there is an order.
    pub(crate) fn grouping_clause(&self, ty: Oid, location: i32) -> PgResult<SortGroupClause> {
        let ops = self.cat.sort_ops(ty);
        if !ops.eq.is_valid() {
            return Err(err!(
                UNDEFINED_FUNCTION,
                "could not identify an equality operator for type {}",
                self.cat.format_type(ty)
            )
            .at(location));
        }
        Ok(SortGroupClause {
            target_ref: 0,
            eq_op: ops.eq,
            sort_op: ops.lt,
            reverse: false,
            nulls_first: false,
            hashable: ops.hashable,
        })
    }

    /// PostgreSQL's `addTargetToGroupList`.
    pub(crate) fn add_to_group_list(
        &mut self,
        at: usize,
        out: &mut Vec<SortGroupClause>,
        list: &mut [TargetEntry],
        location: i32,
    ) -> PgResult<()> {
        let ty = self.fix_unknown(&mut list[at])?;
        let r = list[at].sort_group_ref;
        if r != 0 && out.iter().any(|c| c.target_ref == r) {
            return Ok(());
        }
        let location = if location >= 0 { location } else { list[at].expr.location() };
        let mut clause = self.grouping_clause(ty, location)?;
        clause.target_ref = assign_ref(at, list);
        out.push(clause);
        Ok(())
    }

    /// SELECT DISTINCT (or an aggregate's DISTINCT): the sort columns first, then all others.
    pub fn transform_distinct(
        &mut self,
        list: &mut [TargetEntry],
        sort: &[SortGroupClause],
        is_agg: bool,
    ) -> PgResult<Vec<SortGroupClause>> {
        let mut out = Vec::new();
        for s in sort {
            let Some(at) = target_by_ref(s.target_ref, list) else { continue };
            if list[at].junk {
                let msg = if is_agg {
                    "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
                } else {
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
                };
                return Err(err!(INVALID_COLUMN_REFERENCE, "{msg}").at(list[at].expr.location()));
            }
            out.push(s.clone());
        }
        for at in 0..list.len() {
            if !list[at].junk {
                let location = list[at].expr.location();
                self.add_to_group_list(at, &mut out, list, location)?;
            }
        }
        if out.is_empty() {
            let msg = if is_agg {
                "an aggregate with DISTINCT must have at least one argument"
            } else {
                "SELECT DISTINCT must have at least one column"
            };
            bail!(SYNTAX_ERROR, "{msg}");
        }
        Ok(out)
    }

    /// SELECT DISTINCT ON (...).
    pub fn transform_distinct_on(
        &mut self,
        exprs: &[ast::Expr],
        list: &mut Vec<TargetEntry>,
        sort: &[SortGroupClause],
    ) -> PgResult<Vec<SortGroupClause>> {
        let mut refs = Vec::new();
        for e in exprs {
            let at = self.find_target_sql92(e, list, ExprKind::DistinctOn)?;
            refs.push((assign_ref(at, list), crate::target::raw_location(e)));
        }
        let mut out: Vec<SortGroupClause> = Vec::new();
        let mut skipped = false;
        let mismatch = |at: i32| {
            Err(err!(
                INVALID_COLUMN_REFERENCE,
                "SELECT DISTINCT ON expressions must match initial ORDER BY expressions"
            )
            .at(at))
        };
        for s in sort {
            if let Some((_, at)) = refs.iter().find(|(r, _)| *r == s.target_ref) {
                if skipped {
                    return mismatch(*at);
                }
                out.push(s.clone());
            } else {
                skipped = true;
            }
        }
        for (r, location) in refs {
            if out.iter().any(|c| c.target_ref == r) {
                continue;
            }
            if skipped {
                return mismatch(location);
            }
            if let Some(at) = target_by_ref(r, list) {
                self.add_to_group_list(at, &mut out, list, location)?;
            }
        }
        Ok(out)
    }
}
