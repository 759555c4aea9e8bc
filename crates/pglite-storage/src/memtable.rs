//! The memtable: recent versions in a skiplist over an arena, ordered by (key, newest version first).
//!
//! One writer at a time (the commit pipeline, in WAL order; a mutex makes sure), any number of readers without locks:
//! a node is complete before a release-store links it, nothing is ever unlinked, and the arena lives as long as
//! someone holds the memtable. Back links on the bottom level make reverse scans as cheap as forward ones: a reader
//! that follows a stale back link misses only versions that are not published yet.
//!
//! Invariant: a linked node never moves and its key, version and height never change.
#![allow(unsafe_code)]

mod arena;
mod hash;
mod huge;

use crate::rangedel::RangeDels;
use crate::table::hash_key;
use arena::Arena;
use hash::HashIndex;
use parking_lot::{Mutex, MutexGuard, RwLock};
use std::cmp::Ordering as Order;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

const MAX_HEIGHT: usize = 14;
/// Up to this height a newer version of a key is linked from the one before it, without a search.
const LOW: usize = 2;

/// What a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Put,
    Delete,
    /// Only in tables: the value is a pointer into a blob file.
    Blob,
}

/// A node: this head, the key (padded to 8), `height` forward links, then (unaligned) the value record.
///
/// Why the key first: it lies in the head's cache line, and finding it needs nothing from the head.
#[repr(C)]
pub(crate) struct Node {
    ts: u64,
    /// Points to a value record: `length << 1 | deleted` as u32, then the bytes.
    value: AtomicPtr<u8>,
    prev: AtomicPtr<Node>,
    key_len: u32,
    height: u32,
}

const HEAD: usize = size_of::<Node>();

/// A reference to a node of a memtable that is kept alive elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct NodeRef(*const Node);

impl NodeRef {
    pub(crate) const NULL: NodeRef = NodeRef(ptr::null());

    #[inline]
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }
    #[inline]
    fn node<'a>(self) -> &'a Node {
        // SAFETY: non-null node pointers come from links of a memtable whose arena the caller keeps alive.
        unsafe { &*self.0 }
    }
    #[inline]
    pub(crate) fn ts(self) -> u64 {
        self.node().ts
    }
    #[inline]
    pub(crate) fn key<'a>(self) -> &'a [u8] {
        let node = self.node();
        // SAFETY: `new_node` wrote `key_len` bytes after the head, before the node was linked.
        unsafe { std::slice::from_raw_parts(self.0.cast::<u8>().add(HEAD), node.key_len as usize) }
    }
    #[inline]
    pub(crate) fn value<'a>(self) -> (Kind, &'a [u8]) {
        let record = self.node().value.load(Ordering::Acquire);
        // SAFETY: value records are written completely before they are published, and never change.
        unsafe {
            let head = record.cast::<u32>().read_unaligned();
            let kind = if head & 1 == 1 { Kind::Delete } else { Kind::Put };
            (kind, std::slice::from_raw_parts(record.add(4), (head >> 1) as usize))
        }
    }
    #[inline]
    fn link<'a>(self, level: usize) -> &'a AtomicPtr<Node> {
        let node = self.node();
        debug_assert!(level < node.height as usize);
        // SAFETY: a node has `height` links right after its padded key, and `level < height`.
        unsafe {
            let links = self.0.cast::<u8>().add(links_at(node.key_len as usize));
            &*links.cast::<AtomicPtr<Node>>().add(level)
        }
    }
    #[inline]
    pub(crate) fn next(self) -> NodeRef {
        NodeRef(self.link(0).load(Ordering::Acquire))
    }
    /// The node before; null at the beginning.
    #[inline]
    fn prev(self) -> NodeRef {
        NodeRef(self.node().prev.load(Ordering::Acquire))
    }
    /// Asks the processor to fetch the next node of a level.
    #[inline]
    pub(crate) fn prefetch_next(self, level: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let next = self.link(level).load(Ordering::Relaxed).cast::<i8>();
            // What a comparison needs begins with the key's length.
            let next = next.wrapping_add(std::mem::offset_of!(Node, key_len));
            // SAFETY: a prefetch of any address is harmless.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(next) };
        }
    }
    /// Order against (key, ts): by key, then newest first.
    #[inline]
    fn compare(self, key: &[u8], ts: u64) -> Order {
        compare_keys(self.key(), key).then_with(|| ts.cmp(&self.ts()))
    }
}

