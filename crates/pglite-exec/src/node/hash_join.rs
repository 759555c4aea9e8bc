//! Hash Join: the right child's rows by hash, probed with the left child's. All join kinds.
//!
//! Invariant: a key with a NULL in a strict comparison never matches; such rows are kept only where the join kind
//! emits unmatched ones. Chains run from the newest row to the oldest, as PostgreSQL's do.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::{HashKey, Plan};
use pglite_ir::query::JoinKind;
use pglite_types::{Batch, Datum};
use smallvec::SmallVec;

use super::{BoxNode, Builder, Built, Head, Input, MakeNode, Node};
use crate::compare::{EqFn, mix};
use crate::expr::{Code, Layout, Qual, Rows};
use crate::facts;
use crate::instrument::Detail;
use crate::state::ExecCx;
use crate::store::{StoredRow, row_bytes};

const NONE: u32 = u32::MAX;

struct Prog {
    outer: Built,
    inner: Built,
    kind: JoinKind,
    join_qual: Qual,
    outer_keys: Box<[Code]>,
    inner_keys: Box<[Code]>,
    /// Inner keys that are plain columns: compared in place instead of being copied.
    eq: Box<[EqFn]>,
    single: bool,
    head: Head,
    outer_nulls: Vec<Datum>,
    inner_nulls: Vec<Datum>,
    inner_deps: Box<[u32]>,
    /// Buckets for the rows that the planner expects.
    planned: usize,
}

pub fn build(
    b: &mut Builder<'_>,
    plan: &Plan,
    kind: JoinKind,
    join_qual: &[Expr],
    keys: &[HashKey],
    inner_unique: bool,
) -> PgResult<Built> {
    let outer = b.left(plan)?;
    let inner = b.right(plan)?;
    let (join_qual, v1) = b.quals(join_qual)?;
    let snapshot = b.env.host.catalog().clone();
    let (mut outer_keys, mut inner_keys, mut eq) = (Vec::new(), Vec::new(), Vec::new());
    for k in keys {
        outer_keys.push(b.code(&k.outer)?);
        inner_keys.push(b.code(&as_outer(&k.inner))?);
        let func = facts::op_func(&snapshot, k.op)?;
        eq.push(crate::expr::eq_fn(&snapshot, func, k.collation, k.outer.ty())?);
    }
    let (head, v2) = b.head(plan, &mut Layout)?;
    let width = head.width();
    let volatile = outer.volatile | inner.volatile | v1 | v2;
    let rows = plan.right.as_ref().map_or(0.0, |p| p.cost.rows);
    let planned = (rows.clamp(0.0, (1u64 << 30) as f64) as usize).next_power_of_two();
    let inner_deps = plan.right.as_ref().map(|p| b.deps(p)).unwrap_or_default();
    let prog = Prog {
        outer_nulls: vec![Datum::Null; outer.width],
        inner_nulls: vec![Datum::Null; inner.width],
        outer,
        inner,
        kind,
        join_qual,
        outer_keys: outer_keys.into(),
        inner_keys: inner_keys.into(),
        eq: eq.into(),
        single: inner_unique || kind == JoinKind::Semi,
        head,
        inner_deps,
        planned,
    };
    Ok(Built { prog: Arc::new(prog), width, volatile })
}

/// Bytes of a row as PostgreSQL's hash table holds it: overhead, header, aligned values.
fn tuple_bytes(row: &[Datum]) -> usize {
    let nulls = if row.iter().any(Datum::is_null) { row.len().div_ceil(8) } else { 0 };
    let mut at = (15 + nulls).next_multiple_of(8);
    for value in row {
        at = match value {
            Datum::Null => at,
            Datum::Bool(_) | Datum::Char(_) => at + 1,
            Datum::Int2(_) => at.next_multiple_of(2) + 2,
            Datum::Int4(_) | Datum::Date(_) | Datum::Oid(_) | Datum::Float4(_) => at.next_multiple_of(4) + 4,
            Datum::Text(s) if s.len() < 127 => at + 1 + s.len(),
            other => at.next_multiple_of(8) + (row_bytes(std::slice::from_ref(other)) - 32).max(8),
        };
    }
    16 + at.next_multiple_of(8)
}

