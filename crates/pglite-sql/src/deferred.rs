//! What waits for the end of the transaction: constraint checks and deferred triggers; SET CONSTRAINTS.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_error::PgResult;
use pglite_exec::env::{DeferredCheck, Transition, TriggerEvent};
use pglite_types::{Oid, Row};

use crate::core::Core;
use crate::cx::Cx;

/// A deferred constraint trigger's firing.
#[derive(Clone)]
pub(crate) struct DeferredTrigger {
    pub trigger: Oid,
    pub constraint: Oid,
    pub rel: Arc<RelDesc>,
    pub event: TriggerEvent,
    pub old: Option<Row>,
    pub new: Option<Row>,
    pub transition: Option<Arc<Transition>>,
}

#[derive(Clone)]
pub(crate) enum Entry {
    Check(DeferredCheck),
    Trigger(Box<DeferredTrigger>),
}

impl Entry {
    fn constraint(&self) -> Oid {
        match self {
            Entry::Check(c) => c.constraint,
            Entry::Trigger(t) => t.constraint,
        }
    }
}

/// What SET CONSTRAINTS said.
#[derive(Clone, Default)]
struct Modes {
    /// ALL: deferred?
    all: Option<bool>,
    each: HashMap<Oid, bool>,
}

/// The queue and the modes of the running transaction.
#[derive(Default)]
pub(crate) struct Deferred {
    queue: Vec<Entry>,
    modes: Modes,
}

/// A state to go back to.
pub(crate) struct Mark {
    len: usize,
    modes: Modes,
}

impl Deferred {
    pub fn clear(&mut self) {
        self.queue.clear();
        self.modes = Modes::default();
    }
    pub fn push(&mut self, check: DeferredCheck) {
        self.queue.push(Entry::Check(check));
    }
    pub fn push_trigger(&mut self, trigger: DeferredTrigger) {
        self.queue.push(Entry::Trigger(Box::new(trigger)));
    }
    pub fn mark(&self) -> Mark {
        Mark { len: self.queue.len(), modes: self.modes.clone() }
    }
    /// Forgets what a savepoint's rollback undoes.
    pub fn rollback_to(&mut self, mark: &Mark) {
        self.queue.truncate(mark.len);
        self.modes = mark.modes.clone();
    }
    /// Whether the constraint waits for the end of the transaction now.
    pub fn is_deferred(&self, constraint: Oid, initially: bool) -> bool {
        self.modes.each.get(&constraint).copied().or(self.modes.all).unwrap_or(initially)
    }
    pub fn set(&mut self, constraints: Option<&[Oid]>, deferred: bool) {
        match constraints {
            None => {
                self.modes = Modes { all: Some(deferred), each: HashMap::new() };
            }
            Some(list) => list.iter().for_each(|c| {
                self.modes.each.insert(*c, deferred);
            }),
        }
    }
}

/// Runs the queue: all of it, at commit.
pub(crate) fn run_all(core: &Core) -> PgResult<()> {
    run(core, &|_| true)
}

/// Runs the queued entries whose constraint `pick` chooses (SET CONSTRAINTS ... IMMEDIATE), and what they queue in turn.
pub(crate) fn run(core: &Core, pick: &dyn Fn(Oid) -> bool) -> PgResult<()> {
    loop {
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut core.deferred.borrow_mut().queue)
            .into_iter()
            .partition(|c| pick(c.constraint()));
        core.deferred.borrow_mut().queue = later;
        if now.is_empty() {
            return Ok(());
        }
        for (i, entry) in now.iter().enumerate() {
            if let Err(e) = run_one(core, entry) {
                // A savepoint may be rolled back to: what did not pass is still to be checked.
                let mut deferred = core.deferred.borrow_mut();
                let mut rest: Vec<Entry> = now[i..].to_vec();
                rest.append(&mut deferred.queue);
                deferred.queue = rest;
                return Err(e);
            }
        }
    }
}

fn run_one(core: &Core, entry: &Entry) -> PgResult<()> {
    let cx = Cx::new(core)?;
    match entry {
        Entry::Check(c) => pglite_exec::modify::run_deferred(&cx.exec_env(), std::slice::from_ref(c))?,
        Entry::Trigger(t) => crate::triggers::fire_deferred(&cx, t)?,
    }
    drop(cx);
    core.command_done()
}
