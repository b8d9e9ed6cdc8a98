//! Rooms in Postgres: one connection for appends, a pool for everything else. Must not know what is
//! inside an update.
//!
//! Every call has a time limit on both sides. When ours comes first the connection is thrown away,
//! and what it was doing is unknown; the fence in the room's row serialises it with the next try.

mod archive;
pub(crate) mod connect;
mod damage;
mod history;
pub mod inspect;
mod log;
mod rooms;
mod snapshots;

use std::time::Duration;

use async_trait::async_trait;
use collab_core::ids::{Epoch, Lineage, RoomId, Seq};
use collab_core::room::Damage;
use collab_core::time::Millis;
use deadpool_postgres::{Object, Pool};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::checksum::{pack_snapshot, unpack_snapshot};
use super::migrate::{self, Migrated};
use super::open::{OpenError, OpenOptions};
use super::{
    Append, Appended, Claim, Create, DatabaseUrl, Folded, HistoryStore, Quarantined, RoomInfo,
    RoomKey, Snapshot, Store, StoreError, Stored, Whereabouts, heavy,
};

/// How long an append or another small call may take, waiting for a connection not included. Longer
/// than the server's own `statement_timeout` for it, so that the server gives up first.
const SMALL_CALL: Duration = Duration::from_secs(10);

/// How long a call that moves a whole document may take.
const LARGE_CALL: Duration = Duration::from_secs(60);

/// An open Postgres database.
#[derive(Debug)]
pub struct PostgresStore {
    /// One connection: appends are one batch at a time, and no load can take their place.
    appends: Pool,
    others: Pool,
}

impl PostgresStore {
    /// Connects, checks that the database keeps what it commits, and brings its tables up to date.
    pub async fn open(
        url: &DatabaseUrl,
        options: &OpenOptions,
    ) -> Result<(PostgresStore, Migrated), OpenError> {
        let DatabaseUrl::Postgres(config) = url else {
            return Err(OpenError::Unusable {
                url: url.clone(),
                why: "it does not name a Postgres database".into(),
            });
        };
        let config = connect::complete(config);
        let accept_unsafe = options.accept_unsafe_postgres;
        let (mut client, task) =
            connect::connect(&config)
                .await
                .map_err(|error| OpenError::Unreachable {
                    url: url.clone(),
                    why: explain(&error),
                })?;
        connect::check(&client, accept_unsafe)
            .await
            .map_err(|unfit| unfit.refuse(url))?;
        let migrated = migrate::postgres(&mut client, migrate::POSTGRES)
            .await
            .map_err(|error| OpenError::Migration {
                url: url.clone(),
                error,
            })?;
        drop(client);
        // Ends because its client is gone; awaited so that no connection outlives the call.
        let _ = task.await;
        let pool = |size, session| {
            connect::pool(&config, size, session, accept_unsafe).map_err(|error| {
                OpenError::Unusable {
                    url: url.clone(),
                    why: error.to_string(),
                }
            })
        };
        let store = PostgresStore {
            appends: pool(1, connect::APPENDS)?,
            others: pool(options.postgres_connections.max(1), connect::OTHERS)?,
        };
        Ok((store, migrated))
    }

    async fn client(&self, doing: &'static str) -> Result<Object, StoreError> {
        let client = self.others.get().await;
        client.map_err(|error| connect::no_connection(doing, &error))
    }
}

/// Gives a connection back to its pool, or throws it away when its call took too long.
fn settle<T>(
    client: Object,
    doing: &'static str,
    result: Result<Result<T, StoreError>, tokio::time::error::Elapsed>,
) -> Result<T, StoreError> {
    result.unwrap_or_else(|elapsed| {
        drop(Object::take(client));
        Err(StoreError::unavailable(doing, elapsed))
    })
}

/// Runs one call on a connection of the pool, within its time.
macro_rules! call {
    ($store:expr, $doing:literal, $limit:expr, |$client:ident| $work:expr) => {{
        let mut object = $store.client($doing).await?;
        let result = {
            let $client = &mut object;
            tokio::time::timeout($limit, $work).await
        };
        settle(object, $doing, result)
    }};
}

// Behind the macro that it uses.
mod past;

#[async_trait]
impl Store for PostgresStore {
    async fn claim(&self, room: &RoomId, create: Create, at: Millis) -> Result<Claim, StoreError> {
        call!(self, "claiming a room", SMALL_CALL, |client| rooms::claim(
            client, room, create, at
        ))
    }

    async fn load(&self, key: RoomKey) -> Result<Stored, StoreError> {
        call!(self, "loading a room", LARGE_CALL, |client| log::load(
            client, key
        ))
    }

