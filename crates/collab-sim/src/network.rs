//! Connections: ordered both ways like TCP, late, cut without a word, read slowly. Must not know
//! what is inside a frame.

use std::collections::VecDeque;

use bytes::Bytes;
use collab_core::ids::ConnectionId;
use collab_core::time::Millis;

use crate::rng::Chance;

/// What travels.
#[derive(Debug, Clone)]
pub enum Packet {
    /// The handshake is through: always the first thing a client gets.
    Opened,
    /// One WebSocket message.
    Frame(Bytes),
    /// The other end closed.
    Close { code: u16, reason: String },
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From client to server.
    Up,
    /// From server to client.
    Down,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub struct Pipe {
    packets: VecDeque<(Millis, Packet)>,
    /// When the last one arrives: none overtakes it.
    last: Millis,
}

impl Pipe {
    /// Sends a packet; returns when it arrives. The caller puts that down in its agenda.
    pub fn send(&mut self, arrives: Millis, packet: Packet) -> Millis {
        self.last = self.last.max(arrives);
        self.packets.push_back((self.last, packet));
        self.last
    }

    /// Takes the packet that has arrived by now.
    pub fn take(&mut self, now: Millis) -> Option<Packet> {
        let (arrives, _) = self.packets.front()?;
        if *arrives > now {
            return None;
        }
        self.packets.pop_front().map(|(_, packet)| packet)
    }

    /// Packets on their way.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// When the last packet arrives or arrived.
    pub fn last(&self) -> Millis {
        self.last
    }

    /// Loses what is on its way.
    pub fn lose(&mut self) {
        self.packets.clear();
    }
}

/// One WebSocket.
#[derive(Debug)]
pub struct Link {
    /// Its name on the server.
    pub id: ConnectionId,
    /// The tab at one end.
    pub tab: usize,
    /// The server process at the other.
    pub node: usize,
    /// The room it was opened for.
    pub room: u32,
    /// To the server.
    pub up: Pipe,
    /// To the client.
    pub down: Pipe,
    /// Nothing gets through any more, whatever either end believes.
    pub cut: bool,
    /// Whether each end still holds it to be open.
    pub client_open: bool,
    /// See `client_open`.
    pub server_open: bool,
    /// Milliseconds that a frame takes, at most.
    pub latency_ms: u64,
    /// Milliseconds between two frames that the client reads.
    pub read_ms: u64,
    /// Frames that fit between the server's outbox and the client.
    pub window: usize,
    /// Times that the client asked for what it lacks. Once is the handshake.
    pub questions: u32,
}

impl Link {
    /// Milliseconds for the next frame.
    pub fn latency(&self, chance: &mut Chance) -> u64 {
        if self.latency_ms > 100 && chance.permille(100) {
            return self.latency_ms;
        }
        chance.below(self.latency_ms / 2 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(byte: u8) -> Packet {
        Packet::Frame(vec![byte].into())
    }

    #[test]
    fn nothing_overtakes_on_one_connection() {
        let mut pipe = Pipe::default();
        assert_eq!(pipe.send(Millis(9), frame(1)), Millis(9));
        assert_eq!(pipe.send(Millis(3), frame(2)), Millis(9));
        assert!(pipe.take(Millis(8)).is_none());
        for expected in [1, 2] {
            let Some(Packet::Frame(bytes)) = pipe.take(Millis(9)) else {
                panic!("both have arrived");
            };
            assert_eq!(bytes[0], expected);
        }
    }
}
