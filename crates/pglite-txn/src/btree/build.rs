//! Filling a new index: entries are encoded, sorted, and written in key order, so that they lie flat in the write set
//! and go into the store as one sorted run.
//!
//! ```text
//!   keys     encoded entries' keys, back to back, in arrival order
//!   values   their stored columns
//!   entries  where each lies, with its first bytes at hand for comparing
//! ```

use std::sync::Arc;

use pglite_codec::KeyBuf;
use pglite_error::{PgResult, bail};
use pglite_types::{Batch, Datum};

use crate::Transaction;
use crate::am::NextRows;
use crate::desc::IndexRef;

/// Bytes of keys and values that one index build may hold.
const MAX_BYTES: usize = 3 << 29;

#[derive(Clone, Copy)]
struct Entry {
    /// The first bytes after the space, as a number.
    head: u64,
    key: usize,
    value: usize,
    key_len: u32,
    value_len: u32,
    /// Has a NULL that makes it distinct from everything.
    distinct: bool,
}

#[derive(Default)]
struct Sorter {
    keys: Vec<u8>,
    values: Vec<u8>,
    entries: Vec<Entry>,
    /// Bytes that all keys have in common.
    space: usize,
}

impl Sorter {
    fn push(&mut self, index: &IndexRef, values: &[Datum], row: u64) -> PgResult<()> {
        let mut key: KeyBuf = index.entry_prefix(values)?;
        key.put_u64(row);
        let (at, value) = (self.keys.len(), self.values.len());
        index.write_stored(values, &mut self.values)?;
        self.keys.extend_from_slice(&key);
        if self.keys.len() + self.values.len() > MAX_BYTES {
            bail!(PROGRAM_LIMIT_EXCEEDED, "index \"{}\" is too large to be built", index.name);
        }
        self.entries.push(Entry {
            head: head(&key[self.space..]),
            key: at,
            value,
            key_len: key.len() as u32,
            value_len: (self.values.len() - value) as u32,
            distinct: index.is_distinct(values),
        });
        Ok(())
    }
    fn key(&self, e: &Entry) -> &[u8] {
        &self.keys[e.key..e.key + e.key_len as usize]
    }
    fn value(&self, e: &Entry) -> &[u8] {
        &self.values[e.value..e.value + e.value_len as usize]
    }
    /// Key columns without the row id.
    fn columns(&self, e: &Entry) -> &[u8] {
        &self.keys[e.key..e.key + e.key_len as usize - 8]
    }
    fn sort(&mut self) {
        let keys = &self.keys;
        let key = |e: &Entry| &keys[e.key..e.key + e.key_len as usize];
        self.entries.sort_unstable_by(|a, b| a.head.cmp(&b.head).then_with(|| key(a).cmp(key(b))));
    }
    /// An entry whose key columns are those of the one before it.
    fn duplicate(&self) -> Option<&Entry> {
        let same = |pair: &&[Entry]| {
            !pair[0].distinct && !pair[1].distinct && self.columns(&pair[0]) == self.columns(&pair[1])
        };
        self.entries.windows(2).find(same).map(|pair| &pair[1])
    }
}

/// Big-endian, so that numbers compare as the bytes do.
#[inline]
fn head(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(padded)
        }
    }
}

/// See [`IndexAm::build`](crate::am::IndexAm::build).
pub(super) fn run(
    txn: &Transaction,
    index: &Arc<IndexRef>,
    next: NextRows<'_>,
) -> PgResult<Option<Vec<Datum>>> {
    let mut sorter = Sorter { space: index.space.prefix().len(), ..Sorter::default() };
    let (mut batch, mut ids) = (Batch::default(), Vec::new());
    while next(&mut batch, &mut ids)? {
        for (values, row) in batch.rows().zip(&ids) {
            sorter.push(index, values, *row)?;
        }
        txn.backend().cancel_token().check()?;
    }
    sorter.sort();
    if index.unique
        && let Some(entry) = sorter.duplicate()
    {
        let mut values = Vec::new();
        index.read_entry(sorter.key(entry), sorter.value(entry), &mut values)?;
        return Ok(Some(values));
    }
    txn.write(|state, command| {
        for e in &sorter.entries {
            state.writes.put_with(sorter.key(e), true, command, |out| {
                out.extend_from_slice(sorter.value(e));
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(None)
}
