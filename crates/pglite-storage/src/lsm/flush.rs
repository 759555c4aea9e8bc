//! Memtables become tables of level 0; sorted runs become tables directly.
//!
//! Crash argument: the table is synced, then its name, then the manifest says that it exists and that everything up
//! to its newest version is in tables; only then is the log it replaces released. A crash before the manifest's
//! sync leaves an orphan file, which the next start removes, and the log still has everything.

use super::compact::Collector;
use super::{Lsm, State, check_row};
use crate::engine::SortedRows;
use crate::env::io_error;
use crate::manifest::Edit;
use crate::memtable::{Kind, Memtable};
use crate::rangedel::RangeDels;
use crate::table::{BASE_INGESTED, Table, TableBuilder, TableMeta, Version, blob_name, table_name};
use pglite_error::{PgError, PgResult};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Lsm {
    /// Flushes every immutable memtable, oldest first.
    pub(crate) fn flush_all(&self) -> PgResult<()> {
        while self.flush_one()? {}
        Ok(())
    }

    /// Flushes the oldest immutable memtable; `false` if there is none.
    pub(super) fn flush_one(&self) -> PgResult<bool> {
        let _flushing = self.flushing.lock();
        let Some(memtable) = self.with_state(|state| state.immutable.last().cloned()) else {
            return Ok(false);
        };
        let metas = self.write_memtable(&memtable)?;
        let floor = self.wal.get().map(|wal| wal.floor(memtable.max_ts()));
        let edit = Edit {
            added: metas.into_iter().map(|meta| (0, meta)).collect(),
            flushed: Some(memtable.max_ts()),
            wal_floor: floor,
            ..Edit::default()
        };
        self.install(edit, |state| {
            state.immutable.pop();
        })?;
        if let (Some(wal), Some(floor)) = (self.wal.get(), floor) {
            wal.release(floor)?;
        }
        self.counters.flushes.fetch_add(1, Ordering::Relaxed);
        self.signals.flushed();
        Ok(true)
    }

    fn write_memtable(&self, memtable: &Arc<Memtable>) -> PgResult<Option<TableMeta>> {
        let dels = memtable.range_dels();
        let mut collector = Collector::new(self.horizon(), dels.clone(), false);
        let id = self.take_id();
        // Everything in a memtable is newer than everything flushed before.
        let base_ts = self.manifest.lock().layout().flushed;
        let mut builder = TableBuilder::create(&self.env, &self.dir, id, base_ts, false)?;
        let mut node = memtable.first();
        let mut any = !dels.is_empty();
        let mut last: &[u8] = &[];
        let mut first = true;
        while !node.is_null() {
            let key = node.key();
            let same = !first && key == last;
            let (kind, value) = node.value();
            if collector.keep(key, same, node.ts(), kind) {
                builder.add(Version { key, ts: node.ts(), kind, value })?;
                any = true;
            }
            first = false;
            last = key;
            node = node.next();
        }
        if any {
            return builder.finish(&dels).map(Some);
        }
        // An unfinished table takes its file with it.
        drop(builder);
        Ok(None)
    }

    pub(super) fn take_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes an edit durable, then visible together with `also`.
    pub(super) fn install(&self, mut edit: Edit, also: impl FnOnce(&mut State)) -> PgResult<()> {
        let mut opened = Vec::with_capacity(edit.added.len());
        let current = self.current();
        for (_, meta) in &edit.added {
            let moved = current.version.levels.iter().flatten().find(|table| table.meta.id == meta.id);
            opened.push(match moved {
                Some(table) => table.clone(),
                None => Table::open(&self.env, &self.dir, meta.clone(), &self.cache, &self.blobs)?,
            });
        }
        let removed = |table: &&Arc<Table>| edit.removed.iter().any(|(_, id)| *id == table.meta.id);
        let tables = current.version.levels.iter().flatten();
        let old_blobs: Vec<_> = tables.filter(removed).flat_map(|table| table.blobs.clone()).collect();
        drop(current);
        if !edit.added.is_empty() {
            self.env.vfs.sync_dir(&self.dir).map_err(|e| io_error("fsync", &self.dir, &e))?;
        }
        let mut manifest = self.manifest.lock();
        edit.next_id = Some(self.next_id.load(Ordering::Relaxed));
        manifest.commit(&edit)?;
        self.change_state(|state| {
            let mut next = state.clone();
            next.version = Arc::new(state.version.edited(&edit, &opened));
            also(&mut next);
            next
        });
        let version = self.with_state(|state| state.version.clone());
        for blob in old_blobs {
            if !version.levels.iter().flatten().any(|table| table.blobs.iter().any(|b| b.id() == blob.id())) {
                blob.set_obsolete();
            }
        }
        Ok(())
    }
}

