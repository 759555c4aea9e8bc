//! `perf start`: time from the start to the first answer on an empty directory, and memory idle and with many idle
//! connections.

use std::time::{Duration, Instant};

use super::Setup;
use super::peer::Peer;
use super::report::{Group, Page, answered, circumstances, figure, median, ratio};
use crate::Result;
use crate::proc;
use crate::shell;
use crate::wire::Client;

pub fn run(setup: &Setup) -> Result<()> {
    let facts = circumstances(&setup.base);
    let rounds: usize = setup.args.number("rounds", 5)?;
    let connections: usize = setup.args.number("connections", 1000)?;
    let (mut ours_empty, mut ours_again) = (Vec::new(), Vec::new());
    let (mut theirs_empty, mut theirs_again) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let dir = setup.base.join(format!("start-ours-{round}"));
        let peer = Peer::ours(&setup.binary, &dir)?;
        ours_empty.push(millis(peer.ready));
        peer.stop()?;
        let peer = Peer::ours(&setup.binary, &dir)?;
        ours_again.push(millis(peer.ready));
        peer.stop()?;
        let dir = setup.base.join(format!("start-postgres-{round}"));
        let start = Instant::now();
        setup.programs.initdb(&dir)?;
        let made = start.elapsed();
        let peer = Peer::postgres(&setup.programs, &dir)?;
        theirs_empty.push(millis(made + peer.ready));
        peer.stop()?;
        let peer = Peer::postgres(&setup.programs, &dir)?;
        theirs_again.push(millis(peer.ready));
        peer.stop()?;
    }
    let [ours, postgres] = setup.both("start")?;
    let (ours_idle, ours_many) = memory(&ours, connections)?;
    let (theirs_idle, theirs_many) = memory(&postgres, connections)?;
    let rows = [
        (
            "start on an empty directory to the first answer, ms (PostgreSQL: initdb and start)",
            median(&ours_empty),
            median(&theirs_empty),
        ),
        (
            "start on an existing directory to the first answer, ms",
            median(&ours_again),
            median(&theirs_again),
        ),
        ("memory idle, MB", ours_idle, theirs_idle),
        ("more memory with the idle connections, MB", ours_many, theirs_many),
    ];
    let page = Page {
        name: "start",
        title: "Start and idle memory",
        method: format!(
            "`cargo xtask perf start`: {rounds} starts each, median; {connections} idle connections. Memory of PGLiteDB is its resident \
             size; of PostgreSQL the proportional shares of all its processes, added up."
        ),
        header: vec!["what", "PGLiteDB", "PostgreSQL", "ratio"],
        rows: rows
            .iter()
            .map(|(what, a, b)| vec![what.to_string(), figure(*a), figure(*b), ratio(*a, *b)])
            .collect(),
        unit: "ms and MB, less is better",
        bars: rows
            .iter()
            .zip(["start, empty (ms)", "start again (ms)", "idle memory (MB)", "connections (MB)"])
            .map(|((_, a, b), label)| Group {
                label: label.into(),
                values: vec![("PGLiteDB", *a), ("PostgreSQL", *b)],
            })
            .collect(),
    };
    page.write(&setup.out, &[facts, answered(&[&ours, &postgres])].concat())?;
    ours.stop()?;
    postgres.stop()
}

fn millis(d: Duration) -> f64 {
    1000.0 * d.as_secs_f64()
}

/// MB idle, and MB more with idle connections that have each run a statement.
fn memory(peer: &Peer, connections: usize) -> Result<(f64, f64)> {
    let megabytes = || {
        let kb = if peer.name == "PGLiteDB" { proc::rss(peer.pid()) } else { proc::memory(peer.pid()) };
        kb as f64 / 1024.0
    };
    // A thousand sockets do not fit in the usual limit of open files, on either side.
    let limit = (connections + 200).max(4096).to_string();
    for pid in [std::process::id(), peer.pid()] {
        shell::succeeds("prlimit", &["--pid", &pid.to_string(), &format!("--nofile={limit}:")]);
    }
    peer.settle();
    let idle = megabytes();
    let mut open = Vec::new();
    for n in 0..connections {
        let mut c = Client::connect(peer.port, "postgres")
            .map_err(|e| format!("{}: connection {n} of {connections}: {e}", peer.name))?;
        c.value("SELECT 1").map_err(|e| format!("{}: connection {n}: {e}", peer.name))?;
        open.push(c);
    }
    peer.settle();
    let many = megabytes() - idle;
    println!("{:10} {idle:.1} MB idle, {many:.1} MB more with {connections} connections", peer.name);
    // All of them still answer.
    for c in &mut open {
        c.value("SELECT 1").map_err(|e| format!("{}: an idle connection was lost: {e}", peer.name))?;
    }
    Ok((idle, many))
}
