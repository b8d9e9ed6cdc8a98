//! Whose a deletion is. An update says who inserted what, and not who deleted it; this module says who
//! most likely did. Must not know names.
//!
//! In a turn in which one replica inserts, it is that one: it replaced something. Else it is the one who
//! last wrote or deleted right there, as with a backspace; else the only one who has written lately.
//! Where that is nobody, or more than one, it stays unknown.

use super::seen::Range;

/// How long somebody is at work after a change, in milliseconds (10 minutes).
pub const HAND_MS: u64 = 600_000;

/// Replicas remembered as being at work. The one that did nothing for longest is forgotten first.
const MAX_HANDS: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Hands {
    /// Who did something last stands last.
    hands: Vec<Hand>,
}

/// What a replica did last.
#[derive(Debug)]
struct Hand {
    replica: u64,
    at: u64,
    /// The last unit inserted.
    inserted: Range,
    deleted: Option<Range>,
}

impl Hands {
    /// Somebody inserted something.
    pub(super) fn inserted(&mut self, range: Range, at: u64) {
        let inserted = Range {
            replica: range.replica,
            clock: range.end().saturating_sub(1),
            units: 1,
        };
        let known = self.take(|hand| hand.replica == range.replica);
        if known.is_none() && self.hands.len() == MAX_HANDS {
            self.hands.remove(0);
        }
        self.hands.push(Hand {
            replica: range.replica,
            at,
            inserted,
            deleted: None,
        });
    }

    /// Somebody deleted these: who? `wrote` is the only replica that inserted in the same turn.
    pub(super) fn deleted(&mut self, ranges: &[Range], wrote: Option<u64>, at: u64) -> Option<u64> {
        let recent = |hand: &Hand| hand.at.saturating_add(HAND_MS) >= at;
        let mut hand = match wrote {
            Some(replica) => self.take(|hand| hand.replica == replica),
            None => {
                let there = |hand: &Hand| {
                    let places = [Some(hand.inserted), hand.deleted];
                    let mut places = places.into_iter().flatten();
                    places.any(|place| ranges.iter().any(|range| touch(*range, place)))
                };
                let there = self.take(|hand| recent(hand) && there(hand));
                there.or_else(|| {
                    let alone = self.hands.iter().filter(|hand| recent(hand)).count() == 1;
                    alone.then(|| self.take(recent)).flatten()
                })
            }
        }?;
        let replica = hand.replica;
        hand.at = at;
        hand.deleted = ranges.last().copied();
        self.hands.push(hand);
        Some(replica)
    }

    /// Takes the latest one of whom something is true.
    fn take(&mut self, is: impl Fn(&Hand) -> bool) -> Option<Hand> {
        let at = self.hands.iter().rposition(is)?;
        Some(self.hands.remove(at))
    }
}

/// Whether two ranges overlap or stand beside each other.
fn touch(one: Range, other: Range) -> bool {
    one.replica == other.replica && one.clock <= other.end() && other.clock <= one.end()
}
