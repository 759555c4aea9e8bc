//! Writing a table.

use super::blob::{BLOB_MIN, BlobWriter, Pointer, blob_name};
use super::block::BlockBuilder;
use super::bloom::{self, Bloom};
use super::{Footer, TableMeta, Version, damaged, encode_dels, pack, table_name};
use crate::env::{Env, File, OpenMode, io_error};
use crate::memtable::Kind;
use crate::rangedel::RangeDels;
use pglite_codec::varint;
use pglite_error::PgResult;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const BLOCK_BYTES: usize = 16 << 10;
const WRITE_BYTES: usize = 256 << 10;

/// Writes one table: versions in order, then range deletions.
pub(crate) struct TableBuilder {
    env: Env,
    dir: PathBuf,
    path: PathBuf,
    file: Arc<dyn File>,
    written: u64,
    out: Vec<u8>,
    compress: bool,
    base_ts: u64,
    block: BlockBuilder,
    scratch: Vec<u8>,
    index: Vec<u8>,
    blocks: u32,
    hashes: Vec<u64>,
    last_hash: u64,
    blob: Option<BlobWriter>,
    pointer: Vec<u8>,
    meta: TableMeta,
    finished: bool,
}

impl Drop for TableBuilder {
    /// What is not finished must not fill the disk.
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is removed at the next start.
            let _ = self.env.vfs.remove(&self.path);
            let _ = self.env.vfs.remove(&self.dir.join(blob_name(self.meta.id)));
        }
    }
}

impl TableBuilder {
    /// `base_ts` must not be greater than any version that will be added.
    pub(crate) fn create(
        env: &Env,
        dir: &Path,
        id: u64,
        base_ts: u64,
        compress: bool,
    ) -> PgResult<TableBuilder> {
        let path = dir.join(table_name(id));
        let file = env.vfs.open(&path, OpenMode::Create).map_err(|e| io_error("create", &path, &e))?;
        Ok(TableBuilder {
            env: env.clone(),
            dir: dir.to_owned(),
            path,
            file,
            written: 0,
            out: Vec::with_capacity(WRITE_BYTES + 2 * BLOCK_BYTES),
            compress,
            base_ts,
            block: BlockBuilder::default(),
            scratch: Vec::new(),
            index: Vec::new(),
            blocks: 0,
            hashes: Vec::new(),
            last_hash: 0,
            blob: None,
            pointer: Vec::new(),
            meta: TableMeta { id, min_ts: u64::MAX, ..TableMeta::default() },
            finished: false,
        })
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        let blob = self.blob.as_ref().map_or(0, BlobWriter::bytes);
        self.written + self.out.len() as u64 + self.block.bytes() as u64 + blob
    }

    /// Adds a version. A large value goes to the blob file; a pointer into another one stays as it is.
    pub(crate) fn add(&mut self, version: Version<'_>) -> PgResult<()> {
        let mut pointer = std::mem::take(&mut self.pointer);
        let added = match version.kind {
            Kind::Put if version.value.len() >= BLOB_MIN => self
                .add_blob(version.value, &mut pointer)
                .and_then(|()| self.add_entry(Version { kind: Kind::Blob, value: &pointer, ..version })),
            _ => self.add_entry(version),
        };
        self.pointer = pointer;
        added
    }

    fn add_blob(&mut self, value: &[u8], pointer: &mut Vec<u8>) -> PgResult<()> {
        let blob = match &mut self.blob {
            Some(blob) => blob,
            none => none.insert(BlobWriter::create(&self.env, &self.dir, self.meta.id)?),
        };
        blob.add(value, pointer)
    }

    fn add_entry(&mut self, version: Version<'_>) -> PgResult<()> {
        if version.kind == Kind::Blob {
            let pointer =
                Pointer::parse(version.value).ok_or_else(|| damaged(&self.path, "a value's pointer"))?;
            match self.meta.blobs.iter_mut().find(|(id, _)| *id == pointer.file) {
                Some((_, live)) => *live += pointer.stored(),
                None => self.meta.blobs.push((pointer.file, pointer.stored())),
            }
        }
        if self.block.bytes() >= BLOCK_BYTES
            || (!self.block.is_empty() && self.block.bytes() + version.value.len() > 4 * BLOCK_BYTES)
        {
            self.end_block()?;
        }
        if self.meta.entries == 0 {
            self.meta.smallest = version.key.to_vec();
        }
        let hash = bloom::hash(version.key);
        if self.hashes.is_empty() || hash != self.last_hash {
            self.hashes.push(hash);
            self.last_hash = hash;
        }
        self.meta.entries += 1;
        self.meta.min_ts = self.meta.min_ts.min(version.ts);
        self.meta.max_ts = self.meta.max_ts.max(version.ts);
        self.block.add(version.key, version.ts - self.base_ts, version.kind, version.value);
        Ok(())
    }

    fn end_block(&mut self) -> PgResult<()> {
        let last_key = self.block.last_key().to_vec();
        self.block.finish(&mut self.scratch);
        let offset = self.written + self.out.len() as u64;
        let len = pack(&self.scratch, self.compress, &mut self.out);
        varint::write_bytes(&mut self.index, &last_key);
        varint::write_u64(&mut self.index, offset);
        varint::write_u64(&mut self.index, len as u64);
        self.blocks += 1;
        self.meta.largest = last_key;
        if self.out.len() >= WRITE_BYTES { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> PgResult<()> {
        self.file.write_at(&self.out, self.written).map_err(|e| io_error("write", &self.path, &e))?;
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }

    fn section(&mut self, raw: &[u8]) -> (u64, u32) {
        let offset = self.written + self.out.len() as u64;
        (offset, pack(raw, false, &mut self.out))
    }

    /// Completes the file and makes it durable. The directory entry is the caller's to sync.
    pub(crate) fn finish(mut self, dels: &RangeDels) -> PgResult<TableMeta> {
        if let Some(blob) = self.blob.take() {
            blob.finish()?;
        }
        if !self.block.is_empty() {
            self.end_block()?;
        }
        for (_, _, ts) in dels.iter() {
            self.meta.min_ts = self.meta.min_ts.min(ts);
            self.meta.max_ts = self.meta.max_ts.max(ts);
        }
        if let Some((start, end)) = dels.bounds() {
            if self.meta.entries == 0 || *start < *self.meta.smallest {
                self.meta.smallest = start.to_vec();
            }
            if self.meta.entries == 0 || *end > *self.meta.largest {
                self.meta.largest = end.to_vec();
                self.meta.largest_open = true;
            }
        }
        let filter = Bloom::build(&self.hashes);
        let filter = self.section(filter.bytes());
        let dels = self.section(&encode_dels(dels));
        let index = std::mem::take(&mut self.index);
        let index = self.section(&index);
        let footer = Footer { blocks: self.blocks, base_ts: self.base_ts, filter, dels, index };
        self.out.extend_from_slice(&footer.encode());
        self.write_out()?;
        self.file.sync().map_err(|e| io_error("fsync", &self.path, &e))?;
        self.meta.size = self.written;
        self.finished = true;
        Ok(std::mem::take(&mut self.meta))
    }
}
