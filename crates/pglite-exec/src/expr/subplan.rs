//! SubPlans inside expressions, and init plans behind exec parameters.
//!
//! Invariant: a subplan's node is out of its slot while it runs; outer references are exec parameters set before.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::expr::SubLinkKind;
use pglite_types::array::ArrayValue;
use pglite_types::{Batch, Datum, Oid};
use smallvec::SmallVec;

use super::code::{Code, Rows};
use crate::compare::{EqFn, mix};
use crate::node::Node;
use crate::state::ExecCx;
use crate::store::StoredRow;

pub struct SubPlanCode {
    pub kind: SubLinkKind,
    pub test: Option<Code>,
    pub column_params: Vec<u32>,
    pub plan: u32,
    pub params: Vec<u32>,
    pub args: Box<[Code]>,
    pub set_params: Vec<u32>,
    pub elem_type: Oid,
    pub hash: Option<HashTest>,
}

/// A hashable `(a, b) = ANY (subplan)`: the left operands and each column's equality.
pub struct HashTest {
    pub left: Box<[Code]>,
    pub eq: Box<[EqFn]>,
}

/// The subplan's rows by hash; rows with NULLs apart.
#[derive(Default)]
pub struct HashedSub {
    map: HashMap<u64, SmallVec<[u32; 2]>>,
    rows: Vec<StoredRow>,
    null_rows: Vec<StoredRow>,
}

