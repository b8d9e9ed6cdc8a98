//! Versions, the states kept for them, and authors.

use collab_core::ids::{Lineage, ReplicaId, RoomId, Seq};
use collab_core::room::{Damage as Harm, Part};
use collab_core::time::Millis;
use collab_server::storage::history::{
    Author, MAX_PAGE_VERSIONS, NewVersion, Version, VersionId, VersionKind,
};
use collab_server::storage::{Claim, Create, Store, StoreError};

use crate::stores::*;

fn new(seq: u64, kind: VersionKind, name: Option<&str>) -> NewVersion {
    NewVersion {
        seq: Seq(seq),
        at: Millis(1000 + seq),
        kind,
        name: name.map(str::to_owned),
        authors: r##"[{"name":"Ada","color":"#112233"}]"##.to_owned(),
        insertions: 7,
        deletions: 3,
    }
}

async fn add(store: &dyn Store, claim: &Claim, seq: u64) -> Version {
    let automatic = new(seq, VersionKind::Automatic, None);
    store
        .history()
        .add_version(claim.key, claim.lineage, automatic)
        .await
        .expect("is added")
}

pub async fn pages_newest_first(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    let other = new_room(store, "b").await;
    fill(store, &claim, 1..=5).await;
    let mut added = Vec::new();
    for seq in 0..=5 {
        added.push(add(store, &claim, seq).await);
        add(store, &other, 0).await;
    }
    added.reverse();
    assert_eq!(
        store.history().versions(claim.key, None, 99).await,
        Ok(added.clone())
    );
    let page = store
        .history()
        .versions(claim.key, Some(added[1].id), 2)
        .await;
    assert_eq!(page, Ok(added[2..4].to_vec()));
    assert_eq!(
        store.history().version(claim.key, added[3].id).await,
        Ok(Some(added[3].clone()))
    );
    assert_eq!(
        store.history().version(other.key, added[3].id).await,
        Ok(None),
        "another room's"
    );
    let nearest = store
        .history()
        .version_at(claim.key, Seq(3))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(nearest.seq, Seq(3));
    // Two at one place: the newer one.
    let again = add(store, &claim, 3).await;
    assert_eq!(
        store.history().version_at(claim.key, Seq(3)).await,
        Ok(Some(again))
    );
}

pub async fn a_page_has_a_limit(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    for _ in 0..=MAX_PAGE_VERSIONS {
        add(store, &claim, 0).await;
    }
    let page = store
        .history()
        .versions(claim.key, None, usize::MAX)
        .await
        .unwrap();
    assert_eq!(page.len(), MAX_PAGE_VERSIONS);
}

pub async fn only_of_this_life_and_inside_the_log(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    fill(store, &claim, 1..=2).await;
    let beyond = store
        .history()
        .add_version(
            claim.key,
            claim.lineage,
            new(3, VersionKind::Automatic, None),
        )
        .await;
    assert_eq!(beyond, Err(StoreError::NotFound));
    let another = store
        .history()
        .add_version(
            claim.key,
            Lineage([9; 16]),
            new(1, VersionKind::Automatic, None),
        )
        .await;
    assert_eq!(another, Err(StoreError::NotFound));
    let kept = add(store, &claim, 2).await;
    let room = RoomId::parse("a").unwrap();
    store
        .history()
        .keep_state(claim.key, kept.id, b"state".to_vec().into())
        .await
        .unwrap();
    put_author(store, &claim, 5, "Ada", 1).await;
    assert_eq!(store.delete(&room, Millis(9)).await, Ok(true));
    let create = Create::New {
        lineage: Lineage([7; 16]),
    };
    let next = store.claim(&room, create, Millis(10)).await.unwrap();
    assert_eq!(
        store.history().versions(next.key, None, 9).await,
        Ok(Vec::new())
    );
    assert_eq!(
        store.history().kept_state(next.key, kept.id).await,
        Ok(None)
    );
    assert_eq!(store.history().authors(next.key).await, Ok(Vec::new()));
    let later = add(store, &next, 0).await;
    assert!(later.id > kept.id, "an id is never used again");
}

pub async fn named_renamed_and_forgotten(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    fill(store, &claim, 1..=4).await;
    let automatic = add(store, &claim, 1).await;
    let named = new(2, VersionKind::Named, Some("first draft"));
    let named = store
        .history()
        .add_version(claim.key, claim.lineage, named)
        .await
        .unwrap();
    let name = |id, name: Option<&str>| {
        store
            .history()
            .name_version(claim.key, id, name.map(str::to_owned))
    };
    let renamed = name(named.id, Some("draft é")).await.unwrap().unwrap();
    assert_eq!(
        renamed,
        Version {
            name: Some("draft é".to_owned()),
            ..named.clone()
        }
    );
    let given = name(automatic.id, Some("x")).await.unwrap().unwrap();
    assert_eq!(given.kind, VersionKind::Named);
    let taken = name(automatic.id, None).await.unwrap().unwrap();
    assert_eq!(taken, automatic);
    assert_eq!(name(VersionId(999_999), Some("x")).await, Ok(None));
    // What is older than the archive goes, but for what has a name.
    add(store, &claim, 4).await;
    assert_eq!(
        store.history().forget_versions(claim.key, Seq(4)).await,
        Ok(1)
    );
    let left = store.history().versions(claim.key, None, 9).await.unwrap();
    assert_eq!(left.iter().map(|it| it.seq.0).collect::<Vec<_>>(), [4, 2]);
    assert_eq!(
        store.history().delete_version(claim.key, named.id).await,
        Ok(true)
    );
    assert_eq!(
        store.history().delete_version(claim.key, named.id).await,
        Ok(false)
    );
}

