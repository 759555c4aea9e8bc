//! The binary as a process: its start-up failures, its exit codes, its stop.

use std::time::Duration;

use tokio_postgres::NoTls;

use crate::support::{Server, TempDir, run};

/// One line on standard error, and the exit code.
fn refused(args: &[&str]) -> (i32, String) {
    let (code, out, err) = run(args);
    assert_eq!(out, "");
    let failures: Vec<&str> = err.lines().filter(|l| l.starts_with("pglitedb: ")).collect();
    assert_eq!(failures.len(), 1, "one line says why: {err}");
    assert_eq!(err.lines().last(), failures.last().copied());
    (code, failures[0].to_string())
}

#[test]
fn help_and_version() {
    let (code, out, err) = run(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for word in ["--data-dir", "--listen", "--hba-file", "--tls-cert", "exit codes", "PGLITEDB_LISTEN"] {
        assert!(out.contains(word), "--help tells about {word}");
    }
    let (code, out, _) = run(&["--version"]);
    assert_eq!(code, 0);
    assert!(out.contains("PostgreSQL 18"), "{out}");
}

#[test]
fn bad_options_and_settings() {
    let (code, line) = refused(&["--no-such-option"]);
    assert_eq!(code, 2);
    assert!(line.contains("--no-such-option"), "{line}");
    let base = ["--memory", "--listen", "127.0.0.1:0"];
    let (code, line) = refused(&[&base[..], &["--set", "work_mem=many"]].concat());
    assert_eq!(code, 2);
    assert!(line.contains("work_mem"), "{line}");
    let (code, line) = refused(&[&base[..], &["--set", "no_such_setting=1"]].concat());
    assert_eq!(code, 2);
    assert!(line.contains("no_such_setting"), "{line}");
    let (code, line) =
        refused(&[&base[..], &["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"]].concat());
    assert_eq!(code, 2);
    assert!(line.contains("/nowhere.pem"), "{line}");
    let dir = TempDir::new();
    let hba = dir.path("hba");
    std::fs::write(&hba, "# comment\nhost all all 127.0.0.1/33 trust\n").unwrap();
    let (code, line) = refused(&[&base[..], &["--hba-file", &hba]].concat());
    assert_eq!(code, 2);
    assert!(line.contains("line 2"), "{line}");
}

#[test]
fn a_busy_port() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let (code, line) = refused(&["--memory", "--listen", &address]);
    assert_eq!(code, 3);
    assert!(line.contains(&address), "{line}");
}

#[test]
fn locked_and_foreign_directories() {
    let dir = TempDir::new();
    let data = dir.path("data");
    let _server = Server::start(&["--data-dir", &data]);
    let (code, line) = refused(&["--data-dir", &data, "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 4);
    assert!(line.contains(&data), "{line}");
    let foreign = dir.path("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(format!("{foreign}/PG_VERSION"), "18\n").unwrap();
    let (code, line) = refused(&["--data-dir", &foreign, "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 4);
    assert!(line.contains(&foreign), "{line}");
}

#[tokio::test]
async fn sigterm_stops_in_order_and_keeps_the_data() {
    let dir = TempDir::new();
    let data = dir.path("data");
    let mut server = Server::start(&["--data-dir", &data]);
    assert!(server.log.last().unwrap().contains("psql -h 127.0.0.1"), "a command to paste: {:?}", server.log);
    let params = |port: u16| format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&params(server.port), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await.unwrap();
    let open = client.batch_execute("BEGIN; INSERT INTO t VALUES (43)");
    open.await.unwrap();
    server.signal("-TERM");
    let ended = connection.await.unwrap().unwrap_err();
    assert_eq!(ended.code().map(|c| c.code()), Some("57P01"), "the client is told: {ended:?}");
    assert_eq!(server.wait(Duration::from_secs(20)), Some(0));
    let server = Server::start(&["--data-dir", &data]);
    let (client, connection) = tokio_postgres::connect(&params(server.port), NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client.query("SELECT a FROM t", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.get(0)).collect::<Vec<i32>>(), [42]);
}

#[tokio::test]
async fn a_running_statement_does_not_hold_up_a_stop() {
    let mut server = Server::start(&["--memory"]);
    let params = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port);
    let (client, connection) = tokio_postgres::connect(&params, NoTls).await.unwrap();
    tokio::spawn(connection);
    let long = tokio::spawn(async move { client.batch_execute("SELECT pg_sleep(60)").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.signal("-TERM");
    assert_eq!(server.wait(Duration::from_secs(20)), Some(0));
    assert!(long.await.unwrap().is_err());
}

#[tokio::test]
async fn unix_socket() {
    let dir = TempDir::new();
    let server = Server::start(&["--memory", "--socket-dir", &dir.0.to_string_lossy()]);
    let path = dir.0.join(format!(".s.PGSQL.{}", server.port));
    assert!(path.exists());
    let params = format!("host={} port={} user=postgres dbname=postgres", dir.0.display(), server.port);
    let (client, connection) = tokio_postgres::connect(&params, NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client.query_one("SELECT inet_client_addr() IS NULL", &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
}

#[tokio::test]
async fn rules_decide_who_comes_in() {
    let dir = TempDir::new();
    let hba = dir.path("hba");
    let rules = "host all mallory all reject\nhost postgres postgres 127.0.0.1/32 trust\n";
    std::fs::write(&hba, rules).unwrap();
    let server = Server::start(&["--memory", "--hba-file", &hba]);
    let connect = async |user: &str, database: &str| {
        let params = format!("host=127.0.0.1 port={} user={user} dbname={database}", server.port);
        tokio_postgres::connect(&params, NoTls).await.map(|(client, connection)| {
            tokio::spawn(connection);
            client
        })
    };
    connect("postgres", "postgres").await.unwrap();
    let message = |e: tokio_postgres::Error| e.as_db_error().unwrap().message().to_string();
    let e = message(connect("mallory", "postgres").await.err().unwrap());
    assert_eq!(
        e,
        "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"mallory\", database \"postgres\", no encryption"
    );
    let e = message(connect("postgres", "template1").await.err().unwrap());
    assert_eq!(
        e,
        "no pg_hba.conf entry for host \"127.0.0.1\", user \"postgres\", database \"template1\", no encryption"
    );
}
