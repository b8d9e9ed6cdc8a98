//! Damaged parts of a room: how they stand in quarantine, and which of them a load passes over.
//! Must not know a database: rows come in as plain values.

use bytes::Bytes;
use collab_core::ids::Seq;
use collab_core::room::{Damage, Part};
use collab_core::time::Millis;
use sha2::{Digest, Sha256};

use super::StoreError;

/// Most parts in one answer of [`Store::quarantined`](super::Store::quarantined).
pub const MAX_PAGE_PARTS: usize = 100;

/// Whether all of a room can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RoomState {
    #[default]
    Active,
    /// Something is in quarantine, and the room was not whole again since.
    Degraded,
}

impl RoomState {
    /// As it stands in a row.
    pub fn word(self) -> &'static str {
        match self {
            RoomState::Active => "active",
            RoomState::Degraded => "degraded",
        }
    }

    /// From a row; `None` for any other word.
    pub fn of(word: &str) -> Option<RoomState> {
        [RoomState::Active, RoomState::Degraded]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A copy in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// In order of arrival.
    pub id: i64,
    pub part: Part,
    pub reason: String,
    /// A load passes it over as long as its body is the same.
    pub withhold: bool,
    /// What stood in the row; `None` when there was nothing to copy.
    pub body: Option<Bytes>,
    pub at: Millis,
}

/// What a load needs to know of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub part: Part,
    pub reason: String,
    pub withhold: bool,
    /// Of the body; empty when there was none.
    pub sha256: Vec<u8>,
}

impl Mark {
    /// From a row; `None` for what nobody wrote.
    pub fn read(
        (source, first, last): (&str, i64, i64),
        reason: String,
        withhold: bool,
        sha256: Vec<u8>,
    ) -> Option<Mark> {
        Some(Mark {
            part: part(source, first, last)?,
            reason,
            withhold,
            sha256,
        })
    }
}

/// The part that a row of quarantine names.
pub fn part(source: &str, first: i64, last: i64) -> Option<Part> {
    let first = Seq(u64::try_from(first).ok()?);
    let last = Seq(u64::try_from(last).ok()?);
    Some(match source {
        "record" => Part::Records { first, last },
        "snapshot" => Part::Snapshot(first),
        "room" => Part::Head,
        _ => return None,
    })
}

/// How a part is named in a row: source, first and last place.
pub fn columns(part: Part) -> (&'static str, Seq, Seq) {
    match part {
        Part::Records { first, last } => ("record", first, last),
        Part::Snapshot(seq) => ("snapshot", seq, seq),
        Part::Head => ("room", Seq(0), Seq(0)),
    }
}

/// SHA-256 of a body; empty when there is none.
pub fn sha(body: Option<&[u8]>) -> Vec<u8> {
    body.map(|body| Sha256::digest(body).to_vec())
        .unwrap_or_default()
}

/// Everything a room has in quarantine.
#[derive(Debug, Clone, Default)]
pub struct Marks(pub Vec<Mark>);

impl Marks {
    /// Whether a part with this body is in quarantine.
    pub fn find(&self, part: Part, body: Option<&[u8]>) -> Option<&Mark> {
        let mut same_place = self.0.iter().filter(|mark| mark.part == part).peekable();
        same_place.peek()?;
        let sha256 = sha(body);
        same_place.find(|mark| mark.sha256 == sha256)
    }

    /// A part that a load has found to be bad.
    pub fn damage(&self, part: Part, body: Option<&[u8]>, why: &str) -> Damage {
        let mark = self.find(part, body);
        Damage {
            part,
            reason: why.to_owned(),
            withhold: mark.is_some_and(|mark| mark.withhold),
            quarantined: mark.is_some(),
        }
    }

    /// The damage on account of which a part must be passed over though it reads well.
    pub fn withheld(&self, part: Part, body: &[u8]) -> Option<Damage> {
        let mark = self.find(part, Some(body)).filter(|mark| mark.withhold)?;
        Some(Damage {
            part,
            reason: mark.reason.clone(),
            withhold: true,
            quarantined: true,
        })
    }
}

/// What is wrong, without the place: that is said beside it.
pub fn why(error: &StoreError) -> String {
    match error {
        StoreError::Corrupt { what, .. } => what.clone(),
        other => other.to_string(),
    }
}
