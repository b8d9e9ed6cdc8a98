//! The room's promises, one hazard a test. Sessions of ours and plain frames talk to it by hand;
//! `collab-sim` does the same by chance.

mod authors;
mod damage;
mod members;
mod rewound;
mod saved;
mod trouble;
mod versions;

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
            damage: Vec::new(),
            degraded: false,
            version: None,
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
