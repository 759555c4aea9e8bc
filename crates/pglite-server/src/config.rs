//! Where the server's start-up settings come from: command line over environment over config file over defaults.
//!
//! Each setting has one name in all three: `--data-dir`, `PGLITEDB_DATA_DIR`, `data-dir = ...`.

use std::collections::BTreeMap;
use std::path::PathBuf;

pub const HELP: &str = "\
PGLiteDB: a PostgreSQL 18-compatible database server.

usage: pglitedb [serve] [options]

  --data-dir DIR       where the data lives, created when missing      [./pglitedb-data]
  --memory             keep everything in memory, nothing on disk
  --listen HOST:PORT   TCP address to listen on, `none` for no TCP     [127.0.0.1:5432]
  --socket-dir DIR     also listen on DIR/.s.PGSQL.PORT
  --superuser NAME     name of the bootstrap superuser                 [postgres]
  --password-file F    set the superuser's password from F's first line
  --hba-file F         who may connect from where, in pg_hba.conf form
                       (default: loopback trusted, all others SCRAM)
  --tls-cert F         PEM certificate chain; with --tls-key turns TLS on
  --tls-key F          PEM private key
  --max-connections N  at most N sessions                              [1000]
  --memory-budget MB   block cache and memtables                       [256]
  --workers N          threads that run statements                     [2 a core, at least 8]
  --fsync on|off       off loses recent commits in a power cut         [on]
  --set NAME=VALUE     default for a PostgreSQL setting (repeatable)
  --config F           read `name = value` lines from F
  --version, --help

Every option can also be given as an environment variable (PGLITEDB_LISTEN=...)
or a line of the config file (listen = 127.0.0.1:5433).

exit codes: 0 stopped on request, 1 runtime failure, 2 bad option or setting,
            3 address in use, 4 data directory locked or not ours
";

/// A bad option: one line for the user.
#[derive(Debug)]
pub struct Usage(pub String);

#[derive(Debug, Clone)]
pub struct Config {
    /// None = in memory.
    pub data_dir: Option<PathBuf>,
    /// None = no TCP listener.
    pub listen: Option<String>,
    pub socket_dir: Option<PathBuf>,
    pub superuser: String,
    pub password_file: Option<PathBuf>,
    pub hba_file: Option<PathBuf>,
    pub tls: Option<(PathBuf, PathBuf)>,
    pub max_connections: usize,
    pub memory_budget_mb: usize,
    pub workers: usize,
    pub fsync: bool,
    pub settings: Vec<(String, String)>,
}

/// What the command line asks for.
pub enum Action {
    Serve(Box<Config>),
    Help,
    Version,
}

const NAMES: &[&str] = &[
    "data-dir",
    "memory",
    "listen",
    "socket-dir",
    "superuser",
    "password-file",
    "hba-file",
    "tls-cert",
    "tls-key",
    "max-connections",
    "memory-budget",
    "workers",
    "fsync",
    "set",
    "config",
];

/// Reads the command line, the environment and the config file they name.
pub fn load(
    args: impl Iterator<Item = String>,
    env: impl Iterator<Item = (String, String)>,
    read_file: impl Fn(&str) -> Result<String, String>,
) -> Result<Action, Usage> {
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    let mut settings = Vec::new();
    let mut args = args.peekable();
    if args.peek().is_some_and(|a| a == "serve") {
        args.next();
    }
    while let Some(arg) = args.next() {
        let Some(name) = arg.strip_prefix("--") else {
            match arg.as_str() {
                "-h" => return Ok(Action::Help),
                "-V" => return Ok(Action::Version),
                other => return Err(Usage(format!("unknown argument \"{other}\" (try --help)"))),
            }
        };
        let (name, inline) = match name.split_once('=') {
            Some((n, v)) => (n, Some(v.to_string())),
            None => (name, None),
        };
        match name {
            "help" => return Ok(Action::Help),
            "version" => return Ok(Action::Version),
            _ if !NAMES.contains(&name) => {
                return Err(Usage(format!("unknown option \"--{name}\" (try --help)")));
            }
            _ => {}
        }
        let value = match inline {
            Some(v) => v,
            None if name == "memory" => "on".to_string(),
            None => args.next().ok_or_else(|| Usage(format!("option \"--{name}\" needs a value")))?,
        };
        if name == "set" {
            settings.push(setting(&value)?);
        } else {
            given.insert(name.to_string(), value);
        }
    }
    for (key, value) in env {
        if let Some(name) = key.strip_prefix("PGLITEDB_") {
            let name = name.to_lowercase().replace('_', "-");
            if NAMES.contains(&name.as_str()) && name != "set" {
                given.entry(name).or_insert(value);
            }
        }
    }
    if let Some(path) = given.get("config").cloned() {
        read_config(&path, &read_file(&path).map_err(Usage)?, &mut given, &mut settings)?;
    }
    build(&given, settings).map(|c| Action::Serve(Box::new(c)))
}

