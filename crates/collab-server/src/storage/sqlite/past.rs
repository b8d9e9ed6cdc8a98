//! What was, in SQLite: each call on the thread that it belongs to. Must not know SQL.

use async_trait::async_trait;
use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, Seq};
use collab_core::time::Millis;

use super::{SqliteStore, archive, history, snapshots};
use crate::storage::checksum::unpack_snapshot;
use crate::storage::history::seal::{pack_base, pack_state, unpack_base, unpack_state};
use crate::storage::history::{
    Archived, Author, Base, Chunk, Foldable, Forgotten, HistoryStore, NewVersion, Version,
    VersionId,
};
use crate::storage::{Folded, RoomKey, StoreError, heavy};

#[async_trait]
impl HistoryStore for SqliteStore {
    async fn add_version(
        &self,
        key: RoomKey,
        lineage: Lineage,
        new: NewVersion,
    ) -> Result<Version, StoreError> {
        self.writer
            .run("adding a version", move |connection| {
                history::add(connection, key, lineage, new)
            })
            .await
    }

    async fn add_automatic(
        &self,
        key: RoomKey,
        epoch: Epoch,
        new: NewVersion,
    ) -> Result<Option<Version>, StoreError> {
        self.writer
            .run("adding a version", move |connection| {
                history::add_automatic(connection, key, epoch, new)
            })
            .await
    }

    async fn versions(
        &self,
        key: RoomKey,
        before: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        self.reader
            .run("listing versions", move |connection| {
                history::list(connection, key, before, limit)
            })
            .await
    }

    async fn version(&self, key: RoomKey, id: VersionId) -> Result<Option<Version>, StoreError> {
        self.reader
            .run("reading a version", move |connection| {
                history::get(connection, key, id)
            })
            .await
    }

    async fn version_at(&self, key: RoomKey, seq: Seq) -> Result<Option<Version>, StoreError> {
        self.reader
            .run("reading a version", move |connection| {
                history::at(connection, key, seq)
            })
            .await
    }

    async fn name_version(
        &self,
        key: RoomKey,
        id: VersionId,
        name: Option<String>,
    ) -> Result<Option<Version>, StoreError> {
        self.writer
            .run("naming a version", move |connection| {
                history::name(connection, key, id, name.as_deref())
            })
            .await
    }

    async fn delete_version(&self, key: RoomKey, id: VersionId) -> Result<bool, StoreError> {
        self.writer
            .run("deleting a version", move |connection| {
                history::delete(connection, key, id)
            })
            .await
    }

    async fn keep_state(
        &self,
        key: RoomKey,
        id: VersionId,
        state: Bytes,
    ) -> Result<(), StoreError> {
        let row = heavy("compressing a state", move || pack_state(key, id.0, &state)).await?;
        self.writer
            .run("keeping a version's state", move |connection| {
                history::keep_state(connection, key, id, &row)
            })
            .await
    }

    async fn kept_state(&self, key: RoomKey, id: VersionId) -> Result<Option<Bytes>, StoreError> {
        let row = self
            .reader
            .run("reading a version's state", move |connection| {
                history::kept_state(connection, key, id)
            })
            .await?;
        heavy("checking a state", move || {
            row.map(|row| unpack_state(key, id.0, &row)).transpose()
        })
        .await
    }

    async fn put_authors(
        &self,
        key: RoomKey,
        lineage: Lineage,
        authors: Vec<Author>,
    ) -> Result<(), StoreError> {
        self.writer
            .run("remembering authors", move |connection| {
                history::put_authors(connection, key, lineage, &authors)
            })
            .await
    }

    async fn authors(&self, key: RoomKey) -> Result<Vec<Author>, StoreError> {
        self.reader
            .run("reading authors", move |connection| {
                history::authors(connection, key)
            })
            .await
    }

    async fn archived(&self, key: RoomKey) -> Result<Archived, StoreError> {
        self.reader
            .run("listing an archive", move |connection| {
                archive::list(connection, key)
            })
            .await
    }

    async fn chunk(&self, key: RoomKey, first: Seq) -> Result<Chunk, StoreError> {
        self.reader
            .run("reading a chunk", move |connection| {
                archive::chunk(connection, key, first)
            })
            .await
    }

    async fn base(&self, key: RoomKey) -> Result<Option<Base>, StoreError> {
        let row = self
            .reader
            .run("reading a base", move |connection| {
                archive::base(connection, key)
            })
            .await?;
        heavy("checking a state", move || {
            row.map(|row| unpack_base(key, &row)).transpose()
        })
        .await
    }

    async fn records(&self, key: RoomKey, after: Seq) -> Result<Vec<(Seq, Bytes)>, StoreError> {
        self.reader
            .run("reading a log", move |connection| {
                archive::records(connection, key, after)
            })
            .await
    }

    async fn foldable(&self, key: RoomKey, epoch: Epoch) -> Result<Option<Foldable>, StoreError> {
        let chosen = self
            .reader
            .run("reading snapshots", move |connection| {
                snapshots::choose(connection, key, epoch)
            })
            .await?;
        let Some((base, [newest, previous])) = chosen else {
            return Ok(None);
        };
        heavy("checking snapshots", move || {
            unpack_snapshot(key, &newest)?;
            let (state, _) = unpack_snapshot(key, &previous)?;
            Ok(Some(Foldable {
                previous: base.previous,
                state,
            }))
        })
        .await
    }

    async fn fold_into(
        &self,
        key: RoomKey,
        epoch: Epoch,
        chunk: Chunk,
        base: Option<Base>,
    ) -> Result<Folded, StoreError> {
        let chosen = self
            .reader
            .run("reading snapshots", move |connection| {
                snapshots::choose(connection, key, epoch)
            })
            .await?;
        let Some((fold, rows)) = chosen else {
            return Err(StoreError::unavailable(
                "folding a log into the archive",
                "its snapshots changed meanwhile",
            ));
        };
        // Checked outside the transaction that deletes, as for a fold.
        let (seals, rests_on) = heavy("checking snapshots", move || {
            let check = |row| unpack_snapshot(key, row).map(|_| ());
            rows.iter().try_for_each(check)?;
            let rests_on = base.map(|base| pack_base(key, &base)).transpose()?;
            Ok((rows.map(|row| row.sha256), rests_on))
        })
        .await?;
        self.writer
            .run("folding a log into the archive", move |connection| {
                let checked = (fold, &seals);
                archive::fold(connection, key, epoch, checked, &chunk, rests_on.as_ref())
            })
            .await
    }

    async fn overdue(
        &self,
        before: Option<Millis>,
        above_bytes: Option<u64>,
        after: RoomKey,
        limit: usize,
    ) -> Result<Vec<RoomKey>, StoreError> {
        self.reader
            .run("looking for old history", move |connection| {
                archive::overdue(connection, (before, above_bytes), after, limit)
            })
            .await
    }

    async fn forget(&self, key: RoomKey, base: Base) -> Result<Forgotten, StoreError> {
        let base = heavy("compressing a state", move || pack_base(key, &base)).await?;
        self.writer
            .run("forgetting a part of an archive", move |connection| {
                archive::forget(connection, key, &base)
            })
            .await
    }

    async fn forget_versions(&self, key: RoomKey, below: Seq) -> Result<u64, StoreError> {
        self.writer
            .run("forgetting versions", move |connection| {
                history::forget(connection, key, below)
            })
            .await
    }
}
