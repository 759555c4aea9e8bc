//! Views in FROM become subqueries.

use std::sync::Arc;

use pglite_catalog::RelDesc;

use crate::ParamTypes;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// Replaces every view of the query and the queries below it; `active` are the views being expanded.
    pub(super) fn expand_views(&mut self, q: &mut Query, active: &mut Vec<Oid>) -> PgResult<()> {
        self.check_depth()?;
        for i in 0..q.rtable.len() {
            let view = match &q.rtable[i].kind {
                RteKind::Relation { rel, .. } if rel.kind == b'v' && i as u32 + 1 != q.result_relation => {
                    rel.clone()
                }
                _ => continue,
            };
            if active.contains(&view.oid) {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "infinite recursion detected in rules for relation \"{}\"",
                    view.name
                );
            }
            let mut query = self.view_query(&view)?;
            active.push(view.oid);
            self.expand_views(&mut query, active)?;
            active.pop();
            let barrier = option_is_true(&view, "security_barrier");
            if let Some(mark) = q.row_marks.iter().find(|m| m.rte == i as u32 + 1).cloned() {
                push_down_mark(&mut query, &mark);
            }
            q.rtable[i].kind =
                RteKind::Subquery { query: Box::new(query), security_barrier: barrier, view: Some(view) };
            q.rtable[i].inherit = false;
        }
        let mut result = Ok(());
        let _ = pglite_ir::tree::each_subquery_mut::<()>(q, &mut |s| {
            // a view's own query is expanded already; doing it again finds nothing
            result = self.expand_views(s, active);
            if result.is_err() { Err(()) } else { Ok(()) }
        });
        result?;
        let mut error = None;
        let _ = pglite_ir::tree::each_query_expr_mut::<()>(q, &mut |e| {
            self.expand_in_expr(e, active).map_err(|x| error = Some(x))
        });
        error.map_or(Ok(()), Err)
    }

    fn expand_in_expr(&mut self, e: &mut Expr, active: &mut Vec<Oid>) -> PgResult<()> {
        if let Expr::SubLink(s) = e {
            self.expand_views(&mut s.query, active)?;
        }
        pglite_ir::walk::each_child_mut(e, &mut |c| self.expand_in_expr(c, active))
    }

    /// The analyzed query of a view, with its tables checked as the view's owner.
    pub(super) fn view_query(&mut self, view: &Arc<RelDesc>) -> PgResult<Query> {
        let Some(text) = &view.view else {
            return Err(PgError::unsupported(format!("view \"{}\" has no stored query", view.name)));
        };
        let stmt = crate::stored::parse_stored(text)?;
        let ast::Statement::SelectStmt(s) = stmt else {
            return Err(PgError::internal("view query is not a SELECT"));
        };
        let mut params = ParamTypes::none();
        let stored = crate::stored::StoredEnv::new(self.env);
        // The definitions of system views are PostgreSQL's own texts; they name what the path always holds.
        let env: &dyn crate::AnalyzeEnv = if view.oid >= Oid::FIRST_NORMAL { &stored } else { self.env };
        let mut sub = Analyzer::new(env, &mut params);
        sub.push();
        let mut q = sub.transform_select(&s).map_err(crate::stored::unplaced)?;
        for (t, c) in q.targets.iter_mut().filter(|t| !t.junk).zip(view.live_columns()) {
            t.name = Some(c.name.to_string());
        }
        if !option_is_true(view, "security_invoker") {
            check_as(&mut q, view.owner);
        }
        Ok(q)
    }
}

/// Sets the role whose privileges count, in the query and everything below.
fn check_as(q: &mut Query, owner: Oid) {
    for rte in &mut q.rtable {
        if matches!(rte.kind, RteKind::Relation { .. }) {
            rte.perms.check_as = owner;
        }
    }
    let _ = pglite_ir::tree::each_subquery_mut::<()>(q, &mut |s| {
        check_as(s, owner);
        Ok(())
    });
    let _ = pglite_ir::tree::each_query_expr_mut::<()>(q, &mut |e| {
        pglite_ir::tree::mutate_expr(e, 0, &mut |e, _| {
            if let Expr::SubLink(s) = e {
                check_as(&mut s.query, owner);
            }
            Ok(())
        })
    });
}

/// FOR UPDATE on a view locks its tables.
fn push_down_mark(q: &mut Query, mark: &RowMark) {
    for i in 0..q.rtable.len() {
        if !q.rtable[i].in_from {
            continue;
        }
        let rte = i as u32 + 1;
        match &mut q.rtable[i].kind {
            RteKind::Relation { .. } => {}
            RteKind::Subquery { query, .. } => push_down_mark(query, mark),
            _ => continue,
        }
        if !q.row_marks.iter().any(|m| m.rte == rte) {
            q.row_marks.push(RowMark { rte, pushed_down: true, ..mark.clone() });
        }
    }
}

/// A boolean storage option of a view.
pub(super) fn option_is_true(view: &RelDesc, name: &str) -> bool {
    view.options.as_ref().is_some_and(|o| {
        o.iter().any(|x| {
            x.split_once('=').is_some_and(|(n, v)| n == name && matches!(v, "true" | "on" | "1" | "yes"))
        })
    })
}
