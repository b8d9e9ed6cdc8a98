//! Coming in, speaking, falling behind and leaving: what the room does with one connection. Must
//! not know how updates are merged.

use bytes::Bytes;

use super::merge::Offered;
use super::{
    Access, CloseCode, Control, Counted, Dialect, Effect, Input, Lane, Member, Message, Missed,
    Phase, RETRY_AFTER_MS, Room, Status, awareness, codec, unavailable,
};
use crate::document::StateVector;
use crate::ids::{ConnectionId, RequestId};
use crate::outbox::FROM_NOTHING;
use crate::protocol::{self, RejectCode, Welcome};
use crate::time::Millis;

/// Bytes counted for an input that is held, beside its payload: empty ones take memory too.
const HELD_OVERHEAD_BYTES: usize = 128;

/// Bytes of updates collected before they are merged, even in the middle of a turn.
const TURN_BYTES: usize = 4 << 20;

impl Room {
    pub(super) fn join(
        &mut self,
        connection: ConnectionId,
        dialect: Dialect,
        access: Access,
        effects: &mut Vec<Effect>,
    ) {
        self.members.insert(
            connection,
            Member {
                dialect,
                access,
                frames: 0,
                new_replicas: self.settings.max_new_replicas,
                owes: false,
                asked_over_gap: None,
                waits: false,
                greeted: false,
                writers: 0,
            },
        );
        if self.members.len() > self.settings.max_connections {
            let reason = format!(
                "the room is full: {} connections (--max-room-connections)",
                self.settings.max_connections
            );
            self.close(connection, CloseCode::TryLater, &reason, effects);
            return;
        }
        if self.drain_by.is_some() {
            self.close(
                connection,
                CloseCode::Restart,
                "the server is restarting",
                effects,
            );
            return;
        }
        self.idle_since = None;
        self.greet(connection, effects);
    }

    /// What a client hears first, once the document is awake.
    pub(super) fn greet(&mut self, connection: ConnectionId, effects: &mut Vec<Effect>) {
        let (Phase::Live(document), Some(log)) = (&self.phase, &self.log) else {
            return;
        };
        let Some(member) = self.members.get_mut(&connection) else {
            return;
        };
        if std::mem::replace(&mut member.greeted, true) {
            return;
        }
        let mut send = |lane, message: &Message| {
            effects.push(Effect::Send {
                connection,
                lane,
                frame: codec::encode(message),
            });
        };
        if member.dialect == Dialect::CollabV1 {
            send(
                Lane::Control,
                &Message::Control(Control::Welcome(Welcome {
                    version: protocol::VERSION,
                    lineage: self.lineage,
                    connection,
                    epoch: log.epoch(),
                    seq: log.head(),
                    max_frame_bytes: self.settings.max_frame_bytes as u64,
                })),
            );
            if self.status != Status::Normal {
                send(
                    Lane::Control,
                    &Message::Control(Control::Status(self.status)),
                );
            }
        }
        // The only way in which a client ever offers what it edited offline.
        let question = document.state_vector().encode();
        send(Lane::Control, &Message::SyncStep1(question.into()));
        if !self.presence.is_empty() {
            let everybody = self.presence.everybody();
            let body = awareness::encode(everybody.iter());
            send(Lane::Presence, &Message::Awareness(body));
        }
    }

    /// Whether frames of the one who leaves wait for the document to wake.
    pub(super) fn holds(&self, leave: &Input) -> bool {
        let Input::Leave { connection: gone } = leave else {
            return false;
        };
        self.held
            .iter()
            .any(|input| matches!(input, Input::Frame { connection, .. } if connection == gone))
    }

    pub(super) fn leave(&mut self, now: Millis, connection: ConnectionId) {
        let gone = self.presence.leave(now, connection);
        self.presence_changed
            .extend(gone.into_iter().map(|entry| entry.replica));
        self.members.remove(&connection);
        self.asks.remove(&connection);
        if self.members.is_empty() {
            self.idle_since = Some(now);
        }
    }

    /// One inbound WebSocket message.
    pub(super) fn frame(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        frame: Bytes,
        effects: &mut Vec<Effect>,
    ) {
        if !self.members.contains_key(&connection) {
            return;
        }
        self.presence.heard(now, connection);
        let messages = match codec::decode(frame) {
            Ok(messages) => messages,
            Err(error) => {
                self.malformed(connection, &error.to_string(), effects);
                return;
            }
        };
        for message in messages {
            // An earlier message of this frame may have ended the connection, or the document: then
            // the rest waits until it is awake again.
            if !self.members.contains_key(&connection) {
                return;
            }
            if matches!(self.phase, Phase::Live(_)) {
                self.message(now, connection, message, effects);
            } else {
                let frame = codec::encode(&message);
                self.hold(Input::Frame { connection, frame }, effects);
            }
        }
    }

