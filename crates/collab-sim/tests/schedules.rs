//! Two thousand days in which everything goes wrong, and nothing that was saved is lost.

use collab_sim::campaign;
use collab_sim::transcript::Mode;

/// Schedules in every test run; `SCHEDULES=…` plays more or fewer.
const SCHEDULES: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")),
    )
}

#[test]
fn two_thousand_schedules_hold() {
    let schedules = number("SCHEDULES").unwrap_or(SCHEDULES);
    let first = number("FIRST").unwrap_or(1);
    let report = campaign::run(first, schedules, 2, None);
    if let Some(failure) = report.failure {
        panic!("\n{failure}");
    }
    println!("{} schedules\n{}", report.played, report.counts);
    assert_eq!(report.played, schedules);
    let zeros: Vec<&str> = report.counts.zeros().iter().map(|it| it.text()).collect();
    // A handful of schedules shows a handful of things.
    assert!(
        schedules < SCHEDULES || zeros.is_empty(),
        "these never happened: {zeros:#?}"
    );
}

/// `SEED=7 cargo test -p collab-sim --test schedules one_schedule -- --nocapture` tells the whole
/// story of one schedule.
#[test]
fn one_schedule() {
    let seed = number("SEED");
    let mode = if seed.is_some() {
        Mode::Aloud
    } else {
        Mode::Whole
    };
    let outcome = campaign::play(seed.unwrap_or(1), None, mode);
    if let Err(violation) = outcome.verdict {
        panic!(
            "{:?} does not hold: {}",
            violation.invariant, violation.detail
        );
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1..=20 {
        let [first, second] = [(); 2].map(|()| campaign::play(seed, None, Mode::Whole));
        assert!(!first.transcript.is_empty());
        for (a, b) in first.transcript.iter().zip(&second.transcript) {
            assert_eq!(a, b, "seed {seed}");
        }
        assert_eq!(first.transcript.len(), second.transcript.len());
        assert_eq!(first.counts, second.counts);
    }
}
