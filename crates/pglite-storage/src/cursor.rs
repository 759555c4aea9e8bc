//! Cursors: the rows of a range as of one timestamp, merged from memtables and tables, in batches.
//!
//! Sources hold versions; the merge lets the source with the nearest key run on its own as long as its keys come
//! before those of all others (`emit_run`), so the common case, one source in the range, is a tight loop without any
//! merging. Only a key that several sources hold is resolved between them.
//!
//! Invariant: a key is emitted at most once, with its newest version not newer than `at`, and not if that version
//! is a deletion or older than a covering range deletion.

mod mem;

pub(crate) use mem::MemSource;

use crate::engine::Cursor;
use crate::memtable::Kind;
use crate::rangedel::RangeDels;
use crate::types::{Direction, KvBatch, Timestamp};
use pglite_error::PgResult;

/// A batch ends after this many bytes, so that large values do not pile up.
const BATCH_BYTES: usize = 1 << 20;

/// Where a source must stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop<'a> {
    /// `None`: runs to its end.
    pub(crate) key: Option<&'a [u8]>,
    /// Whether `key` itself still belongs to the run (the lower bound of a reverse scan).
    pub(crate) inclusive: bool,
}

impl Stop<'_> {
    /// Whether a forward run ends before `key`.
    #[inline]
    pub(crate) fn ends_forward(&self, key: &[u8]) -> bool {
        self.key.is_some_and(|stop| key >= stop)
    }
    #[inline]
    pub(crate) fn ends_reverse(&self, key: &[u8]) -> bool {
        self.key.is_some_and(|stop| if self.inclusive { key < stop } else { key <= stop })
    }
}

/// Takes the visible rows of a run.
pub(crate) struct Emit<'a> {
    pub(crate) at: u64,
    dels: &'a RangeDels,
    has_dels: bool,
    out: &'a mut KvBatch,
    max: usize,
}

impl Emit<'_> {
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= self.max || self.out.bytes() >= BATCH_BYTES
    }
    /// Takes the newest visible version of a key.
    #[inline]
    pub(crate) fn row(&mut self, key: &[u8], value: &[u8], ts: u64, kind: Kind) {
        if kind == Kind::Put && !(self.has_dels && self.dels.covering(key, self.at) > ts) {
            self.out.push(key, value, Timestamp(ts));
        }
    }
    /// Takes what was found of a key, if anything.
    #[inline]
    pub(crate) fn candidate(&mut self, key: &[u8], candidate: &Candidate) {
        if let Some(kind) = candidate.kind {
            self.row(key, &candidate.value, candidate.ts, kind);
        }
    }
}

/// The best version of one key found so far, among several sources.
#[derive(Default)]
pub(crate) struct Candidate {
    ts: u64,
    kind: Option<Kind>,
    value: Vec<u8>,
}

impl Candidate {
    pub(crate) fn clear(&mut self) {
        self.kind = None;
    }
    pub(crate) fn offer(&mut self, ts: u64, kind: Kind, value: &[u8]) {
        if self.kind.is_none() || ts > self.ts {
            self.ts = ts;
            self.kind = Some(kind);
            self.value.clear();
            self.value.extend_from_slice(value);
        }
    }
}

/// Something that holds versions in key order. It stands at a key, or at its end.
pub(crate) trait Source: Send {
    /// The key it stands at.
    fn key(&self) -> Option<&[u8]>;
    /// Emits visible rows until the stop key or until the batch is full, and stands at the next key.
    fn emit_run(&mut self, emit: &mut Emit<'_>, stop: Stop<'_>) -> PgResult<()>;
    /// Offers the newest version of the current key not newer than `at`, and moves to the next key.
    fn resolve(&mut self, at: u64, candidate: &mut Candidate) -> PgResult<()>;
    /// Forward: stands at the first key not less than `key`. Reverse: at the last key less than `key` (empty: at
    /// the last of all).
    fn seek(&mut self, key: &[u8]) -> PgResult<()>;
}

/// The merge of all sources in a range.
pub(crate) struct MergeCursor {
    sources: Vec<Box<dyn Source>>,
    /// Sources that are not at their end, by key: the nearest last.
    order: Vec<usize>,
    sorted: bool,
    moved: Vec<usize>,
    direction: Direction,
    start: Vec<u8>,
    end: Vec<u8>,
    at: u64,
    dels: RangeDels,
    /// Copy of the stop key of the current run.
    stop: Vec<u8>,
    key: Vec<u8>,
    candidate: Candidate,
}

