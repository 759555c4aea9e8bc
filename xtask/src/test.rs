//! `cargo xtask test`: everything a change must pass, cheap checks first. Nothing is skipped: what a step needs and the
//! machine lacks is installed by name, and what cannot be had fails the command.

use std::time::Instant;

use crate::shell::{self, Args};
use crate::{Result, codegen, crash, regress, suite, tidy};

/// (name, what it does). Tests and server are built once, under one profile, so the whole takes minutes, not hours.
const STEPS: &[(&str, fn() -> Result<()>)] = &[
    ("tools", tools),
    ("format", || shell::run("cargo", &["fmt", "--all", "--check"])),
    ("tidy", || tidy::run(&[])),
    ("codegen", || codegen::run(&words("--check"))),
    ("tests", || shell::run("cargo", &["test", "--workspace", "--profile", "ci", "--no-fail-fast"])),
    ("crash", || crash::run(&words("--profile ci --cycles 5 --max-restart 10"))),
    ("regress", || regress::run(&words("--profile ci --rank --top 20"))),
    ("clippy", || {
        shell::run(
            "cargo",
            &["clippy", "--workspace", "--all-targets", "--profile", "ci", "--", "-D", "warnings"],
        )
    }),
];

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_string).collect()
}

/// PostgreSQL's suite, psql and pgbench; the formatter and the linter of the toolchain.
fn tools() -> Result<()> {
    for (component, program) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !shell::succeeds("cargo", &[program, "--version"]) {
            shell::run("rustup", &["component", "add", component])?;
        }
    }
    suite::run(&[])
}

/// `--from STEP` starts later, `--only STEP,STEP` runs some: for repairing one step, not for passing.
pub fn run_all(args: &[String]) -> Result<()> {
    let args = Args::parse(args, &["from", "only"], &[])?;
    let only = args.list("only");
    let known = |name: &str| STEPS.iter().any(|s| s.0 == name);
    if let Some(wrong) =
        only.iter().flatten().map(String::as_str).chain(args.value("from")).find(|n| !known(n))
    {
        let names: Vec<&str> = STEPS.iter().map(|s| s.0).collect();
        return Err(format!("no step \"{wrong}\"; steps: {}", names.join(" ")));
    }
    let first = args.value("from").and_then(|f| STEPS.iter().position(|s| s.0 == f)).unwrap_or(0);
    let mut took = Vec::new();
    for (name, step) in &STEPS[first..] {
        if only.as_ref().is_some_and(|o| !o.iter().any(|n| n == name)) {
            continue;
        }
        println!("== {name}");
        let start = Instant::now();
        step().map_err(|e| format!("step {name}: {e}"))?;
        took.push(format!("{name} {:.0} s", start.elapsed().as_secs_f64()));
    }
    println!("all passed: {}", took.join(", "));
    Ok(())
}
