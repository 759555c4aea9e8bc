//! PL/pgSQL and triggers through the embedded facade. Expected values are what PostgreSQL 18.6 gives.

use pglite_error::PgError;
use pglite_sql::{Database, Session};
use pglite_types::Datum;

fn session() -> Session {
    Database::open_in_memory().expect("opens").session().expect("connects")
}

fn run(s: &mut Session, sql: &str) {
    s.query(sql).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// The rows as text: columns joined by `|`.
fn rows(s: &mut Session, sql: &str) -> Vec<String> {
    let show = |d: &Datum| match d {
        Datum::Null => "NULL".to_string(),
        Datum::Int2(v) => v.to_string(),
        Datum::Int4(v) => v.to_string(),
        Datum::Int8(v) => v.to_string(),
        Datum::Bool(b) => if *b { "t" } else { "f" }.to_string(),
        Datum::Text(t) => t.to_string(),
        other => format!("{other:?}"),
    };
    let result = s.query(sql).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    result.rows.iter().map(|r| r.iter().map(show).collect::<Vec<_>>().join("|")).collect()
}

fn error(s: &mut Session, sql: &str) -> PgError {
    match s.query(sql) {
        Ok(_) => panic!("{sql}: no error"),
        Err(e) => e,
    }
}

#[test]
fn control_structures() {
    let mut s = session();
    run(
        &mut s,
        "CREATE FUNCTION f(n int) RETURNS text LANGUAGE plpgsql AS $$
         DECLARE out text := ''; r record; a int[] := '{1,2,3}'; x int;
         BEGIN
           FOR i IN REVERSE n..1 BY 2 LOOP out := out || i || ','; END LOOP;
           FOR r IN SELECT g AS v FROM generate_series(1, 3) g LOOP CONTINUE WHEN r.v = 2; out := out || r.v; END LOOP;
           <<o>> LOOP LOOP EXIT o WHEN length(out) > 0; END LOOP; END LOOP;
           FOREACH x IN ARRAY a LOOP out := out || ';' || x; END LOOP;
           CASE n WHEN 1, 2 THEN out := out || 'few'; ELSE out := out || 'many'; END CASE;
           a[2] := 20;
           RETURN out || a::text;
         END $$",
    );
    assert_eq!(rows(&mut s, "SELECT f(5), f(2)"), ["5,3,1,13;1;2;3many{1,20,3}|2,13;1;2;3few{1,20,3}"]);
}

#[test]
fn exceptions_undo_what_their_block_did() {
    let mut s = session();
    run(&mut s, "CREATE TABLE t (a int PRIMARY KEY)");
    run(
        &mut s,
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
         DECLARE c text; m text;
         BEGIN
           INSERT INTO t VALUES (1);
           BEGIN
             INSERT INTO t VALUES (2);
             INSERT INTO t VALUES (1);
           EXCEPTION WHEN division_by_zero THEN RETURN 'wrong';
             WHEN integrity_constraint_violation THEN
               GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, m = MESSAGE_TEXT;
               RETURN sqlstate || ' ' || c || ' ' || (sqlerrm = m);
           END;
         END $$",
    );
    assert_eq!(rows(&mut s, "SELECT f()"), ["23505 t_pkey true"]);
    assert_eq!(rows(&mut s, "SELECT a FROM t"), ["1"]);
}

#[test]
fn errors_name_where_they_happened() {
    let mut s = session();
    run(
        &mut s,
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS $$
         BEGIN
           RETURN 1 / n;
         END $$",
    );
    let e = error(&mut s, "SELECT f(0)");
    assert_eq!(e.code().as_str(), "22012");
    assert_eq!(e.fields().context, ["PL/pgSQL function f(integer) line 3 at RETURN"]);
    let e = error(&mut s, "DO $$ BEGIN x := 1; END $$");
    assert_eq!((e.message(), e.fields().position), ("\"x\" is not a known variable", Some(12)));
    let e = error(&mut s, "DO $$ DECLARE a int; BEGIN SELECT 1 INTO STRICT a WHERE false; END $$");
    assert_eq!((e.code().as_str(), e.message()), ("P0002", "query returned no rows"));
    let e =
        error(&mut s, "DO $$ BEGIN RAISE EXCEPTION 'no %', 5 USING ERRCODE = 'U9999', HINT = 'h'; END $$");
    assert_eq!((e.code().as_str(), e.message(), e.fields().hint.as_deref()), ("U9999", "no 5", Some("h")));
}

#[test]
fn functions_return_sets_and_rows() {
    let mut s = session();
    run(&mut s, "CREATE TABLE t (a int, b text)");
    run(&mut s, "INSERT INTO t VALUES (1, 'x'), (2, 'y')");
    run(
        &mut s,
        "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE plpgsql AS $$
         DECLARE r t%ROWTYPE;
         BEGIN
           FOR r IN SELECT * FROM t LOOP r.b := r.b || '!'; RETURN NEXT r; END LOOP;
           RETURN QUERY EXECUTE 'SELECT $1, $2' USING 3, 'z'::text;
         END $$",
    );
    assert_eq!(rows(&mut s, "SELECT * FROM f()"), ["1|x!", "2|y!", "3|z"]);
    run(
        &mut s,
        "CREATE FUNCTION g(i int, OUT j int, INOUT k text) LANGUAGE plpgsql AS $$
         BEGIN j := i * 2; k := k || i; END $$",
    );
    assert_eq!(rows(&mut s, "SELECT * FROM g(4, 'k')"), ["8|k4"]);
    let e = error(&mut s, "SELECT * FROM g(1, 'a') WHERE nosuch");
    assert_eq!(e.code().as_str(), "42703");
}

#[test]
fn procedures_end_transactions() {
    let mut s = session();
    run(&mut s, "CREATE TABLE t (a int)");
    run(
        &mut s,
        "CREATE PROCEDURE p(INOUT n int) LANGUAGE plpgsql AS $$
         BEGIN
           FOR i IN 1..n LOOP
             INSERT INTO t VALUES (i);
             IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF;
           END LOOP;
           n := n + 100;
         END $$",
    );
    assert_eq!(rows(&mut s, "CALL p(5)"), ["105"]);
    assert_eq!(rows(&mut s, "SELECT a FROM t ORDER BY a"), ["2", "4"]);
    run(&mut s, "BEGIN");
    assert_eq!(error(&mut s, "CALL p(2)").code().as_str(), "2D000");
    run(&mut s, "ROLLBACK");
}

#[test]
fn cursors() {
    let mut s = session();
    let sql = "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$
         DECLARE c SCROLL CURSOR (lo int) FOR SELECT g FROM generate_series(lo, 10) g;
                 u refcursor; x int; out text := '';
         BEGIN
           OPEN c(8); FETCH LAST FROM c INTO x; out := out || x; FETCH PRIOR FROM c INTO x; out := out || ',' || x;
           CLOSE c;
           FOR r IN c(lo := 9) LOOP out := out || ';' || r.g; END LOOP;
           OPEN u FOR EXECUTE 'SELECT $1' USING 7; FETCH u INTO x; MOVE u; out := out || '/' || x || FOUND;
           RETURN out;
         END $$";
    run(&mut s, sql);
    assert_eq!(rows(&mut s, "SELECT f()"), ["10,9;9;10/7false"]);
}

const LOG: &str = "CREATE TABLE log (n serial, what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO log (what) VALUES (concat_ws(' ', TG_NAME, TG_WHEN, TG_LEVEL, TG_OP, OLD.a, NEW.a));
      RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$";

#[test]
fn triggers_fire_in_order_and_change_rows() {
    let mut s = session();
    run(&mut s, LOG);
    run(
        &mut s,
        "CREATE TABLE t (a int PRIMARY KEY, b int);
         CREATE TRIGGER z AFTER INSERT OR UPDATE OF a OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER s BEFORE INSERT OR UPDATE OR DELETE ON t EXECUTE FUNCTION note();
         CREATE TRIGGER w BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.b > 10) EXECUTE FUNCTION note();
         CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN IF NEW.a < 0 THEN RETURN NULL; END IF; NEW.b := NEW.a * 2; RETURN NEW; END';
         CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION twice()",
    );
    assert_eq!(rows(&mut s, "INSERT INTO t (a) VALUES (1), (-1), (2) RETURNING a, b"), ["1|2", "2|4"]);
    run(&mut s, "UPDATE t SET b = 11 WHERE a = 1");
    run(&mut s, "UPDATE t SET a = 5 WHERE a = 2");
    run(&mut s, "DELETE FROM t WHERE a = 1");
    let want = [
        "s BEFORE STATEMENT INSERT",
        "z AFTER ROW INSERT 1",
        "z AFTER ROW INSERT 2",
        "s BEFORE STATEMENT UPDATE",
        "w BEFORE ROW UPDATE 1 1",
        "s BEFORE STATEMENT UPDATE",
        "z AFTER ROW UPDATE 2 5",
        "s BEFORE STATEMENT DELETE",
        "z AFTER ROW DELETE 1",
    ];
    assert_eq!(rows(&mut s, "SELECT what FROM log ORDER BY n"), want);
    run(&mut s, "ALTER TABLE t DISABLE TRIGGER ALL; DELETE FROM log; DELETE FROM t");
    assert_eq!(rows(&mut s, "SELECT count(*) FROM log"), ["0"]);
}

