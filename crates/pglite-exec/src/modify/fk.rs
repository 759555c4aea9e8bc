//! Foreign keys. Referencing side: the referenced row is looked up by its unique index and locked FOR KEY SHARE.
//! Referenced side: the actions run as SQL statements, so that they fire triggers and cascade like any other.
//!
//! Checks run at the end of the statement, or at commit when the constraint is deferred.

use std::sync::Arc;

use pglite_catalog::{ConstraintRow, RelDesc};
use pglite_error::{PgError, PgResult, err};
use pglite_txn::ReadView;
use pglite_txn::am::{Direction, RowId, RowLock, RowStatus, Wait};
use pglite_types::{Batch, Datum, Oid};

use super::check::{schema_name, value_text};
use super::index::same;
use crate::env::{DeferredCheck, DeferredKind};
use crate::facts::{qualified, quote_ident};
use crate::node::index_scan::range::{Fit, fit};
use crate::state::ExecCx;

fn columns(list: &Option<pglite_catalog::List<i16>>) -> &[i16] {
    list.as_ref().map(|l| l.as_slice()).unwrap_or_default()
}

fn relation(cx: &ExecCx<'_>, oid: Oid) -> PgResult<Arc<RelDesc>> {
    let rel = cx.env.host.catalog().rel(oid);
    rel.ok_or_else(|| PgError::internal(format!("could not open relation with OID {oid}")))
}

fn key_text(cx: &ExecCx<'_>, rel: &RelDesc, cols: &[i16], values: &[Datum]) -> PgResult<String> {
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    for (col, v) in cols.iter().zip(values) {
        let Some(attr) = rel.attr(*col) else { continue };
        names.push(attr.name.to_string());
        texts.push(if v.is_null() { "null".to_string() } else { value_text(cx, attr.type_oid, v)? });
    }
    Ok(format!("Key ({})=({})", names.join(", "), texts.join(", ")))
}

fn pick(row: &[Datum], cols: &[i16]) -> Vec<Datum> {
    cols.iter().map(|c| row.get(*c as usize - 1).cloned().unwrap_or_default()).collect()
}

/// Checks a row written to the referencing table, now or at commit.
pub fn referencing(
    cx: &mut ExecCx<'_>,
    rel: &Arc<RelDesc>,
    fk: &ConstraintRow,
    old: Option<&[Datum]>,
    new: &[Datum],
) -> PgResult<()> {
    let cols = columns(&fk.conkey);
    if let Some(old) = old
        && cols.iter().all(|c| same(&old[*c as usize - 1], &new[*c as usize - 1]))
    {
        return Ok(());
    }
    if !cx.env.hooks.is_immediate(fk.oid, fk.condeferred) {
        return cx.env.hooks.defer(DeferredCheck {
            constraint: fk.oid,
            rel: rel.clone(),
            kind: DeferredKind::ForeignKeyReferencing,
            old: None,
            new: Some(new.to_vec()),
        });
    }
    check_referencing(cx, rel, fk, new)
}

fn check_referencing(
    cx: &mut ExecCx<'_>,
    rel: &Arc<RelDesc>,
    fk: &ConstraintRow,
    new: &[Datum],
) -> PgResult<()> {
    let cols = columns(&fk.conkey);
    let values = pick(new, cols);
    let nulls = values.iter().filter(|v| v.is_null()).count();
    let violation = |cx: &ExecCx<'_>| {
        err!(
            FOREIGN_KEY_VIOLATION,
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            rel.name,
            fk.conname
        )
        .table(schema_name(cx, rel.namespace), rel.name.to_string())
        .constraint(fk.conname.to_string())
    };
    if nulls > 0 {
        if fk.confmatchtype == b'f' && nulls < values.len() {
            return Err(
                violation(cx).detail("MATCH FULL does not allow mixing of null and nonnull key values.")
            );
        }
        return Ok(());
    }
    let target = relation(cx, fk.confrelid)?;
    if exists_referenced(cx, &target, columns(&fk.confkey), &values)? {
        return Ok(());
    }
    let text = key_text(cx, rel, cols, &values)?;
    Err(violation(cx).detail(format!("{text} is not present in table \"{}\".", target.name)))
}

