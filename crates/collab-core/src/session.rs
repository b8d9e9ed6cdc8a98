//! The browser's end of the protocol: one person's stay in one room, across as many connections
//! as it takes. Must not know JavaScript, the DOM or WebSockets.
//!
//! What is not acknowledged is remembered, what was refused is said, and "Saved" is shown only
//! when the server has committed every edit made here.

mod backoff;
mod editing;
mod events;
mod keeping;
mod peers;
mod pill;
#[cfg(test)]
mod tests;
mod unsaved;

use bytes::Bytes;

pub use events::{Description, Effect, Input, Kept, SaveState};
pub use keeping::HEARD_BYTES;

use crate::document::{Document, FileId, Outcome, StateVector, Turn};
use crate::ids::{Lineage, ReplicaId};
use crate::protocol::{self, CloseCode, Control, Message, RejectCode, Status, awareness, codec};
use crate::time::Millis;
use backoff::Backoff;
use keeping::Keeping;
use peers::Peers;
use unsaved::Unsaved;

/// Milliseconds without a frame after which the connection is given up: the server sends one at
/// least every 20 s.
pub const SILENCE_MS: u64 = 45_000;

/// Milliseconds a connection may take to open.
pub const CONNECT_MS: u64 = 10_000;

/// Milliseconds after which "reconnecting" becomes "offline".
pub const OFFLINE_AFTER_MS: u64 = 30_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// Not started.
    Idle,
    /// A socket was asked for.
    Connecting {
        since: Millis,
    },
    /// It is open; the server has not asked for our edits yet, so none are sent: they may rest on
    /// others that the server lacks.
    Handshake,
    /// Edits are sent as they are made.
    Live,
    /// The next try is at this instant.
    Waiting {
        until: Millis,
    },
    /// Going on by itself would lose or double text.
    Attention {
        reason: String,
    },
    Stopped,
}

/// See the module.
pub struct Session {
    document: Document,
    phase: Phase,
    /// Which document ours is a copy of, once the server has said so.
    lineage: Option<Lineage>,
    /// State-changing messages sent on this connection.
    sent: u64,
    unsaved: Unsaved,
    keeping: Keeping,
    /// Whether we have asked for what we lack and wait for the answer.
    asked: bool,
    /// Whether the server has answered our state vector on this connection.
    synced: bool,
    /// Largest frame the server takes, in bytes.
    max_frame_bytes: u64,
    /// Whether it ever has.
    ever_synced: bool,
    server: Status,
    peers: Peers,
    backoff: Backoff,
    heard: Millis,
    lost_at: Option<Millis>,
    /// What the server said before it closed.
    closing: Option<(CloseCode, u64, String)>,
    shown: Option<SaveState>,
}

impl Session {
    /// A stay that has not begun. `replica` is drawn anew for every page load; `seed` spreads
    /// reconnecting clients in time.
    pub fn new(replica: ReplicaId, seed: u64) -> Session {
        let mut document = Document::new(replica);
        document.watch_description();
        Session {
            document,
            phase: Phase::Idle,
            lineage: None,
            sent: 0,
            unsaved: Unsaved::default(),
            keeping: Keeping::default(),
            asked: false,
            synced: false,
            max_frame_bytes: u64::MAX,
            ever_synced: false,
            server: Status::Normal,
            peers: Peers::new(replica),
            backoff: Backoff::new(seed),
            heard: Millis(0),
            lost_at: None,
            closing: None,
            shown: None,
        }
    }

