//! What was, in Postgres: each call within its time. Must not know SQL.

use async_trait::async_trait;
use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, Seq};
use collab_core::time::Millis;

use super::{LARGE_CALL, PostgresStore, SMALL_CALL, archive, history, settle, snapshots};
use crate::storage::checksum::unpack_snapshot;
use crate::storage::history::seal::{pack_base, pack_state, unpack_base, unpack_state};
use crate::storage::history::{
    Archived, Author, Base, Chunk, Foldable, Forgotten, HistoryStore, NewVersion, Version,
    VersionId,
};
use crate::storage::{Folded, RoomKey, StoreError, heavy};

#[async_trait]
impl HistoryStore for PostgresStore {
    async fn add_version(
        &self,
        key: RoomKey,
        lineage: Lineage,
        new: NewVersion,
    ) -> Result<Version, StoreError> {
        call!(self, "adding a version", SMALL_CALL, |client| history::add(
            client, key, lineage, new
        ))
    }

    async fn add_automatic(
        &self,
        key: RoomKey,
        epoch: Epoch,
        new: NewVersion,
    ) -> Result<Option<Version>, StoreError> {
        call!(self, "adding a version", SMALL_CALL, |client| {
            history::add_automatic(client, key, epoch, new)
        })
    }

    async fn versions(
        &self,
        key: RoomKey,
        before: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        call!(
            self,
            "listing versions",
            SMALL_CALL,
            |client| history::list(client, key, before, limit)
        )
    }

    async fn version(&self, key: RoomKey, id: VersionId) -> Result<Option<Version>, StoreError> {
        call!(
            self,
            "reading a version",
            SMALL_CALL,
            |client| history::get(client, key, id)
        )
    }

    async fn version_at(&self, key: RoomKey, seq: Seq) -> Result<Option<Version>, StoreError> {
        call!(self, "reading a version", SMALL_CALL, |client| history::at(
            client, key, seq
        ))
    }

    async fn name_version(
        &self,
        key: RoomKey,
        id: VersionId,
        name: Option<String>,
    ) -> Result<Option<Version>, StoreError> {
        call!(
            self,
            "naming a version",
            SMALL_CALL,
            |client| history::name(client, key, id, name.as_deref())
        )
    }

    async fn delete_version(&self, key: RoomKey, id: VersionId) -> Result<bool, StoreError> {
        call!(self, "deleting a version", SMALL_CALL, |client| {
            history::delete(client, key, id)
        })
    }

    async fn keep_state(
        &self,
        key: RoomKey,
        id: VersionId,
        state: Bytes,
    ) -> Result<(), StoreError> {
        let row = heavy("compressing a state", move || pack_state(key, id.0, &state)).await?;
        call!(self, "keeping a version's state", LARGE_CALL, |client| {
            history::keep_state(client, key, id, &row)
        })
    }

    async fn kept_state(&self, key: RoomKey, id: VersionId) -> Result<Option<Bytes>, StoreError> {
        let row = call!(self, "reading a version's state", LARGE_CALL, |client| {
            history::kept_state(client, key, id)
        })?;
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
        call!(self, "remembering authors", SMALL_CALL, |client| {
            history::put_authors(client, key, lineage, &authors)
        })
    }

    async fn authors(&self, key: RoomKey) -> Result<Vec<Author>, StoreError> {
        call!(self, "reading authors", SMALL_CALL, |client| {
            history::authors(client, key)
        })
    }

    async fn archived(&self, key: RoomKey) -> Result<Archived, StoreError> {
        call!(self, "listing an archive", LARGE_CALL, |client| {
            archive::list(client, key)
        })
    }

    async fn chunk(&self, key: RoomKey, first: Seq) -> Result<Chunk, StoreError> {
        call!(
            self,
            "reading a chunk",
            LARGE_CALL,
            |client| archive::chunk(client, key, first)
        )
    }

    async fn base(&self, key: RoomKey) -> Result<Option<Base>, StoreError> {
        let row = call!(self, "reading a base", LARGE_CALL, |client| archive::base(
            client, key
        ))?;
        heavy("checking a state", move || {
            row.map(|row| unpack_base(key, &row)).transpose()
        })
        .await
    }

    async fn records(&self, key: RoomKey, after: Seq) -> Result<Vec<(Seq, Bytes)>, StoreError> {
        call!(
            self,
            "reading a log",
            LARGE_CALL,
            |client| archive::records(client, key, after)
        )
    }

    async fn foldable(&self, key: RoomKey, epoch: Epoch) -> Result<Option<Foldable>, StoreError> {
        let chosen = call!(self, "reading snapshots", LARGE_CALL, |client| {
            snapshots::choose(client, key, epoch)
        })?;
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
        let chosen = call!(self, "reading snapshots", LARGE_CALL, |client| {
            snapshots::choose(client, key, epoch)
        })?;
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
        let checked = (fold, &seals);
        call!(
            self,
            "folding a log into the archive",
            LARGE_CALL,
            |client| archive::fold(client, key, epoch, checked, &chunk, rests_on.as_ref())
        )
    }

    async fn overdue(
        &self,
        before: Option<Millis>,
        above_bytes: Option<u64>,
        after: RoomKey,
        limit: usize,
    ) -> Result<Vec<RoomKey>, StoreError> {
        call!(self, "looking for old history", LARGE_CALL, |client| {
            archive::overdue(client, (before, above_bytes), after, limit)
        })
    }

    async fn forget(&self, key: RoomKey, base: Base) -> Result<Forgotten, StoreError> {
        let base = heavy("compressing a state", move || pack_base(key, &base)).await?;
        call!(
            self,
            "forgetting a part of an archive",
            LARGE_CALL,
            |client| archive::forget(client, key, &base)
        )
    }

    async fn forget_versions(&self, key: RoomKey, below: Seq) -> Result<u64, StoreError> {
        call!(self, "forgetting versions", SMALL_CALL, |client| {
            history::forget(client, key, below)
        })
    }
}
