//! Project automation: `cargo xtask <command>`. Each command is one module; see `COMMANDS`.

// Why: xtask is a developer's tool, outside the engine's Vfs and Clock.
#![allow(clippy::disallowed_methods)]

mod catalog;
mod codegen;
mod crash;
mod drivers;
mod ours;
mod perf;
mod proc;
mod psql;
mod regress;
mod shell;
mod suite;
mod test;
mod tidy;
mod wire;

use std::process::ExitCode;

/// A failed command prints this and exits with 1.
pub type Result<T> = std::result::Result<T, String>;

type Entry = fn(&[String]) -> Result<()>;

/// (name, what it does, entry point). The entry point gets the arguments after the name.
const COMMANDS: &[(&str, &str, Entry)] = &[
    ("catalog", "import [--port N] [--psql PATH] [--db NAME] [--check] | stats", catalog::run),
    ("test", "[--from STEP] [--only A,B]: what every change must pass: format, tidy, codegen, tests, crash, regress, clippy", test::run_all),
    ("ci", "the same, as the pipeline runs it", test::run_all),
    ("tidy", "crate edges, file sizes, module docs, unsafe code", tidy::run),
    ("suite", "[--dir DIR] fetches PostgreSQL's test suite and psql 18 into .suite and .oracle", suite::run),
    ("regress", "[--files a,b [--setup]] [--rank [--top N]] [--record [--lower]] [--json F] [--html DIR] [--disk] [--profile P]
             [--port N] [--timeout S] [--dir DIR] [--out DIR] [--rescore]: PostgreSQL's suite against our server", regress::run),
    (
        "crash",
        "[--cycles N] [--clients N] [--seed N] [--profile P] [--dir DIR] [--max-restart S] [--memory-budget MB]: kill -9
             under committing clients on a real directory",
        crash::run,
    ),
    (
        "drivers",
        "[psycopg] [asyncpg] [tokio-postgres] [node] [jdbc] [--oracle HOST:PORT] [--profile P] [--binary PATH]: real clients
             with TLS and SCRAM against our server, or without against PostgreSQL",
        drivers::run,
    ),
    (
        "perf",
        "pgbench|copy|scan|start|storage|all [--seconds N] [--scale N] [--clients N] [--rounds N] [--only LOAD,MODE] [--dir DIR]
             [--out DIR] [--binary PATH]: ours and PostgreSQL 18.6 side by side; results in benches/results",
        perf::run,
    ),
    (
        "psql",
        "[--port N | --binary F | --profile P] [--completion PSQL | --no-completion] | --golden PORT: describe commands,
             tab completion and system views",
        psql::run,
    ),
    ("codegen", "data files of pglite-catalog -> src/generated [--check]", codegen::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // Every command works from any folder of the tree; relative paths in its arguments are the tree's.
    if let Err(e) = std::env::set_current_dir(shell::root()) {
        eprintln!("xtask: {}: {e}", shell::root().display());
        return ExitCode::FAILURE;
    }
    let name = args.first().map(String::as_str).unwrap_or("help");
    if name == perf::stub::COMMAND {
        let ended = perf::stub::run(&args[1..]);
        return if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let Some((_, _, run)) = COMMANDS.iter().find(|c| c.0 == name) else {
        println!("usage: cargo xtask <command>");
        for (name, help, _) in COMMANDS {
            println!("  {name:<10} {help}");
        }
        return if name == "help" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    };
    match run(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask {name}: {message}");
            ExitCode::FAILURE
        }
    }
}
