//! Fan-out never waits for the disk; `Saved` always does, and counts the sender's own messages.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use collab_core::protocol::Status;

use crate::client::Client;
use crate::server::{Running, settings};

#[tokio::test]
async fn two_dialects_edit_one_room() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "team/notes%201").await;
    let mut ben = Client::plain(server.address, "team/notes%201").await;
    ann.until_synced().await;
    ben.until_synced().await;
    ann.type_text("ann was here, ").await;
    ben.until_text("ann was here, ").await;
    ben.type_text("ben too").await;
    ann.until_text("ann was here, ben too").await;
    ann.until_saved().await;
    assert_eq!(ann.document.digest().ok(), ben.document.digest().ok());
}

#[tokio::test]
async fn peers_hear_before_the_commit_and_the_author_after() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    let mut ben = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ann.until_saved().await;
    ben.until_synced().await;
    server.store.hold();
    ann.type_text("x").await;
    ben.until_text("x").await;
    // The peer has it, the disk has not: nothing may have been called saved.
    assert_eq!(ann.saved, ann.sent - 1);
    server.store.release();
    ann.until_saved().await;
}

#[tokio::test]
async fn a_deletion_is_acknowledged_too() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.type_text("x").await;
    ann.until_saved().await;
    server.store.hold();
    ann.delete_all().await;
    let before = ann.saved;
    // Its own answer comes back, so the server has read the deletion.
    ann.send(&collab_core::protocol::Message::QueryAwareness)
        .await;
    ann.until("the answer", |client| client.presence.is_empty())
        .await;
    assert_eq!(ann.saved, before);
    server.store.release();
    ann.until_saved().await;
}

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    for word in ["one ", "two ", "three "] {
        ann.type_text(word).await;
    }
    ann.until_saved().await;
    let store = Arc::clone(&server.store);
    // Not stopped in order: simply never spoken to again, as after a crash.
    let successor = Running::over(settings(), store).await;
    let mut ben = Client::collab(successor.address, "r").await;
    ben.until_text("one two three ").await;
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_nothing_is_lost() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    let mut ben = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    server.store.appends_fail.store(true, Ordering::SeqCst);
    ann.type_text("unsaved").await;
    ben.until_text("unsaved").await;
    ann.until("Degraded", |client| {
        client.statuses.contains(&Status::Degraded)
    })
    .await;
    assert!(ann.saved < ann.sent);
    server.store.appends_fail.store(false, Ordering::SeqCst);
    ann.until_saved().await;
    ann.until("Normal", |client| {
        client.statuses.last() == Some(&Status::Normal)
    })
    .await;
}

#[tokio::test]
async fn a_room_that_cannot_be_loaded_is_not_an_empty_room() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.type_text("kept").await;
    ann.until_saved().await;
    let store = Arc::clone(&server.store);
    server.stop().await;
    store.loads_fail.store(true, Ordering::SeqCst);
    let server = Running::over(settings(), Arc::clone(&store)).await;
    let mut ben = Client::collab(server.address, "r").await;
    let (code, reason) = ben.until_closed().await;
    assert_eq!(code, 1013, "{reason}");
    assert!(!ben.synced, "no document was shown");
    store.loads_fail.store(false, Ordering::SeqCst);
    let mut ben = Client::collab(server.address, "r").await;
    ben.until_text("kept").await;
}

#[tokio::test]
async fn what_the_log_can_never_take_ends_the_room_instead_of_being_tried_for_ever() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.type_text("kept").await;
    ann.until_saved().await;
    server.store.appends_too_large.store(true, Ordering::SeqCst);
    let saved = ann.saved;
    ann.type_text("too much").await;
    let (code, reason) = ann.until_closed().await;
    // Final: whoever came back would offer the same again.
    assert_eq!(code, 4413);
    assert!(reason.contains("larger than the log can take"), "{reason}");
    assert_eq!(ann.saved, saved);

    let put = reqwest::Client::new()
        .put(server.url("/api/rooms/r/files/main"))
        .body("too much");
    let put = put.send().await.expect("an answer");
    assert_eq!(put.status(), 422, "no 503, which would mean: try again");
    let problem: serde_json::Value = put.json().await.expect("JSON");
    assert_eq!(problem["rule"], "record-size");

    server
        .store
        .appends_too_large
        .store(false, Ordering::SeqCst);
    let mut ben = Client::collab(server.address, "r").await;
    ben.until_text("kept").await;
}
