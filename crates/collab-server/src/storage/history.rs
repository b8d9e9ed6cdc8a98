//! What storage keeps of a room's past: versions, authors, the archive of its log. Must not know what
//! is inside an update, a chunk or a state.
//!
//! A chunk takes the place of log rows in one transaction under the room's epoch
//! ([`HistoryStore::fold_into`]); nothing here is ever needed to open a room.

pub mod seal;

use async_trait::async_trait;
use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, Seq};
pub use collab_core::room::Author;
use collab_core::time::Millis;

use super::{Folded, RoomKey, StoreError};

/// Most versions in one answer of [`HistoryStore::versions`]; larger limits are lowered to it.
pub const MAX_PAGE_VERSIONS: usize = 200;

/// Longest name of a version, in characters.
pub const MAX_VERSION_NAME: usize = 200;

/// Named versions of one room. One more is [`StoreError::TooLarge`].
pub const MAX_NAMED_VERSIONS: usize = 10_000;

/// Names remembered of one room's replicas; the ones heard longest ago are forgotten first.
pub const MAX_AUTHORS: usize = 32_768;

/// Largest chunk of an archive, in bytes as stored (32 MiB).
pub const MAX_CHUNK_BYTES: usize = 32 << 20;

/// Bytes of log records in one answer of [`HistoryStore::records`], unless a single one is larger.
pub const MAX_READ_BYTES: usize = 16 << 20;

/// The part of a [`Store`](super::Store) that keeps what was.
#[async_trait]
pub trait HistoryStore: Send + Sync {
    /// Adds a version of the room that still has this lineage. Errors: `NotFound` for another
    /// lineage or a place beyond the head, `TooLarge` above [`MAX_NAMED_VERSIONS`].
    async fn add_version(
        &self,
        key: RoomKey,
        lineage: Lineage,
        new: NewVersion,
    ) -> Result<Version, StoreError>;

    /// Adds the version that a room makes of itself: of the owner of this epoch, while the room is whole,
    /// and only when there is none at its place or behind it. `None` when there is, or the room is
    /// degraded. Errors: `Fenced`; `NotFound` for a place beyond the head.
    async fn add_automatic(
        &self,
        key: RoomKey,
        epoch: Epoch,
        new: NewVersion,
    ) -> Result<Option<Version>, StoreError>;

    /// Versions below `before`, newest first; at most `limit` and [`MAX_PAGE_VERSIONS`].
    async fn versions(
        &self,
        key: RoomKey,
        before: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError>;

    /// One version of this room.
    async fn version(&self, key: RoomKey, id: VersionId) -> Result<Option<Version>, StoreError>;

    /// The newest version at or before a place.
    async fn version_at(&self, key: RoomKey, seq: Seq) -> Result<Option<Version>, StoreError>;

    /// Names a version, or takes its name: then it is an automatic one. `None` when there is none.
    async fn name_version(
        &self,
        key: RoomKey,
        id: VersionId,
        name: Option<String>,
    ) -> Result<Option<Version>, StoreError>;

    /// Forgets a version. `false` when there was none.
    async fn delete_version(&self, key: RoomKey, id: VersionId) -> Result<bool, StoreError>;

    /// Keeps the state at a version, before its part of the log goes. `NotFound` without the version.
    async fn keep_state(&self, key: RoomKey, id: VersionId, state: Bytes)
    -> Result<(), StoreError>;

    /// The state kept for a version.
    async fn kept_state(&self, key: RoomKey, id: VersionId) -> Result<Option<Bytes>, StoreError>;

    /// Remembers who replicas said to be.
    async fn put_authors(
        &self,
        key: RoomKey,
        lineage: Lineage,
        authors: Vec<Author>,
    ) -> Result<(), StoreError>;

    /// Everybody remembered, by replica.
    async fn authors(&self, key: RoomKey) -> Result<Vec<Author>, StoreError>;

    /// What stands in the archive, in order of place, without bodies.
    async fn archived(&self, key: RoomKey) -> Result<Archived, StoreError>;

    /// The body of the chunk that begins at `first`, checked. `Corrupt` when it does not match its
    /// seal, `NotFound` when there is none (any more).
    async fn chunk(&self, key: RoomKey, first: Seq) -> Result<Chunk, StoreError>;

    /// The state on which the archive rests, checked.
    async fn base(&self, key: RoomKey) -> Result<Option<Base>, StoreError>;

    /// Log records behind a place that have rows still, in order and checked, without gaps from the first one on; about
    /// [`MAX_READ_BYTES`] of them. Empty when there are none.
    async fn records(&self, key: RoomKey, after: Seq) -> Result<Vec<(Seq, Bytes)>, StoreError>;

    /// The place up to which a fold may remove rows: of the previous snapshot, after it and the
    /// newest were read back and checked; with its state. `None` when there is nothing to fold.
    async fn foldable(&self, key: RoomKey, epoch: Epoch) -> Result<Option<Foldable>, StoreError>;

    /// As [`Store::fold`](super::Store::fold), but the rows become a chunk of the archive: in one
    /// transaction the chunk takes the place of the chunk that begins where it begins and of the rows up to its
    /// last place, which must be all rows there are up to there. Rows behind the chunk stay.
    ///
    /// Errors: `Fenced`; `Corrupt` as for a fold; `Unavailable` when rows, chunks or snapshots are
    /// not what the chunk was made from (any more): make it again.
    async fn fold_into(
        &self,
        key: RoomKey,
        epoch: Epoch,
        chunk: Chunk,
        base: Option<Base>,
    ) -> Result<Folded, StoreError>;

    /// Rooms behind a key, in order, whose oldest chunk ends before a time or whose chunks are larger
    /// together than so many bytes; at most `limit`.
    async fn overdue(
        &self,
        before: Option<Millis>,
        above_bytes: Option<u64>,
        after: RoomKey,
        limit: usize,
    ) -> Result<Vec<RoomKey>, StoreError>;

    /// Removes the chunks up to `base`, the state that stands for them from now on. Rows stay.
    async fn forget(&self, key: RoomKey, base: Base) -> Result<Forgotten, StoreError>;

    /// Automatic versions below a place go: nothing can be read at them any more.
    async fn forget_versions(&self, key: RoomKey, below: Seq) -> Result<u64, StoreError>;
}

/// A version's name among all versions of a database: above 0, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(pub u64);

/// Who asked for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionKind {
    /// The room itself.
    Automatic,
    /// Somebody who gave it a name.
    Named,
    /// A restore, when it was done.
    Restored,
}

