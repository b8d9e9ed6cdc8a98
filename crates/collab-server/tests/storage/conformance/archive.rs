//! Log rows that become a chunk of the archive.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use collab_core::time::Millis;
use collab_server::storage::history::{Base, Chunk, Forgotten};
use collab_server::storage::{Claim, Folded, RoomKey, StoreError};

use crate::stores::*;

/// A room with three records per snapshot.
async fn with_snapshots(subject: &Subject, name: &str, count: u64) -> Claim {
    let claim = new_room(&*subject.store, name).await;
    for number in 1..=count {
        more(subject, &claim, number).await;
    }
    claim
}

async fn more(subject: &Subject, claim: &Claim, number: u64) {
    let last = number * 3;
    fill(&*subject.store, claim, last - 2..=last).await;
    let put = subject.store.put_snapshot(snapshot(claim, last)).await;
    assert_eq!(put, Ok(()));
}

fn chunk(first: u64, last: u64) -> Chunk {
    Chunk {
        first: Seq(first),
        last: Seq(last),
        first_at: Millis(first * 100),
        last_at: Millis(last * 100),
        turns: last - first + 1,
        body: Bytes::from(vec![u8::try_from(last).expect("small"); 50]),
    }
}

fn base(seq: u64) -> Base {
    Base {
        seq: Seq(seq),
        at: Millis(seq * 100),
        state: Bytes::from(vec![3; 1000]),
    }
}

fn is_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Unavailable(_))),
        "{result:?}"
    );
}

pub async fn rows_become_a_chunk(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 2).await;
    let foldable = store
        .history()
        .foldable(claim.key, claim.epoch)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(foldable.previous, Seq(3));
    assert_eq!(foldable.state, snapshot(&claim, 3).state);
    let folded = store
        .history()
        .fold_into(claim.key, claim.epoch, chunk(1, 3), None)
        .await;
    assert_eq!(
        folded,
        Ok(Folded {
            records_deleted: 3,
            snapshots_deleted: 0
        })
    );
    assert_eq!(
        store.history().chunk(claim.key, Seq(1)).await,
        Ok(chunk(1, 3))
    );
    assert_eq!(
        store.history().records(claim.key, Seq(0)).await,
        Ok(numbered(4..=6))
    );
    assert_eq!(
        store.history().records(claim.key, Seq(4)).await,
        Ok(numbered(5..=6))
    );
    let loaded = store.load(claim.key).await.unwrap();
    assert_eq!(loaded.head, Seq(6), "what a load needs is untouched");
    // The next fold makes the chunk longer, or begins another.
    more(subject, &claim, 3).await;
    let folded = store
        .history()
        .fold_into(claim.key, claim.epoch, chunk(1, 6), None)
        .await;
    assert_eq!(
        folded,
        Ok(Folded {
            records_deleted: 3,
            snapshots_deleted: 1
        })
    );
    more(subject, &claim, 4).await;
    let folded = store
        .history()
        .fold_into(claim.key, claim.epoch, chunk(7, 9), None)
        .await;
    assert_eq!(
        folded,
        Ok(Folded {
            records_deleted: 3,
            snapshots_deleted: 1
        })
    );
    let archived = store.history().archived(claim.key).await.unwrap();
    assert_eq!(archived.chunks, [chunk(1, 6).info(), chunk(7, 9).info()]);
    assert_eq!(archived.base, None);
    assert_eq!(
        store.history().chunk(claim.key, Seq(2)).await,
        Err(StoreError::NotFound)
    );
}

fn numbered(range: std::ops::RangeInclusive<u64>) -> Vec<(Seq, Bytes)> {
    bodies(range)
}

pub async fn only_what_the_chunk_was_made_of(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 3).await;
    let into = async |chunk| {
        store
            .history()
            .fold_into(claim.key, claim.epoch, chunk, None)
            .await
    };
    is_unavailable(into(chunk(1, 7)).await);
    is_unavailable(into(chunk(2, 6)).await);
    assert_eq!(
        store
            .history()
            .fold_into(claim.key, Epoch(claim.epoch.0 + 1), chunk(1, 6), None)
            .await,
        Err(StoreError::Fenced)
    );
    // In two steps, as when there is much of it: snapshots go with the last one.
    assert_eq!(
        into(chunk(1, 2)).await,
        Ok(Folded {
            records_deleted: 2,
            snapshots_deleted: 0
        })
    );
    is_unavailable(into(chunk(1, 2)).await);
    is_unavailable(into(chunk(2, 6)).await);
    is_unavailable(into(chunk(4, 6)).await);
    assert_eq!(
        into(chunk(3, 6)).await,
        Ok(Folded {
            records_deleted: 4,
            snapshots_deleted: 1
        })
    );
    let archived = store.history().archived(claim.key).await.unwrap();
    assert_eq!(archived.chunks, [chunk(1, 2).info(), chunk(3, 6).info()]);
}

