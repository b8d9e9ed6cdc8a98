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

    /// What was called saved and is not so in this text.
    pub fn missing_from(&self, text: &str) -> Vec<String> {
        self.missing_later(text, self)
    }

    /// The same for a text that was read later: by then some of it may have been deleted.
    pub fn missing_later(&self, text: &str, later: &Ledger) -> Vec<String> {
        let standing = tokens(text);
        let deleted: BTreeSet<&String> = later
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
