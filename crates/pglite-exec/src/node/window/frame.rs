//! Window frames: where the current row's frame starts and ends, and which rows it excludes.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail};
use pglite_ir::abi::CallInfo;
use pglite_ir::plan::{BoundPlan, FramePlan, Plan, SortKey};
use pglite_ir::query::{FrameExclude, FrameMode};
use pglite_types::{Datum, Oid, oid};

use crate::expr::{Code, FnRef, Rows};
use crate::node::{Builder, column_type};
use crate::state::ExecCx;
use crate::store::StoredRow;

pub enum Bound {
    UnboundedPreceding,
    Preceding(Code),
    CurrentRow,
    Following(Code),
    UnboundedFollowing,
}

pub struct FrameProgram {
    mode: FrameMode,
    start: Bound,
    end: Bound,
    exclude: FrameExclude,
    start_in_range: Option<FnRef>,
    end_in_range: Option<FnRef>,
    asc: bool,
    nulls_first: bool,
    /// The ordering column of a RANGE frame with offsets.
    column: usize,
}

/// The frame's offsets, evaluated once a partition, and its last position (RANGE offsets move forward only).
#[derive(Default)]
pub struct Frames {
    start: Datum,
    end: Datum,
    head: usize,
    tail: usize,
}

/// Rows of the frame's range that are not in the frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excluded {
    from: usize,
    to: usize,
    /// EXCLUDE TIES keeps the current row.
    keep: Option<usize>,
}

impl Excluded {
    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
    pub fn contains(&self, i: usize) -> bool {
        i >= self.from && i < self.to && self.keep != Some(i)
    }
}

impl FrameProgram {
    pub fn compile(
        b: &mut Builder<'_>,
        f: &FramePlan,
        order: &[SortKey],
        child: &Plan,
    ) -> PgResult<FrameProgram> {
        let bound = |b: &mut Builder<'_>, p: &BoundPlan| -> PgResult<Bound> {
            Ok(match p {
                BoundPlan::UnboundedPreceding => Bound::UnboundedPreceding,
                BoundPlan::Preceding(e) => Bound::Preceding(b.code(e)?),
                BoundPlan::CurrentRow => Bound::CurrentRow,
                BoundPlan::Following(e) => Bound::Following(b.code(e)?),
                BoundPlan::UnboundedFollowing => Bound::UnboundedFollowing,
            })
        };
        let ordered = order.first().map_or(Oid::INVALID, |k| column_type(child, k.column));
        let in_range = |b: &Builder<'_>, func: Oid, p: &BoundPlan| -> PgResult<Option<FnRef>> {
            let (BoundPlan::Preceding(e) | BoundPlan::Following(e)) = p else { return Ok(None) };
            if !func.is_valid() {
                return Ok(None);
            }
            let info = CallInfo {
                func,
                ret_type: oid::BOOL,
                arg_types: vec![ordered, ordered, e.ty(), oid::BOOL, oid::BOOL],
                collation: f.in_range_collation,
                ..CallInfo::default()
            };
            FnRef::resolve(b.env.host.catalog(), info).map(Some)
        };
        Ok(FrameProgram {
            mode: f.mode,
            start: bound(b, &f.start)?,
            end: bound(b, &f.end)?,
            exclude: f.exclude,
            start_in_range: in_range(b, f.start_in_range, &f.start)?,
            end_in_range: in_range(b, f.end_in_range, &f.end)?,
            asc: f.in_range_asc,
            nulls_first: f.in_range_nulls_first,
            column: order.first().map_or(0, |k| k.column as usize - 1),
        })
    }

    pub fn excluded(&self, peers: &[(usize, usize)], at: usize) -> Excluded {
        let (from, to) = peers[at];
        match self.exclude {
            FrameExclude::NoOthers => Excluded::default(),
            FrameExclude::CurrentRow => Excluded { from: at, to: at + 1, keep: None },
            FrameExclude::Group => Excluded { from, to, keep: None },
            FrameExclude::Ties if to - from == 1 => Excluded::default(),
            FrameExclude::Ties => Excluded { from, to, keep: Some(at) },
        }
    }
}

