//! How deep every unit of a document lies in nested shared types, without asking the engine.
//!
//! The engine deletes and exports nested types by recursion: a chain of some thousand types in one
//! another overflows the stack, which no guard can catch. Depth grows over many updates, so it has
//! to be remembered per unit. Must not know how updates are encoded.

/// Shared types may nest this deep (SAFETY: delete recursed past the end of a 2 MiB stack at about
/// 9,000, export at 5,000). Deeper ones are refused with
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

/// Depth and role of a unit, packed because a document remembers one per run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level(u16);

impl Level {
    /// A leaf directly in a root type: all there is in a plain text.
    pub(super) const PLAIN: Level = Level(0);

    pub(super) fn new(depth: u16, role: Role) -> Level {
        Level(depth << 2 | role as u16)
    }

    /// How many types lie around it. 0: directly in a root type.
    pub(super) fn depth(self) -> u16 {
        self.0 >> 2
    }

    /// Whether another unit may name it as its parent.
    pub(super) fn may_have_children(self) -> bool {
        self.0 & 3 != Role::Leaf as u16
    }
}

/// The levels of one replica's units, run by run. A plain text that was never loaded from a
/// snapshot needs no run at all.
#[derive(Debug)]
pub(super) struct Levels {
    /// The level before the first run.
    base: Level,
    /// Where a level starts. Clocks ascend; neighbours differ.
    runs: Vec<(u32, Level)>,
}

impl Levels {
    /// Nothing yet; units count as `base` until a run says otherwise.
    pub(super) fn after(base: Level) -> Levels {
        Levels {
            base,
            runs: Vec::new(),
        }
    }

    /// The level of the unit at `clock`.
    pub(super) fn at(&self, clock: u32) -> Level {
        let after = self.runs.partition_point(|(start, _)| *start <= clock);
        match after.checked_sub(1).and_then(|index| self.runs.get(index)) {
            Some((_, level)) => *level,
            None => self.base,
        }
    }

    /// The level of the newest run.
    pub(super) fn last(&self) -> Level {
        self.runs.last().map_or(self.base, |(_, level)| *level)
    }

    /// From `clock` on, units have this level. Clocks come in ascending order.
    pub(super) fn push(&mut self, clock: u32, level: Level) {
        if self.last() != level {
            self.runs.push((clock, level));
        }
    }

    /// Takes over runs that were staged behind the newest unit, starting from its level.
    pub(super) fn extend(&mut self, staged: Levels) {
        if self.runs.is_empty() {
            self.runs = staged.runs;
        } else {
            self.runs.extend(staged.runs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_by_clock() {
        let list = Level::new(1, Role::Leaf);
        let mut levels = Levels::after(Level::PLAIN);
        levels.push(0, Level::PLAIN);
        levels.push(5, Level::new(0, Role::Type));
        levels.push(6, list);
        let mut staged = Levels::after(levels.last());
        staged.push(9, list);
        staged.push(12, Level::PLAIN);
        levels.extend(staged);
        let depths: Vec<u16> = [0, 4, 5, 6, 11, 12, 99]
            .map(|clock| levels.at(clock).depth())
            .into();
        assert_eq!(depths, [0, 0, 0, 1, 1, 0, 0]);
        assert!(levels.at(5).may_have_children());
        assert!(!levels.at(4).may_have_children());
        assert!(!levels.at(8).may_have_children());
    }
}
