//! Who replicas said to be, as answers about the past name them. Must not know when they said so.

use std::collections::BTreeMap;

use crate::document::StateVector;
use crate::ids::ReplicaId;

/// A name and a colour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// What the person is called.
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
}

/// Authors in an order that numbers them. Replicas of the same name and colour are one author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authors {
    by_replica: BTreeMap<u64, usize>,
    list: Vec<Named>,
}

impl Authors {
    /// Those of these replicas that inserted anything into a document.
    pub fn of(said: impl IntoIterator<Item = (ReplicaId, Named)>, seen: &StateVector) -> Authors {
        let mut authors = Authors::default();
        let mut numbers: BTreeMap<Named, usize> = BTreeMap::new();
        let wrote: BTreeMap<u64, u32> = seen.iter().collect();
        for (replica, named) in said {
            if !wrote.contains_key(&replica.get()) {
                continue;
            }
            let number = *numbers.entry(named.clone()).or_insert_with(|| {
                authors.list.push(named);
                authors.list.len() - 1
            });
            authors.by_replica.insert(replica.get(), number);
        }
        authors
    }

    /// The number of a replica's author; `None` when it never said a name.
    pub fn number(&self, replica: Option<u64>) -> Option<usize> {
        self.by_replica.get(&replica?).copied()
    }

    /// All of them, in order.
    pub fn list(&self) -> &[Named] {
        &self.list
    }
}