pub async fn nothing_rests_on_a_damaged_snapshot(subject: &Subject) {
    let store = &subject.store;
    for damaged in [3, 6] {
        let claim = with_snapshots(subject, &format!("r{damaged}"), 2).await;
        subject
            .damage(claim.key, Damage::SnapshotBit(Seq(damaged)))
            .await;
        let folded = store
            .history()
            .fold_into(claim.key, claim.epoch, chunk(1, 3), None)
            .await;
        assert!(
            matches!(folded, Err(StoreError::Corrupt { .. })),
            "{folded:?}"
        );
        let foldable = store.history().foldable(claim.key, claim.epoch).await;
        assert!(
            matches!(foldable, Err(StoreError::Corrupt { .. })),
            "{foldable:?}"
        );
        assert_eq!(
            store.history().records(claim.key, Seq(0)).await,
            Ok(numbered(1..=6))
        );
        assert_eq!(
            store.history().archived(claim.key).await.unwrap().chunks,
            []
        );
    }
}

pub async fn forgotten_up_to_a_base(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 4).await;
    for (first, last) in [(1, 3), (4, 6), (7, 9)] {
        let folded = store
            .history()
            .fold_into(claim.key, claim.epoch, chunk(first, last), None)
            .await;
        assert!(folded.is_ok(), "{folded:?}");
    }
    is_unavailable(store.history().forget(claim.key, base(5)).await);
    assert_eq!(store.history().base(claim.key).await, Ok(None));
    let gone = Forgotten {
        chunks: 2,
        turns: 6,
        bytes: 100,
    };
    assert_eq!(store.history().forget(claim.key, base(6)).await, Ok(gone));
    assert_eq!(store.history().base(claim.key).await, Ok(Some(base(6))));
    let archived = store.history().archived(claim.key).await.unwrap();
    assert_eq!(archived.base, Some((Seq(6), Millis(600))));
    assert_eq!(archived.chunks, [chunk(7, 9).info()]);
    is_unavailable(store.history().forget(claim.key, base(6)).await);
}

pub async fn overdue_rooms(subject: &Subject) {
    let history = subject.store.history();
    let small = with_snapshots(subject, "small", 2).await;
    let large = with_snapshots(subject, "large", 3).await;
    with_snapshots(subject, "not archived", 2).await;
    for (claim, first, last) in [(&small, 1, 3), (&large, 1, 3), (&large, 4, 6)] {
        let into = history.fold_into(claim.key, claim.epoch, chunk(first, last), None);
        assert!(into.await.is_ok());
    }
    let none = RoomKey(0);
    let overdue = async |before: Option<u64>, above, after, limit| {
        let before = before.map(Millis);
        history.overdue(before, above, after, limit).await.unwrap()
    };
    assert_eq!(overdue(None, None, none, 9).await, []);
    assert_eq!(overdue(Some(300), None, none, 9).await, [], "not older");
    let both = [small.key, large.key];
    assert_eq!(overdue(Some(301), None, none, 9).await, both);
    assert_eq!(overdue(Some(301), None, none, 1).await, both[..1]);
    assert_eq!(overdue(Some(301), None, small.key, 9).await, both[1..]);
    assert_eq!(overdue(None, Some(100), none, 9).await, [], "not larger");
    assert_eq!(overdue(None, Some(99), none, 9).await, both[1..]);
    assert_eq!(overdue(Some(301), Some(99), none, 9).await, both);
}

pub async fn a_first_chunk_brings_its_base(subject: &Subject) {
    let store = &subject.store;
    let claim = with_snapshots(subject, "r", 2).await;
    // Rows that went before there was an archive.
    assert!(store.fold(claim.key, claim.epoch).await.is_ok());
    more(subject, &claim, 3).await;
    let folded = store
        .history()
        .fold_into(claim.key, claim.epoch, chunk(4, 6), Some(base(3)))
        .await;
    assert_eq!(
        folded,
        Ok(Folded {
            records_deleted: 3,
            snapshots_deleted: 1
        })
    );
    assert_eq!(store.history().base(claim.key).await, Ok(Some(base(3))));
}