/// Looks the key up in the referenced table (all leaves of a partitioned one) and locks the row.
fn exists_referenced(
    cx: &mut ExecCx<'_>,
    target: &Arc<RelDesc>,
    key: &[i16],
    values: &[Datum],
) -> PgResult<bool> {
    if target.is_partitioned() {
        for child in &target.children {
            let child = relation(cx, *child)?;
            let mapped: Option<Vec<i16>> = key
                .iter()
                .map(|k| target.attr(*k).and_then(|a| child.column(&a.name)).map(|c| c.attnum))
                .collect();
            let Some(mapped) = mapped else { continue };
            if exists_referenced(cx, &child, &mapped, values)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let index = target.indexes.iter().find(|i| {
        i.unique
            && i.predicate.is_none()
            && i.nkeys == key.len()
            && i.key_columns().iter().all(|k| key.contains(&k.attnum))
    });
    let Some(index) = index else {
        return Err(PgError::internal(format!(
            "there is no unique index for a foreign key to \"{}\"",
            target.name
        )));
    };
    let open = cx.env.hooks.open_relation(target)?;
    let Some(handle) = open.indexes.iter().find(|i| i.oid == index.oid) else {
        return Err(PgError::internal(format!("index \"{}\" is not open", index.name)));
    };
    let mut equal = Vec::new();
    for (i, k) in index.key_columns().iter().enumerate() {
        let at = key.iter().position(|c| *c == k.attnum).unwrap_or(0);
        match fit(handle.index.columns[i].kind, values[at].clone()) {
            Fit::Exact(v) => equal.push(v),
            _ => return Ok(false),
        }
    }
    let range = handle.index.range(&equal, None, None)?;
    loop {
        let view = ReadView::newest_with_own(cx.env.txn);
        let mut scan = handle.am.scan(cx.env.txn, &view, &handle.index, &range, false, Direction::Forward)?;
        let mut ids = Vec::new();
        scan.next_batch(cx.env.txn, &mut Batch::new(0), &mut ids, 1)?;
        let Some(id) = ids.first() else { return Ok(false) };
        match open.am.lock(cx.env.txn, &view, &open.table, RowId(*id), RowLock::KeyShare, Wait::Block)? {
            RowStatus::Ok | RowStatus::SelfModified => return Ok(true),
            // Changed while we waited: look again.
            RowStatus::Updated | RowStatus::Deleted | RowStatus::WouldBlock => cx.check_interrupts()?,
        }
    }
}

/// Acts on a row deleted from, or updated in, the referenced table.
pub fn referenced(
    cx: &mut ExecCx<'_>,
    rel: &Arc<RelDesc>,
    fk: &ConstraintRow,
    old: &[Datum],
    new: Option<&[Datum]>,
) -> PgResult<()> {
    let target = relation(cx, fk.confrelid)?;
    // A partition's columns are matched to the referenced table's by name.
    let key: Vec<i16> = columns(&fk.confkey)
        .iter()
        .filter_map(|k| target.attr(*k).and_then(|a| rel.column(&a.name)).map(|c| c.attnum))
        .collect();
    let values = pick(old, &key);
    if values.iter().any(Datum::is_null) {
        return Ok(());
    }
    if let Some(new) = new
        && key.iter().all(|c| same(&old[*c as usize - 1], &new[*c as usize - 1]))
    {
        return Ok(());
    }
    let action = if new.is_some() { fk.confupdtype } else { fk.confdeltype };
    if action == b'a' && !cx.env.hooks.is_immediate(fk.oid, fk.condeferred) {
        return cx.env.hooks.defer(DeferredCheck {
            constraint: fk.oid,
            rel: rel.clone(),
            kind: DeferredKind::ForeignKeyReferenced,
            old: Some(old.to_vec()),
            new: new.map(<[Datum]>::to_vec),
        });
    }
    let types: Vec<Oid> = key.iter().map(|k| rel.attr(*k).map_or(Oid::INVALID, |a| a.type_oid)).collect();
    let side = Side { fk, rel, key: &key, values: &values, types: &types };
    side.act(cx, action, new)
}

struct Side<'a> {
    fk: &'a ConstraintRow,
    rel: &'a Arc<RelDesc>,
    key: &'a [i16],
    values: &'a [Datum],
    types: &'a [Oid],
}

impl Side<'_> {
    fn params(&self) -> Vec<(Oid, Datum)> {
        self.types.iter().copied().zip(self.values.iter().cloned()).collect()
    }

    /// `WHERE $1 = "a" AND ...` over the referencing columns.
    fn condition(&self, from: &RelDesc) -> String {
        let parts: Vec<String> = columns(&self.fk.conkey)
            .iter()
            .enumerate()
            .map(|(i, c)| {
                let name = from.attr(*c).map_or_else(String::new, |a| quote_ident(&a.name));
                format!("${} OPERATOR(pg_catalog.=) {name}", i + 1)
            })
            .collect();
        parts.join(" AND ")
    }

    fn table(&self, cx: &ExecCx<'_>, from: &RelDesc) -> String {
        let only = if from.is_partitioned() { "" } else { "ONLY " };
        format!("{only}{}", qualified(cx.env.host.catalog(), from))
    }

    fn act(&self, cx: &mut ExecCx<'_>, action: u8, new: Option<&[Datum]>) -> PgResult<()> {
        let from = relation(cx, self.fk.conrelid)?;
        let (table, condition) = (self.table(cx, &from), self.condition(&from));
        match (action, new) {
            (b'c', None) => {
                cx.env.host.run_query(&format!("DELETE FROM {table} WHERE {condition}"), &self.params())?;
                Ok(())
            }
            (b'c', Some(new)) => {
                let mut params = self.params();
                let mut sets = Vec::new();
                for (i, c) in columns(&self.fk.conkey).iter().enumerate() {
                    params.push((self.types[i], new[self.key[i] as usize - 1].clone()));
                    let name = from.attr(*c).map_or_else(String::new, |a| quote_ident(&a.name));
                    sets.push(format!("{name} = ${}", params.len()));
                }
                let sql = format!("UPDATE {table} SET {} WHERE {condition}", sets.join(", "));
                cx.env.host.run_query(&sql, &params)?;
                Ok(())
            }
            (b'n' | b'd', _) => {
                let chosen = match (&self.fk.confdelsetcols, new) {
                    (Some(list), None) if !list.is_empty() => list.as_slice(),
                    _ => columns(&self.fk.conkey),
                };
                let to = if action == b'n' { "NULL" } else { "DEFAULT" };
                let sets: Vec<String> = chosen
                    .iter()
                    .filter_map(|c| from.attr(*c))
                    .map(|a| format!("{} = {to}", quote_ident(&a.name)))
                    .collect();
                let sql = format!("UPDATE {table} SET {} WHERE {condition}", sets.join(", "));
                cx.env.host.run_query(&sql, &self.params())?;
                // The default may still be the old key.
                if action == b'd' { self.no_action(cx, &from, &table, &condition, false) } else { Ok(()) }
            }
            (b'r', _) => self.no_action(cx, &from, &table, &condition, true),
            _ => self.no_action(cx, &from, &table, &condition, false),
        }
    }

    fn no_action(
        &self,
        cx: &mut ExecCx<'_>,
        from: &RelDesc,
        table: &str,
        condition: &str,
        restrict: bool,
    ) -> PgResult<()> {
        if !restrict {
            // Somebody may have put the key back.
            let target = relation(cx, self.fk.confrelid)?;
            if exists_referenced(cx, &target, columns(&self.fk.confkey), self.values)? {
                return Ok(());
            }
        }
        let sql = format!("SELECT 1 FROM {table} x WHERE {condition} LIMIT 1 FOR KEY SHARE OF x");
        if cx.env.host.run_query(&sql, &self.params())?.is_empty() {
            return Ok(());
        }
        let text = key_text(cx, self.rel, self.key, self.values)?;
        let (message, detail, code) = if restrict {
            (
                format!(
                    "update or delete on table \"{}\" violates RESTRICT setting of foreign key constraint \"{}\" on table \"{}\"",
                    self.rel.name, self.fk.conname, from.name
                ),
                format!("{text} is referenced from table \"{}\".", from.name),
                pglite_error::codes::RESTRICT_VIOLATION,
            )
        } else {
            (
                format!(
                    "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                    self.rel.name, self.fk.conname, from.name
                ),
                format!("{text} is still referenced from table \"{}\".", from.name),
                pglite_error::codes::FOREIGN_KEY_VIOLATION,
            )
        };
        Err(PgError::new(code, message)
            .detail(detail)
            .table(schema_name(cx, from.namespace), from.name.to_string())
            .constraint(self.fk.conname.to_string()))
    }
}

