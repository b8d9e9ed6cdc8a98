//! What a room does of itself: how it stands, what it says when something is saved, when it
//! compacts, drains and retires. Must not know frames or dialects beyond what it tells.

use std::collections::BTreeMap;

#[cfg(feature = "sabotage")]
use super::Sabotage;
use super::log::{Log, Waiter};
use super::merge::Offered;
use super::{
    Answer, AppendFailure, COMPACT_ON_RETIRE, COMPACT_SHARE, CloseCode, Control, Counted, Dialect,
    Effect, Lane, Message, Phase, Room, Status, awareness, codec, door, unavailable,
};
use crate::ids::{ConnectionId, Seq};
use crate::time::Millis;

impl Room {
    pub(super) fn status_due(&self) -> Status {
        match self.status {
            draining @ Status::Draining { .. } => draining,
            _ if self.frozen => Status::Frozen,
            _ if self.is_failing() => Status::Degraded,
            _ if self.damaged.is_some() => Status::Incomplete,
            _ => Status::Normal,
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.rescued.is_some() || self.log.as_ref().is_some_and(|log| log.is_failing())
    }

    pub(super) fn set_status(&mut self, status: Status, effects: &mut Vec<Effect>) {
        if self.status == status {
            return;
        }
        self.status = status;
        let frame = codec::encode(&Message::Control(Control::Status(status)));
        for (connection, member) in &self.members {
            if member.dialect == Dialect::CollabV1 {
                effects.push(Effect::Send {
                    connection: *connection,
                    lane: Lane::Control,
                    frame: frame.clone(),
                });
            }
        }
    }

    pub(super) fn why_frozen(&self) -> String {
        format!(
            "the database does not answer and {} bytes of unsaved edits are the limit \
             (--max-unsaved-bytes)",
            self.settings.unsaved_budget_bytes
        )
    }

    pub(super) fn freeze_or_thaw(&mut self, effects: &mut Vec<Effect>) {
        let above = self.unsaved_bytes() > self.settings.unsaved_budget_bytes;
        // Thawed only once the failing append is through, so that it does not flicker.
        let frozen = above || (self.frozen && self.is_failing());
        if std::mem::replace(&mut self.frozen, frozen) && !frozen {
            self.ask_debtors(effects);
        }
    }

    /// An update of this member rests on edits that nobody here has.
    pub(super) fn owes_over_gap(&mut self, connection: ConnectionId) {
        let Phase::Live(document) = &self.phase else {
            return;
        };
        let turn = document.turn();
        let Some(member) = self.members.get_mut(&connection) else {
            return;
        };
        if member.asked_over_gap == Some(turn) {
            member.waits = true;
            self.waiting_since = Some(turn);
        } else {
            member.asked_over_gap = Some(turn);
            member.owes = true;
            self.ask_debtors = true;
        }
    }

    /// Once the document has moved on, what members wait for may be in it.
    pub(super) fn wake_waiting(&mut self) {
        let Phase::Live(document) = &self.phase else {
            return;
        };
        let turn = document.turn();
        if self.waiting_since.is_none_or(|since| since == turn) {
            return;
        }
        self.waiting_since = None;
        for member in self.members.values_mut() {
            if std::mem::take(&mut member.waits) {
                member.asked_over_gap = Some(turn);
                member.owes = true;
                self.ask_debtors = true;
            }
        }
    }

    /// Asks everybody whose edits were refused for now to offer them again.
    pub(super) fn ask_debtors(&mut self, effects: &mut Vec<Effect>) {
        let Phase::Live(document) = &self.phase else {
            return;
        };
        let question = codec::encode(&Message::SyncStep1(document.state_vector().encode().into()));
        for (connection, member) in &mut self.members {
            if std::mem::take(&mut member.owes) {
                effects.push(Effect::Send {
                    connection: *connection,
                    lane: Lane::Control,
                    frame: question.clone(),
                });
            }
        }
    }

    pub(super) fn appended(&mut self, now: Millis, seq: Seq, effects: &mut Vec<Effect>) {
        let Some(log) = &mut self.log else { return };
        #[cfg_attr(
            not(feature = "sabotage"),
            expect(unused_mut, reason = "sabotage adds to it")
        )]
        let mut waiters = log.appended(seq);
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(Sabotage::ClearDirtyAfterAwait) {
            waiters.extend(log.forget_waiting());
        }
        self.idle_since = self.idle_since.map(|_| now);
        self.tell_saved(waiters, effects);
        self.compact_prepared(effects);
    }

    pub(super) fn append_failed(
        &mut self,
        now: Millis,
        seq: Seq,
        failure: AppendFailure,
        effects: &mut Vec<Effect>,
    ) {
        match failure {
            AppendFailure::Unavailable => {
                if let Some(log) = &mut self.log {
                    log.failed(now, seq);
                }
            }
            // Whoever owns the room now gets the unsaved edits from the clients that made them.
            AppendFailure::Fenced => self.retire_all(
                CloseCode::Restart,
                "the room moved to another server",
                effects,
            ),
            AppendFailure::Gone => self.deleted(effects),
            AppendFailure::Rewound => self.rewound(effects),
            AppendFailure::TooLarge => {
                let reason = "one edit is larger than the log can take; it was not saved";
                let waiters = self.log.as_mut().map(Log::take_waiters).unwrap_or_default();
                effects.extend(waiters.into_iter().filter_map(|waiter| match waiter {
                    // Trying again would not help.
                    Waiter::Request(request) => Some(Effect::Answer {
                        request,
                        answer: Answer::Refused {
                            name: "record-size",
                            reason: reason.to_owned(),
                        },
                    }),
                    Waiter::Connection { .. } => None,
                }));
                // Final: whoever came back would offer it again, for ever.
                self.retire_all(CloseCode::Full, reason, effects);
            }
        }
    }

    /// Tells everybody in `waiters`, each connection once and with its highest count.
    pub(super) fn tell_saved(&mut self, waiters: Vec<Waiter>, effects: &mut Vec<Effect>) {
        let seq = self.head();
        let mut counts = BTreeMap::new();
        for waiter in waiters {
            match waiter {
                Waiter::Request(request) => effects.push(Effect::Answer {
                    request,
                    answer: Answer::Saved { seq },
                }),
                Waiter::Connection {
                    connection,
                    frames,
                    echo,
                } => {
                    #[cfg(feature = "sabotage")]
                    let frames = match self.settings.sabotage {
                        Some(Sabotage::AckOneMore) => frames + 1,
                        _ => frames,
                    };
                    counts.insert(connection, frames);
                    // Who was sent away meanwhile is sent nothing more.
                    let is_member = self.members.contains_key(&connection);
                    if let Some((lane, frame)) = echo.filter(|_| is_member) {
                        effects.push(Effect::Send {
                            connection,
                            lane,
                            frame,
                        });
                    }
                }
            }
        }
        for (connection, frames) in counts {
            let speaks = self.members.get(&connection).map(|member| member.dialect);
            if speaks == Some(Dialect::CollabV1) {
                effects.push(Effect::Send {
                    connection,
                    lane: Lane::Control,
                    frame: codec::encode(&Message::Control(Control::Saved { frames, seq })),
                });
            }
        }
    }

    pub(super) fn tell_presence(&mut self, effects: &mut Vec<Effect>) {
        let entries: Vec<awareness::Entry> = std::mem::take(&mut self.presence_changed)
            .into_iter()
            .filter_map(|replica| self.presence.entry(replica))
            .collect();
        if !entries.is_empty() {
            effects.push(Effect::Fanout {
                lane: Lane::Presence,
                frame: codec::encode(&Message::Awareness(awareness::encode(entries.iter()))),
                except: None,
            });
        }
    }

    pub(super) fn compact_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let Some(log) = &self.log else { return };
        let (records, bytes) = log.since_snapshot();
        // Encoding takes as long as the document is large. So the log of a large one grows longer
        // before it is folded, and what an edit costs does not depend on what it is made to.
        let share = log.snapshot_bytes() / COMPACT_SHARE / self.settings.compact_bytes.max(1);
        let times = share.max(1);
        let reached = |fixed: u64| records >= fixed.saturating_mul(times as u64);
        let retiring = self.idle_since.is_some() && reached(COMPACT_ON_RETIRE);
        let due = match &self.damaged {
            // A snapshot would stand for what it lacks; the one that heals is due at once.
            Some(damaged) => damaged.is_made_good(),
            None => {
                reached(self.settings.compact_records)
                    || bytes >= self.settings.compact_bytes.saturating_mul(times)
                    || retiring
            }
        };
        let idle = self.compacting.is_none() && self.prepared.is_none();
        if !due || !idle || now < self.compact_after || self.is_failing() {
            return;
        }
        let (Some(seq), Phase::Live(document)) = (log.covers_all(), &mut self.phase) else {
            return;
        };
        #[cfg(feature = "sabotage")]
        let seq = match self.settings.sabotage {
            Some(Sabotage::SnapshotOneFurther) => seq.next(),
            _ => seq,
        };
        match document
            .encode()
            .and_then(|state| Ok((state, document.digest()?)))
        {
            Ok((state, digest)) => {
                if let Some(log) = &mut self.log {
                    log.snapshot_prepared(seq, state.len());
                }
                self.prepared = Some((seq, state, digest));
                self.compact_prepared(effects);
            }
            Err(_poisoned) => self.poisoned_by_reading(effects),
        }
    }

    /// Asks for the prepared snapshot to be stored, once the log holds all that it holds.
    fn compact_prepared(&mut self, effects: &mut Vec<Effect>) {
        let Some(log) = &self.log else { return };
        let head = log.head();
        if let Some((seq, state, digest)) = self.prepared.take_if(|(seq, ..)| *seq <= head) {
            self.compacting = Some(seq);
            effects.push(Effect::Compact {
                epoch: log.epoch(),
                seq,
                state,
                digest,
            });
        }
    }

    pub(super) fn compacted(&mut self, seq: Seq, effects: &mut Vec<Effect>) {
        if self.compacting.take_if(|it| *it == seq).is_some()
            && let Some(log) = &mut self.log
        {
            log.compacted_at(seq);
            let epoch = log.epoch();
            self.whole_again(epoch, seq, effects);
        }
    }

    /// Nobody is here and everything is saved.
    pub(super) fn is_quiet(&self) -> bool {
        self.members.is_empty()
            && self.turn.is_empty()
            && self.held.is_empty()
            && self.compacting.is_none()
            && self.log.as_ref().is_some_and(Log::is_clean)
    }

    pub(super) fn retire_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Retired) {
            return;
        }
        if let Some(by) = self.drain_by {
            let saved = self
                .log
                .as_ref()
                .is_some_and(|log| log.is_clean() && self.turn.is_empty());
            let loading = self.log.is_none();
            if saved || now >= by || loading {
                self.tell_last_authors(now, effects);
                self.retire_all(CloseCode::Restart, "the server is restarting", effects);
            }
            return;
        }
        let idle = self
            .idle_since
            .is_some_and(|since| now.since(since) >= self.settings.idle_ms);
        if idle && self.is_quiet() {
            self.last_version(now, effects);
            self.tell_last_authors(now, effects);
            self.phase = Phase::Retired;
            effects.push(Effect::Retire);
        }
    }

    /// The document is no more. Nobody may bring it back by joining what stands under its name.
    pub(super) fn deleted(&mut self, effects: &mut Vec<Effect>) {
        self.retire_all(CloseCode::Gone, "this room was deleted", effects);
    }

    /// Tells everybody why, closes them, and ends.
    pub(super) fn retire_all(&mut self, code: CloseCode, reason: &str, effects: &mut Vec<Effect>) {
        for connection in self.members.keys().copied().collect::<Vec<_>>() {
            self.close(connection, code, reason, effects);
        }
        let waiters = self.log.as_mut().map(Log::take_waiters).unwrap_or_default();
        let offered = std::mem::take(&mut self.turn);
        let held = std::mem::take(&mut self.held);
        let requests = waiters
            .into_iter()
            .filter_map(|waiter| match waiter {
                Waiter::Request(request) => Some(request),
                Waiter::Connection { .. } => None,
            })
            .chain(offered.iter().filter_map(Offered::request))
            .chain(held.iter().filter_map(door::request_of));
        effects.extend(requests.map(|request| unavailable(request, reason)));
        self.phase = Phase::Retired;
        effects.push(Effect::Retire);
    }

    /// A snapshot that cannot be encoded, or a diff that cannot: the document in memory is lost,
    /// and woken again from the log; if that one is no better, the stored one is at fault.
    pub(super) fn poisoned_by_reading(&mut self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Count(Counted::Poisoned));
        if self.fresh && std::mem::replace(&mut self.careful, true) {
            self.retire_all(
                CloseCode::Internal,
                "the stored document cannot be read; its data is kept",
                effects,
            );
        } else {
            // If what is stored is at fault, the next waking looks for the guilty part.
            self.reload(Vec::new(), effects);
        }
    }

    pub(super) fn reload(&mut self, suspects: Vec<Offered>, effects: &mut Vec<Effect>) {
        if let Phase::Live(document) = &self.phase {
            self.turns_before += document.turn().0 + 1;
        }
        self.answered = None;
        self.phase = Phase::Loading { suspects };
        self.compacting = None;
        self.prepared = None;
        effects.push(Effect::Load {
            epoch: self.log.as_ref().map(Log::epoch),
        });
    }
}
