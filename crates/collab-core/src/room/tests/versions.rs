//! When a room makes a version of itself, and when not.

use super::*;
use crate::room::versions::{
    VERSION_APART_MS, VERSION_BUSY_MS, VERSION_PAUSE_MS, VERSION_RETRY_MS,
};

const MINUTE: u64 = 60_000;

fn versions(effects: &[Effect]) -> Vec<(Seq, Millis)> {
    let versions = effects.iter().filter_map(|effect| match effect {
        Effect::Version { seq, at, .. } => Some((*seq, *at)),
        _ => None,
    });
    versions.collect()
}

/// A room, and somebody in it who types.
struct Typist {
    house: House,
    person: Document,
    next: u64,
}

impl Typist {
    fn new() -> Typist {
        let mut house = House::empty();
        house.join(A, Dialect::CollabV1);
        house.take();
        Typist {
            house,
            person: author(1),
            next: 1,
        }
    }

    fn typed(&mut self, now: Millis) -> Vec<(Seq, Millis)> {
        let frame = codec::encode(&typed(&mut self.person, 0, "x"));
        self.house.give_at(
            now,
            Input::Frame {
                connection: A,
                frame,
            },
        );
        versions(&self.house.take())
    }

    fn saved(&mut self, now: Millis) -> Vec<(Seq, Millis)> {
        let seq = Seq(self.next);
        self.next += 1;
        self.house.give_at(now, Input::Appended { seq });
        versions(&self.house.take())
    }

    /// Every deadline up to a time, and what was asked for at each.
    fn until(&mut self, end: Millis) -> Vec<(Seq, Millis)> {
        let mut made = Vec::new();
        while let Some(at) = self.house.room.next_deadline().filter(|at| *at <= end) {
            self.house.give_at(at, Input::Tick);
            made.extend(versions(&self.house.take()));
        }
        made
    }

    fn stored(&mut self, now: Millis, seq: u64, stored: bool) {
        let seq = Seq(seq);
        self.house.give_at(now, Input::Versioned { seq, stored });
    }
}

fn at(ms: u64) -> Millis {
    NOW.plus(ms)
}

#[test]
fn after_a_pause_and_once() {
    let mut room = Typist::new();
    assert_eq!(room.until(at(60 * MINUTE)), [], "nothing was written");
    assert_eq!(room.typed(at(0)), []);
    assert_eq!(room.until(at(60 * MINUTE)), [], "it is not saved");
    room.saved(at(10));
    assert_eq!(room.house.room.next_deadline(), Some(at(VERSION_PAUSE_MS)));
    // The time of a version is that of its last edit.
    assert_eq!(room.until(at(VERSION_PAUSE_MS)), [(Seq(1), at(0))]);
    assert_eq!(room.until(at(MINUTE)), [], "one is on its way");
    room.stored(at(MINUTE), 1, true);
    assert_eq!(room.until(at(99 * MINUTE)), []);
}

#[test]
fn versions_after_pauses_keep_their_distance() {
    let mut room = Typist::new();
    room.typed(at(0));
    room.saved(at(0));
    assert_eq!(room.until(at(VERSION_PAUSE_MS)).len(), 1);
    room.stored(at(VERSION_PAUSE_MS), 1, true);
    room.typed(at(MINUTE));
    room.saved(at(MINUTE));
    assert_eq!(room.until(at(VERSION_APART_MS - 1)), []);
    assert_eq!(room.until(at(VERSION_APART_MS)), [(Seq(2), at(MINUTE))]);
}

#[test]
fn a_busy_room_has_one_now_and_then() {
    let mut room = Typist::new();
    let mut made = Vec::new();
    for second in 0..=25 * 60 {
        let now = at(second * 1000);
        made.extend(room.typed(now));
        made.extend(room.saved(now));
        for (seq, _) in made.iter().skip(made.len().saturating_sub(1)) {
            room.stored(now, seq.0, true);
        }
    }
    let times: Vec<u64> = made.iter().map(|(_, at)| at.since(NOW) / 1000).collect();
    assert_eq!(times.len(), 2, "{times:?}");
    assert!(
        times[0].abs_diff(600) <= 1 && times[1].abs_diff(1200) <= 2,
        "{times:?}"
    );
}

#[test]
fn only_what_has_committed() {
    let mut room = Typist::new();
    room.typed(at(0));
    room.saved(at(0));
    room.typed(at(1));
    // The second edit is on its way for ever.
    assert_eq!(
        room.until(at(VERSION_BUSY_MS)),
        [(Seq(1), at(VERSION_BUSY_MS))]
    );
    room.stored(at(VERSION_BUSY_MS), 1, true);
    assert_eq!(room.until(at(9 * VERSION_BUSY_MS)), []);
    assert_eq!(
        room.saved(at(9 * VERSION_BUSY_MS)),
        [(Seq(2), at(1))],
        "long overdue"
    );
}

