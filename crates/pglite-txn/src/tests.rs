//! Transactions as an executor uses them: a table of (id int4, value int4, note text) with a primary key.

mod bulk;
mod crash;
mod isolation;
mod locks;
mod model;
mod relations;

use std::path::Path;
use std::sync::Arc;

use pglite_codec::KeyOrder;
use pglite_error::{PgError, PgResult};
use pglite_storage::{Durability, Env, Store, StoreOptions};
use pglite_types::storage::PhysKind;
use pglite_types::{Batch, Datum, Oid, oid};

use crate::am::*;
use crate::*;

pub(super) struct Db {
    pub(super) manager: Arc<TxnManager>,
    pub(super) table: Arc<TableDesc>,
    pub(super) key: Arc<IndexRef>,
}

pub(super) fn columns(columns: &[u16]) -> Columns {
    columns.into()
}

impl Db {
    pub(super) fn new() -> Db {
        let store = Store::open(Env::memory(), Path::new("/db"), StoreOptions::in_memory()).unwrap();
        Db::on(Arc::new(store))
    }
    pub(super) fn on(store: Arc<Store>) -> Db {
        Db::try_on(store).unwrap()
    }
    pub(super) fn try_on(store: Arc<Store>) -> PgResult<Db> {
        let kinds = vec![PhysKind::Int4, PhysKind::Int4, PhysKind::Text];
        let table = TableDesc::new(Oid(5), Oid(16384), 16384, kinds, vec![]).named("public", "t");
        let column = IndexColumn::new(PhysKind::Int4, oid::INT4, KeyOrder::ASC);
        let key = IndexRef::new(Oid(5), Oid(16385), Oid(16384), 16385, true, vec![column]).named("t_pkey");
        Ok(Db { manager: TxnManager::open(store)?, table: Arc::new(table), key: Arc::new(key) })
    }
    pub(super) fn backend(&self, pid: i32) -> Arc<Backend> {
        let backend = self.manager.backend(pid, Arc::new(BlockThread));
        backend.set_deadlock_timeout(std::time::Duration::from_millis(20));
        backend
    }
    pub(super) fn session(&self, pid: i32, isolation: Isolation) -> Session<'_> {
        let txn = self.manager.begin(&self.backend(pid), isolation, false);
        Session { db: self, txn }
    }
    pub(super) fn rc(&self, pid: i32) -> Session<'_> {
        self.session(pid, Isolation::ReadCommitted)
    }
    pub(super) fn rr(&self, pid: i32) -> Session<'_> {
        self.session(pid, Isolation::RepeatableRead)
    }
    /// One committed transaction of its own.
    pub(super) fn run<R>(&self, pid: i32, work: impl FnOnce(&Session<'_>) -> R) -> R {
        let session = self.rc(pid);
        let result = work(&session);
        session.commit();
        result
    }
    pub(super) fn load(&self, rows: &[(i32, i32)]) {
        self.run(1, |s| rows.iter().for_each(|(id, value)| s.insert(*id, *value).unwrap()));
    }
    pub(super) fn all(&self) -> Vec<(i32, i32)> {
        self.rc(99).all()
    }
}

/// A transaction with the statements that the tests use. Each is one command.
pub(super) struct Session<'a> {
    pub(super) db: &'a Db,
    pub(super) txn: Transaction,
}

pub(super) fn int(value: &Datum) -> i32 {
    match value {
        Datum::Int4(v) => *v,
        other => panic!("not an int4: {other:?}"),
    }
}

pub(super) fn row(id: i32, value: i32) -> Vec<Datum> {
    vec![Datum::Int4(id), Datum::Int4(value), Datum::text(format!("note {id}"))]
}

