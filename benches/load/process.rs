//! What a server's process has used so far, from `/proc`. Must not know what it is.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Clock ticks per second in `/proc/*/stat`: 100 on every Linux we know (`getconf CLK_TCK`).
const TICKS_PER_SECOND: u64 = 100;

/// A server's process; or none, and then nothing is known.
#[derive(Debug, Clone, Copy)]
pub struct Process(pub Option<u32>);

/// CPU used and memory held, at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Resident memory, in KiB.
    pub rss_kib: u64,
}

impl Process {
    pub fn usage(self) -> Result<Option<Usage>> {
        let Some(pid) = self.0 else {
            return Ok(None);
        };
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).with_context(|| format!("while reading {path}"))
        };
        let stat = read("stat")?;
        // The program's name, in parentheses, may hold blanks.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks = |index: usize| {
            fields
                .get(index)
                .and_then(|field| field.parse::<u64>().ok())
        };
        let (user, system) = ticks(11).zip(ticks(12)).context("no CPU times")?;
        let status = read("status")?;
        let rss_kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kib| kib.parse().ok())
            .context("no resident memory")?;
        Ok(Some(Usage {
            cpu: Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND),
            rss_kib,
        }))
    }
}

/// CPU used between two moments; `None` when one is unknown.
pub fn cpu_between(before: Option<Usage>, after: Option<Usage>) -> Option<Duration> {
    Some(after?.cpu.saturating_sub(before?.cpu))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_use_is_read() {
        let usage = Process(Some(std::process::id())).usage().expect("Linux");
        assert!(usage.expect("a process").rss_kib > 100);
    }
}
