//! `cargo xtask drivers`: the suites of `tests/drivers` and tokio-postgres against our server, with TLS and SCRAM, or
//! against a real PostgreSQL. The clients are installed by name, newest first, into `.drivers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::ours::{self, Data, Server};
use crate::shell;
use crate::wire::Client;

const USER: &str = "driver";
const PASSWORD: &str = "pencil";

/// (name, makes the client ready, the command of the suite).
type Driver = (&'static str, fn(&Path) -> Result<()>, fn(&Path, &str) -> Command);

const DRIVERS: &[Driver] = &[
    ("psycopg", |home| python(home, "psycopg[binary]"), |home, _| python_suite(home, "psycopg")),
    ("asyncpg", |home| python(home, "asyncpg"), |home, _| python_suite(home, "asyncpg")),
    ("tokio-postgres", |_| Ok(()), |_, profile| tokio_suite(profile)),
    ("node", node, |home, _| node_suite(home)),
    ("jdbc", jdbc, |home, _| jdbc_suite(home)),
];

fn suites() -> PathBuf {
    shell::root().join("tests/drivers")
}

/// `[NAME ...] [--oracle HOST:PORT] [--profile P] [--binary PATH]`.
pub fn run(args: &[String]) -> Result<()> {
    let options = args.iter().position(|a| a.starts_with("--")).unwrap_or(args.len());
    let (names, rest) = args.split_at(options);
    let args = shell::Args::parse(rest, &["oracle", "profile", "binary"], &[])?;
    if let Some(wrong) = names.iter().find(|n| !DRIVERS.iter().any(|d| d.0 == n.as_str())) {
        let known: Vec<&str> = DRIVERS.iter().map(|d| d.0).collect();
        return Err(format!("no driver \"{wrong}\"; drivers: {}", known.join(" ")));
    }
    let chosen: Vec<&Driver> =
        DRIVERS.iter().filter(|d| names.is_empty() || names.iter().any(|n| n == d.0)).collect();
    let profile = args.value("profile").unwrap_or("dev");
    let home = shell::root().join(".drivers");
    shell::make_dir(&home)?;
    for (_, install, _) in &chosen {
        install(&home)?;
    }
    match args.value("oracle") {
        Some(address) => {
            let (host, port) = address
                .rsplit_once(':')
                .ok_or_else(|| format!("--oracle needs HOST:PORT, not \"{address}\""))?;
            all(
                &chosen,
                &home,
                profile,
                host,
                port.parse().map_err(|_| format!("bad port \"{port}\""))?,
                None,
            )
        }
        None => {
            let binary = ours::binary(&args, profile)?;
            let tls = certificates(&home.join("tls"), profile)?;
            let hba = home.join("hba");
            shell::write(
                &hba,
                "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all all scram-sha-256\n",
            )?;
            let paths = [&hba, &tls[1], &tls[2]].map(|p| p.to_string_lossy().into_owned());
            let options = ["--hba-file", &paths[0], "--tls-cert", &paths[1], "--tls-key", &paths[2]];
            let data = home.join(format!("data-{}", std::process::id()));
            let mut server = Server::start(
                &binary,
                Data::Dir(&data),
                ours::free_port()?,
                &home.join("server.log"),
                &options,
            )?;
            let result = all(&chosen, &home, profile, "127.0.0.1", server.port, Some(&tls[0]));
            let stopped = server.stop();
            let _ = std::fs::remove_dir_all(&data);
            result.and(stopped)
        }
    }
}

fn all(
    chosen: &[&Driver],
    home: &Path,
    profile: &str,
    host: &str,
    port: u16,
    ca: Option<&Path>,
) -> Result<()> {
    prepare(port)?;
    let mut failed = Vec::new();
    for (name, _, command) in chosen {
        println!("== {name}");
        let mut command = command(home, profile);
        command
            .env("DRIVER_HOST", host)
            .env("DRIVER_PORT", port.to_string())
            .env("DRIVER_USER", USER)
            .env("DRIVER_PASSWORD", PASSWORD)
            .env("DRIVER_DATABASE", USER)
            .env("DRIVER_SHARED", suites());
        match ca {
            Some(ca) => command.env("DRIVER_CA", ca),
            None => command.env_remove("DRIVER_CA"),
        };
        let status = command.status().map_err(|e| format!("{name}: {e}"))?;
        if !status.success() {
            failed.push(*name);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// The role and the database that the suites work in.
fn prepare(port: u16) -> Result<()> {
    let run = || {
        let mut admin = Client::connect(port, "postgres")?;
        if admin.value(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{USER}'"))? == "0" {
            admin.query(&format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'"))?;
        }
        if admin.value(&format!("SELECT count(*) FROM pg_database WHERE datname = '{USER}'"))? == "0" {
            admin.query(&format!("CREATE DATABASE {USER} OWNER {USER}"))?;
        }
        Ok(())
    };
    run().map_err(|e: crate::wire::Failure| format!("port {port}: {e}"))
}

/// The CA's certificate, the server's certificate and key.
fn certificates(dir: &Path, profile: &str) -> Result<[PathBuf; 3]> {
    shell::make_dir(dir)?;
    let path = dir.to_string_lossy();
    shell::run(
        "cargo",
        &[
            "run",
            "--quiet",
            "--profile",
            profile,
            "-p",
            "pglite-server",
            "--example",
            "test_certificate",
            "--",
            &path,
        ],
    )?;
    Ok(["ca.pem", "server.pem", "server.key"].map(|n| dir.join(n)))
}

fn python(home: &Path, package: &str) -> Result<()> {
    let venv = home.join("venv");
    let pip = venv.join("bin/pip");
    if !pip.exists() {
        let venv = venv.to_string_lossy();
        if !shell::succeeds("python3", &["-m", "venv", &venv]) {
            shell::install(&["python3", "python3-venv"])?;
            shell::run("python3", &["-m", "venv", &venv])?;
        }
    }
    shell::run(pip, &["-q", "--disable-pip-version-check", "install", "--upgrade", package])
}

fn python_suite(home: &Path, name: &str) -> Command {
    let mut command = Command::new(home.join("venv/bin/python"));
    command.arg(suites().join(name).join("suite.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn node(home: &Path) -> Result<()> {
    if !shell::succeeds("node", &["--version"]) || !shell::succeeds("npm", &["--version"]) {
        shell::install(&["nodejs", "npm"])?;
    }
    let (from, to) = (suites().join("node"), home.join("node"));
    for file in ["package.json", "suite.js"] {
        shell::write(&to.join(file), shell::read(&from.join(file))?)?;
    }
    shell::run("npm", &["--prefix", &to.to_string_lossy(), "--no-audit", "--no-fund", "--silent", "update"])
}

fn node_suite(home: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(home.join("node/suite.js"));
    command
}

fn tokio_suite(profile: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args([
        "test",
        "--quiet",
        "--profile",
        profile,
        "-p",
        "pglite-server",
        "--test",
        "it",
        "tokio_driver",
        "--",
    ]);
    // Why one at a time: against a server that is given, all work in one database.
    command.arg("--test-threads=1");
    command
}

fn jar(home: &Path) -> PathBuf {
    home.join("jdbc/postgresql.jar")
}

/// pgjdbc from Debian's newest release, whatever this machine's own is; a JDK from its own.
fn jdbc(home: &Path) -> Result<()> {
    if !shell::succeeds("javac", &["-version"]) {
        shell::install(&["default-jdk-headless"])?;
    }
    if jar(home).exists() {
        return Ok(());
    }
    shell::make_dir(&home.join("jdbc"))?;
    // A private apt configuration: the machine's own sources stay as they are.
    shell::script(&format!(
        r#"work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial
mirror=$(grep -hoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 | tr -d ' ')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${{mirror%/}} sid main" > "$work/sources.list"
cat > "$work/apt.conf" <<C
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
C
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
cd "$work"
apt-get -qq download libpostgresql-jdbc-java
dpkg -x libpostgresql-jdbc-java_*.deb x
cp -L x/usr/share/java/postgresql.jar '{}'"#,
        jar(home).display()
    ))
}

fn jdbc_suite(home: &Path) -> Command {
    let mut command = Command::new("java");
    command.arg("-cp").arg(jar(home)).arg(suites().join("jdbc/Suite.java"));
    command
}
