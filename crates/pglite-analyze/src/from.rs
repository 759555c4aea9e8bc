//! The FROM clause: items, joins, lateral visibility.

mod function;
mod join;
mod sample;

pub(crate) use join::raw_var;

use crate::prelude::*;
use crate::rtable::{alias_of, lock};

/// What one FROM item becomes.
pub(crate) struct FromResult {
    pub item: FromItem,
    /// Its own namespace item (for a join: the join's).
    pub ns: NsItem,
    /// Everything it makes visible.
    pub namespace: Vec<NsItem>,
}

impl FromResult {
    fn single(ns: NsItem) -> FromResult {
        FromResult { item: FromItem::Rte(ns.rte), namespace: vec![ns.clone()], ns }
    }
}

/// Marks items as visible only to LATERAL, or as normal again.
pub(crate) fn set_lateral(items: &mut [NsItem], lateral_only: bool, lateral_ok: bool) {
    for i in items {
        i.lateral_only = lateral_only;
        i.lateral_ok = lateral_ok;
    }
}

impl Analyzer<'_, '_> {
    /// The whole FROM list of the current level.
    pub fn transform_from(&mut self, items: &[ast::FromItem]) -> PgResult<()> {
        for item in items {
            let mut r = self.transform_from_item(item)?;
            self.check_name_conflicts(&self.cur_ref().namespace, &r.namespace)?;
            set_lateral(&mut r.namespace, true, true);
            let level = self.cur();
            level.joinlist.push(r.item);
            level.namespace.append(&mut r.namespace);
        }
        set_lateral(&mut self.cur().namespace, false, true);
        Ok(())
    }

    pub(crate) fn transform_from_item(&mut self, item: &ast::FromItem) -> PgResult<FromResult> {
        self.check_depth()?;
        match item {
            ast::FromItem::RangeVar(rv) => self.transform_range_var(rv).map(FromResult::single),
            ast::FromItem::RangeSubselect(s) => {
                let saved = self.cur().kind;
                self.cur().kind = ExprKind::FromSubselect;
                self.cur().lateral_active = s.lateral;
                let locked = match &s.alias {
                    Some(a) => self.is_locked_name(&a.aliasname),
                    None => self.is_locked_name(""),
                };
                let query = self.sub_analyze_select(&s.subquery, None, locked, true)?;
                self.cur().lateral_active = false;
                self.cur().kind = saved;
                let alias = s.alias.as_ref().map(alias_of);
                self.add_subquery(query, alias, s.lateral).map(FromResult::single)
            }
            ast::FromItem::RangeFunction(f) => self.transform_range_function(f).map(FromResult::single),
            ast::FromItem::RangeTableSample(s) => self.transform_table_sample(s),
            ast::FromItem::RangeTableFunc(t) => self.transform_xml_table(t).map(FromResult::single),
            ast::FromItem::JsonTable(t) => self.transform_json_table(t).map(FromResult::single),
            ast::FromItem::JoinExpr(j) => self.transform_join(j),
        }
    }

    /// A table, view, WITH item or transition table by name.
    fn transform_range_var(&mut self, rv: &ast::RangeVar) -> PgResult<NsItem> {
        if rv.schemaname.is_none() {
            if let Some((at, up)) = self.find_cte(&rv.relname) {
                return self.add_cte_reference(at, up, rv);
            }
            if let Some(rel) = self.env.ephemeral(&rv.relname) {
                return self.add_tuplestore(rv, rel);
            }
        }
        let mode = if self.is_locked_name(rv.alias.as_ref().map_or(&rv.relname, |a| &a.aliasname)) {
            lock::ROW_SHARE
        } else {
            lock::ACCESS_SHARE
        };
        let rel = self.open_relation(rv, mode)?;
        self.add_relation(rel, rv.alias.as_ref().map(alias_of), rv.inh, true, mode)
    }

    fn add_tuplestore(
        &mut self,
        rv: &ast::RangeVar,
        rel: std::sync::Arc<pglite_catalog::RelDesc>,
    ) -> PgResult<NsItem> {
        let alias = rv.alias.as_ref().map(alias_of);
        let item = self.add_relation(rel.clone(), alias, false, true, lock::ACCESS_SHARE)?;
        let rte = self.rte_mut(item.rte, 0);
        rte.kind = RteKind::Tuplestore { name: rv.relname.clone(), rel };
        rte.perms = PermInfo::default();
        if rte.alias.is_none() {
            rte.eref.name = rv.relname.clone();
        }
        let eref = rte.eref.clone();
        Ok(NsItem { names: std::sync::Arc::new(eref), ..item })
    }

    /// A WITH item by name: its place and how many levels above.
    fn find_cte(&self, name: &str) -> Option<(usize, u32)> {
        (0..self.levels.len() as u32)
            .find_map(|up| self.level(up).ctes.iter().rposition(|c| c.cte.name == name).map(|at| (at, up)))
    }

    /// Whether a FOR UPDATE/SHARE clause here or above names this item (empty: any).
    pub fn is_locked_name(&self, name: &str) -> bool {
        let level = self.cur_ref();
        if level.locked_from_parent {
            return true;
        }
        level.locking.iter().any(|l| {
            l.locked_rels.is_empty() || (!name.is_empty() && l.locked_rels.iter().any(|r| r.relname == name))
        })
    }

    /// Two items with one name.
    pub(crate) fn check_name_conflicts(&self, a: &[NsItem], b: &[NsItem]) -> PgResult<()> {
        for x in a.iter().filter(|i| i.rel_visible) {
            for y in b.iter().filter(|i| i.rel_visible && i.names.name == x.names.name) {
                let (rx, ry) = (self.rte(x.rte, 0), self.rte(y.rte, 0));
                if rx.alias.is_none()
                    && ry.alias.is_none()
                    && let (RteKind::Relation { rel: p, .. }, RteKind::Relation { rel: q, .. }) =
                        (&rx.kind, &ry.kind)
                    && p.oid != q.oid
                {
                    continue;
                }
                bail!(DUPLICATE_ALIAS, "table name \"{}\" specified more than once", x.names.name);
            }
        }
        Ok(())
    }
}
