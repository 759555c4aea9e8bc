//! The block cache: bounded memory, second-chance replacement.
//!
//! A table keeps a slot for each of its blocks, so a hit needs no hashing: it locks the slot and clones the `Arc`.
//! The cache itself only decides what leaves: it keeps rings of (table, block) in the order of loading.
//!
//! Lock order: a ring before a slot.

use super::{Block, Table};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

const SHARDS: usize = 8;

/// The place of one cached block.
#[derive(Default)]
pub(super) struct Slot {
    block: Mutex<Option<Arc<Block>>>,
    used: AtomicBool,
}

impl Slot {
    #[inline]
    pub(super) fn get(&self) -> Option<Arc<Block>> {
        let block = self.block.lock().clone();
        if block.is_some() && !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        block
    }
}

struct Resident {
    table: Weak<Table>,
    block: usize,
    bytes: usize,
}

#[derive(Default)]
struct Shard {
    ring: VecDeque<Resident>,
    bytes: usize,
}

/// Decides which blocks stay in memory.
pub(crate) struct BlockCache {
    shards: [Mutex<Shard>; SHARDS],
    capacity: AtomicUsize,
    misses: AtomicU64,
}

impl BlockCache {
    pub(crate) fn new(capacity: usize) -> BlockCache {
        BlockCache {
            shards: Default::default(),
            capacity: AtomicUsize::new(capacity / SHARDS),
            misses: AtomicU64::new(0),
        }
    }

    pub(super) fn insert(&self, table: &Arc<Table>, number: usize, block: &Arc<Block>) {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let capacity = self.capacity.load(Ordering::Relaxed);
        let bytes = block.bytes();
        let mut shard = self.shards[(table.meta.id as usize ^ number) % SHARDS].lock();
        {
            let slot = &table.slots[number];
            let mut place = slot.block.lock();
            if place.is_some() || bytes > capacity {
                return;
            }
            *place = Some(block.clone());
            slot.used.store(false, Ordering::Relaxed);
        }
        shard.bytes += bytes;
        shard.ring.push_back(Resident { table: Arc::downgrade(table), block: number, bytes });
        while shard.bytes > capacity {
            let Some(oldest) = shard.ring.pop_front() else { break };
            if let Some(table) = oldest.table.upgrade() {
                let slot = &table.slots[oldest.block];
                if slot.used.swap(false, Ordering::Relaxed) {
                    shard.ring.push_back(oldest);
                    continue;
                }
                *slot.block.lock() = None;
            }
            shard.bytes -= oldest.bytes;
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().bytes as u64).sum()
    }
    pub(crate) fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }
}
