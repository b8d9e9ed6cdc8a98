//! F9: stored bytes are not what was written: bits flipped, bodies cut, rows gone, moved or swapped,
//! in the log, in snapshots, and in the room's own row. Every one must be noticed by the load or
//! by the fold, whichever relies on it, and no room may ever open with something else in silence.
//! Rooms beside it are as they were.
//!
//! The control is damage with a right checksum over it, which nobody could notice.

mod harm;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Lineage, Offset, ReplicaId, RoomId, Seq};
use collab_core::record::{Logged, Record};
use collab_core::time::Millis;
use collab_server::storage::{
    Append, Appended, Claim, Create, DatabaseUrl, OpenOptions, Snapshot, Store, StoreError, open,
};
use rand::Rng;
use rand::rngs::StdRng;

use crate::database::{self, Database, FILE};
use crate::length::{self, Length};
use crate::report::Report;
use harm::{Hands, Harm};

/// Rooms in one database, each corrupted in one way, all but some.
const ROOMS: usize = 110;

/// One room in so many stays as it is: nothing may be noticed there.
const SOUND: usize = 11;

/// Rounds over all rooms in one run of the test command: a thousand corruptions in SQLite, and a
/// hundred in Postgres.
const ROUNDS: u32 = 10;
const POSTGRES_ROUNDS: u32 = 1;

/// Records of each room; snapshots stand at 4 and 8, and the log was folded below 4.
const HEAD: u64 = 12;
const SNAPSHOTS: [u64; 2] = [4, 8];

#[derive(Debug, Default)]
struct Found {
    harmed: BTreeMap<&'static str, usize>,
    noticed: usize,
    sound: usize,
    /// What was not noticed, or noticed where nothing was.
    wrong: Vec<String>,
}

#[tokio::test]
async fn sqlite_notices_every_corruption() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().join("sound"));
    let rooms = build(&database).await;
    let length = Length::of(ROUNDS, 2);
    let mut chance = length::chance();
    let mut found = Found::default();
    for round in 0.. {
        if !length.goes_on(round) {
            break;
        }
        let copy = folder.path().join("copy");
        std::fs::create_dir(&copy).expect("a folder of ours");
        database::copy_sqlite(&folder.path().join("sound").join(FILE), &copy.join(FILE));
        corrupt(
            &Database::Sqlite(copy.clone()),
            &rooms,
            &mut chance,
            &mut found,
        )
        .await;
        std::fs::remove_dir_all(&copy).expect("a folder of ours");
    }
    judge("SQLite", &found);
}

#[tokio::test]
async fn postgres_notices_every_corruption() {
    let length = Length::of(POSTGRES_ROUNDS, 2);
    let mut chance = length::chance();
    let mut found = Found::default();
    for round in 0.. {
        if !length.goes_on(round) {
            break;
        }
        let database = Database::fresh_postgres().await;
        let rooms = build(&database).await;
        corrupt(&database, &rooms, &mut chance, &mut found).await;
    }
    judge("Postgres", &found);
}

#[tokio::test]
async fn control_damage_under_a_right_checksum() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().join("sealed"));
    let rooms = build(&database).await;
    let mut found = Found::default();
    let hands = Hands::on(&database).await;
    let harmed: Vec<Option<Harm>> = rooms.iter().map(|_| Some(Harm::SealedBit)).collect();
    let mut chance = length::chance();
    for claim in &rooms {
        hands.harm(Harm::SealedBit, claim, claim, &mut chance).await;
    }
    look(&database, &rooms, &harmed, &mut found).await;
    Report::of("F9", "control: damage under a right checksum")
        .count("corruptions", rooms.len())
        .control(found.wrong.len(), "corruptions not noticed");
}

fn judge(subject: &str, found: &Found) {
    for (harm, times) in &found.harmed {
        println!("{times:>6} {harm}");
    }
    for harm in Harm::ALL {
        assert!(
            found.harmed.contains_key(harm.words()),
            "never: {}",
            harm.words()
        );
    }
    Report::of("F9", subject)
        .must("corruptions", found.harmed.values().sum())
        .must("noticed", found.noticed)
        .must("sound rooms beside them", found.sound)
        .judge(found.noticed + found.sound, &found.wrong);
}

/// Harms every room but some, each in one way, and looks at all of them.
async fn corrupt(database: &Database, rooms: &[Claim], chance: &mut StdRng, found: &mut Found) {
    let hands = Hands::on(database).await;
    let mut harmed = Vec::new();
    // Each way as often as any other, in an order of chance.
    let mut ways = Harm::ALL.into_iter().cycle();
    ways.nth(chance.random_range(0..Harm::ALL.len()));
    for (number, claim) in rooms.iter().enumerate() {
        let harm = ways.next().filter(|_| number % SOUND != 0);
        if let Some(harm) = harm {
            // A sound one, from which something can be taken.
            let other = &rooms[number - number % SOUND];
            hands.harm(harm, claim, other, chance).await;
            *found.harmed.entry(harm.words()).or_default() += 1;
        }
        harmed.push(harm);
    }
    drop(hands);
    look(database, rooms, &harmed, found).await;
}

