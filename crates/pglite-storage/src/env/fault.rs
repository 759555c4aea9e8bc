//! A disk that fails: power cuts that lose any subset of unsynced writes and tear them at sectors, I/O errors, a
//! full disk, and a sync that lies (the seeded bug that shows that the crash tests can see one).
//!
//! Model: every file has its durable bytes and a list of writes since its last sync; every directory change waits
//! for `sync_dir`. A power cut keeps, of each file's unsynced writes, an arbitrary subset of 512-byte sectors, and of
//! the unsynced directory changes a prefix. Handles from before the cut are dead.

use super::mem::{GOLDEN, copy_at, names_in, not_found, split_mix, take_lock, write_at};
use super::{File, LockGuard, OpenMode, Vfs};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SECTOR: u64 = 512;

/// What shall go wrong. Counters count down with each operation of their kind; `None` never fires.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// After so many mutating operations every operation fails, as if the power were gone.
    pub die_after: Option<u64>,
    /// The n-th file sync from now reports an error and loses what it should have kept.
    pub fail_sync: Option<u64>,
    /// The n-th file sync from now reports success without doing anything.
    pub skip_sync: Option<u64>,
    /// The n-th write from now reports an I/O error.
    pub fail_write: Option<u64>,
    /// Bytes the disk holds in all.
    pub capacity: Option<u64>,
}

enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum NameChange {
    Link(PathBuf, u64),
    Unlink(PathBuf),
    /// From, to: journaling file systems keep a rename as a whole or not at all.
    Rename(PathBuf, PathBuf, u64),
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            NameChange::Link(path, inode) => {
                names.insert(path, inode);
            }
            NameChange::Unlink(path) => {
                names.remove(&path);
            }
            NameChange::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
        }
    }
    /// The directory it happens in.
    fn dir(&self) -> Option<&Path> {
        match self {
            NameChange::Link(path, _) | NameChange::Unlink(path) | NameChange::Rename(_, path, _) => {
                path.parent()
            }
        }
    }
}

#[derive(Default)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    live: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    pending: Vec<NameChange>,
    generation: u64,
    faults: Faults,
    dead: bool,
    syncs: u64,
    operations: u64,
}

/// A failing disk in memory. Clones share it.
#[derive(Clone, Default)]
pub struct FaultVfs {
    state: Arc<Mutex<State>>,
    locks: Arc<Mutex<BTreeSet<PathBuf>>>,
}

fn broken(what: &str) -> io::Error {
    io::Error::other(format!("injected fault: {what}"))
}

/// Counts down; true when it fires now.
fn fires(counter: &mut Option<u64>) -> bool {
    match counter {
        Some(0) => {
            *counter = None;
            true
        }
        Some(n) => {
            *n -= 1;
            false
        }
        None => false,
    }
}

impl State {
    fn alive(&self, generation: u64) -> io::Result<()> {
        if self.dead || generation != self.generation { Err(broken("power is off")) } else { Ok(()) }
    }
    fn mutate(&mut self, generation: u64) -> io::Result<()> {
        self.alive(generation)?;
        self.operations += 1;
        if fires(&mut self.faults.die_after) {
            self.dead = true;
            return Err(broken("power is off"));
        }
        Ok(())
    }
    fn used(&self) -> u64 {
        self.inodes.values().map(|inode| inode.live.len() as u64).sum()
    }
    fn check_room(&self, inode: u64, new_len: u64) -> io::Result<()> {
        let Some(capacity) = self.faults.capacity else { return Ok(()) };
        let old = self.inodes.get(&inode).map_or(0, |i| i.live.len() as u64);
        if new_len > old && self.used() - old + new_len > capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
    fn drop_unlinked(&mut self) {
        let mut linked: BTreeSet<u64> = self.live.values().chain(self.durable.values()).copied().collect();
        linked.extend(self.pending.iter().filter_map(|change| match change {
            NameChange::Link(_, inode) | NameChange::Rename(_, _, inode) => Some(*inode),
            NameChange::Unlink(_) => None,
        }));
        self.inodes.retain(|id, _| linked.contains(id));
    }
}

impl Change {
    fn apply(&self, data: &mut Vec<u8>) {
        match self {
            Change::Write(offset, bytes) => write_at(data, bytes, *offset),
            Change::SetLen(len) => data.resize(*len as usize, 0),
        }
    }
    /// Applies the sectors that `keep` chooses.
    fn apply_torn(&self, data: &mut Vec<u8>, mut keep: impl FnMut() -> bool) {
        match self {
            Change::Write(offset, bytes) => {
                let mut at = *offset;
                let end = offset + bytes.len() as u64;
                while at < end {
                    let next = ((at / SECTOR + 1) * SECTOR).min(end);
                    if keep() {
                        write_at(data, &bytes[(at - offset) as usize..(next - offset) as usize], at);
                    }
                    at = next;
                }
            }
            Change::SetLen(_) if keep() => self.apply(data),
            Change::SetLen(_) => {}
        }
    }
}

impl FaultVfs {
    pub fn new() -> FaultVfs {
        FaultVfs::default()
    }
    /// Replaces what shall go wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state.lock().faults = faults;
    }
    /// File syncs done so far.
    pub fn syncs(&self) -> u64 {
        self.state.lock().syncs
    }
    /// Mutating operations done so far.
    pub fn operations(&self) -> u64 {
        self.state.lock().operations
    }
    /// Cuts the power and turns it on again: unsynced data is lost or torn as `seed` decides.
    pub fn power_cut(&self, seed: u64) {
        let mut draw = split_mix(seed);
        let mut random = move || {
            draw = draw.wrapping_add(GOLDEN);
            split_mix(draw)
        };
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let kept_names = match random() % 3 {
            0 => 0,
            1 => state.pending.len(),
            _ => (random() % (state.pending.len() as u64 + 1)) as usize,
        };
        for change in state.pending.drain(..).take(kept_names) {
            change.apply(&mut state.durable);
        }
        state.live = state.durable.clone();
        for inode in state.inodes.values_mut() {
            let mode = random() % 4;
            for change in std::mem::take(&mut inode.pending) {
                let whole = random() % 2 == 0;
                change.apply_torn(&mut inode.durable, || match mode {
                    0 => false,
                    1 => true,
                    2 => whole,
                    _ => random() % 2 == 0,
                });
            }
            inode.live = inode.durable.clone();
        }
        state.generation += 1;
        state.dead = false;
        state.faults = Faults::default();
        state.drop_unlinked();
        self.locks.lock().clear();
    }
    /// Changes one byte of a file, durably: bit rot.
    pub fn corrupt(&self, path: &Path, offset: u64, mask: u8) -> bool {
        let mut state = self.state.lock();
        let Some(&id) = state.live.get(path) else { return false };
        let Some(inode) = state.inodes.get_mut(&id) else { return false };
        for data in [&mut inode.live, &mut inode.durable] {
            if let Some(byte) = data.get_mut(offset as usize) {
                *byte ^= mask;
            }
        }
        true
    }
    /// Cuts a file off at `len`, durably.
    pub fn truncate(&self, path: &Path, len: u64) {
        let mut state = self.state.lock();
        let Some(&id) = state.live.get(path) else { return };
        if let Some(inode) = state.inodes.get_mut(&id) {
            inode.live.truncate(len as usize);
            inode.durable.truncate(len as usize);
            inode.pending.clear();
        }
    }
    /// The bytes a reader sees now.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state.lock();
        state.inodes.get(state.live.get(path)?).map(|inode| inode.live.clone())
    }
    /// A copy of the whole disk as it is now, everything durable.
    pub fn fork(&self) -> FaultVfs {
        let state = self.state.lock();
        let inodes = state.inodes.iter().map(|(&id, inode)| {
            (id, Inode { live: inode.live.clone(), durable: inode.live.clone(), pending: Vec::new() })
        });
        let copy = State {
            inodes: inodes.collect(),
            next_inode: state.next_inode,
            live: state.live.clone(),
            durable: state.live.clone(),
            ..State::default()
        };
        FaultVfs { state: Arc::new(Mutex::new(copy)), locks: Arc::default() }
    }
}

