//! Index maintenance and unique checks.

use pglite_error::{PgError, PgResult, err};
use pglite_txn::am::{RowId, Wait};
use pglite_types::Datum;

use super::check::{schema_name, value_text};
use super::rel::{IndexProgram, KeySource, RelProgram};
use crate::compare::fast_eq;
use crate::env::{DeferredCheck, DeferredKind, OpenIndex, OpenRel};
use crate::expr::Rows;
use crate::facts::quote_ident;
use crate::state::ExecCx;

/// The index's values for a row; None when the partial index leaves the row out.
pub fn values(cx: &mut ExecCx<'_>, index: &IndexProgram, row: &[Datum]) -> PgResult<Option<Vec<Datum>>> {
    let mut out = Vec::with_capacity(index.sources.len());
    Ok(values_into(cx, index, row, &mut out)?.then_some(out))
}

/// [`values`] into a buffer; false when the partial index leaves the row out.
pub fn values_into(
    cx: &mut ExecCx<'_>,
    index: &IndexProgram,
    row: &[Datum],
    out: &mut Vec<Datum>,
) -> PgResult<bool> {
    let rows = Rows::outer(row);
    if let Some(p) = &index.predicate
        && p.test(&rows, cx)? != Some(true)
    {
        return Ok(false);
    }
    out.clear();
    for s in &index.sources {
        out.push(match s {
            KeySource::Column(i) => row[*i].clone(),
            KeySource::Expr(code) => code.eval(&rows, cx)?,
        });
    }
    Ok(true)
}

pub fn open_of<'o>(open: &'o OpenRel, index: &IndexProgram) -> PgResult<&'o OpenIndex> {
    open.indexes
        .iter()
        .find(|i| i.oid == index.desc.oid)
        .ok_or_else(|| PgError::internal(format!("index \"{}\" is not open", index.desc.name)))
}

/// Enters a new row into every index, checking uniqueness first.
pub fn insert_all(
    cx: &mut ExecCx<'_>,
    rel: &RelProgram,
    open: &OpenRel,
    row: &[Datum],
    id: u64,
) -> PgResult<()> {
    for index in &rel.indexes {
        if let Some(values) = values(cx, index, row)? {
            let handle = open_of(open, index)?.clone();
            insert_one(cx, rel, index, &handle, &values, id)?;
        }
    }
    Ok(())
}

fn insert_one(
    cx: &mut ExecCx<'_>,
    rel: &RelProgram,
    index: &IndexProgram,
    open: &OpenIndex,
    values: &[Datum],
    id: u64,
) -> PgResult<()> {
    let key = &values[..index.desc.nkeys.min(values.len())];
    if index.desc.unique {
        let conflict = open.am.find_conflict(cx.env.txn, &open.index, key, Some(RowId(id)), Wait::Block)?;
        if conflict.is_some() {
            if index.desc.immediate {
                return Err(duplicate(cx, rel, index, key));
            }
            cx.run.modify.unique.push(UniqueRecheck {
                rel: rel.rel.clone(),
                index: index.desc.oid,
                key: key.to_vec(),
            });
        }
    }
    open.am.insert(cx.env.txn, &open.index, values, RowId(id))
}

/// The indexes of a table opened for many rows, with buffers kept from row to row.
pub struct Entries<'o> {
    open: Vec<&'o OpenIndex>,
    values: Vec<Datum>,
}

impl<'o> Entries<'o> {
    pub fn new(rel: &RelProgram, open: &'o OpenRel) -> PgResult<Entries<'o>> {
        let open = rel.indexes.iter().map(|i| open_of(open, i)).collect::<PgResult<_>>()?;
        Ok(Entries { open, values: Vec::new() })
    }

    /// [`insert_all`] without its allocations.
    pub fn insert(&mut self, cx: &mut ExecCx<'_>, rel: &RelProgram, row: &[Datum], id: u64) -> PgResult<()> {
        for (index, open) in rel.indexes.iter().zip(&self.open) {
            if values_into(cx, index, row, &mut self.values)? {
                insert_one(cx, rel, index, open, &self.values, id)?;
            }
        }
        Ok(())
    }
}

/// Moves index entries of an updated row; indexes whose values did not change are left alone.
pub fn update_all(
    cx: &mut ExecCx<'_>,
    rel: &RelProgram,
    open: &OpenRel,
    old: &[Datum],
    new: &[Datum],
    id: u64,
) -> PgResult<()> {
    for index in &rel.indexes {
        let plain_unchanged = index.predicate.is_none()
            && index.sources.iter().all(|s| matches!(s, KeySource::Column(i) if same(&old[*i], &new[*i])));
        if plain_unchanged {
            continue;
        }
        let before = values(cx, index, old)?;
        let after = values(cx, index, new)?;
        if let (Some(a), Some(b)) = (&before, &after)
            && a.iter().zip(b).all(|(x, y)| same(x, y))
        {
            continue;
        }
        let handle = open_of(open, index)?.clone();
        if let Some(values) = &before {
            handle.am.delete(cx.env.txn, &handle.index, values, RowId(id))?;
        }
        if let Some(values) = &after {
            insert_one(cx, rel, index, &handle, values, id)?;
        }
    }
    Ok(())
}

pub fn delete_all(
    cx: &mut ExecCx<'_>,
    rel: &RelProgram,
    open: &OpenRel,
    old: &[Datum],
    id: u64,
) -> PgResult<()> {
    for index in &rel.indexes {
        if let Some(values) = values(cx, index, old)? {
            let handle = open_of(open, index)?.clone();
            handle.am.delete(cx.env.txn, &handle.index, &values, RowId(id))?;
        }
    }
    Ok(())
}

/// The very same stored value (equal numerics of different scale are not).
pub fn same(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Null, _) | (_, Datum::Null) => false,
        (Datum::Int4(_) | Datum::Int8(_) | Datum::Int2(_) | Datum::Text(_) | Datum::Bool(_), _) => {
            fast_eq(a, b)
        }
        (Datum::Date(_) | Datum::Timestamp(_) | Datum::Oid(_) | Datum::Uuid(_) | Datum::Bytea(_), _) => {
            fast_eq(a, b)
        }
        _ => {
            let (mut x, mut y) = (Vec::new(), Vec::new());
            pglite_types::storage::encode(a, &mut x).is_ok()
                && pglite_types::storage::encode(b, &mut y).is_ok()
                && x == y
        }
    }
}

