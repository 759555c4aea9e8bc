//! Tab completion: psql runs on a pseudo-terminal (`script`), TAB is pressed at each prompt of `completion.txt`, and a
//! proxy notes the queries that psql sends. None may fail.
//!
//! Why a psql apart: the portable build that the other commands use has no line editing.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::DATABASE;
use super::proxy::Proxy;
use crate::Result;
use crate::shell;

/// No completion takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A psql with line editing: the one named, or the newest that is installed.
fn psql(named: Option<&str>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.into());
    }
    let newest = || {
        let list = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let found = list.flatten().map(|d| d.path().join("bin/psql")).filter(|p| p.is_file());
        found.max_by_key(|p| version(p))
    };
    if let Some(found) = newest() {
        return Ok(found);
    }
    shell::install(&["postgresql-client"])?;
    newest().ok_or_else(|| "no psql with line editing: name one with --completion PATH".into())
}

fn version(psql: &Path) -> Option<u32> {
    psql.ancestors().nth(2)?.file_name()?.to_str()?.parse().ok()
}

struct Terminal {
    child: Child,
    keys: ChildStdin,
}

impl Terminal {
    fn open(psql: &Path, port: u16) -> Result<Terminal> {
        let command = format!(
            "stty columns 200 rows 60; exec {} -X -h 127.0.0.1 -p {port} -U postgres -d {DATABASE}",
            psql.display()
        );
        let mut child = Command::new("script")
            .args(["-q", "-e", "-c", &command, "/dev/null"])
            .env("PGSSLMODE", "disable")
            .env("PGGSSENCMODE", "disable")
            .env("TERM", "dumb")
            .env("PSQL_PAGER", "cat")
            .env("PSQL_HISTORY", "/dev/null")
            .env("INPUTRC", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("script: {e}"))?;
        let keys = child.stdin.take().ok_or("no keyboard")?;
        let mut screen = child.stdout.take().ok_or("no screen")?;
        std::thread::spawn(move || {
            let mut sink = [0; 65536];
            while screen.read(&mut sink).is_ok_and(|n| n > 0) {}
        });
        Ok(Terminal { child, keys })
    }
    fn press(&mut self, keys: &str) -> Result<()> {
        self.keys
            .write_all(keys.as_bytes())
            .and_then(|()| self.keys.flush())
            .map_err(|e| format!("psql: {e}"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until psql and the server have been quiet for a while.
fn settle(proxy: &Proxy, from: Instant) -> bool {
    let quiet = Duration::from_millis(120);
    while from.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
        let r = proxy.record();
        let last = r.last.map_or(from, |l| l.max(from));
        if r.open == 0 && last.elapsed() > quiet {
            return true;
        }
    }
    false
}

pub fn check(port: u16, named: Option<&str>) -> Result<Vec<String>> {
    let psql = psql(named)?;
    let prompts = shell::read(&shell::root().join("tests/psql/completion.txt"))?;
    let prompts = String::from_utf8_lossy(&prompts).into_owned();
    let proxy = Proxy::start(port)?;
    let mut faults = Vec::new();
    let mut terminal = Terminal::open(&psql, proxy.port)?;
    std::thread::sleep(Duration::from_secs(1));
    // The control: an error must be seen.
    terminal.press("SELECT no_such_column;\n")?;
    settle(&proxy, Instant::now());
    let control = proxy.record().queries.last().is_some_and(|q| q.1.is_some());
    if !control {
        faults.push("control: an error that the server sent was not noticed".into());
    }
    let before = proxy.record().queries.len();
    let mut slowest = (Duration::ZERO, "");
    for prompt in prompts.lines() {
        let (seen, start) = (proxy.record().queries.len(), Instant::now());
        terminal.press(&format!("{prompt}\t\t"))?;
        if !settle(&proxy, start) {
            faults.push(format!("completion after \"{prompt}\" took more than {} s", PATIENCE.as_secs()));
        }
        // `n` answers a question whether to show all; then the line is erased.
        terminal.press("n\u{15}\u{b}\n")?;
        slowest = slowest.max((start.elapsed(), prompt));
        for (query, error) in proxy.record().queries.iter().skip(seen) {
            if let Some(e) = error {
                faults.push(format!("completion after \"{prompt}\": {e}\n  {query}"));
            }
        }
    }
    let asked = proxy.record().queries.len() - before;
    println!(
        "completion: {asked} queries at {} prompts by {}, {} refused, the slowest prompt {:.2} s ({})",
        prompts.lines().count(),
        psql.display(),
        faults.len(),
        slowest.0.as_secs_f64(),
        slowest.1
    );
    if asked < prompts.lines().count() / 2 {
        faults.push(format!("completion: {} asked for almost nothing; has it line editing?", psql.display()));
    }
    Ok(faults)
}
