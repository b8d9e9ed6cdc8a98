//! Storage that fails, bytes that are garbage, documents that are poisoned.

use super::*;

#[test]
fn garbage_closes_its_sender_and_nobody_else() {
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.join(B, Dialect::CollabV1);
    house.take();
    for garbage in [&[0xffu8, 0xff][..], &[0, 9, 1, 1], &[0, 2, 3, 9, 9, 9]] {
        house.join(A, Dialect::YWebsocket);
        house.take();
        house.give(Input::Frame {
            connection: A,
            frame: Bytes::copy_from_slice(garbage),
        });
        let effects = house.take();
        let closed: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Close {
                    connection, code, ..
                } => Some((*connection, *code)),
                _ => None,
            })
            .collect();
        assert_eq!(closed, [(A, CloseCode::Malformed)], "{garbage:?}");
        let sent = House::sent(&effects, A);
        assert!(matches!(&sent[..], [Message::Denied(_)]), "{sent:?}");
        house.give(Input::Leave { connection: A });
        house.take();
    }
    let mut person = author(2);
    house.frame(B, &typed(&mut person, 0, "still here"));
    assert_eq!(appends(&house.take()), [Seq(1)]);
}

#[test]
fn storage_away_is_said_then_frozen_then_made_good() {
    let mut house = House::with(Settings {
        unsaved_budget_bytes: 100,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    house.take();
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    house.take();
    house.give(Input::AppendFailed {
        seq: Seq(1),
        failure: AppendFailure::Unavailable,
    });
    let degraded = Message::Control(Control::Status(Status::Degraded));
    assert_eq!(House::sent(&house.take(), A), [degraded]);
    house.frame(A, &typed(&mut person, 1, &"y".repeat(200)));
    let frozen = Message::Control(Control::Status(Status::Frozen));
    assert_eq!(House::sent(&house.take(), A), [frozen]);
    house.frame(A, &typed(&mut person, 0, "z"));
    let sent = House::sent(&house.take(), A);
    assert!(
        matches!(
            sent[..],
            [Message::Control(Control::Rejected {
                code: RejectCode::Frozen,
                frame: 3,
                ..
            })]
        ),
        "{sent:?}"
    );
    let retry = house.room.next_deadline().expect("it tries again");
    house.give_at(retry, Input::Tick);
    assert_eq!(appends(&house.take()), [Seq(1)], "the same place again");
    house.give_at(retry, Input::Appended { seq: Seq(1) });
    house.give_at(retry, Input::Appended { seq: Seq(2) });
    let sent = House::sent(&house.take(), A);
    assert!(
        sent.contains(&Message::Control(Control::Status(Status::Normal))),
        "{sent:?}"
    );
    assert!(
        matches!(
            sent.last(),
            Some(Message::SyncStep1(_)) | Some(Message::Control(_))
        ),
        "{sent:?}"
    );
    assert!(
        sent.iter()
            .any(|message| matches!(message, Message::SyncStep1(_))),
        "what was refused is asked for: {sent:?}"
    );
}

#[test]
fn a_fenced_room_sends_everybody_away() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    house.take();
    house.give(Input::AppendFailed {
        seq: Seq(1),
        failure: AppendFailure::Fenced,
    });
    let effects = house.take();
    assert!(saved(&House::sent(&effects, A)).is_empty());
    assert_eq!(effects.last(), Some(&Effect::Retire));
    assert_eq!(house.room.phase(), PhaseName::Retired);
}

#[test]
fn what_can_never_be_saved_ends_the_room_for_good() {
    for (failure, code) in [
        (AppendFailure::Gone, CloseCode::Gone),
        (AppendFailure::TooLarge, CloseCode::Full),
    ] {
        let mut house = House::empty();
        house.join(A, Dialect::CollabV1);
        house.join(B, Dialect::YWebsocket);
        let mut person = author(1);
        house.frame(A, &typed(&mut person, 0, "x"));
        house.give(Input::Describe {
            request: RequestId(1),
            what: Describe::Meta {
                key: "name".to_owned(),
                value: "n".to_owned(),
            },
        });
        house.take();
        let seq = Seq(1);
        house.give(Input::AppendFailed { seq, failure });
        let effects = house.take();
        assert!(code.is_final(), "nobody comes back to try again");
        for connection in [A, B] {
            let closed = effects.iter().find_map(|effect| match effect {
                Effect::Close {
                    connection: who,
                    code,
                    ..
                } if *who == connection => Some(*code),
                _ => None,
            });
            assert_eq!(closed, Some(code), "{failure:?}");
            let said = House::sent(&effects, connection);
            assert_eq!(said.len(), 1, "{failure:?}: why: {said:?}");
        }
        let answers: Vec<_> = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Answer { .. }))
            .collect();
        assert_eq!(
            answers.len(),
            1,
            "the program hears of it once: {answers:?}"
        );
        assert_eq!(effects.last(), Some(&Effect::Retire));
        assert_eq!(house.room.next_deadline(), None);
    }
}

