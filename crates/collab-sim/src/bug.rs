//! Bugs that can be put in on purpose, to prove that the checker finds them: in the room, which
//! carries its own, and in storage. Must not know how they are found.

use collab_core::room::Sabotage;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// In the room.
    Room(Sabotage),
    /// A fold deletes up to the newest snapshot instead of the one before it.
    FoldToNewest,
    /// Records are deleted when a snapshot is asked for, before it is stored.
    FoldBeforeSnapshot,
    /// An append is taken from whoever knows the next place, owner or not.
    NoEpochCheck,
    /// A claim that makes the epoch smaller every second time.
    EpochWraps,
}

impl Bug {
    /// What of it the room is told.
    pub fn in_room(self) -> Option<Sabotage> {
        match self {
            Bug::Room(bug) => Some(bug),
            Bug::FoldToNewest | Bug::FoldBeforeSnapshot | Bug::NoEpochCheck | Bug::EpochWraps => {
                None
            }
        }
    }
}

impl From<Sabotage> for Bug {
    fn from(bug: Sabotage) -> Bug {
        Bug::Room(bug)
    }
}