impl VersionKind {
    /// As it is stored.
    pub fn number(self) -> u8 {
        match self {
            VersionKind::Automatic => 0,
            VersionKind::Named => 1,
            VersionKind::Restored => 2,
        }
    }

    /// What a version is once it has this name, or none.
    pub(super) fn renamed(self, name: Option<&str>) -> VersionKind {
        match (self, name) {
            (_, Some(_)) => VersionKind::Named,
            (VersionKind::Restored, None) => VersionKind::Restored,
            (_, None) => VersionKind::Automatic,
        }
    }

    /// From what was stored.
    pub fn from_number(number: i64) -> Option<VersionKind> {
        match number {
            0 => Some(VersionKind::Automatic),
            1 => Some(VersionKind::Named),
            2 => Some(VersionKind::Restored),
            _ => None,
        }
    }
}

/// A version to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// Everything up to this place.
    pub seq: Seq,
    pub at: Millis,
    pub kind: VersionKind,
    /// At most [`MAX_VERSION_NAME`] characters; the caller's to check.
    pub name: Option<String>,
    /// JSON; storage only keeps it.
    pub authors: String,
    /// Since the version before, in UTF-16 code units.
    pub insertions: u64,
    pub deletions: u64,
}

/// A version as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub id: VersionId,
    pub seq: Seq,
    pub at: Millis,
    pub kind: VersionKind,
    pub name: Option<String>,
    pub authors: String,
    pub insertions: u64,
    pub deletions: u64,
}

impl Version {
    /// A new version that has its id.
    pub(super) fn new(id: VersionId, new: NewVersion) -> Version {
        Version {
            id,
            seq: new.seq,
            at: new.at,
            kind: new.kind,
            name: new.name,
            authors: new.authors,
            insertions: new.insertions,
            deletions: new.deletions,
        }
    }
}

/// What stands in a room's archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archived {
    /// The place of the state on which it rests, and when that was; `None`: the empty document.
    pub base: Option<(Seq, Millis)>,
    /// In order; a gap between two means that rows were removed for good.
    pub chunks: Vec<ChunkInfo>,
}

/// A chunk without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkInfo {
    /// Places of its first and last record.
    pub first: Seq,
    pub last: Seq,
    /// Times of its first and last turn.
    pub first_at: Millis,
    pub last_at: Millis,
    pub turns: u64,
    /// Bytes as stored.
    pub bytes: u64,
}

/// A chunk of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub first: Seq,
    pub last: Seq,
    pub first_at: Millis,
    pub last_at: Millis,
    pub turns: u64,
    /// At most [`MAX_CHUNK_BYTES`].
    pub body: Bytes,
}

impl Chunk {
    /// What is told of it in a list.
    pub fn info(&self) -> ChunkInfo {
        ChunkInfo {
            first: self.first,
            last: self.last,
            first_at: self.first_at,
            last_at: self.last_at,
            turns: self.turns,
            bytes: self.body.len() as u64,
        }
    }
}

/// A whole state at a place of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    pub seq: Seq,
    pub at: Millis,
    /// Uncompressed, encoding v1.
    pub state: Bytes,
}

/// What a fold may remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foldable {
    /// Rows up to here.
    pub previous: Seq,
    /// The state there.
    pub state: Bytes,
}

/// What was removed from an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub chunks: u64,
    pub turns: u64,
    pub bytes: u64,
}

/// Whether a chunk fits what is stored: `rows` log rows, from `first_row` on, up to its last place,
/// and the last place of the chunks that stay.
pub(super) fn fits(chunk: &Chunk, replaced: Option<Seq>, first_row: Seq, rows: u64) -> bool {
    // The rows follow what the chunk replaces, or are all of it.
    let begins = replaced.map_or(chunk.first, Seq::next);
    begins == first_row && chunk.last.0.checked_sub(first_row.0).map(|gap| gap + 1) == Some(rows)
}
