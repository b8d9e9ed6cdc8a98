//! What goes wrong on its own: processes that die and come back, programs that interfere. Must not
//! know people.

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::Offset;
use collab_core::room::Input;

use super::{Event, World};
use crate::checker::{Units, Verdict};
use crate::counts::Happening;
use crate::network::Way;

/// Milliseconds that a graceful stop may take.
const DRAIN_MS: u64 = 2_000;

impl World {
    /// Once per act of anybody: something in the machinery may give way.
    pub(super) fn meddle(&mut self) -> Verdict {
        if self.chance.permille(self.scenario.drains) {
            return self.stop_gracefully(0);
        }
        if self.chance.permille(self.scenario.crashes) {
            let node = usize::from(self.scenario.split && self.chance.permille(300));
            if self.nodes[node].up {
                self.note(|| format!("node {node} is killed"));
                return self.crash(node);
            }
        }
        if self.scenario.split && self.chance.permille(5) {
            self.second_owner();
        }
        Ok(())
    }

    /// The other process claims a room that is awake here, with or without clients of its own.
    fn second_owner(&mut self) {
        let room = u32::try_from(self.chance.below(u64::from(self.scenario.rooms))).unwrap_or(0);
        let node = usize::from(self.chance.permille(500));
        if self.nodes[node].takes_connections() && self.nodes[1 - node].rooms().contains(&room) {
            self.count(Happening::SecondOwner);
            // A room that cannot be woken (the process dies on the way) is no claim.
            let _ = self.wake(node, room);
        }
    }

    /// The process dies: memory is gone, rows stay, what was asked of storage may still happen.
    pub(super) fn crash(&mut self, node: usize) -> Verdict {
        let connections = self.nodes[node].die();
        for room in 0..self.scenario.rooms {
            if let Some(row) = self.disk.row(room) {
                self.checker.crashed(room, row)?;
            }
        }
        for connection in connections {
            let read_on = self.chance.permille(500);
            let late = self.chance.permille(100);
            let delay = match late {
                true => self.chance.between(5_000, 50_000),
                false => self.chance.between(1, 200),
            };
            let Some(link) = self.links.get_mut(&connection) else {
                continue;
            };
            link.server_open = false;
            link.up.lose();
            if !read_on {
                // What the kernel had taken may be lost with it; else it arrives, and then the end.
                link.down.lose();
                link.cut = true;
            }
            let after = self.last_arrival(connection, Way::Down);
            let at = self.now().plus(delay).max(after.plus(1));
            self.agenda.at(at, Event::Notice(connection, Way::Down));
            self.forget_if_gone(connection);
        }
        let down = match self.chance.permille(900) {
            true => self.chance.between(50, 2_000),
            false => self.chance.between(2_000, 15_000),
        };
        self.agenda.after(down, Event::Restart(node));
        Ok(())
    }

    pub(super) fn restart(&mut self, node: usize) {
        let wanted = node == 0 || (self.scenario.split && !self.healed);
        if wanted && !self.nodes[node].up {
            self.count(Happening::Restarted);
            self.note(|| format!("node {node} starts again"));
            self.nodes[node].up = true;
        }
    }

    fn stop_gracefully(&mut self, node: usize) -> Verdict {
        if !self.nodes[node].takes_connections() {
            return Ok(());
        }
        self.note(|| format!("node {node} is asked to stop"));
        self.count(Happening::Drained);
        self.nodes[node].stopping = true;
        for room in self.nodes[node].rooms() {
            let within_ms = DRAIN_MS;
            self.put(node, room, Input::Drain { within_ms });
        }
        let incarnation = self.nodes[node].incarnation;
        let stopped = Event::Stopped { node, incarnation };
        self.agenda.after(DRAIN_MS + 500, stopped);
        Ok(())
    }

    /// By now every room has retired; if not, the process goes all the same.
    pub(super) fn stopped(&mut self, node: usize, incarnation: u64) -> Verdict {
        if self.nodes[node].incarnation == incarnation && self.nodes[node].up {
            return self.crash(node);
        }
        Ok(())
    }

    /// Somebody's script edits a room over HTTP.
    pub(super) fn program(&mut self) -> Verdict {
        if self.healed {
            return Ok(());
        }
        let pause = self.chance.between(100, 6_000);
        self.agenda.after(pause, Event::Program);
        if !self.nodes[0].takes_connections() {
            return Ok(());
        }
        let room = u32::try_from(self.chance.below(u64::from(self.scenario.rooms))).unwrap_or(0);
        self.wake(0, room)?;
        let request = self.fresh_request();
        let insert = Edit {
            at: Offset(0),
            delete: 0,
            insert: "⟦program⟧".to_owned(),
        };
        let file = FileId::main();
        let input = if self.chance.permille(500) {
            self.checker.asked(request, room, Units::default());
            Input::Write {
                request,
                file,
                edits: vec![insert],
            }
        } else {
            let update = self.program_update(room, &file, insert);
            let units = Units::of_update(&update).unwrap_or_default();
            self.checker.asked(request, room, units);
            Input::Apply { request, update }
        };
        self.note(|| format!("a program asks {request:?} of room {room}"));
        self.put(0, room, input);
        Ok(())
    }

    /// An update made on the state that the program fetched a while ago; one in three rests on an
    /// edit that it forgot to send.
    fn program_update(&mut self, room: u32, file: &FileId, edit: Edit) -> Bytes {
        let replica = self.fresh_replica();
        let known = self.known.get(&room).cloned();
        let state = known.iter().map(|state| &state[..]);
        let mut document =
            Document::load(replica, state).unwrap_or_else(|_| Document::new(replica));
        let edits = [edit];
        if self.chance.permille(333) {
            let _forgotten = document.edit(file, &edits);
        }
        document.edit(file, &edits).unwrap_or_default()
    }
}