/// Where a node's links begin.
#[inline]
fn links_at(key_len: usize) -> usize {
    HEAD + key_len.next_multiple_of(align_of::<Node>())
}

/// The order of two keys. Why not `cmp`: keys are short, and a call costs more than the comparison.
#[inline]
fn compare_keys(a: &[u8], b: &[u8]) -> Order {
    let (words_a, rest_a) = a.as_chunks::<8>();
    let (words_b, rest_b) = b.as_chunks::<8>();
    for (x, y) in words_a.iter().zip(words_b) {
        let order = u64::from_be_bytes(*x).cmp(&u64::from_be_bytes(*y));
        if order != Order::Equal {
            return order;
        }
    }
    match words_a.len().cmp(&words_b.len()) {
        Order::Equal => rest_a.cmp(rest_b),
        Order::Less => rest_a.cmp(&b[words_a.len() * 8..]),
        Order::Greater => a[words_b.len() * 8..].cmp(rest_b),
    }
}

/// The last node before a place, on every level.
type Splice = [NodeRef; MAX_HEIGHT];

/// Places of last inserts that the writer remembers, by the first bytes of the key: those of a table.
const SPLICES: usize = 16;

/// The writer's state: arena, and where it inserted last.
struct Writer {
    arena: Arena,
    splices: [Splice; SPLICES],
    random: u64,
}

