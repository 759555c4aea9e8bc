//! Merge Join: two sorted inputs side by side; equal inner rows are buffered and replayed. All join kinds.

use std::cmp::Ordering;
use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::{MergeKey, Plan};
use pglite_ir::query::JoinKind;
use pglite_types::{Batch, Datum};
use smallvec::SmallVec;

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::compare::CmpFn;
use crate::expr::{Code, Layout, Qual, Rows};
use crate::facts;
use crate::state::ExecCx;
use crate::store::StoredRow;

type Key = SmallVec<[Datum; 2]>;

struct KeyCol {
    outer: Code,
    inner: Code,
    cmp: CmpFn,
    desc: bool,
    nulls_first: bool,
}

struct Prog {
    outer: Built,
    inner: Built,
    kind: JoinKind,
    join_qual: Qual,
    keys: Box<[KeyCol]>,
    head: Head,
    outer_nulls: Vec<Datum>,
    inner_nulls: Vec<Datum>,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    kind: JoinKind,
    join_qual: &[Expr],
    keys: &[MergeKey],
) -> PgResult<Built> {
    let outer = b.left(plan)?;
    let inner = b.right(plan)?;
    let (join_qual, v1) = b.quals(join_qual)?;
    let snapshot = b.env.host.catalog().clone();
    let mut cols = Vec::new();
    for k in keys {
        let order = facts::order_facts(&snapshot, k.op)?;
        let types = vec![k.outer.ty(), k.inner.ty()];
        cols.push(KeyCol {
            outer: b.code(&k.outer)?,
            inner: b.code(&k.inner)?,
            cmp: crate::expr::cmp_fn(&snapshot, order.cmp, k.collation, types)?,
            desc: k.desc,
            nulls_first: k.nulls_first,
        });
    }
    let (head, v2) = b.head(plan, &mut Layout)?;
    let width = head.width();
    let volatile = outer.volatile | inner.volatile | v1 | v2;
    let prog = Prog {
        outer_nulls: vec![Datum::Null; outer.width],
        inner_nulls: vec![Datum::Null; inner.width],
        outer,
        inner,
        kind,
        join_qual,
        keys: cols.into(),
        head,
    };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let outer = Input::new(&self.outer);
        let inner = Input::new(&self.inner);
        Box::new(MergeJoin { prog: self, outer, inner, opened: false, st: State::default() })
    }
}

#[derive(Default)]
struct State {
    started: bool,
    outer_key: Option<Key>,
    inner_key: Option<Key>,
    /// The inner rows equal to `group_key`.
    group: Vec<StoredRow>,
    group_matched: Vec<bool>,
    group_key: Option<Key>,
    /// The current outer row is joining the group, at this position.
    at: Option<usize>,
    matched: bool,
    /// Group rows still to be emitted unmatched, from this position.
    flush: Option<usize>,
}

struct MergeJoin {
    prog: Arc<Prog>,
    outer: Input,
    inner: Input,
    opened: bool,
    st: State,
}

