//! Where update logs live: one trait, three stores (SQLite, Postgres, memory), and the group
//! commit that writes to them. Must not know what is inside an update or a snapshot: to this
//! module both are bytes with a place in a room's log.
//!
//! Three rules carry everything else. A room has one owner, whose *epoch* rides on every write and
//! is checked in the same statement that writes. A log is only ever added to; rows go when an older
//! snapshot, read back and checked, covers them ([`Store::fold`]). What cannot be read is an error,
//! never an empty document ([`Store::load`]).

pub mod assemble;
pub mod checksum;
pub mod damage;
pub mod database_url;
pub mod history;
pub mod inspect;
pub mod memory;
pub mod migrate;
pub mod open;
pub mod postgres;
pub mod sqlite;
pub mod writer;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, RoomId, Seq};
use collab_core::room::{Damage, Part};
use collab_core::time::Millis;

pub use damage::{Quarantined, RoomState};
pub use database_url::DatabaseUrl;
pub use history::HistoryStore;
pub use open::{OpenError, OpenOptions, migrate, open};
pub use writer::Writer;

/// Largest body of one log record, in bytes (32 MiB). A larger one is answered with
/// [`Appended::TooLarge`] and never written: the room writes several records, and no single message
/// may be so large that its own record would not fit.
pub const MAX_RECORD_BYTES: usize = collab_core::record::MAX_RECORD_BYTES;

/// Largest state in a snapshot, in bytes before compression (128 MiB). A larger one is refused
/// with [`StoreError::TooLarge`]; a stored one that claims to be larger is damaged.
pub const MAX_DOCUMENT_BYTES: usize = 128 << 20;

/// Most rooms in one answer of [`Store::list`]; larger limits are lowered to it.
pub const MAX_PAGE_ROOMS: usize = 1000;