/// Runs `f` with the subplan's node, started or restarted.
pub fn with_node<R>(
    cx: &mut ExecCx<'_>,
    plan: u32,
    f: impl FnOnce(&mut dyn Node, &mut ExecCx<'_>) -> PgResult<R>,
) -> PgResult<R> {
    let program = cx.run.program.clone().ok_or_else(|| PgError::internal("subplan outside a plan"))?;
    let slot = &mut cx.run.subplans[plan as usize];
    let opened = std::mem::replace(&mut slot.opened, true);
    let taken = slot.node.take();
    let mut node = match (taken, opened) {
        (Some(mut node), true) => {
            node.rescan(cx)?;
            node
        }
        (Some(mut node), false) => {
            node.open(cx)?;
            node
        }
        (None, _) => {
            let mut node = crate::node::make(&program.subplans[plan as usize].prog, cx.run.instrument);
            node.open(cx)?;
            node
        }
    };
    let result = f(node.as_mut(), cx);
    cx.run.subplans[plan as usize].node = Some(node);
    result
}

/// The value of an exec parameter; computes it when an init plan is behind it.
pub fn exec_param(id: u32, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    let Some(slot) = cx.run.exec.get(id as usize) else {
        return Err(PgError::internal(format!("exec parameter {id} does not exist")));
    };
    if let Some(init) = slot.pending {
        run_init_plan(init, cx)?;
    }
    Ok(cx.run.exec[id as usize].value.clone())
}

fn run_init_plan(init: u32, cx: &mut ExecCx<'_>) -> PgResult<()> {
    let program = cx.run.program.clone().ok_or_else(|| PgError::internal("init plan outside a plan"))?;
    let plan = &program.init_plans[init as usize];
    let elem = program.subplans[plan.plan as usize].first_type;
    set_from_plan(plan.kind, plan.plan, &plan.set_params, elem, cx)
}

/// Runs a subplan and stores its result in exec parameters.
fn set_from_plan(kind: SubLinkKind, plan: u32, set: &[u32], elem: Oid, cx: &mut ExecCx<'_>) -> PgResult<()> {
    let values: Vec<Datum> = match kind {
        SubLinkKind::Exists => vec![Datum::Bool(exists(plan, cx)?)],
        SubLinkKind::Array => vec![array_of(plan, elem, cx)?],
        _ => match single_row(plan, cx)? {
            Some(row) => row.into_vec(),
            None => vec![Datum::Null; set.len()],
        },
    };
    for (id, value) in set.iter().zip(values) {
        cx.run.set_param(*id as usize, value);
    }
    Ok(())
}

fn exists(plan: u32, cx: &mut ExecCx<'_>) -> PgResult<bool> {
    with_node(cx, plan, |node, cx| node.next_batch(cx, &mut Batch::default(), 1))
}

fn single_row(plan: u32, cx: &mut ExecCx<'_>) -> PgResult<Option<StoredRow>> {
    with_node(cx, plan, |node, cx| {
        let mut batch = Batch::default();
        let mut found: Option<StoredRow> = None;
        while node.next_batch(cx, &mut batch, 1)? {
            if found.is_some() {
                bail!(
                    CARDINALITY_VIOLATION,
                    "more than one row returned by a subquery used as an expression"
                );
            }
            found = Some(batch.take_row(0).collect());
        }
        Ok(found)
    })
}

fn array_of(plan: u32, elem_type: Oid, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
    let values = with_node(cx, plan, |node, cx| {
        let mut batch = Batch::default();
        let mut values = Vec::new();
        while node.next_batch(cx, &mut batch, pglite_types::BATCH_ROWS)? {
            values.extend((0..batch.len()).map(|i| std::mem::take(&mut batch.row_mut(i)[0])));
        }
        Ok(values)
    })?;
    // The subquery's own values may be arrays: one more dimension then.
    let inner = values.iter().find_map(|v| match v {
        Datum::Array(a) => Some(a.elem_type),
        _ => None,
    });
    match inner {
        Some(inner) => super::array::nest(inner, values),
        None => Ok(Datum::Array(Arc::new(ArrayValue::one_dim(elem_type, values)))),
    }
}

impl SubPlanCode {
    pub fn is_bool(&self) -> bool {
        matches!(
            self.kind,
            SubLinkKind::Exists | SubLinkKind::Any | SubLinkKind::All | SubLinkKind::RowCompare
        )
    }

    fn set_args(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<()> {
        for (id, code) in self.params.iter().zip(&self.args) {
            let value = code.eval(rows, cx)?;
            cx.run.set_param(*id as usize, value);
        }
        Ok(())
    }

    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        match self.kind {
            SubLinkKind::Expr => {
                self.set_args(rows, cx)?;
                Ok(single_row(self.plan, cx)?.and_then(|r| r.into_iter().next()).unwrap_or_default())
            }
            SubLinkKind::Array => {
                self.set_args(rows, cx)?;
                array_of(self.plan, self.elem_type, cx)
            }
            SubLinkKind::MultiExpr => {
                self.set_args(rows, cx)?;
                set_from_plan(self.kind, self.plan, &self.set_params, self.elem_type, cx)?;
                Ok(Datum::Null)
            }
            SubLinkKind::Cte => Err(PgError::internal("CTE subplan used as a value")),
            _ => Ok(self.test(rows, cx)?.map_or(Datum::Null, Datum::Bool)),
        }
    }

    pub fn test(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Option<bool>> {
        self.set_args(rows, cx)?;
        if self.kind == SubLinkKind::Exists {
            return Ok(Some(exists(self.plan, cx)?));
        }
        if let Some(hash) = &self.hash {
            return self.test_hashed(hash, rows, cx);
        }
        let test = self.test.as_ref().ok_or_else(|| PgError::internal("ANY subplan without a test"))?;
        if self.kind == SubLinkKind::RowCompare {
            let row = single_row(self.plan, cx)?;
            let Some(row) = row else { return Ok(None) };
            self.set_columns(&row, cx);
            return test.test(rows, cx);
        }
        let any = self.kind == SubLinkKind::Any;
        with_node(cx, self.plan, |node, cx| {
            let mut batch = Batch::default();
            let mut null = false;
            while node.next_batch(cx, &mut batch, 1)? {
                self.set_columns(batch.row(0), cx);
                match test.test(rows, cx)? {
                    Some(b) if b == any => return Ok(Some(any)),
                    Some(_) => {}
                    None => null = true,
                }
            }
            Ok(if null { None } else { Some(!any) })
        })
    }

    fn set_columns(&self, row: &[Datum], cx: &mut ExecCx<'_>) {
        for (id, v) in self.column_params.iter().zip(row) {
            cx.run.set_param(*id as usize, v.clone());
        }
    }

    fn test_hashed(&self, hash: &HashTest, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Option<bool>> {
        let table = self.hash_table(hash, cx)?;
        let result = self.probe(hash, &table, rows, cx);
        cx.run.subplans[self.plan as usize].hash = Some(table);
        result
    }

    fn probe(
        &self,
        hash: &HashTest,
        table: &HashedSub,
        rows: &Rows<'_>,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<Option<bool>> {
        if table.rows.is_empty() && table.null_rows.is_empty() {
            return Ok(Some(false));
        }
        let mut key: SmallVec<[Datum; 4]> = SmallVec::new();
        for code in &hash.left {
            key.push(code.eval(rows, cx)?);
        }
        if !key.iter().any(Datum::is_null) {
            if let Some(chain) = table.map.get(&hash_key(hash, &key)) {
                for i in chain {
                    if matches(hash, &key, &table.rows[*i as usize], cx)? == Some(true) {
                        return Ok(Some(true));
                    }
                }
            }
            return could_match(hash, &key, &table.null_rows, cx);
        }
        if key.iter().all(Datum::is_null) {
            return Ok(None);
        }
        match could_match(hash, &key, &table.null_rows, cx)? {
            None => Ok(None),
            _ => could_match(hash, &key, &table.rows, cx),
        }
    }

    fn hash_table(&self, hash: &HashTest, cx: &mut ExecCx<'_>) -> PgResult<Box<HashedSub>> {
        let program = cx.run.program.clone().ok_or_else(|| PgError::internal("subplan outside a plan"))?;
        let newest = cx.run.newest(&program.subplans[self.plan as usize].deps);
        let slot = &mut cx.run.subplans[self.plan as usize];
        if let Some(table) = slot.hash.take() {
            if slot.seen >= newest {
                return Ok(table);
            }
            let rows = table.rows.iter().chain(&table.null_rows);
            let held = rows.map(|r| crate::store::row_bytes(r) + 24).sum();
            cx.run.release(held);
        }
        let table = with_node(cx, self.plan, |node, cx| {
            let mut table = Box::<HashedSub>::default();
            let mut batch = Batch::default();
            while node.next_batch(cx, &mut batch, pglite_types::BATCH_ROWS)? {
                for i in 0..batch.len() {
                    let row: StoredRow = batch.take_row(i).take(hash.eq.len()).collect();
                    cx.run.charge(crate::store::row_bytes(&row) + 24)?;
                    if row.iter().any(Datum::is_null) {
                        table.null_rows.push(row);
                        continue;
                    }
                    let at = table.rows.len() as u32;
                    table.map.entry(hash_key(hash, &row)).or_default().push(at);
                    table.rows.push(row);
                }
            }
            Ok(table)
        })?;
        cx.run.subplans[self.plan as usize].seen = cx.run.stamp;
        Ok(table)
    }
}

fn hash_key(hash: &HashTest, row: &[Datum]) -> u64 {
    hash.eq.iter().zip(row).fold(0, |h, (eq, v)| mix(h.rotate_left(5) ^ eq.hash(v)))
}

/// Three-valued row equality.
fn matches(hash: &HashTest, key: &[Datum], row: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<Option<bool>> {
    let mut null = false;
    for ((eq, a), b) in hash.eq.iter().zip(key).zip(row) {
        if a.is_null() || b.is_null() {
            null = true;
        } else if !eq.eq(cx, a, b)? {
            return Ok(Some(false));
        }
    }
    Ok(if null { None } else { Some(true) })
}

/// NULL when some row might equal the key were its NULLs known; else false.
fn could_match(
    hash: &HashTest,
    key: &[Datum],
    rows: &[StoredRow],
    cx: &mut ExecCx<'_>,
) -> PgResult<Option<bool>> {
    for row in rows {
        if matches(hash, key, row, cx)? != Some(false) {
            return Ok(None);
        }
    }
    Ok(Some(false))
}
