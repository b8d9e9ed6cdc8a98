//! The gate: looks at bytes from outside before the engine does.
//!
//! Two walks over the bytes. The first checks their *form*, so that nothing the engine's decoder
//! trips over gets through. The second checks their *causes* in the order in which the engine will
//! integrate them: every block's neighbours and parent are known or come before it, so nothing is
//! left pending, and how deep each block lies. Neither allocates for a keystroke. Must not know the
//! engine.

pub(super) mod block;
mod deletes;
mod reader;

pub(super) use self::block::{Allowance, Block, Parent};
pub use self::block::{MAX_BLOCKS, MAX_VALUE_DEPTH, MAX_VALUES};
use self::reader::after;
pub(super) use self::reader::{MAX_CLOCK, Reader};
use super::clocks::{Clocks, Crowded};
use super::order;
use super::place::{List, MAX_TYPE_DEPTH, Place, Places, Role, Run, Unit};
use super::refusal::Refusal;
use super::{MAX_HOLLOW_ADVANCE, MAX_NEW_REPLICAS_PER_UPDATE, MAX_REPLICAS};

/// Smallest number of bytes of one client's blocks: count, id, clock and a block of two.
const SMALLEST_RUN: usize = 5;
/// Smallest block: a collected one, its form and its length.
const SMALLEST_BLOCK: usize = 2;
/// Entries for which working memory is kept from one update to the next.
const KEPT_CAPACITY: usize = 256;

/// Questions to the engine that one update may raise, each of which can cost a walk over a text.
/// Honest updates raise one per deleted list that somebody went on editing; more are refused with
/// [`Refusal::Neighbours`].
const MAX_DOUBTS: usize = 64;

/// Whose bytes they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Somebody else's, who may still bring this many new client ids.
    Offer { new_replicas: u32 },
    /// Ours: they passed the gate once, or we have just made them. Only form and causes count.
    Own,
}

/// Why an update does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It builds on something that neither we nor the update have.
    Gap,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

/// Working memory of the gate, reused from update to update.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// The clients of the update at hand, ids descending.
    runs: Vec<ClientRun>,
    /// Runs that are being walked, each but the last waiting for a unit of the next; and until
    /// which clock each is needed.
    walk: Vec<(usize, u32)>,
    new_ids: Vec<u64>,
    hollow: u64,
    /// Whether rules count that nothing of ours can break any more.
    strict: bool,
    doubts: Vec<Doubt>,
}

/// What must be gone for the checked update to be honest. Only the engine knows what is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// This unit must have been collected with the list it was in.
    Unit(Unit),
    /// This shared type must have been deleted.
    Type(Unit),
}

/// The blocks of one client in one update.
#[derive(Debug)]
struct ClientRun {
    replica: u64,
    /// What we know of this client: the clock of its next unit.
    have: u32,
    /// Clock after the last block.
    end: u32,
    /// Blocks the second walk has not passed yet, and where in the bytes and at which clock the
    /// next of them starts.
    left: usize,
    at: usize,
    clock: u32,
    /// Whether it is in [`Gate::walk`].
    walking: bool,
    places: Places,
}

/// How a step of the second walk ended.
enum Step {
    Passed,
    /// The block waits for a unit of another client of this update.
    Waits {
        run: usize,
        until: u32,
    },
}

impl Gate {
    /// Checks one update against what is known. Changes nothing but working memory; when it
    /// passes, [`Gate::admit`] makes it known.
    pub(super) fn check(
        &mut self,
        bytes: &[u8],
        clocks: &Clocks,
        source: Source,
    ) -> Result<(), Stop> {
        let deletes_at = self.form(bytes, source)?;
        self.causes(bytes, clocks)?;
        self.deletes(&mut Reader::at(bytes, deletes_at), clocks)?;
        if let Source::Offer { new_replicas } = source {
            self.budget(clocks, new_replicas)?;
        }
        Ok(())
    }

