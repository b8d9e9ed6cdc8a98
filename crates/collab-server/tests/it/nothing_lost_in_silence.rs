//! A full outbox drops its whole lane and is made good by one diff; a connection that never reads
//! is closed; keepalives reach who is only listening.

use std::time::Duration;

use crate::client::Client;
use crate::server::{PATIENCE, Running, settings};

/// The value of one line of `/metrics`. Counted over the whole process: compare, do not equate.
async fn metric(server: &Running, name: &str) -> f64 {
    let page = reqwest::get(server.url("/metrics"))
        .await
        .expect("an answer");
    let page = page.text().await.expect("text");
    let line = page
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    let value = line
        .and_then(|line| line.rsplit(' ').next())
        .expect("the metric is there");
    value.parse().expect("a number")
}

/// 100 KB on the wire to every reader, and no longer document: the deletion is a turn of its own,
/// or the two would be merged into nothing.
async fn flood(client: &mut Client) {
    client.type_text(&"x".repeat(100_000)).await;
    client.until_saved().await;
    client.delete_all().await;
    client.until_saved().await;
}

#[tokio::test]
async fn an_outbox_of_one_frame_still_converges() {
    let mut settings = settings();
    settings.rooms.outbox_frames = 1;
    settings.rooms.outbox_bytes = 1;
    let server = Running::start(settings).await;
    let before = metric(&server, "collab_outbox_overflows_total").await;
    let mut ann = Client::collab(server.address, "r").await;
    let mut readers = Vec::new();
    for _ in 0..4 {
        let mut reader = Client::plain(server.address, "r").await;
        reader.until_synced().await;
        readers.push(reader);
    }
    // Nobody reads meanwhile.
    for _ in 0..150 {
        flood(&mut ann).await;
    }
    ann.type_text("the end").await;
    ann.until_saved().await;
    let text = ann.text();
    for reader in &mut readers {
        reader.until_text(&text).await;
        assert_eq!(reader.document.digest().ok(), ann.document.digest().ok());
    }
    let after = metric(&server, "collab_outbox_overflows_total").await;
    assert!(
        after > before,
        "no outbox overflowed: the test tests nothing"
    );
    assert!(metric(&server, "collab_resyncs_total").await > 0.0);
}

#[tokio::test]
async fn who_does_not_read_is_brought_level_by_one_diff() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    let mut ben = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ben.until_synced().await;
    // More than every buffer of the system between the two.
    const FLOODS: u64 = 150;
    for _ in 0..FLOODS {
        flood(&mut ann).await;
    }
    ann.type_text("the end").await;
    ann.until_saved().await;
    let before = ben.syncs;
    ben.until_text("the end").await;
    let heard = ben.syncs - before;
    // Each flood is two turns.
    assert!(
        heard < FLOODS * 2,
        "{heard} frames: nothing was dropped, the test tests nothing"
    );
    assert_eq!(ann.document.digest().ok(), ben.document.digest().ok());
    // And it goes on as if nothing had been.
    ann.type_text("!").await;
    ben.until_text("the end!").await;
}

#[tokio::test]
async fn who_never_reads_is_closed_and_the_room_goes_on() {
    let mut settings = settings();
    settings.timing.stalled = Duration::from_millis(300);
    let server = Running::start(settings).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    let stuck = Client::collab(server.address, "r").await;
    let users = || async {
        let room = reqwest::get(server.url("/api/rooms/r"))
            .await
            .expect("an answer");
        let room: serde_json::Value = room.json().await.expect("JSON");
        room["activeUsers"].as_u64()
    };
    let begun = std::time::Instant::now();
    while users().await != Some(1) {
        flood(&mut ann).await;
        assert!(
            begun.elapsed() < PATIENCE,
            "the connection that never reads is still there"
        );
    }
    drop(stuck);
}

#[tokio::test]
async fn a_silent_client_is_closed_and_a_listening_one_kept() {
    let mut settings = settings();
    settings.timing.silence = Duration::from_millis(600);
    settings.timing.ping = Duration::from_millis(100);
    settings.timing.keepalive = Duration::from_millis(50);
    let server = Running::start(settings).await;
    let mut listening = Client::plain(server.address, "r").await;
    // Never polled, so it answers no ping.
    let mut silent = Client::collab(server.address, "r").await;
    let mut messages = 0;
    let until = tokio::time::Instant::now() + Duration::from_millis(1500);
    while tokio::time::timeout_at(until, listening.read())
        .await
        .is_ok()
    {
        assert_eq!(listening.closed, None);
        messages += 1;
    }
    assert!(
        messages > 10,
        "only {messages} messages: where are the keepalives?"
    );
    assert_eq!(silent.until_closed().await.0, 4501);
    listening.type_text("still here").await;
    assert_eq!(listening.closed, None);
}
