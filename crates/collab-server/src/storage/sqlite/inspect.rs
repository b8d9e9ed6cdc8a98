//! A second connection to a SQLite file, for looking at it beside its server: in WAL mode a reader
//! sees one moment and holds nobody up. Must not know what is inside an update.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::{connect, log, rooms, seq, snapshots};
use crate::storage::checksum::RecordRow;
use crate::storage::inspect::{Inspect, Rows, unfit_version};
use crate::storage::migrate;
use crate::storage::open::OpenError;
use crate::storage::{DatabaseUrl, MAX_PAGE_ROOMS, RoomKey, StoreError};

/// Lines of `pragma quick_check` that are reported; a file with more is beyond counting.
const MAX_FILE_FINDINGS: usize = 100;

const ROOM: &str = "
  select id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts
  from room where id = ?1 and deleted_at is null";

const RECORDS: &str = "
  select seq, epoch, format, crc32c, body from room_update where room_id = ?1 order by seq";

/// See the module.
#[derive(Debug)]
pub struct SqliteInspector {
    connection: Arc<Mutex<Connection>>,
}

impl SqliteInspector {
    /// Opens a file that exists and has the tables of this program.
    pub async fn open(path: &Path) -> Result<SqliteInspector, OpenError> {
        let path = path.to_owned();
        let opening = tokio::task::spawn_blocking({
            let path = path.clone();
            move || open_beside(&path, migrate::SQLITE)
        });
        let connection = opening
            .await
            .map_err(|error| connect::unusable(&path, error))??;
        Ok(SqliteInspector {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.connection);
        crate::storage::heavy(doing, move || {
            work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }
}

/// A connection that reads, beside whoever has the folder.
fn open_beside(path: &Path, known: &[migrate::Migration]) -> Result<Connection, OpenError> {
    let connection = existing(path)?;
    let version = version(&connection).map_err(|error| connect::unusable(path, error))?;
    let newest = known.last().map_or(0, |step| step.version);
    match unfit_version(version, newest) {
        None => Ok(connection),
        Some(why) => Err(OpenError::Unusable {
            url: DatabaseUrl::Sqlite(path.to_owned()),
            why,
        }),
    }
}

/// A connection that reads, to a file that must exist.
pub fn existing(path: &Path) -> Result<Connection, OpenError> {
    if !path.is_file() {
        return Err(OpenError::File {
            path: PathBuf::from(path),
            why: "there is no such file; name the database with --database-url or --data-dir"
                .into(),
        });
    }
    let connection = connect(path)?;
    connect::read_only(&connection, path)?;
    Ok(connection)
}

/// The version of the tables; `None` when there are none of ours.
pub fn version(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let ours = connection
        .prepare("select 1 from sqlite_schema where type = 'table' and name = 'schema_migrations'")?
        .exists(())?;
    if !ours {
        return Ok(None);
    }
    connection.query_row("select max(version) from schema_migrations", (), |row| {
        row.get(0)
    })
}

#[async_trait]
impl Inspect for SqliteInspector {
    async fn rooms(&self, after: RoomKey) -> Result<Vec<(RoomKey, String)>, StoreError> {
        let limit = i64::try_from(MAX_PAGE_ROOMS).unwrap_or(i64::MAX);
        self.run("listing rooms", move |connection| {
            connection
                .prepare_cached(
                    "select id, name from room where id > ?1 and deleted_at is null
                     order by id limit ?2",
                )
                .and_then(|mut list| {
                    let rows = list.query_map((after.0, limit), |row| {
                        let name = row.get_ref(1)?;
                        let name = name.as_bytes().unwrap_or_default();
                        let name = String::from_utf8_lossy(name).into_owned();
                        Ok((RoomKey(row.get(0)?), name))
                    })?;
                    rows.collect()
                })
                .map_err(log::unavailable("listing rooms"))
        })
        .await
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.run("counting rooms", |connection| {
            connection
                .query_row(
                    "select count(*) from room where deleted_at is null",
                    (),
                    |row| row.get::<_, i64>(0),
                )
                .map(|count| u64::try_from(count).unwrap_or(0))
                .map_err(log::unavailable("counting rooms"))
        })
        .await
    }

    async fn rows(&self, key: RoomKey) -> Result<Rows, StoreError> {
        self.run("reading a room", move |connection| rows(connection, key))
            .await
    }

    async fn check_file(&self) -> Result<Vec<String>, StoreError> {
        self.run("checking the file", |connection| {
            let lines = |sql: &str| -> rusqlite::Result<Vec<String>> {
                let mut check = connection.prepare(sql)?;
                let rows = check.query_map((), |row| {
                    let text = row.get_ref(0)?.as_bytes().unwrap_or_default();
                    Ok(String::from_utf8_lossy(text).replace('\n', "; "))
                })?;
                rows.collect()
            };
            let sql = format!("pragma quick_check({MAX_FILE_FINDINGS})");
            let mut found = lines(&sql).map_err(log::unavailable("checking the file"))?;
            found.retain(|line| line != "ok");
            let orphans = lines("pragma foreign_key_check")
                .map_err(log::unavailable("checking references"))?;
            found.extend(
                orphans
                    .iter()
                    .take(MAX_FILE_FINDINGS)
                    .map(|table| format!("a row of {table} belongs to no room")),
            );
            Ok(found)
        })
        .await
    }
}

fn rows(connection: &mut Connection, key: RoomKey) -> Result<Rows, StoreError> {
    let failed = log::damaged_or_unavailable(key, "reading a room");
    let transaction = connection.transaction().map_err(&failed)?;
    let info = transaction
        .prepare_cached(ROOM)
        .and_then(|mut room| room.query_row([key.0], rooms::read).optional())
        .map_err(&failed)?
        .ok_or(StoreError::NotFound)??;
    let mut rows = Rows {
        info,
        snapshots: Vec::new(),
        records: Vec::new(),
        unreadable: Vec::new(),
    };
    match snapshots::stored(&transaction, key) {
        Ok(stored) => {
            for at in stored {
                let row = match snapshots::read(&transaction, key, at) {
                    Ok(row) => Ok(row),
                    Err(StoreError::Corrupt { what, .. }) => Err(what),
                    Err(error) => return Err(error),
                };
                rows.snapshots.push((at, row));
            }
        }
        Err(StoreError::Corrupt { what, .. }) => rows.unreadable.push(what),
        Err(error) => return Err(error),
    }
    match records(&transaction, key, &mut rows.records) {
        Ok(()) => {}
        Err(StoreError::Corrupt { what, .. }) => rows.unreadable.push(what),
        Err(error) => return Err(error),
    }
    Ok(rows)
}

/// Collects until the file itself cannot be read any further.
fn records(
    connection: &Connection,
    key: RoomKey,
    records: &mut Vec<(collab_core::ids::Seq, Result<RecordRow, String>)>,
) -> Result<(), StoreError> {
    let failed = log::damaged_or_unavailable(key, "reading a log");
    let mut statement = connection.prepare_cached(RECORDS).map_err(&failed)?;
    let mut found = statement.query([key.0]).map_err(&failed)?;
    while let Some(row) = found.next().map_err(&failed)? {
        let place = row.get::<_, i64>(0).ok().and_then(seq);
        let place =
            place.ok_or_else(|| StoreError::damaged(key, "a record has a place below 1"))?;
        let record = match log::record(row) {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err("the record's own row cannot be right".to_owned()),
            Err(error) => Err(format!("the record's row cannot be read: {error}")),
        };
        records.push((place, record));
    }
    Ok(())
}
