//! What one person typed, and what of it was called saved. Must not know how it travelled.

use std::collections::BTreeSet;

/// What one person typed, in order, and how much of it was called saved.
#[derive(Debug, Default, Clone)]
pub struct Ledger {
    pub(super) edits: Vec<Made>,
    pub(super) unsaved: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    Insert(String),
    Delete(String),
}

impl Ledger {
    /// Edits made.
    pub fn made(&self) -> usize {
        self.edits.len()
    }

    /// Edits called saved: the oldest ones, because the server acknowledges in order.
    pub fn saved(&self) -> usize {
        self.edits.len() - self.unsaved
    }

    /// Edits not called saved.
    pub fn unsaved(&self) -> usize {
        self.unsaved
    }

    /// Insertions not called saved that stand in this text all the same.
    pub fn saved_unheard(&self, text: &str) -> usize {
        let standing = tokens(text);
        let unsaved = self.edits.iter().skip(self.saved());
        unsaved
            .filter(|made| matches!(made, Made::Insert(token) if standing.contains(token.as_str())))
            .count()
    }

    /// What was called saved and is not so in this text.
    pub fn missing_from(&self, text: &str) -> Vec<String> {
        let standing = tokens(text);
        let deleted: BTreeSet<&String> = self
            .edits
            .iter()
            .filter_map(|made| match made {
                Made::Delete(token) => Some(token),
                Made::Insert(_) => None,
            })
            .collect();
        self.edits[..self.saved()]
            .iter()
            .filter_map(|made| match made {
                Made::Insert(token)
                    if !deleted.contains(token) && !standing.contains(token.as_str()) =>
                {
                    Some(format!("{token} is missing"))
                }
                Made::Delete(token) if standing.contains(token.as_str()) => {
                    Some(format!("{token} is back"))
                }
                Made::Insert(_) | Made::Delete(_) => None,
            })
            .collect()
    }
}

/// The tokens of a text, each with its brackets.
fn tokens(text: &str) -> BTreeSet<&str> {
    text.split_inclusive(']').collect()
}
