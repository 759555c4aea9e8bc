//! Firing triggers, and what waits for the end of the statement: AFTER triggers, foreign keys, deferred uniqueness.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_types::{Datum, Oid, Row};

use super::rel::{RelProgram, event_index};
use super::{fk, index};
use crate::env::{Transition, TriggerCall, TriggerEvent, TriggerOutcome, TriggerTiming};
use crate::state::ExecCx;

/// A row event whose consequences come at the end of the statement.
pub struct Pending {
    pub program: Arc<RelProgram>,
    pub event: TriggerEvent,
    pub old: Option<Row>,
    pub new: Option<Row>,
    pub updated: Arc<[i16]>,
    /// The statement's target (transition tables belong to it).
    pub nominal: Oid,
}

/// Statement-wide state of data-modifying nodes.
#[derive(Default)]
pub struct StatementState {
    pub events: Vec<Pending>,
    pub unique: Vec<index::UniqueRecheck>,
    pub transitions: HashMap<(Oid, usize), Transition>,
    /// Rows that went through BEFORE triggers: those the command changes itself.
    pub touched: std::collections::HashSet<(Oid, u64)>,
    /// AFTER STATEMENT triggers to fire.
    pub statements: Vec<(Arc<RelDesc>, TriggerEvent, Arc<[i16]>)>,
}

/// Fires BEFORE or INSTEAD OF row triggers. None: skip the row.
pub fn row(
    cx: &mut ExecCx<'_>,
    program: &RelProgram,
    event: TriggerEvent,
    timing: TriggerTiming,
    old: Option<&[Datum]>,
    new: Option<Row>,
    updated: &[i16],
) -> PgResult<Option<Option<Row>>> {
    if !program.triggers.has(event, timing, true) {
        return Ok(Some(new));
    }
    let call = TriggerCall {
        rel: &program.rel,
        event,
        timing,
        row: true,
        old,
        new: new.as_deref(),
        updated,
        transition: None,
    };
    Ok(match cx.env.hooks.fire_triggers(&call)? {
        TriggerOutcome::Proceed => Some(new),
        TriggerOutcome::Replace(row) => Some(if new.is_some() { Some(row) } else { None }),
        TriggerOutcome::Skip => None,
    })
}

/// Fires BEFORE STATEMENT triggers.
pub fn statement_start(
    cx: &mut ExecCx<'_>,
    program: &RelProgram,
    event: TriggerEvent,
    updated: &Arc<[i16]>,
) -> PgResult<()> {
    if program.triggers.has(event, TriggerTiming::Before, false) {
        cx.env.hooks.fire_triggers(&TriggerCall {
            rel: &program.rel,
            event,
            timing: TriggerTiming::Before,
            row: false,
            old: None,
            new: None,
            updated,
            transition: None,
        })?;
    }
    Ok(())
}

/// Notes AFTER STATEMENT triggers for the end of the statement.
pub fn statement_end(cx: &mut ExecCx<'_>, program: &RelProgram, event: TriggerEvent, updated: &Arc<[i16]>) {
    if program.triggers.has(event, TriggerTiming::After, false) {
        cx.run.modify.statements.push((program.rel.clone(), event, updated.clone()));
    }
}

/// Whether [`queue`] has anything to note for rows of a table.
pub fn waits(program: &RelProgram, nominal: &RelProgram, event: TriggerEvent) -> bool {
    let fks = match event {
        TriggerEvent::Insert => !program.fks_out.is_empty(),
        TriggerEvent::Update => !program.fks_out.is_empty() || !program.fks_in.is_empty(),
        TriggerEvent::Delete => !program.fks_in.is_empty(),
        TriggerEvent::Truncate => false,
    };
    fks || nominal.triggers.transition(event) || program.triggers.has(event, TriggerTiming::After, true)
}

/// Notes what a written row leads to at the end of the statement.
pub fn queue(
    cx: &mut ExecCx<'_>,
    program: &Arc<RelProgram>,
    nominal: &RelProgram,
    event: TriggerEvent,
    old: Option<&[Datum]>,
    new: Option<&[Datum]>,
    updated: &Arc<[i16]>,
) -> PgResult<()> {
    if nominal.triggers.transition(event) {
        let t = cx.run.modify.transitions.entry((nominal.rel.oid, event_index(event))).or_default();
        if let Some(old) = old {
            Arc::make_mut(&mut t.old).push(super::route::convert(&program.rel, &nominal.rel, old.to_vec()));
        }
        if let Some(new) = new {
            Arc::make_mut(&mut t.new).push(super::route::convert(&program.rel, &nominal.rel, new.to_vec()));
        }
    }
    let fks = match event {
        TriggerEvent::Insert => !program.fks_out.is_empty(),
        TriggerEvent::Update => !program.fks_out.is_empty() || !program.fks_in.is_empty(),
        TriggerEvent::Delete => !program.fks_in.is_empty(),
        TriggerEvent::Truncate => false,
    };
    if !fks && !program.triggers.has(event, TriggerTiming::After, true) {
        return Ok(());
    }
    let bytes = old.map_or(0, crate::store::row_bytes) + new.map_or(0, crate::store::row_bytes);
    cx.run.charge(bytes)?;
    cx.run.modify.events.push(Pending {
        program: program.clone(),
        event,
        old: old.map(<[Datum]>::to_vec),
        new: new.map(<[Datum]>::to_vec),
        updated: updated.clone(),
        nominal: nominal.rel.oid,
    });
    Ok(())
}

/// The end of the statement: foreign keys and AFTER ROW triggers in the rows' order, then AFTER STATEMENT triggers.
pub fn finish(cx: &mut ExecCx<'_>) -> PgResult<()> {
    index::recheck_unique(cx)?;
    let events = std::mem::take(&mut cx.run.modify.events);
    let statements = std::mem::take(&mut cx.run.modify.statements);
    let transitions: HashMap<_, Arc<Transition>> =
        std::mem::take(&mut cx.run.modify.transitions).into_iter().map(|(k, t)| (k, Arc::new(t))).collect();
    for e in &events {
        check_keys(cx, e)?;
        if e.program.triggers.has(e.event, TriggerTiming::After, true) {
            cx.env.hooks.fire_triggers(&TriggerCall {
                rel: &e.program.rel,
                event: e.event,
                timing: TriggerTiming::After,
                row: true,
                old: e.old.as_deref(),
                new: e.new.as_deref(),
                updated: &e.updated,
                transition: transitions.get(&(e.nominal, event_index(e.event))),
            })?;
        }
    }
    for (rel, event, updated) in &statements {
        let empty = Arc::new(Transition::default());
        cx.env.hooks.fire_triggers(&TriggerCall {
            rel,
            event: *event,
            timing: TriggerTiming::After,
            row: false,
            old: None,
            new: None,
            updated,
            transition: Some(transitions.get(&(rel.oid, event_index(*event))).unwrap_or(&empty)),
        })?;
    }
    Ok(())
}

fn check_keys(cx: &mut ExecCx<'_>, e: &Pending) -> PgResult<()> {
    if let Some(old) = &e.old {
        for key in &e.program.fks_in {
            fk::referenced(cx, &e.program.rel, key, old, e.new.as_deref())?;
        }
    }
    if let Some(new) = &e.new {
        for key in &e.program.fks_out {
            fk::referencing(cx, &e.program.rel, key, e.old.as_deref(), new)?;
        }
    }
    Ok(())
}