    /// What the engine must be asked before the checked update is admitted.
    pub(super) fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    /// How many client ids the checked update brings that the document did not know.
    pub(super) fn new_replicas(&self) -> u32 {
        u32::try_from(self.new_ids.len()).unwrap_or(u32::MAX)
    }

    /// Makes the units of the checked update known and writes down which clocks moved.
    pub(super) fn admit(&mut self, clocks: &mut Clocks, before: &mut Vec<(u64, u32)>) {
        for run in self.runs.drain(..) {
            if run.end > run.have {
                before.push((run.replica, run.have));
                clocks.advance(run.replica, run.end, run.places);
            }
        }
    }

    /// First walk: the form of everything. Returns where the delete set starts.
    fn form(&mut self, bytes: &[u8], source: Source) -> Result<usize, Refusal> {
        self.runs.clear();
        self.runs.shrink_to(KEPT_CAPACITY);
        self.walk.clear();
        self.new_ids.clear();
        self.new_ids.shrink_to(KEPT_CAPACITY);
        self.hollow = 0;
        self.strict = matches!(source, Source::Offer { .. });
        self.doubts.clear();
        let mut allowance = match source {
            Source::Offer { .. } => Allowance::offer(),
            Source::Own => Allowance::own(),
        };
        let mut reader = Reader::new(bytes);
        let mut previous = None;
        for _ in 0..reader.count(SMALLEST_RUN)? {
            let blocks = reader.count(SMALLEST_BLOCK)?;
            if blocks == 0 {
                return Err(Refusal::Count);
            }
            let replica = reader.replica()?;
            // Yjs and yrs both write clients in descending order; once each follows from it.
            if previous.is_some_and(|previous| replica >= previous) {
                return Err(Refusal::ClientOrder);
            }
            previous = Some(replica);
            if self.strict && self.runs.len() >= MAX_REPLICAS {
                return Err(Refusal::TooManyReplicas);
            }
            let start = reader.clock()?;
            let at = reader.position();
            let mut end = start;
            for _ in 0..blocks {
                let block = block::read(&mut reader, &mut allowance)?;
                end = after(end, block.len)?;
            }
            self.runs.push(ClientRun {
                replica,
                have: 0,
                end,
                left: blocks,
                at,
                clock: start,
                walking: false,
                places: Places::default(),
            });
        }
        let deletes_at = reader.position();
        deletes::form(&mut reader)?;
        reader.end()?;
        Ok(deletes_at)
    }

    /// Second walk: every block's causes, in an order in which each is known before it is needed.
    fn causes(&mut self, bytes: &[u8], clocks: &Clocks) -> Result<(), Stop> {
        for run in &mut self.runs {
            let have = clocks.clock(run.replica);
            if run.clock > have {
                return Err(Stop::Gap);
            }
            run.have = have;
            if have == 0 {
                self.new_ids.push(run.replica);
            }
        }
        for first in 0..self.runs.len() {
            self.enter(first, u32::MAX)?;
            while let Some((index, until)) = self.walk.last().copied() {
                let Some(run) = self.runs.get_mut(index) else {
                    break;
                };
                if run.left == 0 || run.clock >= until {
                    run.walking = false;
                    self.walk.pop();
                    continue;
                }
                match self.step(index, bytes, clocks)? {
                    Step::Passed => {}
                    Step::Waits { run, until } => self.enter(run, until)?,
                }
            }
        }
        Ok(())
    }

    /// Walks a run next, and returns to the present one when `until` is reached. A run that waits
    /// already cannot be waited for: blocks of one client come in order, so that is a circle.
    fn enter(&mut self, index: usize, until: u32) -> Result<(), Stop> {
        let run = self.runs.get_mut(index).ok_or(Stop::Gap)?;
        if run.walking {
            return Err(Refusal::Cycle.into());
        }
        run.walking = true;
        self.walk.push((index, until));
        Ok(())
    }

