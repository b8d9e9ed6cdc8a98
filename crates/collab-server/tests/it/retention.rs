//! History that is not kept for ever: what goes, and that everything else stays as it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use collab_core::ids::Seq;
use collab_core::time::Millis;
use collab_server::history::housekeeper;
use collab_server::history::keeping::{self, Retention};
use collab_server::storage::history::{Base, VersionKind};
use collab_server::storage::{RoomKey, Store};
use serde_json::{Value, json};

use crate::server::{PATIENCE, Running, settings};

/// A room with a past, on a running server.
struct Past {
    server: Running,
    http: reqwest::Client,
    room: String,
    key: RoomKey,
    /// Text at each version, by id.
    texts: BTreeMap<u64, String>,
    /// Ids of those with a name.
    named: Vec<u64>,
}

/// Everything must go, as soon as it is in the archive.
const AT_ONCE: Retention = Retention {
    age_ms: None,
    room_bytes: Some(0),
};

impl Past {
    /// Writes until the first versions are in the archive alone: some with a name, some without.
    async fn new() -> Past {
        let mut settings = settings();
        settings.rooms.room.compact_records = 4;
        settings.rooms.room.version_pause_ms = u64::from(u32::MAX);
        let server = Running::start(settings).await;
        let http = reqwest::Client::new();
        let made = http.post(server.url("/api/rooms")).json(&json!({}));
        let made: Value = made.send().await.unwrap().json().await.unwrap();
        let room = made["roomId"].as_str().expect("an id").to_owned();
        let key = server.store.info(&room).await.key;
        let mut past = Past {
            server,
            http,
            room,
            key,
            texts: BTreeMap::new(),
            named: Vec::new(),
        };
        for round in 0..6 {
            let text = format!("round {round}\n{}", "line\n".repeat(round));
            past.write(&text).await;
            let id = past.version(Some(&format!("name {round}")), &text).await;
            past.named.push(id);
            let text = format!("{text}and more\n");
            past.write(&text).await;
            past.version(None, &text).await;
        }
        let mut places = past.places().await;
        places.sort_unstable();
        while past.archived().await.is_none_or(|last| last <= places[3]) {
            past.write("again\n").await;
            past.write("the end\n").await;
        }
        past
    }

    fn url(&self, path: &str) -> String {
        self.server.url(&format!("/api/rooms/{}{path}", self.room))
    }

    async fn write(&self, text: &str) {
        let put = self.http.put(self.url("/files/main")).body(text.to_owned());
        assert_eq!(put.send().await.expect("an answer").status(), 204);
    }

    /// A version of now.
    async fn version(&mut self, name: Option<&str>, text: &str) -> u64 {
        let make = self.http.post(self.url("/versions"));
        let named = make.json(&json!({"name": name.unwrap_or("x")}));
        let made: Value = named.send().await.unwrap().json().await.unwrap();
        let id = made["id"].as_u64().expect("an id");
        if name.is_none() {
            let patch = self.http.patch(self.url(&format!("/versions/{id}")));
            let unnamed = patch.json(&json!({"name": null})).send().await;
            assert_eq!(unnamed.expect("an answer").status(), 200);
        }
        self.texts.insert(id, text.to_owned());
        id
    }

    /// The end of the archive.
    async fn archived(&self) -> Option<Seq> {
        let archived = self.server.store.history().archived(self.key).await;
        archived.expect("answers").chunks.last().map(|it| it.last)
    }

    async fn places(&self) -> Vec<Seq> {
        let versions = self.server.store.history().versions(self.key, None, 200);
        let versions = versions.await.expect("answers");
        versions.iter().map(|version| version.seq).collect()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(self.url(path)).send().await;
        let answer = answer.expect("an answer");
        (
            answer.status().as_u16(),
            answer.text().await.expect("a body"),
        )
    }

