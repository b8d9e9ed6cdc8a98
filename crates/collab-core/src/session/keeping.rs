//! What survives the page: each unsaved edit as it is made, now and then a copy of everything, and
//! the way back. Must not know where a device writes it.
//!
//! The device holds a list of records, and this is the whole contract: a record is added for every
//! [`Effect::Keep`], and records are forgotten only when a [`Session::copy`] made after them has
//! been written, by the same stay, which must have made or restored them. So what is on the device
//! always holds every unsaved edit and what it rests on, and several tabs may do this at once:
//! each forgets only what its own copy holds. Updates may come twice and in any order.

use bytes::Bytes;

use super::{Effect, Kept, Phase, Session, tell};
use crate::document::{Outcome, StateVector, TurnNumber};

/// Bytes of other people's updates that wait for the next edit or copy to be kept with it. Beyond
/// them all are dropped: after a crash, an edit that rests on them waits until the server has told
/// them again.
pub const HEARD_BYTES: usize = 256 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Other people's updates since the last edit or copy.
    heard: Vec<Bytes>,
    heard_bytes: usize,
    /// Restored updates that rest on something which is not here yet.
    waiting: Vec<Bytes>,
}

impl Keeping {
    /// Others did this.
    pub(super) fn heard(&mut self, delta: &Bytes) {
        if delta.is_empty() {
            return;
        }
        self.heard_bytes = self.heard_bytes.saturating_add(delta.len());
        if self.heard_bytes > HEARD_BYTES {
            self.heard.clear();
        } else {
            self.heard.push(delta.clone());
        }
    }

    /// What must be written down with this edit, before it.
    pub(super) fn with_what_it_rests_on(&mut self, delta: Bytes) -> Vec<Bytes> {
        self.heard_bytes = 0;
        let mut updates = std::mem::take(&mut self.heard);
        updates.push(delta);
        updates
    }

    /// Restored updates that wait.
    pub(super) fn waiting(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }
}

impl Session {
    /// Everything there is, for the device: it replaces all records that this stay has restored or
    /// made. `None` when the document cannot be read; then what was kept must stay.
    pub fn copy(&mut self) -> Option<Kept> {
        // Nothing waits inside the engine (that is what `waiting` is for), so a diff for somebody
        // who has nothing is the whole. The encoding that carries what waits costs the page 3 KB.
        let whole = self.document.diff(&StateVector::default()).ok()?;
        self.keeping.heard.clear();
        self.keeping.heard_bytes = 0;
        let mut updates = vec![whole];
        updates.extend(self.keeping.waiting.iter().cloned());
        Some(Kept {
            updates,
            unsaved: self.unsaved(),
            lineage: self.lineage,
        })
    }

    pub(super) fn restore(&mut self, kept: Kept, effects: &mut Vec<Effect>) {
        if self.phase != Phase::Idle || self.document.turn() != TurnNumber(0) {
            return;
        }
        self.lineage = kept.lineage;
        self.keeping.waiting = kept.updates;
        self.apply_waiting(effects);
        let waiting = self.keeping.waiting();
        self.unsaved.restored(kept.unsaved.saturating_sub(waiting));
    }

    /// Something new is here: perhaps it is what restored updates were waiting for. They are edits
    /// of this device that no frame has carried yet.
    pub(super) fn take_waiting(&mut self, effects: &mut Vec<Effect>) {
        if self.keeping.waiting.is_empty() {
            return;
        }
        for update in self.apply_waiting(effects) {
            self.send_edit(update, effects);
        }
    }

    /// Applies what can be applied, and returns it. What the gate refuses is damaged, and no text.
    fn apply_waiting(&mut self, effects: &mut Vec<Effect>) -> Vec<Bytes> {
        let mut applied = Vec::new();
        loop {
            let waiting = std::mem::take(&mut self.keeping.waiting);
            let Ok(turn) = self.document.apply_kept(&waiting) else {
                self.unreadable(effects);
                return applied;
            };
            let before = applied.len();
            for (update, outcome) in waiting.into_iter().zip(&turn.outcomes) {
                match outcome {
                    Outcome::Applied { .. } => applied.push(update),
                    Outcome::Gap => self.keeping.waiting.push(update),
                    Outcome::Refused(_) => {}
                }
            }
            tell(turn, effects);
            if applied.len() == before || self.keeping.waiting.is_empty() {
                return applied;
            }
        }
    }
}
