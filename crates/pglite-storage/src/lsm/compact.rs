//! Leveled compaction and the collection of versions nobody can see.
//!
//! Level 0 is compacted by the number of its tables, deeper levels by their bytes against a target that grows tenfold
//! a level. A table that overlaps nothing moves down without being rewritten. A table that a range deletion covers
//! wholly is dropped without being read.
//!
//! Invariant: of a key's versions not newer than the horizon, at most the newest is kept.

use super::Lsm;
use super::version::Version;
use crate::manifest::{Edit, LEVELS};
use crate::memtable::Kind;
use crate::rangedel::RangeDels;
use crate::table::{RawCursor, Table, TableBuilder, TableMeta, Version as Entry, blob_of};
use pglite_error::{PgError, PgResult, codes};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Level 0 is compacted when it has this many tables.
const L0_TABLES: usize = 4;
const GROWTH: u64 = 10;

/// Where each level's last compaction ended.
#[derive(Default)]
pub(super) struct Progress {
    pointers: [Vec<u8>; LEVELS],
}

/// Decides which versions survive.
pub(super) struct Collector {
    horizon: u64,
    dels: RangeDels,
    /// Whether nothing older than the input exists.
    bottom: bool,
    /// Whether a version at or below the horizon of the current key was met.
    settled: bool,
}

impl Collector {
    pub(super) fn new(horizon: u64, dels: RangeDels, bottom: bool) -> Collector {
        Collector { horizon, dels, bottom, settled: false }
    }
    /// `same`: the version before had the same key. Versions of a key come newest first.
    #[inline]
    pub(super) fn keep(&mut self, key: &[u8], same: bool, ts: u64, kind: Kind) -> bool {
        if !same {
            self.settled = false;
        }
        if ts > self.horizon {
            return true;
        }
        if std::mem::replace(&mut self.settled, true) {
            return false;
        }
        let deleted = !self.dels.is_empty() && self.dels.covering(key, self.horizon) > ts;
        !(deleted || self.bottom && kind == Kind::Delete)
    }
}

enum Job {
    /// Drop tables that are wholly deleted.
    Drop(Vec<(usize, Arc<Table>)>),
    /// Move a table one level down.
    Move(usize, Arc<Table>),
    /// Merge tables of a level with those of the next.
    Merge { level: usize, upper: Vec<Arc<Table>>, lower: Vec<Arc<Table>> },
}

impl Lsm {
    fn target(&self, level: usize) -> u64 {
        4 * (self.memtable_bytes as u64).max(self.table_bytes / 4) * GROWTH.pow(level as u32 - 1)
    }

    /// Does one step of compaction; `false` if nothing needs doing.
    pub(super) fn compact_one(&self) -> PgResult<bool> {
        let mut progress = self.compacting.lock();
        let version = self.with_state(|state| state.version.clone());
        let Some(job) = self.pick(&version, &progress) else { return Ok(false) };
        match job {
            Job::Drop(tables) => {
                let removed = tables.iter().map(|(level, table)| (*level, table.meta.id)).collect();
                self.install(Edit { removed, ..Edit::default() }, |_| {})?;
                tables.iter().for_each(|(_, table)| table.set_obsolete());
            }
            Job::Move(level, table) => {
                progress.pointers[level] = table.meta.largest.clone();
                let edit = Edit {
                    added: vec![(level + 1, table.meta.clone())],
                    removed: vec![(level, table.meta.id)],
                    ..Edit::default()
                };
                self.install(edit, |_| {})?;
            }
            Job::Merge { level, upper, lower } => {
                if let Some(last) = upper.iter().map(|t| &t.meta.largest).max() {
                    progress.pointers[level] = last.clone();
                }
                self.merge(&version, level, &upper, &lower)?;
            }
        }
        self.counters.compactions.fetch_add(1, Ordering::Relaxed);
        self.signals.compacted();
        Ok(true)
    }

