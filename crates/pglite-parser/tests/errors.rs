//! Errors of the lexer and the grammar: message, code and position, all as PostgreSQL 18 gives them.

use pglite_parser::{ParseMode, ParseOptions, parse, parse_type_name};

/// The `^` marks where the cursor must stand; without one there must be none.
#[track_caller]
fn check(marked: &str, code: &str, message: &str) {
    let position = marked.find('^');
    let sql = match position {
        Some(_) => marked.replacen('^', "", 1),
        None => marked.to_string(),
    };
    let Err(e) = parse(&sql, &ParseOptions::default()) else { panic!("accepted: {sql}") };
    assert_eq!((e.message(), e.code().as_str()), (message, code), "{sql}");
    assert_eq!(e.fields().position, position.map(|p| p as u32), "{sql}");
}

fn syntax(marked: &str, token: &str) {
    check(marked, "42601", &format!("syntax error at or near \"{token}\""));
}

#[test]
fn syntax_errors_point_at_the_first_token_that_fits_nothing() {
    syntax("^selec 1", "selec");
    syntax("select 1 a ^b", "b");
    syntax("select * from ^where", "where");
    syntax("select a < b ^< c", "<");
    syntax("select a is distinct from b ^is null", "is");
    syntax("select a like b ^like c", "like");
    syntax("create table t (a int, ^)", ")");
    syntax("insert into t ^set a = 1", "set");
    syntax("alter table t add column c int, ^rename to x", "rename");
    syntax("update t a ^b set a = 1", "b");
    syntax("select 'a' ^'b'", "'b'");
    syntax("select a from (b^)", ")");
    check("select 1 +^", "42601", "syntax error at end of input");
    check("delete from^", "42601", "syntax error at end of input");
}

#[test]
fn a_syntax_error_before_a_lexical_one_wins() {
    syntax("^selct 'x", "selct");
    syntax("select a ^1 'x", "1");
}

#[test]
fn lexical_errors() {
    let near = |sql: &str, message: &str| check(sql, "42601", message);
    near("select ^'abc", "unterminated quoted string at or near \"'abc\"");
    near("select ^\"abc", "unterminated quoted identifier at or near \"\"abc\"");
    near("select ^\"\"", "zero-length delimited identifier at or near \"\"\"\"");
    near("select 1 ^/* x", "unterminated /* comment at or near \"/* x\"");
    near("select ^$a$ x", "unterminated dollar-quoted string at or near \"$a$ x\"");
    near("select ^123abc", "trailing junk after numeric literal at or near \"123abc\"");
    near("select ^0x", "invalid hexadecimal integer at or near \"0x\"");
    near("select ^1e+", "trailing junk after numeric literal at or near \"1e+\"");
    near("select ^1__0", "trailing junk after numeric literal at or near \"1__0\"");
    near("select ^$1a", "trailing junk after parameter at or near \"$1a\"");
    near("select ^$99999999999", "parameter number too large at or near \"$99999999999\"");
    near(
        "select U&'\\0061' uescape ^+",
        "UESCAPE must be followed by a simple string literal at or near \"+\"",
    );
    near("select U&'x' uescape ^'ab'", "invalid Unicode escape character at or near \"'ab'\"");
    near("select U&'a^\\00'", "invalid Unicode escape");
    near("select E'\\ud800^'", "invalid Unicode surrogate pair at or near \"'\"");
    check("select E'x^\\u12'", "22025", "invalid Unicode escape");
    check("select E'\\xff'", "22021", "invalid byte sequence for encoding \"UTF8\": 0xff");
    check("select E'\\0'", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00");
}

#[test]
fn grammar_time_errors() {
    check("(select 1 order by 1) order by ^2", "42601", "multiple ORDER BY clauses not allowed");
    check("(select 1 limit 1) ^limit 2", "42601", "multiple LIMIT clauses not allowed");
    check("(select 1 offset 1) ^offset 2", "42601", "multiple OFFSET clauses not allowed");
    check(
        "^with a as (select 1) (with b as (select 1) select 1)",
        "42601",
        "multiple WITH clauses not allowed",
    );
    check(
        "select 1 fetch first 1 row ^with ties",
        "42601",
        "WITH TIES cannot be specified without ORDER BY clause",
    );
    check("select 1 ^limit 1, 2", "42601", "LIMIT #,# syntax is not supported");
    check("select 1 from ^a.b.c.d", "42601", "improper qualified name (too many dotted names): a.b.c.d");
    check("select ^unique (select 1)", "0A000", "UNIQUE predicate is not yet implemented");
    check(
        "select ^(a, b, c) overlaps (d, e)",
        "42601",
        "wrong number of parameters on left side of OVERLAPS expression",
    );
    check(
        "select sum(distinct a) ^within group (order by b)",
        "42601",
        "cannot use DISTINCT with WITHIN GROUP",
    );
    check("select float(^0) '1'", "22023", "precision for type float must be at least 1 bit");
    check(
        "select sum(a) over (rows ^unbounded following)",
        "42P20",
        "frame start cannot be UNBOUNDED FOLLOWING",
    );
    check("create role ^none", "42939", "role name \"none\" is reserved");
    check("create role x ^bad", "42601", "unrecognized role option \"bad\"");
}

#[test]
fn constraint_attributes() {
    let message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
    check("create table t (unique (a) not deferrable ^initially deferred)", "42601", message);
    check(
        "create table t (unique (a) deferrable ^not deferrable)",
        "42601",
        "conflicting constraint properties",
    );
    check("create table t (check (a) ^deferrable)", "0A000", "CHECK constraints cannot be marked DEFERRABLE");
    check(
        "create table t (primary key (a) ^not valid)",
        "0A000",
        "PRIMARY KEY constraints cannot be marked NOT VALID",
    );
}

#[test]
fn type_names_and_modes() {
    assert_eq!(parse_type_name("pg_catalog.int4[3][]").unwrap().array_bounds, [3, -1]);
    let e = parse_type_name("int4 foo").unwrap_err();
    assert_eq!(e.message(), "syntax error at or near \"foo\"");
    assert_eq!(
        (e.fields().position, e.fields().context.as_slice()),
        (None, &["invalid type name \"int4 foo\"".to_string()][..])
    );
    assert_eq!(parse_type_name("setof int").unwrap_err().message(), "invalid type name \"setof int\"");
    assert_eq!(parse_type_name(" ").unwrap_err().message(), "invalid type name \" \"");
    let mode = |sql: &str, mode| parse(sql, &ParseOptions { mode, ..ParseOptions::default() });
    assert!(mode("a + 1 from t where x order by 1", ParseMode::PlpgsqlExpr).is_ok());
    assert!(mode("a; b", ParseMode::PlpgsqlExpr).is_err());
    assert!(mode("x.y[1] := z + 1", ParseMode::PlpgsqlAssign2).is_ok());
    assert!(mode("$1 = 2", ParseMode::PlpgsqlAssign1).is_ok());
    assert!(mode("x 2", ParseMode::PlpgsqlAssign1).is_err());
}
