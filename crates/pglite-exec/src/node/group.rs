//! Group and Unique: the first row of each run of equal keys in a sorted input.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::plan::{GroupKey, Plan};
use pglite_types::Batch;

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::compare::{GroupCol, same_group};
use crate::expr::{Layout, Rows};
use crate::state::ExecCx;
use crate::store::StoredRow;

struct Prog {
    child: Built,
    keys: Box<[GroupCol]>,
    /// Group filters and projects; Unique passes rows.
    head: Option<Head>,
    width: usize,
}

fn build(b: &mut Builder<'_>, plan: &Plan, keys: &[GroupKey], head: bool) -> PgResult<Built> {
    let child = b.left(plan)?;
    let keys = match &plan.left {
        Some(left) => b.group_cols(keys, left)?,
        None => Box::default(),
    };
    let head = if head { Some(b.head(plan, &mut Layout)?) } else { None };
    let volatile = child.volatile || head.as_ref().is_some_and(|h| h.1);
    let head = head.map(|h| h.0);
    let width = head.as_ref().map_or(child.width, Head::width);
    Ok(Built { prog: Arc::new(Prog { child, keys, head, width }), width, volatile })
}

pub fn build_group(b: &mut Builder<'_>, plan: &Plan, keys: &[GroupKey]) -> PgResult<Built> {
    build(b, plan, keys, true)
}

pub fn build_unique(b: &mut Builder<'_>, plan: &Plan, keys: &[GroupKey]) -> PgResult<Built> {
    build(b, plan, keys, false)
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(GroupNode { prog: self, input, last: None })
    }
}

struct GroupNode {
    prog: Arc<Prog>,
    input: Input,
    last: Option<StoredRow>,
}

impl Node for GroupNode {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.last = None;
        self.input.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.last = None;
        self.input.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.width);
        while out.len() < max {
            if !self.input.next(cx, max)? {
                break;
            }
            let same = match &self.last {
                Some(last) => same_group(&prog.keys, cx, last, self.input.row())?,
                None => false,
            };
            if same {
                continue;
            }
            self.last = Some(self.input.row().into());
            match &prog.head {
                Some(head) => {
                    head.emit(&Rows::outer(self.input.row()), cx, out)?;
                }
                None => out.push_slice(self.input.row()),
            }
        }
        Ok(!out.is_empty())
    }
}
