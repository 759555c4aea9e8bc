//! Hashed grouping: one table per grouping set, groups kept in order of first appearance.

use pglite_error::PgResult;
use pglite_types::{Batch, Datum};

use super::{Group, Input, Prog};
use crate::compare::mix;
use crate::instrument::Detail;
use crate::state::ExecCx;
use crate::store::row_bytes;

const EMPTY: u32 = u32::MAX;

#[derive(Default)]
struct Table {
    /// Open addressing: group numbers.
    slots: Vec<u32>,
    hashes: Vec<u64>,
    groups: Vec<Group>,
    /// Accounted for.
    bytes: usize,
}

pub struct HashGroups {
    tables: Vec<Table>,
    set: usize,
    at: usize,
}

impl HashGroups {
    pub fn new(prog: &Prog) -> HashGroups {
        HashGroups { tables: prog.sets.iter().map(|_| Table::default()).collect(), set: 0, at: 0 }
    }

    /// What the groups were accounted for.
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|t| t.bytes).sum()
    }

    pub fn build(
        &mut self,
        prog: &Prog,
        input: &mut Input,
        args: &mut Vec<Datum>,
        cx: &mut ExecCx<'_>,
    ) -> PgResult<()> {
        let mut any = false;
        while input.next_chunk(cx)? {
            any = true;
            for i in 0..input.chunk().len() {
                let batch: &Batch = input.chunk();
                let row = batch.row(i);
                for (set, table) in prog.sets.iter().zip(&mut self.tables) {
                    let at = table.find(prog, set, row, cx)?;
                    prog.advance(&mut table.groups[at].accs, row, args, cx)?;
                }
            }
        }
        if cx.run.instrument {
            let tables = self.tables.iter();
            let held = |t: &Table| {
                t.groups.iter().map(|g| row_bytes(&g.row) + 48).sum::<usize>() + t.slots.len() * 4
            };
            let bytes = tables.map(held).sum();
            cx.run.note(|s| s.detail = Detail::Groups { bytes });
        }
        if !any {
            // The empty grouping set has one group even without input.
            for (set, table) in prog.sets.iter().zip(&mut self.tables) {
                if set.is_empty() {
                    table.groups.push(Group { row: prog.empty_row(), accs: prog.new_accs(cx)? });
                }
            }
        }
        Ok(())
    }

    pub fn next(&mut self, prog: &Prog, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<()> {
        while out.len() < max && self.set < self.tables.len() {
            let table = &mut self.tables[self.set];
            if self.at >= table.groups.len() {
                self.set += 1;
                self.at = 0;
                continue;
            }
            prog.emit(&mut table.groups[self.at], &prog.sets[self.set], cx, out)?;
            self.at += 1;
        }
        Ok(())
    }
}

impl Table {
    fn find(&mut self, prog: &Prog, set: &[usize], row: &[Datum], cx: &mut ExecCx<'_>) -> PgResult<usize> {
        let mut hash = 0u64;
        for k in set {
            let key = &prog.keys[*k];
            hash = mix(hash.rotate_left(5) ^ key.eq.hash(&row[key.col]));
        }
        if self.groups.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let g = self.slots[at];
            if g == EMPTY {
                break;
            }
            let g = g as usize;
            if self.hashes[g] == hash {
                let mut same = true;
                for k in set {
                    let key = &prog.keys[*k];
                    if !key.eq.not_distinct(cx, &self.groups[g].row[key.col], &row[key.col])? {
                        same = false;
                        break;
                    }
                }
                if same {
                    return Ok(g);
                }
            }
            at = (at + 1) & mask;
        }
        let g = self.groups.len();
        self.slots[at] = g as u32;
        self.hashes.push(hash);
        let bytes = row_bytes(row) + 48 * (prog.specs.len() + 1);
        self.bytes += bytes;
        cx.run.charge(bytes)?;
        self.groups.push(Group { row: row.into(), accs: prog.new_accs(cx)? });
        Ok(g)
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(64);
        self.slots = vec![EMPTY; size];
        for (g, hash) in self.hashes.iter().enumerate() {
            let mut at = *hash as usize & (size - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = g as u32;
        }
    }
}