async fn automatic(store: &dyn Store, claim: &Claim, seq: u64) -> Result<Option<Seq>, StoreError> {
    let new = new(seq, VersionKind::Automatic, None);
    let added = store
        .history()
        .add_automatic(claim.key, claim.epoch, new)
        .await?;
    Ok(added.map(|version| version.seq))
}

pub async fn automatic_ones_once_and_by_the_owner(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    fill(store, &claim, 1..=7).await;
    assert_eq!(automatic(store, &claim, 2).await, Ok(Some(Seq(2))));
    let (again, behind) = (
        automatic(store, &claim, 2).await,
        automatic(store, &claim, 1).await,
    );
    assert_eq!((again, behind), (Ok(None), Ok(None)));
    assert_eq!(
        automatic(store, &claim, 8).await,
        Err(StoreError::NotFound),
        "beyond the head"
    );
    // Another one that is there already will do.
    let named = new(3, VersionKind::Named, Some("draft"));
    let named = store
        .history()
        .add_version(claim.key, claim.lineage, named)
        .await;
    assert!(named.is_ok());
    assert_eq!(automatic(store, &claim, 3).await, Ok(None));
    // Not of a room of which something is missing.
    let harm = [Harm {
        part: Part::Records {
            first: Seq(1),
            last: Seq(1),
        },
        reason: "as the test wants".to_owned(),
        withhold: false,
        quarantined: false,
    }];
    let put = store.quarantine(claim.key, claim.epoch, &harm, Millis(1));
    assert_eq!(put.await, Ok(()));
    assert_eq!(automatic(store, &claim, 4).await, Ok(None));
    assert_eq!(store.mend(claim.key, claim.epoch).await, Ok(()));
    assert_eq!(automatic(store, &claim, 4).await, Ok(Some(Seq(4))));
    // Not by a former owner.
    let next = store.claim(&room("a"), Create::Never, Millis(2)).await;
    let next = next.unwrap();
    assert_eq!(automatic(store, &claim, 5).await, Err(StoreError::Fenced));
    assert_eq!(automatic(store, &next, 5).await, Ok(Some(Seq(5))));
    let all = store.history().versions(claim.key, None, 99).await.unwrap();
    let places: Vec<u64> = all.iter().map(|version| version.seq.0).collect();
    assert_eq!(places, [5, 4, 3, 2]);
    assert_eq!(store.delete(&room("a"), Millis(3)).await, Ok(true));
    assert_eq!(automatic(store, &next, 6).await, Err(StoreError::Fenced));
}

pub async fn automatic_ones_race(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    fill(store, &claim, 1..=3).await;
    for seq in 1..=3 {
        let all = (0..8).map(|_| automatic(store, &claim, seq));
        let added = futures_util::future::join_all(all).await;
        let made = added.iter().filter(|it| **it == Ok(Some(Seq(seq))));
        assert_eq!(made.count(), 1, "{added:?}");
    }
}

pub async fn a_kept_state_comes_back(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    let version = add(store, &claim, 0).await;
    assert_eq!(
        store.history().kept_state(claim.key, version.id).await,
        Ok(None)
    );
    for state in [&[1u8; 100_000][..], b"", b"another"] {
        let kept = store
            .history()
            .keep_state(claim.key, version.id, state.to_vec().into())
            .await;
        assert_eq!(kept, Ok(()));
        let back = store.history().kept_state(claim.key, version.id).await;
        assert_eq!(back, Ok(Some(state.to_vec().into())));
    }
    let nobody = store
        .history()
        .keep_state(claim.key, VersionId(999_999), b"x".to_vec().into())
        .await;
    assert_eq!(nobody, Err(StoreError::NotFound));
    assert_eq!(
        store.history().delete_version(claim.key, version.id).await,
        Ok(true)
    );
    assert_eq!(
        store.history().kept_state(claim.key, version.id).await,
        Ok(None)
    );
}

async fn put_author(store: &dyn Store, claim: &Claim, replica: u64, name: &str, at: u64) {
    let author = author(replica, name, at);
    let put = store
        .history()
        .put_authors(claim.key, claim.lineage, vec![author])
        .await;
    assert_eq!(put, Ok(()));
}

fn author(replica: u64, name: &str, at: u64) -> Author {
    Author {
        replica: ReplicaId::new(replica).expect("in range"),
        name: name.to_owned(),
        color: "#aabbcc".to_owned(),
        at: Millis(at),
    }
}

pub async fn authors_are_remembered(subject: &Subject) {
    let store = &*subject.store;
    let claim = new_room(store, "a").await;
    put_author(store, &claim, 1 << 52, "Bob", 5).await;
    put_author(store, &claim, 3, "Ada", 5).await;
    put_author(store, &claim, 3, "Ada L.", 6).await;
    let known = store.history().authors(claim.key).await.unwrap();
    assert_eq!(known, [author(3, "Ada L.", 6), author(1 << 52, "Bob", 5)]);
}