/// Runs one deferred foreign key check.
pub fn run_deferred(cx: &mut ExecCx<'_>, check: &DeferredCheck) -> PgResult<()> {
    let Some(fk) = cx.env.host.catalog().constraint_by_oid(check.constraint).cloned() else { return Ok(()) };
    match (check.kind, &check.old, &check.new) {
        (DeferredKind::ForeignKeyReferencing, _, Some(new)) => {
            if still_there(cx, &check.rel, &fk, new)? {
                check_referencing(cx, &check.rel, &fk, new)?;
            }
            Ok(())
        }
        (DeferredKind::ForeignKeyReferenced, Some(old), _) => {
            let target = relation(cx, fk.confrelid)?;
            let key: Vec<i16> = columns(&fk.confkey)
                .iter()
                .filter_map(|k| target.attr(*k).and_then(|a| check.rel.column(&a.name)).map(|c| c.attnum))
                .collect();
            let values = pick(old, &key);
            let types: Vec<Oid> =
                key.iter().map(|k| check.rel.attr(*k).map_or(Oid::INVALID, |a| a.type_oid)).collect();
            Side { fk: &fk, rel: &check.rel, key: &key, values: &values, types: &types }.act(cx, b'a', None)
        }
        _ => Ok(()),
    }
}

/// Whether the referencing table still has a row with this key: a later statement may have removed it.
fn still_there(cx: &mut ExecCx<'_>, rel: &Arc<RelDesc>, fk: &ConstraintRow, row: &[Datum]) -> PgResult<bool> {
    let cols = columns(&fk.conkey);
    let mut params = Vec::new();
    let mut parts = Vec::new();
    for c in cols {
        let Some(attr) = rel.attr(*c) else { continue };
        let v = row.get(*c as usize - 1).cloned().unwrap_or_default();
        if v.is_null() {
            parts.push(format!("{} IS NULL", quote_ident(&attr.name)));
            continue;
        }
        params.push((attr.type_oid, v));
        parts.push(format!("{} OPERATOR(pg_catalog.=) ${}", quote_ident(&attr.name), params.len()));
    }
    let sql = format!(
        "SELECT 1 FROM ONLY {} WHERE {} LIMIT 1",
        qualified(cx.env.host.catalog(), rel),
        parts.join(" AND ")
    );
    Ok(!cx.env.host.run_query(&sql, &params)?.is_empty())
}
