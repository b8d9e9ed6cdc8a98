//! Opens the database an operator named, tables up to date. Must not know flags or environment.

use std::path::PathBuf;
use std::sync::Arc;

use super::migrate::{MigrateError, Migrated};
use super::postgres::PostgresStore;
use super::sqlite::SqliteStore;
use super::{DatabaseUrl, Store};

/// What an operator may choose about the database besides its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Start on a Postgres that may lose committed data in a crash (`fsync`, `full_page_writes` or
    /// `synchronous_commit` off). For throw-away databases in tests only.
    pub accept_unsafe_postgres: bool,
    /// Connections for everything but appends, which have one of their own. More work than that
    /// waits for a connection.
    pub postgres_connections: usize,
    /// A bug put in on purpose: a SQLite that does not wait for the disk.
    #[cfg(feature = "sabotage")]
    pub sqlite_synchronous_normal: bool,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            accept_unsafe_postgres: false,
            postgres_connections: 8,
            #[cfg(feature = "sabotage")]
            sqlite_synchronous_normal: false,
        }
    }
}

/// Why a database was not opened. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// `holder` is ` (process 123)`, or empty when it did not say.
    #[error(
        "another server{holder} is using the data folder {}: stop it, or give this one another folder",
        folder.display()
    )]
    InUse { folder: PathBuf, holder: String },
    #[error("cannot use {}: {why}", path.display())]
    File { path: PathBuf, why: String },
    #[error("cannot reach {url}: {why}; start the database, or name another one")]
    Unreachable { url: DatabaseUrl, why: String },
    #[error(
        "{url} may lose saved edits in a crash: {why}; change its configuration, or, for a throw-away database, accept the loss with --accept-unsafe-postgres"
    )]
    Unsafe { url: DatabaseUrl, why: String },
    #[error("{url} cannot be used: {why}")]
    Unusable { url: DatabaseUrl, why: String },
    #[error("{url}: {error}")]
    Migration {
        url: DatabaseUrl,
        error: MigrateError,
    },
}

/// Opens a database, making folder, file and tables when they are missing.
pub async fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match url {
        DatabaseUrl::Sqlite(path) => {
            let store = SqliteStore::open(path).await?.0;
            #[cfg(feature = "sabotage")]
            if options.sqlite_synchronous_normal {
                store.do_not_wait_for_the_disk().await;
            }
            Arc::new(store)
        }
        DatabaseUrl::Postgres(_) => Arc::new(PostgresStore::open(url, options).await?.0),
    })
}

/// Brings a database's tables up to date and lets go of it.
pub async fn migrate(url: &DatabaseUrl, options: &OpenOptions) -> Result<Migrated, OpenError> {
    Ok(match url {
        DatabaseUrl::Sqlite(path) => {
            let (store, migrated) = SqliteStore::open(path).await?;
            store.close().await;
            migrated
        }
        DatabaseUrl::Postgres(_) => {
            let (store, migrated) = PostgresStore::open(url, options).await?;
            store.close().await;
            migrated
        }
    })
}
