//! WindowAgg: one sorted partition at a time, each row with its frame.
//!
//! Expressions see the input row in slot 0 and the window functions' values in slot 1.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::abi::{Body, CallInfo, WindowFn};
use pglite_ir::expr::{Expr, Var, WindowFunc};
use pglite_ir::plan::{FramePlan, GroupKey, Plan, SortKey};
use pglite_types::{Batch, Datum};

use super::agg::acc::Acc;
use super::agg::spec::AggSpec;
use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node, Projection};
use crate::compare::{GroupCol, SortCol, cmp_rows, same_group};
use crate::env::ExecEnv;
use crate::expr::{Code, Compiler, Layout, Qual, Rows, VarMap};
use crate::facts;
use crate::state::ExecCx;
use crate::store::{StoredRow, row_bytes};

mod frame;
mod funcs;

use frame::{FrameProgram, Frames};
use funcs::Builtin;

enum Kind {
    Agg(Box<AggSpec>),
    Builtin(Builtin),
    Native { f: WindowFn, info: CallInfo },
}

struct Function {
    kind: Kind,
    args: Box<[Code]>,
}

struct Prog {
    child: Built,
    functions: Vec<Function>,
    partition: Box<[GroupCol]>,
    order: Box<[SortCol]>,
    frame: FrameProgram,
    run_condition: Qual,
    head: Head,
}

struct WindowMap<'m> {
    functions: &'m mut Vec<Function>,
}

impl VarMap for WindowMap<'_> {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        Layout.var(var)
    }
    fn special(&mut self, expr: &Expr, env: &ExecEnv<'_>) -> PgResult<Option<Code>> {
        let Expr::WindowFunc(w) = expr else { return Ok(None) };
        self.functions.push(function(env, w)?);
        Ok(Some(Code::Slot { slot: 1, col: self.functions.len() as u16 - 1 }))
    }
}

fn function(env: &ExecEnv<'_>, w: &WindowFunc) -> PgResult<Function> {
    let args = Compiler::new(env, &mut Layout).list(&w.args)?;
    if w.is_agg {
        let spec = AggSpec::compile_window(env, w, &mut Layout)?;
        return Ok(Function { kind: Kind::Agg(Box::new(spec)), args });
    }
    let proc_ = facts::proc_facts(env.host.catalog(), w.func)?;
    let kind = match (Builtin::by_name(&proc_.prosrc), pglite_functions::body(&proc_.prosrc)) {
        (Some(b), _) => Kind::Builtin(b),
        (None, Some(Body::Window(f))) => Kind::Native {
            f: *f,
            info: CallInfo {
                func: w.func,
                ret_type: w.ty,
                arg_types: w.args.iter().map(Expr::ty).collect(),
                collation: w.input_collation,
                ..CallInfo::default()
            },
        },
        _ => {
            return Err(PgError::unsupported(format!(
                "window function {} is not supported by this server",
                proc_.name
            )));
        }
    };
    Ok(Function { kind, args })
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    _winref: u32,
    partition: &[GroupKey],
    order: &[SortKey],
    frame: &FramePlan,
    run_condition: &[Expr],
) -> PgResult<Built> {
    let child = b.left(plan)?;
    let Some(left) = &plan.left else { return Err(PgError::internal("window node lacks its input")) };
    let mut functions = Vec::new();
    let mut map = WindowMap { functions: &mut functions };
    let mut c = Compiler::new(b.env, &mut map);
    let qual = c.qual(&plan.qual)?;
    let project = Projection::compile(&mut c, &plan.targets)?;
    let run_condition = c.qual(run_condition)?;
    let volatile = c.volatile | child.volatile;
    let partition = b.group_cols(partition, left)?;
    let frame = FrameProgram::compile(b, frame, order, left)?;
    let order = b.sort_cols(order, left)?;
    let head = Head { qual, project };
    let width = head.width();
    let prog = Prog { child, functions, partition, order, frame, run_condition, head };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(WindowAgg {
            prog: self,
            input,
            pending: None,
            rows: Vec::new(),
            peers: Vec::new(),
            at: 0,
            states: Vec::new(),
            frames: Frames::default(),
            bytes: 0,
            done: false,
        })
    }
}

/// A window aggregate's running state: the rows it holds.
struct Running {
    acc: Acc,
    start: usize,
    end: usize,
    /// The value for the frame above, when finished.
    value: Option<Datum>,
    plain: bool,
}

#[derive(Default)]
struct FunctionState {
    running: Option<Running>,
    scratch: Option<Box<dyn std::any::Any + Send>>,
}

struct WindowAgg {
    prog: Arc<Prog>,
    input: Input,
    /// The first row of the next partition.
    pending: Option<StoredRow>,
    rows: Vec<StoredRow>,
    /// Per row: first row of its peer group, and the row after its last.
    peers: Vec<(usize, usize)>,
    at: usize,
    states: Vec<FunctionState>,
    frames: Frames,
    bytes: usize,
    done: bool,
}

/// The current partition, as functions see it.
pub(super) struct Partition<'p> {
    rows: &'p [StoredRow],
    peers: &'p [(usize, usize)],
    current: usize,
    frame: (usize, usize),
    exclude: frame::Excluded,
}

