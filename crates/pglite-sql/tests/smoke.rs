//! SQL through the embedded facade: what the first minute with the product touches.

use pglite_sql::{Database, Session};
use pglite_types::Datum;

fn session() -> Session {
    Database::open_in_memory().expect("opens").session().expect("connects")
}

fn ints(session: &mut Session, sql: &str) -> Vec<i64> {
    let rows = session.query(sql).unwrap_or_else(|e| panic!("{sql}: {e}")).rows;
    rows.iter()
        .map(|r| match r[0] {
            Datum::Int4(v) => i64::from(v),
            Datum::Int8(v) => v,
            ref other => panic!("not an integer: {other:?}"),
        })
        .collect()
}

#[test]
fn a_table_keeps_what_it_is_given() {
    let mut s = session();
    s.query("CREATE TABLE t (a int PRIMARY KEY, b text DEFAULT 'x')").unwrap();
    assert_eq!(s.query("INSERT INTO t VALUES (1, 'one'), (2, 'two')").unwrap().tag, "INSERT 0 2");
    s.query("INSERT INTO t (a) VALUES (3)").unwrap();
    assert_eq!(ints(&mut s, "SELECT a FROM t WHERE b = 'two'"), [2]);
    assert_eq!(s.query("UPDATE t SET b = 'zwei' WHERE a = 2").unwrap().tag, "UPDATE 1");
    assert_eq!(s.query("DELETE FROM t WHERE a = 1").unwrap().tag, "DELETE 1");
    assert_eq!(ints(&mut s, "SELECT a FROM t ORDER BY a DESC"), [3, 2]);
}

#[test]
fn errors_carry_sqlstate_and_leave_the_session_usable() {
    let mut s = session();
    let code = |s: &mut Session, sql: &str| s.query(sql).unwrap_err().code().as_str().to_string();
    assert_eq!(code(&mut s, "SELECT 1/0"), "22012");
    assert_eq!(code(&mut s, "SELEC 1"), "42601");
    assert_eq!(code(&mut s, "SELECT * FROM nowhere"), "42P01");
    s.query("CREATE TABLE t (a int PRIMARY KEY)").unwrap();
    s.query("INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(code(&mut s, "INSERT INTO t VALUES (1)"), "23505");
    assert_eq!(code(&mut s, "INSERT INTO t VALUES (NULL)"), "23502");
    assert_eq!(ints(&mut s, "SELECT a FROM t"), [1]);
}

#[test]
fn transactions_roll_back_data_and_schema() {
    let mut s = session();
    s.query("CREATE TABLE t (a int)").unwrap();
    s.query("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT p; INSERT INTO t VALUES (2); ROLLBACK TO p; COMMIT")
        .unwrap();
    assert_eq!(ints(&mut s, "SELECT a FROM t"), [1]);
    s.query("BEGIN; CREATE TABLE u (a int); ROLLBACK").unwrap();
    assert_eq!(s.query("SELECT * FROM u").unwrap_err().code().as_str(), "42P01");
}

#[test]
fn two_sessions_see_committed_work_only() {
    let db = Database::open_in_memory().unwrap();
    let (mut a, mut b) = (db.session().unwrap(), db.session().unwrap());
    a.query("CREATE TABLE t (a int)").unwrap();
    a.query("BEGIN; INSERT INTO t VALUES (7)").unwrap();
    assert!(ints(&mut b, "SELECT a FROM t").is_empty());
    a.query("COMMIT").unwrap();
    assert_eq!(ints(&mut b, "SELECT a FROM t"), [7]);
}

#[test]
fn parameters_and_plans_that_outlive_ddl() {
    let mut s = session();
    s.query("CREATE TABLE t (a int, b text)").unwrap();
    s.query_params("INSERT INTO t VALUES ($1, $2)", &[Some("4"), Some("four")]).unwrap();
    let rows = s.query_params("SELECT b FROM t WHERE a = $1", &[Some("4")]).unwrap();
    assert_eq!(rows.scalar().and_then(Datum::as_str), Some("four"));
    let e = s.query_params("SELECT a FROM t WHERE a = $1", &[Some("x")]).unwrap_err();
    assert_eq!(e.code().as_str(), "22P02");
}

#[test]
fn data_survives_a_restart() {
    let dir = std::env::temp_dir().join(format!("pglite-smoke-{}", std::process::id()));
    {
        let db = Database::open(&dir).unwrap();
        let mut s = db.session().unwrap();
        s.query("CREATE TABLE t (a int PRIMARY KEY, b text)").unwrap();
        s.query("INSERT INTO t VALUES (1, 'kept')").unwrap();
    }
    {
        let db = Database::open(&dir).unwrap();
        let mut s = db.session().unwrap();
        let rows = s.query("SELECT b FROM t WHERE a = 1").unwrap();
        assert_eq!(rows.scalar().and_then(Datum::as_str), Some("kept"));
        assert_eq!(s.query("INSERT INTO t VALUES (1, 'again')").unwrap_err().code().as_str(), "23505");
    }
    #[allow(clippy::disallowed_methods)]
    let _ = std::fs::remove_dir_all(&dir);
}
