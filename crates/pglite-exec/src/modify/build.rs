//! Filling a new index from the table's rows (CREATE INDEX, ADD PRIMARY KEY, REINDEX).

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_txn::ReadView;
use pglite_txn::am::{Columns, Direction, RowMeta};
use pglite_types::{BATCH_ROWS, Batch, Oid};

use super::index;
use super::rel::{IndexProgram, KeySource, RelProgram};
use crate::env::ExecEnv;
use crate::state::{ExecCx, RunState};

/// Enters every live row into the index; 23505 when a unique index finds two rows with one key.
pub fn build_index(env: &ExecEnv<'_>, rel: &Arc<RelDesc>, oid: Oid) -> PgResult<()> {
    let program = RelProgram::compile(env, rel)?;
    let open = env.hooks.open_relation(rel)?;
    let Some(target) = program.indexes.iter().find(|i| i.desc.oid == oid) else {
        return Err(PgError::internal(format!("index {oid} is not one of table \"{}\"", rel.name)));
    };
    let handle = index::open_of(&open, target)?.clone();
    let plain = plain_columns(target);
    let columns: Columns = plain.clone().unwrap_or_else(|| (0..program.width() as u16).collect());
    let view = ReadView::newest_with_own(env.txn);
    let mut scan = open.am.scan(env.txn, &view, &open.table, &columns, Direction::Forward)?;
    let mut run = RunState::bare(Arc::from(Vec::new()));
    let mut cx = ExecCx::new(env, &mut run);
    let (mut rows, mut meta, mut values) = (Batch::default(), RowMeta::default(), Vec::new());
    let mut next = |out: &mut Batch, ids: &mut Vec<u64>| -> PgResult<bool> {
        cx.check_interrupts()?;
        clear(&mut meta);
        ids.clear();
        out.reset(target.sources.len());
        if plain.is_some() {
            // The scan's columns are the index's.
            let more = scan.next_batch(env.txn, out, &mut meta, BATCH_ROWS)?;
            ids.extend_from_slice(&meta.row_ids);
            return Ok(more);
        }
        rows.reset(columns.len());
        let more = scan.next_batch(env.txn, &mut rows, &mut meta, BATCH_ROWS)?;
        for (row, id) in rows.rows().zip(&meta.row_ids) {
            if index::values_into(&mut cx, target, row, &mut values)? {
                out.push_row(values.drain(..));
                ids.push(*id);
            }
        }
        Ok(more)
    };
    let duplicate = handle.am.build(env.txn, &handle.index, &mut next)?;
    let Some(values) = duplicate else { return Ok(()) };
    let key = &values[..target.desc.nkeys.min(values.len())];
    let text = index::key_text(&ExecCx::new(env, &mut run), &program, target, key)?;
    Err(err!(UNIQUE_VIOLATION, "could not create unique index \"{}\"", target.desc.name)
        .detail(format!("{text} is duplicated."))
        .table(super::check::schema_name(&ExecCx::new(env, &mut run), rel.namespace), rel.name.as_str())
        .constraint(target.desc.name.as_str()))
}

/// The columns of an index that has nothing but columns, all rows entered.
fn plain_columns(index: &IndexProgram) -> Option<Columns> {
    let column = |s: &KeySource| match s {
        KeySource::Column(i) => Some(*i as u16),
        KeySource::Expr(_) => None,
    };
    if index.predicate.is_some() {
        return None;
    }
    index.sources.iter().map(column).collect()
}

fn clear(meta: &mut RowMeta) {
    meta.row_ids.clear();
    meta.positions.clear();
    meta.versions.clear();
}
