//! Filling a new index from the table's rows (CREATE INDEX, ADD PRIMARY KEY, REINDEX).

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_txn::ReadView;
use pglite_txn::am::{Columns, Direction, RowId, RowMeta, Wait};
use pglite_types::{BATCH_ROWS, Batch, Oid};

use super::index;
use super::rel::RelProgram;
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
    let columns: Columns = (0..program.width() as u16).collect();
    let view = ReadView::newest_with_own(env.txn);
    let mut scan = open.am.scan(env.txn, &view, &open.table, &columns, Direction::Forward)?;
    let mut run = RunState::bare(Arc::from(Vec::new()));
    let mut cx = ExecCx::new(env, &mut run);
    let (mut batch, mut meta) = (Batch::new(program.width()), RowMeta::default());
    loop {
        batch.reset(program.width());
        meta.row_ids.clear();
        meta.positions.clear();
        meta.versions.clear();
        let more = scan.next_batch(env.txn, &mut batch, &mut meta, BATCH_ROWS)?;
        for (i, id) in meta.row_ids.iter().enumerate() {
            let Some(values) = index::values(&mut cx, target, batch.row(i))? else { continue };
            let key = &values[..target.desc.nkeys.min(values.len())];
            if target.desc.unique
                && handle
                    .am
                    .find_conflict(env.txn, &handle.index, key, Some(RowId(*id)), Wait::Block)?
                    .is_some()
            {
                let text = index::key_text(&cx, &program, target, key)?;
                return Err(err!(UNIQUE_VIOLATION, "could not create unique index \"{}\"", target.desc.name)
                    .detail(format!("{text} is duplicated."))
                    .table(super::check::schema_name(&cx, rel.namespace), rel.name.as_str())
                    .constraint(target.desc.name.as_str()));
            }
            handle.am.insert(env.txn, &handle.index, &values, RowId(*id))?;
        }
        cx.check_interrupts()?;
        if !more {
            return Ok(());
        }
    }
}
