//! Brings a database's tables up to date: forward only, each step once, whoever starts first. Must
//! not know what the tables are for.
//!
//! Everything runs in one transaction under a lock that both databases release by themselves when
//! the server dies: two servers that start at once apply each migration once, and the second waits
//! and finds nothing left to do.

use std::fmt;

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

/// One step. Numbers start at 1 and have no gaps; the same number means the same in each database.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub version: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

/// The steps of SQLite.
pub const SQLITE: &[Migration] = &[
    Migration {
        version: 1,
        name: "update_log",
        sql: include_str!("../../../../migrations/sqlite/0001_update_log.sql"),
    },
    Migration {
        version: 2,
        name: "history",
        sql: include_str!("../../../../migrations/sqlite/0002_history.sql"),
    },
    Migration {
        version: 3,
        name: "quarantine",
        sql: include_str!("../../../../migrations/sqlite/0003_quarantine.sql"),
    },
];

/// The steps of Postgres.
pub const POSTGRES: &[Migration] = &[
    Migration {
        version: 1,
        name: "update_log",
        sql: include_str!("../../../../migrations/postgres/0001_update_log.sql"),
    },
    Migration {
        version: 2,
        name: "history",
        sql: include_str!("../../../../migrations/postgres/0002_history.sql"),
    },
    Migration {
        version: 3,
        name: "quarantine",
        sql: include_str!("../../../../migrations/postgres/0003_quarantine.sql"),
    },
];

/// Who may migrate a Postgres database: an arbitrary number that means "Collab's migrations" among
/// the advisory locks of one database.
const POSTGRES_LOCK: i64 = 0x0063_6f6c_6c61_6201;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Versions applied by this run, in order; empty when everything was up to date.
    pub applied: Vec<i64>,
    /// The database's version now.
    pub version: i64,
}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.applied.len() {
            0 => write!(f, "up to date at version {}", self.version),
            1 => write!(f, "1 migration applied, now at version {}", self.version),
            count => write!(
                f,
                "{count} migrations applied, now at version {}",
                self.version
            ),
        }
    }
}

/// Why a database was not brought up to date. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    #[error(
        "migration {version} ({name}) was edited after it was applied here; restore the file as it was, and put changes into a new migration"
    )]
    Edited { version: i64, name: &'static str },
    #[error(
        "the database is at version {database}, this program knows versions up to {known}: start a newer program"
    )]
    Newer { database: i64, known: i64 },
    #[error("the database's list of migrations has a gap at version {version}")]
    Gap { version: i64 },
    #[error("migration {version} ({name}) failed: {why}")]
    Failed {
        version: i64,
        name: &'static str,
        why: String,
    },
    #[error("the list of migrations cannot be read or written: {0}")]
    Unavailable(String),
}

fn sha(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}

/// What is left to do in a database that has these versions, in order of version.
fn pending<'a>(
    known: &'a [Migration],
    applied: &[(i64, Vec<u8>)],
) -> Result<&'a [Migration], MigrateError> {
    let last_known = known.last().map_or(0, |migration| migration.version);
    if let Some((version, _)) = applied.last().filter(|(version, _)| *version > last_known) {
        return Err(MigrateError::Newer {
            database: *version,
            known: last_known,
        });
    }
    for ((version, stored), migration) in applied.iter().zip(known) {
        if *version != migration.version {
            let version = migration.version;
            return Err(MigrateError::Gap { version });
        }
        if *stored != sha(migration) {
            return Err(MigrateError::Edited {
                version: migration.version,
                name: migration.name,
            });
        }
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

fn done(known: &[Migration], steps: &[Migration]) -> Migrated {
    Migrated {
        applied: steps.iter().map(|step| step.version).collect(),
        version: known.last().map_or(0, |step| step.version),
    }
}

/// Applies what is missing. Waits for another migrating connection as long as the connection's
/// `busy_timeout`.
pub fn sqlite(connection: &mut Connection, known: &[Migration]) -> Result<Migrated, MigrateError> {
    let unavailable = |error: rusqlite::Error| MigrateError::Unavailable(error.to_string());
    // IMMEDIATE takes the write lock before the list is read, so nobody can act on an old list.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(unavailable)?;
    transaction
        .execute_batch(
            "create table if not exists schema_migrations (
               version integer primary key,
               sha256 blob not null,
               applied_at integer not null
             ) strict",
        )
        .map_err(unavailable)?;
    let applied = transaction
        .prepare("select version, sha256 from schema_migrations order by version")
        .and_then(|mut statement| {
            let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<Vec<_>, _>>()
        })
        .map_err(unavailable)?;
    let steps = pending(known, &applied)?;
    for step in steps {
        transaction
            .execute_batch(step.sql)
            .and_then(|()| {
                transaction.execute(
                    "insert into schema_migrations (version, sha256, applied_at)
                     values (?1, ?2, unixepoch() * 1000)",
                    (step.version, sha(step)),
                )
            })
            .map_err(|error| failed(step, error.to_string()))?;
    }
    transaction.commit().map_err(unavailable)?;
    Ok(done(known, steps))
}

/// Applies what is missing. Waits at most a minute for another migrating connection.
pub async fn postgres(client: &mut Client, known: &[Migration]) -> Result<Migrated, MigrateError> {
    let unavailable = |error| MigrateError::Unavailable(super::postgres::explain(&error));
    let transaction = client.transaction().await.map_err(unavailable)?;
    // The lock belongs to the transaction, not the session: it cannot outlive it, and it works
    // behind a pooler. Only waiting for it is bounded; a migration may take long.
    transaction
        .batch_execute(&format!(
            "set local statement_timeout = 0;
             set local lock_timeout = '60s';
             select pg_advisory_xact_lock({POSTGRES_LOCK});
             set local lock_timeout = 0;
             create table if not exists schema_migrations (
               version bigint primary key,
               sha256 bytea not null,
               applied_at bigint not null
             )"
        ))
        .await
        .map_err(unavailable)?;
    let rows = transaction
        .query(
            "select version, sha256 from schema_migrations order by version",
            &[],
        )
        .await
        .map_err(unavailable)?;
    let mut applied = Vec::new();
    for row in &rows {
        let version = row.try_get::<_, i64>(0).map_err(unavailable)?;
        let sha256 = row.try_get::<_, Vec<u8>>(1).map_err(unavailable)?;
        applied.push((version, sha256));
    }
    let steps = pending(known, &applied)?;
    for step in steps {
        let explained = |error| failed(step, super::postgres::explain(&error));
        transaction
            .batch_execute(step.sql)
            .await
            .map_err(explained)?;
        transaction
            .execute(
                "insert into schema_migrations (version, sha256, applied_at)
                 values ($1, $2, (extract(epoch from clock_timestamp()) * 1000)::bigint)",
                &[&step.version, &sha(step)],
            )
            .await
            .map_err(explained)?;
    }
    transaction.commit().await.map_err(unavailable)?;
    Ok(done(known, steps))
}

fn failed(step: &Migration, why: String) -> MigrateError {
    MigrateError::Failed {
        version: step.version,
        name: step.name,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_numbers_mean_the_same_in_both_databases() {
        let names = |known: &[Migration]| -> Vec<(i64, &str)> {
            known.iter().map(|step| (step.version, step.name)).collect()
        };
        assert_eq!(names(SQLITE), names(POSTGRES));
        for (index, (version, _)) in names(SQLITE).into_iter().enumerate() {
            assert_eq!(version, index as i64 + 1, "no gaps");
        }
    }
}
