//! The write-ahead log: frames in preallocated, recycled segment files.
//!
//! A log sequence number (LSN) is `segment number << 32 | offset`. A segment is
//!
//! ```text
//!   0          8         16        24         32       36      40          64
//!   +----------+---------+---------+----------+--------+-------+-----------+-------+-------+-- ... --+-----+
//!   | PGLWAL01 | number  | size    | durable  | chain  | crc   | zero      | frame | frame |         | end |
//!   +----------+---------+---------+----------+--------+-------+-----------+-------+-------+-- ... --+-----+
//! ```
//!
//! Each frame is one group of commits (`pglite_codec::frame`); its payload is a sequence of
//! `timestamp u64 | length u32 | tables length u32 | tables | batch`; `tables` (mostly empty) is a manifest edit that
//! names tables the commit ingests. A segment that is full ends with an end frame, which is synced before the
//! next segment is created. A store that is closed in an orderly way adds a close frame.
//!
//! Invariant: everything below `durable` has been synced; no frame is acknowledged before it is.

mod recovery;

pub(crate) use recovery::recover;

use crate::env::{Env, File, OpenMode, io_error};
use parking_lot::Mutex;
use pglite_codec::{crc32c, frame};
use pglite_error::{PgError, PgResult};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const HEADER: usize = 64;
const MAGIC: &[u8; 8] = b"PGLWAL01";
const KIND_DATA: u32 = 1;
const KIND_END: u32 = 2;
const KIND_CLOSE: u32 = 3;
/// A group is cut into frames of about this size.
pub(crate) const FRAME_BYTES: usize = 32 << 20;
/// Size of the first segment after a start.
const FIRST_SEGMENT: usize = 1 << 20;
const SPARE: &str = "wal-spare.log";

fn lsn(number: u64, offset: usize) -> u64 {
    number << 32 | offset as u64
}

fn segment_name(number: u64) -> String {
    format!("wal-{number:016x}.log")
}

fn parse_name(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_prefix("wal-")?.strip_suffix(".log")?, 16).ok()
}

/// Why an append failed.
pub(crate) enum WalError {
    /// Nothing was written; the same may succeed later (the disk is full).
    Retry(PgError),
    /// The log's state on disk is unknown.
    Fatal(PgError),
}

/// What the flusher and the appender share.
pub(crate) struct WalShared {
    dir: PathBuf,
    env: Env,
    segment_size: usize,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    /// Finished segments, oldest first: number and newest timestamp in it.
    finished: VecDeque<(u64, u64)>,
    current: u64,
    /// A file of full size, ready to become a segment.
    spare: bool,
    want_spare: bool,
}

impl WalShared {
    /// The first segment that is still needed when everything up to `flushed` is in tables.
    pub(crate) fn floor(&self, flushed: u64) -> u64 {
        let index = self.index.lock();
        index
            .finished
            .iter()
            .find(|(_, max_ts)| *max_ts > flushed)
            .map_or(index.current, |(number, _)| *number)
    }

    /// Removes or recycles the segments below `floor`. The manifest must already say so durably.
    pub(crate) fn release(&self, floor: u64) -> PgResult<()> {
        loop {
            let (number, recycle) = {
                let mut index = self.index.lock();
                match index.finished.front() {
                    Some(&(number, _)) if number < floor => {
                        index.finished.pop_front();
                        (number, !std::mem::replace(&mut index.spare, true))
                    }
                    _ => return Ok(()),
                }
            };
            let path = self.dir.join(segment_name(number));
            let file = self.env.vfs.open(&path, OpenMode::Read).map_err(|e| io_error("open", &path, &e))?;
            let standard = file.len().map_err(|e| io_error("stat", &path, &e))? == self.segment_size as u64;
            if recycle && standard {
                let spare = self.dir.join(SPARE);
                self.env.vfs.rename(&path, &spare).map_err(|e| io_error("rename", &path, &e))?;
            } else {
                if recycle {
                    self.index.lock().spare = false;
                }
                self.env.vfs.remove(&path).map_err(|e| io_error("remove", &path, &e))?;
            }
        }
    }

    /// Prepares the next segment's file while nobody waits for it.
    pub(crate) fn prepare_spare(&self) {
        {
            let mut index = self.index.lock();
            if index.spare || !std::mem::take(&mut index.want_spare) {
                return;
            }
        }
        let path = self.dir.join("wal-new.tmp");
        let made = fill(&self.env, &path, self.segment_size)
            .and_then(|file| file.sync())
            .and_then(|()| self.env.vfs.rename(&path, &self.dir.join(SPARE)));
        // A full disk is no error yet: the appender will meet it when it needs the space.
        if made.is_ok() {
            self.index.lock().spare = true;
        } else {
            let _ = self.env.vfs.remove(&path);
        }
    }

