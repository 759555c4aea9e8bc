//! Data blocks: versions with prefix-compressed keys and restart points.
//!
//! ```text
//!   entry ... entry | restart offset u32 ... | restarts u32
//!   entry := shared varint | unshared varint | (value length << 2 | kind) varint | ts - base varint | key rest | value
//! ```
//! At a restart `shared` is 0. Order: key ascending, newest version first.
//!
//! Invariant: a decoder never reads outside the block, whatever its bytes.

use super::heads::Heads;
use crate::memtable::Kind;
use pglite_codec::varint;
use std::cmp::Ordering as Order;

/// Entries between restarts.
pub(super) const RESTART_INTERVAL: usize = 8;

const KIND_PUT: u64 = 0;
const KIND_DELETE: u64 = 1;
const KIND_BLOB: u64 = 2;

/// An unpacked data block.
pub(crate) struct Block {
    data: Vec<u8>,
    /// End of the entries.
    end: usize,
    /// The keys at the restarts.
    heads: Heads,
}

/// A version found in a block; the value is `block.data()[start..end]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) ts: u64,
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The head of an entry.
#[derive(Clone, Copy)]
pub(super) struct EntryHead {
    pub(super) shared: usize,
    pub(super) ts_delta: u64,
    pub(super) kind: Kind,
    pub(super) key_start: usize,
    pub(super) key_end: usize,
    /// End of the value, start of the next entry.
    pub(super) end: usize,
}

impl Block {
    pub(super) fn new(data: Vec<u8>) -> Option<Block> {
        let at = data.len().checked_sub(4)?;
        let restarts = u32::from_le_bytes(data[at..].try_into().ok()?) as usize;
        let end = at.checked_sub(restarts.checked_mul(4)?)?;
        if restarts == 0 {
            return None;
        }
        let mut block = Block { data, end, heads: Heads::default() };
        block.heads = Heads::new(restarts, |i| Some((block.restart_key(i)?, block.restart(i)? as u32)))?;
        Some(block)
    }
    #[inline]
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }
    /// Memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.data.capacity() + size_of::<Block>() + 32 + self.data.len() / 64
    }
    /// Where the entries end.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Decodes the head of the entry at `at`, which must be below `end`.
    #[inline(always)]
    pub(super) fn entry(&self, at: usize) -> Option<EntryHead> {
        let data = &self.data[..self.end];
        let mut pos = at;
        let shared = varint::read_u64(data, &mut pos)? as usize;
        let unshared = varint::read_u64(data, &mut pos)? as usize;
        let tag = varint::read_u64(data, &mut pos)?;
        let ts_delta = varint::read_u64(data, &mut pos)?;
        let key_end = pos.checked_add(unshared)?;
        let end = key_end.checked_add((tag >> 2) as usize)?;
        if end > self.end {
            return None;
        }
        let kind = match tag & 3 {
            KIND_PUT => Kind::Put,
            KIND_DELETE => Kind::Delete,
            KIND_BLOB => Kind::Blob,
            _ => return None,
        };
        Some(EntryHead { shared, ts_delta, kind, key_start: pos, key_end, end })
    }

    #[inline]
    fn restart(&self, i: usize) -> Option<usize> {
        let at = self.end + i * 4;
        let bytes = self.data.get(at..at + 4)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    /// The offset of the last restart whose key is less than `key` (the first one if none is).
    pub(super) fn restart_before(&self, key: &[u8]) -> Option<usize> {
        let below = self.heads.below(key, |i| self.restart_key(i).is_some_and(|at| at < key));
        self.heads.place(below.saturating_sub(1)).map(|place| place as usize)
    }

    fn restart_key(&self, i: usize) -> Option<&[u8]> {
        let head = self.entry(self.restart(i)?)?;
        Some(&self.data[head.key_start..head.key_end])
    }

    /// The newest version of `key` not newer than `at`. The outer `None` means that the block is damaged.
    ///
    /// Keys are not put together: from the length of the prefix that the entry before has in common with the sought
    /// key, an entry's `shared` tells the order without looking at the bytes, unless both are equal.
    pub(super) fn find(&self, key: &[u8], at: u64, base_ts: u64) -> Option<Option<Found>> {
        let mut pos = self.restart_before(key)?;
        // Bytes that the key of the entry before shares with `key`, and whether it was the whole key.
        let mut matched = 0;
        let mut reached = false;
        while pos < self.end {
            let head = self.entry(pos)?;
            let rest = &self.data[head.key_start..head.key_end];
            let order = if head.shared == 0 {
                matched = common_prefix(rest, key);
                order_at(rest, key, matched)
            } else if reached {
                if head.shared == key.len() && rest.is_empty() { Order::Equal } else { Order::Greater }
            } else {
                match head.shared.cmp(&matched) {
                    Order::Less => Order::Greater,
                    Order::Greater => Order::Less,
                    Order::Equal => {
                        let target = key.get(matched..)?;
                        let more = common_prefix(rest, target);
                        matched += more;
                        order_at(rest, target, more)
                    }
                }
            };
            match order {
                Order::Less => {}
                Order::Greater => return Some(None),
                Order::Equal => {
                    reached = true;
                    let ts = base_ts.wrapping_add(head.ts_delta);
                    if ts <= at {
                        return Some(Some(Found { ts, kind: head.kind, start: head.key_end, end: head.end }));
                    }
                }
            }
            pos = head.end;
        }
        Some(None)
    }
}

