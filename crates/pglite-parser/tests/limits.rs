//! No input overflows the stack: what nests too deep raises 54001, and what is accepted can be copied, compared and
//! dropped. Test threads have 2 MiB of stack, like a server's workers; the parser may use half of it.

use pglite_parser::{ParseOptions, parse};

const DEEP: usize = 100_000;

fn code_of(sql: &str) -> String {
    match parse(sql, &ParseOptions::default()) {
        Ok(_) => "OK".to_string(),
        Err(e) => e.code().as_str().to_string(),
    }
}

fn nested(before: &str, open: &str, middle: &str, close: &str, after: &str) -> String {
    format!("{before}{}{middle}{}{after}", open.repeat(DEEP), close.repeat(DEEP))
}

#[test]
fn deep_nesting_is_54001() {
    let cases = [
        nested("select ", "(", "1", ")", ""),
        nested("select ", "(select ", "1", ")", ""),
        nested("select ", "f(", "1", ")", ""),
        nested("select ", "row(", "1", ")", ""),
        nested("select ", "(1,", "1", ")", ""),
        nested("select ", "array[", "1", "]", ""),
        nested("select array", "[", "1", "]", ""),
        nested("select ", "a[", "1", "]", ""),
        nested("select ", "not ", "true", "", ""),
        nested("select ", "- ", "a", "", ""),
        nested("select ", "@ ", "a", "", ""),
        nested("select ", "case when ", "a", " then 1 end", ""),
        nested("select ", "exists (select ", "1", ")", ""),
        nested("select ", "1 in (", "1", ")", ""),
        nested("select ", "1 = any (", "1", ")", ""),
        nested("select ", "cast(", "1", " as int)", ""),
        nested("select ", "coalesce(", "1", ")", ""),
        nested("select ", "x between 1 and (", "1", ")", ""),
        nested("select ", "sum(1) over (order by ", "1", ")", ""),
        nested("", "(", "select 1", ")", ""),
        nested("", "with a as (", "select 1", ") select 1", ""),
        nested("select * from ", "(", "select 1", ")", ""),
        nested("select * from ", "(", "a cross join b", ")", ""),
        nested("select * from ", "(select * from ", "a", ")", ""),
        nested("select * from ", "a join ", "b", " on true", ""),
        nested("select 1 group by grouping sets (", "grouping sets (", "a", ")", ")"),
        nested("select 1::", "a(1::", "int", ")", ""),
        nested("select * from json_table(a, 'b' columns (", "nested 'x' columns (", "c int", ")", "))"),
        nested("", "create function f() begin atomic ", "", "; end", ""),
        nested("select ", "(", "", "", ""),
        nested("insert into t values ", "(", "", "", ""),
    ];
    for sql in &cases {
        assert_eq!(code_of(sql), "54001", "{}", &sql[..60]);
    }
}

#[test]
fn long_chains_are_54001() {
    let chain = |before: &str, link: &str| format!("{before}{}", link.repeat(DEEP));
    for sql in [
        chain("select a", " + a"),
        chain("select a", "::int"),
        chain("select a", " is null"),
        chain("select a", " collate c"),
        chain("select a", " at local"),
        chain("select a", " in (1)"),
        chain("select 1", " union all select 1"),
        chain("select * from a", " cross join a"),
        chain("select * from a", " join a on true"),
    ] {
        assert_eq!(code_of(&sql), "54001", "{}", &sql[..40]);
    }
}

#[test]
fn the_error_has_the_hint() {
    let Err(e) = parse(&nested("select ", "(", "1", ")", ""), &ParseOptions::default()) else {
        panic!("accepted");
    };
    assert_eq!(e.message(), "stack depth limit exceeded");
    assert!(e.fields().hint.as_deref().is_some_and(|h| h.contains("max_stack_depth")));
}

#[test]
fn wide_is_not_deep() {
    assert_eq!(code_of(&format!("select a{}", " and a".repeat(DEEP))), "OK");
    assert_eq!(code_of(&format!("select a{}", " or a".repeat(DEEP))), "OK");
    assert_eq!(code_of(&format!("select 1{}", ", 1".repeat(DEEP))), "OK");
    assert_eq!(code_of(&format!("select a in (1{})", ", 1".repeat(DEEP))), "OK");
    assert_eq!(code_of(&format!("insert into t values (1){}", ", (1)".repeat(DEEP))), "OK");
    assert_eq!(code_of(&"select 1;".repeat(DEEP)), "OK");
    assert_eq!(code_of(&format!("{}{}", "/*".repeat(DEEP), "*/".repeat(DEEP))), "OK");
    assert_eq!(code_of(&format!("select a{}", ".b".repeat(DEEP))), "OK");
}

#[test]
fn the_highest_accepted_trees_can_be_copied_compared_and_dropped() {
    let opts = ParseOptions::default();
    for (before, link) in
        [("select a", " + a"), ("select 1", " union select 1"), ("select * from a", " cross join a")]
    {
        let mut highest = None;
        for n in (0..4000).step_by(500) {
            if let Ok(parsed) = parse(&format!("{before}{}", link.repeat(n)), &opts) {
                highest = Some((n, parsed));
            }
        }
        let Some((n, parsed)) = highest else { panic!("nothing accepted") };
        assert!(n >= 1500, "{link}: {n}");
        let copy = parsed.stmts.clone();
        assert!(copy == parsed.stmts);
        drop(copy);
    }
}

#[test]
fn ordinary_depths_are_accepted() {
    let depth = |open: &str, middle: &str, close: &str, n: usize| {
        code_of(&format!("select {}{middle}{}", open.repeat(n), close.repeat(n)))
    };
    assert_eq!(depth("(", "1", ")", 300), "OK");
    assert_eq!(depth("f(", "1", ")", 200), "OK");
    assert_eq!(depth("(select ", "1", ")", 60), "OK");
}
