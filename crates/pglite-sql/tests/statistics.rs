//! Statistics: activity counters, what ANALYZE stores, the views over both, advisory locks, the seeded generator.

use pglite_sql::{Database, Session};

fn session() -> Session {
    Database::open_in_memory().expect("opens").session().expect("connects")
}

/// The first row as text, columns parted by `|`.
fn row(s: &mut Session, sql: &str) -> String {
    let text = format!(
        "SELECT concat_ws('|', VARIADIC ARRAY(SELECT value FROM json_each_text(row_to_json(q)))) FROM ({sql}) q"
    );
    let rows = s.query(&text).unwrap_or_else(|e| panic!("{sql}: {e}")).rows;
    rows.first().and_then(|r| r[0].as_str()).unwrap_or("").to_string()
}

fn run(s: &mut Session, statements: &[&str]) {
    for sql in statements {
        s.query(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

#[test]
fn tables_and_indexes_count() {
    let mut s = session();
    run(
        &mut s,
        &[
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i FROM generate_series(1, 100) i",
            "UPDATE t SET v = v + 1 WHERE id <= 10",
            "UPDATE t SET id = id + 1000 WHERE id <= 5",
            "DELETE FROM t WHERE id > 95 AND id <= 100",
            "SET enable_seqscan = off",
            "SELECT * FROM t WHERE id = 50",
            "SET enable_seqscan = on",
            "SELECT count(*) FROM t",
        ],
    );
    let counts = "SELECT n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_live_tup, n_dead_tup \
                  FROM pg_stat_user_tables WHERE relname = 't'";
    assert_eq!(row(&mut s, counts), "100|15|5|10|95|20");
    // Every row of every scan counts; the last scan alone read 95.
    let read = "SELECT seq_scan > 0, seq_tup_read >= 95, last_seq_scan IS NOT NULL FROM pg_stat_user_tables WHERE relname = 't'";
    assert_eq!(row(&mut s, read), "true|true|true");
    let index =
        "SELECT idx_scan >= 1, idx_tup_read >= 1 FROM pg_stat_user_indexes WHERE indexrelname = 't_pkey'";
    assert_eq!(row(&mut s, index), "true|true");
    let kept = "SELECT pg_stat_have_stats('relation', d.oid, 't'::regclass::oid::bigint) AS a, \
                pg_stat_have_stats('relation', d.oid, 1) AS b, pg_stat_have_stats('wal', 0, 0) AS c \
                FROM pg_database d WHERE datname = current_database()";
    assert_eq!(row(&mut s, kept), "true|false|true");
    run(&mut s, &["VACUUM t", "ANALYZE t"]);
    let after = "SELECT n_dead_tup, n_mod_since_analyze, vacuum_count, analyze_count, last_vacuum IS NOT NULL \
                 FROM pg_stat_user_tables WHERE relname = 't'";
    assert_eq!(row(&mut s, after), "0|0|1|1|true");
    run(&mut s, &["SELECT pg_stat_reset()"]);
    assert_eq!(row(&mut s, "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 't'"), "0");
}

#[test]
fn a_rolled_back_insert_leaves_a_dead_row_and_no_live_one() {
    let mut s = session();
    run(
        &mut s,
        &["CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)", "BEGIN", "INSERT INTO t VALUES (2), (3)"],
    );
    // The transaction's own counts come before the totals move.
    assert_eq!(row(&mut s, "SELECT n_tup_ins FROM pg_stat_xact_user_tables WHERE relname = 't'"), "2");
    assert_eq!(row(&mut s, "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 't'"), "1");
    run(&mut s, &["ROLLBACK"]);
    let all = "SELECT n_tup_ins, n_live_tup, n_dead_tup, n_mod_since_analyze FROM pg_stat_user_tables WHERE relname = 't'";
    assert_eq!(row(&mut s, all), "3|1|2|1");
    assert_eq!(row(&mut s, "SELECT n_tup_ins FROM pg_stat_xact_user_tables WHERE relname = 't'"), "0");
}

#[test]
fn analyze_tells_skew_from_a_key() {
    let mut s = session();
    run(
        &mut s,
        &[
            "CREATE TABLE t (k int, skew int, half int)",
            "INSERT INTO t SELECT i, CASE WHEN i % 4 = 0 THEN i ELSE 7 END, CASE WHEN i % 2 = 0 THEN i % 10 END \
             FROM generate_series(1, 4000) i",
            "ANALYZE t",
        ],
    );
    let of = |c: &str, what: &str| {
        format!("SELECT {what} AS x FROM pg_stats WHERE tablename = 't' AND attname = '{c}'")
    };
    assert_eq!(row(&mut s, &of("k", "n_distinct")), "-1");
    assert_eq!(row(&mut s, &of("k", "correlation")), "1");
    assert_eq!(row(&mut s, &of("k", "array_length(histogram_bounds::text::int[], 1)")), "101");
    assert_eq!(row(&mut s, &of("skew", "most_common_vals::text")), "{7}");
    assert_eq!(row(&mut s, &of("skew", "most_common_freqs::text")), "{0.75}");
    assert_eq!(row(&mut s, &of("half", "null_frac")), "0.5");
    assert_eq!(row(&mut s, &of("half", "n_distinct")), "5");
    assert_eq!(row(&mut s, "SELECT reltuples FROM pg_class WHERE relname = 't'"), "4000");
}

#[test]
fn advisory_locks_show_and_exclude() {
    let db = Database::open_in_memory().unwrap();
    let (mut a, mut b) = (db.session().unwrap(), db.session().unwrap());
    run(&mut a, &["SELECT pg_advisory_lock(42)"]);
    assert_eq!(row(&mut b, "SELECT pg_try_advisory_lock(42) AS x"), "false");
    let shown = "SELECT classid, objid, objsubid, mode, granted FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(row(&mut b, shown), "0|42|1|ExclusiveLock|true");
    run(&mut a, &["SELECT pg_advisory_unlock(42)"]);
    assert_eq!(row(&mut b, "SELECT pg_try_advisory_lock(42) AS x"), "true");
}

#[test]
fn a_seed_gives_postgresqls_numbers() {
    let mut s = session();
    run(&mut s, &["SELECT setseed(0.5)"]);
    assert_eq!(row(&mut s, "SELECT random()::text AS x"), "0.9851677175347999");
    assert_eq!(row(&mut s, "SELECT random(1, 100) AS x"), "17");
}

#[test]
fn a_functions_own_settings_hold_while_it_runs() {
    let mut s = session();
    run(
        &mut s,
        &[
            "SET work_mem = '3MB'",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql SET work_mem = '1MB' AS $$ SELECT current_setting('work_mem') $$",
        ],
    );
    assert_eq!(row(&mut s, "SELECT f() AS a, current_setting('work_mem') AS b"), "1MB|3MB");
}

#[test]
fn a_changed_catalog_is_seen_through_its_indexes() {
    let mut s = session();
    run(&mut s, &["CREATE TABLE t (a int)"]);
    let by_name =
        "SELECT count(*) AS n FROM pg_class WHERE relname = 'u' AND relnamespace = 'public'::regnamespace";
    assert_eq!(row(&mut s, by_name), "0");
    run(&mut s, &["BEGIN", "CREATE TABLE u (a int)"]);
    assert_eq!(row(&mut s, by_name), "1");
    run(&mut s, &["ROLLBACK"]);
    assert_eq!(row(&mut s, by_name), "0");
    // Range, order and equality through an index of the catalog.
    let attributes = "SELECT string_agg(attname, ',' ORDER BY attnum) AS x FROM pg_attribute \
                      WHERE attrelid = 'pg_namespace'::regclass AND attnum > 0";
    assert_eq!(row(&mut s, attributes), "oid,nspname,nspowner,nspacl");
}
