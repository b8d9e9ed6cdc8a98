//! Rooms whose rows were damaged or put back in time, over sockets.

use std::sync::Arc;

use bytes::Bytes;
use collab_core::ids::Seq;
use collab_core::protocol::Status;
use collab_server::storage::RoomState;

use crate::client::Client;
use crate::server::{Running, settings};

async fn says(client: &mut Client, status: Status) {
    client
        .until(&format!("{status:?}"), |client| {
            client.statuses.last() == Some(&status)
        })
        .await;
}

/// Three saved words, a record each, and the one who typed them.
async fn three_words(server: &Running) -> Client {
    let mut ann = Client::collab(server.address, "r").await;
    for word in ["one ", "two ", "three "] {
        ann.type_text(word).await;
        ann.until_saved().await;
    }
    ann
}

#[tokio::test]
async fn a_damaged_record_keeps_nobody_out_and_comes_back_with_who_has_it() {
    let server = Running::start(settings()).await;
    let mut ann = three_words(&server).await;
    let store = Arc::clone(&server.store);
    server.stop().await;
    let middle = store
        .tamper("r", |room| {
            let (seq, row) = room.records.iter_mut().nth(1).expect("three records");
            row.body = Bytes::from_static(b"rot");
            *seq
        })
        .await;

    let server = Running::over(settings(), Arc::clone(&store)).await;
    // A stranger reads and writes what there is, and is told.
    let mut ben = Client::collab(server.address, "r").await;
    ben.until_text("one ").await;
    says(&mut ben, Status::Incomplete).await;
    ben.type_text("and ben").await;
    ben.until_saved().await;
    assert_eq!(store.info("r").await.state, RoomState::Degraded);
    let copies = store.tamper("r", |room| room.quarantine.clone()).await;
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].body, Some(Bytes::from_static(b"rot")));
    let page = reqwest::get(server.url("/metrics")).await.expect("answers");
    let page = page.text().await.expect("text");
    assert!(page.contains("collab_damaged_parts_total"), "{page}");

    // Ann comes back with what she has: as a plain client, which says nothing but its document.
    let mut back = Client::plain(server.address, "r").await;
    let all = ann.document.encode().expect("sound");
    back.send(&collab_core::protocol::Message::SyncStep2(all))
        .await;
    ben.until("the words", |client| {
        let text = client.document.text(&collab_core::document::FileId::main());
        text.contains("one two three ") && text.contains("and ben")
    })
    .await;
    says(&mut ben, Status::Normal).await;
    let healed = store.info("r").await;
    assert!(healed.snapshot > middle, "a snapshot holds all of it");
    server.stop().await;
    // Nothing is missing any more, and the copy is still there.
    assert_eq!(store.info("r").await.state, RoomState::Active);
    let server = Running::over(settings(), Arc::clone(&store)).await;
    let mut cleo = Client::collab(server.address, "r").await;
    cleo.until("the words", |client| {
        let text = client.document.text(&collab_core::document::FileId::main());
        text.contains("one two three ") && text.contains("and ben")
    })
    .await;
    assert_eq!(cleo.statuses, []);
    assert_eq!(store.tamper("r", |room| room.quarantine.len()).await, 1);
}

#[tokio::test]
async fn a_room_of_which_nothing_can_be_read_stays_shut_and_keeps_its_rows() {
    let server = Running::start(settings()).await;
    three_words(&server).await;
    let store = Arc::clone(&server.store);
    server.stop().await;
    let rows = store
        .tamper("r", |room| {
            for row in room.records.values_mut() {
                row.body = Bytes::from_static(b"rot");
            }
            room.snapshots.clear();
            room.snapshot = Seq(0);
            room.records.clone()
        })
        .await;
    let server = Running::over(settings(), Arc::clone(&store)).await;
    let mut ben = Client::collab(server.address, "r").await;
    let (code, reason) = ben.until_closed().await;
    assert_eq!(code, 1011, "{reason}");
    assert!(!ben.synced, "no empty document was shown");
    assert_eq!(store.tamper("r", |room| room.records.clone()).await, rows);
}

#[tokio::test]
async fn a_database_put_back_in_time_gets_what_the_room_holds_and_nobody_notices() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.type_text("one ").await;
    ann.until_saved().await;
    let store = Arc::clone(&server.store);
    let earlier = store.tamper("r", |room| room.clone()).await;
    for word in ["two ", "three "] {
        ann.type_text(word).await;
        ann.until_saved().await;
    }
    let epoch = store.info("r").await.epoch;
    store.tamper("r", |room| *room = earlier.clone()).await;
    store.hold();
    ann.type_text("four ").await;
    let saved = ann.saved;
    store.release();
    ann.until_saved().await;
    assert!(ann.saved > saved && ann.closed.is_none());
    let info = store.info("r").await;
    assert!(info.epoch > epoch, "{:?} after {epoch:?}", info.epoch);

    // The room may die now: all four words are in the database.
    let successor = Running::over(settings(), Arc::clone(&store)).await;
    let mut ben = Client::collab(successor.address, "r").await;
    ben.until_text("one two three four ").await;
}

/// The same, to a time before the room: a name that was never heard of is not a deleted one.
#[tokio::test]
async fn a_database_put_back_to_before_the_room_gets_the_room_again() {
    let server = Running::start(settings()).await;
    let mut ann = three_words(&server).await;
    let store = Arc::clone(&server.store);
    let lineage = store.info("r").await.lineage;
    store.forget("r");
    ann.type_text("four ").await;
    ann.until_saved().await;
    assert!(ann.closed.is_none());
    assert_eq!(store.info("r").await.lineage, lineage, "the same document");
    let successor = Running::over(settings(), Arc::clone(&store)).await;
    let mut ben = Client::collab(successor.address, "r").await;
    ben.until_text("one two three four ").await;
}
