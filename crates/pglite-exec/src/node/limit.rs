//! Limit: OFFSET, FETCH FIRST, WITH TIES.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::expr::Expr;
use pglite_ir::plan::{GroupKey, Plan};
use pglite_types::{Batch, Datum};

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::compare::{GroupCol, same_group};
use crate::expr::{Code, Rows};
use crate::state::ExecCx;

struct Prog {
    child: Built,
    limit: Option<Code>,
    offset: Option<Code>,
    ties: Box<[GroupCol]>,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    limit: &Option<Expr>,
    offset: &Option<Expr>,
    ties: &[GroupKey],
) -> PgResult<Built> {
    let child = b.left(plan)?;
    let limit = limit.as_ref().map(|e| b.code(e)).transpose()?;
    let offset = offset.as_ref().map(|e| b.code(e)).transpose()?;
    let ties = match &plan.left {
        Some(left) => b.group_cols(ties, left)?,
        None => Box::default(),
    };
    let (width, volatile) = (child.width, child.volatile);
    Ok(Built { prog: Arc::new(Prog { child, limit, offset, ties }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(Limit {
            prog: self,
            input,
            opened: false,
            ready: false,
            skip: 0,
            left: None,
            last: None,
            done: false,
        })
    }
}

struct Limit {
    prog: Arc<Prog>,
    input: Input,
    opened: bool,
    ready: bool,
    skip: u64,
    left: Option<u64>,
    /// WITH TIES: the last row inside the limit.
    last: Option<Box<[Datum]>>,
    done: bool,
}

fn count(code: &Option<Code>, cx: &mut ExecCx<'_>) -> PgResult<Option<i64>> {
    let Some(code) = code else { return Ok(None) };
    match code.eval(&Rows::default(), cx)? {
        Datum::Int8(v) => Ok(Some(v)),
        Datum::Int4(v) => Ok(Some(v as i64)),
        Datum::Null => Ok(None),
        other => Err(PgError::internal(format!("row count {other:?}"))),
    }
}

impl Limit {
    fn prepare(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let prog = self.prog.clone();
        self.ready = true;
        self.done = false;
        self.last = None;
        self.skip = match count(&prog.offset, cx)? {
            Some(v) if v < 0 => {
                bail!(INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE, "OFFSET must not be negative")
            }
            Some(v) => v as u64,
            None => 0,
        };
        self.left = match count(&prog.limit, cx)? {
            Some(v) if v < 0 => bail!(INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, "LIMIT must not be negative"),
            Some(v) => Some(v as u64),
            None => None,
        };
        if let Some(left) = self.left
            && prog.ties.is_empty()
        {
            self.input.node.bound(left.saturating_add(self.skip));
        }
        if self.opened {
            self.input.rescan(cx)
        } else {
            self.opened = true;
            self.input.open(cx)
        }
    }
}

impl Node for Limit {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.ready = false;
        Ok(())
    }
    fn rescan(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.ready = false;
        Ok(())
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.child.width);
        if !self.ready {
            self.prepare(cx)?;
        }
        // PG: LIMIT 0 does not start its input.
        if self.left == Some(0) && self.last.is_none() {
            self.done = true;
        }
        if self.done {
            return Ok(false);
        }
        while self.skip > 0 {
            if !self.input.next(cx, self.skip.min(max.max(1) as u64) as usize)? {
                self.done = true;
                return Ok(false);
            }
            self.skip -= 1;
        }
        while out.len() < max {
            let room = max - out.len();
            let want = self.left.map_or(room, |l| (l as usize).min(room)).max(1);
            if self.left == Some(0) && self.prog.ties.is_empty() {
                self.done = true;
                break;
            }
            if !self.input.next(cx, want)? {
                self.done = true;
                break;
            }
            if self.left == Some(0)
                && let Some(last) = &self.last
                && !same_group(&self.prog.ties, cx, last, self.input.row())?
            {
                self.done = true;
                break;
            }
            out.push_slice(self.input.row());
            if let Some(left) = &mut self.left
                && *left > 0
            {
                *left -= 1;
                if *left == 0 && !self.prog.ties.is_empty() {
                    self.last = Some(self.input.row().into());
                }
            }
        }
        Ok(!out.is_empty())
    }
}
