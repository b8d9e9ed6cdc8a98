//! Waking the document and merging updates into it: one guarded transaction per turn, whose own
//! encoding is relayed and logged. Must not know sockets or dialects.
//!
//! If the engine panics, the document in memory is thrown away and woken again from the log; the
//! updates of that turn are then tried one by one, so that only the guilty one is refused.

use bytes::Bytes;

use super::log::Waiter;
use super::{
    Answer, CloseCode, Counted, Dialect, Effect, Lane, Message, Phase, Room, codec, unavailable,
};
use crate::document::{Document, EditError, Offer, Outcome, Poisoned, Turn};
use crate::ids::{ConnectionId, RequestId};
use crate::protocol::RejectCode;
use crate::time::Millis;

/// Bytes of an update that says nothing: no blocks, no deletions.
const NOTHING_BYTES: usize = 2;

/// An update somebody offers.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    by: By,
    update: Bytes,
    /// It is all that its sender has and the room had not when it asked.
    answers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Connection {
        connection: ConnectionId,
        frame: u64,
    },
    Program(RequestId),
}

impl Offered {
    pub(super) fn by_connection(
        connection: ConnectionId,
        frame: u64,
        update: Bytes,
        answers: bool,
    ) -> Offered {
        Offered {
            by: By::Connection { connection, frame },
            update,
            answers,
        }
    }

    pub(super) fn by_program(request: RequestId, update: Bytes) -> Offered {
        Offered {
            by: By::Program(request),
            update,
            answers: true,
        }
    }

    /// Whether it answers the room's question, or may: a program is never asked.
    pub(super) fn answers(&self) -> bool {
        self.answers
    }

    pub(super) fn request(&self) -> Option<RequestId> {
        match self.by {
            By::Program(request) => Some(request),
            By::Connection { .. } => None,
        }
    }

    /// Whether it is an edit that inserts nothing. What answers a question names every deletion there
    /// ever was, and says nothing of who made them.
    pub(super) fn only_deletes(&self) -> bool {
        !self.answers && self.update.len() > NOTHING_BYTES && self.update.first() == Some(&0)
    }

    pub(super) fn connection(&self) -> Option<ConnectionId> {
        match self.by {
            By::Connection { connection, .. } => Some(connection),
            By::Program(_) => None,
        }
    }
}

impl Room {
    /// Collects an update for the end of the turn.
    pub(super) fn offer(&mut self, offered: Offered) {
        self.turn_bytes += offered.update.len();
        self.turn.push(offered);
    }

    /// Merges what was collected.
    pub(super) fn merge_turn(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.turn.is_empty() {
            return;
        }
        self.turn_bytes = 0;
        let offered = std::mem::take(&mut self.turn);
        let offered = self.refuse_above_size(offered, effects);
        if offered.is_empty() {
            return;
        }
        match self.apply(&offered) {
            Some(Ok(turn)) => self.merged(now, &offered, &turn, effects),
            Some(Err(_poisoned)) => {
                effects.push(Effect::Count(Counted::Poisoned));
                if let [guilty] = &offered[..] {
                    self.refuse_poison(guilty, effects);
                    self.reload(Vec::new(), effects);
                } else {
                    self.reload(offered, effects);
                }
            }
            None => {}
        }
    }

    /// Tries the updates of a turn that poisoned the document, each alone.
    pub(super) fn retry_alone(
        &mut self,
        now: Millis,
        suspects: Vec<Offered>,
        effects: &mut Vec<Effect>,
    ) {
        let mut suspects = suspects.into_iter();
        while let Some(suspect) = suspects.next() {
            let alone = std::slice::from_ref(&suspect);
            match self.apply(alone) {
                Some(Ok(turn)) => self.merged(now, alone, &turn, effects),
                Some(Err(_poisoned)) => {
                    effects.push(Effect::Count(Counted::Poisoned));
                    self.refuse_poison(&suspect, effects);
                    self.reload(suspects.collect(), effects);
                    return;
                }
                None => return,
            }
        }
    }

