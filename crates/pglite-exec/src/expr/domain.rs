//! Domain constraints: NOT NULL and CHECK, compiled from what the session binds.

use pglite_error::{PgResult, err};
use pglite_types::{Datum, Oid};

use super::code::{Code, Rows};
use super::compile::Compiler;
use crate::env::ExecEnv;
use crate::operand;
use crate::state::{ExecCx, RunState};

pub struct DomainLevel {
    pub domain: Oid,
    pub name: String,
    pub not_null: bool,
    pub checks: Vec<(String, Code)>,
}

/// A value coerced to a domain: checked against every level, base first.
pub struct DomainCode {
    pub arg: Code,
    pub levels: Vec<DomainLevel>,
}

impl DomainCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        operand!(x, self.arg, rows, cx);
        check_levels(&self.levels, x, cx)?;
        Ok(x.clone())
    }
}

pub fn compile_levels(c: &mut Compiler<'_>, domain: Oid) -> PgResult<Vec<DomainLevel>> {
    let mut levels = Vec::new();
    for d in c.env.hooks.domain_checks(domain)? {
        let mut checks = Vec::new();
        for (name, expr) in &d.checks {
            checks.push((name.clone(), c.compile(expr)?));
        }
        levels.push(DomainLevel { domain: d.domain, name: d.name, not_null: d.not_null, checks });
    }
    Ok(levels)
}

pub fn check_levels(levels: &[DomainLevel], value: &Datum, cx: &mut ExecCx<'_>) -> PgResult<()> {
    for level in levels {
        if level.not_null && value.is_null() {
            return Err(err!(NOT_NULL_VIOLATION, "domain {} does not allow null values", level.name)
                .datatype(level.name.clone()));
        }
        for (name, code) in &level.checks {
            cx.run.domain.push(value.clone());
            let result = code.test(&Rows::default(), cx);
            cx.run.domain.pop();
            if result? == Some(false) {
                return Err(err!(
                    CHECK_VIOLATION,
                    "value for domain {} violates check constraint \"{}\"",
                    level.name,
                    name
                )
                .constraint(name.clone())
                .datatype(level.name.clone()));
            }
        }
    }
    Ok(())
}

/// Checks a value against a domain's constraints: what input functions of domain types need.
pub fn check_domain(env: &ExecEnv<'_>, domain: Oid, value: &Datum) -> PgResult<()> {
    let mut compiler = Compiler::bare(env);
    let levels = compile_levels(&mut compiler, domain)?;
    let mut run = RunState::bare(std::sync::Arc::from(Vec::new()));
    check_levels(&levels, value, &mut ExecCx::new(env, &mut run))
}