    /// What of the versions reads as it must: by id, the status otherwise.
    async fn readable(&self) -> BTreeMap<u64, Result<(), u16>> {
        let mut found = BTreeMap::new();
        for (id, text) in &self.texts {
            let (status, body) = self.get(&format!("/versions/{id}/files/main")).await;
            let read = match status {
                200 => {
                    assert_eq!(&body, text, "version {id} says something else");
                    Ok(())
                }
                status => Err(status),
            };
            found.insert(*id, read);
        }
        found
    }

    /// Everything that opens the room: its log and what it says.
    async fn live(&self) -> (Vec<(Seq, bytes::Bytes)>, String, Value) {
        let rows = self.server.store.load(self.key).await.expect("reads");
        let (_, text) = self.get("/files/main").await;
        let snapshot = rows.snapshot.map(|snapshot| snapshot.seq.0);
        (
            rows.records,
            text,
            json!({"snapshot": snapshot, "head": rows.head.0}),
        )
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.server.store) as Arc<dyn Store>
    }

    async fn trim(&self, retention: Retention) -> keeping::Removed {
        let mut all = keeping::Removed::default();
        let now = Millis(u64::MAX / 2);
        while let Some(removed) = keeping::trim(&self.store(), self.key, &retention, now)
            .await
            .expect("the archive is sound")
        {
            all.add(removed);
        }
        all
    }
}

#[tokio::test]
async fn what_must_go_goes_and_what_must_stay_stays() {
    let past = Past::new().await;
    let before = past.live().await;
    assert!(past.readable().await.values().all(Result::is_ok));
    // Kept for ever: nothing goes.
    assert_eq!(
        past.trim(Retention::default()).await,
        keeping::Removed::default()
    );
    let some_days = Retention {
        age_ms: Some(u64::MAX / 2),
        room_bytes: Some(1 << 30),
    };
    assert_eq!(past.trim(some_days).await, keeping::Removed::default());
    assert!(past.readable().await.values().all(Result::is_ok));

    let end = past.archived().await.expect("an archive");
    let removed = past.trim(AT_ONCE).await;
    assert!(
        removed.chunks > 0 && removed.turns > 0 && removed.bytes > 0,
        "{removed:?}"
    );
    assert!(removed.versions > 0 && removed.kept > 0, "{removed:?}");
    assert_eq!(past.archived().await, None);
    assert_eq!(past.live().await, before, "the document is not concerned");
    let readable = past.readable().await;
    for (id, read) in &readable {
        match past.named.contains(id) {
            true => assert_eq!(*read, Ok(()), "version {id} has a name"),
            false => assert!(matches!(read, Ok(()) | Err(404)), "version {id}: {read:?}"),
        }
    }
    let gone = readable.values().filter(|read| **read == Err(404)).count();
    assert_eq!(gone as u64, removed.versions);
    assert_eq!(past.get("/versions/t1000").await.0, 410);
    assert!(past.get("/versions/t1000").await.1.contains("history-gone"));
    assert_eq!(past.get("/versions/now").await.0, 200);
    // Where the archive ends now, and everything behind it, is there.
    let history = past.server.store.history();
    let behind = history
        .versions(past.key, None, 200)
        .await
        .expect("answers");
    for version in behind.iter().filter(|version| version.seq >= end) {
        let id = version.id.0;
        assert_eq!(readable[&id], Ok(()), "version {id} at {}", version.seq);
    }
    // Named ones are compared and restored as before.
    let oldest = past.named.first().expect("one");
    let (status, diff) = past.get(&format!("/diff?from={oldest}&to=now")).await;
    assert_eq!(status, 200, "{diff}");
    let restore = past
        .http
        .post(past.url(&format!("/versions/{oldest}/restore")));
    assert_eq!(restore.send().await.expect("an answer").status(), 200);
    assert_eq!(&past.get("/files/main").await.1, &past.texts[oldest]);
    // Life goes on: the archive grows again behind its base, and is trimmed again.
    while past.archived().await.is_none() {
        past.write("later\n").await;
        past.write("and later\n").await;
    }
    assert!(past.trim(AT_ONCE).await.chunks > 0);
    let readable = past.readable().await;
    assert!(past.named.iter().all(|id| readable[id] == Ok(())));
    past.server.stop().await;
}

