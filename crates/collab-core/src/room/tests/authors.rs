//! Who wrote, and that storage hears of it once.

use super::*;
use crate::presence::person::MAX_PERSON_NAME;
use crate::protocol::awareness::Entry;

const LATER: Millis = Millis(60_000);

fn says(replica: u32, clock: u64, name: &str) -> Message {
    let state = serde_json::json!({"user": {"name": name, "color": "#112233"}}).to_string();
    let entry = Entry {
        replica: ReplicaId::ours(replica),
        clock,
        state: Some(state),
    };
    Message::Awareness(awareness::encode([entry].iter()))
}

fn told(effects: &[Effect]) -> Vec<(u64, String)> {
    let authors = effects.iter().filter_map(|effect| match effect {
        Effect::Remember { authors } => Some(authors),
        _ => None,
    });
    let authors = authors.flatten();
    authors
        .map(|author| (author.replica.get(), author.name.clone()))
        .collect()
}

impl House {
    fn later(&mut self, now: Millis) -> Vec<(u64, String)> {
        self.give_at(now, Input::Tick);
        let told = told(&self.take());
        if !told.is_empty() {
            self.give_at(now, Input::Remembered { stored: true });
        }
        told
    }
}

fn named(replica: u64, name: &str) -> Vec<(u64, String)> {
    vec![(replica, name.to_owned())]
}

#[test]
fn who_is_named_and_writes_is_told_once() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.frame(A, &says(1, 1, "Ada"));
    assert_eq!(house.later(NOW), [], "who only looks on is no author");
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    assert_eq!(told(&house.take()), named(1, "Ada"));
    house.give(Input::Remembered { stored: true });
    house.frame(A, &typed(&mut person, 0, "y"));
    house.frame(A, &says(1, 2, "Ada"));
    assert_eq!(house.later(LATER), []);
    house.frame(A, &says(1, 3, "Ada L."));
    assert_eq!(told(&house.take()), [], "not more than once a second");
    assert_eq!(
        house.later(house.room.next_deadline().unwrap()),
        named(1, "Ada L.")
    );
}

#[test]
fn a_name_that_comes_after_the_first_edit_counts() {
    for dialect in [Dialect::YWebsocket, Dialect::CollabV1] {
        let mut house = House::empty();
        house.join(A, dialect);
        house.frame(A, &typed(&mut author(1), 0, "x"));
        assert_eq!(house.later(LATER), []);
        house.frame(A, &says(1, 1, "Ada"));
        assert_eq!(house.later(LATER), named(1, "Ada"));
        // Who leaves keeps the name.
        house.give(Input::Leave { connection: A });
        assert_eq!(house.later(LATER.plus(5_000)), []);
    }
}

#[test]
fn who_only_deletes_is_an_author() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.join(B, Dialect::CollabV1);
    let mut ada = author(1);
    let text = typed(&mut ada, 0, "hello");
    house.frame(A, &text);
    house.frame(B, &says(2, 1, "Bob"));
    // What everybody has is nobody's writing: the answer to a question names every deletion.
    let everything = ada.encode().unwrap();
    house.frame(B, &Message::SyncStep2(everything.clone()));
    house.frame(B, &Message::Update(Bytes::from_static(&[0, 0])));
    assert_eq!(house.later(LATER), []);
    let mut bob = author(2);
    bob.apply_from_server(&everything).unwrap();
    house.frame(B, &deleted(&mut bob, 0, 2));
    assert_eq!(house.later(LATER.plus(1)), named(2, "Bob"));
}

#[test]
fn a_name_is_bounded_and_hostile_presence_is_nobody() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    for replica in [1, 2, 3] {
        house.frame(A, &typed(&mut author(replica), 0, "x"));
    }
    house.frame(A, &says(1, 1, &"é".repeat(MAX_PERSON_NAME + 1)));
    house.frame(A, &says(2, 1, "\u{202e}\u{0}"));
    house.frame(A, &says(3, 1, &"x".repeat(5_000)));
    assert_eq!(
        house.later(LATER),
        named(1, &"é".repeat(MAX_PERSON_NAME)),
        "nobody else"
    );
}

