//! `cargo xtask regress`: PostgreSQL's own regression suite against our server, statement by statement.
//!
//! The score is the reference scorer's: a statement counts when what psql prints after it equals the expected file to
//! the byte. The server is ours, started here in memory, and asked who it is before anything is counted.

mod score;
mod split;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

const RATCHET: &str = "tests/regress/expected.json";
const PORT: &str = "5497";

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn option(args: &[String], name: &str) -> Option<String> {
    args.iter().position(|a| a == name).and_then(|i| args.get(i + 1).cloned())
}

pub fn run(args: &[String]) -> Result<()> {
    let suite = crate::suite::suite(option(args, "--dir").as_deref())?;
    let psql = crate::suite::psql()?;
    let timeout = option(args, "--timeout").and_then(|t| t.parse().ok()).unwrap_or(60);
    let port = option(args, "--port");
    let _server = match &port {
        Some(_) => None,
        None => Some(start_server()?),
    };
    let port = port.unwrap_or_else(|| PORT.to_string());
    identify(&psql, &port)?;
    let out = PathBuf::from("target/regress");
    for sub in ["results", "testtablespace"] {
        fs::create_dir_all(out.join(sub)).map_err(|e| e.to_string())?;
    }
    create_database(&psql, &port);
    let wanted = option(args, "--tests");
    let wanted: Option<Vec<&str>> = wanted.as_deref().map(|w| w.split(',').collect());
    let mut rows = BTreeMap::new();
    let (mut ok, mut units, mut exact) = (0, 0, 0);
    for test in schedule(&suite)? {
        if wanted.as_ref().is_some_and(|w| !w.contains(&test.as_str())) {
            continue;
        }
        let result = one(&suite, &psql, &port, &out, &test, timeout)?;
        println!(
            "{} {test:28} {:5}/{:5} {}",
            if result.exact { "ok  " } else { "DIFF" },
            result.ok,
            result.units,
            if result.timed_out { "TIMEOUT" } else { "" }
        );
        ok += result.ok;
        units += result.units;
        exact += usize::from(result.exact);
        rows.insert(test, result.ok);
    }
    println!(
        "{exact}/{} files byte-exact; {ok}/{units} statements match ({:.2} %)",
        rows.len(),
        100.0 * ok as f64 / units.max(1) as f64
    );
    ratchet(&rows, args.iter().any(|a| a == "--update"))
}

/// Starts our server from a build of the tree.
fn start_server() -> Result<Server> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--package", "pglite-server"])
        .status()
        .map_err(|e| e.to_string())?;
    if !status.success() {
        return Err("the server does not build".into());
    }
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let child = Command::new(Path::new(&target).join("debug/pglitedb"))
        .args(["--memory", "--listen", &format!("127.0.0.1:{PORT}")])
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    std::thread::sleep(Duration::from_millis(1500));
    Ok(Server(child))
}

fn query(psql: &Path, port: &str, sql: &str) -> Result<String> {
    let out = Command::new(psql)
        .args(["-X", "-At", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "postgres", "-c", sql])
        .output()
        .map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_string())
}

/// Refuses to score any other server than ours.
fn identify(psql: &Path, port: &str) -> Result<()> {
    let version = query(psql, port, "SELECT version()")?;
    println!("server: {version}");
    if version.contains("PGLiteDB") {
        Ok(())
    } else {
        Err(format!("the server on port {port} is not PGLiteDB"))
    }
}

fn create_database(psql: &Path, port: &str) {
    let mut statements = vec![
        "DROP DATABASE IF EXISTS regression".to_string(),
        "CREATE DATABASE regression TEMPLATE=template0 LOCALE='C'".to_string(),
    ];
    for (name, value) in [
        ("lc_messages", "C"),
        ("lc_monetary", "C"),
        ("lc_numeric", "C"),
        ("lc_time", "C"),
        ("bytea_output", "hex"),
        ("timezone_abbreviations", "Default"),
    ] {
        statements.push(format!("ALTER DATABASE regression SET {name} TO '{value}'"));
    }
    for s in statements {
        let _ = query(psql, port, &s);
    }
}

fn schedule(suite: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(suite.join("parallel_schedule")).map_err(|e| e.to_string())?;
    let lines = text.lines().filter_map(|l| l.strip_prefix("test:"));
    Ok(lines.flat_map(|l| l.split_whitespace().map(str::to_string)).collect())
}

