//! A text from a point on, change by change, in offsets. Must not know the engine beyond the order of
//! the text's units, nor who asks.

use std::collections::BTreeMap;
use std::ops;

use super::hands::Hands;
use super::seen::{self, Arrivals, Found, Range, Seen};
use super::visible::Visible;
use super::{BadPast, Past};
use crate::document::{Document, StateVector};

/// One replacement in a text, after those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// UTF-16 code units before it.
    pub at: u32,
    /// UTF-16 code units that go.
    pub removed: u32,
    /// What comes in their place.
    pub inserted: String,
}

/// What one replica did in one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who; `None` where it is not known.
    pub replica: Option<u64>,
    /// Each in the text after those before it.
    pub replacements: Vec<Replacement>,
}

/// See the module.
#[derive(Debug)]
pub struct Trail {
    /// Every unit that is shown at some time, in order.
    units: Vec<u16>,
    visible: Visible,
    /// By replica, in order of clocks: where its units are.
    places: BTreeMap<u64, Vec<Place>>,
    hands: Hands,
    arrivals: Arrivals,
    /// Every replica that had inserted something by the end.
    replicas: StateVector,
}

/// Units of one replica that stand beside each other.
#[derive(Debug, Clone, Copy)]
struct Place {
    clock: u32,
    units: u32,
    at: usize,
}

impl Trail {
    /// The root text of this name as it was at the [mark](Past::mark) of `past`, which has seen every
    /// turn that will be followed; and the document at the end of them, in which everything still is
    /// that was deleted since.
    pub fn new(past: Past, root: &str) -> Result<(Trail, Document), BadPast> {
        let (mut document, mark) = past.marked()?;
        let known: BTreeMap<u64, u32> = mark.iter().collect();
        let runs = document.runs(root)?;
        let units = runs.iter().map(|run| run.range.units as usize).sum();
        let mut trail = Trail {
            units: Vec::with_capacity(units),
            visible: Visible::new(units),
            places: BTreeMap::new(),
            hands: Hands::default(),
            arrivals: Arrivals::with(&mark),
            replicas: document.state_vector(),
        };
        for run in runs {
            let at = trail.units.len();
            let Range {
                replica,
                clock,
                units,
            } = run.range;
            trail.units.extend(run.text.encode_utf16());
            let known = known.get(&replica).copied().unwrap_or(0);
            let shown = known.saturating_sub(clock).min(units);
            trail.visible.set(at..at + shown as usize, true);
            let places = trail.places.entry(replica).or_default();
            places.push(Place { clock, units, at });
        }
        for places in trail.places.values_mut() {
            places.sort_unstable_by_key(|place| place.clock);
        }
        Ok((trail, document))
    }

    /// Whether the text never showed anything, at the mark or since.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Every replica that had inserted something by the end of the trail.
    pub fn replicas(&self) -> &StateVector {
        &self.replicas
    }

    /// The text after the turns followed so far.
    pub fn text(&self) -> String {
        let shown = self.units.iter().enumerate();
        let shown = shown.filter(|(at, _)| self.visible.get(*at));
        let shown: Vec<u16> = shown.map(|(_, unit)| *unit).collect();
        String::from_utf16_lossy(&shown)
    }

    /// Follows the next turn, which was made at a time in milliseconds. Empty when it did not touch
    /// the text.
    pub fn turn(&mut self, update: &[u8], at: u64) -> Result<Vec<Change>, BadPast> {
        let mut changes: Vec<Change> = Vec::new();
        let mut deleted: Vec<Range> = Vec::new();
        let mut wrote: Vec<u64> = Vec::new();
        seen::each(update, |seen| {
            match seen {
                Seen::Block(Found { range, block, .. }) => {
                    if wrote.last() != Some(&range.replica) {
                        wrote.push(range.replica);
                    }
                    if let Some(fresh) = self.arrivals.fresh(range) {
                        self.hands.inserted(fresh, at);
                        // What came deleted is never seen.
                        if !block.hollow {
                            self.insert(fresh, &mut changes);
                        }
                    }
                }
                Seen::Deleted(range) => deleted.push(range),
            }
            Ok(())
        })?;
        if !deleted.is_empty() {
            let only = match wrote[..] {
                [only] => Some(only),
                _ => None,
            };
            let whose = self.hands.deleted(&deleted, only, at);
            self.delete(&deleted, whose, &mut changes);
        }
        Ok(changes)
    }

    fn insert(&mut self, range: Range, changes: &mut Vec<Change>) {
        for span in spans(&self.places, range) {
            let at = self.visible.before(span.start);
            self.visible.set(span.clone(), true);
            let units = self.units.get(span).unwrap_or_default();
            let replacement = Replacement {
                at,
                removed: 0,
                inserted: String::from_utf16_lossy(units),
            };
            put(changes, Some(range.replica), replacement);
        }
    }

    fn delete(&mut self, ranges: &[Range], whose: Option<u64>, changes: &mut Vec<Change>) {
        let mut gone: Vec<ops::Range<usize>> = Vec::new();
        for range in ranges {
            gone.extend(spans(&self.places, *range));
        }
        // In the order of the text, so that neighbours become one.
        gone.sort_unstable_by_key(|span| span.start);
        for span in gone {
            let at = self.visible.before(span.start);
            let removed = self.visible.before(span.end) - at;
            if removed == 0 {
                continue;
            }
            self.visible.set(span, false);
            let replacement = Replacement {
                at,
                removed,
                inserted: String::new(),
            };
            put(changes, whose, replacement);
        }
    }
}

/// Where units of a text are, as far as they are in it.
fn spans(
    places: &BTreeMap<u64, Vec<Place>>,
    range: Range,
) -> impl Iterator<Item = ops::Range<usize>> {
    let places = places.get(&range.replica).map_or(&[][..], |places| places);
    let first =
        places.partition_point(|place| place.clock.saturating_add(place.units) <= range.clock);
    let rest = places.get(first..).unwrap_or_default().iter();
    rest.take_while(move |place| place.clock < range.end())
        .map(move |place| {
            let from = range.clock.saturating_sub(place.clock);
            let to = (range.end() - place.clock).min(place.units);
            place.at + from as usize..place.at + to as usize
        })
}

/// Adds a replacement to what its replica did; one that goes on where the last one ended becomes part
/// of it.
fn put(changes: &mut Vec<Change>, replica: Option<u64>, next: Replacement) {
    let last = match changes.last_mut() {
        Some(last) if last.replica == replica => last,
        _ => {
            changes.push(Change {
                replica,
                replacements: vec![next],
            });
            return;
        }
    };
    if let Some(before) = last.replacements.last_mut() {
        let behind = before.at + units(&before.inserted);
        if next.at == behind {
            before.removed += next.removed;
            before.inserted.push_str(&next.inserted);
            return;
        }
        // What stood in front of what was written.
        if next.inserted.is_empty() && next.at + next.removed == before.at {
            before.at = next.at;
            before.removed += next.removed;
            return;
        }
    }
    last.replacements.push(next);
}

fn units(text: &str) -> u32 {
    crate::document::edit::utf16_len(text)
}
