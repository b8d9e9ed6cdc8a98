//! Stored rooms of which something is missing: served, added to, never folded, and healed.

use super::*;
use crate::record::Record;

fn record(update: &[u8]) -> Bytes {
    let mut record = Record::default();
    record.push(NOW, update);
    record.encode()
}

/// `letters` typed one after the other, a record each, and their author.
fn history(letters: &str) -> (Document, Vec<(Seq, Bytes)>) {
    let mut person = author(1);
    let records = (0u32..).zip(letters.chars()).map(|(at, letter)| {
        let Message::Update(update) = typed(&mut person, at, &letter.to_string()) else {
            unreachable!("typing is an update")
        };
        (Seq(u64::from(at) + 1), record(&update))
    });
    let records = records.collect();
    (person, records)
}

fn unreadable(seq: u64) -> Damage {
    Damage {
        part: Part::Records {
            first: Seq(seq),
            last: Seq(seq),
        },
        reason: "the record does not match its checksum".to_owned(),
        withhold: false,
        quarantined: false,
    }
}

fn loaded(records: Vec<(Seq, Bytes)>, head: u64, damage: Vec<Damage>) -> Loaded {
    Loaded {
        lineage: Lineage([7; 16]),
        epoch: Epoch(1),
        head: Seq(head),
        snapshot_seq: Seq(0),
        snapshot: None,
        records,
        damage,
        degraded: false,
        version: None,
    }
}

fn wakes(settings: Settings, loaded: Loaded) -> House {
    let mut house = House {
        room: Room::new(settings, ReplicaId::ours(9)),
        effects: Vec::new(),
    };
    house.room.start(NOW, &mut house.effects);
    house.take();
    house.give(Input::Loaded(loaded));
    house
}

/// Five letters of which the record at `bad` is unreadable.
fn damaged_at(bad: u64, settings: Settings) -> (House, Document) {
    let (person, mut records) = history("abcde");
    records.retain(|(seq, _)| seq.0 != bad);
    let house = wakes(settings, loaded(records, 5, vec![unreadable(bad)]));
    (house, person)
}

fn text(house: &mut House) -> String {
    house
        .room
        .document()
        .expect("awake")
        .text(&FileId::main())
        .to_string()
}

fn everything(person: &mut Document) -> Message {
    Message::SyncStep2(person.encode().expect("sound"))
}

fn compacts(effects: &[Effect]) -> Vec<Seq> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Compact { seq, .. } => Some(*seq),
            _ => None,
        })
        .collect()
}

#[test]
fn the_rest_is_served_and_heals_when_somebody_brings_what_is_missing() {
    let fold_often = Settings {
        compact_records: 1,
        ..Settings::default()
    };
    let (mut house, mut person) = damaged_at(3, fold_often);
    let effects = house.take();
    assert!(effects.contains(&Effect::Count(Counted::Damaged)));
    let quarantine = Effect::Quarantine {
        epoch: Epoch(1),
        parts: vec![unreadable(3)],
    };
    assert!(effects.contains(&quarantine), "{effects:?}");
    assert_eq!(text(&mut house), "ab");

    house.join(A, Dialect::CollabV1);
    let said = House::sent(&house.take(), A);
    let incomplete = Message::Control(Control::Status(Status::Incomplete));
    assert!(said.contains(&incomplete), "{said:?}");

    // A stranger's edit is taken and saved, and nothing is folded.
    let mut stranger = author(2);
    house.frame(A, &typed(&mut stranger, 0, "!"));
    assert_eq!(appends(&house.take()), [Seq(6)]);
    house.give(Input::Appended { seq: Seq(6) });
    let effects = house.take();
    assert_eq!(saved(&House::sent(&effects, A)), [1]);
    assert_eq!(compacts(&effects), []);
    assert!(house.room.is_damaged());

    // Who has it comes, and with it what waited.
    house.join(B, Dialect::YWebsocket);
    house.take();
    house.frame(B, &everything(&mut person));
    assert!(text(&mut house).contains("abcde"));
    assert_eq!(appends(&house.take()), [Seq(7)]);
    assert!(house.room.is_damaged(), "not before a snapshot holds it");
    house.give(Input::Appended { seq: Seq(7) });
    assert_eq!(compacts(&house.take()), [Seq(7)]);
    house.give(Input::Compacted { seq: Seq(7) });
    let effects = house.take();
    let mend = Effect::Mend {
        epoch: Epoch(1),
        seq: Seq(7),
    };
    assert!(effects.contains(&mend), "{effects:?}");
    let normal = Message::Control(Control::Status(Status::Normal));
    assert!(House::sent(&effects, A).contains(&normal));
    assert!(!house.room.is_damaged());
}

