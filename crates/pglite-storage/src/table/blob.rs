//! Large values, kept apart from their keys: compactions move a pointer instead of the value.
//!
//! A table being written puts values of at least [`BLOB_MIN`] bytes into a blob file of its own number. Later tables
//! point into it too, until so much of it is garbage that a compaction writes the live rest anew.
//!
//! ```text
//!   record  := length u32 | crc32c u32 | bytes
//!   pointer := blob file id varint | offset varint | length varint       (the value of a kind-2 entry)
//! ```
//!
//! Invariant: a blob file never changes once a table in the manifest points into it; it is removed when no table of the
//! tree points into it any more and the last reader is gone.

use super::damaged;
use crate::env::{Env, File, OpenMode, io_error, read_exact};
use parking_lot::Mutex;
use pglite_codec::{crc32c, varint};
use pglite_error::PgResult;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// Values of at least this many bytes are kept apart.
pub(super) const BLOB_MIN: usize = 4 << 10;
const HEAD: usize = 8;
const WRITE_BYTES: usize = 256 << 10;

pub(crate) fn blob_name(id: u64) -> String {
    format!("{id:012}.blob")
}

/// Where a value is.
#[derive(Clone, Copy)]
pub(super) struct Pointer {
    pub(super) file: u64,
    offset: u64,
    pub(super) len: u64,
}

impl Pointer {
    pub(super) fn parse(bytes: &[u8]) -> Option<Pointer> {
        let mut pos = 0;
        let mut next = || varint::read_u64(bytes, &mut pos);
        Some(Pointer { file: next()?, offset: next()?, len: next()? })
    }
    /// Bytes it takes in its file.
    pub(super) fn stored(&self) -> u64 {
        self.len + HEAD as u64
    }
}

/// An open blob file.
pub(crate) struct BlobFile {
    pub(super) id: u64,
    env: Env,
    path: PathBuf,
    file: Arc<dyn File>,
    size: u64,
    obsolete: AtomicBool,
}

impl Drop for BlobFile {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::Acquire) {
            // A file that cannot be removed now is removed at the next start.
            let _ = self.env.vfs.remove(&self.path);
        }
    }
}

impl BlobFile {
    pub(super) fn read(&self, pointer: Pointer, out: &mut Vec<u8>) -> PgResult<()> {
        let broken = || damaged(&self.path, &format!("the value at byte {} does not match", pointer.offset));
        if pointer.offset.checked_add(pointer.stored()).is_none_or(|end| end > self.size) {
            return Err(broken());
        }
        let mut head = [0; HEAD];
        out.resize(pointer.len as usize, 0);
        read_exact(&*self.file, &mut head, pointer.offset)
            .and_then(|()| read_exact(&*self.file, out, pointer.offset + HEAD as u64))
            .map_err(|e| io_error("read", &self.path, &e))?;
        let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
        let sound = u32::from_le_bytes([l0, l1, l2, l3]) as u64 == pointer.len
            && u32::from_le_bytes([c0, c1, c2, c3]) == crc32c::checksum(out);
        if sound { Ok(()) } else { Err(broken()) }
    }
    pub(crate) fn set_obsolete(&self) {
        self.obsolete.store(true, Ordering::Release);
    }
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

/// The open blob files, shared between the tables that point into them.
#[derive(Default)]
pub(crate) struct BlobFiles {
    open: Mutex<HashMap<u64, Weak<BlobFile>>>,
}

impl BlobFiles {
    pub(super) fn get(&self, env: &Env, dir: &Path, id: u64) -> PgResult<Arc<BlobFile>> {
        let mut open = self.open.lock();
        if let Some(blob) = open.get(&id).and_then(Weak::upgrade) {
            return Ok(blob);
        }
        let path = dir.join(blob_name(id));
        let file = env.vfs.open(&path, OpenMode::Read).map_err(|e| io_error("open", &path, &e))?;
        let size = file.len().map_err(|e| io_error("stat", &path, &e))?;
        let blob =
            Arc::new(BlobFile { id, env: env.clone(), path, file, size, obsolete: AtomicBool::new(false) });
        open.retain(|_, blob| blob.strong_count() > 0);
        open.insert(id, Arc::downgrade(&blob));
        Ok(blob)
    }
}

/// Writes a blob file.
pub(super) struct BlobWriter {
    id: u64,
    path: PathBuf,
    file: Arc<dyn File>,
    written: u64,
    out: Vec<u8>,
}

impl BlobWriter {
    pub(super) fn create(env: &Env, dir: &Path, id: u64) -> PgResult<BlobWriter> {
        let path = dir.join(blob_name(id));
        let file = env.vfs.open(&path, OpenMode::Create).map_err(|e| io_error("create", &path, &e))?;
        Ok(BlobWriter { id, path, file, written: 0, out: Vec::new() })
    }
    /// Appends a value; its pointer goes to `pointer`.
    pub(super) fn add(&mut self, value: &[u8], pointer: &mut Vec<u8>) -> PgResult<()> {
        pointer.clear();
        for number in [self.id, self.written + self.out.len() as u64, value.len() as u64] {
            varint::write_u64(pointer, number);
        }
        self.out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.out.extend_from_slice(&crc32c::checksum(value).to_le_bytes());
        self.out.extend_from_slice(value);
        if self.out.len() >= WRITE_BYTES { self.write_out() } else { Ok(()) }
    }
    pub(super) fn bytes(&self) -> u64 {
        self.written + self.out.len() as u64
    }
    fn write_out(&mut self) -> PgResult<()> {
        self.file.write_at(&self.out, self.written).map_err(|e| io_error("write", &self.path, &e))?;
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }
    pub(super) fn finish(mut self) -> PgResult<()> {
        self.write_out()?;
        self.file.sync().map_err(|e| io_error("fsync", &self.path, &e))
    }
}
