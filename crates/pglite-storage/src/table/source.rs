//! A run of tables (one table of level 0, or all tables of a deeper level in the range) as a source of a cursor, and
//! as raw versions for compaction.
//!
//! Forward, entries are decoded as they come. Reverse, a block is decoded whole into a list first.
//!
//! Invariant: forward, the source stands at the newest version of its key; reverse, at the oldest.

use super::{Block, Table, Version, damaged};
use crate::cursor::{Candidate, Emit, Source, Stop};
use crate::memtable::Kind;
use crate::types::Direction;
use pglite_error::PgResult;
use std::sync::Arc;

/// A position in a run of tables that do not overlap, in key order.
pub(crate) struct RawCursor {
    tables: Vec<Arc<Table>>,
    table: usize,
    block_number: usize,
    block: Option<Arc<Block>>,
    /// Start of the next entry.
    next: usize,
    /// The current entry, if `valid`.
    valid: bool,
    key: Vec<u8>,
    ts: u64,
    kind: Kind,
    value: (usize, usize),
    /// Whether blocks read go to the cache.
    cache: bool,
    /// A large value, read from its blob file.
    blob: Vec<u8>,
}

impl RawCursor {
    pub(crate) fn new(tables: Vec<Arc<Table>>, cache: bool) -> RawCursor {
        RawCursor {
            tables,
            table: 0,
            block_number: 0,
            block: None,
            next: 0,
            valid: false,
            key: Vec::new(),
            ts: 0,
            kind: Kind::Put,
            value: (0, 0),
            cache,
            blob: Vec::new(),
        }
    }

