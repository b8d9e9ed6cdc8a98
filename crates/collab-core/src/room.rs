//! The server's end of the protocol: one room holds one document and everybody in it, takes what
//! happened and says what must be done. Must not know tasks, sockets, SQL or the cluster.
//!
//! A shell drives it: it hands in every [`Input`] that waits, calls [`Room::end_turn`] once, and
//! carries out the [`Effect`]s in order. All updates of a turn are merged in one transaction, and
//! that transaction's own encoding is what is relayed and logged, never a client's bytes.

mod door;
mod events;
mod log;
mod merge;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use events::{
    Access, Answer, AppendFailure, Counted, Describe, Effect, Input, Lane, LoadFailure, Loaded,
    Missed,
};
#[cfg(feature = "sabotage")]
pub use settings::Sabotage;
pub use settings::Settings;

use crate::document::{Document, StateVector, TurnNumber};
use crate::ids::{ConnectionId, Lineage, ReplicaId, RequestId, Seq};
use crate::presence::Table;
use crate::protocol::{CloseCode, Control, Dialect, Message, Status, awareness, codec};
use crate::time::Millis;
use log::{Log, Waiter};
use merge::Offered;

/// Milliseconds to the next try after a snapshot could not be stored.
const COMPACT_RETRY_MS: u64 = 30_000;

/// Records in the log that make a room write a snapshot before it retires.
const COMPACT_ON_RETIRE: u64 = 16;

/// What a refused client is advised to wait, in milliseconds.
const RETRY_AFTER_MS: u64 = 5_000;

/// One member of the room.
#[derive(Debug)]
struct Member {
    dialect: Dialect,
    access: Access,
    /// State-changing messages (SyncStep2, Update) received so far.
    frames: u64,
    /// Client ids it may still bring in updates.
    new_replicas: u32,
    /// Something of it was refused for now (gap, frozen): it is asked for everything again.
    owes: bool,
    /// It was told where it is. Who comes while the room loads is told afterwards.
    greeted: bool,
}

/// How far the room is.
enum Phase {
    /// Waiting for storage. `suspects` are the updates of a turn that poisoned the document; each
    /// is tried alone once it is awake again.
    Loading {
        suspects: Vec<Offered>,
    },
    Live(Box<Document>),
    /// Nothing more happens here.
    Retired,
}

/// What a room is doing, for logs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseName {
    /// Frames are held until storage answers.
    Loading,
    /// Open.
    Live,
    /// Stop its task.
    Retired,
}

/// See the module.
pub struct Room {
    settings: Settings,
    replica: ReplicaId,
    phase: Phase,
    lineage: Lineage,
    members: BTreeMap<ConnectionId, Member>,
    presence: Table,
    /// Whose presence changed in this turn.
    presence_changed: BTreeSet<ReplicaId>,
    /// Updates of this turn, not yet merged.
    turn: Vec<Offered>,
    turn_bytes: usize,
    /// Inputs that came while loading.
    held: Vec<Input>,
    held_bytes: usize,
    /// `None` until loaded for the first time.
    log: Option<Log>,
    status: Status,
    /// The budget for unsaved edits is spent: none are taken. True also while the room drains,
    /// when its status says something else.
    frozen: bool,
    compacting: Option<Seq>,
    /// No snapshot is tried before this.
    compact_after: Millis,
    /// Set when the last connection leaves.
    idle_since: Option<Millis>,
    drain_by: Option<Millis>,
    /// Turns of documents that were thrown away: a woken document counts from 0 again, and outboxes
    /// remember turns across that.
    turns_before: u64,
    /// The document was just woken and nothing has been merged since: if reading it panics, its
    /// stored form is at fault.
    fresh: bool,
}

