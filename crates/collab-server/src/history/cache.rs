//! Chunks that were decoded a moment ago: who moves a scrubber asks for the same ones again and again.
//! Must not know what is done with them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use collab_core::ids::Seq;

use super::chunk::Turns;
use crate::storage::RoomKey;

/// Bytes of decoded chunks that are kept (64 MiB). The ones asked for longest ago go first.
const CACHE_BYTES: usize = 64 << 20;

/// What a decoded turn takes beside its update, about, in bytes.
const TURN_BYTES: usize = 48;

/// A chunk of a room: while its places and its bytes are the same, it is the same.
pub type Name = (RoomKey, Seq, Seq, u64);

/// See the module.
#[derive(Debug, Default)]
pub struct Cache {
    /// Newest last.
    kept: Mutex<VecDeque<(Name, Arc<Turns>, usize)>>,
}

impl Cache {
    /// A chunk, if it is here.
    pub fn get(&self, name: Name) -> Option<Arc<Turns>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, ..)| *other == name)?;
        let found = kept.remove(at)?;
        let turns = Arc::clone(&found.1);
        kept.push_back(found);
        Some(turns)
    }

    /// Keeps one.
    pub fn put(&self, name: Name, turns: &Arc<Turns>) {
        let sizes = turns.turns.iter();
        let bytes = sizes.map(|turn| turn.delta.len() + TURN_BYTES).sum();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Two may have decoded it at once.
        kept.retain(|(other, ..)| *other != name);
        kept.push_back((name, Arc::clone(turns), bytes));
        while kept.iter().map(|(.., bytes)| bytes).sum::<usize>() > CACHE_BYTES {
            kept.pop_front();
        }
    }
}