    fn message(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        match message {
            Message::SyncStep1(state_vector) => match StateVector::decode(&state_vector) {
                Ok(state_vector) => {
                    self.asks.insert(connection, state_vector);
                }
                Err(refusal) => self.malformed(connection, &refusal.to_string(), effects),
            },
            Message::SyncStep2(update) => self.update(now, connection, update, true, effects),
            Message::Update(update) => self.update(now, connection, update, false, effects),
            Message::Awareness(body) => match awareness::decode(body) {
                Ok(entries) => {
                    for entry in &entries {
                        match self.presence.offer(now, connection, entry) {
                            Ok(()) => {
                                self.presence_changed.insert(entry.replica);
                                self.presence_said(entry.replica);
                            }
                            Err(ignored) => {
                                effects
                                    .push(Effect::Count(Counted::PresenceRejected(ignored.name())));
                                self.tell_of_removal(connection, entry, effects);
                            }
                        }
                    }
                }
                Err(error) => self.malformed(connection, &error.to_string(), effects),
            },
            Message::QueryAwareness => {
                let everybody = self.presence.everybody();
                effects.push(Effect::Send {
                    connection,
                    lane: Lane::Presence,
                    frame: codec::encode(&Message::Awareness(awareness::encode(everybody.iter()))),
                });
            }
            Message::Control(_) => {
                self.malformed(connection, "control messages come from the server", effects);
            }
            // A client has nothing to deny, and what we do not know we ignore.
            Message::Denied(_) | Message::Unknown(_) => {}
        }
    }

    /// Somebody came back with an entry older than its own removal. Its owner answers the removal
    /// with a newer clock (`y-protocols` does), and is seen at once instead of at its next renewal.
    fn tell_of_removal(
        &mut self,
        connection: ConnectionId,
        offered: &awareness::Entry,
        effects: &mut Vec<Effect>,
    ) {
        let known = self.presence.entry(offered.replica);
        if let Some(gone) = known.filter(|known| known.state.is_none())
            && offered.state.is_some()
            && offered.clock <= gone.clock
        {
            effects.push(Effect::Send {
                connection,
                lane: Lane::Presence,
                frame: codec::encode(&Message::Awareness(awareness::encode([gone].iter()))),
            });
        }
    }

    fn update(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        update: Bytes,
        answers: bool,
        effects: &mut Vec<Effect>,
    ) {
        let frozen = self.frozen;
        let Some(member) = self.members.get_mut(&connection) else {
            return;
        };
        member.frames += 1;
        let frame = member.frames;
        if member.access == Access::Read {
            self.reject(
                connection,
                frame,
                RejectCode::ReadOnly,
                "this connection may only read",
                effects,
            );
        } else if frozen {
            member.owes = true;
            let reason = format!("{}; this edit is asked for again later", self.why_frozen());
            self.reject(connection, frame, RejectCode::Frozen, &reason, effects);
        } else {
            self.offer(Offered::by_connection(connection, frame, update, answers));
            if self.turn_bytes > TURN_BYTES {
                self.merge_turn(now, effects);
            }
        }
    }

    /// Answers everybody who said "send me what I lack", each once. While the document is being
    /// woken again the questions wait.
    pub(super) fn answer_asks(&mut self, effects: &mut Vec<Effect>) {
        while let Phase::Live(document) = &mut self.phase
            && let Some((connection, have)) = self.asks.pop_first()
        {
            let turn = document.turn();
            let known = self
                .answered
                .as_ref()
                .filter(|(at, of, _)| *at == turn && *of == have);
            let frame = match known {
                Some((_, _, frame)) => frame.clone(),
                None => match document.diff(&have) {
                    Ok(diff) => {
                        let frame = codec::encode(&Message::SyncStep2(diff));
                        self.answered = Some((turn, have, frame.clone()));
                        frame
                    }
                    Err(_poisoned) => {
                        self.asks.insert(connection, have);
                        self.poisoned_by_reading(effects);
                        return;
                    }
                },
            };
            if self.members.contains_key(&connection) {
                effects.push(Effect::Send {
                    connection,
                    lane: Lane::Sync(FROM_NOTHING),
                    frame,
                });
            }
        }
    }

    /// A connection whose outbox overflowed has read the rest.
    pub(super) fn bring_level(
        &mut self,
        connection: ConnectionId,
        missed: Missed,
        effects: &mut Vec<Effect>,
    ) {
        if !self.members.contains_key(&connection) {
            return;
        }
        let mut frames = Vec::new();
        let answers = missed;
        #[cfg(feature = "sabotage")]
        let missed = if self.settings.sabotage == Some(super::Sabotage::ForgetOverflow) {
            Missed::default()
        } else {
            missed
        };
        if let Some(turn) = missed.sync {
            let held = self.held_before(turn);
            let Phase::Live(document) = &mut self.phase else {
                return;
            };
            match document.diff(&held) {
                Ok(diff) => {
                    frames.push((Lane::Sync(turn), codec::encode(&Message::SyncStep2(diff))))
                }
                Err(_poisoned) => {
                    self.poisoned_by_reading(effects);
                    self.hold(Input::Drained { connection, missed }, effects);
                    return;
                }
            }
        }
        if missed.presence {
            let everybody = self.presence.everybody();
            frames.push((
                Lane::Presence,
                codec::encode(&Message::Awareness(awareness::encode(everybody.iter()))),
            ));
        }
        effects.push(Effect::Count(Counted::Resynced));
        effects.push(Effect::Resync {
            connection,
            answers,
            frames,
        });
    }

