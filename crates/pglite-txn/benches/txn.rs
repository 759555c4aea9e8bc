//! What transactions cost: locks, scans, writes. `cargo bench -p pglite-txn`.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pglite_codec::KeyOrder;
use pglite_storage::{Durability, Env, Store, StoreOptions};
use pglite_txn::am::*;
use pglite_txn::*;
use pglite_types::storage::PhysKind;
use pglite_types::{BATCH_ROWS, Batch, Datum, Oid, oid};

const ROWS: i32 = 1_000_000;

struct Db {
    manager: Arc<TxnManager>,
    backend: Arc<Backend>,
    table: Arc<TableDesc>,
    key: Arc<IndexRef>,
}

/// pgbench_accounts: aid int4, bid int4, abalance int4, filler character(84).
fn open(checkpoint: bool) -> Db {
    let store = Store::open(Env::memory(), Path::new("/db"), StoreOptions::in_memory()).expect("store");
    let manager = TxnManager::open(Arc::new(store)).expect("manager");
    let kinds = vec![PhysKind::Int4, PhysKind::Int4, PhysKind::Int4, PhysKind::Text];
    let table = Arc::new(TableDesc::new(Oid(5), Oid(16384), 16384, kinds, vec![]));
    let column = IndexColumn::new(PhysKind::Int4, oid::INT4, KeyOrder::ASC);
    let key = Arc::new(IndexRef::new(Oid(5), Oid(16385), Oid(16384), 16385, true, vec![column]));
    let backend = manager.backend(1, Arc::new(BlockThread));
    let db = Db { manager, backend, table, key };
    let filler = Datum::text(" ".repeat(84));
    for chunk in 0..ROWS / 10_000 {
        let txn = db.begin();
        let (mut batch, mut ids) = (Batch::new(4), Vec::new());
        for aid in chunk * 10_000..(chunk + 1) * 10_000 {
            batch.push_row([Datum::Int4(aid), Datum::Int4(1), Datum::Int4(0), filler.clone()]);
        }
        RowTable.insert(&txn, &db.table, &batch, &mut ids).expect("insert");
        for (aid, row) in ids.iter().enumerate() {
            let value = [Datum::Int4(chunk * 10_000 + aid as i32)];
            KeyIndex.insert(&txn, &db.key, &value, RowId(*row)).expect("entry");
        }
        txn.commit(Durability::Async).and_then(|commit| commit.wait()).expect("commit");
    }
    if checkpoint {
        db.manager.store().checkpoint().expect("checkpoint");
    }
    db
}

impl Db {
    fn begin(&self) -> Transaction {
        self.manager.begin(&self.backend, Isolation::ReadCommitted, false)
    }
    fn sum(&self, column: u16) -> (u64, i64) {
        let txn = self.begin();
        let columns: Columns = [column].into();
        let mut scan = RowTable
            .scan(&txn, &txn.statement_view(), &self.table, &columns, Direction::Forward)
            .expect("scan");
        let (mut out, mut meta) = (Batch::new(1), RowMeta::default());
        let (mut count, mut sum) = (0, 0);
        while scan.next_batch(&txn, &mut out, &mut meta, BATCH_ROWS).expect("batch") {
            for row in out.rows() {
                count += 1;
                if let Datum::Int4(v) = row[0] {
                    sum += v as i64;
                }
            }
            out.reset(1);
            meta.row_ids.clear();
            meta.positions.clear();
            meta.versions.clear();
        }
        (count, sum)
    }
    /// The storage side of `UPDATE accounts SET abalance = abalance + 1 WHERE aid = ...`.
    fn update(&self, aid: i32) {
        let txn = self.begin();
        let view = txn.statement_view();
        let range = self.key.range(&[Datum::Int4(aid)], None, None).expect("range");
        let mut scan =
            KeyIndex.scan(&txn, &view, &self.key, &range, false, Direction::Forward).expect("scan");
        let (mut out, mut ids) = (Batch::new(0), Vec::new());
        scan.next_batch(&txn, &mut out, &mut ids, 1).expect("batch");
        let (mut rows, mut meta) = (Batch::new(4), RowMeta::default());
        let columns: Columns = [0, 1, 2, 3].into();
        RowTable.fetch(&txn, &view, &self.table, &columns, &ids, &mut rows, &mut meta).expect("fetch");
        let status =
            RowTable.lock(&txn, &view, &self.table, RowId(ids[0]), RowLock::NoKeyUpdate, Wait::Block);
        assert_eq!(status.expect("lock"), RowStatus::Ok);
        RowTable.update(&txn, &self.table, RowId(ids[0]), rows.row(0)).expect("update");
        txn.commit(Durability::Async).and_then(|commit| commit.wait()).expect("commit");
    }
}

