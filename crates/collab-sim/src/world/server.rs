//! Server processes: rooms that are woken, fed and retired, and sockets with their outboxes. What
//! the real server's shell does with tasks and channels is done here with the agenda. Must not
//! know people.

mod effects;
mod sockets;

use std::collections::{BTreeMap, VecDeque};

use collab_core::ids::{ConnectionId, Epoch};
use collab_core::outbox::Outbox;
use collab_core::protocol::{CloseCode, Status};
use collab_core::room::{Effect, Input, PhaseName, Room};
use collab_core::time::Millis;

use super::{Event, World};
use crate::checker::{Invariant, Units, Verdict, nothing_pending, violated};
use crate::counts::Happening;

/// Bytes by which a record may be longer than the deltas in it, per turn.
const RECORD_OVERHEAD: usize = 32;

/// One server process.
pub(super) struct Node {
    /// Whether it runs.
    pub(super) up: bool,
    /// Whether it is being stopped gracefully.
    pub(super) stopping: bool,
    /// Which of its lives.
    pub(super) incarnation: u64,
    hosts: BTreeMap<u32, Host>,
    sockets: BTreeMap<ConnectionId, Socket>,
}

/// What keeps one room awake.
struct Host {
    room: Room,
    /// Which life of this room: answers for an earlier one are nobody's.
    life: u64,
    inbox: VecDeque<Input>,
    turn_at: Option<Millis>,
    timer: Option<Millis>,
    /// What storage held when it answered the load that is in the inbox.
    loadable: Option<Units>,
    /// As whom it claimed the room, once it has.
    claimed: Option<Epoch>,
    /// Bytes of updates handed in since the last end of a turn.
    offered: usize,
    turns: usize,
    /// Unsaved bytes after the last turn.
    unsaved: usize,
    retired: bool,
}

/// The server's end of a connection.
#[derive(Debug)]
struct Socket {
    room: u32,
    /// The life of the room that has seen it come.
    joined: Option<u64>,
    outbox: Outbox,
    /// Largest droppable frame pushed, in bytes.
    largest: usize,
    closing: Option<(CloseCode, String)>,
    draining: bool,
    /// The room was told that it was drained, and has not answered.
    asked: bool,
    /// Times that the client was asked for what it has. Once is the greeting.
    questions: u32,
}

impl Node {
    pub(super) fn new(up: bool) -> Node {
        Node {
            up,
            stopping: false,
            incarnation: 0,
            hosts: BTreeMap::new(),
            sockets: BTreeMap::new(),
        }
    }

    pub(super) fn takes_connections(&self) -> bool {
        self.up && !self.stopping
    }

    /// Whether a room's inbox holds as much as it may.
    pub(super) fn is_full(&self, room: u32, limit: usize) -> bool {
        self.hosts
            .get(&room)
            .is_some_and(|host| host.inbox.len() >= limit)
    }

    /// Everything in memory is gone. The connections it had.
    pub(super) fn die(&mut self) -> Vec<ConnectionId> {
        self.up = false;
        self.stopping = false;
        self.incarnation += 1;
        self.hosts.clear();
        std::mem::take(&mut self.sockets).into_keys().collect()
    }

    /// Rooms that are awake.
    pub(super) fn rooms(&self) -> Vec<u32> {
        self.hosts.keys().copied().collect()
    }

    /// As whom this process claimed a room that is awake, once it has.
    pub(super) fn claimed(&self, room: u32) -> Option<Epoch> {
        self.hosts.get(&room).and_then(|host| host.claimed)
    }

    /// The machine of a room that is awake.
    pub(super) fn room(&mut self, room: u32) -> Option<&mut Room> {
        self.hosts.get_mut(&room).map(|host| &mut host.room)
    }

    /// What waits to be handled, sent, saved or brought level.
    pub(super) fn busy_with(&self) -> Option<String> {
        let room = self.hosts.iter().find_map(|(number, host)| {
            let quiet = host.inbox.is_empty()
                && host.room.phase() == PhaseName::Live
                && host.room.unsaved_bytes() == 0
                && host.room.status() == Status::Normal;
            (!quiet).then(|| {
                format!(
                    "room {number} is {:?}, {:?}, with {} inputs waiting and {} bytes unsaved",
                    host.room.phase(),
                    host.room.status(),
                    host.inbox.len(),
                    host.room.unsaved_bytes()
                )
            })
        });
        let socket = self.sockets.iter().find_map(|(connection, socket)| {
            let quiet =
                socket.outbox.is_empty() && !socket.outbox.is_lagging() && socket.closing.is_none();
            (!quiet).then(|| {
                format!(
                    "connection {connection} has {} bytes waiting, asked {}, missed {:?}",
                    socket.outbox.bytes(),
                    socket.asked,
                    socket.outbox.missed()
                )
            })
        });
        room.or(socket)
    }
}