    /// While loading, inputs wait; too many of them close their sender.
    pub(super) fn hold(&mut self, input: Input, effects: &mut Vec<Effect>) {
        if matches!(input, Input::Drained { .. } | Input::Leave { .. }) {
            // One of each connection at most, and nobody would say it again.
            self.held.push(input);
            return;
        }
        let bytes = match &input {
            Input::Frame { frame, .. } => frame.len(),
            Input::Apply { update, .. } => update.len(),
            Input::Write { edits, .. } => edits.iter().map(|edit| edit.insert.len()).sum(),
            _ => 0,
        };
        let bytes = bytes + HELD_OVERHEAD_BYTES;
        if self.held_bytes + bytes > self.settings.max_held_bytes {
            let reason = format!(
                "the room is loading and holds {} bytes already",
                self.settings.max_held_bytes
            );
            match (&input, request_of(&input)) {
                (Input::Frame { connection, .. }, _) => {
                    self.close(*connection, CloseCode::TryLater, &reason, effects);
                }
                (_, Some(request)) => effects.push(unavailable(request, &reason)),
                _ => {}
            }
            return;
        }
        self.held_bytes += bytes;
        self.held.push(input);
    }

    /// Says that a frame will never be saved, or not now.
    pub(super) fn reject(
        &mut self,
        connection: ConnectionId,
        frame: u64,
        code: RejectCode,
        reason: &str,
        effects: &mut Vec<Effect>,
    ) {
        let Some(member) = self.members.get(&connection) else {
            return;
        };
        let message = match member.dialect {
            Dialect::CollabV1 => Message::Control(Control::Rejected {
                frame,
                code,
                reason: reason.to_owned(),
            }),
            // Plain clients print it. A gap needs no words, they are asked for the rest; and what
            // ends the connection is said by `close`.
            Dialect::YWebsocket
                if matches!(
                    code,
                    RejectCode::Gap | RejectCode::Malformed | RejectCode::TooLarge
                ) =>
            {
                return;
            }
            Dialect::YWebsocket => Message::Denied(reason.to_owned()),
        };
        effects.push(Effect::Send {
            connection,
            lane: Lane::Control,
            frame: codec::encode(&message),
        });
    }

    /// Bytes that are not the protocol end the connection; the room goes on.
    pub(super) fn malformed(
        &mut self,
        connection: ConnectionId,
        reason: &str,
        effects: &mut Vec<Effect>,
    ) {
        self.close(connection, CloseCode::Malformed, reason, effects);
    }

    /// Says why in the client's own dialect, closes, and forgets the connection's place in the
    /// room. Its presence ends when the shell reports `Leave`.
    pub(super) fn close(
        &mut self,
        connection: ConnectionId,
        code: CloseCode,
        reason: &str,
        effects: &mut Vec<Effect>,
    ) {
        let Some(member) = self.members.remove(&connection) else {
            return;
        };
        let message = match member.dialect {
            Dialect::CollabV1 => Some(Message::Control(Control::Closing {
                code,
                retry_after_ms: if code.is_final() { 0 } else { RETRY_AFTER_MS },
                reason: reason.to_owned(),
            })),
            Dialect::YWebsocket if code.is_final() => Some(Message::Denied(reason.to_owned())),
            Dialect::YWebsocket => None,
        };
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(super::Sabotage::KeepRefused) {
            self.members.insert(connection, member);
        }
        if let Some(message) = message {
            effects.push(Effect::Send {
                connection,
                lane: Lane::Control,
                frame: codec::encode(&message),
            });
        }
        effects.push(Effect::Close {
            connection,
            code,
            reason: reason.to_owned(),
        });
    }

    /// Somebody came to a room that has just ended.
    pub(super) fn turn_away(&mut self, connection: ConnectionId, effects: &mut Vec<Effect>) {
        effects.push(Effect::Close {
            connection,
            code: CloseCode::Restart,
            reason: "the room was just retired; come back".to_owned(),
        });
    }
}

/// The program that waits for an answer to this input.
pub(super) fn request_of(input: &Input) -> Option<RequestId> {
    match input {
        Input::Apply { request, .. }
        | Input::Write { request, .. }
        | Input::Describe { request, .. } => Some(*request),
        _ => None,
    }
}
