//! `Session`: what the server and embedders call - simple and extended queries, prepared statements, portals.

mod extended;
mod simple;

use std::future::Future;
use std::sync::Arc;

use pglite_commands::Client;
use pglite_error::{PgError, PgResult, Severity};
use pglite_types::Oid;

use crate::core::{Block, Core};
use crate::database::Database;
use crate::portal::Portals;
use crate::settings::{REPORTED, Settings};
use crate::slot::{self, Slot};

pub use extended::ExecuteOutcome;

/// One client's session. Used by one thread at a time.
pub struct Session {
    pub(crate) core: Box<Core>,
    reported: Vec<Arc<str>>,
    reported_version: u64,
}

impl Session {
    pub(crate) fn new(
        database: Database,
        slot: Arc<Slot>,
        user: Oid,
        settings: Settings,
        client: &mut dyn Client,
    ) -> PgResult<Session> {
        let core = Box::new(Core::new(database, slot, user, settings)?);
        {
            let mut a = core.slot.activity.lock();
            a.user = user;
            a.state = "idle";
            a.application_name = core.settings.borrow().get("application_name").unwrap_or_else(|| "".into());
        }
        core.send_notices(client);
        Ok(Session { core, reported: Vec::new(), reported_version: u64::MAX })
    }

    /// Process id and key for cancel requests.
    pub fn cancel_key(&self) -> (u32, &[u8]) {
        (self.core.slot.pid, &self.core.slot.secret)
    }

    /// I, T or E.
    pub fn transaction_status(&self) -> u8 {
        match self.core.block.get() {
            Block::Idle | Block::Implicit => b'I',
            Block::Explicit => b'T',
            Block::Failed => b'E',
        }
    }

    /// `client_min_messages`.
    pub fn client_min_messages(&self) -> Severity {
        self.core.settings.borrow().hot().client_min_messages
    }

    /// Tells the client all reported settings that changed since the last call.
    pub fn report_parameters(&mut self, client: &mut dyn Client) {
        let settings = self.core.settings.borrow();
        if self.reported_version == settings.version() {
            return;
        }
        self.reported_version = settings.version();
        let first = self.reported.is_empty();
        for (i, name) in REPORTED.iter().enumerate() {
            let value = settings.get(name).unwrap_or_else(|| "".into());
            if first {
                self.reported.push(value.clone());
            } else if self.reported[i] == value {
                continue;
            } else {
                self.reported[i] = value.clone();
            }
            client.parameter_status(name, &value);
        }
    }

    /// Marks the transaction as the error demands. Notices raised before it were sent already.
    pub fn fail(&mut self, _error: &PgError) {
        self.core.fail();
    }

    /// Resolves when [`idle_work`](Self::idle_work) has something to do.
    pub fn wake(&self) -> impl Future<Output = ()> + Send + use<> {
        self.core.slot.woken()
    }

    /// Between statements: delivers notifications, reports settings, notices a termination.
    pub fn idle_work(&mut self, client: &mut dyn Client) -> PgResult<()> {
        if self.core.slot.is_terminated() {
            return Err(slot::termination());
        }
        if matches!(self.core.block.get(), Block::Idle) {
            let inbox = std::mem::take(&mut *self.core.slot.inbox.lock());
            let listening = self.core.listening.borrow();
            for (pid, channel, payload) in inbox.iter().filter(|(_, c, _)| listening.contains(c)) {
                client.notification(*pid, channel, payload);
            }
        }
        self.report_parameters(client);
        let mut a = self.core.slot.activity.lock();
        a.state = match self.core.block.get() {
            Block::Idle | Block::Implicit => "idle",
            Block::Explicit => "idle in transaction",
            Block::Failed => "idle in transaction (aborted)",
        };
        Ok(())
    }

    /// Ends the session: rolls back, frees locks.
    pub fn close(&mut self) {
        self.core.portals.borrow_mut().clear();
        self.core.abort();
        self.core.block.set(Block::Idle);
        crate::temp::drop_all(&self.core);
        self.core.shared().sessions.lock().remove(&self.core.slot.pid);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

impl Core {
    /// After an error: an explicit block fails, an implicit transaction is rolled back.
    pub fn fail(&self) {
        Portals::fail_active(self);
        match self.block.get() {
            Block::Explicit | Block::Failed => {
                self.abort_to_savepoint();
                self.block.set(Block::Failed);
            }
            Block::Idle | Block::Implicit => {
                self.portals.borrow_mut().drop_transaction();
                self.abort();
                self.block.set(Block::Idle);
            }
        }
    }
}