/// The check above can fail: chunks that go without the states of named versions are missed.
#[tokio::test]
async fn a_name_that_was_not_kept_would_be_noticed() {
    let past = Past::new().await;
    let history = past.server.store.history();
    let archived = history.archived(past.key).await.expect("answers");
    let last = archived.chunks.last().expect("an archive");
    let base = Base {
        seq: last.last,
        at: last.last_at,
        state: vec![0, 0].into(),
    };
    history.forget(past.key, base).await.expect("goes");
    let mut gone = 0;
    for id in &past.named {
        let (status, _) = past.get(&format!("/versions/{id}/files/main")).await;
        gone += u32::from(status == 410);
    }
    assert!(gone > 0);
    past.server.stop().await;
}

#[tokio::test]
async fn a_damaged_archive_is_kept_as_it_is() {
    let past = Past::new().await;
    let (all, before) = (past.places().await, past.live().await);
    let harm = |room: &mut collab_server::storage::memory::MemoryRoom| {
        let (chunk, _) = room.history.chunks.values_mut().next().expect("one");
        let mut body = chunk.body.to_vec();
        body[10] ^= 1;
        chunk.body = body.into();
    };
    past.server.store.tamper(&past.room, harm).await;
    let now = Millis(u64::MAX / 2);
    let refused = keeping::trim(&past.store(), past.key, &AT_ONCE, now).await;
    assert!(
        matches!(
            refused,
            Err(collab_server::history::past::PastError::Damaged(_))
        ),
        "{refused:?}"
    );
    assert!(past.archived().await.is_some());
    assert_eq!(past.places().await, all);
    assert_eq!(past.live().await, before);
    past.server.stop().await;
}

/// The server does it by itself, and says so.
#[tokio::test]
async fn the_housekeeper_removes_what_is_too_old_and_reports_it() {
    let past = Past::new().await;
    let store = Arc::clone(&past.server.store);
    let Past {
        server,
        room,
        key,
        texts,
        named,
        ..
    } = past;
    server.stop().await;
    let mut settings = settings();
    settings.history = housekeeper::Settings {
        retention: Retention {
            age_ms: Some(1),
            room_bytes: None,
        },
        first_after: Duration::ZERO,
        every: Duration::from_millis(10),
    };
    let server = Running::over(settings, store).await;
    let gone = async {
        let history = server.store.history();
        while !history
            .archived(key)
            .await
            .expect("answers")
            .chunks
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it goes");
    for id in named {
        let path = format!("/api/rooms/{room}/versions/{id}/files/main");
        let answer = reqwest::get(server.url(&path)).await.expect("an answer");
        assert_eq!(answer.text().await.expect("a text"), texts[&id]);
    }
    let history = server.store.history();
    let left = history.versions(key, None, 200).await.expect("answers");
    assert!(left.iter().any(|it| it.kind == VersionKind::Named));
    let counted = async |name: &str| {
        let metrics = reqwest::get(server.url("/metrics")).await;
        let metrics = metrics.expect("an answer").text().await.expect("a text");
        let line = metrics.lines().find(|line| line.starts_with(name));
        let count = line.and_then(|line| line.rsplit_once(' ')).map(|it| it.1);
        count.and_then(|count| count.parse().ok()).unwrap_or(0.0)
    };
    for name in [
        "collab_history_removed_changes_total",
        "collab_history_removed_bytes_total",
        "collab_history_removed_versions_total",
    ] {
        let reported = async {
            while counted(name).await <= 0.0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, reported).await.expect(name);
    }
    server.stop().await;
}
