//! ModifyTable: INSERT, UPDATE, DELETE, MERGE.
//!
//! Per row: BEFORE triggers, generated columns, constraints, the write, indexes (uniqueness), RETURNING. Foreign keys,
//! AFTER triggers and deferred uniqueness wait for the end of the statement ([`finish_statement`]).

use std::collections::HashMap;
use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult};
use pglite_ir::expr::Expr;
use pglite_ir::plan::{ModifyTable, ModifyTarget, Plan};
use pglite_ir::query::{CommandType, MergeMatch};
use pglite_types::{Batch, Datum, Oid, Row};

use crate::env::{DeferredCheck, DeferredKind, ExecEnv, OpenRel, TriggerEvent};
use crate::expr::{Code, Compiler};
use crate::node::{BoxNode, Builder, Built, Input, MakeNode, Node, NodeProg, Projection};
use crate::state::{ExecCx, RunState};

mod build;
pub mod bulk;
pub mod check;
mod conflict;
pub mod fk;
pub mod index;
mod merge;
pub mod rel;
mod route;
mod trigger;
mod write;

use check::CheckCode;
use conflict::ConflictProgram;
use rel::{NEW, OLD, RelProgram, TargetMap};
pub use trigger::StatementState;
pub use write::Outcome;

/// A table being written, with its storage.
pub struct Target {
    pub program: Arc<RelProgram>,
    pub open: Option<Arc<OpenRel>>,
}

impl Target {
    pub fn rel(&self) -> &Arc<RelDesc> {
        &self.program.rel
    }
    pub fn storage(&self) -> PgResult<&Arc<OpenRel>> {
        self.open.as_ref().ok_or_else(|| {
            PgError::internal(format!("relation \"{}\" has no storage", self.program.rel.name))
        })
    }
}

/// The tables a node has met, compiled ones from the plan first.
#[derive(Default)]
pub struct Targets {
    open: HashMap<Oid, Arc<Target>>,
    programs: HashMap<Oid, Arc<RelProgram>>,
}

impl Targets {
    pub fn open(&mut self, cx: &mut ExecCx<'_>, rel: &Arc<RelDesc>) -> PgResult<Arc<Target>> {
        if let Some(t) = self.open.get(&rel.oid) {
            return Ok(t.clone());
        }
        let program = match self.programs.get(&rel.oid) {
            Some(p) => p.clone(),
            None => RelProgram::compile(cx.env, rel)?,
        };
        let open =
            if matches!(rel.kind, b'r' | b'm') { Some(cx.env.hooks.open_relation(rel)?) } else { None };
        let target = Arc::new(Target { program, open });
        self.open.insert(rel.oid, target.clone());
        Ok(target)
    }
}

/// Per planned target: RETURNING and checks over its rows.
pub struct TargetProgram {
    pub rte: u32,
    pub rel: Arc<RelProgram>,
    pub update_columns: Arc<[i16]>,
    pub returning: Option<Projection>,
    pub wants_ctid: bool,
    /// Checks of new rows.
    pub checks: Vec<CheckCode>,
    pub merge: Vec<merge::ActionProgram>,
}

pub struct Prog {
    pub child: Built,
    pub command: CommandType,
    pub targets: Vec<TargetProgram>,
    pub rowid: Option<usize>,
    pub tableoid: Option<usize>,
    pub conflict: Option<ConflictProgram>,
    pub can_set_tag: bool,
    /// The partitioned table that the statement names.
    pub root: Option<Arc<RelDesc>>,
    pub width: usize,
    /// Statement trigger events.
    pub events: Vec<TriggerEvent>,
    /// Rows can be written in batches: nothing happens between two rows.
    pub batched: bool,
}

impl Prog {
    pub fn returns(&self) -> bool {
        self.targets.iter().any(|t| t.returning.is_some())
    }
}

