//! What an update carries, unit by unit: which insertions and which deletions. A state vector could
//! not say it, because deletions move none. Must not know who carries it.

use collab_core::ids::ReplicaId;
use collab_core::record::Record;
use yrs::updates::decoder::Decode;
use yrs::{IdSet, Update};

use crate::disk::Row;

/// Units that were inserted and units that were deleted, by replica and clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Units {
    inserted: IdSet,
    deleted: IdSet,
}

impl Units {
    /// Of an update of an honest author; `None` when it does not decode. Hostile bytes must not
    /// come here: the engine's decoder alone is no match for them.
    pub fn of_update(update: &[u8]) -> Option<Units> {
        let update = Update::decode_v1(update).ok()?;
        Some(Units {
            inserted: update.insertions(true),
            deleted: update.delete_set().clone(),
        })
    }

    /// The first units of one replica, up to this clock.
    pub fn inserted_by(replica: ReplicaId, clock: u32) -> Units {
        let mut units = Units::default();
        let first = yrs::ID::new(yrs::ClientID::new(replica.get()), 0);
        units.inserted.insert(first, clock);
        units
    }

    /// Of a log record.
    pub fn of_record(record: &[u8]) -> Option<Units> {
        let mut units = Units::default();
        for turn in Record::decode(record).ok()?.turns {
            units.add(Units::of_update(&turn.delta)?);
        }
        Some(units)
    }

    /// Of what a load of this room gives.
    pub fn of_row(row: &Row) -> Option<Units> {
        let loaded = row.load();
        let mut units = match &loaded.snapshot {
            Some(state) => Units::of_update(state)?,
            None => Units::default(),
        };
        for (_, record) in &loaded.records {
            units.add(Units::of_record(record)?);
        }
        Some(units)
    }

    /// Adds others.
    pub fn add(&mut self, other: Units) {
        self.inserted.merge_with(other.inserted);
        self.deleted.merge_with(other.deleted);
    }

    /// Only the deletions that the other one does not have.
    pub fn new_deletions(&self, before: &Units) -> Units {
        Units {
            inserted: IdSet::default(),
            deleted: self.deleted.diff(&before.deleted),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.inserted.is_empty() && self.deleted.is_empty()
    }

    /// What of ours the other one lacks, in words; `None` when nothing.
    pub fn missing_in(&self, other: &Units) -> Option<String> {
        let inserted = self.inserted.diff(&other.inserted);
        let deleted = self.deleted.diff(&other.deleted);
        if inserted.is_empty() && deleted.is_empty() {
            return None;
        }
        Some(format!(
            "insertions [{}], deletions [{}]",
            words(&inserted),
            words(&deleted)
        ))
    }
}

fn words(set: &IdSet) -> String {
    let mut parts = Vec::new();
    for (replica, ranges) in set.iter() {
        for range in ranges.iter() {
            parts.push(format!("{}@{}..{}", replica.get(), range.start, range.end));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use collab_core::document::{Document, Edit, FileId};
    use collab_core::ids::Offset;

    fn edit(document: &mut Document, at: u32, delete: u32, insert: &str) -> Units {
        let edit = Edit {
            at: Offset(at),
            delete,
            insert: insert.to_owned(),
        };
        let update = document.edit(&FileId::main(), &[edit]).expect("in range");
        Units::of_update(&update).expect("an honest update")
    }

    #[test]
    fn a_deletion_is_missed_although_no_state_vector_moves() {
        let mut document = Document::new(ReplicaId::ours(5));
        let mut stored = edit(&mut document, 0, 0, "abc");
        assert_eq!(stored.missing_in(&stored), None);
        let deletion = edit(&mut document, 1, 1, "");
        let missing = deletion.missing_in(&stored);
        assert_eq!(
            missing.as_deref(),
            Some("insertions [], deletions [5@1..2]")
        );
        stored.add(deletion.clone());
        assert_eq!(deletion.missing_in(&stored), None);
        assert_eq!(deletion.new_deletions(&stored), Units::default());
    }
}
