//! The standard window functions, and the view of the partition that other window function bodies get.

use std::any::Any;

use pglite_error::{PgResult, bail};
use pglite_ir::abi::WindowAccess;
use pglite_types::Datum;

use super::Partition;
use crate::expr::{Code, Rows};
use crate::state::ExecCx;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
}

impl Builtin {
    pub fn by_name(prosrc: &str) -> Option<Builtin> {
        Some(match prosrc {
            "window_row_number" => Builtin::RowNumber,
            "window_rank" => Builtin::Rank,
            "window_dense_rank" => Builtin::DenseRank,
            "window_percent_rank" => Builtin::PercentRank,
            "window_cume_dist" => Builtin::CumeDist,
            "window_ntile" => Builtin::Ntile,
            "window_lag" | "window_lag_with_offset" | "window_lag_with_offset_and_default" => Builtin::Lag,
            "window_lead" | "window_lead_with_offset" | "window_lead_with_offset_and_default" => {
                Builtin::Lead
            }
            "window_first_value" => Builtin::FirstValue,
            "window_last_value" => Builtin::LastValue,
            "window_nth_value" => Builtin::NthValue,
            _ => return None,
        })
    }

    pub fn eval(self, args: &[Code], p: &Partition<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let n = p.rows.len();
        let at = |arg: usize, row: usize, cx: &mut ExecCx<'_>| args[arg].eval(&Rows::outer(&p.rows[row]), cx);
        Ok(match self {
            Builtin::RowNumber => Datum::Int8(p.current as i64 + 1),
            Builtin::Rank => Datum::Int8(p.peers[p.current].0 as i64 + 1),
            Builtin::DenseRank => Datum::Int8(groups_before(p) + 1),
            Builtin::PercentRank if n <= 1 => Datum::Float8(0.0),
            Builtin::PercentRank => Datum::Float8(p.peers[p.current].0 as f64 / (n - 1) as f64),
            Builtin::CumeDist => Datum::Float8(p.peers[p.current].1 as f64 / n as f64),
            Builtin::Ntile => match at(0, 0, cx)? {
                Datum::Int4(b) if b <= 0 => {
                    bail!(INVALID_ARGUMENT_FOR_NTILE, "argument of ntile must be greater than zero")
                }
                Datum::Int4(b) => Datum::Int4(ntile(p.current as i64, n as i64, b as i64) as i32),
                _ => Datum::Null,
            },
            Builtin::Lag | Builtin::Lead => {
                let offset = match args.len() {
                    1 => 1,
                    _ => match at(1, p.current, cx)? {
                        Datum::Int4(v) => v as i64,
                        _ => return Ok(Datum::Null),
                    },
                };
                let delta = if self == Builtin::Lag { -offset } else { offset };
                match usize::try_from(p.current as i64 + delta) {
                    Ok(row) if row < n => at(0, row, cx)?,
                    _ if args.len() > 2 => at(2, p.current, cx)?,
                    _ => Datum::Null,
                }
            }
            Builtin::FirstValue => match nth(p, 0, false) {
                Some(row) => at(0, row, cx)?,
                None => Datum::Null,
            },
            Builtin::LastValue => match nth(p, 0, true) {
                Some(row) => at(0, row, cx)?,
                None => Datum::Null,
            },
            Builtin::NthValue => match at(1, p.current, cx)? {
                Datum::Int4(v) if v <= 0 => {
                    bail!(INVALID_ARGUMENT_FOR_NTH_VALUE, "argument of nth_value must be greater than zero")
                }
                Datum::Int4(v) => match nth(p, v as i64 - 1, false) {
                    Some(row) => at(0, row, cx)?,
                    None => Datum::Null,
                },
                _ => Datum::Null,
            },
        })
    }
}

fn groups_before(p: &Partition<'_>) -> i64 {
    let mut groups = 0;
    let mut row = p.peers[p.current].0;
    while row > 0 {
        row = p.peers[row - 1].0;
        groups += 1;
    }
    groups
}

/// The bucket of row `i` of `rows`: the first `rows % buckets` buckets have one row more.
fn ntile(i: i64, rows: i64, buckets: i64) -> i64 {
    let (size, extra) = (rows / buckets, rows % buckets);
    let big = extra * (size + 1);
    if i < big { i / (size + 1) + 1 } else { extra + (i - big) / size.max(1) + 1 }
}

/// Row `n` of the frame from its head or tail, exclusions skipped.
fn nth(p: &Partition<'_>, n: i64, from_tail: bool) -> Option<usize> {
    let (start, end) = p.frame;
    let n = usize::try_from(n).ok()?;
    if p.exclude.is_empty() {
        let row = if from_tail { end.checked_sub(n + 1)? } else { start.checked_add(n)? };
        return (row >= start && row < end).then_some(row);
    }
    let mut kept = (start..end).filter(|i| p.in_frame(*i));
    if from_tail { kept.nth_back(n) } else { kept.nth(n) }
}

/// The partition for window function bodies of other crates.
pub struct Access<'a, 'p, 'c, 'e> {
    pub p: &'a Partition<'p>,
    pub args: &'a [Code],
    pub cx: &'c mut ExecCx<'e>,
    pub state: &'a mut Option<Box<dyn Any + Send>>,
}

impl WindowAccess for Access<'_, '_, '_, '_> {
    fn row_count(&mut self) -> PgResult<i64> {
        Ok(self.p.rows.len() as i64)
    }
    fn current(&self) -> i64 {
        self.p.current as i64
    }
    fn peer_range(&mut self) -> PgResult<(i64, i64)> {
        let (first, after) = self.p.peers[self.p.current];
        Ok((after as i64, first as i64))
    }
    fn arg_at(&mut self, arg: usize, row: i64) -> PgResult<Option<Datum>> {
        match usize::try_from(row).ok().and_then(|r| self.p.rows.get(r)) {
            Some(r) => self.args[arg].eval(&Rows::outer(r), self.cx).map(Some),
            None => Ok(None),
        }
    }
    fn arg_in_frame(&mut self, arg: usize, n: i64, from_tail: bool) -> PgResult<Option<Datum>> {
        match nth(self.p, n, from_tail) {
            Some(row) => self.args[arg].eval(&Rows::outer(&self.p.rows[row]), self.cx).map(Some),
            None => Ok(None),
        }
    }
    fn state(&mut self) -> &mut Option<Box<dyn Any + Send>> {
        self.state
    }
}