    fn apply(&mut self, offered: &[Offered]) -> Option<Result<Turn, Poisoned>> {
        let Phase::Live(document) = &mut self.phase else {
            return None;
        };
        let offers: Vec<Offer<'_>> = offered
            .iter()
            .map(|offered| Offer {
                update: &offered.update,
                new_replicas: match offered.connection() {
                    Some(connection) => self
                        .members
                        .get(&connection)
                        .map_or(0, |member| member.new_replicas),
                    None => self.settings.max_new_replicas,
                },
            })
            .collect();
        Some(document.apply(&offers))
    }

    /// A turn is merged: answer each update, relay and log what was new.
    fn merged(&mut self, now: Millis, offered: &[Offered], turn: &Turn, effects: &mut Vec<Effect>) {
        self.fresh = false;
        self.note_writers(now, offered, turn);
        let applied: Vec<&Offered> = offered
            .iter()
            .zip(&turn.outcomes)
            .filter(|(_, outcome)| matches!(outcome, Outcome::Applied { .. }))
            .map(|(offered, _)| offered)
            .collect();
        let frame = (!turn.delta.is_empty()).then(|| {
            if let Some(log) = &mut self.log {
                log.push(now, &turn.delta);
            }
            codec::encode(&Message::Update(turn.delta.clone()))
        });
        let author = applied.first().and_then(|offered| offered.connection());
        let author = author.filter(|author| {
            applied
                .iter()
                .all(|offered| offered.connection() == Some(*author))
        });
        if let Some(frame) = &frame {
            effects.push(Effect::Fanout {
                lane: self.sync_lane(turn.number),
                frame: frame.clone(),
                except: author,
            });
        }
        // Whoever was left out of the fan-out gets the frame once, when it is durable.
        let last = applied.last().map(|offered| offered.by);
        for (offered, outcome) in offered.iter().zip(&turn.outcomes) {
            match outcome {
                Outcome::Applied { new_replicas } => {
                    effects.push(Effect::Count(Counted::Update));
                    let echo = frame
                        .clone()
                        .filter(|_| author.is_some() && last == Some(offered.by))
                        .map(|frame| (self.sync_lane(turn.number), frame));
                    self.accepted(offered, *new_replicas, echo, effects);
                }
                Outcome::Gap => self.gap(offered, effects),
                Outcome::Refused(refusal) => {
                    effects.push(Effect::Count(Counted::GateRejected(refusal.name())));
                    let reason = format!("the update is refused: {refusal}");
                    self.refuse(
                        offered,
                        CloseCode::Malformed,
                        RejectCode::Malformed,
                        refusal.name(),
                        &reason,
                        effects,
                    );
                }
            }
        }
        if frame.is_some() {
            self.make_good(now, &applied, effects);
        }
    }

    fn accepted(
        &mut self,
        offered: &Offered,
        new_replicas: u32,
        echo: Option<(Lane, Bytes)>,
        effects: &mut Vec<Effect>,
    ) {
        #[cfg(feature = "sabotage")]
        let deletion = is_deletion(&offered.update);
        let waiter = match offered.by {
            By::Program(request) => Waiter::Request(request),
            By::Connection {
                connection,
                frame: count,
            } => {
                let Some(member) = self.members.get_mut(&connection) else {
                    return;
                };
                member.new_replicas = member.new_replicas.saturating_sub(new_replicas);
                let plain = member.dialect == Dialect::YWebsocket;
                Waiter::Connection {
                    connection,
                    frames: count,
                    echo: echo.filter(|_| plain),
                }
            }
        };
        let Some(log) = &mut self.log else { return };
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(super::Sabotage::AckByStateVector) && deletion {
            self.tell_saved(vec![waiter], effects);
            return;
        }
        if let Some(ready) = log.wait(waiter) {
            self.tell_saved(vec![ready], effects);
        }
    }

    /// An update that rests on edits the room does not have: ask for everything, once for each state
    /// of the document.
    fn gap(&mut self, offered: &Offered, effects: &mut Vec<Effect>) {
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(super::Sabotage::DropPending) {
            let By::Connection { connection, frame } = offered.by else {
                return;
            };
            self.tell_saved(
                vec![Waiter::Connection {
                    connection,
                    frames: frame,
                    echo: None,
                }],
                effects,
            );
            return;
        }
        match offered.by {
            By::Program(request) => effects.push(Effect::Answer {
                request,
                answer: Answer::Gap,
            }),
            By::Connection { connection, frame } => {
                self.reject(
                    connection,
                    frame,
                    RejectCode::Gap,
                    "the update rests on edits the server does not have; it asks for them",
                    effects,
                );
                self.owes_over_gap(connection);
            }
        }
    }