impl Lsm {
    /// Writes sorted rows into tables that belong to no version yet, and makes them durable.
    pub(crate) fn write_run(&self, rows: &mut dyn SortedRows) -> PgResult<Vec<TableMeta>> {
        let mut metas = Vec::new();
        let written = self.write_run_into(rows, &mut metas);
        let written = written
            .and_then(|()| self.env.vfs.sync_dir(&self.dir).map_err(|e| io_error("fsync", &self.dir, &e)));
        if let Err(error) = written {
            self.discard_run(&metas);
            return Err(error);
        }
        Ok(metas)
    }

    fn write_run_into(&self, rows: &mut dyn SortedRows, metas: &mut Vec<TableMeta>) -> PgResult<()> {
        let none = RangeDels::default();
        let mut builder: Option<TableBuilder> = None;
        let mut last: Vec<u8> = Vec::new();
        let mut first = true;
        while let Some((key, value)) = rows.next_row()? {
            check_row(key, value)?;
            if !std::mem::take(&mut first) && key <= &last[..] {
                return Err(PgError::internal("ingested rows are not in ascending key order"));
            }
            last.clear();
            last.extend_from_slice(key);
            if let Some(full) = builder.take_if(|builder| builder.bytes() >= self.table_bytes) {
                metas.push(full.finish(&none)?);
            }
            let open = match &mut builder {
                Some(open) => open,
                none => {
                    let id = self.take_id();
                    none.insert(TableBuilder::create(&self.env, &self.dir, id, BASE_INGESTED, true)?)
                }
            };
            open.add(Version { key, ts: BASE_INGESTED, kind: Kind::Put, value })?;
        }
        if let Some(open) = builder {
            metas.push(open.finish(&none)?);
        }
        Ok(())
    }

    /// Removes tables of a run that did not commit.
    pub(crate) fn discard_run(&self, metas: &[TableMeta]) {
        for meta in metas {
            // What stays is removed at the next start.
            let _ = self.env.vfs.remove(&self.dir.join(table_name(meta.id)));
            if meta.blobs.iter().any(|blob| blob.0 == meta.id) {
                let _ = self.env.vfs.remove(&self.dir.join(blob_name(meta.id)));
            }
        }
    }

    /// Adds the tables of a run to the tree at version `ts`, as deep as they fit.
    pub(crate) fn install_run(&self, mut metas: Vec<TableMeta>, ts: u64) -> PgResult<()> {
        for meta in &mut metas {
            (meta.min_ts, meta.max_ts) = (ts, ts);
        }
        let (Some(first), Some(last)) = (metas.first(), metas.last()) else { return Ok(()) };
        // Memory must not hold older versions of the same keys above the new tables.
        let overlaps = self.with_state(|state| {
            std::iter::once(&state.active).chain(&state.immutable).any(|memtable| {
                let node = memtable.seek(&first.smallest, u64::MAX);
                let mut deleted = false;
                memtable.overlapping_dels(&first.smallest, &last.largest, |_, _, _| deleted = true);
                deleted || (!node.is_null() && *node.key() <= *last.largest)
            })
        });
        if overlaps {
            self.rotate();
            self.flush_all()?;
        }
        // While a compaction runs, what it will put where is unknown: level 0 is always right.
        let compacting = self.compacting.try_lock();
        let level = self.with_state(|state| {
            let levels = &state.version.levels;
            let free =
                |level: &usize| !levels[*level].iter().any(|t| metas.iter().any(|m| t.meta.touches(m)));
            match &compacting {
                Some(_) => (0..levels.len()).take_while(free).last().unwrap_or(0),
                None => 0,
            }
        });
        let added = metas.into_iter().map(|meta| (level, meta)).collect();
        self.install(Edit { added, ingested: Some(ts), ..Edit::default() }, |_| {})?;
        drop(compacting);
        self.signals.flushed();
        Ok(())
    }
}
