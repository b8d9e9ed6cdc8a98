//! Bytes from outside become an edit or an error with a name; the room goes on for everyone else.

use bytes::Bytes;
use futures_util::SinkExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message as Ws;

use crate::client::{self, Client};
use crate::server::{Running, settings};

fn hex(text: &str) -> Bytes {
    hex::decode(text.replace(' ', "")).expect("hex").into()
}

#[tokio::test]
async fn every_frame_type_with_garbage_closes_only_its_sender() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    for (what, frame) in [
        ("a sync message that ends", hex("00 00 05 01")),
        ("a sync message of no kind", hex("00 07 00")),
        ("a state vector bomb", hex("00 00 05 ff ff ff ff 0f")),
        ("a state vector with an odd varint", hex("00 00 02 80 00")),
        ("an update bomb", hex("00 02 05 ff ff ff ff 0f")),
        ("the fuzzer's update", hex("00 02 04 c6 fc d9 60")),
        ("an update that is cut", hex("00 02 05 01 01 05 00 04")),
        ("an answer that is cut", hex("00 01 03 01 01 05")),
        ("an awareness bomb", hex("01 05 80 88 de be 01")),
        ("awareness that is not text", hex("01 06 01 05 01 02 ff ff")),
        ("an auth message of no kind", hex("02 09")),
        ("a control message", hex("70 03 01 01 01")),
        ("a padded varint", hex("80 00 00 01 00")),
        (
            "nothing but continuation",
            hex("ff ff ff ff ff ff ff ff ff ff"),
        ),
    ] {
        for plain in [false, true] {
            let mut eve = if plain {
                Client::plain(server.address, "r").await
            } else {
                Client::collab(server.address, "r").await
            };
            eve.until_synced().await;
            eve.raw(frame.clone()).await;
            let (code, reason) = eve.until_closed().await;
            assert_eq!(code, 4400, "{what}: {reason}");
            assert!(!reason.is_empty(), "{what}");
            if plain {
                assert!(
                    !eve.denied.is_empty(),
                    "{what}: a plain client is told in its dialect"
                );
            }
        }
    }
    for (what, message) in [
        ("text", Ws::Text("hello".into())),
        (
            "text that is JSON",
            Ws::Text(r#"{"type":"code_update","code":""}"#.into()),
        ),
    ] {
        let mut eve = Client::collab(server.address, "r").await;
        eve.until_synced().await;
        eve.socket.send(message).await.expect("sent");
        let (code, reason) = eve.until_closed().await;
        assert_eq!(code, 4400, "{what}");
        assert!(reason.contains("binary"), "{reason}");
    }
    ann.type_text("unharmed").await;
    ann.until_saved().await;
    assert_eq!(ann.closed, None);
}

#[tokio::test]
async fn harmless_oddities_are_taken() {
    let server = Running::start(settings()).await;
    let mut ann = Client::plain(server.address, "r").await;
    ann.until_synced().await;
    for frame in [
        hex(""),
        hex("66 01 02"),
        hex("03 01 00"),
        hex("02 00 00"),
        hex("01 01 00"),
    ] {
        ann.raw(frame).await;
    }
    ann.synced = false;
    ann.raw(hex("00 00 01 00")).await;
    ann.until_synced().await;
}

#[tokio::test]
async fn bytes_that_are_not_frames_at_all() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.until_synced().await;
    let mut socket = tokio::net::TcpStream::connect(server.address)
        .await
        .expect("accepted");
    let upgrade = "GET /yjs/r HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.expect("sent");
    // Reserved bits, reserved opcode, not masked.
    socket.write_all(&[0xff; 64]).await.expect("sent");
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    tokio::time::timeout(crate::server::PATIENCE, read)
        .await
        .expect("the server hangs up")
        .expect("in order");
    // A close frame with 4400 = 0x1130.
    let close = answer.windows(2).any(|pair| pair == [0x11, 0x30]);
    assert!(close, "{:?}", String::from_utf8_lossy(&answer));
    ann.type_text("unharmed").await;
    ann.until_saved().await;
}

/// One bad request and what is said about it.
struct Bad {
    method: &'static str,
    path: &'static str,
    kind: &'static str,
    body: &'static [u8],
    status: u16,
    problem: &'static str,
}

const fn bad(method: &'static str, path: &'static str, status: u16, problem: &'static str) -> Bad {
    Bad {
        method,
        path,
        kind: "application/json",
        body: b"",
        status,
        problem,
    }
}

