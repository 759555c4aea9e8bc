//! Constraint checks put off to the end of the transaction, and SET CONSTRAINTS.

use std::collections::HashMap;

use pglite_error::PgResult;
use pglite_exec::env::DeferredCheck;
use pglite_types::Oid;

use crate::core::Core;
use crate::cx::Cx;

/// The queue and the modes of the running transaction.
#[derive(Default)]
pub(crate) struct Deferred {
    queue: Vec<DeferredCheck>,
    /// SET CONSTRAINTS ALL: deferred?
    all: Option<bool>,
    modes: HashMap<Oid, bool>,
}

impl Deferred {
    pub fn clear(&mut self) {
        self.queue.clear();
        self.all = None;
        self.modes.clear();
    }
    pub fn push(&mut self, check: DeferredCheck) {
        self.queue.push(check);
    }
    /// Whether the constraint waits for the end of the transaction now.
    pub fn is_deferred(&self, constraint: Oid, initially: bool) -> bool {
        self.modes.get(&constraint).copied().or(self.all).unwrap_or(initially)
    }
    pub fn set(&mut self, constraints: Option<&[Oid]>, deferred: bool) {
        match constraints {
            None => {
                self.all = Some(deferred);
                self.modes.clear();
            }
            Some(list) => list.iter().for_each(|c| {
                self.modes.insert(*c, deferred);
            }),
        }
    }
}

/// Runs the queued checks: all of them, at commit.
pub(crate) fn run_all(core: &Core) -> PgResult<()> {
    run(core, &|_| true)
}

/// Runs the queued checks whose constraint `pick` chooses (SET CONSTRAINTS ... IMMEDIATE).
pub(crate) fn run(core: &Core, pick: &dyn Fn(Oid) -> bool) -> PgResult<()> {
    loop {
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut core.deferred.borrow_mut().queue)
            .into_iter()
            .partition(|c| pick(c.constraint));
        core.deferred.borrow_mut().queue = later;
        if now.is_empty() {
            return Ok(());
        }
        let cx = Cx::new(core)?;
        pglite_exec::modify::run_deferred(&cx.exec_env(), &now)?;
        core.command_done()?;
    }
}