async fn look(database: &Database, rooms: &[Claim], harmed: &[Option<Harm>], found: &mut Found) {
    let store = open(&url(database), &options()).await.expect("it opens");
    for (claim, harm) in rooms.iter().zip(harmed) {
        let seen = seen(&*store, claim).await;
        match (harm, seen) {
            (None, Seen::Sound) => found.sound += 1,
            (Some(_), Seen::Noticed) => found.noticed += 1,
            (harm, seen) => {
                let harm = harm.map(Harm::words);
                found
                    .wrong
                    .push(format!("{}: {harm:?}, but {seen:?}", claim.key));
            }
        }
    }
    store.close().await;
}

#[derive(Debug)]
enum Seen {
    /// The load or the fold names something damaged.
    Noticed,
    /// Nothing was noticed, and the content is right.
    Sound,
    /// Nothing was noticed, and the content is wrong: the worst that can be.
    Wrong,
}

async fn seen(store: &dyn Store, claim: &Claim) -> Seen {
    let whole: String = (1..=HEAD).map(token).collect();
    match store.load(claim.key).await {
        Err(StoreError::Corrupt { .. }) => return Seen::Noticed,
        Err(error) => panic!("{}: {error}", claim.key),
        Ok(stored) if !stored.damage.is_empty() => return Seen::Noticed,
        Ok(stored) if database::text_of(&stored) != whole => return Seen::Wrong,
        Ok(_) => {}
    }
    match store.fold(claim.key, claim.epoch).await {
        Err(StoreError::Corrupt { .. }) => Seen::Noticed,
        Err(error) => panic!("{}: {error}", claim.key),
        Ok(_) => Seen::Sound,
    }
}

/// Rooms of the same content, built through the store.
async fn build(database: &Database) -> Vec<Claim> {
    let store = open(&url(database), &options()).await.expect("it opens");
    let mut claims = Vec::new();
    for number in 0..ROOMS {
        let room = RoomId::parse(&format!("corrupt-{number}")).expect("a room's name");
        let lineage = Lineage([7; 16]);
        let create = Create::New { lineage };
        claims.push(store.claim(&room, create, Millis(1)).await.expect("new"));
    }
    let mut document = Document::new(ReplicaId::ours(1));
    for seq in (1..=HEAD).map(Seq) {
        let record = record(&mut document, seq.0);
        let batch: Vec<Append> = claims
            .iter()
            .map(|claim| Append {
                record: record.clone(),
                key: claim.key,
                epoch: claim.epoch,
                seq,
                at: Millis(seq.0),
            })
            .collect();
        let appended = store.append(&batch).await.expect("it is appended");
        assert!(appended.iter().all(|it| *it == Appended::Committed));
        if SNAPSHOTS.contains(&seq.0) {
            let state = document.encode().expect("a sound document");
            let content_sha256 = document.digest().expect("a sound document").0;
            for claim in &claims {
                let snapshot = Snapshot {
                    key: claim.key,
                    epoch: claim.epoch,
                    seq,
                    state: state.clone(),
                    content_sha256,
                };
                store.put_snapshot(snapshot).await.expect("it is stored");
            }
        }
    }
    for claim in &claims {
        let folded = store
            .fold(claim.key, claim.epoch)
            .await
            .expect("it is folded");
        assert_eq!(folded.records_deleted, SNAPSHOTS[0]);
    }
    store.close().await;
    claims
}

fn url(database: &Database) -> DatabaseUrl {
    match database {
        Database::Sqlite(folder) => DatabaseUrl::Sqlite(Path::new(folder).join(FILE)),
        Database::Postgres(url) => url.parse().expect("a URL of ours"),
    }
}

fn options() -> OpenOptions {
    OpenOptions::default()
}

fn token(seq: u64) -> String {
    format!("[0.{seq}]")
}

fn record(document: &mut Document, seq: u64) -> Bytes {
    let end = document.text(&FileId::main()).len();
    let edit = Edit {
        at: Offset(u32::try_from(end).expect("a small text")),
        delete: 0,
        insert: token(seq),
    };
    let delta = document.edit(&FileId::main(), &[edit]).expect("in range");
    let turn = Logged {
        at: seq,
        delta: delta.to_vec(),
    };
    Record { turns: vec![turn] }.encode()
}
