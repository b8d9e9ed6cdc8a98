//! Versions that rooms make of themselves, and what every version says of who wrote.

use collab_core::protocol::awareness::{self, Entry};
use collab_core::protocol::{Message, codec};
use collab_server::Settings;
use collab_server::storage::Store as _;
use collab_server::storage::history::Version;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{PATIENCE, Running, settings};

const HOUR_MS: u64 = 3_600_000;

/// Versions only when a room goes to sleep, which it does soon.
fn asleep_soon() -> Settings {
    let mut settings = settings();
    settings.rooms.room.idle_ms = 20;
    settings
}

/// Versions after every pause.
fn often() -> Settings {
    let mut settings = settings();
    settings.rooms.room.version_pause_ms = 20;
    settings.rooms.room.version_apart_ms = 0;
    settings.rooms.room.version_busy_ms = HOUR_MS;
    settings
}

async fn say(client: &mut Client, name: &str, color: &str) {
    let entry = Entry {
        replica: client.replica,
        clock: 1,
        state: Some(json!({"user": {"name": name, "color": color}}).to_string()),
    };
    let body = awareness::encode([entry].iter());
    client.raw(codec::encode(&Message::Awareness(body))).await;
}

async fn versions(server: &Running, room: &str) -> Vec<Value> {
    let url = server.url(&format!("/api/rooms/{room}/versions?limit=200"));
    let answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let page: Value = answer.json().await.expect("JSON");
    page["versions"].as_array().expect("a list").clone()
}

/// Waits until there are so many versions; newest first.
async fn until(server: &Running, room: &str, count: usize) -> Vec<Value> {
    let wait = async {
        loop {
            let there = versions(server, room).await;
            if there.len() >= count {
                return there;
            }
            tokio::task::yield_now().await;
        }
    };
    let there = tokio::time::timeout(PATIENCE, wait).await;
    let there = there.expect("the versions come");
    assert_eq!(there.len(), count, "{there:?}");
    there
}

async fn text_at(server: &Running, room: &str, version: &Value) -> String {
    let id = &version["id"];
    let url = server.url(&format!("/api/rooms/{room}/versions/{id}/files/main"));
    let answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.text().await.expect("a text")
}

fn told(version: &Value) -> (Vec<&str>, u64, u64) {
    let authors = version["authors"].as_array().expect("a list");
    let names = authors
        .iter()
        .map(|author| author["name"].as_str().expect("a name"))
        .collect();
    let count = |key: &str| version[key].as_u64().expect("a count");
    (names, count("insertions"), count("deletions"))
}

#[tokio::test]
async fn a_pause_makes_a_version_that_says_who_wrote_and_how_much() {
    let server = Running::start(often()).await;
    let mut ada = Client::collab(server.address, "r").await;
    ada.until_synced().await;
    say(&mut ada, "Ada", "#112233").await;
    ada.type_text("hello 😀").await;
    let there = until(&server, "r", 1).await;
    assert_eq!(there[0]["kind"], "automatic");
    assert_eq!(there[0]["name"], Value::Null);
    assert_eq!(told(&there[0]), (vec!["Ada"], 8, 0));
    assert_eq!(there[0]["authors"][0]["color"], "#112233");
    assert_eq!(text_at(&server, "r", &there[0]).await, "hello 😀");

    // Who only deletes, in another editor.
    let mut bob = Client::plain(server.address, "r").await;
    say(&mut bob, "Bob", "#445566").await;
    bob.until_text("hello 😀").await;
    bob.delete_all().await;
    let there = until(&server, "r", 2).await;
    assert_eq!(told(&there[0]), (vec!["Bob"], 0, 8));
    assert_eq!(text_at(&server, "r", &there[0]).await, "");
    assert_eq!(text_at(&server, "r", &there[1]).await, "hello 😀");

    server.stop().await;
}

/// Waits until so many authors are remembered.
async fn until_known(server: &Running, room: &str, count: usize) {
    let key = server.store.info(room).await.key;
    let history = server.store.history();
    let known = async {
        while history.authors(key).await.expect("answers").len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, known)
        .await
        .expect("they are told");
}