/// Which of the remembered places a key asks.
#[inline]
fn splice_of(key: &[u8]) -> usize {
    let first = key.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    (first.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as usize
}

// SAFETY: the node pointers point into memtable arenas, which are Send.
unsafe impl Send for Writer {}

/// Recent versions in memory.
pub(crate) struct Memtable {
    head: NodeRef,
    height: AtomicUsize,
    bytes: AtomicUsize,
    entries: AtomicUsize,
    max_ts: AtomicU64,
    writer: Mutex<Writer>,
    hash: HashIndex,
    range_dels: RwLock<RangeDels>,
    range_count: AtomicUsize,
}

// SAFETY: nodes are shared only through atomics; everything else is behind locks.
unsafe impl Send for Memtable {}
// SAFETY: as above.
unsafe impl Sync for Memtable {}

impl Memtable {
    pub(crate) fn new() -> Memtable {
        let mut arena = Arena::default();
        let head = new_node(&mut arena, &[], 0, MAX_HEIGHT);
        let writer = Writer { arena, splices: [[head; MAX_HEIGHT]; SPLICES], random: 0x9e37_79b9_7f4a_7c15 };
        Memtable {
            head,
            height: AtomicUsize::new(1),
            bytes: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            max_ts: AtomicU64::new(0),
            writer: Mutex::new(writer),
            hash: HashIndex::new(),
            range_dels: RwLock::default(),
            range_count: AtomicUsize::new(0),
        }
    }

    /// Bytes taken.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
    pub(crate) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.entries() == 0 && self.range_count.load(Ordering::Acquire) == 0
    }
    /// The newest version inside.
    pub(crate) fn max_ts(&self) -> u64 {
        self.max_ts.load(Ordering::Acquire)
    }
    pub(crate) fn has_range_dels(&self) -> bool {
        self.range_count.load(Ordering::Acquire) != 0
    }
    pub(crate) fn range_dels(&self) -> RangeDels {
        self.range_dels.read().clone()
    }
    /// Calls `each` with the range deletions that touch `start..end`.
    pub(crate) fn overlapping_dels(&self, start: &[u8], end: &[u8], mut each: impl FnMut(&[u8], &[u8], u64)) {
        if self.has_range_dels() {
            self.range_dels.read().overlapping(start, end).for_each(|(s, e, ts)| each(s, e, ts));
        }
    }
    /// The newest range deletion not newer than `at` that covers `key`; 0 if none.
    #[inline]
    pub(crate) fn covering(&self, key: &[u8], at: u64) -> u64 {
        if self.has_range_dels() { self.range_dels.read().covering(key, at) } else { 0 }
    }

    /// Takes the writer's place.
    pub(crate) fn writer(&self) -> MemtableWriter<'_> {
        MemtableWriter { table: self, writer: self.writer.lock() }
    }

    /// The newest version of `key` (hashed by `hash_key`) not newer than `at`, deletions included.
    #[inline]
    pub(crate) fn get(&self, key: &[u8], hash: u64, at: u64) -> Option<NodeRef> {
        let mut node = self.hash.get(key, hash)?;
        for _ in 0..8 {
            if node.ts() <= at {
                return Some(node);
            }
            node = node.next();
            if node.is_null() || node.key() != key {
                return None;
            }
        }
        let node = self.seek(key, at);
        (!node.is_null() && node.key() == key).then_some(node)
    }

    /// The first node not before (key, ts).
    #[inline]
    pub(crate) fn seek(&self, key: &[u8], ts: u64) -> NodeRef {
        let mut level = self.height.load(Ordering::Acquire) - 1;
        let mut at = self.head;
        // A node that was not less on the level above need not be compared again.
        let mut bound: *const Node = ptr::null();
        loop {
            let next = NodeRef(at.link(level).load(Ordering::Acquire));
            at.prefetch_next(level.saturating_sub(1));
            if !next.is_null() && next.0 != bound && next.compare(key, ts) == Order::Less {
                at = next;
            } else if level == 0 {
                return next;
            } else {
                bound = next.0;
                level -= 1;
            }
        }
    }

    /// The last node whose key is less than `key` (empty: the last of all); null if none.
    pub(crate) fn seek_before(&self, key: &[u8]) -> NodeRef {
        let mut level = self.height.load(Ordering::Acquire) - 1;
        let mut at = self.head;
        loop {
            let next = NodeRef(at.link(level).load(Ordering::Acquire));
            if !next.is_null() && (key.is_empty() || next.key() < key) {
                at = next;
            } else if level == 0 {
                return self.real(at);
            } else {
                level -= 1;
            }
        }
    }

    /// The node before `node`; null at the beginning.
    #[inline]
    pub(crate) fn prev(&self, node: NodeRef) -> NodeRef {
        self.real(node.prev())
    }

    /// For the writer: the last nodes before `node` on the lowest `height` levels.
    fn before(&self, node: NodeRef, height: usize) -> [NodeRef; LOW] {
        let mut at = node.prev();
        let mut found = [at; LOW];
        for (level, found) in found.iter_mut().enumerate().take(height) {
            while at.node().height as usize <= level {
                at = at.prev();
            }
            *found = at;
        }
        found
    }

    #[inline]
    fn real(&self, node: NodeRef) -> NodeRef {
        if node.0 == self.head.0 { NodeRef::NULL } else { node }
    }

    #[inline]
    pub(crate) fn first(&self) -> NodeRef {
        self.head.next()
    }
}

/// Exclusive access for writing.
pub(crate) struct MemtableWriter<'a> {
    table: &'a Memtable,
    writer: MutexGuard<'a, Writer>,
}

