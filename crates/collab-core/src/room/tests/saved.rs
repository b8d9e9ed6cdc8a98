//! What is called saved, and when.

use super::*;

#[test]
fn saved_waits_for_the_commit_and_the_others_do_not() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.join(B, Dialect::CollabV1);
    house.take();
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "hello"));
    let effects = house.take();
    assert!(matches!(House::sent(&effects, B)[..], [Message::Update(_)]));
    assert!(
        House::sent(&effects, A).is_empty(),
        "no echo, no early Saved"
    );
    assert_eq!(appends(&effects), [Seq(1)]);
    house.give(Input::Appended { seq: Seq(1) });
    let effects = house.take();
    assert_eq!(saved(&House::sent(&effects, A)), [1]);
    assert!(saved(&House::sent(&effects, B)).is_empty());
}

#[test]
fn a_deletion_is_saved_by_count_though_no_state_vector_moves() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "hello"));
    house.give(Input::Appended { seq: Seq(1) });
    house.take();
    house.frame(A, &deleted(&mut person, 0, 2));
    let effects = house.take();
    assert!(saved(&House::sent(&effects, A)).is_empty());
    assert_eq!(appends(&effects), [Seq(2)]);
    house.give(Input::Appended { seq: Seq(2) });
    assert_eq!(saved(&House::sent(&house.take(), A)), [2]);
}

#[test]
fn an_edit_already_known_is_saved_only_when_the_first_copy_is() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.join(B, Dialect::CollabV1);
    let mut person = author(1);
    let update = typed(&mut person, 0, "hello");
    house.frame(A, &update);
    house.take();
    house.frame(B, &update);
    let effects = house.take();
    assert!(saved(&House::sent(&effects, B)).is_empty());
    house.give(Input::Appended { seq: Seq(1) });
    let effects = house.take();
    assert_eq!(saved(&House::sent(&effects, A)), [1]);
    assert_eq!(saved(&House::sent(&effects, B)), [1]);
}

#[test]
fn a_gap_is_refused_for_now_and_asked_for() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    house.take();
    let mut person = author(1);
    let _lost = typed(&mut person, 0, "first");
    house.frame(A, &typed(&mut person, 5, "second"));
    let effects = house.take();
    let sent = House::sent(&effects, A);
    assert!(
        matches!(
            &sent[..],
            [
                Message::Control(Control::Rejected {
                    frame: 1,
                    code: RejectCode::Gap,
                    ..
                }),
                Message::SyncStep1(_)
            ]
        ),
        "{sent:?}"
    );
    assert!(appends(&effects).is_empty());
    let everything = person.encode().expect("a sound document");
    house.frame(A, &Message::SyncStep2(everything));
    house.give(Input::Appended { seq: Seq(1) });
    assert_eq!(saved(&House::sent(&house.take(), A)), [2]);
    let document = house.room.document().expect("awake");
    assert_eq!(document.text(&FileId::main()), "firstsecond");
}

/// Yjs keeps an update that waits, and puts it into every answer.
#[test]
fn what_waits_for_ever_is_not_asked_for_for_ever() {
    let questions = |effects: &[Effect]| {
        let sent = House::sent(effects, A);
        let is_question = |message: &&Message| matches!(message, Message::SyncStep1(_));
        sent.iter().filter(is_question).count()
    };
    let mut house = House::empty();
    house.join(A, Dialect::YWebsocket);
    house.join(B, Dialect::CollabV1);
    house.take();
    let mut gone = author(1);
    let lost = typed(&mut gone, 0, "first");
    let waits = typed(&mut gone, 5, "second");
    house.frame(A, &waits);
    assert_eq!(questions(&house.take()), 1);
    for _ in 0..3 {
        house.frame(A, &waits);
        assert_eq!(
            questions(&house.take()),
            0,
            "the same question has the same answer"
        );
    }
    // Something else came: it may be what was missing.
    house.frame(B, &typed(&mut author(2), 0, "x"));
    assert_eq!(questions(&house.take()), 1);
    house.frame(A, &waits);
    assert_eq!(questions(&house.take()), 0);
    house.frame(B, &lost);
    assert_eq!(questions(&house.take()), 1, "now it is");
    house.frame(A, &waits);
    house.take();
    let text = house.room.document().expect("awake").text(&FileId::main());
    assert!(text.contains("firstsecond"), "{text}");
}

#[test]
fn a_room_retires_when_idle_and_saved_and_not_before() {
    let mut house = House::empty();
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "x"));
    house.give(Input::Leave { connection: A });
    house.take();
    let later = NOW.plus(10 * Settings::default().idle_ms);
    house.give_at(later, Input::Tick);
    assert_eq!(house.take(), [], "an edit is not saved yet");
    house.give_at(later, Input::Appended { seq: Seq(1) });
    house.take();
    let deadline = house.room.next_deadline().expect("idle");
    house.give_at(deadline, Input::Tick);
    assert_eq!(house.take(), [Effect::Retire]);
}

#[test]
fn a_program_is_answered_when_its_edit_is_durable() {
    let mut house = House::empty();
    let mut person = author(1);
    let Message::Update(update) = typed(&mut person, 0, "by a program") else {
        panic!("an update")
    };
    house.give(Input::Apply {
        request: RequestId(1),
        update,
    });
    let answered = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Answer { .. }))
            .count()
    };
    assert_eq!(answered(&house.take()), 0);
    house.give(Input::Appended { seq: Seq(1) });
    assert!(house.take().contains(&Effect::Answer {
        request: RequestId(1),
        answer: Answer::Saved { seq: Seq(1) }
    }));
    house.give(Input::Apply {
        request: RequestId(2),
        update: Bytes::from_static(b"junk"),
    });
    let effects = house.take();
    assert!(matches!(
        effects.last(),
        Some(Effect::Answer {
            request: RequestId(2),
            answer: Answer::Refused { .. }
        })
    ));
}

