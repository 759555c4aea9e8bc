//! CPU time of scans, point reads and memtable inserts, for profiling:
//! `reads [scan|reverse|get|insert|update] [memtable|table] [rounds]`.

use pglite_storage::{
    Direction, Durability, Engine, Env, KvBatch, Store, StoreOptions, Timestamp, WriteBatch,
};
use std::hint::black_box;

const ROWS: u64 = 1_000_000;

/// User time of this process in nanoseconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    fields.get(11).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0) * 1e7
}

fn key(n: u64) -> [u8; 12] {
    let mut key = [0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    key[4..].copy_from_slice(&n.to_be_bytes());
    key
}

/// A quarter of a million batches: three rows all over the place (of a small table, if `again`), and one at the end of
/// another table.
fn write(engine: &dyn Engine, ts: u64, again: bool) {
    let mut draw = ts;
    let mut batch = WriteBatch::with_capacity(600);
    for n in 0..ROWS / 4 {
        batch.clear();
        for table in 1..4u8 {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut key = key((draw >> 33) % if again { 1000 } else { ROWS });
            key[3] = table;
            batch.put(&key, &[b'x'; 100]);
        }
        let mut last = key(ts + n);
        last[3] = 9;
        batch.put(&last, &[b'x'; 50]);
        engine.apply(&batch, Timestamp(ts + n)).expect("apply");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let arg = |i: usize| args.get(i).map_or("", String::as_str);
    let rounds: u64 = arg(3).parse().unwrap_or(20);
    let dir = tempfile::tempdir().expect("temporary directory");
    let options =
        StoreOptions { memory_budget: 1 << 30, memtable_size: Some(1 << 30), ..StoreOptions::default() };
    let store = Store::open(Env::real(), dir.path(), options).expect("open");
    let mut value = [b' '; 100];
    for chunk in 0..ROWS / 1000 {
        let mut batch = WriteBatch::with_capacity(130_000);
        for n in chunk * 1000..(chunk + 1) * 1000 {
            value[..8].copy_from_slice(&n.to_le_bytes());
            batch.put(&key(n), &value);
        }
        store.commit(batch, Durability::Async).and_then(|ticket| ticket.wait()).expect("commit");
    }
    if arg(2) == "table" {
        store.checkpoint().expect("checkpoint");
    }
    let (engine, at) = (store.engine(), store.published());
    let direction = if arg(1) == "reverse" { Direction::Reverse } else { Direction::Forward };
    let mut batch = KvBatch::new();
    let mut draw = 1u64;
    let mut before = 0.0;
    for round in 0..=rounds {
        if round == 1 {
            before = cpu();
        }
        if arg(1) == "insert" || arg(1) == "update" {
            write(engine, at.0 + 1 + round * ROWS, arg(1) == "update");
        } else if arg(1) == "get" {
            for _ in 0..ROWS {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                black_box(engine.get(&key((draw >> 33) % ROWS), at).expect("get"));
            }
        } else {
            let mut cursor = engine.scan(&[], &[], at, direction).expect("scan");
            while cursor.next_batch(&mut batch, 1024).expect("scan") {
                black_box(batch.iter().map(|(_, v, _)| v[0] as u64).sum::<u64>());
            }
        }
    }
    println!("{} {}: {:.1} ns CPU a row", arg(1), arg(2), (cpu() - before) / (rounds * ROWS) as f64);
}