impl MemtableWriter<'_> {
    /// Adds a version. A version that is already there (the same key twice in one batch) gets the new value.
    pub(crate) fn insert(&mut self, key: &[u8], ts: u64, kind: Kind, value: &[u8]) {
        let table = self.table;
        let hash = hash_key(key);
        let height = random_height(&mut self.writer.random);
        let newest = table.hash.get(key, hash);
        match newest {
            Some(newest) if newest.ts() == ts => return self.overwrite(newest, kind, value),
            Some(newest) if newest.ts() < ts && height <= LOW => {
                let before = table.before(newest, height);
                let node = self.new_version(key, ts, height, kind, value);
                link(node, &before[..height]);
                table.hash.set(node, hash, hash_key);
            }
            _ => {
                let mut splice = self.writer.splices[splice_of(key)];
                let existing = find_place(table, &mut splice, key, ts);
                if !existing.is_null() {
                    return self.overwrite(existing, kind, value);
                }
                let node = self.new_version(key, ts, height, kind, value);
                link(node, &splice[..height]);
                splice[..height].fill(node);
                self.writer.splices[splice_of(key)] = splice;
                if newest.is_none_or(|newest| newest.ts() < ts) {
                    table.hash.set(node, hash, hash_key);
                }
            }
        }
        table.entries.fetch_add(1, Ordering::Relaxed);
        self.count_bytes();
        table.max_ts.fetch_max(ts, Ordering::AcqRel);
    }

    fn new_version(&mut self, key: &[u8], ts: u64, height: usize, kind: Kind, value: &[u8]) -> NodeRef {
        let arena = &mut self.writer.arena;
        let node = new_node(arena, key, ts, height);
        let record = write_value(arena, kind, value);
        node.node().value.store(record, Ordering::Relaxed);
        if height > self.table.height.load(Ordering::Relaxed) {
            self.table.height.store(height, Ordering::Release);
        }
        node
    }

    fn overwrite(&mut self, node: NodeRef, kind: Kind, value: &[u8]) {
        let record = write_value(&mut self.writer.arena, kind, value);
        node.node().value.store(record, Ordering::Release);
        self.count_bytes();
    }

    fn count_bytes(&self) {
        self.table.bytes.store(self.writer.arena.used() + self.table.hash.bytes(), Ordering::Relaxed);
    }

    pub(crate) fn delete_range(&mut self, start: &[u8], end: &[u8], ts: u64) {
        // Versions the same batch wrote before this operation are deleted one by one: a range deletion hides only
        // older versions than its own.
        let mut node = self.table.seek(start, u64::MAX);
        while !node.is_null() && node.key() < end {
            if node.ts() == ts {
                let record = write_value(&mut self.writer.arena, Kind::Delete, &[]);
                node.node().value.store(record, Ordering::Release);
            }
            node = node.next();
        }
        self.table.range_dels.write().insert(start, end, ts);
        self.table.range_count.fetch_add(1, Ordering::AcqRel);
        self.table.max_ts.fetch_max(ts, Ordering::AcqRel);
        self.table.bytes.fetch_add(start.len() + end.len() + 64, Ordering::Relaxed);
    }
}

/// Links a finished node after the nodes of `splice`, one a level.
fn link(node: NodeRef, splice: &[NodeRef]) {
    let after = splice[0].next();
    node.node().prev.store(splice[0].0.cast_mut(), Ordering::Relaxed);
    for (level, before) in splice.iter().enumerate() {
        let before = before.link(level);
        node.link(level).store(before.load(Ordering::Relaxed), Ordering::Relaxed);
        before.store(node.0.cast_mut(), Ordering::Release);
    }
    if !after.is_null() {
        after.node().prev.store(node.0.cast_mut(), Ordering::Release);
    }
}

