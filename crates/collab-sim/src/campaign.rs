//! Many schedules, one after the other on a few threads, and what they have shown. Must not know
//! what is inside one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::bug::Bug;
use crate::checker::{Invariant, Violation};
use crate::counts::Counts;
use crate::transcript::Mode;
use crate::world::{Outcome, World};

/// A schedule in which an invariant did not hold.
#[derive(Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What did not hold.
    pub violation: Violation,
    /// The end of its story.
    pub transcript: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.transcript {
            writeln!(f, "{line}")?;
        }
        writeln!(
            f,
            "seed {}: {:?} does not hold: {}",
            self.seed, self.violation.invariant, self.violation.detail
        )?;
        writeln!(
            f,
            "SEED={} cargo test -p collab-sim --test schedules one_schedule -- --nocapture",
            self.seed
        )
    }
}

/// What a campaign has shown.
#[derive(Debug)]
pub struct Report {
    /// What happened, in all schedules together.
    pub counts: Counts,
    /// Schedules played.
    pub played: u64,
    /// The failing schedule of the smallest seed among those played, with its story.
    pub failure: Option<Failure>,
}

/// Plays the seeds `first..first + schedules` until one fails.
pub fn run(first: u64, schedules: u64, threads: usize, bug: Option<Bug>) -> Report {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let shared: Mutex<(Counts, u64, Option<u64>)> = Mutex::default();
    let work = || {
        let mut counts = Counts::default();
        let mut played = 0;
        let mut failed = None;
        while !stop.load(Ordering::Relaxed) && failed.is_none() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= schedules {
                break;
            }
            let outcome = play(first + number, bug, Mode::Off);
            played += 1;
            counts.merge(&outcome.counts);
            if outcome.verdict.is_err() {
                failed = Some(first + number);
                stop.store(true, Ordering::Relaxed);
            }
        }
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0.merge(&counts);
        shared.1 += played;
        shared.2 = [shared.2, failed].into_iter().flatten().min();
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let (counts, played, failed) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The same seed tells the same story: play it again, this time with somebody listening.
    let failure = failed.map(|seed| {
        let again = play(seed, bug, Mode::Tail);
        let violation = again.verdict.err().unwrap_or(Violation {
            invariant: Invariant::NoPanic,
            detail: "a failing schedule went well when it was played again: something in it does \
                     not come from the seed"
                .to_owned(),
        });
        Failure {
            seed,
            violation,
            transcript: again.transcript,
        }
    });
    Report {
        counts,
        played,
        failure,
    }
}

/// Plays one schedule; a panic in it is a violation like any other.
pub fn play(seed: u64, bug: Option<Bug>, mode: Mode) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| World::play(seed, bug, mode))).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("of unknown kind");
        Outcome {
            counts: Counts::default(),
            verdict: Err(Violation {
                invariant: Invariant::NoPanic,
                detail: format!("a panic: {what}"),
            }),
            transcript: Vec::new(),
        }
    })
}
