//! Power cuts under transfers between accounts: no money is lost or made, what was acknowledged is there, index and
//! table agree, and numbers given out before the cut never come again.

use std::collections::BTreeSet;

use pglite_storage::env::{FaultVfs, Faults, Rng, SeededRng};

use super::*;

const ACCOUNTS: i32 = 8;
const START: i32 = 1000;

fn open(vfs: &FaultVfs, seed: u64) -> PgResult<Db> {
    let options = StoreOptions {
        memtable_size: Some(3000 << (seed % 3)),
        table_size: 4096,
        memory_budget: 1 << 20,
        wal_segment: 8 << 10,
        wal_limit: 40 << 10,
        ..StoreOptions::default()
    };
    let store = Store::open(Env::simulated(Arc::new(vfs.clone()), seed), Path::new("/db"), options)?;
    Db::try_on(Arc::new(store))
}

fn insert(db: &Db, txn: &Transaction, id: i32, value: i32) -> PgResult<()> {
    let (mut batch, mut ids) = (Batch::new(3), Vec::new());
    batch.push_row(row(id, value));
    RowTable.insert(txn, &db.table, &batch, &mut ids)?;
    let key = [Datum::Int4(id)];
    if KeyIndex.find_conflict(txn, &db.key, &key, None, Wait::Block)?.is_some() {
        return Err(PgError::internal(format!("{id} is there already")));
    }
    KeyIndex.insert(txn, &db.key, &key, RowId(ids[0]))?;
    txn.bump_command()
}

fn add(db: &Db, txn: &Transaction, id: i32, amount: i32) -> PgResult<()> {
    let view = txn.statement_view();
    let range = db.key.range(&[Datum::Int4(id)], None, None)?;
    let mut scan = KeyIndex.scan(txn, &view, &db.key, &range, false, Direction::Forward)?;
    let (mut out, mut ids, mut meta) = (Batch::new(2), Vec::new(), RowMeta::default());
    scan.next_batch(txn, &mut Batch::new(0), &mut ids, 1)?;
    RowTable.fetch(txn, &view, &db.table, &columns(&[0, 1]), &ids, &mut out, &mut meta)?;
    let status = RowTable.lock(txn, &view, &db.table, RowId(ids[0]), RowLock::NoKeyUpdate, Wait::Block)?;
    assert_eq!(status, RowStatus::Ok);
    RowTable.update(txn, &db.table, RowId(ids[0]), &row(id, int(&out.row(0)[1]) + amount))?;
    txn.bump_command()
}

/// Transfer `n`, with its row in the history (ids from 1000 on).
fn transfer(db: &Db, backend: &Arc<Backend>, n: i32, sync: bool, rng: &SeededRng) -> PgResult<()> {
    let txn = db.manager.begin(backend, Isolation::ReadCommitted, false);
    let (from, amount) = ((rng.next_u64() % ACCOUNTS as u64) as i32, (rng.next_u64() % 50) as i32);
    add(db, &txn, from, -amount)?;
    let savepoint = txn.savepoint();
    insert(db, &txn, 1_000_000 + n, 0)?;
    txn.rollback_to(&savepoint)?;
    add(db, &txn, (from + 1) % ACCOUNTS, amount)?;
    insert(db, &txn, 1000 + n, amount)?;
    let mode = if sync { Durability::Sync } else { Durability::Async };
    txn.commit(mode)?.wait()
}

/// The number of transfers that are there.
fn check(db: &Db, next: i32) -> Result<i32, String> {
    let s = db.rc(99);
    let (rows, meta) = s.read(&s.view());
    let total: i32 = rows.iter().filter(|r| r.0 < 1000).map(|r| r.1).sum();
    if total != ACCOUNTS * START {
        return Err(format!("{total} in all accounts"));
    }
    let positions: BTreeSet<u64> = meta.positions.iter().copied().collect();
    if positions.len() != rows.len() || !meta.positions.is_sorted() {
        return Err(format!("positions {:?}", meta.positions));
    }
    let mut ids: Vec<i32> = rows.iter().map(|r| r.0).collect();
    ids.sort_unstable();
    if ids != s.lookup(&KeyRange::default(), Direction::Forward) {
        return Err("index and table differ".into());
    }
    let history: Vec<i32> = ids.into_iter().filter(|id| *id >= 1000).map(|id| id - 1000).collect();
    let there = history.len() as i32;
    if there > next || history != (0..there).collect::<Vec<_>>() {
        return Err(format!("transfers {history:?}"));
    }
    Ok(there)
}

fn run(seed: u64) -> Result<(), String> {
    let rng = SeededRng::new(seed);
    let vfs = FaultVfs::new();
    let db = open(&vfs, seed).map_err(|e| e.to_string())?;
    db.run(1, |s| (0..ACCOUNTS).for_each(|id| s.insert(id, START).unwrap()));
    drop(db);
    let (mut acknowledged, mut next) = (0, 0);
    for round in 0..4 {
        vfs.set_faults(Faults { die_after: Some(1 + rng.next_u64() % 300), ..Faults::default() });
        if let Ok(db) = open(&vfs, seed) {
            let backend = db.backend(1);
            loop {
                let sync = !rng.next_u64().is_multiple_of(4);
                next += 1;
                if transfer(&db, &backend, next - 1, sync, &rng).is_err() {
                    break;
                }
                if sync {
                    acknowledged = next;
                }
            }
        }
        vfs.power_cut(rng.next_u64());
        let db = open(&vfs, seed).map_err(|e| format!("round {round}: start failed: {e}"))?;
        let there = check(&db, next).map_err(|e| format!("round {round}: {e}"))?;
        if there < acknowledged {
            return Err(format!("round {round}: {there} transfers of {acknowledged} acknowledged"));
        }
        (acknowledged, next) = (there, there);
    }
    Ok(())
}

#[test]
fn power_cuts_lose_no_money() {
    for seed in 1..=150 {
        if let Err(violation) = run(seed) {
            panic!("seed {seed}: {violation}");
        }
    }
}