#[test]
fn before_it_goes_to_sleep() {
    let mut room = Typist::new();
    room.typed(at(0));
    room.saved(at(0));
    assert_eq!(room.until(at(VERSION_PAUSE_MS)).len(), 1);
    room.stored(at(VERSION_PAUSE_MS), 1, true);
    room.typed(at(40_000));
    room.saved(at(40_000));
    room.house
        .give_at(at(40_001), Input::Leave { connection: A });
    let asleep = at(40_001 + Settings::default().idle_ms);
    assert_eq!(room.until(asleep), [(Seq(2), at(40_000))]);
    assert_eq!(room.house.room.phase(), PhaseName::Retired);
}

#[test]
fn the_version_stands_before_the_end() {
    let mut room = Typist::new();
    room.house.room.settings.version_pause_ms = u64::MAX;
    room.typed(at(0));
    room.saved(at(0));
    room.house.give_at(at(1), Input::Leave { connection: A });
    room.house.take();
    room.house
        .give_at(at(1 + Settings::default().idle_ms), Input::Tick);
    let effects = room.house.take();
    assert!(
        matches!(effects[..], [Effect::Version { .. }, Effect::Retire]),
        "{effects:?}"
    );
}

#[test]
fn a_server_that_stops_makes_none() {
    let mut room = Typist::new();
    room.typed(at(0));
    room.saved(at(0));
    room.house.give_at(at(1), Input::Drain { within_ms: 1_000 });
    assert_eq!(versions(&room.house.take()), []);
    assert_eq!(room.house.room.phase(), PhaseName::Retired);
}

#[test]
fn tried_again_when_storage_did_not_take_it() {
    let mut room = Typist::new();
    room.typed(at(0));
    room.saved(at(0));
    let due = at(VERSION_PAUSE_MS);
    assert_eq!(room.until(due).len(), 1);
    room.stored(due, 1, false);
    assert_eq!(room.until(due.plus(VERSION_RETRY_MS - 1)), []);
    assert_eq!(
        room.until(due.plus(VERSION_RETRY_MS)),
        [(Seq(1), at(0))],
        "the same point"
    );
}

/// A room as it is read after a restart.
fn read(edited: Millis, head: u64, newest: Option<(u64, Millis)>, degraded: bool) -> House {
    let mut house = House {
        room: Room::new(Settings::default(), ReplicaId::ours(9)),
        effects: Vec::new(),
    };
    house.room.start(NOW, &mut house.effects);
    let mut person = author(1);
    let records = (1..=head).map(|seq| {
        let Message::Update(update) = typed(&mut person, 0, "x") else {
            panic!("an update")
        };
        let mut record = crate::record::Record::default();
        record.push(edited, &update);
        (Seq(seq), record.encode())
    });
    let mut records: Vec<_> = records.collect();
    if degraded {
        records.pop();
    }
    house.take();
    house.give(Input::Loaded(Loaded {
        lineage: Lineage([7; 16]),
        epoch: Epoch(1),
        head: Seq(head),
        snapshot_seq: Seq(0),
        snapshot: None,
        records,
        damage: match degraded {
            true => vec![Damage {
                part: Part::Records {
                    first: Seq(head),
                    last: Seq(head),
                },
                reason: "as the test wants".to_owned(),
                withhold: false,
                quarantined: true,
            }],
            false => Vec::new(),
        },
        degraded,
        version: newest.map(|(seq, at)| (Seq(seq), at)),
    }));
    house
}

#[test]
fn what_an_earlier_stay_left_has_its_version_when_the_room_wakes() {
    let long_ago = Millis(10);
    let mut house = read(long_ago, 3, Some((2, Millis(5))), false);
    house.room.settings.version_pause_ms = 500;
    house.room.settings.version_apart_ms = 500;
    house.give(Input::Tick);
    assert_eq!(versions(&house.take()), [(Seq(3), long_ago)]);
}

#[test]
fn a_restart_makes_no_second_version_of_anything() {
    let mut house = read(Millis(10), 3, Some((3, Millis(10))), false);
    for minutes in 0..30 {
        house.give_at(at(minutes * MINUTE), Input::Tick);
    }
    assert_eq!(versions(&house.take()), []);
}

#[test]
fn a_room_of_which_something_is_missing_makes_none() {
    let mut house = read(Millis(10), 3, None, true);
    assert!(house.room.is_damaged());
    for minutes in 0..30 {
        house.give_at(at(minutes * MINUTE), Input::Tick);
    }
    assert_eq!(versions(&house.take()), []);
}
