//! A commit under way, as its committer sees it.
//!
//! Invariant: the outcome is set once, after the commit's finish has run.

use super::pipeline::Pipeline;
use crate::types::Timestamp;
use parking_lot::{Condvar, Mutex};
use pglite_error::PgResult;
use std::fmt;
use std::sync::Arc;
use std::task::{Poll, Waker};

type Callback = Box<dyn FnOnce(PgResult<()>) + Send>;

#[derive(Default)]
struct Progress {
    outcome: Option<PgResult<()>>,
    /// Threads that sleep on `done`.
    sleepers: u32,
    /// One of them may lead the next group.
    lead: bool,
    waker: Option<Waker>,
    callback: Option<Callback>,
}

#[derive(Default)]
pub(super) struct TicketState {
    progress: Mutex<Progress>,
    done: Condvar,
}

/// Why a committer was woken.
pub(super) enum Woken {
    Done(PgResult<()>),
    /// Nobody leads any more: this committer may, if he is the first.
    Lead,
}

impl TicketState {
    pub(super) fn complete(&self, outcome: PgResult<()>) {
        let mut progress = self.progress.lock();
        let (waker, callback) = (progress.waker.take(), progress.callback.take());
        let sleepers = progress.sleepers > 0;
        progress.outcome = Some(outcome.clone());
        drop(progress);
        if sleepers {
            self.done.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(callback) = callback {
            callback(outcome);
        }
    }

    /// Wakes a thread that sleeps on this ticket to lead, if there is one.
    pub(super) fn offer_lead(&self) -> bool {
        let mut progress = self.progress.lock();
        if progress.sleepers == 0 || progress.outcome.is_some() {
            return false;
        }
        progress.lead = true;
        self.done.notify_one();
        true
    }

    /// Sleeps until the outcome is there or this thread is to lead.
    pub(super) fn sleep(&self) -> Woken {
        let mut progress = self.progress.lock();
        loop {
            if let Some(outcome) = &progress.outcome {
                return Woken::Done(outcome.clone());
            }
            if std::mem::take(&mut progress.lead) {
                return Woken::Lead;
            }
            progress.sleepers += 1;
            self.done.wait(&mut progress);
            progress.sleepers -= 1;
        }
    }

    fn outcome(&self) -> Option<PgResult<()>> {
        self.progress.lock().outcome.clone()
    }
}

/// A commit under way. It is taken further when somebody waits for it, polls it or drops the ticket, so that a
/// committer that blocks can do the group's work itself.
#[must_use = "a commit is done only when its ticket says so"]
pub struct CommitTicket {
    ts: Timestamp,
    state: Arc<TicketState>,
    pipeline: Arc<Pipeline>,
}

impl CommitTicket {
    pub(super) fn new(ts: Timestamp, state: Arc<TicketState>, pipeline: Arc<Pipeline>) -> CommitTicket {
        CommitTicket { ts, state, pipeline }
    }
    /// The commit's timestamp, known at once.
    pub fn ts(&self) -> Timestamp {
        self.ts
    }
    /// The outcome, if it is there already.
    pub fn poll(&self) -> Option<PgResult<()>> {
        let outcome = self.state.outcome();
        if outcome.is_none() {
            self.pipeline.kick(self.ts.0);
        }
        outcome
    }
    /// For futures: the outcome, or `waker` is woken when it is there. The last waker counts.
    pub fn poll_with(&self, waker: &Waker) -> Poll<PgResult<()>> {
        let mut progress = self.state.progress.lock();
        if let Some(outcome) = &progress.outcome {
            return Poll::Ready(outcome.clone());
        }
        match &mut progress.waker {
            Some(old) => old.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        drop(progress);
        self.pipeline.kick(self.ts.0);
        Poll::Pending
    }
    /// Waits for the outcome, or brings it about: if nobody leads a group, this thread does.
    pub fn wait(&self) -> PgResult<()> {
        self.pipeline.wait(self.ts.0, &self.state)
    }
    /// Calls back with the outcome, at once if it is there already. The call comes from whoever leads the group: it
    /// must be short and must not commit.
    pub fn on_done(self, callback: Box<dyn FnOnce(PgResult<()>) + Send>) {
        let mut progress = self.state.progress.lock();
        match progress.outcome.clone() {
            Some(outcome) => {
                drop(progress);
                callback(outcome);
            }
            // Dropping the ticket sets the pipeline going.
            None => progress.callback = Some(callback),
        }
    }
}

impl Drop for CommitTicket {
    fn drop(&mut self) {
        self.pipeline.kick(self.ts.0);
    }
}

impl fmt::Debug for CommitTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitTicket").field("ts", &self.ts).finish_non_exhaustive()
    }
}