impl Room {
    /// A room that waits for storage. `replica` writes what programs ask for; a fresh one each
    /// time the room wakes.
    pub fn new(settings: Settings, replica: ReplicaId) -> Room {
        Room {
            settings,
            replica,
            phase: Phase::Loading {
                suspects: Vec::new(),
            },
            lineage: Lineage([0; 16]),
            members: BTreeMap::new(),
            presence: Table::default(),
            presence_changed: BTreeSet::new(),
            turn: Vec::new(),
            turn_bytes: 0,
            held: Vec::new(),
            held_bytes: 0,
            log: None,
            status: Status::Normal,
            frozen: false,
            compacting: None,
            compact_after: Millis(0),
            idle_since: None,
            drain_by: None,
            turns_before: 0,
            fresh: true,
        }
    }

    /// Asks for the room's data. Call once, first.
    pub fn start(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.idle_since = Some(now);
        effects.push(Effect::Load { epoch: None });
    }

    /// Takes one thing that happened and writes down, in order, what must now be done about it.
    ///
    /// Updates are only collected; [`Room::end_turn`] merges them. Never blocks, never fails,
    /// never looks at a clock: bad input becomes an effect.
    pub fn handle(&mut self, now: Millis, input: Input, effects: &mut Vec<Effect>) {
        match (&self.phase, input) {
            (Phase::Retired, Input::Join { connection, .. }) => {
                self.turn_away(connection, effects);
            }
            (Phase::Retired, Input::Apply { request, .. } | Input::Write { request, .. })
            | (Phase::Retired, Input::Describe { request, .. }) => {
                effects.push(unavailable(request, "the room was retired; try again"));
            }
            (Phase::Retired, _) => {}
            (_, Input::Loaded(loaded)) => self.loaded(now, loaded, effects),
            (_, Input::LoadFailed(failure)) => self.load_failed(now, &failure, effects),
            (
                _,
                Input::Join {
                    connection,
                    dialect,
                    access,
                },
            ) => self.join(connection, dialect, access, effects),
            (_, Input::Leave { connection }) => self.leave(now, connection, effects),
            (_, Input::Appended { seq }) => self.appended(now, seq, effects),
            (_, Input::AppendFailed { seq, failure }) => {
                self.append_failed(now, seq, failure, effects);
            }
            (_, Input::Compacted { seq }) => self.compacted(seq),
            (_, Input::CompactFailed { seq }) => {
                if self.compacting.take_if(|it| *it == seq).is_some() {
                    self.compact_after = now.plus(COMPACT_RETRY_MS);
                }
            }
            (_, Input::Tick) => {}
            (_, Input::Drain { within_ms }) => {
                self.drain_by.get_or_insert(now.plus(within_ms));
                self.set_status(Status::Draining { within_ms }, effects);
            }
            (_, Input::Deleted) => {
                self.retire_all(CloseCode::Gone, "this room was deleted", effects);
            }
            (Phase::Loading { .. }, other) => self.hold(other, effects),
            (Phase::Live(_), Input::Frame { connection, frame }) => {
                self.frame(now, connection, frame, effects);
            }
            (Phase::Live(_), Input::Drained { connection, missed }) => {
                self.merge_turn(now, effects);
                self.bring_level(now, connection, missed, effects);
            }
            (Phase::Live(_), Input::Apply { request, .. } | Input::Write { request, .. })
            | (Phase::Live(_), Input::Describe { request, .. })
                if self.frozen =>
            {
                effects.push(unavailable(request, &self.why_frozen()));
            }
            (Phase::Live(_), Input::Apply { request, update }) => {
                self.offer(Offered::by_program(request, update));
            }
            (
                Phase::Live(_),
                Input::Write {
                    request,
                    file,
                    edits,
                },
            ) => {
                self.merge_turn(now, effects);
                self.write(now, request, effects, |document| {
                    document.edit(&file, &edits)
                });
            }
            (Phase::Live(_), Input::Describe { request, what }) => {
                self.merge_turn(now, effects);
                self.write(now, request, effects, |document| match &what {
                    Describe::Meta { key, value } => document.set_meta(key, value),
                    Describe::Language { file, language } => document.set_language(file, language),
                });
            }
        }
    }

    /// Merges what the turn brought so far, so that [`Room::document`] shows it. `end_turn` is to
    /// follow all the same.
    pub fn merge(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.merge_turn(now, effects);
    }