#[tokio::test]
async fn every_route_names_what_was_wrong() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "r").await;
    ann.type_text("here").await;
    ann.until_saved().await;
    let json = |path, body, status, problem| Bad {
        body,
        ..bad("POST", path, status, problem)
    };
    let table = [
        bad("GET", "/nowhere", 404, "no-such-route"),
        bad("GET", "/api", 404, "no-such-route"),
        bad("GET", "/yjs/", 404, "no-such-route"),
        bad("GET", "/yjs/r", 400, "bad-request"),
        bad("GET", "/yjs/%ff", 400, "bad-request"),
        bad("PUT", "/api/rooms", 405, "method-not-allowed"),
        bad("POST", "/healthz", 405, "method-not-allowed"),
        bad("POST", "/rooms/r", 405, "method-not-allowed"),
        bad("GET", "/api/rooms/missing", 404, "room-not-found"),
        bad("GET", "/api/rooms/%ff", 400, "path-encoding"),
        bad("GET", "/api/rooms/a%00b", 400, "room-name"),
        bad("DELETE", "/api/rooms/missing", 404, "room-not-found"),
        bad("PATCH", "/api/rooms/missing", 404, "room-not-found"),
        bad(
            "GET",
            "/api/rooms/missing/files/main",
            404,
            "room-not-found",
        ),
        bad("GET", "/api/rooms/r/files/nope", 404, "file-not-found"),
        bad("GET", "/api/rooms/r/files/a%20b", 400, "file-id"),
        bad("PUT", "/api/rooms/r/files/nope", 404, "file-not-found"),
        Bad {
            body: b"\xff\xfe",
            ..bad("PUT", "/api/rooms/r/files/main", 400, "not-utf8")
        },
        bad("GET", "/api/rooms/missing/update", 404, "room-not-found"),
        bad("GET", "/api/rooms/r/update?sv=***", 400, "state-vector"),
        bad("GET", "/api/rooms/r/update?sv=____", 400, "state-vector"),
        bad("GET", "/api/rooms/r/update?sv=a&sv=b", 400, "query"),
        bad("POST", "/api/rooms/r/update", 400, "empty-update"),
        json(
            "/api/rooms/r/update",
            b"\xc6\xfc\xd9\x60",
            422,
            "update-refused",
        ),
        json("/api/rooms/r/update", b"garbage", 422, "update-refused"),
        json(
            "/api/rooms/missing/update",
            b"\x00\x00",
            404,
            "room-not-found",
        ),
        json("/api/rooms", b"{", 400, "bad-json"),
        json("/api/rooms", b"[]", 422, "bad-json"),
        json("/api/rooms", b"{\"name\":7}", 422, "bad-json"),
        json("/rooms/", b"nonsense", 400, "bad-json"),
        Bad {
            kind: "text/plain",
            ..json("/api/rooms", b"{}", 415, "unsupported-media-type")
        },
        json(
            "/api/autocomplete",
            b"{\"cursorPosition\":-1}",
            422,
            "bad-json",
        ),
        json("/autocomplete/", b"{\"code\":[]}", 422, "bad-json"),
    ];
    let http = reqwest::Client::new();
    for case in table {
        let method = case.method.parse().expect("a method");
        let request = http
            .request(method, server.url(case.path))
            .header("content-type", case.kind)
            .body(case.body);
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"].clone();
        let nosniff = response.headers()["x-content-type-options"].clone();
        let body = response.text().await.expect("text");
        let name = format!("{} {}: {body}", case.method, case.path);
        assert_eq!(status, case.status, "{name}");
        assert_eq!(kind, "application/problem+json", "{name}");
        assert_eq!(nosniff, "nosniff");
        let problem: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            problem["type"],
            format!("urn:collab:problem:{}", case.problem),
            "{name}"
        );
        assert_eq!(problem["status"], case.status, "{name}");
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{name}"
        );
    }
    let long = serde_json::json!({"name": "n".repeat(5000)});
    let refused = http
        .post(server.url("/api/rooms"))
        .json(&long)
        .send()
        .await
        .expect("an answer");
    assert_eq!(refused.status(), 400);
    let problem: Value = refused.json().await.expect("JSON");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("1024")),
        "{problem}"
    );
    assert_eq!(ann.closed, None);
    ann.type_text(" still").await;
    ann.until_saved().await;
}

#[tokio::test]
async fn subprotocols_are_chosen_so_that_browsers_stay() {
    let server = Running::start(settings()).await;
    for (offered, chosen) in [
        ("collab.v1", Some("collab.v1")),
        ("y, collab.v1", Some("collab.v1")),
        ("y, tok.1", Some("y")),
        ("", None),
    ] {
        let headers = [("sec-websocket-protocol", offered)];
        let headers = if offered.is_empty() {
            &[][..]
        } else {
            &headers[..]
        };
        let request = client::request(server.address, "r", headers);
        let (_, response) = tokio_tungstenite::connect_async(request)
            .await
            .expect("let in");
        let selected = response.headers().get("sec-websocket-protocol");
        assert_eq!(
            selected.and_then(|name| name.to_str().ok()),
            chosen,
            "{offered}"
        );
    }
}
