//! The LSM tree: the active memtable, memtables waiting to be flushed, and levels of tables.
//!
//! Readers take the current [`State`] without a lock; writers, flushes and compactions replace it as a whole.
//!
//! Invariant: what one source holds of a key is newer than what any source after it holds (active memtable, then
//! immutable ones newest first, then level 0 newest first, then level 1, 2, ...).
//!
//! Lock order: `flushing` or `compacting`, then `manifest`, then `change`. `applying` before `change`.
#![allow(unsafe_code)]

mod background;
mod compact;
mod flush;
mod read;
mod version;

pub(crate) use background::run_compactor;
pub(crate) use background::run_flusher;

use crate::batch::{MAX_KEY, Op, WriteBatch};
use crate::engine::{Cursor, Engine, EngineStats, SortedRows};
use crate::env::{Env, io_error};
use crate::manifest::{LEVELS, Layout, Manifest};
use crate::memtable::{Kind, Memtable};
use crate::options::StoreOptions;
use crate::table::{BlobFiles, BlockCache, Table, parse_table_name};
use crate::types::{Direction, Timestamp, Value};
use crate::wal::WalShared;
use background::Signals;
use crossbeam_epoch as epoch;
use parking_lot::Mutex;
use pglite_error::{PgError, PgResult, codes};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use version::Version;

/// What readers see of the tree; replaced as a whole.
#[derive(Clone)]
struct State {
    active: Arc<Memtable>,
    /// Newest first.
    immutable: Vec<Arc<Memtable>>,
    version: Arc<Version>,
}

#[derive(Default)]
struct Counters {
    flushes: AtomicU64,
    compactions: AtomicU64,
    compacted_bytes: AtomicU64,
    stalls: AtomicU64,
}

pub(crate) struct Lsm {
    env: Env,
    dir: PathBuf,
    memtable_bytes: usize,
    table_bytes: u64,
    state: epoch::Atomic<State>,
    /// Held while the state is replaced.
    change: Mutex<()>,
    /// Held while a batch is applied or the memtable is rotated.
    applying: Mutex<()>,
    flushing: Mutex<()>,
    compacting: Mutex<compact::Progress>,
    manifest: Mutex<Manifest>,
    cache: Arc<BlockCache>,
    blobs: BlobFiles,
    next_id: AtomicU64,
    horizon: AtomicU64,
    wal: OnceLock<Arc<WalShared>>,
    /// Whether background threads do the flushing and compacting.
    threaded: AtomicBool,
    signals: Signals,
    counters: Counters,
}

impl Lsm {
    /// Opens the tree that `layout` describes; `manifest` numbers the new manifest file.
    pub(crate) fn open(
        env: &Env,
        dir: &Path,
        options: &StoreOptions,
        manifest: u64,
        layout: Layout,
    ) -> PgResult<Lsm> {
        let memtable_bytes = options.memtable_bytes();
        let cache = Arc::new(BlockCache::new(options.memory_budget / 2));
        let blobs = BlobFiles::default();
        let mut levels: [Vec<Arc<Table>>; LEVELS] = Default::default();
        for (tables, metas) in levels.iter_mut().zip(&layout.levels) {
            for meta in metas {
                tables.push(Table::open(env, dir, meta.clone(), &cache, &blobs)?);
            }
        }
        // Ids of files that no manifest names yet (runs about to be ingested) are taken too.
        let names = env.vfs.list(dir).map_err(|e| io_error("list", dir, &e))?;
        let highest = names.iter().filter_map(|name| parse_table_name(name)).max().unwrap_or(0);
        let next_id = layout.next_id.max(highest + 1);
        let manifest = Manifest::create(env, dir, manifest, layout)?;
        let state = State {
            active: Arc::new(Memtable::new()),
            immutable: Vec::new(),
            version: Arc::new(Version::new(levels)),
        };
        Ok(Lsm {
            env: env.clone(),
            dir: dir.to_owned(),
            memtable_bytes,
            table_bytes: options.table_size as u64,
            state: epoch::Atomic::new(state),
            change: Mutex::new(()),
            applying: Mutex::new(()),
            flushing: Mutex::new(()),
            compacting: Mutex::default(),
            manifest: Mutex::new(manifest),
            cache,
            blobs,
            next_id: AtomicU64::new(next_id),
            horizon: AtomicU64::new(0),
            wal: OnceLock::new(),
            threaded: AtomicBool::new(false),
            signals: Signals::default(),
            counters: Counters::default(),
        })
    }

    /// Removes table and blob files that are not part of the tree: leftovers of a crash.
    pub(crate) fn remove_orphans(&self) -> PgResult<()> {
        let state = self.current();
        for name in self.env.vfs.list(&self.dir).map_err(|e| io_error("list", &self.dir, &e))? {
            let Some(id) = parse_table_name(&name) else { continue };
            let blob = name.ends_with(".blob");
            let needed = |table: &Arc<Table>| {
                if blob { table.meta.blobs.iter().any(|b| b.0 == id) } else { table.meta.id == id }
            };
            if !state.version.levels.iter().flatten().any(needed) {
                let path = self.dir.join(&name);
                match self.env.vfs.remove(&path) {
                    // Why: a reader of the store that used this directory before may have been the last user of the file.
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                    done => done.map_err(|e| io_error("remove", &path, &e))?,
                }
            }
        }
        Ok(())
    }

