//! Compares analysis with recorded answers of PostgreSQL: `compare SCHEMA.tsv GOLDEN.tsv [show N] [code]`.
//!
//! The golden file has one statement a line: file, text, `O` with parameter and column types or `E` with SQLSTATE,
//! message, 1-based position, hint and detail.

#[path = "../tests/suite/env.rs"]
mod env;

use std::collections::BTreeMap;

use env::{Column, Env};
use pglite_analyze::{ParamTypes, analyze};
use pglite_ir::query::CommandType;
use pglite_parser::{ParseOptions, parse};
use pglite_types::Oid;

fn unescape(s: &str) -> String {
    let mut out = String::new();
    let mut chars = s.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(o) => out.push(o),
                None => {}
            },
            (c, _) => out.push(c),
        }
    }
    out
}

fn load_schema(path: &str) -> Env {
    let mut env = Env::new();
    let text = std::fs::read_to_string(path).expect("schema");
    let (tables, keys) = text.split_once("--\n").expect("three parts");
    let (keys, indexes) = keys.split_once("--\n").expect("three parts");
    let mut pkeys: BTreeMap<String, Vec<i16>> = BTreeMap::new();
    for l in keys.lines() {
        let f: Vec<&str> = l.split('\t').collect();
        pkeys.insert(f[0].into(), f[2].split(',').filter_map(|x| x.parse().ok()).collect());
    }
    let mut order: Vec<(String, u8)> = Vec::new();
    let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for l in tables.lines() {
        let f: Vec<String> = l.split('\t').map(unescape).collect();
        if !columns.contains_key(&f[0]) {
            order.push((f[0].clone(), f[1].as_bytes()[0]));
        }
        let list = columns.entry(f[0].clone()).or_default();
        let ty = f[5].parse().map(Oid).unwrap_or(Oid(25));
        let byte = |s: &str| s.bytes().next().unwrap_or(0);
        list.push(Column {
            name: f[4].clone(),
            ty,
            typmod: f[6].parse().unwrap_or(-1),
            collation: f[7].parse().map(Oid).unwrap_or_default(),
            not_null: f[8] == "True",
            default: (!f[9].is_empty()).then(|| f[9].clone()),
            identity: byte(&f[10]),
            generated: byte(&f[11]),
        });
    }
    for (name, kind) in order {
        let key = pkeys.get(&name).cloned().unwrap_or_default();
        env.table(&name, kind, &columns[&name], &key);
    }
    for l in indexes.lines() {
        let f: Vec<String> = l.split('\t').map(unescape).collect();
        let keys: Vec<i16> = f[2].split(' ').filter_map(|x| x.parse().ok()).collect();
        let opt = |s: &String| (!s.is_empty()).then(|| s.clone());
        let oids = |s: &String| s.split(' ').filter_map(|x| x.parse().ok()).map(Oid).collect::<Vec<_>>();
        env.unique_index(&f[0], &f[1], &keys, &oids(&f[5]), &oids(&f[6]), opt(&f[3]), opt(&f[4]));
    }
    env
}

fn outcome(env: &Env, sql: &str) -> Vec<String> {
    let fail = |e: pglite_error::PgError| {
        let f = e.fields();
        let pos = f.position.map_or(String::new(), |p| {
            let p = (p as usize).min(sql.len());
            (sql.get(..p).map_or(p, |s| s.chars().count()) + 1).to_string()
        });
        vec![
            "E".into(),
            f.code.as_str().into(),
            f.message.clone(),
            pos,
            f.hint.clone().unwrap_or_default(),
            f.detail.clone().unwrap_or_default(),
        ]
    };
    let parsed = match parse(sql, &ParseOptions::default()) {
        Ok(p) => p,
        Err(e) => return fail(e),
    };
    let Some(raw) = parsed.stmts.first() else { return vec!["O".into(), String::new(), String::new()] };
    let mut params = ParamTypes::variable(&[]);
    let q = match analyze(env, raw, sql, &mut params) {
        Ok(q) => q,
        Err(e) => return fail(e),
    };
    if let Err(e) = pglite_analyze::rewrite(env, q.clone()) {
        return fail(e);
    }
    let list = if q.command == CommandType::Select { &q.targets } else { &q.returning };
    let cols: Vec<String> = list
        .iter()
        .filter(|t| !t.junk)
        .map(|t| {
            let (ty, typmod) =
                pglite_analyze::AnalyzeEnv::catalog(env).base_type_and_typmod(t.expr.ty(), t.expr.typmod());
            format!("{}:{ty}:{typmod}", t.name.as_deref().unwrap_or("?"))
        })
        .collect();
    let pars: Vec<String> = params.types.iter().map(|t| t.to_string()).collect();
    vec!["O".into(), pars.join(","), cols.join("\x1f")]
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let env = load_schema(&args[1]);
    let golden = std::fs::read_to_string(&args[2]).expect("golden");
    let show: usize = args.get(3).and_then(|s| s.parse().ok()).unwrap_or(40);
    let filter = args.get(4);
    let (mut same, mut total, mut shown) = (0, 0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for line in golden.lines() {
        let f: Vec<String> = line.split('\t').map(unescape).collect();
        total += 1;
        let sql = f[1].clone();
        let got = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| outcome(&env, &sql)))
            .unwrap_or_else(|_| vec!["PANIC".into()]);
        let want = &f[2..];
        if got == want {
            same += 1;
            continue;
        }
        let part = |v: &[String], i: usize| v.get(i).cloned().unwrap_or_default();
        let short = |v: &[String]| {
            if part(v, 0) == "E" {
                let m: String = part(v, 2).split('"').step_by(2).collect::<Vec<_>>().join("_");
                format!("E {} {}", part(v, 1), m.chars().take(70).collect::<String>())
            } else {
                part(v, 0)
            }
        };
        let (a, b) = (short(want), short(&got));
        let key = if a == b { format!("DETAIL {a}") } else { format!("{a}  =>  {b}") };
        if filter.is_none_or(|x| key.contains(x.as_str()) || f[0].contains(x.as_str())) && shown < show {
            shown += 1;
            println!("[{}] {}\n  want {:?}\n  got  {:?}", f[0], sql, want, got);
        }
        *kinds.entry(key).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|k| std::cmp::Reverse(k.1));
    for (k, n) in kinds.iter().take(70) {
        println!("{n:5} {k}");
    }
    println!("{same} of {total} the same");
}