pub fn build(b: &mut Builder<'_>, plan: &Plan, m: &ModifyTable) -> PgResult<Built> {
    let child = b.left(plan)?;
    let excluded = m.on_conflict.as_ref().map_or(0, |c| c.excluded_rte);
    let mut targets = Vec::new();
    for t in &m.targets {
        targets.push(target_program(b.env, m, t, excluded)?);
    }
    let Some(first) = targets.first() else { return Err(PgError::internal("no table to modify")) };
    let conflict = match &m.on_conflict {
        Some(c) => Some(ConflictProgram::compile(b.env, c, &m.targets[0], &first.rel)?),
        None => None,
    };
    let events = statement_events(m);
    let rel = &first.rel;
    use crate::env::TriggerTiming::{Before, Instead};
    let insert = TriggerEvent::Insert;
    let batched = m.command == CommandType::Insert
        && conflict.is_none()
        && matches!(rel.rel.kind, b'r' | b'm')
        && first.returning.is_none()
        && !rel.triggers.has(insert, Before, true)
        && !rel.triggers.has(insert, Instead, true);
    let width = m.output.len();
    let column = |c: i16| usize::try_from(c).ok().filter(|c| *c > 0).map(|c| c - 1);
    let prog = Prog {
        child,
        command: m.command,
        rowid: column(m.rowid_column),
        tableoid: column(m.tableoid_column),
        targets,
        conflict,
        can_set_tag: m.can_set_tag,
        root: m.root.clone(),
        width,
        events,
        batched,
    };
    Ok(Built { prog: Arc::new(prog), width, volatile: true })
}

fn statement_events(m: &ModifyTable) -> Vec<TriggerEvent> {
    let mut events = Vec::new();
    match m.command {
        CommandType::Insert => {
            events.push(TriggerEvent::Insert);
            if m.on_conflict.as_ref().is_some_and(|c| c.update) {
                events.push(TriggerEvent::Update);
            }
        }
        CommandType::Update => events.push(TriggerEvent::Update),
        CommandType::Delete => events.push(TriggerEvent::Delete),
        CommandType::Merge => {
            for (command, event) in [
                (CommandType::Insert, TriggerEvent::Insert),
                (CommandType::Update, TriggerEvent::Update),
                (CommandType::Delete, TriggerEvent::Delete),
            ] {
                if m.merge_actions.iter().any(|a| a.command == command) {
                    events.push(event);
                }
            }
        }
        _ => {}
    }
    events
}

fn target_program(
    env: &ExecEnv<'_>,
    m: &ModifyTable,
    t: &ModifyTarget,
    excluded: u32,
) -> PgResult<TargetProgram> {
    let rel = RelProgram::compile(env, &t.rel)?;
    let default_slot = if m.command == CommandType::Delete { OLD } else { NEW };
    let mut map = TargetMap { rte: t.rte, excluded, rel: &t.rel, attrs: rel.attrs.clone(), default_slot };
    let mut c = Compiler::new(env, &mut map);
    let returning = if m.output.is_empty() { None } else { Some(Projection::compile(&mut c, &t.returning)?) };
    let mut map =
        TargetMap { rte: t.rte, excluded, rel: &t.rel, attrs: rel.attrs.clone(), default_slot: NEW };
    let mut c = Compiler::new(env, &mut map);
    let mut checks = Vec::new();
    for o in &t.check_options {
        checks.push(CheckCode {
            relation: o.relation.clone(),
            policy: o.policy.clone(),
            code: c.compile(&o.qual)?,
            is_view: o.is_view,
            when: o.when,
        });
    }
    let mut merge = Vec::new();
    for a in &t.merge_actions {
        merge.push(merge::ActionProgram::compile(env, a, t, &rel)?);
    }
    Ok(TargetProgram {
        rte: t.rte,
        wants_ctid: rel::wants_ctid(&t.returning, t.rte),
        rel,
        update_columns: t.update_columns.clone().into(),
        returning,
        checks,
        merge,
    })
}

impl MakeNode for Prog {
    fn make(self: Arc<Self>) -> BoxNode {
        let input = Input::new(&self.child);
        let mut targets = Targets::default();
        for t in &self.targets {
            targets.programs.insert(t.rel.rel.oid, t.rel.clone());
        }
        Box::new(ModifyNode { prog: self, input, targets, started: false, done: false, opened: false })
    }
}