/// Leaves in `splice` the last node before (key, ts) on every level; answers the node of exactly that version.
fn find_place(table: &Memtable, splice: &mut Splice, key: &[u8], ts: u64) -> NodeRef {
    let height = table.height.load(Ordering::Relaxed);
    // Sorted input: the place is right after the last one on every level.
    let follows = |at: NodeRef, level: usize| {
        let next = NodeRef(at.link(level).load(Ordering::Relaxed));
        next.is_null() || next.compare(key, ts) != Order::Less
    };
    let last = splice[0];
    let is_head = last.0 == table.head.0;
    if !is_head
        && last.compare(key, ts) == Order::Less
        && (0..height).all(|level| follows(splice[level], level))
    {
        let next = last.next();
        return if !next.is_null() && next.compare(key, ts) == Order::Equal { next } else { NodeRef::NULL };
    }
    let mut at = table.head;
    let mut bound: *const Node = ptr::null();
    for level in (0..MAX_HEIGHT).rev() {
        if level >= height {
            splice[level] = table.head;
            continue;
        }
        loop {
            let next = NodeRef(at.link(level).load(Ordering::Relaxed));
            at.prefetch_next(level.saturating_sub(1));
            if next.is_null() || next.0 == bound || next.compare(key, ts) != Order::Less {
                bound = next.0;
                break;
            }
            at = next;
        }
        splice[level] = at;
    }
    let next = at.next();
    if !next.is_null() && next.compare(key, ts) == Order::Equal { next } else { NodeRef::NULL }
}

/// Each level holds a quarter of the nodes of the level below.
fn random_height(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (1 + (state.trailing_zeros() / 2) as usize).min(MAX_HEIGHT)
}

fn new_node(arena: &mut Arena, key: &[u8], ts: u64, height: usize) -> NodeRef {
    let links = height * size_of::<AtomicPtr<Node>>();
    let at = links_at(key.len());
    let place = arena.allocate(at + links, align_of::<Node>());
    // SAFETY: `place` is fresh memory of that size and alignment; zeroed links are null pointers.
    unsafe {
        let node = place.cast::<Node>();
        node.write(Node {
            ts,
            value: AtomicPtr::new(ptr::null_mut()),
            prev: AtomicPtr::new(ptr::null_mut()),
            key_len: key.len() as u32,
            height: height as u32,
        });
        place.add(HEAD).copy_from_nonoverlapping(key.as_ptr(), key.len());
        place.add(at).write_bytes(0, links);
        NodeRef(node)
    }
}

fn write_value(arena: &mut Arena, kind: Kind, value: &[u8]) -> *mut u8 {
    let place = arena.allocate(4 + value.len(), 1);
    let head = (value.len() as u32) << 1 | (kind == Kind::Delete) as u32;
    // SAFETY: `place` is fresh memory of that size.
    unsafe {
        place.cast::<u32>().write_unaligned(head);
        place.add(4).copy_from_nonoverlapping(value.as_ptr(), value.len());
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Rng, SeededRng};
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_map() {
        let rng = SeededRng::new(1);
        let table = Memtable::new();
        let mut model: BTreeMap<(Vec<u8>, Reverse<u64>), Vec<u8>> = BTreeMap::new();
        for ts in 1..3000u64 {
            let key = (rng.next_u64() % 300).to_be_bytes().to_vec();
            let value = vec![ts as u8; (ts % 50) as usize];
            table.writer().insert(&key, ts / 2, Kind::Put, &value);
            model.insert((key, Reverse(ts / 2)), value);
        }
        let mut node = table.first();
        let mut last = NodeRef::NULL;
        for ((key, ts), value) in &model {
            assert_eq!((node.key(), node.ts(), node.value().1), (&key[..], ts.0, &value[..]));
            assert_eq!(table.prev(node).0, last.0);
            last = node;
            node = node.next();
        }
        assert!(node.is_null());
        assert_eq!(table.seek_before(&[]).0, last.0);
        for probe in 0..320u64 {
            let key = probe.to_be_bytes();
            for at in [0, 1, 500, 1000, u64::MAX] {
                let expected = model.range((key.to_vec(), Reverse(at))..).next();
                let found = table.seek(&key, at);
                assert_eq!(
                    expected.map(|e| (&e.0.0[..], e.0.1.0)),
                    (!found.is_null()).then(|| (found.key(), found.ts()))
                );
            }
            let before = model.range(..(key.to_vec(), Reverse(u64::MAX))).next_back();
            let found = table.seek_before(&key);
            assert_eq!(
                before.map(|e| (&e.0.0[..], e.0.1.0)),
                (!found.is_null()).then(|| (found.key(), found.ts()))
            );
        }
    }
}
