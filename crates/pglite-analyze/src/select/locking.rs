//! FOR UPDATE/SHARE.

use crate::prelude::*;

pub(crate) fn strength_name(s: ast::LockClauseStrength) -> &'static str {
    match s {
        ast::LockClauseStrength::ForKeyShare => "FOR KEY SHARE",
        ast::LockClauseStrength::ForShare => "FOR SHARE",
        ast::LockClauseStrength::ForNoKeyUpdate => "FOR NO KEY UPDATE",
        ast::LockClauseStrength::ForUpdate => "FOR UPDATE",
    }
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `transformLockingClause`.
    pub(crate) fn transform_locking(
        &mut self,
        q: &mut Query,
        l: &ast::LockingClause,
        pushed_down: bool,
    ) -> PgResult<()> {
        let name = strength_name(l.strength);
        check_lockable(q, name)?;
        let strength = match l.strength {
            ast::LockClauseStrength::ForKeyShare => LockStrength::KeyShare,
            ast::LockClauseStrength::ForShare => LockStrength::Share,
            ast::LockClauseStrength::ForNoKeyUpdate => LockStrength::NoKeyUpdate,
            ast::LockClauseStrength::ForUpdate => LockStrength::Update,
        };
        let wait = match l.wait_policy {
            ast::LockWaitPolicy::Block => WaitPolicy::Block,
            ast::LockWaitPolicy::Skip => WaitPolicy::Skip,
            ast::LockWaitPolicy::Error => WaitPolicy::Error,
        };
        let all = ast::LockingClause { locked_rels: Vec::new(), ..l.clone() };
        if l.locked_rels.is_empty() {
            for i in 0..q.rtable.len() {
                if q.rtable[i].in_from {
                    self.lock_rte(q, i, strength, wait, pushed_down, &all, None)?;
                }
            }
            return Ok(());
        }
        for rv in &l.locked_rels {
            if rv.schemaname.is_some() || rv.catalogname.is_some() {
                return Err(
                    err!(SYNTAX_ERROR, "{name} must specify unqualified relation names").at(rv.location)
                );
            }
            let found = q.rtable.iter().position(|r| {
                r.in_from
                    && r.eref.name == rv.relname
                    && !(matches!(r.kind, RteKind::Join { .. } | RteKind::Subquery { .. })
                        && r.alias.is_none())
            });
            let Some(i) = found else {
                return Err(err!(
                    UNDEFINED_TABLE,
                    "relation \"{}\" in {name} clause not found in FROM clause",
                    rv.relname
                )
                .at(rv.location));
            };
            self.lock_rte(q, i, strength, wait, pushed_down, &all, Some(rv.location))?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn lock_rte(
        &mut self,
        q: &mut Query,
        i: usize,
        strength: LockStrength,
        wait: WaitPolicy,
        pushed_down: bool,
        all: &ast::LockingClause,
        named: Option<i32>,
    ) -> PgResult<()> {
        let name = strength_name(all.strength);
        let bad = |what: &str| match named {
            Some(at) => Err(err!(FEATURE_NOT_SUPPORTED, "{name} cannot be applied to {what}").at(at)),
            None => Ok(()),
        };
        match &mut q.rtable[i].kind {
            RteKind::Relation { .. } => {
                q.rtable[i].perms.required |= crate::ACL_UPDATE;
                apply_mark(q, i as u32 + 1, strength, wait, pushed_down);
                Ok(())
            }
            RteKind::Subquery { query, .. } => {
                let mut sub = std::mem::replace(&mut **query, Query::new(CommandType::Select));
                let result = self.transform_locking(&mut sub, all, true);
                if let RteKind::Subquery { query, .. } = &mut q.rtable[i].kind {
                    **query = sub;
                }
                result?;
                apply_mark(q, i as u32 + 1, strength, wait, pushed_down);
                Ok(())
            }
            RteKind::Join { .. } => bad("a join"),
            RteKind::Function { .. } => bad("a function"),
            RteKind::TableFunc(_) => bad("a table function"),
            RteKind::Values { .. } => bad("VALUES"),
            RteKind::Cte { .. } => bad("a WITH query"),
            RteKind::Tuplestore { .. } => bad("a named tuplestore"),
            RteKind::Result | RteKind::Group { .. } => Ok(()),
        }
    }
}

fn apply_mark(q: &mut Query, rte: u32, strength: LockStrength, wait: WaitPolicy, pushed_down: bool) {
    if !pushed_down {
        q.has_for_update = true;
    }
    if let Some(m) = q.row_marks.iter_mut().find(|m| m.rte == rte) {
        m.strength = m.strength.max(strength);
        if wait as u8 > m.wait as u8 {
            m.wait = wait;
        }
        m.pushed_down &= pushed_down;
        return;
    }
    q.row_marks.push(RowMark { rte, strength, wait, pushed_down });
}

/// PostgreSQL's `CheckSelectLocking`.
fn check_lockable(q: &Query, name: &str) -> PgResult<()> {
    let what = if q.set_ops.is_some() {
        "UNION/INTERSECT/EXCEPT"
    } else if !q.distinct.is_empty() {
        "DISTINCT clause"
    } else if !q.group.is_empty() || !q.grouping_sets.is_empty() {
        "GROUP BY clause"
    } else if q.having.is_some() {
        "HAVING clause"
    } else if q.has_aggs {
        "aggregate functions"
    } else if q.has_windows {
        "window functions"
    } else if q.has_target_srfs {
        "set-returning functions in the target list"
    } else {
        return Ok(());
    };
    bail!(FEATURE_NOT_SUPPORTED, "{name} is not allowed with {what}")
}
