//! `Slot`: a session as other sessions see it - who it is, what it runs, how to cancel, terminate or wake it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use pglite_error::{PgError, Severity, codes};
use pglite_txn::Backend;
use pglite_types::Oid;

/// The changing part, as pg_stat_activity shows it. Times are microseconds since 2000-01-01.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    pub state: &'static str,
    pub query: Arc<str>,
    pub query_start: i64,
    pub state_change: i64,
    pub xact_start: Option<i64>,
    pub application_name: Arc<str>,
    pub user: Oid,
}

/// Where a session's client is, and how it is connected.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    /// None: a Unix socket, or in this process.
    pub address: Option<String>,
    /// -1: a Unix socket; None: in this process.
    pub port: Option<i32>,
    pub tls: Option<TlsInfo>,
}

/// What TLS agreed on, as pg_stat_ssl shows it.
#[derive(Clone, Debug)]
pub struct TlsInfo {
    pub version: &'static str,
    pub cipher: String,
    pub bits: i32,
}

pub struct Slot {
    pub pid: u32,
    pub secret: Vec<u8>,
    pub database: Oid,
    pub database_name: String,
    pub client: ClientInfo,
    pub backend_start: i64,
    pub backend: Arc<Backend>,
    pub activity: Mutex<Activity>,
    /// Notifications that arrived: (sender pid, channel, payload).
    pub inbox: Mutex<Vec<(u32, String, String)>>,
    terminated: AtomicBool,
    wake: Wake,
}

impl Slot {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        pid: u32,
        secret: Vec<u8>,
        database: Oid,
        database_name: String,
        client: ClientInfo,
        backend_start: i64,
        backend: Arc<Backend>,
    ) -> Slot {
        Slot {
            pid,
            secret,
            database,
            database_name,
            client,
            backend_start,
            backend,
            activity: Mutex::default(),
            inbox: Mutex::default(),
            terminated: AtomicBool::new(false),
            wake: Wake::default(),
        }
    }

    pub fn cancel(&self) {
        self.backend.cancel_token().cancel();
    }

    /// pg_terminate_backend, or the server stopping: the running statement ends, then the session.
    pub fn terminate(&self) {
        self.terminated.store(true, Ordering::Release);
        self.backend.cancel_token().cancel_with(termination());
        self.wake.wake();
    }

    pub fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::Acquire)
    }

    pub fn notify(&self, pid: u32, channel: &str, payload: &str) {
        self.inbox.lock().push((pid, channel.to_string(), payload.to_string()));
        self.wake.wake();
    }

    /// Resolves when the session has something to say without being asked.
    pub fn woken(self: &Arc<Slot>) -> Woken {
        Woken(self.clone())
    }
}

/// 57P01, as a terminated session reports it.
pub fn termination() -> PgError {
    PgError::new(codes::ADMIN_SHUTDOWN, "terminating connection due to administrator command")
        .severity(Severity::Fatal)
}

#[derive(Default)]
struct Wake {
    flag: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Wake {
    fn wake(&self) {
        self.flag.store(true, Ordering::Release);
        if let Some(w) = self.waker.lock().take() {
            w.wake();
        }
    }
}

/// See [`Slot::woken`].
pub struct Woken(Arc<Slot>);

impl Future for Woken {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let wake = &self.0.wake;
        *wake.waker.lock() = Some(cx.waker().clone());
        if wake.flag.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }
}
