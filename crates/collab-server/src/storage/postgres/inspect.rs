//! A connection for looking at a Postgres database beside its servers. Must not know what is inside
//! an update.

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use tokio_postgres::{Client, Config, IsolationLevel};

use super::{connect, damaged_or_unavailable, explain, log, rooms, seq, snapshots, unavailable};
use crate::storage::inspect::{Inspect, Rows, unfit_version};
use crate::storage::migrate;
use crate::storage::open::OpenError;
use crate::storage::{DatabaseUrl, MAX_PAGE_ROOMS, RoomKey, StoreError};

const ROOM: &str = "
  select id, lineage, epoch, head_seq, snap_seq, created_at, updated_at, name,
    state, load_attempts
  from room where id = $1 and deleted_at is null";

const RECORDS: &str = "
  select seq, epoch, format, crc32c, body from room_update where room_id = $1 order by seq";

/// See the module.
#[derive(Debug)]
pub struct PostgresInspector {
    pool: Pool,
}

impl PostgresInspector {
    /// Connects to a database that has the tables of this program. A standby will do.
    pub async fn open(url: &DatabaseUrl, config: &Config) -> Result<PostgresInspector, OpenError> {
        let unusable = |why: String| OpenError::Unusable {
            url: url.clone(),
            why,
        };
        let config = connect::complete(config);
        let (client, task) =
            connect::connect(&config)
                .await
                .map_err(|error| OpenError::Unreachable {
                    url: url.clone(),
                    why: explain(&error),
                })?;
        let version = version(&client)
            .await
            .map_err(|error| unusable(explain(&error)))?;
        drop(client);
        let _ = task.await;
        let known = migrate::POSTGRES.last().map_or(0, |step| step.version);
        if let Some(why) = unfit_version(version, known) {
            return Err(unusable(why));
        }
        let pool = connect::reading_pool(&config).map_err(|error| unusable(error.to_string()))?;
        Ok(PostgresInspector { pool })
    }

    async fn client(&self, doing: &'static str) -> Result<Object, StoreError> {
        let client = self.pool.get().await;
        client.map_err(|error| connect::no_connection(doing, &error))
    }
}

/// The version of the tables; `None` when there are none of ours.
pub async fn version(client: &Client) -> Result<Option<i64>, tokio_postgres::Error> {
    let ours = client
        .query_one("select to_regclass('schema_migrations') is not null", &[])
        .await?;
    if !ours.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client
        .query_one("select max(version) from schema_migrations", &[])
        .await?;
    row.try_get(0)
}

#[async_trait]
impl Inspect for PostgresInspector {
    async fn rooms(&self, after: RoomKey) -> Result<Vec<(RoomKey, String)>, StoreError> {
        let failed = unavailable("listing rooms");
        let client = self.client("listing rooms").await?;
        let limit = i64::try_from(MAX_PAGE_ROOMS).unwrap_or(i64::MAX);
        let rows = client
            .query(
                "select id, name from room where id > $1 and deleted_at is null
                 order by id limit $2",
                &[&after.0, &limit],
            )
            .await
            .map_err(&failed)?;
        rows.iter()
            .map(|row| Ok((RoomKey(row.try_get(0)?), row.try_get(1)?)))
            .collect::<Result<_, _>>()
            .map_err(&failed)
    }

    async fn count(&self) -> Result<u64, StoreError> {
        let failed = unavailable("counting rooms");
        let client = self.client("counting rooms").await?;
        let row = client
            .query_one("select count(*) from room where deleted_at is null", &[])
            .await
            .map_err(&failed)?;
        let count: i64 = row.try_get(0).map_err(&failed)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn rows(&self, key: RoomKey) -> Result<Rows, StoreError> {
        let failed = damaged_or_unavailable(key, "reading a room");
        let mut client = self.client("reading a room").await?;
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(&failed)?;
        let room = transaction.query_opt(ROOM, &[&key.0]).await;
        let info = room
            .map_err(&failed)?
            .as_ref()
            .map(rooms::read)
            .ok_or(StoreError::NotFound)??;
        let mut rows = Rows {
            info,
            snapshots: Vec::new(),
            records: Vec::new(),
            unreadable: Vec::new(),
        };
        for at in snapshots::stored(&transaction, key).await? {
            let row = match snapshots::read(&transaction, key, at).await {
                Ok(row) => Ok(row),
                Err(StoreError::Corrupt { what, .. }) => Err(what),
                Err(error) => return Err(error),
            };
            rows.snapshots.push((at, row));
        }
        for row in transaction
            .query(RECORDS, &[&key.0])
            .await
            .map_err(&failed)?
        {
            let place = row.try_get::<_, i64>(0).ok().and_then(seq);
            let place =
                place.ok_or_else(|| StoreError::damaged(key, "a record has a place below 1"))?;
            let record = match log::record(&row) {
                Ok(Some(record)) => Ok(record),
                Ok(None) => Err("the record's own row cannot be right".to_owned()),
                Err(error) => Err(format!(
                    "the record's row cannot be read: {}",
                    explain(&error)
                )),
            };
            rows.records.push((place, record));
        }
        Ok(rows)
    }

    async fn check_file(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
