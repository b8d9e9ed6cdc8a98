//! People and their tabs. Must not know servers.

use collab_core::document::FileId;
use collab_core::ids::ReplicaId;
use collab_core::room::Access;
use collab_core::session::{Effect, Input, SaveState, Session};
use collab_core::time::Millis;

use super::devices::Device;
use super::{Event, World};
use crate::checker::{Invariant, Verdict, violated};
use crate::counts::Happening;
use crate::hostile;
use crate::network::Way;
use crate::person::{Act, Kind, act};
use crate::plain::Plain;
use crate::tab::{Client, Tab};

/// Of a thousand edits in a page, how many are followed by a copy of everything to the device.
const COPIES: u64 = 100;

/// Somebody, with one tab at a time.
#[derive(Debug)]
pub(super) struct Person {
    room: u32,
    pub(super) tab: usize,
    acts_left: u64,
    hostile: bool,
    pub(super) device: Device,
}

/// What a person's tab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Page,
    Plain,
    Hostile,
}

impl World {
    pub(super) fn people_arrive(&mut self) {
        let people = self.scenario.people + usize::from(self.scenario.hostile);
        for number in 0..people {
            let rooms = u64::from(self.scenario.rooms);
            let room = u32::try_from(self.chance.below(rooms)).unwrap_or(0);
            let hostile = number >= self.scenario.people;
            self.people.push(Person {
                room,
                tab: usize::MAX,
                acts_left: self.scenario.acts,
                hostile,
                device: Device::default(),
            });
            let delay = self.chance.below(1_000);
            self.agenda.after(delay, Event::OpenTab(number));
            self.agenda.after(delay + 1, Event::Act(number));
        }
    }

    pub(super) fn open_tab(&mut self, person: usize) -> Verdict {
        if self.healed {
            return Ok(());
        }
        let (room, hostile, again) = {
            let person = &self.people[person];
            (person.room, person.hostile, person.tab != usize::MAX)
        };
        let kind = match () {
            () if hostile => Kinds::Hostile,
            () if self.chance.permille(self.scenario.plain) => Kinds::Plain,
            () => Kinds::Page,
        };
        let tab = self.load_page(room, kind);
        self.people[person].tab = tab;
        if again {
            self.count(Happening::TabOpened);
        }
        self.note(|| format!("person {person} opens tab {tab} ({kind:?}) on room {room}"));
        let mut started = vec![tab];
        if kind == Kinds::Plain && self.scenario.siblings {
            let sibling = self.load_page(room, kind);
            // What a reader types reaches its sibling and nobody else: that is nobody's loss.
            self.tabs[tab].access = Access::Write;
            self.tabs[sibling].access = Access::Write;
            self.tabs[tab].sibling = Some(sibling);
            self.tabs[sibling].sibling = Some(tab);
            self.note(|| format!("tab {sibling} is its sibling"));
            started.push(sibling);
        }
        self.restore(person)?;
        for tab in started {
            self.tell(tab, Input::Start)?;
            let state = format!("{{\"user\":{{\"name\":\"tab {tab}\"}}}}");
            self.tell(tab, Input::Presence(Some(state)))?;
        }
        Ok(())
    }

    fn load_page(&mut self, room: u32, kind: Kinds) -> usize {
        let replica = self.fresh_replica();
        let seed = self.chance.draw();
        let main = FileId::main();
        let client = match kind {
            Kinds::Page => {
                let mut session = Session::new(replica, seed);
                session.open_file(&main);
                Client::Page(Box::new(session))
            }
            Kinds::Plain => Client::Plain(Box::new(Plain::new(replica))),
            Kinds::Hostile => Client::Hostile { busy: false },
        };
        let reads = kind != Kinds::Hostile && self.chance.permille(self.scenario.readers);
        let access = if reads { Access::Read } else { Access::Write };
        self.tabs.push(Tab::new(room, replica, client, access));
        self.tabs.len() - 1
    }