/// The inner key over the inner row alone: INNER_VAR read as slot 0.
fn as_outer(expr: &Expr) -> Expr {
    let mut e = expr.clone();
    fn walk(e: &mut Expr) {
        if let Expr::Var(v) = e
            && v.rte == pglite_ir::expr::INNER_VAR
        {
            v.rte = pglite_ir::expr::OUTER_VAR;
        }
        let _ = pglite_ir::walk::each_child_mut::<()>(e, &mut |c| {
            walk(c);
            Ok(())
        });
    }
    walk(&mut e);
    e
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let outer = Input::new(&self.outer);
        let inner = Input::new(&self.inner);
        Box::new(HashJoin {
            prog: self,
            outer,
            inner,
            opened: false,
            built: false,
            seen: 0,
            bytes: 0,
            table: Table::default(),
            active: false,
            matched: false,
            next: NONE,
            key: SmallVec::new(),
            hash: 0,
            sweep: 0,
            outer_done: false,
        })
    }
}

#[derive(Default)]
struct Table {
    rows: Vec<StoredRow>,
    keys: Vec<SmallVec<[Datum; 1]>>,
    hashes: Vec<u64>,
    /// Chain links, parallel to `rows`.
    next: Vec<u32>,
    buckets: Vec<u32>,
    /// Right, full, right semi/anti: rows that found a partner.
    matched: Vec<bool>,
}

impl Table {
    fn push(&mut self, row: StoredRow, key: SmallVec<[Datum; 1]>, hash: Option<u64>) {
        let at = self.rows.len() as u32;
        self.rows.push(row);
        self.keys.push(key);
        self.matched.push(false);
        let Some(hash) = hash else {
            self.hashes.push(0);
            self.next.push(NONE);
            return;
        };
        self.hashes.push(hash);
        self.next.push(NONE);
        if self.buckets.is_empty() || self.rows.len() > self.buckets.len() {
            self.grow(at);
        }
        let b = (hash & (self.buckets.len() as u64 - 1)) as usize;
        self.next[at as usize] = self.buckets[b];
        self.buckets[b] = at;
    }

    /// Doubles the buckets and relinks the rows before `upto` in order, so that newer rows stay in front.
    fn grow(&mut self, upto: u32) {
        let size = (self.buckets.len() * 2).max(1024);
        self.buckets = vec![NONE; size];
        for i in 0..upto as usize {
            if self.hashes[i] == 0 && self.keys[i].iter().any(Datum::is_null) {
                continue;
            }
            let b = (self.hashes[i] & (size as u64 - 1)) as usize;
            self.next[i] = self.buckets[b];
            self.buckets[b] = i as u32;
        }
    }

    fn head(&self, hash: u64) -> u32 {
        if self.buckets.is_empty() {
            NONE
        } else {
            self.buckets[(hash & (self.buckets.len() as u64 - 1)) as usize]
        }
    }
}

struct HashJoin {
    prog: Arc<Prog>,
    outer: Input,
    inner: Input,
    opened: bool,
    built: bool,
    seen: u64,
    bytes: usize,
    table: Table,
    active: bool,
    matched: bool,
    next: u32,
    key: SmallVec<[Datum; 1]>,
    hash: u64,
    sweep: usize,
    outer_done: bool,
}

/// Evaluates keys into `key`; None when one is NULL.
fn eval_key(
    codes: &[Code],
    eq: &[EqFn],
    row: &[Datum],
    key: &mut SmallVec<[Datum; 1]>,
    cx: &mut ExecCx<'_>,
) -> PgResult<Option<u64>> {
    key.clear();
    let mut hash = 0u64;
    let mut null = false;
    for (code, eq) in codes.iter().zip(eq) {
        let v = code.eval(&Rows::outer(row), cx)?;
        null |= v.is_null();
        hash = mix(hash.rotate_left(5) ^ eq.hash(&v));
        key.push(v);
    }
    Ok(if null { None } else { Some(hash) })
}

impl HashJoin {
    fn keeps_inner(&self) -> bool {
        matches!(self.prog.kind, JoinKind::Right | JoinKind::Full | JoinKind::RightAnti)
    }
    fn keeps_outer(&self) -> bool {
        matches!(self.prog.kind, JoinKind::Left | JoinKind::Full | JoinKind::Anti)
    }

