//! The first bytes of a sorted list of keys as integers, for binary search without touching the keys.
//!
//! The bytes that all keys share are left out; the next eight of each make an integer. Keys whose integers are equal
//! are told apart by the caller.

use super::block::common_prefix;

#[derive(Default)]
pub(super) struct Heads {
    prefix: Vec<u8>,
    heads: Vec<u64>,
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
    /// `key(i)` for `i` in `0..len` must be ascending.
    pub(super) fn new<'a>(len: usize, key: impl Fn(usize) -> Option<&'a [u8]>) -> Option<Heads> {
        let Some(last) = len.checked_sub(1) else { return Some(Heads::default()) };
        let (first, last) = (key(0)?, key(last)?);
        let shared = common_prefix(first, last);
        let heads =
            (0..len).map(|i| key(i).and_then(|key| key.get(shared..)).map(head)).collect::<Option<_>>()?;
        Some(Heads { prefix: first[..shared].to_vec(), heads })
    }

    /// The number of keys less than `key`; `less(i)` tells whether the i-th is, where the integers do not.
    #[inline]
    pub(super) fn below(&self, key: &[u8], less: impl Fn(usize) -> bool) -> usize {
        let shared = self.prefix.len();
        if key.len() < shared || key[..shared] != *self.prefix {
            return if *key < *self.prefix { 0 } else { self.heads.len() };
        }
        let sought = head(&key[shared..]);
        let (mut low, mut high) = (0, self.heads.len());
        while low < high {
            let middle = (low + high) / 2;
            let here = self.heads[middle];
            if here < sought || (here == sought && less(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