    pub(super) fn act(&mut self, person: usize) -> Verdict {
        if self.healed {
            return Ok(());
        }
        let pause = self.chance.between(1, self.scenario.pause_ms);
        let Some(left) = self.people[person].acts_left.checked_sub(1) else {
            return self.somebody_is_done();
        };
        self.people[person].acts_left = left;
        self.agenda.after(pause, Event::Act(person));
        self.meddle()?;
        let tab = self.people[person].tab;
        if self.tabs.get(tab).is_none_or(|tab| !tab.open) {
            return Ok(());
        }
        if self.people[person].hostile {
            return self.attack(tab);
        }
        let sibling = self.tabs[tab].sibling;
        let tab = match sibling {
            Some(sibling) if self.chance.permille(400) => sibling,
            _ => tab,
        };
        self.tabs[tab].shows_its_document(tab)?;
        let text = self.tabs[tab].editor.clone();
        let act = act(&mut self.chance, &self.scenario, &text);
        self.do_act(person, tab, act)
    }

    /// The day ends for everybody when the last one has nothing left to do.
    fn somebody_is_done(&mut self) -> Verdict {
        if self.people.iter().all(|person| person.acts_left == 0) {
            let delay = self.chance.below(2_000);
            self.agenda.after(delay, Event::Heal);
        }
        Ok(())
    }

    fn do_act(&mut self, person: usize, tab: usize, act: Act) -> Verdict {
        match act {
            Act::Edit(kind, edits) => {
                if self.tabs[tab].access == Access::Read && !self.chance.permille(100) {
                    return Ok(());
                }
                self.note(|| format!("tab {tab} edits ({kind:?}): {}", brief(&edits)));
                self.count_edit(tab, kind);
                let now = self.now();
                let mut effects = Vec::new();
                let update = self.tabs[tab].edit(now, &edits, &mut effects);
                self.carry_out_page(tab, effects)?;
                self.tabs[tab].shows_its_document(tab)?;
                if self.chance.permille(COPIES) {
                    self.copy(person);
                }
                if let (Some(update), Some(sibling)) = (update, self.tabs[tab].sibling) {
                    self.overhear(sibling, &update);
                }
                Ok(())
            }
            Act::Caret => {
                let at = self.chance.below(100);
                let state = format!("{{\"user\":{{\"name\":\"tab {tab}\"}},\"at\":{at}}}");
                self.tell(tab, Input::Presence(Some(state)))
            }
            Act::Idle => Ok(()),
            Act::Retry => self.tell(tab, Input::Retry),
            Act::Offline(ms) => {
                self.count(Happening::WentOffline);
                self.note(|| format!("tab {tab} loses its network for {ms} ms"));
                self.tabs[tab].online = false;
                self.cut_tab(tab);
                self.agenda.after(ms, Event::Online(tab));
                Ok(())
            }
            Act::Cut => {
                self.cut_tab(tab);
                Ok(())
            }
            Act::Close | Act::Kill => self.leave(person, act == Act::Kill),
        }
    }

    fn count_edit(&mut self, tab: usize, kind: Kind) {
        self.count(match kind {
            Kind::Type => Happening::Typed,
            Kind::Delete => Happening::Deleted,
            Kind::Paste => Happening::Pasted,
            Kind::Emoji => Happening::Emoji,
            Kind::Replace => Happening::Replaced,
            Kind::Split => Happening::SplitPair,
        });
        let connected = self.tabs[tab]
            .link
            .and_then(|link| self.links.get(&link))
            .is_some_and(|link| !link.cut);
        if !connected {
            self.count(Happening::OfflineEdit);
        }
    }

    fn overhear(&mut self, sibling: usize, update: &bytes::Bytes) {
        if let Some(Client::Plain(plain)) = self.tabs.get_mut(sibling).map(|tab| &mut tab.client) {
            plain.overhears(update);
            self.count(Happening::Relayed);
        }
    }

