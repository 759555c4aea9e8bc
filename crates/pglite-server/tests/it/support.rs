//! A server for one test: its own directory, port and certificate, stopped when the test ends.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::cert;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A directory that goes away with the test.
pub struct TempDir(pub PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        let n = SERIAL.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("pglitedb-it-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        TempDir(dir)
    }
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pglitedb"));
    command.env_remove("PGLITEDB_DATA_DIR").env_remove("PGLITEDB_LISTEN");
    command
}

/// Runs the binary to its end.
pub fn run(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = binary().args(args).output().unwrap();
    let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

pub struct Server {
    child: Child,
    pub port: u16,
    /// What it logged before it was ready.
    pub log: Vec<String>,
}

impl Server {
    /// Starts it on a free port and waits until it is ready.
    pub fn start(args: &[&str]) -> Server {
        let mut child = binary()
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut log, mut port) = (Vec::new(), 0);
        while !log.last().is_some_and(|l: &String| l.contains("ready:")) {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended: {log:?}");
            if let Some((_, address)) = line.split_once("listening address=") {
                port = address.trim().rsplit(':').next().unwrap().parse().unwrap();
            }
            log.push(line);
        }
        // Why: a full pipe would stop the server at its next log line.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Server { child, port, log }
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end: the exit code.
    pub fn wait(&mut self, limit: Duration) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < limit, "the server did not end within {limit:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the driver tests connect.
pub struct Target {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub database: String,
    /// A CA certificate in PEM; None: the server has no TLS.
    pub ca: Option<PathBuf>,
    pub _own: Option<(Server, TempDir)>,
}

impl Target {
    /// The server that DRIVER_HOST, DRIVER_PORT ... name, or else one of our own with TLS and SCRAM.
    pub async fn get() -> Target {
        let var = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
        let (user, password) = (var("DRIVER_USER", "driver"), var("DRIVER_PASSWORD", "pencil"));
        let (host, database) = (var("DRIVER_HOST", "127.0.0.1"), var("DRIVER_DATABASE", "driver"));
        if let Ok(port) = std::env::var("DRIVER_PORT") {
            let ca = std::env::var("DRIVER_CA").ok().map(PathBuf::from);
            return Target { host, port: port.parse().unwrap(), user, password, database, ca, _own: None };
        }
        let dir = TempDir::new();
        let files = cert::write(&dir.0);
        let hba = dir.path("hba");
        std::fs::write(&hba, "host all postgres 127.0.0.1/32 trust\nhost all all all scram-sha-256\n")
            .unwrap();
        let (cert, key) = (files.cert.to_string_lossy(), files.key.to_string_lossy());
        let server = Server::start(&["--memory", "--hba-file", &hba, "--tls-cert", &cert, "--tls-key", &key]);
        let params = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port);
        let (admin, connection) = tokio_postgres::connect(&params, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        admin.batch_execute(&format!("CREATE ROLE {user} LOGIN PASSWORD '{password}'")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {database} OWNER {user}")).await.unwrap();
        let port = server.port;
        Target { host, port, user, password, database, ca: Some(files.ca), _own: Some((server, dir)) }
    }
}
