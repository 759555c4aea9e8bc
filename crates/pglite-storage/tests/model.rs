//! Random operations against a plain map with full history: gets, scans both ways, old timestamps, range deletions,
//! flushes, compactions, collected versions, reopening.

use pglite_error::PgResult;
use pglite_storage::env::{MemVfs, Rng, SeededRng, Vfs};
use pglite_storage::{
    Cursor, Direction, Durability, Env, KvBatch, SortedRows, Store, StoreOptions, Timestamp, WriteBatch,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

type Key = Vec<u8>;
type Version = (u64, Option<Vec<u8>>);

#[derive(Default)]
struct Model {
    keys: BTreeMap<Key, Vec<Version>>,
}

impl Model {
    fn write(&mut self, key: &[u8], ts: u64, value: Option<Vec<u8>>) {
        let versions = self.keys.entry(key.to_vec()).or_default();
        if versions.last().is_some_and(|last| last.0 == ts) {
            versions.pop();
        }
        versions.push((ts, value));
    }
    fn delete_range(&mut self, start: &[u8], end: &[u8], ts: u64) {
        let keys: Vec<Key> = self.keys.range(start.to_vec()..end.to_vec()).map(|(k, _)| k.clone()).collect();
        keys.iter().for_each(|key| self.write(key, ts, None));
    }
    fn get(&self, key: &[u8], at: u64) -> Option<(&[u8], u64)> {
        let (ts, value) = self.keys.get(key)?.iter().rev().find(|v| v.0 <= at)?;
        value.as_deref().map(|v| (v, *ts))
    }
    fn scan(&self, start: &[u8], end: &[u8], at: u64) -> Vec<(Key, Vec<u8>, u64)> {
        self.keys
            .range(start.to_vec()..)
            .take_while(|(key, _)| end.is_empty() || key.as_slice() < end)
            .filter_map(|(key, _)| self.get(key, at).map(|(v, ts)| (key.clone(), v.to_vec(), ts)))
            .collect()
    }
}

struct Rows(std::vec::IntoIter<(Key, Vec<u8>)>, (Key, Vec<u8>));

impl SortedRows for Rows {
    fn next_row(&mut self) -> PgResult<Option<(&[u8], &[u8])>> {
        let Some(row) = self.0.next() else { return Ok(None) };
        self.1 = row;
        Ok(Some((&self.1.0, &self.1.1)))
    }
}

struct Run {
    rng: SeededRng,
    vfs: Arc<MemVfs>,
    options: StoreOptions,
    keys: u64,
}

impl Run {
    fn below(&self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }
    fn key(&self) -> Key {
        let n = self.below(self.keys);
        match n % 3 {
            0 => format!("table1/{n:04}").into_bytes(),
            1 => format!("table22/{n}/{}", "x".repeat((n % 40) as usize)).into_bytes(),
            _ => n.to_be_bytes().to_vec(),
        }
    }
    fn range(&self) -> (Key, Key) {
        let (a, b) = (self.key(), self.key());
        match self.below(6) {
            0 => (Vec::new(), Vec::new()),
            1 => (a, Vec::new()),
            _ => (a.clone().min(b.clone()), a.max(b)),
        }
    }
    fn open(&self) -> Store {
        let env = Env::simulated(self.vfs.clone(), 7);
        Store::open(env, Path::new("/db"), self.options.clone()).unwrap()
    }
    fn commit(&self, store: &Store, model: &mut Model) {
        let mut batch = WriteBatch::new();
        let mut ops: Vec<(u8, Key, Key, Vec<u8>)> = Vec::new();
        for _ in 0..self.below(12) {
            let key = self.key();
            match self.below(40) {
                0 => {
                    let (start, end) = self.range();
                    if self.below(3) == 0 && !end.is_empty() {
                        batch.delete_range(&start, &end);
                        ops.push((2, start, end, vec![]));
                    }
                }
                1..8 => {
                    batch.delete(&key);
                    ops.push((1, key, vec![], vec![]));
                }
                _ => {
                    let len = if self.below(60) == 0 { 20_000 } else { self.below(60) };
                    let value = vec![self.below(256) as u8; len as usize];
                    batch.put(&key, &value);
                    ops.push((0, key, vec![], value));
                }
            }
        }
        let ticket = store.commit(batch, Durability::Sync).unwrap();
        let ts = ticket.ts().0;
        ticket.wait().unwrap();
        for (kind, key, end, value) in ops {
            match kind {
                0 => model.write(&key, ts, Some(value)),
                1 => model.write(&key, ts, None),
                _ => model.delete_range(&key, &end, ts),
            }
        }
    }
    fn ingest(&self, store: &Store, model: &mut Model) {
        let rows: BTreeMap<Key, Vec<u8>> = (0..self.below(200))
            .map(|_| (self.key(), vec![self.below(256) as u8; self.below(90) as usize]))
            .collect();
        let mut batch = WriteBatch::new();
        let own = format!("ingested/{}", self.below(20)).into_bytes();
        batch.put(&own, b"x");
        let mut source = Rows(rows.clone().into_iter().collect::<Vec<_>>().into_iter(), Default::default());
        let ticket = store.ingest(&mut source, batch, None).unwrap();
        let ts = ticket.ts().0;
        ticket.wait().unwrap();
        rows.into_iter().for_each(|(key, value)| model.write(&key, ts, Some(value)));
        model.write(&own, ts, Some(b"x".to_vec()));
    }
    fn check_get(&self, store: &Store, model: &Model, at: u64) {
        let key = self.key();
        let got = store.engine().get(&key, Timestamp(at)).unwrap();
        assert_eq!(got.as_ref().map(|(v, ts)| (&**v, ts.0)), model.get(&key, at), "get {key:?} at {at}");
    }
    fn check_scan(&self, store: &Store, model: &Model, at: u64) {
        let (start, end) = self.range();
        let direction = if self.below(2) == 0 { Direction::Forward } else { Direction::Reverse };
        let mut expected = model.scan(&start, &end, at);
        let mut cursor = store.engine().scan(&start, &end, Timestamp(at), direction).unwrap();
        if self.below(3) == 0 {
            let place = self.key();
            cursor.seek(&place).unwrap();
            match direction {
                Direction::Forward => expected.retain(|row| row.0 >= place),
                Direction::Reverse => expected.retain(|row| row.0 < place),
            }
        }
        if direction == Direction::Reverse {
            expected.reverse();
        }
        let got = self.drain(&mut *cursor);
        assert_eq!(got.len(), expected.len(), "{start:?}..{end:?} {direction:?} at {at}");
        assert!(got == expected, "{start:?}..{end:?} {direction:?} at {at}");
    }
    fn drain(&self, cursor: &mut dyn Cursor) -> Vec<(Key, Vec<u8>, u64)> {
        let mut rows = Vec::new();
        let mut batch = KvBatch::new();
        let max = 1 + self.below(50) as usize;
        while cursor.next_batch(&mut batch, max).unwrap() {
            assert!(batch.len() <= max);
            rows.extend(batch.iter().map(|(k, v, ts)| (k.to_vec(), v.to_vec(), ts.0)));
        }
        rows
    }
}

fn run(seed: u64, steps: u64) {
    let rng = SeededRng::new(seed);
    let options = StoreOptions {
        memtable_size: Some(4096 << (seed % 4)),
        table_size: 4096 << (seed % 3),
        memory_budget: 1 << (15 + seed % 6),
        wal_segment: 1 << (14 + seed % 4),
        wal: !seed.is_multiple_of(5),
        ..StoreOptions::default()
    };
    let run = Run { rng, vfs: Arc::default(), options, keys: 40 + seed % 400 };
    let mut model = Model::default();
    let mut store = run.open();
    let mut horizon = 0;
    for _ in 0..steps {
        let newest = store.published().0;
        let at = horizon + run.below(newest - horizon + 1);
        match run.below(100) {
            0..2 => run.ingest(&store, &mut model),
            2..50 => run.commit(&store, &mut model),
            50..70 => run.check_get(&store, &model, if run.below(2) == 0 { newest } else { at }),
            70..90 => run.check_scan(&store, &model, if run.below(2) == 0 { newest } else { at }),
            90..93 => store.checkpoint().unwrap(),
            93..96 => {
                horizon = at;
                store.set_gc_horizon(Timestamp(horizon));
            }
            96..98 => {
                if !run.options.wal {
                    store.checkpoint().unwrap();
                }
                drop(store);
                store = run.open();
                store.set_gc_horizon(Timestamp(horizon));
                // Without a log, a commit without changes leaves no trace.
                assert!(store.published().0 == newest || !run.options.wal);
            }
            _ => {
                // A cursor keeps its view while the tree changes under it.
                let mut cursor =
                    store.engine().scan(&[], &[], Timestamp(newest), Direction::Forward).unwrap();
                let expected = model.scan(&[], &[], newest);
                for _ in 0..run.below(10) {
                    run.commit(&store, &mut model);
                }
                store.checkpoint().unwrap();
                assert!(run.drain(&mut *cursor) == expected);
            }
        }
    }
    // Files that nothing needs any more go while the store runs (a few may wait for the epoch).
    store.checkpoint().unwrap();
    drop(store);
    let files = || run.vfs.list(Path::new("/db")).unwrap();
    let before = files();
    let store = run.open();
    let leftover = before.iter().filter(|name| !files().contains(name) && !name.starts_with("manifest"));
    let leftover: Vec<&String> = leftover.collect();
    assert!(leftover.len() < 40, "{leftover:?}");
    if std::env::var("PGLITE_MODEL_FILES").is_ok() {
        println!("{} files, {} of them left over, {:?}", before.len(), leftover.len(), before);
    }
    let stats = store.stats();
    assert!(steps < 500 || stats.engine.flushes > 0 || stats.engine.levels.iter().any(|l| l.0 > 0));
}

fn seeds() -> u64 {
    std::env::var("PGLITE_MODEL_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(24)
}

#[test]
fn agrees_with_the_model() {
    for seed in 0..seeds() {
        let result = std::panic::catch_unwind(|| run(seed, 1500));
        assert!(result.is_ok(), "seed {seed}");
    }
}
