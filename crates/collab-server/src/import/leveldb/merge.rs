//! All tables and logs as one: keys in order, each with its newest value. Must not know how a
//! source is stored.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::path::Path;

use super::table::Table;
use super::{Entry, Version};

/// Lines of damage that are kept; more are only counted.
const MAX_LINES: usize = 1000;

/// See the module. What could not be read is in [`Entries::damage`], complete at the end.
pub(in crate::import) struct Entries {
    tables: Vec<Table>,
    recent: std::vec::IntoIter<Version>,
    /// The next version of each source.
    heads: BinaryHeap<Head>,
    /// The key given out, or found deleted, last.
    done: Option<bytes::Bytes>,
    damage: Vec<String>,
}

/// The first of all is the largest: the smallest key, and of that the newest.
struct Head {
    version: Version,
    /// A table, or behind them the logs.
    source: usize,
}

impl Entries {
    pub(super) fn new(
        folder: &Path,
        tables: &[u64],
        mut recent: Vec<Version>,
        damage: Vec<String>,
    ) -> Entries {
        recent.sort_by(|a, b| a.key.cmp(&b.key).then(b.sequence.cmp(&a.sequence)));
        let open = |number: &u64| Table::open(folder, *number);
        let mut entries = Entries {
            tables: tables.iter().map(open).collect(),
            recent: recent.into_iter(),
            heads: BinaryHeap::new(),
            done: None,
            damage,
        };
        for source in 0..=entries.tables.len() {
            entries.advance(source);
        }
        entries
    }

    /// What could not be read so far.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    fn advance(&mut self, source: usize) {
        let version = match self.tables.get_mut(source) {
            Some(table) => {
                let next = table.next();
                let room = MAX_LINES.saturating_sub(self.damage.len());
                self.damage
                    .extend(table.take_damage().into_iter().take(room));
                next
            }
            None => self.recent.next(),
        };
        if let Some(version) = version {
            self.heads.push(Head { version, source });
        }
    }
}

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let Head { version, source } = self.heads.pop()?;
            self.advance(source);
            if self.done.as_ref() == Some(&version.key) {
                // An older version of a key that is done.
                continue;
            }
            self.done = Some(version.key.clone());
            if let Some(value) = version.value {
                return Some(Entry {
                    key: version.key,
                    value,
                });
            }
        }
    }
}

impl Head {
    fn order(&self) -> (Reverse<&[u8]>, u64) {
        (Reverse(&self.version.key), self.version.sequence)
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Head {}