fn setting(text: &str) -> Result<(String, String), Usage> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| Usage(format!("--set needs NAME=VALUE, not \"{text}\"")))?;
    Ok((name.trim().to_string(), value.trim().to_string()))
}

fn read_config(
    path: &str,
    text: &str,
    given: &mut BTreeMap<String, String>,
    settings: &mut Vec<(String, String)>,
) -> Result<(), Usage> {
    let mut from_file = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let (name, value) =
            line.split_once('=').ok_or_else(|| Usage(format!("{path}:{}: expected name = value", n + 1)))?;
        let (name, value) = (name.trim().to_string(), value.trim().trim_matches('\'').to_string());
        if name == "set" || !NAMES.contains(&name.as_str()) {
            // Any other name is a PostgreSQL setting; a wrong one is reported when the database opens.
            from_file.push(if name == "set" { setting(&value)? } else { (name, value) });
        } else {
            given.entry(name).or_insert(value);
        }
    }
    settings.splice(0..0, from_file);
    Ok(())
}

fn build(given: &BTreeMap<String, String>, settings: Vec<(String, String)>) -> Result<Config, Usage> {
    let get = |name: &str| given.get(name).cloned();
    let number = |name: &str, default: usize| match get(name) {
        None => Ok(default),
        Some(v) => {
            v.parse::<usize>().map_err(|_| Usage(format!("option \"--{name}\" needs a number, not \"{v}\"")))
        }
    };
    let switch = |name: &str, default: bool| match get(name).as_deref() {
        None => Ok(default),
        Some("on" | "true" | "1" | "yes") => Ok(true),
        Some("off" | "false" | "0" | "no") => Ok(false),
        Some(v) => Err(Usage(format!("option \"--{name}\" needs on or off, not \"{v}\""))),
    };
    let tls = match (get("tls-cert"), get("tls-key")) {
        (Some(c), Some(k)) => Some((c.into(), k.into())),
        (None, None) => None,
        _ => return Err(Usage("--tls-cert and --tls-key go together".into())),
    };
    let listen = get("listen").unwrap_or_else(|| "127.0.0.1:5432".into());
    let data_dir = get("data-dir").unwrap_or_else(|| "./pglitedb-data".into());
    Ok(Config {
        data_dir: (!switch("memory", false)?).then(|| data_dir.into()),
        listen: (listen != "none").then_some(listen),
        socket_dir: get("socket-dir").map(Into::into),
        superuser: get("superuser").unwrap_or_else(|| "postgres".into()),
        password_file: get("password-file").map(Into::into),
        hba_file: get("hba-file").map(Into::into),
        tls,
        max_connections: number("max-connections", 1000)?,
        memory_budget_mb: number("memory-budget", 256)?,
        workers: number("workers", 0)?,
        fsync: switch("fsync", true)?,
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str], env: &[(&str, &str)], file: &str) -> Result<Config, String> {
        let args = args.iter().map(|s| s.to_string());
        let env = env.iter().map(|(k, v)| (k.to_string(), v.to_string()));
        match load(args, env, |_| Ok(file.to_string())) {
            Ok(Action::Serve(c)) => Ok(*c),
            Ok(_) => Err("not serve".into()),
            Err(Usage(m)) => Err(m),
        }
    }

    #[test]
    fn command_line_beats_environment_beats_file() {
        let c = run(
            &["serve", "--listen", "a:1", "--config=f"],
            &[("PGLITEDB_LISTEN", "b:2"), ("PGLITEDB_DATA_DIR", "/d")],
            "listen = c:3\ndata-dir = /e\nmax-connections = 7\nwork_mem = 8MB",
        )
        .unwrap();
        assert_eq!(c.listen.as_deref(), Some("a:1"));
        assert_eq!(c.data_dir, Some("/d".into()));
        assert_eq!(c.max_connections, 7);
        assert_eq!(c.settings, vec![("work_mem".to_string(), "8MB".to_string())]);
    }

    #[test]
    fn bad_options_say_so() {
        assert!(run(&["--nope"], &[], "").unwrap_err().contains("--nope"));
        assert!(run(&["--workers", "x"], &[], "").unwrap_err().contains("number"));
        assert!(run(&["--listen"], &[], "").unwrap_err().contains("value"));
    }
}
