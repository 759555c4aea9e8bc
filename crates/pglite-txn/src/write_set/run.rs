//! A run: keys of one space that were written in ascending order, kept flat.
//!
//! New rows come with ascending ids, so an INSERT or COPY of a million rows is two appends a row here.

use super::{Slice, Stamp};
use crate::layout::Space;

#[derive(Clone, Copy, Debug)]
struct Entry {
    key_end: u32,
    value: Slice,
    stamp: Stamp,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) space: Space,
    /// Whether nobody else has ever seen these keys.
    pub(super) fresh: bool,
    keys: Vec<u8>,
    entries: Vec<Entry>,
}

impl Run {
    pub(super) const ENTRY_BYTES: usize = size_of::<Entry>();

    pub(super) fn new(space: Space, fresh: bool) -> Run {
        Run { space, fresh, keys: Vec::new(), entries: Vec::new() }
    }
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
    #[inline]
    fn key(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.entries[i - 1].key_end };
        &self.keys[start as usize..self.entries[i].key_end as usize]
    }
    /// Whether `key` comes after everything here.
    #[inline]
    pub(super) fn accepts(&self, key: &[u8]) -> bool {
        self.entries.is_empty() || self.key(self.entries.len() - 1) < key
    }
    #[inline]
    pub(super) fn push(&mut self, key: &[u8], value: Slice, stamp: Stamp) {
        self.keys.extend_from_slice(key);
        self.entries.push(Entry { key_end: self.keys.len() as u32, value, stamp });
    }
    /// The first entry with a key of at least `key`.
    fn lower_bound(&self, key: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
    pub(super) fn get(&self, key: &[u8]) -> Option<(Slice, Stamp)> {
        let at = self.lower_bound(key);
        (at < self.len() && self.key(at) == key).then(|| (self.entries[at].value, self.entries[at].stamp))
    }
    pub(super) fn overlaps(&self, start: &[u8], end: &[u8]) -> bool {
        self.walk(start, end, false).is_some()
    }
    #[inline]
    pub(super) fn entry(&self, i: usize) -> (&[u8], Slice, Stamp) {
        let entry = &self.entries[i];
        (self.key(i), entry.value, entry.stamp)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Slice, Stamp)> {
        (0..self.len()).map(|i| self.entry(i))
    }
    /// Bytes of the keys and, as the arena holds them back to back, nearly all of the values.
    pub(super) fn bytes(&self) -> usize {
        let value = |e: &Entry| e.value.at as usize + e.value.len as usize;
        let (first, last) = (self.entries.first(), self.entries.last());
        let values = first.zip(last).map_or(0, |(first, last)| value(last) - first.value.at as usize);
        self.keys.len() + values + 8 * self.len()
    }
    /// Drops the entries from `len` on; returns the bytes they took.
    pub(super) fn truncate(&mut self, len: usize) -> usize {
        if len >= self.len() {
            return 0;
        }
        let dropped = self.len() - len;
        let keys = self.keys.len();
        self.entries.truncate(len);
        self.keys.truncate(self.entries.last().map_or(0, |e| e.key_end as usize));
        keys - self.keys.len() + dropped * Self::ENTRY_BYTES
    }
    /// A walk over the keys between the bounds; `None` if there are none.
    pub(super) fn walk(&self, start: &[u8], end: &[u8], reverse: bool) -> Option<Walk<'_>> {
        let last = self.len().checked_sub(1)?;
        if self.key(last) < start || (!end.is_empty() && self.key(0) >= end) {
            return None;
        }
        let low = self.lower_bound(start);
        let high = if end.is_empty() { self.len() } else { self.lower_bound(end) };
        (low < high).then_some(Walk { run: self, low, high, reverse })
    }
}

/// A position in a part of a run.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    run: &'a Run,
    low: usize,
    high: usize,
    reverse: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn is_done(&self) -> bool {
        self.low >= self.high
    }
    fn at(&self) -> usize {
        if self.reverse { self.high - 1 } else { self.low }
    }
    /// The key it stands on; it must not be done.
    pub(super) fn key(&self) -> &'a [u8] {
        self.run.key(self.at())
    }
    pub(super) fn take(&mut self) -> (Slice, Stamp) {
        let entry = &self.run.entries[self.at()];
        if self.reverse {
            self.high -= 1;
        } else {
            self.low += 1;
        }
        (entry.value, entry.stamp)
    }
}