    /// About how much finished log waits for its data to be flushed.
    pub(crate) fn finished_bytes(&self) -> u64 {
        (self.index.lock().finished.len() * self.segment_size) as u64
    }

    pub(crate) fn wants_spare(&self) -> bool {
        let index = self.index.lock();
        index.want_spare && !index.spare
    }
}

/// Whether there is a spare segment of the right size; one of another size goes.
fn usable_spare(env: &Env, dir: &Path, segment_size: usize) -> bool {
    let path = dir.join(SPARE);
    let Ok(file) = env.vfs.open(&path, OpenMode::Read) else { return false };
    let fits = file.len().is_ok_and(|len| len == segment_size as u64);
    if !fits {
        let _ = env.vfs.remove(&path);
    }
    fits
}

/// Creates a file of `size` zero bytes, written out so that its blocks are allocated.
fn fill(env: &Env, path: &Path, size: usize) -> std::io::Result<Arc<dyn File>> {
    let file = env.vfs.open(path, OpenMode::Create)?;
    let zeros = vec![0u8; size.min(1 << 20)];
    let mut at = 0;
    while at < size {
        let n = zeros.len().min(size - at);
        file.write_at(&zeros[..n], at as u64)?;
        at += n;
    }
    Ok(file)
}

/// The tail of the log.
pub(crate) struct Wal {
    shared: Arc<WalShared>,
    number: u64,
    size: usize,
    file: Arc<dyn File>,
    path: PathBuf,
    tail: usize,
    /// Checksum of the last frame.
    chain: u32,
    durable: u64,
    max_ts: u64,
    buf: Vec<u8>,
    frame_start: Option<usize>,
    pub(crate) syncs: u64,
    pub(crate) bytes: u64,
}

impl Wal {
    /// Starts the log at segment `number`, after a frame with checksum `chain`.
    pub(crate) fn create(
        env: &Env,
        dir: &Path,
        segment_size: usize,
        number: u64,
        chain: u32,
        finished: VecDeque<(u64, u64)>,
    ) -> PgResult<Wal> {
        let spare = usable_spare(env, dir, segment_size);
        let index = Index { finished, current: number, spare, want_spare: false };
        let shared = Arc::new(WalShared {
            dir: dir.to_owned(),
            env: env.clone(),
            segment_size,
            index: Mutex::new(index),
        });
        // The first segment is short, so that a start need not wait for a large file to be filled.
        let size = segment_size.min(FIRST_SEGMENT);
        let (file, path) = new_segment(&shared, number, size, chain, 0)?;
        Ok(Wal {
            shared,
            number,
            size,
            file,
            path,
            tail: HEADER,
            chain,
            durable: lsn(number, HEADER),
            max_ts: 0,
            buf: Vec::new(),
            frame_start: None,
            syncs: 0,
            bytes: 0,
        })
    }

    pub(crate) fn shared(&self) -> &Arc<WalShared> {
        &self.shared
    }

    /// Whether frames were written that are not synced.
    pub(crate) fn is_dirty(&self) -> bool {
        self.durable < lsn(self.number, self.tail)
    }

    /// Adds one commit to the frame under construction and answers the frame's size so far.
    pub(crate) fn add(&mut self, ts: u64, tables: &[u8], batch: &[u8]) -> usize {
        if self.frame_start.is_none() {
            self.buf.clear();
            self.frame_start = Some(frame::begin(&mut self.buf));
        }
        self.buf.extend_from_slice(&ts.to_le_bytes());
        self.buf.extend_from_slice(&((tables.len() + batch.len()) as u32).to_le_bytes());
        self.buf.extend_from_slice(&(tables.len() as u32).to_le_bytes());
        self.buf.extend_from_slice(tables);
        self.buf.extend_from_slice(batch);
        self.buf.len()
    }

    /// Writes the frame that `add` built; `last_ts` is its newest timestamp.
    pub(crate) fn write_frame(&mut self, last_ts: u64) -> Result<(), WalError> {
        let Some(start) = self.frame_start.take() else { return Ok(()) };
        let len = frame::frame_len(self.buf.len() - start - frame::HEADER);
        if self.tail + len + frame::frame_len(0) > self.size {
            self.next_segment(len)?;
        }
        let position = lsn(self.number, self.tail);
        let crc = frame::finish(&mut self.buf, start, KIND_DATA, self.chain, position, self.durable);
        self.file.write_at(&self.buf, self.tail as u64).map_err(|e| self.failed("write", &e))?;
        self.chain = crc;
        self.tail += len;
        self.bytes += len as u64;
        self.max_ts = self.max_ts.max(last_ts);
        if self.buf.capacity() > 4 << 20 {
            self.buf = Vec::new();
        }
        if self.tail > self.size / 2 {
            self.shared.index.lock().want_spare = true;
        }
        Ok(())
    }

