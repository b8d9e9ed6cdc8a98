//! Who writes in a room, by replica: the names that presence gives to what was written, on their way
//! to storage. Must not know what a name looks like in presence, nor what was written.
//!
//! Nothing but a bounded table: a replica stands here once it wrote, under the name it has then or
//! gets later. Names are told to storage when they are new, and times of writing with each version.

use std::collections::{BTreeMap, BTreeSet};

use super::merge::Offered;
use super::{Author, Effect, Outcome, Room, Turn};
use crate::ids::{ConnectionId, ReplicaId};
use crate::presence::person::Person;
use crate::time::Millis;

/// Replicas of one room that are remembered while it is awake. Of more, the one that wrote longest
/// ago is forgotten here; what storage knows of it stays there.
pub const MAX_WRITERS: usize = 4096;

/// Replicas whose edits one connection may bring in and have a name given to. A page has one, its
/// tabs have a few; edits of further ones stay without an author.
pub const MAX_WRITERS_PER_CONNECTION: u32 = 256;

/// Milliseconds between two tellings of new names: who changes a name with every keystroke costs one
/// write a second.
const TELL_EVERY_MS: u64 = 1_000;

/// Milliseconds to the next try when storage does not answer.
const TELL_RETRY_MS: u64 = 30_000;

/// What is known of one replica.
#[derive(Debug)]
struct Writer {
    person: Option<Person>,
    wrote_at: Millis,
    /// What storage was told, with which time of writing.
    told: Option<(Person, Millis)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Authors {
    writers: BTreeMap<ReplicaId, Writer>,
    /// Whose name storage does not know.
    untold: BTreeSet<ReplicaId>,
    /// On their way to storage.
    telling: Vec<Author>,
    tell_after: Millis,
}

impl Authors {
    /// A replica wrote; `person` is asked who that is when it wrote for the first time.
    fn wrote(&mut self, now: Millis, replica: ReplicaId, person: impl FnOnce() -> Option<Person>) {
        if let Some(writer) = self.writers.get_mut(&replica) {
            writer.wrote_at = now;
            return;
        }
        if self.writers.len() >= MAX_WRITERS {
            let oldest = self.writers.iter().min_by_key(|(_, it)| it.wrote_at);
            if let Some(oldest) = oldest.map(|(replica, _)| *replica) {
                self.writers.remove(&oldest);
                self.untold.remove(&oldest);
            }
        }
        let person = person();
        if person.is_some() {
            self.untold.insert(replica);
        }
        self.writers.insert(
            replica,
            Writer {
                person,
                wrote_at: now,
                told: None,
            },
        );
    }

    #[cfg(test)]
    pub(super) fn writers(&self) -> usize {
        self.writers.len()
    }

    /// Whether it has written while the room was awake.
    fn knows(&self, replica: ReplicaId) -> bool {
        self.writers.contains_key(&replica)
    }

    /// A replica that wrote says who it is. Who is gone keeps the name.
    fn said(&mut self, replica: ReplicaId, person: Option<Person>) {
        let (Some(writer), Some(person)) = (self.writers.get_mut(&replica), person) else {
            return;
        };
        match &writer.told {
            Some((told, _)) if *told == person => self.untold.remove(&replica),
            _ => self.untold.insert(replica),
        };
        writer.person = Some(person);
    }

    /// When names are to be told next, if any are.
    pub(super) fn deadline(&self) -> Option<Millis> {
        let due = !self.untold.is_empty() && self.telling.is_empty();
        due.then_some(self.tell_after)
    }

    /// Those with a new name.
    fn take_untold(&mut self, now: Millis) -> Vec<Author> {
        let untold = std::mem::take(&mut self.untold);
        self.take(now, untold)
    }

    /// Those who wrote since they were told, or have a new name.
    pub(super) fn take_written(&mut self, now: Millis) -> Vec<Author> {
        self.untold.clear();
        let news = |writer: &Writer| match (&writer.person, &writer.told) {
            (Some(person), Some((told, at))) => told != person || *at < writer.wrote_at,
            (person, _) => person.is_some(),
        };
        let written = self.writers.iter().filter(|(_, writer)| news(writer));
        let written: Vec<ReplicaId> = written.map(|(replica, _)| *replica).collect();
        self.take(now, written)
    }

