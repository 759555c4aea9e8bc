//! `cargo xtask crash`: `kill -9` under committing clients, again and again, on a real directory.
//!
//! Every cycle starts the server on what the last one left, checks it against a ledger that the test keeps outside the
//! server (`model`), sets the clients going and kills the process at a random moment; some cycles kill it while it
//! recovers. At the end the checker itself is put to the test: a stale copy of the data, a row taken away, one
//! acknowledged commit too many must each be noticed.

mod check;
mod client;
mod model;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::ours::{self, Data, Server};
use crate::shell::{self, Args};
use crate::wire::{Client, Failure};
use check::check;
use client::Report;
use model::{ACCOUNTS, Model, Random, START};

const VALUES: &[&str] =
    &["cycles", "clients", "seed", "profile", "binary", "dir", "max-restart", "memory-budget"];

pub fn run(args: &[String]) -> Result<()> {
    let args = Args::parse(args, VALUES, &[])?;
    let binary = ours::binary(&args, "release")?;
    let clients: usize = args.number("clients", 8)?;
    let seed = args.number("seed", u64::from(std::process::id()))?;
    let root = args.value("dir").map_or(shell::target_dir()?.join("crash"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&root);
    shell::make_dir(&root)?;
    let mut test = Test {
        binary,
        data: root.join("data"),
        log: root.join("server.log"),
        budget: args.number("memory-budget", 64_u32)?.to_string(),
        port: ours::free_port()?,
        model: Model::new(clients),
        random: Random(seed),
        tally: Tally::default(),
    };
    let cycles = args.number("cycles", 100)?;
    println!("{cycles} cycles, {clients} clients, seed {seed}, data in {}", test.data.display());
    test.create()?;
    for cycle in 1..=cycles {
        test.cycle(cycle)?;
        if cycle % 10 == 0 || cycle == cycles {
            println!("cycle {cycle}: {}", test.tally.line());
        }
    }
    test.controls()?;
    test.tally.judge(args.number("max-restart", 1.0)?)
}

#[derive(Default)]
struct Tally {
    commits: u64,
    rolled_back: u64,
    doubts: u64,
    doubts_kept: u64,
    restarts: Vec<f64>,
    interrupted_starts: u32,
    refused: Vec<String>,
}

impl Tally {
    fn slowest(&self) -> f64 {
        self.restarts.iter().copied().fold(0.0, f64::max)
    }

    fn line(&self) -> String {
        let mut sorted = self.restarts.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        format!(
            "{} commits acknowledged, 0 lost, 0 torn; {} rolled back; {} in doubt, {} of them there; restart to first answer \
             {:.0} ms median, {:.0} ms at most; {} starts interrupted",
            self.commits,
            self.rolled_back,
            self.doubts,
            self.doubts_kept,
            1000.0 * median,
            1000.0 * self.slowest(),
            self.interrupted_starts
        )
    }

    fn judge(&self, limit: f64) -> Result<()> {
        if !self.refused.is_empty() {
            let first = self.refused.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
            return Err(format!("{} statements refused:\n{first}", self.refused.len()));
        }
        if self.commits == 0 {
            return Err("nothing was committed: the test tested nothing".into());
        }
        if self.slowest() > limit {
            return Err(format!("a restart took {:.2} s, more than {limit} s", self.slowest()));
        }
        Ok(())
    }
}

struct Test {
    binary: PathBuf,
    data: PathBuf,
    log: PathBuf,
    budget: String,
    port: u16,
    model: Model,
    random: Random,
    tally: Tally,
}

fn lost(failure: Failure) -> String {
    failure.to_string()
}

impl Test {
    fn start(&self, data: &Path) -> Result<Server> {
        let extra = ["--memory-budget", self.budget.as_str()];
        Server::start(&self.binary, Data::Dir(data), self.port, &self.log, &extra)
    }

    fn create(&mut self) -> Result<()> {
        let mut server = self.start(&self.data)?;
        let mut c = Client::connect(self.port, "postgres").map_err(lost)?;
        println!("server: {}", c.value("SELECT version()").map_err(lost)?);
        for sql in [
            "CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL)",
            "CREATE INDEX ON account (balance)",
            "CREATE TABLE progress (client int PRIMARY KEY, number bigint NOT NULL)",
            "CREATE TABLE ledger (client int, number bigint, part int, account int, amount bigint, payload text, \
             PRIMARY KEY (client, number, part))",
            &format!("INSERT INTO account SELECT i, {START} FROM generate_series(0, {}) i", ACCOUNTS - 1),
            &format!(
                "INSERT INTO progress SELECT i, 0 FROM generate_series(0, {}) i",
                self.model.clients.len() - 1
            ),
        ] {
            c.query(sql).map_err(|e| format!("{sql}: {e}"))?;
        }
        server.kill();
        Ok(())
    }

    /// Start, check, work, kill.
    fn cycle(&mut self, cycle: u32) -> Result<()> {
        if cycle.is_multiple_of(5) {
            self.interrupt_start()?;
        }
        let mut server = self.start(&self.data)?;
        self.tally.restarts.push(server.ready.as_secs_f64());
        let faults = self.verify()?;
        if !faults.is_empty() {
            return Err(format!(
                "cycle {cycle}: {}\nthe data is kept in {}",
                faults.join("\n"),
                self.data.display()
            ));
        }
        let (port, starts) = (self.port, self.model.clients.clone());
        let threads: Vec<std::thread::JoinHandle<Report>> = starts
            .iter()
            .enumerate()
            .map(|(client, start)| {
                let start = *start;
                std::thread::spawn(move || client::work(port, client as u64, start))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50 + self.random.below(950)));
        if let Some(status) = server.ended() {
            return Err(format!(
                "cycle {cycle}: the server ended by itself ({status}): {}",
                server.last_words()
            ));
        }
        server.kill();
        for (client, thread) in threads.into_iter().enumerate() {
            let report = thread.join().map_err(|_| "a client panicked".to_string())?;
            self.tally.commits += report.progress.acknowledged - self.model.clients[client].acknowledged;
            self.tally.rolled_back += report.rolled_back;
            self.tally.doubts += u64::from(report.progress.in_doubt);
            self.tally.refused.extend(report.refused);
            self.model.clients[client] = report.progress;
        }
        Ok(())
    }

    /// Kills the server while it starts: recovery must stand being cut short.
    fn interrupt_start(&mut self) -> Result<()> {
        let mut child = Command::new(&self.binary)
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--data-dir"])
            .arg(&self.data)
            .stderr(std::process::Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        std::thread::sleep(Duration::from_millis(self.random.below(60)));
        let _ = child.kill();
        let _ = child.wait();
        self.tally.interrupted_starts += 1;
        Ok(())
    }

    /// Checks the running server; what was in doubt is settled by what is found.
    fn verify(&mut self) -> Result<Vec<String>> {
        let mut c = Client::connect(self.port, "postgres").map_err(lost)?;
        let verdict = check(&mut c, &mut self.model).map_err(lost)?;
        if verdict.faults.is_empty() {
            let before = self.model.clients.iter().zip(&verdict.found);
            self.tally.doubts_kept += before.filter(|(p, found)| **found > p.acknowledged).count() as u64;
            self.model.settle(&verdict.found);
        }
        Ok(verdict.faults)
    }

    /// A checker that cannot fail proves nothing: three ways of losing must be noticed.
    fn controls(&mut self) -> Result<()> {
        let stale = self.data.with_file_name("stale");
        let copied = Command::new("cp").arg("-a").arg(&self.data).arg(&stale).status();
        if !copied.is_ok_and(|s| s.success()) {
            return Err("could not copy the data".into());
        }
        // One more cycle that the copy knows nothing of.
        let before = self.tally.commits;
        while self.tally.commits == before {
            self.cycle(1)?;
        }
        let server = self.start(&self.data)?;
        let faults = self.verify()?;
        if !faults.is_empty() {
            return Err(faults.join("\n"));
        }
        let mut c = Client::connect(self.port, "postgres").map_err(lost)?;
        c.query("BEGIN; DELETE FROM ledger WHERE client = 0 AND number = 1 AND part = 1").map_err(lost)?;
        let torn = check(&mut c, &mut self.model).map_err(lost)?.faults;
        expect(&torn, "torn", "one row of a transaction taken away")?;
        c.query("ROLLBACK; BEGIN; UPDATE account SET balance = balance + 1 WHERE id = 7").map_err(lost)?;
        expect(&check(&mut c, &mut self.model).map_err(lost)?.faults, "account 7", "one balance changed")?;
        c.query("ROLLBACK").map_err(lost)?;
        self.model.clients[0].acknowledged += 1;
        let extra = check(&mut c, &mut self.model).map_err(lost)?.faults;
        expect(&extra, "acknowledged commits lost", "a ledger with one more commit")?;
        self.model.clients[0].acknowledged -= 1;
        drop(server);
        let _server = self.start(&stale)?;
        let mut c = Client::connect(self.port, "postgres").map_err(lost)?;
        let lossy = check(&mut c, &mut self.model).map_err(lost)?.faults;
        expect(&lossy, "acknowledged commits lost", "a server on a copy of the data without the last cycle")
    }
}

fn expect(faults: &[String], word: &str, control: &str) -> Result<()> {
    match faults.iter().find(|f| f.contains(word)) {
        Some(fault) => {
            println!("control, {control}: noticed ({fault})");
            Ok(())
        }
        None => Err(format!("control, {control}: not noticed; faults: {faults:?}")),
    }
}
