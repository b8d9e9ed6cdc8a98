//! Quarantine, the mark of a load, new lineages.

use collab_core::ids::{Epoch, Seq};
use collab_core::room::{self, Part};
use collab_server::storage::{Claim, Create, Quarantined, RoomState, StoreError, Whereabouts};

use crate::stores::*;

fn record_at(seq: u64, withhold: bool) -> room::Damage {
    room::Damage {
        part: Part::Records {
            first: Seq(seq),
            last: Seq(seq),
        },
        reason: format!("a test found {seq} bad"),
        withhold,
        quarantined: false,
    }
}

async fn five(subject: &Subject) -> Claim {
    let claim = new_room(&*subject.store, "r").await;
    fill(&*subject.store, &claim, 1..=5).await;
    claim
}

async fn quarantine(subject: &Subject, claim: &Claim, parts: &[room::Damage]) {
    let (key, epoch) = (claim.key, claim.epoch);
    let stored = subject.store.quarantine(key, epoch, parts, NOON).await;
    assert_eq!(stored, Ok(()));
}

async fn copies(subject: &Subject, claim: &Claim) -> Vec<Quarantined> {
    subject.store.quarantined(claim.key, 0).await.unwrap()
}

async fn state(subject: &Subject) -> RoomState {
    let info = subject.store.describe(&room("r")).await.unwrap();
    info.expect("it is there").state
}

pub async fn copies_and_marks(subject: &Subject) {
    let claim = five(subject).await;
    let store = &*subject.store;
    store.put_snapshot(snapshot(&claim, 4)).await.unwrap();
    let range = Part::Records {
        first: Seq(7),
        last: Seq(9),
    };
    let mut parts = vec![record_at(3, false)];
    for part in [Part::Snapshot(Seq(4)), range, Part::Head] {
        parts.push(room::Damage {
            part,
            ..record_at(0, false)
        });
    }
    assert_eq!(state(subject).await, RoomState::Active);
    for _ in 0..2 {
        quarantine(subject, &claim, &parts).await;
        assert_eq!(state(subject).await, RoomState::Degraded);
        let copies = copies(subject, &claim).await;
        let found: Vec<Part> = copies.iter().map(|copy| copy.part).collect();
        let wanted: Vec<Part> = parts.iter().map(|damage| damage.part).collect();
        assert_eq!(found, wanted, "once each");
        assert_eq!(copies[0].body, Some(body(3)), "what stood there");
        assert!(copies[1].body.is_some());
        assert_eq!((&copies[2].body, &copies[3].body), (&None, &None));
        assert_eq!(copies[0].reason, parts[0].reason);
        let behind = store.quarantined(claim.key, copies[2].id).await.unwrap();
        assert_eq!(behind.len(), 1, "the page behind it");
    }
    let loaded = store.load(claim.key).await.unwrap();
    assert_eq!(loaded.state, RoomState::Degraded);
    assert_eq!(loaded.damage, [], "nothing is withheld, and all reads well");
    fill(store, &claim, 6..=6).await;
    store.mend(claim.key, claim.epoch).await.unwrap();
    assert_eq!(state(subject).await, RoomState::Active);
    assert_eq!(copies(subject, &claim).await.len(), 4, "copies stay");
}

pub async fn withheld_parts_are_passed_over(subject: &Subject) {
    let claim = five(subject).await;
    let store = &*subject.store;
    for at in [2, 4] {
        store.put_snapshot(snapshot(&claim, at)).await.unwrap();
    }
    let newest = room::Damage {
        part: Part::Snapshot(Seq(4)),
        ..record_at(4, true)
    };
    // First seen without harm, then known to do some.
    quarantine(subject, &claim, &[record_at(3, false)]).await;
    quarantine(subject, &claim, &[record_at(3, true), newest.clone()]).await;
    let loaded = store.load(claim.key).await.unwrap();
    assert_eq!(loaded.snapshot.map(|snapshot| snapshot.seq), Some(Seq(2)));
    assert_eq!(loaded.records, bodies(4..=5));
    let named: Vec<_> = loaded
        .damage
        .iter()
        .map(|damage| (damage.part, damage.withhold, damage.quarantined))
        .collect();
    let third = record_at(3, true).part;
    assert_eq!(named, [(newest.part, true, true), (third, true, true)]);
    assert!(loaded.damage[1].reason.contains("found 3 bad"));
}

