//! Savepoints: marks in everything a transaction accumulates, nested without limit.

use pglite_error::{PgResult, bail};
use smallvec::SmallVec;

use super::{Hook, TableUse, Transaction};
use crate::write_set::Mark;

/// A point to roll back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint {
    id: u32,
}

/// The state at a savepoint.
pub(crate) struct Level {
    id: u32,
    writes: Mark,
    locks: usize,
    hooks: usize,
    created: usize,
    dropped: usize,
    tables: SmallVec<[TableUse; 4]>,
}

impl Transaction {
    pub fn savepoint(&self) -> Savepoint {
        self.with_state(|state| {
            let id = state.next_level;
            state.next_level += 1;
            state.levels.push(Level {
                id,
                writes: state.writes.mark(),
                locks: state.locks.len(),
                hooks: state.hooks.len(),
                created: state.created.len(),
                dropped: state.dropped.len(),
                tables: state.tables.clone(),
            });
            Savepoint { id }
        })
    }
    /// How many savepoints are open.
    pub fn depth(&self) -> usize {
        self.with_state(|state| state.levels.len())
    }
    /// Undoes everything since the savepoint - writes, locks, hooks - and keeps the savepoint; inner ones are gone.
    pub fn rollback_to(&self, savepoint: &Savepoint) -> PgResult<()> {
        let mut undo = Vec::new();
        let locks = self.with_state(|state| {
            let Some(at) = state.levels.iter().position(|level| level.id == savepoint.id) else {
                bail!(S_E_INVALID_SPECIFICATION, "savepoint does not exist");
            };
            state.levels.truncate(at + 1);
            let Some(level) = state.levels.last() else { return Ok(Vec::new()) };
            state.writes.rollback(&level.writes);
            undo.extend(state.hooks.drain(level.hooks..));
            state.created.truncate(level.created);
            state.dropped.truncate(level.dropped);
            // Numbers once drawn stay drawn: another table use may not lower `used`, but nothing uses them now.
            state.tables.clone_from(&level.tables);
            Ok(state.locks.split_off(level.locks))
        })?;
        for action in undo.into_iter().rev() {
            if let Hook::Abort(action) = action {
                action();
            }
        }
        for lock in locks.iter().rev() {
            self.manager().locks().release(self.backend().owner, lock, false);
        }
        Ok(())
    }
    /// Forgets the savepoint and the ones inside it; their work is the enclosing level's.
    pub fn release(&self, savepoint: Savepoint) {
        self.with_state(|state| {
            if let Some(at) = state.levels.iter().position(|level| level.id == savepoint.id) {
                state.levels.truncate(at);
            }
        });
    }
}
