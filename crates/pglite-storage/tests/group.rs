//! Group commit with real threads on a simulated disk: committers that wait, poll, are called back or go away, mixed. None
//! is forgotten; a failed sync fails all of them; what was acknowledged survives a power cut.

use pglite_storage::env::{FaultVfs, Faults, Rng, SeededRng, SystemThreads};
use pglite_storage::{
    CommitTicket, Direction, Durability, Env, KvBatch, Store, StoreOptions, Timestamp, WriteBatch,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};

const THREADS: u64 = 8;

fn open(vfs: &FaultVfs) -> Store {
    let env = Env { threads: Some(Arc::new(SystemThreads)), ..Env::simulated(Arc::new(vfs.clone()), 1) };
    let options = StoreOptions { wal_segment: 64 << 10, ..StoreOptions::default() };
    Store::open(env, Path::new("/db"), options).unwrap()
}

fn row(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(&n.to_be_bytes(), &[n as u8; 40]);
    batch
}

/// Learns the outcome in one of the ways there are.
fn settle(ticket: CommitTicket, way: u64) -> bool {
    match way % 4 {
        0 | 1 => ticket.wait().is_ok(),
        2 => {
            let (tell, hear) = mpsc::channel();
            ticket.on_done(Box::new(move |outcome| tell.send(outcome.is_ok()).unwrap()));
            hear.recv().unwrap()
        }
        _ => loop {
            if let Poll::Ready(outcome) = ticket.poll_with(Waker::noop()) {
                return outcome.is_ok();
            }
            std::thread::yield_now();
        },
    }
}

fn found(store: &Store) -> BTreeSet<u64> {
    let mut cursor = store.engine().scan(&[], &[], Timestamp::MAX, Direction::Forward).unwrap();
    let (mut batch, mut rows) = (KvBatch::new(), BTreeSet::new());
    while cursor.next_batch(&mut batch, 500).unwrap() {
        rows.extend(batch.iter().map(|(key, _, _)| u64::from_be_bytes(key.try_into().unwrap())));
    }
    rows
}

#[test]
fn nobody_is_forgotten() {
    let vfs = FaultVfs::new();
    let store = open(&vfs);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                let rng = SeededRng::new(thread);
                for i in 0..400 {
                    let n = i * THREADS + thread;
                    let way = rng.next_u64();
                    let mode = if way & 16 == 0 { Durability::Async } else { Durability::Sync };
                    let order = Arc::new(AtomicU64::new(0));
                    let told = order.clone();
                    let finish = Box::new(move |outcome: &pglite_error::PgResult<()>| {
                        told.store(1 + outcome.is_ok() as u64, Ordering::Release);
                    });
                    let ticket = store.commit_with(row(n), mode, finish).unwrap();
                    let ts = ticket.ts();
                    if way & 32 == 0 && i + 1 < 400 {
                        // Gone; somebody takes it further all the same.
                        drop(ticket);
                        continue;
                    }
                    assert!(settle(ticket, way));
                    assert_eq!(order.load(Ordering::Acquire), 2, "told before its finish ran");
                    assert!(store.published() >= ts);
                }
            });
        }
    });
    store.commit(row(u64::MAX), Durability::Sync).unwrap().wait().unwrap();
    assert_eq!(found(&store).len() as u64, THREADS * 400 + 1);
    let stats = store.stats();
    assert!(stats.groups < stats.commits, "{} groups of {} commits", stats.groups, stats.commits);
    drop(store);
    assert_eq!(found(&open(&vfs)).len() as u64, THREADS * 400 + 1);
}

#[test]
fn a_failed_sync_fails_everybody() {
    for seed in 0..20 {
        let vfs = FaultVfs::new();
        let store = open(&vfs);
        vfs.set_faults(Faults { fail_sync: Some(5 + seed * 3), ..Faults::default() });
        let acknowledged = Mutex::new(BTreeSet::new());
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (store, acknowledged, failed) = (&store, &acknowledged, &failed);
                scope.spawn(move || {
                    let rng = SeededRng::new(seed * THREADS + thread);
                    for i in 0.. {
                        let n = i * THREADS + thread;
                        let before = failed.load(Ordering::Acquire);
                        let Ok(ticket) = store.commit(row(n), Durability::Sync) else { break };
                        if !settle(ticket, rng.next_u64()) {
                            failed.store(true, Ordering::Release);
                            break;
                        }
                        assert!(!before, "seed {seed}: acknowledged after a failed sync");
                        acknowledged.lock().unwrap().insert(n);
                    }
                });
            }
        });
        assert!(failed.load(Ordering::Acquire), "seed {seed}");
        drop(store);
        vfs.power_cut(seed);
        let found = found(&open(&vfs));
        let lost: Vec<u64> = acknowledged.into_inner().unwrap().difference(&found).copied().collect();
        assert!(lost.is_empty(), "seed {seed}: lost {lost:?}");
    }
}
