//! The LSM tree: the active memtable, memtables waiting to be flushed, and levels of tables.
//!
//! Invariant: what one source holds of a key is newer than what any source after it holds (active memtable, then
//! immutable ones newest first, then level 0 newest first, then level 1, 2, ...).
#![allow(unsafe_code)]

use crate::batch::{MAX_KEY, Op, WriteBatch};
use crate::cursor::{MemSource, MergeCursor, Source};
use crate::engine::{Cursor, Engine, EngineStats, SortedRows};
use crate::memtable::{Kind, Memtable};
use crate::options::StoreOptions;
use crate::rangedel::RangeDels;
use crate::types::{Direction, Timestamp, Value};
use crossbeam_epoch as epoch;
use pglite_error::{PgError, PgResult, codes};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What readers see of the tree; replaced as a whole.
struct State {
    active: Arc<Memtable>,
}

pub(crate) struct Lsm {
    state: epoch::Atomic<State>,
    horizon: AtomicU64,
}

impl Lsm {
    pub(crate) fn new(_options: &StoreOptions) -> Lsm {
        Lsm {
            state: epoch::Atomic::new(State { active: Arc::new(Memtable::new()) }),
            horizon: AtomicU64::new(0),
        }
    }

    /// Runs `f` on the current state.
    #[inline]
    fn with_state<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        let guard = epoch::pin();
        let state = self.state.load(Ordering::Acquire, &guard);
        // SAFETY: never null, and a replaced state is destroyed only after all pinned readers are gone.
        f(unsafe { state.deref() })
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

impl Engine for Lsm {
    fn apply(&self, batch: &WriteBatch, ts: Timestamp) -> PgResult<()> {
        self.with_state(|state| {
            let mut writer = state.active.writer();
            for op in batch.iter() {
                match op {
                    Op::Put { key, .. } | Op::Delete { key } if key.len() >= MAX_KEY => {
                        return Err(PgError::new(codes::PROGRAM_LIMIT_EXCEEDED, "key is too long"));
                    }
                    Op::Put { key, value } => writer.insert(key, ts.0, Kind::Put, value),
                    Op::Delete { key } => writer.insert(key, ts.0, Kind::Delete, &[]),
                    Op::DeleteRange { start, end } => writer.delete_range(start, end, ts.0),
                }
            }
            Ok(())
        })
    }

    fn get(&self, key: &[u8], at: Timestamp) -> PgResult<Option<(Value, Timestamp)>> {
        self.with_state(|state| {
            let Some(node) = state.active.get(key, at.0) else { return Ok(None) };
            let (kind, value) = node.value();
            if kind == Kind::Delete || state.active.covering(key, at.0) > node.ts() {
                return Ok(None);
            }
            // SAFETY: the value is in the arena of the memtable, which the Value keeps alive.
            let value = unsafe { Value::inside(value, state.active.clone()) };
            Ok(Some((value, Timestamp(node.ts()))))
        })
    }

    fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        at: Timestamp,
        direction: Direction,
    ) -> PgResult<Box<dyn Cursor>> {
        let active = self.with_state(|state| state.active.clone());
        let mut dels = RangeDels::default();
        active.overlapping_dels(start, end, |s, e, ts| {
            if ts <= at.0 {
                dels.insert(s, e, ts);
            }
        });
        let mut source: Box<dyn Source> = Box::new(MemSource::new(active, direction));
        source.seek(if direction == Direction::Forward { start } else { end })?;
        Ok(Box::new(MergeCursor::new(vec![source], start, end, at.0, direction, dels)))
    }

    fn ingest(&self, rows: &mut dyn SortedRows, ts: Timestamp) -> PgResult<()> {
        self.with_state(|state| {
            let mut writer = state.active.writer();
            while let Some((key, value)) = rows.next_row()? {
                writer.insert(key, ts.0, Kind::Put, value);
            }
            Ok(())
        })
    }

    fn flush(&self) -> PgResult<()> {
        Ok(())
    }

    fn set_gc_horizon(&self, horizon: Timestamp) {
        self.horizon.fetch_max(horizon.0, Ordering::AcqRel);
    }

    fn stats(&self) -> EngineStats {
        self.with_state(|state| EngineStats {
            memtable_bytes: state.active.bytes() as u64,
            ..EngineStats::default()
        })
    }
}
