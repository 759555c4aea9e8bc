//! Ten million rows under a memory bound: `bulk [million rows] [megabytes]`; prints rates and the resident size.
#![allow(clippy::disallowed_methods)]

use pglite_storage::{Direction, Durability, Env, KvBatch, Store, StoreOptions, WriteBatch};
use std::time::Instant;

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0) / 1024
}

fn key(n: u64) -> [u8; 12] {
    let mut key = [0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    key[4..].copy_from_slice(&n.to_be_bytes());
    key
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize, default: u64| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (rows, megabytes) = (number(1, 10) * 1_000_000, number(2, 256) as usize);
    let dir = tempfile::tempdir().expect("temporary directory");
    let options = StoreOptions { memory_budget: megabytes << 20, ..StoreOptions::default() };
    let store = Store::open(Env::real(), dir.path(), options.clone()).expect("open");
    let start = Instant::now();
    let mut value = [b' '; 100];
    for chunk in 0..rows / 1000 {
        let mut batch = WriteBatch::with_capacity(130_000);
        for n in chunk * 1000..(chunk + 1) * 1000 {
            // Keys in scattered order, so that tables overlap and compactions have work.
            let place = n.wrapping_mul(7_919) % rows;
            value[..8].copy_from_slice(&place.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            batch.put(&key(place), &value);
        }
        store.commit(batch, Durability::Async).and_then(|ticket| ticket.wait()).expect("commit");
    }
    println!("load: {:.0} rows/s, RSS {} MB", rows as f64 / start.elapsed().as_secs_f64(), status("VmRSS"));
    let start = Instant::now();
    store.checkpoint().expect("checkpoint");
    println!("checkpoint: {:.1} s, {:?}", start.elapsed().as_secs_f64(), store.stats().engine);
    for name in ["first scan", "second scan"] {
        let start = Instant::now();
        let mut cursor = store.engine().scan(&[], &[], store.published(), Direction::Forward).expect("scan");
        let mut batch = KvBatch::new();
        let mut found = 0;
        while cursor.next_batch(&mut batch, 1024).expect("scan") {
            found += batch.len() as u64;
        }
        assert_eq!(found, rows);
        println!(
            "{name}: {:.0} ns a row, RSS {} MB",
            start.elapsed().as_nanos() as f64 / rows as f64,
            status("VmRSS")
        );
    }
    let start = Instant::now();
    let mut draw = 1u64;
    for _ in 0..200_000 {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        assert!(store.engine().get(&key((draw >> 33) % rows), store.published()).expect("get").is_some());
    }
    println!("random gets: {:.1} us, peak RSS {} MB", start.elapsed().as_secs_f64() * 5.0, status("VmHWM"));
    drop(store);
    let start = Instant::now();
    let store = Store::open(Env::real(), dir.path(), options).expect("open");
    println!("reopen: {:.0} ms, {} published", start.elapsed().as_secs_f64() * 1e3, store.published());
}
