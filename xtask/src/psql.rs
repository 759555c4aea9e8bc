//! `cargo xtask psql`: what psql's backslash commands print on a schema with one of each kind of object, against what
//! they print on PostgreSQL (`tests/psql/*.out`); whether tab completion asks anything that our server refuses; whether
//! every view of pg_catalog and information_schema can be read.
//!
//! `--golden PORT` writes the expected files from the PostgreSQL server on that port.

mod completion;
mod describe;
mod proxy;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::ours::{self, Data, Server};
use crate::shell::{self, Args};
use crate::suite;
use crate::wire::Client;

const VALUES: &[&str] = &["port", "golden", "binary", "profile", "completion"];
const FLAGS: &[&str] = &["no-completion"];
/// The database that the schema goes into.
const DATABASE: &str = "catalog";
/// Views that PostgreSQL refuses to read as well where the machine lacks what they show.
const REFUSED: &[&str] = &["pg_shmem_allocations_numa"];

/// Where psql is and which server it talks to.
pub struct Psql {
    pub program: PathBuf,
    pub port: u16,
}

impl Psql {
    /// Feeds a script to psql; what it prints, errors included.
    pub fn run(&self, database: &str, script: &str, extra: &[&str]) -> Result<String> {
        // Why a shell: errors must stand where they happened, so both streams are one.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
            .arg(&self.program)
            .args([
                "-X",
                "-q",
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "postgres",
                "-d",
                database,
            ])
            .args(extra)
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", self.program.display()))?;
        let text = script.to_string();
        let mut stdin = child.stdin.take().ok_or("psql has no input")?;
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()));
        let out = child.wait_with_output().map_err(|e| e.to_string())?;
        let _ = writer.join();
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

pub fn run(args: &[String]) -> Result<()> {
    let args = Args::parse(args, VALUES, FLAGS)?;
    let program = suite::program("psql")?;
    if let Some(port) = args.value("golden") {
        let port = port.parse().map_err(|_| format!("bad port \"{port}\""))?;
        return describe::write_golden(&Psql { program, port });
    }
    let out = shell::target_dir()?.join("psql");
    shell::make_dir(&out)?;
    let log = out.join("server.log");
    let mut server = match args.value("port") {
        Some(_) => None,
        None => {
            let binary = ours::binary(&args, "ci")?;
            Some(Server::start(&binary, Data::Memory, ours::free_port()?, &log, &[])?)
        }
    };
    let port = match &server {
        Some(s) => s.port,
        None => args.number("port", 0)?,
    };
    println!("server: {}", ours::identify(port)?);
    let psql = Psql { program, port };
    describe::load_schema(&psql)?;
    let mut faults = describe::compare(&psql, &out)?;
    faults.extend(views(port)?);
    if !args.flag("no-completion") {
        faults.extend(completion::check(port, args.value("completion"))?);
    }
    if let Some(s) = &mut server
        && s.ended().is_none()
    {
        s.stop()?;
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

/// Reads every view of both schemas.
fn views(port: u16) -> Result<Vec<String>> {
    let list =
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind = 'v' AND n.nspname IN ('pg_catalog', 'information_schema') ORDER BY 1";
    let mut client = Client::connect(port, DATABASE).map_err(|e| e.to_string())?;
    client.patience(Duration::from_secs(120)).map_err(|e| e.to_string())?;
    let names: Vec<String> =
        client.query(list).map_err(|e| e.to_string())?.into_iter().flatten().flatten().collect();
    let mut faults = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for name in &names {
        let start = Instant::now();
        match client.query(&format!("SELECT * FROM {name}")) {
            Ok(_) => slowest = slowest.max((start.elapsed(), name.clone())),
            Err(_) if REFUSED.iter().any(|r| name.ends_with(r)) => {}
            Err(e) => faults.push(format!("SELECT * FROM {name}: {e}")),
        }
    }
    println!(
        "views: {} of {} read, the slowest {} in {:.2} s",
        names.len() - faults.len(),
        names.len(),
        slowest.1,
        slowest.0.as_secs_f64()
    );
    // The control: a view that does not exist must count as a fault.
    if client.query("SELECT * FROM pg_catalog.pg_no_such_view").is_ok() {
        faults.push("control: reading a view that does not exist did not fail".into());
    }
    Ok(faults)
}
