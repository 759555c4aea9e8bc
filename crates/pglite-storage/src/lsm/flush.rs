//! Memtables become tables of level 0; sorted runs become tables directly.
//!
//! Crash argument: the table is synced, then its name, then the manifest says that it exists and that everything up
//! to its newest version is in tables; only then is the log it replaces released. A crash before the manifest's
//! sync leaves an orphan file, which the next start removes, and the log still has everything.

use super::compact::Collector;
use super::{Lsm, State};
use crate::engine::SortedRows;
use crate::env::io_error;
use crate::manifest::Edit;
use crate::memtable::{Kind, Memtable};
use crate::table::{Table, TableBuilder, TableMeta, Version, table_name};
use pglite_error::{PgError, PgResult, codes};
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
        drop(builder);
        let path = self.dir.join(table_name(id));
        self.env.vfs.remove(&path).map_err(|e| io_error("remove", &path, &e))?;
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
                None => Table::open(&self.env, &self.dir, meta.clone(), &self.cache)?,
            });
        }
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
        Ok(())
    }
}

/// Writes sorted rows at version `ts` into tables and adds them to the tree, as deep as they fit.
pub(super) fn ingest(lsm: &Lsm, rows: &mut dyn SortedRows, ts: u64) -> PgResult<()> {
    let metas = write_run(lsm, rows, ts)?;
    let (Some(first), Some(last)) = (metas.first(), metas.last()) else { return Ok(()) };
    let range = (first.smallest.clone(), last.largest.clone());
    // Memory must not hold older versions of the same keys above the new tables.
    let overlaps = lsm.with_state(|state| {
        std::iter::once(&state.active).chain(&state.immutable).any(|memtable| {
            let node = memtable.seek(&range.0, u64::MAX);
            let mut deleted = false;
            memtable.overlapping_dels(&range.0, &range.1, |_, _, _| deleted = true);
            deleted || (!node.is_null() && *node.key() <= *range.1)
        })
    });
    if overlaps {
        lsm.rotate();
        lsm.flush_all()?;
    }
    // No compaction may fill the chosen level meanwhile.
    let _compacting = lsm.compacting.lock();
    let level = lsm.with_state(|state| {
        let levels = &state.version.levels;
        let free =
            |level: usize| levels[level].iter().all(|t| metas.iter().all(|meta| !t.meta.touches(meta)));
        let occupied = (0..levels.len()).find(|&level| !free(level)).unwrap_or(levels.len());
        // Level 0 tables must be ordered by version against each other, which the newest timestamp is.
        occupied.saturating_sub(1)
    });
    let level = if metas.len() > 1 && level == 0 { 0 } else { level };
    let added = metas.into_iter().map(|meta| (level, meta)).collect();
    lsm.install(Edit { added, ..Edit::default() }, |_| {})
}

fn write_run(lsm: &Lsm, rows: &mut dyn SortedRows, ts: u64) -> PgResult<Vec<TableMeta>> {
    let none = crate::rangedel::RangeDels::default();
    let mut metas = Vec::new();
    let mut builder: Option<TableBuilder> = None;
    let mut last: Option<Vec<u8>> = None;
    while let Some((key, value)) = rows.next_row()? {
        if last.as_deref().is_some_and(|last| key <= last) {
            return Err(PgError::new(codes::INTERNAL_ERROR, "ingested rows are not in ascending key order"));
        }
        let kept = last.get_or_insert_default();
        kept.clear();
        kept.extend_from_slice(key);
        if let Some(full) = builder.take_if(|builder| builder.bytes() >= lsm.table_bytes) {
            metas.push(full.finish(&none)?);
        }
        let open = match &mut builder {
            Some(open) => open,
            None => builder.insert(TableBuilder::create(&lsm.env, &lsm.dir, lsm.take_id(), ts, true)?),
        };
        open.add(Version { key, ts, kind: Kind::Put, value })?;
    }
    if let Some(open) = builder {
        metas.push(open.finish(&none)?);
    }
    Ok(metas)
}