impl Frames {
    pub fn start(prog: &FrameProgram, cx: &mut ExecCx<'_>) -> PgResult<Frames> {
        let offset = |bound: &Bound, which: &str, cx: &mut ExecCx<'_>| -> PgResult<Datum> {
            let (Bound::Preceding(code) | Bound::Following(code)) = bound else { return Ok(Datum::Null) };
            let v = code.eval(&Rows::default(), cx)?;
            if v.is_null() {
                bail!(NULL_VALUE_NOT_ALLOWED, "frame {which} offset must not be null");
            }
            if prog.mode != FrameMode::Range && matches!(v, Datum::Int8(n) if n < 0) {
                bail!(INVALID_PRECEDING_OR_FOLLOWING_SIZE, "frame {which} offset must not be negative");
            }
            Ok(v)
        };
        Ok(Frames {
            start: offset(&prog.start, "starting", cx)?,
            end: offset(&prog.end, "ending", cx)?,
            head: 0,
            tail: 0,
        })
    }

    /// First row of the frame of row `at`, and the row after its last; ordered even when the frame is empty.
    pub fn frame(
        &mut self,
        prog: &FrameProgram,
        rows: &[StoredRow],
        peers: &[(usize, usize)],
        at: usize,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<(usize, usize)> {
        let n = rows.len();
        let (first, after) = peers[at];
        let count = |d: &Datum| match d {
            Datum::Int8(v) => *v,
            Datum::Int4(v) => *v as i64,
            _ => 0,
        };
        let clamp = |v: i64| v.clamp(0, n as i64) as usize;
        let row_mode = prog.mode == FrameMode::Rows;
        let start = match (&prog.start, prog.mode) {
            (Bound::UnboundedPreceding, _) => 0,
            (Bound::UnboundedFollowing, _) => n,
            (Bound::CurrentRow, _) => {
                if row_mode {
                    at
                } else {
                    first
                }
            }
            (Bound::Preceding(_), FrameMode::Rows) => clamp((at as i64).saturating_sub(count(&self.start))),
            (Bound::Following(_), FrameMode::Rows) => clamp((at as i64).saturating_add(count(&self.start))),
            (Bound::Preceding(_), FrameMode::Groups) => {
                group_at(peers, at, -count(&self.start)).map_or(0, |g| g.0)
            }
            (Bound::Following(_), FrameMode::Groups) => {
                group_at(peers, at, count(&self.start)).map_or(n, |g| g.0)
            }
            (b, FrameMode::Range) => self.range_head(prog, rows, at, matches!(b, Bound::Preceding(_)), cx)?,
        };
        let end = match (&prog.end, prog.mode) {
            (Bound::UnboundedPreceding, _) => 0,
            (Bound::UnboundedFollowing, _) => n,
            (Bound::CurrentRow, _) => {
                if row_mode {
                    at + 1
                } else {
                    after
                }
            }
            (Bound::Preceding(_), FrameMode::Rows) => clamp((at as i64 + 1).saturating_sub(count(&self.end))),
            (Bound::Following(_), FrameMode::Rows) => clamp((at as i64 + 1).saturating_add(count(&self.end))),
            (Bound::Preceding(_), FrameMode::Groups) => {
                group_at(peers, at, -count(&self.end)).map_or(0, |g| g.1)
            }
            (Bound::Following(_), FrameMode::Groups) => {
                group_at(peers, at, count(&self.end)).map_or(n, |g| g.1)
            }
            (b, FrameMode::Range) => self.range_tail(prog, rows, at, matches!(b, Bound::Preceding(_)), cx)?,
        };
        Ok((start.min(end), end.max(start.min(end))))
    }

    fn range_head(
        &mut self,
        prog: &FrameProgram,
        rows: &[StoredRow],
        at: usize,
        preceding: bool,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<usize> {
        let current = &rows[at][prog.column];
        // `val >= base - offset` ascending; the mirror image descending.
        let (sub, less) = if prog.asc { (preceding, false) } else { (!preceding, true) };
        while self.head < rows.len() {
            let head = &rows[self.head][prog.column];
            let stop = if head.is_null() || current.is_null() {
                if prog.nulls_first {
                    !head.is_null() || current.is_null()
                } else {
                    head.is_null() || !current.is_null()
                }
            } else {
                in_range(&prog.start_in_range, [head, current, &self.start], sub, less, cx)?
            };
            if stop {
                break;
            }
            self.head += 1;
        }
        Ok(self.head)
    }

    fn range_tail(
        &mut self,
        prog: &FrameProgram,
        rows: &[StoredRow],
        at: usize,
        preceding: bool,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<usize> {
        let current = &rows[at][prog.column];
        let (sub, less) = if prog.asc { (preceding, true) } else { (!preceding, false) };
        while self.tail < rows.len() {
            let tail = &rows[self.tail][prog.column];
            let stop = if tail.is_null() || current.is_null() {
                if prog.nulls_first { !tail.is_null() } else { !current.is_null() }
            } else {
                !in_range(&prog.end_in_range, [tail, current, &self.end], sub, less, cx)?
            };
            if stop {
                break;
            }
            self.tail += 1;
        }
        Ok(self.tail)
    }
}

fn in_range(
    f: &Option<FnRef>,
    [value, base, offset]: [&Datum; 3],
    sub: bool,
    less: bool,
    cx: &mut ExecCx<'_>,
) -> PgResult<bool> {
    let Some(f) = f else { return Err(PgError::internal("RANGE offset without an in_range function")) };
    let args = [value.clone(), base.clone(), offset.clone(), Datum::Bool(sub), Datum::Bool(less)];
    Ok(f.call(cx, &args)?.as_bool() == Some(true))
}

/// The peer group `delta` groups from the current row's; None past either end.
fn group_at(peers: &[(usize, usize)], at: usize, delta: i64) -> Option<(usize, usize)> {
    let mut group = peers[at];
    for _ in 0..delta.unsigned_abs() {
        group = if delta < 0 {
            if group.0 == 0 {
                return None;
            }
            peers[group.0 - 1]
        } else {
            *peers.get(group.1)?
        };
    }
    Some(group)
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<FrameProgram>>();
};
