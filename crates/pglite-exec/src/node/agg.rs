//! Aggregate: plain, sorted, hashed, and grouping sets.
//!
//! Expressions of the node see the group's first row in slot 0 (grouped columns outside the current grouping set are
//! NULL) and the aggregates' values in slot 1.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_ir::expr::{Expr, Var};
use pglite_ir::plan::{AggStrategy, GroupKey, Plan};
use pglite_types::{Batch, Datum};

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::compare::GroupCol;
use crate::env::ExecEnv;
use crate::expr::{Code, Compiler, Layout, Rows, VarMap};
use crate::state::ExecCx;
use crate::store::StoredRow;

pub mod acc;
mod hash;
mod native;
mod ordered;
mod sorted;
pub mod spec;

use acc::Acc;
use hash::HashGroups;
use sorted::Rollup;
use spec::{AggSpec, Imp};

/// What slot 1 of the output row is made of.
enum Output {
    Agg(usize),
    /// GROUPING(): indexes into the node's keys.
    Grouping(Vec<usize>),
}

pub struct Prog {
    child: Built,
    specs: Vec<AggSpec>,
    outputs: Vec<Output>,
    keys: Box<[GroupCol]>,
    /// Grouping sets as indexes into `keys`; one set with all keys when there are none.
    sets: Vec<Vec<usize>>,
    strategy: AggStrategy,
    head: Head,
    /// Sets are prefixes of the keys, longest first, and the input is sorted.
    rollup: bool,
    has_sets: bool,
}

struct AggMap<'m> {
    specs: &'m mut Vec<AggSpec>,
    outputs: &'m mut Vec<Output>,
    volatile: &'m mut bool,
    /// sort_group_ref of each key.
    refs: &'m [u32],
}

impl VarMap for AggMap<'_> {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        Layout.var(var)
    }
    fn special(&mut self, expr: &Expr, env: &ExecEnv<'_>) -> PgResult<Option<Code>> {
        let output = match expr {
            Expr::Aggref(a) => {
                let (spec, volatile) = AggSpec::compile(env, a, &mut Layout)?;
                *self.volatile |= volatile;
                self.specs.push(spec);
                Output::Agg(self.specs.len() - 1)
            }
            Expr::Grouping { refs, .. } => {
                let keys = refs
                    .iter()
                    .map(|r| {
                        self.refs
                            .iter()
                            .position(|k| k == r)
                            .ok_or_else(|| PgError::internal("GROUPING argument is no grouping column"))
                    })
                    .collect::<PgResult<_>>()?;
                Output::Grouping(keys)
            }
            _ => return Ok(None),
        };
        self.outputs.push(output);
        Ok(Some(Code::Slot { slot: 1, col: self.outputs.len() as u16 - 1 }))
    }
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    strategy: AggStrategy,
    keys: &[GroupKey],
    sets: &[Vec<usize>],
) -> PgResult<Built> {
    let child = b.left(plan)?;
    let Some(left) = &plan.left else { return Err(PgError::internal("aggregate lacks its input")) };
    let refs: Vec<u32> = keys
        .iter()
        .map(|k| left.targets.get(k.column as usize - 1).map_or(0, |t| t.sort_group_ref))
        .collect();
    let (mut specs, mut outputs, mut volatile) = (Vec::new(), Vec::new(), child.volatile);
    let head = {
        let mut map =
            AggMap { specs: &mut specs, outputs: &mut outputs, volatile: &mut volatile, refs: &refs };
        let mut c = Compiler::new(b.env, &mut map);
        let qual = c.qual(&plan.qual)?;
        let project = super::Projection::compile(&mut c, &plan.targets)?;
        Head { qual, project }
    };
    let key_cols = b.group_cols(keys, left)?;
    let has_sets = !sets.is_empty();
    let sets = if has_sets { sets.to_vec() } else { vec![(0..keys.len()).collect()] };
    let prefixes = sets.iter().all(|s| s.iter().enumerate().all(|(i, k)| i == *k));
    let falling = sets.windows(2).all(|w| w[0].len() >= w[1].len());
    let rollup = matches!(strategy, AggStrategy::Sorted | AggStrategy::Plain) && prefixes && falling;
    let width = head.width();
    let prog = Prog { child, specs, outputs, keys: key_cols, sets, strategy, head, rollup, has_sets };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(Agg { prog: self, input, args: Vec::new(), mode: None })
    }
}

/// One finished or running group.
pub struct Group {
    pub row: StoredRow,
    pub accs: Box<[Acc]>,
}

enum Mode {
    /// No keys, no sets: exactly one group.
    Plain {
        done: bool,
    },
    Sorted(Rollup),
    Hashed(HashGroups),
}

struct Agg {
    prog: Arc<Prog>,
    input: Input,
    args: Vec<Datum>,
    mode: Option<Mode>,
}

impl Prog {
    pub fn new_accs(&self, cx: &mut ExecCx<'_>) -> PgResult<Box<[Acc]>> {
        self.specs.iter().map(|s| Acc::new(s, cx)).collect()
    }

