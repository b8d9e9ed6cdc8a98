//! The server's ends of connections: their outboxes, and what goes through them. Must not know what a
//! frame says.

use collab_core::ids::ConnectionId;
use collab_core::outbox::{Outbox, Pushed};
use collab_core::protocol::CloseCode;
use collab_core::room::Input;

use super::super::{Event, World};
use super::Socket;
use crate::checker::{Invariant, Verdict, violated};
use crate::counts::Happening;
use crate::network::Packet;

impl World {
    /// The server's end of a new connection.
    pub(in crate::world) fn socket_opened(
        &mut self,
        connection: ConnectionId,
        node: usize,
        room: u32,
    ) -> Verdict {
        let (bytes, frames) = self.scenario.outbox;
        self.nodes[node].sockets.insert(
            connection,
            Socket {
                room,
                joined: None,
                outbox: Outbox::new(bytes, frames),
                largest: 0,
                closing: None,
                draining: false,
                asked: false,
                questions: 0,
            },
        );
        self.wake(node, room)
    }

    pub(in crate::world) fn socket_gone(&mut self, connection: ConnectionId, node: usize) {
        self.nodes[node].sockets.remove(&connection);
    }

    pub(super) fn push(
        &mut self,
        node: usize,
        connection: ConnectionId,
        lane: collab_core::room::Lane,
        frame: bytes::Bytes,
    ) -> Verdict {
        let Some(socket) = self.nodes[node].sockets.get_mut(&connection) else {
            return Ok(());
        };
        has_right(connection, socket)?;
        self.checker
            .sends(connection, &frame, self.disk.row(socket.room))?;
        let len = frame.len();
        self.counts.count_frame(&frame, &mut socket.questions);
        self.transcript.note(self.agenda.now(), || {
            format!("to connection {connection}: {}", describe(&frame))
        });
        if lane != collab_core::room::Lane::Control {
            socket.largest = socket.largest.max(len);
        }
        let pushed = socket.outbox.push(lane, frame);
        let (waits, largest) = (socket.outbox.droppable_bytes(), socket.largest);
        match pushed {
            Pushed::Overflowed => self.counts.add(Happening::Overflow),
            Pushed::Hopeless => {
                socket.closing = Some((CloseCode::TooSlow, String::new()));
            }
            Pushed::Queued | Pushed::Dropped => {}
        }
        let bound = self.scenario.outbox.0 + 2 * largest;
        if waits > bound {
            return violated(
                Invariant::MemoryBounded,
                format!("the outbox of connection {connection} holds {waits} bytes of {bound}"),
            );
        }
        self.schedule_drain(connection, 0);
        Ok(())
    }

    pub(in crate::world) fn schedule_drain(&mut self, connection: ConnectionId, after_ms: u64) {
        let Some(link) = self.links.get(&connection) else {
            return;
        };
        let Some(socket) = self.nodes[link.node].sockets.get_mut(&connection) else {
            return;
        };
        if !std::mem::replace(&mut socket.draining, true) {
            self.agenda.after(after_ms, Event::Drain(connection));
        }
    }

    /// The socket takes frames out of its outbox as far as the peer reads them.
    pub(in crate::world) fn drain_outbox(&mut self, connection: ConnectionId) -> Verdict {
        let Some(link) = self.links.get(&connection) else {
            return Ok(());
        };
        let (node, window) = (link.node, link.window);
        let mut free = match link.cut {
            // Nobody reads any more: what the kernel takes, it takes once.
            true => 0,
            false => window.saturating_sub(link.down.len()),
        };
        let Some(socket) = self.nodes[node].sockets.get_mut(&connection) else {
            return Ok(());
        };
        socket.draining = false;
        let mut packets = Vec::new();
        while free > 0
            && let Some(frame) = socket.outbox.pop()
        {
            packets.push(Packet::Frame(frame));
            free -= 1;
        }
        let (room, joined) = (socket.room, socket.joined);
        let mut missed = None;
        if socket.outbox.is_empty() {
            if let Some((code, reason)) = socket.closing.take() {
                packets.push(Packet::Close {
                    code: code.number(),
                    reason,
                });
            } else if !socket.asked {
                missed = socket.outbox.missed();
                socket.asked = missed.is_some();
            }
        }
        for packet in packets {
            self.send_down(connection, packet);
        }
        let alive = self.nodes[node].hosts.get(&room).map(|host| host.life);
        if let Some(missed) = missed
            && alive == joined
        {
            self.note(|| format!("connection {connection} is drained and missed {missed:?}"));
            self.put(node, room, Input::Drained { connection, missed });
        }
        Ok(())
    }
}

/// Whoever has not come in, or was sent away, is sent nothing.
pub(super) fn has_right(connection: ConnectionId, socket: &Socket) -> Verdict {
    if socket.joined.is_some() && socket.closing.is_none() {
        return Ok(());
    }
    violated(
        Invariant::NothingWithoutRight,
        format!(
            "connection {connection} is sent something {}",
            match &socket.closing {
                Some((code, _)) => format!("after it was closed: {code:?}"),
                None => "before it came in".to_owned(),
            }
        ),
    )
}

fn describe(frame: &bytes::Bytes) -> String {
    use collab_core::protocol::{Message, codec};
    let messages = codec::decode(frame.clone()).unwrap_or_default();
    let words: Vec<String> = messages
        .iter()
        .map(|message| match message {
            Message::Update(update) => format!("Update of {} bytes", update.len()),
            Message::SyncStep2(update) => format!("SyncStep2 of {} bytes", update.len()),
            Message::SyncStep1(_) => "SyncStep1".to_owned(),
            Message::Awareness(_) => "Awareness".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    words.join(", ")
}
