//! One room must not take the server down for ever. A record that kills whoever wakes its room is put
//! into one; the real server dies of it, is started again, dies again, and then opens the room in a
//! child, finds the record and withholds it, or keeps the room closed. Every other room is served.
//!
//! The control is a server without the guard: it dies at every visit.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use collab_server::rooms::trial::{MAX_LOADS, UNGUARDED_LOADS};
use rusqlite::Connection;

use crate::database::{Database, FILE};
use crate::server::{Plan, Server};

const DEADLY: &str = "deadly";
const OTHER: &str = "other";

/// Records before and after the one that kills.
const BESIDE: usize = 6;

/// Visits of which a server without the guard must die.
const CONTROL_VISITS: usize = 5;

/// Longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_record_that_aborts_is_withheld_and_the_rest_is_served() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    heals(Database::Sqlite(folder.path().into()), "abort").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_record_that_overflows_the_stack_is_withheld() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    heals(Database::Sqlite(folder.path().into()), "stack").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_record_that_takes_all_memory_is_withheld() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    heals(Database::Sqlite(folder.path().into()), "memory").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_record_that_aborts_is_withheld_and_the_rest_is_served() {
    heals(Database::fresh_postgres().await, "abort").await;
}

async fn heals(database: Database, how: &str) {
    let mut server = Server::start(Plan::on(database)).await;
    fill(&mut server, how, BESIDE).await;
    for life in 0..UNGUARDED_LOADS {
        dies(&mut server, life).await;
    }
    // This visit is answered: with everything but the record.
    let (status, text) = server.visit(DEADLY).await.expect("it lives");
    assert_eq!((status, &*text), (200, &*sound(BESIDE * 2)));
    assert_eq!(other(&server).await, "served\n");
    let log = server.log();
    assert!(log.contains("this part ends the process"), "{log}");
    // It is written to again, and stays what it is over further lives.
    server.write(DEADLY, &format!("more\n{text}")).await;
    server.kill().await;
    server.restart().await;
    let (status, again) = server.visit(DEADLY).await.expect("it lives");
    assert_eq!((status, again), (200, format!("more\n{text}")));
}

/// A load that never ends: whoever kills the server for it makes the same marks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_record_on_which_waking_hangs_is_withheld() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(FILE);
    let mut server = Server::start(Plan::on(Database::Sqlite(folder.path().into()))).await;
    // Few: the child's patience has to end for each beginning that hangs.
    fill(&mut server, "hang", 1).await;
    for life in 1..=UNGUARDED_LOADS {
        {
            let visit = server.visit(DEADLY);
            let begun = until(|| attempts(&file) == life);
            tokio::select! {
                visited = visit => panic!("{visited:?}"),
                () = begun => {}
            }
        }
        server.kill().await;
        server.restart().await;
    }
    let visited = server.visit(DEADLY);
    // While a child finds out, everything else goes on.
    assert_eq!(other(&server).await, "served\n");
    let visited = tokio::time::timeout(PATIENCE, visited).await;
    let visited = visited.expect("in time").expect("it lives");
    assert_eq!(visited, (200, sound(2)));
    let log = server.log();
    assert!(log.contains("longer than"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_kills_although_a_child_survives_it_stays_closed_until_it_is_reopened() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start(Plan::on(Database::Sqlite(folder.path().into()))).await;
    server.make(OTHER).await;
    server.make(DEADLY).await;
    server.write(DEADLY, "sound\n").await;
    server.write(OTHER, "served\n").await;
    server.kill().await;
    let connection = Connection::open(folder.path().join(FILE)).expect("a database");
    let mark = "update room set load_attempts = ?1 where name = ?2";
    let marked = connection.execute(mark, (MAX_LOADS.cast_signed(), DEADLY));
    assert_eq!(marked, Ok(1));
    drop(connection);
    server.restart().await;
    for _ in 0..2 {
        let (status, body) = server.visit(DEADLY).await.expect("it lives");
        let problem: serde_json::Value = serde_json::from_str(&body).expect("a problem");
        assert_eq!(status, 500, "{body}");
        assert_eq!(problem["type"], "urn:collab:problem:room-closed", "{body}");
    }
    assert_eq!(other(&server).await, "served\n");
    let log = server.log();
    assert!(log.contains("`collab room reopen`"), "{log}");
    server.kill().await;
    let reopen = Command::new(env!("CARGO_BIN_EXE_collab"))
        .args(["room", "reopen", DEADLY, "--data-dir"])
        .arg(folder.path())
        .output()
        .expect("it runs");
    assert!(reopen.status.success(), "{reopen:?}");
    server.restart().await;
    let visited = server.visit(DEADLY).await.expect("it lives");
    assert_eq!(visited, (200, "sound\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_server_without_the_guard_dies_at_every_visit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Server::start(Plan::on(Database::Sqlite(folder.path().into()))).await;
    fill(&mut server, "abort", BESIDE).await;
    server.kill().await;
    server.sabotage(Some("no-guard"));
    server.restart().await;
    for life in 0..CONTROL_VISITS {
        dies(&mut server, life as u64).await;
    }
}

/// A room of which one record kills by then, and another room. Each record is by a new replica, so
/// that none but the killer is missing without it.
async fn fill(server: &mut Server, how: &str, beside: usize) {
    server.make(OTHER).await;
    server.make(DEADLY).await;
    server.write(OTHER, "served\n").await;
    for record in 0..beside {
        server.write(DEADLY, &sound(record + 1)).await;
    }
    let all = sound(beside);
    server.write(DEADLY, &format!("{all}deadly:{how}\n")).await;
    server.kill().await;
    server.restart().await;
    // At the beginning: beside the killer's text, it would rest on that.
    for record in beside..beside * 2 {
        let text = sound(record + 1);
        server.write(DEADLY, &format!("{text}deadly:{how}\n")).await;
    }
    server.kill().await;
    server.sabotage(Some("die-of-deadly"));
    server.restart().await;
}

/// Lines of so many records, the newest first.
fn sound(records: usize) -> String {
    (0..records)
        .rev()
        .map(|record| format!("line {record}\n"))
        .collect()
}

/// The visit of which the server dies, and its next life.
async fn dies(server: &mut Server, life: u64) {
    assert_eq!(other(server).await, "served\n");
    let visited = server.visit(DEADLY).await;
    assert!(visited.is_err(), "life {life}: {visited:?}");
    server.ended().await;
    server.restart().await;
}

async fn other(server: &Server) -> String {
    let (status, text) = server.visit(OTHER).await.expect("it lives");
    assert_eq!(status, 200, "{text}");
    text
}

/// Loads of the room that began and did not end, as its row says.
fn attempts(file: &Path) -> u64 {
    let connection = Connection::open(file).expect("a database");
    connection.busy_timeout(PATIENCE).expect("a timeout");
    let attempts: i64 = connection
        .query_row(
            "select load_attempts from room where name = ?1",
            [DEADLY],
            |row| row.get(0),
        )
        .expect("a room");
    attempts.cast_unsigned()
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("in time");
}
