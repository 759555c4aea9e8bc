//! Time to open an empty directory and to open it again: `open`.
#![allow(clippy::disallowed_methods)]

use pglite_storage::{Durability, Env, Store, StoreOptions, WriteBatch};
use std::time::Instant;

fn main() {
    for _ in 0..3 {
        let dir = tempfile::tempdir().expect("temporary directory");
        for name in ["create", "reopen"] {
            let start = Instant::now();
            let store = Store::open(Env::real(), dir.path(), StoreOptions::default()).expect("open");
            let opened = start.elapsed();
            let mut batch = WriteBatch::new();
            batch.put(b"key", b"value");
            store.commit(batch, Durability::Sync).and_then(|ticket| ticket.wait()).expect("commit");
            println!(
                "{name}: {:.1} ms, first commit at {:.1} ms",
                opened.as_secs_f64() * 1e3,
                start.elapsed().as_secs_f64() * 1e3
            );
            drop(store);
        }
    }
}
