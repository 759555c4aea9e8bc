//! The outside world behind small traits: files, time, randomness, threads.
//!
//! Everything the engine does to the world goes through an [`Env`], so the whole database can run single-threaded
//! on a simulated disk and clock. This module is the only home of `std::fs`, `Instant::now` and thread spawning.
//!
//! Architecture Invariant: no other module of the workspace (but the server) touches the operating system.

mod fault;
mod mem;
mod real;

pub use fault::{FaultVfs, Faults};
pub use mem::{ManualClock, MemVfs, SeededRng};
pub use real::{RealVfs, SystemClock, SystemRng, SystemThreads};

use pglite_error::{PgError, codes};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How [`Vfs::open`] opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A new, empty file (an old one of that name is emptied), for reading and writing.
    Create,
}

/// An open file. Positioned access only, so one handle serves many threads.
pub trait File: Send + Sync {
    /// Reads up to `buf.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `buf`, growing the file if needed.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written durable, with the metadata needed to read it.
    fn sync(&self) -> io::Result<()>;
    fn len(&self) -> io::Result<u64>;
    fn set_len(&self, len: u64) -> io::Result<()>;
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Held as long as the directory is in use; dropping it unlocks.
pub trait LockGuard: Send + Sync {}

/// A file system.
pub trait Vfs: Send + Sync {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Atomic; replaces an existing `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// The names of the files in `dir`.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// With parents; no error if it exists.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the lock file `path` for this process; `WouldBlock` if another holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>>;
}

/// Time. Monotonic time has an arbitrary origin; wall time counts from the Unix epoch.
pub trait Clock: Send + Sync {
    fn monotonic(&self) -> Duration;
    fn wall(&self) -> Duration;
    fn sleep(&self, time: Duration);
}

/// Random numbers.
pub trait Rng: Send + Sync {
    fn next_u64(&self) -> u64;
}

/// Waits for a thread's end.
pub type Joiner = Box<dyn FnOnce() + Send + Sync>;

/// Background threads.
pub trait Spawner: Send + Sync {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<Joiner>;
}

/// One world.
#[derive(Clone)]
pub struct Env {
    pub vfs: Arc<dyn Vfs>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    /// `None`: single-threaded; background work is done inline by whoever causes it.
    pub threads: Option<Arc<dyn Spawner>>,
}

impl Env {
    /// The machine we run on.
    pub fn real() -> Env {
        Env {
            vfs: Arc::new(RealVfs),
            clock: Arc::new(SystemClock::default()),
            rng: Arc::new(SystemRng::default()),
            threads: Some(Arc::new(SystemThreads)),
        }
    }
    /// Files in memory, real time, no threads: the embedded in-memory mode.
    pub fn memory() -> Env {
        Env {
            vfs: Arc::new(MemVfs::default()),
            clock: Arc::new(SystemClock::default()),
            rng: Arc::new(SystemRng::default()),
            threads: None,
        }
    }
    /// A reproducible world: the given disk, a clock that stands still unless moved, seeded randomness, no threads.
    pub fn simulated(vfs: Arc<dyn Vfs>, seed: u64) -> Env {
        Env {
            vfs,
            clock: Arc::new(ManualClock::default()),
            rng: Arc::new(SeededRng::new(seed)),
            threads: None,
        }
    }
}

/// Whether the disk (or quota) is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// `could not <verb> file "<path>": <reason>` with PostgreSQL's code for the reason.
pub(crate) fn io_error(verb: &str, path: &Path, error: &io::Error) -> PgError {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => codes::DISK_FULL,
        io::ErrorKind::NotFound => codes::UNDEFINED_FILE,
        io::ErrorKind::PermissionDenied => codes::INSUFFICIENT_PRIVILEGE,
        _ => codes::IO_ERROR,
    };
    PgError::new(code, format!("could not {verb} file \"{}\": {}", path.display(), reason(error)))
}

/// The operating system's words, without Rust's error number.
pub fn reason(error: &io::Error) -> String {
    let mut reason = error.to_string();
    if let Some(at) = reason.find(" (os error") {
        reason.truncate(at);
    }
    reason
}

/// Reads exactly `buf.len()` bytes.
pub(crate) fn read_exact(file: &dyn File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    if file.read_at(buf, offset)? == buf.len() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
