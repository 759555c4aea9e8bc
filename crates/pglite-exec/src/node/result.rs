//! Result: a one-time condition and a projection, above a child or above nothing. Also Subquery Scan.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::Plan;
use pglite_types::Batch;

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::expr::{Layout, Qual, Rows, ScanLayout};
use crate::state::ExecCx;

struct Prog {
    one_time: Qual,
    child: Option<Built>,
    head: Head,
    pass: bool,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, one_time: &[Expr]) -> PgResult<Built> {
    let child = plan.left.as_ref().map(|_| b.left(plan)).transpose()?;
    let (one_time, v1) = b.quals(one_time)?;
    let (head, v2) = b.head(plan, &mut Layout)?;
    finish(child, one_time, head, v1 | v2)
}

/// The rows of a subquery: `rte`'s columns are the child's.
pub fn build_subquery(b: &mut Builder<'_>, plan: &Plan, rte: u32) -> PgResult<Built> {
    let child = b.left(plan)?;
    let mut layout = subquery_layout(rte, child.width, plan);
    let (head, volatile) = b.head(plan, &mut layout)?;
    finish(Some(child), Qual::default(), head, volatile)
}

/// Columns of `rte` are the child's columns in order.
pub fn subquery_layout(rte: u32, width: usize, plan: &Plan) -> ScanLayout {
    let mut layout = ScanLayout::new(rte, pglite_types::Oid::INVALID);
    layout.cols = (1..=width as i16).collect();
    layout.whole = plan.left.as_ref().map(|p| whole_row(&p.targets));
    layout
}

/// The anonymous row type of a target list.
pub fn whole_row(targets: &[pglite_ir::TargetEntry]) -> crate::expr::WholeRow {
    let attrs = targets
        .iter()
        .filter(|t| !t.junk)
        .map(|t| pglite_types::AttrDesc {
            name: t.name.as_deref().unwrap_or("?column?").into(),
            type_oid: t.expr.ty(),
            typmod: t.expr.typmod(),
            dropped: false,
        })
        .collect();
    crate::expr::WholeRow { ty: pglite_types::oid::RECORD, attrs }
}

fn finish(child: Option<Built>, one_time: Qual, head: Head, own_volatile: bool) -> PgResult<Built> {
    let width = head.width();
    let volatile = own_volatile || child.as_ref().is_some_and(|c| c.volatile);
    let pass = head.qual.is_empty() && child.as_ref().is_some_and(|c| head.project.is_identity(c.width));
    Ok(Built { prog: Arc::new(Prog { one_time, child, head, pass }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = self.child.as_ref().map(Input::new);
        Box::new(ResultNode { prog: self, input, opened: false, checked: false, done: false })
    }
}

struct ResultNode {
    prog: Arc<Prog>,
    input: Option<Input>,
    opened: bool,
    checked: bool,
    done: bool,
}

impl Node for ResultNode {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.checked = false;
        self.done = false;
        Ok(())
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        if let Some(input) = &mut self.input
            && self.opened
        {
            input.rescan(cx)?;
        }
        self.checked = false;
        self.done = false;
        Ok(())
    }
    fn bound(&mut self, rows: u64) {
        if self.prog.head.qual.is_empty()
            && let Some(input) = &mut self.input
        {
            input.node.bound(rows);
        }
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.head.width());
        if !self.checked {
            self.checked = true;
            self.done = !self.prog.one_time.test(&Rows::default(), cx)?;
        }
        if self.done {
            return Ok(false);
        }
        let Some(input) = &mut self.input else {
            self.done = true;
            return self.prog.head.emit(&Rows::default(), cx, out);
        };
        if !self.opened {
            self.opened = true;
            input.open(cx)?;
        }
        if self.prog.pass {
            return input.node.next_batch(cx, out, max);
        }
        while out.len() < max {
            if !input.next(cx, max - out.len())? {
                self.done = true;
                break;
            }
            self.prog.head.emit(&Rows::outer(input.row()), cx, out)?;
        }
        Ok(!out.is_empty())
    }
}