impl World {
    /// Finds a room or wakes it: put in the registry first, loaded inside.
    pub(super) fn wake(&mut self, node: usize, room: u32) -> Verdict {
        if self.nodes[node].hosts.contains_key(&room) {
            return Ok(());
        }
        let (life, replica) = (self.fresh_id(), self.fresh_replica());
        let mut effects = Vec::new();
        let mut machine = Room::new(self.scenario.settings, replica);
        machine.start(self.now(), &mut effects);
        self.note(|| format!("room {room} wakes on node {node} (life {life})"));
        if self.disk.row(room).is_some_and(|row| row.head.0 > 0) {
            self.count(Happening::Woken);
        }
        self.nodes[node].hosts.insert(
            room,
            Host {
                room: machine,
                life,
                inbox: VecDeque::new(),
                turn_at: None,
                timer: None,
                loadable: None,
                claimed: None,
                offered: 0,
                turns: 0,
                unsaved: 0,
                retired: false,
            },
        );
        self.carry_out(node, room, effects)
    }

    /// Puts something into the inbox of a room that is awake.
    pub(super) fn put(&mut self, node: usize, room: u32, input: Input) {
        self.put_if_awake(node, room, input);
    }

    /// The same; a room that is no more hears nothing.
    pub(super) fn put_if_awake(&mut self, node: usize, room: u32, input: Input) {
        let delay = self.chance.below(6);
        let now = self.now();
        let Some(host) = self.nodes[node].hosts.get_mut(&room) else {
            return;
        };
        host.inbox.push_back(input);
        if host.turn_at.is_none() {
            let at = now.plus(delay);
            host.turn_at = Some(at);
            let life = host.life;
            self.agenda.at(at, Event::Turn { node, room, life });
        }
    }

    /// Storage's answer for a room, if the life that asked still lives.
    pub(super) fn put_answer(
        &mut self,
        node: usize,
        room: u32,
        life: u64,
        input: Input,
        loadable: Option<Units>,
    ) {
        let Some(host) = self.nodes[node].hosts.get_mut(&room) else {
            return;
        };
        if host.life != life {
            return;
        }
        if loadable.is_some() {
            host.loadable = loadable;
        }
        self.put(node, room, input);
    }

    /// A room's task takes what waits, hands it in, and carries out what follows.
    pub(super) fn turn(&mut self, node: usize, room: u32, life: u64) -> Verdict {
        let now = self.now();
        let all = self.chance.permille(800);
        let poison = self.chance.permille(self.scenario.poison) && !self.healed;
        let Node { hosts, sockets, .. } = &mut self.nodes[node];
        let Some(host) = hosts.get_mut(&room) else {
            return Ok(());
        };
        if host.life != life {
            return Ok(());
        }
        host.turn_at = None;
        let waiting = host.inbox.len();
        let take = if all {
            waiting
        } else {
            1 + self.chance.index(waiting)
        };
        let inputs: Vec<Input> = host.inbox.drain(..take.min(waiting)).collect();
        if poison && let Some(document) = host.room.document() {
            if self.chance.permille(700) {
                document.fail_next_turn();
            } else if let [Input::Frame { connection, frame }] = &inputs[..]
                && frame.starts_with(&[0, 0])
                && self
                    .links
                    .get(connection)
                    .is_some_and(|link| self.tabs[link.tab].is_honest())
                && sockets
                    .get(connection)
                    .is_some_and(|it| it.joined == Some(life) && it.closing.is_none())
            {
                // A question is answered by reading, so reading is what fails, not an update.
                document.poison();
            }
        }
        let mut effects = Vec::new();
        for input in inputs {
            self.hand_in(node, room, input, &mut effects)?;
        }
        let Some(host) = self.nodes[node].hosts.get_mut(&room) else {
            return Ok(());
        };
        host.room.end_turn(now, &mut effects);
        self.carry_out(node, room, effects)?;
        self.after_turn(node, room, life)
    }

