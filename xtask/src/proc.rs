//! What Linux tells about a running process: CPU time, memory, whether it runs or waits.

use std::collections::BTreeMap;
use std::fs;

/// Clock ticks a second in `/proc`; a constant of the Linux ABI.
const TICKS: f64 = 100.0;

/// The fields of `/proc/PID/stat` after the command name, which may itself hold spaces and parentheses.
fn stat(path: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_string).collect())
}

fn field(stat: &[String], number: usize) -> f64 {
    // Field numbers are those of proc(5); the first one here is field 3.
    stat.get(number - 3).and_then(|f| f.parse().ok()).unwrap_or(0.0)
}

/// User and system seconds of a process and of its children that ended and were waited for.
pub fn cpu(pid: u32) -> f64 {
    stat(&format!("/proc/{pid}/stat")).map_or(0.0, |s| (14..=17).map(|n| field(&s, n)).sum::<f64>() / TICKS)
}

/// User and system seconds of a process and everything below it, ended children included.
pub fn tree_cpu(pid: u32) -> f64 {
    descendants(pid).into_iter().map(cpu).sum()
}

/// The process and all its living descendants.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        if let Some(s) = stat(&format!("/proc/{child}/stat")) {
            children.entry(field(&s, 4) as u32).or_default().push(child);
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        found.extend(children.get(&found[next]).cloned().unwrap_or_default());
        next += 1;
    }
    found
}

/// Resident memory in kB. Shared pages of a process tree are counted once: proportional shares are added up.
pub fn memory(pid: u32) -> u64 {
    let share = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
        line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
    };
    descendants(pid).into_iter().map(share).sum()
}

/// Resident memory of one process in kB as `ps` shows it.
pub fn rss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}

/// Whether any thread of the process wants the processor or waits for the disk.
pub fn is_busy(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.into_iter().any(|t| {
        let state = stat(&format!("{}/stat", t.path().display()));
        state.and_then(|s| s.first().cloned()).is_some_and(|s| s == "R" || s == "D")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinning_process_spends_time_and_is_busy() {
        let own = std::process::id();
        let before = cpu(own);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while cpu(own) < before + 0.05 {
            assert!(std::time::Instant::now() < end, "no CPU time counted");
        }
        assert!(is_busy(own), "the thread that asks is running");
        assert!(memory(own) > 100 && rss(own) > 100);
        assert!(descendants(own).contains(&own));
    }
}
