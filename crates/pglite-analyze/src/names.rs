//! The namespace: which column or table a name means, at which query level, and what is wrong when it means nothing.

mod hints;

use std::sync::Arc;

use crate::prelude::*;

/// System columns by name.
pub(crate) fn system_column(name: &str) -> Option<(i16, Oid)> {
    Some(match name {
        "ctid" => (sysattr::CTID, oid::TID),
        "xmin" => (sysattr::XMIN, oid::XID),
        "cmin" => (sysattr::CMIN, oid::CID),
        "xmax" => (sysattr::XMAX, oid::XID),
        "cmax" => (sysattr::CMAX, oid::CID),
        "tableoid" => (sysattr::TABLEOID, oid::OID),
        _ => return None,
    })
}

impl Analyzer<'_, '_> {
    /// An unqualified column name: searches outward from the current level.
    pub fn column_by_name(&mut self, name: &str, location: i32) -> PgResult<Option<Expr>> {
        for up in 0..self.levels.len() as u32 {
            let mut found: Option<Expr> = None;
            let count = self.level(up).namespace.len();
            for i in 0..count {
                let item = &self.level(up).namespace[i];
                if !item.cols_visible || (item.lateral_only && !self.level(up).lateral_active) {
                    continue;
                }
                if !has_column(item, name) && !self.may_have_system_column(item, name, up) {
                    continue;
                }
                let item = item.clone();
                if let Some(e) = self.scan_item(&item, up, name, location)? {
                    if found.is_some() {
                        return Err(
                            err!(AMBIGUOUS_COLUMN, "column reference \"{name}\" is ambiguous").at(location)
                        );
                    }
                    self.check_lateral_ok(&item, up, location)?;
                    found = Some(e);
                }
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Column `name` of one namespace item as a Var; marks it as read.
    pub fn scan_item(&mut self, item: &NsItem, up: u32, name: &str, location: i32) -> PgResult<Option<Expr>> {
        let mut hits = item.names.columns.iter().enumerate().filter(|(_, c)| c.as_str() == name);
        if let Some((at, _)) = hits.next() {
            if hits.next().is_some() {
                return Err(err!(AMBIGUOUS_COLUMN, "column reference \"{name}\" is ambiguous").at(location));
            }
            let Some(col) = item.columns.get(at).filter(|c| c.attno != 0) else { return Ok(None) };
            let col = col.clone();
            return Ok(Some(self.column_var(item, &col, up, location)));
        }
        let Some((attno, ty)) = system_column(name) else { return Ok(None) };
        if !self.may_have_system_column(item, name, up) {
            return Ok(None);
        }
        let kind = self.cur().kind;
        let bad = match kind {
            ExprKind::CheckConstraint if attno != sysattr::TABLEOID => {
                Some(format!("system column \"{name}\" reference in check constraint is invalid"))
            }
            ExprKind::GeneratedColumn if attno != sysattr::TABLEOID => {
                Some(format!("cannot use system column \"{name}\" in column generation expression"))
            }
            ExprKind::MergeWhen if attno != sysattr::TABLEOID => {
                Some(format!("cannot use system column \"{name}\" in MERGE WHEN condition"))
            }
            _ => None,
        };
        if let Some(msg) = bad {
            return Err(err!(INVALID_COLUMN_REFERENCE, "{msg}").at(location));
        }
        let col = NsColumn {
            rte: item.rte,
            attno,
            ty,
            typmod: -1,
            collation: Oid::INVALID,
            syn_rte: item.rte,
            syn_attno: attno,
            dont_expand: true,
        };
        Ok(Some(self.column_var(item, &col, up, location)))
    }

    /// Relations (not views or foreign data of other kinds) have system columns.
    fn may_have_system_column(&self, item: &NsItem, name: &str, up: u32) -> bool {
        system_column(name).is_some()
            && matches!(
                &self.rte(item.rte, up).kind,
                RteKind::Relation { rel, .. } if !matches!(rel.kind, b'v' | b'c')
            )
    }

    /// The Var of a namespace column. Marks the column as selected, for the privilege check.
    pub fn column_var(&mut self, item: &NsItem, col: &NsColumn, up: u32, location: i32) -> Expr {
        self.mark_selected(col.rte, up, col.attno);
        Expr::Var(Var {
            rte: col.rte,
            attno: col.attno,
            levels_up: up,
            ty: col.ty,
            typmod: col.typmod,
            collation: col.collation,
            returning: item.returning,
            syn_rte: col.syn_rte,
            syn_attno: col.syn_attno,
            location,
        })
    }

    /// Notes that a column is read (0 = the whole row).
    pub fn mark_selected(&mut self, rte: u32, up: u32, attno: i16) {
        let entry = self.rte_mut(rte, up);
        if let RteKind::Relation { .. } = entry.kind {
            entry.perms.required |= crate::ACL_SELECT;
            if !entry.perms.selected.contains(&attno) {
                entry.perms.selected.push(attno);
            }
            return;
        }
        if let RteKind::Join { vars, .. } = &entry.kind {
            let targets: Vec<(u32, i16)> = if attno == 0 {
                vars.iter().filter_map(var_ref).collect()
            } else {
                vars.get(attno as usize - 1).and_then(var_ref).into_iter().collect()
            };
            for (r, a) in targets {
                if r != rte {
                    self.mark_selected(r, up, a);
                }
            }
        }
    }

    /// PostgreSQL's `refnameNamespaceItem`: a table name or alias, at its level.
    pub fn item_by_name(
        &mut self,
        schema: Option<&str>,
        name: &str,
        location: i32,
    ) -> PgResult<Option<(NsItem, u32)>> {
        let mut rel_oid = None;
        if let Some(s) = schema {
            let nsp = if s == "pg_temp" { self.cat.temp_namespace() } else { self.cat.namespace_oid(s) };
            match nsp.and_then(|n| self.cat.relation_in(n, name)) {
                Some(o) => rel_oid = Some(o),
                None => return Ok(None),
            }
        }
        for up in 0..self.levels.len() as u32 {
            let level = self.level(up);
            let mut found: Option<&NsItem> = None;
            for item in &level.namespace {
                if !item.rel_visible || (item.lateral_only && !level.lateral_active) {
                    continue;
                }
                let hit = match rel_oid {
                    Some(o) => {
                        let rte = &level.rtable[item.rte as usize - 1];
                        rte.alias.is_none()
                            && matches!(&rte.kind, RteKind::Relation { rel, .. } if rel.oid == o)
                    }
                    None => item.names.name == name,
                };
                if hit {
                    if found.is_some() {
                        return Err(
                            err!(AMBIGUOUS_ALIAS, "table reference \"{name}\" is ambiguous").at(location)
                        );
                    }
                    found = Some(item);
                }
            }
            if let Some(item) = found {
                let item = item.clone();
                self.check_lateral_ok(&item, up, location)?;
                return Ok(Some((item, up)));
            }
        }
        Ok(None)
    }

    fn check_lateral_ok(&self, item: &NsItem, up: u32, location: i32) -> PgResult<()> {
        if !item.lateral_only || item.lateral_ok {
            return Ok(());
        }
        let name = &item.names.name;
        let e = err!(INVALID_COLUMN_REFERENCE, "invalid reference to FROM-clause entry for table \"{name}\"");
        let is_target = self.level(up).target_ns.as_ref().is_some_and(|t| t.rte == item.rte);
        let e = if is_target {
            e.hint(format!(
                "There is an entry for table \"{name}\", but it cannot be referenced from this part of the query."
            ))
        } else {
            e.detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
        };
        Err(e.at(location))
    }

    /// The whole row of a namespace item.
    pub fn whole_row(&mut self, item: &NsItem, up: u32, location: i32) -> PgResult<Expr> {
        if let RteKind::Join { .. } = self.rte(item.rte, up).kind {
            let cols = item.columns.clone();
            let args = cols
                .iter()
                .filter(|c| c.attno != 0)
                .map(|c| self.column_var(item, c, up, location))
                .collect();
            return Ok(Expr::Row {
                args,
                ty: oid::RECORD,
                names: item.names.columns.clone(),
                form: CoercionForm::ImplicitCast,
                location,
            });
        }
        let ty = self.whole_row_type(item, up);
        let mut attno = 0;
        if ty.1 {
            attno = 1;
        }
        let entry = NsColumn {
            rte: item.rte,
            attno,
            ty: ty.0,
            typmod: -1,
            collation: if attno == 1 {
                item.columns.first().map_or(Oid::INVALID, |c| c.collation)
            } else {
                Oid::INVALID
            },
            syn_rte: item.rte,
            syn_attno: attno,
            dont_expand: false,
        };
        Ok(self.column_var(item, &entry, up, location))
    }

    /// The row type, and whether the "row" is really the single scalar column of a function.
    fn whole_row_type(&self, item: &NsItem, up: u32) -> (Oid, bool) {
        match &self.rte(item.rte, up).kind {
            RteKind::Relation { rel, .. } | RteKind::Tuplestore { rel, .. } => (rel.row_type, false),
            RteKind::Subquery { view: Some(rel), .. } => (rel.row_type, false),
            RteKind::Function { functions, ordinality } => match functions.as_slice() {
                [f] if !*ordinality && !f.coldeflist => {
                    let ty = f.expr.ty();
                    if self.cat.type_or_domain_relid(ty).is_valid() {
                        (ty, false)
                    } else if ty == oid::RECORD || f.columns.len() != 1 {
                        (oid::RECORD, false)
                    } else {
                        (ty, true)
                    }
                }
                _ => (oid::RECORD, false),
            },
            _ => (oid::RECORD, false),
        }
    }

    /// The Vars of all columns of an item, with their names (`*`).
    pub fn expand_item(&mut self, item: &NsItem, up: u32, location: i32) -> Vec<(String, Expr)> {
        let (columns, names) = (item.columns.clone(), item.names.clone());
        if let RteKind::Relation { .. } = self.rte(item.rte, up).kind {
            self.rte_mut(item.rte, up).perms.required |= crate::ACL_SELECT;
        }
        columns
            .iter()
            .zip(&names.columns)
            .filter(|(c, _)| c.attno != 0 && !c.dont_expand)
            .map(|(c, n)| (n.clone(), self.column_var(item, c, up, location)))
            .collect()
    }

    /// Makes a new item of the namespace visible.
    pub fn add_namespace(&mut self, item: NsItem) {
        self.cur().namespace.push(item);
    }
}

fn var_ref(e: &Expr) -> Option<(u32, i16)> {
    match e {
        Expr::Var(v) => Some((v.rte, v.attno)),
        _ => None,
    }
}

fn has_column(item: &NsItem, name: &str) -> bool {
    item.names.columns.iter().any(|c| c == name)
}

impl NsItem {
    /// An item over a range table entry whose columns are its own.
    pub fn plain(rte: u32, names: Alias, types: &[ColType]) -> NsItem {
        let columns = types
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let attno = i as i16 + 1;
                NsColumn {
                    rte,
                    attno: if t.ty.is_valid() { attno } else { 0 },
                    ty: t.ty,
                    typmod: t.typmod,
                    collation: t.collation,
                    syn_rte: rte,
                    syn_attno: attno,
                    dont_expand: false,
                }
            })
            .collect();
        NsItem {
            rte,
            names: Arc::new(names),
            columns: Arc::new(columns),
            rel_visible: true,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
            returning: VarReturning::Default,
        }
    }
}
