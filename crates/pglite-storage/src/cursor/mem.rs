//! A memtable as a source of a cursor.
//!
//! Invariant: forward, `node` is the newest version of its key; reverse, the oldest.
#![allow(unsafe_code)]

use super::{Candidate, Emit, Source, Stop};
use crate::memtable::{Memtable, NodeRef};
use crate::table::hash_key;
use crate::types::Direction;
use pglite_error::PgResult;
use std::sync::Arc;

/// After this many versions of one key, a search is cheaper than stepping.
const STEPS: usize = 8;

pub(crate) struct MemSource {
    table: Arc<Memtable>,
    node: NodeRef,
    direction: Direction,
}

// SAFETY: `node` points into `table`'s arena, which the source keeps alive; nodes are safe to read from any thread.
unsafe impl Send for MemSource {}

impl MemSource {
    pub(crate) fn new(table: Arc<Memtable>, direction: Direction) -> MemSource {
        MemSource { table, node: NodeRef::NULL, direction }
    }

    /// The newest version not newer than `at` of the key whose newest version is `node`.
    #[inline]
    fn visible_from_newest(&self, node: NodeRef, key: &[u8], at: u64) -> Option<NodeRef> {
        if node.ts() <= at {
            return Some(node);
        }
        let mut node = node;
        for _ in 0..STEPS {
            node = node.next();
            if node.is_null() || node.key() != key {
                return None;
            }
            if node.ts() <= at {
                return Some(node);
            }
        }
        self.table.get(key, hash_key(key), at)
    }

    /// The first node of the next key.
    #[inline]
    fn next_key(&self, node: NodeRef, key: &[u8]) -> NodeRef {
        let mut node = node;
        for _ in 0..STEPS {
            node = node.next();
            if node.is_null() || node.key() != key {
                return node;
            }
        }
        self.table.seek(key, 0)
    }

    /// From the oldest version: the newest one not newer than `at`, and the last node of the key before.
    #[inline]
    fn back(&self, oldest: NodeRef, key: &[u8], at: u64) -> (Option<NodeRef>, NodeRef) {
        let mut found = (oldest.ts() <= at).then_some(oldest);
        let mut node = oldest;
        for _ in 0..STEPS {
            node = self.table.prev(node);
            if node.is_null() || node.key() != key {
                return (found, node);
            }
            if node.ts() <= at {
                found = Some(node);
            }
        }
        let newest = self.table.seek(key, u64::MAX);
        (self.table.get(key, hash_key(key), at), self.table.prev(newest))
    }
}

impl Source for MemSource {
    #[inline]
    fn key(&self) -> Option<&[u8]> {
        (!self.node.is_null()).then(|| self.node.key())
    }

    fn emit_run(&mut self, emit: &mut Emit<'_>, stop: Stop<'_>) -> PgResult<()> {
        let forward = self.direction == Direction::Forward;
        while !self.node.is_null() && !emit.is_full() {
            let node = self.node;
            let key = node.key();
            if forward {
                if stop.ends_forward(key) {
                    break;
                }
                node.prefetch_next(0);
                if let Some(version) = self.visible_from_newest(node, key, emit.at) {
                    let (kind, value) = version.value();
                    emit.row(key, value, version.ts(), kind);
                }
                self.node = self.next_key(node, key);
            } else {
                if stop.ends_reverse(key) {
                    break;
                }
                let (version, before) = self.back(node, key, emit.at);
                if let Some(version) = version {
                    let (kind, value) = version.value();
                    emit.row(key, value, version.ts(), kind);
                }
                self.node = before;
            }
        }
        Ok(())
    }

    fn resolve(&mut self, at: u64, candidate: &mut Candidate) -> PgResult<()> {
        let key = self.node.key();
        let version = if self.direction == Direction::Forward {
            let version = self.visible_from_newest(self.node, key, at);
            self.node = self.next_key(self.node, key);
            version
        } else {
            let (version, before) = self.back(self.node, key, at);
            self.node = before;
            version
        };
        if let Some(version) = version {
            let (kind, value) = version.value();
            candidate.offer(version.ts(), kind, value);
        }
        Ok(())
    }

    fn seek(&mut self, key: &[u8]) -> PgResult<()> {
        self.node = match self.direction {
            Direction::Forward => self.table.seek(key, u64::MAX),
            Direction::Reverse => self.table.seek_before(key),
        };
        Ok(())
    }
}