#[test]
fn transition_tables() {
    let mut s = session();
    run(
        &mut s,
        "CREATE TABLE t (a int); CREATE TABLE log (x bigint, y bigint);
         CREATE FUNCTION sums() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO log SELECT (SELECT sum(a) FROM o), (SELECT sum(a) FROM n); RETURN NULL; END';
         CREATE TRIGGER u AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT
           EXECUTE FUNCTION sums();
         INSERT INTO t VALUES (1), (2), (3)",
    );
    run(&mut s, "UPDATE t SET a = a * 10 WHERE a > 1");
    assert_eq!(rows(&mut s, "SELECT x, y FROM log"), ["5|50"]);
    let e = error(&mut s, "SELECT * FROM o");
    assert_eq!(e.code().as_str(), "42P01");
}

#[test]
fn constraint_triggers_wait_for_the_commit() {
    let mut s = session();
    run(
        &mut s,
        "CREATE TABLE t (a int);
         CREATE FUNCTION even() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN IF (SELECT count(*) FROM t) % 2 = 1 THEN RAISE EXCEPTION 'odd'; END IF; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
           EXECUTE FUNCTION even()",
    );
    run(&mut s, "BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); COMMIT");
    assert_eq!(error(&mut s, "INSERT INTO t VALUES (3)").message(), "odd");
    run(&mut s, "BEGIN");
    run(&mut s, "INSERT INTO t VALUES (3)");
    assert_eq!(error(&mut s, "SET CONSTRAINTS c IMMEDIATE").message(), "odd");
    run(&mut s, "ROLLBACK");
    assert_eq!(rows(&mut s, "SELECT count(*) FROM t"), ["2"]);
}