#[tokio::test]
async fn named_versions_say_it_too() {
    let server = Running::start(settings()).await;
    let mut ada = Client::collab(server.address, "r").await;
    ada.until_synced().await;
    say(&mut ada, "Ada", "#112233").await;
    ada.type_text("one").await;
    ada.until_saved().await;
    until_known(&server, "r", 1).await;
    let http = reqwest::Client::new();
    let name = async |name: &str| -> Value {
        let url = server.url("/api/rooms/r/versions");
        let made = http.post(url).json(&json!({"name": name})).send().await;
        made.expect("an answer").json().await.expect("JSON")
    };
    assert_eq!(told(&name("first").await), (vec!["Ada"], 3, 0));
    assert_eq!(told(&name("nothing since").await), (vec![], 0, 0));
    ada.delete_all().await;
    ada.type_text("two!").await;
    ada.until_saved().await;
    assert_eq!(told(&name("second").await), (vec!["Ada"], 4, 3));
    // Most first.
    let mut bob = Client::plain(server.address, "r").await;
    say(&mut bob, "Bob", "#445566").await;
    bob.until_text("two!").await;
    bob.type_text("12345").await;
    ada.until_text("two!12345").await;
    ada.type_text("6").await;
    ada.until_saved().await;
    until_known(&server, "r", 2).await;
    assert_eq!(told(&name("third").await), (vec!["Bob", "Ada"], 6, 0));
    // A restore by a program: nobody's, and counted.
    let first = versions(&server, "r").await.last().expect("the first")["id"].clone();
    let url = server.url(&format!("/api/rooms/r/versions/{first}/restore"));
    let restored = http.post(url).send().await.expect("an answer");
    assert_eq!(restored.status(), 200);
    let there = versions(&server, "r").await;
    assert_eq!(there[0]["kind"], "restored");
    let (authors, insertions, deletions) = told(&there[0]);
    assert_eq!(
        (authors.len(), deletions),
        (0, insertions + 7),
        "ten units became three"
    );
    assert_eq!(there[1]["kind"], "automatic");
    assert_eq!(told(&there[1]), (vec![], 0, 0));
    server.stop().await;
}

async fn stored(server: &Running, room: &str) -> Vec<Version> {
    let key = server.store.info(room).await.key;
    let history = server.store.history();
    history.versions(key, None, 200).await.expect("answers")
}

#[tokio::test]
async fn a_room_has_its_version_before_it_sleeps_and_a_restart_makes_no_other() {
    let server = Running::start(asleep_soon()).await;
    let mut ada = Client::collab(server.address, "r").await;
    ada.until_synced().await;
    ada.type_text("one").await;
    ada.until_saved().await;
    drop(ada);
    let there = until(&server, "r", 1).await;
    assert_eq!(text_at(&server, "r", &there[0]).await, "one");
    let store = std::sync::Arc::clone(&server.store);
    server.stop().await;

    let server = Running::over(asleep_soon(), store).await;
    // Comes, looks and goes: the room wakes and sleeps again, and has nothing to make a version of.
    for _ in 0..2 {
        let mut bob = Client::collab(server.address, "r").await;
        bob.until_text("one").await;
    }
    let mut ada = Client::collab(server.address, "r").await;
    ada.until_text("one").await;
    ada.type_text("!").await;
    ada.until_saved().await;
    drop(ada);
    let there = until(&server, "r", 2).await;
    assert_eq!(text_at(&server, "r", &there[0]).await, "one!");
    let places: Vec<u64> = stored(&server, "r")
        .await
        .iter()
        .map(|it| it.seq.0)
        .collect();
    assert_eq!(places, [2, 1], "each place once");
    server.stop().await;
}

#[tokio::test]
async fn what_a_stopped_server_left_has_its_version_when_the_room_wakes() {
    let server = Running::start(settings()).await;
    let mut ada = Client::collab(server.address, "r").await;
    ada.until_synced().await;
    ada.type_text("one").await;
    ada.until_saved().await;
    let store = std::sync::Arc::clone(&server.store);
    server.stop().await;
    let mut settings = often();
    settings.rooms.room.version_pause_ms = 1;
    let server = Running::over(settings, store).await;
    assert_eq!(stored(&server, "r").await, []);
    let mut bob = Client::collab(server.address, "r").await;
    bob.until_text("one").await;
    let there = until(&server, "r", 1).await;
    assert_eq!(text_at(&server, "r", &there[0]).await, "one");
    server.stop().await;
}
