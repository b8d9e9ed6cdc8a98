//! What a bad disk does to rows, in either database. Must not know who notices.

use collab_core::ids::{Epoch, Seq};
use collab_server::storage::Claim;
use collab_server::storage::checksum::{RECORD_FORMAT, record_crc};
use rand::Rng;
use rand::rngs::StdRng;

use super::{HEAD, SNAPSHOTS};
use crate::database::{Database, FILE};

/// One way to harm a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    RecordBit,
    RecordCut,
    RecordGone,
    RecordMoved,
    RecordNumber,
    RecordsSwapped,
    RecordOfAnotherRoom,
    SnapshotBit,
    SnapshotCut,
    SnapshotGone,
    SnapshotMoved,
    SnapshotNumber,
    SnapshotSeal,
    SnapshotsSwapped,
    RoomHead,
    RoomSnapshot,
    /// The control's: nobody could notice.
    SealedBit,
}

impl Harm {
    /// Those that must be noticed.
    pub const ALL: [Harm; 16] = [
        Harm::RecordBit,
        Harm::RecordCut,
        Harm::RecordGone,
        Harm::RecordMoved,
        Harm::RecordNumber,
        Harm::RecordsSwapped,
        Harm::RecordOfAnotherRoom,
        Harm::SnapshotBit,
        Harm::SnapshotCut,
        Harm::SnapshotGone,
        Harm::SnapshotMoved,
        Harm::SnapshotNumber,
        Harm::SnapshotSeal,
        Harm::SnapshotsSwapped,
        Harm::RoomHead,
        Harm::RoomSnapshot,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Harm::RecordBit => "a bit of a record's body flipped",
            Harm::RecordCut => "a record's body cut",
            Harm::RecordGone => "a record gone",
            Harm::RecordMoved => "a record moved to another place",
            Harm::RecordNumber => "a bit of a record's epoch, format or checksum flipped",
            Harm::RecordsSwapped => "two records' bodies swapped",
            Harm::RecordOfAnotherRoom => "a record of another room in place of one",
            Harm::SnapshotBit => "a bit of a snapshot's body flipped",
            Harm::SnapshotCut => "a snapshot's body cut",
            Harm::SnapshotGone => "a snapshot gone",
            Harm::SnapshotMoved => "a snapshot moved to another place",
            Harm::SnapshotNumber => "a bit of a snapshot's epoch, format or size flipped",
            Harm::SnapshotSeal => "a bit of a snapshot's hash flipped",
            Harm::SnapshotsSwapped => "two snapshots' bodies swapped",
            Harm::RoomHead => "a bit of a room's head flipped",
            Harm::RoomSnapshot => "a bit of a room's newest snapshot flipped",
            Harm::SealedBit => "a bit of a record flipped and its checksum made right",
        }
    }
}

