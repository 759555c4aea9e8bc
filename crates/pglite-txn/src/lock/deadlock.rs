//! Deadlocks: a cycle in the graph "waits for", found by the one who has waited for `deadlock_timeout`.
//!
//! An edge leads from a waiter to each holder of a conflicting mode, and to each conflicting waiter ahead of it. Only
//! one search runs at a time, so of two sessions in one cycle the second finds it already broken.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, codes};

use super::mode::LockMode;
use super::table::{LockManager, Owner, Waiter};
use super::tag::LockTag;

/// One step of a cycle: who waits, for what, because of whom.
struct Step {
    waiter: Owner,
    tag: LockTag,
    mode: LockMode,
    blocker: Owner,
}

impl LockManager {
    /// 40P01 if the waiter is part of a cycle.
    pub(super) fn check_deadlock(&self, tag: LockTag, waiter: &Arc<Waiter>) -> PgResult<()> {
        let _one_at_a_time = self.deadlock.lock();
        let mut seen = vec![waiter.owner];
        let mut path = Vec::new();
        if !self.reaches(waiter.owner, tag, waiter.mode, waiter.owner, &mut seen, &mut path) {
            return Ok(());
        }
        let error = PgError::new(codes::T_R_DEADLOCK_DETECTED, "deadlock detected")
            .detail(path.iter().map(|step| self.describe(step)).collect::<Vec<_>>().join("\n"))
            .hint("See server log for query details.");
        // Out of the queue while no other search can run, so that nobody else sees this cycle.
        if self.stop_waiting(tag, waiter) { Err(error) } else { Ok(()) }
    }

    /// Whether `target` is reached from `from`'s wait; `path` then holds the steps. Iterative: the graph may be deep.
    fn reaches(
        &self,
        from: Owner,
        tag: LockTag,
        mode: LockMode,
        target: Owner,
        seen: &mut Vec<Owner>,
        path: &mut Vec<Step>,
    ) -> bool {
        struct Frame {
            waiter: Owner,
            tag: LockTag,
            mode: LockMode,
            blockers: Vec<Owner>,
        }
        let mut stack = vec![Frame { waiter: from, tag, mode, blockers: self.blockers(from, tag, mode) }];
        while let Some(frame) = stack.last_mut() {
            let Some(blocker) = frame.blockers.pop() else {
                stack.pop();
                path.pop();
                continue;
            };
            let step = Step { waiter: frame.waiter, tag: frame.tag, mode: frame.mode, blocker };
            if blocker == target {
                path.push(step);
                return true;
            }
            if seen.contains(&blocker) {
                continue;
            }
            seen.push(blocker);
            let Some((tag, mode)) = self.backend(blocker).and_then(|b| *b.waiting.lock()) else { continue };
            path.push(step);
            stack.push(Frame { waiter: blocker, tag, mode, blockers: self.blockers(blocker, tag, mode) });
        }
        false
    }

    /// Whom a waiter waits for.
    pub(super) fn blockers(&self, owner: Owner, tag: LockTag, mode: LockMode) -> Vec<Owner> {
        let shard = self.shard(&tag);
        let Some(entry) = shard.get(&tag) else { return Vec::new() };
        if !entry.waiting().any(|w| w.owner == owner) {
            return Vec::new();
        }
        let holders = entry.holders.iter().filter(|h| h.owner != owner && h.modes() & mode.conflicts() != 0);
        let ahead = entry.waiting().take_while(|w| w.owner != owner).filter(|w| w.mode.conflicts_with(mode));
        let mut blockers: Vec<Owner> = holders.map(|h| h.owner).chain(ahead.map(|w| w.owner)).collect();
        blockers.reverse();
        blockers
    }

    fn describe(&self, step: &Step) -> String {
        let pid = |owner| self.backend(owner).map_or(0, |b| b.pid());
        let (waiter, blocker) = (pid(step.waiter), pid(step.blocker));
        if step.tag.waits_for_transaction() {
            let xid = self.backend(step.blocker).map_or(0, |b| b.shown_xid());
            return format!(
                "Process {waiter} waits for ShareLock on transaction {xid}; blocked by process {blocker}."
            );
        }
        let (mode, tag) = (step.mode.name(), step.tag.describe());
        format!("Process {waiter} waits for {mode} on {tag}; blocked by process {blocker}.")
    }
}
