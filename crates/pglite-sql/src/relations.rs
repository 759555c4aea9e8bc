//! Open relations: storage handles per relation descriptor, and the access methods of relations without storage
//! (system catalogs and sequences).

mod catalogs;
pub(crate) mod counted;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use pglite_catalog::{RelDesc, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_exec::env::TableExprs;
use pglite_exec::{OpenIndex, OpenRel};
use pglite_txn::am::{
    Columns, Direction, IndexAm, RowId, RowLock, RowMeta, RowStatus, TableAm, TableScan, Wait,
};
use pglite_txn::{IndexRef, ReadView, TableDesc, Transaction};
use pglite_types::{Batch, Datum, Oid, Row};

use crate::core::Core;

pub(crate) use catalogs::CatalogRows;
use catalogs::{CatalogIndex, CatalogTable};
use counted::{CountedIndex, CountedTable};

/// What the session keeps per relation, valid while the descriptor is the same one.
#[derive(Default)]
pub(crate) struct RelationCache {
    open: RefCell<HashMap<Oid, Arc<OpenRel>>>,
    catalogs: RefCell<HashMap<Oid, (Arc<CatalogTable>, Arc<OpenRel>)>>,
    exprs: RefCell<HashMap<Oid, (Arc<RelDesc>, Arc<TableExprs>)>>,
}

impl RelationCache {
    pub fn open(&self, core: &Core, catalog: &Arc<Snapshot>, rel: &Arc<RelDesc>) -> PgResult<Arc<OpenRel>> {
        if let Some(found) = self.open.borrow().get(&rel.oid)
            && Arc::ptr_eq(&found.rel, rel)
        {
            return Ok(found.clone());
        }
        if rel.is_catalog {
            return self.open_catalog(core, catalog, rel);
        }
        let open = Arc::new(build(core, catalog, rel)?);
        // Why: a sequence's row is what it was when the scan began.
        if rel.kind != b'S' {
            self.open.borrow_mut().insert(rel.oid, open.clone());
        }
        Ok(open)
    }

    /// A catalog's rows belong to one state of it, so its handle is good for that state only.
    fn open_catalog(
        &self,
        core: &Core,
        catalog: &Arc<Snapshot>,
        rel: &Arc<RelDesc>,
    ) -> PgResult<Arc<OpenRel>> {
        let rows = core.shared().catalog_rows.get(catalog, rel.oid);
        if let Some((from, open)) = self.catalogs.borrow().get(&rel.oid)
            && Arc::ptr_eq(from, &rows)
            && Arc::ptr_eq(&open.rel, rel)
        {
            return Ok(open.clone());
        }
        let open = Arc::new(build_catalog(catalog, rel, &rows)?);
        self.catalogs.borrow_mut().insert(rel.oid, (rows, open.clone()));
        Ok(open)
    }

