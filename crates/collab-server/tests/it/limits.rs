//! Each limit at its value and one above; a refusal names the limit and the flag that moves it.

use std::time::Duration;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Offset, ReplicaId};
use collab_core::protocol::{Control, Message, RejectCode, codec};
use collab_server::Settings;
use serde_json::Value;

use crate::client::{self, Client, refused};
use crate::server::{PATIENCE, Running, settings};

fn limited(change: impl FnOnce(&mut collab_server::config::Limits)) -> Settings {
    let settings = settings();
    let mut limits = settings.limits;
    change(&mut limits);
    settings.with_limits(limits)
}

/// A frame of exactly this many bytes that changes nothing.
fn harmless(bytes: usize) -> Bytes {
    let mut frame = vec![99];
    frame.resize(bytes, 0);
    frame.into()
}

#[tokio::test]
async fn message_size() {
    let server = Running::start(limited(|limits| limits.max_message_bytes = 4096)).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ann.raw(harmless(4096)).await;
    ann.type_text("x").await;
    ann.until_saved().await;
    // One byte above, and so far above that the rest is still on its way when we are refused.
    for bytes in [4097, 12 << 20] {
        for plain in [false, true] {
            let mut client = if plain {
                Client::plain(server.address, "r").await
            } else {
                Client::collab(server.address, "r").await
            };
            client.until_synced().await;
            client.raw(harmless(bytes)).await;
            let (code, reason) = client.until_closed().await;
            assert_eq!(code, 1009, "{bytes}: {reason}");
            assert!(
                reason.contains("4096") && reason.contains("--max-message-bytes"),
                "{reason}"
            );
            if !plain {
                let last = client.controls.last();
                assert!(matches!(last, Some(Control::Closing { .. })), "{last:?}");
            }
        }
    }
    ann.type_text("y").await;
    ann.until_saved().await;

    let http = reqwest::Client::new();
    let room = http
        .post(server.url("/api/rooms"))
        .send()
        .await
        .expect("an answer");
    let room: Value = room.json().await.expect("JSON");
    let file = server.url(&format!(
        "/api/rooms/{}/files/main",
        room["id"].as_str().expect("id")
    ));
    for (bytes, status) in [(4096, 204), (4097, 413)] {
        let put = http
            .put(&file)
            .body("x".repeat(bytes))
            .send()
            .await
            .expect("an answer");
        assert_eq!(put.status(), status);
        if status == 413 {
            let problem: Value = put.json().await.expect("JSON");
            assert_eq!(problem["limit"], 4096);
            assert_eq!(problem["flag"], "--max-message-bytes");
        }
    }
}

/// A message at the limit makes a log record a little larger than itself, beside whatever else its
/// turn merged: storage has to take that too, or the room could never save again.
#[tokio::test]
async fn the_largest_message_is_saved() {
    let server = Running::start(settings()).await;
    let limit = settings().limits.max_message_bytes;
    let mut ann = Client::collab(server.address, "r").await;
    let mut ben = Client::plain(server.address, "r").await;
    ann.until_synced().await;
    ben.until_synced().await;
    // What a frame of this length adds to its text, learned from one a little shorter.
    let edit = |length: usize| Edit {
        at: Offset(0),
        delete: 0,
        insert: "x".repeat(length),
    };
    let mut probe = Document::new(ReplicaId::ours(u32::MAX));
    let update = probe
        .edit(&FileId::main(), &[edit(limit - 64)])
        .expect("at the start");
    let length = limit - 64 + (limit - codec::encode(&Message::Update(update)).len());
    let mut exact = Document::new(ReplicaId::ours(u32::MAX));
    let update = exact
        .edit(&FileId::main(), &[edit(length)])
        .expect("at the start");
    let message = Message::Update(update);
    assert_eq!(codec::encode(&message).len(), limit);
    ann.send(&message).await;
    ann.until_saved().await;
    ben.until("the text", |ben| {
        ben.document.text_len(&FileId::main()) as usize == length
    })
    .await;
}