    fn refuse_poison(&mut self, guilty: &Offered, effects: &mut Vec<Effect>) {
        effects.push(Effect::Count(Counted::GateRejected("poison")));
        self.refuse(
            guilty,
            CloseCode::Malformed,
            RejectCode::Malformed,
            "poison",
            "the update breaks the document and was undone",
            effects,
        );
    }

    fn refuse_above_size(
        &mut self,
        offered: Vec<Offered>,
        effects: &mut Vec<Effect>,
    ) -> Vec<Offered> {
        let Phase::Live(document) = &self.phase else {
            return offered;
        };
        let limit = self.settings.max_document_bytes;
        let mut bytes = document.encoded_len_hint();
        let (fits, above): (Vec<_>, Vec<_>) = offered.into_iter().partition(|offered| {
            // An update without blocks only deletes: a full document can be read and shrunk.
            let grows = offered.update.first() != Some(&0);
            let fits = !grows || bytes + offered.update.len() <= limit;
            bytes += if fits { offered.update.len() } else { 0 };
            fits
        });
        for offered in above {
            self.refuse(
                &offered,
                CloseCode::Full,
                RejectCode::TooLarge,
                "document-size",
                &above_size(limit),
                effects,
            );
        }
        fits
    }

    /// Refused for good: said, never applied, never relayed, never acknowledged.
    fn refuse(
        &mut self,
        offered: &Offered,
        close: CloseCode,
        reject: RejectCode,
        name: &'static str,
        reason: &str,
        effects: &mut Vec<Effect>,
    ) {
        match offered.by {
            By::Program(request) => effects.push(Effect::Answer {
                request,
                answer: Answer::Refused {
                    name,
                    reason: reason.to_owned(),
                },
            }),
            By::Connection { connection, frame } => {
                self.reject(connection, frame, reject, reason, effects);
                self.close(connection, close, reason, effects);
            }
        }
    }

    /// Carries out a program's edit on our own replica.
    pub(super) fn write(
        &mut self,
        now: Millis,
        request: RequestId,
        grows: usize,
        effects: &mut Vec<Effect>,
        edit: impl FnOnce(&mut Document) -> Result<Bytes, EditError>,
    ) {
        let Phase::Live(document) = &mut self.phase else {
            effects.push(unavailable(request, "the room is loading; try again"));
            return;
        };
        let limit = self.settings.max_document_bytes;
        if grows > 0 && document.encoded_len_hint() + grows > limit {
            effects.push(Effect::Answer {
                request,
                answer: Answer::Refused {
                    name: "document-size",
                    reason: above_size(limit),
                },
            });
            return;
        }
        match edit(document) {
            Ok(delta) => {
                let turn = document.turn();
                self.fresh = false;
                if !delta.is_empty() {
                    effects.push(Effect::Fanout {
                        lane: self.sync_lane(turn),
                        frame: codec::encode(&Message::Update(delta.clone())),
                        except: None,
                    });
                }
                let Some(log) = &mut self.log else { return };
                if !delta.is_empty() {
                    log.push(now, &delta);
                }
                if let Some(ready) = log.wait(Waiter::Request(request)) {
                    self.tell_saved(vec![ready], effects);
                }
            }
            Err(EditError::Poisoned(_)) => {
                effects.push(Effect::Count(Counted::Poisoned));
                effects.push(unavailable(request, "the room is woken again; try again"));
                self.reload(Vec::new(), effects);
            }
            Err(error) => effects.push(Effect::Answer {
                request,
                answer: Answer::Refused {
                    name: "edit",
                    reason: error.to_string(),
                },
            }),
        }
    }
}

/// Sabotage: an update without blocks moves no state vector.
#[cfg(feature = "sabotage")]
fn is_deletion(update: &[u8]) -> bool {
    update.first() == Some(&0)
}

fn above_size(limit: usize) -> String {
    format!("the document would grow above its limit of {limit} bytes (--max-document-bytes)")
}