    /// A person's tabs go, and perhaps they come back with new ones.
    fn leave(&mut self, person: usize, killed: bool) -> Verdict {
        let tab = self.people[person].tab;
        if killed {
            self.device_crashes(person);
        } else {
            self.copy(person);
        }
        let tabs = [Some(tab), self.tabs[tab].sibling];
        for tab in tabs.into_iter().flatten() {
            self.note(|| format!("tab {tab} is {}", if killed { "killed" } else { "closed" }));
            if killed {
                if self.tabs[tab].dirty {
                    self.count(Happening::TabKilled);
                }
                self.drop_link(tab, false);
            } else {
                self.count(Happening::TabClosed);
                self.tell(tab, Input::Stop)?;
            }
            self.tabs[tab].open = false;
        }
        let pause = self.chance.between(10, 8_000);
        self.agenda.after(pause, Event::OpenTab(person));
        Ok(())
    }

    fn attack(&mut self, tab: usize) -> Verdict {
        let Some(link) = self.tabs[tab].link else {
            return self.tell(tab, Input::Start);
        };
        let victims: Vec<ReplicaId> = self.tabs.iter().map(|tab| tab.replica).collect();
        let victim = *self.chance.pick(&victims);
        let known = self.known.get(&self.tabs[tab].room).cloned();
        let attack = hostile::attack(&mut self.chance, victim, known.as_ref());
        if attack.mutant {
            self.count(Happening::HostileMutant);
        }
        self.note(|| format!("tab {tab} attacks with {:?}", attack.frame));
        self.send_up(link, attack.frame);
        Ok(())
    }

    /// Hands a tab something and carries out what follows.
    pub(super) fn tell(&mut self, tab: usize, input: Input) -> Verdict {
        let now = self.now();
        let mut effects = Vec::new();
        self.tabs[tab].handle(now, input, &mut effects);
        self.carry_out_page(tab, effects)
    }

    fn carry_out_page(&mut self, tab: usize, effects: Vec<Effect>) -> Verdict {
        let mut offers = 0;
        for effect in effects {
            match effect {
                Effect::Connect => self.connect(tab),
                Effect::Send(frame) => {
                    offers += u32::from(frame.starts_with(&[0, 1]));
                    if let Some(link) = self.tabs[tab].link {
                        self.send_up(link, frame);
                    }
                }
                Effect::Disconnect => self.drop_link(tab, true),
                Effect::Changed { file, edits } => {
                    if file == self.tabs[tab].file {
                        self.tabs[tab].show(&edits);
                    }
                }
                Effect::Reset { file, text } => {
                    if file == self.tabs[tab].file {
                        self.tabs[tab].reset(&text);
                    }
                }
                Effect::Keep(kept) => self.keep(tab, kept),
                Effect::Described | Effect::Refused { .. } | Effect::Peer { .. } => {}
                Effect::Status(state) => self.shown(tab, &state)?,
            }
        }
        if offers > 0 && self.tabs[tab].dirty {
            self.count(Happening::Retyped);
        }
        self.arm_tab(tab);
        if self.tabs[tab].was_sent_a_gap() {
            let what = format!("tab {tab} was sent an update that rests on edits it was not sent");
            return violated(Invariant::SentWhole, what);
        }
        Ok(())
    }

    /// The pill changed. What it says must be true.
    fn shown(&mut self, tab: usize, state: &SaveState) -> Verdict {
        self.note(|| format!("tab {tab} shows {state:?}"));
        let tab_state = &mut self.tabs[tab];
        match state {
            SaveState::Saved => {
                if std::mem::take(&mut tab_state.dirty) {
                    self.counts.add(Happening::SaidSaved);
                }
                self.checker.says_saved(tab_state.room, tab, &tab_state.own)
            }
            SaveState::Attention { reason, .. } => {
                violated(Invariant::HonestStays, format!("tab {tab}: {reason}"))
            }
            _ => Ok(()),
        }
    }

