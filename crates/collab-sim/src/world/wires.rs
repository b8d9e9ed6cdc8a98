//! Connections coming, going, and carrying frames. Must not know what the ends do with them.

use bytes::Bytes;
use collab_core::ids::ConnectionId;
use collab_core::protocol::codec::KEEPALIVE;
use collab_core::room::Input as RoomInput;
use collab_core::session::Input;

use super::{Event, World};
use crate::checker::Verdict;
use crate::counts::Happening;
use crate::network::{Link, Packet, Pipe, Way};

/// Milliseconds between two keepalives of the server, at most.
const KEEPALIVE_MS: u64 = 18_000;

/// Milliseconds after which an end that keeps sending learns of a cut at last.
const LATE_NOTICE_MS: u64 = 60_000;

impl World {
    /// A tab asks for a connection.
    pub(super) fn connect(&mut self, tab: usize) {
        let id = ConnectionId(self.fresh_id());
        let second = self.scenario.split && !self.healed && self.chance.permille(500);
        let slow = self.chance.permille(self.scenario.slow_readers) && !self.healed;
        let slowest = self.scenario.latency_ms;
        let latency_ms = if self.healed {
            slowest.min(30)
        } else {
            slowest
        };
        self.links.insert(
            id,
            Link {
                id,
                tab,
                node: usize::from(second),
                room: self.tabs[tab].room,
                up: Pipe::default(),
                down: Pipe::default(),
                cut: false,
                client_open: true,
                server_open: false,
                latency_ms,
                read_ms: if slow {
                    self.chance.between(100, 3_000)
                } else {
                    0
                },
                window: if slow { 1 } else { 16 },
                questions: 0,
            },
        );
        self.tabs[tab].link = Some(id);
        let delay = self.chance.below(latency_ms + 1) + 1;
        if !self.tabs[tab].online {
            self.agenda.after(delay, Event::Refused(id));
        } else if !self.healed && self.chance.permille(20) {
            self.count(Happening::ConnectHung);
            self.note(|| format!("connection {id} of tab {tab} hangs"));
            let patience = self.chance.between(5_000, 40_000);
            self.agenda.after(patience, Event::Refused(id));
        } else {
            self.agenda.after(delay, Event::Accept(id));
        }
    }

    pub(super) fn accept(&mut self, connection: ConnectionId) -> Verdict {
        let Some(link) = self.links.get(&connection) else {
            return Ok(());
        };
        let (tab, node, room) = (link.tab, link.node, link.room);
        if link.cut || !link.client_open {
            self.forget_if_gone(connection);
            return Ok(());
        }
        if !self.nodes[node].takes_connections() {
            self.agenda.after(1, Event::Refused(connection));
            return Ok(());
        }
        self.note(|| format!("connection {connection} of tab {tab} to room {room} of node {node}"));
        let (dialect, access) = (self.tabs[tab].dialect(), self.tabs[tab].access);
        let honest = self.tabs[tab].is_honest();
        self.checker.opened(connection, room, dialect, honest);
        if let Some(link) = self.links.get_mut(&connection) {
            link.server_open = true;
        }
        self.send_down(connection, Packet::Opened);
        self.agenda
            .after(KEEPALIVE_MS, Event::Keepalive(connection));
        self.socket_opened(connection, node, room)?;
        self.put(
            node,
            room,
            RoomInput::Join {
                connection,
                dialect,
                access,
            },
        );
        Ok(())
    }

    pub(super) fn refused(&mut self, connection: ConnectionId) -> Verdict {
        self.count(Happening::ConnectRefused);
        let Some(link) = self.links.remove(&connection) else {
            return Ok(());
        };
        if link.client_open {
            return self.lost(link.tab, 1006, String::new());
        }
        Ok(())
    }

    /// A client sends a frame.
    pub(super) fn send_up(&mut self, connection: ConnectionId, frame: Bytes) {
        let now = self.now();
        let Some(link) = self.links.get_mut(&connection).filter(|link| !link.cut) else {
            return;
        };
        if frame.starts_with(&[0, 0]) && self.tabs[link.tab].is_honest() {
            link.questions += 1;
            self.tabs[link.tab].asked_again |= link.questions > 1;
        }
        let latency = link.latency(&mut self.chance);
        let arrives = link.up.send(now.plus(latency + 1), Packet::Frame(frame));
        if arrives.since(now) > 1_000 {
            self.counts.add(Happening::Delay);
        }
        self.agenda.at(arrives, Event::Arrive(connection, Way::Up));
    }

    /// A client closes its end properly: what it sent before still arrives.
    pub(super) fn close_up(&mut self, connection: ConnectionId) {
        let now = self.now();
        let Some(link) = self.links.get_mut(&connection).filter(|link| !link.cut) else {
            return;
        };
        let close = Packet::Close {
            code: 1000,
            reason: String::new(),
        };
        let arrives = link.up.send(now.plus(1), close);
        self.agenda.at(arrives, Event::Arrive(connection, Way::Up));
    }

    /// The server sends something.
    pub(super) fn send_down(&mut self, connection: ConnectionId, packet: Packet) {
        let now = self.now();
        let Some(link) = self.links.get_mut(&connection).filter(|link| !link.cut) else {
            return;
        };
        let latency = link.latency(&mut self.chance);
        let arrives = now
            .plus(latency + 1)
            .max(link.down.last().plus(link.read_ms));
        let arrives = link.down.send(arrives, packet);
        if arrives.since(now) > 1_000 {
            self.counts.add(Happening::Delay);
        }
        self.agenda
            .at(arrives, Event::Arrive(connection, Way::Down));
    }