    pub fn exprs(
        &self,
        rel: &Arc<RelDesc>,
        make: impl FnOnce() -> PgResult<TableExprs>,
    ) -> PgResult<Arc<TableExprs>> {
        if let Some((desc, found)) = self.exprs.borrow().get(&rel.oid)
            && Arc::ptr_eq(desc, rel)
        {
            return Ok(found.clone());
        }
        let made = Arc::new(make()?);
        self.exprs.borrow_mut().insert(rel.oid, (rel.clone(), made.clone()));
        Ok(made)
    }
}

fn build_catalog(catalog: &Arc<Snapshot>, rel: &Arc<RelDesc>, rows: &Arc<CatalogTable>) -> PgResult<OpenRel> {
    let table = Arc::new(TableDesc::from_catalog(catalog, rel)?);
    let index = |i: &Arc<pglite_catalog::IndexDesc>| -> PgResult<OpenIndex> {
        let am = Arc::new(CatalogIndex::new(rows.clone(), i));
        Ok(OpenIndex { oid: i.oid, index: Arc::new(IndexRef::from_catalog(catalog, rel, i)?), am })
    };
    let indexes = rel.indexes.iter().map(index).collect::<PgResult<_>>()?;
    Ok(OpenRel { rel: rel.clone(), table, am: Arc::new(RowsAm { rows: rows.rows.clone() }), indexes })
}

fn build(core: &Core, catalog: &Arc<Snapshot>, rel: &Arc<RelDesc>) -> PgResult<OpenRel> {
    let table = Arc::new(TableDesc::from_catalog(catalog, rel)?);
    if rel.kind == b'S' {
        let am = Arc::new(RowsAm { rows: Arc::new(sequence_rows(core, catalog, rel)?) });
        return Ok(OpenRel { rel: rel.clone(), table, am, indexes: Vec::new() });
    }
    let counts = |rel: Oid| core.counts.of(&core.shared().totals, core.slot.database, rel);
    let table_counts = counts(rel.oid);
    let indexes = rel
        .indexes
        .iter()
        .filter(|i| i.ready)
        .map(|i| {
            Ok(OpenIndex {
                oid: i.oid,
                index: Arc::new(IndexRef::from_catalog(catalog, rel, i)?),
                am: Arc::new(CountedIndex { counts: counts(i.oid), table: table_counts.clone() })
                    as Arc<dyn IndexAm>,
            })
        })
        .collect::<PgResult<_>>()?;
    Ok(OpenRel { rel: rel.clone(), table, am: Arc::new(CountedTable(table_counts)), indexes })
}

/// last_value, log_cnt, is_called.
fn sequence_rows(core: &Core, catalog: &Snapshot, rel: &RelDesc) -> PgResult<Vec<Row>> {
    let Some(row) = catalog.sequence(rel.oid) else { return Ok(Vec::new()) };
    let state = core.shared().sequences.read(core.shared(), core.slot.database, row)?;
    Ok(vec![vec![Datum::Int8(state.last), Datum::Int8(state.log_left), Datum::Bool(state.called)]])
}

/// A read-only relation whose rows are at hand.
struct RowsAm {
    rows: Arc<Vec<Row>>,
}

struct RowsScan {
    rows: Arc<Vec<Row>>,
    columns: Columns,
    next: usize,
    backward: bool,
}

fn push(row: usize, rows: &[Row], columns: &Columns, out: &mut Batch, meta: &mut RowMeta) {
    out.push_row(columns.iter().map(|c| rows[row].get(usize::from(*c)).cloned().unwrap_or_default()));
    meta.row_ids.push(row as u64 + 1);
    meta.positions.push(row as u64 + 1);
    meta.versions.push(1);
}

impl TableScan for RowsScan {
    fn next_batch(
        &mut self,
        _txn: &Transaction,
        out: &mut Batch,
        meta: &mut RowMeta,
        max: usize,
    ) -> PgResult<bool> {
        let end = (self.next + max).min(self.rows.len());
        for i in self.next..end {
            let row = if self.backward { self.rows.len() - 1 - i } else { i };
            push(row, &self.rows, &self.columns, out, meta);
        }
        self.next = end;
        Ok(end < self.rows.len())
    }
}

fn read_only<T>() -> PgResult<T> {
    Err(PgError::unsupported("direct changes of this relation are not supported"))
}

impl TableAm for RowsAm {
    fn scan(
        &self,
        _txn: &Transaction,
        _view: &ReadView,
        _table: &Arc<TableDesc>,
        columns: &Columns,
        dir: Direction,
    ) -> PgResult<Box<dyn TableScan>> {
        Ok(Box::new(RowsScan {
            rows: self.rows.clone(),
            columns: columns.clone(),
            next: 0,
            backward: dir == Direction::Backward,
        }))
    }
    fn fetch(
        &self,
        _txn: &Transaction,
        _view: &ReadView,
        _table: &Arc<TableDesc>,
        columns: &Columns,
        rows: &[u64],
        out: &mut Batch,
        meta: &mut RowMeta,
    ) -> PgResult<()> {
        for id in rows.iter().filter(|id| (1..=self.rows.len() as u64).contains(id)) {
            push(*id as usize - 1, &self.rows, columns, out, meta);
        }
        Ok(())
    }
    fn insert(&self, _: &Transaction, _: &Arc<TableDesc>, _: &Batch, _: &mut Vec<u64>) -> PgResult<()> {
        read_only()
    }
    fn lock(
        &self,
        _: &Transaction,
        _: &ReadView,
        _: &Arc<TableDesc>,
        _: RowId,
        _: RowLock,
        _: Wait,
    ) -> PgResult<RowStatus> {
        Ok(RowStatus::Ok)
    }
    fn update(&self, _: &Transaction, _: &Arc<TableDesc>, _: RowId, _: &[Datum]) -> PgResult<u64> {
        read_only()
    }
    fn delete(&self, _: &Transaction, _: &Arc<TableDesc>, _: RowId) -> PgResult<()> {
        read_only()
    }
}
