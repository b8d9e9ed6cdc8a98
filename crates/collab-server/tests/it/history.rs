//! What a room was: versions read, compared and restored, before and after the log was folded.

use collab_core::ids::{RoomId, Seq};
use collab_server::storage::Store as _;
use serde_json::{Value, json};

use crate::server::{Running, settings};

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[tokio::test]
async fn versions_are_read_compared_and_restored_from_log_and_archive() {
    let mut settings = settings();
    settings.rooms.room.compact_records = 4;
    let server = Running::start(settings).await;
    let http = reqwest::Client::new();
    let seed = http
        .post(server.url("/api/rooms"))
        .json(&json!({"text": "x"}));
    let (_, made) = answer(seed).await;
    let room = made["roomId"].as_str().expect("an id").to_owned();
    let url = |path: &str| server.url(&format!("/api/rooms/{room}{path}"));
    let write = async |text: &str| {
        let put = http.put(url("/files/main")).body(text.to_owned());
        assert_eq!(answer(put).await.0, 204);
    };
    write("one\ntwo\n").await;
    let name = http.post(url("/versions")).json(&json!({"name": "first"}));
    let (status, first) = answer(name).await;
    assert_eq!((status, &first["kind"]), (201, &json!("named")));
    let id = first["id"].as_u64().expect("an id");
    for round in 0..30 {
        write(&format!("one\n{round}\nthree\n")).await;
    }
    // The rows of the first version are in the archive by now.
    let store = &server.store;
    let info = store.describe(&RoomId::parse(&room).expect("a name")).await;
    let key = info.expect("answers").expect("is there").key;
    while store
        .history()
        .archived(key)
        .await
        .expect("answers")
        .chunks
        .is_empty()
    {
        write("again\n").await;
        write("one\n29\nthree\n").await;
    }
    let rows = store.history().records(key, Seq(0)).await.expect("answers");
    assert!(
        rows.first().is_some_and(|(seq, _)| *seq > Seq(2)),
        "rows went"
    );

    let (_, then) = answer(http.get(url(&format!("/versions/{id}")))).await;
    assert_eq!(then["files"][0]["text"], "one\ntwo\n");
    assert_eq!(then["name"], "first");
    let (_, text) = answer(http.get(url(&format!("/versions/{id}/files/main")))).await;
    assert_eq!(text, "one\ntwo\n");
    let (_, diff) = answer(http.get(url(&format!("/diff?from={id}&to=now")))).await;
    let lines = &diff["files"][0]["hunks"][0]["lines"];
    assert_eq!(lines[0], json!({"kind": "same", "text": "one"}));
    assert_eq!(lines[1], json!({"kind": "removed", "text": "two"}));
    let plain = http
        .get(url(&format!("/diff?from={id}&to=now")))
        .header("accept", "text/plain");
    let (_, plain) = answer(plain).await;
    assert!(
        plain.as_str().expect("text").contains("-two\n+29\n"),
        "{plain}"
    );

    let (status, restored) = answer(http.post(url(&format!("/versions/{id}/restore")))).await;
    assert_eq!(status, 200, "{restored}");
    assert_eq!(answer(http.get(url("/files/main"))).await.1, "one\ntwo\n");
    // What it made just before undoes it.
    let before = restored["version"]["id"].as_u64().expect("an id");
    let (status, _) = answer(http.post(url(&format!("/versions/{before}/restore")))).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer(http.get(url("/files/main"))).await.1,
        "one\n29\nthree\n"
    );
    let (_, page) = answer(http.get(url("/versions?limit=2"))).await;
    assert_eq!(page["versions"][0]["kind"], "restored");
    assert!(page["next"].is_u64());

    assert_eq!(answer(http.get(url("/versions/999999"))).await.0, 404);
    assert_eq!(answer(http.get(url("/versions/soon"))).await.0, 400);
    assert_eq!(
        answer(http.get(url(&format!("/versions/{id}/files/none"))))
            .await
            .0,
        404
    );
}
