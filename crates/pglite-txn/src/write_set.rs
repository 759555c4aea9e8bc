//! The write set: what a transaction has written and not yet committed.
//!
//! ```text
//!   arena     all values, back to back
//!   runs      per space: keys that came in ascending order, flat and sorted; new ones and changed ones apart
//!   map       all other keys -> chain of versions, newest first
//!   versions  the chains' links in order of writing: also the journal that a savepoint truncates
//!   ranges    range deletions
//! ```
//! Every write carries a sequence number (which of two writes is later) and its command id (who sees it).
//!
//! Invariant: a key is in at most one run, once, and whatever the map holds of that key is later.
//! Invariant: rolling back to a mark restores exactly the state at the mark.

mod run;

use std::collections::BTreeMap;
use std::ops::Bound;

use pglite_error::{PgResult, bail};
use pglite_storage::{KvBatch, SortedRows, Timestamp, WriteBatch};
use smallvec::SmallVec;

use crate::layout::Space;
use run::Run;

type OwnKey = SmallVec<[u8; 32]>;

const NONE: u32 = u32::MAX;
/// Bytes of keys and values that one transaction may hold: what one log record may hold, less overhead.
const MAX_BYTES: usize = 3 << 29;

/// Where a value lies in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    at: u32,
    len: u32,
}

impl Slice {
    const TOMBSTONE: Slice = Slice { at: 0, len: NONE };
}

/// Who wrote something and when.
#[derive(Clone, Copy, Debug)]
struct Stamp {
    seq: u32,
    command: u32,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    chain: u32,
    /// The version before it in its chain.
    prev: u32,
    stamp: Stamp,
    value: Slice,
}

#[derive(Clone, Debug)]
struct RangeDelete {
    start: Vec<u8>,
    /// Exclusive; empty is unbounded.
    end: Vec<u8>,
    stamp: Stamp,
}

impl RangeDelete {
    fn covers(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && (self.end.is_empty() || key < self.end.as_slice())
    }
}

/// What the transaction itself made of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own<'a> {
    Put(&'a [u8]),
    Deleted,
}

/// A state to roll back to.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    seq: u32,
    arena: usize,
    versions: usize,
    ranges: usize,
    runs: SmallVec<[u32; 4]>,
}

#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    arena: Vec<u8>,
    runs: Vec<Run>,
    map: BTreeMap<OwnKey, u32>,
    /// Chain -> its newest version.
    heads: Vec<u32>,
    versions: Vec<Version>,
    ranges: Vec<RangeDelete>,
    seq: u32,
    run_bytes: usize,
}