    fn take(&mut self, now: Millis, replicas: impl IntoIterator<Item = ReplicaId>) -> Vec<Author> {
        self.tell_after = now.plus(TELL_EVERY_MS);
        let mut authors = Vec::new();
        for replica in replicas {
            let Some(writer) = self.writers.get_mut(&replica) else {
                continue;
            };
            let Some(person) = writer.person.clone() else {
                continue;
            };
            writer.told = Some((person.clone(), writer.wrote_at));
            authors.push(Author {
                replica,
                name: person.name,
                color: person.color,
                at: writer.wrote_at,
            });
        }
        authors
    }

    /// Storage has answered.
    fn remembered(&mut self, now: Millis, stored: bool) {
        let told = std::mem::take(&mut self.telling);
        if !stored {
            self.forget_told(told.iter().map(|author| author.replica));
            self.tell_after = now.plus(TELL_RETRY_MS);
        }
    }

    /// Storage may know of nobody.
    pub(super) fn forget_all_told(&mut self) {
        let told = self.writers.iter().filter(|(_, it)| it.told.is_some());
        let told: Vec<ReplicaId> = told.map(|(replica, _)| *replica).collect();
        self.forget_told(told.into_iter());
    }

    /// Storage may not know of these.
    fn forget_told(&mut self, replicas: impl Iterator<Item = ReplicaId>) {
        for replica in replicas {
            if let Some(writer) = self.writers.get_mut(&replica) {
                writer.told = None;
                self.untold.insert(replica);
            }
        }
    }
}

impl Room {
    /// A turn brought something new: who wrote it.
    pub(super) fn note_writers(&mut self, now: Millis, offered: &[Offered], turn: &Turn) {
        if turn.delta.is_empty() {
            return;
        }
        for (index, replica) in &turn.moved {
            if let Some(connection) = offered.get(*index).and_then(Offered::connection) {
                self.wrote(now, connection, *replica);
            }
        }
        // Whose deletion it is stands nowhere in an update: it is of whom its connection speaks for.
        for (offered, outcome) in offered.iter().zip(&turn.outcomes) {
            if matches!(outcome, Outcome::Applied { .. })
                && offered.only_deletes()
                && let Some(connection) = offered.connection()
                && let Some(replica) = self.presence.only_of(connection)
            {
                self.wrote(now, connection, replica);
            }
        }
    }

    fn wrote(&mut self, now: Millis, connection: ConnectionId, replica: ReplicaId) {
        if !self.authors.knows(replica) {
            let Some(member) = self.members.get_mut(&connection) else {
                return;
            };
            if member.writers >= MAX_WRITERS_PER_CONNECTION {
                return;
            }
            member.writers += 1;
        }
        let presence = &self.presence;
        self.authors
            .wrote(now, replica, || presence.person(replica));
    }

    /// Somebody's presence changed.
    pub(super) fn presence_said(&mut self, replica: ReplicaId) {
        if self.authors.knows(replica) {
            self.authors.said(replica, self.presence.person(replica));
        }
    }

    /// Tells storage of new names, now and then.
    pub(super) fn tell_authors(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.log.is_some() && self.authors.deadline().is_some_and(|at| at <= now) {
            self.authors.telling = self.authors.take_untold(now);
            effects.push(Effect::Remember {
                authors: self.authors.telling.clone(),
            });
        }
    }

    /// Answers [`Effect::Remember`].
    pub(super) fn remembered(&mut self, now: Millis, stored: bool) {
        self.authors.remembered(now, stored);
    }

    /// The room ends: what storage was not told yet, it is told now.
    pub(super) fn tell_last_authors(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.log.is_none() || self.authors.untold.is_empty() {
            return;
        }
        let authors = self.authors.take_untold(now);
        effects.push(Effect::Remember { authors });
    }
}
