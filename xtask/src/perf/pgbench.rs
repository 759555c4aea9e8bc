//! `perf pgbench`: initialisation, then TPC-B, `-N` and `-S` in three query modes; balances are checked after each.

use std::process::Command;
use std::time::Instant;

use super::Setup;
use super::peer::Peer;
use super::report::{Group, Page, answered, circumstances, figure, median, ratio};
use crate::Result;
use crate::shell;
use crate::suite;

/// pgbench's three built-in loads: name on the page, option, whether it writes.
const LOADS: &[(&str, &str, bool)] =
    &[("TPC-B", "tpcb-like", true), ("-N", "simple-update", true), ("-S", "select-only", false)];
const MODES: &[&str] = &["simple", "extended", "prepared"];

/// The same statements for the stub, which knows no tables that pgbench could look at.
const TPCB: &str = "\\set aid random(1, 100000 * :scale)\n\\set bid random(1, 1 * :scale)\n\\set tid random(1, 10 * :scale)\n\
\\set delta random(-5000, 5000)\nBEGIN;\nUPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;\n\
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n\
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;\n\
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;\n\
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);\nEND;\n";
const SELECT: &str =
    "\\set aid random(1, 100000 * :scale)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n";

/// One run of pgbench.
#[derive(Clone, Copy, Default)]
struct Figures {
    transactions: f64,
    failed: f64,
    tps: f64,
    latency_ms: f64,
    /// Microseconds of server CPU a transaction.
    cpu_us: f64,
}

pub fn run(setup: &Setup) -> Result<()> {
    let facts = circumstances(&setup.base);
    let [ours, postgres] = setup.both("pgbench")?;
    let stub = Peer::stub()?;
    let scale: u64 = setup.args.number("scale", 10)?;
    let rounds: usize = setup.args.number("rounds", 1)?;
    let job = Job {
        pgbench: suite::program("pgbench")?,
        seconds: setup.args.number("seconds", 30)?,
        clients: setup.args.number("clients", 10)?,
        threads: setup.args.number("threads", 2)?,
        scale,
    };
    let only = setup.args.list("only");
    let mut page = Page {
        name: "pgbench",
        title: "pgbench: server CPU per transaction",
        method: format!(
            "`cargo xtask perf pgbench`: scale {scale}, {} clients, {} s each, {rounds} round(s), the servers in turn. CPU is that of the \
             whole server, its background work included, for one transaction. The ratio is PGLiteDB / PostgreSQL: below 1 is less \
             CPU. The stub answers at once: nothing can be cheaper than it. After every run the balances were added up.",
            job.clients, job.seconds
        ),
        header: vec![
            "load",
            "mode",
            "TPS",
            "TPS PostgreSQL",
            "latency ms",
            "PostgreSQL",
            "CPU us",
            "CPU us PostgreSQL",
            "CPU ratio",
            "stub CPU us",
        ],
        rows: Vec::new(),
        unit: "microseconds, less is better",
        bars: Vec::new(),
    };
    for steps in ["dtGvpf", "dtgvp"] {
        page.rows.push(job.initialise([&ours, &postgres], steps)?);
    }
    for (load, builtin, writes) in LOADS {
        for mode in MODES {
            if only
                .as_ref()
                .is_some_and(|o| !o.iter().any(|w| w == load || w == mode || *w == format!("{load}/{mode}")))
            {
                continue;
            }
            let mut seen: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
            for round in 0..rounds {
                for who in Setup::order(round) {
                    let peer = [&ours, &postgres][who];
                    let figures = job.measured(peer, builtin, mode, *writes)?;
                    println!(
                        "{:10} {load:5} {mode:8} {:8.0} tps {:8.2} ms {:8.1} us CPU, {} failed, balances add up",
                        peer.name, figures.tps, figures.latency_ms, figures.cpu_us, figures.failed
                    );
                    seen[who].push(figures);
                }
            }
            let floor = if *load == "-N" { None } else { Some(job.floor(setup, &stub, *writes, mode)?) };
            page.add(load, mode, &seen, floor);
        }
    }
    let facts = [facts, answered(&[&ours, &postgres])].concat();
    page.write(&setup.out, &facts)?;
    ours.stop()?;
    postgres.stop()
}

