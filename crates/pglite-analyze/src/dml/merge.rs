//! MERGE.

use super::insert::overriding;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn transform_merge(&mut self, s: &ast::MergeStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Merge);
        if let Some(w) = &s.with_clause {
            if w.recursive {
                bail!(SYNTAX_ERROR, "WITH RECURSIVE is not supported for MERGE statement");
            }
            self.transform_with(w)?;
        }
        check_reachable(s)?;
        let mut perms = 0;
        for w in &s.merge_when_clauses {
            perms |= match w.command_type {
                ast::CmdType::Insert => crate::ACL_INSERT,
                ast::CmdType::Update => crate::ACL_UPDATE,
                ast::CmdType::Delete => crate::ACL_DELETE,
                _ => 0,
            };
        }
        q.result_relation = self.set_target(&s.relation, s.relation.inh, false, perms)?;
        let target = self.cur().target_ns.clone();
        let Some(target) = target else { return Err(PgError::internal("no target relation")) };
        if let Some(rel) = &self.cur_ref().target_rel
            && !matches!(rel.kind, b'r' | b'p' | b'v')
        {
            let what = match rel.kind {
                b'm' => "materialized views",
                b'f' => "foreign tables",
                b'S' => "sequences",
                _ => "this kind of relation",
            };
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot execute MERGE on relation \"{}\"", rel.name)
                .detail(format!("This operation is not supported for {what}.")));
        }
        self.transform_from(std::slice::from_ref(&s.source_relation))?;
        let source = self.cur().namespace.clone();
        if source.iter().any(|i| i.rel_visible && i.names.name == target.names.name) {
            return Err(err!(DUPLICATE_ALIAS, "name \"{}\" specified more than once", target.names.name)
                .detail("The name is used both as MERGE target table and data source."));
        }
        let source_rte = match self.cur().joinlist.first() {
            Some(FromItem::Rte(i)) => *i,
            Some(FromItem::Join(j)) => j.rte,
            _ => 0,
        };
        self.cur().joinlist.insert(0, FromItem::Rte(target.rte));
        self.cur().namespace.insert(0, target.clone());
        let mut join = self.transform_boolean(&s.join_condition, ExprKind::JoinOn, "JOIN/ON")?;
        self.assign_expr_collations(&mut join)?;
        let mut actions = Vec::with_capacity(s.merge_when_clauses.len());
        for w in &s.merge_when_clauses {
            actions.push(self.merge_action(w, &target, &source)?);
        }
        self.cur().namespace = std::iter::once(target).chain(source).collect();
        self.transform_returning(&mut q, s.returning_clause.as_ref(), ExprKind::MergeReturning)?;
        q.merge = Some(Box::new(MergeInfo { actions, join_condition: Some(join), source_rte }));
        // Why: the planner joins source and target on the condition; here they only stand side by side.
        q.jointree = JoinTree { from: std::mem::take(&mut self.cur().joinlist), quals: None };
        self.finish_query(&mut q);
        self.assign_query_collations(&mut q)?;
        Ok(q)
    }

    fn merge_action(
        &mut self,
        w: &ast::MergeWhenClause,
        target: &NsItem,
        source: &[NsItem],
    ) -> PgResult<MergeAction> {
        let kind = match w.match_kind {
            ast::MergeMatchKind::Matched => MergeMatch::Matched,
            ast::MergeMatchKind::NotMatchedBySource => MergeMatch::NotMatchedBySource,
            ast::MergeMatchKind::NotMatchedByTarget => MergeMatch::NotMatchedByTarget,
        };
        let mut visible: Vec<NsItem> = Vec::new();
        if kind != MergeMatch::NotMatchedByTarget {
            visible.push(target.clone());
        }
        if kind != MergeMatch::NotMatchedBySource {
            visible.extend(source.iter().cloned());
        }
        self.cur().namespace = visible;
        let qual = match &w.condition {
            Some(c) => Some(self.transform_boolean(c, ExprKind::MergeWhen, "WHEN")?),
            None => None,
        };
        let mut action = MergeAction {
            kind,
            command: CommandType::Utility,
            override_kind: overriding(w.override_),
            qual,
            targets: Vec::new(),
        };
        match w.command_type {
            ast::CmdType::Insert => {
                action.command = CommandType::Insert;
                self.cur().is_insert = true;
                let columns = self.insert_columns(&w.target_list)?;
                let list = self.transform_expr_list(&w.values, ExprKind::ValuesSingle, true)?;
                let row = self.insert_row(list, !w.target_list.is_empty(), &columns)?;
                self.cur().is_insert = false;
                for (e, (c, attno)) in row.into_iter().zip(&columns) {
                    action.targets.push(TargetEntry::new(e, *attno, c.name.clone()));
                    let perms = &mut self.rte_mut(target.rte, 0).perms;
                    if !perms.inserted.contains(attno) {
                        perms.inserted.push(*attno);
                    }
                }
            }
            ast::CmdType::Update => {
                action.command = CommandType::Update;
                action.targets = self.transform_update_targets(&w.target_list, target.rte)?;
            }
            ast::CmdType::Delete => action.command = CommandType::Delete,
            _ => {}
        }
        Ok(action)
    }
}

/// An unconditional WHEN hides those of its kind after it.
fn check_reachable(s: &ast::MergeStmt) -> PgResult<()> {
    let mut done: Vec<ast::MergeMatchKind> = Vec::new();
    for w in &s.merge_when_clauses {
        if done.contains(&w.match_kind) {
            bail!(SYNTAX_ERROR, "unreachable WHEN clause specified after unconditional WHEN clause");
        }
        if w.condition.is_none() {
            done.push(w.match_kind);
        }
    }
    Ok(())
}
