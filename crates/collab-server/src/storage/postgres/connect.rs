//! Connections to a Postgres that keeps what it commits. Must not know tables.

use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::{explain, unavailable};
use crate::storage::open::OpenError;
use crate::storage::{DatabaseUrl, StoreError};

/// How long to wait for a connection: for a new one to be made, and for a used one to come back.
/// At the limit the call is `Unavailable`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Session settings of the connection that appends. A stuck append must not hold rooms' rows.
pub const APPENDS: &str = "
  set statement_timeout = '5s';
  set idle_in_transaction_session_timeout = '10s'";

/// Session settings of the others, which move whole documents.
pub const OTHERS: &str = "
  set statement_timeout = '50s';
  set idle_in_transaction_session_timeout = '60s'";

/// Session settings of a connection that only looks.
pub const READING: &str = "
  set default_transaction_read_only = on;
  set statement_timeout = '50s';
  set idle_in_transaction_session_timeout = '60s'";

/// Adds what the URL did not say.
pub fn complete(config: &Config) -> Config {
    let mut config = config.clone();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("collab");
    }
    config
}

/// One connection outside the pools, and the task that carries it.
pub async fn connect(config: &Config) -> Result<(Client, JoinHandle<()>), Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = explain(&error), "a database connection failed");
        }
    });
    Ok((client, task))
}

/// A pool whose every connection was checked and set up, also the ones made after a failover.
pub fn pool(
    config: &Config,
    size: usize,
    session: &'static str,
    accept_unsafe: bool,
) -> Result<Pool, deadpool_postgres::BuildError> {
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let set_up = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            check(client, accept_unsafe)
                .await
                .map_err(|unfit| HookError::message(unfit.to_string()))?;
            client
                .batch_execute(session)
                .await
                .map_err(HookError::Backend)
        })
    });
    Pool::builder(Manager::from_config(config.clone(), NoTls, manager))
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT))
        .recycle_timeout(Some(CONNECT_TIMEOUT))
        .post_create(set_up)
        .build()
}

/// One connection that reads whole documents and cannot write.
pub fn reading_pool(config: &Config) -> Result<Pool, deadpool_postgres::BuildError> {
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let set_up = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            client
                .batch_execute(READING)
                .await
                .map_err(HookError::Backend)
        })
    });
    Pool::builder(Manager::from_config(config.clone(), NoTls, manager))
        .max_size(1)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT))
        .recycle_timeout(Some(CONNECT_TIMEOUT))
        .post_create(set_up)
        .build()
}

/// Why a server cannot be trusted with rooms.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("{0}")]
    Unsafe(String),
    #[error("{0}")]
    Unusable(&'static str),
    #[error("its settings cannot be read: {0}")]
    Unreadable(String),
}

impl Unfit {
    pub fn refuse(self, url: &DatabaseUrl) -> OpenError {
        let (url, why) = (url.clone(), self.to_string());
        match self {
            Unfit::Unsafe(_) => OpenError::Unsafe { url, why },
            Unfit::Unusable(_) => OpenError::Unusable { url, why },
            Unfit::Unreadable(_) => OpenError::Unreachable { url, why },
        }
    }
}

/// Whether a commit on this connection is durable. Settings that make it not so are refused, or
/// with `accept_unsafe` only reported.
pub async fn check(client: &Client, accept_unsafe: bool) -> Result<(), Unfit> {
    let row = client
        .query_one(
            "select pg_is_in_recovery(), current_setting('server_encoding'),
               current_setting('synchronous_commit'), current_setting('fsync'),
               current_setting('full_page_writes')",
            &[],
        )
        .await
        .map_err(|error| Unfit::Unreadable(explain(&error)))?;
    let unreadable = |error: Error| Unfit::Unreadable(explain(&error));
    if row.try_get::<_, bool>(0).map_err(unreadable)? {
        return Err(Unfit::Unusable(
            "it is a standby and takes no writes; name the primary",
        ));
    }
    if row.try_get::<_, &str>(1).map_err(unreadable)? != "UTF8" {
        return Err(Unfit::Unusable(
            "its encoding is not UTF8; create the database with `encoding 'UTF8'`",
        ));
    }
    let mut off = Vec::new();
    for (column, setting) in [
        (2, "synchronous_commit"),
        (3, "fsync"),
        (4, "full_page_writes"),
    ] {
        if row.try_get::<_, &str>(column).map_err(unreadable)? == "off" {
            off.push(format!("{setting} is off"));
        }
    }
    if off.is_empty() {
        return Ok(());
    }
    let why = off.join(", ");
    if accept_unsafe {
        tracing::warn!(why, "this database may lose saved edits in a crash");
        return Ok(());
    }
    Err(Unfit::Unsafe(why))
}

/// Whether the server answers.
pub async fn ping(client: &Object) -> Result<(), StoreError> {
    client
        .simple_query("select 1")
        .await
        .map(|_| ())
        .map_err(unavailable("asking whether the database answers"))
}

/// Why the pool gave no connection.
pub fn no_connection(doing: &'static str, error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => StoreError::unavailable(doing, explain(error)),
        error => StoreError::unavailable(doing, error),
    }
}
