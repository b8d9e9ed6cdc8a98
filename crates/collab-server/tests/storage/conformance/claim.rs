//! Taking ownership.

use collab_core::ids::{Epoch, Seq};
use collab_server::storage::{Create, StoreError};

use crate::stores::*;

pub async fn create_never_if_missing_new(subject: &Subject) {
    let store = &subject.store;
    let claim = async |create| store.claim(&room("r"), create, NOON).await;
    assert_eq!(claim(Create::Never).await, Err(StoreError::NotFound));
    let missing = Create::IfMissing {
        lineage: lineage(1),
    };
    let made = claim(missing).await.unwrap();
    assert!(made.created);
    assert_eq!(
        (made.lineage, made.head, made.snapshot),
        (lineage(1), Seq(0), Seq(0))
    );
    assert_eq!(made.created_at, NOON);
    let other = Create::IfMissing {
        lineage: lineage(2),
    };
    let again = claim(other).await.unwrap();
    assert!(!again.created);
    assert_eq!(
        (again.key, again.lineage),
        (made.key, lineage(1)),
        "not the new lineage"
    );
    let new = Create::New {
        lineage: lineage(3),
    };
    assert_eq!(claim(new).await, Err(StoreError::AlreadyExists));
    let after = claim(Create::Never).await.unwrap();
    assert_eq!(after.lineage, lineage(1));
    assert_eq!(
        after.epoch,
        Epoch(again.epoch.0 + 1),
        "a refused claim takes nothing"
    );
}

pub async fn epochs_grow(subject: &Subject) {
    let mut last = new_room(&*subject.store, "r").await;
    fill(&*subject.store, &last, 1..=3).await;
    for _ in 0..5 {
        let next = subject.store.claim(&room("r"), Create::Never, NOON).await;
        let next = next.unwrap();
        assert_eq!(next.epoch, Epoch(last.epoch.0 + 1));
        assert_eq!((next.key, next.head), (last.key, Seq(3)));
        last = next;
    }
}

pub async fn claims_race(subject: &Subject) {
    new_room(&*subject.store, "r").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let store = subject.store.clone();
        tasks.spawn(async move { store.claim(&room("r"), Create::Never, NOON).await });
    }
    let claims = tasks.join_all().await;
    let mut epochs: Vec<u64> = claims.into_iter().map(|c| c.unwrap().epoch.0).collect();
    epochs.sort_unstable();
    assert_eq!(
        epochs,
        (2..=11).collect::<Vec<_>>(),
        "no epoch is given twice"
    );
}

pub async fn creations_race(subject: &Subject) {
    let second = subject.second().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..10 {
        let store = if number % 2 == 0 {
            &subject.store
        } else {
            &second
        };
        let store = store.clone();
        tasks.spawn(async move {
            let create = Create::IfMissing {
                lineage: lineage(number),
            };
            store.claim(&room("r"), create, NOON).await
        });
    }
    let claims: Vec<_> = tasks
        .join_all()
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(claims.iter().filter(|claim| claim.created).count(), 1);
    assert!(
        claims
            .iter()
            .all(|claim| claim.lineage == claims[0].lineage)
    );
    assert!(claims.iter().all(|claim| claim.key == claims[0].key));
}
