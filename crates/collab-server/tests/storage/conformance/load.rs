//! Reading a room: what is there, or a refusal; never "empty" for something damaged.

use collab_core::ids::Seq;
use collab_core::room::Part;
use collab_server::storage::{RoomKey, RoomState, StoreError, Stored};

use crate::stores::*;

/// A room with records 1 to 5, damaged, and what a load says. What is not named is there.
async fn damaged(subject: &Subject, damage: Damage) -> Vec<(Part, String)> {
    let claim = new_room(&*subject.store, &format!("{damage:?}")).await;
    fill(&*subject.store, &claim, 1..=5).await;
    assert!(subject.store.load(claim.key).await.is_ok());
    subject.damage(claim.key, damage).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    let lost = |seq: &Seq| {
        loaded.damage.iter().any(|damage| {
            matches!(damage.part, Part::Records { first, last } if (first..=last).contains(seq))
        })
    };
    let mut rest = bodies(1..=5);
    rest.retain(|(seq, _)| !lost(seq));
    assert_eq!(loaded.records, rest, "{damage:?}");
    assert_eq!(loaded.state, RoomState::Active, "a load changes nothing");
    loaded
        .damage
        .into_iter()
        .map(|damage| (damage.part, damage.reason))
        .collect()
}

fn at(seq: u64) -> Part {
    Part::Records {
        first: Seq(seq),
        last: Seq(seq),
    }
}

pub async fn empty_only_when_nothing_was_written(subject: &Subject) {
    let claim = new_room(&*subject.store, "r").await;
    let empty = Stored {
        snapshot: None,
        records: Vec::new(),
        head: Seq(0),
        damage: Vec::new(),
        state: RoomState::Active,
    };
    assert_eq!(subject.store.load(claim.key).await, Ok(empty));
    fill(&*subject.store, &claim, 1..=1).await;
    subject
        .damage(claim.key, Damage::RecordMissing(Seq(1)))
        .await;
    let loaded = subject.store.load(claim.key).await;
    assert!(
        matches!(loaded, Err(StoreError::Corrupt { .. })),
        "{loaded:?}"
    );
}

pub async fn flipped_record(subject: &Subject) {
    for seq in [1, 3, 5] {
        let found = damaged(subject, Damage::RecordBit(Seq(seq))).await;
        let [(part, why)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(*part, at(seq));
        assert!(why.contains("checksum"), "{why}");
    }
}

pub async fn missing_record(subject: &Subject) {
    for seq in [1, 3, 5] {
        let found = damaged(subject, Damage::RecordMissing(Seq(seq))).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, at(seq));
    }
}

pub async fn swapped_records(subject: &Subject) {
    let found = damaged(subject, Damage::RecordsSwapped(Seq(2), Seq(4))).await;
    let parts: Vec<Part> = found.into_iter().map(|(part, _)| part).collect();
    assert_eq!(parts, [at(2), at(4)], "right bytes in a wrong place");
}

pub async fn record_of_another_epoch(subject: &Subject) {
    let found = damaged(subject, Damage::RecordEpoch(Seq(4))).await;
    assert_eq!(found[0].0, at(4));
}

pub async fn head_too_low_or_too_high(subject: &Subject) {
    let missing = |last| Part::Records {
        first: Seq(6),
        last: Seq(last),
    };
    let cases = [
        (0, Part::Head),
        (4, Part::Head),
        (6, missing(6)),
        (1 << 40, missing(1 << 40)),
    ];
    for (head, part) in cases {
        let found = damaged(subject, Damage::Head(Seq(head))).await;
        assert_eq!(found.len(), 1, "head {head}: {found:?}");
        assert_eq!(found[0].0, part, "head {head}");
    }
}

/// Records 1 to 9 with snapshots at 3 and 6, nothing folded.
async fn two_snapshots(subject: &Subject, name: &str) -> RoomKey {
    let claim = new_room(&*subject.store, name).await;
    for (seqs, at) in [(1..=3, 3), (4..=6, 6)] {
        fill(&*subject.store, &claim, seqs).await;
        subject
            .store
            .put_snapshot(snapshot(&claim, at))
            .await
            .unwrap();
    }
    fill(&*subject.store, &claim, 7..=9).await;
    claim.key
}

/// Where the loaded snapshot stands (0: none), after checking that everything fits together.
async fn base(subject: &Subject, key: RoomKey) -> (u64, Vec<Seq>) {
    let loaded = subject.store.load(key).await.unwrap();
    let base = loaded
        .snapshot
        .as_ref()
        .map_or(0, |snapshot| snapshot.seq.0);
    if let Some(snapshot) = &loaded.snapshot {
        assert_eq!(snapshot.state, state(base));
        assert_eq!(snapshot.content_sha256, content_hash(base));
    }
    assert_eq!(loaded.records, bodies(base + 1..=9));
    assert_eq!(loaded.head, Seq(9));
    (base, loaded.damaged_snapshots())
}

pub async fn newest_snapshot_first(subject: &Subject) {
    let key = two_snapshots(subject, "r").await;
    assert_eq!(base(subject, key).await, (6, vec![]));
}

pub async fn damaged_snapshots_fall_back(subject: &Subject) {
    let key = two_snapshots(subject, "r").await;
    subject.damage(key, Damage::SnapshotBit(Seq(6))).await;
    assert_eq!(
        base(subject, key).await,
        (3, vec![Seq(6)]),
        "the previous one"
    );
    subject.damage(key, Damage::SnapshotBit(Seq(3))).await;
    assert_eq!(
        base(subject, key).await,
        (0, vec![Seq(6), Seq(3)]),
        "the whole log"
    );
}

pub async fn missing_snapshot_falls_back(subject: &Subject) {
    let key = two_snapshots(subject, "r").await;
    subject.damage(key, Damage::SnapshotMissing(Seq(6))).await;
    assert_eq!(base(subject, key).await, (3, vec![Seq(6)]));
}

pub async fn no_fallback_when_the_log_was_folded(subject: &Subject) {
    let key = two_snapshots(subject, "r").await;
    let epoch = subject
        .store
        .describe(&room("r"))
        .await
        .unwrap()
        .unwrap()
        .epoch;
    subject.store.fold(key, epoch).await.unwrap();
    subject.damage(key, Damage::SnapshotBit(Seq(6))).await;
    assert_eq!(
        base(subject, key).await,
        (3, vec![Seq(6)]),
        "that is what it was kept for"
    );
    subject.damage(key, Damage::SnapshotBit(Seq(3))).await;
    let loaded = subject.store.load(key).await;
    assert!(
        matches!(loaded, Err(StoreError::Corrupt { seq: Seq(1), .. })),
        "{loaded:?}"
    );
}

pub async fn no_such_room_is_not_empty(subject: &Subject) {
    let claim = new_room(&*subject.store, "r").await;
    let stray = RoomKey(claim.key.0 + 1);
    assert_eq!(subject.store.load(stray).await, Err(StoreError::NotFound));
    subject.store.delete(&room("r"), NOON).await.unwrap();
    assert_eq!(
        subject.store.load(claim.key).await,
        Err(StoreError::NotFound)
    );
}

pub async fn survives_a_restart(subject: &Subject) {
    let key = two_snapshots(subject, "r").await;
    let before = subject.store.load(key).await.unwrap();
    if !matches!(subject.hands, Hands::Memory(_)) {
        subject.store.close().await;
    }
    let again = subject.reopened().await;
    assert_eq!(again.load(key).await, Ok(before));
    again.close().await;
}