    fn pick(&self, version: &Version, progress: &Progress) -> Option<Job> {
        let dropped = self.deleted_tables(version);
        if !dropped.is_empty() {
            return Some(Job::Drop(dropped));
        }
        let l0 = &version.levels[0];
        let mut best = (l0.len() as f64 / L0_TABLES as f64, 0);
        for level in 1..LEVELS - 1 {
            let score = version.bytes(level) as f64 / self.target(level) as f64;
            if score > best.0 {
                best = (score, level);
            }
        }
        let (score, level) = best;
        if score < 1.0 {
            return None;
        }
        let touching = |table: &Arc<Table>, tables: &[Arc<Table>]| -> Vec<Arc<Table>> {
            tables.iter().filter(|other| other.meta.touches(&table.meta)).cloned().collect()
        };
        if level == 0 {
            let oldest = l0.last()?;
            if touching(oldest, &l0[..l0.len() - 1]).is_empty()
                && touching(oldest, &version.levels[1]).is_empty()
            {
                return Some(Job::Move(0, oldest.clone()));
            }
            let lower = &version.levels[1];
            let lower = lower.iter().filter(|t| l0.iter().any(|u| u.meta.touches(&t.meta))).cloned();
            return Some(Job::Merge { level, upper: l0.clone(), lower: lower.collect() });
        }
        let tables = &version.levels[level];
        let next = tables.partition_point(|table| table.meta.smallest <= progress.pointers[level]);
        let table = tables.get(next).or_else(|| tables.first())?;
        let lower = touching(table, &version.levels[level + 1]);
        if lower.is_empty() {
            return Some(Job::Move(level, table.clone()));
        }
        Some(Job::Merge { level, upper: vec![table.clone()], lower })
    }

    /// Tables that one range deletion below the horizon covers wholly.
    fn deleted_tables(&self, version: &Version) -> Vec<(usize, Arc<Table>)> {
        let horizon = self.horizon();
        let mut dels = RangeDels::default();
        for table in version.levels.iter().flatten() {
            for (start, end, ts) in table.range_dels.iter().filter(|del| del.2 <= horizon) {
                dels.insert(start, end, ts);
            }
        }
        if dels.is_empty() {
            return Vec::new();
        }
        let covered = |table: &Arc<Table>| {
            let meta = &table.meta;
            dels.overlapping(&meta.smallest, &meta.largest).any(|(start, end, ts)| {
                let to_end = *end > *meta.largest || (*end == *meta.largest && meta.largest_open);
                ts > meta.max_ts && *start <= *meta.smallest && to_end
            })
        };
        let tables = version.levels.iter().enumerate();
        tables
            .flat_map(|(level, tables)| tables.iter().map(move |table| (level, table)))
            .filter(|(_, table)| covered(table))
            .map(|(level, table)| (level, table.clone()))
            .collect()
    }

    fn merge(
        &self,
        version: &Version,
        level: usize,
        upper: &[Arc<Table>],
        lower: &[Arc<Table>],
    ) -> PgResult<()> {
        let inputs: Vec<&Arc<Table>> = upper.iter().chain(lower).collect();
        let horizon = self.horizon();
        let start = inputs.iter().map(|t| &t.meta.smallest[..]).min().unwrap_or(&[]);
        let end = inputs.iter().map(|t| &t.meta.largest[..]).max().unwrap_or(&[]);
        let bottom = !version.deeper_overlap(level + 1, start, end);
        let mut dels = RangeDels::default();
        for table in &inputs {
            table.range_dels.iter().for_each(|(s, e, ts)| dels.insert(s, e, ts));
        }
        let mut kept_dels = RangeDels::default();
        for (s, e, ts) in dels.iter().filter(|del| !(bottom && del.2 <= horizon)) {
            kept_dels.insert(s, e, ts);
        }
        let base_ts = inputs.iter().map(|t| t.meta.min_ts).min().unwrap_or(0);
        let collector = Collector::new(horizon, dels, bottom);
        let mut output = Output {
            lsm: self,
            base_ts,
            dels: kept_dels,
            builder: None,
            from: Vec::new(),
            metas: Vec::new(),
            sparse: sparse_blobs(version, &inputs),
        };
        let mut cursors: Vec<RawCursor> = if level == 0 {
            upper.iter().map(|table| RawCursor::new(vec![table.clone()], false)).collect()
        } else {
            vec![RawCursor::new(upper.to_vec(), false)]
        };
        cursors.push(RawCursor::new(lower.to_vec(), false));
        let merged =
            self.merge_versions(&mut cursors, collector, &mut output).and_then(|()| output.end(None));
        if let Err(error) = merged {
            output.abandon();
            return Err(error);
        }
        let metas = std::mem::take(&mut output.metas);
        let bytes: u64 = metas.iter().map(|meta| meta.size).sum();
        self.counters.compacted_bytes.fetch_add(bytes, Ordering::Relaxed);
        let edit = Edit {
            added: metas.into_iter().map(|meta| (level + 1, meta)).collect(),
            removed: upper
                .iter()
                .map(|table| (level, table.meta.id))
                .chain(lower.iter().map(|table| (level + 1, table.meta.id)))
                .collect(),
            ..Edit::default()
        };
        self.install(edit, |_| {})?;
        inputs.iter().for_each(|table| table.set_obsolete());
        Ok(())
    }

