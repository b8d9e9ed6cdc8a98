//! Reading a room: what is there, or a refusal; never "empty" for something damaged.

use collab_core::ids::Seq;
use collab_server::storage::{RoomKey, StoreError, Stored};

use crate::stores::*;

/// A room with records 1 to 5, damaged, and what a load says.
async fn damaged(subject: &Subject, damage: Damage) -> (Seq, String) {
    let claim = new_room(&*subject.store, &format!("{damage:?}")).await;
    fill(&*subject.store, &claim, 1..=5).await;
    assert!(subject.store.load(claim.key).await.is_ok());
    subject.damage(claim.key, damage).await;
    match subject.store.load(claim.key).await {
        Err(StoreError::Corrupt { room, what, seq }) => {
            assert_eq!(room, claim.key);
            (seq, what)
        }
        other => panic!("{damage:?}: {other:?}"),
    }
}

pub async fn empty_only_when_nothing_was_written(subject: &Subject) {
    let claim = new_room(&*subject.store, "r").await;
    let empty = Stored {
        snapshot: None,
        records: Vec::new(),
        head: Seq(0),
        damaged_snapshots: Vec::new(),
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
    for seq in [1, 3, 5].map(Seq) {
        let (at, what) = damaged(subject, Damage::RecordBit(seq)).await;
        assert_eq!(at, seq);
        assert!(what.contains("checksum"), "{what}");
    }
}

pub async fn missing_record(subject: &Subject) {
    for seq in [1, 3, 5].map(Seq) {
        let (at, _) = damaged(subject, Damage::RecordMissing(seq)).await;
        assert_eq!(at, seq);
    }
}

pub async fn swapped_records(subject: &Subject) {
    let (at, _) = damaged(subject, Damage::RecordsSwapped(Seq(2), Seq(4))).await;
    assert_eq!(at, Seq(2), "right bytes in a wrong place");
}

pub async fn record_of_another_epoch(subject: &Subject) {
    let (at, _) = damaged(subject, Damage::RecordEpoch(Seq(4))).await;
    assert_eq!(at, Seq(4));
}

pub async fn head_too_low_or_too_high(subject: &Subject) {
    for (head, found) in [(0, 1), (4, 5), (6, 6), (1 << 40, 6)] {
        let (at, _) = damaged(subject, Damage::Head(Seq(head))).await;
        assert_eq!(at, Seq(found), "head {head}");
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
    (base, loaded.damaged_snapshots)
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