impl Session<'_> {
    pub(super) fn view(&self) -> ReadView {
        self.txn.statement_view()
    }
    pub(super) fn commit(self) {
        self.txn.commit(Durability::Sync).unwrap().wait().unwrap();
    }
    pub(super) fn read(&self, view: &ReadView) -> (Vec<(i32, i32)>, RowMeta) {
        let (mut out, mut meta) = (Batch::new(2), RowMeta::default());
        let mut scan =
            RowTable.scan(&self.txn, view, &self.db.table, &columns(&[0, 1]), Direction::Forward).unwrap();
        while scan.next_batch(&self.txn, &mut out, &mut meta, 3).unwrap() {}
        (out.rows().map(|r| (int(&r[0]), int(&r[1]))).collect(), meta)
    }
    pub(super) fn all(&self) -> Vec<(i32, i32)> {
        self.read(&self.view()).0
    }
    pub(super) fn value(&self, id: i32) -> Option<i32> {
        self.all().into_iter().find(|r| r.0 == id).map(|r| r.1)
    }
    fn insert_entry(&self, values: &[Datum], row: RowId) -> PgResult<()> {
        if KeyIndex.find_conflict(&self.txn, &self.db.key, values, None, Wait::Block)?.is_some() {
            return Err(PgError::new(pglite_error::codes::UNIQUE_VIOLATION, "duplicate key"));
        }
        KeyIndex.insert(&self.txn, &self.db.key, values, row)
    }
    pub(super) fn insert(&self, id: i32, value: i32) -> PgResult<()> {
        let (mut batch, mut ids) = (Batch::new(3), Vec::new());
        batch.push_row(row(id, value));
        RowTable.insert(&self.txn, &self.db.table, &batch, &mut ids)?;
        self.insert_entry(&[Datum::Int4(id)], RowId(ids[0]))?;
        self.txn.bump_command()
    }
    /// Locks the rows that pass `test`, with READ COMMITTED's re-check. Returns (row id, id, value) of each.
    pub(super) fn lock_where(
        &self,
        lock: RowLock,
        wait: Wait,
        test: impl Fn(i32, i32) -> bool,
    ) -> PgResult<Vec<(RowId, i32, i32)>> {
        let view = self.view();
        let (rows, meta) = self.read(&view);
        let mut locked = Vec::new();
        for (i, (id, value)) in rows.into_iter().enumerate() {
            if !test(id, value) {
                continue;
            }
            let row = RowId(meta.row_ids[i]);
            match RowTable.lock(&self.txn, &view, &self.db.table, row, lock, wait)? {
                RowStatus::Ok => locked.push((row, id, value)),
                RowStatus::Updated => {
                    let (mut out, mut meta) = (Batch::new(2), RowMeta::default());
                    let newest = ReadView::newest(&self.txn);
                    let (table, columns) = (&self.db.table, columns(&[0, 1]));
                    RowTable.fetch(&self.txn, &newest, table, &columns, &[row.0], &mut out, &mut meta)?;
                    let (id, value) = (int(&out.row(0)[0]), int(&out.row(0)[1]));
                    if test(id, value) {
                        locked.push((row, id, value));
                    }
                }
                RowStatus::Deleted | RowStatus::SelfModified | RowStatus::WouldBlock => {}
            }
        }
        Ok(locked)
    }
    pub(super) fn update_where(
        &self,
        test: impl Fn(i32, i32) -> bool,
        change: impl Fn(i32) -> i32,
    ) -> PgResult<usize> {
        let rows = self.lock_where(RowLock::NoKeyUpdate, Wait::Block, test)?;
        for (row_id, id, value) in &rows {
            RowTable.update(&self.txn, &self.db.table, *row_id, &row(*id, change(*value)))?;
        }
        self.txn.bump_command()?;
        Ok(rows.len())
    }
    pub(super) fn set(&self, id: i32, value: i32) -> PgResult<usize> {
        self.update_where(|i, _| i == id, |_| value)
    }
    pub(super) fn delete(&self, id: i32) -> PgResult<usize> {
        let rows = self.lock_where(RowLock::Update, Wait::Block, |i, _| i == id)?;
        for (row_id, id, _) in &rows {
            RowTable.delete(&self.txn, &self.db.table, *row_id)?;
            KeyIndex.delete(&self.txn, &self.db.key, &[Datum::Int4(*id)], *row_id)?;
        }
        self.txn.bump_command()?;
        Ok(rows.len())
    }
    /// What a primary key lookup finds.
    pub(super) fn lookup(&self, range: &KeyRange, dir: Direction) -> Vec<i32> {
        let (mut out, mut ids) = (Batch::new(1), Vec::new());
        let mut scan = KeyIndex.scan(&self.txn, &self.view(), &self.db.key, range, true, dir).unwrap();
        while scan.next_batch(&self.txn, &mut out, &mut ids, 2).unwrap() {}
        assert_eq!(out.len(), ids.len());
        out.rows().map(|r| int(&r[0])).collect()
    }
}

pub(super) fn code<T: std::fmt::Debug>(result: PgResult<T>) -> String {
    result.unwrap_err().code().as_str().to_owned()
}
