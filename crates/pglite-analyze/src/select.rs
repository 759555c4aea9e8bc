//! SELECT: plain queries, VALUES, set operations.

mod locking;
mod setop;
mod values;

use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// A subquery as a level of its own below the current one.
    pub fn sub_analyze_select(
        &mut self,
        s: &ast::SelectStmt,
        parent_cte: Option<usize>,
        locked_from_parent: bool,
        resolve_unknowns: bool,
    ) -> PgResult<Query> {
        self.check_depth()?;
        self.push();
        let level = self.cur();
        level.parent_cte = parent_cte;
        level.locked_from_parent = locked_from_parent;
        level.resolve_unknowns = resolve_unknowns;
        let result = self.transform_select(s);
        self.pop();
        result
    }

    /// Any form of SELECT in the current (new) level.
    pub fn transform_select(&mut self, s: &ast::SelectStmt) -> PgResult<Query> {
        if s.op != ast::SetOperation::None {
            self.transform_set_operation(s)
        } else if !s.values_lists.is_empty() {
            self.transform_values(s)
        } else {
            self.transform_plain_select(s)
        }
    }

    fn transform_plain_select(&mut self, s: &ast::SelectStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Select);
        if let Some(w) = &s.with_clause {
            q.recursive = w.recursive;
            self.transform_with(w)?;
        }
        if let Some(into) = &s.into_clause {
            return Err(err!(SYNTAX_ERROR, "SELECT ... INTO is not allowed here").at(into.rel.location));
        }
        if !s.locking_clause.is_empty() {
            self.cur().locking = s.locking_clause.clone();
        }
        if !s.window_clause.is_empty() {
            self.cur().window_defs = s.window_clause.clone();
        }
        self.transform_from(&s.from_clause)?;
        let mut targets = self.transform_target_list(&s.target_list, ExprKind::SelectTarget)?;
        self.mark_origins(&mut targets);
        let quals = match &s.where_clause {
            Some(w) => Some(self.transform_boolean(w, ExprKind::Where, "WHERE")?),
            None => None,
        };
        q.having = match &s.having_clause {
            Some(h) => Some(self.transform_boolean(h, ExprKind::Having, "HAVING")?),
            None => None,
        };
        q.sort = self.transform_sort(&s.sort_clause, &mut targets, ExprKind::OrderBy, false)?;
        if !s.group_clause.is_empty() {
            let (group, sets) = self.transform_group(
                &s.group_clause,
                &mut targets,
                &q.sort.clone(),
                ExprKind::GroupBy,
                false,
            )?;
            q.group = group;
            q.grouping_sets = sets;
            q.group_distinct = s.group_distinct;
        }
        match &s.distinct_clause {
            None => {}
            Some(on) if on.is_empty() => {
                q.distinct = self.transform_distinct(&mut targets, &q.sort.clone(), false)?;
            }
            Some(on) => {
                q.distinct = self.transform_distinct_on(on, &mut targets, &q.sort.clone())?;
                q.distinct_on = true;
                q.has_distinct_on = true;
            }
        }
        self.finish_limit(&mut q, s)?;
        let defs = std::mem::take(&mut self.cur().window_defs);
        if !defs.is_empty() {
            q.windows = self.transform_windows(&defs, &mut targets)?;
        }
        if self.cur().resolve_unknowns {
            self.resolve_unknowns(&mut targets)?;
        }
        q.targets = targets;
        let from = std::mem::take(&mut self.cur().joinlist);
        q.jointree = JoinTree { from, quals };
        self.finish_query(&mut q);
        for l in &s.locking_clause {
            self.transform_locking(&mut q, l, false)?;
        }
        self.assign_query_collations(&mut q)?;
        self.check_aggregates(&mut q)?;
        Ok(q)
    }

    pub(crate) fn finish_limit(&mut self, q: &mut Query, s: &ast::SelectStmt) -> PgResult<()> {
        q.offset = self.transform_limit(s.limit_offset.as_ref(), ExprKind::Offset, s.limit_option)?;
        q.limit = self.transform_limit(s.limit_count.as_ref(), ExprKind::Limit, s.limit_option)?;
        q.with_ties = s.limit_option == ast::LimitOption::WithTies;
        Ok(())
    }

    /// Moves what the level has gathered into the query.
    pub fn finish_query(&mut self, q: &mut Query) {
        let level = self.cur();
        q.rtable = std::mem::take(&mut level.rtable);
        q.ctes = std::mem::take(&mut level.ctes).into_iter().map(|c| c.cte).collect();
        q.has_aggs = level.has_aggs;
        q.has_windows = level.has_windows;
        q.has_target_srfs = level.has_target_srfs;
        q.has_sublinks = level.has_sublinks;
        q.has_modifying_cte = level.has_modifying_cte;
    }
}
