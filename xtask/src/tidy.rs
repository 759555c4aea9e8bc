//! `cargo xtask tidy`: the house rules that no compiler checks - crate edges, file sizes, module docs, unsafe code.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// Which crates a crate may depend on (all without the `pglite-` prefix). A new edge is a design decision.
const EDGES: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("codec", &["error"]),
    ("types", &["error", "codec"]),
    ("parser", &["error"]),
    ("catalog", &["error", "codec", "types", "parser"]),
    ("storage", &["error", "codec"]),
    ("txn", &["error", "codec", "types", "catalog", "storage"]),
    ("ir", &["error", "types", "parser", "catalog"]),
    ("functions", &["error", "codec", "types", "parser", "catalog", "ir"]),
    ("analyze", &["error", "types", "parser", "catalog", "ir"]),
    ("planner", &["error", "types", "catalog", "ir"]),
    ("vector", &["error", "types", "catalog", "storage", "txn", "ir"]),
    ("exec", &["error", "codec", "types", "catalog", "storage", "txn", "ir", "functions"]),
    (
        "commands",
        &[
            "error",
            "codec",
            "types",
            "parser",
            "catalog",
            "storage",
            "txn",
            "ir",
            "functions",
            "analyze",
            "planner",
            "exec",
        ],
    ),
    ("plpgsql", &["error", "types", "parser", "catalog", "ir", "analyze", "planner", "exec", "txn"]),
    (
        "sql",
        &[
            "error",
            "codec",
            "types",
            "parser",
            "catalog",
            "storage",
            "txn",
            "ir",
            "functions",
            "analyze",
            "planner",
            "exec",
            "commands",
            "plpgsql",
        ],
    ),
    ("server", &["error", "types", "parser", "catalog", "storage", "txn", "ir", "sql"]),
];

/// Crates whose code may be `unsafe`.
const UNSAFE: &[&str] = &["codec", "storage", "vector"];
const MAX_LINES: usize = 1000;

pub fn run(_args: &[String]) -> Result<()> {
    let mut faults = Vec::new();
    for (name, allowed) in EDGES {
        edges(name, allowed, &mut faults)?;
        let mut files = Vec::new();
        collect(&PathBuf::from(format!("crates/pglite-{name}/src")), &mut files)?;
        for file in files.iter().filter(|f| !f.components().any(|c| c.as_os_str() == "generated")) {
            check_file(name, file, &mut faults)?;
        }
    }
    if faults.is_empty() {
        println!("tidy: ok");
        return Ok(());
    }
    Err(format!("{} faults\n{}", faults.len(), faults.join("\n")))
}

/// Reads the `[dependencies]` of a crate.
fn edges(name: &str, allowed: &[&str], faults: &mut Vec<String>) -> Result<()> {
    let path = format!("crates/pglite-{name}/Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let mut in_deps = false;
    for line in text.lines() {
        if line.starts_with('[') {
            in_deps = line == "[dependencies]";
        } else if in_deps && let Some(rest) = line.strip_prefix("pglite-") {
            let dep: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
            if !allowed.contains(&dep.as_str()) {
                faults.push(format!("{path}: edge to pglite-{dep} is not allowed"));
            }
        }
    }
    Ok(())
}

fn collect(dir: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            collect(&path, out)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    Ok(())
}

fn check_file(name: &str, path: &Path, faults: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let shown = path.display();
    if text.lines().count() > MAX_LINES {
        faults.push(format!("{shown}: longer than {MAX_LINES} lines"));
    }
    if !text.starts_with("//!") && !text.starts_with("#!") {
        faults.push(format!("{shown}: no module documentation"));
    }
    if path.file_name().is_some_and(|f| f == "mod.rs") {
        faults.push(format!("{shown}: use foo.rs beside foo/"));
    }
    for (n, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        if !UNSAFE.contains(&name) && code.contains("unsafe ") && !code.contains('"') {
            faults.push(format!("{shown}:{}: unsafe code outside {UNSAFE:?}", n + 1));
        }
        if code.trim() == "#[ignore]" {
            faults.push(format!("{shown}:{}: ignored test", n + 1));
        }
    }
    Ok(())
}