    /// Merges what the turn brought in one transaction, relays it, asks for it to be saved, tells
    /// of changed presence, and does what is due. Call after every batch of inputs.
    pub fn end_turn(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.merge_turn(now, effects);
        self.tell_presence(effects);
        if let Some(append) = self.log.as_mut().and_then(|log| log.next_append(now)) {
            effects.push(Effect::Append {
                epoch: append.epoch,
                seq: append.seq,
                record: append.record,
            });
            #[cfg(feature = "sabotage")]
            if self.settings.sabotage == Some(Sabotage::AckBeforeCommit) {
                let waiters = self.log.as_mut().map(Log::take_waiters).unwrap_or_default();
                self.tell_saved(waiters, effects);
            }
        }
        self.freeze_or_thaw(effects);
        self.set_status(self.status_due(), effects);
        self.compact_if_due(now, effects);
        self.retire_if_due(now, effects);
    }

    /// When the room wants to be called next, if nothing happens before. Call `handle` with
    /// [`Input::Tick`] and `end_turn` then.
    pub fn next_deadline(&self) -> Option<Millis> {
        if matches!(self.phase, Phase::Retired) {
            return None;
        }
        let retry = self.log.as_ref().and_then(Log::retry_at);
        let idle = self
            .idle_since
            .filter(|_| self.is_quiet())
            .map(|since| since.plus(self.settings.idle_ms));
        [retry, idle, self.drain_by].into_iter().flatten().min()
    }

    /// The document, when it is awake. Reading is free; change it only through [`Input`]s.
    pub fn document(&mut self) -> Option<&mut Document> {
        match &mut self.phase {
            Phase::Live(document) => Some(document),
            Phase::Loading { .. } | Phase::Retired => None,
        }
    }

    /// What the room is doing.
    pub fn phase(&self) -> PhaseName {
        match self.phase {
            Phase::Loading { .. } => PhaseName::Loading,
            Phase::Live(_) => PhaseName::Live,
            Phase::Retired => PhaseName::Retired,
        }
    }

    /// How many connections are in the room.
    pub fn connections(&self) -> usize {
        self.members.len()
    }

    /// Last committed place in the log.
    pub fn head(&self) -> Seq {
        self.log.as_ref().map(Log::head).unwrap_or_default()
    }

    /// Which document this is; all zero until loaded.
    pub fn lineage(&self) -> Lineage {
        self.lineage
    }

    /// Bytes merged and not durable.
    pub fn unsaved_bytes(&self) -> usize {
        self.log.as_ref().map_or(0, Log::unsaved_bytes)
    }

    /// Bytes of frames held while the room is loading.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// How the room stands.
    pub fn status(&self) -> Status {
        self.status
    }

    fn status_due(&self) -> Status {
        match self.status {
            draining @ Status::Draining { .. } => draining,
            _ if self.frozen => Status::Frozen,
            _ if self.is_failing() => Status::Degraded,
            _ => Status::Normal,
        }
    }

