//! INSERT, UPDATE, DELETE: the target relation, and RETURNING.

mod conflict;
mod insert;
mod merge;
mod update;

use std::sync::Arc;

use crate::prelude::*;
use crate::rtable::{alias_of, lock};

impl Analyzer<'_, '_> {
    /// Any statement that makes rows: in WITH, and at the top.
    pub fn transform_statement_query(&mut self, s: &ast::Statement) -> PgResult<Query> {
        match s {
            ast::Statement::SelectStmt(s) => self.transform_select(s),
            ast::Statement::InsertStmt(s) => self.transform_insert(s),
            ast::Statement::UpdateStmt(s) => self.transform_update(s),
            ast::Statement::DeleteStmt(s) => self.transform_delete(s),
            ast::Statement::MergeStmt(s) => self.transform_merge(s),
            _ => Err(PgError::unsupported("statement is not supported here")),
        }
    }

    /// PostgreSQL's `setTargetTable`: opens the target and adds it to the range table.
    pub(crate) fn set_target(
        &mut self,
        rv: &ast::RangeVar,
        inh: bool,
        also_source: bool,
        perms: u32,
    ) -> PgResult<u32> {
        if rv.schemaname.is_none() && self.env.ephemeral(&rv.relname).is_some() {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "relation \"{}\" cannot be the target of a modifying statement",
                rv.relname
            );
        }
        let rel = self.open_relation(rv, lock::ROW_EXCLUSIVE)?;
        self.cur().target_rel = Some(rel.clone());
        let item =
            self.add_relation(rel, rv.alias.as_ref().map(alias_of), inh, false, lock::ROW_EXCLUSIVE)?;
        let rte = item.rte;
        self.rte_mut(rte, 0).perms.required = perms;
        self.cur().target_ns = Some(item.clone());
        if also_source {
            self.cur().joinlist.push(FromItem::Rte(rte));
            self.add_namespace(item);
        }
        Ok(rte)
    }

    fn transform_delete(&mut self, s: &ast::DeleteStmt) -> PgResult<Query> {
        let mut q = Query::new(CommandType::Delete);
        if let Some(w) = &s.with_clause {
            q.recursive = w.recursive;
            self.transform_with(w)?;
        }
        q.result_relation = self.set_target(&s.relation, s.relation.inh, true, crate::ACL_DELETE)?;
        self.hide_target(true);
        self.transform_from(&s.using_clause)?;
        self.hide_target(false);
        let quals = match &s.where_clause {
            Some(w) => Some(self.transform_boolean(w, ExprKind::Where, "WHERE")?),
            None => None,
        };
        self.transform_returning(&mut q, s.returning_clause.as_ref(), ExprKind::Returning)?;
        q.jointree = JoinTree { from: std::mem::take(&mut self.cur().joinlist), quals };
        self.finish_query(&mut q);
        self.assign_query_collations(&mut q)?;
        self.check_aggregates(&mut q)?;
        Ok(q)
    }

    /// FROM and USING items may not refer to the target.
    pub(super) fn hide_target(&mut self, hide: bool) {
        let Some(rte) = self.cur().target_ns.as_ref().map(|t| t.rte) else { return };
        for i in self.cur().namespace.iter_mut().filter(|i| i.rte == rte) {
            i.lateral_only = hide;
            i.lateral_ok = !hide;
        }
    }

    /// PostgreSQL's `transformReturningClause`.
    pub(crate) fn transform_returning(
        &mut self,
        q: &mut Query,
        clause: Option<&ast::ReturningClause>,
        kind: ExprKind,
    ) -> PgResult<()> {
        let Some(c) = clause else { return Ok(()) };
        let saved_len = self.cur().namespace.len();
        for o in &c.options {
            let (slot, word) = match o.option {
                ast::ReturningOptionKind::Old => (&mut q.returning_old_alias, "OLD"),
                ast::ReturningOptionKind::New => (&mut q.returning_new_alias, "NEW"),
            };
            if slot.is_some() {
                return Err(err!(SYNTAX_ERROR, "{word} cannot be specified multiple times").at(o.location));
            }
            *slot = Some(o.value.clone());
            let returning = if word == "OLD" { VarReturning::Old } else { VarReturning::New };
            if self.item_by_name(None, &o.value, -1)?.is_some_and(|(_, up)| up == 0) {
                return Err(err!(DUPLICATE_ALIAS, "table name \"{}\" specified more than once", o.value)
                    .at(o.location));
            }
            self.add_returning_item(&o.value, returning);
        }
        for (slot, name, returning) in [
            (&mut q.returning_old_alias, "old", VarReturning::Old),
            (&mut q.returning_new_alias, "new", VarReturning::New),
        ] {
            if slot.is_none() && self.item_by_name(None, name, -1)?.is_none() {
                *slot = Some(name.to_string());
                self.add_returning_item(name, returning);
            }
        }
        let saved = std::mem::replace(&mut self.cur().next_resno, 1);
        let mut list = self.transform_target_list(&c.exprs, kind)?;
        if list.is_empty() {
            let at = c.exprs.first().and_then(|t| t.val.as_ref()).map_or(-1, crate::target::raw_location);
            return Err(err!(SYNTAX_ERROR, "RETURNING must have at least one column").at(at));
        }
        self.mark_origins(&mut list);
        if self.cur().resolve_unknowns {
            self.resolve_unknowns(&mut list)?;
        }
        self.cur().next_resno = saved;
        self.cur().namespace.truncate(saved_len);
        q.returning = list;
        Ok(())
    }

    /// OLD and NEW: the target once more, under another name, reachable only qualified.
    fn add_returning_item(&mut self, name: &str, returning: VarReturning) {
        let Some(t) = self.cur().target_ns.clone() else { return };
        let names = Alias { name: name.to_string(), columns: t.names.columns.clone() };
        let item = NsItem {
            names: Arc::new(names),
            rel_visible: true,
            cols_visible: false,
            lateral_only: false,
            lateral_ok: true,
            returning,
            ..t
        };
        self.add_namespace(item);
    }
}
