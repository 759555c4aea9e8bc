//! Running one statement and describing the outcome in a line.

use pglite_analyze::{AnalyzeEnv, ParamTypes, analyze, rewrite};
use pglite_catalog::format_type::format_type_be;
use pglite_error::PgError;
use pglite_ir::query::{CommandType, Query};
use pglite_parser::{ParseOptions, parse};
use pglite_types::oid;

use crate::env::{Column, Env};

/// Tables `t(a int primary key, b text, c numeric)`, `u(a int, d int)`, `g(id identity, x, y generated)`.
pub fn env() -> Env {
    let mut env = Env::new();
    let key = Column { not_null: true, ..Column::new("a", oid::INT4) };
    env.table("t", b'r', &[key, Column::new("b", oid::TEXT), Column::new("c", oid::NUMERIC)], &[1]);
    env.table("u", b'r', &[Column::new("a", oid::INT4), Column::new("d", oid::INT4)], &[]);
    let generated = Column { generated: b's', default: Some("x * 2".into()), ..Column::new("y", oid::INT4) };
    let defaulted = Column { default: Some("7".into()), ..Column::new("x", oid::INT4) };
    let arr = Column::new("arr", oid::INT4_ARRAY);
    env.table("g", b'r', &[defaulted, generated, arr], &[]);
    env
}

pub fn query(env: &Env, sql: &str) -> Result<(Query, ParamTypes), PgError> {
    let parsed = parse(sql, &ParseOptions::default())?;
    let mut params = ParamTypes::variable(&[]);
    let q = analyze(env, &parsed.stmts[0], sql, &mut params)?;
    Ok((q, params))
}

pub fn rewritten(env: &Env, sql: &str) -> Query {
    let (q, _) = query(env, sql).expect("analysis");
    rewrite(env, q).expect("rewriting").remove(0)
}

/// `name type, ...` of the result; parameters after `|`.
pub fn columns(env: &Env, sql: &str) -> String {
    let (q, params) = match query(env, sql) {
        Ok(x) => x,
        Err(e) => return format!("error {} {}", e.code().as_str(), e.message()),
    };
    let list = if q.command == CommandType::Select { &q.targets } else { &q.returning };
    let show = |t| format_type_be(env.catalog(), env.search_path(), t);
    let cols: Vec<String> = list
        .iter()
        .filter(|t| !t.junk)
        .map(|t| format!("{} {}", t.name.as_deref().unwrap_or("?"), show(t.expr.ty())))
        .collect();
    let mut out = cols.join(", ");
    if !params.types.is_empty() {
        let pars: Vec<String> = params.types.iter().map(|t| show(*t)).collect();
        out = format!("{out} | {}", pars.join(", "));
    }
    out
}

/// `SQLSTATE position message`, hint and detail behind `/`.
pub fn error(env: &Env, sql: &str) -> String {
    let e = match query(env, sql).and_then(|(q, _)| rewrite(env, q)) {
        Ok(_) => return "ok".into(),
        Err(e) => e,
    };
    let f = e.fields();
    let mut out = format!("{} {} {}", f.code.as_str(), f.position.map_or(0, |p| p as usize + 1), f.message);
    for extra in [&f.hint, &f.detail].into_iter().flatten() {
        out.push_str(" / ");
        out.push_str(extra);
    }
    out
}
