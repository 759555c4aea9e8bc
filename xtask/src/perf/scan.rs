//! `perf scan`: one million warm rows, counted and added up, without parallel workers.

use std::time::Instant;

use super::Setup;
use super::copy::fill;
use super::peer::Peer;
use super::report::{Group, Page, answered, circumstances, figure, mean, median, ratio};
use crate::Result;
use crate::wire::Client;

const QUERIES: &[(&str, &str)] = &[
    ("count, sum", "SELECT count(*), sum(abalance) FROM pgbench_accounts"),
    ("count", "SELECT count(*) FROM pgbench_accounts"),
    ("filter", "SELECT count(*) FROM pgbench_accounts WHERE abalance BETWEEN -100 AND 100 AND bid < 9"),
    (
        "group",
        "SELECT bid, count(*), min(abalance), max(abalance) FROM pgbench_accounts GROUP BY bid ORDER BY bid",
    ),
    ("sort, limit", "SELECT aid FROM pgbench_accounts ORDER BY abalance, aid LIMIT 10"),
];

pub fn run(setup: &Setup) -> Result<()> {
    let facts = circumstances(&setup.base);
    let peers = setup.both("scan")?;
    let scale: u64 = setup.args.number("scale", 10)?;
    let rounds: usize = setup.args.number("rounds", 7)?;
    let mut clients = Vec::new();
    for peer in &peers {
        fill(peer, scale)?;
        let mut c = peer.client()?;
        c.query("SET max_parallel_workers_per_gather = 0").map_err(|e| format!("{}: {e}", peer.name))?;
        clients.push(c);
    }
    let mut page = Page {
        name: "scan",
        title: "Scans of pgbench_accounts: time",
        method: format!(
            "`cargo xtask perf scan`: {} rows, warm, max_parallel_workers_per_gather = 0, {rounds} rounds after one that is not \
             counted, the servers in turn, median. The ratio is PGLiteDB / PostgreSQL: below 1 is faster.",
            scale * 100_000
        ),
        header: vec![
            "query",
            "ms",
            "ms PostgreSQL",
            "ratio",
            "CPU ms",
            "CPU ms PostgreSQL",
            "CPU ratio",
            "statement",
        ],
        rows: Vec::new(),
        unit: "milliseconds, less is better",
        bars: Vec::new(),
    };
    for (name, sql) in QUERIES {
        let mut seen: [Vec<(f64, f64)>; 2] = [Vec::new(), Vec::new()];
        let mut answers = Vec::new();
        for round in 0..=rounds {
            for who in Setup::order(round) {
                let (took, cpu, answer) = once(&peers[who], &mut clients[who], sql)?;
                if round == 0 {
                    answers.push(answer);
                } else {
                    seen[who].push((took, cpu));
                }
            }
        }
        if answers[0] != answers[1] {
            return Err(format!("{sql}: the servers answer differently: {answers:?}"));
        }
        let middle = |who: usize| {
            let (took, cpu): (Vec<f64>, Vec<f64>) = seen[who].iter().copied().unzip();
            (median(&took), mean(&cpu))
        };
        let (ours, theirs) = (middle(0), middle(1));
        println!("{name:12} {:8.1} ms, PostgreSQL {:8.1} ms", ours.0, theirs.0);
        page.rows.push(vec![
            name.to_string(),
            figure(ours.0),
            figure(theirs.0),
            ratio(ours.0, theirs.0),
            figure(ours.1),
            figure(theirs.1),
            ratio(ours.1, theirs.1),
            format!("`{sql}`"),
        ]);
        page.bars.push(Group {
            label: name.to_string(),
            values: vec![("PGLiteDB", ours.0), ("PostgreSQL", theirs.0)],
        });
    }
    drop(clients);
    let [ours, postgres] = peers;
    page.write(&setup.out, &[facts, answered(&[&ours, &postgres])].concat())?;
    ours.stop()?;
    postgres.stop()
}

/// Milliseconds by the clock and of server CPU, and the answer.
fn once(peer: &Peer, client: &mut Client, sql: &str) -> Result<(f64, f64, String)> {
    let (start, cpu) = (Instant::now(), peer.cpu());
    let rows = client.query(sql).map_err(|e| format!("{}: {sql}: {e}", peer.name))?;
    let took = start.elapsed().as_secs_f64();
    Ok((1000.0 * took, 1000.0 * (peer.cpu() - cpu), format!("{rows:?}")))
}
