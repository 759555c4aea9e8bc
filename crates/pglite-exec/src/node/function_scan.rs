//! Function Scan: set-returning (and other) functions in FROM, side by side, with ordinality.

use std::sync::Arc;

use pglite_error::{PgResult, bail};
use pglite_ir::plan::Plan;
use pglite_ir::query::RangeTblFunction;
use pglite_types::{AttrDesc, Batch, Datum, Oid, Row};

use super::{BoxNode, Builder, Built, Head, MakeNode, Node};
use crate::expr::{Layout, Rows, ScanLayout, SetCode, SetState, WholeRow};
use crate::state::ExecCx;
use crate::store::{StoredRow, row_bytes};

struct Function {
    code: SetCode,
    /// Output columns.
    columns: Vec<(String, Oid, i32)>,
    coldeflist: bool,
}

struct Prog {
    functions: Vec<Function>,
    ordinality: bool,
    head: Head,
    deps: Box<[u32]>,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    rte: u32,
    functions: &[RangeTblFunction],
    ordinality: bool,
) -> PgResult<Built> {
    let mut compiled = Vec::new();
    let mut volatile = false;
    for f in functions {
        let columns: Vec<(String, Oid, i32)> =
            f.columns.iter().map(|(n, t)| (n.clone(), t.ty, t.typmod)).collect();
        let (code, v) = SetCode::compile(b.env, &f.expr, &mut Layout, columns.clone())?;
        volatile |= v;
        compiled.push(Function { code, columns, coldeflist: f.coldeflist });
    }
    let mut layout = ScanLayout::new(rte, Oid::INVALID);
    let names = b.stmt.rtable.get(rte as usize - 1).map(|r| r.eref.columns.as_slice()).unwrap_or_default();
    let mut attrs: Vec<AttrDesc> = Vec::new();
    for (n, ty, typmod) in compiled.iter().flat_map(|f| &f.columns) {
        let name = names.get(attrs.len()).unwrap_or(n).as_str().into();
        attrs.push(AttrDesc { name, type_oid: *ty, typmod: *typmod, dropped: false });
    }
    if ordinality {
        let name = names.get(attrs.len()).map_or("ordinality", String::as_str).into();
        attrs.push(AttrDesc { name, type_oid: pglite_types::oid::INT8, typmod: -1, dropped: false });
    }
    layout.cols = (1..=attrs.len() as i16).collect();
    layout.whole = Some(WholeRow { ty: Oid::INVALID, attrs: attrs.into() });
    let (head, own) = b.head(plan, &mut layout)?;
    let width = head.width();
    let deps = b.deps(plan);
    Ok(Built {
        prog: Arc::new(Prog { functions: compiled, ordinality, head, deps }),
        width,
        volatile: volatile | own,
    })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        Box::new(FunctionScan {
            prog: self,
            running: Vec::new(),
            rows: Vec::new(),
            at: 0,
            bytes: 0,
            done: false,
            started: false,
            seen: 0,
        })
    }
}

struct FunctionScan {
    prog: Arc<Prog>,
    running: Vec<SetState>,
    rows: Vec<StoredRow>,
    at: usize,
    bytes: usize,
    done: bool,
    started: bool,
    seen: u64,
}

impl FunctionScan {
    /// Produces one more row; false at the end.
    fn produce(&mut self, cx: &mut ExecCx<'_>) -> PgResult<bool> {
        let prog = self.prog.clone();
        if !self.started {
            self.started = true;
            self.seen = cx.run.stamp;
            self.running.clear();
            for f in &prog.functions {
                self.running.push(f.code.start(&Rows::default(), cx)?);
            }
        }
        let mut row: Row = Vec::new();
        let mut any = false;
        let mut scratch: Row = Vec::new();
        for (f, state) in prog.functions.iter().zip(&mut self.running) {
            scratch.clear();
            if f.code.next(state, cx, &mut scratch)? {
                any = true;
                expand(f, &mut scratch, &mut row)?;
            } else {
                row.resize(row.len() + f.columns.len(), Datum::Null);
            }
        }
        if !any {
            return Ok(false);
        }
        if prog.ordinality {
            row.push(Datum::Int8(self.rows.len() as i64 + 1));
        }
        let row: StoredRow = row.into();
        let bytes = row_bytes(&row);
        self.bytes += bytes;
        cx.run.charge(bytes)?;
        self.rows.push(row);
        Ok(true)
    }
}

/// Appends a function's result row as its columns.
fn expand(f: &Function, result: &mut Row, out: &mut Row) -> PgResult<()> {
    let n = f.columns.len();
    if result.len() == 1 && (n != 1 || f.coldeflist || matches!(result[0], Datum::Record(_))) {
        match std::mem::take(&mut result[0]) {
            Datum::Record(r) if n != 1 || f.coldeflist || f.code.composite => {
                let live =
                    r.values.iter().zip(r.attrs.iter()).filter(|(_, a)| !a.dropped || f.code.composite);
                let before = out.len();
                out.extend(live.map(|(v, _)| v.clone()));
                if f.coldeflist && out.len() - before != n {
                    bail!(
                        DATATYPE_MISMATCH,
                        "function return row and query-specified return row do not match"
                    );
                }
                out.resize(before + n, Datum::Null);
            }
            Datum::Null if n != 1 => out.resize(out.len() + n, Datum::Null),
            other => {
                let before = out.len();
                out.push(other);
                out.resize(before + n, Datum::Null);
            }
        }
        return Ok(());
    }
    let before = out.len();
    out.append(result);
    out.resize(before + n, Datum::Null);
    Ok(())
}

impl Node for FunctionScan {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        Ok(())
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        if !self.started || cx.run.newest(&self.prog.deps) <= self.seen {
            return Ok(());
        }
        self.started = false;
        self.done = false;
        self.rows.clear();
        cx.run.release(std::mem::take(&mut self.bytes));
        Ok(())
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        while out.len() < max {
            if self.at >= self.rows.len() {
                if self.done || !self.produce(cx)? {
                    self.done = true;
                    break;
                }
                if self.rows.len().is_multiple_of(1024) {
                    cx.check_interrupts()?;
                }
            }
            let at = self.at;
            self.at += 1;
            prog.head.emit(&Rows::outer(&self.rows[at]), cx, out)?;
        }
        Ok(!out.is_empty())
    }
}
