//! Plan shapes, compared with the golden files in `tests/golden`: a statement, then the nodes PostgreSQL 18 chooses.

#![allow(clippy::disallowed_methods)]

mod common;

use std::fmt::Write as _;

/// Runs one golden file; with `UPDATE_GOLDEN` set it writes what came out.
fn run(name: &str) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let env = common::Env::new();
    let (mut out, mut failed) = (String::new(), Vec::new());
    for block in text.split("\n\n").filter(|b| !b.trim().is_empty()) {
        let (sql, want) = block.trim_end().split_once("\n----\n").unwrap_or((block.trim_end(), ""));
        let got = env.shape(sql);
        if got.trim_end() != want.trim_end() {
            failed.push(format!("{sql}\n--- want\n{want}\n--- got\n{got}"));
        }
        let _ = write!(out, "{sql}\n----\n{}\n\n", got.trim_end());
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, out).unwrap();
        return;
    }
    assert!(failed.is_empty(), "{} of the plans differ:\n\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn queries() {
    run("queries");
}

#[test]
fn shapes() {
    run("shapes");
}
