//! From index conditions to key ranges.
//!
//! Equalities on leading columns fix a prefix; the first column without one may have bounds; the rest is re-checked.
//! `= ANY (array)` multiplies ranges, one for each distinct element in key order.

use std::collections::VecDeque;

use pglite_catalog::{IndexDesc, well_known};
use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_ir::plan::IndexQual;
use pglite_txn::IndexRef;
use pglite_txn::am::KeyRange;
use pglite_types::storage::PhysKind;
use pglite_types::{Datum, oid};

use crate::compare::fast_cmp;
use crate::expr::{Code, Compiler, Rows};
use crate::node::Builder;
use crate::state::ExecCx;

/// btree strategies.
const LT: i16 = 1;
const LE: i16 = 2;
const EQ: i16 = 3;
const GE: i16 = 4;
const GT: i16 = 5;

enum Test {
    Op(i16, Code),
    Any(Code),
    IsNull,
}

/// One condition on one index column (0-based).
pub struct Condition {
    column: usize,
    test: Test,
    /// The range may hold rows that do not satisfy the condition.
    pub lossy: bool,
}

fn column_of(q: &IndexQual) -> usize {
    match q {
        IndexQual::Op { column, .. }
        | IndexQual::Array { column, .. }
        | IndexQual::NullTest { column, .. }
        | IndexQual::OrderBy { column, .. } => *column as usize - 1,
        IndexQual::Row { columns, .. } => columns.first().map_or(0, |c| *c as usize - 1),
    }
}

fn fixes(q: &IndexQual, hash: bool) -> bool {
    match q {
        IndexQual::Op { strategy, .. } => hash || *strategy == EQ,
        IndexQual::Array { strategy, .. } => hash || *strategy == EQ,
        IndexQual::NullTest { is_null, .. } => *is_null,
        _ => false,
    }
}

/// Which conditions take part in the ranges.
pub fn usable(index: &IndexDesc, quals: &[IndexQual]) -> Vec<usize> {
    let hash = index.am == well_known::AM_HASH;
    let mut used = Vec::new();
    for column in 0..index.nkeys {
        let here = |i: &usize| column_of(&quals[*i]) == column;
        if let Some(i) = (0..quals.len()).filter(here).find(|i| fixes(&quals[*i], hash)) {
            used.push(i);
            continue;
        }
        for i in (0..quals.len()).filter(here) {
            match &quals[i] {
                IndexQual::Op { strategy, .. } | IndexQual::Row { strategy, .. }
                    if (LT..=GT).contains(strategy) =>
                {
                    used.push(i);
                }
                _ => {}
            }
        }
        break;
    }
    used
}

impl Condition {
    /// The condition and its form over the table's row.
    pub fn compile(b: &mut Builder<'_>, index: &IndexDesc, q: &IndexQual) -> PgResult<(Condition, Expr)> {
        let hash = index.am == well_known::AM_HASH;
        let column = column_of(q);
        let mut map = crate::expr::Layout;
        let mut c = Compiler::new(b.env, &mut map);
        let (test, lossy, original) = match q {
            IndexQual::Op { strategy, value, original, .. } => {
                let strategy = if hash { EQ } else { *strategy };
                (Test::Op(strategy, c.compile(value)?), !(LT..=GT).contains(&strategy), original)
            }
            IndexQual::Array { array, original, .. } => (Test::Any(c.compile(array)?), false, original),
            IndexQual::NullTest { original, .. } => (Test::IsNull, false, original),
            IndexQual::Row { strategy, values, original, .. } => {
                let first =
                    values.first().ok_or_else(|| PgError::internal("row comparison without values"))?;
                // Only the first column bounds the range; its boundary value belongs to it.
                let strategy = match *strategy {
                    LT | LE => LE,
                    _ => GE,
                };
                (Test::Op(strategy, c.compile(first)?), true, original)
            }
            IndexQual::OrderBy { .. } => {
                return Err(PgError::unsupported("ordering by an index operator is not supported"));
            }
        };
        Ok((Condition { column, test, lossy }, original.clone()))
    }
}

/// The value as the index column stores it. `Err(true)`: past every value of the column; `Err(false)`: before.
pub(crate) enum Fit {
    Exact(Datum),
    /// No such value: everything in the column is smaller (true) or greater (false).
    Outside(bool),
    /// Between two values: the next smaller and the next greater are unknown; the bound is left open.
    Open,
}