/// A database that keeps rooms: their logs and snapshots.
///
/// Every method may be called again after [`StoreError::Unavailable`] with the same arguments and
/// then does what one successful call would have done, except that a repeated
/// [`claim`](Store::claim) advances the epoch once more.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Makes the caller the room's owner: its epoch grows by one, and every write under an older
    /// epoch is refused from now on. `at` becomes the creation time of a room made here.
    ///
    /// Errors: `NotFound` with [`Create::Never`], `AlreadyExists` with [`Create::New`].
    async fn claim(&self, room: &RoomId, create: Create, at: Millis) -> Result<Claim, StoreError>;

    /// What is stored: the newest snapshot that reads back right (else an older one, else none) and
    /// every record after it that does. What does not is named in [`Stored::damage`] and left out,
    /// as is what quarantine says to withhold.
    ///
    /// Errors: `Corrupt` when nothing can be read, or nothing to begin with; `NotFound` for a room
    /// that does not exist (any more). Only a room that never had a record loads as empty.
    async fn load(&self, key: RoomKey) -> Result<Stored, StoreError>;

    /// The load that the claim began has ended, well or not, and the process lives.
    async fn load_ended(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError>;

    /// Copies parts into quarantine and marks the room as degraded. Removes nothing; a part that is
    /// there already stays as it is. The room's own row names the last record again.
    ///
    /// Errors: `Fenced`.
    async fn quarantine(
        &self,
        key: RoomKey,
        epoch: Epoch,
        parts: &[Damage],
        at: Millis,
    ) -> Result<(), StoreError>;

    /// Marks the room as whole. Its copies stay in quarantine.
    ///
    /// Errors: `Fenced`.
    async fn mend(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError>;

    /// A room's copies in quarantine in order of arrival, behind the one with this id; at most
    /// [`damage::MAX_PAGE_PARTS`].
    async fn quarantined(&self, key: RoomKey, after: i64) -> Result<Vec<Quarantined>, StoreError>;

    /// Makes a room's epoch larger than `above` and than it was, which fences out its owner, and
    /// gives it another lineage if one is named: whoever holds the former one is told, and does not
    /// merge what it has.
    ///
    /// Errors: `NotFound`.
    async fn renew(
        &self,
        room: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> Result<RoomInfo, StoreError>;

    /// As [`describe`](Self::describe), and what else is known of a name.
    async fn whereabouts(&self, room: &RoomId) -> Result<Whereabouts, StoreError>;

    /// Appends records of many rooms in one durable commit and answers each in order. A record is
    /// committed when its room is still owned under `epoch` and `seq` is the next place in the log;
    /// several records of one room must follow each other and stand or fall together.
    ///
    /// A record that already stands in the log with the same key, epoch, seq and body is
    /// [`Appended::Committed`]: that is how an unknown commit result is resolved, by asking again.
    ///
    /// Errors: only `Unavailable`: nothing, or an unknown part, was committed. Offer the same again.
    async fn append(&self, batch: &[Append]) -> Result<Vec<Appended>, StoreError>;

    /// Adds a snapshot of the state at `seq`, which must not be beyond the room's head nor older
    /// than its newest snapshot. Removes nothing; a snapshot at the same seq is replaced. One at 0
    /// is accepted and not kept: it says nothing.
    ///
    /// Errors: `Fenced`, `TooLarge` above [`MAX_DOCUMENT_BYTES`].
    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// Removes what the *previous* snapshot makes needless: records up to its seq and snapshots
    /// older than it, after both it and the newest were read back and checked. With fewer than two
    /// snapshots nothing is removed.
    ///
    /// Errors: `Fenced`; `Corrupt` when a snapshot it relies on, or the log above the previous one,
    /// is not whole: then nothing is removed.
    async fn fold(&self, key: RoomKey, epoch: Epoch) -> Result<Folded, StoreError>;

    /// What is known of a room without reading its document. `None` when there is none.
    async fn describe(&self, room: &RoomId) -> Result<Option<RoomInfo>, StoreError>;

    /// Rooms in the order of their names' bytes, from the first one behind `after`; at most `limit`
    /// and [`MAX_PAGE_ROOMS`].
    async fn list(&self, after: Option<&RoomId>, limit: usize)
    -> Result<Vec<RoomInfo>, StoreError>;

    /// Removes a room with its log and snapshots and fences out its owner. `false` when there was
    /// none. A room made later under the same name has the lineage its maker gives and a larger
    /// epoch than any before.
    async fn delete(&self, room: &RoomId, at: Millis) -> Result<bool, StoreError>;

    /// What was: versions, authors, the archive of the log.
    fn history(&self) -> &dyn HistoryStore;

    /// Whether the database answers; for readiness.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Finishes what was begun and lets go of the database. Later calls are `Unavailable`.
    async fn close(&self);
}

/// The database's own name of a room. Stays the same when a room is deleted and made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey(pub i64);

impl fmt::Display for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "room #{}", self.0)
    }
}

/// What to do about a room that does not exist, or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// Claim only what exists.
    Never,
    /// Make it with this lineage when it does not exist.
    IfMissing { lineage: Lineage },
    /// Make it; it must not exist.
    New { lineage: Lineage },
}

/// What the owner of a room knows after claiming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub key: RoomKey,
    pub lineage: Lineage,
    /// Rides on every write from now on.
    pub epoch: Epoch,
    /// Place of the last record; 0 when there was never one. The next record is at `head + 1`.
    pub head: Seq,
    /// Place of the newest snapshot; 0 when there is none.
    pub snapshot: Seq,
    pub created_at: Millis,
    /// Whether this claim made the room.
    pub created: bool,
    /// Loads begun since one ended, this one included. More than one: a process died in it.
    pub load_attempts: u64,
}

/// A room's content as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub snapshot: Option<StoredSnapshot>,
    /// Records after the snapshot (after 0 without one), in order, up to `head`. Gaps are in
    /// `damage`.
    pub records: Vec<(Seq, Bytes)>,
    /// Place of the last record, also when the room's own row names an older one.
    pub head: Seq,
    /// What did not read back right, or is withheld: newer snapshots first, then records.
    pub damage: Vec<Damage>,
    pub state: RoomState,
}

impl Stored {
    /// Newer snapshots that were passed over, newest first.
    pub fn damaged_snapshots(&self) -> Vec<Seq> {
        let passed_over = self.damage.iter().filter_map(|damage| match damage.part {
            Part::Snapshot(seq) => Some(seq),
            Part::Records { .. } | Part::Head => None,
        });
        passed_over.collect()
    }
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// There is a room.
    Here(RoomInfo),
    /// There was one, and it was deleted.
    Deleted,
    /// There was never one.
    Unknown,
}

