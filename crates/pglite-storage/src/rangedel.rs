//! Range deletions, kept as non-overlapping fragments.
//!
//! A deletion of a range at version T hides the versions older than T of every key in it. Overlapping deletions are
//! cut into fragments; each fragment lists its deletions' versions, newest first.
//!
//! Invariant: fragments are sorted by start and do not overlap.

use std::collections::BTreeMap;
use std::ops::Bound;

#[derive(Clone, Debug)]
struct Fragment {
    end: Box<[u8]>,
    /// Newest first.
    versions: Vec<u64>,
}

/// A set of range deletions.
#[derive(Clone, Debug, Default)]
pub(crate) struct RangeDels {
    fragments: BTreeMap<Box<[u8]>, Fragment>,
}

impl RangeDels {
    pub(crate) fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    /// Adds the deletion of `start..end` at version `ts`.
    pub(crate) fn insert(&mut self, start: &[u8], end: &[u8], ts: u64) {
        if start >= end {
            return;
        }
        self.split_at(start);
        self.split_at(end);
        let mut at: Box<[u8]> = start.into();
        while *at < *end {
            let next =
                self.fragments.range_mut::<[u8], _>((Bound::Included(&*at), Bound::Excluded(end))).next();
            match next {
                Some((from, fragment)) if **from == *at => {
                    if let Err(place) = fragment.versions.binary_search_by(|v| ts.cmp(v)) {
                        fragment.versions.insert(place, ts);
                    }
                    at = fragment.end.clone();
                }
                gap => {
                    let gap_end: Box<[u8]> = gap.map_or_else(|| end.into(), |(from, _)| from.clone());
                    self.fragments.insert(at, Fragment { end: gap_end.clone(), versions: vec![ts] });
                    at = gap_end;
                }
            }
        }
    }

    /// Makes `key` a fragment boundary if it is inside one.
    fn split_at(&mut self, key: &[u8]) {
        let before =
            self.fragments.range_mut::<[u8], _>((Bound::Unbounded, Bound::Excluded(key))).next_back();
        if let Some((_, fragment)) = before
            && *fragment.end > *key
        {
            let right = fragment.clone();
            fragment.end = key.into();
            self.fragments.insert(key.into(), right);
        }
    }

    /// The newest deletion not newer than `at` that covers `key`; 0 if none.
    #[inline]
    pub(crate) fn covering(&self, key: &[u8], at: u64) -> u64 {
        match self.fragments.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back() {
            Some((_, fragment)) if *fragment.end > *key => newest_at(&fragment.versions, at),
            _ => 0,
        }
    }

    /// All deletions as (start, end, version).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8], u64)> + '_ {
        self.fragments.iter().flat_map(|(start, fragment)| {
            fragment.versions.iter().map(move |&ts| (&**start, &*fragment.end, ts))
        })
    }

    /// The deletions that touch `start..end` (empty `end`: unbounded), as (start, end, version).
    pub(crate) fn overlapping<'a>(
        &'a self,
        start: &'a [u8],
        end: &'a [u8],
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8], u64)> + 'a {
        self.fragments
            .range::<[u8], _>((Bound::Unbounded, Bound::Included(start)))
            .next_back()
            .into_iter()
            .chain(self.fragments.range::<[u8], _>((Bound::Excluded(start), Bound::Unbounded)))
            .take_while(move |(from, _)| end.is_empty() || ***from < *end)
            .filter(move |(_, fragment)| *fragment.end > *start)
            .flat_map(|(from, fragment)| {
                fragment.versions.iter().map(move |&ts| (&**from, &*fragment.end, ts))
            })
    }

    /// First start and last end.
    pub(crate) fn bounds(&self) -> Option<(&[u8], &[u8])> {
        let (first, _) = self.fragments.first_key_value()?;
        let (_, last) = self.fragments.last_key_value()?;
        Some((first, &last.end))
    }
}

#[inline]
fn newest_at(versions: &[u64], at: u64) -> u64 {
    versions.iter().copied().find(|&v| v <= at).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Rng, SeededRng};

    #[test]
    fn agrees_with_a_list() {
        for seed in 0..200 {
            let rng = SeededRng::new(seed);
            let mut set = RangeDels::default();
            let mut list = Vec::new();
            for ts in 1..12u64 {
                let (a, b) = ((rng.next_u64() % 20) as u8, (rng.next_u64() % 20) as u8);
                set.insert(&[a], &[b], ts);
                list.push((a, b, ts));
            }
            for key in 0..20u8 {
                for at in 0..13 {
                    let expected = list
                        .iter()
                        .filter(|(a, b, ts)| *a <= key && key < *b && *ts <= at)
                        .map(|r| r.2)
                        .max();
                    assert_eq!(set.covering(&[key], at), expected.unwrap_or(0));
                    let touched = set
                        .overlapping(&[key], &[key + 1])
                        .filter(|(s, e, ts)| *s <= &[key][..] && &[key][..] < *e && *ts <= at)
                        .map(|r| r.2)
                        .max();
                    assert_eq!(touched, expected);
                }
            }
        }
    }
}
