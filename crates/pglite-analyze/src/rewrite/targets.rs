//! Target lists of INSERT and UPDATE: defaults, identity and generated columns (PostgreSQL's `rewriteTargetListIU`).

use std::sync::Arc;

use pglite_catalog::{ColumnDesc, RelDesc};

use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(super) fn rewrite_target_lists(&mut self, q: &mut Query, rel: &Arc<RelDesc>) -> PgResult<()> {
        match q.command {
            CommandType::Insert => {
                let values = values_source(q);
                let list = std::mem::take(&mut q.targets);
                let list = self.insert_list(list, rel, q.override_kind, values.map(|v| (&mut *q, v)))?;
                q.targets = list;
                if let Some(mut oc) = q.on_conflict.take() {
                    if !oc.arbiter_elems.is_empty() {
                        self.choose_arbiters(rel, &mut oc)?;
                    }
                    if oc.update {
                        oc.set = self.update_list(std::mem::take(&mut oc.set), rel)?;
                    }
                    q.on_conflict = Some(oc);
                }
                Ok(())
            }
            CommandType::Update => {
                q.targets = self.update_list(std::mem::take(&mut q.targets), rel)?;
                Ok(())
            }
            CommandType::Merge => {
                let Some(mut m) = q.merge.take() else { return Ok(()) };
                for a in &mut m.actions {
                    let list = std::mem::take(&mut a.targets);
                    a.targets = match a.command {
                        CommandType::Insert => self.insert_list(list, rel, a.override_kind, None)?,
                        CommandType::Update => self.update_list(list, rel)?,
                        _ => list,
                    };
                }
                q.merge = Some(m);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Defaults of a view's own columns, for those that an INSERT leaves out or asks the default of.
    pub(super) fn view_defaults(&mut self, q: &mut Query, view: &Arc<RelDesc>) -> PgResult<()> {
        if q.command != CommandType::Insert || !view.columns.iter().any(|c| c.has_default) {
            return Ok(());
        }
        for col in view.live_columns().filter(|c| c.has_default) {
            let Some(default) = self.column_default(view, col.attnum)? else { continue };
            match q.targets.iter_mut().find(|t| !t.junk && t.resno == col.attnum) {
                Some(t) if matches!(t.expr, Expr::SetToDefault { .. }) => t.expr = default,
                Some(TargetEntry { expr: Expr::Var(v), .. }) => {
                    let (rte, attno) = (v.rte, v.attno);
                    if values_source(q) == Some(rte) {
                        self.fill_values_defaults(q, rte, attno, col, view)?;
                    }
                }
                Some(_) => {}
                None => {
                    let t = TargetEntry::new(default, col.attnum, Some(col.name.to_string()));
                    q.targets.push(t);
                }
            }
        }
        Ok(())
    }

    /// One entry per column, dropped ones included.
    fn insert_list(
        &mut self,
        list: Vec<TargetEntry>,
        rel: &Arc<RelDesc>,
        overriding: Overriding,
        mut values: Option<(&mut Query, u32)>,
    ) -> PgResult<Vec<TargetEntry>> {
        let mut by_column: Vec<Option<TargetEntry>> = rel.columns.iter().map(|_| None).collect();
        let mut junk = Vec::new();
        for t in list {
            if t.junk {
                junk.push(t);
                continue;
            }
            let at = t.resno as usize - 1;
            by_column[at] = Some(merge_stores(by_column[at].take(), t)?);
        }
        let mut out = Vec::with_capacity(by_column.len());
        for (col, given) in rel.columns.iter().zip(by_column) {
            if col.dropped {
                out.push(TargetEntry::new(Expr::null(oid::INT4), col.attnum, None));
                continue;
            }
            let entry = self.insert_column(col, given, rel, overriding, &mut values)?;
            out.push(entry);
        }
        out.extend(junk);
        Ok(out)
    }

    fn insert_column(
        &mut self,
        col: &ColumnDesc,
        given: Option<TargetEntry>,
        rel: &Arc<RelDesc>,
        overriding: Overriding,
        values: &mut Option<(&mut Query, u32)>,
    ) -> PgResult<TargetEntry> {
        let name = Some(col.name.to_string());
        let mut apply_default = given.as_ref().is_none_or(|t| matches!(t.expr, Expr::SetToDefault { .. }));
        let column_of_values = match (&given, values.as_ref()) {
            (Some(TargetEntry { expr: Expr::Var(v), .. }), Some((_, rte))) if v.rte == *rte => Some(v.attno),
            _ => None,
        };
        let all_default = match (column_of_values, values.as_ref()) {
            (Some(a), Some((q, rte))) => {
                values_column(q, *rte, a).all(|e| matches!(e, Expr::SetToDefault { .. }))
            }
            _ => false,
        };
        if col.identity == b'a' && !apply_default {
            if overriding == Overriding::User {
                apply_default = true;
            } else if overriding != Overriding::System && !all_default {
                return Err(err!(
                    GENERATED_ALWAYS,
                    "cannot insert a non-DEFAULT value into column \"{}\"",
                    col.name
                )
                .detail(format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", col.name))
                .hint("Use OVERRIDING SYSTEM VALUE to override."));
            } else if all_default {
                apply_default = true;
            }
        }
        if col.identity == b'd' && overriding == Overriding::User {
            apply_default = true;
        }
        if col.generated != 0 && !apply_default {
            if !all_default {
                return Err(err!(
                    GENERATED_ALWAYS,
                    "cannot insert a non-DEFAULT value into column \"{}\"",
                    col.name
                )
                .detail(format!("Column \"{}\" is a generated column.", col.name)));
            }
            apply_default = true;
        }
        if apply_default {
            let e = if col.generated != 0 { None } else { self.column_default(rel, col.attnum)? };
            let e = match e {
                Some(e) => e,
                None => self.null_column(col)?,
            };
            return Ok(TargetEntry::new(e, col.attnum, name));
        }
        if let (Some(attno), Some((q, rte))) = (column_of_values, values.as_mut()) {
            self.fill_values_defaults(q, *rte, attno, col, rel)?;
        }
        match given {
            Some(t) => Ok(t),
            None => Ok(TargetEntry::new(self.null_column(col)?, col.attnum, name)),
        }
    }

    /// DEFAULT items in one column of a VALUES list.
    fn fill_values_defaults(
        &mut self,
        q: &mut Query,
        rte: u32,
        attno: i16,
        col: &ColumnDesc,
        rel: &Arc<RelDesc>,
    ) -> PgResult<()> {
        if !values_column(q, rte, attno).any(|e| matches!(e, Expr::SetToDefault { .. })) {
            return Ok(());
        }
        let default = match self.column_default(rel, col.attnum)? {
            Some(e) => e,
            None => self.null_column(col)?,
        };
        if let RteKind::Values { rows, .. } = &mut q.rtable[rte as usize - 1].kind {
            for row in rows {
                let cell = &mut row[attno as usize - 1];
                if matches!(cell, Expr::SetToDefault { .. }) {
                    *cell = default.clone();
                }
            }
        }
        Ok(())
    }

    /// NULL of a column's type; a domain's constraints see it.
    fn null_column(&mut self, col: &ColumnDesc) -> PgResult<Expr> {
        let (base, base_mod) = self.cat.base_type_mod(col.type_oid, col.typmod);
        let null = Expr::Const(Const {
            ty: base,
            typmod: base_mod,
            collation: col.collation,
            value: Datum::Null,
            location: -1,
        });
        if col.generated != 0 {
            return Ok(null);
        }
        self.coerce_to_domain(null, base, base_mod, col.type_oid, crate::coerce::How::ASSIGNMENT, false)
    }

    /// Assigned columns only, in column order, each once.
    fn update_list(&mut self, list: Vec<TargetEntry>, rel: &Arc<RelDesc>) -> PgResult<Vec<TargetEntry>> {
        let mut by_column: Vec<Option<TargetEntry>> = rel.columns.iter().map(|_| None).collect();
        let mut junk = Vec::new();
        for t in list {
            if t.junk {
                junk.push(t);
                continue;
            }
            let at = t.resno as usize - 1;
            by_column[at] = Some(merge_stores(by_column[at].take(), t)?);
        }
        let mut out = Vec::new();
        for (col, given) in rel.columns.iter().zip(by_column) {
            let Some(mut t) = given else { continue };
            let is_default = matches!(t.expr, Expr::SetToDefault { .. });
            let reason = if col.identity == b'a' && !is_default {
                Some(format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", col.name))
            } else if col.generated != 0 && !is_default {
                Some(format!("Column \"{}\" is a generated column.", col.name))
            } else {
                None
            };
            if let Some(detail) = reason {
                return Err(err!(GENERATED_ALWAYS, "column \"{}\" can only be updated to DEFAULT", col.name)
                    .detail(detail));
            }
            if is_default {
                if col.generated != 0 {
                    continue;
                }
                t.expr = match self.column_default(rel, col.attnum)? {
                    Some(e) => e,
                    None => self.null_column(col)?,
                };
            }
            out.push(t);
        }
        out.extend(junk);
        Ok(out)
    }
}

/// The VALUES entry that feeds an INSERT.
fn values_source(q: &Query) -> Option<u32> {
    match q.jointree.from.as_slice() {
        [FromItem::Rte(i)] if matches!(q.rtable[*i as usize - 1].kind, RteKind::Values { .. }) => Some(*i),
        _ => None,
    }
}

fn values_column(q: &Query, rte: u32, attno: i16) -> impl Iterator<Item = &Expr> {
    let rows = match &q.rtable[rte as usize - 1].kind {
        RteKind::Values { rows, .. } => rows.as_slice(),
        _ => &[],
    };
    rows.iter().filter_map(move |r| r.get(attno as usize - 1))
}

/// Two assignments to one column: stores into different parts are nested, anything else is an error.
fn merge_stores(prior: Option<TargetEntry>, t: TargetEntry) -> PgResult<TargetEntry> {
    let Some(prior) = prior else { return Ok(t) };
    let name = t.name.clone().unwrap_or_default();
    let fail = || err!(SYNTAX_ERROR, "multiple assignments to same column \"{name}\"");
    let mut out = t;
    let mut inner = Some(prior.expr);
    nest(&mut out.expr, &mut inner);
    if inner.is_some() { Err(fail()) } else { Ok(out) }
}

/// Puts the prior store at the place where the new one reads the old value.
fn nest(e: &mut Expr, prior: &mut Option<Expr>) {
    match e {
        Expr::CoerceToDomain { arg, .. } => {
            if let Some(Expr::CoerceToDomain { arg: p, .. }) = prior {
                let inner = std::mem::replace(&mut **p, crate::expr::null_unknown());
                *prior = Some(inner);
            }
            nest(arg, prior);
        }
        Expr::FieldStore { arg, fields, .. } => match prior.take() {
            Some(Expr::FieldStore { arg: pa, fields: pf, .. }) => {
                **arg = *pa;
                let own = std::mem::take(fields);
                *fields = pf;
                fields.extend(own);
            }
            other => *prior = other,
        },
        Expr::Subscript(s) if s.assign.is_some() => {
            if matches!(prior, Some(Expr::Subscript(p)) if p.assign.is_some())
                && let Some(p) = prior.take()
            {
                s.container = p;
            }
        }
        _ => {}
    }
}
