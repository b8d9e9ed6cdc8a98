//! Quarantine and renewal in memory: the rules of the databases. Must not know why a part is bad.

use collab_core::ids::{Epoch, Lineage, RoomId, Seq};
use collab_core::room::{Damage, Part};
use collab_core::time::Millis;

use super::{MemoryRoom, info};
use crate::storage::assemble::Standing;
use crate::storage::damage::{MAX_PAGE_PARTS, Mark, Marks, sha};
use crate::storage::{Quarantined, RoomInfo, RoomState, StoreError, Whereabouts};

impl MemoryRoom {
    /// What a load begins with.
    pub(super) fn standing(&self) -> Standing {
        let marks = self.quarantine.iter().map(|copy| Mark {
            part: copy.part,
            reason: copy.reason.clone(),
            withhold: copy.withhold,
            sha256: sha(copy.body.as_deref()),
        });
        Standing {
            head: self.head,
            newest: self.snapshot,
            state: self.state,
            marks: Marks(marks.collect()),
        }
    }

    fn owned(&mut self, epoch: Epoch) -> Result<&mut MemoryRoom, StoreError> {
        match self.epoch == epoch {
            true => Ok(self),
            false => Err(StoreError::Fenced),
        }
    }

    pub(super) fn load_ended(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        self.owned(epoch)?.load_attempts = 0;
        Ok(())
    }

    pub(super) fn mend(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        self.owned(epoch)?.state = RoomState::Active;
        Ok(())
    }

    pub(super) fn quarantine(
        &mut self,
        epoch: Epoch,
        parts: &[Damage],
        at: Millis,
    ) -> Result<(), StoreError> {
        self.owned(epoch)?.state = RoomState::Degraded;
        let last = self.records.keys().next_back().copied();
        self.head = self.head.max(last.unwrap_or_default());
        for damage in parts {
            self.copy(damage, at);
        }
        Ok(())
    }

    fn copy(&mut self, damage: &Damage, at: Millis) {
        let body = match damage.part {
            Part::Snapshot(seq) => self.snapshots.get(&seq).map(|row| row.body.clone()),
            Part::Records { first, last } if first == last => {
                self.records.get(&first).map(|row| row.body.clone())
            }
            Part::Records { .. } | Part::Head => None,
        };
        let there = self
            .quarantine
            .iter_mut()
            .find(|copy| copy.part == damage.part && copy.body == body);
        match there {
            Some(copy) if damage.withhold => {
                copy.withhold = true;
                copy.reason.clone_from(&damage.reason);
            }
            Some(_) => {}
            None => self.quarantine.push(Quarantined {
                id: self.quarantine.len() as i64 + 1,
                part: damage.part,
                reason: damage.reason.clone(),
                withhold: damage.withhold,
                body,
                at,
            }),
        }
    }

    pub(super) fn quarantined(&self, after: i64) -> Vec<Quarantined> {
        let behind = self.quarantine.iter().filter(|copy| copy.id > after);
        behind.take(MAX_PAGE_PARTS).cloned().collect()
    }

    pub(super) fn renew(
        &mut self,
        name: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> RoomInfo {
        self.epoch = Epoch(self.epoch.0.max(above.0) + 1);
        self.lineage = lineage.unwrap_or(self.lineage);
        info(name, self)
    }
}

/// What is known of a name.
pub(super) fn whereabouts(name: &RoomId, room: Option<&MemoryRoom>) -> Whereabouts {
    match room {
        None => Whereabouts::Unknown,
        Some(room) if room.deleted => Whereabouts::Deleted,
        Some(room) => Whereabouts::Here(info(name, room)),
    }
}

/// Places of the snapshots, newest first.
pub(super) fn places(room: &MemoryRoom) -> Vec<Seq> {
    room.snapshots.keys().rev().copied().collect()
}
