//! The checker is checked: each bug that is put into the room on purpose is found, within a bounded
//! number of schedules, and by the invariant that it breaks.

use collab_core::room::Sabotage;
use collab_sim::bug::Bug;
use collab_sim::campaign;
use collab_sim::checker::Invariant;

/// Schedules within which a seeded bug must be found.
const SCHEDULES: u64 = 500;

/// Plays until `by` is broken. Schedules in which the bug shows as `also` do not count.
#[track_caller]
fn caught(bug: impl Into<Bug>, by: Invariant, also: &[Invariant]) {
    let bug = bug.into();
    let mut first = 1;
    while first <= SCHEDULES {
        let report = campaign::run(first, SCHEDULES + 1 - first, 1, Some(bug));
        let Some(failure) = report.failure else {
            break;
        };
        let found = failure.violation.invariant;
        println!(
            "{bug:?} breaks {found:?} in schedule {}: {}",
            failure.seed, failure.violation.detail
        );
        if found == by {
            return;
        }
        assert!(also.contains(&found), "not {by:?}:\n{failure}");
        first = failure.seed + 1;
    }
    panic!("{bug:?} did not break {by:?} in {SCHEDULES} schedules");
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

#[test]
fn one_frame_too_many_called_saved() {
    // The next frame may have come already; then it is called saved before it is.
    caught(
        Sabotage::AckOneMore,
        Invariant::CountersMonotone,
        &[Invariant::AcknowledgedIsStored],
    );
}

#[test]
fn a_snapshot_that_misses_the_record_on_its_way() {
    caught(
        Sabotage::SnapshotOneFurther,
        Invariant::SnapshotEqualsLog,
        &[],
    );
}

#[test]
fn a_version_of_what_has_not_committed() {
    caught(
        Sabotage::VersionTooEarly,
        Invariant::VersionOfCommitted,
        &[],
    );
}

#[test]
fn somebody_sent_away_is_answered() {
    caught(Sabotage::KeepRefused, Invariant::NothingWithoutRight, &[]);
}

#[test]
fn a_log_folded_up_to_the_newest_snapshot() {
    caught(Bug::FoldToNewest, Invariant::DeletedBelowSnapshot, &[]);
}

#[test]
fn a_log_folded_before_its_snapshot_is_stored() {
    caught(
        Bug::FoldBeforeSnapshot,
        Invariant::DeletedBelowSnapshot,
        &[],
    );
}

#[test]
fn a_former_owner_who_can_still_write() {
    // Places alone fence him once the new one has written. What he writes before, while the new one
    // loads, is not in what that one opens with.
    caught(Bug::NoEpochCheck, Invariant::NeverEmptyOnError, &[]);
}

#[test]
fn a_claim_with_an_epoch_that_was_there_before() {
    caught(Bug::EpochWraps, Invariant::EpochsGrow, &[]);
}
