//! The end of a schedule: faults stop, and everything must come to rest and be the same everywhere.
//! Must not judge documents; that is the checker's.

use collab_core::room::{Access, PhaseName};
use collab_core::session::Input;
use collab_core::time::Millis;

use super::{Event, REST_MS, REST_STEP_MS, World, is_tainted};
use crate::checker::{Face, Invariant, Verdict, violated};
use crate::counts::Happening;
use crate::scenario::Weather;
use crate::tab::{Client, Tab};

impl World {
    /// Faults stop: storage works, one server runs, every device has a network, attackers are gone.
    pub(super) fn heal(&mut self) -> Verdict {
        if self.healed {
            return Ok(());
        }
        self.note(|| "faults stop".to_owned());
        self.healed = true;
        self.weather = Weather::FAIR;
        if self.nodes[1].up {
            self.crash(1)?;
        }
        // Who lost a room learns it at the next write, and there may be none. Until leases end
        // such a life by the clock, faults do.
        let is_stale = |room: &u32| {
            let owner = self.disk.row(*room).map(|row| row.epoch);
            let claimed = self.nodes[0].claimed(*room);
            claimed.is_some() && claimed != owner
        };
        if self.nodes[0].up && self.nodes[0].rooms().iter().any(is_stale) {
            self.note(|| "node 0 learns that a room is not its own".to_owned());
            self.crash(0)?;
        }
        for link in self.links.values_mut() {
            link.read_ms = 0;
            link.window = 16;
            link.latency_ms = link.latency_ms.min(30);
        }
        for tab in 0..self.tabs.len() {
            if !self.tabs[tab].open {
                continue;
            }
            if matches!(self.tabs[tab].client, Client::Hostile { .. }) {
                self.drop_link(tab, true);
                self.tabs[tab].open = false;
            } else {
                self.tabs[tab].online = true;
                self.tell(tab, Input::Retry)?;
            }
        }
        let since = self.now();
        self.agenda.after(REST_STEP_MS, Event::RestYet { since });
        Ok(())
    }

    pub(super) fn rest_yet(&mut self, since: Millis) -> Verdict {
        let Some(restless) = self.restless() else {
            self.done = true;
            return self.judge();
        };
        if self.now().since(since) > REST_MS {
            return violated(Invariant::ComesToRest, restless);
        }
        self.agenda.after(REST_STEP_MS, Event::RestYet { since });
        Ok(())
    }

    /// Who is still busy, in words.
    fn restless(&self) -> Option<String> {
        if !self.nodes[0].up {
            return Some("the server is down".to_owned());
        }
        if let Some(busy) = self.nodes[0].busy_with() {
            return Some(busy);
        }
        if !self.operations.is_empty() {
            return Some("storage is busy".to_owned());
        }
        if let Some(link) = self
            .links
            .values()
            .find(|link| link.client_open && (!link.up.is_empty() || !link.down.is_empty()))
        {
            return Some(format!("connection {} still carries frames", link.id));
        }
        self.tabs.iter().enumerate().find_map(|(number, tab)| {
            if !tab.open {
                return None;
            }
            let link = tab.link.and_then(|link| self.links.get(&link));
            let connected =
                link.is_some_and(|link| !link.cut && link.server_open && link.client_open);
            if !connected {
                return Some(format!("tab {number} is not connected"));
            }
            // A reader's own edits are nobody's.
            if tab.access == Access::Read {
                return None;
            }
            (!tab.is_level(self.now())).then(|| format!("tab {number} is not level"))
        })
    }

    /// Whether anybody's copy of a room holds blocks of somebody hostile.
    fn is_room_tainted(&mut self, room: u32) -> bool {
        let machine = self.nodes[0].room(room).and_then(|room| room.document());
        let by_tabs = self
            .tabs
            .iter()
            .filter(|tab| tab.room == room)
            .filter_map(Tab::document);
        let issued = &self.issued;
        machine
            .map(|document| &*document)
            .into_iter()
            .chain(by_tabs)
            .any(|document| is_tainted(issued, document))
    }

    fn judge(&mut self) -> Verdict {
        for room in 0..self.scenario.rooms {
            let Some(row) = self.disk.row(room).cloned() else {
                continue;
            };
            self.checker.crashed(room, &row)?;
            let tainted = self.is_room_tainted(room);
            if tainted {
                self.count(Happening::HostileMerged);
            }
            let mut faces = Vec::new();
            for (number, tab) in self.tabs.iter().enumerate() {
                let typed_in_vain = tab.access == Access::Read && !tab.own.is_empty();
                if !tab.open || tab.room != room || typed_in_vain {
                    continue;
                }
                if let Some(document) = tab.document() {
                    faces.push((format!("tab {number}"), Face::of(document)?));
                }
            }
            if let Some(machine) = self.nodes[0].room(room)
                && machine.phase() == PhaseName::Live
                && let Some(document) = machine.document()
            {
                crate::checker::nothing_pending(room, document)?;
                faces.push(("the room".to_owned(), Face::of(document)?));
            }
            let rested = faces.len();
            self.note(|| format!("room {room} rests, {rested} documents"));
            self.checker.rests(room, &row, &faces, &mut self.chance)?;
        }
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].open {
                self.tabs[tab].shows_its_document(tab)?;
            }
        }
        Ok(())
    }
}
