//! The ratchet: how many statements of each file matched when the figures were last recorded. A drop fails.
//!
//! A file that was cut off is recorded as `null`: how far it comes depends on the machine, so there is no figure to hold.
//! Once it is recorded with a figure, being cut off is a drop.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Result;
use crate::shell;

/// File name -> statements that match; None for a file that does not come to its end.
pub type Figures = BTreeMap<String, Option<usize>>;

fn path() -> PathBuf {
    shell::root().join("tests/regress/expected.json")
}

pub fn recorded() -> Result<Figures> {
    parse(&String::from_utf8_lossy(&shell::read(&path())?))
}

/// A JSON object of numbers and nulls, one a line.
fn parse(text: &str) -> Result<Figures> {
    let mut figures = Figures::new();
    for line in text.lines().map(|l| l.trim().trim_end_matches(',')) {
        if matches!(line, "{" | "}" | "") {
            continue;
        }
        let pair = line.split_once(": ").and_then(|(name, n)| match n {
            "null" => Some((name, None)),
            n => Some((name, Some(n.parse::<usize>().ok()?))),
        });
        let (name, n) = pair.ok_or_else(|| format!("expected.json: not a figure: {line}"))?;
        figures.insert(name.trim_matches('"').to_string(), n);
    }
    Ok(figures)
}

/// Files that match less than recorded.
pub fn drops(known: &Figures, now: &Figures) -> Vec<String> {
    let mut drops = Vec::new();
    for (test, before) in known {
        let Some(before) = before else { continue };
        match now.get(test) {
            Some(Some(n)) if n >= before => {}
            Some(Some(n)) => drops.push(format!("{test}: {n} statements match, {before} recorded")),
            Some(None) => drops.push(format!("{test}: cut off, {before} recorded")),
            None => drops.push(format!("{test}: not run, {before} recorded")),
        }
    }
    drops
}

/// Of two runs the better figure of each file.
pub fn better(a: &Figures, b: &Figures) -> Figures {
    let mut best = a.clone();
    for (test, n) in b {
        let slot = best.entry(test.clone()).or_insert(None);
        *slot = (*slot).max(*n);
    }
    best
}

/// Writes the figures; false when they were so already.
pub fn record(figures: &Figures) -> Result<bool> {
    let figure = |n: &Option<usize>| n.map_or("null".to_string(), |n| n.to_string());
    let lines: Vec<String> = figures.iter().map(|(t, n)| format!("  \"{t}\": {}", figure(n))).collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    if shell::read(&path()).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    shell::write(&path(), text)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_and_a_missing_file_are_reported_and_a_rise_is_not() {
        let text = "{\n  \"a\": 3,\n  \"b\": 2,\n  \"c\": 1,\n  \"d\": null,\n  \"e\": 0\n}\n";
        let known = parse(text).expect("figures");
        let now = Figures::from(
            [("a", Some(2)), ("b", Some(5)), ("d", None), ("e", None)].map(|(t, n)| (t.into(), n)),
        );
        let drops = drops(&known, &now);
        assert_eq!(drops.len(), 3, "{drops:?}");
        assert!(
            drops[0].starts_with("a: 2")
                && drops[1].starts_with("c: not run")
                && drops[2].starts_with("e: cut")
        );
        assert!(super::drops(&known, &better(&now, &known)).is_empty());
        assert!(parse("{ \"a\": x }").is_err());
    }
}
