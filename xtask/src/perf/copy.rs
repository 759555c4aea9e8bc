//! `perf copy`: COPY of `pgbench_accounts` out of and into each server, text and binary.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::Setup;
use super::peer::Peer;
use super::report::{Group, Page, answered, circumstances, figure, mean, median, ratio};
use crate::Result;
use crate::shell;
use crate::suite;

/// Name on the page, statement, whether it reads the file, its format.
const CASES: &[(&str, &str, bool, &str)] = &[
    ("out, text", "COPY pgbench_accounts TO STDOUT", false, "text"),
    ("out, binary", "COPY pgbench_accounts TO STDOUT (FORMAT binary)", false, "binary"),
    ("in, text", "COPY target FROM STDIN", true, "text"),
    ("in, binary", "COPY target FROM STDIN (FORMAT binary)", true, "binary"),
    ("in, text, primary key", "COPY keyed FROM STDIN", true, "text"),
];

pub fn run(setup: &Setup) -> Result<()> {
    let facts = circumstances(&setup.base);
    let peers = setup.both("copy")?;
    let scale: u64 = setup.args.number("scale", 10)?;
    let rounds: usize = setup.args.number("rounds", 3)?;
    let rows = scale * 100_000;
    for peer in &peers {
        fill(peer, scale)?;
    }
    let mut page = Page {
        name: "copy",
        title: "COPY of pgbench_accounts: rows per second",
        method: format!(
            "`cargo xtask perf copy`: {rows} rows through psql, {rounds} rounds, the servers in turn, median. CPU is that of the whole \
             server for one row. The ratio of rates is PGLiteDB / PostgreSQL: above 1 is faster."
        ),
        header: vec![
            "COPY",
            "rows/s",
            "rows/s PostgreSQL",
            "ratio",
            "CPU us/row",
            "CPU us/row PostgreSQL",
            "CPU ratio",
        ],
        rows: Vec::new(),
        unit: "thousand rows per second, more is better",
        bars: Vec::new(),
    };
    for (name, sql, reads, format) in CASES {
        let mut seen: [Vec<(f64, f64)>; 2] = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for who in Setup::order(round) {
                let peer = &peers[who];
                // Both read the file that PostgreSQL wrote.
                let source = setup.base.join(format!("{format}.PostgreSQL"));
                let made = setup.base.join(format!("{format}.{}", peer.name));
                let (rate, cpu) = once(peer, sql, if *reads { Ok(&source) } else { Err(&made) }, rows)?;
                println!("{:10} {name:22} {rate:9.0} rows/s {cpu:6.2} us CPU a row", peer.name);
                seen[who].push((rate, cpu));
            }
        }
        let middle = |who: usize| {
            let (rates, cpu): (Vec<f64>, Vec<f64>) = seen[who].iter().copied().unzip();
            (median(&rates), mean(&cpu))
        };
        let (ours, theirs) = (middle(0), middle(1));
        page.rows.push(vec![
            name.to_string(),
            figure(ours.0),
            figure(theirs.0),
            ratio(ours.0, theirs.0),
            figure(ours.1),
            figure(theirs.1),
            ratio(ours.1, theirs.1),
        ]);
        page.bars.push(Group {
            label: name.to_string(),
            values: vec![("PGLiteDB", ours.0 / 1000.0), ("PostgreSQL", theirs.0 / 1000.0)],
        });
    }
    same(&setup.base, "text")?;
    same(&setup.base, "binary")?;
    let [ours, postgres] = peers;
    page.write(&setup.out, &[facts, answered(&[&ours, &postgres])].concat())?;
    ours.stop()?;
    postgres.stop()
}

/// The table that pgbench would make, without pgbench.
pub fn fill(peer: &Peer, scale: u64) -> Result<()> {
    let mut c = peer.client()?;
    c.patience(std::time::Duration::from_secs(600)).map_err(|e| e.to_string())?;
    for sql in [
        "CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100)",
        &format!(
            "INSERT INTO pgbench_accounts SELECT i, (i - 1) / 100000 + 1, (i * 7919::bigint) % 10007 - 5003, '' \
             FROM generate_series(1, {}) i",
            scale * 100_000
        ),
        "ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)",
        "CREATE TABLE target (aid int NOT NULL, bid int, abalance int, filler char(84))",
        "CREATE TABLE keyed (aid int PRIMARY KEY, bid int, abalance int, filler char(84))",
        "VACUUM ANALYZE pgbench_accounts",
    ] {
        c.query(sql).map_err(|e| format!("{}: {sql}: {e}", peer.name))?;
    }
    peer.settle();
    Ok(())
}

/// Rows a second, and microseconds of server CPU a row. `Ok` reads the file, `Err` writes it.
fn once(peer: &Peer, sql: &str, file: std::result::Result<&Path, &Path>, rows: u64) -> Result<(f64, f64)> {
    let mut command = Command::new(suite::program("psql")?);
    command.args(["-X", "-q", "-h", "127.0.0.1", "-p", &peer.port.to_string(), "-U", "postgres"]);
    command.args(["-d", "postgres", "-c", sql]);
    match file {
        Ok(source) => {
            peer.client()?.query("TRUNCATE target, keyed").map_err(|e| format!("{}: {e}", peer.name))?;
            command.stdin(File::open(source).map_err(|e| format!("{}: {e}", source.display()))?);
        }
        Err(made) => {
            command.stdout(File::create(made).map_err(|e| format!("{}: {e}", made.display()))?);
        }
    }
    command.stderr(Stdio::piped());
    peer.settle();
    let (start, cpu) = (Instant::now(), peer.cpu());
    let out = command.output().map_err(|e| e.to_string())?;
    let took = start.elapsed().as_secs_f64();
    if !out.status.success() {
        return Err(format!("{}: {sql}: {}", peer.name, String::from_utf8_lossy(&out.stderr)));
    }
    peer.settle();
    let spent = peer.cpu() - cpu;
    if let (Ok(_), Some(table)) = (file, sql.split(' ').nth(1)) {
        let count =
            peer.client()?.value(&format!("SELECT count(*) FROM {table}")).map_err(|e| e.to_string())?;
        if count != rows.to_string() {
            return Err(format!("{}: {sql}: {count} rows arrived, not {rows}", peer.name));
        }
    }
    Ok((rows as f64 / took, 1e6 * spent / rows as f64))
}

/// What the two servers wrote must be the same, byte for byte.
fn same(base: &Path, format: &str) -> Result<()> {
    let file = |name: &str| shell::read(&base.join(format!("{format}.{name}")));
    if file("PGLiteDB")? == file("PostgreSQL")? {
        println!("COPY TO in {format}: both servers wrote the same bytes");
        return Ok(());
    }
    Err(format!("COPY TO in {format}: the servers wrote different bytes"))
}
