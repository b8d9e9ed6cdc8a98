//! F10: a database is put back to an older state, under people who stay. They hold what the older
//! one lacks, and bring it back: nothing that anybody holds may be lost.
//!
//! SQLite's file is exchanged while the server is stopped; Postgres is exchanged under a server
//! that lives on. Built in is the control: before anybody may come back, edits that were called
//! saved must be found missing from the older rows.

use std::path::Path;

use crate::cluster::Cluster;
use crate::crowd::{Crowd, Size, Tally};
use crate::database::Database;
use crate::length::{self, Length};
use crate::person::{Pace, Word};
use crate::report::Report;
use crate::server::{Plan, Server};
use crate::wire::{Proxy, Wire};

const CROWD: Size = Size {
    rooms: 4,
    people: 3,
    pace: Pace::Fast,
};

/// Times that an older database is put back in one run of the test command.
const PUT_BACK: u32 = 2;

/// Edits saved before the copy is made, and again before it is put back.
const BETWEEN: usize = 200;

#[derive(Debug, Default)]
struct Found {
    put_back: usize,
    /// Edits called saved that the older rows lacked.
    lacked: usize,
    /// Rooms that noticed it while they were awake, and said so to the operator.
    alarms: Option<usize>,
    made: usize,
    tally: Tally,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_sqlite_file_gets_what_people_hold() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (data, older) = (folder.path().join("data"), folder.path().join("older"));
    let length = Length::of(PUT_BACK, 2);
    let mut chance = length::chance();
    let mut server = Server::start(Plan::on(Database::Sqlite(data.clone()))).await;
    let mut crowd = Crowd::arrive(&server.address(), CROWD, &mut chance);
    let mut found = Found::default();
    for round in 0.. {
        if !length.goes_on(round) {
            break;
        }
        crowd.until_saved_more_than(crowd.saved() + BETWEEN).await;
        server.kill().await;
        exchange(&older, &data);
        server.restart().await;
        crowd.until_saved_more_than(crowd.saved() + BETWEEN).await;
        server.kill().await;
        crowd.stay_away().await;
        exchange(&data, &older);
        server.restart().await;
        found.put_back += 1;
        let tally = crowd.look(async |room| server.text(room).await).await;
        found.lacked += tally.lost.len();
        crowd.say(Word::Type);
    }
    judge(
        found,
        crowd,
        server,
        "SQLite, exchanged between two lives of the server",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_postgres_gets_what_people_hold() {
    let length = Length::of(PUT_BACK, 2);
    let mut chance = length::chance();
    let mut cluster = Cluster::start().await;
    let database = Database::created_on(&cluster.url()).await;
    let Database::Postgres(url) = &database else {
        unreachable!("made on a Postgres");
    };
    let mut proxy = Proxy::start(cluster.port()).await;
    let server = Server::start(Plan::on(Database::Postgres(proxy.through(url)))).await;
    let mut crowd = Crowd::arrive(&server.address(), CROWD, &mut chance);
    let mut found = Found::default();
    for round in 0.. {
        if !length.goes_on(round) {
            break;
        }
        crowd.until_saved_more_than(crowd.saved() + BETWEEN).await;
        cluster.stop_in_order().await;
        exchange(
            &cluster.folder().join("older"),
            &cluster.folder().join("data"),
        );
        cluster.start_again().await;
        crowd.until_saved_more_than(crowd.saved() + BETWEEN).await;
        proxy.set(Wire::Closed);
        cluster.stop_immediately().await;
        proxy.until_all_broken().await;
        exchange(
            &cluster.folder().join("data"),
            &cluster.folder().join("older"),
        );
        cluster.start_again().await;
        found.put_back += 1;
        // The server cannot write now, so nothing moves while the rows are looked at.
        let rows = database.durable().await;
        let tally = crowd.look(async |room| rows.text(room).await).await;
        rows.close().await;
        found.lacked += tally.lost.len();
        proxy.set(Wire::Whole);
        crowd.until_saved_more_than(crowd.saved()).await;
    }
    crowd.settle().await;
    let alarms = server.metric("collab_database_rewinds_total").await;
    found.alarms = Some(usize::try_from(alarms).expect("a count fits"));
    let log = server.log();
    assert!(
        log.contains("an older state than it had acknowledged"),
        "{log}"
    );
    judge(
        found,
        crowd,
        server,
        "Postgres, exchanged under the living server",
    )
    .await;
    cluster.stop_in_order().await;
}

/// Everybody settles; then everything ever typed must be there, and be there without the server's
/// memory.
async fn judge(mut found: Found, mut crowd: Crowd, mut server: Server, subject: &str) {
    crowd.settle().await;
    found.made = crowd.made();
    found.tally.add(crowd.until_level(&server).await);
    // What people brought back is merged before it is durable, and nobody is told of it a second time.
    for room in crowd.rooms() {
        server.until_durable(room[0].room()).await;
    }
    server.kill().await;
    crowd.stay_away().await;
    server.restart().await;
    found
        .tally
        .add(crowd.look(async |room| server.text(room).await).await);
    server.kill().await;
    let mut report =
        Report::of("F10", subject).must("times an older database was put back", found.put_back);
    if let Some(alarms) = found.alarms {
        report = report.must("alarms", alarms);
    }
    report
        .must("saved edits that it lacked", found.lacked)
        .count("edits", found.made)
        .judge(found.tally.saved, &found.tally.lost);
}

/// Makes `to` what `from` is, with owners and all.
fn exchange(to: &Path, from: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).expect("a folder of ours");
    }
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status();
    assert!(
        copied.is_ok_and(|it| it.success()),
        "a folder can be copied"
    );
}
