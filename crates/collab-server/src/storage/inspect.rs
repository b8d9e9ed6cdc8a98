//! Reading a database beside its server, row by row and unchecked: for whoever checks it. Takes no
//! lock, claims no room and writes nothing. Must not know what is inside an update.

use std::fmt;

use async_trait::async_trait;
use collab_core::ids::Seq;

use super::checksum::{RecordRow, SnapshotRow};
use super::open::OpenError;
use super::{DatabaseUrl, RoomInfo, RoomKey, StoreError, postgres, sqlite};

/// A database that is looked at, as it is. Other connections may write meanwhile; what one call
/// returns is of one moment.
#[async_trait]
pub trait Inspect: Send + Sync + fmt::Debug {
    /// Rooms with a key above `after`, by key, at most [`MAX_PAGE_ROOMS`](super::MAX_PAGE_ROOMS):
    /// the key and the name, whatever that is. Deleted rooms are left out.
    async fn rooms(&self, after: RoomKey) -> Result<Vec<(RoomKey, String)>, StoreError>;

    /// How many rooms there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Every row of a room. `Corrupt` when not even the room's own row can be read, `NotFound` when
    /// it was deleted meanwhile.
    async fn rows(&self, key: RoomKey) -> Result<Rows, StoreError>;

    /// What the database itself finds wrong with its file or its tables, one line each. Empty for
    /// Postgres, which has data checksums for this.
    async fn check_file(&self) -> Result<Vec<String>, StoreError>;
}

/// A room's rows as they are stored. `Err` says why a row is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub info: RoomInfo,
    /// Newest first.
    pub snapshots: Vec<(Seq, Result<SnapshotRow, String>)>,
    /// By place.
    pub records: Vec<(Seq, Result<RecordRow, String>)>,
    /// What kept further rows from being read.
    pub unreadable: Vec<String>,
}

/// Opens a database to look at it. It must exist, with tables of this program's version.
pub async fn inspect(url: &DatabaseUrl) -> Result<Box<dyn Inspect>, OpenError> {
    Ok(match url {
        DatabaseUrl::Sqlite(path) => Box::new(sqlite::inspect::SqliteInspector::open(path).await?),
        DatabaseUrl::Postgres(config) => {
            Box::new(postgres::inspect::PostgresInspector::open(url, config).await?)
        }
    })
}

/// Why a database whose tables are at one version cannot be looked at by a program that knows
/// another. `None` when they are the same.
pub(crate) fn unfit_version(database: Option<i64>, known: i64) -> Option<String> {
    match database {
        None => Some("Collab has no tables in it; name the database that the server uses".into()),
        Some(version) if version < known => Some(format!(
            "its tables are at version {version}, this program's at {known}; run `collab migrate` first"
        )),
        Some(version) if version > known => Some(format!(
            "its tables are at version {version}, this program knows versions up to {known}; start a newer program"
        )),
        Some(_) => None,
    }
}
