//! Says what is being done and how long it took, step by step, with a table at the end.
//!
//! Must not know what any step does.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What a step has to say beside its time: nothing, or one or two words such as "unchanged".
pub type Note = &'static str;

/// How one step ended.
enum Outcome {
    Done(Note),
    Failed,
    NotRun,
}

struct Row {
    name: String,
    outcome: Outcome,
    took: Duration,
}

/// Everything that was done by one command. Writes to stderr, so that stdout stays the server's.
pub struct Report {
    started: Instant,
    rows: Vec<Row>,
}

impl Report {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            rows: Vec::new(),
        }
    }

    /// Runs a step that shows nothing of its own unless it fails: one line, `▸ name … 7.9 s`.
    pub fn quiet(&mut self, name: &str, work: impl FnOnce() -> Result<Note>) -> Result<()> {
        eprint!("▸ {name} … ");
        // A line without its end stays in no buffer of ours, but say so for those who redirect.
        std::io::stderr().flush().ok();
        let began = Instant::now();
        let result = work();
        let took = began.elapsed();
        match &result {
            Ok(note) => eprintln!("{}", worded(note, took)),
            Err(_) => eprintln!("failed after {}", readable(took)),
        }
        self.note_down(name, result, took)
    }

    /// Runs a step whose tool talks for itself: a line before it, its output, a line after it.
    pub fn loud(&mut self, name: &str, work: impl FnOnce() -> Result<Note>) -> Result<()> {
        eprintln!("▸ {name} …");
        let began = Instant::now();
        let result = work();
        let took = began.elapsed();
        match &result {
            Ok(note) => eprintln!("▸ {name} … {}", worded(note, took)),
            Err(_) => eprintln!("▸ {name} … failed after {}", readable(took)),
        }
        self.note_down(name, result, took)
    }

    /// Writes down that a step was asked for and could not run because an earlier one failed.
    pub fn not_run(&mut self, name: &str) {
        self.rows.push(Row {
            name: name.to_owned(),
            outcome: Outcome::NotRun,
            took: Duration::ZERO,
        });
    }

    /// Prints the closing table. A single step has said it all already.
    pub fn finish(&self) {
        if self.rows.len() < 2 {
            return;
        }
        let widest = self
            .rows
            .iter()
            .map(|row| row.name.chars().count())
            .max()
            .unwrap_or(0);
        eprintln!();
        for row in &self.rows {
            let (mark, time) = match row.outcome {
                Outcome::Done(note) => ('✓', worded(note, row.took)),
                Outcome::Failed => ('✗', format!("{}  failed", readable(row.took))),
                Outcome::NotRun => ('·', "not run: something it needs failed".to_owned()),
            };
            let pad = " ".repeat(widest.saturating_sub(row.name.chars().count()));
            eprintln!("{mark} {}{pad}  {time}", row.name);
        }
        eprintln!("  {} in all", readable(self.started.elapsed()));
    }

    fn note_down(&mut self, name: &str, result: Result<Note>, took: Duration) -> Result<()> {
        let (outcome, result) = match result {
            Ok(note) => (Outcome::Done(note), Ok(())),
            Err(error) => (Outcome::Failed, Err(error)),
        };
        self.rows.push(Row {
            name: name.to_owned(),
            outcome,
            took,
        });
        result.with_context(|| format!("failed: {name}"))
    }
}

fn worded(note: Note, took: Duration) -> String {
    if note.is_empty() {
        readable(took)
    } else {
        format!("{}  {note}", readable(took))
    }
}

/// `7.9 s`, `3 min 05 s`.
fn readable(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(readable(Duration::from_millis(7_940)), "7.9 s");
        assert_eq!(readable(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn a_failed_step_is_named() {
        let mut report = Report::new();
        let error = report
            .quiet("paint the door", || anyhow::bail!("no paint"))
            .expect_err("the step failed");
        assert_eq!(format!("{error:#}"), "failed: paint the door: no paint");
    }
}