impl WriteSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.seq == 0
    }
    /// Approximate memory held.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.len() + self.run_bytes + self.versions.len() * size_of::<Version>() + self.map.len() * 64
    }
    fn stamp(&mut self, command: u32) -> Stamp {
        let seq = self.seq;
        self.seq += 1;
        Stamp { seq, command }
    }

    // ---- writing --------------------------------------------------------------------------------------------

    /// Writes `key`; `value` appends the value to the buffer it is given. A `fresh` key is one that nobody else has
    /// ever seen.
    #[inline]
    pub(crate) fn put_with(
        &mut self,
        key: &[u8],
        fresh: bool,
        command: u32,
        value: impl FnOnce(&mut Vec<u8>) -> PgResult<()>,
    ) -> PgResult<()> {
        let at = self.arena.len();
        if at + self.run_bytes > MAX_BYTES {
            bail!(PROGRAM_LIMIT_EXCEEDED, "transaction is too large");
        }
        if let Err(error) = value(&mut self.arena) {
            self.arena.truncate(at);
            return Err(error);
        }
        let value = Slice { at: at as u32, len: (self.arena.len() - at) as u32 };
        let stamp = self.stamp(command);
        if !self.append_to_run(key, fresh, value, stamp) {
            self.push_version(key, value, stamp);
        }
        Ok(())
    }
    pub(crate) fn put(&mut self, key: &[u8], command: u32, value: &[u8]) -> PgResult<()> {
        self.put_with(key, false, command, |out| {
            out.extend_from_slice(value);
            Ok(())
        })
    }
    pub(crate) fn delete(&mut self, key: &[u8], command: u32) {
        let stamp = self.stamp(command);
        self.push_version(key, Slice::TOMBSTONE, stamp);
    }
    /// Deletes `start <= key < end` (empty `end`: no bound), own writes and stored rows alike.
    pub(crate) fn delete_range(&mut self, start: &[u8], end: &[u8], command: u32) {
        let stamp = self.stamp(command);
        self.ranges.push(RangeDelete { start: start.to_vec(), end: end.to_vec(), stamp });
    }

    fn append_to_run(&mut self, key: &[u8], fresh: bool, value: Slice, stamp: Stamp) -> bool {
        let space = Space::of(key);
        let mut found = None;
        for (at, run) in self.runs.iter().enumerate().filter(|(_, run)| run.space == space) {
            if run.fresh == fresh {
                found = Some(at);
            } else if !fresh && run.get(key).is_some() {
                return false;
            }
        }
        let at = found.unwrap_or_else(|| {
            self.runs.push(Run::new(space, fresh));
            self.runs.len() - 1
        });
        if !self.runs[at].accepts(key) || (!self.map.is_empty() && self.map.contains_key(key)) {
            return false;
        }
        self.runs[at].push(key, value, stamp);
        self.run_bytes += key.len() + Run::ENTRY_BYTES;
        true
    }
    fn push_version(&mut self, key: &[u8], value: Slice, stamp: Stamp) {
        let version = self.versions.len() as u32;
        let chain = match self.map.get(key) {
            Some(chain) => *chain,
            None => {
                let chain = self.heads.len() as u32;
                self.heads.push(NONE);
                self.map.insert(OwnKey::from_slice(key), chain);
                chain
            }
        };
        let prev = std::mem::replace(&mut self.heads[chain as usize], version);
        self.versions.push(Version { chain, prev, stamp, value });
    }

    // ---- reading --------------------------------------------------------------------------------------------

    fn slice(&self, value: Slice) -> Own<'_> {
        if value == Slice::TOMBSTONE {
            return Own::Deleted;
        }
        Own::Put(&self.arena[value.at as usize..(value.at + value.len) as usize])
    }
    /// The newest version in a chain written by a command before `command`.
    fn in_chain(&self, chain: u32, command: u32) -> Option<(Slice, Stamp)> {
        let mut at = self.heads[chain as usize];
        while at != NONE {
            let version = &self.versions[at as usize];
            if version.stamp.command < command {
                return Some((version.value, version.stamp));
            }
            at = version.prev;
        }
        None
    }
    fn in_runs(&self, key: &[u8]) -> Option<(Slice, Stamp)> {
        let space = Space::of(key);
        self.runs.iter().filter(|run| run.space == space).find_map(|run| run.get(key))
    }
    fn find(&self, key: &[u8], command: u32) -> Option<(Slice, Stamp)> {
        if let Some(found) = self.map.get(key).and_then(|chain| self.in_chain(*chain, command)) {
            return Some(found);
        }
        self.in_runs(key).filter(|(_, stamp)| stamp.command < command)
    }
    /// The latest deletion of a range around `key` by a command before `command`.
    fn range_over(&self, key: &[u8], command: u32) -> Option<Stamp> {
        self.ranges.iter().rev().find(|r| r.stamp.command < command && r.covers(key)).map(|r| r.stamp)
    }
    /// What commands before `command` made of `key`; `None`: they did not touch it.
    pub(crate) fn get(&self, key: &[u8], command: u32) -> Option<Own<'_>> {
        if self.is_empty() {
            return None;
        }
        self.resolve(key, self.find(key, command), command).map(|(own, _)| own)
    }
    /// The newest own write of `key` and its command.
    pub(crate) fn newest(&self, key: &[u8]) -> Option<(Own<'_>, u32)> {
        if self.is_empty() {
            return None;
        }
        self.resolve(key, self.find(key, NONE), NONE).map(|(own, stamp)| (own, stamp.command))
    }
    fn resolve(&self, key: &[u8], found: Option<(Slice, Stamp)>, command: u32) -> Option<(Own<'_>, Stamp)> {
        if !self.ranges.is_empty()
            && let Some(range) = self.range_over(key, command)
            && found.is_none_or(|(_, stamp)| stamp.seq < range.seq)
        {
            return Some((Own::Deleted, range));
        }
        found.map(|(value, stamp)| (self.slice(value), stamp))
    }
    /// Whether this transaction itself created the key (and nothing but it ever saw it).
    pub(crate) fn created(&self, key: &[u8]) -> bool {
        let space = Space::of(key);
        self.runs.iter().any(|run| run.fresh && run.space == space && run.get(key).is_some())
    }
    /// Whether anything at all was written between the bounds.
    pub(crate) fn touches(&self, start: &[u8], end: &[u8]) -> bool {
        if self.is_empty() {
            return false;
        }
        let before_end = |key: &[u8]| end.is_empty() || key < end;
        self.map
            .range::<[u8], _>((Bound::Included(start), Bound::Unbounded))
            .next()
            .is_some_and(|(k, _)| before_end(k))
            || self.runs.iter().any(|run| run.overlaps(start, end))
            || self
                .ranges
                .iter()
                .any(|r| before_end(&r.start) && (r.end.is_empty() || start < r.end.as_slice()))
    }
    /// The ranges that commands before `command` deleted.
    pub(crate) fn deleted_ranges(&self, command: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        let visible = self.ranges.iter().filter(|r| r.stamp.command < command);
        visible.map(|r| (r.start.clone(), r.end.clone())).collect()
    }

    /// Appends up to `max` keys between the bounds to `out`, in the given direction, with what commands before
    /// `command` made of them; `deleted` tells which are deletions. False: there are no more.
    pub(crate) fn collect(&self, want: &Collect<'_>, out: &mut KvBatch, deleted: &mut Vec<bool>) -> bool {
        let upper = if want.end.is_empty() { Bound::Unbounded } else { Bound::Excluded(want.end) };
        if !want.end.is_empty() && want.start >= want.end {
            return false;
        }
        let mut map = self.map.range::<[u8], _>((Bound::Included(want.start), upper));
        let mut next_map = || {
            let next = if want.reverse { map.next_back() } else { map.next() };
            next.map(|(key, chain)| (key.as_slice(), *chain))
        };
        let mut runs: SmallVec<[run::Walk<'_>; 2]> =
            self.runs.iter().filter_map(|run| run.walk(want.start, want.end, want.reverse)).collect();
        let mut from_map = next_map();
        while out.len() < want.max {
            let by_key = |a: &&mut run::Walk<'_>, b: &&mut run::Walk<'_>| a.key().cmp(b.key());
            let walks = runs.iter_mut().filter(|walk| !walk.is_done());
            let nearest = if want.reverse { walks.max_by(by_key) } else { walks.min_by(by_key) };
            let run_key = nearest.as_ref().map(|walk| walk.key());
            let order = match (from_map, run_key) {
                (None, None) => return false,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((map_key, _)), Some(run_key)) if want.reverse => run_key.cmp(map_key),
                (Some((map_key, _)), Some(run_key)) => map_key.cmp(run_key),
            };
            let mut found = None;
            let mut key: &[u8] = &[];
            if order.is_ge()
                && let Some(walk) = nearest
            {
                key = walk.key();
                found = Some(walk.take()).filter(|(_, stamp)| stamp.command < want.command);
            }
            if order.is_le()
                && let Some((map_key, chain)) = from_map
            {
                key = map_key;
                found = self.in_chain(chain, want.command).or(found);
                from_map = next_map();
            }
            if found.is_none() {
                continue;
            }
            match self.resolve(key, found, want.command) {
                Some((Own::Put(value), _)) => {
                    out.push(key, value, Timestamp::ZERO);
                    deleted.push(false);
                }
                Some((Own::Deleted, _)) => {
                    out.push(key, &[], Timestamp::ZERO);
                    deleted.push(true);
                }
                None => {}
            }
        }
        true
    }

    // ---- savepoints and the end -----------------------------------------------------------------------------

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            seq: self.seq,
            arena: self.arena.len(),
            versions: self.versions.len(),
            ranges: self.ranges.len(),
            runs: self.runs.iter().map(|run| run.len() as u32).collect(),
        }
    }
    pub(crate) fn rollback(&mut self, mark: &Mark) {
        for version in self.versions.drain(mark.versions..).rev() {
            self.heads[version.chain as usize] = version.prev;
        }
        for (i, run) in self.runs.iter_mut().enumerate() {
            self.run_bytes -= run.truncate(mark.runs.get(i).map_or(0, |len| *len as usize));
        }
        self.ranges.truncate(mark.ranges);
        self.arena.truncate(mark.arena);
        self.seq = mark.seq;
    }
    /// Everything as one batch for the store: range deletions, then the last word on every key. Without the fresh
    /// keys if those go another way ([`fresh_rows`](Self::fresh_rows)).
    pub(crate) fn to_batch(&self, extra: usize, with_fresh: bool) -> WriteBatch {
        let runs = || self.runs.iter().filter(|run| with_fresh || !run.fresh);
        let size: usize = runs().map(Run::bytes).sum();
        let values = if with_fresh { self.arena.len() } else { 0 };
        let mut batch = WriteBatch::with_capacity(values + size + self.map.len() * 64 + extra);
        for range in &self.ranges {
            if range.end.is_empty() {
                // Why: the store wants an end; no key of ours is as long as this one.
                batch.delete_range(&range.start, &[0xff; 64]);
            } else {
                batch.delete_range(&range.start, &range.end);
            }
        }
        for run in runs() {
            for (key, value, stamp) in run.iter() {
                if let Some(value) = self.in_force(key, value, stamp) {
                    batch.put(key, value);
                }
            }
        }
        for (key, chain) in &self.map {
            let Some(found) = self.in_chain(*chain, NONE) else { continue };
            match self.resolve(key, Some(found), NONE) {
                Some((Own::Put(value), _)) => batch.put(key, value),
                Some((Own::Deleted, _)) => batch.delete(key),
                None => {}
            }
        }
        batch
    }
    /// The value of a run's entry, if nothing written later overrides it.
    #[inline]
    fn in_force(&self, key: &[u8], value: Slice, stamp: Stamp) -> Option<&[u8]> {
        if !self.map.is_empty() && self.map.get(key).is_some_and(|chain| self.heads[*chain as usize] != NONE)
        {
            return None;
        }
        match self.resolve(key, Some((value, stamp)), NONE) {
            Some((Own::Put(value), _)) => Some(value),
            _ => None,
        }
    }
    /// Bytes of fresh keys and their values, about.
    pub(crate) fn fresh_bytes(&self) -> usize {
        self.runs.iter().filter(|run| run.fresh).map(Run::bytes).sum()
    }
    /// The fresh keys in order, for a bulk load.
    pub(crate) fn fresh_rows(&self) -> FreshRows<'_> {
        let mut runs: Vec<&Run> = self.runs.iter().filter(|run| run.fresh && run.len() > 0).collect();
        runs.sort_by_key(|run| run.space);
        FreshRows { writes: self, runs, run: 0, at: 0 }
    }
}

/// The fresh keys of a write set in ascending order.
pub(crate) struct FreshRows<'a> {
    writes: &'a WriteSet,
    runs: Vec<&'a Run>,
    run: usize,
    at: usize,
}

impl SortedRows for FreshRows<'_> {
    fn next_row(&mut self) -> PgResult<Option<(&[u8], &[u8])>> {
        while let Some(run) = self.runs.get(self.run) {
            if self.at == run.len() {
                self.run += 1;
                self.at = 0;
                continue;
            }
            let (key, value, stamp) = run.entry(self.at);
            self.at += 1;
            if let Some(value) = self.writes.in_force(key, value, stamp) {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

/// What [`WriteSet::collect`] is to gather.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Collect<'a> {
    pub(crate) start: &'a [u8],
    /// Exclusive; empty is unbounded.
    pub(crate) end: &'a [u8],
    pub(crate) command: u32,
    pub(crate) reverse: bool,
    pub(crate) max: usize,
}

#[cfg(test)]
mod tests;
