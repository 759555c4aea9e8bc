//! Sorted-string tables: immutable files of versions in order, read block by block through the cache.
//!
//! ```text
//!   +------------+------------+-- ... --+--------+------------+-------+--------+
//!   | data block | data block |         | filter | range dels | index | footer |
//!   +------------+------------+-- ... --+--------+------------+-------+--------+
//!   block on disk: bytes (raw or LZ4) | compression u8 | 0 0 0 | raw length u32 | crc32c u32
//!   footer, 64 bytes: PGLSST01 | block format u32 | blocks u32 | base ts u64 | (offset u64, length u32) x 3 | crc32c
//! ```
//!
//! The block format id leaves room for another (columnar) data block later. A table's index, filter and range
//! deletions stay in memory as long as the table is open.
//!
//! Invariant: a table's file never changes after its footer is written; it is removed when the last reader of an
//! obsolete table is gone.

mod blob;
mod block;
mod bloom;
mod builder;
mod cache;
mod heads;
mod source;

pub(crate) use blob::{BlobFile, BlobFiles, blob_name};
pub(crate) use block::Block;
pub(crate) use builder::TableBuilder;
pub(crate) use cache::BlockCache;
pub(crate) use source::{RawCursor, RunSource};

use crate::env::{Env, File, OpenMode, io_error, read_exact};
use crate::memtable::Kind;
use crate::rangedel::RangeDels;
use blob::Pointer;
use block::Found;
use bloom::Bloom;
use cache::Slot;
use heads::Heads;
use pglite_codec::{crc32c, varint};
use pglite_error::{PgError, PgResult, codes};
use std::cmp::Ordering as Order;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const MAGIC: &[u8; 8] = b"PGLSST01";
const FOOTER: usize = 64;
const TRAILER: usize = 12;
/// In a footer: all versions of the table are its commit's, which the manifest tells.
pub(crate) const BASE_INGESTED: u64 = u64::MAX;
/// Row-wise, prefix-compressed blocks (the only format so far).
const FORMAT_ROWS: u32 = 1;

/// What the manifest knows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableMeta {
    pub(crate) id: u64,
    pub(crate) size: u64,
    pub(crate) entries: u64,
    pub(crate) min_ts: u64,
    pub(crate) max_ts: u64,
    pub(crate) smallest: Vec<u8>,
    pub(crate) largest: Vec<u8>,
    /// Whether `largest` itself is outside (it is the end of a range deletion).
    pub(crate) largest_open: bool,
    /// Blob files it points into, with the bytes of them it needs.
    pub(crate) blobs: Vec<(u64, u64)>,
}

impl TableMeta {
    /// Whether every key of the table is before `key`.
    #[inline]
    pub(crate) fn ends_before(&self, key: &[u8]) -> bool {
        match self.largest[..].cmp(key) {
            Order::Less => true,
            Order::Equal => self.largest_open,
            Order::Greater => false,
        }
    }
    #[inline]
    pub(crate) fn covers(&self, key: &[u8]) -> bool {
        *self.smallest <= *key && !self.ends_before(key)
    }
    /// Whether the table may hold something in `start..end` (empty `end`: unbounded).
    pub(crate) fn overlaps(&self, start: &[u8], end: &[u8]) -> bool {
        !self.ends_before(start) && (end.is_empty() || *self.smallest < *end)
    }
    /// Whether two tables may share a key.
    pub(crate) fn touches(&self, other: &TableMeta) -> bool {
        !self.ends_before(&other.smallest) && !other.ends_before(&self.smallest)
    }
}

pub(crate) fn table_name(id: u64) -> String {
    format!("{id:012}.sst")
}

/// The number of a table or blob file.
pub(crate) fn parse_table_name(name: &str) -> Option<u64> {
    name.strip_suffix(".sst").or_else(|| name.strip_suffix(".blob"))?.parse().ok()
}

/// The place of each data block: last key and extent.
#[derive(Default)]
struct Index {
    keys: Vec<u8>,
    ends: Vec<u32>,
    extents: Vec<(u64, u32)>,
    heads: Heads,
}

impl Index {
    fn len(&self) -> usize {
        self.ends.len()
    }
    #[inline]
    fn last_key(&self, block: usize) -> &[u8] {
        let start = if block == 0 { 0 } else { self.ends[block - 1] as usize };
        &self.keys[start..self.ends[block] as usize]
    }
    /// The first block whose last key is not less than `key`.
    #[inline]
    fn find(&self, key: &[u8]) -> usize {
        self.heads.below(key, |i| self.last_key(i) < key)
    }
}

/// An open table.
pub(crate) struct Table {
    pub(crate) meta: TableMeta,
    env: Env,
    path: PathBuf,
    file: Arc<dyn File>,
    base_ts: u64,
    index: Index,
    filter: Bloom,
    pub(crate) range_dels: RangeDels,
    pub(crate) blobs: Vec<Arc<BlobFile>>,
    slots: Box<[Slot]>,
    cache: Arc<BlockCache>,
    obsolete: AtomicBool,
}

