//! The life that is ended: it claims a room, loads it, and then appends, snapshots and folds into the
//! archive, on the real store. It says what is durable, and kills itself at one point if it was told to. Must
//! not know what is looked at afterwards.

use std::io::Write;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Lineage, Offset, ReplicaId, RoomId};
use collab_core::record::{Logged, Record};
use collab_core::time::Millis;
use collab_server::history::fold;
use collab_server::storage::{
    Append, Appended, Claim, Create, DatabaseUrl, OpenOptions, Snapshot, open,
};
use serde::{Deserialize, Serialize};

use super::ROOM;
use crate::database::{self, Database};

/// What a life is told, in its environment.
pub const ORDERS: &str = "COLLAB_TEST_LIFE";

/// What it says at its natural end.
pub const DONE: &str = "this life is complete";

const ACKNOWLEDGED: &str = "durable up to ";

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    url: String,
    /// Rounds of two appends, a snapshot and a fold.
    pub rounds: u32,
    /// Where to die: every call has a point before and one after it.
    pub die_at: Option<u32>,
    /// The bug of the control.
    pub acknowledges_early: bool,
}

impl Orders {
    /// So many rounds.
    pub fn life(rounds: u32) -> Orders {
        Orders {
            url: String::new(),
            rounds,
            die_at: None,
            acknowledges_early: false,
        }
    }

    /// On this database.
    pub fn on(&self, database: &Database) -> Orders {
        Orders {
            url: match database {
                Database::Sqlite(folder) => super::file_of(folder),
                Database::Postgres(url) => url.clone(),
            },
            ..self.clone()
        }
    }

    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("orders can be written")
    }
}

/// The place that a line calls durable.
pub fn acknowledged(line: &str) -> Option<u64> {
    line.trim().strip_prefix(ACKNOWLEDGED)?.parse().ok()
}

/// What the record at a place adds to the text.
pub fn token(seq: u64) -> String {
    format!("[0.{seq}]")
}

/// Dies where it was told to.
struct Points {
    passed: u32,
    die_at: Option<u32>,
}

impl Points {
    async fn point(&mut self) {
        if self.die_at == Some(self.passed) {
            let us = std::process::id().to_string();
            let mut kill = std::process::Command::new("kill");
            kill.args(["-KILL", &us]).status().expect("`kill` runs");
            // Until it comes.
            std::future::pending::<()>().await;
        }
        self.passed += 1;
    }

    async fn call<T>(&mut self, call: impl Future<Output = T>) -> T {
        self.point().await;
        let result = call.await;
        self.point().await;
        result
    }
}

/// See the module.
pub async fn lead() {
    let orders = std::env::var(ORDERS).expect("a campaign gives orders");
    let orders: Orders = serde_json::from_str(&orders).expect("orders of ours");
    let url: DatabaseUrl = orders.url.parse().expect("a URL of ours");
    let store = open(&url, &OpenOptions::default()).await.expect("it opens");
    let mut points = Points {
        passed: 0,
        die_at: orders.die_at,
    };
    let room = RoomId::parse(ROOM).expect("a room's name");
    let create = Create::IfMissing {
        lineage: Lineage([7; 16]),
    };
    let claim = points.call(store.claim(&room, create, Millis(1))).await;
    let claim = claim.expect("nobody else is here");
    let stored = points.call(store.load(claim.key)).await.expect("whole");
    let mut document = document(&claim, &database::updates_of(&stored));
    let mut seq = stored.head;
    for _ in 0..orders.rounds {
        for _ in 0..2 {
            seq = seq.next();
            if orders.acknowledges_early {
                say(&format!("{ACKNOWLEDGED}{seq}"));
            }
            let append = Append {
                record: record(&mut document, seq.0),
                key: claim.key,
                epoch: claim.epoch,
                seq,
                at: Millis(seq.0),
            };
            let appended = points.call(store.append(&[append])).await;
            assert_eq!(appended, Ok(vec![Appended::Committed]));
            say(&format!("{ACKNOWLEDGED}{seq}"));
        }
        let snapshot = Snapshot {
            key: claim.key,
            epoch: claim.epoch,
            seq,
            state: document.encode().expect("a sound document"),
            content_sha256: document.digest().expect("a sound document").0,
        };
        points
            .call(store.put_snapshot(snapshot))
            .await
            .expect("it is stored");
        points
            .call(fold::fold(&store, claim.key, claim.epoch))
            .await
            .expect("it is folded");
    }
    store.close().await;
    say(DONE);
}

/// The document of the next owner, who writes as somebody new.
fn document(claim: &Claim, updates: &[Bytes]) -> Document {
    let replica = ReplicaId::ours(u32::try_from(claim.epoch.0).expect("few lives"));
    Document::load(replica, updates.iter().map(|update| &update[..])).expect("a sound room")
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

/// One line, at once: the process may not live to flush it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}")
        .and_then(|()| out.flush())
        .expect("the campaign listens");
}