    fn merge_versions(
        &self,
        cursors: &mut [RawCursor],
        mut collector: Collector,
        output: &mut Output<'_>,
    ) -> PgResult<()> {
        for cursor in cursors.iter_mut() {
            cursor.rewind()?;
        }
        let mut last: Vec<u8> = Vec::new();
        let mut first = true;
        let mut count = 0u32;
        loop {
            let mut best: Option<usize> = None;
            for (i, cursor) in cursors.iter().enumerate() {
                let Some(version) = cursor.current() else { continue };
                let nearer = best
                    .and_then(|b| cursors[b].current())
                    .is_none_or(|b| version.key.cmp(b.key).then_with(|| b.ts.cmp(&version.ts)).is_lt());
                if nearer {
                    best = Some(i);
                }
            }
            let Some(best) = best else { return Ok(()) };
            let mut sparse = None;
            if let Some(version) = cursors[best].current() {
                let same = !first && version.key == last;
                if !same {
                    last.clear();
                    last.extend_from_slice(version.key);
                    first = false;
                    if output.is_full() {
                        output.end(Some(version.key))?;
                    }
                }
                if collector.keep(version.key, same, version.ts, version.kind) {
                    if version.kind == Kind::Blob && output.is_sparse(version.value) {
                        sparse = Some(version.ts);
                    } else {
                        output.builder()?.add(version)?;
                    }
                }
            }
            if let Some(ts) = sparse {
                // Most of its blob file is garbage: the value moves to a new one.
                let value = cursors[best].read_blob()?;
                output.builder()?.add(Entry { key: &last, ts, kind: Kind::Put, value })?;
            }
            cursors[best].step()?;
            count = count.wrapping_add(1);
            if count.is_multiple_of(1024) && self.signals.stopping() {
                return Err(PgError::new(codes::ADMIN_SHUTDOWN, "compaction was interrupted"));
            }
        }
    }
}

/// The tables a compaction writes.
struct Output<'a> {
    lsm: &'a Lsm,
    base_ts: u64,
    dels: RangeDels,
    builder: Option<TableBuilder>,
    /// The current table's keys start here.
    from: Vec<u8>,
    metas: Vec<TableMeta>,
    /// Blob files to be emptied.
    sparse: Vec<u64>,
}

/// The blob files of these tables that are mostly garbage.
fn sparse_blobs(version: &Version, inputs: &[&Arc<Table>]) -> Vec<u64> {
    let blobs = inputs.iter().flat_map(|table| &table.blobs);
    let mut sparse: Vec<u64> = blobs
        .filter(|blob| {
            let tables = version.levels.iter().flatten().flat_map(|table| &table.meta.blobs);
            let live: u64 = tables.filter(|(id, _)| *id == blob.id()).map(|(_, live)| live).sum();
            live * 2 < blob.size()
        })
        .map(|blob| blob.id())
        .collect();
    sparse.sort_unstable();
    sparse.dedup();
    sparse
}

impl Output<'_> {
    fn builder(&mut self) -> PgResult<&mut TableBuilder> {
        let lsm = self.lsm;
        match &mut self.builder {
            Some(builder) => Ok(builder),
            none => {
                let id = lsm.take_id();
                Ok(none.insert(TableBuilder::create(&lsm.env, &lsm.dir, id, self.base_ts, true)?))
            }
        }
    }
    fn is_sparse(&self, pointer: &[u8]) -> bool {
        !self.sparse.is_empty() && blob_of(pointer).is_some_and(|id| self.sparse.binary_search(&id).is_ok())
    }
    fn is_full(&self) -> bool {
        self.builder.as_ref().is_some_and(|builder| builder.bytes() >= self.lsm.table_bytes)
    }
    /// Ends the current table before key `to` (`None`: the end of everything), with its share of range deletions.
    fn end(&mut self, to: Option<&[u8]>) -> PgResult<()> {
        let mut dels = RangeDels::default();
        for (start, end, ts) in self.dels.iter() {
            let end = to.map_or(end, |to| end.min(to));
            dels.insert(start.max(&self.from), end, ts);
        }
        if self.builder.is_some() || !dels.is_empty() {
            self.builder()?;
        }
        if let Some(builder) = self.builder.take() {
            self.metas.push(builder.finish(&dels)?);
        }
        self.from = to.unwrap_or(&[]).to_vec();
        Ok(())
    }
    /// Removes what was written.
    fn abandon(&mut self) {
        self.builder = None;
        let metas: Vec<TableMeta> = self.metas.drain(..).collect();
        self.lsm.discard_run(&metas);
    }
}
