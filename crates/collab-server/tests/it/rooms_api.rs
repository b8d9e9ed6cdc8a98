//! Rooms, texts and updates over HTTP, while people are in the room.

use std::io::Read as _;
use std::sync::Arc;

use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Offset, ReplicaId, RoomId};
use collab_server::storage::Store as _;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{Running, settings};

async fn create(server: &Running, body: Value) -> Value {
    let request = reqwest::Client::new()
        .post(server.url("/api/rooms"))
        .json(&body);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.expect("JSON")
}

#[tokio::test]
async fn a_room_is_made_shown_changed_and_deleted() {
    let server = Running::start(settings()).await;
    let http = reqwest::Client::new();
    let body = json!({"name": "Pairing", "language": "rust", "text": "fn main() {}\n"});
    let room = create(&server, body).await;
    let id = room["roomId"].as_str().expect("an id");
    assert_eq!(room["id"], room["roomId"]);
    assert_eq!(room["url"], server.url(&format!("/room/{id}")));
    assert_eq!(room["code"], "fn main() {}\n");
    assert_eq!(
        (&room["name"], &room["language"]),
        (&json!("Pairing"), &json!("rust"))
    );

    let mut ann = Client::collab(server.address, id).await;
    ann.until_text("fn main() {}\n").await;
    let address = server.url(&format!("/api/rooms/{id}"));
    let change = http
        .patch(&address)
        .json(&json!({"name": "Two", "language": "go"}));
    let changed: Value = change
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        (&changed["name"], &changed["language"]),
        (&json!("Two"), &json!("go"))
    );
    assert_eq!(changed["activeUsers"], 1);
    ann.until("the new name", |ann| {
        ann.document.meta("name").as_deref() == Some("Two")
    })
    .await;

    for path in [
        format!("/rooms/{id}"),
        format!("/rooms/{id}/"),
        format!("/api/rooms/{id}/"),
    ] {
        let shown = http.get(server.url(&path)).send().await.expect("an answer");
        let shown: Value = shown.json().await.expect("JSON");
        assert_eq!(shown["code"], "fn main() {}\n", "{path}");
    }

    let removed = http.delete(&address).send().await.expect("an answer");
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert_eq!(ann.until_closed().await.0, 4409);
    let gone = http.get(&address).send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    let again = http.delete(&address).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    // A room of the same name is another document.
    let mut ben = Client::collab(server.address, id).await;
    ben.until_synced().await;
    assert_eq!(ben.text(), "");
    assert_ne!(
        ben.welcome.map(|welcome| welcome.lineage),
        ann.welcome.map(|welcome| welcome.lineage)
    );
}

#[tokio::test]
async fn putting_a_text_edits_only_what_differs() {
    let server = Running::start(settings()).await;
    let http = reqwest::Client::new();
    let room = create(&server, json!({"text": "one\ntwo\nthree\n"})).await;
    let file = server.url(&format!(
        "/api/rooms/{}/files/main",
        room["id"].as_str().expect("id")
    ));
    let mut ann = Client::collab(server.address, room["id"].as_str().expect("an id")).await;
    ann.until_text("one\ntwo\nthree\n").await;
    // Ann's caret stands behind "three".
    let caret = ann
        .document
        .sticky(
            &FileId::main(),
            Offset(13),
            collab_core::document::Assoc::After,
        )
        .expect("a place in the text");

    let seen = http.get(&file).send().await.expect("an answer");
    assert_eq!(seen.headers()["content-type"], "text/plain; charset=utf-8");
    let tag = seen.headers()["etag"].clone();
    assert_eq!(seen.text().await.expect("a text"), "one\ntwo\nthree\n");
    let same = http
        .get(&file)
        .header("if-none-match", &tag)
        .send()
        .await
        .expect("an answer");
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);

    let put = http
        .put(&file)
        .header("if-match", &tag)
        .body("one\n😀 two\nthree\n");
    assert_eq!(
        put.send().await.expect("an answer").status(),
        StatusCode::NO_CONTENT
    );
    ann.until_text("one\n😀 two\nthree\n").await;
    let (_, moved) = ann.document.resolve(&caret).expect("still there");
    assert_eq!(moved, Offset(16), "the caret moved with its text");

    let late = http.put(&file).header("if-match", &tag).body("overwritten");
    let late = late.send().await.expect("an answer");
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
    let problem: Value = late.json().await.expect("JSON");
    assert_eq!(problem["type"], "urn:collab:problem:text-changed");
    assert_eq!(ann.text(), "one\n😀 two\nthree\n");
}