/// `Key (a, b)=(1, 2)`.
pub fn key_text(cx: &ExecCx<'_>, rel: &RelProgram, index: &IndexProgram, key: &[Datum]) -> PgResult<String> {
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    for (k, v) in index.desc.key_columns().iter().zip(key) {
        names.push(match (rel.rel.attr(k.attnum), &k.expr) {
            (Some(col), _) => quote_ident(&col.name),
            (None, Some(text)) => text.to_string(),
            (None, None) => String::from("?"),
        });
        texts.push(if v.is_null() { "null".to_string() } else { value_text(cx, k.type_oid, v)? });
    }
    Ok(format!("Key ({})=({})", names.join(", "), texts.join(", ")))
}

pub fn duplicate(cx: &ExecCx<'_>, rel: &RelProgram, index: &IndexProgram, key: &[Datum]) -> PgError {
    let e = err!(UNIQUE_VIOLATION, "duplicate key value violates unique constraint \"{}\"", index.desc.name)
        .table(schema_name(cx, rel.rel.namespace), rel.rel.name.to_string())
        .constraint(index.desc.name.to_string());
    match key_text(cx, rel, index, key) {
        Ok(text) => e.detail(format!("{text} already exists.")),
        Err(_) => e,
    }
}

/// A deferrable unique key that had a rival when it was written.
pub struct UniqueRecheck {
    pub rel: std::sync::Arc<pglite_catalog::RelDesc>,
    pub index: pglite_types::Oid,
    pub key: Vec<Datum>,
}

/// Checks (or defers) the keys that had rivals.
pub fn recheck_unique(cx: &mut ExecCx<'_>) -> PgResult<()> {
    for u in std::mem::take(&mut cx.run.modify.unique) {
        let catalog = cx.env.host.catalog().clone();
        let constraint = catalog.constraints_of_index(u.index).find(|c| matches!(c.contype, b'u' | b'p'));
        let oid = constraint.map_or(u.index, |c| c.oid);
        let deferred = constraint.is_some_and(|c| c.condeferred);
        let check = DeferredCheck {
            constraint: oid,
            rel: u.rel.clone(),
            kind: DeferredKind::Unique,
            old: None,
            new: Some(u.key.clone()),
        };
        if !cx.env.hooks.is_immediate(oid, deferred) {
            cx.env.hooks.defer(check)?;
        } else {
            check_unique_now(cx, &u.rel, u.index, &u.key)?;
        }
    }
    Ok(())
}

/// Raises when more than one live row has the key.
pub fn check_unique_now(
    cx: &mut ExecCx<'_>,
    rel: &std::sync::Arc<pglite_catalog::RelDesc>,
    index: pglite_types::Oid,
    key: &[Datum],
) -> PgResult<()> {
    let program = RelProgram::compile(cx.env, rel)?;
    let open = cx.env.hooks.open_relation(rel)?;
    let Some(ip) = program.indexes.iter().find(|i| i.desc.oid == index) else { return Ok(()) };
    let handle = open_of(&open, ip)?;
    let Some(first) = handle.am.find_conflict(cx.env.txn, &handle.index, key, None, Wait::Block)? else {
        return Ok(());
    };
    if handle.am.find_conflict(cx.env.txn, &handle.index, key, Some(first), Wait::Block)?.is_some() {
        return Err(duplicate(cx, &program, ip, key));
    }
    Ok(())
}
