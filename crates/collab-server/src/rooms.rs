//! Wakes, finds and retires rooms: one task per awake room around `collab_core::room::Room`. Must
//! not know SQL, HTTP or WebSockets.
//!
//! - `registry`: which rooms are awake; inserts first and loads inside the new task.
//! - `handle`: the way into a room's bounded inbox.
//! - `actor`: the task: takes what waits, hands it to the room, carries out its effects.
//! - `storing`: the effects that reach the database, as futures that answer with an input.
//! - `trial`: what is done about a room whose load ended the process.
//! - `remembering`: what a room has remembered of itself for its history, likewise.
//! - `outbox`: the way out to one connection.
//! - `describe`: what programs ask of a document; `text`: whole texts into edits.
//!
//! **Retiring without losing a join.** A retiring room takes itself out of the registry, then
//! closes its inbox, then turns away every letter still in it with [`RoomError::Retired`]. So a
//! letter is either handled, or turned away, or cannot be posted at all; in the last two cases its
//! sender asks the registry again and meets the next task of the same room, whose claim fences out
//! this one.

mod actor;
mod clock;
pub mod describe;
mod handle;
pub mod outbox;
mod registry;
mod remembering;
mod storing;
#[cfg(test)]
mod tests;
pub mod text;
pub mod trial;

use collab_core::ids::{Epoch, Lineage, Seq};
use collab_core::room;
use collab_core::time::Millis;

pub use self::handle::{Asked, Handle, Joining, Overview};
pub use self::registry::Rooms;

/// Letters waiting for one room. When full, connections stop reading their sockets.
pub const INBOX_LETTERS: usize = 512;

/// Bytes of frames waiting for one room (8 MiB). A larger frame waits until it is alone.
pub const INBOX_BYTES: usize = 8 << 20;

/// Letters handed to a room in one turn, so that effects are carried out in between however fast
/// letters come.
pub const TURN_LETTERS: usize = 256;

/// Programs' questions held while a room is loading. One more hears that it is unavailable.
pub const HELD_QUESTIONS: usize = 1024;

/// How often a letter that was turned away by a retiring room is posted again. Each time means a
/// whole life of a room between, so that more than one is rare already.
const KNOCKS: usize = 8;

/// How rooms are to be.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bounds and periods of each room.
    pub room: room::Settings,
    /// Bytes and frames that may wait for one connection.
    pub outbox_bytes: usize,
    pub outbox_frames: usize,
    /// Letters that may wait for one room.
    pub inbox_letters: usize,
    /// What is done about a room whose load ended the process before.
    pub guard: trial::Guard,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            room: room::Settings::default(),
            outbox_bytes: collab_core::outbox::OUTBOX_BYTES,
            outbox_frames: collab_core::outbox::OUTBOX_FRAMES,
            inbox_letters: INBOX_LETTERS,
            guard: trial::Guard::Close,
        }
    }
}

/// The time of day, for what is written down outside a room.
pub fn now() -> Millis {
    clock::Clock::new().now()
}

/// What may be done about a room that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Nothing: it is not found.
    Existing,
    /// It is made.
    OrCreate,
}

/// Where a room stands in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub lineage: Lineage,
    pub epoch: Epoch,
    /// Last committed place in the log.
    pub head: Seq,
}

/// Why a room did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// It does not exist and may not be created.
    #[error("there is no such room")]
    NotFound,
    /// Storage does not answer, or too many questions wait.
    #[error("the room cannot be loaded now: {0}")]
    Unavailable(String),
    /// Storage answered with something that cannot be right; its data is kept.
    #[error("the room's stored data is damaged; it is kept as it is")]
    Corrupt,
    /// Loading it has ended the process before.
    #[error(
        "opening this room has ended the server several times; it stays closed and its data is kept: \
         the server's log says what to do"
    )]
    Deadly,
    /// It went to sleep just then: ask again.
    #[error("the room went to sleep just now")]
    Retired,
    /// Its task was lost, or fenced out; whether the question was dealt with is unknown.
    #[error("the room was lost and wakes again from its log")]
    Lost,
    /// The server stops.
    #[error("the server is stopping")]
    Draining,
    /// The file's text is not what the question assumed.
    #[error("the text has changed meanwhile")]
    Moved,
}
