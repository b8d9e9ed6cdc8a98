//! Where every unit of a document lies, without asking the engine: in which list, between which
//! neighbours, and how deep in nested shared types.
//!
//! The engine deletes and exports nested types by recursion: a chain of some thousand types in one
//! another overflows the stack, which no guard can catch. And a unit whose neighbours lie in
//! different lists, or the wrong way round, ends up here or there depending on the order in which
//! updates arrive, so that a reader of the stored document would see another text. Both are built
//! over many updates, so places have to be remembered. Must not know how updates are encoded.

/// Shared types may nest this deep (the engine's delete recursed past the end of a 2 MiB stack
/// at about 9,000, its export at 5,000). Deeper ones are refused with
/// [`Refusal::Depth`](super::Refusal::Depth).
pub const MAX_TYPE_DEPTH: u16 = 500;

/// What a unit can be to other units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Text, a value, a format: it can have neighbours, not children.
    Leaf = 0,
    /// A shared type: it can have children.
    Type = 1,
    /// Collected or deleted before it came to us. It may have been a type, so a late child of it
    /// is honest; the engine collects the child as well.
    Gone = 2,
}

/// A list of units: the sequence or one entry of one shared type, as a number. Two lists get the
/// same number only if someone looks for such a pair, and gains nothing by it but a document that
/// reads differently after a load, which the check of a snapshot notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct List(u64);

impl List {
    /// Of units that were collected before they came: whatever they were in is gone.
    pub(super) const UNKNOWN: List = List(0);

    /// The list of a root type of this name, or its entry of this key.
    pub(super) fn root(name: &str, key: Option<&str>) -> List {
        List(1).then(name.as_bytes()).key(key)
    }

    /// The list of the shared type that this unit is, or its entry of this key.
    pub(super) fn nested(replica: u64, clock: u32, key: Option<&str>) -> List {
        let unit = List(2).then(&replica.to_le_bytes());
        unit.then(&clock.to_le_bytes()).key(key)
    }

    fn key(self, key: Option<&str>) -> List {
        match key {
            Some(key) => self.then(b"/").then(key.as_bytes()),
            None => self,
        }
    }

    /// FNV-1a, with the multiply-and-shift end of SplitMix64 to spread it.
    fn then(self, bytes: &[u8]) -> List {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.0;
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        List((hash ^ (hash >> 27)) | 1)
    }

    /// Whether a unit may have neighbours in both.
    pub(super) fn agrees(self, other: List) -> bool {
        self == other || self == List::UNKNOWN || other == List::UNKNOWN
    }
}

/// The name of one unit of content: who inserted it and at which clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub replica: u64,
    pub clock: u32,
}

/// Place and role of a unit, or of a run of units that were inserted one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub list: List,
    /// How many types lie around it. 0: directly in a root type.
    pub depth: u16,
    pub role: Role,
    /// The left neighbour when it was inserted; of a run, of its first unit.
    pub origin: Option<Unit>,
    /// The right neighbour when it was inserted.
    pub right_origin: Option<Unit>,
}

impl Place {
    /// Whether another unit may name it as its parent.
    pub(super) fn may_have_children(&self) -> bool {
        self.role != Role::Leaf
    }
}

/// A run of units in one place: each but the first was inserted behind the one before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub start: u32,
    pub place: Place,
}

impl Run {
    /// The origin of a unit of this run.
    pub(super) fn origin_of(&self, unit: Unit) -> Option<Unit> {
        if unit.clock > self.start {
            Some(Unit {
                clock: unit.clock - 1,
                ..unit
            })
        } else {
            self.place.origin
        }
    }
}

/// The places of one replica's units, run by run: a single one for who only types on and on.
#[derive(Debug, Default)]
pub(super) struct Places {
    runs: Vec<Run>,
}

impl Places {
    /// The run that holds the unit at `clock`. Clocks before the first run are the caller's
    /// mistake and answered with `None`.
    pub(super) fn at(&self, clock: u32) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.start <= clock);
        after.checked_sub(1).and_then(|index| self.runs.get(index))
    }

    /// From `clock` on, units of `replica` lie here. Clocks come in ascending order.
    pub(super) fn push(&mut self, replica: u64, clock: u32, place: Place) {
        if let Some(last) = self.runs.last() {
            let behind_it = place.list == List::UNKNOWN
                || clock
                    .checked_sub(1)
                    .is_some_and(|clock| place.origin == Some(Unit { replica, clock }));
            let same = Place {
                origin: last.place.origin,
                ..place
            };
            if behind_it && same == last.place {
                return;
            }
        }
        self.runs.push(Run {
            start: clock,
            place,
        });
    }

    /// Takes over runs that were staged behind the newest unit.
    pub(super) fn extend(&mut self, replica: u64, staged: Places) {
        if self.runs.is_empty() {
            self.runs = staged.runs;
            return;
        }
        let mut staged = staged.runs.into_iter();
        if let Some(first) = staged.next() {
            self.push(replica, first.start, first.place);
        }
        self.runs.extend(staged);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(depth: u16, origin: Option<u32>) -> Place {
        Place {
            list: List::root("t", None),
            depth,
            role: Role::Leaf,
            origin: origin.map(|clock| Unit { replica: 7, clock }),
            right_origin: None,
        }
    }

    #[test]
    fn places_are_found_by_clock() {
        let nested = Place {
            role: Role::Type,
            ..leaf(0, Some(4))
        };
        let mut places = Places::default();
        places.push(7, 0, leaf(0, None));
        places.push(7, 3, leaf(0, Some(2)));
        places.push(7, 5, nested);
        places.push(7, 6, leaf(1, None));
        let mut staged = Places::default();
        staged.push(7, 9, leaf(1, Some(8)));
        staged.push(7, 12, leaf(0, Some(4)));
        places.extend(7, staged);
        let starts = [0, 4, 5, 6, 11, 12, 99].map(|clock| places.at(clock).map(|run| run.start));
        assert_eq!(starts, [0, 0, 5, 6, 6, 12, 12].map(Some));
        let may = |clock| {
            places
                .at(clock)
                .is_some_and(|run| run.place.may_have_children())
        };
        assert!(may(5) && !may(4) && !may(8));
        assert!(Places::default().at(0).is_none());
    }

    #[test]
    fn lists_are_told_apart() {
        let lists = [
            List::root("t", None),
            List::root("t/", None),
            List::root("t", Some("")),
            List::root("t", Some("a")),
            List::root("ta", None),
            List::nested(1, 2, None),
            List::nested(1, 2, Some("a")),
            List::nested(2, 1, None),
        ];
        for (i, a) in lists.iter().enumerate() {
            assert!(a.agrees(*a) && a.agrees(List::UNKNOWN));
            assert!(lists.iter().skip(i + 1).all(|b| !a.agrees(*b)));
        }
    }
}