pub struct ModifyNode {
    prog: Arc<Prog>,
    input: Input,
    targets: Targets,
    started: bool,
    done: bool,
    opened: bool,
}

/// A row of the plan with what identifies its target row.
pub struct Source {
    pub row: Row,
    pub rowid: Option<u64>,
    /// Views: the whole old row.
    pub whole: Option<Row>,
    /// Index in `Prog::targets`.
    pub target: usize,
}

impl ModifyNode {
    fn source(&self, row: Row) -> PgResult<Source> {
        let prog = &self.prog;
        let (mut rowid, mut whole) = (None, None);
        match prog.rowid.and_then(|c| row.get(c)) {
            Some(Datum::Int8(id)) => rowid = Some(*id as u64),
            Some(Datum::Record(r)) => whole = Some(r.values.clone()),
            _ => {}
        }
        let target = match prog.tableoid.and_then(|c| row.get(c)) {
            Some(Datum::Oid(oid)) => {
                prog.targets.iter().position(|t| t.rel.rel.oid == *oid).ok_or_else(|| {
                    PgError::internal(format!("row of relation {oid} is no target of the statement"))
                })?
            }
            _ => 0,
        };
        Ok(Source { row, rowid, whole, target })
    }

    fn start(&mut self, cx: &mut ExecCx<'_>) -> PgResult<()> {
        let prog = self.prog.clone();
        let nominal = &prog.targets[0];
        let updated = |event: &TriggerEvent| -> Arc<[i16]> {
            match event {
                TriggerEvent::Update if prog.command == CommandType::Update => nominal.update_columns.clone(),
                TriggerEvent::Update => prog.updated_columns(),
                _ => Arc::from(Vec::new()),
            }
        };
        for event in &prog.events {
            trigger::statement_start(cx, &nominal.rel, *event, &updated(event))?;
        }
        // PG: the AFTER triggers of the several events fire in the opposite order.
        for event in prog.events.iter().rev() {
            trigger::statement_end(cx, &nominal.rel, *event, &updated(event));
        }
        if !self.opened {
            self.opened = true;
            self.input.open(cx)?;
        }
        Ok(())
    }

    /// Runs one plan row; appends to `out` when there is a RETURNING.
    fn run_row(&mut self, cx: &mut ExecCx<'_>, row: Row, out: &mut Batch) -> PgResult<()> {
        let prog = self.prog.clone();
        let source = self.source(row)?;
        let mut w = write::Writer { prog: &prog, targets: &mut self.targets, child: &prog.child.prog };
        let outcome = match prog.command {
            CommandType::Insert => w.insert_source(cx, source)?,
            CommandType::Update => w.update_source(cx, source)?,
            CommandType::Delete => w.delete_source(cx, source)?,
            CommandType::Merge => w.merge_source(cx, source)?,
            _ => return Err(PgError::internal("unexpected command in a data-modifying plan")),
        };
        let Some(outcome) = outcome else { return Ok(()) };
        if prog.can_set_tag {
            cx.run.processed += 1;
        }
        outcome.returning(&prog, cx, out)
    }
}

impl Prog {
    fn updated_columns(&self) -> Arc<[i16]> {
        match &self.conflict {
            Some(c) => c.columns.clone(),
            None => {
                let merged = self.targets[0].merge.iter().flat_map(|a| a.columns.iter().copied());
                merged.collect::<Vec<_>>().into()
            }
        }
    }
}

