//! Real threads on the real file system: concurrent transfers keep their sum, a killed process loses nothing it
//! acknowledged, a small memory budget holds.

use pglite_storage::{
    CommitTicket, Direction, Durability, Env, KvBatch, Store, StoreOptions, Timestamp, WriteBatch,
};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> TempDir {
        let dir = std::env::temp_dir().join(format!("pglite-storage-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        TempDir(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn small() -> StoreOptions {
    StoreOptions {
        memtable_size: Some(256 << 10),
        table_size: 64 << 10,
        memory_budget: 4 << 20,
        wal_segment: 1 << 20,
        wal_limit: 4 << 20,
        ..StoreOptions::default()
    }
}

fn account(n: u64) -> Vec<u8> {
    format!("account/{n:05}").into_bytes()
}

fn sum(store: &Store, at: Timestamp, direction: Direction) -> (u64, u64) {
    let mut cursor = store.engine().scan(b"account/", b"account0", at, direction).unwrap();
    let mut batch = KvBatch::new();
    let (mut rows, mut total) = (0, 0);
    while cursor.next_batch(&mut batch, 64).unwrap() {
        for (_, value, ts) in batch.iter() {
            assert!(ts <= at);
            rows += 1;
            total += u64::from_le_bytes(value[..8].try_into().unwrap());
        }
    }
    (rows, total)
}

#[test]
fn transfers_keep_their_sum() {
    const ACCOUNTS: u64 = 2000;
    let dir = TempDir::new("transfers");
    for blocking in [false, true] {
        let options = StoreOptions { sync: false, ..small() };
        let store = Store::open(Env::real(), &dir.0, options.clone()).unwrap();
        let mut batch = WriteBatch::new();
        for n in 0..ACCOUNTS {
            batch.put(&account(n), &1000u64.to_le_bytes());
        }
        store.commit(batch, Durability::Sync).unwrap().wait().unwrap();
        let stop = AtomicBool::new(false);
        let writing = Mutex::new(12345u64);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        // Read and commit under one lock: the transaction layer's job here.
                        let ticket: CommitTicket = {
                            let mut seed = writing.lock().unwrap();
                            let mut draw = || {
                                *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                                *seed >> 33
                            };
                            let (from, to, amount) = (draw() % ACCOUNTS, draw() % ACCOUNTS, draw() % 100);
                            let at = store.published();
                            let read = |n: u64| {
                                let (value, _) = store.engine().get(&account(n), at).unwrap().unwrap();
                                u64::from_le_bytes(value[..8].try_into().unwrap())
                            };
                            let (a, b) = (read(from), read(to));
                            if from == to || a < amount {
                                continue;
                            }
                            let mut batch = WriteBatch::new();
                            let mut padded = (a - amount).to_le_bytes().to_vec();
                            padded.resize(120, 7);
                            batch.put(&account(from), &padded);
                            padded[..8].copy_from_slice(&(b + amount).to_le_bytes());
                            batch.put(&account(to), &padded);
                            let ticket = store.commit(batch, Durability::Sync).unwrap();
                            // A committer that waits leads; one that polls leaves that to the thread.
                            while !blocking && ticket.poll().is_none() {
                                std::thread::yield_now();
                            }
                            ticket.wait().unwrap();
                            assert!(store.published() >= ticket.ts());
                            ticket
                        };
                        assert!(ticket.poll().is_some());
                    }
                });
            }
            for direction in [Direction::Forward, Direction::Reverse] {
                let (store, stop) = (&store, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let at = store.published();
                        assert_eq!(sum(store, at, direction), (ACCOUNTS, ACCOUNTS * 1000));
                        if direction == Direction::Forward {
                            // Readers of the other thread may be a little older than this.
                            store.set_gc_horizon(Timestamp(at.0.saturating_sub(20_000)));
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(2500));
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(sum(&store, store.published(), Direction::Forward), (ACCOUNTS, ACCOUNTS * 1000));
        drop(store);
        let store = Store::open(Env::real(), &dir.0, options).unwrap();
        assert_eq!(sum(&store, store.published(), Direction::Reverse), (ACCOUNTS, ACCOUNTS * 1000));
    }
}

const CHILD: &str = "PGLITE_STORAGE_KILL_DIR";

/// The victim: commits from several threads and says what was acknowledged.
#[test]
fn child_that_commits_until_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let store = Store::open(Env::real(), Path::new(&dir), small()).unwrap();
    let next = AtomicU64::new(store.published().0 + 1);
    let out = Mutex::new(std::io::stdout());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let mut batch = WriteBatch::new();
                    for part in 0..3u8 {
                        let key = [&b"kill/"[..], &n.to_be_bytes(), &[part]].concat();
                        batch.put(&key, &vec![part; (n % 700) as usize]);
                    }
                    store.commit(batch, Durability::Sync).unwrap().wait().unwrap();
                    writeln!(out.lock().unwrap(), "acked {n}").unwrap();
                }
            });
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    let dir = TempDir::new("kill");
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_commits_until_killed", "--nocapture", "--test-threads=1"])
            .env(CHILD, &dir.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::Builder::new();
        let reader = reader
            .spawn(move || {
                let acks = lines.map_while(Result::ok);
                acks.filter_map(|line| line.split("acked ").nth(1)?.trim().parse::<u64>().ok())
                    .collect::<Vec<u64>>()
            })
            .unwrap();
        std::thread::sleep(Duration::from_millis(250 + round * 60));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(reader.join().unwrap());
        let store = Store::open(Env::real(), &dir.0, small()).unwrap();
        let mut cursor = store.engine().scan(b"kill/", b"kill0", Timestamp::MAX, Direction::Forward).unwrap();
        let mut parts = std::collections::BTreeMap::<u64, u32>::new();
        let mut batch = KvBatch::new();
        while cursor.next_batch(&mut batch, 500).unwrap() {
            for (key, _, _) in batch.iter() {
                *parts.entry(u64::from_be_bytes(key[5..13].try_into().unwrap())).or_default() += 1;
            }
        }
        assert!(parts.values().all(|&n| n == 3), "torn commit");
        let lost: Vec<&u64> = acknowledged.iter().filter(|n| !parts.contains_key(n)).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
    }
    assert!(acknowledged.len() > 100, "only {} commits", acknowledged.len());
}