/// The number of leading bytes two keys share.
#[inline]
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let len = a.len().min(b.len());
    let mut at = 0;
    while at + 8 <= len {
        let (x, y) = (word(a, at), word(b, at));
        if x != y {
            return at + ((x ^ y).trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < len && a[at] == b[at] {
        at += 1;
    }
    at
}

#[inline]
fn word(data: &[u8], at: usize) -> u64 {
    data[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The order of `a` to `b`, whose first `shared` bytes are equal and whose next ones are not.
#[inline]
fn order_at(a: &[u8], b: &[u8], shared: usize) -> Order {
    a.get(shared).cmp(&b.get(shared))
}

/// Builds a block.
#[derive(Default)]
pub(super) struct BlockBuilder {
    data: Vec<u8>,
    restarts: Vec<u32>,
    count: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    pub(super) fn add(&mut self, key: &[u8], ts_delta: u64, kind: Kind, value: &[u8]) {
        let shared = if self.count.is_multiple_of(RESTART_INTERVAL) {
            self.restarts.push(self.data.len() as u32);
            0
        } else {
            common_prefix(key, &self.last_key)
        };
        self.count += 1;
        varint::write_u64(&mut self.data, shared as u64);
        varint::write_u64(&mut self.data, (key.len() - shared) as u64);
        let kind = match kind {
            Kind::Put => KIND_PUT,
            Kind::Delete => KIND_DELETE,
            Kind::Blob => KIND_BLOB,
        };
        varint::write_u64(&mut self.data, (value.len() as u64) << 2 | kind);
        varint::write_u64(&mut self.data, ts_delta);
        self.data.extend_from_slice(&key[shared..]);
        self.data.extend_from_slice(value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&key[shared..]);
    }
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
    pub(super) fn bytes(&self) -> usize {
        self.data.len() + self.restarts.len() * 4
    }
    pub(super) fn last_key(&self) -> &[u8] {
        &self.last_key
    }
    /// The finished block; the builder is empty afterwards.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.clear();
        out.append(&mut self.data);
        for restart in self.restarts.drain(..) {
            out.extend_from_slice(&restart.to_le_bytes());
        }
        let restarts = self.count.div_ceil(RESTART_INTERVAL) as u32;
        out.extend_from_slice(&restarts.to_le_bytes());
        self.count = 0;
        self.last_key.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Rng, SeededRng};

    #[test]
    fn finds_what_a_list_finds() {
        for seed in 0..60 {
            let rng = SeededRng::new(seed);
            let mut entries: Vec<(Vec<u8>, u64)> = (0..rng.next_u64() % 120 + 1)
                .map(|_| {
                    let len = rng.next_u64() % 6;
                    ((0..len).map(|_| (rng.next_u64() % 3) as u8).collect(), 1 + rng.next_u64() % 9)
                })
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            entries.dedup();
            let mut builder = BlockBuilder::default();
            for (key, ts) in &entries {
                builder.add(key, *ts, Kind::Put, &[key.len() as u8, *ts as u8]);
            }
            let mut raw = Vec::new();
            builder.finish(&mut raw);
            let block = Block::new(raw).unwrap();
            for _ in 0..300 {
                let len = rng.next_u64() % 6;
                let key: Vec<u8> = (0..len).map(|_| (rng.next_u64() % 3) as u8).collect();
                let at = rng.next_u64() % 11;
                let expected = entries.iter().find(|(k, ts)| *k == key && *ts <= at);
                let found = block.find(&key, at, 0).unwrap();
                assert_eq!(found.map(|f| f.ts), expected.map(|e| e.1), "{key:?} at {at}");
                if let Some(f) = found {
                    assert_eq!(&block.data()[f.start..f.end], &[len as u8, f.ts as u8]);
                }
            }
        }
    }
}
