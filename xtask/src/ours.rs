//! Our server as tests and measurements use it: built, started as its own process, asked who it is, stopped or killed.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::shell::{self, Args};
use crate::wire::{Client, Failure};

/// Builds `pglitedb` under a cargo profile and gives its path.
pub fn build(profile: &str) -> Result<PathBuf> {
    let args = ["build", "--quiet", "--profile", profile, "--package", "pglite-server", "--bin", "pglitedb"];
    shell::run("cargo", &args)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(shell::target_dir()?.join(folder).join("pglitedb"))
}

/// The binary that `--binary PATH` names, or a build under `--profile P`.
pub fn binary(args: &Args, profile: &str) -> Result<PathBuf> {
    match args.value("binary") {
        None => build(args.value("profile").unwrap_or(profile)),
        Some(path) if Path::new(path).is_file() => Ok(path.into()),
        Some(path) => Err(format!("{path}: no such file")),
    }
}

/// A port that nobody listens on.
pub fn free_port() -> Result<u16> {
    let socket = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no free port: {e}"))?;
    Ok(socket.local_addr().map_err(|e| e.to_string())?.port())
}

/// Where the server under test keeps its data.
pub enum Data<'a> {
    Memory,
    Dir(&'a Path),
}

pub struct Server {
    child: Child,
    pub port: u16,
    pub log: PathBuf,
    /// From the start of the process to the answer of the first query.
    pub ready: Duration,
}

impl Server {
    /// Starts the binary and waits for its first answer; what it logs is appended to `log`.
    pub fn start(binary: &Path, data: Data<'_>, port: u16, log: &Path, extra: &[&str]) -> Result<Server> {
        let sink = File::options().create(true).append(true).open(log);
        let sink = sink.map_err(|e| format!("{}: {e}", log.display()))?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]).args(extra);
        match data {
            Data::Memory => command.arg("--memory"),
            Data::Dir(dir) => command.arg("--data-dir").arg(dir),
        };
        let start = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(sink.try_clone().map_err(|e| e.to_string())?)
            .stderr(sink)
            .spawn()
            .map_err(|e| format!("{}: {e}", binary.display()))?;
        let mut server = Server { child, port, log: log.into(), ready: Duration::ZERO };
        let version = server.first_answer(start)?;
        server.ready = start.elapsed();
        if !version.contains("PGLiteDB") {
            return Err(format!("port {port} is answered by \"{version}\", not by PGLiteDB"));
        }
        // Invariant: the answer came from this process, not from another one on the same port.
        match server.ended() {
            None => Ok(server),
            Some(status) => Err(format!("the server ended at its start ({status}): {}", server.last_words())),
        }
    }

    fn first_answer(&mut self, start: Instant) -> Result<String> {
        loop {
            match Client::connect(self.port, "postgres").and_then(|mut c| c.value("SELECT version()")) {
                Ok(version) => return Ok(version),
                Err(failure) => {
                    if let Some(status) = self.ended() {
                        return Err(format!(
                            "the server ended at its start ({status}): {}",
                            self.last_words()
                        ));
                    }
                    if start.elapsed() > Duration::from_secs(60) {
                        return Err(format!("the server does not answer: {failure}"));
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, when it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then waits for the end.
    pub fn stop(&mut self) -> Result<()> {
        let pid = self.pid().to_string();
        shell::succeeds("kill", &["-TERM", &pid]);
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            match self.ended() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    return Err(format!("the server stopped with {status}: {}", self.last_words()));
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        Err("the server does not stop on SIGTERM".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks a server that runs already who it is; only ours is scored.
pub fn identify(port: u16) -> Result<String> {
    let version = Client::connect(port, "postgres").and_then(|mut c| c.value("SELECT version()"));
    let version = version.map_err(|e: Failure| format!("port {port}: {e}"))?;
    if version.contains("PGLiteDB") {
        Ok(version)
    } else {
        Err(format!("the server on port {port} is not PGLiteDB but \"{version}\""))
    }
}
