//! WITH queries: inlined where nothing is lost, otherwise planned as init plans that CTE scans read.

use std::mem;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::SubLinkKind;
use pglite_ir::plan::InitPlan;
use pglite_ir::query::*;

use crate::exprs::query_is_volatile;
use crate::types::*;
use crate::walker::*;

pub(super) fn process(g: &mut Glob<'_>, root: &mut Root) -> PgResult<()> {
    for i in 0..root.query.ctes.len() {
        let command = root.query.ctes[i].query.command;
        let name = root.query.ctes[i].name.clone();
        if root.query.ctes[i].refcount == 0 && command == CommandType::Select {
            g.levels[root.level].ctes.push(CteSlot { name, plan: None, param: 0 });
            continue;
        }
        if may_inline(g, &root.query.ctes[i]) {
            let query = mem::replace(&mut *root.query.ctes[i].query, Query::new(CommandType::Select));
            inline(&mut root.query, &name, &query, 0);
            g.levels[root.level].ctes.push(CteSlot { name, plan: None, param: 0 });
            continue;
        }
        let query = mem::replace(&mut *root.query.ctes[i].query, Query::new(CommandType::Select));
        let recursive = root.query.ctes[i].recursive;
        let saved = mem::take(&mut g.levels[root.level].plan_params);
        let mut sub = super::plan_query(g, query, root.level + 1, recursive, 0.0, None)?;
        let params = mem::replace(&mut g.levels[root.level].plan_params, saved);
        if !params.is_empty() {
            return Err(PgError::internal("unexpected outer reference in CTE query"));
        }
        let plan = crate::create::finish_query(g, &mut sub, 0.0)?;
        let plan_no = g.subplans.len();
        let param = g.new_param();
        g.subplans.push(SubplanSlot { plan: Some(plan), root: Some(Box::new(sub)) });
        root.init_plans.push(InitPlan {
            plan: plan_no as u32,
            set_params: vec![param],
            kind: SubLinkKind::Cte,
            name: format!("CTE {name}"),
            cte_param: Some(param),
        });
        g.levels[root.level].ctes.push(CteSlot { name, plan: Some(plan_no), param });
    }
    Ok(())
}

fn may_inline(g: &Glob<'_>, cte: &CommonTableExpr) -> bool {
    let q = &cte.query;
    cte.materialized != Some(true)
        && (cte.materialized == Some(false) || cte.refcount == 1)
        && !cte.recursive
        && q.command == CommandType::Select
        && q.utility.is_none()
        && !q.has_modifying_cte
        && (q.row_marks.is_empty() && !q.has_for_update)
        && !query_is_volatile(&g.cat, q)
        && (cte.refcount <= 1 || !has_outer_cte_self_ref(q))
}

/// A query that reads a recursive CTE's working table must not be read more than once.
fn has_outer_cte_self_ref(q: &Query) -> bool {
    q.rtable.iter().any(|r| match &r.kind {
        RteKind::Cte { self_reference, .. } => *self_reference,
        RteKind::Subquery { query, .. } => has_outer_cte_self_ref(query),
        _ => false,
    })
}

/// Replaces references to the CTE (`depth` levels below its WITH) by subqueries.
fn inline(q: &mut Query, name: &str, cte: &Query, depth: u32) {
    for rte in &mut q.rtable {
        match &mut rte.kind {
            RteKind::Cte { name: n, levels_up, .. } if n == name && *levels_up == depth => {
                let mut copy = cte.clone();
                shift_query_levels(&mut copy, depth as i32, 1);
                rte.kind = RteKind::Subquery { query: Box::new(copy), security_barrier: false, view: None };
            }
            RteKind::Subquery { query, .. } => inline(query, name, cte, depth + 1),
            _ => {}
        }
    }
    for c in &mut q.ctes {
        inline(&mut c.query, name, cte, depth + 1);
    }
    own_exprs_mut(q, &mut |e| {
        rewrite(e, depth, &mut |e: &mut pglite_ir::Expr, d: u32| {
            if let pglite_ir::Expr::SubLink(s) = e {
                inline(&mut s.query, name, cte, d + 1);
                if let Some(t) = &mut s.test {
                    inline_in_expr(t, name, cte, d);
                }
                return false;
            }
            true
        });
    });
}

fn inline_in_expr(e: &mut pglite_ir::Expr, name: &str, cte: &Query, depth: u32) {
    rewrite(e, depth, &mut |e: &mut pglite_ir::Expr, d: u32| {
        if let pglite_ir::Expr::SubLink(s) = e {
            inline(&mut s.query, name, cte, d + 1);
            return false;
        }
        true
    });
}
