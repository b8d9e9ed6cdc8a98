//! The promise `saved_is_durable`, tried with `kill -9`: people type in many rooms while the real
//! server binary is killed at random moments. After each kill, before anybody may reconnect and
//! offer anything again, the restarted server must hold every edit that was called saved. At the
//! end everybody reconnects, and every edit ever made is there, the same everywhere.
//!
//! The same campaign with the acknowledgement moved before the commit must fail: otherwise it
//! proves nothing. `KILLS=…` makes it longer, `SEED=…` replays its choices (not the scheduling).

mod person;
mod server;

use std::time::Duration;

use person::{Person, Word};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use server::{Database, Server};
use tokio::sync::watch;
use tokio::time::timeout;

const ROOMS: usize = 10;
const PEOPLE: usize = 3;

/// Kills in one run of the test command, on each database.
const KILLS: u32 = 30;

/// Kills after which the control, which acknowledges too early, must have been found out.
const CONTROL_KILLS: u32 = 30;

/// Longest wait for everybody to be level, once nobody types.
const SETTLE: Duration = Duration::from_secs(60);

/// What a campaign found.
#[derive(Debug, Default)]
struct Found {
    kills: u32,
    made: usize,
    saved_at_kills: usize,
    unsaved_at_kills: usize,
    lost: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_loses_nothing_that_was_called_saved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let found = campaign(Database::Sqlite(folder.path().into()), None, kills()).await;
    judge("SQLite", &found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_loses_nothing_that_was_called_saved() {
    let found = campaign(Database::fresh_postgres().await, None, kills()).await;
    judge("Postgres", &found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_campaign_finds_a_server_that_acknowledges_before_the_commit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().into());
    let found = campaign(database, Some("ack-before-commit"), CONTROL_KILLS).await;
    println!(
        "control: {} of {} edits called saved were missing after {} kills",
        found.lost.len(),
        found.saved_at_kills,
        found.kills
    );
    assert!(
        !found.lost.is_empty(),
        "the campaign cannot see a lost edit: {found:?}"
    );
}

fn kills() -> u32 {
    match std::env::var("KILLS") {
        Ok(kills) => kills.parse().expect("KILLS is a number"),
        Err(_) => KILLS,
    }
}

fn judge(database: &str, found: &Found) {
    println!(
        "{database}: {} kills, {} edits made, {} saved and {} unsaved edits outstanding at the \
         kills, {} saved edits lost",
        found.kills,
        found.made,
        found.saved_at_kills,
        found.unsaved_at_kills,
        found.lost.len()
    );
    assert!(found.lost.is_empty(), "lost: {:?}", found.lost);
    assert!(
        found.unsaved_at_kills > 0,
        "no kill ever hit an edit on its way to the disk"
    );
}

async fn campaign(database: Database, sabotage: Option<&str>, kills: u32) -> Found {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => rand::random::<u64>(),
    };
    println!("SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let mut server = Server::start(database, sabotage).await;
    let (word, heard) = watch::channel(Word::Type);
    let mut people: Vec<Person> = (0..ROOMS * PEOPLE)
        .map(|number| {
            let room = format!("kill-{}", number / PEOPLE);
            Person::arrive(
                server.address(),
                &room,
                number,
                chance.random(),
                heard.clone(),
            )
        })
        .collect();
    let mut found = Found::default();
    while found.kills < kills {
        let pause = Duration::from_millis(chance.random_range(150..700));
        tokio::time::sleep(pause).await;
        server.kill();
        // Nobody comes back before the database has been looked at.
        word.send_replace(Word::StayAway);
        for person in &mut people {
            person.until_away().await;
        }
        server.restart().await;
        found.kills += 1;
        for room in people.chunks(PEOPLE) {
            let text = server.text(room[0].room()).await;
            for person in room {
                let ledger = person.ledger();
                found.saved_at_kills += ledger.saved();
                found.unsaved_at_kills += ledger.unsaved();
                found.lost.extend(ledger.missing_from(&text));
            }
        }
        if sabotage.is_some() && !found.lost.is_empty() {
            break;
        }
        word.send_replace(Word::Type);
    }
    word.send_replace(Word::Settle);
    for person in &mut people {
        let settled = timeout(SETTLE, person.until_saved()).await;
        assert!(settled.is_ok(), "not everybody is saved in {SETTLE:?}");
    }
    if sabotage.is_none() {
        for room in people.chunks(PEOPLE) {
            let text = server.text(room[0].room()).await;
            for person in room {
                timeout(SETTLE, person.until_text(&text))
                    .await
                    .unwrap_or_else(|_| panic!("{} never becomes equal", person.room()));
                let ledger = person.ledger();
                found.made += ledger.made();
                found.lost.extend(ledger.missing_from(&text));
            }
        }
    }
    word.send_replace(Word::Leave);
    server.stop().await;
    found
}
