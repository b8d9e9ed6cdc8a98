//! Who is in the room: presence, slow readers, limits.

use super::*;

#[test]
fn a_lagging_connection_is_brought_level_by_one_diff() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.join(B, Dialect::CollabV1);
    let mut person = author(1);
    let mut reader = author(2);
    for (place, letter) in "abcdef".chars().enumerate() {
        let place = u32::try_from(place).expect("six letters");
        house.frame(A, &typed(&mut person, place, &letter.to_string()));
        let turn = house.room.document().expect("awake").turn();
        for message in House::sent(&house.take(), B) {
            // The reader's outbox overflows after the second letter.
            if let (Message::Update(update), true) = (message, place < 2) {
                let offer = crate::document::Offer {
                    update: &update,
                    new_replicas: 9,
                };
                reader.apply(&[offer]).expect("sound");
            }
        }
        assert_eq!(turn, TurnNumber(u64::from(place) + 1));
    }
    let first_missed = TurnNumber(3);
    house.give(Input::Drained {
        connection: B,
        missed: Missed {
            sync: Some(first_missed),
            presence: false,
        },
    });
    let effects = house.take();
    let resync = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Resync {
                connection, frames, ..
            } if *connection == B => Some(frames.clone()),
            _ => None,
        })
        .expect("a resync");
    let [Message::SyncStep2(diff)] = &codec::decode(resync[0].1.clone()).expect("own frame")[..]
    else {
        panic!("{resync:?}")
    };
    assert!(diff.len() < 40, "only the tail: {} bytes", diff.len());
    let offer = crate::document::Offer {
        update: diff,
        new_replicas: 9,
    };
    reader.apply(&[offer]).expect("sound");
    assert_eq!(reader.text(&FileId::main()), "abcdef");
}

#[test]
fn presence_ends_with_its_connection() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.join(B, Dialect::YWebsocket);
    house.take();
    let entry = awareness::Entry {
        replica: ReplicaId::ours(5),
        clock: 1,
        state: Some("{\"user\":{\"name\":\"Ana\"}}".to_owned()),
    };
    house.frame(
        A,
        &Message::Awareness(awareness::encode([entry.clone()].iter())),
    );
    assert_eq!(House::sent(&house.take(), B).len(), 1);
    house.give(Input::Leave { connection: A });
    let sent = House::sent(&house.take(), B);
    let [Message::Awareness(body)] = &sent[..] else {
        panic!("{sent:?}")
    };
    let gone = awareness::decode(body.clone()).expect("own bytes");
    assert_eq!((gone[0].clock, gone[0].state.clone()), (2, None));
}

#[test]
fn who_returns_behind_its_own_removal_is_told_and_answers() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.join(B, Dialect::YWebsocket);
    let entry = |clock| awareness::Entry {
        replica: ReplicaId::ours(5),
        clock,
        state: Some("{}".to_owned()),
    };
    let offer = |clock| Message::Awareness(awareness::encode([entry(clock)].iter()));
    house.frame(A, &offer(1));
    house.give(Input::Leave { connection: A });
    house.join(A, Dialect::YWebsocket);
    house.take();

    house.frame(A, &offer(1));
    let effects = house.take();
    assert_eq!(House::sent(&effects, B), [], "others know it already");
    let sent = House::sent(&effects, A);
    let [Message::Awareness(body)] = &sent[..] else {
        panic!("{sent:?}")
    };
    let told = awareness::decode(body.clone()).expect("own bytes");
    assert_eq!((told[0].clock, told[0].state.clone()), (2, None));

    house.frame(A, &offer(3));
    assert_eq!(House::sent(&house.take(), B), [offer(3)]);
}

