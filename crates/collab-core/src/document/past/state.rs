//! A document at any point of its log, made from turns in order. Must not know where they are from.

use std::mem;

use bytes::Bytes;

use super::BadPast;
use super::merged::{Merged, Objects};
use crate::document::{Document, Outcome, StateVector};
use crate::ids::ReplicaId;

/// Bytes of merged turns that are kept before the engine gets them (32 MiB).
pub const PART_BYTES: usize = 32 << 20;

/// Bytes of merged turns since the [mark](Past::mark) (256 MiB). More are [`BadPast::TooMuch`]: whoever
/// asked begins at a later point.
pub const MAX_SINCE_BYTES: usize = 256 << 20;

/// See the module.
#[derive(Debug)]
pub struct Past {
    document: Document,
    merged: Merged,
    objects: Objects,
    mark: Option<StateVector>,
    /// Bytes since the mark.
    since: usize,
}

impl Default for Past {
    fn default() -> Past {
        Past::new(Objects::Kept)
    }
}

impl Past {
    /// For the document itself.
    fn new(objects: Objects) -> Past {
        Past {
            document: Document::new(ReplicaId::ours(0)),
            merged: Merged::new(objects),
            objects,
            mark: None,
            since: 0,
        }
    }

    /// For the places of a text's units ([`Trail`](super::Trail)): embedded objects are the character
    /// that stands for them.
    pub fn of_texts() -> Past {
        Past::new(Objects::Shown)
    }

    /// The next turn, or the state with which a log begins.
    pub fn turn(&mut self, update: &[u8]) -> Result<(), BadPast> {
        let deletes = self.mark.is_none();
        let before = self.merged.size();
        if !self.merged.push(update, deletes)? {
            self.flush()?;
            self.merged.push(update, deletes)?;
        }
        if !deletes {
            self.since += self.merged.size().saturating_sub(before);
            if self.since > MAX_SINCE_BYTES {
                return Err(BadPast::TooMuch);
            }
        }
        if self.merged.size() > PART_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// From here on nothing is deleted any more: what was here at this moment stays beside all that
    /// comes.
    pub fn mark(&mut self) -> Result<(), BadPast> {
        self.flush()?;
        self.mark.get_or_insert(self.document.state_vector());
        Ok(())
    }

    /// The document after all turns so far.
    pub fn document(mut self) -> Result<Document, BadPast> {
        self.flush()?;
        Ok(self.document)
    }

    /// The document, and what it had seen at the mark: everything, without one.
    pub(super) fn marked(mut self) -> Result<(Document, StateVector), BadPast> {
        self.mark()?;
        let mark = self.mark.take().unwrap_or_default();
        Ok((self.document()?, mark))
    }

    fn flush(&mut self) -> Result<(), BadPast> {
        if self.merged.is_empty() {
            return Ok(());
        }
        let merged = mem::replace(&mut self.merged, Merged::new(self.objects));
        let turn = self.document.apply_kept(&[Bytes::from(merged.finish())])?;
        match turn.outcomes.first() {
            Some(Outcome::Gap) => Err(BadPast::Gap),
            Some(Outcome::Refused(refusal)) => Err((*refusal).into()),
            Some(Outcome::Applied { .. }) | None => Ok(()),
        }
    }
}
