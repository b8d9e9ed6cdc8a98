//! Edits made here that the server has not called saved. Must not know what an edit is.
//!
//! The server acknowledges by count: "your first n frames are durable". So each edit remembers the
//! frames that carry it, one unless it is larger than a frame may be. A state vector could not say it:
//! deletions do not move one.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// Edits in no frame of this connection.
    uncarried: u32,
    /// Frame numbers, and edits they carry together; ascending and disjoint.
    carried: VecDeque<(RangeInclusive<u64>, u32)>,
}

impl Unsaved {
    /// How many edits are not known to be saved.
    pub(super) fn edits(&self) -> u32 {
        self.carried
            .iter()
            .fold(self.uncarried, |sum, (_, edits)| sum.saturating_add(*edits))
    }

    /// An edit was made.
    pub(super) fn made(&mut self) {
        self.uncarried = self.uncarried.saturating_add(1);
    }

    /// So many were made in an earlier stay.
    pub(super) fn restored(&mut self, edits: u32) {
        self.uncarried = self.uncarried.saturating_add(edits);
    }

    /// An edit was made and went out in these frames, alone. Those that are in no frame stay so: a
    /// refused deletion is not saved by the letter typed after it.
    pub(super) fn made_in(&mut self, frames: RangeInclusive<u64>) {
        self.carried.push_back((frames, 1));
    }

    /// These frames carry everything the server lacks, whatever carried it before.
    pub(super) fn all_carried_by(&mut self, frames: RangeInclusive<u64>) {
        self.connection_lost();
        let edits = std::mem::take(&mut self.uncarried);
        if edits > 0 {
            self.carried.push_back((frames, edits));
        }
    }

    /// The server has committed this connection's first `frames` frames.
    pub(super) fn saved(&mut self, frames: u64) {
        let done = self
            .carried
            .partition_point(|(carriers, _)| *carriers.end() <= frames);
        self.carried.drain(..done);
    }

    /// The server did not take this frame: what it carried a part of is saved by no other.
    pub(super) fn rejected(&mut self, frame: u64) {
        if let Some(at) = self
            .carried
            .iter()
            .position(|(carriers, _)| carriers.contains(&frame))
            && let Some((_, edits)) = self.carried.remove(at)
        {
            self.uncarried = self.uncarried.saturating_add(edits);
        }
    }

    /// Nothing more will be heard of the frames sent.
    pub(super) fn connection_lost(&mut self) {
        self.uncarried = self.edits();
        self.carried.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_saved_when_its_frame_is() {
        let mut unsaved = Unsaved::default();
        unsaved.made_in(1..=1);
        unsaved.made_in(2..=2);
        unsaved.saved(1);
        assert_eq!(unsaved.edits(), 1);
        unsaved.rejected(2);
        unsaved.saved(2);
        assert_eq!(
            unsaved.edits(),
            1,
            "a refused frame is not saved by a later count"
        );
        unsaved.all_carried_by(3..=3);
        unsaved.saved(3);
        assert_eq!(unsaved.edits(), 0);
    }

    #[test]
    fn a_refused_edit_is_not_saved_by_the_next_one() {
        let mut unsaved = Unsaved::default();
        unsaved.made_in(1..=1);
        unsaved.rejected(1);
        unsaved.made_in(2..=2);
        unsaved.saved(2);
        assert_eq!(unsaved.edits(), 1, "the first is in nobody's hands");
        unsaved.all_carried_by(3..=3);
        unsaved.saved(3);
        assert_eq!(unsaved.edits(), 0);
    }

    #[test]
    fn a_lost_connection_saves_nothing() {
        let mut unsaved = Unsaved::default();
        unsaved.made_in(1..=1);
        unsaved.connection_lost();
        unsaved.saved(9);
        assert_eq!(unsaved.edits(), 1);
    }
    #[test]
    fn what_several_frames_carry_is_saved_when_all_of_them_are() {
        let mut unsaved = Unsaved::default();
        unsaved.made();
        unsaved.all_carried_by(1..=3);
        unsaved.made_in(4..=5);
        unsaved.saved(2);
        assert_eq!(unsaved.edits(), 2);
        unsaved.saved(3);
        assert_eq!(unsaved.edits(), 1);
        unsaved.rejected(4);
        unsaved.saved(5);
        assert_eq!(unsaved.edits(), 1, "a part of it is in nobody's hands");
        unsaved.all_carried_by(6..=6);
        unsaved.saved(6);
        assert_eq!(unsaved.edits(), 0);
    }
}