    fn build_table(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let prog = self.prog.clone();
        let keep_nulls = self.keeps_inner();
        self.table = Table::default();
        cx.run.release(std::mem::take(&mut self.bytes));
        while self.inner.next_chunk(cx)? {
            for i in 0..self.inner.chunk().len() {
                let mut key = SmallVec::new();
                let hash = eval_key(&prog.inner_keys, &prog.eq, self.inner.chunk().row(i), &mut key, cx)?;
                if hash.is_none() && !keep_nulls {
                    continue;
                }
                let row: StoredRow = self.inner.chunk().take_row(i).collect();
                let bytes = row_bytes(&row) + 64;
                self.bytes += bytes;
                cx.run.charge(bytes)?;
                self.table.push(row, key, hash);
            }
        }
        self.built = true;
        self.seen = cx.run.stamp;
        if cx.run.instrument {
            let planned = prog.planned.max(1024);
            let buckets = planned.max(self.table.rows.len().next_power_of_two());
            let bytes = self.table.rows.iter().map(|r| tuple_bytes(r)).sum::<usize>() + 8 * buckets;
            cx.run.note(|s| s.detail = Detail::Hash { planned, buckets, bytes });
        }
        Ok(())
    }

    /// The next inner row whose key equals the current outer key.
    fn next_match(&mut self, cx: &mut ExecCx<'_>) -> PgResult<Option<usize>> {
        while self.next != NONE {
            let i = self.next as usize;
            self.next = self.table.next[i];
            if self.table.hashes[i] != self.hash {
                continue;
            }
            let mut equal = true;
            for ((eq, a), b) in self.prog.eq.iter().zip(&self.key).zip(&self.table.keys[i]) {
                if !eq.eq(cx, a, b)? {
                    equal = false;
                    break;
                }
            }
            if equal {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    /// One step of the probe phase; false when the outer side is exhausted.
    fn probe(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        let prog = self.prog.clone();
        if !self.active {
            if !self.outer.next(cx, max)? {
                return Ok(false);
            }
            self.matched = false;
            self.active = true;
            let hash = eval_key(&prog.outer_keys, &prog.eq, self.outer.row(), &mut self.key, cx)?;
            self.hash = hash.unwrap_or(0);
            self.next = if hash.is_some() { self.table.head(self.hash) } else { NONE };
        }
        let Some(i) = self.next_match(cx)? else {
            self.active = false;
            if !self.matched && self.keeps_outer() {
                prog.head.emit(&Rows::pair(self.outer.row(), &prog.inner_nulls), cx, out)?;
            }
            return Ok(true);
        };
        if prog.kind == JoinKind::RightSemi && self.table.matched[i] {
            return Ok(true);
        }
        let rows = Rows::pair(self.outer.row(), &self.table.rows[i]);
        if !prog.join_qual.test(&rows, cx)? {
            cx.run.note(|s| s.join_filtered += 1);
            return Ok(true);
        }
        self.matched = true;
        self.table.matched[i] = true;
        match prog.kind {
            JoinKind::Anti => self.active = false,
            JoinKind::RightAnti => {}
            _ => {
                prog.head.emit(&rows, cx, out)?;
                if prog.single {
                    self.active = false;
                }
            }
        }
        Ok(true)
    }
}

impl Node for HashJoin {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        Ok(())
    }
    fn rescan(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.active = false;
        self.outer_done = false;
        self.sweep = 0;
        if !self.opened {
            return Ok(());
        }
        if !self.built || cx.run.recheck.is_some() || cx.run.newest(&self.prog.inner_deps) > self.seen {
            self.built = false;
            self.inner.rescan(cx)?;
        } else {
            self.table.matched.fill(false);
        }
        self.outer.rescan(cx)
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.head.width());
        if !self.opened {
            self.opened = true;
            self.outer.open(cx)?;
            self.inner.open(cx)?;
        }
        if !self.built {
            self.build_table(cx)?;
        }
        // An empty inner side yields nothing: the outer side need not run.
        if self.table.rows.is_empty() && !self.keeps_outer() {
            return Ok(false);
        }
        while out.len() < max && !self.outer_done {
            if !self.probe(cx, out, max)? {
                self.outer_done = true;
            }
        }
        let prog = self.prog.clone();
        if self.outer_done && self.keeps_inner() {
            while out.len() < max && self.sweep < self.table.rows.len() {
                let i = self.sweep;
                self.sweep += 1;
                if !self.table.matched[i] {
                    prog.head.emit(&Rows::pair(&prog.outer_nulls, &self.table.rows[i]), cx, out)?;
                }
            }
        }
        Ok(!out.is_empty())
    }
}
