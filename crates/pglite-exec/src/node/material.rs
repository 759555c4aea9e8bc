//! Material: keeps its child's rows, so that rescans cost nothing.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::Plan;
use pglite_types::Batch;

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::instrument::Detail;
use crate::state::ExecCx;
use crate::store::{StoredRow, row_bytes};

struct Prog {
    child: Built,
    deps: Box<[u32]>,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan) -> PgResult<Built> {
    let child = b.left(plan)?;
    let deps = b.deps(plan);
    let (width, volatile) = (child.width, child.volatile);
    Ok(Built { prog: Arc::new(Prog { child, deps }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(Material { prog: self, input, rows: Vec::new(), at: 0, full: false, bytes: 0, seen: 0 })
    }
}

struct Material {
    prog: Arc<Prog>,
    input: Input,
    rows: Vec<StoredRow>,
    at: usize,
    /// The child is exhausted.
    full: bool,
    bytes: usize,
    seen: u64,
}

impl Node for Material {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.seen = cx.run.stamp;
        self.input.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.at = 0;
        if cx.run.recheck.is_none() && cx.run.newest(&self.prog.deps) <= self.seen {
            return Ok(());
        }
        self.rows.clear();
        self.full = false;
        self.seen = cx.run.stamp;
        cx.run.release(std::mem::take(&mut self.bytes));
        self.input.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.child.width);
        while out.len() < max {
            if self.at < self.rows.len() {
                out.push_slice(&self.rows[self.at]);
                self.at += 1;
                continue;
            }
            if self.full || !self.input.next(cx, max - out.len())? {
                self.full = true;
                let bytes = self.bytes;
                cx.run.note(|s| s.detail = Detail::Store { bytes });
                break;
            }
            let row = self.input.take();
            let bytes = row_bytes(&row);
            self.bytes += bytes;
            cx.run.charge(bytes)?;
            out.push_slice(&row);
            self.rows.push(row);
            self.at += 1;
        }
        Ok(!out.is_empty())
    }
}
