//! Listeners, and what all connections share.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pglite_sql::Database;
use tokio::net::{TcpListener, UnixListener};

use crate::auth::hba::{Peer, Rules};
use crate::config::Config;
use crate::connection;
use crate::stream::Stream;
use crate::tls::Tls;

pub struct Shared {
    pub database: Database,
    pub config: Config,
    pub rules: Rules,
    pub tls: Option<Tls>,
    pub mock_seed: Vec<u8>,
    sessions: AtomicUsize,
    /// Messages being handled right now.
    busy: AtomicUsize,
}

/// Counts a message being handled, for as long as it lives.
pub struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub fn new(database: Database, config: Config, rules: Rules, tls: Option<Tls>) -> Shared {
        let mock_seed = crate::auth::login::mock_seed();
        Shared {
            database,
            config,
            rules,
            tls,
            mock_seed,
            sessions: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
        }
    }
    pub fn busy(&self) -> Busy<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(&self.busy)
    }
    /// Connections being served, this one included.
    pub fn session_count(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }
}

/// What to listen on.
#[derive(Default)]
pub struct Listeners {
    pub tcp: Vec<TcpListener>,
    pub unix: Option<(UnixListener, PathBuf)>,
}

/// Binds the addresses of `listen` (HOST:PORT, HOST may be `*` or a name) and the Unix socket.
pub async fn bind(config: &Config) -> Result<Listeners, (String, io::Error)> {
    let mut listeners = Listeners::default();
    let mut port = 5432;
    if let Some(listen) = &config.listen {
        let address =
            listen.strip_prefix('*').map_or_else(|| listen.clone(), |rest| format!("0.0.0.0{rest}"));
        let fail = |e| (listen.clone(), e);
        let mut last = None;
        for a in tokio::net::lookup_host(&address).await.map_err(fail)? {
            match TcpListener::bind(a).await {
                Ok(l) => {
                    port = l.local_addr().map_or(port, |a| a.port());
                    listeners.tcp.push(l);
                }
                Err(e) => last = Some(e),
            }
        }
        if listeners.tcp.is_empty() {
            return Err((listen.clone(), last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())));
        }
    }
    if let Some(dir) = &config.socket_dir {
        let path = dir.join(format!(".s.PGSQL.{port}"));
        let fail = |e| (path.display().to_string(), e);
        if path.exists() && tokio::net::UnixStream::connect(&path).await.is_err() {
            remove_socket(&path);
        }
        listeners.unix = Some((UnixListener::bind(&path).map_err(fail)?, path));
    }
    Ok(listeners)
}

#[allow(clippy::disallowed_methods)] // Why: the socket file is the server's own, not the database's.
pub fn remove_socket(path: &std::path::Path) {
    let _ = std::fs::remove_file(path);
}

/// Keeps the sockets served while statements run.
///
/// Why: the worker that polls the sockets also runs what arrives. While a long statement holds it, the others sleep and
/// nobody polls; a task from outside wakes one of them, and it takes the polling over.
#[allow(clippy::disallowed_methods)] // Why: outside the runtime is the point.
pub fn keep_polling(shared: &Arc<Shared>, runtime: tokio::runtime::Handle) {
    const WHILE_BUSY: std::time::Duration = std::time::Duration::from_millis(10);
    const WHILE_IDLE: std::time::Duration = std::time::Duration::from_millis(50);
    let shared = Arc::downgrade(shared);
    let started = std::thread::Builder::new().name("wake".into()).spawn(move || {
        while let Some(s) = shared.upgrade() {
            let busy = s.busy.load(Ordering::Relaxed) > 0;
            drop(s);
            if busy {
                drop(runtime.spawn(async {}));
            }
            std::thread::sleep(if busy { WHILE_BUSY } else { WHILE_IDLE });
        }
    });
    if let Err(e) = started {
        crate::log::warn(&format!("could not start the wake thread: {e}"));
    }
}

/// Accepts until `stop` resolves.
pub async fn accept(shared: Arc<Shared>, listeners: Listeners, stop: impl Future<Output = ()>) {
    let unix_path = listeners.unix.as_ref().map(|(_, p)| p.clone());
    let mut tasks = tokio::task::JoinSet::new();
    for listener in listeners.tcp {
        tasks.spawn(accept_tcp(shared.clone(), listener));
    }
    if let Some((listener, _)) = listeners.unix {
        tasks.spawn(accept_unix(shared.clone(), listener));
    }
    stop.await;
    tasks.shutdown().await;
    if let Some(path) = unix_path {
        remove_socket(&path);
    }
}

/// Ends all sessions, and waits until each has told its client; false: some did not end within `patience`.
pub async fn drain(shared: &Shared, patience: std::time::Duration) -> bool {
    shared.database.shutdown();
    let ended = async {
        while shared.session_count() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(patience, ended).await.is_ok()
}

async fn accept_tcp(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((socket, address)) => {
                let _ = socket.set_nodelay(true);
                let _ = socket2::SockRef::from(&socket).set_keepalive(true);
                let peer = Peer {
                    address: Some(address.ip().to_canonical()),
                    port: Some(address.port()),
                    tls: false,
                };
                spawn(shared.clone(), Stream::Tcp(socket), peer);
            }
            Err(e) => pause_after(&e).await,
        }
    }
}

async fn accept_unix(shared: Arc<Shared>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                spawn(shared.clone(), Stream::Unix(socket), Peer { address: None, port: None, tls: false })
            }
            Err(e) => pause_after(&e).await,
        }
    }
}

/// Out of descriptors: wait for some to come back instead of spinning.
async fn pause_after(error: &io::Error) {
    crate::log::warn(&format!("could not accept connection: {error}"));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

fn spawn(shared: Arc<Shared>, stream: Stream, peer: Peer) {
    tokio::spawn(async move {
        shared.sessions.fetch_add(1, Ordering::Relaxed);
        connection::serve(shared.clone(), stream, peer).await;
        shared.sessions.fetch_sub(1, Ordering::Relaxed);
    });
}
