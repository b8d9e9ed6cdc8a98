//! What a replica has seen, as Yjs writes it: client id → clock of the next unit. It says nothing
//! about deletions. Must not know a document.

use std::collections::BTreeMap;

use super::MAX_REPLICAS;
use super::gate::Reader;
use super::refusal::Refusal;
use crate::ids::ReplicaId;

/// A state vector. Replicas that inserted nothing are not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateVector {
    clocks: BTreeMap<u64, u32>,
}

impl StateVector {
    /// Reads the bytes of a SyncStep1. Accepts entries in any order (yrs writes them in the order
    /// of a hash table) but each client once, and at most [`MAX_REPLICAS`] of them.
    pub fn decode(bytes: &[u8]) -> Result<StateVector, Refusal> {
        let mut reader = Reader::new(bytes);
        let count = reader.count(2)?;
        if count > MAX_REPLICAS {
            return Err(Refusal::TooManyReplicas);
        }
        let mut clocks = BTreeMap::new();
        for _ in 0..count {
            let replica = reader.replica()?;
            if clocks.insert(replica, reader.clock()?).is_some() {
                return Err(Refusal::ClientOrder);
            }
        }
        reader.end()?;
        clocks.retain(|_, clock| *clock > 0);
        Ok(StateVector { clocks })
    }

    /// The bytes of a SyncStep1, clients descending as Yjs writes them.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 8 * self.clocks.len());
        put_uint(&mut out, self.clocks.len() as u64);
        for (replica, clock) in self.clocks.iter().rev() {
            put_uint(&mut out, *replica);
            put_uint(&mut out, u64::from(*clock));
        }
        out
    }

    /// The clock of a replica's next unit; 0 when nothing of it was seen.
    pub fn get(&self, replica: ReplicaId) -> u32 {
        self.clocks.get(&replica.get()).copied().unwrap_or(0)
    }

    /// Has also seen what `other` has.
    pub fn merge(&mut self, other: &StateVector) {
        for (replica, clock) in &other.clocks {
            let here = self.clocks.entry(*replica).or_default();
            *here = (*here).max(*clock);
        }
    }

    /// Whether it has seen all that `other` has.
    pub fn covers(&self, other: &StateVector) -> bool {
        other
            .clocks
            .iter()
            .all(|(replica, clock)| self.clocks.get(replica).is_some_and(|here| here >= clock))
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.clocks.is_empty()
    }

    /// Replicas in it.
    pub fn len(&self) -> usize {
        self.clocks.len()
    }

    /// Replicas and clocks, ids ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.clocks.iter().map(|(id, clock)| (*id, *clock))
    }

    pub(super) fn set(&mut self, replica: u64, clock: u32) {
        if clock == 0 {
            self.clocks.remove(&replica);
        } else {
            self.clocks.insert(replica, clock);
        }
    }
}

impl FromIterator<(u64, u32)> for StateVector {
    fn from_iter<I: IntoIterator<Item = (u64, u32)>>(entries: I) -> StateVector {
        StateVector {
            clocks: entries
                .into_iter()
                .filter(|(_, clock)| *clock > 0)
                .collect(),
        }
    }
}

/// An unsigned number of lib0: seven bits per byte, lowest first.
fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}