#[test]
fn views_take_rows_through_instead_of_triggers() {
    let mut s = session();
    run(
        &mut s,
        "CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a, sum(b) AS b FROM t GROUP BY a;
         CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
           IF TG_OP = 'INSERT' THEN INSERT INTO t VALUES (NEW.a, NEW.b);
           ELSIF TG_OP = 'UPDATE' THEN UPDATE t SET b = NEW.b WHERE a = OLD.a;
           ELSE DELETE FROM t WHERE a = OLD.a; RETURN OLD;
           END IF;
           RETURN NEW;
         END $$;
         CREATE TRIGGER i INSTEAD OF INSERT OR UPDATE OR DELETE ON v FOR EACH ROW EXECUTE FUNCTION up()",
    );
    run(&mut s, "INSERT INTO v VALUES (1, 10), (2, 20), (3, 30)");
    assert_eq!(rows(&mut s, "UPDATE v SET b = b + 1 WHERE a < 3 RETURNING a"), ["1", "2"]);
    run(&mut s, "DELETE FROM v WHERE a = 3");
    assert_eq!(rows(&mut s, "SELECT a, b FROM t ORDER BY a"), ["1|11", "2|21"]);
}

#[test]
fn a_before_trigger_may_not_change_its_own_row() {
    let mut s = session();
    run(
        &mut s,
        "CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0);
         CREATE FUNCTION bad() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN UPDATE t SET b = 9 WHERE a = OLD.a AND pg_trigger_depth() < 2; RETURN OLD; END';
         CREATE TRIGGER d BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION bad()",
    );
    let e = error(&mut s, "DELETE FROM t");
    assert_eq!(e.code().as_str(), "27000");
    assert_eq!(rows(&mut s, "SELECT b FROM t"), ["0"]);
}

#[test]
fn partitions_have_their_parents_row_triggers() {
    let mut s = session();
    run(
        &mut s,
        "CREATE TABLE log (n serial, what text);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO log (what) VALUES (TG_TABLE_NAME || NEW.a); RETURN NULL; END';
         CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE TRIGGER r AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
         INSERT INTO p VALUES (1), (2)",
    );
    assert_eq!(rows(&mut s, "SELECT what FROM log ORDER BY n"), ["p11", "p22"]);
    let e = error(&mut s, "DROP TRIGGER r ON p1");
    assert_eq!(e.message(), "cannot drop trigger r on table p1 because trigger r on table p requires it");
    run(&mut s, "ALTER TABLE p DETACH PARTITION p2");
    assert_eq!(rows(&mut s, "SELECT count(*) FROM pg_trigger"), ["2"]);
    run(&mut s, "DROP TRIGGER r ON p");
    assert_eq!(rows(&mut s, "SELECT count(*) FROM pg_trigger"), ["0"]);
}