    fn arm_tab(&mut self, tab: usize) {
        let Some(deadline) = self.tabs[tab].next_deadline() else {
            return;
        };
        if self.tabs[tab].open && self.tabs[tab].timer.is_none_or(|at| deadline < at) {
            self.tabs[tab].timer = Some(deadline);
            self.agenda.at(deadline, Event::TabTimer(tab));
        }
    }

    pub(super) fn tab_timer(&mut self, tab: usize) -> Verdict {
        let now = self.now();
        if self.tabs[tab].timer.is_some_and(|at| at <= now) {
            self.tabs[tab].timer = None;
        }
        if !self.tabs[tab].open {
            return Ok(());
        }
        if self.tabs[tab].next_deadline().is_some_and(|at| at <= now) {
            let link = self.tabs[tab].link;
            self.tell(tab, Input::Tick)?;
            let silent = link.is_some() && self.tabs[tab].link.is_none();
            if silent {
                self.count(Happening::SilenceNoticed);
            }
            return Ok(());
        }
        self.arm_tab(tab);
        Ok(())
    }

    pub(super) fn back_online(&mut self, tab: usize) -> Verdict {
        self.tabs[tab].online = true;
        if self.tabs[tab].open {
            return self.tell(tab, Input::Retry);
        }
        Ok(())
    }

    /// Whichever connection this tab has is cut.
    pub(super) fn cut_tab(&mut self, tab: usize) {
        if let Some(link) = self.tabs[tab].link {
            self.cut(link);
        }
    }

    /// The client's end of its connection is gone; properly closed, or just gone.
    pub(super) fn drop_link(&mut self, tab: usize, properly: bool) {
        let Some(connection) = self.tabs[tab].link.take() else {
            return;
        };
        if properly {
            self.close_up(connection);
        } else {
            self.cut(connection);
        }
        if let Some(link) = self.links.get_mut(&connection) {
            link.client_open = false;
        }
    }

    /// The client learns that its connection is gone.
    pub(super) fn lost(&mut self, tab: usize, code: u16, reason: String) -> Verdict {
        self.tabs[tab].link = None;
        if !self.tabs[tab].open {
            return Ok(());
        }
        self.note(|| format!("tab {tab} loses its connection ({code} {reason})"));
        self.tell(tab, Input::Closed { code, reason })?;
        let why = self.tabs[tab].turned_away(self.now());
        match why {
            Some(why) if self.tabs[tab].is_honest() => {
                violated(Invariant::HonestStays, format!("tab {tab}: {why}"))
            }
            _ => Ok(()),
        }
    }

    /// A notice that reaches the client's end.
    pub(super) fn client_notices(&mut self, connection: collab_core::ids::ConnectionId) -> Verdict {
        let Some(link) = self.links.get_mut(&connection) else {
            return Ok(());
        };
        if !std::mem::take(&mut link.client_open) {
            return Ok(());
        }
        let tab = link.tab;
        self.forget_if_gone(connection);
        self.lost(tab, 1006, String::new())
    }

    /// When the last frame that this tab could still read has arrived.
    pub(super) fn last_arrival(
        &self,
        connection: collab_core::ids::ConnectionId,
        way: Way,
    ) -> Millis {
        self.links
            .get(&connection)
            .map(|link| match way {
                Way::Up => link.up.last(),
                Way::Down => link.down.last(),
            })
            .unwrap_or_default()
    }
}

fn brief(edits: &[collab_core::document::Edit]) -> String {
    let parts: Vec<String> = edits
        .iter()
        .map(|edit| {
            let insert: String = edit.insert.chars().take(24).collect();
            format!("at {} delete {} insert {insert:?}", edit.at.0, edit.delete)
        })
        .collect();
    parts.join(", ")
}
