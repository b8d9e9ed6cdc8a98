//! What stands in one turn: its blocks and what it deletes, one after the other and without copies.
//! Must not know what becomes of them.

use std::collections::BTreeMap;

use super::BadPast;
use crate::document::StateVector;
use crate::document::gate::{Allowance, Block, MAX_CLOCK, Reader, block};
use crate::document::refusal::Refusal;

/// Units of one replica that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub replica: u64,
    pub clock: u32,
    pub units: u32,
}

impl Range {
    /// The clock behind it.
    pub(super) fn end(self) -> u32 {
        self.clock.saturating_add(self.units)
    }
}

/// Which units have come so far. A log says some of them again when a room brought back what its
/// database had lost; that is not when they were written.
#[derive(Debug, Default)]
pub(super) struct Arrivals(BTreeMap<u64, u32>);

impl Arrivals {
    /// With what is here at first.
    pub(super) fn with(here: &StateVector) -> Arrivals {
        Arrivals(here.iter().collect())
    }

    /// The same as a state vector.
    pub(super) fn state_vector(&self) -> StateVector {
        self.0
            .iter()
            .map(|(replica, clock)| (*replica, *clock))
            .collect()
    }

    /// What of a block comes for the first time.
    pub(super) fn fresh(&mut self, range: Range) -> Option<Range> {
        let next = self.0.entry(range.replica).or_default();
        let clock = range.clock.max(*next);
        let units = range.end().checked_sub(clock).filter(|units| *units > 0)?;
        *next = range.end();
        Some(Range {
            clock,
            units,
            ..range
        })
    }
}

/// A block of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub range: Range,
    pub block: Block,
    pub bytes: &'a [u8],
}

/// One thing that a turn says. Blocks come first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    Block(Found<'a>),
    Deleted(Range),
}

/// Goes over a turn. Errors: what is not an update.
pub(super) fn each<'a>(
    update: &'a [u8],
    mut see: impl FnMut(Seen<'a>) -> Result<(), BadPast>,
) -> Result<(), BadPast> {
    let mut reader = Reader::new(update);
    for _ in 0..reader.count(1)? {
        let blocks = reader.count(1)?;
        let replica = reader.replica()?;
        let mut clock = reader.clock()?;
        for _ in 0..blocks {
            let begins = reader.position();
            let block = block::read(&mut reader, &mut Allowance::own())?;
            let bytes = update.get(begins..reader.position()).unwrap_or_default();
            let units = block.len;
            let range = Range {
                replica,
                clock,
                units,
            };
            clock = after(clock, units)?;
            see(Seen::Block(Found {
                range,
                block,
                bytes,
            }))?;
        }
    }
    for _ in 0..reader.count(1)? {
        let replica = reader.replica()?;
        for _ in 0..reader.count(1)? {
            let (clock, units) = (reader.clock()?, reader.clock()?);
            after(clock, units)?;
            see(Seen::Deleted(Range {
                replica,
                clock,
                units,
            }))?;
        }
    }
    reader.end()?;
    Ok(())
}

fn after(clock: u32, units: u32) -> Result<u32, Refusal> {
    match clock.checked_add(units) {
        Some(end) if end <= MAX_CLOCK => Ok(end),
        _ => Err(Refusal::ClockRange),
    }
}

/// How many changes one turn is at most: one for each replica that inserts, and one for what is
/// deleted unless that was the only replica that inserts.
pub fn lines_at_most(update: &[u8]) -> Result<u64, BadPast> {
    let (mut replicas, mut last, mut deletes) = (0, None, false);
    each(update, |seen| {
        match seen {
            Seen::Block(Found { range, .. }) => {
                replicas += u64::from(last != Some(range.replica));
                last = Some(range.replica);
            }
            Seen::Deleted(_) => deletes = true,
        }
        Ok(())
    })?;
    Ok(replicas + u64::from(deletes && replicas != 1))
}
