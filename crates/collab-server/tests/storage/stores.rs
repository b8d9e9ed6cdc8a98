//! One empty store of each kind, and hands that reach behind it into its rows.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use collab_core::ids::{Lineage, RoomId, Seq};
use collab_core::time::Millis;
use collab_server::storage::memory::MemoryStore;
use collab_server::storage::{
    Append, Appended, Claim, Create, DatabaseUrl, OpenOptions, RoomKey, Snapshot, Store, open,
};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Which store.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Memory,
    Sqlite,
    Postgres,
}

/// A store under test.
pub struct Subject {
    pub store: Arc<dyn Store>,
    pub hands: Hands,
}

/// A way to a store's rows that does not lead through the store.
pub enum Hands {
    Memory(Arc<MemoryStore>),
    Sqlite(SqliteFolder),
    Postgres(PostgresDatabase),
}

/// A database file in a folder that goes with it.
pub struct SqliteFolder {
    pub folder: TempDir,
}

/// A database of its own on the test server. Stays behind when a test fails.
pub struct PostgresDatabase {
    pub name: String,
    pub url: DatabaseUrl,
    admin: Client,
}

/// What happens to rows on a bad disk.
#[derive(Debug, Clone, Copy)]
pub enum Damage {
    RecordBit(Seq),
    RecordMissing(Seq),
    RecordsSwapped(Seq, Seq),
    RecordEpoch(Seq),
    SnapshotBit(Seq),
    SnapshotMissing(Seq),
    Head(Seq),
}

/// Runs one test of the suite on a fresh store.
pub async fn run(kind: Kind, test: impl AsyncFnOnce(&Subject)) {
    let subject = Subject::new(kind).await;
    test(&subject).await;
    subject.finish().await;
}

/// Postgres options for tests: the server that runs them may be set up without durability.
pub fn options() -> OpenOptions {
    OpenOptions {
        accept_unsafe_postgres: true,
        postgres_connections: 3,
        ..OpenOptions::default()
    }
}

impl Subject {
    pub async fn new(kind: Kind) -> Subject {
        match kind {
            Kind::Memory => {
                let store = Arc::new(MemoryStore::new());
                Subject {
                    store: store.clone(),
                    hands: Hands::Memory(store),
                }
            }
            Kind::Sqlite => {
                let folder = SqliteFolder::new();
                Subject {
                    store: open(&folder.url(), &options()).await.expect("opens"),
                    hands: Hands::Sqlite(folder),
                }
            }
            Kind::Postgres => {
                let database = PostgresDatabase::create("encoding 'UTF8'").await;
                Subject {
                    store: open(&database.url, &options()).await.expect("opens"),
                    hands: Hands::Postgres(database),
                }
            }
        }
    }

    /// A second server on the same database, where there can be one; else the same store again.
    pub async fn second(&self) -> Arc<dyn Store> {
        match &self.hands {
            Hands::Postgres(database) => open(&database.url, &options()).await.expect("opens"),
            Hands::Memory(_) | Hands::Sqlite(_) => self.store.clone(),
        }
    }

    /// A server started after this one was stopped, on the same rows.
    pub async fn reopened(&self) -> Arc<dyn Store> {
        let url = match &self.hands {
            Hands::Memory(store) => return store.clone(),
            Hands::Sqlite(folder) => folder.url(),
            Hands::Postgres(database) => database.url.clone(),
        };
        open(&url, &options()).await.expect("opens again")
    }

    pub async fn finish(self) {
        self.store.close().await;
        if let Hands::Postgres(database) = self.hands {
            database.drop().await;
        }
    }

    pub async fn damage(&self, key: RoomKey, damage: Damage) {
        match &self.hands {
            Hands::Memory(store) => damage_memory(store, key, damage),
            Hands::Sqlite(folder) => folder.damage(key, damage),
            Hands::Postgres(database) => database.damage(key, damage).await,
        }
    }
}