    /// Passes the next block of a run, or says what it waits for.
    fn step(&mut self, index: usize, bytes: &[u8], clocks: &Clocks) -> Result<Step, Stop> {
        let run = self.runs.get(index).ok_or(Stop::Gap)?;
        let mut reader = Reader::at(bytes, run.at);
        let block = block::read(&mut reader, &mut Allowance::own())?;
        let end = after(run.clock, block.len)?;
        let mut staged = None;
        // The engine drops what it already has before it looks at causes.
        if end > run.have {
            let from = run.clock.max(run.have);
            match self.place(run, &block, clocks)? {
                Found::Here((place, doubt)) => staged = Some((from, place, doubt)),
                Found::Later { run, until } => return Ok(Step::Waits { run, until }),
            }
        }
        let run = self.runs.get_mut(index).ok_or(Stop::Gap)?;
        if let Some((from, place, doubt)) = staged {
            run.places.push(run.replica, from, place);
            if self.strict {
                self.doubts.extend(doubt);
            }
            if block.hollow {
                self.hollow += u64::from(end - from);
            }
        }
        run.at = reader.position();
        run.clock = end;
        run.left -= 1;
        Ok(Step::Passed)
    }

    /// The place of a block, from its neighbours or its parent.
    fn place(
        &self,
        run: &ClientRun,
        block: &Block,
        clocks: &Clocks,
    ) -> Result<Found<(Place, Option<Doubt>)>, Stop> {
        let mut neighbours = [None; 2];
        for (unit, place) in [block.origin, block.right_origin]
            .into_iter()
            .zip(&mut neighbours)
        {
            if let Some(unit) = unit {
                match self.find(run, unit, clocks)? {
                    Found::Here(here) => *place = Some((unit, here)),
                    Found::Later { run, until } => return Ok(Found::Later { run, until }),
                }
            }
        }
        let [mut left, right] = neighbours;
        if run.clock < run.have && block.is_item {
            // The rest of a block that is known in part follows what is known.
            let known = Unit {
                replica: run.replica,
                clock: run.have - 1,
            };
            left = Some((known, *clocks.run(known).ok_or(Stop::Gap)?));
        }
        let mut place = Place {
            list: List::UNKNOWN,
            depth: 0,
            role: block.role,
            origin: left.map(|(unit, _)| unit),
            right_origin: block.right_origin,
        };
        let mut collected = false;
        for (_, neighbour) in [left, right].into_iter().flatten() {
            if neighbour.place.list == List::UNKNOWN {
                collected = true;
                continue;
            }
            if self.strict && !place.list.agrees(neighbour.place.list) {
                return Err(Refusal::Neighbours.into());
            }
            place.list = neighbour.place.list;
            place.depth = neighbour.place.depth;
        }
        // Whose list is gone has no place any more. So must the other neighbour and the parent be
        // gone; otherwise the block would live here and be collected elsewhere.
        let mut gone = None;
        if collected && place.list != List::UNKNOWN {
            gone = [left, right].into_iter().flatten().find_map(|(unit, run)| {
                (run.place.list != List::UNKNOWN).then_some(Doubt::Unit(unit))
            });
        }
        match block.parent {
            Parent::Inherited => {}
            Parent::Root(inside) | Parent::Type(_, inside)
                if self.strict && !place.list.agrees(inside) =>
            {
                return Err(Refusal::Neighbours.into());
            }
            Parent::Root(_) if self.strict && collected => {
                return Err(Refusal::Neighbours.into());
            }
            Parent::Root(inside) => place.list = inside,
            Parent::Type(unit, inside) => match self.find(run, unit, clocks)? {
                Found::Here(parent) if parent.place.may_have_children() => {
                    place.list = inside;
                    // Children of what is gone are gone, so they may lie as deep as they like.
                    place.depth = (parent.place.depth + 1).min(MAX_TYPE_DEPTH);
                    if collected {
                        gone = Some(Doubt::Type(unit));
                    }
                }
                Found::Here(_) => return Err(Refusal::Parent.into()),
                Found::Later { run, until } => return Ok(Found::Later { run, until }),
            },
        }
        if block.role == Role::Type && place.depth >= MAX_TYPE_DEPTH {
            return Err(Refusal::Depth.into());
        }
        if self.strict
            && !collected
            && let Some((unit, run)) = &right
        {
            let left = left.as_ref().map(|(unit, run)| (*unit, run));
            if !order::possible(left, (*unit, run), |unit| self.run_of(unit, clocks)) {
                return Err(Refusal::Neighbours.into());
            }
        }
        Ok(Found::Here((place, gone)))
    }

