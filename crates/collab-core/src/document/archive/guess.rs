//! What is expected of the next struct and the next deletion, from those before. Writing and reading
//! keep the same guesses, so that "as expected" means the same to both. Must not know bytes.

use std::collections::BTreeMap;

/// A unit of an author: the number of the client in this archive, and the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Id {
    pub client: u64,
    pub clock: u64,
}

impl Id {
    fn back(self, units: u64) -> Id {
        let clock = self.clock.wrapping_sub(units);
        Id { clock, ..self }
    }

    fn on(self, units: u64) -> Id {
        let clock = self.clock.wrapping_add(units);
        Id { clock, ..self }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Guess {
    /// The next clock of each client.
    next: BTreeMap<u64, u64>,
    /// The client of the last struct or range.
    pub client: u64,
    /// The last unit inserted.
    last: Id,
    right: Id,
    /// First and last unit of the last deletion.
    deleted: (Id, Id),
}

impl Guess {
    pub(super) fn next_clock(&self, client: u64) -> u64 {
        self.next.get(&client).copied().unwrap_or(0)
    }

    /// Where an origin may be expected; the place in this list is what is written.
    pub(super) fn origins(&self) -> [Id; 4] {
        let (from, to) = self.deleted;
        [self.last, to, from.back(1), from]
    }

    /// Where a right origin may be expected, once the origin is known.
    pub(super) fn rights(&self, origin: Option<Id>) -> [Id; 5] {
        let (from, to) = self.deleted;
        let behind = origin.map_or(self.right, |origin| origin.on(1));
        [self.right, behind, from, to.on(1), self.last]
    }

    /// Where a deletion of so many units may be expected to begin.
    pub(super) fn deletions(&self, units: u64) -> [Id; 4] {
        let (from, to) = self.deleted;
        [
            from.back(units),
            self.last.on(1).back(units),
            to.on(1),
            self.last.on(1),
        ]
    }

    /// From where unexpected places are counted.
    pub(super) fn anchor(&self) -> Id {
        self.last
    }

    pub(super) fn inserted(&mut self, at: Id, units: u64, right: Option<Id>) {
        self.next.insert(at.client, at.clock.wrapping_add(units));
        self.client = at.client;
        self.last = at.on(units).back(1);
        if let Some(right) = right {
            self.right = right;
        }
    }

    pub(super) fn deleted(&mut self, from: Id, units: u64) {
        self.client = from.client;
        self.deleted = (from, from.on(units).back(1));
    }
}