#[tokio::test]
async fn connections() {
    let server = Running::start(limited(|limits| limits.max_connections = 2)).await;
    let mut ann = Client::collab(server.address, "r").await;
    let ben = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    let (status, problem) = refused(client::request(server.address, "r", &[])).await;
    assert_eq!(status, 503);
    assert_eq!(problem["type"], "urn:collab:problem:too-many-connections");
    assert_eq!(
        (&problem["limit"], &problem["flag"]),
        (&2.into(), &"--max-connections".into())
    );
    drop(ben);
    // The place is free again as soon as the server has seen the socket close.
    let come_in = async {
        loop {
            let request = client::request(server.address, "r", &[]);
            if let Ok((socket, _)) = tokio_tungstenite::connect_async(request).await {
                return socket;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, come_in)
        .await
        .expect("let in in the end");
}

#[tokio::test]
async fn connections_in_one_room() {
    let server = Running::start(limited(|limits| limits.max_room_connections = 1)).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    let mut ben = Client::collab(server.address, "r").await;
    let (code, reason) = ben.until_closed().await;
    assert_eq!(code, 1013);
    assert!(reason.contains("--max-room-connections"), "{reason}");
    Client::collab(server.address, "other")
        .await
        .until_synced()
        .await;
    ann.type_text("x").await;
    ann.until_saved().await;
}

#[tokio::test]
async fn document_size() {
    let server = Running::start(limited(|limits| limits.max_document_bytes = 10_000)).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ann.type_text(&"x".repeat(9_000)).await;
    ann.until_saved().await;
    let mut ben = Client::collab(server.address, "r").await;
    ben.until_text(&"x".repeat(9_000)).await;
    ben.type_text(&"y".repeat(2_000)).await;
    assert_eq!(ben.until_closed().await.0, 4413);
    let rejected = ben.controls.iter().find_map(|control| match control {
        Control::Rejected { code, reason, .. } => Some((*code, reason.clone())),
        _ => None,
    });
    let (code, reason) = rejected.expect("the edit was refused by name");
    assert_eq!(code, RejectCode::TooLarge);
    assert!(
        reason.contains("10000") && reason.contains("--max-document-bytes"),
        "{reason}"
    );
    ann.type_text("z").await;
    ann.until_saved().await;
    assert!(!ann.text().contains('y'));
}

#[tokio::test]
async fn unsaved_edits() {
    let server = Running::start(limited(|limits| limits.unsaved_bytes = 2_000)).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ann.until_saved().await;
    server.store.hold();
    ann.type_text(&"x".repeat(3_000)).await;
    let frozen = |client: &Client| {
        client
            .statuses
            .contains(&collab_core::protocol::Status::Frozen)
    };
    ann.until("Frozen", frozen).await;
    ann.type_text("y").await;
    let rejected = |client: &Client| {
        client.controls.iter().any(|control| {
            matches!(
                control,
                Control::Rejected {
                    code: RejectCode::Frozen,
                    ..
                }
            )
        })
    };
    ann.until("Rejected", rejected).await;
    server.store.release();
    // Asked for again, and saved after all.
    let mut ben = Client::plain(server.address, "r").await;
    ann.until("the server asks again", |client| {
        client.saved > 0 && client.saved == client.sent
    })
    .await;
    ben.until_text(&ann.text()).await;
}

#[tokio::test]
async fn room_names() {
    let server = Running::start(settings()).await;
    Client::collab(server.address, &"n".repeat(256))
        .await
        .until_synced()
        .await;
    for (name, says) in [("n".repeat(257), "256"), ("a%07b".to_owned(), "control")] {
        let (status, problem) = refused(client::request(server.address, &name, &[])).await;
        assert_eq!(status, 400, "{name}");
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(says)),
            "{problem}"
        );
        let url = server.url(&format!("/api/rooms/{name}"));
        assert_eq!(reqwest::get(url).await.expect("an answer").status(), 400);
    }
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = Running::start(settings()).await;
    let mut socket = tokio::net::TcpStream::connect(server.address)
        .await
        .expect("accepted");
    let mut head = b"GET /healthz HTTP/1.1\r\nhost: x\r\nx: ".to_vec();
    head.resize(64 << 10, b'a');
    // The server may hang up before it has taken everything.
    let _: std::io::Result<()> = socket.write_all(&head).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut answer));
    let _: std::io::Result<usize> = read.await.expect("the server hangs up");
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_frame_of_many_messages() {
    let server = Running::start(settings()).await;
    let one = codec::encode(&Message::QueryAwareness);
    let step = codec::encode(&Message::SyncStep1(Bytes::from_static(&[0])));
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    ann.synced = false;
    ann.raw([step.repeat(63), one.to_vec()].concat().into())
        .await;
    ann.until_synced().await;
    ann.raw(step.repeat(65).into()).await;
    let (code, reason) = ann.until_closed().await;
    assert_eq!(code, 4400);
    assert!(reason.contains("64"), "{reason}");
}
