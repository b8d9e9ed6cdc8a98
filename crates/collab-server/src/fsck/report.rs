//! What a check found, for people and for programs. Must not know how it was found.

use std::fmt;

use collab_core::ids::Seq;
use serde::Serialize;

use super::room::Checked;

/// The result of a check. Serialised, it is what `collab fsck --json` prints: fields are added,
/// never changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Rooms checked.
    pub rooms: u64,
    /// Records and snapshots read, and the bytes of their bodies as stored.
    pub records: u64,
    pub snapshots: u64,
    pub bytes: u64,
    /// Rooms of which nothing can be shown to anybody as they are; among `damaged`.
    pub unreadable: u64,
    /// Rooms with something wrong, in the order in which they were checked.
    pub damaged: Vec<Damaged>,
    /// What the database finds wrong with itself.
    pub file: Vec<String>,
}

/// A room with something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Damaged {
    pub room: String,
    /// The database's own number of it.
    pub key: i64,
    /// Whether a server can open it all the same.
    pub readable: bool,
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub part: Part,
    /// Its place in the log; 0 for the room as a whole.
    pub seq: u64,
    pub what: String,
}

/// What of a room is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Its own row, or its rows as a whole.
    Room,
    Snapshot,
    Record,
    /// What snapshots and records say together.
    Content,
}

impl Finding {
    pub(super) fn new(part: Part, seq: Seq, what: impl Into<String>) -> Finding {
        Finding {
            part,
            seq: seq.0,
            what: what.into(),
        }
    }
}

impl Report {
    pub(super) fn add(&mut self, checked: Checked) {
        self.rooms += 1;
        self.records += checked.records;
        self.snapshots += checked.snapshots;
        self.bytes += checked.bytes;
        if let Some(damaged) = checked.damaged {
            self.unreadable += u64::from(!damaged.readable);
            self.damaged.push(damaged);
        }
    }

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.file.is_empty()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Room => "room",
            Part::Snapshot => "snapshot",
            Part::Record => "record",
            Part::Content => "content",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            0 => write!(f, "{}: {}", self.part, self.what),
            seq => write!(f, "{} {seq}: {}", self.part, self.what),
        }
    }
}

/// A line per finding, and a last line that sums up.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.file {
            writeln!(f, "database: {line}")?;
        }
        for damaged in &self.damaged {
            let state = if damaged.readable {
                "can be opened"
            } else {
                "cannot be opened"
            };
            writeln!(f, "{} ({state})", damaged.room)?;
            for finding in &damaged.findings {
                writeln!(f, "  {finding}")?;
            }
        }
        let rooms = self.rooms;
        let of = format_args!(
            "{rooms} rooms, {} records, {} snapshots, {} bytes",
            self.records, self.snapshots, self.bytes
        );
        if self.is_clean() {
            return write!(f, "clean: {of}");
        }
        write!(
            f,
            "damaged: {} of {of}; {} cannot be opened",
            self.damaged.len(),
            self.unreadable
        )
    }
}
