//! Versions that rooms make of themselves. Must not know when they should.

use collab_core::ids::Seq;

use super::{Checker, Invariant, Verdict, violated};

impl Checker {
    /// A room asks for a version of everything up to this place.
    pub fn version(&mut self, room: u32, seq: Seq) -> Verdict {
        let committed = self.rooms.entry(room).or_default().committed;
        if seq <= committed {
            return Ok(());
        }
        violated(
            Invariant::VersionOfCommitted,
            format!("room {room} makes a version of {seq}, but only {committed} has committed"),
        )
    }
}
