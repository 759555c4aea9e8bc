//! Writes a test CA and a server certificate for `localhost` into a directory: `cargo xtask drivers` serves TLS with them.

#![allow(clippy::disallowed_methods)] // Why: a test tool's own files.

use std::path::PathBuf;

#[path = "../tests/it/cert.rs"]
mod cert;

fn main() {
    let Some(dir) = std::env::args().nth(1).map(PathBuf::from) else {
        eprintln!("usage: test_certificate DIR");
        std::process::exit(2);
    };
    let files = cert::write(&dir);
    println!("{}\n{}\n{}", files.ca.display(), files.cert.display(), files.key.display());
}