    pub(crate) fn set_wal(&self, wal: Arc<WalShared>) {
        // Set once, right after recovery.
        let _ = self.wal.set(wal);
    }
    pub(crate) fn set_threaded(&self) {
        self.threaded.store(true, Ordering::Release);
    }

    /// Runs `f` on the current state.
    #[inline]
    fn with_state<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        let guard = epoch::pin();
        let state = self.state.load(Ordering::Acquire, &guard);
        // SAFETY: never null, and a replaced state is destroyed only after all pinned readers are gone.
        f(unsafe { state.deref() })
    }

    /// Replaces the state by what `f` makes of it.
    fn change_state(&self, f: impl FnOnce(&State) -> State) {
        let _changing = self.change.lock();
        let next = self.with_state(f);
        let guard = epoch::pin();
        let old = self.state.swap(epoch::Owned::new(next), Ordering::AcqRel, &guard);
        // SAFETY: the old state is no longer reachable for readers that pin from now on.
        unsafe { guard.defer_destroy(old) };
        guard.flush();
        drop(guard);
        // Memtables are large: do not wait for other garbage before they go.
        for _ in 0..3 {
            epoch::pin().flush();
        }
    }

    fn current(&self) -> State {
        self.with_state(State::clone)
    }

    fn horizon(&self) -> u64 {
        self.horizon.load(Ordering::Acquire)
    }

    /// Makes the active memtable immutable, unless it is empty.
    fn rotate(&self) {
        let _applying = self.applying.lock();
        if self.with_state(|state| state.active.is_empty()) {
            return;
        }
        self.change_state(|state| {
            let mut immutable = vec![state.active.clone()];
            immutable.extend(state.immutable.iter().cloned());
            State { active: Arc::new(Memtable::new()), immutable, version: state.version.clone() }
        });
    }
}

impl Drop for Lsm {
    fn drop(&mut self) {
        // SAFETY: nobody else has the tree any more.
        unsafe {
            let guard = epoch::unprotected();
            drop(self.state.load(Ordering::Relaxed, guard).into_owned());
        }
    }
}

/// Refuses what the tree cannot hold, before it is written anywhere.
pub(crate) fn check_batch(batch: &WriteBatch) -> PgResult<()> {
    for op in batch.iter() {
        let (key, value) = match op {
            Op::Put { key, value } => (key, value),
            Op::Delete { key } => (key, &[][..]),
            Op::DeleteRange { start, end } => (start, end),
        };
        check_row(key, value)?;
    }
    Ok(())
}

fn check_row(key: &[u8], value: &[u8]) -> PgResult<()> {
    if key.len() >= MAX_KEY {
        return Err(PgError::new(codes::PROGRAM_LIMIT_EXCEEDED, "storage key is too long").detail(format!(
            "The key has {} bytes, the limit is {}.",
            key.len(),
            MAX_KEY - 1
        )));
    }
    if value.len() >= 1 << 30 {
        return Err(PgError::new(codes::PROGRAM_LIMIT_EXCEEDED, "row is too big"));
    }
    Ok(())
}

impl Engine for Lsm {
    fn apply(&self, batch: &WriteBatch, ts: Timestamp) -> PgResult<()> {
        let _applying = self.applying.lock();
        self.with_state(|state| {
            let mut writer = state.active.writer();
            for op in batch.iter() {
                match op {
                    Op::Put { key, value } => writer.insert(key, ts.0, Kind::Put, value),
                    Op::Delete { key } => writer.insert(key, ts.0, Kind::Delete, &[]),
                    Op::DeleteRange { start, end } => writer.delete_range(start, end, ts.0),
                }
            }
        });
        Ok(())
    }

    fn get(&self, key: &[u8], at: Timestamp) -> PgResult<Option<(Value, Timestamp)>> {
        self.with_state(|state| state.get(key, at.0))
    }

    fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        at: Timestamp,
        direction: Direction,
    ) -> PgResult<Box<dyn Cursor>> {
        let state = self.current();
        Ok(Box::new(state.scan(start, end, at.0, direction)?))
    }

    fn ingest(&self, rows: &mut dyn SortedRows, ts: Timestamp) -> PgResult<()> {
        let metas = self.write_run(rows)?;
        self.install_run(metas, ts.0)
    }

    fn flush(&self) -> PgResult<()> {
        self.rotate();
        self.flush_all()
    }

    fn set_gc_horizon(&self, horizon: Timestamp) {
        self.horizon.fetch_max(horizon.0, Ordering::AcqRel);
    }

    fn stats(&self) -> EngineStats {
        let state = self.current();
        let immutable: usize = state.immutable.iter().map(|m| m.bytes()).sum();
        let levels = state.version.levels.iter();
        EngineStats {
            memtable_bytes: (state.active.bytes() + immutable) as u64,
            immutable_memtables: state.immutable.len() as u64,
            levels: levels.map(|l| (l.len() as u64, l.iter().map(|t| t.meta.size).sum())).collect(),
            cache_bytes: self.cache.bytes(),
            cache_misses: self.cache.misses(),
            flushes: self.counters.flushes.load(Ordering::Relaxed),
            compactions: self.counters.compactions.load(Ordering::Relaxed),
            compacted_bytes: self.counters.compacted_bytes.load(Ordering::Relaxed),
            stalls: self.counters.stalls.load(Ordering::Relaxed),
        }
    }
}
