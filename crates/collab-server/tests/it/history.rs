//! What a room was: versions read, compared and restored, before and after the log was folded.

use collab_core::document::{Document, Edit};
use collab_core::ids::{Offset, ReplicaId, RoomId, Seq};
use collab_core::time::Millis;
use collab_server::storage::Store as _;
use collab_server::storage::history::Author;
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

/// Somebody who writes into a root text of an editor that is not ours.
struct Writer {
    document: Document,
    url: String,
}

impl Writer {
    fn new(replica: u32, url: String) -> Writer {
        let document = Document::new(ReplicaId::ours(replica));
        Writer { document, url }
    }

    /// Hears of everything, makes an edit, and waits until it is durable.
    async fn edit(&mut self, at: u32, delete: u32, insert: &str) {
        let http = reqwest::Client::new();
        let state = http.get(&self.url).send().await.expect("an answer");
        let state = state.bytes().await.expect("a body");
        self.document.apply_from_server(&state).expect("sound");
        let edit = Edit {
            at: Offset(at),
            delete,
            insert: insert.to_owned(),
        };
        let update = self.document.edit_root("prose", &[edit]).expect("fits");
        let sent = http.post(&self.url).body(update.to_vec());
        assert_eq!(answer(sent).await.0, 200);
    }
}

/// Plays a replay and checks its form: the text at the end, and who made each change.
fn played(replay: &Value) -> (String, Vec<Value>) {
    let lines: Vec<Value> = replay
        .as_str()
        .expect("lines")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let (head, rest) = lines.split_first().expect("a first line");
    let (end, changes) = rest.split_last().expect("a last line");
    assert_eq!(end["changes"], changes.len());
    assert!(head["changes"].as_u64().expect("a count") >= changes.len() as u64);
    let mut text: Vec<u16> = head["text"]
        .as_str()
        .expect("text")
        .encode_utf16()
        .collect();
    let number = |value: &Value| usize::try_from(value.as_u64().expect("a number")).expect("small");
    for change in changes {
        for one in change[2].as_array().expect("replacements") {
            let at = number(&one[0]);
            let inserted = one[2].as_str().expect("text").encode_utf16();
            text.splice(at..at + number(&one[1]), inserted);
        }
    }
    let authors = changes.iter().map(|change| {
        let index = change[1].as_u64().and_then(|it| usize::try_from(it).ok());
        index.map_or(Value::Null, |index| head["authors"][index]["name"].clone())
    });
    (String::from_utf16(&text).expect("whole"), authors.collect())
}

#[tokio::test]
async fn a_foreign_text_is_replayed_blamed_and_counted_from_log_and_archive() {
    let mut settings = settings();
    settings.rooms.room.compact_records = 4;
    let server = Running::start(settings).await;
    let http = reqwest::Client::new();
    let (_, made) = answer(http.post(server.url("/api/rooms")).json(&json!({}))).await;
    let room = made["roomId"].as_str().expect("an id").to_owned();
    let url = |path: &str| server.url(&format!("/api/rooms/{room}{path}"));
    let mut ana = Writer::new(71, url("/update"));
    let mut ben = Writer::new(72, url("/update"));
    ana.edit(0, 0, "one\ntwo\n").await;
    ben.edit(4, 3, "2 😀").await;
    let (_, kept) = answer(http.post(url("/versions")).json(&json!({"name": "here"}))).await;
    let kept = kept["id"].as_u64().expect("an id");
    let info = server.store.info(&room).await;
    let author = |replica, name: &str| Author {
        replica: ReplicaId::ours(replica),
        name: name.to_owned(),
        color: "#0871c2".to_owned(),
        at: Millis(1),
    };
    let said = vec![author(71, "Ana"), author(72, "Ben"), author(73, "Guest")];
    let history = server.store.history();
    history
        .put_authors(info.key, info.lineage, said)
        .await
        .expect("answers");
    ana.edit(0, 0, "a").await;
    let check = async || {
        let whole = url("/replay?file=root%3Aprose&from=t0&to=now");
        let (status, replay) = answer(http.get(whole)).await;
        assert_eq!(status, 200, "{replay}");
        let (text, authors) = played(&replay);
        let now = answer(http.get(url("/versions/now/files/root%3Aprose")))
            .await
            .1;
        assert_eq!(text, now.as_str().expect("text"));
        assert_eq!(authors[..3], [json!("Ana"), json!("Ben"), json!("Ana")]);
        let since = url(&format!("/replay?file=root%3Aprose&from={kept}&to=now"));
        let (_, since) = answer(http.get(since)).await;
        assert!(
            since
                .as_str()
                .expect("lines")
                .contains(r#""text":"one\n2 😀\n""#),
            "{since}"
        );
        assert_eq!(played(&since).0, text);
        let until = url(&format!("/replay?file=root%3Aprose&from=t0&to={kept}"));
        let (_, until) = answer(http.get(until)).await;
        assert_eq!(played(&until).0, "one\n2 😀\n");
    };
    check().await;
    // The same once the log is in the archive.
    let mut written = 1;
    while history
        .archived(info.key)
        .await
        .expect("answers")
        .chunks
        .is_empty()
    {
        ana.edit(0, 0, "a").await;
        written += 1;
    }
    check().await;

    let (status, blame) = answer(http.get(url("/blame/root%3Aprose"))).await;
    assert_eq!(status, 200, "{blame}");
    let by = |run: &Value| {
        let index = usize::try_from(run["author"].as_u64().expect("known")).expect("small");
        blame["authors"][index]["name"].clone()
    };
    let runs = blame["runs"].as_array().expect("runs");
    let lines: Vec<(u64, Value)> = runs
        .iter()
        .map(|run| (run["lines"].as_u64().expect("a count"), by(run)))
        .collect();
    assert_eq!(lines, [(1, json!("Ana")), (1, json!("Ben"))]);
    assert_eq!(blame["authors"].as_array().expect("authors").len(), 2);

    let (status, activity) = answer(http.get(url("/activity?buckets=1"))).await;
    assert_eq!(status, 200, "{activity}");
    let mut bucket = activity["buckets"][0].as_array().expect("sums").clone();
    bucket.sort_by_key(ToString::to_string);
    assert_eq!(bucket, [json!([0, 8 + written, 0]), json!([1, 4, 3])]);

    for (path, status) in [
        ("/replay?file=none", 404),
        ("/replay?from=t0", 400),
        ("/replay?file=main&from=soon", 400),
        ("/replay?file=main", 200),
        ("/replay?file=main&from=999999", 404),
        ("/blame/none", 404),
        ("/blame/main", 200),
        ("/activity?buckets=0", 400),
        ("/activity?buckets=2001", 400),
        ("/activity", 200),
    ] {
        assert_eq!(answer(http.get(url(path))).await.0, status, "{path}");
    }
    let nowhere = server.url("/api/rooms/nowhere/activity");
    assert_eq!(answer(http.get(nowhere)).await.0, 404);
}
