//! Grouping a sorted input, with rollups: each set is a prefix of the keys and closes when its prefix changes.

use std::collections::VecDeque;

use pglite_error::PgResult;
use pglite_types::{Batch, Datum};

use super::{Group, Input, Prog};
use crate::state::ExecCx;

pub struct Rollup {
    /// The running group of each set.
    open: Vec<Option<Group>>,
    /// Closed groups (set, group) not yet emitted.
    closed: VecDeque<(usize, Group)>,
    any: bool,
    done: bool,
}

impl Rollup {
    pub fn new(prog: &Prog) -> Rollup {
        Rollup {
            open: prog.sets.iter().map(|_| None).collect(),
            closed: VecDeque::new(),
            any: false,
            done: false,
        }
    }

    pub fn next(
        &mut self,
        prog: &Prog,
        input: &mut Input,
        args: &mut Vec<Datum>,
        cx: &mut ExecCx<'_>,
        out: &mut Batch,
        max: usize,
    ) -> PgResult<()> {
        while out.len() < max {
            if let Some((set, mut group)) = self.closed.pop_front() {
                prog.emit(&mut group, &prog.sets[set], cx, out)?;
                continue;
            }
            if self.done {
                return Ok(());
            }
            if !input.next(cx, pglite_types::BATCH_ROWS)? {
                self.finish(prog, cx)?;
                continue;
            }
            self.any = true;
            let row = input.row();
            for (i, set) in prog.sets.iter().enumerate() {
                let same = match &self.open[i] {
                    Some(g) => same_prefix(prog, set, &g.row, row, cx)?,
                    None => false,
                };
                if !same {
                    if let Some(g) = self.open[i].take() {
                        self.closed.push_back((i, g));
                    }
                    self.open[i] = Some(Group { row: row.into(), accs: prog.new_accs(cx)? });
                }
                if let Some(g) = &mut self.open[i] {
                    prog.advance(&mut g.accs, row, args, cx)?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, prog: &Prog, cx: &mut ExecCx<'_>) -> PgResult<()> {
        self.done = true;
        for i in 0..self.open.len() {
            if let Some(g) = self.open[i].take() {
                self.closed.push_back((i, g));
            } else if !self.any && prog.sets[i].is_empty() {
                self.closed.push_back((i, Group { row: prog.empty_row(), accs: prog.new_accs(cx)? }));
            }
        }
        Ok(())
    }
}

fn same_prefix(prog: &Prog, set: &[usize], a: &[Datum], b: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<bool> {
    for k in set.iter().rev() {
        let key = &prog.keys[*k];
        if !key.eq.not_distinct(cx, &a[key.col], &b[key.col])? {
            return Ok(false);
        }
    }
    Ok(true)
}