impl MergeCursor {
    /// `sources` already stand at their first key in the range.
    pub(crate) fn new(
        sources: Vec<Box<dyn Source>>,
        start: &[u8],
        end: &[u8],
        at: u64,
        direction: Direction,
        dels: RangeDels,
    ) -> MergeCursor {
        let (start, end) = (start.to_vec(), end.to_vec());
        MergeCursor {
            sources,
            order: Vec::new(),
            sorted: false,
            moved: Vec::new(),
            direction,
            start,
            end,
            at,
            dels,
            stop: Vec::new(),
            key: Vec::new(),
            candidate: Candidate::default(),
        }
    }

    /// Whether `a` comes before `b` in this cursor's direction.
    #[inline]
    fn before(&self, a: &[u8], b: &[u8]) -> bool {
        if self.direction == Direction::Forward { a < b } else { a > b }
    }

    #[inline]
    fn in_range(&self, key: &[u8]) -> bool {
        match self.direction {
            Direction::Forward => self.end.is_empty() || key < &self.end[..],
            Direction::Reverse => key >= &self.start[..],
        }
    }

    /// Sorts all sources by their keys; those at their end drop out.
    fn sort(&mut self) {
        self.order.clear();
        for source in 0..self.sources.len() {
            self.insert(source);
        }
        self.sorted = true;
    }

    /// Puts a source that stands at a new key into its place in the order (the nearest key is last).
    #[inline]
    fn insert(&mut self, source: usize) {
        let Some(key) = self.sources[source].key() else { return };
        let nearer = |&other: &usize| self.sources[other].key().is_some_and(|other| self.before(key, other));
        // Sources far behind come first, so count from the front those that this one comes before.
        let place = self.order.partition_point(nearer);
        self.order.insert(place, source);
    }

    /// The source that stands first, whether it shares its key with the next one (then the key is in `self.key`), and
    /// otherwise whether it must stop before another source's key (then it is in `self.stop`).
    fn choose(&mut self) -> Option<Choice> {
        let mut nearest = self.order.iter().rev().map(|&i| (i, self.sources[i].key().unwrap_or(&[])));
        let (source, lead) = nearest.next()?;
        if !self.in_range(lead) {
            return None;
        }
        let second = nearest.next().map(|(_, key)| key);
        let tie = second == Some(lead);
        let second = second.filter(|key| self.in_range(key));
        if tie {
            self.key.clear();
            self.key.extend_from_slice(lead);
        } else if let Some(second) = second {
            self.stop.clear();
            self.stop.extend_from_slice(second);
        }
        Some(Choice { source, tie, has_second: second.is_some() })
    }

    /// Resolves `self.key` between all sources that stand at it.
    fn resolve_tie(&mut self) -> PgResult<()> {
        self.candidate.clear();
        let tied =
            self.order.iter().rev().take_while(|&&i| self.sources[i].key() == Some(&self.key[..])).count();
        let from = self.order.len() - tied;
        for at in from..self.order.len() {
            self.sources[self.order[at]].resolve(self.at, &mut self.candidate)?;
        }
        self.moved.clear();
        self.moved.extend(self.order.drain(from..));
        while let Some(source) = self.moved.pop() {
            self.insert(source);
        }
        Ok(())
    }
}

struct Choice {
    source: usize,
    tie: bool,
    has_second: bool,
}

impl Cursor for MergeCursor {
    fn next_batch(&mut self, out: &mut KvBatch, max: usize) -> PgResult<bool> {
        out.clear();
        if !self.sorted {
            self.sort();
        }
        while out.len() < max && out.bytes() < BATCH_BYTES {
            let Some(choice) = self.choose() else { break };
            if choice.tie {
                self.resolve_tie()?;
            }
            let has_dels = !self.dels.is_empty();
            let mut emit = Emit { at: self.at, dels: &self.dels, has_dels, out: &mut *out, max };
            if choice.tie {
                emit.candidate(&self.key, &self.candidate);
                continue;
            }
            let stop = match self.direction {
                _ if choice.has_second => Stop { key: Some(&self.stop), inclusive: false },
                Direction::Forward if self.end.is_empty() => Stop { key: None, inclusive: false },
                Direction::Forward => Stop { key: Some(&self.end), inclusive: false },
                Direction::Reverse => Stop { key: Some(&self.start), inclusive: true },
            };
            self.sources[choice.source].emit_run(&mut emit, stop)?;
            self.order.pop();
            self.insert(choice.source);
        }
        Ok(!out.is_empty())
    }

    fn seek(&mut self, key: &[u8]) -> PgResult<()> {
        let key = match self.direction {
            Direction::Forward => key.max(&self.start),
            Direction::Reverse if self.end.is_empty() => key,
            Direction::Reverse if key.is_empty() => &self.end,
            Direction::Reverse => key.min(&self.end),
        };
        self.sorted = false;
        for source in &mut self.sources {
            source.seek(key)?;
        }
        Ok(())
    }
}
