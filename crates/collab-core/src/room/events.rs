//! What a room is told and what it asks for. Must not know who carries it out.

use bytes::Bytes;

use crate::document::{Digest, Edit, FileId, TurnNumber};
use crate::ids::{ConnectionId, Epoch, Lineage, ReplicaId, RequestId, Seq};
use crate::protocol::{CloseCode, Dialect};
use crate::time::Millis;

/// What a connection may do. Checked once, when its frames are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Sees everything, changes nothing but its own presence.
    Read,
    /// Edits.
    Write,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Answers [`Effect::Load`].
    Loaded(Loaded),
    /// Answers [`Effect::Load`]: the room could not be had. It is not an empty room.
    LoadFailed(LoadFailure),
    /// A client came in; its frames follow.
    Join {
        connection: ConnectionId,
        dialect: Dialect,
        access: Access,
    },
    /// One inbound WebSocket message, at most `Settings::max_frame_bytes` long.
    Frame {
        connection: ConnectionId,
        frame: Bytes,
    },
    /// The outbox of this connection had dropped frames and is empty now: bring it level.
    Drained {
        connection: ConnectionId,
        missed: Missed,
    },
    /// The socket is gone.
    Leave { connection: ConnectionId },
    /// A program offers an update (v1). Answered by [`Effect::Answer`] once it is durable.
    Apply { request: RequestId, update: Bytes },
    /// A program edits a file's text. Offsets refer to the text as it is now. Answered as above.
    Write {
        request: RequestId,
        file: FileId,
        edits: Vec<Edit>,
    },
    /// A program sets a value of the document's `meta` map, or a file's language or path.
    Describe { request: RequestId, what: Describe },
    /// Answers [`Effect::Append`]: committed.
    Appended { seq: Seq },
    /// Answers [`Effect::Append`]: not committed, or nobody knows.
    AppendFailed { seq: Seq, failure: AppendFailure },
    /// Answers [`Effect::Compact`]: the snapshot is stored (verified by decoding it).
    Compacted { seq: Seq },
    /// Answers [`Effect::Compact`]: it is not. The log stays as it is; tried again later.
    CompactFailed { seq: Seq },
    /// Answers [`Effect::Quarantine`]: the copies are durable, or storage did not take them.
    Quarantined { stored: bool },
    /// Answers [`Effect::Version`]: there is a version at this place or behind it, or storage took
    /// neither it nor the authors.
    Versioned { seq: Seq, stored: bool },
    /// Answers [`Effect::Remember`]: storage knows them, or does not answer.
    Remembered { stored: bool },
    /// The instant of [`Room::next_deadline`] has come.
    Tick,
    /// The server stops: say so, save everything, then retire.
    Drain {
        /// Milliseconds until connections are closed, at most.
        within_ms: u64,
    },
    /// The room was deleted in storage: everybody is told and closed.
    Deleted,
}

/// A room as storage has it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Which document this is.
    pub lineage: Lineage,
    /// Our claim; rides on every write.
    pub epoch: Epoch,
    /// Place of the last record in the log.
    pub head: Seq,
    /// Place of the newest snapshot, 0 when there is none.
    pub snapshot_seq: Seq,
    /// The snapshot's state (update v1), when there is one.
    pub snapshot: Option<Bytes>,
    /// Log records after it, in order, as [`Effect::Append`] gave them. Those that storage names in
    /// `damage` are not among them.
    pub records: Vec<(Seq, Bytes)>,
    /// What storage could not read, or knows to be harmful.
    pub damage: Vec<Damage>,
    /// The room is marked as damaged: something of it went into quarantine and it was not whole
    /// again since.
    pub degraded: bool,
    /// Place and time of the newest version.
    pub version: Option<(Seq, Millis)>,
}

/// A part of a stored room that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub part: Part,
    /// What is wrong, in words for an operator.
    pub reason: String,
    /// Whether a load must pass it over from now on; otherwise each load judges it anew.
    pub withhold: bool,
    /// Whether a copy of it is in quarantine already.
    pub quarantined: bool,
}

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The snapshot at this place.
    Snapshot(Seq),
    /// The records from the first to the last of these places: unreadable, or not there.
    Records { first: Seq, last: Seq },
    /// The room's own row: it names an older end of the log than there is. Nothing is lost.
    Head,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Snapshot(seq) => write!(f, "the snapshot at {seq}"),
            Part::Records { first, last } if first == last => write!(f, "the record at {first}"),
            Part::Records { first, last } => write!(f, "the records from {first} to {last}"),
            Part::Head => write!(f, "the room's own row"),
        }
    }
}

/// Why a room could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadFailure {
    /// It does not exist and may not be created.
    NotFound,
    /// Storage does not answer.
    Unavailable,
    /// Storage answered with something that cannot be right.
    Corrupt,
    /// Waking it has ended the server's process, and nobody could find out by which part.
    Deadly,
}

