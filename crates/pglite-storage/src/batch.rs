//! What one commit changes: a flat buffer of operations, which is also what the log holds of it.
//!
//! ```text
//!   op := kind u8 | key length varint | value length varint | key | value
//! ```
//! For a range deletion the key is its start and the value its (exclusive) end.
//!
//! Invariant: later operations of a batch win over earlier ones.

use pglite_codec::varint;
use pglite_error::{PgError, PgResult, codes};

const PUT: u8 = 1;
const DELETE: u8 = 2;
const DELETE_RANGE: u8 = 3;
/// Longer keys cannot be stored.
pub(crate) const MAX_KEY: usize = 1 << 16;

/// One operation of a [`WriteBatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    Put { key: &'a [u8], value: &'a [u8] },
    Delete { key: &'a [u8] },
    DeleteRange { start: &'a [u8], end: &'a [u8] },
}

/// Operations that commit together.
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    data: Vec<u8>,
    count: usize,
}

impl WriteBatch {
    pub fn new() -> WriteBatch {
        WriteBatch::default()
    }
    pub fn with_capacity(bytes: usize) -> WriteBatch {
        WriteBatch { data: Vec::with_capacity(bytes), count: 0 }
    }
    #[inline]
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.push(PUT, key, value);
    }
    #[inline]
    pub fn delete(&mut self, key: &[u8]) {
        self.push(DELETE, key, &[]);
    }
    /// Deletes every key from `start` up to but not including `end`.
    pub fn delete_range(&mut self, start: &[u8], end: &[u8]) {
        if start < end {
            self.push(DELETE_RANGE, start, end);
        }
    }
    #[inline]
    fn push(&mut self, kind: u8, key: &[u8], value: &[u8]) {
        self.data.reserve(key.len() + value.len() + 12);
        self.data.push(kind);
        varint::write_u64(&mut self.data, key.len() as u64);
        varint::write_u64(&mut self.data, value.len() as u64);
        self.data.extend_from_slice(key);
        self.data.extend_from_slice(value);
        self.count += 1;
    }
    /// The number of operations.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// The encoded size.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }
    pub fn clear(&mut self) {
        self.data.clear();
        self.count = 0;
    }
    /// Appends all operations of `other`.
    pub fn append(&mut self, other: &WriteBatch) {
        self.data.extend_from_slice(&other.data);
        self.count += other.count;
    }
    /// The operations in order.
    pub fn iter(&self) -> Ops<'_> {
        Ops { data: &self.data, pos: 0 }
    }
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.data
    }
    /// Refuses what the file formats cannot hold.
    pub(crate) fn check(&self) -> PgResult<()> {
        if self.data.len() >= 1 << 31 {
            return Err(PgError::new(codes::PROGRAM_LIMIT_EXCEEDED, "transaction is too large")
                .detail("The changes of one transaction take more than 2 GB."));
        }
        Ok(())
    }
    /// Operations read back from the log.
    pub(crate) fn decode(data: &[u8]) -> PgResult<WriteBatch> {
        let mut ops = Ops { data, pos: 0 };
        let count = ops.by_ref().count();
        if ops.pos != data.len() {
            return Err(PgError::new(codes::DATA_CORRUPTED, "corrupted operation in the write-ahead log"));
        }
        Ok(WriteBatch { data: data.to_vec(), count })
    }
}

/// Iterates over the operations of a batch.
#[derive(Clone, Debug)]
pub struct Ops<'a> {
    data: &'a [u8],
    pos: usize,
}

impl<'a> Iterator for Ops<'a> {
    type Item = Op<'a>;

    #[inline]
    fn next(&mut self) -> Option<Op<'a>> {
        let mut pos = self.pos;
        let kind = *self.data.get(pos)?;
        pos += 1;
        let key_len = varint::read_u64(self.data, &mut pos)? as usize;
        let value_len = varint::read_u64(self.data, &mut pos)? as usize;
        let key_end = pos.checked_add(key_len)?;
        let value_end = key_end.checked_add(value_len)?;
        let key = self.data.get(pos..key_end)?;
        let value = self.data.get(key_end..value_end)?;
        let op = match kind {
            PUT => Op::Put { key, value },
            DELETE => Op::Delete { key },
            DELETE_RANGE => Op::DeleteRange { start: key, end: value },
            _ => return None,
        };
        self.pos = value_end;
        Some(op)
    }
}