/// Two sessions of ours and the room, wired by hand: what one types the other sees, and both are
/// told "Saved" only after the commit.
#[test]
fn two_sessions_edit_one_document() {
    let mut house = House::empty();
    let mut people = [
        (A, Session::new(ReplicaId::ours(1), 1)),
        (B, Session::new(ReplicaId::ours(2), 2)),
    ];
    let mut said = Vec::new();
    for (connection, session) in &mut people {
        session.open_file(&FileId::main());
        session.handle(NOW, session::Input::Start, &mut said);
        house.join(*connection, Dialect::CollabV1);
        session.handle(NOW, session::Input::Opened, &mut said);
        for effect in said.drain(..) {
            if let session::Effect::Send(frame) = effect {
                house.give(Input::Frame {
                    connection: *connection,
                    frame,
                });
            }
        }
    }
    let insert = |text: &str| Edit {
        at: Offset(0),
        delete: 0,
        insert: text.to_owned(),
    };
    let mut outgoing: Vec<(ConnectionId, Bytes)> = Vec::new();
    let mut typed = false;
    loop {
        for effect in house.take() {
            let frames: Vec<(ConnectionId, Bytes)> = match effect {
                Effect::Send {
                    connection, frame, ..
                } => vec![(connection, frame)],
                Effect::Fanout { frame, except, .. } => [A, B]
                    .into_iter()
                    .filter(|to| Some(*to) != except)
                    .map(|to| (to, frame.clone()))
                    .collect(),
                Effect::Append { seq, .. } => {
                    assert!(
                        people.iter().any(|(_, session)| session.unsaved() > 0) || !typed,
                        "nobody may be told Saved before the commit"
                    );
                    house.give(Input::Appended { seq });
                    Vec::new()
                }
                _ => Vec::new(),
            };
            for (to, frame) in frames {
                for (connection, session) in &mut people {
                    if *connection == to {
                        session.handle(NOW, session::Input::Frame(frame.clone()), &mut said);
                        for effect in said.drain(..) {
                            if let session::Effect::Send(frame) = effect {
                                outgoing.push((to, frame));
                            }
                        }
                    }
                }
            }
        }
        if outgoing.is_empty() && house.effects.is_empty() {
            if typed {
                break;
            }
            typed = true;
            for ((connection, session), text) in people.iter_mut().zip(["one ", "two "]) {
                let edit = session::Input::Edit {
                    file: FileId::main(),
                    edits: vec![insert(text)],
                };
                session.handle(NOW, edit, &mut said);
                for effect in said.drain(..) {
                    if let session::Effect::Send(frame) = effect {
                        outgoing.push((*connection, frame));
                    }
                }
            }
        }
        for (connection, frame) in std::mem::take(&mut outgoing) {
            house
                .room
                .handle(NOW, Input::Frame { connection, frame }, &mut house.effects);
        }
        house.room.end_turn(NOW, &mut house.effects);
    }
    let texts: Vec<String> = people
        .iter()
        .map(|(_, session)| session.document().text(&FileId::main()))
        .collect();
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0].len(), 8);
    for (_, session) in &people {
        assert_eq!(session.state(NOW), SaveState::Saved);
    }
}

#[test]
fn a_snapshot_waits_until_the_log_holds_what_it_holds() {
    let mut house = House::with(Settings {
        compact_records: 1,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    house.frame(A, &typed(&mut person, 0, "a"));
    house.give(Input::Appended { seq: Seq(1) });
    house.give(Input::Compacted { seq: Seq(1) });
    let compacts = |effects: &[Effect]| -> Vec<Seq> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Compact { seq, .. } => Some(*seq),
                _ => None,
            })
            .collect()
    };
    house.take();
    house.frame(A, &typed(&mut person, 0, "b"));
    house.give(Input::Appended { seq: Seq(2) });
    assert_eq!(compacts(&house.take()), [Seq(2)]);
    house.give(Input::Compacted { seq: Seq(2) });
    for seq in 3..6 {
        house.frame(A, &typed(&mut person, 0, "c"));
        assert_eq!(
            compacts(&house.take()),
            [],
            "the append of {seq} has not committed"
        );
        house.give(Input::Appended { seq: Seq(seq) });
        assert!(compacts(&house.take()).iter().all(|at| at.0 <= seq));
    }
}

/// Bytes encoded into snapshots while 1,200 keystrokes are saved in a document of this size.
fn snapshot_bytes_of_typing(document_bytes: usize) -> usize {
    let mut house = House::with(Settings {
        compact_records: 10,
        compact_bytes: 4 << 10,
        ..Settings::default()
    });
    house.join(A, Dialect::CollabV1);
    let mut person = author(1);
    let mut encoded = 0;
    let mut seq = Seq(0);
    for keystroke in 0..=1_200 {
        let text = match keystroke {
            0 => "x".repeat(document_bytes),
            _ => "y".to_owned(),
        };
        house.frame(A, &typed(&mut person, 0, &text));
        seq = seq.next();
        house.give(Input::Appended { seq });
        for effect in house.take() {
            if let Effect::Compact { seq, state, .. } = effect {
                house.give(Input::Compacted { seq });
                // The first one is that of the text itself.
                encoded += if keystroke > 0 { state.len() } else { 0 };
            }
        }
    }
    encoded
}

#[test]
fn what_a_keystroke_costs_does_not_grow_with_the_document() {
    let small = snapshot_bytes_of_typing(100_000);
    let large = snapshot_bytes_of_typing(400_000);
    assert!(small > 0 && large > 0, "both are folded: {small}, {large}");
    assert!(large < small * 3 / 2, "{large} bytes instead of {small}");
}
