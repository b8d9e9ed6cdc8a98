//! Who is here and where their caret is: lossy, bounded, never stored. Must not know documents or
//! storage.
//!
//! The server's table binds each replica's entry to the connection that brought it: nobody moves
//! or removes somebody else's caret. Yjs calls all this "awareness"; its rules for clocks are kept
//! (`y-protocols` 1.0.7 `awareness.js`).

pub mod person;

use std::collections::{BTreeMap, BTreeSet};

use self::person::Person;
use crate::ids::{ConnectionId, ReplicaId};
use crate::protocol::awareness::Entry;
use crate::protocol::limits::{
    MAX_PRESENCE_BYTES, MAX_PRESENCE_DEPTH, MAX_REPLICAS_PER_CONNECTION,
};
use crate::time::Millis;

/// A connection silent for this long loses its entries to whoever brings them next, in
/// milliseconds: after a broken network the same tab returns on a new socket before the old one
/// is known to be dead. Clients renew their entry every 15 s.
pub const TAKEOVER_AFTER_MS: u64 = 20_000;

/// Largest clock. Later ones could not be counted up by a JavaScript client.
const MAX_CLOCK: u64 = (1 << 53) - 2;

/// Entries of one room: as many as one awareness message may tell of. More are dropped.
pub const MAX_PRESENT: usize = crate::protocol::limits::MAX_AWARENESS_ENTRIES;

/// How many gone entries a room remembers. They only keep a late copy of an old state from
/// showing a ghost; the oldest are forgotten first.
const MAX_GONE: usize = 1024;

/// Why an entry was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Another connection speaks for this replica.
    Bound,
    /// Not newer than what is known.
    Old,
    /// Larger than [`MAX_PRESENCE_BYTES`], deeper than [`MAX_PRESENCE_DEPTH`], or not JSON.
    Malformed,
    /// The connection speaks for [`MAX_REPLICAS_PER_CONNECTION`] replicas already, or the room is
    /// full ([`MAX_PRESENT`]).
    TooMany,
}

impl Ignored {
    /// A stable short name, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Ignored::Bound => "bound",
            Ignored::Old => "old",
            Ignored::Malformed => "malformed",
            Ignored::TooMany => "too-many",
        }
    }
}

#[derive(Debug)]
struct Held {
    owner: ConnectionId,
    clock: u64,
    state: String,
}

/// The server's table of one room.
#[derive(Debug, Default)]
pub struct Table {
    here: BTreeMap<ReplicaId, Held>,
    /// The replicas in `here` by their owner; nobody stands here without any.
    owned: BTreeMap<ConnectionId, BTreeSet<ReplicaId>>,
    /// When each connection that owns or owned an entry last said anything.
    heard: BTreeMap<ConnectionId, Millis>,
    /// Clock of the removal, by replica, and when.
    gone: BTreeMap<ReplicaId, (u64, Millis)>,
}

impl Table {
    /// Takes an entry from a connection. `Ok` when everybody should hear of it.
    pub fn offer(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        entry: &Entry,
    ) -> Result<(), Ignored> {
        self.heard(now, connection);
        if entry.clock > MAX_CLOCK {
            return Err(Ignored::Malformed);
        }
        let known = self.here.get(&entry.replica);
        match (&entry.state, known) {
            (_, Some(held)) if held.owner != connection && self.is_alive(now, held.owner) => {
                Err(Ignored::Bound)
            }
            (None, None) => Err(Ignored::Old),
            (None, Some(held)) if entry.clock < held.clock => Err(Ignored::Old),
            (None, Some(held)) => {
                // Everybody must hear a clock above the last one, whatever the sender wrote.
                let clock = entry.clock.max(held.clock.saturating_add(1));
                self.take_out(entry.replica);
                self.remember_gone(now, entry.replica, clock);
                Ok(())
            }
            (Some(_), Some(held)) if entry.clock <= held.clock => Err(Ignored::Old),
            (Some(_), None) if self.clock_of_gone(entry.replica) >= Some(entry.clock) => {
                Err(Ignored::Old)
            }
            (Some(state), known) => {
                if !is_small_json(state) {
                    return Err(Ignored::Malformed);
                }
                let new_to_owner = known.is_none_or(|held| held.owner != connection);
                let full = known.is_none() && self.here.len() >= MAX_PRESENT;
                let owned = self.owned.get(&connection).map_or(0, BTreeSet::len);
                if full || (new_to_owner && owned >= MAX_REPLICAS_PER_CONNECTION) {
                    return Err(Ignored::TooMany);
                }
                self.gone.remove(&entry.replica);
                if new_to_owner {
                    self.take_out(entry.replica);
                    self.owned
                        .entry(connection)
                        .or_default()
                        .insert(entry.replica);
                }
                self.here.insert(
                    entry.replica,
                    Held {
                        owner: connection,
                        clock: entry.clock,
                        state: state.clone(),
                    },
                );
                Ok(())
            }
        }
    }