impl Partition<'_> {
    /// Whether the row at `i` of the frame's range is in the frame.
    fn in_frame(&self, i: usize) -> bool {
        !self.exclude.contains(i)
    }
}

impl WindowAgg {
    /// Collects the next partition; false at the end.
    fn load(&mut self, cx: &mut ExecCx<'_>) -> PgResult<bool> {
        let prog = self.prog.clone();
        self.rows.clear();
        self.peers.clear();
        self.at = 0;
        cx.run.release(std::mem::take(&mut self.bytes));
        if let Some(row) = self.pending.take() {
            self.rows.push(row);
        }
        while !self.done {
            if !self.input.next(cx, pglite_types::BATCH_ROWS)? {
                self.done = true;
                break;
            }
            let row = self.input.take();
            if let Some(first) = self.rows.first()
                && !same_group(&prog.partition, cx, first, &row)?
            {
                self.pending = Some(row);
                break;
            }
            let bytes = row_bytes(&row);
            self.bytes += bytes;
            cx.run.charge(bytes)?;
            self.rows.push(row);
        }
        if self.rows.is_empty() {
            return Ok(false);
        }
        let mut start = 0;
        for i in 1..=self.rows.len() {
            let ends = i == self.rows.len()
                || (!prog.order.is_empty()
                    && cmp_rows(&prog.order, cx, &self.rows[i - 1], &self.rows[i])?.is_ne());
            if ends {
                self.peers.resize(i, (start, i));
                start = i;
            }
        }
        self.states.clear();
        self.states.resize_with(prog.functions.len(), FunctionState::default);
        self.frames = Frames::start(&prog.frame, cx)?;
        Ok(true)
    }

    fn values(&mut self, cx: &mut ExecCx<'_>) -> PgResult<Vec<Datum>> {
        let prog = self.prog.clone();
        let frame = self.frames.frame(&prog.frame, &self.rows, &self.peers, self.at, cx)?;
        let exclude = prog.frame.excluded(&self.peers, self.at);
        let p = Partition { rows: &self.rows, peers: &self.peers, current: self.at, frame, exclude };
        let mut out = Vec::with_capacity(prog.functions.len());
        for (f, state) in prog.functions.iter().zip(&mut self.states) {
            out.push(match &f.kind {
                Kind::Agg(spec) => aggregate(spec, state, &p, cx)?,
                Kind::Builtin(b) => b.eval(&f.args, &p, cx)?,
                Kind::Native { f: body, info } => {
                    let host = cx.env.host;
                    let mut access = funcs::Access { p: &p, args: &f.args, cx, state: &mut state.scratch };
                    body(&pglite_ir::FnCtx { host, call: info }, &mut access)?
                }
            });
        }
        Ok(out)
    }
}

/// Feeds (or takes back) one row.
fn feed(spec: &AggSpec, acc: &mut Acc, row: &StoredRow, add: bool, cx: &mut ExecCx<'_>) -> PgResult<bool> {
    let rows = Rows::outer(row);
    if let Some(filter) = &spec.filter
        && filter.test(&rows, cx)? != Some(true)
    {
        return Ok(true);
    }
    let mut args: smallvec::SmallVec<[Datum; 2]> = smallvec::SmallVec::new();
    for code in &spec.args {
        args.push(code.eval(&rows, cx)?);
    }
    if add {
        acc.update(spec, &args, cx)?;
        return Ok(true);
    }
    acc.inverse(spec, &args, cx)
}

fn aggregate(
    spec: &AggSpec,
    state: &mut FunctionState,
    p: &Partition<'_>,
    cx: &mut ExecCx<'_>,
) -> PgResult<Datum> {
    let (start, end) = p.frame;
    let plain = p.exclude.is_empty();
    let mut keep = None;
    if let Some(mut r) = state.running.take()
        && r.plain
        && plain
        && r.start <= start
        && r.end <= end
        && start <= r.end
    {
        if r.start == start
            && r.end == end
            && let Some(v) = &r.value
        {
            let v = v.clone();
            state.running = Some(r);
            return Ok(v);
        }
        let mut ok = true;
        while ok && r.start < start {
            ok = feed(spec, &mut r.acc, &p.rows[r.start], false, cx)?;
            r.start += 1;
        }
        if ok {
            keep = Some(r);
        }
    }
    let mut r = match keep {
        Some(r) => r,
        None => Running { acc: Acc::plain(spec, cx)?, start, end: start, value: None, plain },
    };
    while r.end < end {
        if p.in_frame(r.end) {
            feed(spec, &mut r.acc, &p.rows[r.end], true, cx)?;
        }
        r.end += 1;
    }
    let v = r.acc.finish(spec, &[], cx)?;
    r.value = Some(v.clone());
    state.running = Some(r);
    Ok(v)
}

impl Node for WindowAgg {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.input.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.pending = None;
        self.rows.clear();
        self.peers.clear();
        self.at = 0;
        self.done = false;
        self.input.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        while out.len() < max {
            if self.at >= self.rows.len() && !self.load(cx)? {
                break;
            }
            let values = self.values(cx)?;
            let rows = Rows { s: [&self.rows[self.at], &values, &[], &[]] };
            self.at += 1;
            if prog.run_condition.test(&rows, cx)? {
                prog.head.emit(&rows, cx, out)?;
            }
        }
        Ok(!out.is_empty())
    }
}