fn locks(c: &mut Criterion) {
    let store = Store::open(Env::memory(), Path::new("/db"), StoreOptions::in_memory()).expect("store");
    let manager = TxnManager::open(Arc::new(store)).expect("manager");
    let backend = manager.backend(1, Arc::new(BlockThread));
    let mut group = c.benchmark_group("lock");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("row, 1000 taken and released", |b| {
        b.iter(|| {
            let txn = manager.begin(&backend, Isolation::ReadCommitted, false);
            for row in 0..1000 {
                let tag = LockTag::Row(Space::new(5, 16384), row);
                txn.lock(tag, LockMode::Exclusive, Wait::Block).expect("lock");
            }
        })
    });
    group.finish();
    c.bench_function("begin, table lock, view, read-only commit", |b| {
        b.iter(|| {
            let txn = manager.begin(&backend, Isolation::ReadCommitted, false);
            let rel = RelKey { database: Oid(5), relation: Oid(16384) };
            txn.lock_table(rel, LockMode::AccessShare, Wait::Block).expect("lock");
            black_box(txn.statement_view());
            txn.commit(Durability::Sync).and_then(|commit| commit.wait()).expect("commit");
        })
    });
}

fn rows(c: &mut Criterion) {
    let db = open(true);
    assert_eq!(db.sum(2).0, ROWS as u64);
    let mut group = c.benchmark_group("rows");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("scan, 1 int4 of 4 columns", |b| b.iter(|| black_box(db.sum(2))));
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("insert 10,000 into the write set", |b| {
        let mut batch = Batch::new(4);
        let filler = Datum::text(" ".repeat(84));
        (0..10_000).for_each(|i| {
            batch.push_row([Datum::Int4(i), Datum::Int4(1), Datum::Int4(0), filler.clone()]);
        });
        b.iter_batched(
            || (db.begin(), Vec::with_capacity(10_000)),
            |(txn, mut ids)| RowTable.insert(&txn, &db.table, &batch, &mut ids),
            BatchSize::PerIteration,
        )
    });
    let mut next = ROWS;
    group.bench_function("load 10,000 with unique checks, committed", |b| {
        let filler = Datum::text(" ".repeat(84));
        b.iter(|| {
            let (txn, mut ids, mut batch) = (db.begin(), Vec::with_capacity(10_000), Batch::new(4));
            (next..next + 10_000).for_each(|i| {
                batch.push_row([Datum::Int4(i), Datum::Int4(1), Datum::Int4(0), filler.clone()]);
            });
            RowTable.insert(&txn, &db.table, &batch, &mut ids).expect("insert");
            for row in &ids {
                let key = [Datum::Int4(next)];
                let rival = KeyIndex.find_conflict(&txn, &db.key, &key, None, Wait::Block);
                assert_eq!(rival.expect("check"), None);
                KeyIndex.insert(&txn, &db.key, &key, RowId(*row)).expect("entry");
                next += 1;
            }
            txn.commit(Durability::Async).and_then(|commit| commit.wait()).expect("commit");
        })
    });
    group.throughput(Throughput::Elements(1));
    let mut seed = 1u64;
    group.bench_function("update by key, committed", |b| {
        b.iter(|| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            db.update(((seed >> 33) % ROWS as u64) as i32)
        })
    });
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("scan after the updates", |b| b.iter(|| black_box(db.sum(2))));
    group.finish();
}

criterion_group!(benches, locks, rows);
criterion_main!(benches);
