//! Operations on their way to storage and back, and the weather there. Must not know what rooms do
//! with the answers.

use bytes::Bytes;
use collab_core::document::{Digest, Document};
use collab_core::ids::{Epoch, ReplicaId, Seq};
use collab_core::room::{AppendFailure, Input};

use super::{Event, World};
use crate::checker::{Invariant, Units, Verdict, violated};
use crate::counts::Happening;
use crate::disk::{Change, Fate, Outcome, Request};
use crate::scenario::Weather;

/// Something asked of storage. It outlives whoever asked.
#[derive(Debug)]
pub(super) struct Operation {
    node: usize,
    incarnation: u64,
    room: u32,
    life: u64,
    request: Request,
    outcome: Option<Outcome>,
    /// What a load would have given, for a load.
    loadable: Option<Units>,
}

impl World {
    pub(super) fn ask_storage(
        &mut self,
        node: usize,
        room: u32,
        life: Option<u64>,
        request: Request,
    ) {
        let Some(life) = life else { return };
        let id = self.fresh_id();
        let delay = self.chance.below(self.weather.delay_ms + 1);
        if delay > 1_000 {
            self.count(Happening::DiskSlow);
        }
        self.operations.insert(
            id,
            Operation {
                node,
                incarnation: self.nodes[node].incarnation,
                room,
                life,
                request,
                outcome: None,
                loadable: None,
            },
        );
        self.agenda.after(delay, Event::Execute(id));
    }

    /// The shell verifies a snapshot by decoding it before storage may rely on it.
    pub(super) fn snapshot(
        &mut self,
        node: usize,
        room: u32,
        life: Option<u64>,
        (epoch, seq): (Epoch, Seq),
        (state, digest): (Bytes, Digest),
    ) -> Verdict {
        let reader = ReplicaId::ours(u32::MAX);
        let read = Document::load(reader, [&state[..]]);
        if !matches!(&read, Ok(read) if read.digest() == Ok(digest)) {
            return violated(
                Invariant::SnapshotEqualsLog,
                format!("the snapshot of room {room} at {seq} does not decode to its digest"),
            );
        }
        self.note(|| format!("room {room} compacts at {seq}, {} bytes", state.len()));
        let request = Request::Snapshot {
            epoch,
            seq,
            state,
            digest,
        };
        self.ask_storage(node, room, life, request);
        Ok(())
    }

    /// Storage carries an operation out, at one instant.
    pub(super) fn execute(&mut self, id: u64) -> Verdict {
        let drawn = self.chance.below(1_000);
        let lineage = self.fresh_lineage();
        let Some(operation) = self.operations.get_mut(&id) else {
            return Ok(());
        };
        let mut fate = self.weather.fate(drawn);
        if self.healed {
            fate = Fate::Fine;
        }
        let room = operation.room;
        let asker_lives = self.nodes[operation.node].incarnation == operation.incarnation;
        let (change, outcome) = self.disk.execute(room, &operation.request, fate, lineage);
        let is_append = matches!(operation.request, Request::Append { .. });
        let is_load = matches!(
            operation.request,
            Request::Load { .. } | Request::Reclaim { .. }
        );
        if is_load {
            operation.loadable = Some(self.checker.stored(room));
        }
        let about = format!("storage, room {room}: {change:?} ({fate:?})");
        operation.outcome = Some(outcome);
        self.note(|| about);
        if let Some(row) = self.disk.row(room) {
            self.checker.disk(room, row, &change)?;
        }
        self.count_execution(is_append, &change, fate, asker_lives, id);
        let delay = self.chance.below(self.weather.delay_ms + 1);
        self.agenda.after(delay, Event::Answer(id));
        Ok(())
    }

    fn count_execution(
        &mut self,
        is_append: bool,
        change: &Change,
        fate: Fate,
        asker_lives: bool,
        id: u64,
    ) {
        match (is_append, fate) {
            (true, Fate::FailsBefore) => self.count(Happening::AppendFailedBefore),
            (true, Fate::FailsAfter) => self.count(Happening::AppendFailedAfter),
            _ => {}
        }
        match change {
            Change::Known => self.count(Happening::AppendAgain),
            Change::Appended(_) if !asker_lives => self.count(Happening::CrashCommitted),
            Change::None if is_append && !asker_lives => self.count(Happening::CrashUncommitted),
            Change::Folded(1..) => self.count(Happening::Folded),
            _ => {}
        }
        match self.operations.get(&id).map(|it| (&it.request, fate)) {
            Some((Request::Load { .. }, Fate::FailsBefore)) => {
                self.count(Happening::LoadFailedBefore);
            }
            Some((Request::Load { .. }, Fate::FailsAfter)) => {
                self.count(Happening::LoadFailedAfter);
            }
            _ => {}
        }
    }

    /// The answer reaches the process that asked, if it is still the same.
    pub(super) fn storage_answers(&mut self, id: u64) -> Verdict {
        let Some(operation) = self.operations.remove(&id) else {
            return Ok(());
        };
        let Operation {
            node,
            incarnation,
            room,
            life,
            outcome,
            loadable,
            ..
        } = operation;
        if self.nodes[node].incarnation != incarnation || !self.nodes[node].up {
            return Ok(());
        }
        let Some(outcome) = outcome else {
            return Ok(());
        };
        let input = match outcome {
            Outcome::Loaded(loaded) => {
                if loaded.snapshot.is_some() && !loaded.records.is_empty() {
                    self.count(Happening::LoadedWhole);
                }
                Input::Loaded(loaded)
            }
            Outcome::LoadFailed(failure) => Input::LoadFailed(failure),
            Outcome::Appended { seq } => Input::Appended { seq },
            Outcome::AppendFailed { seq, failure } => {
                if failure == AppendFailure::Fenced {
                    self.count(Happening::AppendFenced);
                }
                Input::AppendFailed { seq, failure }
            }
            Outcome::Stored { epoch, seq } => {
                self.count(Happening::Compacted);
                self.ask_storage(node, room, Some(life), Request::Fold { epoch });
                Input::Compacted { seq }
            }
            Outcome::NotStored { seq, fenced } => {
                self.count(match fenced {
                    true => Happening::CompactFenced,
                    false => Happening::CompactFailed,
                });
                Input::CompactFailed { seq }
            }
            Outcome::Folded(folded) => {
                if folded.is_none() {
                    self.count(Happening::FoldFailed);
                }
                return Ok(());
            }
            Outcome::Versioned { seq, stored } => {
                self.count(match stored {
                    true => Happening::Versioned,
                    false => Happening::VersionFailed,
                });
                Input::Versioned { seq, stored }
            }
            Outcome::Remembered { stored } => Input::Remembered { stored },
            Outcome::Marked { quarantine, stored } => {
                if !quarantine {
                    return Ok(());
                }
                Input::Quarantined { stored }
            }
        };
        self.put_answer(node, room, life, input, loadable);
        Ok(())
    }

    pub(super) fn weather_changes(&mut self) {
        if self.healed {
            self.weather = Weather::FAIR;
            return;
        }
        self.weather = *self.chance.pick(&self.scenario.weather);
        let weather = self.weather;
        self.note(|| format!("storage weather: {weather:?}"));
        let lasts = self.chance.between(200, 8_000);
        self.agenda.after(lasts, Event::Weather);
    }
}