/// Bodies that would be taken for something that they are not.
#[tokio::test]
async fn coded_bodies_and_lists_are_refused_by_name() {
    let server = Running::start(settings()).await;
    let http = reqwest::Client::new();
    let room = create(&server, json!({"text": "as it was\n"})).await;
    let id = room["id"].as_str().expect("an id");
    let file = server.url(&format!("/api/rooms/{id}/files/main"));
    let coded = http
        .put(&file)
        .header("content-encoding", "gzip")
        .body("not a text");
    let list = http
        .post(server.url("/api/autocomplete"))
        .header("content-type", "application/json")
        .body("[]");
    for (request, status, kind) in [
        (
            coded,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-encoding",
        ),
        (list, StatusCode::UNPROCESSABLE_ENTITY, "bad-json"),
    ] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{kind}");
        let problem: Value = answer.json().await.expect("JSON");
        assert_eq!(problem["type"], format!("urn:collab:problem:{kind}"));
    }
    let text = http.get(&file).send().await.expect("an answer");
    assert_eq!(text.text().await.expect("a text"), "as it was\n");
}

/// A small text and one of some hundred lines, each asked for as browsers do and as programs do.
#[tokio::test]
async fn a_long_text_goes_out_compressed_to_whoever_reads_that() {
    let server = Running::start(settings()).await;
    let http = reqwest::Client::new();
    let long = "let answer = 42; // and so on\n".repeat(4_000);
    for (text, compressed) in [("short\n", false), (&*long, true)] {
        let room = create(&server, json!({"text": text})).await;
        let id = room["id"].as_str().expect("an id");
        let file = server.url(&format!("/api/rooms/{id}/files/main"));
        let plain = http.get(&file).send().await.expect("an answer");
        assert!(!plain.headers().contains_key("content-encoding"));
        let tag = plain.headers()["etag"].clone();
        assert_eq!(plain.text().await.expect("a text"), text);
        for wish in ["identity", "gzip;q=0", "br", "zstd"] {
            let answer = http.get(&file).header("accept-encoding", wish);
            let answer = answer.send().await.expect("an answer");
            assert!(!answer.headers().contains_key("content-encoding"), "{wish}");
        }

        let small = http
            .get(&file)
            .header("accept-encoding", "gzip, deflate, br");
        let small = small.send().await.expect("an answer");
        assert_eq!(small.headers().contains_key("content-encoding"), compressed);
        assert_eq!(small.headers().contains_key("vary"), compressed);
        let seen = small.headers()["etag"].clone();
        let bytes = small.bytes().await.expect("bytes");
        if !compressed {
            assert_eq!((&bytes[..], seen), (text.as_bytes(), tag));
            continue;
        }
        assert!(bytes.len() < text.len() / 10, "{} bytes", bytes.len());
        let mut read = String::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut read)
            .expect("gzip");
        assert_eq!(read, text);

        // Its tag is as good as the other's: it names a text, not bytes.
        let again = http.get(&file).header("if-none-match", &seen);
        let again = again.send().await.expect("an answer");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let put = http.put(&file).header("if-match", &seen).body("new\n");
        let put = put.send().await.expect("an answer");
        assert_eq!(put.status(), StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn updates_go_out_and_come_in() {
    let server = Running::start(settings()).await;
    let http = reqwest::Client::new();
    let room = create(&server, json!({"text": "start "})).await;
    let id = room["id"].as_str().expect("an id");
    let url = server.url(&format!("/api/rooms/{id}/update"));
    let whole = http.get(&url).send().await.expect("an answer");
    let whole = whole.bytes().await.expect("bytes");
    let mut replica = Document::load(ReplicaId::ours(77), [&whole[..]]).expect("an update");
    assert_eq!(replica.text(&FileId::main()), "start ");

    let edit = Edit {
        at: Offset(6),
        delete: 0,
        insert: "and end".to_owned(),
    };
    let before = replica.state_vector();
    let update = replica.edit(&FileId::main(), &[edit]).expect("at the end");
    let applied = http
        .post(&url)
        .body(update)
        .send()
        .await
        .expect("an answer");
    assert_eq!(applied.status(), StatusCode::OK);
    let mut ann = Client::collab(server.address, id).await;
    ann.until_text("start and end").await;

    use base64::Engine as _;
    let sv = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(before.encode());
    let diff = http
        .get(format!("{url}?sv={sv}"))
        .send()
        .await
        .expect("an answer");
    let diff = diff.bytes().await.expect("bytes");
    assert!(diff.len() < whole.len() + 10, "only the difference");
    let mut other = Document::load(ReplicaId::ours(78), [&whole[..], &diff[..]]).expect("both");
    assert_eq!(other.text(&FileId::main()), "start and end");
    assert_eq!(other.encode().is_ok(), replica.encode().is_ok());
}

#[tokio::test]
async fn completion_answers_at_every_address() {
    let server = Running::start(settings()).await;
    let http = reqwest::Client::new();
    for path in [
        "/api/autocomplete",
        "/api/autocomplete/",
        "/autocomplete",
        "/autocomplete/",
    ] {
        let body = json!({"code": "def ", "cursorPosition": 4, "language": "python"});
        let answer = http
            .post(server.url(path))
            .json(&body)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let answer: Value = answer.json().await.expect("JSON");
        assert_ne!(answer["suggestion"], "", "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_name_with_slashes_is_one_segment_of_the_api() {
    let server = Running::start(settings()).await;
    let mut ann = Client::collab(server.address, "team/notes%201").await;
    ann.type_text("here").await;
    ann.until_saved().await;
    let url = server.url("/api/rooms/team%2Fnotes%201");
    let shown = reqwest::get(&url).await.expect("an answer");
    let shown: Value = shown.json().await.expect("JSON");
    assert_eq!(
        (&shown["id"], &shown["code"]),
        (&json!("team/notes 1"), &json!("here"))
    );
    assert_eq!(shown["url"], server.url("/room/team/notes%201"));
    let file = reqwest::get(format!("{url}/files/main"))
        .await
        .expect("an answer");
    assert_eq!(file.text().await.expect("text"), "here");
}

/// The page paints this text before it can take part in editing it.
#[tokio::test]
async fn a_sleeping_rooms_text_is_read_without_waiting_for_the_disk() {
    let before = Running::start(settings()).await;
    let room = create(&before, json!({"text": "before WASM\n"})).await;
    let id = room["id"].as_str().expect("an id");
    let store = Arc::clone(&before.store);
    before.stop().await;

    let server = Running::over(settings(), Arc::clone(&store)).await;
    store.hold();
    let url = server.url(&format!("/api/rooms/{id}/files/main"));
    let seen = reqwest::get(&url).await.expect("an answer");
    assert_eq!(seen.status(), StatusCode::OK);
    assert_eq!(seen.headers()["cache-control"], "private, no-cache");
    let tag = seen.headers()["etag"].clone();
    assert_eq!(seen.text().await.expect("a text"), "before WASM\n");
    let head = reqwest::Client::new().head(&url).send().await;
    assert_eq!(head.expect("an answer").headers()["etag"], tag);
    let same = reqwest::Client::new()
        .get(&url)
        .header("if-none-match", tag)
        .send();
    let same = same.await.expect("an answer");
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(same.headers()["cache-control"], "private, no-cache");
    store.release();

    // Asking makes no room, not even where connecting would.
    let nowhere = server.url("/api/rooms/nowhere/files/main");
    let nowhere = reqwest::get(nowhere).await.expect("an answer");
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    assert_eq!(nowhere.headers()["cache-control"], "no-store");
    let name = RoomId::parse("nowhere").expect("a name");
    assert!(store.describe(&name).await.expect("answers").is_none());
}

/// Between the deletion in the database and the room's hearing of it.
#[tokio::test]
async fn nobody_brings_a_deleted_room_back_by_typing() {
    let server = Running::start(settings()).await;
    let mut ann = Client::plain(server.address, "r").await;
    ann.until_synced().await;
    ann.type_text("secret").await;
    let mut ben = Client::collab(server.address, "r").await;
    ben.until_text("secret").await;
    ben.until_saved().await;

    let store = Arc::clone(&server.store);
    store.hold_deletions();
    let delete = reqwest::Client::new().delete(server.url("/api/rooms/r"));
    let deleting = tokio::spawn(delete.send());
    let name = RoomId::parse("r").expect("a name");
    while store.describe(&name).await.expect("answers").is_some() {
        tokio::task::yield_now().await;
    }
    // The append of this is refused like that of a room which moved to another server. Who is sent
    // there comes back with everything.
    ann.type_text(" and more").await;
    assert_eq!(ann.until_closed().await.0, 4409);
    assert_eq!(ben.until_closed().await.0, 4409);

    // The next room of the name is another one, and late news of the deletion is none to it.
    let mut cleo = Client::collab(server.address, "r").await;
    cleo.until_synced().await;
    assert_eq!(cleo.text(), "");
    store.release_deletions();
    let deleted = deleting.await.expect("it ends").expect("an answer");
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    cleo.type_text("new").await;
    cleo.until_saved().await;
    let mut dan = Client::collab(server.address, "r").await;
    dan.until_text("new").await;
    assert_eq!(cleo.closed, None);
}
