//! What updates add and take away, counted: for the list of versions. Must not know versions.

use std::collections::BTreeMap;

use super::archive::parse;
use crate::ids::ReplicaId;

/// UTF-16 code units that updates of one document inserted and deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    inserted: BTreeMap<ReplicaId, u64>,
    deletions: u64,
}

impl Tally {
    /// Counts one turn's delta. What is not an update counts nothing.
    ///
    /// Insertions are of text only. An update does not say what the units were that it deletes: a
    /// replaced value, or an embedded object, counts as one.
    pub fn add(&mut self, delta: &[u8]) {
        let Ok(parsed) = parse(delta) else { return };
        for (id, _, structs) in &parsed.structs {
            let text = structs.iter().filter(|it| it.holds_text());
            let units = text.fold(0u64, |sum, it| sum.saturating_add(it.units));
            if let Some(replica) = ReplicaId::new(*id).filter(|_| units > 0) {
                let inserted = self.inserted.entry(replica).or_default();
                *inserted = inserted.saturating_add(units);
            }
        }
        let ranges = parsed.deletes.iter().flat_map(|(_, ranges)| ranges);
        let deleted = ranges.fold(0u64, |sum, (_, units)| sum.saturating_add(*units));
        self.deletions = self.deletions.saturating_add(deleted);
    }

    /// By whom how many units were inserted; nobody stands here with none.
    pub fn inserted(&self) -> impl Iterator<Item = (ReplicaId, u64)> {
        self.inserted
            .iter()
            .map(|(replica, units)| (*replica, *units))
    }

    /// Units inserted by all.
    pub fn insertions(&self) -> u64 {
        let units = self.inserted.values();
        units.fold(0, |sum, units| sum.saturating_add(*units))
    }

    /// Units deleted by all.
    pub fn deletions(&self) -> u64 {
        self.deletions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Edit, FileId};
    use crate::ids::Offset;

    fn edit(document: &mut Document, at: u32, delete: u32, text: &str) -> bytes::Bytes {
        let edit = Edit {
            at: Offset(at),
            delete,
            insert: text.to_owned(),
        };
        document.edit(&FileId::main(), &[edit]).expect("in range")
    }

    #[test]
    fn units_by_replica() {
        let mut tally = Tally::default();
        let mut ada = Document::new(ReplicaId::ours(1));
        let mut bob = Document::new(ReplicaId::ours(2));
        let first = edit(&mut ada, 0, 0, "ab😀");
        bob.apply_from_server(&first).expect("sound");
        tally.add(&first);
        tally.add(&edit(&mut bob, 1, 1, "xyz"));
        tally.add(&edit(&mut bob, 0, 1, ""));
        let by: Vec<_> = tally.inserted().collect();
        assert_eq!(by, [(ReplicaId::ours(1), 4), (ReplicaId::ours(2), 3)]);
        assert_eq!((tally.insertions(), tally.deletions()), (7, 2));
        // Not text, and not an update.
        tally.add(&ada.set_meta("name", "Notes").expect("short"));
        tally.add(b"junk");
        assert_eq!((tally.insertions(), tally.deletions()), (7, 2));
    }
}
