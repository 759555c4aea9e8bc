//! CTE Scan, Named Tuplestore Scan, Work Table Scan: rows kept elsewhere in the run.
//!
//! A CTE is computed as far as its readers have asked, once, whatever their number.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::plan::Plan;
use pglite_types::{Batch, Datum, Row};

use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::expr::{Rows, ScanLayout};
use crate::state::ExecCx;
use crate::store::{CteStore, StoredRow, row_bytes};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Cte(u32),
    Work(u32),
    Named,
}

struct Prog {
    source: Source,
    name: String,
    head: Head,
    volatile: bool,
}

/// The layout of an RTE whose columns are all there, in order.
pub fn rte_layout(b: &Builder<'_>, rte: u32, types: &[(String, pglite_types::Oid, i32)]) -> ScanLayout {
    let mut layout = ScanLayout::new(rte, pglite_types::Oid::INVALID);
    let names = b.stmt.rtable.get(rte as usize - 1).map(|r| r.eref.columns.as_slice()).unwrap_or_default();
    let n = names.len().max(types.len());
    layout.cols = (1..=n as i16).collect();
    let attrs = types
        .iter()
        .enumerate()
        .map(|(i, (name, ty, typmod))| pglite_types::AttrDesc {
            name: names.get(i).unwrap_or(name).as_str().into(),
            type_oid: *ty,
            typmod: *typmod,
            dropped: false,
        })
        .collect();
    layout.whole = Some(crate::expr::WholeRow { ty: pglite_types::oid::RECORD, attrs });
    layout
}

fn make(
    b: &mut Builder<'_>,
    plan: &Plan,
    rte: u32,
    source: Source,
    name: &str,
    volatile: bool,
) -> PgResult<Built> {
    use pglite_ir::query::RteKind;
    let types = match b.stmt.rtable.get(rte as usize - 1).map(|r| &r.kind) {
        Some(RteKind::Cte { types, .. }) => types.iter().map(|t| (String::new(), t.ty, t.typmod)).collect(),
        Some(RteKind::Tuplestore { rel, .. }) => {
            rel.columns.iter().map(|c| (c.name.to_string(), c.type_oid, c.typmod)).collect()
        }
        _ => Vec::new(),
    };
    let mut layout = rte_layout(b, rte, &types);
    let (head, own) = b.head(plan, &mut layout)?;
    let width = head.width();
    let volatile = volatile | own;
    Ok(Built { prog: Arc::new(Prog { source, name: name.to_string(), head, volatile }), width, volatile })
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, rte: u32, param: u32) -> PgResult<Built> {
    // A CTE may call volatile functions or modify tables: read it no further than asked.
    make(b, plan, rte, Source::Cte(param), "", true)
}

pub fn build_work(b: &mut Builder<'_>, plan: &Plan, rte: u32, param: u32) -> PgResult<Built> {
    make(b, plan, rte, Source::Work(param), "", false)
}

pub fn build_named(b: &mut Builder<'_>, plan: &Plan, rte: u32, name: &str) -> PgResult<Built> {
    make(b, plan, rte, Source::Named, name, false)
}

/// Starts (or restarts) a CTE when the node that owns it starts.
pub fn reset(cx: &mut ExecCx<'_>, param: u32, plan: u32) {
    let Some(program) = cx.run.program.clone() else { return };
    cx.run.stamp += 1;
    let stamp = cx.run.stamp;
    if let Some(slot) = cx.run.exec.get_mut(param as usize) {
        slot.stamp = stamp;
    }
    let Some(slot) = cx.run.ctes.get_mut(param as usize) else { return };
    let old = slot.take();
    let (node, opened) = match old {
        Some(old) => {
            let held = old.rows.iter().map(|r| row_bytes(r)).sum();
            cx.run.release(held);
            (old.node, old.opened)
        }
        None => (Some(super::make(&program.subplans[plan as usize].prog, cx.run.instrument)), false),
    };
    cx.run.ctes[param as usize] = Some(Box::new(CteStore {
        node,
        opened,
        done: false,
        rows: Vec::new(),
        // Generation 0 of an opened node means: rescan before the next pull.
        generation: stamp,
        seen: u64::from(opened),
    }));
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(StoreScan { prog: self, at: 0, named: None })
    }
}

struct StoreScan {
    prog: Arc<Prog>,
    at: usize,
    named: Option<Arc<Vec<Row>>>,
}

/// Makes sure the CTE has more than `at` rows; false when it ends before.
pub fn fill_to(cx: &mut ExecCx<'_>, param: u32, at: usize, want: usize) -> PgResult<bool> {
    let missing = || PgError::internal("CTE is read before it starts");
    loop {
        let store = cx.run.ctes.get_mut(param as usize).and_then(Option::as_mut).ok_or_else(missing)?;
        if store.rows.len() > at {
            return Ok(true);
        }
        if store.done {
            return Ok(false);
        }
        let Some(mut node) = store.node.take() else {
            return Err(PgError::internal("CTE reads itself"));
        };
        let (opened, restart) = (store.opened, std::mem::take(&mut store.seen) != 0);
        store.opened = true;
        let mut batch = Batch::default();
        let result = (|| {
            if !opened {
                node.open(cx)?;
            } else if restart {
                node.rescan(cx)?;
            }
            node.next_batch(cx, &mut batch, want.max(1))
        })();
        let mut bytes = 0;
        if let Some(store) = cx.run.ctes.get_mut(param as usize).and_then(Option::as_mut) {
            store.node = Some(node);
            store.done = !matches!(result, Ok(true));
            for i in 0..batch.len() {
                let row: StoredRow = batch.take_row(i).collect();
                bytes += row_bytes(&row);
                store.rows.push(row);
            }
        }
        cx.run.charge(bytes)?;
        result?;
    }
}

impl Node for StoreScan {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        if self.prog.source == Source::Named {
            self.named = Some(cx.env.hooks.tuplestore(&self.prog.name)?);
        }
        Ok(())
    }
    fn rescan(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        Ok(())
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        while out.len() < max {
            let row: Vec<Datum> = match prog.source {
                Source::Cte(p) => {
                    let want = if prog.volatile { 1 } else { max - out.len() };
                    if !fill_to(cx, p, self.at, want)? {
                        break;
                    }
                    let store = cx.run.ctes[p as usize].as_ref();
                    store.and_then(|s| s.rows.get(self.at)).map(|r| r.to_vec()).unwrap_or_default()
                }
                Source::Work(p) => match cx.run.work_tables.get(p as usize).and_then(Option::as_ref) {
                    Some(w) if self.at < w.rows.len() => w.rows[self.at].to_vec(),
                    Some(_) => break,
                    None => return Err(PgError::internal("work table is read outside its recursive query")),
                },
                Source::Named => match &self.named {
                    Some(rows) if self.at < rows.len() => rows[self.at].clone(),
                    _ => break,
                },
            };
            self.at += 1;
            prog.head.emit(&Rows::outer(&row), cx, out)?;
        }
        Ok(!out.is_empty())
    }
}
