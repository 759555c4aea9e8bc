//! Who takes the queue through the pipeline: one leader at a time.
//!
//! A committer that blocks leads its group itself if nobody leads yet, and then wakes one that waits in the queue to
//! lead the next. A committer that must not block (a server's task) leaves its commit to the thread `pglite-commit`.
//! Without threads the committer leads at once.
//!
//! Why the lead is offered and not handed over: on a busy machine it takes a time slice until the one who was woken
//! runs. Whoever comes before him leads.
//!
//! Invariant: `leading` is set while exactly one thread leads. If it is not and the queue is not empty, a committer that
//! sleeps in it or the pipeline thread has been woken and has not looked yet.
//!
//! Lock order: `work` before `queue` before a ticket's state.

use super::CommitTicket;
use super::pipeline::{Done, Finish, Pending, Pipeline, Queue};
use super::ticket::{TicketState, Woken};
use crate::batch::WriteBatch;
use crate::table::TableMeta;
use crate::types::Timestamp;
use parking_lot::MutexGuard;
use pglite_error::{PgError, PgResult};
use std::sync::Arc;
use std::time::Duration;

/// Asynchronous commits reach the disk after at most about this time.
pub(super) const LAZY_SYNC: Duration = Duration::from_millis(200);

/// A commit on its way into the queue.
pub(super) struct Submission {
    pub(super) batch: WriteBatch,
    /// Durable tables that become visible with the commit.
    pub(super) tables: Vec<TableMeta>,
    pub(super) sync: bool,
    pub(super) finish: Option<Finish>,
}

impl Pipeline {
    /// Queues a commit; without a pipeline thread, takes it through at once.
    pub(super) fn submit(self: &Arc<Pipeline>, submission: Submission) -> PgResult<CommitTicket> {
        let Submission { batch, tables, sync, finish } = submission;
        let ticket = Arc::new(TicketState::default());
        let (ts, lead) = {
            let mut queue = self.queue.lock();
            if let Some(error) = &queue.fatal {
                let error = error.clone();
                drop(queue);
                return Err(refuse(finish, error));
            }
            let ts = queue.next_ts;
            queue.next_ts += 1;
            queue.pending.push(Pending { ts, batch, tables, sync, finish, ticket: ticket.clone() });
            let lead = !self.threaded && !queue.leading;
            queue.leading |= lead;
            (ts, lead)
        };
        if lead {
            self.lead_all();
        }
        Ok(CommitTicket::new(Timestamp(ts), ticket, self.clone()))
    }

    /// Sees to it that commit `ts` is taken further by the pipeline thread, if nobody else does.
    pub(super) fn kick(&self, ts: u64) {
        if !self.threaded || self.published().0 >= ts {
            return;
        }
        let mut queue = self.queue.lock();
        if !queue.leading && !queue.turn && queue.taken < ts {
            queue.turn = true;
            drop(queue);
            self.wake.notify_one();
        }
    }

    /// Brings commit `ts` to its end, as a leader or as one of a group.
    pub(super) fn wait(&self, ts: u64, ticket: &TicketState) -> PgResult<()> {
        loop {
            if self.take_lead(ts) {
                self.lead();
            }
            if let Woken::Done(outcome) = ticket.sleep() {
                return outcome;
            }
        }
    }

    fn take_lead(&self, ts: u64) -> bool {
        let mut queue = self.queue.lock();
        let lead = self.threaded && !queue.leading && queue.taken < ts;
        queue.leading |= lead;
        lead
    }

    /// Takes one group through, then offers the lead to a committer that waits, or to the pipeline thread.
    fn lead(&self) {
        let (mut queue, done) = self.lead_group();
        queue.leading = false;
        let pending = &queue.pending;
        if pending.is_empty() {
            if queue.stop {
                self.wake.notify_one();
            }
        } else if !pending.iter().any(|pending| pending.ticket.offer_lead()) {
            queue.turn = true;
            self.wake.notify_one();
        }
        drop(queue);
        tell(done);
    }

    /// Takes groups through until the queue is empty.
    fn lead_all(&self) {
        loop {
            let (mut queue, done) = self.lead_group();
            let last = queue.pending.is_empty();
            if last {
                queue.leading = false;
            }
            drop(queue);
            tell(done);
            if last {
                return;
            }
        }
    }

    /// Takes what is queued through, and leaves it to the caller to tell the committers.
    ///
    /// Why later: waking them takes a while, and the next group need not wait for it.
    ///
    /// Why no waiting for more: giving the processor away until the last group's committers are back makes groups
    /// twice as large on an idle machine, but costs a time slice for each group on a busy one.
    fn lead_group(&self) -> (MutexGuard<'_, Queue>, Vec<Done>) {
        let broken = Broken(self);
        let (dirty, done) = {
            let mut work = self.work.lock();
            let dirty = self.process(&mut work);
            (dirty, std::mem::take(&mut work.done))
        };
        std::mem::forget(broken);
        let mut queue = self.queue.lock();
        if dirty && !queue.dirty {
            // The thread's sleep gets an end.
            self.wake.notify_one();
        }
        queue.dirty = dirty;
        (queue, done)
    }

    /// The body of the pipeline thread.
    pub(super) fn run(&self) {
        while self.await_turn() {
            self.lead_all();
        }
    }

    /// Sleeps until it is the thread's turn to lead; syncs what asynchronous commits left. False: the store closes.
    fn await_turn(&self) -> bool {
        let mut queue = self.queue.lock();
        loop {
            let turn = std::mem::take(&mut queue.turn);
            if (turn || queue.stop) && !queue.leading {
                if !queue.pending.is_empty() {
                    queue.leading = true;
                    return true;
                }
                if queue.stop {
                    return false;
                }
            }
            if !queue.dirty {
                self.wake.wait(&mut queue);
            } else if self.wake.wait_for(&mut queue, LAZY_SYNC).timed_out() {
                queue.dirty = false;
                drop(queue);
                self.lazy_sync();
                queue = self.queue.lock();
            }
        }
    }
}

/// Tells committers the outcome.
fn tell(done: Vec<Done>) {
    for (ticket, outcome) in done {
        ticket.complete(outcome);
    }
}

/// Runs the finish of a commit that is not even queued.
pub(super) fn refuse(finish: Option<Finish>, error: PgError) -> PgError {
    if let Some(finish) = finish {
        finish(&Err(error.clone()));
    }
    error
}

/// A leader that panics leaves the log in an unknown state: nothing is acknowledged any more.
struct Broken<'a>(&'a Pipeline);

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        self.0.fail(&PgError::internal("the commit pipeline has failed"));
    }
}