    async fn load_ended(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        call!(self, "ending a load", SMALL_CALL, |client| {
            damage::load_ended(client, key, epoch)
        })
    }

    async fn quarantine(
        &self,
        key: RoomKey,
        epoch: Epoch,
        parts: &[Damage],
        at: Millis,
    ) -> Result<(), StoreError> {
        call!(self, "putting into quarantine", LARGE_CALL, |client| {
            damage::quarantine(client, key, epoch, parts, at)
        })
    }

    async fn mend(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        call!(self, "marking a room as whole", SMALL_CALL, |client| {
            damage::mend(client, key, epoch)
        })
    }

    async fn quarantined(&self, key: RoomKey, after: i64) -> Result<Vec<Quarantined>, StoreError> {
        call!(self, "reading quarantine", LARGE_CALL, |client| {
            damage::quarantined(client, key, after)
        })
    }

    async fn renew(
        &self,
        room: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> Result<RoomInfo, StoreError> {
        call!(self, "renewing a room", SMALL_CALL, |client| {
            damage::renew(client, room, lineage, above)
        })
    }

    async fn whereabouts(&self, room: &RoomId) -> Result<Whereabouts, StoreError> {
        call!(self, "looking for a room", SMALL_CALL, |client| {
            damage::whereabouts(client, room)
        })
    }

    async fn append(&self, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
        let client = self.appends.get().await;
        let client = client.map_err(|error| connect::no_connection("appending", &error))?;
        let result = tokio::time::timeout(SMALL_CALL, log::append(&client, batch)).await;
        settle(client, "appending", result)
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let key = snapshot.key;
        let row = heavy("compressing a snapshot", move || pack_snapshot(&snapshot)).await?;
        call!(self, "storing a snapshot", LARGE_CALL, |client| {
            snapshots::put(client, key, &row)
        })
    }

    async fn fold(&self, key: RoomKey, epoch: Epoch) -> Result<Folded, StoreError> {
        let chosen = call!(self, "reading snapshots", LARGE_CALL, |client| {
            snapshots::choose(client, key, epoch)
        })?;
        let Some((base, rows)) = chosen else {
            return Ok(Folded::default());
        };
        // Checked outside the transaction that deletes; that one makes sure that it still finds the
        // same seals.
        let seals = heavy("checking snapshots", move || {
            let check = |row| unpack_snapshot(key, row).map(|_| ());
            rows.iter().try_for_each(check)?;
            Ok(rows.map(|row| row.sha256))
        })
        .await?;
        call!(self, "folding a log", LARGE_CALL, |client| snapshots::fold(
            client, key, epoch, base, &seals
        ))
    }

    async fn describe(&self, room: &RoomId) -> Result<Option<RoomInfo>, StoreError> {
        call!(self, "reading a room", SMALL_CALL, |client| {
            rooms::describe(client, room)
        })
    }

    async fn list(
        &self,
        after: Option<&RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomInfo>, StoreError> {
        call!(self, "listing rooms", SMALL_CALL, |client| rooms::list(
            client, after, limit
        ))
    }

    async fn delete(&self, room: &RoomId, at: Millis) -> Result<bool, StoreError> {
        call!(self, "deleting a room", LARGE_CALL, |client| rooms::delete(
            client, room, at
        ))
    }

    fn history(&self) -> &dyn HistoryStore {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        call!(
            self,
            "asking whether the database answers",
            SMALL_CALL,
            |client| connect::ping(client)
        )
    }

    async fn close(&self) {
        self.appends.close();
        self.others.close();
    }
}

/// A place or number from the database; `None` when it is negative, which nobody wrote.
fn seq(number: i64) -> Option<Seq> {
    u64::try_from(number).ok().map(Seq)
}

/// A number on its way into the database. Nothing of ours comes near the limit; what does becomes a
/// place that matches no row.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What went wrong, with the server's own words; tokio-postgres keeps them in the source.
pub fn explain(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(database), _) => format!("{} ({})", database.message(), database.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// For calls after whose failure the caller can only try again.
fn unavailable(doing: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| StoreError::unavailable(doing, explain(&error))
}

/// For calls that read a room's content: what is unreadable today will be unreadable tomorrow.
fn damaged_or_unavailable(key: RoomKey, doing: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| {
        let damaged = [&SqlState::DATA_CORRUPTED, &SqlState::INDEX_CORRUPTED];
        match error.code().is_some_and(|code| damaged.contains(&code)) {
            true => StoreError::damaged(key, &format!("while {doing}: {}", explain(&error))),
            false => StoreError::unavailable(doing, explain(&error)),
        }
    }
}
