//! F3: Postgres stopped as in a crash (`pg_ctl -m immediate stop`) and started again, under people
//! who type. While it is back and the server may not reach it yet, the rows must hold everything
//! that was called saved.
//!
//! A commit that is on its way when the database dies has an unknown result. A third of the stops
//! come after the append has committed and before the server hears of it, a third before the
//! database hears of the append, a third whenever they come: each unknown result must turn out to
//! be committed or not, and the server must find out which.
//!
//! The control is a database that says "committed" before it is (`synchronous_commit = off`).

use std::time::Duration;

use rand::Rng;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::crowd::{Crowd, SETTLE, Size, Tally};
use crate::database::{Database, execute};
use crate::length::{self, Length};
use crate::person::Pace;
use crate::report::Report;
use crate::server::{Plan, Server};
use crate::wire::{Places, Proxy, Wire};

const CROWD: Size = Size {
    rooms: 4,
    people: 3,
    pace: Pace::Fast,
};

/// Stops in one run of the test command; two of each kind.
const STOPS: u32 = 6;

/// Stops after which the control must have been found out.
const CONTROL_STOPS: u32 = 20;

/// What the stops of a campaign came upon.
#[derive(Debug, Default)]
struct Found {
    stops: usize,
    /// Commits whose result was unknown, by what they turned out to be.
    committed: usize,
    not_committed: usize,
    troubles: usize,
    made: usize,
    tally: Tally,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_called_saved_is_lost() {
    let found = stop_and_start(Setting::AsItComes, Length::of(STOPS, 1)).await;
    Report::of("F3", "Postgres")
        .must("immediate stops", found.stops)
        .must("unknown commits that had committed", found.committed)
        .must("unknown commits that had not", found.not_committed)
        .must("times somebody was told that saving waits", found.troubles)
        .count("edits", found.made)
        .judge(found.tally.saved, &found.tally.lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_database_that_commits_later_than_it_says() {
    let found = stop_and_start(Setting::CommitsLater, Length::fixed(CONTROL_STOPS)).await;
    Report::of("F3", "control: synchronous_commit=off")
        .count("immediate stops", found.stops)
        .control(found.tally.lost.len(), "saved edits missing");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    AsItComes,
    CommitsLater,
}

async fn stop_and_start(setting: Setting, length: Length) -> Found {
    let mut chance = length::chance();
    let mut cluster = Cluster::start().await;
    let database = Database::created_on(&cluster.url()).await;
    let Database::Postgres(url) = &database else {
        unreachable!("made on a Postgres");
    };
    let mut proxy = Proxy::start(cluster.port()).await;
    let mut plan = Plan::on(Database::Postgres(proxy.through(url)));
    if setting == Setting::CommitsLater {
        let (_, name) = url.rsplit_once('/').expect("the URL names a database");
        let off = format!("alter database {name} set synchronous_commit = off");
        execute(url, &off).await;
        plan.arguments.push("--accept-unsafe-postgres".to_owned());
    }
    let mut server = Server::start(plan).await;
    let mut crowd = Crowd::arrive(&server.address(), CROWD, &mut chance);
    let mut found = Found::default();
    for round in 0.. {
        if !length.goes_on(round) {
            break;
        }
        // Something was saved since the last stop.
        crowd.until_saved_more_than(crowd.saved()).await;
        let kind = match setting {
            Setting::AsItComes => round % 3,
            Setting::CommitsLater => 0,
        };
        let hold = match kind {
            1 => Some(Wire::HoldAnswers),
            2 => Some(Wire::HoldQuestions),
            _ => None,
        };
        match hold {
            Some(wire) => timeout(SETTLE, proxy.hold(wire))
                .await
                .expect("somebody types, so there is an append"),
            None => tokio::time::sleep(Duration::from_millis(chance.random_range(200..1200))).await,
        }
        if hold.is_none() {
            proxy.set(Wire::Closed);
        }
        cluster.stop_immediately().await;
        proxy.set(Wire::Closed);
        proxy.until_all_broken().await;
        found.stops += 1;
        cluster.start_again().await;
        // The server cannot write now, so nothing moves while it is looked at.
        let rows = database.durable().await;
        let tally = crowd.look(async |room| rows.text(room).await).await;
        rows.close().await;
        found.tally.add(tally);
        for places in proxy.take_unanswered() {
            match standing(url, &places).await {
                0 => found.not_committed += 1,
                all if all == places.len() => found.committed += 1,
                some => panic!("{some} of the records of one append stand: {places:?}"),
            }
        }
        if setting == Setting::CommitsLater && !found.tally.lost.is_empty() {
            return found;
        }
        let before = crowd.saved();
        proxy.set(Wire::Whole);
        crowd.until_saved_more_than(before).await;
    }
    crowd.settle().await;
    found.troubles = crowd.troubles();
    found.made = crowd.made();
    // What counts is what is there without the server's memory.
    server.kill().await;
    server.restart().await;
    found.tally.add(crowd.until_level(&server).await);
    server.kill().await;
    cluster.stop_in_order().await;
    found
}

/// How many of these records stand in the log.
async fn standing(url: &str, places: &Places) -> usize {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the Postgres of this campaign answers");
    let running = tokio::spawn(connection);
    let mut standing = 0;
    for (room, seq) in places {
        let rows = client
            .query(
                "select 1 from room_update where room_id = $1 and seq = $2",
                &[room, seq],
            )
            .await
            .expect("a readable log");
        standing += rows.len();
    }
    drop(client);
    drop(running.await);
    standing
}
