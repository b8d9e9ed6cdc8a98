//! Who wrote: names out of presence, of our page and of other editors, kept for the history.

use collab_core::ids::ReplicaId;
use collab_core::presence::person::MAX_PERSON_NAME;
use collab_core::protocol::awareness::{self, Entry};
use collab_core::protocol::{Message, codec};
use collab_server::storage::Store as _;
use collab_server::storage::history::Author;
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{PATIENCE, Running, settings};

/// What a client tells of itself.
async fn say(client: &mut Client, replica: ReplicaId, clock: u64, state: &Value) {
    let entry = Entry {
        replica,
        clock,
        state: Some(state.to_string()),
    };
    let body = awareness::encode([entry].iter());
    client.raw(codec::encode(&Message::Awareness(body))).await;
}

/// Waits until storage remembers so many authors whose names are these, and no others.
async fn remembered(
    server: &Running,
    room: &str,
    names: &[(ReplicaId, &str, &str)],
) -> Vec<Author> {
    let key = server.store.info(room).await.key;
    let wait = async {
        loop {
            let authors = server.store.history().authors(key).await.expect("answers");
            let known: Vec<_> = authors
                .iter()
                .map(|author| (author.replica, &author.name[..], &author.color[..]))
                .collect();
            if known == names {
                return authors;
            }
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    match waited {
        Ok(authors) => authors,
        Err(_) => panic!(
            "waited too long for {names:?}; there are {:?}",
            server.store.history().authors(key).await
        ),
    }
}

#[tokio::test]
async fn presence_names_who_wrote_also_afterwards_and_in_other_editors() {
    let server = Running::start(settings()).await;
    let mut ada = Client::collab(server.address, "r").await;
    let mut bob = Client::plain(server.address, "r").await;
    let mut eve = Client::plain(server.address, "r").await;
    let [a, b, e] = [&ada, &bob, &eve].map(|client| client.replica);
    ada.until_synced().await;
    bob.until_synced().await;
    say(
        &mut ada,
        a,
        1,
        &json!({"user": {"name": "Ada", "color": "#AC5804", "id": "x"}}),
    )
    .await;
    // Looks on.
    say(
        &mut eve,
        e,
        1,
        &json!({"user": {"name": "Eve", "color": "#000000"}}),
    )
    .await;
    ada.type_text("one ").await;
    ada.until_saved().await;
    remembered(&server, "r", &[(a, "Ada", "#ac5804")]).await;
    // y-prosemirror and y-codemirror.next write it so; and only after the first edit.
    bob.until_text("one ").await;
    bob.type_text("two").await;
    ada.until_text("one two").await;
    let long = "B".repeat(MAX_PERSON_NAME + 1);
    say(
        &mut bob,
        b,
        1,
        &json!({"user": {"name": long, "color": "#f00"}, "cursor": null}),
    )
    .await;
    let cut = "B".repeat(MAX_PERSON_NAME);
    let mut both = [(a, "Ada", "#ac5804"), (b, &cut[..], "#ff0000")];
    both.sort_unstable();
    remembered(&server, "r", &both).await;
    // Hostile: nothing becomes of it, and it takes nobody's name.
    for (clock, state) in [
        json!({"user": {"name": {"name": "x"}}}),
        json!({"user": {"name": "\u{202e}\u{0}"}}),
        json!({"user": 5}),
    ]
    .iter()
    .enumerate()
    {
        say(&mut bob, b, 2 + clock as u64, state).await;
    }
    say(
        &mut eve,
        a,
        99,
        &json!({"user": {"name": "Mallory", "color": "#000000"}}),
    )
    .await;
    // What Eve says is heard in order: once she is an author, the rest was heard too.
    eve.until_text("one two").await;
    eve.type_text("!").await;
    let mut all = [
        (a, "Ada", "#ac5804"),
        (b, &cut[..], "#ff0000"),
        (e, "Eve", "#000000"),
    ];
    all.sort_unstable();
    remembered(&server, "r", &all).await;
    server.stop().await;
}

#[tokio::test]
async fn a_new_name_takes_the_place_of_the_old_one() {
    let server = Running::start(settings()).await;
    let mut ada = Client::collab(server.address, "r").await;
    let replica = ada.replica;
    ada.until_synced().await;
    ada.type_text("x").await;
    for (clock, name) in [(1, "Ada"), (2, "Ada L.")] {
        let state = json!({"user": {"name": name, "color": "#112233"}});
        say(&mut ada, replica, clock, &state).await;
        let authors = remembered(&server, "r", &[(replica, name, "#112233")]).await;
        assert!(authors.iter().all(|author| author.at.0 > 0));
    }
    server.stop().await;
}
