//! What only a server has: settings that lose data, connections that break.

use std::time::Duration;

use collab_server::storage::{
    Appended, DatabaseUrl, OpenError, OpenOptions, Store, StoreError, open,
};

use crate::proxy::{Proxy, Wire};
use crate::stores::*;

#[tokio::test]
async fn a_database_that_forgets_is_refused() {
    let database = PostgresDatabase::create("encoding 'UTF8'").await;
    database
        .admin(&format!(
            "alter database {} set synchronous_commit = off",
            database.name
        ))
        .await;
    let refused = open(&database.url, &OpenOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, OpenError::Unsafe { .. }));
    assert!(
        refused.to_string().contains("synchronous_commit is off"),
        "{refused}"
    );
    let client = database.client().await;
    let tables = "select count(*) from information_schema.tables where table_schema = 'public'";
    let tables: i64 = client.query_one(tables, &[]).await.unwrap().get(0);
    assert_eq!(tables, 0, "refused before anything was made");
    let store = open(&database.url, &options())
        .await
        .expect("accepted on request");
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let database = PostgresDatabase::create("encoding 'LATIN1'").await;
    let refused = open(&database.url, &options()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unusable { .. }));
    assert!(refused.to_string().contains("UTF8"), "{refused}");
    database.drop().await;
}

#[tokio::test]
async fn an_unreachable_server_is_named_without_password() {
    let url: DatabaseUrl = "postgres://ann:hunter2@127.0.0.1:1/collab".parse().unwrap();
    let refused = open(&url, &options()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unreachable { .. }));
    let line = refused.to_string();
    assert!(
        line.contains("127.0.0.1:1") && !line.contains("hunter2"),
        "{line}"
    );
}

