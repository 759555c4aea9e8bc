//! Key ranges of unique indexes that are known to hold nothing: what makes the unique check of a bulk load cheap.
//!
//! A gap is what one look at the store found: no committed entry between two keys, as of a commit timestamp. While
//! nothing else is published that stays true, so further keys inside it need no look at the store; the transaction's
//! own writes are checked apart.
//!
//! Invariant: a gap is believed only while the store's published timestamp is the one it was found at, read after the
//! key's lock was taken: a rival publishes before he gives the lock back.

use pglite_storage::Timestamp;
use smallvec::SmallVec;

use crate::layout::Space;

/// Checks of one index that no gap answered before the first look for one.
const FIRST_LOOK: u32 = 8;
const LAST_LOOK: u32 = 4096;

#[derive(Debug)]
struct Gap {
    space: Space,
    ts: Timestamp,
    start: Vec<u8>,
    /// Exclusive.
    end: Vec<u8>,
    /// Unanswered checks since the last look, and how many to wait for.
    missed: u32,
    wait: u32,
}

/// One gap for each index the transaction inserts into.
#[derive(Debug, Default)]
pub(crate) struct Gaps(SmallVec<[Gap; 2]>);

impl Gaps {
    /// Whether the store, at `ts`, is known to have no key with `start <= key < end`.
    #[inline]
    pub(crate) fn is_empty(&self, space: Space, ts: Timestamp, start: &[u8], end: &[u8]) -> bool {
        self.0.iter().any(|gap| {
            gap.space == space && gap.ts == ts && *gap.start <= *start && !end.is_empty() && *end <= *gap.end
        })
    }

    /// Counts a check that no gap answered; true: it is time to look for a gap.
    pub(crate) fn missed(&mut self, space: Space) -> bool {
        let gap = match self.0.iter_mut().position(|gap| gap.space == space) {
            Some(at) => &mut self.0[at],
            None => {
                let (start, end) = (Vec::new(), Vec::new());
                let ts = Timestamp::ZERO;
                self.0.push(Gap { space, ts, start, end, missed: 0, wait: FIRST_LOOK });
                let last = self.0.len() - 1;
                &mut self.0[last]
            }
        };
        gap.missed += 1;
        gap.missed >= gap.wait
    }

    /// Remembers what a look found. Looks that are of no use become rare.
    pub(crate) fn found(&mut self, space: Space, ts: Timestamp, start: &[u8], end: &[u8]) {
        let Some(gap) = self.0.iter_mut().find(|gap| gap.space == space) else { return };
        gap.ts = ts;
        gap.start = start.to_vec();
        gap.end = end.to_vec();
        gap.missed = 0;
        gap.wait = (gap.wait * 2).min(LAST_LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_holds_for_its_space_time_and_bounds() {
        let (one, two) = (Space::of(&[0, 0, 0, 1, 0, 0, 0, 1, 9]), Space::of(&[0, 0, 0, 1, 0, 0, 0, 2, 9]));
        let mut gaps = Gaps::default();
        assert!((1..FIRST_LOOK).all(|_| !gaps.missed(one)));
        assert!(gaps.missed(one));
        gaps.found(one, Timestamp(7), b"b", b"k");
        assert!(gaps.is_empty(one, Timestamp(7), b"b", b"c"));
        assert!(gaps.is_empty(one, Timestamp(7), b"c", b"k"));
        assert!(!gaps.is_empty(one, Timestamp(8), b"c", b"d"));
        assert!(!gaps.is_empty(two, Timestamp(7), b"c", b"d"));
        assert!(!gaps.is_empty(one, Timestamp(7), b"a", b"d"));
        assert!(!gaps.is_empty(one, Timestamp(7), b"c", b"l"));
        assert!(!gaps.is_empty(one, Timestamp(7), b"c", b""));
        assert!((1..FIRST_LOOK * 2).all(|_| !gaps.missed(one)));
        assert!(gaps.missed(one));
    }
}
