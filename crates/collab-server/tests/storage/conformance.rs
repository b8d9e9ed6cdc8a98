//! What every store must do, test by test, and each test once per store.

mod append;
mod archive;
mod claim;
mod damage;
mod fold;
mod load;
mod rooms;
mod versions;

macro_rules! suite {
    ($($module:ident: $($name:ident),+;)+) => {
        suite!(@store memory Memory $($($module $name)+)+);
        suite!(@store sqlite Sqlite $($($module $name)+)+);
        suite!(@store postgres Postgres $($($module $name)+)+);
    };
    (@store $store:ident $kind:ident $($module:ident $name:ident)+) => {
        mod $store {
            use crate::stores::{Kind, run};
            $(
                #[tokio::test]
                async fn $name() {
                    run(Kind::$kind, super::$module::$name).await;
                }
            )+
        }
    };
}

suite! {
    claim: create_never_if_missing_new, epochs_grow, claims_race, creations_race;
    append: contiguity, old_epoch_is_fenced, appended_again_is_committed,
        other_bytes_at_a_taken_place_are_fenced, many_rooms_one_fenced, a_run_of_one_room,
        size_limit, no_such_room, every_byte_comes_back, two_owners_never_mix,
        committed_before_the_claim_stays_committed;
    load: empty_only_when_nothing_was_written, flipped_record, missing_record, swapped_records,
        record_of_another_epoch, head_too_low_or_too_high, newest_snapshot_first,
        damaged_snapshots_fall_back, missing_snapshot_falls_back,
        no_fallback_when_the_log_was_folded, no_such_room_is_not_empty, survives_a_restart;
    fold: one_snapshot_removes_nothing, removes_below_the_previous, refuses_a_damaged_previous,
        refuses_a_damaged_newest, refuses_a_log_with_a_hole, old_epoch_cannot_snapshot_or_fold,
        snapshot_beyond_head_or_backwards, snapshot_again_at_the_same_place, snapshot_too_large,
        snapshot_of_nothing, appends_go_on_during_folds;
    damage: copies_and_marks, withheld_parts_are_passed_over, a_copy_with_another_body_counts_anew,
        a_low_head_is_raised, only_the_owner, loads_begun_and_ended, renewed, whereabouts,
        deleted_with_its_room;
    rooms: names, described, list_pages, delete_and_make_again, deleted_owner_is_fenced,
        answers_until_closed;
    versions: pages_newest_first, a_page_has_a_limit, only_of_this_life_and_inside_the_log,
        named_renamed_and_forgotten, automatic_ones_once_and_by_the_owner, automatic_ones_race,
        a_kept_state_comes_back, authors_are_remembered;
    archive: rows_become_a_chunk, only_what_the_chunk_was_made_of,
        nothing_rests_on_a_damaged_snapshot, forgotten_up_to_a_base, overdue_rooms, a_first_chunk_brings_its_base;
}