impl Drop for Table {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::Acquire) {
            // A file that cannot be removed now is removed at the next start.
            let _ = self.env.vfs.remove(&self.path);
        }
    }
}

impl Table {
    pub(crate) fn open(
        env: &Env,
        dir: &Path,
        meta: TableMeta,
        cache: &Arc<BlockCache>,
        blobs: &BlobFiles,
    ) -> PgResult<Arc<Table>> {
        let blobs =
            meta.blobs.iter().map(|(id, _)| blobs.get(env, dir, *id)).collect::<PgResult<Vec<_>>>()?;
        let path = dir.join(table_name(meta.id));
        let file = env.vfs.open(&path, OpenMode::Read).map_err(|e| io_error("open", &path, &e))?;
        let mut footer = [0; FOOTER];
        let at = meta.size.checked_sub(FOOTER as u64).ok_or_else(|| damaged(&path, "its size"))?;
        read_exact(&*file, &mut footer, at).map_err(|e| io_error("read", &path, &e))?;
        let footer = Footer::parse(&footer).ok_or_else(|| damaged(&path, "its footer"))?;
        let section = |(offset, len)| read_block(&*file, &path, offset, len);
        let filter = Bloom::from_bytes(section(footer.filter)?);
        let range_dels =
            parse_dels(&section(footer.dels)?).ok_or_else(|| damaged(&path, "its range deletions"))?;
        let index = parse_index(&section(footer.index)?).ok_or_else(|| damaged(&path, "its index"))?;
        if index.len() != footer.blocks as usize {
            return Err(damaged(&path, "its index"));
        }
        let slots = (0..index.len()).map(|_| Slot::default()).collect();
        Ok(Arc::new(Table {
            base_ts: if footer.base_ts == BASE_INGESTED { meta.min_ts } else { footer.base_ts },
            meta,
            env: env.clone(),
            path,
            file,
            index,
            filter,
            range_dels,
            blobs,
            slots,
            cache: cache.clone(),
            obsolete: AtomicBool::new(false),
        }))
    }

    /// The file goes when the last holder of the table does.
    pub(crate) fn set_obsolete(&self) {
        self.obsolete.store(true, Ordering::Release);
    }

    #[cold]
    fn load(&self, number: usize) -> PgResult<Arc<Block>> {
        let (offset, len) = self.index.extents[number];
        let raw = read_block(&*self.file, &self.path, offset, len)?;
        let block = Arc::new(Block::new(raw).ok_or_else(|| damaged(&self.path, "a block"))?);
        Ok(block)
    }

    /// Reads the value that an entry of this table points to.
    pub(crate) fn read_blob(&self, pointer: &[u8], out: &mut Vec<u8>) -> PgResult<()> {
        let pointer = Pointer::parse(pointer).ok_or_else(|| damaged(&self.path, "a value's pointer"))?;
        match self.blobs.iter().find(|blob| blob.id() == pointer.file) {
            Some(blob) => blob.read(pointer, out),
            None => Err(damaged(&self.path, "a value's pointer")),
        }
    }

    /// A data block, through the cache.
    #[inline]
    fn cached_block(self: &Arc<Table>, number: usize) -> PgResult<Arc<Block>> {
        if let Some(block) = self.slots[number].get() {
            return Ok(block);
        }
        let block = self.load(number)?;
        self.cache.insert(self, number, &block);
        Ok(block)
    }

