//! Writing to the log.

use bytes::Bytes;
use collab_core::ids::{Epoch, Seq};
use collab_server::storage::{
    Append, Appended, Create, MAX_RECORD_BYTES, RoomKey, Store, StoreError,
};

use crate::stores::*;

use Appended::{Committed, Fenced, TooLarge};

pub async fn contiguity(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "r").await;
    let append = async |seq| store.append(&[record(&claim, seq)]).await.unwrap()[0];
    assert_eq!(append(0).await, Fenced);
    assert_eq!(append(2).await, Fenced, "1 comes first");
    assert_eq!(append(1).await, Committed);
    assert_eq!(append(3).await, Fenced);
    assert_eq!(append(u64::MAX).await, Fenced);
    assert_eq!(append(2).await, Committed);
    assert_eq!(store.load(claim.key).await.unwrap().records, bodies(1..=2));
}

pub async fn old_epoch_is_fenced(subject: &Subject) {
    let store = &subject.store;
    let old = new_room(&**store, "r").await;
    fill(&**store, &old, 1..=2).await;
    let new = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
    assert_eq!(store.append(&[record(&old, 3)]).await, Ok(vec![Fenced]));
    let mut future = record(&new, 3);
    future.epoch = Epoch(new.epoch.0 + 1);
    assert_eq!(
        store.append(&[future]).await,
        Ok(vec![Fenced]),
        "an epoch nobody was given"
    );
    fill(&**store, &new, 3..=3).await;
    assert_eq!(store.append(&[record(&old, 4)]).await, Ok(vec![Fenced]));
    assert_eq!(store.load(new.key).await.unwrap().records, bodies(1..=3));
}

pub async fn appended_again_is_committed(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "r").await;
    fill(&**store, &claim, 1..=1).await;
    for _ in 0..3 {
        let again = store.append(&[record(&claim, 1)]).await;
        assert_eq!(
            again,
            Ok(vec![Committed]),
            "the answer was lost, the record was not"
        );
    }
    assert_eq!(store.load(claim.key).await.unwrap().records, bodies(1..=1));
    // The other resolution: it was not committed, so the same offer commits it now.
    fill(&**store, &claim, 2..=2).await;
    assert_eq!(
        store.append(&[record(&claim, 1)]).await,
        Ok(vec![Committed])
    );
    assert_eq!(store.load(claim.key).await.unwrap().records, bodies(1..=2));
}

pub async fn committed_before_the_claim_stays_committed(subject: &Subject) {
    let store = &subject.store;
    let old = new_room(&**store, "r").await;
    fill(&**store, &old, 1..=1).await;
    let new = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
    let asked = store.append(&[record(&old, 1)]).await;
    assert_eq!(
        asked,
        Ok(vec![Committed]),
        "it is durable, whoever owns the room now"
    );
    assert_eq!(
        store.append(&[record(&new, 1)]).await,
        Ok(vec![Fenced]),
        "the same bytes under another epoch are another record"
    );
}

pub async fn other_bytes_at_a_taken_place_are_fenced(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "r").await;
    fill(&**store, &claim, 1..=2).await;
    for seq in 1..=2 {
        let mut other = record(&claim, seq);
        other.record = Bytes::from_static(b"something else");
        assert_eq!(store.append(&[other]).await, Ok(vec![Fenced]));
    }
    assert_eq!(store.load(claim.key).await.unwrap().records, bodies(1..=2));
}

pub async fn many_rooms_one_fenced(subject: &Subject) {
    let store = &subject.store;
    let mut claims = Vec::new();
    for number in 0..200 {
        claims.push(new_room(&**store, &format!("room {number}")).await);
    }
    let new = store
        .claim(&room("room 77"), Create::Never, NOON)
        .await
        .unwrap();
    let batch: Vec<Append> = claims.iter().rev().map(|claim| record(claim, 1)).collect();
    let outcomes = store.append(&batch).await.unwrap();
    for (append, outcome) in batch.iter().zip(outcomes) {
        let expected = if append.key == new.key {
            Fenced
        } else {
            Committed
        };
        assert_eq!(outcome, expected, "{}", append.key);
    }
    for claim in &claims {
        let records = store.load(claim.key).await.unwrap().records;
        let expected = if claim.key == new.key {
            Vec::new()
        } else {
            bodies(1..=1)
        };
        assert_eq!(records, expected);
    }
    assert_eq!(store.append(&[]).await, Ok(vec![]));
}

