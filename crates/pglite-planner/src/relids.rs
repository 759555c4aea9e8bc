//! `Relids`: a set of range table indexes. Queries with at most 63 relations never allocate for it.

use std::fmt;

/// A set of small integers (range table indexes).
///
/// Invariant: `hi` has no trailing zero words, so that equality and hashing are structural.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Relids {
    lo: u64,
    hi: Vec<u64>,
}

impl Relids {
    pub fn new() -> Relids {
        Relids::default()
    }
    pub fn single(i: u32) -> Relids {
        let mut r = Relids::new();
        r.insert(i);
        r
    }
    pub fn is_empty(&self) -> bool {
        self.lo == 0 && self.hi.is_empty()
    }
    pub fn insert(&mut self, i: u32) {
        if i < 64 {
            self.lo |= 1 << i;
        } else {
            let word = (i / 64 - 1) as usize;
            if self.hi.len() <= word {
                self.hi.resize(word + 1, 0);
            }
            self.hi[word] |= 1 << (i % 64);
        }
    }
    pub fn remove(&mut self, i: u32) {
        if i < 64 {
            self.lo &= !(1 << i);
        } else if let Some(w) = self.hi.get_mut((i / 64 - 1) as usize) {
            *w &= !(1 << (i % 64));
            self.trim();
        }
    }
    fn trim(&mut self) {
        while self.hi.last() == Some(&0) {
            self.hi.pop();
        }
    }
    pub fn contains(&self, i: u32) -> bool {
        if i < 64 {
            self.lo & (1 << i) != 0
        } else {
            self.hi.get((i / 64 - 1) as usize).is_some_and(|w| w & (1 << (i % 64)) != 0)
        }
    }
    pub fn add(&mut self, other: &Relids) {
        self.lo |= other.lo;
        if self.hi.len() < other.hi.len() {
            self.hi.resize(other.hi.len(), 0);
        }
        for (a, b) in self.hi.iter_mut().zip(&other.hi) {
            *a |= b;
        }
    }
    pub fn union(&self, other: &Relids) -> Relids {
        let mut r = self.clone();
        r.add(other);
        r
    }
    pub fn intersect(&self, other: &Relids) -> Relids {
        let mut r = Relids {
            lo: self.lo & other.lo,
            hi: self.hi.iter().zip(&other.hi).map(|(a, b)| a & b).collect(),
        };
        r.trim();
        r
    }
    pub fn minus(&self, other: &Relids) -> Relids {
        let mut r = self.clone();
        r.lo &= !other.lo;
        for (a, b) in r.hi.iter_mut().zip(&other.hi) {
            *a &= !b;
        }
        r.trim();
        r
    }
    pub fn subset_of(&self, other: &Relids) -> bool {
        self.lo & !other.lo == 0
            && self.hi.len() <= other.hi.len()
            && self.hi.iter().zip(&other.hi).all(|(a, b)| a & !b == 0)
    }
    pub fn overlaps(&self, other: &Relids) -> bool {
        self.lo & other.lo != 0 || self.hi.iter().zip(&other.hi).any(|(a, b)| a & b != 0)
    }
    pub fn len(&self) -> usize {
        (self.lo.count_ones() + self.hi.iter().map(|w| w.count_ones()).sum::<u32>()) as usize
    }
    /// The one member, when there is exactly one.
    pub fn singleton(&self) -> Option<u32> {
        if self.len() == 1 { self.iter().next() } else { None }
    }
    pub fn is_multiple(&self) -> bool {
        self.len() > 1
    }
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.lo).chain(self.hi.iter().copied()).enumerate().flat_map(|(i, word)| {
            (0..64u32).filter(move |b| word & (1 << b) != 0).map(move |b| i as u32 * 64 + b)
        })
    }
}

impl fmt::Debug for Relids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<u32> for Relids {
    fn from_iter<T: IntoIterator<Item = u32>>(iter: T) -> Relids {
        let mut r = Relids::new();
        for i in iter {
            r.insert(i);
        }
        r
    }
}