    fn is_failing(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.is_failing())
    }

    fn set_status(&mut self, status: Status, effects: &mut Vec<Effect>) {
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

    fn why_frozen(&self) -> String {
        format!(
            "the database does not answer and {} bytes of unsaved edits are the limit \
             (--max-unsaved-bytes)",
            self.settings.unsaved_budget_bytes
        )
    }

    fn freeze_or_thaw(&mut self, effects: &mut Vec<Effect>) {
        let above = self.unsaved_bytes() > self.settings.unsaved_budget_bytes;
        // Thawed only once the failing append is through, so that it does not flicker.
        let frozen = above || (self.frozen && self.is_failing());
        if std::mem::replace(&mut self.frozen, frozen) && !frozen {
            self.ask_debtors(effects);
        }
    }

    /// Asks everybody whose edits were refused for now to offer them again.
    fn ask_debtors(&mut self, effects: &mut Vec<Effect>) {
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

    fn appended(&mut self, now: Millis, seq: Seq, effects: &mut Vec<Effect>) {
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
    }

    fn append_failed(
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
        }
    }

    /// Tells everybody in `waiters`, each connection once and with its highest count.
    fn tell_saved(&mut self, waiters: Vec<Waiter>, effects: &mut Vec<Effect>) {
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
                    counts.insert(connection, frames);
                    if let Some((lane, frame)) = echo {
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

    fn tell_presence(&mut self, effects: &mut Vec<Effect>) {
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

    fn compact_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let Some(log) = &self.log else { return };
        let (records, bytes) = log.since_snapshot();
        let retiring = self.idle_since.is_some() && records >= COMPACT_ON_RETIRE;
        let due = records >= self.settings.compact_records
            || bytes >= self.settings.compact_bytes
            || retiring;
        let may = self.compacting.is_none() && now >= self.compact_after && log.is_clean();
        if !due || !may || self.is_failing() {
            return;
        }
        let (epoch, seq) = (log.epoch(), log.head());
        let Phase::Live(document) = &mut self.phase else {
            return;
        };
        match document
            .encode()
            .and_then(|state| Ok((state, document.digest()?)))
        {
            Ok((state, digest)) => {
                self.compacting = Some(seq);
                effects.push(Effect::Compact {
                    epoch,
                    seq,
                    state,
                    digest,
                });
            }
            Err(_poisoned) => self.poisoned_by_reading(effects),
        }
    }

    fn compacted(&mut self, seq: Seq) {
        if self.compacting.take_if(|it| *it == seq).is_some()
            && let Some(log) = &mut self.log
        {
            log.compacted_at(seq);
        }
    }

    /// Nobody is here and everything is saved.
    fn is_quiet(&self) -> bool {
        self.members.is_empty()
            && self.turn.is_empty()
            && self.held.is_empty()
            && self.compacting.is_none()
            && self.log.as_ref().is_some_and(Log::is_clean)
    }

    fn retire_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Retired) {
            return;
        }
        if let Some(by) = self.drain_by {
            let saved = self
                .log
                .as_ref()
                .is_some_and(|log| log.is_clean() && self.turn.is_empty());
            let loading = matches!(self.phase, Phase::Loading { .. });
            if saved || now >= by || loading {
                self.retire_all(CloseCode::Restart, "the server is restarting", effects);
            }
            return;
        }
        let idle = self
            .idle_since
            .is_some_and(|since| now.since(since) >= self.settings.idle_ms);
        if idle && self.is_quiet() {
            self.phase = Phase::Retired;
            effects.push(Effect::Retire);
        }
    }

    /// Tells everybody why, closes them, and ends.
    fn retire_all(&mut self, code: CloseCode, reason: &str, effects: &mut Vec<Effect>) {
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
    fn poisoned_by_reading(&mut self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Count(Counted::Poisoned));
        if self.fresh {
            self.retire_all(
                CloseCode::Internal,
                "the stored document cannot be read; its data is kept",
                effects,
            );
        } else {
            self.reload(Vec::new(), effects);
        }
    }

    fn reload(&mut self, suspects: Vec<Offered>, effects: &mut Vec<Effect>) {
        if let Phase::Live(document) = &self.phase {
            self.turns_before += document.turn().0 + 1;
        }
        self.phase = Phase::Loading { suspects };
        self.compacting = None;
        effects.push(Effect::Load {
            epoch: self.log.as_ref().map(Log::epoch),
        });
    }
}

impl Room {
    /// The lane of a frame that says what happened in this turn of the document awake now.
    fn sync_lane(&self, turn: TurnNumber) -> Lane {
        Lane::Sync(TurnNumber(self.turns_before + turn.0))
    }

    /// What a connection held before the turn it missed first; nothing when that cannot be told.
    fn held_before(&self, missed: TurnNumber) -> StateVector {
        let turn = missed.0.checked_sub(self.turns_before);
        match (&self.phase, turn) {
            (Phase::Live(document), Some(turn)) if turn > 0 => document
                .state_vector_at(TurnNumber(turn))
                .unwrap_or_default(),
            _ => StateVector::default(),
        }
    }
}

fn unavailable(request: RequestId, reason: &str) -> Effect {
    Effect::Answer {
        request,
        answer: Answer::Unavailable {
            reason: reason.to_owned(),
        },
    }
}
