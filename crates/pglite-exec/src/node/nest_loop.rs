//! Nested Loop: for each outer row, the inner side anew. Inner, left, semi and anti joins.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_ir::plan::Plan;
use pglite_ir::query::JoinKind;
use pglite_types::{BATCH_ROWS, Batch, Datum};

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::expr::{Code, Layout, Qual, Rows};
use crate::state::ExecCx;

struct Prog {
    outer: Built,
    inner: Built,
    kind: JoinKind,
    join_qual: Qual,
    params: Box<[(usize, Code)]>,
    /// At most one inner row matches: stop at the first.
    single: bool,
    head: Head,
    nulls: Vec<Datum>,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    kind: JoinKind,
    join_qual: &[Expr],
    params: &[(u32, Expr)],
    inner_unique: bool,
) -> PgResult<Built> {
    if !matches!(kind, JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti) {
        return Err(PgError::internal(format!("nested loop cannot run a {kind:?} join")));
    }
    let outer = b.left(plan)?;
    let inner = b.right(plan)?;
    let (join_qual, v1) = b.quals(join_qual)?;
    let params = params.iter().map(|(p, e)| Ok((*p as usize, b.code(e)?))).collect::<PgResult<Box<[_]>>>()?;
    let (head, v2) = b.head(plan, &mut Layout)?;
    let width = head.width();
    let volatile = outer.volatile | inner.volatile | v1 | v2;
    let nulls = vec![Datum::Null; inner.width];
    let single = inner_unique || kind == JoinKind::Semi;
    Ok(Built {
        prog: Arc::new(Prog { outer, inner, kind, join_qual, params, single, head, nulls }),
        width,
        volatile,
    })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let outer = Input::new(&self.outer);
        let inner = Input::new(&self.inner);
        Box::new(NestLoop { prog: self, outer, inner, inner_open: false, active: false, matched: false })
    }
}

struct NestLoop {
    prog: Arc<Prog>,
    outer: Input,
    inner: Input,
    inner_open: bool,
    /// There is a current outer row and its inner scan runs.
    active: bool,
    matched: bool,
}

impl NestLoop {
    fn start_inner(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        for (id, code) in &self.prog.params {
            let v = code.eval(&Rows::outer(self.outer.row()), cx)?;
            cx.run.set_param(*id, v);
        }
        self.active = true;
        self.matched = false;
        if self.inner_open {
            self.inner.rescan(cx)
        } else {
            self.inner_open = true;
            self.inner.open(cx)
        }
    }
}

impl Node for NestLoop {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.active = false;
        self.outer.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.active = false;
        self.outer.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        let pull = if prog.single { 1 } else { max.min(BATCH_ROWS) };
        while out.len() < max {
            if !self.active {
                if !self.outer.next(cx, max)? {
                    break;
                }
                self.start_inner(cx)?;
            }
            if !self.inner.next(cx, pull)? {
                self.active = false;
                if !self.matched && matches!(prog.kind, JoinKind::Left | JoinKind::Anti) {
                    prog.head.emit(&Rows::pair(self.outer.row(), &prog.nulls), cx, out)?;
                }
                continue;
            }
            let rows = Rows::pair(self.outer.row(), self.inner.row());
            if !prog.join_qual.test(&rows, cx)? {
                cx.run.note(|s| s.join_filtered += 1);
                continue;
            }
            self.matched = true;
            if prog.kind == JoinKind::Anti {
                self.active = false;
                continue;
            }
            prog.head.emit(&rows, cx, out)?;
            if prog.single {
                self.active = false;
            }
        }
        Ok(!out.is_empty())
    }
}
