//! The rewriter: defaults and generated columns, views, updates through views, row security.
//!
//! It stands between analysis and planning: what it returns has no view in any range table, and INSERT target lists
//! with one entry per column of the target.

mod instead;
mod security;
mod targets;
mod updatable;
mod view;

use crate::prelude::*;
use pglite_ir::tree::visit_query;

/// Adds to the levels of everything in the expression that refers to its own or an outer level.
pub(crate) fn raise_levels(e: &mut Expr, delta: i32) {
    shift_expr(e, 0, delta);
}

/// Adds to the levels of everything in the query that refers outside of it.
pub(crate) fn raise_query_levels(q: &mut Query, delta: i32) {
    shift_query(q, 1, delta);
}

/// Shifts what refers at least `min` levels up.
fn shift_expr(e: &mut Expr, min: u32, delta: i32) {
    let _ = pglite_ir::walk::each_child_mut::<()>(e, &mut |c| {
        shift_expr(c, min, delta);
        Ok(())
    });
    let slot = match e {
        Expr::Var(v) => &mut v.levels_up,
        Expr::Aggref(a) => &mut a.levels_up,
        Expr::Grouping { levels_up, .. } => levels_up,
        Expr::SubLink(s) => return shift_query(&mut s.query, min + 1, delta),
        _ => return,
    };
    if *slot >= min {
        *slot = slot.saturating_add_signed(delta);
    }
}

fn shift_query(q: &mut Query, min: u32, delta: i32) {
    for rte in &mut q.rtable {
        if let RteKind::Cte { levels_up, .. } = &mut rte.kind
            && *levels_up >= min
        {
            *levels_up = levels_up.saturating_add_signed(delta);
        }
    }
    let _ = pglite_ir::tree::each_query_expr_mut::<()>(q, &mut |e| {
        shift_expr(e, min, delta);
        Ok(())
    });
    let _ = pglite_ir::tree::each_subquery_mut::<()>(q, &mut |s| {
        shift_query(s, min + 1, delta);
        Ok(())
    });
}

/// Whether the query refers to the level `n` above it.
pub(crate) fn refers_to_level(q: &Query, n: u32) -> bool {
    let mut found = false;
    visit_query(q, 0, &mut |e, depth| {
        found |= matches!(e, Expr::Var(v) if v.levels_up == depth + n);
        !found
    });
    found
}

impl Analyzer<'_, '_> {
    /// Rewrites one analyzed statement.
    pub fn rewrite(&mut self, mut q: Query) -> PgResult<Vec<Query>> {
        if q.command == CommandType::Utility {
            return Ok(vec![q]);
        }
        self.rewrite_ctes(&mut q)?;
        if q.command != CommandType::Select {
            self.rewrite_target(&mut q, 0)?;
        }
        self.expand_views(&mut q, &mut Vec::new())?;
        self.apply_row_security(&mut q, &mut Vec::new())?;
        Ok(vec![q])
    }

    /// Data-modifying WITH items have targets of their own.
    fn rewrite_ctes(&mut self, q: &mut Query) -> PgResult<()> {
        for c in &mut q.ctes {
            if c.query.command != CommandType::Select {
                self.rewrite_ctes(&mut c.query)?;
                self.rewrite_target(&mut c.query, 0)?;
            }
        }
        Ok(())
    }

    /// The target of INSERT, UPDATE, DELETE, MERGE: rules, updatable views, target lists.
    fn rewrite_target(&mut self, q: &mut Query, depth: u32) -> PgResult<()> {
        if depth > 50 {
            bail!(INVALID_OBJECT_DEFINITION, "infinite recursion detected in rules");
        }
        let rte = &q.rtable[q.result_relation as usize - 1];
        let RteKind::Relation { rel, .. } = &rte.kind else { return Ok(()) };
        let rel = rel.clone();
        if rel.has_rules {
            self.check_rules(q, &rel)?;
        }
        if rel.kind == b'v' {
            if self.has_instead_trigger(&rel, q.command) {
                self.rewrite_target_lists(q, &rel)?;
                if q.command != CommandType::Insert {
                    self.read_target_view(q, &rel)?;
                }
                return Ok(());
            }
            self.view_defaults(q, &rel)?;
            self.rewrite_target_view(q, &rel)?;
            return self.rewrite_target(q, depth + 1);
        }
        self.rewrite_target_lists(q, &rel)
    }

    /// Rules on INSERT, UPDATE and DELETE.
    fn check_rules(&self, q: &Query, rel: &pglite_catalog::RelDesc) -> PgResult<()> {
        let event = match q.command {
            CommandType::Update => b'2',
            CommandType::Insert => b'3',
            CommandType::Delete => b'4',
            _ => return Ok(()),
        };
        if self.cat.snap.rules_of(rel.oid).any(|r| r.ev_type == event && r.ev_enabled != b'D') {
            return Err(PgError::unsupported("rules on INSERT, UPDATE and DELETE are not supported yet"));
        }
        Ok(())
    }
}
