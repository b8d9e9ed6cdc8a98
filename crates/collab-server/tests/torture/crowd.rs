//! Everybody who types in one campaign: some people in each of some rooms. Must not know what is
//! done to the server meanwhile.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::person::{Ledger, Pace, Person, Word};
use crate::server::Server;

/// Longest wait for everybody to be level, once nobody types. A server that is being traced on a
/// busy machine takes its time.
pub const SETTLE: Duration = Duration::from_secs(240);

/// How many there are and how they type.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub rooms: usize,
    /// In each room.
    pub people: usize,
    pub pace: Pace,
}

/// What a look at the rooms found.
#[derive(Debug, Default)]
pub struct Tally {
    pub saved: usize,
    pub unsaved: usize,
    pub lost: Vec<String>,
}

impl Tally {
    /// Adds another look's.
    pub fn add(&mut self, other: Tally) {
        self.saved += other.saved;
        self.unsaved += other.unsaved;
        self.lost.extend(other.lost);
    }
}

/// See the module.
pub struct Crowd {
    size: Size,
    people: Vec<Person>,
    word: watch::Sender<Word>,
}

impl Crowd {
    /// Everybody comes and types.
    pub fn arrive(address: &str, size: Size, chance: &mut StdRng) -> Crowd {
        let (word, heard) = watch::channel(Word::Type);
        let people = (0..size.rooms * size.people).map(|number| {
            let room = format!("torture-{}", number / size.people);
            Person::arrive(
                address.to_owned(),
                &room,
                number,
                size.pace,
                chance.random(),
                heard.clone(),
            )
        });
        Crowd {
            size,
            people: people.collect(),
            word,
        }
    }

    /// Asks everybody to do something.
    pub fn say(&self, word: Word) {
        self.word.send_replace(word);
    }

    /// Everybody goes away and has read what was still on its way to them.
    pub async fn stay_away(&mut self) {
        self.say(Word::StayAway);
        for person in &mut self.people {
            person.until_away().await;
        }
    }

    /// Everybody, room by room.
    pub fn rooms(&self) -> impl Iterator<Item = &[Person]> {
        self.people.chunks(self.size.people)
    }

    /// Everybody.
    pub fn people(&mut self) -> &mut [Person] {
        &mut self.people
    }

    /// Edits called saved so far.
    pub fn saved(&self) -> usize {
        self.people
            .iter()
            .map(|person| person.ledger().saved())
            .sum()
    }

    /// Edits made so far.
    pub fn made(&self) -> usize {
        self.people
            .iter()
            .map(|person| person.ledger().made())
            .sum()
    }

    /// Times that anybody was told that the server cannot save.
    pub fn troubles(&self) -> usize {
        let troubles: u64 = self.people.iter().map(Person::troubles).sum();
        usize::try_from(troubles).expect("a count fits")
    }

    /// Looks for everything called saved in the rooms' texts. Nobody may hear anything new
    /// meanwhile.
    pub async fn look(&self, text: impl AsyncFn(&str) -> String) -> Tally {
        let mut tally = Tally::default();
        for room in self.rooms() {
            let text = text(room[0].room()).await;
            for person in room {
                let ledger = person.ledger();
                tally.saved += ledger.saved();
                tally.unsaved += ledger.unsaved();
                tally.lost.extend(ledger.missing_from(&text));
            }
        }
        tally
    }

    /// The same while everything goes on: looks for what had been called saved before the text of
    /// its room was read.
    pub async fn look_meanwhile(&self, text: impl AsyncFn(&str) -> String) -> Tally {
        let mut tally = Tally::default();
        for room in self.rooms() {
            let before: Vec<Ledger> = room.iter().map(Person::ledger).collect();
            let text = text(room[0].room()).await;
            for (person, before) in room.iter().zip(before) {
                tally.saved += before.saved();
                tally.unsaved += before.unsaved();
                tally
                    .lost
                    .extend(before.missing_later(&text, &person.ledger()));
            }
        }
        tally
    }

    /// Waits until more than so many edits are called saved.
    pub async fn until_saved_more_than(&self, before: usize) {
        let more = async {
            while self.saved() <= before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let more = timeout(SETTLE, more).await;
        assert!(more.is_ok(), "saving does not go on in {SETTLE:?}");
    }

    /// Nobody types any more: waits until everything is called saved.
    pub async fn settle(&mut self) {
        self.say(Word::Settle);
        for person in &mut self.people {
            let settled = timeout(SETTLE, person.until_saved()).await;
            assert!(settled.is_ok(), "not everybody is saved in {SETTLE:?}");
        }
    }

    /// Everybody is settled: waits until they all see what the server has, and looks for
    /// everything that was ever typed in it.
    pub async fn until_level(&self, server: &Server) -> Tally {
        for room in self.rooms() {
            let text = server.text(room[0].room()).await;
            for person in room {
                timeout(SETTLE, person.until_text(&text))
                    .await
                    .unwrap_or_else(|_| panic!("{} never becomes equal", person.room()));
            }
        }
        self.look(async |room| server.text(room).await).await
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.say(Word::Leave);
    }
}
