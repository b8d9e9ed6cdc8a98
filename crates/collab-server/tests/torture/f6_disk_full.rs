//! F6: the disk is full. While it is, nothing is called saved that is not in the rows, and everybody
//! is told that saving waits. When there is room again, saving goes on by itself, also after a
//! `kill -9` in between, and the database is sound.
//!
//! The control acknowledges before the commit.

use std::time::Duration;

use tokio::time::timeout;

use crate::crowd::{Crowd, SETTLE, Size, Tally};
use crate::database::{self, Database};
use crate::length::{self, Length};
use crate::person::{Pace, Word};
use crate::report::Report;
use crate::server::{Plan, Server};
use crate::volume::{Kind, Volume};

const CROWD: Size = Size {
    rooms: 4,
    people: 3,
    pace: Pace::Fast,
};

/// Times that the disk is filled in one run of the test command; the server is killed while there is
/// no room every second time.
const FILLED: u32 = 4;

/// Looks at the rows within which the control must have been found out.
const CONTROL_LOOKS: u32 = 100;

/// Edits that are saved before the disk is filled again.
const BETWEEN: usize = 100;

#[derive(Debug, Default)]
struct Found {
    filled: usize,
    killed: usize,
    troubles: usize,
    made: usize,
    tally: Tally,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_disk_is_filled_and_emptied() {
    holds(Volume::best()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_may_not_grow_and_then_may() {
    holds(Volume::of(Kind::FileSize).expect("needs nothing")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_server_that_acknowledges_before_the_commit() {
    let volume = Volume::best();
    let mut plan = Plan::on(Database::Sqlite(volume.data())).sabotaged("ack-before-commit");
    plan.under = volume.under();
    let database = plan.database.clone();
    let mut chance = length::chance();
    let mut server = Server::start(plan).await;
    let mut crowd = Crowd::arrive(&server.address(), CROWD, &mut chance);
    crowd.until_saved_more_than(BETWEEN).await;
    let reader = reader(&database);
    volume.fill(server.process());
    let mut lost = 0;
    for _ in 0..CONTROL_LOOKS {
        crowd.until_saved_more_than(crowd.saved()).await;
        lost = look(&crowd, &database).await.lost.len();
        if lost > 0 {
            break;
        }
    }
    drop(reader);
    server.kill().await;
    crowd.stay_away().await;
    Report::of("F6", "control: acknowledged before the commit")
        .count("times the disk was filled", 1)
        .control(lost, "saved edits missing");
}

async fn holds(volume: Volume) {
    let subject = format!("SQLite on {}", volume.name());
    let found = fill_and_empty(&volume, Length::of(FILLED, 2)).await;
    Report::of("F6", subject)
        .must("times the disk was filled", found.filled)
        .must("kills while it was", found.killed)
        .must("times somebody was told that saving waits", found.troubles)
        .count("edits", found.made)
        .judge(found.tally.saved, &found.tally.lost);
}

async fn fill_and_empty(volume: &Volume, length: Length) -> Found {
    let mut chance = length::chance();
    let mut plan = Plan::on(Database::Sqlite(volume.data()));
    plan.under = volume.under();
    let database = plan.database.clone();
    let mut server = Server::start(plan).await;
    let mut crowd = Crowd::arrive(&server.address(), CROWD, &mut chance);
    let mut found = Found::default();
    for round in 0.. {
        if !length.goes_on(round) {
            break;
        }
        crowd.until_saved_more_than(crowd.saved() + BETWEEN).await;
        let told: Vec<u64> = crowd.people().iter().map(|it| it.troubles()).collect();
        // While somebody reads an old state, SQLite may not begin its write-ahead log anew: every
        // commit needs room.
        let reader = reader(&database);
        volume.fill(server.process());
        found.filled += 1;
        // Everybody types, so everybody's room soon cannot save.
        for (person, told) in crowd.people().iter_mut().zip(told) {
            let troubled = timeout(SETTLE, person.until_troubled(told)).await;
            assert!(troubled.is_ok(), "somebody is not told that saving waits");
        }
        drop(reader);
        found.tally.add(look(&crowd, &database).await);
        let before = crowd.saved();
        if round % 2 == 1 {
            server.kill().await;
            crowd.stay_away().await;
            volume.make_room(None);
            server.restart().await;
            found.killed += 1;
            found
                .tally
                .add(crowd.look(async |room| server.text(room).await).await);
            crowd.say(Word::Type);
        } else {
            volume.make_room(Some(server.process()));
        }
        crowd.until_saved_more_than(before).await;
    }
    crowd.settle().await;
    found.troubles = crowd.troubles();
    found.made = crowd.made();
    server.kill().await;
    crowd.stay_away().await;
    check(&database);
    server.restart().await;
    crowd.say(Word::Settle);
    found.tally.add(crowd.until_level(&server).await);
    server.kill().await;
    found
}

/// Looks for what was called saved in the rows of a server that goes on.
async fn look(crowd: &Crowd, database: &Database) -> Tally {
    crowd
        .look_meanwhile(async |room| {
            let durable = database.durable().await;
            let text = durable.text(room).await;
            durable.close().await;
            text
        })
        .await
}

fn connect(database: &Database) -> rusqlite::Connection {
    let Database::Sqlite(folder) = database else {
        unreachable!("only SQLite has a disk of its own here");
    };
    let connection = rusqlite::Connection::open(folder.join(database::FILE)).expect("it opens");
    connection
        .busy_timeout(Duration::from_secs(30))
        .expect("a timeout can be set");
    connection
}

/// Somebody who reads the state of this moment until dropped.
fn reader(database: &Database) -> rusqlite::Connection {
    let connection = connect(database);
    connection.execute_batch("begin").expect("it begins");
    connection
        .query_row("select count(*) from room", (), |row| row.get::<_, i64>(0))
        .expect("it can be read");
    connection
}

/// SQLite's own check of its file.
fn check(database: &Database) {
    let connection = connect(database);
    let said: String = connection
        .query_row("pragma quick_check", (), |row| row.get(0))
        .expect("it can be checked");
    assert_eq!(said, "ok");
}