#[test]
fn the_limit_of_connections_names_itself() {
    let mut house = House::with(Settings {
        max_connections: 1,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    house.take();
    house.join(B, Dialect::CollabV1);
    let effects = house.take();
    let [Effect::Send { .. }, Effect::Close { code, reason, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*code, CloseCode::TryLater);
    assert!(reason.contains("--max-room-connections"), "{reason}");
    assert_eq!(house.room.connections(), 1);
}

#[test]
fn a_full_document_refuses_more_and_names_the_limit() {
    let mut house = House::with(Settings {
        max_document_bytes: 200,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    house.take();
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, &"x".repeat(150)));
    assert_eq!(appends(&house.take()), [Seq(1)]);
    house.frame(A, &typed(&mut person, 0, &"y".repeat(150)));
    let effects = house.take();
    let reason = effects.iter().find_map(|effect| match effect {
        Effect::Close {
            code: CloseCode::Full,
            reason,
            ..
        } => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.is_some_and(|reason| reason.contains("--max-document-bytes")));
}

#[test]
fn who_closes_at_once_is_still_heard() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.take();
    let mut person = author(1);
    let update = typed(&mut person, 0, "last words");
    let now = NOW;
    house.room.handle(
        now,
        Input::Frame {
            connection: A,
            frame: codec::encode(&update),
        },
        &mut house.effects,
    );
    // The socket ends before the turn does.
    house.give(Input::Leave { connection: A });
    assert_eq!(appends(&house.take()), [Seq(1)]);
    let document = house.room.document().expect("awake");
    assert_eq!(document.text(&FileId::main()), "last words");
}

#[test]
fn a_flood_of_questions_is_answered_once() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.take();
    let question = codec::encode(&Message::SyncStep1(Bytes::from_static(&[0])));
    for _ in 0..256 {
        let frame = Bytes::from(question.repeat(64));
        let input = Input::Frame {
            connection: A,
            frame,
        };
        house.room.handle(NOW, input, &mut house.effects);
    }
    house.room.end_turn(NOW, &mut house.effects);
    let effects = house.take();
    assert!(
        matches!(House::sent(&effects, A)[..], [Message::SyncStep2(_)]),
        "{} effects",
        effects.len()
    );
}

#[test]
fn a_full_document_can_be_opened_and_shrunk() {
    let mut house = House::with(Settings {
        max_document_bytes: 200,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, &"x".repeat(150)));
    house.give(Input::Appended { seq: Seq(1) });
    house.join(B, Dialect::CollabV1);
    house.take();
    house.frame(B, &Message::SyncStep2(Bytes::from_static(&[0, 0])));
    house.frame(A, &deleted(&mut person, 0, 100));
    let effects = house.take();
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Close { .. })),
        "{effects:?}"
    );
    assert_eq!(appends(&effects), [Seq(2)]);
}

#[test]
fn a_drained_connection_is_brought_level_though_the_loading_room_holds_all_it_may() {
    let settings = Settings {
        max_held_bytes: 0,
        ..Settings::default()
    };
    let mut house = House {
        room: Room::new(settings, ReplicaId::ours(9)),
        effects: Vec::new(),
    };
    house.room.start(NOW, &mut house.effects);
    house.join(B, Dialect::YWebsocket);
    // Nobody says it a second time.
    house.give(Input::Drained {
        connection: B,
        missed: Missed {
            sync: Some(TurnNumber(0)),
            presence: true,
        },
    });
    house.give(Input::Loaded(Loaded {
        lineage: Lineage([7; 16]),
        epoch: Epoch(1),
        head: Seq(0),
        snapshot_seq: Seq(0),
        snapshot: None,
        records: Vec::new(),
        damage: Vec::new(),
        degraded: false,
        version: None,
    }));
    let effects = house.take();
    let leveled = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Resync { connection, .. } if *connection == B));
    assert!(leveled, "{effects:?}");
}

#[test]
fn who_was_sent_away_does_not_get_the_echo_of_an_edit_saved_later() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.frame(A, &typed(&mut author(1), 0, "x"));
    assert_eq!(appends(&house.take()), [Seq(1)]);
    let from_a_server = Message::Control(Control::Status(Status::Normal));
    house.frame(A, &from_a_server);
    house.take();
    house.give(Input::Appended { seq: Seq(1) });
    assert_eq!(House::sent(&house.take(), A), []);
}
