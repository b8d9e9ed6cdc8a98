//! Frames of any bytes to a room and to a session: nothing panics, and the room goes on for the
//! other member.

#![no_main]

use bytes::Bytes;
use collab_core::ids::{ConnectionId, Epoch, Lineage, ReplicaId, Seq};
use collab_core::protocol::Dialect;
use collab_core::room::{self, Access, Loaded, PhaseName, Room};
use collab_core::session::{self, Session};
use collab_core::time::Millis;
use libfuzzer_sys::fuzz_target;

const NOW: Millis = Millis(1);

fuzz_target!(|input: &[u8]| {
    let frame = Bytes::copy_from_slice(input);

    let mut effects = Vec::new();
    let mut room = Room::new(room::Settings::default(), ReplicaId::ours(1));
    room.start(NOW, &mut effects);
    let loaded = Loaded {
        lineage: Lineage([0; 16]),
        epoch: Epoch(1),
        head: Seq(0),
        snapshot_seq: Seq(0),
        snapshot: None,
        records: Vec::new(),
        damage: Vec::new(),
        degraded: false,
    };
    room.handle(NOW, room::Input::Loaded(loaded), &mut effects);
    for (number, dialect) in [(1, Dialect::CollabV1), (2, Dialect::YWebsocket)] {
        let join = room::Input::Join {
            connection: ConnectionId(number),
            dialect,
            access: Access::Write,
        };
        room.handle(NOW, join, &mut effects);
    }
    let hostile = room::Input::Frame {
        connection: ConnectionId(2),
        frame: frame.clone(),
    };
    room.handle(NOW, hostile, &mut effects);
    room.end_turn(NOW, &mut effects);
    assert_eq!(room.phase(), PhaseName::Live);
    assert!(room.connections() >= 1);

    let mut effects = Vec::new();
    let mut session = Session::new(ReplicaId::ours(2), 1);
    session.handle(NOW, session::Input::Start, &mut effects);
    session.handle(NOW, session::Input::Opened, &mut effects);
    session.handle(NOW, session::Input::Frame(frame), &mut effects);
});