    /// The run of a unit that a block of `run` refers to.
    fn find(&self, run: &ClientRun, unit: Unit, clocks: &Clocks) -> Result<Found<Run>, Stop> {
        if unit.replica == run.replica && unit.clock >= run.clock {
            return Err(Refusal::Cycle.into());
        }
        if let Some(known) = clocks.run(unit) {
            return Ok(Found::Here(*known));
        }
        let index = self.index_of(unit.replica).ok_or(Stop::Gap)?;
        let other = self.runs.get(index).ok_or(Stop::Gap)?;
        if unit.clock >= other.end {
            Err(Stop::Gap)
        } else if unit.clock < other.clock {
            other
                .places
                .at(unit.clock)
                .copied()
                .map(Found::Here)
                .ok_or(Stop::Gap)
        } else {
            Ok(Found::Later {
                run: index,
                until: unit.clock + 1,
            })
        }
    }

    /// The run of a unit that was passed before.
    fn run_of(&self, unit: Unit, clocks: &Clocks) -> Option<Run> {
        if let Some(known) = clocks.run(unit) {
            return Some(*known);
        }
        let staged = self.runs.get(self.index_of(unit.replica)?)?;
        staged.places.at(unit.clock).copied()
    }

    fn index_of(&self, replica: u64) -> Option<usize> {
        self.runs
            .binary_search_by(|run| replica.cmp(&run.replica))
            .ok()
    }

    /// Everything that is deleted must be known by then.
    fn deletes(&self, reader: &mut Reader<'_>, clocks: &Clocks) -> Result<(), Stop> {
        for _ in 0..reader.count(deletes::SMALLEST_ENTRY)? {
            let replica = reader.replica()?;
            let inserted = self
                .index_of(replica)
                .and_then(|index| self.runs.get(index))
                .map_or(0, |run| run.end);
            let have = clocks.clock(replica).max(inserted);
            for _ in 0..reader.count(deletes::SMALLEST_RANGE)? {
                let start = reader.clock()?;
                if after(start, reader.clock()?)? > have {
                    return Err(Stop::Gap);
                }
            }
        }
        Ok(())
    }

    /// What an update may bring beyond its content.
    fn budget(&self, clocks: &Clocks, new_replicas: u32) -> Result<(), Refusal> {
        if self.doubts.len() > MAX_DOUBTS {
            return Err(Refusal::Neighbours);
        }
        if self.hollow > MAX_HOLLOW_ADVANCE {
            return Err(Refusal::ClockAdvance);
        }
        if self.new_ids.is_empty() {
            return Ok(());
        }
        if self.new_replicas() > new_replicas || self.new_ids.len() > MAX_NEW_REPLICAS_PER_UPDATE {
            return Err(Refusal::TooManyReplicas);
        }
        clocks.room_for(&self.new_ids).map_err(|why| match why {
            Crowded::Room => Refusal::TooManyReplicas,
            Crowded::Cluster => Refusal::ClusteredReplicas,
        })
    }
}

/// What the second walk found.
enum Found<T> {
    Here(T),
    /// It comes with a block that is still to be passed.
    Later {
        run: usize,
        until: u32,
    },
}
/// Reads over one block and says how many units it is. For bytes that passed once already.
pub(super) fn block_units(reader: &mut Reader<'_>) -> Result<u32, Refusal> {
    block::read(reader, &mut Allowance::own()).map(|block| block.len)
}

/// Whether a block with this first byte has a place in a list, and so may have origins.
pub(super) fn is_item(info: u8) -> bool {
    block::is_item(info)
}