    /// Takes one thing that happened and writes down, in order, what must now be done about it.
    pub fn handle(&mut self, now: Millis, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Restore(kept) => self.restore(kept, effects),
            Input::Start if self.phase == Phase::Idle => self.connect(now, effects),
            Input::Start => {}
            Input::Opened => self.opened(now, effects),
            Input::Frame(frame) => self.frame(now, frame, effects),
            Input::Closed { code, reason } => self.closed(now, code, &reason, effects),
            Input::Edit { file, edits } => self.edit(&file, &edits, effects),
            Input::Describe(description) => self.describe(description, effects),
            Input::Presence(state) => {
                let message = self.peers.set_own(now, state);
                if self.is_open() {
                    effects.extend(message.map(|body| send(&Message::Awareness(body))));
                }
            }
            Input::Retry => {
                if matches!(self.phase, Phase::Waiting { .. }) {
                    self.connect(now, effects);
                }
            }
            Input::Tick => self.tick(now, effects),
            Input::Stop => {
                if self.is_open() {
                    let goodbye = self.peers.set_own(now, None);
                    effects.extend(goodbye.map(|body| send(&Message::Awareness(body))));
                    effects.push(Effect::Disconnect);
                }
                self.phase = Phase::Stopped;
            }
        }
        self.show(now, effects);
    }

    /// When the session wants an [`Input::Tick`], if nothing happens before.
    pub fn next_deadline(&self) -> Option<Millis> {
        let socket = match self.phase {
            Phase::Connecting { since } => Some(since.plus(CONNECT_MS)),
            Phase::Handshake | Phase::Live => Some(self.heard.plus(SILENCE_MS)),
            Phase::Waiting { until } => Some(until),
            Phase::Idle | Phase::Attention { .. } | Phase::Stopped => return None,
        };
        let presence = self.is_open().then(|| self.peers.next_deadline()).flatten();
        let offline = self
            .lost_at
            .map(|at| at.plus(OFFLINE_AFTER_MS))
            .filter(|_| !matches!(self.shown, Some(SaveState::Offline { .. })));
        [socket, presence, offline].into_iter().flatten().min()
    }

    /// Which replica this stay edits as.
    pub fn replica(&self) -> ReplicaId {
        self.peers.own()
    }

    /// The document, for reading.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Everybody else's presence, as [`Effect::Peer`] told it.
    pub fn peers(&self) -> impl Iterator<Item = (ReplicaId, &str)> {
        self.peers.here()
    }

    /// From now on other people's edits to this file come as [`Effect::Changed`]. Its text as it
    /// is.
    pub fn open_file(&mut self, file: &FileId) -> String {
        self.document.watch(file);
        self.document.text(file)
    }

    /// Which document this is a copy of, once a server has said so.
    pub fn lineage(&self) -> Option<Lineage> {
        self.lineage
    }

    /// Edits made on this device that the server has not called saved.
    pub fn unsaved(&self) -> u32 {
        self.unsaved.edits().saturating_add(self.keeping.waiting())
    }

    /// Whether the server has answered everything on this connection that we asked.
    pub fn is_synced(&self) -> bool {
        self.synced
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Handshake | Phase::Live)
    }

    fn connect(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.phase = Phase::Connecting { since: now };
        effects.push(Effect::Connect);
    }

    fn opened(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        self.phase = Phase::Handshake;
        self.heard = now;
        self.sent = 0;
        self.asked = false;
        self.synced = false;
        self.server = Status::Normal;
        self.closing = None;
        self.unsaved.connection_lost();
        self.ask(effects);
        let own = self.peers.renew(now);
        effects.extend(own.map(|body| send(&Message::Awareness(body))));
    }

    fn closed(&mut self, now: Millis, code: u16, reason: &str, effects: &mut Vec<Effect>) {
        if !matches!(
            self.phase,
            Phase::Connecting { .. } | Phase::Handshake | Phase::Live
        ) {
            return;
        }
        for replica in self.peers.lose_all() {
            effects.push(Effect::Peer {
                replica,
                state: None,
            });
        }
        self.unsaved.connection_lost();
        self.synced = false;
        self.lost_at.get_or_insert(now);
        let said = self.closing.take();
        let code = said
            .as_ref()
            .map(|(code, ..)| *code)
            .or(CloseCode::from_number(code));
        if let Some(code) = code.filter(|code| code.is_final()) {
            let reason = said.map_or_else(|| reason.to_owned(), |(_, _, reason)| reason);
            self.phase = Phase::Attention {
                reason: if reason.is_empty() {
                    format!("the server closed the connection ({})", code.number())
                } else {
                    reason
                },
            };
            return;
        }
        let asked = said.map_or(0, |(_, retry_after_ms, _)| retry_after_ms);
        // Added, not the larger of both: who was sent away together must not return together.
        let pause = self.backoff.next_ms() + asked.min(OFFLINE_AFTER_MS);
        self.phase = Phase::Waiting {
            until: now.plus(pause),
        };
    }

    fn tick(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Waiting { until } if now >= until => self.connect(now, effects),
            Phase::Connecting { since } if now.since(since) >= CONNECT_MS => {
                effects.push(Effect::Disconnect);
                self.closed(now, 1006, "", effects);
            }
            Phase::Handshake | Phase::Live if now.since(self.heard) >= SILENCE_MS => {
                effects.push(Effect::Disconnect);
                self.closed(now, 1006, "", effects);
            }
            Phase::Handshake | Phase::Live => {
                let own = self.peers.renew_if_due(now);
                effects.extend(own.map(|body| send(&Message::Awareness(body))));
                for replica in self.peers.expire(now) {
                    effects.push(Effect::Peer {
                        replica,
                        state: None,
                    });
                }
            }
            _ => {}
        }
    }

    fn frame(&mut self, now: Millis, frame: Bytes, effects: &mut Vec<Effect>) {
        if !self.is_open() {
            return;
        }
        self.heard = now;
        match codec::decode(frame) {
            Ok(messages) => {
                for message in messages {
                    if self.is_open() {
                        self.message(now, message, effects);
                    }
                }
            }
            Err(error) => self.give_up(now, &format!("bad frame: {error}"), effects),
        }
    }

    fn message(&mut self, now: Millis, message: Message, effects: &mut Vec<Effect>) {
        match message {
            Message::SyncStep1(state_vector) => match StateVector::decode(&state_vector) {
                Ok(state_vector) => self.offer_everything(now, &state_vector, effects),
                Err(refusal) => self.give_up(now, &refusal.to_string(), effects),
            },
            Message::SyncStep2(update) => {
                self.asked = false;
                let applied = self.merge(now, &update, effects);
                if applied && self.is_open() {
                    self.synced = true;
                    self.ever_synced = true;
                    self.lost_at = None;
                    self.backoff.reset();
                }
            }
            Message::Update(update) => {
                self.merge(now, &update, effects);
            }
            Message::Awareness(body) => match awareness::decode(body) {
                Ok(entries) => {
                    let (changed, answer) = self.peers.heard(now, entries);
                    effects.extend(
                        changed
                            .into_iter()
                            .map(|(replica, state)| Effect::Peer { replica, state }),
                    );
                    effects.extend(answer.map(|body| send(&Message::Awareness(body))));
                }
                Err(error) => self.give_up(now, &error.to_string(), effects),
            },
            Message::QueryAwareness => {
                let own = self.peers.renew(now);
                effects.extend(own.map(|body| send(&Message::Awareness(body))));
            }
            Message::Denied(reason) => self.attention(&reason, effects),
            Message::Control(control) => self.control(control, effects),
            Message::Unknown(_) => {}
        }
    }

    fn control(&mut self, control: Control, effects: &mut Vec<Effect>) {
        match control {
            Control::Welcome(welcome) if welcome.version != protocol::VERSION => {
                self.attention(
                    "the server speaks a newer protocol: reload the page",
                    effects,
                );
            }
            Control::Welcome(welcome) => match self.lineage {
                Some(known) if known != welcome.lineage => self.attention(
                    "this room was deleted and made anew; your text is kept here, not merged",
                    effects,
                ),
                _ => {
                    self.lineage = Some(welcome.lineage);
                    self.max_frame_bytes = welcome.max_frame_bytes;
                }
            },
            Control::Saved { frames, .. } => self.unsaved.saved(frames.min(self.sent)),
            Control::Rejected {
                frame,
                code,
                reason,
            } => {
                self.unsaved.rejected(frame);
                // What is refused for now is asked for again by the server.
                if !code.is_temporary() && code != RejectCode::ReadOnly {
                    self.attention(&reason, effects);
                }
            }
            Control::Status(status) => self.server = status,
            Control::Closing {
                code,
                retry_after_ms,
                reason,
            } => self.closing = Some((code, retry_after_ms, reason)),
        }
    }

    /// The server asks for what it lacks: one diff that carries every unsaved edit.
    fn offer_everything(&mut self, now: Millis, theirs: &StateVector, effects: &mut Vec<Effect>) {
        match self.document.diff(theirs) {
            Ok(diff) => {
                if let Some(frames) = self.push_change(Message::SyncStep2, diff, effects) {
                    self.unsaved.all_carried_by(frames);
                    self.phase = Phase::Live;
                }
            }
            Err(_poisoned) => self.give_up(now, "the document cannot be read", effects),
        }
    }

    /// Asks for what we lack, unless the answer is on its way.
    fn ask(&mut self, effects: &mut Vec<Effect>) {
        if !std::mem::replace(&mut self.asked, true) {
            let state_vector = self.document.state_vector().encode();
            effects.push(send(&Message::SyncStep1(state_vector.into())));
        }
    }

    /// Whether the update is part of the document now.
    fn merge(&mut self, now: Millis, update: &[u8], effects: &mut Vec<Effect>) -> bool {
        match self.document.apply_from_server(update) {
            Ok(turn) => {
                let applied = matches!(turn.outcomes[..], [Outcome::Applied { .. }]);
                let outcome = turn.outcomes.first().copied();
                self.keeping.heard(&turn.delta);
                tell(turn, effects);
                match outcome {
                    Some(Outcome::Gap) => self.ask(effects),
                    Some(Outcome::Refused(refusal)) => {
                        self.give_up(now, &refusal.to_string(), effects);
                    }
                    Some(Outcome::Applied { .. }) => self.take_waiting(effects),
                    None => {}
                }
                applied
            }
            Err(_poisoned) => {
                self.unreadable(effects);
                false
            }
        }
    }

    fn unreadable(&mut self, effects: &mut Vec<Effect>) {
        self.attention("the document cannot be read: reload", effects);
    }

    /// Something is wrong with this connection: drop it and come again.
    fn give_up(&mut self, now: Millis, reason: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Disconnect);
        self.closed(now, 1006, reason, effects);
    }

    fn attention(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Disconnect);
        self.phase = Phase::Attention {
            reason: reason.to_owned(),
        };
    }
}

/// Tells the page what others did in one turn.
fn tell(turn: Turn, effects: &mut Vec<Effect>) {
    for (file, edits) in turn.changes {
        effects.push(Effect::Changed { file, edits });
    }
    if turn.described {
        effects.push(Effect::Described);
    }
}

fn send(message: &Message) -> Effect {
    Effect::Send(codec::encode(message))
}
