//! Rate and CPU time of synchronous commits: `commits [threads] [seconds] [wait|aside]`. A thread that waits leads its
//! group; one that waits aside is woken by the commit thread, as a server's task is.
#![allow(clippy::disallowed_methods)]

use pglite_benches::cpu;
use pglite_storage::{CommitTicket, Durability, Env, Store, StoreOptions, WriteBatch};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn wait_aside(ticket: CommitTicket) {
    let (waker, done) = (std::thread::current(), Arc::new(AtomicBool::new(false)));
    let told = done.clone();
    ticket.on_done(Box::new(move |outcome| {
        outcome.expect("commit");
        told.store(true, Ordering::Release);
        waker.unpark();
    }));
    while !done.load(Ordering::Acquire) {
        std::thread::park();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize, default: u64| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (threads, seconds) = (number(1, 10), number(2, 3));
    let aside = args.get(3).is_some_and(|mode| mode == "aside");
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = Store::open(Env::real(), dir.path(), StoreOptions::default()).expect("open");
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let (start, before) = (Instant::now(), cpu());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, count, store) = (&stop, &count, &store);
            scope.spawn(move || {
                let mut n = thread << 32;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    let mut batch = WriteBatch::with_capacity(512);
                    for part in 0..4u64 {
                        batch.put(&(n << 2 | part).to_be_bytes(), &[b'x'; 80]);
                    }
                    let ticket = store.commit(batch, Durability::Sync).expect("commit");
                    if aside {
                        wait_aside(ticket);
                    } else {
                        ticket.wait().expect("commit");
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
    });
    let (elapsed, used) = (start.elapsed().as_secs_f64(), cpu() - before);
    let commits = count.load(Ordering::Relaxed) as f64;
    let stats = store.stats();
    println!(
        "{threads} threads: {:.0} commits/s, {:.1} us CPU a commit, {:.1} commits a sync",
        commits / elapsed,
        used / commits,
        commits / stats.syncs.max(1) as f64,
    );
}
