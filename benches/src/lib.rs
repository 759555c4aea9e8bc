//! What benchmarks and examples share: a group-commit log for the peer that has none, and contending threads.
#![allow(clippy::disallowed_methods)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// A group-commit log with a leader, for the peer that has none.
pub struct Log {
    file: File,
    state: Mutex<LogState>,
    done: Condvar,
}

#[derive(Default)]
struct LogState {
    buf: Vec<u8>,
    queued: u64,
    durable: u64,
    at: u64,
    leading: bool,
}

impl Log {
    pub fn new(file: File) -> Log {
        let zeros = vec![0; 1 << 20];
        for i in 0..64 {
            file.write_all_at(&zeros, i << 20).unwrap();
        }
        file.sync_data().unwrap();
        Log { file, state: Mutex::default(), done: Condvar::new() }
    }
    pub fn commit(&self, record: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.buf.extend_from_slice(record);
        state.queued += 1;
        let mine = state.queued;
        while state.durable < mine {
            if state.leading {
                state = self.done.wait(state).unwrap();
                continue;
            }
            state.leading = true;
            let (buf, upto) = (std::mem::take(&mut state.buf), state.queued);
            let at = state.at;
            state.at = (at + buf.len() as u64) % (48 << 20);
            drop(state);
            self.file.write_all_at(&buf, at).unwrap();
            self.file.sync_data().unwrap();
            state = self.state.lock().unwrap();
            state.durable = upto;
            state.leading = false;
            self.done.notify_all();
        }
    }
}

/// Time of `total` commits by `threads` threads.
pub fn contend(threads: u64, total: u64, commit: impl Fn(u64) + Sync) -> Duration {
    let next = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= total {
                        break;
                    }
                    commit(n);
                }
            });
        }
    });
    start.elapsed()
}

/// User and system time of this process in microseconds.
pub fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) * 10_000.0
}
