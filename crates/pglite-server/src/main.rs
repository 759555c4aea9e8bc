//! The binary `pglitedb`: reads the configuration, opens the database, listens, and stops gracefully.

use std::process::ExitCode;
use std::sync::Arc;

use pglite_server::config::{self, Action, Config, Usage};
use pglite_server::{auth, log, server, tls};
use pglite_sql::{Database, OpenError, OpenOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A session about to wait gives its worker up, so that other sessions run on.
struct GiveWorkerUp;

impl pglite_txn::WaitHook for GiveWorkerUp {
    fn block(&self, wait: &mut dyn FnMut()) {
        tokio::task::block_in_place(wait);
    }
}

/// How long a stop waits for sessions to end.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// A failed start: one line and an exit code.
struct Failure(u8, String);

fn main() -> ExitCode {
    match config::load(std::env::args().skip(1), std::env::vars(), read_file) {
        Ok(Action::Help) => {
            print!("{}", config::HELP);
            ExitCode::SUCCESS
        }
        Ok(Action::Version) => {
            println!(
                "pglitedb {} (PostgreSQL {} compatible)",
                env!("CARGO_PKG_VERSION"),
                pglite_sql::SERVER_VERSION
            );
            ExitCode::SUCCESS
        }
        Ok(Action::Serve(config)) => match run(*config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure(code, message)) => fail(code, &message),
        },
        Err(Usage(message)) => fail(2, &message),
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    eprintln!("pglitedb: {message}");
    ExitCode::from(code)
}

#[allow(clippy::disallowed_methods)] // Why: start-up reads the user's configuration files, not the database's.
fn read_file(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("could not read \"{path}\": {e}"))
}

fn run(config: Config) -> Result<(), Failure> {
    let usage = |m: String| Failure(2, m);
    let rules = match &config.hba_file {
        None => auth::hba::Rules::default(),
        Some(path) => {
            let text = read_file(&path.to_string_lossy()).map_err(usage)?;
            auth::hba::Rules::parse(&text).map_err(|e| Failure(2, format!("{}: {e}", path.display())))?
        }
    };
    let tls = match &config.tls {
        None => None,
        Some((cert, key)) => Some(tls::load(cert, key).map_err(usage)?),
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_name("worker").thread_stack_size(8 << 20);
    // Why no more than cores: idle workers look for work in vain. A statement that takes long gives its worker up.
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    builder.worker_threads(if config.workers > 0 { config.workers } else { cores.max(2) });
    let runtime = builder.build().map_err(|e| Failure(1, format!("could not start worker threads: {e}")))?;
    let listeners = runtime
        .block_on(server::bind(&config))
        .map_err(|(what, e)| Failure(3, format!("could not listen on \"{what}\": {e}")))?;
    let database = open(&config)?;
    let shared = Arc::new(server::Shared::new(database, config, rules, tls));
    server::keep_polling(&shared, runtime.handle().clone());
    announce(&shared, &listeners);
    runtime.block_on(async {
        server::accept(shared.clone(), listeners, stop_signal()).await;
        log::info("stopping");
        if !server::drain(&shared, DRAIN).await {
            log::warn("some sessions did not end in time");
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    shared
        .database
        .checkpoint()
        .map_err(|e| Failure(1, format!("could not write checkpoint: {}", e.message())))?;
    log::info("stopped");
    Ok(())
}

fn open(config: &Config) -> Result<Database, Failure> {
    let password = match &config.password_file {
        None => None,
        Some(path) => {
            let text = read_file(&path.to_string_lossy()).map_err(|m| Failure(2, m))?;
            Some(text.lines().next().unwrap_or("").to_string())
        }
    };
    let options = OpenOptions {
        superuser: config.superuser.clone(),
        superuser_password: password,
        memory_budget: config.memory_budget_mb << 20,
        fsync: config.fsync,
        exit_on_fatal: true,
        settings: config.settings.clone(),
    };
    let opened = Database::open_hooked(config.data_dir.as_deref(), options, Arc::new(GiveWorkerUp));
    opened.map_err(|e| match e {
        OpenError::Locked(m) | OpenError::Foreign(m) => Failure(4, m),
        OpenError::Setting(m) => Failure(2, m),
        OpenError::Failed(e) => Failure(1, e.message().to_string()),
    })
}

fn announce(shared: &server::Shared, listeners: &server::Listeners) {
    for listener in &listeners.tcp {
        if let Ok(a) = listener.local_addr() {
            let host = if a.ip().is_unspecified() { "127.0.0.1".to_string() } else { a.ip().to_string() };
            log::info(&format!("listening address={a}"));
            log::info(&format!(
                "ready: psql -h {host} -p {} -U {} postgres",
                a.port(),
                shared.config.superuser
            ));
        }
    }
    if let Some((_, path)) = &listeners.unix {
        log::info(&format!("listening socket={}", path.display()));
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
