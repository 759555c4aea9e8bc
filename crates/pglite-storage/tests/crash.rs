//! Power cuts at arbitrary operations, on a disk that loses and tears unsynced writes.
//!
//! After each cut: every acknowledged synchronous commit is there, no commit is there in part, and the commits that are
//! there are a prefix of the commit order. The control skips one sync and must be caught.

use pglite_error::PgResult;
use pglite_storage::env::{FaultVfs, Faults, Rng, SeededRng};
use pglite_storage::{
    CommitTicket, Direction, Durability, Env, KvBatch, SortedRows, Store, StoreOptions, Timestamp, WriteBatch,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn options(seed: u64) -> StoreOptions {
    StoreOptions {
        memtable_size: Some(3000 << (seed % 3)),
        table_size: 4096,
        memory_budget: 1 << 20,
        wal_segment: 8 << 10,
        wal_limit: 40 << 10,
        ..StoreOptions::default()
    }
}

fn open(vfs: &FaultVfs, seed: u64) -> PgResult<Store> {
    Store::open(Env::simulated(Arc::new(vfs.clone()), seed), Path::new("/db"), options(seed))
}

/// Commit `n` writes `rows(n)` keys of its own, and its number into three shared keys.
fn batch(n: u64) -> WriteBatch {
    let mut batch = shared(n);
    let mut rows = Own(n, 0, Default::default());
    while let Some((key, value)) = rows.next_row().unwrap() {
        batch.put(key, value);
    }
    batch
}

/// The rows that commit `n` has for itself.
struct Own(u64, u64, (Vec<u8>, Vec<u8>));

impl SortedRows for Own {
    fn next_row(&mut self) -> PgResult<Option<(&[u8], &[u8])>> {
        let Own(n, i, row) = self;
        if *i == rows(*n) {
            return Ok(None);
        }
        *row = (format!("own/{n:06}/{i:02}").into_bytes(), vec![*n as u8; value_len(*n)]);
        *i += 1;
        Ok(Some((&row.0, &row.1)))
    }
}

/// Some values are large enough to be kept apart.
fn value_len(n: u64) -> usize {
    if n % 11 == 7 { 5000 } else { (n * 37 % 300) as usize }
}

/// Every seventh commit is a bulk load.
fn commit(store: &Store, n: u64, mode: Durability) -> PgResult<CommitTicket> {
    if n.is_multiple_of(7) {
        store.ingest(&mut Own(n, 0, Default::default()), shared(n), None)
    } else {
        store.commit(batch(n), mode)
    }
}

fn shared(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for shared in ["a", "m", "z"] {
        batch.put(format!("shared/{shared}").as_bytes(), &n.to_be_bytes());
    }
    if n > 40 {
        // Old commits' rows go, so that range deletions cross crashes too.
        let old = n - 40;
        batch.delete_range(format!("own/{old:06}/").as_bytes(), format!("own/{old:06}0").as_bytes());
    }
    batch
}

fn rows(n: u64) -> u64 {
    1 + n * 7 % 6
}

/// What the disk holds: the number of the newest commit, if everything is consistent.
fn recovered(store: &Store) -> Result<u64, String> {
    let mut cursor = store
        .engine()
        .scan(&[], &[], Timestamp::MAX, Direction::Forward)
        .map_err(|e| format!("scan: {e}"))?;
    let mut own: BTreeMap<u64, u64> = BTreeMap::new();
    let mut shared = Vec::new();
    let mut out = KvBatch::new();
    while cursor.next_batch(&mut out, 100).map_err(|e| format!("scan: {e}"))? {
        for (key, value, _) in out.iter() {
            let key = String::from_utf8_lossy(key).into_owned();
            if let Some(rest) = key.strip_prefix("own/") {
                let n: u64 = rest[..6].parse().unwrap();
                if value.len() != value_len(n) || value.iter().any(|&byte| byte != n as u8) {
                    return Err(format!("commit {n} has a wrong value"));
                }
                *own.entry(n).or_default() += 1;
            } else {
                shared.push(u64::from_be_bytes(value.try_into().unwrap()));
            }
        }
    }
    let newest = shared.first().copied().unwrap_or(0);
    if newest > 0 && (shared.len() != 3 || shared.iter().any(|&n| n != newest)) {
        return Err(format!("shared keys disagree: {shared:?}"));
    }
    let expected: BTreeMap<u64, u64> =
        (1..=newest).filter(|&n| newest <= 40 || n > newest - 40).map(|n| (n, rows(n))).collect();
    if own == expected { Ok(newest) } else { Err(format!("newest {newest}, but rows {own:?}")) }
}

/// Runs rounds of commits and power cuts on one disk; describes the first violation.
fn run(seed: u64, skip_sync: bool) -> Result<(), String> {
    let rng = SeededRng::new(seed);
    let vfs = FaultVfs::new();
    let (mut acknowledged, mut committed) = (0, 0);
    for round in 0..4 {
        vfs.set_faults(Faults {
            die_after: Some(1 + rng.next_u64() % 400),
            skip_sync: skip_sync.then(|| rng.next_u64() % 60),
            ..Faults::default()
        });
        // The start itself may lose its power.
        if let Ok(store) = open(&vfs, seed) {
            let found = recovered(&store)?;
            if found < acknowledged || found > committed {
                return Err(format!(
                    "round {round}: {found} of {acknowledged}..={committed} after a live start"
                ));
            }
            (acknowledged, committed) = (found, found);
            loop {
                let sync = !rng.next_u64().is_multiple_of(4);
                committed += 1;
                let mode = if sync { Durability::Sync } else { Durability::Async };
                let done = commit(&store, committed, mode).and_then(|ticket| ticket.wait());
                if done.is_err() {
                    break;
                }
                if store.published().0 % 5 == 0 {
                    store.set_gc_horizon(store.published());
                }
                if sync {
                    acknowledged = committed;
                }
            }
        }
        vfs.power_cut(rng.next_u64());
        let store = open(&vfs, seed).map_err(|e| format!("round {round}: start failed: {e}"))?;
        let found = recovered(&store).map_err(|e| format!("round {round}: {e}"))?;
        if found < acknowledged || found > committed {
            return Err(format!("round {round}: {found} commits of {acknowledged}..={committed}"));
        }
        (acknowledged, committed) = (found, found);
    }
    Ok(())
}

fn seeds() -> u64 {
    std::env::var("PGLITE_CRASH_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(200)
}

#[test]
fn no_acknowledged_commit_is_lost() {
    for seed in 0..seeds() {
        if let Err(what) = run(seed, false) {
            panic!("seed {seed}: {what}");
        }
    }
}

#[test]
fn a_skipped_sync_is_caught() {
    let caught = (0..100).filter(|&seed| run(seed, true).is_err()).count();
    assert!(caught > 0, "the crash test would not see a missing fsync");
    println!("caught in {caught} of 100 seeds");
}

fn segment(vfs: &FaultVfs) -> std::path::PathBuf {
    use pglite_storage::env::Vfs;
    let mut names = vfs.list(Path::new("/db")).unwrap();
    names.retain(|name| name.starts_with("wal-0"));
    names.sort();
    Path::new("/db").join(names.last().unwrap())
}

fn big_segments() -> StoreOptions {
    StoreOptions { wal_segment: 64 << 10, ..StoreOptions::default() }
}

fn open_big(vfs: &FaultVfs) -> PgResult<Store> {
    Store::open(Env::simulated(Arc::new(vfs.clone()), 1), Path::new("/db"), big_segments())
}

/// Five commits, then the power goes.
fn five_commits() -> (FaultVfs, Vec<u64>) {
    let vfs = FaultVfs::new();
    let store = open_big(&vfs).unwrap();
    let mut ends = Vec::new();
    for n in 1..=5 {
        store.commit(batch(n), Durability::Sync).unwrap().wait().unwrap();
        ends.push(64 + store.stats().wal_bytes);
    }
    vfs.set_faults(Faults { die_after: Some(0), ..Faults::default() });
    drop(store);
    vfs.power_cut(1);
    (vfs, ends)
}

#[test]
fn torn_tail_at_every_byte() {
    let (vfs, ends) = five_commits();
    let path = segment(&vfs);
    for cut in ends[3]..ends[4] {
        let disk = vfs.fork();
        // A torn write: what is missing reads as zeros.
        let data = disk.contents(&path).unwrap();
        for (at, byte) in data.iter().enumerate().take(ends[4] as usize).skip(cut as usize) {
            disk.corrupt(&path, at as u64, *byte);
        }
        let store = open_big(&disk).unwrap();
        let found = recovered(&store).unwrap();
        let padding_only = data[cut as usize..ends[4] as usize].iter().all(|&b| b == 0);
        assert_eq!(found, if padding_only { 5 } else { 4 }, "cut at {cut}");
        // And the log goes on from there.
        store.commit(batch(found + 1), Durability::Sync).unwrap().wait().unwrap();
        drop(store);
        assert_eq!(recovered(&open_big(&disk).unwrap()).unwrap(), found + 1);
    }
    for cut in (ends[3]..ends[4]).step_by(5) {
        let disk = vfs.fork();
        let data = disk.contents(&path).unwrap();
        let padding_only = data[cut as usize..ends[4] as usize].iter().all(|&b| b == 0);
        disk.truncate(&path, cut);
        let found = recovered(&open_big(&disk).unwrap()).unwrap();
        assert!(found == 4 || (padding_only && found == 5), "cut at {cut}");
    }
}

#[test]
fn a_hole_in_durable_data_stops_the_start() {
    let (vfs, ends) = five_commits();
    let path = segment(&vfs);
    for at in 64..ends[3] {
        let disk = vfs.fork();
        let padding = {
            let data = disk.contents(&path).unwrap();
            disk.corrupt(&path, at, 1 << (at % 8));
            data[at as usize] == 0
        };
        match open_big(&disk) {
            Err(error) => assert_eq!(error.code().as_str(), "XX001", "{error}"),
            // Padding after a frame is not covered, and carries nothing.
            Ok(store) => assert!(padding && recovered(&store).unwrap() == 5, "byte {at} of the log"),
        }
    }
}

#[test]
fn an_orderly_stop_covers_the_last_record_too() {
    let vfs = FaultVfs::new();
    let store = open_big(&vfs).unwrap();
    for n in 1..=3 {
        store.commit(batch(n), Durability::Sync).unwrap().wait().unwrap();
    }
    let last = store.stats().wal_bytes;
    drop(store);
    vfs.corrupt(&segment(&vfs), 64 + last - 40, 0x10);
    assert_eq!(open_big(&vfs).err().unwrap().code().as_str(), "XX001");
}

#[test]
fn a_failed_sync_ends_all_acknowledgement() {
    let vfs = FaultVfs::new();
    let told = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let hook = told.clone();
    let options = StoreOptions {
        on_fatal: Some(Arc::new(move |_| {
            hook.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        })),
        ..big_segments()
    };
    let store = Store::open(Env::simulated(Arc::new(vfs.clone()), 1), Path::new("/db"), options).unwrap();
    store.commit(batch(1), Durability::Sync).unwrap().wait().unwrap();
    vfs.set_faults(Faults { fail_sync: Some(0), ..Faults::default() });
    assert!(store.commit(batch(2), Durability::Sync).unwrap().wait().is_err());
    assert!(store.commit(batch(3), Durability::Sync).is_err());
    assert_eq!(told.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(recovered(&store).unwrap(), 1);
    drop(store);
    vfs.power_cut(3);
    let found = recovered(&open_big(&vfs).unwrap()).unwrap();
    assert!(found == 1 || found == 2);
}

#[test]
fn a_full_disk_is_reported_and_heals() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, 0).unwrap();
    vfs.set_faults(Faults { capacity: Some(60 << 10), ..Faults::default() });
    let mut n = 0;
    let error = loop {
        match store.commit(batch(n + 1), Durability::Sync).unwrap().wait() {
            Ok(()) => n += 1,
            Err(error) => break error,
        }
        assert!(n < 10_000);
    };
    assert_eq!(error.code().as_str(), "53100");
    assert_eq!(recovered(&store).unwrap(), n);
    vfs.set_faults(Faults::default());
    for _ in 0..50 {
        n += 1;
        store.commit(batch(n), Durability::Sync).unwrap().wait().unwrap();
    }
    assert_eq!(recovered(&store).unwrap(), n);
    vfs.power_cut(9);
    assert_eq!(recovered(&open(&vfs, 0).unwrap()).unwrap(), n);
}

#[test]
fn a_second_opener_is_refused() {
    let vfs = FaultVfs::new();
    let _store = open_big(&vfs).unwrap();
    let error = open_big(&vfs).err().unwrap();
    assert_eq!(error.code().as_str(), "F0001");
}
