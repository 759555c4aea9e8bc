//! Built-in rows: slices of statics, and the lookup structures that are built when first used.
//!
//! Why lazily: an empty database starts at once; a catalog that nobody asks costs nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use crate::key::Key;
use crate::row::CatalogRow;

/// FNV-1a: keys are short.
#[derive(Clone, Copy)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ *b as u64).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

pub type FnvMap<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

const MAX_INDEXES: usize = 8;

/// The built-in rows of one catalog.
pub struct Builtin<T: 'static> {
    slices: &'static [&'static [T]],
    primary: OnceLock<FnvMap<Key, &'static T>>,
    indexes: [OnceLock<Vec<(Key, &'static T)>>; MAX_INDEXES],
}

impl<T: CatalogRow> Builtin<T> {
    pub const fn new(slices: &'static [&'static [T]]) -> Builtin<T> {
        Builtin { slices, primary: OnceLock::new(), indexes: [const { OnceLock::new() }; MAX_INDEXES] }
    }
    /// All rows, in PostgreSQL's order.
    pub fn rows(&self) -> impl Iterator<Item = &'static T> + use<T> {
        self.slices.iter().flat_map(|s| s.iter())
    }
    pub fn len(&self) -> usize {
        self.slices.iter().map(|s| s.len()).sum()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn get(&self, key: &Key) -> Option<&'static T> {
        if self.slices.is_empty() {
            return None;
        }
        self.primary.get_or_init(|| self.rows().map(|r| (r.key(), r)).collect()).get(key).copied()
    }
    /// The rows whose key in `index` begins with `prefix`, in index order.
    pub fn scan(&self, index: usize, prefix: &Key) -> &[(Key, &'static T)] {
        if self.slices.is_empty() {
            return &[];
        }
        let sorted = self.indexes[index].get_or_init(|| {
            let mut v: Vec<(Key, &'static T)> = self.rows().map(|r| (r.index_key(index), r)).collect();
            v.sort_by(|a, b| a.0.cmp(&b.0));
            v
        });
        prefix_range(sorted, prefix)
    }
    /// The rows whose primary key begins with `prefix`, in key order.
    pub fn scan_primary(&self, prefix: &Key) -> &[(Key, &'static T)] {
        if self.slices.is_empty() {
            return &[];
        }
        let sorted = self.indexes[MAX_INDEXES - 1].get_or_init(|| {
            let mut v: Vec<(Key, &'static T)> = self.rows().map(|r| (r.key(), r)).collect();
            v.sort_by(|a, b| a.0.cmp(&b.0));
            v
        });
        prefix_range(sorted, prefix)
    }
}

fn prefix_range<'a, T>(sorted: &'a [(Key, &'static T)], prefix: &Key) -> &'a [(Key, &'static T)] {
    let from = sorted.partition_point(|(k, _)| k.as_bytes() < prefix.as_bytes());
    let n = sorted[from..].partition_point(|(k, _)| k.as_bytes().starts_with(prefix.as_bytes()));
    &sorted[from..from + n]
}