    /// Something was heard from a connection: its entries stay its own.
    pub fn heard(&mut self, now: Millis, connection: ConnectionId) {
        self.heard.insert(connection, now);
    }

    /// A connection is gone: its entries end, each with clock + 1.
    pub fn leave(&mut self, now: Millis, connection: ConnectionId) -> Vec<Entry> {
        self.heard.remove(&connection);
        let replicas = self.owned.remove(&connection).unwrap_or_default();
        replicas
            .into_iter()
            .filter_map(|replica| {
                let clock = self.here.remove(&replica)?.clock.saturating_add(1);
                self.remember_gone(now, replica, clock);
                Some(Entry {
                    replica,
                    clock,
                    state: None,
                })
            })
            .collect()
    }

    /// Everybody, for one who just came in.
    pub fn everybody(&self) -> Vec<Entry> {
        self.here
            .iter()
            .map(|(replica, held)| Entry {
                replica: *replica,
                clock: held.clock,
                state: Some(held.state.clone()),
            })
            .collect()
    }

    /// What is known of one replica, gone or here, as everybody should hear it.
    pub fn entry(&self, replica: ReplicaId) -> Option<Entry> {
        match self.here.get(&replica) {
            Some(held) => Some(Entry {
                replica,
                clock: held.clock,
                state: Some(held.state.clone()),
            }),
            None => self.clock_of_gone(replica).map(|clock| Entry {
                replica,
                clock,
                state: None,
            }),
        }
    }

    /// Who a replica says to be, if it is here and says so.
    pub fn person(&self, replica: ReplicaId) -> Option<Person> {
        let held = self.here.get(&replica)?;
        Person::read(replica, &held.state)
    }

    /// The replica that a connection speaks for, when it is a single one.
    pub fn only_of(&self, connection: ConnectionId) -> Option<ReplicaId> {
        let owned = self.owned.get(&connection)?;
        owned.first().copied().filter(|_| owned.len() == 1)
    }

    /// How many replicas are here.
    pub fn len(&self) -> usize {
        self.here.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.here.is_empty()
    }

    fn is_alive(&self, now: Millis, connection: ConnectionId) -> bool {
        self.heard
            .get(&connection)
            .is_some_and(|heard| now.since(*heard) < TAKEOVER_AFTER_MS)
    }

    /// Removes an entry that is here, from its owner too.
    fn take_out(&mut self, replica: ReplicaId) {
        let Some(held) = self.here.remove(&replica) else {
            return;
        };
        if let Some(replicas) = self.owned.get_mut(&held.owner) {
            replicas.remove(&replica);
            if replicas.is_empty() {
                self.owned.remove(&held.owner);
            }
        }
    }

    fn clock_of_gone(&self, replica: ReplicaId) -> Option<u64> {
        self.gone.get(&replica).map(|(clock, _)| *clock)
    }

    fn remember_gone(&mut self, now: Millis, replica: ReplicaId, clock: u64) {
        if self.gone.len() >= MAX_GONE {
            let oldest = self
                .gone
                .iter()
                .min_by_key(|(_, (_, at))| *at)
                .map(|(replica, _)| *replica);
            if let Some(oldest) = oldest {
                self.gone.remove(&oldest);
            }
        }
        self.gone.insert(replica, (clock, now));
    }
}

