//! What scans of a relation share: which columns to fetch, system columns, single-row re-checks, catalog rows.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_ir::expr::sysattr;
use pglite_txn::ReadView;
use pglite_txn::am::{Columns, RowMeta};
use pglite_types::{AttrDesc, Batch, Datum, Oid};

use crate::env::OpenRel;
use crate::expr::{ScanLayout, WholeRow};
use crate::state::ExecCx;

/// The attributes of a relation's rows.
pub fn rel_attrs(rel: &RelDesc) -> Arc<[AttrDesc]> {
    rel.columns
        .iter()
        .map(|c| AttrDesc {
            name: c.name.to_arc(),
            type_oid: c.type_oid,
            typmod: c.typmod,
            dropped: c.dropped,
        })
        .collect()
}

pub fn layout(rte: u32, rel: &RelDesc) -> ScanLayout {
    let mut l = ScanLayout::new(rte, rel.oid);
    l.whole = Some(WholeRow { ty: rel.row_type, attrs: rel_attrs(rel) });
    l
}

/// The columns of a finished layout.
pub struct ScanColumns {
    pub cols: Box<[i16]>,
    /// 0-based table columns to fetch, in `cols` order.
    pub fetch: Columns,
    pub has_system: bool,
    pub table: Oid,
}

impl ScanColumns {
    pub fn new(layout: ScanLayout) -> ScanColumns {
        let fetch: Vec<u16> = layout.cols.iter().filter(|c| **c > 0).map(|c| *c as u16 - 1).collect();
        ScanColumns {
            has_system: layout.cols.iter().any(|c| *c < 0),
            fetch: fetch.into(),
            table: layout.rel,
            cols: layout.cols.into(),
        }
    }

    /// Row `i` of a fetched batch with its system columns, in slot order.
    pub fn fill(&self, batch: &mut Batch, i: usize, meta: &RowMeta, scratch: &mut Vec<Datum>) {
        scratch.clear();
        let row = batch.row_mut(i);
        let mut next = 0;
        for col in &self.cols {
            if *col > 0 {
                scratch.push(std::mem::take(&mut row[next]));
                next += 1;
            } else {
                scratch.push(self.system(*col, i, meta));
            }
        }
    }

    pub fn system(&self, col: i16, i: usize, meta: &RowMeta) -> Datum {
        match col {
            sysattr::CTID => meta.positions.get(i).map_or(Datum::Null, |p| tid(*p)),
            sysattr::TABLEOID => Datum::Oid(self.table),
            sysattr::ROWID => meta.row_ids.get(i).map_or(Datum::Null, |r| Datum::Int8(*r as i64)),
            sysattr::XMIN => Datum::Oid(Oid(meta.versions.get(i).map_or(0, |v| *v as u32))),
            _ => Datum::Oid(Oid(0)),
        }
    }
}

/// What `ctid` shows for a position.
pub fn tid(position: u64) -> Datum {
    let (block, offset) = pglite_txn::position_to_tid(position);
    Datum::Tid(u64::from(block) << 16 | u64::from(offset))
}

/// Empties per-row facts together with their batch.
pub fn clear(batch: &mut Batch, meta: &mut RowMeta, width: usize) {
    batch.reset(width);
    meta.row_ids.clear();
    meta.positions.clear();
    meta.versions.clear();
}

/// Fetches the newest version of one row: what a re-check scans instead of the relation.
pub fn fetch_newest(
    cx: &mut ExecCx<'_>,
    rel: &OpenRel,
    columns: &Columns,
    row: u64,
    batch: &mut Batch,
    meta: &mut RowMeta,
) -> PgResult<()> {
    clear(batch, meta, columns.len());
    let view = ReadView::newest(cx.env.txn);
    rel.am.fetch(cx.env.txn, &view, &rel.table, columns, &[row], batch, meta)
}
