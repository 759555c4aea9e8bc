//! MERGE: per joined row the first action whose condition holds.

use std::sync::Arc;

use pglite_error::{PgResult, err};
use pglite_ir::plan::ModifyTarget;
use pglite_ir::query::{CommandType, MergeAction, MergeMatch};
use pglite_txn::ReadView;
use pglite_txn::am::{RowId, RowLock, RowStatus, Wait};
use pglite_types::{Datum, Row};

use super::rel::{OLD, RelProgram, TargetMap};
use super::write::{Outcome, Version, Writer, fetch, lock_strength};
use super::{Source, applies, assignments, optional, recheck};
use crate::env::ExecEnv;
use crate::expr::{Code, Compiler, Rows};
use crate::state::ExecCx;

pub struct ActionProgram {
    pub kind: MergeMatch,
    pub command: CommandType,
    pub qual: Option<Code>,
    pub set: Vec<(usize, Code)>,
    /// UPDATE: the assigned columns.
    pub columns: Arc<[i16]>,
}

impl ActionProgram {
    pub fn compile(
        env: &ExecEnv<'_>,
        a: &MergeAction,
        t: &ModifyTarget,
        rel: &RelProgram,
    ) -> PgResult<ActionProgram> {
        let mut map =
            TargetMap { rte: t.rte, excluded: 0, rel: &t.rel, attrs: rel.attrs.clone(), default_slot: OLD };
        let mut c = Compiler::new(env, &mut map);
        let columns = match a.command {
            CommandType::Update => a.targets.iter().filter(|t| !t.junk).map(|t| t.resno).collect(),
            _ => Arc::from(Vec::new()),
        };
        Ok(ActionProgram {
            kind: a.kind,
            command: a.command,
            qual: optional(&mut c, &a.qual)?,
            set: assignments(&mut c, &a.targets)?,
            columns,
        })
    }
}

impl Writer<'_> {
    pub fn merge_source(&mut self, cx: &mut ExecCx<'_>, source: Source) -> PgResult<Option<Outcome>> {
        let i = source.target;
        let rel = self.prog.targets[i].rel.rel.clone();
        let target = self.targets.open(cx, &rel)?;
        let Some(id) = source.rowid else {
            return match source.whole.clone() {
                Some(_) => Err(pglite_error::PgError::unsupported(
                    "MERGE into a view with triggers is not supported",
                )),
                None => self.not_matched(cx, i, source.row),
            };
        };
        let mut plan_row = source.row.clone();
        let mut view = cx.env.view.clone();
        loop {
            let Some(old) = fetch(cx, &target, &view, id)? else { return Ok(None) };
            let slots = old.slots(self.prog.targets[i].rel.width());
            let Some(at) = self.choose(cx, i, &plan_row, &slots)? else { return Ok(None) };
            let action = &self.prog.targets[i].merge[at];
            let lock = match action.command {
                CommandType::Update => lock_strength(&target.program, &action.columns),
                CommandType::Delete => RowLock::Update,
                _ => return Ok(None),
            };
            let open = target.storage()?.clone();
            match open.am.lock(cx.env.txn, &view, &open.table, RowId(id), lock, Wait::Block)? {
                RowStatus::Ok => return self.act(cx, i, at, id, old, slots, plan_row),
                RowStatus::SelfModified => {
                    return Err(err!(CARDINALITY_VIOLATION, "MERGE command cannot affect row a second time")
                        .hint("Ensure that not more than one source row matches any one target row."));
                }
                RowStatus::Updated => {
                    let rte = self.prog.targets[i].rte;
                    match recheck(cx, self.child, rte, rel.oid, id)? {
                        Some(row) => plan_row = row,
                        None => return self.not_matched(cx, i, source.row),
                    }
                    view = ReadView::newest(cx.env.txn);
                }
                RowStatus::Deleted => return self.not_matched(cx, i, source.row),
                RowStatus::WouldBlock => return Ok(None),
            }
        }
    }

    /// The first action that applies to a target row.
    fn choose(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        plan_row: &Row,
        old: &Row,
    ) -> PgResult<Option<usize>> {
        let prog = self.prog;
        // A target row without a source row: every other column of the join is NULL.
        let own = [prog.rowid, prog.tableoid];
        let by_source = prog.targets[i].merge.iter().any(|a| a.kind == MergeMatch::NotMatchedBySource);
        let has_source =
            !by_source || plan_row.iter().enumerate().any(|(c, v)| !own.contains(&Some(c)) && !v.is_null());
        let rows = Rows { s: [plan_row, &[], old, old] };
        for (at, a) in prog.targets[i].merge.iter().enumerate() {
            if !applies(a.kind, true, has_source) {
                continue;
            }
            let holds = match &a.qual {
                Some(q) => q.test(&rows, cx)? == Some(true),
                None => true,
            };
            if holds {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    #[allow(clippy::too_many_arguments)]
    fn act(
        &mut self,
        cx: &mut ExecCx<'_>,
        i: usize,
        at: usize,
        id: u64,
        old: Version,
        slots: Row,
        plan_row: Row,
    ) -> PgResult<Option<Outcome>> {
        let prog = self.prog;
        let action = &prog.targets[i].merge[at];
        let rel = prog.targets[i].rel.rel.clone();
        let target = self.targets.open(cx, &rel)?;
        if action.command == CommandType::Delete {
            return self.delete(cx, i, &target, id, old, plan_row);
        }
        let mut new = old.values.clone();
        for (col, code) in &action.set {
            new[*col] = code.eval(&Rows { s: [&plan_row, &[], &slots, &slots] }, cx)?;
        }
        self.update(cx, i, &target, id, old, new, plan_row, &action.columns)
    }

    fn not_matched(&mut self, cx: &mut ExecCx<'_>, i: usize, plan_row: Row) -> PgResult<Option<Outcome>> {
        let prog = self.prog;
        let nulls = vec![Datum::Null; prog.targets[i].rel.width() + 2];
        let width = match &prog.root {
            Some(root) => root.columns.len(),
            None => prog.targets[i].rel.width(),
        };
        for a in &prog.targets[i].merge {
            if !applies(a.kind, false, true) {
                continue;
            }
            let rows = Rows { s: [&plan_row, &[], &nulls, &nulls] };
            if let Some(q) = &a.qual
                && q.test(&rows, cx)? != Some(true)
            {
                continue;
            }
            if a.command != CommandType::Insert {
                return Ok(None);
            }
            let mut row = vec![Datum::Null; width];
            for (col, code) in &a.set {
                row[*col] = code.eval(&rows, cx)?;
            }
            return self.insert(cx, i, row, plan_row);
        }
        Ok(None)
    }
}