struct Outcome {
    ok: usize,
    units: usize,
    exact: bool,
    timed_out: bool,
}

fn one(suite: &Path, psql: &Path, port: &str, out: &Path, test: &str, timeout: u64) -> Result<Outcome> {
    let sql_path = suite.join("sql").join(format!("{test}.sql"));
    let sql = fs::read(&sql_path).map_err(|e| format!("{}: {e}", sql_path.display()))?;
    let (got, timed_out) = run_psql(suite, psql, port, out, test, &sql_path, timeout)?;
    let split = split::split(&sql);
    let printed = score::chunks(&split.echoed, &got);
    let mut best: Option<usize> = None;
    let mut exact = false;
    let names = std::iter::once(format!("{test}.out")).chain((0..10).map(|k| format!("{test}_{k}.out")));
    for name in names {
        let Ok(expected) = fs::read(suite.join("expected").join(name)) else { continue };
        let wanted = score::chunks(&split.echoed, &expected);
        let ok = split.units.iter().filter(|i| printed[**i].is_some() && printed[**i] == wanted[**i]).count();
        exact |= expected == got;
        best = Some(best.map_or(ok, |b| b.max(ok)));
    }
    Ok(Outcome { ok: best.unwrap_or(0), units: split.units.len(), exact, timed_out })
}

fn run_psql(
    suite: &Path,
    psql: &Path,
    port: &str,
    out: &Path,
    test: &str,
    sql: &Path,
    timeout: u64,
) -> Result<(Vec<u8>, bool)> {
    let result = out.join("results").join(format!("{test}.out"));
    let file = fs::File::create(&result).map_err(|e| e.to_string())?;
    let input = fs::File::open(sql).map_err(|e| e.to_string())?;
    let absolute = out.canonicalize().map_err(|e| e.to_string())?;
    let mut child = Command::new(psql)
        .args([
            "-X",
            "-a",
            "-q",
            "-d",
            "regression",
            "-v",
            "HIDE_TABLEAM=on",
            "-v",
            "HIDE_TOAST_COMPRESSION=on",
        ])
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
            ("PGPORT", port),
        ])
        .env("PG_ABS_SRCDIR", suite)
        .env("PG_ABS_BUILDDIR", &absolute)
        .env("PGAPPNAME", format!("pg_regress/{test}"))
        .current_dir(&absolute)
        .stdin(input)
        .stdout(file.try_clone().map_err(|e| e.to_string())?)
        .stderr(file)
        .spawn()
        .map_err(|e| e.to_string())?;
    let end = Instant::now() + Duration::from_secs(timeout);
    let mut timed_out = false;
    while child.try_wait().map_err(|e| e.to_string())?.is_none() {
        if Instant::now() > end {
            let _ = child.kill();
            timed_out = true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok((fs::read(&result).map_err(|e| e.to_string())?, timed_out))
}

/// A drop in any file fails; a rise is recorded with `--update`.
fn ratchet(rows: &BTreeMap<String, usize>, update: bool) -> Result<()> {
    let old = fs::read_to_string(RATCHET).unwrap_or_default();
    let mut known: BTreeMap<String, usize> = old
        .lines()
        .filter_map(|l| {
            let (name, n) = l.trim().trim_end_matches(',').split_once(": ")?;
            Some((name.trim_matches('"').to_string(), n.parse().ok()?))
        })
        .collect();
    let drops: Vec<String> = rows
        .iter()
        .filter_map(|(t, n)| known.get(t).filter(|k| n < k).map(|k| format!("{t}: {n}, was {k}")))
        .collect();
    if update {
        for (t, n) in rows {
            known.insert(t.clone(), *n);
        }
        let lines: Vec<String> = known.iter().map(|(t, n)| format!("  \"{t}\": {n}")).collect();
        fs::create_dir_all("tests/regress").map_err(|e| e.to_string())?;
        fs::write(RATCHET, format!("{{\n{}\n}}\n", lines.join(",\n"))).map_err(|e| e.to_string())?;
        return Ok(());
    }
    if drops.is_empty() {
        Ok(())
    } else {
        Err(format!("fewer statements match than before:\n{}", drops.join("\n")))
    }
}