impl Page {
    fn add(&mut self, load: &str, mode: &str, seen: &[Vec<Figures>; 2], floor: Option<Figures>) {
        let middle =
            |who: usize, what: fn(&Figures) -> f64| median(&seen[who].iter().map(what).collect::<Vec<_>>());
        let (ours, theirs) = (middle(0, |f| f.cpu_us), middle(1, |f| f.cpu_us));
        let mut row = vec![load.to_string(), mode.to_string()];
        for value in [
            middle(0, |f| f.tps),
            middle(1, |f| f.tps),
            middle(0, |f| f.latency_ms),
            middle(1, |f| f.latency_ms),
            ours,
            theirs,
        ] {
            row.push(figure(value));
        }
        row.push(ratio(ours, theirs));
        row.push(floor.map_or("".into(), |f| figure(f.cpu_us)));
        self.rows.push(row);
        let mut values = vec![("PGLiteDB", ours), ("PostgreSQL", theirs)];
        values.extend(floor.map(|f| ("stub", f.cpu_us)));
        self.bars.push(Group { label: format!("{load} {mode}"), values });
    }
}

struct Job {
    pgbench: std::path::PathBuf,
    seconds: u32,
    clients: u32,
    threads: u32,
    scale: u64,
}

/// The sums that transactions move together.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Balances {
    accounts: i64,
    tellers: i64,
    branches: i64,
    history: i64,
    history_rows: i64,
}

impl Job {
    fn command(&self, peer: &Peer) -> Command {
        let mut command = Command::new(&self.pgbench);
        command.args(["-h", "127.0.0.1", "-p", &peer.port.to_string(), "-U", "postgres"]);
        command.env("PGDATABASE", "postgres").env("LC_ALL", "C");
        command
    }

    /// `pgbench -i` on both, timed.
    fn initialise(&self, peers: [&Peer; 2], steps: &str) -> Result<Vec<String>> {
        let mut took = Vec::new();
        for peer in peers {
            let (start, cpu) = (Instant::now(), peer.cpu());
            let mut command = self.command(peer);
            command.args(["-i", "-q", "-s", &self.scale.to_string(), "-I", steps]);
            shell::capture(&mut command)?;
            let elapsed = start.elapsed().as_secs_f64();
            peer.settle();
            took.push((elapsed, peer.cpu() - cpu));
            println!("{:10} -i -I {steps}: {elapsed:.1} s, {:.1} s CPU", peer.name, peer.cpu() - cpu);
            let rows =
                peer.client()?.value("SELECT count(*) FROM pgbench_accounts").map_err(|e| e.to_string())?;
            if rows != (self.scale * 100_000).to_string() {
                return Err(format!("{}: {rows} accounts after -I {steps}", peer.name));
            }
        }
        let cell = |x: f64| figure(x);
        Ok(vec![
            format!("-i -I {steps}"),
            "whole, s".into(),
            "".into(),
            "".into(),
            format!("{} s", cell(took[0].0)),
            format!("{} s", cell(took[1].0)),
            format!("{} s", cell(took[0].1)),
            format!("{} s", cell(took[1].1)),
            ratio(took[0].1, took[1].1),
            "".into(),
        ])
    }

    fn measured(&self, peer: &Peer, builtin: &str, mode: &str, writes: bool) -> Result<Figures> {
        if writes {
            let mut c = peer.client()?;
            for table in ["pgbench_branches", "pgbench_tellers"] {
                c.query(&format!("VACUUM {table}")).map_err(|e| format!("{}: {e}", peer.name))?;
            }
        }
        let before = balances(peer)?;
        let figures = self.load(peer, &["-b", builtin], mode)?;
        let after = balances(peer)?;
        let what = format!("{} {builtin} {mode}", peer.name);
        add_up(builtin, before, after, figures.transactions as i64).map_err(|e| format!("{what}: {e}"))?;
        if figures.failed > 0.0 {
            return Err(format!("{what}: {} transactions failed", figures.failed));
        }
        Ok(figures)
    }

    fn floor(&self, setup: &Setup, stub: &Peer, writes: bool, mode: &str) -> Result<Figures> {
        let script = setup.base.join("script.sql");
        shell::write(&script, if writes { TPCB } else { SELECT })?;
        let scale = format!("scale={}", self.scale);
        self.load(stub, &["-f", &script.to_string_lossy(), "-D", &scale], mode)
    }