#[test]
fn nobody_names_who_is_named() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.join(B, Dialect::CollabV1);
    house.frame(A, &says(1, 1, "Ada"));
    house.frame(A, &typed(&mut author(1), 0, "x"));
    house.take();
    house.give(Input::Remembered { stored: true });
    house.frame(B, &says(1, 9, "Eve"));
    assert_eq!(house.later(LATER), []);
}

#[test]
fn a_connection_has_so_many_authors() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut names = Vec::new();
    for replica in 1..=MAX_WRITERS_PER_CONNECTION + 1 {
        house.frame(A, &says(replica, 1, "Ada"));
        house.frame(A, &typed(&mut author(replica), 0, "x"));
        house.give(Input::Frame {
            connection: A,
            frame: codec::encode(&gone(replica)),
        });
        names.extend(told(&house.take()));
        house.give(Input::Remembered { stored: true });
    }
    names.extend(house.later(LATER));
    assert_eq!(names.len(), MAX_WRITERS_PER_CONNECTION as usize);
    // Another connection has as many of its own.
    house.join(B, Dialect::CollabV1);
    house.frame(B, &says(9_999, 1, "Bob"));
    house.frame(B, &typed(&mut author(9_999), 0, "x"));
    assert_eq!(house.later(LATER.plus(10_000)), named(9_999, "Bob"));
}

fn gone(replica: u32) -> Message {
    let entry = Entry {
        replica: ReplicaId::ours(replica),
        clock: 2,
        state: None,
    };
    Message::Awareness(awareness::encode([entry].iter()))
}

#[test]
fn a_room_has_so_many_writers() {
    let mut house = House::empty();
    let per_connection = MAX_WRITERS_PER_CONNECTION as usize;
    for replica in 0..=u32::try_from(MAX_WRITERS).unwrap() {
        let connection = ConnectionId(u64::from(replica) / per_connection as u64);
        house.join(connection, Dialect::YWebsocket);
        house.frame(connection, &typed(&mut author(replica + 1), 0, "x"));
    }
    assert_eq!(house.room.authors.writers(), MAX_WRITERS);
    // The first one was forgotten, the last one was not.
    house.join(B, Dialect::YWebsocket);
    house.frame(B, &says(1, 1, "first"));
    let last = u32::try_from(MAX_WRITERS).unwrap() + 1;
    house.frame(B, &says(last, 1, "last"));
    assert_eq!(house.later(LATER), named(u64::from(last), "last"));
}

#[test]
fn what_storage_did_not_take_it_is_told_again() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.frame(A, &says(1, 1, "Ada"));
    house.frame(A, &typed(&mut author(1), 0, "x"));
    assert_eq!(told(&house.take()), named(1, "Ada"));
    house.give(Input::Tick);
    assert_eq!(told(&house.take()), [], "one at a time");
    house.give(Input::Remembered { stored: false });
    let again = house.room.next_deadline().unwrap();
    assert!(again > NOW.plus(10_000), "not at once");
    assert_eq!(house.later(again), named(1, "Ada"));
    assert_eq!(house.later(again.plus(100_000)), []);
}

#[test]
fn a_room_does_not_sleep_over_a_name() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.frame(A, &says(1, 1, "Ada"));
    house.frame(A, &typed(&mut author(1), 0, "x"));
    house.give(Input::Remembered { stored: true });
    house.give(Input::Appended { seq: Seq(1) });
    house.frame(A, &says(1, 2, "Ada L."));
    house.take();
    house.give(Input::Drain { within_ms: 1 });
    let effects = house.take();
    assert_eq!(told(&effects), named(1, "Ada L."));
    assert_eq!(effects.last(), Some(&Effect::Retire));
}
