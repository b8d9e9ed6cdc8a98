//! Loading what can be loaded: when some of the stored updates are damaged, or rest on ones that
//! are missing, the rest becomes a document and the others are named. Must not know where updates
//! are stored, nor what is done about the bad ones.

use std::collections::BTreeSet;

use super::{Document, LOAD_BATCH, LoadErrorReason, Poisoned};
use crate::ids::ReplicaId;

/// Updates that may make the engine fail before loading is given up. Finding each costs two more
/// loads of the document.
pub const MAX_POISONOUS: usize = 16;

/// How far a loaded document is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Everything is applied.
    Applied,
    /// It is also read and encoded as a whole: some bytes harm only then.
    Read,
}

/// What could be loaded, and what not. Numbers count the updates given, from 0.
#[derive(Debug)]
pub struct Salvaged {
    /// Everything that could be applied, in the order given.
    pub document: Document,
    /// Updates that rest on something that is not there. They are sound themselves.
    pub waiting: Vec<usize>,
    /// Updates that must not be part of a document, and why.
    pub faulty: Vec<(usize, LoadErrorReason)>,
}

/// Too many updates make the engine fail ([`MAX_POISONOUS`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_POISONOUS} stored updates make the engine fail")]
pub struct TooPoisonous;

impl Document {
    /// A document from those of the stored updates that can be applied. One that rests on a later
    /// one is applied after it.
    pub fn salvage(
        replica: ReplicaId,
        updates: &[&[u8]],
        care: Care,
    ) -> Result<Salvaged, TooPoisonous> {
        let mut poisonous = BTreeSet::new();
        for _ in 0..=MAX_POISONOUS {
            let attempt = Attempt {
                replica,
                updates,
                poisonous: &poisonous,
            };
            let culprit = match attempt.load(updates.len(), LOAD_BATCH) {
                Ok(salvaged) if care == Care::Applied || can_be_read(&salvaged.document) => {
                    return Ok(salvaged.without(poisonous));
                }
                Ok(_) => Some(attempt.first_unreadable()),
                // One at a time, the one that fails is the one to blame.
                Err(_) => attempt.load(updates.len(), 1).err(),
            };
            poisonous.extend(culprit);
        }
        Err(TooPoisonous)
    }
}

impl Salvaged {
    fn without(mut self, poisonous: BTreeSet<usize>) -> Salvaged {
        let reason = LoadErrorReason::Poisoned(Poisoned { during: "loading" });
        self.faulty
            .extend(poisonous.into_iter().map(|index| (index, reason)));
        self.faulty.sort_by_key(|(index, _)| *index);
        self
    }
}

fn can_be_read(document: &Document) -> bool {
    document.digest().is_ok() && document.diff(&super::StateVector::default()).is_ok()
}

struct Attempt<'a> {
    replica: ReplicaId,
    updates: &'a [&'a [u8]],
    poisonous: &'a BTreeSet<usize>,
}

impl Attempt<'_> {
    /// Loads the first `count` updates but the poisonous, `batch` in a transaction. Errors: an
    /// update of the batch in which the engine failed; with a batch of one, the one to blame.
    fn load(&self, count: usize, batch: usize) -> Result<Salvaged, usize> {
        let mut salvaged = Salvaged {
            document: Document::new(self.replica),
            waiting: Vec::new(),
            faulty: Vec::new(),
        };
        let mut open: Vec<usize> = (0..count)
            .filter(|index| !self.poisonous.contains(index))
            .collect();
        // Each round applies at least one more, or is the last.
        loop {
            let before = open.len();
            let mut waiting = Vec::new();
            for indices in open.chunks(batch) {
                for (index, reason) in salvaged.document.load_some(indices, self.updates)? {
                    match reason {
                        LoadErrorReason::Gap => waiting.push(index),
                        reason => salvaged.faulty.push((index, reason)),
                    }
                }
            }
            let is_last = waiting.is_empty() || waiting.len() == before;
            open = waiting;
            if is_last {
                salvaged.waiting = open;
                return Ok(salvaged);
            }
        }
    }

    /// The update after which the document can no longer be read, by halving.
    fn first_unreadable(&self) -> usize {
        let unreadable = |count: usize| {
            let loaded = self.load(count, LOAD_BATCH);
            loaded.map_or(true, |salvaged| !can_be_read(&salvaged.document))
        };
        let (mut readable, mut broken) = (0, self.updates.len());
        while broken - readable > 1 {
            let middle = readable + (broken - readable) / 2;
            match unreadable(middle) {
                true => broken = middle,
                false => readable = middle,
            }
        }
        readable
    }
}

