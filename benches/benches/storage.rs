//! The storage engine against its peers: warm point gets, full scans, group commit.
//!
//! One million rows of a 12-byte key and a 100-byte value. `lsm-tree` has no log of its own; for the commit benchmark
//! it stands behind a small group-commit log written here.
#![allow(clippy::disallowed_methods)]

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use lsm_tree::{AbstractTree, Guard};
use pglite_benches::{Log, contend};
use pglite_storage::{CommitTicket, Direction, Durability, Env, KvBatch, Store, StoreOptions, WriteBatch};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use std::fs::File;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const ROWS: u64 = 1_000_000;
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

fn key(n: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&16384u32.to_be_bytes());
    key[4..].copy_from_slice(&n.to_be_bytes());
    key
}

fn value(n: u64) -> [u8; 100] {
    let mut value = [b' '; 100];
    value[..8].copy_from_slice(&n.to_le_bytes());
    value[8..16].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    value
}

struct Lcg(u64);
impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % ROWS
    }
}

fn ours(dir: &std::path::Path, memtable: Option<usize>) -> Store {
    let options = StoreOptions { memory_budget: 1 << 30, memtable_size: memtable, ..StoreOptions::default() };
    let store = Store::open(Env::real(), dir, options).unwrap();
    for chunk in 0..ROWS / 1000 {
        let mut batch = WriteBatch::new();
        for n in chunk * 1000..(chunk + 1) * 1000 {
            batch.put(&key(n), &value(n));
        }
        store.commit(batch, Durability::Async).unwrap().wait().unwrap();
    }
    store
}

fn lsm(dir: &std::path::Path) -> lsm_tree::AnyTree {
    let tree = lsm_tree::Config::new(dir, Default::default(), Default::default())
        .use_cache(Arc::new(lsm_tree::Cache::with_capacity_bytes(512 << 20)))
        .open()
        .unwrap();
    for n in 0..ROWS {
        tree.insert(key(n), value(n), n + 1);
    }
    tree
}

fn get_and_scan(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, store: &Store) {
    let at = store.published();
    let engine = store.engine();
    group.throughput(Throughput::Elements(ROWS));
    for direction in [Direction::Forward, Direction::Reverse] {
        group.bench_function(format!("scan {direction:?}/{name}"), |b| {
            let mut batch = KvBatch::new();
            b.iter(|| {
                let mut cursor = engine.scan(&[], &[], at, direction).unwrap();
                let mut sum = 0;
                let mut rows = 0;
                while cursor.next_batch(&mut batch, 1024).unwrap() {
                    rows += batch.len();
                    sum += batch.iter().map(|(_, v, _)| v[0] as u64).sum::<u64>();
                }
                assert_eq!(rows as u64, ROWS);
                black_box(sum)
            })
        });
    }
    let mut rng = Lcg(1);
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("get/{name}"), |b| {
        b.iter(|| black_box(engine.get(&key(rng.next()), at).unwrap().unwrap().0.len()))
    });
}

fn reads(c: &mut Criterion) {
    let mut group = c.benchmark_group("storage");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    let dir = tempfile::tempdir().unwrap();
    let store = ours(dir.path(), Some(1 << 30));
    get_and_scan(&mut group, "pglite memtable", &store);
    store.checkpoint().unwrap();
    get_and_scan(&mut group, "pglite one table", &store);
    drop(store);
    let dir = tempfile::tempdir().unwrap();
    let store = ours(dir.path(), None);
    store.checkpoint().unwrap();
    get_and_scan(&mut group, "pglite levels", &store);
    drop(store);

    let dir = tempfile::tempdir().unwrap();
    let tree = lsm(dir.path());
    for name in ["lsm-tree memtable", "lsm-tree tables"] {
        group.throughput(Throughput::Elements(ROWS));
        group.bench_function(format!("scan Forward/{name}"), |b| {
            b.iter(|| {
                let rows = tree.iter(u64::MAX >> 1, None);
                black_box(rows.map(|row| row.into_inner().unwrap().1[0] as u64).sum::<u64>())
            })
        });
        let mut rng = Lcg(1);
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("get/{name}"), |b| {
            b.iter(|| black_box(tree.get(key(rng.next()), u64::MAX >> 1).unwrap().unwrap().len()))
        });
        tree.flush_active_memtable(0).unwrap();
    }
    drop(tree);

    let file = tempfile::NamedTempFile::new().unwrap();
    let db = redb::Database::create(file.path()).unwrap();
    let write = db.begin_write().unwrap();
    {
        let mut table = write.open_table(TABLE).unwrap();
        for n in 0..ROWS {
            table.insert(&key(n)[..], &value(n)[..]).unwrap();
        }
    }
    write.commit().unwrap();
    let read = db.begin_read().unwrap();
    let table = read.open_table(TABLE).unwrap();
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("scan Forward/redb", |b| {
        b.iter(|| black_box(table.iter().unwrap().map(|row| row.unwrap().1.value()[0] as u64).sum::<u64>()))
    });
    let mut rng = Lcg(1);
    group.throughput(Throughput::Elements(1));
    group.bench_function("get/redb", |b| {
        b.iter(|| black_box(table.get(&key(rng.next())[..]).unwrap().unwrap().value().len()))
    });
    group.finish();
}

/// Waits as a server's task does: woken by the commit thread, never leading a group.
fn wait_aside(ticket: CommitTicket) {
    let (waker, done) = (std::thread::current(), Arc::new(AtomicBool::new(false)));
    let told = done.clone();
    ticket.on_done(Box::new(move |outcome| {
        outcome.unwrap();
        told.store(true, Ordering::Release);
        waker.unpark();
    }));
    while !done.load(Ordering::Acquire) {
        std::thread::park();
    }
}

fn commits(c: &mut Criterion) {
    let mut group = c.benchmark_group("commit 8 threads");
    group.sample_size(10).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(300));
    group.throughput(Throughput::Elements(1));
    for (name, blocking) in [("pglite", true), ("pglite, asynchronous", false)] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Env::real(), dir.path(), StoreOptions::default()).unwrap();
        group.bench_function(name, |b| {
            b.iter_custom(|iters| {
                contend(8, iters, |n| {
                    let mut batch = WriteBatch::new();
                    batch.put(&key(n), &value(n));
                    let ticket = store.commit(batch, Durability::Sync).unwrap();
                    if blocking {
                        ticket.wait().unwrap();
                    } else {
                        wait_aside(ticket);
                    }
                })
            })
        });
    }
    let dir = tempfile::tempdir().unwrap();
    let tree = lsm_tree::Config::new(dir.path(), Default::default(), Default::default()).open().unwrap();
    let log = Log::new(
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(dir.path().join("log"))
            .unwrap(),
    );
    let seqno = AtomicU64::new(1);
    group.bench_function("lsm-tree + log", |b| {
        b.iter_custom(|iters| {
            contend(8, iters, |n| {
                let mut record = [0; 112];
                record[..12].copy_from_slice(&key(n));
                record[12..].copy_from_slice(&value(n));
                log.commit(&record);
                tree.insert(key(n), value(n), seqno.fetch_add(1, Ordering::Relaxed));
            })
        })
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    let db = redb::Database::create(file.path()).unwrap();
    group.bench_function("redb", |b| {
        b.iter_custom(|iters| {
            contend(8, iters, |n| {
                let write = db.begin_write().unwrap();
                write.open_table(TABLE).unwrap().insert(&key(n)[..], &value(n)[..]).unwrap();
                write.commit().unwrap();
            })
        })
    });
    group.finish();
}

criterion_group!(benches, reads, commits);
criterion_main!(benches);
