//! The values that cross the engine's edge: timestamps, refcounted values, batches of rows.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

mod value;
pub use value::Value;

/// A commit timestamp: the version number of everything the commit wrote. 0 is before every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    pub const ZERO: Timestamp = Timestamp(0);
    /// Sees every version.
    pub const MAX: Timestamp = Timestamp(u64::MAX);
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The way a cursor runs through its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Reverse,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    key_end: u32,
    value_end: u32,
    ts: u64,
}

/// Rows from a cursor, keys and values side by side in one buffer; reused from call to call.
#[derive(Clone, Debug, Default)]
pub struct KvBatch {
    data: Vec<u8>,
    entries: Vec<Entry>,
}

impl KvBatch {
    pub fn new() -> KvBatch {
        KvBatch::default()
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    pub fn clear(&mut self) {
        self.data.clear();
        self.entries.clear();
    }
    /// Bytes of keys and values held.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }
    #[inline]
    pub fn key(&self, i: usize) -> &[u8] {
        let e = self.entries[i];
        &self.data[e.start as usize..e.key_end as usize]
    }
    #[inline]
    pub fn value(&self, i: usize) -> &[u8] {
        let e = self.entries[i];
        &self.data[e.key_end as usize..e.value_end as usize]
    }
    #[inline]
    pub fn ts(&self, i: usize) -> Timestamp {
        Timestamp(self.entries[i].ts)
    }
    /// Key, value and version of each row.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8], Timestamp)> + '_ {
        self.entries.iter().map(|e| {
            (
                &self.data[e.start as usize..e.key_end as usize],
                &self.data[e.key_end as usize..e.value_end as usize],
                Timestamp(e.ts),
            )
        })
    }
    /// Appends a row.
    #[inline]
    pub fn push(&mut self, key: &[u8], value: &[u8], ts: Timestamp) {
        let start = self.data.len();
        self.data.reserve(key.len() + value.len());
        self.data.extend_from_slice(key);
        self.data.extend_from_slice(value);
        self.entries.push(Entry {
            start: start as u32,
            key_end: (start + key.len()) as u32,
            value_end: (start + key.len() + value.len()) as u32,
            ts: ts.0,
        });
    }
}