    /// Feeds one input row to a group's aggregates.
    #[inline]
    pub fn advance(
        &self,
        accs: &mut [Acc],
        row: &[Datum],
        args: &mut Vec<Datum>,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<()> {
        let rows = Rows::outer(row);
        for (spec, acc) in self.specs.iter().zip(accs) {
            if let Some(filter) = &spec.filter
                && filter.test(&rows, cx)? != Some(true)
            {
                continue;
            }
            match &spec.args[..] {
                [] => acc.update(spec, &[], cx)?,
                [one] => match one.peek(&rows) {
                    Some(v) => acc.update(spec, std::slice::from_ref(v), cx)?,
                    None => {
                        let v = one.eval(&rows, cx)?;
                        acc.update(spec, std::slice::from_ref(&v), cx)?;
                    }
                },
                many => {
                    args.clear();
                    for code in many {
                        args.push(code.eval(&rows, cx)?);
                    }
                    acc.update(spec, args, cx)?;
                }
            }
        }
        Ok(())
    }

    /// Finishes a group and emits its output row when it passes HAVING.
    pub fn emit(
        &self,
        group: &mut Group,
        set: &[usize],
        cx: &mut ExecCx<'_>,
        out: &mut Batch,
    ) -> PgResult<()> {
        let mut values = Vec::with_capacity(self.specs.len());
        for (spec, acc) in self.specs.iter().zip(group.accs.iter_mut()) {
            let mut direct = Vec::with_capacity(spec.direct.len());
            for code in &spec.direct {
                direct.push(code.eval(&Rows::outer(&group.row), cx)?);
            }
            values.push(acc.finish(spec, &direct, cx)?);
        }
        let slots: Vec<Datum> = self
            .outputs
            .iter()
            .map(|o| match o {
                Output::Agg(i) => values[*i].clone(),
                Output::Grouping(keys) => {
                    Datum::Int4(keys.iter().fold(0, |v, k| v << 1 | i32::from(!set.contains(k))))
                }
            })
            .collect();
        if self.has_sets {
            for (i, key) in self.keys.iter().enumerate() {
                // A column may be grouped by more than one key.
                let kept = set.iter().any(|k| self.keys[*k].col == key.col);
                if !set.contains(&i) && !kept {
                    group.row[key.col] = Datum::Null;
                }
            }
        }
        self.head.emit(&Rows { s: [&group.row, &slots, &[], &[]] }, cx, out)?;
        Ok(())
    }

    pub fn empty_row(&self) -> StoredRow {
        vec![Datum::Null; self.child.width].into()
    }
}

impl Agg {
    fn run_plain(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch) -> PgResult<()> {
        let prog = self.prog.clone();
        let mut accs = prog.new_accs(cx)?;
        let mut first: Option<StoredRow> = None;
        let simple = prog.specs.iter().all(is_columnar);
        while self.input.next_chunk(cx)? {
            if first.is_none() {
                first = Some(self.input.chunk().row(0).into());
            }
            if simple {
                for (spec, acc) in prog.specs.iter().zip(accs.iter_mut()) {
                    update_column(spec, acc, self.input.chunk())?;
                }
                continue;
            }
            for i in 0..self.input.chunk().len() {
                let batch: &Batch = self.input.chunk();
                prog.advance(&mut accs, batch.row(i), &mut self.args, cx)?;
            }
        }
        let row = first.unwrap_or_else(|| prog.empty_row());
        prog.emit(&mut Group { row, accs }, &[], cx, out)
    }
}

/// Counts and integer sums of plain columns: run down a column without evaluating expressions.
fn is_columnar(spec: &AggSpec) -> bool {
    let column = match &spec.args[..] {
        [] => true,
        [Code::Slot { slot: 0, .. }] => true,
        _ => false,
    };
    column
        && spec.filter.is_none()
        && !spec.sorts()
        && matches!(spec.imp, Imp::CountStar | Imp::Count | Imp::SumInt | Imp::SumBig | Imp::AvgInt)
}

fn update_column(spec: &AggSpec, acc: &mut Acc, batch: &Batch) -> PgResult<()> {
    let col = match spec.args.first() {
        Some(Code::Slot { col, .. }) => *col as usize,
        _ => {
            if let Acc::Count(n) = acc {
                *n += batch.len() as i64;
            }
            return Ok(());
        }
    };
    match acc {
        Acc::Count(n) if matches!(spec.imp, Imp::CountStar) => *n += batch.len() as i64,
        Acc::Count(n) => *n += batch.rows().filter(|r| !r[col].is_null()).count() as i64,
        Acc::SumInt { sum, count } => {
            for row in batch.rows() {
                let v = match &row[col] {
                    Datum::Int4(v) => *v as i64,
                    Datum::Int2(v) => *v as i64,
                    Datum::Int8(v) => *v,
                    _ => continue,
                };
                *count += 1;
                *sum = sum.checked_add(v).ok_or_else(acc::bigint_range)?;
            }
        }
        Acc::SumBig { sum, count } => {
            for row in batch.rows() {
                if let Some(v) = crate::compare::as_int(&row[col]) {
                    *sum += v as i128;
                    *count += 1;
                }
            }
        }
        _ => return Err(PgError::internal("aggregate state does not fit its aggregate")),
    }
    Ok(())
}

impl Node for Agg {
    fn open(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.mode = None;
        self.input.open(cx)
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        if let Some(Mode::Hashed(groups)) = self.mode.take() {
            cx.run.release(groups.bytes());
        }
        self.input.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        out.reset(prog.head.width());
        if self.mode.is_none() {
            let plain = prog.keys.is_empty() && prog.sets.len() == 1 && prog.strategy != AggStrategy::Hashed;
            self.mode = Some(if plain {
                Mode::Plain { done: false }
            } else if prog.rollup {
                Mode::Sorted(Rollup::new(&prog))
            } else {
                let mut groups = HashGroups::new(&prog);
                groups.build(&prog, &mut self.input, &mut self.args, cx)?;
                Mode::Hashed(groups)
            });
        }
        match &mut self.mode {
            Some(Mode::Plain { done }) => {
                if !std::mem::replace(done, true) {
                    self.run_plain(cx, out)?;
                }
            }
            Some(Mode::Sorted(r)) => r.next(&prog, &mut self.input, &mut self.args, cx, out, max)?,
            Some(Mode::Hashed(h)) => h.next(&prog, cx, out, max)?,
            None => {}
        }
        Ok(!out.is_empty())
    }
}
