//! Results as a Markdown page with a table, and as a bar chart in SVG; both name machine, versions and settings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::peer::{OUR_OPTIONS, POSTGRES_SETTINGS, Peer};
use crate::Result;
use crate::shell;

/// One group of bars: a label, and a value for each server.
pub struct Group {
    pub label: String,
    pub values: Vec<(&'static str, f64)>,
}

pub struct Page {
    pub name: &'static str,
    pub title: &'static str,
    /// What was run, in words.
    pub method: String,
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    pub unit: &'static str,
    pub bars: Vec<Group>,
}

/// Machine, kernel, load, file system, commit: what a figure is worth.
pub fn circumstances(data: &Path) -> Vec<String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")).map(|l| l.trim_matches(['\t', ':', ' ']));
    let memory = read("/proc/meminfo");
    let memory =
        memory.lines().next().and_then(|l| l.split_whitespace().nth(1)).and_then(|k| k.parse::<u64>().ok());
    let one = |program: &str, args: &[&str]| {
        shell::capture(Command::new(program).args(args)).map(|t| t.trim().to_string()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let data = data.to_string_lossy();
    vec![
        format!(
            "machine: {} x {}, {} GB memory, Linux {}",
            cores,
            model.unwrap_or("?"),
            memory.unwrap_or(0) / 1_000_000,
            read("/proc/sys/kernel/osrelease").trim()
        ),
        format!("data on {}", one("stat", &["-f", "-c", "%T", &data])),
        format!(
            "load average at the start: {}",
            read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
        ),
        format!(
            "commit {} of {}",
            one("git", &["rev-parse", "--short", "HEAD"]),
            one("date", &["-u", "+%F %R UTC"])
        ),
    ]
}

/// Which servers answered, and how they were set.
pub fn answered(peers: &[&Peer]) -> Vec<String> {
    let mut lines: Vec<String> =
        peers.iter().map(|p| format!("{} answered: {}", p.name, p.version)).collect();
    let settings: Vec<String> = POSTGRES_SETTINGS.iter().map(|(n, v)| format!("{n}={v}")).collect();
    lines.push(format!("PGLiteDB: {}; fsync on, every commit synchronous", OUR_OPTIONS.join(" ")));
    lines.push(format!(
        "PostgreSQL: {}; fsync and synchronous_commit on, the rest default",
        settings.join(" ")
    ));
    lines
}

impl Page {
    /// Prints the table and writes NAME.md and NAME.svg.
    pub fn write(&self, dir: &Path, facts: &[String]) -> Result<()> {
        let mut text = format!("# {}\n\n{}\n\n", self.title, self.method);
        for fact in facts {
            let _ = writeln!(text, "- {fact}");
        }
        let table = self.table();
        let _ = write!(text, "\n![{}]({}.svg)\n\n{table}", self.title, self.name);
        println!("\n{table}");
        let path = |ext: &str| -> PathBuf { dir.join(self.name).with_extension(ext) };
        shell::write(&path("md"), text)?;
        shell::write(&path("svg"), self.chart())?;
        println!("written: {} and .svg", path("md").display());
        Ok(())
    }

    fn table(&self) -> String {
        let mut out = format!("| {} |\n", self.header.join(" | "));
        let aligned: Vec<&str> =
            (0..self.header.len()).map(|i| if i == 0 { "---" } else { "---:" }).collect();
        let _ = writeln!(out, "| {} |", aligned.join(" | "));
        for row in &self.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
        out
    }

    /// Horizontal bars, one group a test.
    fn chart(&self) -> String {
        let (left, width, bar, gap) = (210.0, 420.0, 13.0, 10.0);
        let most = self.bars.iter().flat_map(|g| &g.values).map(|v| v.1).fold(0.0, f64::max).max(1e-9);
        let mut y = 44.0;
        let mut body = String::new();
        for group in &self.bars {
            let middle = y + bar * group.values.len() as f64 / 2.0 + 4.0;
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                group.label
            );
            for (server, value) in &group.values {
                let length = width * value / most;
                let _ = writeln!(
                    body,
                    "<rect x=\"{left}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{}\" font-size=\"10\">{server} {}</text>",
                    bar - 1.0,
                    color(server),
                    left + length + 4.0,
                    y + bar - 3.0,
                    figure(*value)
                );
                y += bar;
            }
            y += gap;
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"{y}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"800\" height=\"{y}\" fill=\"white\"/>\n<text x=\"10\" y=\"20\" font-size=\"15\">{} ({})</text>\n{body}</svg>\n",
            self.title, self.unit
        )
    }
}

fn color(server: &str) -> &'static str {
    match server {
        "PGLiteDB" => "#2a7ab8",
        "PostgreSQL" => "#999999",
        _ => "#dddddd",
    }
}

/// Three digits that matter.
pub fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// What is divided, when there is something to divide by.
pub fn ratio(ours: f64, theirs: f64) -> String {
    if theirs > 0.0 { format!("{:.2}", ours / theirs) } else { "-".into() }
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_value_and_three_digits() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
        assert_eq!(figure(1234.5), "1234");
        assert_eq!((figure(12.34), figure(0.456)), ("12.3".to_string(), "0.46".to_string()));
    }

    #[test]
    fn a_bar_is_as_long_as_its_value() {
        let page = Page {
            name: "x",
            title: "t",
            method: String::new(),
            header: vec!["a", "b"],
            rows: vec![vec!["1".into(), "2".into()]],
            unit: "us",
            bars: vec![Group { label: "g".into(), values: vec![("PGLiteDB", 1.0), ("PostgreSQL", 2.0)] }],
        };
        let chart = page.chart();
        assert!(chart.contains("width=\"210.0\"") && chart.contains("width=\"420.0\""));
        assert_eq!(page.table(), "| a | b |\n| --- | ---: |\n| 1 | 2 |\n");
    }
}
