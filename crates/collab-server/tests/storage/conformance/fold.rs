//! Snapshots, and what they allow to be removed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use collab_core::ids::Seq;
use collab_server::storage::{
    Appended, Claim, Create, Folded, MAX_DOCUMENT_BYTES, Snapshot, StoreError,
};

use crate::stores::*;

const NOTHING: Folded = Folded {
    records_deleted: 0,
    snapshots_deleted: 0,
};

/// A room with three records per snapshot.
async fn with_snapshots(subject: &Subject, name: &str, count: u64) -> Claim {
    let claim = new_room(&*subject.store, name).await;
    for number in 1..=count {
        let last = number * 3;
        fill(&*subject.store, &claim, last - 2..=last).await;
        subject
            .store
            .put_snapshot(snapshot(&claim, last))
            .await
            .unwrap();
    }
    claim
}

pub async fn one_snapshot_removes_nothing(subject: &Subject) {
    let claim = with_snapshots(subject, "none", 0).await;
    assert_eq!(
        subject.store.fold(claim.key, claim.epoch).await,
        Ok(NOTHING)
    );
    let claim = with_snapshots(subject, "one", 1).await;
    assert_eq!(
        subject.store.fold(claim.key, claim.epoch).await,
        Ok(NOTHING)
    );
    // Damaged, it costs nothing: the whole log is still there.
    subject.damage(claim.key, Damage::SnapshotBit(Seq(3))).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!(loaded.records, bodies(1..=3));
}

pub async fn removes_below_the_previous(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 2).await;
    let folded = store.fold(claim.key, claim.epoch).await;
    let expected = Folded {
        records_deleted: 3,
        snapshots_deleted: 0,
    };
    assert_eq!(folded, Ok(expected));
    assert_eq!(
        store.fold(claim.key, claim.epoch).await,
        Ok(NOTHING),
        "again"
    );
    fill(&**store, &claim, 7..=9).await;
    store.put_snapshot(snapshot(&claim, 9)).await.unwrap();
    fill(&**store, &claim, 10..=10).await;
    let folded = store.fold(claim.key, claim.epoch).await;
    let expected = Folded {
        records_deleted: 3,
        snapshots_deleted: 1,
    };
    assert_eq!(folded, Ok(expected));
    // What is left: snapshots 6 and 9, records 7 to 10.
    subject.damage(claim.key, Damage::SnapshotBit(Seq(9))).await;
    let loaded = store.load(claim.key).await.unwrap();
    assert_eq!(loaded.snapshot.map(|snapshot| snapshot.seq), Some(Seq(6)));
    assert_eq!(loaded.records, bodies(7..=10));
}

/// After a refused fold: nothing went, and the room loads from the whole log.
async fn refused(subject: &Subject, claim: &Claim, damage: Damage, at: Seq) {
    subject.damage(claim.key, damage).await;
    let folded = subject.store.fold(claim.key, claim.epoch).await;
    match folded {
        Err(StoreError::Corrupt { seq, .. }) => assert_eq!(seq, at),
        other => panic!("{other:?}"),
    }
    let info = subject.store.describe(&room("r")).await.unwrap().unwrap();
    assert_eq!(info.head, Seq(6));
}

pub async fn refuses_a_damaged_previous(subject: &Subject) {
    let claim = with_snapshots(subject, "r", 2).await;
    refused(subject, &claim, Damage::SnapshotBit(Seq(3)), Seq(3)).await;
    // Every record is still there: without the newest too, the whole log stands for the document.
    subject.damage(claim.key, Damage::SnapshotBit(Seq(6))).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!(loaded.records, bodies(1..=6));
    // Two new snapshots later the damaged ones are not relied on any more, and go.
    let store = &subject.store;
    for seq in [7, 8] {
        fill(&**store, &claim, seq..=seq).await;
        store.put_snapshot(snapshot(&claim, seq)).await.unwrap();
    }
    let expected = Folded {
        records_deleted: 7,
        snapshots_deleted: 2,
    };
    assert_eq!(store.fold(claim.key, claim.epoch).await, Ok(expected));
}

pub async fn refuses_a_damaged_newest(subject: &Subject) {
    let claim = with_snapshots(subject, "r", 2).await;
    refused(subject, &claim, Damage::SnapshotBit(Seq(6)), Seq(6)).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!(loaded.snapshot.map(|snapshot| snapshot.seq), Some(Seq(3)));
    assert_eq!(loaded.records, bodies(4..=6));
}

pub async fn refuses_a_log_with_a_hole(subject: &Subject) {
    let claim = with_snapshots(subject, "r", 2).await;
    refused(subject, &claim, Damage::RecordMissing(Seq(5)), Seq(3)).await;
}

