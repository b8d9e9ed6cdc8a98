//! The checker is checked: each bug that is put into the room on purpose is found, within a bounded
//! number of schedules, and by the invariant that it breaks.

use collab_core::room::Sabotage;
use collab_sim::campaign;
use collab_sim::checker::Invariant;

/// Schedules within which a seeded bug must be found.
const SCHEDULES: u64 = 500;

/// Plays until `by` is broken. Schedules in which the bug shows as `also` do not count.
#[track_caller]
fn caught(sabotage: Sabotage, by: Invariant, also: &[Invariant]) {
    let mut first = 1;
    while first <= SCHEDULES {
        let report = campaign::run(first, SCHEDULES + 1 - first, 1, Some(sabotage));
        let Some(failure) = report.failure else {
            break;
        };
        let found = failure.violation.invariant;
        println!(
            "{sabotage:?} breaks {found:?} in schedule {}: {}",
            failure.seed, failure.violation.detail
        );
        if found == by {
            return;
        }
        assert!(also.contains(&found), "not {by:?}:\n{failure}");
        first = failure.seed + 1;
    }
    panic!("{sabotage:?} did not break {by:?} in {SCHEDULES} schedules");
}

#[test]
fn saved_before_the_commit() {
    caught(
        Sabotage::AckBeforeCommit,
        Invariant::AcknowledgedIsStored,
        &[],
    );
}

#[test]
fn a_gap_called_saved_and_dropped() {
    caught(Sabotage::DropPending, Invariant::AcknowledgedIsStored, &[]);
}

#[test]
fn an_overflow_forgotten() {
    // A client that never gets the answer it asked for shows before it is sent anything else; one
    // that misses only deletions shows when two texts differ.
    caught(
        Sabotage::ForgetOverflow,
        Invariant::SentWhole,
        &[Invariant::ComesToRest, Invariant::Convergence],
    );
}

#[test]
fn a_failed_load_opened_empty() {
    caught(Sabotage::EmptyOnError, Invariant::NeverEmptyOnError, &[]);
}

#[test]
fn deletions_acknowledged_by_state_vector() {
    caught(
        Sabotage::AckByStateVector,
        Invariant::AcknowledgedIsStored,
        &[],
    );
}

#[test]
fn everything_called_saved_when_one_append_returns() {
    caught(
        Sabotage::ClearDirtyAfterAwait,
        Invariant::AcknowledgedIsStored,
        &[],
    );
}
