//! browser → connection → room → storage, and never back: with every queue of capacity one nobody
//! waits for ever.

use crate::client::Client;
use crate::server::{Running, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_of_one_form_no_circle() {
    let mut settings = settings();
    settings.rooms.inbox_letters = 1;
    settings.rooms.outbox_frames = 1;
    settings.rooms.outbox_bytes = 1;
    let server = Running::start(settings).await;
    let mut tasks = Vec::new();
    for person in 0..6 {
        let address = server.address;
        tasks.push(tokio::spawn(async move {
            let mut client = Client::collab(address, "r").await;
            client.until_synced().await;
            for n in 0..40 {
                client.type_text(&format!("{person}:{n} ")).await;
                if n % 8 == person {
                    client.until_saved().await;
                }
            }
            client.until_saved().await;
            client
        }));
    }
    // A disk that stops and goes.
    for _ in 0..20 {
        server.store.hold();
        tokio::task::yield_now().await;
        server.store.release();
        tokio::task::yield_now().await;
    }
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.expect("no client fails"));
    }
    for client in &mut clients {
        client
            .until("every word", |client| {
                client.text().split_whitespace().count() == 240
            })
            .await;
    }
    let digest = clients[0].document.digest().ok();
    assert!(
        clients
            .iter()
            .all(|client| client.document.digest().ok() == digest)
    );
}

#[tokio::test]
async fn a_disk_that_stands_still_holds_up_no_keystroke() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    let mut ben = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ben.until_synced().await;
    server.store.hold();
    for n in 0..500 {
        ann.type_text(&format!("{n} ")).await;
    }
    let text = ann.text();
    ben.until_text(&text).await;
    ben.type_text("and back").await;
    ann.until_text(&format!("{text}and back")).await;
    server.store.release();
    ann.until_saved().await;
    ben.until_saved().await;
}