/// A bad copy says nothing about another body at its place: what a memory error spoiled on the way
/// reads well the next time.
pub async fn a_copy_with_another_body_counts_anew(subject: &Subject) {
    let claim = five(subject).await;
    quarantine(subject, &claim, &[record_at(3, true)]).await;
    subject.damage(claim.key, Damage::RecordBit(Seq(3))).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    let [damage] = &loaded.damage[..] else {
        panic!("{:?}", loaded.damage)
    };
    assert!(damage.reason.contains("checksum"), "{damage:?}");
    assert!(!damage.quarantined);
    quarantine(subject, &claim, &loaded.damage).await;
    let bodies = copies(subject, &claim).await;
    assert_eq!(bodies.len(), 2);
    assert_ne!(bodies[0].body, bodies[1].body);
}

pub async fn a_low_head_is_raised(subject: &Subject) {
    let claim = five(subject).await;
    subject.damage(claim.key, Damage::Head(Seq(2))).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!((loaded.head, &loaded.records), (Seq(5), &bodies(1..=5)));
    quarantine(subject, &claim, &loaded.damage).await;
    fill(&*subject.store, &claim, 6..=7).await;
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!(loaded.records, bodies(1..=7));
    assert_eq!(loaded.damage, []);
}

pub async fn only_the_owner(subject: &Subject) {
    let claim = five(subject).await;
    let store = &*subject.store;
    let next = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
    let (key, old) = (claim.key, claim.epoch);
    let parts = [record_at(3, true)];
    let fenced = Err(StoreError::Fenced);
    assert_eq!(store.quarantine(key, old, &parts, NOON).await, fenced);
    assert_eq!(store.mend(key, old).await, fenced);
    assert_eq!(store.load_ended(key, old).await, fenced);
    assert_eq!(copies(subject, &next).await, []);
    assert_eq!(state(subject).await, RoomState::Active);
}

pub async fn loads_begun_and_ended(subject: &Subject) {
    let store = &*subject.store;
    let mut claim = new_room(store, "r").await;
    assert_eq!(claim.load_attempts, 1);
    for attempt in 2..=4 {
        claim = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
        assert_eq!(claim.load_attempts, attempt);
    }
    store.load_ended(claim.key, claim.epoch).await.unwrap();
    let claim = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
    assert_eq!(claim.load_attempts, 1);
}

pub async fn renewed(subject: &Subject) {
    let claim = five(subject).await;
    let store = &*subject.store;
    let jumped = store.renew(&room("r"), None, Epoch(1_000)).await.unwrap();
    assert_eq!((jumped.epoch, jumped.lineage), (Epoch(1_001), lineage(1)));
    let fenced = store.append(&[record(&claim, 6)]).await.unwrap();
    assert_eq!(fenced, [collab_server::storage::Appended::Fenced]);
    let other = store.renew(&room("r"), Some(lineage(9)), Epoch(5)).await;
    let other = other.unwrap();
    assert_eq!((other.epoch, other.lineage), (Epoch(1_002), lineage(9)));
    assert_eq!(other.head, Seq(5), "its content stays");
    let claim = store.claim(&room("r"), Create::Never, NOON).await.unwrap();
    assert_eq!((claim.epoch, claim.lineage), (Epoch(1_003), lineage(9)));
    let nobody = store.renew(&room("nobody"), None, Epoch(1)).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
}

pub async fn whereabouts(subject: &Subject) {
    let store = &*subject.store;
    let name = room("r");
    assert_eq!(store.whereabouts(&name).await, Ok(Whereabouts::Unknown));
    five(subject).await;
    let info = store.describe(&name).await.unwrap().expect("made");
    assert_eq!(store.whereabouts(&name).await, Ok(Whereabouts::Here(info)));
    store.delete(&name, NOON).await.unwrap();
    assert_eq!(store.whereabouts(&name).await, Ok(Whereabouts::Deleted));
}

pub async fn deleted_with_its_room(subject: &Subject) {
    let claim = five(subject).await;
    quarantine(subject, &claim, &[record_at(3, true)]).await;
    subject.store.delete(&room("r"), NOON).await.unwrap();
    let claim = five(subject).await;
    assert_eq!(copies(subject, &claim).await, []);
    assert_eq!(state(subject).await, RoomState::Active);
    assert_eq!(claim.load_attempts, 1);
    assert_eq!(
        subject.store.load(claim.key).await.unwrap().records,
        bodies(1..=5)
    );
}
