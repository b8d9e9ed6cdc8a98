//! Waking the document from what storage has, the first time and again after poison. Must not know
//! who waits for it.

use super::damage::{NotWoken, Woken};
use super::log::Log;
use super::{CloseCode, Effect, LoadFailure, Loaded, Phase, Room};
use crate::record::Record;
use crate::time::Millis;

/// When the last edit was made that the room's log has, as far as its newest record tells.
fn last_edit(loaded: &Loaded) -> Option<Millis> {
    let (_, record) = loaded.records.last()?;
    let record = Record::decode(record).ok()?;
    record.turns.last().map(|turn| Millis(turn.at))
}

impl Room {
    /// Storage has answered.
    pub(super) fn loaded(&mut self, now: Millis, loaded: Loaded, effects: &mut Vec<Effect>) {
        let Phase::Loading { suspects } = &mut self.phase else {
            return;
        };
        let suspects = std::mem::take(suspects);
        let live = self.rescued.take();
        if live.is_some() {
            if loaded.lineage != self.lineage {
                self.deleted(effects);
                return;
            }
            self.rewind_log(&loaded);
        } else if self
            .log
            .as_ref()
            .is_some_and(|log| loaded.head < log.head())
        {
            // Our own append committed after storage had read: it is in neither hand. Read again.
            self.reload(suspects, effects);
            return;
        }
        let overtaken = |log: &Log| log.is_overtaken(loaded.head, &loaded.records);
        if live.is_none() && self.log.as_ref().is_some_and(overtaken) {
            // Members were sent nothing of what the other owner wrote; they get it from there.
            let reason = "the room moved to another server";
            self.retire_all(CloseCode::Restart, reason, effects);
            return;
        }
        let Woken {
            mut document,
            waiting,
            damage,
        } = match self.wake(&loaded) {
            Ok(woken) => woken,
            Err(NotWoken::Snapshot(damage)) => {
                self.rescued = live;
                self.phase = Phase::Loading { suspects };
                self.pass_over_snapshot(&loaded, damage, effects);
                return;
            }
            Err(NotWoken::Hopeless(reason)) => {
                self.retire_all(CloseCode::Internal, &reason, effects);
                return;
            }
        };
        let edited = last_edit(&loaded).unwrap_or(now);
        self.versions.loaded(loaded.version, loaded.head, edited);
        let log = self.log.get_or_insert_with(|| {
            self.lineage = loaded.lineage;
            Log::new(loaded.epoch, loaded.head, 0, 0, 0)
        });
        log.measured(
            loaded.records.len() as u64,
            loaded.records.iter().map(|(_, record)| record.len()).sum(),
            loaded.snapshot.as_ref().map_or(0, |state| state.len()),
        );
        match live {
            None => self.phase = Phase::Live(Box::new(document)),
            Some(live) => {
                if self.rejoin(now, live, &mut document, effects).is_err() {
                    let reason = "the room is woken again; come back with what you have";
                    self.retire_all(CloseCode::Restart, reason, effects);
                    return;
                }
            }
        }
        self.fresh = true;
        // Its turns count from the beginning: what was asked at those of the last one says nothing.
        self.waiting_since = None;
        for member in self.members.values_mut() {
            member.asked_over_gap = None;
            member.owes |= std::mem::take(&mut member.waits);
        }
        self.take_damage(&loaded, waiting, damage, effects);
        self.retry_alone(now, suspects, effects);
        if matches!(self.phase, Phase::Live(_)) {
            for connection in self.members.keys().copied().collect::<Vec<_>>() {
                self.greet(connection, effects);
            }
            if !self.frozen {
                // The room may have thawed while nobody could be asked.
                self.ask_debtors(effects);
            }
        }
        self.held_bytes = 0;
        for input in std::mem::take(&mut self.held) {
            self.handle(now, input, effects);
        }
    }

    pub(super) fn load_failed(
        &mut self,
        now: Millis,
        failure: &LoadFailure,
        effects: &mut Vec<Effect>,
    ) {
        #[cfg(feature = "sabotage")]
        if self.settings.sabotage == Some(super::Sabotage::EmptyOnError) {
            let empty = Loaded {
                lineage: self.lineage,
                epoch: crate::ids::Epoch(u64::MAX),
                head: crate::ids::Seq(0),
                snapshot_seq: crate::ids::Seq(0),
                snapshot: None,
                records: Vec::new(),
                damage: Vec::new(),
                degraded: false,
                version: None,
            };
            self.loaded(now, empty, effects);
            return;
        }
        if self.rescued.is_some() && *failure == LoadFailure::Unavailable {
            self.reclaim_later(now);
            return;
        }
        let (code, reason) = match failure {
            LoadFailure::NotFound => (
                CloseCode::NotFound,
                "there is no such room, and rooms are not made by visiting (--auto-create)",
            ),
            LoadFailure::Unavailable => (
                CloseCode::TryLater,
                "the database does not answer; the room is kept as it is",
            ),
            LoadFailure::Corrupt => (
                CloseCode::Internal,
                "the stored room is damaged; its data is kept",
            ),
            LoadFailure::Deadly => (
                CloseCode::Internal,
                "opening this room has ended the server several times: it stays closed, its data is \
                 kept, and the server's log says what to do",
            ),
        };
        self.retire_all(code, reason, effects);
    }
}
