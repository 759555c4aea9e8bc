//! Point reads and scans over one state of the tree.
#![allow(unsafe_code)]

use super::State;
use crate::cursor::{MemSource, MergeCursor, Source};
use crate::memtable::{Kind, Memtable};
use crate::rangedel::RangeDels;
use crate::table::{RunSource, Table, hash_key};
use crate::types::{Direction, Timestamp, Value};
use pglite_error::PgResult;
use std::sync::Arc;

type Row = Option<(Value, Timestamp)>;

/// What one source says of a key.
enum Answer {
    Found(Row),
    /// It holds nothing; older sources decide.
    Ask,
}

fn ask_memtable(memtable: &Arc<Memtable>, key: &[u8], hash: u64, at: u64) -> Answer {
    let deleted = memtable.covering(key, at);
    match memtable.get(key, hash, at) {
        Some(node) => {
            let (kind, value) = node.value();
            if kind == Kind::Delete || deleted > node.ts() {
                return Answer::Found(None);
            }
            // SAFETY: the value is in the arena of the memtable, which the Value keeps alive.
            let value = unsafe { Value::inside(value, memtable.clone()) };
            Answer::Found(Some((value, Timestamp(node.ts()))))
        }
        // Older sources hold only older versions, so all of them are deleted.
        None if deleted > 0 => Answer::Found(None),
        None => Answer::Ask,
    }
}

fn ask_table(table: &Arc<Table>, key: &[u8], hash: u64, at: u64) -> PgResult<Answer> {
    let deleted = if table.range_dels.is_empty() { 0 } else { table.range_dels.covering(key, at) };
    Ok(match table.lookup(key, hash, at)? {
        Some((block, found)) => {
            if found.kind == Kind::Delete || deleted > found.ts {
                return Ok(Answer::Found(None));
            }
            if found.kind == Kind::Blob {
                let mut value = Vec::new();
                table.read_blob(&block.data()[found.start..found.end], &mut value)?;
                return Ok(Answer::Found(Some((Value::from(value), Timestamp(found.ts)))));
            }
            let data: *const [u8] = &block.data()[found.start..found.end];
            // SAFETY: a block's bytes never change, and the Value keeps the block alive.
            let value = unsafe { Value::inside(&*data, block) };
            Answer::Found(Some((value, Timestamp(found.ts))))
        }
        None if deleted > 0 => Answer::Found(None),
        None => Answer::Ask,
    })
}

impl State {
    pub(super) fn get(&self, key: &[u8], at: u64) -> PgResult<Row> {
        let hash = hash_key(key);
        for memtable in std::iter::once(&self.active).chain(&self.immutable) {
            if let Answer::Found(row) = ask_memtable(memtable, key, hash, at) {
                return Ok(row);
            }
        }
        for table in self.version.levels[0].iter().filter(|table| table.meta.covers(key)) {
            if let Answer::Found(row) = ask_table(table, key, hash, at)? {
                return Ok(row);
            }
        }
        for level in &self.version.levels[1..] {
            let place = level.partition_point(|table| table.meta.ends_before(key));
            if let Some(table) = level.get(place).filter(|table| *table.meta.smallest <= *key)
                && let Answer::Found(row) = ask_table(table, key, hash, at)?
            {
                return Ok(row);
            }
        }
        Ok(None)
    }

    pub(super) fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        at: u64,
        direction: Direction,
    ) -> PgResult<MergeCursor> {
        let mut dels = RangeDels::default();
        let mut add = |s: &[u8], e: &[u8], ts: u64| {
            if ts <= at {
                dels.insert(s, e, ts);
            }
        };
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        for memtable in std::iter::once(&self.active).chain(&self.immutable) {
            memtable.overlapping_dels(start, end, &mut add);
            sources.push(Box::new(MemSource::new(memtable.clone(), direction)));
        }
        for (number, level) in self.version.levels.iter().enumerate() {
            let tables: Vec<Arc<Table>> = if number == 0 {
                level.iter().filter(|table| table.meta.overlaps(start, end)).cloned().collect()
            } else {
                let first = level.partition_point(|table| table.meta.ends_before(start));
                let inside =
                    level[first..].iter().take_while(|table| end.is_empty() || *table.meta.smallest < *end);
                inside.cloned().collect()
            };
            for table in tables.iter().filter(|table| !table.range_dels.is_empty()) {
                table.range_dels.overlapping(start, end).for_each(|(s, e, ts)| add(s, e, ts));
            }
            if number == 0 {
                sources.extend(
                    tables
                        .into_iter()
                        .map(|table| Box::new(RunSource::new(vec![table], direction)) as Box<dyn Source>),
                );
            } else if !tables.is_empty() {
                sources.push(Box::new(RunSource::new(tables, direction)));
            }
        }
        for source in &mut sources {
            source.seek(if direction == Direction::Forward { start } else { end })?;
        }
        // What has nothing in the range now never will have anything visible at this timestamp.
        sources.retain(|source| match source.key() {
            None => false,
            Some(key) if direction == Direction::Forward => end.is_empty() || key < end,
            Some(key) => key >= start,
        });
        Ok(MergeCursor::new(sources, start, end, at, direction, dels))
    }
}
