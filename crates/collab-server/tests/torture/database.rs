//! Where a campaign keeps its rooms, and what of them is in the rows, read past the running server.
//! Must not know what a campaign does to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use collab_core::document::{Document, FileId};
use collab_core::ids::{ReplicaId, RoomId};
use collab_core::record::Record;
use collab_server::history::past::{History, Point};
use collab_server::storage::{DatabaseUrl, OpenOptions, Store, Stored, open};
use rusqlite::backup::{Backup, StepResult};

/// The file of a SQLite database in its folder.
pub const FILE: &str = "collab.db";

/// Pages that one step of a copy takes.
const COPY_PAGES: i32 = 1 << 16;

/// Writes nothing; only reads what is stored.
const READER: ReplicaId = ReplicaId::ours(u32::MAX);

/// Where a campaign keeps its rooms.
#[derive(Debug, Clone)]
pub enum Database {
    /// A folder.
    Sqlite(PathBuf),
    /// A database of its own, by its URL.
    Postgres(String),
}

impl Database {
    /// A new database on the throw-away Postgres of the test command.
    pub async fn fresh_postgres() -> Database {
        let url = std::env::var("COLLAB_TEST_POSTGRES_URL").expect(
            "COLLAB_TEST_POSTGRES_URL names a throw-away Postgres; `cargo xtask test` starts one",
        );
        Database::created_on(&url).await
    }

    /// A new database on this Postgres; the URL names any database there.
    pub async fn created_on(url: &str) -> Database {
        let name = format!("torture_{:016x}", rand::random::<u64>());
        execute(url, &format!("create database {name}")).await;
        let (server, _) = url.rsplit_once('/').expect("the URL names a database");
        Database::Postgres(format!("{server}/{name}"))
    }

    /// Where the Postgres it is on listens.
    pub fn port(&self) -> u16 {
        let Database::Postgres(url) = self else {
            panic!("only Postgres has a port");
        };
        let config: tokio_postgres::Config = url.parse().expect("a URL of ours");
        config.get_ports().first().copied().unwrap_or(5432)
    }

    /// What it is, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Database::Sqlite(_) => "SQLite",
            Database::Postgres(_) => "Postgres",
        }
    }

    /// What is durable at this moment, read past whoever is writing.
    pub async fn durable(&self) -> Durable {
        match self {
            Database::Sqlite(folder) => {
                let copy = tempfile::tempdir().expect("a temporary folder");
                copy_sqlite(&folder.join(FILE), &copy.path().join(FILE));
                let url = DatabaseUrl::Sqlite(copy.path().join(FILE));
                Durable::open(&url, Some(copy)).await
            }
            Database::Postgres(url) => {
                let url = url.parse().expect("a URL of ours");
                Durable::open(&url, None).await
            }
        }
    }
}

/// Runs one statement on a Postgres.
pub async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the Postgres of this campaign answers");
    let running = tokio::spawn(connection);
    client.batch_execute(sql).await.expect(sql);
    drop(client);
    running
        .await
        .expect("the connection's task ends")
        .expect("the connection ends cleanly");
}

/// One consistent copy of a database that others may be writing to.
pub fn copy_sqlite(from: &Path, to: &Path) {
    let source = rusqlite::Connection::open(from).expect("the database opens for reading");
    source
        .busy_timeout(std::time::Duration::from_secs(30))
        .expect("a timeout can be set");
    let mut target = rusqlite::Connection::open(to).expect("the copy can be made");
    let copy = Backup::new(&source, &mut target).expect("a copy can begin");
    while !matches!(copy.step(COPY_PAGES), Ok(StepResult::Done)) {
        // Somebody wrote meanwhile; the copy begins anew by itself.
        std::thread::yield_now();
    }
}

/// An open look at the rows.
pub struct Durable {
    store: Arc<dyn Store>,
    _copy: Option<tempfile::TempDir>,
}

impl Durable {
    async fn open(url: &DatabaseUrl, copy: Option<tempfile::TempDir>) -> Durable {
        let options = OpenOptions {
            accept_unsafe_postgres: true,
            ..OpenOptions::default()
        };
        Durable {
            store: open(url, &options).await.expect("the rows can be read"),
            _copy: copy,
        }
    }

    /// The text of a room's main file, as a load would give it; empty when there is no such room.
    pub async fn text(&self, room: &str) -> String {
        match self.load(room).await {
            Some(stored) => text_of(&stored),
            None => String::new(),
        }
    }

    /// The same text, played again from the archive and the log alone.
    pub async fn text_of_the_past(&self, room: &str) -> String {
        let room = RoomId::parse(room).expect("a room's name");
        let Some(info) = self.store.describe(&room).await.expect("a readable row") else {
            return String::new();
        };
        let past = History::new(Arc::clone(&self.store));
        let document = past.document(info.key, Point::Place(info.head)).await;
        document.expect("a whole archive").text(&FileId::main())
    }

    /// What a load of this room gives.
    pub async fn load(&self, room: &str) -> Option<Stored> {
        let room = RoomId::parse(room).expect("a room's name");
        let info = self.store.describe(&room).await.expect("a readable row")?;
        Some(self.store.load(info.key).await.expect("a whole room"))
    }

    /// Lets go.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// The text of the main file in what was loaded.
pub fn text_of(stored: &Stored) -> String {
    let updates = updates_of(stored);
    Document::load(READER, updates.iter().map(|update| &update[..]))
        .expect("a document of ours")
        .text(&FileId::main())
}

/// What was loaded, as the document takes it.
pub fn updates_of(stored: &Stored) -> Vec<Bytes> {
    let mut updates: Vec<Bytes> = Vec::new();
    updates.extend(stored.snapshot.as_ref().map(|it| it.state.clone()));
    for (_, record) in &stored.records {
        let record = Record::decode(record).expect("a record of ours");
        updates.extend(record.turns.into_iter().map(|turn| turn.delta.into()));
    }
    updates
}
