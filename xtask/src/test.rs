//! `cargo xtask test`: everything a change must pass, in the order of cost.

use std::process::Command;

use crate::Result;

fn run(program: &str, args: &[&str]) -> Result<()> {
    println!("+ {program} {}", args.join(" "));
    let status =
        Command::new(program).args(args).status().map_err(|e| format!("could not run {program}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {} failed", args.join(" "))) }
}

/// Whether a program answers `--version`.
fn has(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|o| o.status.success())
}

pub fn run_all(_args: &[String]) -> Result<()> {
    run("cargo", &["fmt", "--all", "--check"])?;
    crate::tidy::run(&[])?;
    crate::codegen::run(&["--check".to_string()])?;
    if has("cargo", &["nextest", "--version"]) {
        run("cargo", &["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        run("cargo", &["test", "--workspace", "--no-fail-fast"])
    }
}