pub async fn a_run_of_one_room(subject: &Subject) {
    let store = &subject.store;
    let one = new_room(&**store, "one").await;
    let other = new_room(&**store, "other").await;
    let batch = [
        record(&one, 1),
        record(&other, 1),
        record(&one, 2),
        record(&one, 3),
        record(&other, 3),
    ];
    let outcomes = store.append(&batch).await.unwrap();
    let expected = vec![Committed, Fenced, Committed, Committed, Fenced];
    assert_eq!(outcomes, expected, "a run with a gap falls as a whole");
    assert_eq!(store.load(one.key).await.unwrap().records, bodies(1..=3));
    assert_eq!(store.load(other.key).await.unwrap().records, []);
    // Backwards, twice, and by two owners at once.
    let new = store
        .claim(&room("one"), Create::Never, NOON)
        .await
        .unwrap();
    let backwards = [record(&new, 5), record(&new, 4)];
    assert_eq!(store.append(&backwards).await, Ok(vec![Fenced; 2]));
    let twice = [record(&new, 4), record(&new, 4)];
    assert_eq!(store.append(&twice).await, Ok(vec![Fenced; 2]));
    let both = [record(&one, 4), record(&new, 4)];
    assert_eq!(store.append(&both).await, Ok(vec![Fenced, Committed]));
    assert_eq!(
        store.append(&batch[2..4]).await,
        Ok(vec![Committed; 2]),
        "again"
    );
    assert_eq!(store.load(one.key).await.unwrap().records, bodies(1..=4));
}

pub async fn size_limit(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "large").await;
    let other = new_room(&**store, "other").await;
    let sized = |seq, bytes| Append {
        record: Bytes::from(vec![b'x'; bytes]),
        ..record(&claim, seq)
    };
    let at = sized(1, MAX_RECORD_BYTES);
    let above = sized(2, MAX_RECORD_BYTES + 1);
    assert_eq!(
        store.append(std::slice::from_ref(&at)).await,
        Ok(vec![Committed])
    );
    let batch = [above, record(&other, 1)];
    assert_eq!(
        store.append(&batch).await,
        Ok(vec![TooLarge, Committed]),
        "one room's flood is no other room's failure"
    );
    let loaded = store.load(claim.key).await.unwrap();
    assert_eq!(loaded.head, Seq(1));
    assert!(loaded.records[0].1 == at.record);
    fill(&**store, &claim, 2..=2).await;
}

pub async fn no_such_room(subject: &Subject) {
    let claim = new_room(&*subject.store, "r").await;
    let mut stray = record(&claim, 1);
    for key in [0, -1, i64::MAX, claim.key.0 + 1] {
        stray.key = RoomKey(key);
        let outcome = subject.store.append(std::slice::from_ref(&stray)).await;
        assert_eq!(outcome, Ok(vec![Fenced]));
    }
}

pub async fn every_byte_comes_back(subject: &Subject) {
    let store = &subject.store;
    let claim = new_room(&**store, "r").await;
    let bodies = [
        Bytes::new(),
        Bytes::from_static(&[0]),
        (0..=255).collect::<Vec<u8>>().into(),
        Bytes::from(vec![0; 100_000]),
    ];
    for (seq, body) in (1..).zip(&bodies) {
        let append = Append {
            record: body.clone(),
            ..record(&claim, seq)
        };
        assert_eq!(store.append(&[append]).await, Ok(vec![Committed]));
    }
    let records = store.load(claim.key).await.unwrap().records;
    assert!(records.iter().map(|(_, body)| body).eq(&bodies));
}

/// Two servers that both believe to own the room, over and over: what was answered "committed" is
/// exactly what is there.
pub async fn two_owners_never_mix(subject: &Subject) {
    new_room(&*subject.store, "r").await;
    let second = subject.second().await;
    let mut tasks = tokio::task::JoinSet::new();
    for (owner, store) in [subject.store.clone(), second].into_iter().enumerate() {
        tasks.spawn(async move {
            let mut committed = Vec::new();
            for round in 0..20 {
                let claim = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
                for seq in claim.head.0 + 1..=claim.head.0 + 5 {
                    let append = Append {
                        record: format!("owner {owner}, round {round}").into(),
                        ..record(&claim, seq)
                    };
                    match offer(&*store, &append).await {
                        Committed => committed.push((append.seq, append.record)),
                        _ => break,
                    }
                }
            }
            committed
        });
    }
    let mut committed = tasks.join_all().await.concat();
    committed.sort();
    let claim = subject
        .store
        .claim(&room("r"), Create::Never, NOON)
        .await
        .unwrap();
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert!(committed.len() >= 20, "both came to write");
    assert_eq!(loaded.records, committed);
}

/// Offers the same record until its fate is known.
async fn offer(store: &dyn Store, append: &Append) -> Appended {
    for _ in 0..100 {
        match store.append(std::slice::from_ref(append)).await {
            Ok(outcomes) => return outcomes[0],
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("unavailable a hundred times");
}