pub(crate) fn fit(kind: PhysKind, value: Datum) -> Fit {
    match (kind, &value) {
        (PhysKind::Int2 | PhysKind::Int4 | PhysKind::Int8, _) => {
            let Some(v) = crate::compare::as_int(&value) else { return Fit::Open };
            match kind {
                PhysKind::Int2 => {
                    i16::try_from(v).map_or(Fit::Outside(v > 0), |v| Fit::Exact(Datum::Int2(v)))
                }
                PhysKind::Int4 => {
                    i32::try_from(v).map_or(Fit::Outside(v > 0), |v| Fit::Exact(Datum::Int4(v)))
                }
                _ => Fit::Exact(Datum::Int8(v)),
            }
        }
        (PhysKind::Float8, Datum::Float4(v)) => Fit::Exact(Datum::Float8(*v as f64)),
        (PhysKind::Float4, Datum::Float8(v)) => {
            if (*v as f32) as f64 == *v || v.is_nan() {
                Fit::Exact(Datum::Float4(*v as f32))
            } else {
                Fit::Open
            }
        }
        (PhysKind::Date, Datum::Date(_)) | (PhysKind::Timestamp, Datum::Timestamp(_)) => Fit::Exact(value),
        (PhysKind::Date, _) | (PhysKind::Timestamp, _) => Fit::Open,
        _ => Fit::Exact(value),
    }
}

type Bound = Option<(Datum, bool)>;

struct Column {
    lower: Bound,
    upper: Bound,
}

fn tighten(bound: &mut Bound, value: Datum, inclusive: bool, lower: bool) {
    let replace = match bound {
        None => true,
        Some((old, old_inc)) => match fast_cmp(&value, old) {
            std::cmp::Ordering::Equal => *old_inc && !inclusive,
            o => (o == std::cmp::Ordering::Greater) == lower,
        },
    };
    if replace {
        *bound = Some((value, inclusive));
    }
}

/// Appends the ranges of the conditions, in key order. No range: nothing can match.
pub fn build(
    conditions: &[Condition],
    index: &IndexRef,
    cx: &mut ExecCx<'_>,
    out: &mut VecDeque<KeyRange>,
) -> PgResult<()> {
    // Choices per leading column, one value each (a NULL means IS NULL).
    let mut prefix: Vec<Vec<Datum>> = Vec::new();
    let mut last = Column { lower: None, upper: None };
    for c in conditions {
        let kind = index.columns[c.column].kind;
        match &c.test {
            Test::IsNull => prefix.push(vec![Datum::Null]),
            Test::Op(strategy, code) => {
                let value = code.eval(&Rows::default(), cx)?;
                if value.is_null() {
                    return Ok(());
                }
                if !bound(*strategy, fit(kind, value), &mut prefix, &mut last) {
                    return Ok(());
                }
            }
            Test::Any(code) => {
                let Datum::Array(array) = code.eval(&Rows::default(), cx)? else { return Ok(()) };
                let mut values: Vec<Datum> = array
                    .values
                    .iter()
                    .filter(|v| !v.is_null())
                    .filter_map(|v| match fit(kind, v.clone()) {
                        Fit::Exact(v) => Some(v),
                        _ => None,
                    })
                    .collect();
                let bpchar = index.columns[c.column].type_oid == oid::BPCHAR;
                values.sort_by(|a, b| match (a, b) {
                    (Datum::Text(a), Datum::Text(b)) if bpchar => pglite_types::compare::cmp_bpchar(a, b),
                    _ => fast_cmp(a, b),
                });
                if index.columns[c.column].order.desc {
                    values.reverse();
                }
                super::dedup(&mut values);
                if values.is_empty() {
                    return Ok(());
                }
                prefix.push(values);
            }
        }
    }
    let mut at = vec![0usize; prefix.len()];
    loop {
        let equal: Vec<Datum> = prefix.iter().zip(&at).map(|(choices, i)| choices[*i].clone()).collect();
        let lower = last.lower.as_ref().map(|(v, i)| (v, *i));
        let upper = last.upper.as_ref().map(|(v, i)| (v, *i));
        out.push_back(index.range(&equal, lower, upper)?);
        // The next combination, the last column turning fastest.
        let mut i = at.len();
        loop {
            if i == 0 {
                return Ok(());
            }
            i -= 1;
            at[i] += 1;
            if at[i] < prefix[i].len() {
                break;
            }
            at[i] = 0;
        }
    }
}

/// Applies one comparison; false when nothing can satisfy it.
fn bound(strategy: i16, value: Fit, prefix: &mut Vec<Vec<Datum>>, last: &mut Column) -> bool {
    match (strategy, value) {
        (EQ, Fit::Exact(v)) => prefix.push(vec![v]),
        (EQ, _) => return false,
        (LT | LE, Fit::Exact(v)) => tighten(&mut last.upper, v, strategy == LE, false),
        (GE | GT, Fit::Exact(v)) => tighten(&mut last.lower, v, strategy == GE, true),
        (LT | LE, Fit::Outside(above)) => return above,
        (GE | GT, Fit::Outside(above)) => return !above,
        _ => {}
    }
    true
}