/// Why an append failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendFailure {
    /// Not committed, or unknown: the same record is offered again, and storage knows it by its
    /// seq and checksum if it was committed after all.
    Unavailable,
    /// Somebody else owns the room now.
    Fenced,
    /// There is no such room any more, or another document under its name.
    Gone,
    /// The database holds an older state than it had acknowledged under this epoch: it was failed
    /// over or put back to an earlier time.
    Rewound,
    /// Not committed, and never will be: storage takes no record of this size.
    TooLarge,
}

/// What a connection's outbox had to drop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Missed {
    /// The oldest turn whose changes were dropped; 0 means that nothing is known to have arrived.
    pub sync: Option<TurnNumber>,
    /// Whether presence was dropped.
    pub presence: bool,
}

/// A change that is not text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Describe {
    /// A value of the `meta` map, such as `name`.
    Meta { key: String, value: String },
    /// A file's language id.
    Language { file: FileId, language: String },
}

/// Something that must be done, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Claim (first time) or read again (after poison) the room, and hand in `Loaded` or
    /// `LoadFailed`.
    Load {
        /// The claim to keep; `None` asks for a new one.
        epoch: Option<Epoch>,
    },
    /// The database went back in time: claim the room anew, above this epoch, make it with this
    /// lineage where it does not exist, read it, and hand in `Loaded` or `LoadFailed`.
    Reclaim { lineage: Lineage, above: Epoch },
    /// Put a frame into one connection's outbox.
    Send {
        connection: ConnectionId,
        lane: Lane,
        frame: Bytes,
    },
    /// Put the same frame into every joined connection's outbox, except one.
    Fanout {
        lane: Lane,
        frame: Bytes,
        except: Option<ConnectionId>,
    },
    /// Bring a lagging connection level: its outbox takes frames again from this one on.
    Resync {
        connection: ConnectionId,
        /// What of its misses these frames make good; what it missed since stays missed.
        answers: Missed,
        frames: Vec<(Lane, Bytes)>,
    },
    /// Append one record to the update log. At most one is on its way at a time.
    Append {
        epoch: Epoch,
        seq: Seq,
        record: Bytes,
    },
    /// Store a snapshot equal to the log up to `seq`, and fold the log below the previous one.
    Compact {
        epoch: Epoch,
        seq: Seq,
        /// The whole document as an update (v1).
        state: Bytes,
        /// What decoding `state` must give before the snapshot may be relied upon.
        digest: Digest,
    },
    /// Copy damaged parts into quarantine and mark the room as damaged. Nothing is removed.
    /// Answered by [`Input::Quarantined`].
    Quarantine { epoch: Epoch, parts: Vec<Damage> },
    /// The snapshot at `seq` holds everything again: the room is marked as whole. When that fails,
    /// the next waking asks for it again.
    Mend { epoch: Epoch, seq: Seq },
    /// Add a version of everything up to `seq`, which has committed, unless there is one already; first
    /// remember its authors. Answered by [`Input::Versioned`]; nothing waits for it.
    Version {
        epoch: Epoch,
        seq: Seq,
        /// When its last edit was made.
        at: Millis,
        authors: Vec<Author>,
    },
    /// Remember who replicas say to be. Answered by [`Input::Remembered`]; nothing waits for it.
    Remember { authors: Vec<Author> },
    /// Close a socket after what is in its outbox. Whatever explains it was sent before.
    Close {
        connection: ConnectionId,
        code: CloseCode,
        reason: String,
    },
    /// Answer a program.
    Answer { request: RequestId, answer: Answer },
    /// Count something for the operator.
    Count(Counted),
    /// Everything is saved and nobody is here, or the room is lost: stop its task. Connections
    /// still open were closed by effects before this one.
    Retire,
}

/// Who a replica said to be while it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub replica: ReplicaId,
    /// As in [`Person`](crate::presence::person::Person); so is the colour.
    pub name: String,
    pub color: String,
    /// When it wrote last.
    pub at: Millis,
}

/// Which part of an outbox a frame goes to; decides what may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Never dropped: acknowledgements, refusals, status.
    Control,
    /// Dropped as a whole when it overflows, and made good by a diff from this turn on.
    Sync(TurnNumber),
    /// Dropped as a whole when it overflows, and made good by everybody's presence.
    Presence,
}

/// What a program hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Durable, at this place in the log or before.
    Saved { seq: Seq },
    /// Refused for good; the reason names the rule or limit.
    Refused { name: &'static str, reason: String },
    /// Rests on edits the room does not have.
    Gap,
    /// Storage is away or the room was lost; try again.
    Unavailable { reason: String },
}

/// Countable things, for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// An update was merged (one client message).
    Update,
    /// The gate refused an update, by this rule.
    GateRejected(&'static str),
    /// A panic inside the engine was contained and the document woken again from its log.
    Poisoned,
    /// A lagging connection was brought level.
    Resynced,
    /// Presence was dropped, by this rule.
    PresenceRejected(&'static str),
    /// A damaged part of a stored room was found.
    Damaged,
    /// A damaged room is whole again.
    Mended,
    /// The database held an older state than it had acknowledged.
    Rewound,
}
