//! ProjectSet: set-returning functions in the target list, stepped together until all have ended.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::Plan;
use pglite_types::{Batch, Datum};

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::expr::{Code, Layout, Rows, SetCode, SetState};
use crate::state::ExecCx;

enum Target {
    Plain(Code),
    Set(SetCode),
}

struct Prog {
    child: Option<Built>,
    targets: Vec<Target>,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan) -> PgResult<Built> {
    let child = plan.left.as_ref().map(|_| b.left(plan)).transpose()?;
    let mut volatile = child.as_ref().is_some_and(|c| c.volatile);
    let mut targets = Vec::new();
    for t in &plan.targets {
        let is_set = match &t.expr {
            Expr::Func(x) => x.retset,
            Expr::Op(x) => x.retset,
            _ => false,
        };
        if is_set {
            let (code, v) = SetCode::compile(b.env, &t.expr, &mut Layout, Vec::new())?;
            volatile |= v;
            targets.push(Target::Set(code));
        } else {
            targets.push(Target::Plain(b.code(&t.expr)?));
        }
    }
    let width = targets.len();
    Ok(Built { prog: Arc::new(Prog { child, targets }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = self.child.as_ref().map(Input::new);
        Box::new(ProjectSet { prog: self, input, running: Vec::new(), active: false, done: false })
    }
}

struct ProjectSet {
    prog: Arc<Prog>,
    input: Option<Input>,
    running: Vec<SetState>,
    active: bool,
    done: bool,
}

impl ProjectSet {
    fn next_input(&mut self, cx: &mut ExecCx<'_>) -> PgResult<bool> {
        match &mut self.input {
            // One input row at a time: its sets may be long.
            Some(input) => {
                if !input.next(cx, 1)? {
                    return Ok(false);
                }
            }
            None if self.done => return Ok(false),
            None => self.done = true,
        }
        let prog = self.prog.clone();
        let row = self.input.as_ref().map_or(&[][..], |i| i.row());
        self.running.clear();
        for t in &prog.targets {
            self.running.push(match t {
                Target::Plain(_) => SetState::Empty,
                Target::Set(code) => code.start(&Rows::outer(row), cx)?,
            });
        }
        Ok(true)
    }
}

impl Node for ProjectSet {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.active = false;
        self.done = false;
        self.input.as_mut().map_or(Ok(()), |i| i.open(cx))
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.active = false;
        self.done = false;
        self.input.as_mut().map_or(Ok(()), |i| i.rescan(cx))
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.targets.len());
        let mut values: Vec<Datum> = Vec::with_capacity(prog.targets.len());
        while out.len() < max {
            if !self.active {
                if !self.next_input(cx)? {
                    break;
                }
                self.active = true;
            }
            values.clear();
            let mut any = false;
            for (t, state) in prog.targets.iter().zip(&mut self.running) {
                values.push(match t {
                    Target::Plain(_) => Datum::Null,
                    Target::Set(code) => match code.next_value(state, cx)? {
                        Some(v) => {
                            any = true;
                            v
                        }
                        None => Datum::Null,
                    },
                });
            }
            if !any {
                self.active = false;
                continue;
            }
            let row = self.input.as_ref().map_or(&[][..], |i| i.row());
            for (t, v) in prog.targets.iter().zip(&mut values) {
                if let Target::Plain(code) = t {
                    *v = code.eval(&Rows::outer(row), cx)?;
                }
            }
            out.push_row(values.drain(..));
        }
        Ok(!out.is_empty())
    }
}