#[test]
fn a_load_that_fails_is_not_an_empty_room() {
    for (failure, code) in [
        (LoadFailure::Unavailable, CloseCode::TryLater),
        (LoadFailure::Corrupt, CloseCode::Internal),
        (LoadFailure::NotFound, CloseCode::NotFound),
    ] {
        let mut effects = Vec::new();
        let mut room = Room::new(Settings::default(), ReplicaId::ours(9));
        room.start(NOW, &mut effects);
        room.handle(
            NOW,
            Input::Join {
                connection: A,
                dialect: Dialect::CollabV1,
                access: Access::Write,
            },
            &mut effects,
        );
        room.handle(NOW, Input::LoadFailed(failure), &mut effects);
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::Close { code: said, .. } if *said == code))
        );
        assert_eq!(effects.last(), Some(&Effect::Retire));
        assert!(room.document().is_none());
    }
}

#[test]
fn frames_that_come_while_loading_are_kept() {
    let mut effects = Vec::new();
    let mut room = Room::new(Settings::default(), ReplicaId::ours(9));
    room.start(NOW, &mut effects);
    let mut house = House { room, effects };
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "early"));
    assert!(appends(&house.take()).is_empty());
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
    assert!(matches!(
        House::sent(&effects, A).first(),
        Some(Message::Control(Control::Welcome(_)))
    ));
    assert_eq!(appends(&effects), [Seq(1)]);
}

#[test]
fn a_stopping_server_saves_first_and_says_so() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    house.take();
    house.give(Input::Drain { within_ms: 5_000 });
    let effects = house.take();
    assert!(!effects.contains(&Effect::Retire));
    house.give(Input::Appended { seq: Seq(1) });
    let effects = house.take();
    let sent = House::sent(&effects, A);
    assert!(
        matches!(
            sent[..],
            [
                Message::Control(Control::Saved { frames: 1, .. }),
                Message::Control(Control::Closing {
                    code: CloseCode::Restart,
                    ..
                })
            ]
        ),
        "{sent:?}"
    );
    assert_eq!(effects.last(), Some(&Effect::Retire));
}

#[cfg(feature = "sabotage")]
#[test]
fn join_while_waking_again() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    house.take();
    house.room.document().expect("awake").poison();
    house.frame(A, &Message::SyncStep1(Bytes::from_static(&[0])));
    house.give(Input::Leave { connection: A });
    house.take();
    house.join(B, Dialect::CollabV1);
    assert_eq!(house.take(), [], "nobody can be told anything yet");
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
    let sent = House::sent(&house.take(), B);
    assert!(
        matches!(
            sent[..],
            [Message::Control(Control::Welcome(_)), Message::SyncStep1(_)]
        ),
        "{sent:?}"
    );
}

#[cfg(feature = "sabotage")]
#[test]
fn an_append_that_commits_behind_a_second_reading_is_not_forgotten() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    let record = house.take().into_iter().find_map(|effect| match effect {
        Effect::Append { record, .. } => Some(record),
        _ => None,
    });
    house.room.document().expect("awake").poison();
    house.frame(A, &Message::SyncStep1(Bytes::from_static(&[0])));
    // Storage reads, then commits; the answers come the other way round.
    let read = |records: Vec<Bytes>| {
        Input::Loaded(Loaded {
            lineage: Lineage([7; 16]),
            epoch: Epoch(1),
            head: Seq(records.len() as u64),
            snapshot_seq: Seq(0),
            snapshot: None,
            records: (1..).map(Seq).zip(records).collect(),
            damage: Vec::new(),
            degraded: false,
            version: None,
        })
    };
    house.give(Input::Appended { seq: Seq(1) });
    house.take();
    house.give(read(Vec::new()));
    let again = Effect::Load {
        epoch: Some(Epoch(1)),
    };
    assert_eq!(house.take(), [again]);
    house.give(read(record.into_iter().collect()));
    let document = house.room.document().expect("awake");
    assert_eq!(document.text(&FileId::main()), "x");
}