    /// The newest version of `key` (hashed by [`hash_key`]) not newer than `at`.
    #[inline]
    pub(crate) fn lookup(
        self: &Arc<Table>,
        key: &[u8],
        hash: u64,
        at: u64,
    ) -> PgResult<Option<(Arc<Block>, Found)>> {
        if !self.filter.may_contain(hash) {
            return Ok(None);
        }
        let mut number = self.index.find(key);
        while number < self.index.len() {
            let block = self.cached_block(number)?;
            match block.find(key, at, self.base_ts).ok_or_else(|| damaged(&self.path, "a block"))? {
                Some(found) => return Ok(Some((block, found))),
                None if self.index.last_key(number) == key => number += 1,
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// A key's hash for the filters.
#[inline]
pub(crate) fn hash_key(key: &[u8]) -> u64 {
    bloom::hash(key)
}

/// The blob file that a kind-2 entry's value points into.
pub(crate) fn blob_of(pointer: &[u8]) -> Option<u64> {
    Pointer::parse(pointer).map(|pointer| pointer.file)
}

fn damaged(path: &Path, what: &str) -> PgError {
    PgError::new(codes::DATA_CORRUPTED, format!("table file \"{}\" is damaged: {what}", path.display()))
}

struct Footer {
    blocks: u32,
    base_ts: u64,
    filter: (u64, u32),
    dels: (u64, u32),
    index: (u64, u32),
}

impl Footer {
    fn encode(&self) -> [u8; FOOTER] {
        let mut out = [0; FOOTER];
        out[..8].copy_from_slice(MAGIC);
        out[8..12].copy_from_slice(&FORMAT_ROWS.to_le_bytes());
        out[12..16].copy_from_slice(&self.blocks.to_le_bytes());
        out[16..24].copy_from_slice(&self.base_ts.to_le_bytes());
        for (i, (offset, len)) in [self.filter, self.dels, self.index].into_iter().enumerate() {
            let at = 24 + i * 12;
            out[at..at + 8].copy_from_slice(&offset.to_le_bytes());
            out[at + 8..at + 12].copy_from_slice(&len.to_le_bytes());
        }
        let crc = crc32c::checksum(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }
    fn parse(data: &[u8; FOOTER]) -> Option<Footer> {
        let u32_at = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
        let u64_at = |at: usize| u32_at(at) as u64 | (u32_at(at + 4) as u64) << 32;
        let extent = |i: usize| (u64_at(24 + i * 12), u32_at(32 + i * 12));
        let footer = Footer {
            blocks: u32_at(12),
            base_ts: u64_at(16),
            filter: extent(0),
            dels: extent(1),
            index: extent(2),
        };
        (footer.encode() == *data).then_some(footer)
    }
}

/// Reads a block, checks it and unpacks it.
fn read_block(file: &dyn File, path: &Path, offset: u64, len: u32) -> PgResult<Vec<u8>> {
    let mut data = vec![0; len as usize];
    read_exact(file, &mut data, offset).map_err(|e| io_error("read", path, &e))?;
    unpack(data)
        .ok_or_else(|| damaged(path, &format!("the block at byte {offset} does not match its checksum")))
}

fn unpack(mut data: Vec<u8>) -> Option<Vec<u8>> {
    let body = data.len().checked_sub(TRAILER)?;
    let crc = u32::from_le_bytes(data[body + 8..].try_into().ok()?);
    if crc32c::checksum(&data[..body + 8]) != crc {
        return None;
    }
    let raw_len = u32::from_le_bytes(data[body + 4..body + 8].try_into().ok()?) as usize;
    match data[body] {
        0 => {
            data.truncate(body);
            Some(data)
        }
        1 => {
            let mut raw = vec![0; raw_len];
            let n = lz4_flex::block::decompress_into(&data[..body], &mut raw).ok()?;
            (n == raw_len).then_some(raw)
        }
        _ => None,
    }
}

/// Appends `raw` as a block to `out`; answers its length there.
fn pack(raw: &[u8], compress: bool, out: &mut Vec<u8>) -> u32 {
    let start = out.len();
    let mut compression = 0;
    if compress && raw.len() > 64 {
        out.resize(start + lz4_flex::block::get_maximum_output_size(raw.len()), 0);
        match lz4_flex::block::compress_into(raw, &mut out[start..]) {
            Ok(n) if n < raw.len() - raw.len() / 8 => {
                out.truncate(start + n);
                compression = 1;
            }
            _ => out.truncate(start),
        }
    }
    if compression == 0 {
        out.extend_from_slice(raw);
    }
    out.extend_from_slice(&[compression, 0, 0, 0]);
    out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    let crc = crc32c::checksum(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
    (out.len() - start) as u32
}

fn encode_dels(dels: &RangeDels) -> Vec<u8> {
    let mut out = Vec::new();
    for (start, end, ts) in dels.iter() {
        varint::write_bytes(&mut out, start);
        varint::write_bytes(&mut out, end);
        varint::write_u64(&mut out, ts);
    }
    out
}

fn parse_dels(data: &[u8]) -> Option<RangeDels> {
    let mut dels = RangeDels::default();
    let mut pos = 0;
    while pos < data.len() {
        let start = varint::read_bytes(data, &mut pos)?;
        let end = varint::read_bytes(data, &mut pos)?;
        dels.insert(start, end, varint::read_u64(data, &mut pos)?);
    }
    Some(dels)
}

fn parse_index(data: &[u8]) -> Option<Index> {
    let mut index = Index::default();
    let mut pos = 0;
    while pos < data.len() {
        index.keys.extend_from_slice(varint::read_bytes(data, &mut pos)?);
        index.ends.push(index.keys.len() as u32);
        let offset = varint::read_u64(data, &mut pos)?;
        index.extents.push((offset, varint::read_u32(data, &mut pos)?));
    }
    index.heads = Heads::new(index.len(), |i| Some((index.last_key(i), 0)))?;
    Some(index)
}

/// One version as tables hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) ts: u64,
    pub(crate) kind: Kind,
    pub(crate) value: &'a [u8],
}