struct FaultFile {
    state: Arc<Mutex<State>>,
    inode: u64,
    generation: u64,
}

impl FaultFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state.lock();
        state.mutate(self.generation)?;
        if fires(&mut state.faults.fail_write) {
            return Err(broken("write failed"));
        }
        let end = match &change {
            Change::Write(offset, bytes) => offset + bytes.len() as u64,
            Change::SetLen(len) => *len,
        };
        state.check_room(self.inode, end)?;
        let inode = state.inodes.get_mut(&self.inode).ok_or_else(|| broken("file is gone"))?;
        change.apply(&mut inode.live);
        inode.pending.push(change);
        Ok(())
    }
}

impl File for FaultFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state.lock();
        state.alive(self.generation)?;
        let inode = state.inodes.get(&self.inode).ok_or_else(|| broken("file is gone"))?;
        Ok(copy_at(&inode.live, buf, offset))
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write(offset, buf.to_vec()))
    }
    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        state.mutate(self.generation)?;
        state.syncs += 1;
        let fail = fires(&mut state.faults.fail_sync);
        let skip = fires(&mut state.faults.skip_sync);
        let inode = state.inodes.get_mut(&self.inode).ok_or_else(|| broken("file is gone"))?;
        if fail {
            // What real kernels do: the dirty pages are dropped, and the next sync would report success.
            inode.pending.clear();
            return Err(broken("sync failed"));
        }
        if !skip {
            for change in inode.pending.drain(..) {
                change.apply(&mut inode.durable);
            }
        }
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        let state = self.state.lock();
        state.alive(self.generation)?;
        Ok(state.inodes.get(&self.inode).ok_or_else(|| broken("file is gone"))?.live.len() as u64)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::SetLen(len))
    }
}

impl Vfs for FaultVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let mut state = self.state.lock();
        let generation = state.generation;
        state.alive(generation)?;
        let inode = if mode == OpenMode::Create {
            state.mutate(generation)?;
            let inode = state.next_inode;
            state.next_inode += 1;
            state.inodes.insert(inode, Inode::default());
            state.live.insert(path.to_owned(), inode);
            state.pending.push(NameChange::Link(path.to_owned(), inode));
            inode
        } else {
            *state.live.get(path).ok_or_else(|| not_found(path))?
        };
        Ok(Arc::new(FaultFile { state: self.state.clone(), inode, generation }))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let generation = state.generation;
        state.mutate(generation)?;
        state.live.remove(path).ok_or_else(|| not_found(path))?;
        state.pending.push(NameChange::Unlink(path.to_owned()));
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let generation = state.generation;
        state.mutate(generation)?;
        let inode = state.live.remove(from).ok_or_else(|| not_found(from))?;
        state.live.insert(to.to_owned(), inode);
        state.pending.push(NameChange::Rename(from.to_owned(), to.to_owned(), inode));
        Ok(())
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        state.alive(state.generation)?;
        Ok(names_in(state.live.keys(), dir))
    }
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let generation = state.generation;
        state.mutate(generation)?;
        let changes = std::mem::take(&mut state.pending);
        let (done, waiting): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| change.dir() == Some(dir));
        state.pending = waiting;
        for change in done {
            change.apply(&mut state.durable);
        }
        state.drop_unlinked();
        Ok(())
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        take_lock(&self.locks, path)
    }
}
