//! Waking the document from what storage has, the first time and again after poison. Must not know
//! who waits for it.

use bytes::Bytes;

use super::log::Log;
use super::{CloseCode, Effect, LoadFailure, Loaded, Phase, Room};
use crate::document::Document;
use crate::record::Record;
use crate::time::Millis;

impl Room {
    /// Storage has answered.
    pub(super) fn loaded(&mut self, now: Millis, loaded: Loaded, effects: &mut Vec<Effect>) {
        let Phase::Loading { suspects } = &mut self.phase else {
            return;
        };
        let suspects = std::mem::take(suspects);
        if self
            .log
            .as_ref()
            .is_some_and(|log| loaded.head < log.head())
        {
            // Our own append committed after storage had read: it is in neither hand. Read again.
            self.reload(suspects, effects);
            return;
        }
        let document = match self.wake(&loaded) {
            Ok(document) => document,
            Err(reason) => {
                self.retire_all(CloseCode::Internal, &reason, effects);
                return;
            }
        };
        if self.log.is_none() {
            self.lineage = loaded.lineage;
            let bytes = loaded.records.iter().map(Bytes::len).sum();
            let snapshot_bytes = loaded.snapshot.as_ref().map_or(0, Bytes::len);
            self.log = Some(Log::new(
                loaded.epoch,
                loaded.head,
                loaded.records.len() as u64,
                bytes,
                snapshot_bytes,
            ));
        }
        self.phase = Phase::Live(Box::new(document));
        self.fresh = true;
        // Its turns count from the beginning: what was asked at those of the last one says nothing.
        self.waiting_since = None;
        for member in self.members.values_mut() {
            member.asked_over_gap = None;
            member.owes |= std::mem::take(&mut member.waits);
        }
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

    /// The document as storage has it, and what of ours storage may lack.
    fn wake(&mut self, loaded: &Loaded) -> Result<Document, String> {
        let mut updates: Vec<Bytes> = loaded.snapshot.iter().cloned().collect();
        for (place, bytes) in loaded.records.iter().enumerate() {
            let record = Record::decode(bytes).map_err(|error| {
                format!("record {place} after the snapshot: {error}; the data is kept")
            })?;
            updates.extend(record.turns.into_iter().map(|turn| Bytes::from(turn.delta)));
        }
        let unsaved = self.log.as_ref().map(Log::unsaved).unwrap_or_default();
        updates.extend(unsaved.into_iter().map(Bytes::from));
        Document::load(self.replica, updates.iter().map(|update| &update[..])).map_err(|error| {
            format!("the stored document cannot be read ({error}); its data is kept")
        })
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
            };
            self.loaded(now, empty, effects);
            return;
        }
        let _ = now;
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
        };
        self.retire_all(code, reason, effects);
    }
}
