//! The describe commands: `tests/psql/*.cmd` has one command a line, the file of the same name with `.out` what
//! PostgreSQL prints.
//!
//! Sizes differ and are not compared; neither are the descriptions of built-in objects (`builtin.cmd`), which we do not
//! carry.

use std::path::Path;

use super::{DATABASE, Psql};
use crate::Result;
use crate::shell;

/// Command lists, and whether their descriptions are left out.
const LISTS: &[(&str, bool)] = &[("describe", false), ("builtin", true)];

/// Between columns where descriptions are cut; no description has it.
const SEPARATOR: &str = ";;";

fn folder() -> std::path::PathBuf {
    shell::root().join("tests/psql")
}

fn text(name: &str) -> Result<String> {
    Ok(String::from_utf8_lossy(&shell::read(&folder().join(name))?).into_owned())
}

/// Creates the database and its objects.
pub fn load_schema(psql: &Psql) -> Result<()> {
    let create = format!(
        "SET client_min_messages = error;\nDROP DATABASE IF EXISTS {DATABASE};\nDROP ROLE IF EXISTS shop_reader, shop_writer, shop_admin;\n\
         CREATE DATABASE {DATABASE};\n"
    );
    let mut said = psql.run("postgres", &create, &["-v", "ON_ERROR_STOP=1"])?;
    said += &psql.run(DATABASE, &text("schema.sql")?, &[])?;
    match said.lines().find(|l| l.contains("ERROR") || l.contains("FATAL")) {
        Some(error) => Err(format!("the schema could not be made: {error}")),
        None => Ok(()),
    }
}

/// What each command printed.
fn outputs(psql: &Psql, list: &str, descriptions_cut: bool) -> Result<Vec<(String, String)>> {
    let commands: Vec<String> =
        text(&format!("{list}.cmd"))?.lines().filter(|l| !l.is_empty()).map(str::to_string).collect();
    let mut script = String::new();
    if descriptions_cut {
        script.push_str(&format!("\\pset format unaligned\n\\pset fieldsep '{SEPARATOR}'\n"));
    }
    for (i, command) in commands.iter().enumerate() {
        script.push_str(&format!("\\echo @@@{i}\n{command}\n"));
    }
    let printed = psql.run(DATABASE, &script, &[])?;
    let mut out: Vec<(String, String)> = commands.into_iter().map(|c| (c, String::new())).collect();
    let mut at = None;
    for line in printed.lines() {
        match line.strip_prefix("@@@").and_then(|n| n.parse::<usize>().ok()) {
            Some(n) => at = Some(n),
            None => {
                if let Some((_, text)) = at.and_then(|n| out.get_mut(n)) {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    for (_, text) in &mut out {
        *text =
            without_sizes(&if descriptions_cut { without_descriptions(text) } else { std::mem::take(text) });
    }
    Ok(out)
}

/// Sizes become `SIZE`; in what has any, runs of blanks and dashes count as one, since widths follow the sizes.
fn without_sizes(text: &str) -> String {
    let is_unit = |w: &str| matches!(w, "bytes" | "kB" | "MB" | "GB");
    let has = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.windows(2).any(|w| w[0].bytes().all(|b| b.is_ascii_digit()) && is_unit(w[1]))
    };
    if !text.lines().any(has) {
        return text.to_string();
    }
    let mut out = String::new();
    for line in text.lines() {
        let mut words: Vec<String> = Vec::new();
        for word in line.split_whitespace() {
            if is_unit(word) && words.last().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit())) {
                words.pop();
                words.push("SIZE".into());
            } else if word.bytes().all(|b| matches!(b, b'-' | b'+')) {
                words.push("-".into());
            } else {
                words.push(word.into());
            }
        }
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// Drops the last column where its head is "Description" (unaligned output).
fn without_descriptions(text: &str) -> String {
    let mut out = String::new();
    let mut cutting = false;
    for line in text.lines() {
        cutting |= line.ends_with(&format!("{SEPARATOR}Description"));
        match line.rsplit_once(SEPARATOR) {
            Some((kept, _)) if cutting => out.push_str(kept),
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

fn print(outputs: &[(String, String)]) -> String {
    outputs.iter().map(|(command, text)| format!("@@@ {command}\n{text}")).collect()
}

fn golden(list: &str) -> Result<Vec<(String, String)>> {
    let mut out: Vec<(String, String)> = Vec::new();
    for line in text(&format!("{list}.out"))?.lines() {
        match line.strip_prefix("@@@ ") {
            Some(command) => out.push((command.to_string(), String::new())),
            None => {
                if let Some((_, text)) = out.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    Ok(out)
}

pub fn write_golden(psql: &Psql) -> Result<()> {
    load_schema(psql)?;
    for (list, cut) in LISTS {
        let path = folder().join(format!("{list}.out"));
        shell::write(&path, print(&outputs(psql, list, *cut)?))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// The commands whose output differs, each with the first line that does.
fn differences(expected: &[(String, String)], got: &[(String, String)]) -> Vec<String> {
    let mut out = Vec::new();
    for (command, text) in got {
        let Some((_, want)) = expected.iter().find(|(c, _)| c == command) else {
            out.push(format!("{command}: no expected output"));
            continue;
        };
        if want != text {
            let mut pairs = want.lines().zip(text.lines());
            let (w, g) = pairs.find(|(w, g)| w != g).unwrap_or(("(end)", "(another number of lines)"));
            out.push(format!("{command}\n  expected: {w}\n  printed:  {g}"));
        }
    }
    out
}

pub fn compare(psql: &Psql, results: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (list, cut) in LISTS {
        let got = outputs(psql, list, *cut)?;
        shell::write(&results.join(format!("{list}.out")), print(&got))?;
        let expected = golden(list)?;
        let found = differences(&expected, &got);
        println!(
            "{list}: {} of {} commands print what PostgreSQL prints",
            got.len() - found.len(),
            got.len()
        );
        // The control: one changed character must show.
        let mut broken = expected.clone();
        if let Some((_, text)) = broken.first_mut() {
            text.insert(0, '#');
        }
        if differences(&broken, &got).len() <= found.len() && !found.iter().any(|f| f.starts_with(&got[0].0))
        {
            faults.push(format!("control: {list}: a changed expected line went unnoticed"));
        }
        faults.extend(found);
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_not_compared_but_all_else_is() {
        let a = " t | 16 kB   | x\n---+---------+--\n";
        let b = " t | 8192 bytes | x\n---+------------+--\n";
        assert_eq!(without_sizes(a), without_sizes(b));
        assert_ne!(without_sizes(a), without_sizes(" u | 16 kB | x\n"));
        assert_eq!(without_sizes("a   b\n"), "a   b\n");
    }

    #[test]
    fn a_difference_is_found() {
        let one = [("\\d".to_string(), "a\nb\n".to_string())];
        let two = [("\\d".to_string(), "a\nc\n".to_string())];
        assert!(differences(&one, &one).is_empty());
        assert_eq!(differences(&one, &two).len(), 1);
        assert_eq!(differences(&[], &two).len(), 1);
    }
}