pub async fn old_epoch_cannot_snapshot_or_fold(subject: &Subject) {
    let store = &subject.store;
    let old = with_snapshots(subject, "r", 2).await;
    let new = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
    assert_eq!(
        store.put_snapshot(snapshot(&old, 6)).await,
        Err(StoreError::Fenced)
    );
    assert_eq!(
        store.fold(old.key, old.epoch).await,
        Err(StoreError::Fenced)
    );
    let loaded = store.load(new.key).await.unwrap();
    assert_eq!(
        loaded.damaged_snapshots(),
        [],
        "the refused one left nothing behind"
    );
    assert_eq!(loaded.snapshot.unwrap().state, state(6));
    assert!(
        store
            .fold(new.key, new.epoch)
            .await
            .unwrap()
            .records_deleted
            > 0
    );
}

pub async fn snapshot_beyond_head_or_backwards(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 2).await;
    for seq in [7, 5, 3, 1 << 40, u64::MAX] {
        let put = store.put_snapshot(snapshot(&claim, seq)).await;
        assert_eq!(put, Err(StoreError::Fenced), "at {seq}");
    }
    let info = store.describe(&room("r")).await.unwrap().unwrap();
    assert_eq!(info.snapshot, Seq(6));
    assert_eq!(store.load(claim.key).await.unwrap().damaged_snapshots(), []);
}

pub async fn snapshot_again_at_the_same_place(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 1).await;
    subject.damage(claim.key, Damage::SnapshotBit(Seq(3))).await;
    let other = Snapshot {
        state: Bytes::from_static(b"the same document, encoded differently"),
        ..snapshot(&claim, 3)
    };
    store.put_snapshot(other.clone()).await.unwrap();
    let loaded = store.load(claim.key).await.unwrap();
    assert_eq!(loaded.snapshot.unwrap().state, other.state);
    assert_eq!(loaded.damage, []);
    assert_eq!(
        store.fold(claim.key, claim.epoch).await,
        Ok(NOTHING),
        "one place is one snapshot, however often written"
    );
}

pub async fn snapshot_too_large(subject: &Subject) {
    let claim = with_snapshots(subject, "r", 1).await;
    let large = Snapshot {
        state: Bytes::from(vec![0; MAX_DOCUMENT_BYTES + 1]),
        ..snapshot(&claim, 3)
    };
    let put = subject.store.put_snapshot(large).await;
    assert!(matches!(put, Err(StoreError::TooLarge { .. })), "{put:?}");
    assert_eq!(
        subject
            .store
            .load(claim.key)
            .await
            .unwrap()
            .snapshot
            .unwrap()
            .state,
        state(3)
    );
}

pub async fn snapshot_of_nothing(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "r").await;
    assert_eq!(store.put_snapshot(snapshot(&claim, 0)).await, Ok(()));
    assert_eq!(store.load(claim.key).await.unwrap().snapshot, None);
    assert_eq!(store.fold(claim.key, claim.epoch).await, Ok(NOTHING));
    fill(&**store, &claim, 1..=1).await;
    store.put_snapshot(snapshot(&claim, 1)).await.unwrap();
    assert_eq!(store.fold(claim.key, claim.epoch).await, Ok(NOTHING));
}

pub async fn appends_go_on_during_folds(subject: &Subject) {
    let claim = new_room(&*subject.store, "r").await;
    fill(&*subject.store, &claim, 1..=1).await;
    let removed = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let folding = tokio::spawn({
        let (store, removed, stop) = (subject.store.clone(), removed.clone(), stop.clone());
        async move {
            while !stop.load(Ordering::Relaxed) {
                let head = store.describe(&room("r")).await.unwrap().unwrap().head;
                store.put_snapshot(snapshot(&claim, head.0)).await.unwrap();
                match store.fold(claim.key, claim.epoch).await {
                    Ok(folded) => {
                        removed.fetch_add(folded.records_deleted, Ordering::Relaxed);
                    }
                    Err(StoreError::Unavailable(_)) => {}
                    Err(error) => panic!("{error}"),
                }
                let loaded = store.load(claim.key).await.unwrap();
                let base = loaded.snapshot.map_or(0, |snapshot| snapshot.seq.0);
                assert_eq!(loaded.records, bodies(base + 1..=loaded.head.0));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut seq = 1;
    while seq < 100 || removed.load(Ordering::Relaxed) == 0 {
        seq += 1;
        assert!(seq < 100_000, "nothing was folded meanwhile");
        let outcome = subject.store.append(&[record(&claim, seq)]).await;
        assert_eq!(outcome, Ok(vec![Appended::Committed]));
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    folding.await.unwrap();
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!(loaded.head, Seq(seq));
}
