//! Somebody who wishes the room ill: damaged updates, count bombs, foreign presence, random bytes.
//! Must not know how any of it is met.

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Offset, ReplicaId};
use collab_core::protocol::awareness::{self, Entry};
use collab_core::protocol::{Control, Message, Status, codec};

use crate::rng::Chance;

/// What is sent next, and whether it is a damaged update that might yet be a harmless one.
pub struct Attack {
    /// One frame.
    pub frame: Bytes,
    /// An honest update with some bytes changed.
    pub mutant: bool,
}

/// Draws one frame. `victim` is a replica of somebody honest, `known` the room's document as one
/// update when somebody has it.
pub fn attack(chance: &mut Chance, victim: ReplicaId, known: Option<&Bytes>) -> Attack {
    let mut mutant = false;
    let frame = match chance.below(9) {
        0 => (0..chance.between(1, 60)).map(|_| chance.byte()).collect(),
        // A count of 400 million in five bytes: state vector, update, presence.
        1 => {
            let kinds: [&[u8]; 3] = [&[0, 0], &[0, 2], &[1]];
            let kind = kinds[chance.index(kinds.len())];
            [kind, &[5, 0x80, 0x88, 0xde, 0xbe, 0x01]].concat().into()
        }
        2 => codec::encode(&Message::Control(Control::Status(Status::Normal))),
        3 => {
            let entries = [
                Entry {
                    replica: victim,
                    clock: chance.draw() >> chance.between(11, 60),
                    state: chance.permille(500).then(|| "{\"user\":\"me\"}".to_owned()),
                },
                Entry {
                    replica: ReplicaId::ours(chance.bits32()),
                    clock: 1,
                    state: Some("{".repeat(40)),
                },
            ];
            codec::encode(&Message::Awareness(awareness::encode(entries.iter())))
        }
        4 => codec::encode(&Message::Unknown(chance.between(4, 200))),
        5 => codec::encode(&Message::QueryAwareness).repeat(100).into(),
        _ => {
            mutant = true;
            damaged_update(chance, known)
        }
    };
    Attack { frame, mutant }
}

/// An edit made on top of the room's own document under a replica id that nobody has used, with
/// some of its bytes changed. A fresh id each time: two different units of one name would be a
/// forgery that no CRDT can tell.
fn damaged_update(chance: &mut Chance, known: Option<&Bytes>) -> Bytes {
    let replica = ReplicaId::ours(chance.bits32() | 1 << 31);
    let base = known.map(|state| &state[..]).into_iter();
    let mut document = Document::load(replica, base).unwrap_or_else(|_| Document::new(replica));
    let main = FileId::main();
    let len = document.text_len(&main);
    let edit = Edit {
        at: Offset(0),
        delete: len.min(2),
        insert: "☠ evil".to_owned(),
    };
    let mut update = document
        .edit(&main, &[edit])
        .map(|update| update.to_vec())
        .unwrap_or_else(|_| vec![0, 0]);
    for _ in 0..chance.between(1, 3) {
        let at = chance.index(update.len());
        match chance.below(4) {
            0 => update.truncate(at),
            1 => update.insert(at, chance.byte()),
            2 => {
                if let Some(byte) = update.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            _ => {
                if let Some(byte) = update.get_mut(at) {
                    *byte = chance.byte();
                }
            }
        }
    }
    codec::encode(&Message::Update(update.into()))
}
