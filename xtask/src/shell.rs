//! What every command of xtask shares: reading its arguments, running programs, naming places.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// The arguments after a command's name. Every option is named in the command's list, so a typing error is reported.
pub struct Args {
    given: Vec<(String, Option<String>)>,
}

impl Args {
    /// Reads `--name value`, `--name=value` for `values` and `--name` for `flags`.
    pub fn parse(args: &[String], values: &[&str], flags: &[&str]) -> Result<Args> {
        let mut given = Vec::new();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((n, v)) => (n, Some(v.to_string())),
                None => (arg.as_str(), None),
            };
            let name = name.strip_prefix("--").ok_or_else(|| format!("unexpected argument \"{arg}\""))?;
            if flags.contains(&name) && inline.is_none() {
                given.push((name.to_string(), None));
            } else if values.contains(&name) {
                let value = match inline {
                    Some(v) => v,
                    None => rest.next().cloned().ok_or_else(|| format!("--{name} needs a value"))?,
                };
                given.push((name.to_string(), Some(value)));
            } else {
                let known: Vec<String> = values.iter().chain(flags).map(|n| format!("--{n}")).collect();
                return Err(format!("unknown option \"{arg}\"; known: {}", known.join(" ")));
            }
        }
        Ok(Args { given })
    }

    pub fn flag(&self, name: &str) -> bool {
        self.given.iter().any(|g| g.0 == name)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|g| g.0 == name).and_then(|g| g.1.as_deref())
    }

    pub fn number<N: std::str::FromStr>(&self, name: &str, default: N) -> Result<N> {
        match self.value(name) {
            None => Ok(default),
            Some(v) => v.parse().map_err(|_| format!("--{name} needs a number, not \"{v}\"")),
        }
    }

    /// A comma-separated list.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        self.value(name)
            .map(|v| v.split(',').map(|s| s.trim().to_string()).filter(|s| !s.is_empty()).collect())
    }
}

/// The root of the source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| ".".into(), Path::to_path_buf)
}

/// Where cargo puts what it builds: this program stands in one of its folders.
pub fn target_dir() -> Result<PathBuf> {
    let exe = std::env::current_exe().map_err(|e| format!("own path: {e}"))?;
    exe.ancestors().nth(2).map(Path::to_path_buf).ok_or_else(|| "no target directory".into())
}

/// Runs a program on this terminal; anything but success is an error.
pub fn run(program: impl AsRef<Path>, args: &[&str]) -> Result<()> {
    let program = program.as_ref();
    println!("+ {} {}", program.display(), args.join(" "));
    let status = Command::new(program)
        .args(args)
        .status()
        .map_err(|e| format!("could not run {}: {e}", program.display()))?;
    if status.success() { Ok(()) } else { Err(format!("{} {} failed", program.display(), args.join(" "))) }
}

/// Runs a command and gives its standard output; its error output is the error.
pub fn capture(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.stdin(Stdio::null()).output().map_err(|e| format!("could not run {name}: {e}"))?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() {
        return Ok(text);
    }
    Err(format!("{name} failed: {}{}", String::from_utf8_lossy(&out.stderr).trim(), text))
}

/// Whether a command succeeds; it prints nothing.
pub fn succeeds(program: impl AsRef<Path>, args: &[&str]) -> bool {
    Command::new(program.as_ref()).args(args).stdin(Stdio::null()).output().is_ok_and(|o| o.status.success())
}

/// Whether this process may install packages and change users.
pub fn is_root() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Runs a bash script under `set -euo pipefail`.
pub fn script(text: &str) -> Result<()> {
    let status = Command::new("bash")
        .args(["-euo", "pipefail", "-c", text])
        .stdin(Stdio::null())
        .status()
        .map_err(|e| format!("could not run bash: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("this script failed:\n{text}")) }
}

/// Installs Debian packages by name, through `sudo` when not root.
pub fn install(packages: &[&str]) -> Result<()> {
    println!("installing {}", packages.join(" "));
    let sudo = if is_root() { "" } else { "sudo -n " };
    script(&format!(
        "{sudo}apt-get -qq update && {sudo}env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends {}",
        packages.join(" ")
    ))
    .map_err(|e| format!("could not install {}: {e}", packages.join(" ")))
}

pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

pub fn make_dir(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_checked_against_the_list() {
        let args = |a: &[&str]| {
            let a: Vec<String> = a.iter().map(|s| s.to_string()).collect();
            Args::parse(&a, &["files", "n"], &["rank"])
        };
        let a = args(&["--files", "a, b", "--n=3", "--rank"]).expect("valid");
        assert_eq!(a.list("files"), Some(vec!["a".to_string(), "b".to_string()]));
        assert_eq!((a.number("n", 1), a.flag("rank"), a.flag("n")), (Ok(3), true, true));
        assert!(args(&["--file", "a"]).is_err_and(|e| e.contains("--files")));
        assert!(args(&["--n"]).is_err());
    }
}