#[test]
fn a_loss_that_leaves_no_gap_is_told_until_somebody_answers_with_something_new() {
    let (mut house, mut person) = damaged_at(5, Settings::default());
    house.take();
    assert_eq!(text(&mut house), "abcd");
    house.join(A, Dialect::CollabV1);
    house.take();
    // A newcomer has nothing, and what it types is no answer.
    let mut newcomer = author(2);
    let nothing = newcomer.encode().expect("sound");
    house.frame(A, &Message::SyncStep2(nothing));
    house.frame(A, &typed(&mut newcomer, 0, "!"));
    house.give(Input::Appended { seq: Seq(6) });
    assert!(compacts(&house.take()).is_empty());
    assert_eq!(house.room.status(), Status::Incomplete);

    house.frame(A, &everything(&mut person));
    house.give(Input::Appended { seq: Seq(7) });
    assert_eq!(compacts(&house.take()), [Seq(7)]);
}

#[test]
fn a_record_that_is_garbage_is_named_by_the_room_itself() {
    let (_, mut records) = history("abcde");
    records[1].1 = Bytes::from_static(b"\x07garbage");
    records[4].1 = record(b"\xff\xff\xff");
    let mut house = wakes(Settings::default(), loaded(records, 5, Vec::new()));
    let parts = house.take().into_iter().find_map(|effect| match effect {
        Effect::Quarantine { parts, .. } => Some(parts),
        _ => None,
    });
    let parts: Vec<Part> = parts.into_iter().flatten().map(|it| it.part).collect();
    let at = |seq| Part::Records {
        first: Seq(seq),
        last: Seq(seq),
    };
    assert_eq!(parts, [at(2), at(5)]);
    assert_eq!(text(&mut house), "a");
}

#[test]
fn a_room_of_which_nothing_can_be_read_does_not_open_empty() {
    let (_, mut records) = history("ab");
    for (_, bytes) in &mut records {
        *bytes = record(b"\xff\xff\xff");
    }
    let lost = vec![Damage {
        part: Part::Records {
            first: Seq(1),
            last: Seq(2),
        },
        ..unreadable(1)
    }];
    for (records, damage) in [(records, Vec::new()), (Vec::new(), lost)] {
        let mut house = wakes(Settings::default(), loaded(records, 2, damage));
        assert_eq!(house.take().last(), Some(&Effect::Retire));
        assert!(house.room.document().is_none());
    }
}

#[test]
fn a_snapshot_that_does_not_decode_is_put_aside_and_the_one_before_it_used() {
    let (_, records) = history("abc");
    let bad = Loaded {
        snapshot_seq: Seq(3),
        snapshot: Some(Bytes::from_static(b"\xff\xff\xff")),
        ..loaded(Vec::new(), 3, Vec::new())
    };
    let mut house = wakes(Settings::default(), bad.clone());
    let put_aside = house.take().into_iter().any(|effect| {
        matches!(effect, Effect::Quarantine { parts, .. }
            if matches!(&parts[..], [Damage { part: Part::Snapshot(Seq(3)), withhold: true, .. }]))
    });
    assert!(put_aside);
    house.give(Input::Quarantined { stored: true });
    assert!(matches!(house.take()[..], [Effect::Load { .. }]));
    house.give(Input::Loaded(loaded(records, 3, Vec::new())));
    assert_eq!(text(&mut house), "abc");
    assert!(!house.room.is_damaged(), "nothing is missing");

    // Storage that gives it again, or cannot put it aside, does not make an empty room.
    let again: [Input; 2] = [
        Input::Quarantined { stored: false },
        Input::Loaded(bad.clone()),
    ];
    for input in again {
        let mut house = wakes(Settings::default(), bad.clone());
        if matches!(input, Input::Loaded(_)) {
            house.give(Input::Quarantined { stored: true });
        }
        house.give(input);
        assert_eq!(house.take().last(), Some(&Effect::Retire));
    }
}

#[test]
fn a_mark_left_behind_is_taken_away_when_nothing_is_missing() {
    let (_, records) = history("abc");
    let marked = Loaded {
        degraded: true,
        ..loaded(records, 3, Vec::new())
    };
    let mut house = wakes(Settings::default(), marked);
    assert!(house.take().contains(&Effect::Mend {
        epoch: Epoch(1),
        seq: Seq(3),
    }));
    assert_eq!(house.room.status(), Status::Normal);
}

#[cfg(feature = "sabotage")]
#[test]
fn a_document_that_cannot_be_read_is_woken_carefully_once() {
    let (_, records) = history("abc");
    let mut house = wakes(Settings::default(), loaded(records.clone(), 3, Vec::new()));
    house.take();
    house.join(A, Dialect::CollabV1);
    for last in [false, true] {
        house.room.document().expect("awake").poison();
        house.frame(A, &Message::SyncStep1(Bytes::from_static(&[0])));
        let effects = house.take();
        assert_eq!(effects.last() == Some(&Effect::Retire), last);
        if !last {
            house.give(Input::Loaded(loaded(records.clone(), 3, Vec::new())));
            house.take();
        }
    }
}
