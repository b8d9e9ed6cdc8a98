//! A room that nobody is in goes to sleep; whoever knocks at that very moment is let in by the next
//! one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::client::Client;
use crate::server::{PATIENCE, Running, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_join_is_lost_however_often_a_room_retires() {
    let mut settings = settings();
    settings.rooms.room.idle_ms = 0;
    let server = Running::start(settings).await;
    // Until the room has retired and come back twenty times between the two of them.
    const LIVES: u64 = 20;
    let mut tasks = Vec::new();
    // One comes as the other goes: with both in it at once, the room would hardly ever retire.
    let stay = Arc::new(Mutex::new(()));
    for person in 0..2 {
        let address = server.address;
        let stay = Arc::clone(&stay);
        tasks.push(tokio::spawn(async move {
            for words in 1.. {
                let _stay = stay.lock().await;
                let mut client = Client::collab(address, "r").await;
                client.until_synced().await;
                client.type_text(&format!("{person}:{words} ")).await;
                client.until_saved().await;
                // Gone without a word, so that the room may retire at any moment.
                if client
                    .welcome
                    .is_some_and(|welcome| welcome.epoch.0 >= LIVES)
                {
                    return words;
                }
            }
            unreachable!("it goes on until it returns")
        }));
    }
    let mut words = 0;
    for task in tasks {
        let typed = tokio::time::timeout(PATIENCE, task).await;
        words += typed
            .expect("the room retires now and then")
            .expect("every join is answered");
    }
    let mut last = Client::collab(server.address, "r").await;
    last.until("every word", |client| {
        client.text().split_whitespace().count() == words
    })
    .await;
}

/// Both at once, as the room goes: whichever of them wakes it, both are in the same one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_come_at_the_same_moment_meet_in_one_room() {
    let mut settings = settings();
    settings.rooms.room.idle_ms = 0;
    let server = Running::start(settings).await;
    const LIVES: u64 = 20;
    // From no time at all to more than any room needs to go.
    const AWAY_MS: [u64; 6] = [0, 1, 2, 4, 8, 16];
    let visit = async |word: String| {
        let mut client = Client::collab(server.address, "r").await;
        client.until_synced().await;
        client.type_text(&word).await;
        client.until_saved().await;
        client
    };
    let rounds = async {
        for (round, away) in AWAY_MS.into_iter().cycle().enumerate() {
            let (mut ann, mut ben) = tokio::join!(
                visit(format!("ann:{round} ")),
                visit(format!("ben:{round} "))
            );
            for client in [&mut ann, &mut ben] {
                client
                    .until("every word", |client| {
                        client.text().split_whitespace().count() == 2 * (round + 1)
                    })
                    .await;
            }
            let lives =
                [&ann, &ben].map(|client| client.welcome.as_ref().map(|welcome| welcome.epoch));
            assert_eq!(lives[0], lives[1], "round {round}");
            if lives[0].is_some_and(|epoch| epoch.0 >= LIVES) {
                return;
            }
            // Gone without a word, both of them.
            drop((ann, ben));
            tokio::time::sleep(Duration::from_millis(away)).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, rounds).await;
    done.expect("the room retires now and then");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_meet_a_retiring_room_too() {
    let mut settings = settings();
    settings.rooms.room.idle_ms = 0;
    let server = Running::start(settings).await;
    let http = reqwest::Client::new();
    let room = http
        .post(server.url("/api/rooms"))
        .send()
        .await
        .expect("an answer");
    let room: serde_json::Value = room.json().await.expect("JSON");
    let file = server.url(&format!(
        "/api/rooms/{}/files/main",
        room["id"].as_str().expect("id")
    ));
    for n in 0..60 {
        let text = n.to_string();
        let put = http
            .put(&file)
            .body(text.clone())
            .send()
            .await
            .expect("an answer");
        assert_eq!(put.status(), 204, "{n}");
        let got = http.get(&file).send().await.expect("an answer");
        assert_eq!(got.text().await.expect("text"), text);
    }
}

#[tokio::test]
async fn a_question_does_not_keep_a_creator_out() {
    // Asked about by programs that may not create it, entered by a client that may.
    let server = Running::start(settings()).await;
    for n in 0..20 {
        let room = format!("room-{n}");
        let url = server.url(&format!("/api/rooms/{room}"));
        let (asked, mut ann) =
            tokio::join!(reqwest::get(url), Client::collab(server.address, &room));
        let asked = asked.expect("an answer").status();
        assert!(asked == 404 || asked == 200, "{asked}");
        ann.until_synced().await;
    }
}