    pub(super) fn arrive_up(&mut self, connection: ConnectionId) -> Verdict {
        let now = self.now();
        let Some(link) = self.links.get_mut(&connection) else {
            return Ok(());
        };
        let (node, room) = (link.node, link.room);
        if link.cut || !link.server_open {
            return Ok(());
        }
        if self.nodes[node].is_full(room, self.scenario.inbox) {
            // Not read: the sender's own buffers fill, and the order stays.
            self.counts.add(Happening::Backpressure);
            self.agenda.after(3, Event::Arrive(connection, Way::Up));
            return Ok(());
        }
        match link.up.take(now) {
            None => Ok(()),
            Some(Packet::Frame(frame)) => {
                self.count_crossing(connection);
                self.checker.received(connection, &frame);
                self.put(node, room, RoomInput::Frame { connection, frame });
                Ok(())
            }
            Some(Packet::Close { .. } | Packet::Opened) => self.server_end_gone(connection),
        }
    }

    /// A frame overtook an older one of another connection.
    fn count_crossing(&mut self, connection: ConnectionId) {
        let now = self.now();
        let crossed = self.links.values().any(|other| {
            other.id < connection && other.up.last() > now.plus(20) && !other.up.is_empty()
        });
        if crossed {
            self.count(Happening::Crossed);
        }
    }

    pub(super) fn arrive_down(&mut self, connection: ConnectionId) -> Verdict {
        let now = self.now();
        let Some(link) = self.links.get_mut(&connection) else {
            return Ok(());
        };
        let tab = link.tab;
        if link.cut {
            return Ok(());
        }
        let packet = link.down.take(now);
        let open = link.client_open;
        self.schedule_drain(connection, 0);
        match packet {
            Some(Packet::Opened) if open => self.tell(tab, Input::Opened),
            Some(Packet::Frame(frame)) if open => {
                self.tell(tab, Input::Frame(frame))?;
                self.tabs[tab].shows_its_document(tab)
            }
            Some(Packet::Close { code, reason }) => {
                if let Some(link) = self.links.get_mut(&connection) {
                    link.client_open = false;
                }
                // The server hears the closing handshake.
                let delay = self.chance.below(50) + 1;
                self.agenda.after(delay, Event::Notice(connection, Way::Up));
                if open {
                    return self.lost(tab, code, reason);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Both ends will learn of it, each in its own time; until then they talk into the void.
    pub(super) fn cut(&mut self, connection: ConnectionId) {
        let Some(link) = self.links.get_mut(&connection).filter(|link| !link.cut) else {
            return;
        };
        link.cut = true;
        let lost = link.up.len() + link.down.len();
        link.up.lose();
        link.down.lose();
        self.count(Happening::Cut);
        if lost > 0 {
            self.count(Happening::CutInFlight);
        }
        self.note(|| format!("connection {connection} is cut, {lost} packets are lost"));
        for way in [Way::Up, Way::Down] {
            let at_once = self.chance.permille(600);
            let delay = match at_once {
                true => self.chance.below(100),
                false => {
                    self.count(Happening::CutUnnoticed);
                    self.chance.between(2_000, LATE_NOTICE_MS)
                }
            };
            self.agenda.after(delay + 1, Event::Notice(connection, way));
        }
    }

    /// An end notices that its connection is gone. `Way` is the direction it would have sent from:
    /// `Up` reaches the server's end, `Down` the client's.
    pub(super) fn notice(&mut self, connection: ConnectionId, way: Way) -> Verdict {
        match way {
            Way::Up => self.server_end_gone(connection),
            Way::Down => self.client_notices(connection),
        }
    }

    /// The server's end is gone: the room hears that its member left.
    pub(super) fn server_end_gone(&mut self, connection: ConnectionId) -> Verdict {
        let Some(link) = self.links.get_mut(&connection) else {
            return Ok(());
        };
        let (node, room) = (link.node, link.room);
        let was_open = std::mem::take(&mut link.server_open);
        if was_open {
            // Whoever is at the other end will hear nothing more.
            if !link.cut && link.client_open {
                let delay = self.chance.below(50) + 1;
                self.agenda
                    .after(delay, Event::Notice(connection, Way::Down));
            }
            self.note(|| format!("the server loses connection {connection}"));
            self.socket_gone(connection, node);
            self.put_if_awake(node, room, RoomInput::Leave { connection });
        }
        self.forget_if_gone(connection);
        Ok(())
    }

    pub(super) fn forget_if_gone(&mut self, connection: ConnectionId) {
        let gone = self
            .links
            .get(&connection)
            .is_some_and(|link| !link.client_open && !link.server_open);
        if gone {
            self.links.remove(&connection);
            self.checker.closed(connection);
        }
    }

    pub(super) fn keepalive(&mut self, connection: ConnectionId) {
        let open = self
            .links
            .get(&connection)
            .is_some_and(|link| link.server_open);
        if open {
            self.send_down(connection, Packet::Frame(Bytes::from_static(KEEPALIVE)));
            self.agenda
                .after(KEEPALIVE_MS, Event::Keepalive(connection));
        }
    }
}