impl SqliteFolder {
    pub fn new() -> SqliteFolder {
        SqliteFolder {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("collab.db")
    }

    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.path())
    }

    fn damage(&self, key: RoomKey, damage: Damage) {
        let connection = rusqlite::Connection::open(self.path()).expect("opens");
        connection
            .execute_batch("pragma busy_timeout = 5000; pragma ignore_check_constraints = on")
            .expect("set up");
        let flip = |table: &str, seq: Seq| {
            let body: Vec<u8> = connection
                .query_row(
                    &format!("select body from {table} where room_id = ?1 and seq = ?2"),
                    (key.0, seq.0 as i64),
                    |row| row.get(0),
                )
                .expect("is there");
            connection
                .execute(
                    &format!("update {table} set body = ?3 where room_id = ?1 and seq = ?2"),
                    (key.0, seq.0 as i64, flipped(&body)),
                )
                .expect("flips")
        };
        let rows = match damage {
            Damage::RecordBit(seq) => flip("room_update", seq),
            Damage::SnapshotBit(seq) => flip("room_snapshot", seq),
            other => other
                .statements(key)
                .iter()
                .map(|sql| connection.execute(sql, ()).expect("runs"))
                .min()
                .unwrap_or(0),
        };
        assert_eq!(rows, 1, "{damage:?} met its row");
    }
}

impl PostgresDatabase {
    pub async fn create(settings: &str) -> PostgresDatabase {
        let Ok(server) = std::env::var("COLLAB_TEST_POSTGRES_URL") else {
            panic!(
                "no Postgres to test on: run `cargo xtask test`, or set COLLAB_TEST_POSTGRES_URL"
            );
        };
        let mut config: tokio_postgres::Config =
            server.parse().expect("COLLAB_TEST_POSTGRES_URL is a URL");
        let admin = connect(&config).await;
        let name = format!("collab_{}", uuid::Uuid::new_v4().simple());
        admin
            .batch_execute(&format!(
                "create database {name} template template0 locale 'C' {settings}"
            ))
            .await
            .expect("creates a database");
        config.dbname(&name);
        PostgresDatabase {
            name,
            url: DatabaseUrl::Postgres(Box::new(config)),
            admin,
        }
    }

    /// A connection of our own.
    pub async fn client(&self) -> Client {
        let DatabaseUrl::Postgres(config) = &self.url else {
            unreachable!("made above");
        };
        connect(config).await
    }

    pub async fn admin(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect("runs");
    }

    pub async fn drop(self) {
        self.admin(&format!("drop database {} with (force)", self.name))
            .await;
    }

    async fn damage(&self, key: RoomKey, damage: Damage) {
        let client = self.client().await;
        let flip = async |table: &str, seq: Seq| {
            let row = client
                .query_one(
                    &format!("select body from {table} where room_id = $1 and seq = $2"),
                    &[&key.0, &(seq.0 as i64)],
                )
                .await
                .expect("is there");
            let body = flipped(row.get(0));
            client
                .execute(
                    &format!("update {table} set body = $3 where room_id = $1 and seq = $2"),
                    &[&key.0, &(seq.0 as i64), &body],
                )
                .await
                .expect("flips")
        };
        let rows = match damage {
            Damage::RecordBit(seq) => flip("room_update", seq).await,
            Damage::SnapshotBit(seq) => flip("room_snapshot", seq).await,
            other => {
                let mut least = u64::MAX;
                for sql in other.statements(key) {
                    least = least.min(client.execute(&sql, &[]).await.expect("runs"));
                }
                least
            }
        };
        assert_eq!(rows, 1, "{damage:?} met its row");
    }
}

async fn connect(config: &tokio_postgres::Config) -> Client {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .expect("COLLAB_TEST_POSTGRES_URL answers");
    tokio::spawn(connection);
    client
}

