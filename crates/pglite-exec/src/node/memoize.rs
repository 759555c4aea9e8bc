//! Memoize: the child's rows per value of its parameters, kept over rescans.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_error::PgResult;
use pglite_ir::expr::Expr;
use pglite_ir::plan::Plan;
use pglite_types::{Batch, Datum};

use super::{BoxNode, Builder, Built, Input, MakeNode, Node};
use crate::compare::{hash_datum, mix};
use crate::expr::{Code, Rows};
use crate::state::ExecCx;
use crate::store::{StoredRow, row_bytes};

struct Prog {
    child: Built,
    keys: Box<[Code]>,
    /// Parameters that are no keys: when they change the cache is void.
    deps: Box<[u32]>,
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, keys: &[Expr]) -> PgResult<Built> {
    let child = b.left(plan)?;
    let own: Vec<u32> = keys.iter().flat_map(|k| crate::prepared::expr_params(k, b.stmt)).collect();
    let deps = b.deps(plan).iter().copied().filter(|p| !own.contains(p)).collect();
    let keys = b.codes(keys)?;
    let (width, volatile) = (child.width, child.volatile);
    Ok(Built { prog: Arc::new(Prog { child, keys, deps }), width, volatile })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        Box::new(Memoize {
            prog: self,
            input,
            opened: false,
            cache: HashMap::new(),
            current: Arc::default(),
            at: 0,
            ready: false,
            seen: 0,
            bytes: 0,
        })
    }
}

type Rowset = Arc<Vec<StoredRow>>;

struct Memoize {
    prog: Arc<Prog>,
    input: Input,
    opened: bool,
    cache: HashMap<u64, Vec<(Vec<Datum>, Rowset)>>,
    current: Rowset,
    at: usize,
    ready: bool,
    seen: u64,
    bytes: usize,
}

/// The cache is emptied when it grows past this.
const MAX_BYTES: usize = 64 << 20;

impl Memoize {
    fn load(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.ready = true;
        self.at = 0;
        if cx.run.newest(&self.prog.deps) > self.seen || cx.run.recheck.is_some() || self.bytes > MAX_BYTES {
            let dropped = self.cache.values().map(|c| c.len() as u64).sum::<u64>();
            cx.run.note(|s| s.cache().2 += dropped);
            self.cache.clear();
            cx.run.release(std::mem::take(&mut self.bytes));
        }
        let mut key = Vec::with_capacity(self.prog.keys.len());
        let mut hash = 0u64;
        for code in &self.prog.keys {
            let v = code.eval(&Rows::default(), cx)?;
            hash = mix(hash.rotate_left(5) ^ hash_datum(&v));
            key.push(v);
        }
        // Identical values, not merely equal ones: the rows may show the difference.
        let same = |k: &[Datum]| k.iter().zip(&key).all(|(a, b)| identical(a, b));
        if let Some((_, rows)) = self.cache.get(&hash).and_then(|c| c.iter().find(|(k, _)| same(k))) {
            self.current = rows.clone();
            cx.run.note(|s| s.cache().0 += 1);
            return Ok(());
        }
        if self.opened {
            self.input.rescan(cx)?;
        } else {
            self.opened = true;
            self.input.open(cx)?;
        }
        let mut rows = Vec::new();
        while self.input.next(cx, usize::MAX)? {
            let row = self.input.take();
            let bytes = row_bytes(&row);
            self.bytes += bytes;
            cx.run.charge(bytes)?;
            rows.push(row);
        }
        self.seen = cx.run.stamp;
        let held = self.bytes;
        cx.run.note(|s| {
            let c = s.cache();
            c.1 += 1;
            c.3 = held.max(c.3);
        });
        self.current = Arc::new(rows);
        self.cache.entry(hash).or_default().push((key, self.current.clone()));
        Ok(())
    }
}

fn identical(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Null, _) | (_, Datum::Null) => false,
        (Datum::Numeric(_), Datum::Numeric(_)) | (Datum::Float8(_), Datum::Float8(_)) => {
            format!("{a:?}") == format!("{b:?}")
        }
        _ => crate::compare::fast_eq(a, b),
    }
}

impl Node for Memoize {
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
            self.load(cx)?;
        }
        while out.len() < max && self.at < self.current.len() {
            out.push_slice(&self.current[self.at]);
            self.at += 1;
        }
        Ok(!out.is_empty())
    }
}
