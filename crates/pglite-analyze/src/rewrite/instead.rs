//! Views with INSTEAD OF triggers: the view stays the target, and its own query yields the rows to change.

use std::sync::Arc;

use pglite_catalog::RelDesc;

use super::view::option_is_true;
use crate::prelude::*;

/// pg_trigger.tgtype bits.
const INSTEAD: i16 = 64;

impl Analyzer<'_, '_> {
    /// Whether a row trigger stands in for the command on the view.
    pub(super) fn has_instead_trigger(&self, view: &RelDesc, command: CommandType) -> bool {
        let bit = match command {
            CommandType::Insert => 4,
            CommandType::Delete => 8,
            CommandType::Update => 16,
            _ => return false,
        };
        view.has_triggers
            && self
                .cat
                .snap
                .triggers_of(view.oid)
                .any(|t| t.tgtype & INSTEAD != 0 && t.tgtype & bit != 0 && t.tgenabled != b'D')
    }

    /// UPDATE and DELETE read the view as a subquery; each row goes to the trigger whole.
    pub(super) fn read_target_view(&mut self, q: &mut Query, view: &Arc<RelDesc>) -> PgResult<()> {
        let target = q.result_relation;
        let query = self.view_query(view)?;
        let mut rte = q.rtable[target as usize - 1].clone();
        rte.kind = RteKind::Subquery {
            query: Box::new(query),
            security_barrier: option_is_true(view, "security_barrier"),
            view: Some(view.clone()),
        };
        rte.inherit = false;
        rte.perms = PermInfo::default();
        q.rtable.push(rte);
        let source = q.rtable.len() as u32;
        super::updatable::replace_from(&mut q.jointree, target, source);
        let retarget = |e: &mut Expr| {
            let _ = pglite_ir::tree::mutate_expr::<()>(e, 0, &mut |e, depth| {
                if let Expr::Var(v) = e
                    && v.rte == target
                    && v.levels_up == depth
                {
                    v.rte = source;
                    v.syn_rte = source;
                }
                Ok(())
            });
        };
        // RETURNING reads what the trigger left; everything else the view's row.
        q.targets.iter_mut().for_each(|t| retarget(&mut t.expr));
        q.jointree.quals.iter_mut().for_each(retarget);
        let whole = Expr::Var(Var {
            rte: source,
            attno: 0,
            levels_up: 0,
            ty: view.row_type,
            typmod: -1,
            collation: Oid::INVALID,
            returning: VarReturning::Default,
            syn_rte: source,
            syn_attno: 0,
            location: -1,
        });
        let resno = q.targets.len() as i16 + 1;
        let mut t = TargetEntry::new(whole, resno, Some(format!("rowid{target}")));
        t.junk = true;
        q.targets.push(t);
        Ok(())
    }
}
