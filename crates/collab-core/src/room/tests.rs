//! The room's promises, one hazard a test. Sessions of ours and plain frames talk to it by hand;
//! `collab-sim` does the same by chance.

use bytes::Bytes;

use super::*;
use crate::document::{Edit, FileId};
use crate::ids::{Epoch, Offset, RequestId};
use crate::protocol::RejectCode;
use crate::session::{self, SaveState, Session};

const A: ConnectionId = ConnectionId(1);
const B: ConnectionId = ConnectionId(2);
const NOW: Millis = Millis(1_000);

struct House {
    room: Room,
    effects: Vec<Effect>,
}

impl House {
    fn empty() -> House {
        House::with(Settings::default())
    }

    fn with(settings: Settings) -> House {
        let mut house = House {
            room: Room::new(settings, ReplicaId::ours(9)),
            effects: Vec::new(),
        };
        house.room.start(NOW, &mut house.effects);
        assert_eq!(house.take(), [Effect::Load { epoch: None }]);
        house.give(Input::Loaded(Loaded {
            lineage: Lineage([7; 16]),
            epoch: Epoch(1),
            head: Seq(0),
            snapshot_seq: Seq(0),
            snapshot: None,
            records: Vec::new(),
        }));
        house.take();
        house
    }

    fn give(&mut self, input: Input) {
        self.give_at(NOW, input);
    }

    fn give_at(&mut self, now: Millis, input: Input) {
        self.room.handle(now, input, &mut self.effects);
        self.room.end_turn(now, &mut self.effects);
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn join(&mut self, connection: ConnectionId, dialect: Dialect) {
        self.give(Input::Join {
            connection,
            dialect,
            access: Access::Write,
        });
    }

    fn frame(&mut self, connection: ConnectionId, message: &Message) {
        self.give(Input::Frame {
            connection,
            frame: codec::encode(message),
        });
    }

    /// What one connection was sent, decoded.
    fn sent(effects: &[Effect], to: ConnectionId) -> Vec<Message> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send {
                    connection, frame, ..
                } if *connection == to => Some(frame),
                Effect::Fanout { frame, except, .. } if *except != Some(to) => Some(frame),
                _ => None,
            })
            .flat_map(|frame| codec::decode(frame.clone()).expect("the room's own frames"))
            .collect()
    }
}

fn appends(effects: &[Effect]) -> Vec<Seq> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Append { seq, .. } => Some(*seq),
            _ => None,
        })
        .collect()
}

fn saved(messages: &[Message]) -> Vec<u64> {
    messages
        .iter()
        .filter_map(|message| match message {
            Message::Control(Control::Saved { frames, .. }) => Some(*frames),
            _ => None,
        })
        .collect()
}

/// Someone who types, offline.
fn author(replica: u32) -> Document {
    Document::new(ReplicaId::ours(replica))
}

fn typed(document: &mut Document, at: u32, text: &str) -> Message {
    let edit = Edit {
        at: Offset(at),
        delete: 0,
        insert: text.to_owned(),
    };
    Message::Update(document.edit(&FileId::main(), &[edit]).expect("in range"))
}

fn deleted(document: &mut Document, at: u32, units: u32) -> Message {
    let edit = Edit {
        at: Offset(at),
        delete: units,
        insert: String::new(),
    };
    Message::Update(document.edit(&FileId::main(), &[edit]).expect("in range"))
}

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
    }));
    let effects = house.take();
    assert!(matches!(
        House::sent(&effects, A).first(),
        Some(Message::Control(Control::Welcome(_)))
    ));
    assert_eq!(appends(&effects), [Seq(1)]);
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
            Effect::Resync { connection, frames } if *connection == B => Some(frames.clone()),
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
            records,
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
