//! Names and numbers with a meaning of their own. Must not know where an id came from: whoever
//! draws one (the server's shell, the browser, a simulation) hands it in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a room: 1 to [`RoomId::MAX_BYTES`] bytes of UTF-8 without control characters.
///
/// Names may contain `/` (y-websocket clients use paths as names). Rooms made by
/// `POST /api/rooms` are named by a UUID v4 in its hyphenated form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RoomId(String);

impl RoomId {
    /// Longest name in bytes. Longer ones are refused with [`BadRoomId::TooLong`].
    pub const MAX_BYTES: usize = 256;

    /// Checks a decoded name.
    pub fn parse(name: &str) -> Result<RoomId, BadRoomId> {
        if name.is_empty() {
            Err(BadRoomId::Empty)
        } else if name.len() > RoomId::MAX_BYTES {
            Err(BadRoomId::TooLong(name.len()))
        } else if name.chars().any(char::is_control) {
            Err(BadRoomId::ControlCharacter)
        } else {
            Ok(RoomId(name.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "room:{}", self.0)
    }
}

/// Why a text is not a room name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRoomId {
    /// No characters at all.
    #[error("a room name must not be empty")]
    Empty,
    /// Its length in bytes.
    #[error("a room name has at most 256 bytes, this one has {0}")]
    TooLong(usize),
    /// A character of the Unicode category Cc.
    #[error("a room name must not contain control characters")]
    ControlCharacter,
}

/// One socket, from accept to close; never used twice within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One question asked of a room by a program (HTTP), so that its answer finds its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One copy of a document (Yjs: client id). Below 2^53, because JavaScript holds it in a double;
/// Yjs 13 draws 32-bit ids, Yjs 14 and yrs 53-bit ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(u64);

impl ReplicaId {
    /// The largest id: 2^53 - 1.
    pub const MAX: u64 = (1 << 53) - 1;

    /// `None` above [`ReplicaId::MAX`].
    pub fn new(id: u64) -> Option<ReplicaId> {
        (id <= ReplicaId::MAX).then_some(ReplicaId(id))
    }

    /// An id for a replica of ours. 32 bits, because three ids ride in every keystroke and a
    /// 53-bit id takes eight bytes.
    pub const fn ours(id: u32) -> ReplicaId {
        ReplicaId(id as u64)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in one room's update log. The first record has 1; 0 means "nothing logged yet".
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Seq(pub u64);

impl Seq {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number that fences out a room's former owner: it grows at every claim, and storage refuses
/// to write for an older one.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which document lives under a room's name: 128 random bits. Deleting a room and making another
/// of the same name changes it, so a client that still holds the old text can be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage(pub [u8; 16]);

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lineage:{self}")
    }
}

/// A place in a text: UTF-16 code units from its start, as in Yjs, JavaScript and CodeMirror.
/// Never inside a surrogate pair: the engine would write U+FFFD there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_at_their_limits() {
        assert_eq!(RoomId::parse(""), Err(BadRoomId::Empty));
        assert!(RoomId::parse(&"é".repeat(128)).is_ok());
        assert_eq!(
            RoomId::parse(&"é".repeat(129)),
            Err(BadRoomId::TooLong(258))
        );
        assert_eq!(RoomId::parse("a\u{7}b"), Err(BadRoomId::ControlCharacter));
        assert!(RoomId::parse("team/notes 1").is_ok());
    }

    #[test]
    fn replica_ids_end_at_2_pow_53() {
        assert!(ReplicaId::new((1 << 53) - 1).is_some());
        assert!(ReplicaId::new(1 << 53).is_none());
    }
}
