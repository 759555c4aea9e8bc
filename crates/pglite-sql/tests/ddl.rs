//! Partitions, row security, check options and renames through the embedded facade.

use pglite_sql::{Database, Session};
use pglite_types::Datum;

fn session() -> Session {
    Database::open_in_memory().expect("opens").session().expect("connects")
}

fn run(s: &mut Session, sql: &str) {
    s.query(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

fn code(s: &mut Session, sql: &str) -> String {
    s.query(sql).expect_err(sql).code().as_str().to_string()
}

fn texts(s: &mut Session, sql: &str) -> Vec<String> {
    let rows = s.query(sql).unwrap_or_else(|e| panic!("{sql}: {e}")).rows;
    rows.iter().map(|r| r[0].as_str().unwrap_or("null").to_string()).collect()
}

fn ints(s: &mut Session, sql: &str) -> Vec<i32> {
    let rows = s.query(sql).unwrap_or_else(|e| panic!("{sql}: {e}")).rows;
    rows.iter()
        .map(|r| match r[0] {
            Datum::Int4(v) => v,
            Datum::Int8(v) => v as i32,
            ref other => panic!("not an integer: {other:?}"),
        })
        .collect()
}

fn partitioned(s: &mut Session) {
    run(s, "CREATE TABLE p (a int PRIMARY KEY, b text) PARTITION BY RANGE (a)");
    run(s, "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10)");
    run(s, "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)");
    run(s, "INSERT INTO p VALUES (1, 'one'), (11, 'eleven')");
}

#[test]
fn rows_go_to_the_partition_of_their_key_and_move_with_it() {
    let mut s = session();
    partitioned(&mut s);
    assert_eq!(texts(&mut s, "SELECT tableoid::regclass::text FROM p ORDER BY a"), ["p1", "p2"]);
    assert_eq!(code(&mut s, "INSERT INTO p VALUES (30, 'x')"), "23514");
    assert_eq!(code(&mut s, "INSERT INTO p1 VALUES (15, 'x')"), "23514");
    assert_eq!(code(&mut s, "INSERT INTO p VALUES (11, 'again')"), "23505");
    run(&mut s, "UPDATE p SET a = 12 WHERE a = 1");
    assert_eq!(texts(&mut s, "SELECT tableoid::regclass::text FROM p ORDER BY a"), ["p2", "p2"]);
    run(&mut s, "CREATE TABLE d PARTITION OF p DEFAULT");
    run(&mut s, "INSERT INTO p VALUES (30, 'x')");
    assert_eq!(code(&mut s, "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (40)"), "23514");
    run(&mut s, "ALTER TABLE p DETACH PARTITION d");
    assert_eq!(ints(&mut s, "SELECT count(*) FROM p"), [2]);
    assert_eq!(code(&mut s, "ALTER TABLE p ATTACH PARTITION d FOR VALUES FROM (40) TO (50)"), "23514");
    run(&mut s, "ALTER TABLE p ATTACH PARTITION d FOR VALUES FROM (20) TO (50)");
    assert_eq!(ints(&mut s, "SELECT a FROM p WHERE a > 20"), [30]);
}

#[test]
fn plans_leave_out_partitions_that_cannot_match() {
    let mut s = session();
    partitioned(&mut s);
    let plan = texts(&mut s, "EXPLAIN (COSTS OFF) SELECT * FROM p WHERE b = 'x' AND a > 12").join("\n");
    assert!(plan.contains("p2") && !plan.contains("p1"), "{plan}");
}

#[test]
fn a_new_partition_takes_over_indexes_and_foreign_keys() {
    let mut s = session();
    partitioned(&mut s);
    run(&mut s, "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r VALUES (1), (11), (21)");
    run(&mut s, "ALTER TABLE p ADD FOREIGN KEY (a) REFERENCES r");
    run(&mut s, "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30)");
    run(&mut s, "INSERT INTO p VALUES (21, 'x')");
    assert_eq!(code(&mut s, "INSERT INTO p VALUES (22, 'x')"), "23503");
    assert_eq!(code(&mut s, "DELETE FROM r WHERE id = 11"), "23503");
}

#[test]
fn policies_hide_rows_and_check_new_ones() {
    let mut s = session();
    run(&mut s, "CREATE TABLE t (owner text, v int); INSERT INTO t VALUES ('ann', 1), ('bob', 2)");
    run(&mut s, "CREATE ROLE ann; GRANT ALL ON t TO ann; ALTER TABLE t ENABLE ROW LEVEL SECURITY");
    run(&mut s, "SET ROLE ann");
    assert_eq!(ints(&mut s, "SELECT v FROM t"), Vec::<i32>::new());
    run(&mut s, "RESET ROLE; CREATE POLICY own ON t USING (owner = current_user); SET ROLE ann");
    assert_eq!(ints(&mut s, "SELECT v FROM t"), [1]);
    assert_eq!(code(&mut s, "INSERT INTO t VALUES ('bob', 3)"), "42501");
    run(&mut s, "INSERT INTO t VALUES ('ann', 4)");
    assert_eq!(s.query("UPDATE t SET v = v + 1").unwrap().tag, "UPDATE 2");
    run(&mut s, "RESET ROLE");
    assert_eq!(ints(&mut s, "SELECT v FROM t ORDER BY v"), [2, 2, 5]);
}

#[test]
fn check_option_refuses_rows_outside_the_view() {
    let mut s = session();
    run(&mut s, "CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t WHERE a > 0 WITH CHECK OPTION");
    run(&mut s, "INSERT INTO v VALUES (1)");
    assert_eq!(code(&mut s, "INSERT INTO v VALUES (-1)"), "44000");
    assert_eq!(code(&mut s, "UPDATE v SET a = -1"), "44000");
}

#[test]
fn views_and_defaults_follow_renames_and_moves() {
    let mut s = session();
    run(&mut s, "CREATE SCHEMA other; CREATE TABLE t (id serial, a int CHECK (a > 0))");
    run(&mut s, "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'");
    run(&mut s, "CREATE VIEW v AS SELECT t.a, f(t.a) AS b FROM t");
    run(&mut s, "ALTER TABLE t RENAME TO u; ALTER FUNCTION f(int) RENAME TO g; ALTER TABLE u RENAME a TO c");
    run(&mut s, "ALTER TABLE u SET SCHEMA other; ALTER SCHEMA other RENAME TO another");
    run(&mut s, "ALTER SEQUENCE another.t_id_seq RENAME TO counter");
    run(&mut s, "INSERT INTO another.u (c) VALUES (5)");
    assert_eq!(ints(&mut s, "SELECT b FROM v"), [6]);
    assert_eq!(code(&mut s, "INSERT INTO another.u (c) VALUES (0)"), "23514");
    // A table of the old name elsewhere does not get in the way.
    run(&mut s, "CREATE TABLE t (a int); CREATE TABLE u (c int)");
    assert_eq!(ints(&mut s, "SELECT a FROM v"), [5]);
}

#[test]
fn users_make_operators_aggregates_and_ranges() {
    let mut s = session();
    run(&mut s, "CREATE FUNCTION plus2(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 2 * $2'");
    run(&mut s, "CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = plus2)");
    assert_eq!(ints(&mut s, "SELECT 1 <+> 3"), [7]);
    run(&mut s, "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')");
    assert_eq!(ints(&mut s, "SELECT total(x) FROM generate_series(1, 4) x"), [10]);
    run(&mut s, "CREATE TYPE span AS RANGE (SUBTYPE = float8)");
    assert_eq!(texts(&mut s, "SELECT span(1, 2)::text"), ["[1,2)"]);
}