/// The server kills every connection of ours; offering the same record again settles its fate.
#[tokio::test]
async fn broken_connections_are_replaced() {
    let subject = Subject::new(Kind::Postgres).await;
    let Hands::Postgres(database) = &subject.hands else {
        unreachable!("asked for");
    };
    let claim = new_room(&*subject.store, "r").await;
    for seq in 1..=5 {
        let client = database.client().await;
        client
            .batch_execute(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await
            .unwrap();
        for _ in 0..2 {
            assert_eq!(
                settled(&*subject.store, &record(&claim, seq)).await,
                Appended::Committed
            );
        }
    }
    let loaded = loop {
        match subject.store.load(claim.key).await {
            Ok(loaded) => break loaded,
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(loaded.records, bodies(1..=5));
    subject.finish().await;
}

/// An append that waits for a lock gives up, and so do its connection and the server's own work;
/// once the lock is gone the same offer is committed once.
#[tokio::test]
async fn a_stuck_append_is_unavailable_and_then_committed() {
    let subject = Subject::new(Kind::Postgres).await;
    let Hands::Postgres(database) = &subject.hands else {
        unreachable!("asked for");
    };
    let claim = new_room(&*subject.store, "r").await;
    let mut client = database.client().await;
    let holder = client.transaction().await.unwrap();
    holder
        .batch_execute("select * from room for update")
        .await
        .unwrap();
    let stuck = subject.store.append(&[record(&claim, 1)]).await;
    assert!(
        matches!(stuck, Err(StoreError::Unavailable(_))),
        "{stuck:?}"
    );
    holder.rollback().await.unwrap();
    assert_eq!(
        settled(&*subject.store, &record(&claim, 1)).await,
        Appended::Committed
    );
    assert_eq!(
        subject.store.load(claim.key).await.unwrap().records,
        bodies(1..=1)
    );
    subject.finish().await;
}

/// Loads that hold every other connection do not keep appends waiting.
#[tokio::test]
async fn loads_do_not_starve_appends() {
    let subject = Subject::new(Kind::Postgres).await;
    let Hands::Postgres(database) = &subject.hands else {
        unreachable!("asked for");
    };
    let claim = new_room(&*subject.store, "r").await;
    let mut client = database.client().await;
    let holder = client.transaction().await.unwrap();
    holder
        .batch_execute("lock table room_snapshot in access exclusive mode")
        .await
        .unwrap();
    let mut loads = tokio::task::JoinSet::new();
    for _ in 0..options().postgres_connections {
        let store = subject.store.clone();
        loads.spawn(async move { store.load(claim.key).await });
    }
    let waiting = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    let observer = database.client().await;
    loop {
        let row = observer.query_one(waiting, &[]).await.unwrap();
        if row.get::<_, i64>(0) == options().postgres_connections as i64 {
            break;
        }
    }
    let append = fill(&*subject.store, &claim, 1..=10);
    tokio::time::timeout(Duration::from_secs(5), append)
        .await
        .expect("not starved");
    holder.rollback().await.unwrap();
    for loaded in loads.join_all().await {
        loaded.expect("loads go on");
    }
    subject.finish().await;
}

async fn settled(store: &dyn Store, append: &collab_server::storage::Append) -> Appended {
    for _ in 0..20 {
        match store.append(std::slice::from_ref(append)).await {
            Ok(outcomes) => return outcomes[0],
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no connection comes back");
}

/// The connection breaks in the middle of a commit, and nobody knows whether it happened. Offering
/// the same record again settles it both ways.
#[tokio::test]
async fn unknown_commits_are_settled_both_ways() {
    let subject = Subject::new(Kind::Postgres).await;
    let Hands::Postgres(database) = &subject.hands else {
        unreachable!("asked for");
    };
    let proxy = Proxy::start(&database.url).await;
    let store = open(&proxy.url, &options()).await.unwrap();
    let claim = new_room(&*store, "r").await;
    let mut seq = 0;
    for (cut, committed) in [(Wire::CutQuestions, false), (Wire::CutAnswers, true)] {
        // The first one prepares the statement, so that the next is one question and one answer.
        seq += 1;
        fill(&*store, &claim, seq..=seq).await;
        seq += 1;
        proxy.set(cut);
        let unknown = store.append(&[record(&claim, seq)]).await;
        assert!(
            matches!(unknown, Err(StoreError::Unavailable(_))),
            "{unknown:?}"
        );
        proxy.set(Wire::Whole);
        let head = subject.store.load(claim.key).await.unwrap().head.0;
        assert_eq!(head == seq, committed, "{cut:?} did what it says");
        assert_eq!(
            settled(&*store, &record(&claim, seq)).await,
            Appended::Committed
        );
    }
    let loaded = subject.store.load(claim.key).await.unwrap();
    assert_eq!(loaded.records, bodies(1..=4));
    store.close().await;
    subject.finish().await;
}

/// The network swallows everything without closing anything: the call ends, its connection is
/// thrown away, and the next one works.
#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let subject = Subject::new(Kind::Postgres).await;
    let Hands::Postgres(database) = &subject.hands else {
        unreachable!("asked for");
    };
    let proxy = Proxy::start(&database.url).await;
    let store = open(&proxy.url, &options()).await.unwrap();
    let claim = new_room(&*store, "r").await;
    fill(&*store, &claim, 1..=1).await;
    proxy.set(Wire::Silent);
    // The question is read by nobody until the wire is whole again, for new connections only.
    let (name, offer) = (room("r"), [record(&claim, 2)]);
    let (append, loaded) = tokio::join!(store.append(&offer), store.describe(&name));
    proxy.set(Wire::Whole);
    assert!(
        matches!(append, Err(StoreError::Unavailable(_))),
        "{append:?}"
    );
    assert!(
        matches!(loaded, Err(StoreError::Unavailable(_))),
        "{loaded:?}"
    );
    let soon = Duration::from_secs(5);
    let again = tokio::time::timeout(soon, store.append(&offer)).await;
    assert_eq!(again, Ok(Ok(vec![Appended::Committed])));
    let described = tokio::time::timeout(soon, store.describe(&name)).await;
    assert!(matches!(described, Ok(Ok(Some(_)))), "{described:?}");
    store.close().await;
    subject.finish().await;
}
