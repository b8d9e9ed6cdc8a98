//! What only a file has: its folder, its lock, its settings.

use collab_core::ids::Seq;
use collab_server::storage::sqlite::connect;
use collab_server::storage::{DatabaseUrl, OpenError, open};

use crate::stores::*;

#[tokio::test]
async fn second_server_is_refused_in_one_line() {
    let folder = SqliteFolder::new();
    let first = open(&folder.url(), &options()).await.unwrap();
    let claim = new_room(&*first, "r").await;
    for file in ["collab.db", "other.db"] {
        let url = DatabaseUrl::Sqlite(folder.folder.path().join(file));
        let refused = open(&url, &options()).await.unwrap_err();
        assert!(matches!(refused, OpenError::InUse { .. }));
        let line = refused.to_string();
        let expected = format!(
            "another server (process {}) is using the data folder {}: stop it, or give this one another folder",
            std::process::id(),
            folder.folder.path().display()
        );
        assert_eq!(line, expected);
        assert!(!line.contains('\n'));
    }
    fill(&*first, &claim, 1..=1).await;
    first.close().await;
    let second = open(&folder.url(), &options())
        .await
        .expect("the folder is free again");
    assert_eq!(second.load(claim.key).await.unwrap().head, Seq(1));
    second.close().await;
}

#[tokio::test]
async fn makes_folders_and_names_what_is_in_the_way() {
    let folder = SqliteFolder::new();
    let deep = folder.folder.path().join("a/b/c/collab.db");
    let store = open(&DatabaseUrl::Sqlite(deep.clone()), &options())
        .await
        .unwrap();
    store.close().await;
    assert!(deep.exists());
    let under_a_file = deep.join("collab.db");
    let refused = open(&DatabaseUrl::Sqlite(under_a_file), &options()).await;
    assert!(matches!(refused, Err(OpenError::File { .. })));
    let text = folder.path();
    std::fs::write(
        &text,
        "not a database, but long enough to have a header".repeat(100),
    )
    .unwrap();
    let refused = open(&folder.url(), &options())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("collab.db") && refused.contains("not a database"),
        "{refused}"
    );
}

#[test]
fn commits_are_on_the_disk() {
    let folder = SqliteFolder::new();
    let connection = connect(&folder.path()).unwrap();
    let pragma = |name: &str| -> rusqlite::types::Value {
        connection
            .query_row(&format!("pragma {name}"), (), |row| row.get(0))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
    assert_eq!(pragma("synchronous"), 2.into(), "full");
    assert_eq!(pragma("foreign_keys"), 1.into());
    assert_eq!(pragma("mmap_size"), 0.into());
    assert!(
        rusqlite::version_number() >= 3_051_003,
        "older ones corrupt their log"
    );
}

/// Many small commits: the log is folded into the file on the way, and does not grow for ever.
#[tokio::test]
async fn write_ahead_log_stays_small() {
    let folder = SqliteFolder::new();
    let store = open(&folder.url(), &options()).await.unwrap();
    let claim = new_room(&*store, "r").await;
    let mut seq = 0;
    for _ in 0..1200 {
        seq += 1;
        fill(&*store, &claim, seq..=seq).await;
    }
    let log = std::fs::metadata(folder.path().with_extension("db-wal")).unwrap();
    // 1,200 commits write at least three pages each; 256 of them come before a checkpoint.
    assert!(log.len() < 1200 * 3 * 4096, "{} bytes", log.len());
    store.close().await;
    assert!(
        !folder.path().with_extension("db-wal").exists(),
        "closed well"
    );
}

#[tokio::test]
async fn dropped_without_close_loses_nothing() {
    let folder = SqliteFolder::new();
    let store = open(&folder.url(), &options()).await.unwrap();
    let claim = new_room(&*store, "r").await;
    fill(&*store, &claim, 1..=3).await;
    drop(store);
    // Its threads let go of the folder once they have ended.
    let store = loop {
        match open(&folder.url(), &options()).await {
            Ok(store) => break store,
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(store.load(claim.key).await.unwrap().records, bodies(1..=3));
    store.close().await;
}