    /// Makes everything written durable.
    pub(crate) fn sync(&mut self) -> Result<(), WalError> {
        if self.is_dirty() {
            self.file.sync().map_err(|e| WalError::Fatal(io_error("fsync", &self.path, &e)))?;
            self.durable = lsn(self.number, self.tail);
            self.syncs += 1;
        }
        Ok(())
    }

    /// Ends the log in an orderly way: recovery then knows that nothing may be missing before this point.
    pub(crate) fn close(&mut self) -> Result<(), WalError> {
        self.sync()?;
        self.mark(KIND_CLOSE)?;
        self.sync()
    }

    /// Writes an empty frame.
    fn mark(&mut self, kind: u32) -> Result<(), WalError> {
        let mut buf = Vec::new();
        let start = frame::begin(&mut buf);
        let crc = frame::finish(&mut buf, start, kind, self.chain, lsn(self.number, self.tail), self.durable);
        self.file.write_at(&buf, self.tail as u64).map_err(|e| self.failed("write", &e))?;
        self.chain = crc;
        self.tail += buf.len();
        Ok(())
    }

    fn next_segment(&mut self, len: usize) -> Result<(), WalError> {
        let (chain, tail) = (self.chain, self.tail);
        self.sync()?;
        self.mark(KIND_END)?;
        self.sync()?;
        let size = self.shared.segment_size.max(HEADER + len + frame::frame_len(0));
        match new_segment(&self.shared, self.number + 1, size, self.chain, self.durable) {
            Ok((file, path)) => {
                let mut index = self.shared.index.lock();
                index.finished.push_back((self.number, self.max_ts));
                self.number += 1;
                index.current = self.number;
                self.size = size;
                self.file = file;
                self.path = path;
                self.tail = HEADER;
                self.durable = lsn(self.number, HEADER);
                self.max_ts = 0;
                Ok(())
            }
            Err(error) => {
                // Take the end frame back: the next attempt writes at the same place.
                self.chain = chain;
                self.tail = tail;
                self.durable = lsn(self.number, tail);
                if error.code() == pglite_error::codes::DISK_FULL {
                    Err(WalError::Retry(error))
                } else {
                    Err(WalError::Fatal(error))
                }
            }
        }
    }

    fn failed(&self, verb: &str, error: &std::io::Error) -> WalError {
        let pg = io_error(verb, &self.path, error);
        if crate::env::is_full(error) { WalError::Retry(pg) } else { WalError::Fatal(pg) }
    }
}

fn new_segment(
    shared: &WalShared,
    number: u64,
    size: usize,
    chain: u32,
    durable: u64,
) -> PgResult<(Arc<dyn File>, PathBuf)> {
    let path = shared.dir.join(segment_name(number));
    let vfs = &shared.env.vfs;
    let standard = size == shared.segment_size;
    let recycled = standard && std::mem::take(&mut shared.index.lock().spare);
    let make = || {
        let file = if recycled {
            vfs.rename(&shared.dir.join(SPARE), &path)?;
            vfs.open(&path, OpenMode::Write)?
        } else {
            fill(&shared.env, &path, size)?
        };
        file.write_at(&header(number, size, chain, durable), 0)?;
        file.sync()?;
        vfs.sync_dir(&shared.dir)?;
        Ok(file)
    };
    match make() {
        Ok(file) => Ok((file, path)),
        Err(error) => {
            let _ = vfs.remove(&path);
            Err(io_error("create", &path, &error))
        }
    }
}

fn header(number: u64, size: usize, chain: u32, durable: u64) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    out[..8].copy_from_slice(MAGIC);
    out[8..16].copy_from_slice(&number.to_le_bytes());
    out[16..24].copy_from_slice(&(size as u64).to_le_bytes());
    out[24..32].copy_from_slice(&durable.to_le_bytes());
    out[32..36].copy_from_slice(&chain.to_le_bytes());
    let crc = crc32c::checksum(&out[..36]);
    out[36..40].copy_from_slice(&crc.to_le_bytes());
    out
}

struct Header {
    chain: u32,
    durable: u64,
}

fn parse_header(data: &[u8], number: u64) -> Option<Header> {
    let head: &[u8; HEADER] = data.first_chunk()?;
    let chain = u32::from_le_bytes(head[32..36].try_into().ok()?);
    let durable = u64::from_le_bytes(head[24..32].try_into().ok()?);
    let size = u64::from_le_bytes(head[16..24].try_into().ok()?);
    (*head == header(number, size as usize, chain, durable)).then_some(Header { chain, durable })
}