/// While the room reads its log again, another owner has written.
#[cfg(feature = "sabotage")]
#[test]
fn a_second_reading_that_finds_anothers_records_steps_down() {
    for in_flight in [false, true] {
        let mut house = House::empty();
        house.join(A, Dialect::CollabV1);
        if in_flight {
            house.frame(A, &typed(&mut author(1), 0, "ours"));
        }
        house.take();
        house.room.document().expect("awake").poison();
        house.frame(A, &Message::SyncStep1(Bytes::from_static(&[0])));
        house.take();
        let Message::Update(theirs) = typed(&mut author(2), 0, "theirs") else {
            panic!("an update")
        };
        let mut record = crate::record::Record::default();
        record.push(NOW, &theirs);
        house.give(Input::Loaded(Loaded {
            lineage: Lineage([7; 16]),
            epoch: Epoch(1),
            head: Seq(1),
            snapshot_seq: Seq(0),
            snapshot: None,
            records: vec![(Seq(1), record.encode())],
            damage: Vec::new(),
            degraded: false,
            version: None,
        }));
        let effects = house.take();
        assert!(
            effects.iter().any(|effect| matches!(
                effect,
                Effect::Close {
                    connection: A,
                    code: CloseCode::Restart,
                    ..
                }
            )),
            "{effects:?}"
        );
        assert_eq!(effects.last(), Some(&Effect::Retire));
    }
}

/// A room whose storage is away and whose budget of 100 bytes is spent. `A` is in it.
fn frozen_house() -> (House, Document) {
    let mut house = House::with(Settings {
        unsaved_budget_bytes: 100,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, &"x".repeat(200)));
    house.give(Input::AppendFailed {
        seq: Seq(1),
        failure: AppendFailure::Unavailable,
    });
    house.take();
    assert_eq!(house.room.status(), Status::Frozen);
    (house, person)
}

#[test]
fn a_stopping_server_takes_no_more_than_a_frozen_one() {
    let (mut house, mut person) = frozen_house();
    house.give(Input::Drain { within_ms: 5_000 });
    house.take();
    let before = house.room.unsaved_bytes();
    house.frame(A, &typed(&mut person, 0, "y"));
    assert_eq!(house.room.unsaved_bytes(), before);
    let sent = House::sent(&house.take(), A);
    assert!(
        matches!(
            sent[..],
            [Message::Control(Control::Rejected {
                code: RejectCode::Frozen,
                ..
            })]
        ),
        "{sent:?}"
    );
}

#[test]
fn programs_cannot_pass_the_budget_either() {
    let (mut house, mut person) = frozen_house();
    let Message::Update(update) = typed(&mut person, 0, "y") else {
        panic!("an update")
    };
    let before = house.room.unsaved_bytes();
    house.give(Input::Apply {
        request: RequestId(1),
        update,
    });
    house.give(Input::Write {
        request: RequestId(2),
        file: FileId::main(),
        edits: Vec::new(),
    });
    let effects = house.take();
    for request in [RequestId(1), RequestId(2)] {
        assert!(
            effects.iter().any(|effect| matches!(
                effect,
                Effect::Answer { request: asked, answer: Answer::Unavailable { reason } }
                    if *asked == request && reason.contains("--max-unsaved-bytes")
            )),
            "{effects:?}"
        );
    }
    assert_eq!(house.room.unsaved_bytes(), before);
}

#[cfg(feature = "sabotage")]
#[test]
fn what_is_asked_of_a_document_that_is_just_lost_is_answered_later() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.join(B, Dialect::CollabV1);
    house.take();
    house.room.document().expect("awake").fail_next_turn();
    // One batch: two edits that fail together, a question, and a reader that was drained.
    let [mut ann, mut bob] = [author(1), author(2)];
    let updates = [(A, typed(&mut ann, 0, "a")), (B, typed(&mut bob, 0, "b"))];
    let question = Message::SyncStep1(Bytes::from_static(&[0]));
    for (connection, message) in updates.into_iter().chain([(A, question)]) {
        let frame = codec::encode(&message);
        let input = Input::Frame { connection, frame };
        house.room.handle(NOW, input, &mut house.effects);
    }
    let missed = Missed {
        sync: Some(TurnNumber(1)),
        presence: false,
    };
    house.give(Input::Drained {
        connection: B,
        missed,
    });
    house.take();
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
    let answered = House::sent(&effects, A)
        .iter()
        .any(|message| matches!(message, Message::SyncStep2(_)));
    assert!(answered, "{effects:?}");
    let leveled = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Resync { connection, .. } if *connection == B));
    assert!(leveled, "{effects:?}");
}
