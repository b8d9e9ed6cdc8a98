//! Which units a document holds, kept outside the engine so that the gate can ask for them in
//! nanoseconds and a state vector needs no transaction. Must not know the engine.

use std::collections::{BTreeMap, VecDeque};

use super::place::{Places, Run, Unit};
use super::state_vector::StateVector;
use super::{CLOCK_HISTORY, MAX_REPLICAS, MAX_REPLICAS_PER_CLUSTER, TurnNumber};

/// Low bits of a client id that say which cluster it belongs to. The engine hashes ids to
/// themselves, so ids that agree in their low bits share a place in its tables; ids of the form
/// `i << 32` made one update of 467 KB take 5.3 s. Random ids of a full room put 8
/// into each of these 4,096 clusters on average and practically never 64.
const CLUSTER_BITS: u32 = 12;

/// Clock changes remembered in all, over the turns of [`CLOCK_HISTORY`]. 1 MB at most.
const CLOCK_HISTORY_ENTRIES: usize = 65_536;

/// What is known of one replica's units.
#[derive(Debug)]
struct Known {
    /// The clock its next unit will have.
    clock: u32,
    places: Places,
}

/// Clocks and places of every replica of one document.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    replicas: BTreeMap<u64, Known>,
    /// Ids per cluster; counted from the moment a cluster could be full.
    clusters: Option<Box<[u8]>>,
}

impl Clocks {
    /// Replicas that inserted anything.
    pub(super) fn len(&self) -> usize {
        self.replicas.len()
    }

    /// The clock of a replica's next unit, 0 when it never inserted.
    pub(super) fn clock(&self, replica: u64) -> u32 {
        self.replicas.get(&replica).map_or(0, |known| known.clock)
    }

    /// The run of a known unit.
    pub(super) fn run(&self, unit: Unit) -> Option<&Run> {
        let known = self.replicas.get(&unit.replica)?;
        if unit.clock < known.clock {
            known.places.at(unit.clock)
        } else {
            None
        }
    }

    /// Takes over units that passed the gate.
    pub(super) fn advance(&mut self, replica: u64, clock: u32, places: Places) {
        if let Some(known) = self.replicas.get_mut(&replica) {
            known.clock = clock;
            known.places.extend(replica, places);
            return;
        }
        self.replicas.insert(replica, Known { clock, places });
        if let Some(clusters) = &mut self.clusters {
            count_one(clusters, replica);
        } else if self.replicas.len() > MAX_REPLICAS_PER_CLUSTER {
            let mut clusters = vec![0; 1 << CLUSTER_BITS].into_boxed_slice();
            for id in self.replicas.keys() {
                count_one(&mut clusters, *id);
            }
            self.clusters = Some(clusters);
        }
    }

    /// Whether the room has a place for all of these new ids together.
    pub(super) fn room_for(&self, new: &[u64]) -> Result<(), Crowded> {
        let total = self.replicas.len().saturating_add(new.len());
        if total > MAX_REPLICAS {
            return Err(Crowded::Room);
        }
        if total <= MAX_REPLICAS_PER_CLUSTER {
            return Ok(());
        }
        let mut clusters: Vec<u64> = new.iter().map(|id| cluster(*id)).collect();
        clusters.sort_unstable();
        let crowded = clusters.chunk_by(|a, b| a == b).any(|same| {
            let here = same.first().map_or(0, |id| self.in_cluster(*id));
            here + same.len() > MAX_REPLICAS_PER_CLUSTER
        });
        if crowded {
            Err(Crowded::Cluster)
        } else {
            Ok(())
        }
    }

    fn in_cluster(&self, wanted: u64) -> usize {
        match &self.clusters {
            Some(clusters) => usize::try_from(wanted)
                .ok()
                .and_then(|index| clusters.get(index))
                .map_or(0, |count| usize::from(*count)),
            // Few enough to look at each.
            None => self
                .replicas
                .keys()
                .filter(|id| cluster(**id) == wanted)
                .count(),
        }
    }

    /// All of it, for a SyncStep1.
    pub(super) fn state_vector(&self) -> StateVector {
        self.replicas
            .iter()
            .map(|(id, known)| (*id, known.clock))
            .collect()
    }
}

fn cluster(replica: u64) -> u64 {
    replica & ((1 << CLUSTER_BITS) - 1)
}

fn count_one(clusters: &mut [u8], replica: u64) {
    let count = usize::try_from(cluster(replica))
        .ok()
        .and_then(|index| clusters.get_mut(index));
    if let Some(count) = count {
        *count = count.saturating_add(1);
    }
}

/// Why new ids have no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowded {
    Room,
    Cluster,
}

/// What the clocks were before each of the latest turns, as an undo log: a few entries per turn
/// instead of a whole state vector.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The newest turn.
    newest: TurnNumber,
    /// Per turn, oldest first and ending with the newest: clocks before it, of the replicas it
    /// moved.
    turns: VecDeque<Vec<(u64, u32)>>,
    entries: usize,
}

impl History {
    pub(super) fn newest(&self) -> TurnNumber {
        self.newest
    }

    /// Remembers one more turn.
    pub(super) fn push(&mut self, before: Vec<(u64, u32)>) {
        self.newest = self.newest.next();
        self.entries += before.len();
        self.turns.push_back(before);
        while self.turns.len() > CLOCK_HISTORY
            || self.entries > CLOCK_HISTORY_ENTRIES && self.turns.len() > 1
        {
            let Some(oldest) = self.turns.pop_front() else {
                break;
            };
            self.entries -= oldest.len();
        }
    }

    /// The state vector before `turn`; now, when `turn` is the one that comes next.
    pub(super) fn before(&self, turn: TurnNumber, clocks: &Clocks) -> Option<StateVector> {
        let undo = self.newest.0.checked_add(1)?.checked_sub(turn.0)?;
        let undo = usize::try_from(undo).ok()?;
        if undo > self.turns.len() {
            return None;
        }
        let mut state = clocks.state_vector();
        for (replica, clock) in self
            .turns
            .iter()
            .rev()
            .take(undo)
            .flat_map(|t| t.iter().rev())
        {
            state.set(*replica, *clock);
        }
        Some(state)
    }
}
