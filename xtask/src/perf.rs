//! `cargo xtask perf`: our release build and PostgreSQL 18.6 side by side, in one run, alternating.
//!
//! Each measurement starts both servers on fresh data directories with fsync on, runs the same load against one and then
//! the other, and prints rates, latency and the CPU time of the whole server (all its processes) for each operation.
//! Results go to `benches/results`.

mod copy;
mod peer;
mod pgbench;
mod report;
mod scan;
mod start;
pub mod stub;

use std::path::PathBuf;

use crate::Result;
use crate::ours;
use crate::shell::{self, Args};
use peer::{Peer, Programs};

const VALUES: &[&str] = &[
    "seconds",
    "scale",
    "clients",
    "threads",
    "rounds",
    "connections",
    "out",
    "dir",
    "profile",
    "binary",
    "only",
];

pub fn run(args: &[String]) -> Result<()> {
    let what = args.first().map(String::as_str).unwrap_or("");
    if what == "storage" {
        return shell::run("cargo", &["bench", "--package", "pglite-benches", "--bench", "storage"]);
    }
    let known: &[fn(&Setup) -> Result<()>] = match what {
        "pgbench" => &[pgbench::run],
        "copy" => &[copy::run],
        "scan" => &[scan::run],
        "start" => &[start::run],
        "all" => &[start::run, scan::run, copy::run, pgbench::run],
        _ => return Err("expected pgbench, copy, scan, start, storage or all".into()),
    };
    let setup = Setup::new(Args::parse(&args[1..], VALUES, &[])?)?;
    let _calm = Calm::new();
    known.iter().try_for_each(|measure| measure(&setup))
}

/// What every measurement needs; the directory goes when it is dropped.
pub struct Setup {
    pub args: Args,
    pub binary: PathBuf,
    pub programs: Programs,
    pub base: PathBuf,
    pub out: PathBuf,
}

impl Setup {
    fn new(args: Args) -> Result<Setup> {
        // Why not below target: PostgreSQL runs as another user, who may not be allowed there; and /tmp may be memory.
        let base = args.value("dir").unwrap_or("/var/tmp");
        let base = PathBuf::from(base).join(format!("pglitedb-perf-{}", std::process::id()));
        shell::make_dir(&base)?;
        let binary = ours::binary(&args, "release")?;
        let programs = Programs::new(&base)?;
        let out = args.value("out").map_or(shell::root().join("benches/results"), PathBuf::from);
        Ok(Setup { args, binary, programs, base, out })
    }

    /// Both servers on fresh directories.
    fn both(&self, name: &str) -> Result<[Peer; 2]> {
        let cluster = self.base.join(format!("{name}-postgres"));
        self.programs.initdb(&cluster)?;
        let ours = Peer::ours(&self.binary, &self.base.join(format!("{name}-ours")))?;
        Ok([ours, Peer::postgres(&self.programs, &cluster)?])
    }

    /// The order of a round: who goes first changes every time.
    fn order(round: usize) -> [usize; 2] {
        if round.is_multiple_of(2) { [0, 1] } else { [1, 0] }
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.base);
    }
}

/// Turns the scheduler's grouping by session off while it lives: it would give a server started in its own session
/// another share of the processor. Needs root; without it the figures stand as they are.
struct Calm(Option<String>);

const AUTOGROUP: &str = "/proc/sys/kernel/sched_autogroup_enabled";

impl Calm {
    fn new() -> Calm {
        let before = std::fs::read_to_string(AUTOGROUP).ok();
        Calm(before.filter(|b| b.trim() == "1" && std::fs::write(AUTOGROUP, "0").is_ok()))
    }
}

impl Drop for Calm {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = std::fs::write(AUTOGROUP, before);
        }
    }
}
