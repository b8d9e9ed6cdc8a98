//! Two thousand days in which everything goes wrong, and nothing that was saved is lost.

use std::io::Write;
use std::time::{Duration, Instant};

use collab_sim::campaign;
use collab_sim::counts::{Counts, Happening};
use collab_sim::transcript::Mode;

/// Schedules in every test run; `SCHEDULES=…` plays more or fewer.
const SCHEDULES: u64 = 2_000;

/// Schedules of the long form between two looks at the clock.
const BLOCK: u64 = 200;

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

/// For `cargo xtask torture`: as many as fit into its time.
#[test]
#[ignore = "the long form; `cargo xtask torture` runs it"]
fn schedules_for_long() {
    let seconds = number("COLLAB_TEST_TORTURE_SECONDS").unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut first, mut counts) = (1, Counts::default());
    while first == 1 || Instant::now() < until {
        let report = campaign::run(first, BLOCK, 2, None);
        if let Some(failure) = report.failure {
            panic!("\n{failure}");
        }
        first += report.played;
        counts.merge(&report.counts);
    }
    let played = first - 1;
    println!("{played} schedules\n{counts}");
    let happened = [
        ("days played", played),
        ("crashes of a server", counts.get(Happening::Restarted)),
        ("connections cut", counts.get(Happening::Cut)),
        (
            "appends that failed after they had committed",
            counts.get(Happening::AppendFailedAfter),
        ),
    ];
    let happened: Vec<String> = happened
        .iter()
        .map(|(what, times)| format!("[\"{what}\",{times}]"))
        .collect();
    let line = format!(
        "{{\"campaign\":\"S1\",\"subject\":\"the state machines, in the simulator\",\"happened\":[{}],\
         \"figures\":{{\"checked\":{},\"lost\":0}}}}",
        happened.join(","),
        counts.get(Happening::SaidSaved)
    );
    if let Ok(file) = std::env::var("COLLAB_TEST_TORTURE_REPORT") {
        let appended = std::fs::File::options()
            .append(true)
            .create(true)
            .open(file)
            .and_then(|mut file| writeln!(file, "{line}"));
        appended.expect("the report can be written");
    }
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
