//! Group commit against `lsm-tree` behind a log like ours, in slices that alternate, so that both meet the same machine:
//! `versus [threads] [rounds]`. Prints the median time a commit, and the CPU time.
#![allow(clippy::disallowed_methods)]

use lsm_tree::AbstractTree;
use pglite_benches::{Log, contend, cpu};
use pglite_storage::{Durability, Env, Store, StoreOptions, WriteBatch};
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize, default: u64| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (threads, rounds) = (number(1, 8), number(2, 20));
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = Store::open(Env::real(), &dir.path().join("ours"), StoreOptions::default()).expect("open");
    let tree = lsm_tree::Config::new(dir.path().join("peer"), Default::default(), Default::default());
    let tree = tree.open().expect("open");
    let path = dir.path().join("log");
    let log =
        Log::new(std::fs::File::options().read(true).write(true).create_new(true).open(path).expect("log"));
    let next = AtomicU64::new(1);
    let key = |n: u64| [&[0, 0, 64, 0][..], &n.to_be_bytes()].concat();
    let ours = |_| {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let mut batch = WriteBatch::new();
        batch.put(&key(n), &[b'x'; 100]);
        store.commit(batch, Durability::Sync).and_then(|ticket| ticket.wait()).expect("commit");
    };
    let peer = |_| {
        let n = next.fetch_add(1, Ordering::Relaxed);
        log.commit(&[&key(n)[..], &[b'x'; 100]].concat());
        tree.insert(key(n), [b'x'; 100], n);
    };
    let commits = 100 * threads;
    let (mut times, mut used) = ([Vec::new(), Vec::new()], [0.0; 2]);
    for round in 0..2 * rounds {
        let who = (round % 2) as usize;
        let before = cpu();
        let took = if who == 0 { contend(threads, commits, ours) } else { contend(threads, commits, peer) };
        used[who] += cpu() - before;
        times[who].push(took.as_secs_f64() * 1e6 / commits as f64);
    }
    for (who, name) in ["pglite", "lsm-tree + log"].into_iter().enumerate() {
        times[who].sort_by(f64::total_cmp);
        let (median, best) = (times[who][times[who].len() / 2], times[who][0]);
        let cpu = used[who] / (rounds * commits) as f64;
        println!("{name}: median {median:.0} us a commit, best {best:.0}, {cpu:.1} us CPU");
    }
}