    /// The current version.
    #[inline]
    pub(crate) fn current(&self) -> Option<Version<'_>> {
        if !self.valid {
            return None;
        }
        Some(Version { key: &self.key, ts: self.ts, kind: self.kind, value: self.value_bytes() })
    }

    #[inline]
    fn value_bytes(&self) -> &[u8] {
        self.block.as_ref().map_or(&[], |block| &block.data()[self.value.0..self.value.1])
    }

    /// Reads the large value that the current version points to.
    pub(crate) fn read_blob(&mut self) -> PgResult<&[u8]> {
        self.read_blob_at(self.value)?;
        Ok(&self.blob)
    }

    fn read_blob_at(&mut self, (start, end): (usize, usize)) -> PgResult<()> {
        let pointer = self.block.as_ref().map_or(&[][..], |block| &block.data()[start..end]);
        self.tables[self.table].read_blob(pointer, &mut self.blob)
    }

    fn load(&mut self) -> PgResult<()> {
        let table = &self.tables[self.table];
        self.block = Some(if self.cache {
            table.cached_block(self.block_number)?
        } else {
            match table.slots[self.block_number].get() {
                Some(block) => block,
                None => table.load(self.block_number)?,
            }
        });
        self.next = 0;
        Ok(())
    }

    /// Moves to the first block at or after (table, block); `false` at the end.
    fn enter_block(&mut self) -> PgResult<bool> {
        while self.table < self.tables.len() {
            if self.block_number < self.tables[self.table].index.len() {
                self.load()?;
                return Ok(true);
            }
            self.table += 1;
            self.block_number = 0;
        }
        self.block = None;
        self.valid = false;
        Ok(false)
    }

    /// Stands before the first entry of all.
    pub(crate) fn rewind(&mut self) -> PgResult<()> {
        self.table = 0;
        self.block_number = 0;
        self.key.clear();
        if self.enter_block()? { self.step().map(|_| ()) } else { Ok(()) }
    }

    /// Moves to the next version; answers whether it has the same key as the one before.
    #[inline]
    pub(crate) fn step(&mut self) -> PgResult<bool> {
        loop {
            let Some(block) = &self.block else {
                self.valid = false;
                return Ok(false);
            };
            if self.next < block.end() {
                break;
            }
            self.block_number += 1;
            if !self.enter_block()? {
                return Ok(false);
            }
        }
        let Some(block) = &self.block else { return Ok(false) };
        let (Some(head), table) = (block.entry(self.next), &self.tables[self.table]) else {
            return Err(damaged(&self.tables[self.table].path, "a block"));
        };
        let rest = &block.data()[head.key_start..head.key_end];
        if head.shared > self.key.len() {
            return Err(damaged(&table.path, "a block"));
        }
        let same = if head.shared == 0 {
            self.valid && self.key == rest
        } else {
            rest.is_empty() && head.shared == self.key.len()
        };
        self.key.truncate(head.shared);
        self.key.extend_from_slice(rest);
        self.ts = table.base_ts.wrapping_add(head.ts_delta);
        self.kind = head.kind;
        self.value = (head.key_end, head.end);
        self.next = head.end;
        self.valid = true;
        Ok(same)
    }

    /// Stands at the first version of the first key not less than `key`.
    pub(crate) fn seek(&mut self, key: &[u8]) -> PgResult<()> {
        self.valid = false;
        self.key.clear();
        self.table = self.tables.partition_point(|table| table.meta.ends_before(key));
        self.block_number = self.tables.get(self.table).map_or(0, |table| table.index.find(key));
        if !self.enter_block()? {
            return Ok(());
        }
        if let Some(block) = &self.block {
            let from = block.restart_before(key);
            self.next = from.ok_or_else(|| damaged(&self.tables[self.table].path, "a block"))?;
        }
        loop {
            self.step()?;
            if !self.valid || *self.key >= *key {
                return Ok(());
            }
        }
    }

    /// Skips to the first version of the next key.
    #[inline]
    fn next_key(&mut self) -> PgResult<()> {
        while self.step()? {}
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Decoded {
    key: (u32, u32),
    value: (u32, u32),
    ts: u64,
    kind: Kind,
}

/// One block decoded for walking backwards.
#[derive(Default)]
struct Backward {
    keys: Vec<u8>,
    entries: Vec<Decoded>,
    /// The current entry is `entries[left - 1]`.
    left: usize,
}

/// A run as a source of a cursor.
pub(crate) struct RunSource {
    raw: RawCursor,
    direction: Direction,
    back: Backward,
    scratch: Candidate,
}

impl RunSource {
    pub(crate) fn new(tables: Vec<Arc<Table>>, direction: Direction) -> RunSource {
        RunSource {
            raw: RawCursor::new(tables, true),
            direction,
            back: Backward::default(),
            scratch: Candidate::default(),
        }
    }

    fn emit_forward(&mut self, emit: &mut Emit<'_>, stop: Stop<'_>) -> PgResult<()> {
        let raw = &mut self.raw;
        while raw.valid && !emit.is_full() && !stop.ends_forward(&raw.key) {
            let mut ended = false;
            while raw.ts > emit.at {
                if !raw.step()? {
                    ended = true;
                    break;
                }
            }
            if ended {
                continue;
            }
            if raw.kind == Kind::Blob {
                raw.read_blob()?;
                emit.row(&raw.key, &raw.blob, raw.ts, Kind::Put);
            } else {
                emit.row(&raw.key, raw.value_bytes(), raw.ts, raw.kind);
            }
            raw.next_key()?;
        }
        Ok(())
    }

    /// Decodes the current block and stands at its last entry; moves to earlier blocks while there are none.
    fn load_backward(&mut self) -> PgResult<()> {
        let raw = &mut self.raw;
        raw.load()?;
        let (Some(block), table) = (&raw.block, &raw.tables[raw.table]) else { return Ok(()) };
        self.back.keys.clear();
        self.back.entries.clear();
        let mut at = 0;
        let mut last = 0;
        while at < block.end() {
            let Some(head) = block.entry(at) else { return Err(damaged(&table.path, "a block")) };
            let start = self.back.keys.len();
            if last + head.shared > start {
                return Err(damaged(&table.path, "a block"));
            }
            self.back.keys.extend_from_within(last..last + head.shared);
            self.back.keys.extend_from_slice(&block.data()[head.key_start..head.key_end]);
            self.back.entries.push(Decoded {
                key: (start as u32, self.back.keys.len() as u32),
                value: (head.key_end as u32, head.end as u32),
                ts: table.base_ts.wrapping_add(head.ts_delta),
                kind: head.kind,
            });
            last = start;
            at = head.end;
        }
        self.back.left = self.back.entries.len();
        Ok(())
    }

    /// Moves to the block before the current one.
    fn previous_block(&mut self) -> PgResult<()> {
        self.back.left = 0;
        self.back.entries.clear();
        loop {
            if self.raw.block_number > 0 {
                self.raw.block_number -= 1;
                return self.load_backward();
            }
            if self.raw.table == 0 {
                self.raw.block = None;
                return Ok(());
            }
            self.raw.table -= 1;
            self.raw.block_number = self.raw.tables[self.raw.table].index.len();
        }
    }

    fn seek_backward(&mut self, key: &[u8]) -> PgResult<()> {
        let tables = &self.raw.tables;
        self.back.left = 0;
        self.back.entries.clear();
        if tables.is_empty() {
            return Ok(());
        }
        let table = if key.is_empty() {
            tables.len()
        } else {
            tables.partition_point(|table| table.meta.ends_before(key))
        };
        if table == tables.len() {
            self.raw.table = table - 1;
            self.raw.block_number = tables[table - 1].index.len();
            return self.previous_block();
        }
        let index = &tables[table].index;
        let block = index.find(key);
        self.raw.table = table;
        self.raw.block_number = block;
        if block == index.len() {
            return self.previous_block();
        }
        self.load_backward()?;
        let keys = &self.back.keys;
        self.back.left = self
            .back
            .entries
            .partition_point(|entry| &keys[entry.key.0 as usize..entry.key.1 as usize] < key);
        if self.back.left == 0 { self.previous_block() } else { Ok(()) }
    }

    #[inline]
    fn back_entry(&self) -> Option<(&[u8], Decoded)> {
        let entry = *self.back.entries.get(self.back.left.checked_sub(1)?)?;
        Some((&self.back.keys[entry.key.0 as usize..entry.key.1 as usize], entry))
    }

    /// Collects the current key into `raw.key` and its visible version into `candidate`; moves to the key before.
    fn take_backward(&mut self, at: u64, candidate: &mut Candidate) -> PgResult<()> {
        let mut first = true;
        loop {
            let Some(entry) = self.back.left.checked_sub(1).map(|i| self.back.entries[i]) else {
                return Ok(());
            };
            let key = &self.back.keys[entry.key.0 as usize..entry.key.1 as usize];
            if first {
                self.raw.key.clear();
                self.raw.key.extend_from_slice(key);
                first = false;
            } else if *key != *self.raw.key {
                return Ok(());
            }
            let value = (entry.value.0 as usize, entry.value.1 as usize);
            if entry.ts <= at && entry.kind == Kind::Blob {
                self.raw.read_blob_at(value)?;
                candidate.offer(entry.ts, Kind::Put, &self.raw.blob);
            } else if entry.ts <= at
                && let Some(block) = &self.raw.block
            {
                candidate.offer(entry.ts, entry.kind, &block.data()[value.0..value.1]);
            }
            self.back.left -= 1;
            if self.back.left == 0 {
                self.previous_block()?;
            }
        }
    }

    fn emit_backward(&mut self, emit: &mut Emit<'_>, stop: Stop<'_>) -> PgResult<()> {
        while !emit.is_full() {
            match self.back_entry() {
                Some((key, _)) if !stop.ends_reverse(key) => {}
                _ => break,
            }
            let mut candidate = std::mem::take(&mut self.scratch);
            candidate.clear();
            self.take_backward(emit.at, &mut candidate)?;
            emit.candidate(&self.raw.key, &candidate);
            self.scratch = candidate;
        }
        Ok(())
    }
}

impl Source for RunSource {
    #[inline]
    fn key(&self) -> Option<&[u8]> {
        match self.direction {
            Direction::Forward => self.raw.valid.then_some(&self.raw.key[..]),
            Direction::Reverse => self.back_entry().map(|(key, _)| key),
        }
    }

    fn emit_run(&mut self, emit: &mut Emit<'_>, stop: Stop<'_>) -> PgResult<()> {
        match self.direction {
            Direction::Forward => self.emit_forward(emit, stop),
            Direction::Reverse => self.emit_backward(emit, stop),
        }
    }

    fn resolve(&mut self, at: u64, candidate: &mut Candidate) -> PgResult<()> {
        if self.direction == Direction::Reverse {
            return self.take_backward(at, candidate);
        }
        loop {
            if self.raw.ts <= at {
                if self.raw.kind == Kind::Blob {
                    self.raw.read_blob()?;
                    candidate.offer(self.raw.ts, Kind::Put, &self.raw.blob);
                } else {
                    candidate.offer(self.raw.ts, self.raw.kind, self.raw.value_bytes());
                }
                return self.raw.next_key();
            }
            if !self.raw.step()? {
                return Ok(());
            }
        }
    }

    fn seek(&mut self, key: &[u8]) -> PgResult<()> {
        match self.direction {
            Direction::Forward => self.raw.seek(key),
            Direction::Reverse => self.seek_backward(key),
        }
    }
}