impl Damage {
    fn statements(self, key: RoomKey) -> Vec<String> {
        let record = |seq: Seq| format!("where room_id = {} and seq = {seq}", key.0);
        let move_to =
            |from: Seq, to: Seq| format!("update room_update set seq = {to} {}", record(from));
        match self {
            Damage::RecordMissing(seq) => vec![format!("delete from room_update {}", record(seq))],
            Damage::RecordsSwapped(one, other) => {
                let aside = Seq(1 << 40);
                vec![
                    move_to(one, aside),
                    move_to(other, one),
                    move_to(aside, other),
                ]
            }
            Damage::RecordEpoch(seq) => {
                vec![format!(
                    "update room_update set epoch = epoch + 1 {}",
                    record(seq)
                )]
            }
            Damage::SnapshotMissing(seq) => {
                vec![format!("delete from room_snapshot {}", record(seq))]
            }
            Damage::Head(seq) => {
                vec![format!(
                    "update room set head_seq = {seq} where id = {}",
                    key.0
                )]
            }
            Damage::RecordBit(_) | Damage::SnapshotBit(_) => Vec::new(),
        }
    }
}

fn damage_memory(store: &MemoryStore, key: RoomKey, damage: Damage) {
    let met = store.tamper(key, |room| match damage {
        Damage::RecordBit(seq) => room.records.get_mut(&seq).map(|row| {
            row.body = flipped(&row.body).into();
        }),
        Damage::RecordMissing(seq) => room.records.remove(&seq).map(|_| ()),
        Damage::RecordsSwapped(one, other) => {
            let mut first = room.records.remove(&one)?;
            let mut second = room.records.remove(&other)?;
            (first.seq, second.seq) = (other, one);
            room.records.insert(other, first);
            room.records.insert(one, second);
            Some(())
        }
        Damage::RecordEpoch(seq) => room.records.get_mut(&seq).map(|row| row.epoch.0 += 1),
        Damage::SnapshotBit(seq) => room.snapshots.get_mut(&seq).map(|row| {
            row.body = flipped(&row.body).into();
        }),
        Damage::SnapshotMissing(seq) => room.snapshots.remove(&seq).map(|_| ()),
        Damage::Head(seq) => {
            room.head = seq;
            Some(())
        }
    });
    assert_eq!(met, Some(Some(())), "{damage:?} met its row");
}

fn flipped(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    let middle = body.len() / 2;
    body[middle] ^= 0x10;
    body
}

// What tests say over and over.

pub fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("a room name")
}

pub fn lineage(number: u8) -> Lineage {
    Lineage([number; 16])
}

pub const NOON: Millis = Millis(1_790_000_000_000);

/// Makes a room that must not exist.
pub async fn new_room(store: &dyn Store, name: &str) -> Claim {
    let create = Create::New {
        lineage: lineage(1),
    };
    store.claim(&room(name), create, NOON).await.expect("made")
}

/// The body a test expects at a place.
pub fn body(seq: u64) -> Bytes {
    Bytes::from(format!("record {seq} of the log"))
}

pub fn record(claim: &Claim, seq: u64) -> Append {
    Append {
        key: claim.key,
        epoch: claim.epoch,
        seq: Seq(seq),
        record: body(seq),
        at: NOON.plus(seq),
    }
}

/// Appends `body(seq)` at each place, one commit each.
pub async fn fill(store: &dyn Store, claim: &Claim, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        let outcome = store.append(&[record(claim, seq)]).await;
        assert_eq!(outcome, Ok(vec![Appended::Committed]), "seq {seq}");
    }
}

pub fn snapshot(claim: &Claim, seq: u64) -> Snapshot {
    Snapshot {
        key: claim.key,
        epoch: claim.epoch,
        seq: Seq(seq),
        state: state(seq),
        content_sha256: content_hash(seq),
    }
}

/// The content hash a test expects with it.
pub fn content_hash(seq: u64) -> [u8; 32] {
    [u8::try_from(seq).unwrap_or(u8::MAX); 32]
}

/// The state a test expects in the snapshot at a place.
pub fn state(seq: u64) -> Bytes {
    Bytes::from(format!("everything up to {seq}; ").repeat(100))
}

/// What `load` gives for records filled by [`fill`].
pub fn bodies(seqs: std::ops::RangeInclusive<u64>) -> Vec<(Seq, Bytes)> {
    seqs.map(|seq| (Seq(seq), body(seq))).collect()
}
