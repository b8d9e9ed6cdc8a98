//! The server's end of the protocol: one room holds one document and everybody in it, takes what
//! happened and says what must be done. Must not know tasks, sockets, SQL or the cluster.
//!
//! A shell drives it: it hands in every [`Input`] that waits, calls [`Room::end_turn`] once, and
//! carries out the [`Effect`]s in order. All updates of a turn are merged in one transaction, and
//! that transaction's own encoding is what is relayed and logged, never a client's bytes.

mod authors;
mod damage;
mod door;
mod events;
mod log;
mod merge;
mod rewound;
mod settings;
#[cfg(test)]
mod tests;
mod upkeep;
pub mod versions;
mod waking;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

pub use authors::{MAX_WRITERS, MAX_WRITERS_PER_CONNECTION};
pub use events::{
    Access, Answer, AppendFailure, Author, Counted, Damage, Describe, Effect, Input, Lane,
    LoadFailure, Loaded, Missed, Part,
};
pub use settings::Settings;
#[cfg(feature = "sabotage")]
pub use settings::{DEADLY, Sabotage};

use crate::document::{Digest, Document, Outcome, StateVector, Turn, TurnNumber};
use crate::ids::{ConnectionId, Lineage, ReplicaId, RequestId, Seq};
use crate::presence::Table;
use crate::protocol::{CloseCode, Control, Dialect, Message, Status, awareness, codec};
use crate::time::Millis;
use authors::Authors;
use damage::Damaged;
use log::Log;
use merge::Offered;
use versions::Versions;

/// Milliseconds to the next try after a snapshot could not be stored.
const COMPACT_RETRY_MS: u64 = 30_000;

/// Records in the log that make a room write a snapshot before it retires. More for a document
/// whose snapshot is large, as with [`Settings::compact_records`].
const COMPACT_ON_RETIRE: u64 = 16;

/// A log is folded when it has reached this part of its snapshot's size (one fourth), unless the
/// fixed thresholds are larger. Whoever wakes the room reads at most so much more.
const COMPACT_SHARE: usize = 4;

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
    /// When it was last asked because an update of it rests on edits that nobody here has.
    asked_over_gap: Option<TurnNumber>,
    /// Another such update came since, and the document has not moved: whoever keeps what waits, as
    /// Yjs does, answers the same question with the same update, for ever.
    waits: bool,
    /// It was told where it is. Who comes while the room loads is told afterwards.
    greeted: bool,
    /// Replicas whose edits it brought first.
    writers: u32,
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
    authors: Authors,
    versions: Versions,
    /// Who asked in this turn for what they lack, and what they have: answered once, at its end.
    asks: BTreeMap<ConnectionId, StateVector>,
    /// The last such answer, for everybody who has the same at the same turn: a thousand joiners
    /// share one encoding.
    answered: Option<(TurnNumber, StateVector, Bytes)>,
    /// Somebody owes edits that were refused for now: ask at the end of the turn.
    ask_debtors: bool,
    /// The document's turn at which members were found to wait, if any do.
    waiting_since: Option<TurnNumber>,
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
    /// A snapshot equal to the log up to an append that is on its way: stored once that has
    /// committed. A snapshot must never hold what the log does not, or an older one could not take
    /// its place.
    prepared: Option<(Seq, Bytes, Digest)>,
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
    /// Whether the next waking also reads the whole document, to find what breaks it.
    careful: bool,
    /// What the stored room lacks, while it is damaged.
    damaged: Option<Damaged>,
    /// The oldest snapshot that did not decode.
    passed_over: Option<Seq>,
    /// The document as it was when the database turned out to hold an older one.
    rescued: Option<Box<Document>>,
    /// When it is tried again to claim the room for that document.
    reclaim_at: Option<Millis>,
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
            authors: Authors::default(),
            versions: Versions::default(),
            asks: BTreeMap::new(),
            answered: None,
            ask_debtors: false,
            waiting_since: None,
            turn: Vec::new(),
            turn_bytes: 0,
            held: Vec::new(),
            held_bytes: 0,
            log: None,
            status: Status::Normal,
            frozen: false,
            compacting: None,
            prepared: None,
            compact_after: Millis(0),
            idle_since: None,
            drain_by: None,
            turns_before: 0,
            fresh: true,
            careful: false,
            damaged: None,
            passed_over: None,
            rescued: None,
            reclaim_at: None,
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
            (Phase::Loading { .. }, leave @ Input::Leave { .. }) if self.holds(&leave) => {
                self.hold(leave, effects);
            }
            (_, Input::Leave { connection }) => {
                // What it brought in this turn still counts.
                self.merge_turn(now, effects);
                self.leave(now, connection);
            }
            (_, Input::Appended { seq }) => self.appended(now, seq, effects),
            (_, Input::AppendFailed { seq, failure }) => {
                self.append_failed(now, seq, failure, effects);
            }
            (_, Input::Compacted { seq }) => self.compacted(seq, effects),
            (_, Input::Versioned { seq, stored }) => self.versioned(now, seq, stored),
            (_, Input::Remembered { stored }) => self.remembered(now, stored),
            (_, Input::Quarantined { stored }) => self.quarantined(stored, effects),
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
            (_, Input::Deleted) => self.deleted(effects),
            (Phase::Loading { .. }, other) => self.hold(other, effects),
            (Phase::Live(_), Input::Frame { connection, frame }) => {
                self.frame(now, connection, frame, effects);
            }
            (Phase::Live(_), Input::Drained { connection, missed }) => {
                self.merge_turn(now, effects);
                if matches!(self.phase, Phase::Loading { .. }) {
                    self.hold(Input::Drained { connection, missed }, effects);
                } else {
                    self.bring_level(connection, missed, effects);
                }
            }
            (
                Phase::Live(_),
                Input::Apply { request, .. }
                | Input::Write { request, .. }
                | Input::Describe { request, .. },
            ) if self.frozen => {
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
                let grows = edits.iter().map(|edit| edit.insert.len()).sum();
                self.write(now, request, grows, effects, |document| {
                    document.edit(&file, &edits)
                });
            }
            (Phase::Live(_), Input::Describe { request, what }) => {
                self.merge_turn(now, effects);
                self.write(now, request, 0, effects, |document| match &what {
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
        self.wake_waiting();
        if std::mem::take(&mut self.ask_debtors) {
            self.ask_debtors(effects);
        }
        self.answer_asks(effects);
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
        self.reclaim_if_due(now, effects);
        self.freeze_or_thaw(effects);
        self.set_status(self.status_due(), effects);
        self.compact_if_due(now, effects);
        self.version_if_due(now, effects);
        self.tell_authors(now, effects);
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
        let names = self.authors.deadline();
        let version = self.version_due_at();
        let dates = [retry, idle, self.drain_by, self.reclaim_at, names, version];
        dates.into_iter().flatten().min()
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

    /// Whether something of the stored room is missing: it is served and appended to, but neither
    /// folded nor cut into versions.
    pub fn is_damaged(&self) -> bool {
        self.damaged.is_some()
    }

    /// How the room stands.
    pub fn status(&self) -> Status {
        self.status
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
