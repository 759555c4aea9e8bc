//! Precedence, associativity and shapes of expressions, in a bracketed short form.

use pglite_parser::ast::*;
use pglite_parser::{ParseOptions, parse};

fn short(e: &Expr) -> String {
    let list = |v: &[Expr]| v.iter().map(short).collect::<Vec<_>>().join(" ");
    match e {
        Expr::AConst(c) => match &c.val {
            Value::Null => "null".into(),
            Value::Integer(i) => i.to_string(),
            Value::Float(f) => f.clone(),
            Value::Boolean(b) => b.to_string(),
            Value::String(s) => format!("'{s}'"),
            Value::BitString(s) => format!("bit:{s}"),
        },
        Expr::ColumnRef(c) => c
            .fields
            .iter()
            .map(|f| match f {
                Field::Name(n) => n.as_str(),
                Field::Star => "*",
            })
            .collect::<Vec<_>>()
            .join("."),
        Expr::ParamRef(p) => format!("${}", p.number),
        Expr::AExpr(a) => {
            let left = a.lexpr.as_ref().map(|e| short(e) + " ").unwrap_or_default();
            let right = match &a.rexpr {
                AExprRight::Expr(e) => short(e),
                AExprRight::List(v) => format!("({})", list(v)),
            };
            let kind = if a.kind == AExprKind::Op { String::new() } else { format!("{:?}:", a.kind) };
            format!("[{left}{kind}{} {right}]", a.name.join("."))
        }
        Expr::BoolExpr(b) => format!("{:?}({})", b.boolop, list(&b.args)),
        Expr::FuncCall(f) => format!("{}({})", f.funcname.join("."), list(&f.args)),
        Expr::TypeCast(t) => format!("{}::{}", short(&t.arg), t.type_name.dotted()),
        Expr::CollateClause(c) => {
            format!("{} collate {}", short(c.arg.as_ref().unwrap()), c.collname.join("."))
        }
        Expr::NullTest(n) => format!("{:?}({})", n.nulltesttype, short(&n.arg)),
        Expr::BooleanTest(b) => format!("{:?}({})", b.booltesttype, short(&b.arg)),
        Expr::SubLink(s) => format!(
            "{:?}{{{}{}}}",
            s.sub_link_type,
            s.testexpr.as_ref().map(short).unwrap_or_default(),
            s.oper_name.join(".")
        ),
        Expr::RowExpr(r) => format!("row({})", list(&r.args)),
        Expr::AArrayExpr(a) => format!("array[{}]", list(&a.elements)),
        Expr::AIndirection(i) => format!("{}<{}>", short(&i.arg), i.indirection.len()),
        Expr::SqlValueFunction(f) => format!("{:?}", f.op),
        other => format!("{other:?}").split('(').next().unwrap_or_default().to_string(),
    }
}

fn expr(text: &str) -> Expr {
    let sql = format!("select {text}");
    let mut parsed = parse(&sql, &ParseOptions::default()).unwrap_or_else(|e| panic!("{sql}: {e}"));
    match parsed.stmts.remove(0).stmt {
        Statement::SelectStmt(mut s) => s.target_list.remove(0).val.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check(text: &str, want: &str) {
    assert_eq!(short(&expr(text)), want, "{text}");
}

#[test]
fn precedence() {
    check("1 + 2 * 3", "[1 + [2 * 3]]");
    check("1 - 2 - 3", "[[1 - 2] - 3]");
    check("2 ^ 3 ^ 4", "[[2 ^ 3] ^ 4]");
    check("- a ^ 2", "[[- a] ^ 2]");
    check("-1", "-1");
    check("- 1.5e3", "-1.5e3");
    check("a || b + c", "[a || [b + c]]");
    check("@ a + b", "[@ [a + b]]");
    check("a < b is null", "IsNull([a < b])");
    check("not a = b and c or d", "Or(And(Not([a = b]) c) d)");
    check("a or b or c", "Or(a b c)");
    check("a and (b and c)", "And(a And(b c))");
    check("a::int + b", "[a::pg_catalog.int4 + b]");
    check("-a::int", "[- a::pg_catalog.int4]");
    check("a collate x || b", "[a collate x || b]");
    check("a at time zone 'u' + b", "[pg_catalog.timezone('u' a) + b]");
    check("a operator(pg_catalog.+) b * c", "[a pg_catalog.+ [b * c]]");
    check("a != b", "[a <> b]");
}

#[test]
fn tests_and_matches() {
    check("a between 1 and 2 and b", "And([a Between:BETWEEN (1 2)] b)");
    check("a not between symmetric 1 and 2", "[a NotBetweenSym:NOT BETWEEN SYMMETRIC (1 2)]");
    check("a like 'x' escape 'y'", "[a Like:~~ pg_catalog.like_escape('x' 'y')]");
    check("a not ilike b", "[a ILike:!~~* b]");
    check("a similar to b", "[a Similar:~ pg_catalog.similar_to_escape(b)]");
    check("a in (1, 2)", "[a In:= (1 2)]");
    check("a not in (select 1)", "Not(Any{a})");
    check("a = any (array[1])", "[a OpAny:= array[1]]");
    check("a <> all (select 1)", "All{a<>}");
    check("a is not distinct from b", "[a NotDistinct:= b]");
    check("a is not true is null", "IsNull(IsNotTrue(a))");
    check("(a, b) overlaps (c, d)", "pg_catalog.overlaps(a b c d)");
    check("a isnull", "IsNull(a)");
}

#[test]
fn primaries() {
    check("(1)", "1");
    check("(1, 2)", "row(1 2)");
    check("row()", "row()");
    check("((select 1))", "Expr{}");
    check("((select 1) + 1)", "[Expr{} + 1]");
    check("(((select 1) union select 2))", "Expr{}");
    check("(select 1)[1]", "Expr{}<1>");
    check("a.b[1].c", "a.b<2>");
    check("a.*", "a.*");
    check("$1.f", "$1<1>");
    check("array[[1], [2]]", "array[array[1] array[2]]");
    check("interval '1' day", "'1'::pg_catalog.interval");
    check("int '1'", "'1'::pg_catalog.int4");
    check("my.type 'x'", "'x'::my.type");
    check("int", "int");
    check("(values)", "values");
    check("current_schema", "CurrentSchema");
    check("current_schema()", "current_schema()");
    check("substring(a from 2)", "pg_catalog.substring(a 2)");
    check("substring(a, 2)", "substring(a 2)");
    check("substring(a similar b escape c)", "pg_catalog.substring(a b c)");
    check("trim(both 'x' from a)", "pg_catalog.btrim(a 'x')");
    check("position(a in b)", "pg_catalog.position(b a)");
    check("extract(year from a)", "pg_catalog.extract('year' a)");
    check("0x1F + 1_000", "[31 + 1000]");
    check("9999999999", "9999999999");
    check("b'01' || x'1f'", "[bit:b01 || bit:x1f]");
}

#[test]
fn labels_that_are_operators() {
    for sql in ["select a and from t", "select a is, b", "select a at", "select a operator from t"] {
        assert!(parse(sql, &ParseOptions::default()).is_ok(), "{sql}");
    }
    assert!(parse("select a or b and from t", &ParseOptions::default()).is_err());
}

#[test]
fn locations() {
    let Expr::AExpr(e) = expr("aa + bb::int") else { panic!() };
    assert_eq!(e.location, 10);
    assert_eq!(Expr::AExpr(e.clone()).location(), 7);
    let AExprRight::Expr(Expr::TypeCast(cast)) = &e.rexpr else { panic!() };
    assert_eq!((cast.location, cast.type_name.location), (14, 16));
}
