//! A file system in memory, a clock moved by hand, seeded randomness.

use super::{Clock, File, LockGuard, OpenMode, Rng, Vfs};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(super) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// One step of the SplitMix64 generator.
pub(super) fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(GOLDEN);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

type Locks = Arc<Mutex<BTreeSet<PathBuf>>>;

/// Files in memory. Everything written is "durable" as long as the value lives; clones of the `Arc` share it.
#[derive(Default)]
pub struct MemVfs {
    files: Mutex<BTreeMap<PathBuf, Arc<MemFile>>>,
    locks: Locks,
}

#[derive(Default)]
struct MemFile(RwLock<Vec<u8>>);

impl File for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let data = self.0.read();
        Ok(copy_at(&data, buf, offset))
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        write_at(&mut self.0.write(), buf, offset);
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.read().len() as u64)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.write().resize(len as usize, 0);
        Ok(())
    }
}

pub(super) fn copy_at(data: &[u8], buf: &mut [u8], offset: u64) -> usize {
    let rest = data.get(offset as usize..).unwrap_or(&[]);
    let n = rest.len().min(buf.len());
    buf[..n].copy_from_slice(&rest[..n]);
    n
}

pub(super) fn write_at(data: &mut Vec<u8>, buf: &[u8], offset: u64) {
    let (start, end) = (offset as usize, offset as usize + buf.len());
    if data.len() < end {
        data.resize(end, 0);
    }
    data[start..end].copy_from_slice(buf);
}

pub(super) fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no such file: {}", path.display()))
}

struct MemLock {
    locks: Locks,
    path: PathBuf,
}
impl LockGuard for MemLock {}
impl Drop for MemLock {
    fn drop(&mut self) {
        self.locks.lock().remove(&self.path);
    }
}

pub(super) fn take_lock(locks: &Locks, path: &Path) -> io::Result<Box<dyn LockGuard>> {
    if !locks.lock().insert(path.to_owned()) {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(Box::new(MemLock { locks: locks.clone(), path: path.to_owned() }))
}

impl Vfs for MemVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let mut files = self.files.lock();
        if mode == OpenMode::Create {
            let file = Arc::new(MemFile::default());
            files.insert(path.to_owned(), file.clone());
            return Ok(file);
        }
        files.get(path).map(|file| file.clone() as Arc<dyn File>).ok_or_else(|| not_found(path))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.lock().remove(path).map(|_| ()).ok_or_else(|| not_found(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.files.lock();
        let file = files.remove(from).ok_or_else(|| not_found(from))?;
        files.insert(to.to_owned(), file);
        Ok(())
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        Ok(names_in(self.files.lock().keys(), dir))
    }
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        take_lock(&self.locks, path)
    }
}

pub(super) fn names_in<'a>(paths: impl Iterator<Item = &'a PathBuf>, dir: &Path) -> Vec<String> {
    paths
        .filter(|path| path.parent() == Some(dir))
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .collect()
}

/// A clock that moves only when told to, or when someone sleeps on it.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    pub fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
    fn wall(&self) -> Duration {
        Duration::from_secs(1_750_000_000) + self.monotonic()
    }
    fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}

/// Reproducible random numbers.
#[derive(Debug)]
pub struct SeededRng(AtomicU64);

impl SeededRng {
    pub fn new(seed: u64) -> SeededRng {
        SeededRng(AtomicU64::new(split_mix(seed)))
    }
}

impl Rng for SeededRng {
    fn next_u64(&self) -> u64 {
        split_mix(self.0.fetch_add(GOLDEN, Ordering::Relaxed))
    }
}
