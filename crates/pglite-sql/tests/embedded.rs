//! The embedder's API: typed rows, errors, Arrow batches, statements from `sqlparser`, a directory that is kept.

use pglite_sql::Database;

#[test]
fn typed_rows() {
    let db = Database::open_in_memory().unwrap();
    let mut s = db.session().unwrap();
    assert_eq!(s.execute("CREATE TABLE t (a int, b text)").unwrap(), 0);
    assert_eq!(s.execute("INSERT INTO t VALUES (1, 'x'), (2, NULL), (3, 'z')").unwrap(), 3);
    assert_eq!(s.execute("UPDATE t SET b = 'y' WHERE a > 1").unwrap(), 2);
    let rows = s
        .query("SELECT a, b, NULL::text AS n, 1.5::float8, true, '\\x01ff'::bytea, 7::int8 FROM t ORDER BY a")
        .unwrap();
    assert_eq!(rows.len(), 3);
    let row = rows.iter().nth(1).unwrap();
    assert_eq!((row.get::<i32>("a").unwrap(), row.get::<String>(1).unwrap()), (2, "y".to_string()));
    assert_eq!(row.get::<i64>(0).unwrap(), 2, "widening");
    assert_eq!(row.get::<Option<String>>("n").unwrap(), None);
    assert_eq!((row.get::<f64>(3).unwrap(), row.get::<bool>(4).unwrap()), (1.5, true));
    assert_eq!((row.get::<Vec<u8>>(5).unwrap(), row.get::<i64>(6).unwrap()), (vec![1, 255], 7));
    assert!(row.get::<String>("n").unwrap_err().message().contains("is null"));
    assert!(row.get::<i32>("b").unwrap_err().message().contains("of another type"));
    assert_eq!(row.get::<i32>("zz").unwrap_err().code(), pglite_error::codes::UNDEFINED_COLUMN);
    let e = s.execute("INSERT INTO nowhere VALUES (1)").unwrap_err();
    assert_eq!(e.code(), pglite_error::codes::UNDEFINED_TABLE);
    assert_eq!(s.query("SELECT count(*) FROM t").unwrap().one::<i64>().unwrap(), 3, "usable after an error");
}

#[test]
fn a_directory_keeps_what_was_committed() {
    let dir = std::env::temp_dir().join(format!("pglite-sql-embedded-{}", std::process::id()));
    {
        let db = Database::open(&dir).unwrap();
        db.session().unwrap().execute("CREATE TABLE t (a int); INSERT INTO t VALUES (42)").unwrap();
    }
    {
        let db = Database::open(&dir).unwrap();
        assert_eq!(db.session().unwrap().query("SELECT a FROM t").unwrap().one::<i32>().unwrap(), 42);
    }
    #[allow(clippy::disallowed_methods)] // Why: the test's own directory.
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn arrow_batches() {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{DataType, Float64Type, Int32Type, TimestampMicrosecondType};

    let db = Database::open_in_memory().unwrap();
    let mut s = db.session().unwrap();
    let sql = "SELECT g, 'n' || g AS name, CASE WHEN g % 2 = 0 THEN g / 2.0::float8 END AS half,
               timestamp '2000-01-02' + g * interval '1 second' AS at, 1.50::numeric AS n
               FROM generate_series(1, 20000) g";
    let stream = s.query_arrow(sql).unwrap();
    let schema = stream.schema();
    let types: Vec<&DataType> = schema.fields().iter().map(|f| f.data_type()).collect();
    assert_eq!(types[..3], [&DataType::Int32, &DataType::Utf8, &DataType::Float64]);
    let batches: Vec<_> = stream.map(Result::unwrap).collect();
    assert!(batches.len() >= 3, "a stream, not one batch");
    assert_eq!(batches.iter().map(|b| b.num_rows()).sum::<usize>(), 20_000);
    let last = batches.last().unwrap();
    let end = last.num_rows() - 1;
    assert_eq!(last.column(0).as_primitive::<Int32Type>().value(end), 20_000);
    assert_eq!(last.column(1).as_string::<i32>().value(end), "n20000");
    assert_eq!(last.column(2).as_primitive::<Float64Type>().value(end), 10_000.0);
    assert!(last.column(2).is_null(end - 1));
    let at = last.column(3).as_primitive::<TimestampMicrosecondType>().value(end);
    assert_eq!(at, (946_684_800 + 86_400 + 20_000) * 1_000_000);
    assert_eq!(last.column(4).as_string::<i32>().value(end), "1.50");

    // A stream that is dropped, a failing one, and no rows.
    drop(s.query_arrow("SELECT * FROM generate_series(1, 100000)").unwrap().next().unwrap().unwrap());
    let failing: Vec<_> =
        s.query_arrow("SELECT 10 / (9000 - g) FROM generate_series(1, 9001) g").unwrap().collect();
    assert!(failing.last().unwrap().is_err());
    assert_eq!(s.query_arrow("SELECT 1 WHERE false").unwrap().count(), 0);
    assert!(s.query_arrow("CREATE TABLE x (a int)").err().is_some());
    assert!(s.query_arrow("SELECT date 'infinity'").unwrap().next().unwrap().is_err());
    assert_eq!(s.query("SELECT 1").unwrap().one::<i32>().unwrap(), 1);
}

#[test]
fn sqlparser_statements() {
    let db = Database::open_in_memory().unwrap();
    let mut s = db.session().unwrap();
    let sql = "CREATE TABLE t (a INT PRIMARY KEY, b TEXT DEFAULT 'it''s'); INSERT INTO t (a) VALUES (1), (2);
               WITH x AS (SELECT a, b FROM t WHERE a > 1) SELECT x.a + 1 AS next, b FROM x ORDER BY 1 LIMIT 5";
    let dialect = sqlparser::dialect::PostgreSqlDialect {};
    let statements = sqlparser::parser::Parser::parse_sql(&dialect, sql).unwrap();
    let mut last = None;
    for statement in &statements {
        last = Some(s.execute_statement(statement).unwrap());
    }
    let rows = last.unwrap();
    let row = rows.iter().next().unwrap();
    assert_eq!((row.get::<i32>("next").unwrap(), row.get::<String>("b").unwrap()), (3, "it's".to_string()));
}