/// A snapshot as it was read: decompressed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    pub seq: Seq,
    pub state: Bytes,
    /// As given to [`Store::put_snapshot`].
    pub content_sha256: [u8; 32],
}

/// One record on its way into a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    pub key: RoomKey,
    pub epoch: Epoch,
    pub seq: Seq,
    /// At most [`MAX_RECORD_BYTES`].
    pub record: Bytes,
    pub at: Millis,
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Durable, by this call or an earlier one.
    Committed,
    /// Not written: the room has another owner, was deleted, or the log's next place is another.
    /// The caller steps down and claims the room again.
    Fenced,
    /// Not written: larger than [`MAX_RECORD_BYTES`].
    TooLarge,
}

/// A whole state on its way into the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub key: RoomKey,
    pub epoch: Epoch,
    /// Place of the last record the state contains; durable already.
    pub seq: Seq,
    /// Uncompressed, encoding v1; at most [`MAX_DOCUMENT_BYTES`].
    pub state: Bytes,
    /// Hash of what a reader sees, made and compared by the caller; storage only keeps it.
    pub content_sha256: [u8; 32],
}

/// How much a fold removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folded {
    pub records_deleted: u64,
    pub snapshots_deleted: u64,
}

/// What is known of a room without reading its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomInfo {
    pub room: RoomId,
    pub key: RoomKey,
    pub lineage: Lineage,
    pub epoch: Epoch,
    pub head: Seq,
    pub snapshot: Seq,
    pub created_at: Millis,
    /// Of the last record; the creation time before there is one.
    pub updated_at: Millis,
    pub state: RoomState,
}

/// Why a store did not do it, named for what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Retry, with the same arguments: nothing happened, or it is unknown what did.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Step down: somebody else owns the room.
    #[error("another owner has claimed the room")]
    Fenced,
    /// Stop, and leave the data alone.
    #[error("{room} is damaged at {seq}: {what}")]
    Corrupt {
        room: RoomKey,
        what: String,
        /// Where in the log; 0 when it concerns the room as a whole.
        seq: Seq,
    },
    #[error("there is no such room")]
    NotFound,
    #[error("there is a room of that name already")]
    AlreadyExists,
    /// Divide it, or tell whoever sent it.
    #[error("{what} has {bytes} bytes; at most {limit} can be stored")]
    TooLarge {
        what: &'static str,
        bytes: usize,
        limit: usize,
    },
}

impl StoreError {
    /// An [`StoreError::Unavailable`] that says what failed and why.
    pub(crate) fn unavailable(doing: &str, why: impl fmt::Display) -> StoreError {
        StoreError::Unavailable(format!("while {doing}: {why}"))
    }

    /// A [`StoreError::Corrupt`] about a room as a whole.
    pub(crate) fn damaged(room: RoomKey, what: &str) -> StoreError {
        StoreError::Corrupt {
            room,
            what: what.to_owned(),
            seq: Seq(0),
        }
    }
}

/// Runs work that takes a processor for long, away from the runtime's own threads.
pub(crate) async fn heavy<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(StoreError::unavailable(doing, error)))
}

/// Divides a batch into runs of the same room and epoch, as indices in the order given, keeping the
/// order of first appearance.
pub(crate) fn runs(batch: &[Append]) -> Vec<Vec<usize>> {
    let mut places = std::collections::BTreeMap::new();
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for (index, append) in batch.iter().enumerate() {
        let place = *places.entry((append.key, append.epoch)).or_insert_with(|| {
            runs.push(Vec::new());
            runs.len() - 1
        });
        if let Some(run) = runs.get_mut(place) {
            run.push(index);
        }
    }
    runs
}

/// Whether a run's places follow each other.
pub(crate) fn contiguous(run: &[&Append]) -> bool {
    run.iter()
        .zip(run.iter().skip(1))
        .all(|(one, other)| one.seq.0.checked_add(1) == Some(other.seq.0))
}
