//! Blocked bloom filters: all probes of a key fall into one cache line.

const LINE: usize = 64;
const BITS_PER_KEY: usize = 10;
const PROBES: usize = 6;

/// A 64-bit hash of a key.
#[inline]
pub(super) fn hash(key: &[u8]) -> u64 {
    const M1: u64 = 0x9e37_79b9_7f4a_7c15;
    const M2: u64 = 0xd6e8_feb8_6659_fd93;
    let mut state = (key.len() as u64).wrapping_mul(M2);
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), M1);
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        state = fold(state ^ u64::from_le_bytes(last), M1);
    }
    fold(state ^ M2, M1)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// A filter over the keys of one table.
pub(super) struct Bloom(Vec<u8>);

impl Bloom {
    pub(super) fn build(hashes: &[u64]) -> Bloom {
        let lines = (hashes.len() * BITS_PER_KEY).div_ceil(LINE * 8);
        let mut bloom = Bloom(vec![0; lines * LINE]);
        for &hash in hashes {
            let line = bloom.line(hash);
            for bit in probes(hash) {
                bloom.0[line + bit / 8] |= 1 << (bit % 8);
            }
        }
        bloom
    }
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Bloom {
        Bloom(bytes)
    }
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
    #[inline]
    fn line(&self, hash: u64) -> usize {
        let lines = (self.0.len() / LINE) as u64;
        (((hash >> 32) * lines) >> 32) as usize * LINE
    }
    /// `false`: the key is not in the table.
    #[inline]
    pub(super) fn may_contain(&self, hash: u64) -> bool {
        if self.0.len() < LINE {
            return false;
        }
        let line = self.line(hash);
        probes(hash).all(|bit| self.0[line + bit / 8] >> (bit % 8) & 1 != 0)
    }
}

#[inline]
fn probes(hash: u64) -> impl Iterator<Item = usize> {
    let (mut at, step) = (hash as u32, (hash as u32).rotate_left(17) | 1);
    (0..PROBES).map(move |_| {
        at = at.wrapping_mul(0x9e37_79b1).wrapping_add(step);
        (at >> 23) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_false_negatives_and_few_false_positives() {
        let keys = |from: u64| (from..from + 20_000).map(|i| hash(&i.to_be_bytes()));
        let bloom = Bloom::build(&keys(0).collect::<Vec<_>>());
        assert!(keys(0).all(|h| bloom.may_contain(h)));
        let wrong = keys(1 << 40).filter(|&h| bloom.may_contain(h)).count();
        assert!(wrong < 600, "{wrong} of 20000");
    }
}