impl Node for ModifyNode {
    fn open(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        Ok(())
    }
    fn rescan(&mut self, _cx: &mut ExecCx<'_>) -> PgResult<()> {
        Err(PgError::internal("a data-modifying node cannot start over"))
    }
    fn next_batch(&mut self, cx: &mut ExecCx<'_>, out: &mut Batch, max: usize) -> PgResult<bool> {
        out.reset(self.prog.width);
        if self.done {
            return Ok(false);
        }
        if !self.started {
            self.started = true;
            self.start(cx)?;
        }
        if self.prog.batched {
            let target = self.targets.open(cx, &self.prog.targets[0].rel.rel.clone())?;
            while self.input.next_chunk(cx)? {
                let prog = self.prog.clone();
                let n = bulk::insert_chunk(cx, &target, &prog.targets[0], self.input.chunk())?;
                if prog.can_set_tag {
                    cx.run.processed += n as u64;
                }
            }
            self.done = true;
            return Ok(false);
        }
        while out.len() < max {
            if !self.input.next(cx, pglite_types::BATCH_ROWS)? {
                self.done = true;
                break;
            }
            let row = self.input.take().into_vec();
            self.run_row(cx, row, out)?;
        }
        Ok(!out.is_empty())
    }
}

/// The end of a statement: unread data-modifying CTEs run to their end, then what waited for it.
pub fn finish_statement(cx: &mut ExecCx<'_>) -> PgResult<()> {
    let modifying = cx.run.program.as_ref().is_some_and(|p| p.modifying);
    if !modifying {
        return Ok(());
    }
    let program = cx.run.program.clone();
    for init in program.iter().flat_map(|p| &p.init_plans) {
        let Some(param) = init.cte_param else { continue };
        let writes = program.as_ref().is_some_and(|p| p.subplans[init.plan as usize].modifies);
        if !writes || cx.run.ctes.get(param as usize).is_none_or(Option::is_none) {
            continue;
        }
        let mut at = 0;
        while crate::node::cte::fill_to(cx, param, at, pglite_types::BATCH_ROWS)? {
            at = cx.run.ctes[param as usize].as_ref().map_or(0, |c| c.rows.len());
        }
    }
    trigger::finish(cx)
}

pub use build::build_index;

/// Runs deferred checks: at commit, or when SET CONSTRAINTS makes them immediate.
pub fn run_deferred(env: &ExecEnv<'_>, checks: &[DeferredCheck]) -> PgResult<()> {
    let mut run = RunState::bare(Arc::from(Vec::new()));
    let mut cx = ExecCx::new(env, &mut run);
    for check in checks {
        match (check.kind, &check.new) {
            (DeferredKind::Unique, Some(key)) => {
                let index = env.host.catalog().constraint_by_oid(check.constraint).map(|c| c.conindid);
                if let Some(index) = index {
                    index::check_unique_now(&mut cx, &check.rel, index, key)?;
                }
            }
            (DeferredKind::Unique, None) => {}
            _ => fk::run_deferred(&mut cx, check)?,
        }
    }
    Ok(())
}

/// Runs the plan again with one relation reduced to the newest version of one row; the first row it yields.
pub fn recheck(
    cx: &mut ExecCx<'_>,
    child: &NodeProg,
    rte: u32,
    table: Oid,
    row: u64,
) -> PgResult<Option<Row>> {
    let saved = cx.run.recheck.replace(crate::state::Recheck { rte, row, table });
    let mut node = child.clone().make();
    let mut batch = Batch::default();
    let result = node.open(cx).and_then(|()| node.next_batch(cx, &mut batch, 1));
    cx.run.recheck = saved;
    Ok(if result? { Some(batch.take_row(0).collect()) } else { None })
}

/// Compiles `column = expr` lists; positions are 0-based.
fn assignments(c: &mut Compiler<'_>, list: &[pglite_ir::TargetEntry]) -> PgResult<Vec<(usize, Code)>> {
    list.iter().filter(|t| !t.junk).map(|t| Ok((t.resno as usize - 1, c.compile(&t.expr)?))).collect()
}

fn optional(c: &mut Compiler<'_>, e: &Option<Expr>) -> PgResult<Option<Code>> {
    e.as_ref().map(|e| c.compile(e)).transpose()
}

/// Which rows a MERGE action is for.
fn applies(kind: MergeMatch, matched: bool, source: bool) -> bool {
    match kind {
        MergeMatch::Matched => matched && source,
        MergeMatch::NotMatchedBySource => matched && !source,
        MergeMatch::NotMatchedByTarget => !matched,
    }
}