    fn load(&self, peer: &Peer, script: &[&str], mode: &str) -> Result<Figures> {
        let mut command = self.command(peer);
        command.args(["-n", "-M", mode, "-c", &self.clients.to_string(), "-j", &self.threads.to_string()]);
        command.args(["-T", &self.seconds.to_string()]).args(script);
        peer.settle();
        let before = peer.cpu();
        let text =
            shell::capture(&mut command).map_err(|e| format!("{} {script:?} {mode}: {e}", peer.name))?;
        peer.settle();
        let cpu = peer.cpu() - before;
        let mut figures = parse(&text).ok_or_else(|| format!("pgbench printed something else: {text}"))?;
        figures.cpu_us = 1e6 * cpu / figures.transactions.max(1.0);
        Ok(figures)
    }
}

/// What pgbench prints at its end.
fn parse(text: &str) -> Option<Figures> {
    let number = |start: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(start))?;
        line.trim().split([' ', '/']).next()?.parse::<f64>().ok()
    };
    Some(Figures {
        transactions: number("number of transactions actually processed: ")?,
        failed: number("number of failed transactions: ")?,
        tps: number("tps = ")?,
        latency_ms: number("latency average = ")?,
        cpu_us: 0.0,
    })
}

fn balances(peer: &Peer) -> Result<Balances> {
    let mut c = peer.client()?;
    let mut sum = |what: &str| -> Result<i64> {
        let text = c.value(&format!("SELECT {what}")).map_err(|e| format!("{}: {e}", peer.name))?;
        text.parse().map_err(|_| format!("{}: {what} gave \"{text}\"", peer.name))
    };
    Ok(Balances {
        accounts: sum("coalesce(sum(abalance), 0) FROM pgbench_accounts")?,
        tellers: sum("coalesce(sum(tbalance), 0) FROM pgbench_tellers")?,
        branches: sum("coalesce(sum(bbalance), 0) FROM pgbench_branches")?,
        history: sum("coalesce(sum(delta), 0) FROM pgbench_history")?,
        history_rows: sum("count(*) FROM pgbench_history")?,
    })
}

/// Every load moves the sums it touches by the same amount, and the history grows by its transactions.
fn add_up(load: &str, before: Balances, after: Balances, transactions: i64) -> Result<()> {
    let moved = after.history - before.history;
    let rows = after.history_rows - before.history_rows;
    let (accounts, tellers, branches) =
        (after.accounts - before.accounts, after.tellers - before.tellers, after.branches - before.branches);
    let fits = match load {
        "tpcb-like" => accounts == moved && tellers == moved && branches == moved && rows == transactions,
        "simple-update" => accounts == moved && tellers == 0 && branches == 0 && rows == transactions,
        _ => before == after,
    };
    if fits {
        return Ok(());
    }
    Err(format!("balances do not add up after {transactions} transactions: {before:?} became {after:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pgbench_output_is_read() {
        let text = "number of transactions actually processed: 1234\nnumber of failed transactions: 0 (0.000%)\n\
                    latency average = 1.250 ms\ninitial connection time = 3 ms\ntps = 987.5 (without initial connection time)\n";
        let f = parse(text).expect("figures");
        assert_eq!((f.transactions, f.failed, f.latency_ms, f.tps), (1234.0, 0.0, 1.25, 987.5));
        assert!(parse("nothing").is_none());
    }

    #[test]
    fn a_lost_update_does_not_add_up() {
        let zero = Balances { accounts: 0, tellers: 0, branches: 0, history: 0, history_rows: 0 };
        let good = Balances { accounts: 7, tellers: 7, branches: 7, history: 7, history_rows: 2 };
        assert!(add_up("tpcb-like", zero, good, 2).is_ok());
        assert!(add_up("tpcb-like", zero, good, 3).is_err());
        assert!(add_up("tpcb-like", zero, Balances { tellers: 6, ..good }, 2).is_err());
        assert!(add_up("simple-update", zero, good, 2).is_err());
        assert!(add_up("select-only", zero, good, 0).is_err());
    }
}