/// A way to rows that does not lead through the store.
pub enum Hands {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Hands {
    pub async fn on(database: &Database) -> Hands {
        match database {
            Database::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.join(FILE)).expect("it opens");
                let set_up = "pragma ignore_check_constraints = on; pragma synchronous = off";
                connection.execute_batch(set_up).expect(set_up);
                Hands::Sqlite(connection)
            }
            Database::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
                    .await
                    .expect("the throw-away Postgres answers");
                // Ends with its client.
                tokio::spawn(connection);
                let unchecked = "
                    alter table room drop constraint if exists room_check;
                    alter table room_snapshot drop constraint if exists room_snapshot_n_bytes_check";
                client.batch_execute(unchecked).await.expect(unchecked);
                Hands::Postgres(client)
            }
        }
    }

    /// Harms a room in one way; `other` is a sound room of the same content.
    pub async fn harm(&self, harm: Harm, claim: &Claim, other: &Claim, chance: &mut StdRng) {
        let room = claim.key.0;
        let seq = chance.random_range(SNAPSHOTS[0] + 1..=HEAD);
        // Of the records behind the newest snapshot a load needs every one; of those before it only
        // the fold sees whether they are there.
        let needed = chance.random_range(SNAPSHOTS[1] + 1..=HEAD);
        let snapshot = SNAPSHOTS[chance.random_range(0..2)];
        let record = |seq: u64| format!("room_update where room_id = {room} and seq = {seq}");
        let stored = |seq: u64| format!("room_snapshot where room_id = {room} and seq = {seq}");
        let far = 1_u64 << chance.random_range(5..20);
        match harm {
            Harm::RecordBit => self.change_body(&record(needed), flip(chance)).await,
            Harm::RecordCut => self.change_body(&record(needed), cut(chance)).await,
            Harm::RecordGone => self.run(&format!("delete from {}", record(seq))).await,
            Harm::RecordMoved => {
                self.set(&record(seq), &format!("seq = {}", seq ^ far))
                    .await
            }
            Harm::RecordNumber => {
                let column = ["epoch", "format", "crc32c"][chance.random_range(0..3)];
                let bit = 1_u32 << chance.random_range(0..14);
                self.flip_number(&record(needed), column, bit).await;
            }
            Harm::RecordsSwapped => {
                let next = if needed == HEAD {
                    needed - 1
                } else {
                    needed + 1
                };
                let [one, two] = [
                    self.body(&record(needed)).await,
                    self.body(&record(next)).await,
                ];
                self.put_body(&record(needed), two).await;
                self.put_body(&record(next), one).await;
            }
            Harm::RecordOfAnotherRoom => {
                let there = format!("room_id = {} and seq = {needed}", other.key.0);
                let checksum = format!("(select crc32c from room_update where {there})");
                self.set(&record(needed), &format!("crc32c = {checksum}"))
                    .await;
            }
            Harm::SnapshotBit => self.change_body(&stored(snapshot), flip(chance)).await,
            Harm::SnapshotCut => self.change_body(&stored(snapshot), cut(chance)).await,
            Harm::SnapshotGone => {
                self.run(&format!("delete from {}", stored(SNAPSHOTS[1])))
                    .await;
            }
            Harm::SnapshotMoved => {
                let to = SNAPSHOTS[1] ^ far;
                self.set(&stored(SNAPSHOTS[1]), &format!("seq = {to}"))
                    .await;
            }
            Harm::SnapshotNumber => {
                let column = ["epoch", "format", "n_bytes"][chance.random_range(0..3)];
                let bit = 1_u32 << chance.random_range(0..14);
                self.flip_number(&stored(snapshot), column, bit).await;
            }
            Harm::SnapshotSeal => {
                let column = ["sha256", "content_sha256"][chance.random_range(0..2)];
                let mut bytes = self.bytes(&stored(snapshot), column).await;
                flip(chance)(&mut bytes);
                self.put(&stored(snapshot), column, bytes).await;
            }
            Harm::SnapshotsSwapped => {
                let [one, two] = SNAPSHOTS.map(stored);
                let bodies = [self.body(&one).await, self.body(&two).await];
                let [first, second] = bodies;
                self.put_body(&one, second).await;
                self.put_body(&two, first).await;
            }
            Harm::RoomHead => {
                let bit = 1_u32 << chance.random_range(0..14);
                self.flip_number(&format!("room where id = {room}"), "head_seq", bit)
                    .await;
            }
            Harm::RoomSnapshot => {
                let bit = 1_u32 << chance.random_range(0..14);
                self.flip_number(&format!("room where id = {room}"), "snap_seq", bit)
                    .await;
            }
            Harm::SealedBit => {
                let mut body = self.body(&record(HEAD)).await;
                // In the text: the last characters of the only turn are its token's.
                let digit = body.iter().rposition(|byte| *byte == b'1');
                body[digit.expect("its token holds one")] = b'7';
                let (epoch, place) = (Epoch(claim.epoch.0), Seq(HEAD));
                let crc = record_crc(claim.key, place, epoch, RECORD_FORMAT, &body);
                self.put_body(&record(HEAD), body).await;
                self.set(&record(HEAD), &format!("crc32c = {crc}")).await;
            }
        }
    }

    async fn change_body(&self, row: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut body = self.body(row).await;
        change(&mut body);
        self.put_body(row, body).await;
    }

    async fn flip_number(&self, row: &str, column: &str, bit: u32) {
        // Exclusive or, in words that both databases know.
        let flipped = format!("({column} | {bit}) - ({column} & {bit})");
        self.set(row, &format!("{column} = {flipped}")).await;
    }

    async fn body(&self, row: &str) -> Vec<u8> {
        self.bytes(row, "body").await
    }

    async fn put_body(&self, row: &str, body: Vec<u8>) {
        self.put(row, "body", body).await;
    }

    /// Sets columns of one row, named as `table where …`.
    async fn set(&self, row: &str, columns: &str) {
        let (table, condition) = row.split_once(" where ").expect("a row");
        self.run(&format!("update {table} set {columns} where {condition}"))
            .await;
    }

    async fn run(&self, sql: &str) {
        let met = match self {
            Hands::Sqlite(connection) => connection.execute(sql, ()).expect(sql) as u64,
            Hands::Postgres(client) => client.execute(sql, &[]).await.expect(sql),
        };
        assert_eq!(met, 1, "{sql}");
    }

    async fn bytes(&self, row: &str, column: &str) -> Vec<u8> {
        let sql = format!("select {column} from {row}");
        match self {
            Hands::Sqlite(connection) => connection
                .query_row(&sql, (), |row| row.get(0))
                .expect(&sql),
            Hands::Postgres(client) => client.query_one(&sql, &[]).await.expect(&sql).get(0),
        }
    }

    async fn put(&self, row: &str, column: &str, bytes: Vec<u8>) {
        let (table, condition) = row.split_once(" where ").expect("a row");
        let sql = format!("update {table} set {column} = $1 where {condition}");
        let met = match self {
            Hands::Sqlite(connection) => connection.execute(&sql, [bytes]).expect(&sql) as u64,
            Hands::Postgres(client) => client.execute(&sql, &[&bytes]).await.expect(&sql),
        };
        assert_eq!(met, 1, "{sql}");
    }
}

fn flip(chance: &mut StdRng) -> impl FnOnce(&mut Vec<u8>) + use<> {
    let (place, bit) = (chance.random::<u32>() as usize, chance.random_range(0..8));
    move |bytes| {
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
    }
}

fn cut(chance: &mut StdRng) -> impl FnOnce(&mut Vec<u8>) + use<> {
    let length = chance.random::<u32>() as usize;
    move |bytes| bytes.truncate(length % bytes.len())
}