/// Whether this is JSON, at most [`MAX_PRESENCE_BYTES`] long and [`MAX_PRESENCE_DEPTH`] deep.
fn is_small_json(state: &str) -> bool {
    if state.len() > MAX_PRESENCE_BYTES {
        return false;
    }
    let mut depth = 0usize;
    let mut in_text = false;
    let mut escaped = false;
    for byte in state.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > MAX_PRESENCE_DEPTH {
                    return false;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    serde_json::from_str::<serde::de::IgnoredAny>(state).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: ConnectionId = ConnectionId(1);
    const B: ConnectionId = ConnectionId(2);

    fn entry(replica: u32, clock: u64, state: &str) -> Entry {
        Entry {
            replica: ReplicaId::ours(replica),
            clock,
            state: (state != "null").then(|| state.to_owned()),
        }
    }

    #[test]
    fn nobody_moves_or_removes_anothers_entry() {
        let mut table = Table::default();
        assert_eq!(table.offer(Millis(0), A, &entry(5, 1, "{}")), Ok(()));
        for theft in [entry(5, 9, "{\"x\":1}"), entry(5, 9, "null")] {
            assert_eq!(table.offer(Millis(1), B, &theft), Err(Ignored::Bound));
        }
        assert_eq!(table.everybody(), [entry(5, 1, "{}")]);
    }

    #[test]
    fn a_returning_tab_takes_over_from_its_dead_socket() {
        let mut table = Table::default();
        table.offer(Millis(0), A, &entry(5, 1, "{}")).expect("new");
        let again = entry(5, 2, "{}");
        assert_eq!(
            table.offer(Millis(TAKEOVER_AFTER_MS - 1), B, &again),
            Err(Ignored::Bound)
        );
        assert_eq!(table.offer(Millis(TAKEOVER_AFTER_MS), B, &again), Ok(()));
        assert!(table.leave(Millis(TAKEOVER_AFTER_MS), A).is_empty());
    }

    #[test]
    fn leaving_ends_an_entry_with_the_next_clock() {
        let mut table = Table::default();
        table.offer(Millis(0), A, &entry(5, 7, "{}")).expect("new");
        assert_eq!(table.leave(Millis(1), A), [entry(5, 8, "null")]);
        assert_eq!(
            table.offer(Millis(2), B, &entry(5, 8, "{}")),
            Err(Ignored::Old),
            "a late copy shows no ghost"
        );
        assert_eq!(table.offer(Millis(2), B, &entry(5, 9, "{}")), Ok(()));
    }

    #[test]
    fn entries_at_their_limits() {
        let mut table = Table::default();
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        assert_eq!(
            table.offer(Millis(0), A, &entry(1, 1, &text(MAX_PRESENCE_BYTES))),
            Ok(())
        );
        assert_eq!(
            table.offer(Millis(0), A, &entry(1, 2, &text(MAX_PRESENCE_BYTES + 1))),
            Err(Ignored::Malformed)
        );
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(
            table.offer(Millis(0), A, &entry(1, 3, &nested(MAX_PRESENCE_DEPTH))),
            Ok(())
        );
        assert_eq!(
            table.offer(Millis(0), A, &entry(1, 4, &nested(MAX_PRESENCE_DEPTH + 1))),
            Err(Ignored::Malformed)
        );
        assert_eq!(
            table.offer(Millis(0), A, &entry(1, 5, "{oops")),
            Err(Ignored::Malformed)
        );
        for replica in 2..=16 {
            assert_eq!(table.offer(Millis(0), A, &entry(replica, 1, "{}")), Ok(()));
        }
        assert_eq!(
            table.offer(Millis(0), A, &entry(17, 1, "{}")),
            Err(Ignored::TooMany)
        );
        assert_eq!(
            table.offer(Millis(0), A, &entry(2, 1 << 53, "{}")),
            Err(Ignored::Malformed)
        );
    }

    #[test]
    fn a_flood_of_ids_leaves_nothing_behind() {
        let mut table = Table::default();
        for id in 0..100_000 {
            let connection = ConnectionId(u64::from(id));
            table
                .offer(Millis(0), connection, &entry(id, 1, "{}"))
                .expect("each brings its own");
            table.leave(Millis(1), connection);
        }
        assert!(table.is_empty());
        assert!(table.gone.len() <= MAX_GONE);
    }

    impl Table {
        fn check_invariants(&self) {
            let mut owned: BTreeMap<ConnectionId, BTreeSet<ReplicaId>> = BTreeMap::new();
            for (replica, held) in &self.here {
                owned.entry(held.owner).or_default().insert(*replica);
            }
            assert_eq!(self.owned, owned);
            assert!(self.here.keys().all(|here| !self.gone.contains_key(here)));
            for replicas in self.owned.values() {
                assert!(replicas.len() <= MAX_REPLICAS_PER_CONNECTION);
            }
        }
    }

    proptest! {
        /// Entries that come, go, move to another socket and end with theirs.
        #[test]
        fn every_entry_has_one_owner_who_knows_of_it(
            steps in prop::collection::vec((0u8..4, 0u64..4, 0u32..24, 1u64..6, 0u64..15_000), 0..200)
        ) {
            let mut table = Table::default();
            let mut now = Millis(0);
            for (what, connection, replica, clock, later) in steps {
                now = now.plus(later);
                let connection = ConnectionId(connection);
                match what {
                    0 => {
                        let before: Vec<Entry> = table
                            .everybody()
                            .into_iter()
                            .filter(|entry| table.here[&entry.replica].owner == connection)
                            .collect();
                        let ended = table.leave(now, connection);
                        prop_assert_eq!(ended.len(), before.len());
                    }
                    what => {
                        let state = if what == 1 { "null" } else { "{}" };
                        // Whether it was taken is for other tests.
                        let _: Result<(), Ignored> =
                            table.offer(now, connection, &entry(replica, clock, state));
                    }
                }
                table.check_invariants();
            }
        }
    }
}
