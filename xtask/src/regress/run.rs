//! One file of the suite through a real psql, with a limit that does not depend on how busy the machine is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::{proc, shell};

pub struct Psql {
    pub program: PathBuf,
    pub suite: PathBuf,
    /// Where `results/NAME.out` goes; absolute.
    pub out: PathBuf,
    pub port: u16,
    /// Of the server, when it was started here.
    pub server: Option<u32>,
    pub limit: Limit,
}

/// When a file is cut off: after so many seconds of the server's own CPU time, or of waiting for nothing that runs.
///
/// Why not the wall clock: on a shared machine it measures the neighbours. A server that is not ours to look at (no
/// process id) is judged by the clock all the same.
#[derive(Clone, Copy)]
pub struct Limit {
    pub seconds: f64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum End {
    Finished,
    /// The server used up its CPU time on the file.
    TimedOut,
    /// Nothing ran any more and the file did not end.
    Stuck,
}

impl Psql {
    /// Runs the file and leaves what psql printed in `results`.
    pub fn run(&self, test: &str, sql: &Path) -> Result<End> {
        let result = self.result(test);
        let file = File::create(&result).map_err(|e| format!("{}: {e}", result.display()))?;
        let input = File::open(sql).map_err(|e| format!("{}: {e}", sql.display()))?;
        let mut child = Command::new(&self.program)
            .args(["-X", "-a", "-q", "-d", "regression"])
            .args(["-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"])
            .env_remove("PGDATABASE")
            .envs([
                ("PGTZ", "America/Los_Angeles"),
                ("PGDATESTYLE", "Postgres, MDY"),
                ("LC_MESSAGES", "C"),
                ("LANG", "C"),
                ("LC_ALL", "C"),
                ("PGOPTIONS", "-c intervalstyle=postgres_verbose"),
                ("PG_LIBDIR", "/nonexistent"),
                ("PG_DLSUFFIX", ".so"),
                ("PGCONNECT_TIMEOUT", "5"),
                ("PGHOST", "127.0.0.1"),
                ("PGUSER", "postgres"),
            ])
            .env("PGPORT", self.port.to_string())
            .env("PG_ABS_SRCDIR", &self.suite)
            .env("PG_ABS_BUILDDIR", &self.out)
            .env("PGAPPNAME", format!("pg_regress/{test}"))
            .current_dir(&self.out)
            .stdin(input)
            .stdout(file.try_clone().map_err(|e| e.to_string())?)
            .stderr(file)
            .spawn()
            .map_err(|e| format!("{}: {e}", self.program.display()))?;
        let mut watch = Watch::new(self.server, child.id(), self.limit);
        loop {
            if child.try_wait().map_err(|e| e.to_string())?.is_some() {
                return Ok(End::Finished);
            }
            if let Some(end) = watch.look() {
                // What counts is what psql had written by now, as if it had been killed at once.
                let written = result.metadata().map_err(|e| e.to_string())?.len();
                // The interrupt makes psql cancel its statement, which must not slow the next file down.
                shell::succeeds("kill", &["-INT", &child.id().to_string()]);
                let patience = Instant::now() + Duration::from_secs(3);
                while Instant::now() < patience && child.try_wait().is_ok_and(|c| c.is_none()) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                let _ = child.kill();
                let _ = child.wait();
                let cut = File::options().write(true).open(&result).and_then(|f| f.set_len(written));
                return cut.map(|()| end).map_err(|e| format!("{}: {e}", result.display()));
            }
        }
    }

    pub fn result(&self, test: &str) -> PathBuf {
        self.out.join("results").join(format!("{test}.out"))
    }

    /// Runs one statement in the database `postgres` through psql.
    pub fn statement(&self, sql: &str) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(["-X", "-At", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres"]);
        command.args(["-d", "postgres", "-c", sql]).stdin(Stdio::null());
        shell::capture(&mut command)
    }
}

/// Watches a file run.
struct Watch {
    server: Option<u32>,
    client: u32,
    limit: Limit,
    cpu: f64,
    idle: Duration,
    last: Instant,
    pause: Duration,
}

impl Watch {
    fn new(server: Option<u32>, client: u32, limit: Limit) -> Watch {
        let cpu = server.map_or(0.0, proc::cpu);
        let (last, pause) = (Instant::now(), Duration::from_millis(2));
        Watch { server, client, limit, cpu, idle: Duration::ZERO, last, pause }
    }

    /// Waits a moment, then says whether the file has had its share.
    fn look(&mut self) -> Option<End> {
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(Duration::from_millis(50));
        let passed = self.last.elapsed();
        self.last = Instant::now();
        let busy = self.server.is_some_and(proc::is_busy) || proc::is_busy(self.client);
        if !busy {
            self.idle += passed;
        }
        if self.server.is_some_and(|s| proc::cpu(s) - self.cpu > self.limit.seconds) {
            return Some(End::TimedOut);
        }
        (self.idle.as_secs_f64() > self.limit.seconds).then_some(End::Stuck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinning_server_is_timed_out_and_a_silent_one_is_stuck() {
        let limit = Limit { seconds: 0.2 };
        let judge = |script: &str| {
            let mut child = Command::new("sh").args(["-c", script]).spawn().expect("sh");
            let mut watch = Watch::new(Some(child.id()), child.id(), limit);
            let end = loop {
                if let Some(end) = watch.look() {
                    break end;
                }
            };
            let _ = child.kill();
            let _ = child.wait();
            end
        };
        assert_eq!(judge("while :; do :; done"), End::TimedOut);
        assert_eq!(judge("exec sleep 60"), End::Stuck);
    }
}