impl MergeJoin {
    fn advance_outer(&mut self, cx: &mut ExecCx<'_>, max: usize) -> PgResult<()> {
        self.st.matched = false;
        self.st.outer_key = match self.outer.next(cx, max)? {
            false => None,
            true => {
                let rows = Rows::outer(self.outer.row());
                Some(self.prog.keys.iter().map(|k| k.outer.eval(&rows, cx)).collect::<PgResult<Key>>()?)
            }
        };
        Ok(())
    }
    fn advance_inner(&mut self, cx: &mut ExecCx<'_>, max: usize) -> PgResult<()> {
        self.st.inner_key = match self.inner.next(cx, max)? {
            false => None,
            true => {
                let rows = Rows::pair(&[], self.inner.row());
                Some(self.prog.keys.iter().map(|k| k.inner.eval(&rows, cx)).collect::<PgResult<Key>>()?)
            }
        };
        Ok(())
    }
    fn order(&self, cx: &mut ExecCx<'_>, a: &Key, b: &Key) -> PgResult<Ordering> {
        for ((k, x), y) in self.prog.keys.iter().zip(a).zip(b) {
            let o = match (x.is_null(), y.is_null()) {
                // NULLs sort together but never join; the caller checks for them.
                (true, true) => Ordering::Equal,
                (true, false) => {
                    if k.nulls_first {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                (false, true) => {
                    if k.nulls_first {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
                (false, false) => {
                    let o = k.cmp.cmp(cx, x, y)?;
                    if k.desc { o.reverse() } else { o }
                }
            };
            if o != Ordering::Equal {
                return Ok(o);
            }
        }
        Ok(Ordering::Equal)
    }
    fn keeps_inner(&self) -> bool {
        matches!(self.prog.kind, JoinKind::Right | JoinKind::Full | JoinKind::RightAnti)
    }
    fn keeps_outer(&self) -> bool {
        matches!(self.prog.kind, JoinKind::Left | JoinKind::Full | JoinKind::Anti)
    }

    /// Collects the inner rows with the key of the current inner row.
    fn load_group(&mut self, cx: &mut ExecCx<'_>, max: usize) -> PgResult<()> {
        let key = self.st.inner_key.clone();
        self.st.group.clear();
        self.st.group_matched.clear();
        while let (Some(k), Some(have)) = (&key, &self.st.inner_key) {
            if self.order(cx, have, k)? != Ordering::Equal {
                break;
            }
            let row = self.inner.take();
            self.st.group.push(row);
            self.st.group_matched.push(false);
            self.advance_inner(cx, max)?;
        }
        self.st.group_key = key;
        Ok(())
    }

    fn emit_unmatched_outer(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch) -> PgResult<()> {
        if self.keeps_outer() && !self.st.matched {
            self.prog.head.emit(&Rows::pair(self.outer.row(), &self.prog.inner_nulls), cx, out)?;
        }
        Ok(())
    }

    /// Joins the current outer row with the group from `at` on until `out` is full or the group ends.
    fn join_group(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<()> {
        let prog = self.prog.clone();
        let Some(mut at) = self.st.at else { return Ok(()) };
        while at < self.st.group.len() && out.len() < max {
            let i = at;
            at += 1;
            let rows = Rows::pair(self.outer.row(), &self.st.group[i]);
            if prog.kind == JoinKind::RightSemi && self.st.group_matched[i] {
                continue;
            }
            if !prog.join_qual.test(&rows, cx)? {
                cx.run.note(|s| s.join_filtered += 1);
                continue;
            }
            self.st.matched = true;
            self.st.group_matched[i] = true;
            match prog.kind {
                JoinKind::Anti => at = self.st.group.len(),
                JoinKind::RightAnti => {}
                JoinKind::Semi => {
                    prog.head.emit(&rows, cx, out)?;
                    at = self.st.group.len();
                }
                _ => {
                    prog.head.emit(&rows, cx, out)?;
                }
            }
        }
        if at < self.st.group.len() {
            self.st.at = Some(at);
            return Ok(());
        }
        self.st.at = None;
        self.emit_unmatched_outer(cx, out)?;
        self.advance_outer(cx, max)
    }

    /// Emits the group's unmatched rows (right and full joins); the group is dropped at its end.
    fn flush_group(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<()> {
        let prog = self.prog.clone();
        let Some(mut at) = self.st.flush else { return Ok(()) };
        while at < self.st.group.len() && out.len() < max {
            if !self.st.group_matched[at] {
                prog.head.emit(&Rows::pair(&prog.outer_nulls, &self.st.group[at]), cx, out)?;
            }
            at += 1;
        }
        self.st.flush = if at < self.st.group.len() { Some(at) } else { None };
        if self.st.flush.is_none() {
            self.st.group.clear();
            self.st.group_matched.clear();
            self.st.group_key = None;
        }
        Ok(())
    }

    /// One step; false when both sides are exhausted.
    fn step(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        if self.st.flush.is_some() {
            self.flush_group(cx, out, max)?;
            return Ok(true);
        }
        if self.st.at.is_some() {
            self.join_group(cx, out, max)?;
            return Ok(true);
        }
        if self.st.group_key.is_none() && self.st.inner_key.is_some() {
            // An outer side without rows left needs no group unless unmatched inner rows are wanted.
            if self.st.outer_key.is_none() && !self.keeps_inner() {
                return Ok(false);
            }
            self.load_group(cx, max)?;
        }
        match (self.st.outer_key.clone(), self.st.group_key.clone()) {
            (None, None) => Ok(false),
            (None, Some(_)) => {
                if !self.keeps_inner() {
                    return Ok(false);
                }
                self.st.flush = Some(0);
                Ok(true)
            }
            (Some(_), None) => {
                if !self.keeps_outer() {
                    return Ok(false);
                }
                self.emit_unmatched_outer(cx, out)?;
                self.advance_outer(cx, max)?;
                Ok(true)
            }
            (Some(o), Some(g)) => {
                let null = o.iter().any(Datum::is_null) || g.iter().any(Datum::is_null);
                match self.order(cx, &o, &g)? {
                    Ordering::Less => {
                        self.emit_unmatched_outer(cx, out)?;
                        self.advance_outer(cx, max)?;
                    }
                    Ordering::Equal if !null => self.st.at = Some(0),
                    Ordering::Equal => {
                        self.emit_unmatched_outer(cx, out)?;
                        self.advance_outer(cx, max)?;
                    }
                    Ordering::Greater if self.keeps_inner() => self.st.flush = Some(0),
                    Ordering::Greater => self.st.group_key = None,
                }
                Ok(true)
            }
        }
    }
}

impl Node for MergeJoin {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        Ok(())
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.st = State::default();
        if self.opened {
            self.outer.rescan(cx)?;
            self.inner.rescan(cx)?;
        }
        Ok(())
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.head.width());
        if !self.opened {
            self.opened = true;
            self.outer.open(cx)?;
            self.inner.open(cx)?;
        }
        if !self.st.started {
            self.st.started = true;
            self.advance_outer(cx, max)?;
            if self.st.outer_key.is_some() || self.keeps_inner() {
                self.advance_inner(cx, max)?;
            }
        }
        while out.len() < max {
            if !self.step(cx, out, max)? {
                break;
            }
        }
        Ok(!out.is_empty())
    }
}
