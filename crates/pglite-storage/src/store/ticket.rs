//! A commit under way, as its committer sees it.

use crate::types::Timestamp;
use parking_lot::{Condvar, Mutex};
use pglite_error::PgResult;
use std::fmt;
use std::sync::Arc;

type Callback = Box<dyn FnOnce(PgResult<()>) + Send>;

#[derive(Default)]
enum Progress {
    #[default]
    Pending,
    Called(Callback),
    Waited,
    Done(PgResult<()>),
    Taken,
}

#[derive(Default)]
pub(super) struct TicketState {
    progress: Mutex<Progress>,
    done: Condvar,
}

impl TicketState {
    pub(super) fn complete(&self, result: PgResult<()>) {
        let mut progress = self.progress.lock();
        match std::mem::replace(&mut *progress, Progress::Taken) {
            Progress::Called(callback) => {
                drop(progress);
                callback(result);
            }
            before => {
                *progress = Progress::Done(result);
                if matches!(before, Progress::Waited) {
                    self.done.notify_one();
                }
            }
        }
    }
}

/// A commit under way.
#[must_use = "a commit is done only when its ticket says so"]
pub struct CommitTicket {
    ts: Timestamp,
    state: Arc<TicketState>,
}

impl CommitTicket {
    pub(super) fn new(ts: Timestamp, state: Arc<TicketState>) -> CommitTicket {
        CommitTicket { ts, state }
    }
    /// The commit's timestamp, known at once.
    pub fn ts(&self) -> Timestamp {
        self.ts
    }
    /// The outcome, if it is there already.
    pub fn poll(&self) -> Option<PgResult<()>> {
        match &*self.state.progress.lock() {
            Progress::Done(result) => Some(result.clone()),
            _ => None,
        }
    }
    /// Waits for the outcome.
    pub fn wait(self) -> PgResult<()> {
        let mut progress = self.state.progress.lock();
        loop {
            match std::mem::replace(&mut *progress, Progress::Waited) {
                Progress::Done(result) => {
                    *progress = Progress::Taken;
                    return result;
                }
                _ => self.state.done.wait(&mut progress),
            }
        }
    }
    /// Calls back with the outcome, at once if it is there already. The call comes from the commit pipeline: it must
    /// be short and must not commit.
    pub fn on_done(self, callback: Box<dyn FnOnce(PgResult<()>) + Send>) {
        let mut progress = self.state.progress.lock();
        match std::mem::replace(&mut *progress, Progress::Taken) {
            Progress::Done(result) => {
                drop(progress);
                callback(result);
            }
            _ => *progress = Progress::Called(callback),
        }
    }
}

impl fmt::Debug for CommitTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitTicket").field("ts", &self.ts).finish_non_exhaustive()
    }
}
