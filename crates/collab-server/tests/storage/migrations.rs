//! Bringing tables up to date: once, whoever comes first, and never over something unknown.

use std::sync::{Arc, Barrier};

use collab_server::storage::migrate::{self, MigrateError, Migrated, Migration, POSTGRES, SQLITE};
use collab_server::storage::{OpenError, open, sqlite};

use crate::stores::*;

const FIRST: Migration = Migration {
    version: 1,
    name: "first",
    sql: "create table one (a integer)",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "second",
    sql: "create table two (b integer); insert into two values (2)",
};
const BROKEN: Migration = Migration {
    version: 2,
    name: "broken",
    sql: "create table two (b integer); insert into nowhere values (2)",
};

fn applied(versions: &[i64], version: i64) -> Result<Migrated, MigrateError> {
    Ok(Migrated {
        applied: versions.to_vec(),
        version,
    })
}

/// The rules, on whichever database `run` migrates.
async fn rules(mut run: impl AsyncFnMut(&[Migration]) -> Result<Migrated, MigrateError>) {
    assert_eq!(run(&[FIRST]).await, applied(&[1], 1));
    assert_eq!(run(&[FIRST]).await, applied(&[], 1), "again");
    let edited = Migration {
        sql: "create table one (a integer, more integer)",
        ..FIRST
    };
    let refused = MigrateError::Edited {
        version: 1,
        name: "first",
    };
    assert_eq!(run(&[edited]).await, Err(refused.clone()));
    assert_eq!(
        run(&[edited, SECOND]).await,
        Err(refused),
        "nothing on top of it either"
    );
    let broken = run(&[FIRST, BROKEN]).await;
    assert!(
        matches!(broken, Err(MigrateError::Failed { version: 2, .. })),
        "{broken:?}"
    );
    assert_eq!(
        run(&[FIRST]).await,
        applied(&[], 1),
        "a failed one leaves nothing"
    );
    assert_eq!(run(&[FIRST, SECOND]).await, applied(&[2], 2));
    let newer = MigrateError::Newer {
        database: 2,
        known: 1,
    };
    assert_eq!(run(&[FIRST]).await, Err(newer), "an older program");
}

#[tokio::test]
async fn rules_on_sqlite() {
    let folder = SqliteFolder::new();
    let mut connection = sqlite::connect(&folder.path()).unwrap();
    rules(async |known| migrate::sqlite(&mut connection, known)).await;
}

#[tokio::test]
async fn rules_on_postgres() {
    let database = PostgresDatabase::create("encoding 'UTF8'").await;
    let mut client = database.client().await;
    rules(async |known| migrate::postgres(&mut client, known).await).await;
    database.drop().await;
}

#[test]
fn two_servers_at_once_on_sqlite() {
    for _ in 0..10 {
        let folder = SqliteFolder::new();
        let start = Arc::new(Barrier::new(2));
        let threads = [0, 1].map(|_| {
            let (path, start) = (folder.path(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let mut connection = sqlite::connect(&path).expect("opens");
                migrate::sqlite(&mut connection, SQLITE).expect("migrates")
            })
        });
        let done = threads.map(|thread| thread.join().unwrap());
        exactly_one_did_it(done);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_at_once_on_postgres() {
    for _ in 0..3 {
        let database = PostgresDatabase::create("encoding 'UTF8'").await;
        let start = Arc::new(tokio::sync::Barrier::new(2));
        let mut tasks = Vec::new();
        for _ in 0..2 {
            let (mut client, start) = (database.client().await, start.clone());
            tasks.push(tokio::spawn(async move {
                start.wait().await;
                migrate::postgres(&mut client, POSTGRES)
                    .await
                    .expect("migrates")
            }));
        }
        let mut done = Vec::new();
        for task in tasks {
            done.push(task.await.unwrap());
        }
        exactly_one_did_it([done[0].clone(), done[1].clone()]);
        database.drop().await;
    }
}

fn exactly_one_did_it(done: [Migrated; 2]) {
    let mut steps = done.map(|done| done.applied);
    steps.sort();
    let all = SQLITE.iter().map(|step| step.version).collect::<Vec<_>>();
    assert_eq!(steps, [vec![], all]);
}

/// Two whole servers on one Postgres, from nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_whole_servers_at_once_on_postgres() {
    let database = PostgresDatabase::create("encoding 'UTF8'").await;
    let options = options();
    let (one, other) = tokio::join!(open(&database.url, &options), open(&database.url, &options));
    for store in [one.expect("opens"), other.expect("opens")] {
        assert_eq!(store.ping().await, Ok(()));
        store.close().await;
    }
    database.drop().await;
}

#[tokio::test]
async fn a_newer_database_is_not_opened() {
    let folder = SqliteFolder::new();
    open(&folder.url(), &options()).await.unwrap().close().await;
    let connection = sqlite::connect(&folder.path()).unwrap();
    connection
        .execute("insert into schema_migrations values (99, x'00', 0)", ())
        .unwrap();
    drop(connection);
    let refused = open(&folder.url(), &options()).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Migration { .. }));
    assert!(
        refused.to_string().contains("start a newer program"),
        "{refused}"
    );
}
