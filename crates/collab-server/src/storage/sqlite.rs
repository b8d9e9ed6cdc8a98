//! Rooms in one SQLite file: a thread that writes, a thread that reads, a lock on the folder. Must
//! not know what is inside an update.

mod archive;
mod connect;
mod damage;
mod folder_lock;
mod history;
pub mod inspect;
mod log;
mod past;
mod rooms;
mod snapshots;
mod thread;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use collab_core::ids::{Epoch, Lineage, RoomId, Seq};
use collab_core::room::Damage;
use collab_core::time::Millis;

use super::checksum::{pack_snapshot, unpack_snapshot};
use super::migrate::{self, Migrated};
use super::open::OpenError;
use super::{
    Append, Appended, Claim, Create, DatabaseUrl, Folded, HistoryStore, Quarantined, RoomInfo,
    RoomKey, Snapshot, Store, StoreError, Stored, Whereabouts, heavy,
};
pub use folder_lock::FolderLock;
use thread::Thread;

pub use connect::connect;

/// An open SQLite database.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Thread,
    reader: Thread,
}

impl SqliteStore {
    /// Opens `path`, making folder, file and tables when they are missing.
    pub async fn open(path: &Path) -> Result<(SqliteStore, Migrated), OpenError> {
        let path = path.to_owned();
        let opening = tokio::task::spawn_blocking({
            let path = path.clone();
            move || SqliteStore::open_blocking(&path)
        });
        opening.await.map_err(|error| OpenError::File {
            path,
            why: error.to_string(),
        })?
    }

    /// A bug put in on purpose: commits return before the disk has them.
    #[cfg(feature = "sabotage")]
    pub async fn do_not_wait_for_the_disk(&self) {
        let set = self.writer.run("sabotage", |connection| {
            connection
                .pragma_update(None, "synchronous", "normal")
                .map_err(log::unavailable("sabotage"))
        });
        set.await.expect("SQLite knows this setting");
    }

    fn open_blocking(path: &Path) -> Result<(SqliteStore, Migrated), OpenError> {
        let lock = Arc::new(FolderLock::take(path)?);
        let mut writer = connect(path)?;
        let migrated = migrate::sqlite(&mut writer, migrate::SQLITE).map_err(|error| {
            OpenError::Migration {
                url: DatabaseUrl::Sqlite(path.to_owned()),
                error,
            }
        })?;
        let reader = connect(path)?;
        connect::read_only(&reader, path)?;
        let store = SqliteStore {
            writer: Thread::start(
                "sqlite-writer",
                writer,
                Arc::clone(&lock),
                thread::CHECKPOINT,
            )
            .map_err(|error| connect::unusable(path, error))?,
            reader: Thread::start("sqlite-reader", reader, lock, thread::NO_CHECKPOINT)
                .map_err(|error| connect::unusable(path, error))?,
        };
        Ok((store, migrated))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn claim(&self, room: &RoomId, create: Create, at: Millis) -> Result<Claim, StoreError> {
        let room = room.clone();
        self.writer
            .run("claiming a room", move |connection| {
                rooms::claim(connection, &room, create, at)
            })
            .await
    }

    async fn load(&self, key: RoomKey) -> Result<Stored, StoreError> {
        self.reader
            .run("loading a room", move |connection| {
                log::load(connection, key)
            })
            .await
    }

    async fn load_ended(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.writer
            .run("ending a load", move |connection| {
                damage::load_ended(connection, key, epoch)
            })
            .await
    }

    async fn quarantine(
        &self,
        key: RoomKey,
        epoch: Epoch,
        parts: &[Damage],
        at: Millis,
    ) -> Result<(), StoreError> {
        let parts = parts.to_vec();
        self.writer
            .run("putting into quarantine", move |connection| {
                damage::quarantine(connection, key, epoch, &parts, at)
            })
            .await
    }

    async fn mend(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.writer
            .run("marking a room as whole", move |connection| {
                damage::mend(connection, key, epoch)
            })
            .await
    }

    async fn quarantined(&self, key: RoomKey, after: i64) -> Result<Vec<Quarantined>, StoreError> {
        self.reader
            .run("reading quarantine", move |connection| {
                damage::quarantined(connection, key, after)
            })
            .await
    }

    async fn renew(
        &self,
        room: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> Result<RoomInfo, StoreError> {
        let room = room.clone();
        self.writer
            .run("renewing a room", move |connection| {
                damage::renew(connection, &room, lineage, above)
            })
            .await
    }

    async fn whereabouts(&self, room: &RoomId) -> Result<Whereabouts, StoreError> {
        let room = room.clone();
        self.reader
            .run("looking for a room", move |connection| {
                damage::whereabouts(connection, &room)
            })
            .await
    }

    async fn append(&self, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
        let batch = batch.to_vec();
        self.writer
            .run("appending", move |connection| {
                log::append(connection, &batch)
            })
            .await
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let key = snapshot.key;
        let row = heavy("compressing a snapshot", move || pack_snapshot(&snapshot)).await?;
        self.writer
            .run("storing a snapshot", move |connection| {
                snapshots::put(connection, key, &row)
            })
            .await
    }

    async fn fold(&self, key: RoomKey, epoch: Epoch) -> Result<Folded, StoreError> {
        let chosen = self
            .reader
            .run("reading snapshots", move |connection| {
                snapshots::choose(connection, key, epoch)
            })
            .await?;
        let Some((base, rows)) = chosen else {
            return Ok(Folded::default());
        };
        // Checked outside the transaction that deletes, so that appends need not wait for it; that
        // one makes sure that it still finds the same seals.
        let seals = heavy("checking snapshots", move || {
            let check = |row| unpack_snapshot(key, row).map(|_| ());
            rows.iter().try_for_each(check)?;
            Ok(rows.map(|row| row.sha256))
        })
        .await?;
        self.writer
            .run("folding a log", move |connection| {
                snapshots::fold(connection, key, epoch, base, &seals)
            })
            .await
    }

    async fn describe(&self, room: &RoomId) -> Result<Option<RoomInfo>, StoreError> {
        let room = room.clone();
        self.reader
            .run("reading a room", move |connection| {
                rooms::describe(connection, &room)
            })
            .await
    }

    async fn list(
        &self,
        after: Option<&RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomInfo>, StoreError> {
        let after = after.cloned();
        self.reader
            .run("listing rooms", move |connection| {
                rooms::list(connection, after.as_ref(), limit)
            })
            .await
    }

    async fn delete(&self, room: &RoomId, at: Millis) -> Result<bool, StoreError> {
        let room = room.clone();
        self.writer
            .run("deleting a room", move |connection| {
                rooms::delete(connection, &room, at)
            })
            .await
    }

    fn history(&self) -> &dyn HistoryStore {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        // Through the writer: readiness means that an append would be taken.
        self.writer
            .run("asking whether the database answers", |connection| {
                connection
                    .query_row("select max(version) from schema_migrations", (), |row| {
                        row.get::<_, i64>(0)
                    })
                    .map(|_| ())
                    .map_err(log::unavailable("reading the version"))
            })
            .await
    }

    async fn close(&self) {
        // The reader first: the last connection to close folds the write-ahead log into the file.
        self.reader.stop().await;
        self.writer.stop().await;
    }
}

/// A place or number from the database; `None` when it is negative, which nobody wrote.
fn seq(number: i64) -> Option<Seq> {
    u64::try_from(number).ok().map(Seq)
}
