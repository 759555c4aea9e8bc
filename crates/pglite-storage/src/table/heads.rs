//! The first bytes of a sorted list of keys as integers, for binary search without touching the keys.
//!
//! The bytes that all keys share are left out (up to a limit, so that they fit inline); the next eight of each make an
//! integer. Keys whose integers are equal are told apart by the caller.

use super::block::common_prefix;

const MAX_PREFIX: usize = 23;

#[derive(Clone, Copy)]
struct Head {
    key: u64,
    /// What the caller wants to know of this key.
    place: u32,
}

#[derive(Default)]
pub(super) struct Heads {
    prefix: [u8; MAX_PREFIX],
    shared: u8,
    heads: Box<[Head]>,
}

#[inline]
fn head(key: &[u8]) -> u64 {
    match key.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut padded = [0; 8];
            padded[..key.len()].copy_from_slice(key);
            u64::from_be_bytes(padded)
        }
    }
}

impl Heads {
    /// `key(i)` for `i` in `0..len` must be ascending; it comes with the place that [`place`](Self::place) answers.
    pub(super) fn new<'a>(len: usize, key: impl Fn(usize) -> Option<(&'a [u8], u32)>) -> Option<Heads> {
        let Some(last) = len.checked_sub(1) else { return Some(Heads::default()) };
        let (first, last) = (key(0)?.0, key(last)?.0);
        let shared = common_prefix(first, last).min(MAX_PREFIX);
        let head = |i| key(i).and_then(|(key, place)| Some(Head { key: head(key.get(shared..)?), place }));
        let heads = (0..len).map(head).collect::<Option<_>>()?;
        let mut prefix = [0; MAX_PREFIX];
        prefix[..shared].copy_from_slice(&first[..shared]);
        Some(Heads { prefix, shared: shared as u8, heads })
    }

    #[inline]
    pub(super) fn place(&self, i: usize) -> Option<u32> {
        self.heads.get(i).map(|head| head.place)
    }

    /// The number of keys less than `key`; `less(i)` tells whether the i-th is, where the integers do not.
    #[inline]
    pub(super) fn below(&self, key: &[u8], less: impl Fn(usize) -> bool) -> usize {
        let shared = self.shared as usize;
        let prefix = &self.prefix[..shared];
        if key.len() < shared || key[..shared] != *prefix {
            return if key < prefix { 0 } else { self.heads.len() };
        }
        let sought = head(&key[shared..]);
        let (mut low, mut high) = (0, self.heads.len());
        while low < high {
            let middle = (low + high) / 2;
            let here = self.heads[middle].key;
            if here < sought || (here == sought && less(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