impl Document {
    /// Applies some of the updates in one transaction and says which were left out. Errors: the
    /// last one tried when the engine failed; the document is lost then.
    fn load_some(
        &mut self,
        indices: &[usize],
        updates: &[&[u8]],
    ) -> Result<Vec<(usize, LoadErrorReason)>, usize> {
        let mut left_out = Vec::new();
        let mut rest = indices;
        while let Some(first) = rest.first() {
            let batch = rest
                .iter()
                .filter_map(|index| Some((*index, *updates.get(*index)?)));
            let Err(error) = self.load_batch(*first, batch) else {
                break;
            };
            if matches!(error.reason, LoadErrorReason::Poisoned(_)) {
                return Err(error.index);
            }
            // What the gate stops was not applied, and what came before it was.
            left_out.push((error.index, error.reason));
            let done = rest.iter().position(|index| *index == error.index);
            rest = done
                .and_then(|done| rest.get(done + 1..))
                .unwrap_or_default();
        }
        Ok(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Edit, FileId};
    use crate::ids::Offset;

    fn typed(document: &mut Document, at: u32, text: &str) -> Vec<u8> {
        let edit = Edit {
            at: Offset(at),
            delete: 0,
            insert: text.to_owned(),
        };
        let delta = document.edit(&FileId::main(), &[edit]).expect("in range");
        delta.to_vec()
    }

    fn salvage(updates: &[Vec<u8>], care: Care) -> Salvaged {
        let updates: Vec<&[u8]> = updates.iter().map(|update| &update[..]).collect();
        Document::salvage(ReplicaId::ours(9), &updates, care).expect("few are poisonous")
    }

    /// 200 letters by two people in turn, an update each.
    fn history() -> Vec<Vec<u8>> {
        let mut people = [1, 2].map(|n| Document::new(ReplicaId::ours(n)));
        (0..200u32)
            .map(|n| {
                let [a, b] = &mut people;
                let (author, other) = if n % 2 == 0 { (a, b) } else { (b, a) };
                let update = typed(author, n, "x");
                other.apply_from_server(&update).expect("sound");
                update
            })
            .collect()
    }

    #[test]
    fn a_sound_history_is_loaded_whole() {
        let salvaged = salvage(&history(), Care::Read);
        assert_eq!(salvaged.document.text(&FileId::main()).len(), 200);
        assert!(salvaged.waiting.is_empty() && salvaged.faulty.is_empty());
    }

    #[test]
    fn what_rests_on_a_missing_one_waits_and_what_is_garbage_is_named() {
        let mut updates = history();
        updates[70] = vec![0xff; 9];
        let salvaged = salvage(&updates, Care::Applied);
        assert_eq!(salvaged.document.text(&FileId::main()).len(), 70);
        let faulty: Vec<usize> = salvaged.faulty.iter().map(|(index, _)| *index).collect();
        assert_eq!(faulty, [70]);
        assert_eq!(salvaged.waiting, (71..200).collect::<Vec<_>>());
    }

    #[test]
    fn what_comes_too_late_is_applied_all_the_same() {
        let mut updates = history();
        let early = updates.remove(70);
        updates.push(early);
        let salvaged = salvage(&updates, Care::Applied);
        assert_eq!(salvaged.document.text(&FileId::main()).len(), 200);
        assert!(salvaged.waiting.is_empty() && salvaged.faulty.is_empty());
    }
}