    fn hand_in(
        &mut self,
        node: usize,
        room: u32,
        input: Input,
        effects: &mut Vec<Effect>,
    ) -> Verdict {
        let now = self.now();
        let node_state = &mut self.nodes[node];
        let Some(host) = node_state.hosts.get_mut(&room) else {
            return Ok(());
        };
        let mut load_answered = false;
        let claimed = match &input {
            Input::Loaded(loaded) => Some(loaded.epoch),
            _ => None,
        };
        match &input {
            Input::Join { connection, .. } => {
                if let Some(socket) = node_state.sockets.get_mut(connection) {
                    socket.joined = Some(host.life);
                }
            }
            Input::Frame { frame, .. } => {
                host.offered += frame.len();
                host.turns += 1;
            }
            Input::Apply { update, .. } => {
                host.offered += update.len();
                host.turns += 1;
            }
            Input::Loaded(loaded) => {
                load_answered = true;
                host.claimed = Some(loaded.epoch);
            }
            Input::LoadFailed(_) => load_answered = true,
            Input::Write { edits, .. } => {
                let inserted: usize = edits.iter().map(|edit| edit.insert.len() + 64).sum();
                host.offered += inserted;
                host.turns += 1;
            }
            _ => {}
        }
        let asked = match &input {
            Input::Write { request, .. } | Input::Apply { request, .. } => Some(*request),
            _ => None,
        };
        host.room.handle(now, input, effects);
        if load_answered && host.room.phase() == PhaseName::Live {
            let mut loadable = host.loadable.take().unwrap_or_default();
            // Nobody else could write since: it must have all there is now.
            let owner = self.disk.row(room).map(|row| row.epoch);
            if owner.is_some() && owner == claimed {
                loadable = self.checker.stored(room);
            }
            if let Some(document) = host.room.document() {
                self.checker.woke(room, document, &loadable)?;
            }
        }
        // A write is merged at once, and what is merged then must be durable when it is answered.
        if let Some(request) = asked
            && let Some(host) = self.nodes[node].hosts.get_mut(&room)
            && let Some(state) = host.room.document().and_then(|it| it.encode().ok())
            && let Some(units) = Units::of_update(&state)
        {
            self.checker.merged_before(request, room, units);
        }
        Ok(())
    }

    /// Memory is within its bounds, and whatever is due next is put down.
    fn after_turn(&mut self, node: usize, room: u32, life: u64) -> Verdict {
        let now = self.now();
        let settings = self.scenario.settings;
        let Some(host) = self.nodes[node].hosts.get_mut(&room) else {
            return Ok(());
        };
        let unsaved = host.room.unsaved_bytes();
        // A turn's updates are judged together, so one turn may pass the budget; then nothing more
        // is taken. Re-encoding may be a little longer than what came, as a record is.
        let budget = settings.unsaved_budget_bytes;
        let bound = match host.unsaved > budget {
            true => host.unsaved,
            false => budget + 2 * host.offered,
        } + RECORD_OVERHEAD * (host.turns + 16);
        host.unsaved = unsaved;
        if unsaved > bound {
            return violated(
                Invariant::MemoryBounded,
                format!("room {room} holds {unsaved} unsaved bytes, the bound is {bound}"),
            );
        }
        if host.room.held_bytes() > settings.max_held_bytes {
            return violated(
                Invariant::MemoryBounded,
                format!(
                    "room {room} holds {} bytes while loading",
                    host.room.held_bytes()
                ),
            );
        }
        if host.room.phase() != PhaseName::Loading {
            // What a loading room holds is merged later, in one turn.
            (host.offered, host.turns) = (0, 0);
        }
        if host.room.status() == Status::Degraded {
            self.counts.add(Happening::Degraded);
        }
        if host.room.status() == Status::Frozen {
            self.counts.add(Happening::Frozen);
        }
        if host.retired {
            return self.retire(node, room);
        }
        if !host.inbox.is_empty() && host.turn_at.is_none() {
            host.turn_at = Some(now.plus(1));
            self.agenda
                .at(now.plus(1), Event::Turn { node, room, life });
        }
        let deadline = host.room.next_deadline();
        if let Some(at) = deadline.filter(|at| host.timer.is_none_or(|armed| *at < armed)) {
            host.timer = Some(at);
            self.agenda.at(at, Event::RoomTimer { node, room, life });
        }
        if self.chance.permille(50)
            && let Some(host) = self.nodes[node].hosts.get_mut(&room)
            && let Some(document) = host.room.document()
        {
            nothing_pending(room, document)?;
            if let Ok(state) = document.encode() {
                self.known.insert(room, state);
            }
        }
        Ok(())
    }

    /// The room has ended. Whoever stands in its inbox is turned away and comes back.
    fn retire(&mut self, node: usize, room: u32) -> Verdict {
        let now = self.now();
        self.note(|| format!("room {room} is retired on node {node}"));
        let Some(mut host) = self.nodes[node].hosts.remove(&room) else {
            return Ok(());
        };
        let mut effects = Vec::new();
        for input in std::mem::take(&mut host.inbox) {
            if matches!(input, Input::Join { .. }) {
                self.counts.add(Happening::JoinWhileRetiring);
            }
            host.room.handle(now, input, &mut effects);
        }
        self.carry_out(node, room, effects)
    }

    pub(super) fn room_timer(&mut self, node: usize, room: u32, life: u64) {
        let now = self.now();
        let Some(host) = self.nodes[node].hosts.get_mut(&room) else {
            return;
        };
        if host.life != life {
            return;
        }
        if host.timer.is_some_and(|at| at <= now) {
            host.timer = None;
        }
        self.put(node, room, Input::Tick);
    }
}
