//! F1: `kill -9`. After each kill, before anybody may reconnect and offer anything again, the
//! restarted server must hold every edit that was called saved. At the end everybody reconnects,
//! and every edit ever made is there, the same everywhere.
//!
//! The control acknowledges before the commit.

use std::time::Duration;

use rand::Rng;

use crate::crowd::{Crowd, Size, Tally};
use crate::database::Database;
use crate::length::{self, Length};
use crate::person::{Pace, Word};
use crate::report::Report;
use crate::server::{Plan, Server};

const CROWD: Size = Size {
    rooms: 10,
    people: 3,
    pace: Pace::Fast,
};

/// Kills in one run of the test command, on each database.
const KILLS: u32 = 30;

/// Kills after which the control must have been found out.
const CONTROL_KILLS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_loses_nothing_that_was_called_saved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    holds(Database::Sqlite(folder.path().into())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_loses_nothing_that_was_called_saved() {
    holds(Database::fresh_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_server_that_acknowledges_before_the_commit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = Plan::on(Database::Sqlite(folder.path().into())).sabotaged("ack-before-commit");
    let (kills, found) = kill(plan, Length::fixed(CONTROL_KILLS), Stop::AtFirstLoss).await;
    Report::of("F1", "control: acknowledged before the commit")
        .count("kills", kills)
        .control(found.lost.len(), "saved edits missing");
}

async fn holds(database: Database) {
    let name = database.name();
    let (kills, found) = kill(Plan::on(database), Length::of(KILLS, 2), Stop::AtTheEnd).await;
    Report::of("F1", name)
        .must("kills", kills)
        .must("unsaved edits on their way then", found.unsaved)
        .judge(found.saved, &found.lost);
}

#[derive(PartialEq)]
enum Stop {
    AtFirstLoss,
    AtTheEnd,
}

async fn kill(plan: Plan, length: Length, stop: Stop) -> (usize, Tally) {
    let mut chance = length::chance();
    let mut server = Server::start(plan).await;
    let mut crowd = Crowd::arrive(&server.address(), CROWD, &mut chance);
    let mut found = Tally::default();
    let mut kills = 0;
    while length.goes_on(kills) {
        tokio::time::sleep(Duration::from_millis(chance.random_range(150..700))).await;
        server.kill().await;
        // Nobody comes back before the database has been looked at.
        crowd.stay_away().await;
        server.restart().await;
        kills += 1;
        let tally = crowd.look(async |room| server.text(room).await).await;
        found.add(tally);
        if stop == Stop::AtFirstLoss && !found.lost.is_empty() {
            break;
        }
        crowd.say(Word::Type);
    }
    if stop == Stop::AtTheEnd {
        crowd.settle().await;
        found.add(crowd.until_level(&server).await);
    }
    server.kill().await;
    (usize::try_from(kills).expect("a count fits"), found)
}
