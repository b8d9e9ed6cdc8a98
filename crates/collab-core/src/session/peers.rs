//! Everybody's presence as one client knows it, and its own. Must not know how it is shown.
//!
//! Clocks as in `y-protocols` 1.0.7 `awareness.js`: a newer clock wins, and nobody is removed by
//! somebody else while still here.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::ReplicaId;
use crate::protocol::awareness::{self, Entry};
use crate::time::Millis;

/// Milliseconds after which one's own entry is sent again.
const RENEW_MS: u64 = 15_000;

/// Milliseconds after which a peer that was not heard of is gone. Plain Yjs peers renew every
/// 15 s, and the server tells when one leaves; this is for what gets lost in between.
const EXPIRE_MS: u64 = 40_000;

/// Peers kept. More are ignored: a room has at most a thousand connections.
const MAX_PEERS: usize = 4096;

#[derive(Debug)]
struct Peer {
    clock: u64,
    /// `None` once gone; its clock keeps late copies out until it expires.
    state: Option<String>,
    heard: Millis,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Peers {
    own: ReplicaId,
    clock: u64,
    state: Option<String>,
    renewed: Millis,
    others: BTreeMap<ReplicaId, Peer>,
}

/// A peer's new state.
pub(super) type Changed = (ReplicaId, Option<String>);

impl Peers {
    pub(super) fn new(own: ReplicaId) -> Peers {
        Peers {
            own,
            clock: 0,
            state: None,
            renewed: Millis(0),
            others: BTreeMap::new(),
        }
    }

    /// Whose entry is one's own.
    pub(super) fn own(&self) -> ReplicaId {
        self.own
    }

    /// Changes one's own entry. What to send, if there is anything to say.
    pub(super) fn set_own(&mut self, now: Millis, state: Option<String>) -> Option<Bytes> {
        if state.is_none() && self.state.is_none() {
            return None;
        }
        self.state = state;
        Some(self.say(now))
    }

    /// One's own entry again, with the next clock.
    pub(super) fn renew(&mut self, now: Millis) -> Option<Bytes> {
        self.state.is_some().then(|| self.say(now))
    }

    /// The same, when it is time.
    pub(super) fn renew_if_due(&mut self, now: Millis) -> Option<Bytes> {
        if now.since(self.renewed) >= RENEW_MS {
            self.renew(now)
        } else {
            None
        }
    }

    /// Entries came in. Who changed, and what to answer when somebody says that we are gone.
    pub(super) fn heard(
        &mut self,
        now: Millis,
        entries: Vec<Entry>,
    ) -> (Vec<Changed>, Option<Bytes>) {
        let mut changed = Vec::new();
        let mut answer = None;
        for entry in entries {
            if entry.replica == self.own {
                let wrong = entry.state.is_none() || entry.clock > self.clock;
                if wrong && self.state.is_some() {
                    self.clock = self.clock.max(entry.clock);
                    answer = Some(self.say(now));
                }
                continue;
            }
            let known = self.others.get(&entry.replica);
            if known.is_none() && self.others.len() >= MAX_PEERS {
                continue;
            }
            let newer = known.is_none_or(|peer| {
                entry.clock > peer.clock
                    || (entry.clock == peer.clock && entry.state.is_none() && peer.state.is_some())
            });
            if !newer {
                continue;
            }
            let same = known.is_some_and(|peer| peer.state == entry.state)
                || (known.is_none() && entry.state.is_none());
            if !same {
                changed.push((entry.replica, entry.state.clone()));
            }
            self.others.insert(
                entry.replica,
                Peer {
                    clock: entry.clock,
                    state: entry.state,
                    heard: now,
                },
            );
        }
        (changed, answer)
    }

    /// Forgets who was not heard of for too long; returns those that were here.
    pub(super) fn expire(&mut self, now: Millis) -> Vec<ReplicaId> {
        let mut gone = Vec::new();
        self.others.retain(|replica, peer| {
            let stays = now.since(peer.heard) < EXPIRE_MS;
            if !stays && peer.state.is_some() {
                gone.push(*replica);
            }
            stays
        });
        gone
    }

    /// The connection is lost: nobody is known to be here.
    pub(super) fn lose_all(&mut self) -> Vec<ReplicaId> {
        let others = std::mem::take(&mut self.others);
        others
            .into_iter()
            .filter(|(_, peer)| peer.state.is_some())
            .map(|(replica, _)| replica)
            .collect()
    }

    /// Who is here.
    pub(super) fn here(&self) -> impl Iterator<Item = (ReplicaId, &str)> {
        self.others
            .iter()
            .filter_map(|(replica, peer)| Some((*replica, peer.state.as_deref()?)))
    }

    /// When to renew or expire next.
    pub(super) fn next_deadline(&self) -> Option<Millis> {
        let renew = self.state.is_some().then(|| self.renewed.plus(RENEW_MS));
        let expire = self
            .others
            .values()
            .map(|peer| peer.heard.plus(EXPIRE_MS))
            .min();
        renew.into_iter().chain(expire).min()
    }

    fn say(&mut self, now: Millis) -> Bytes {
        self.clock += 1;
        self.renewed = now;
        let entry = Entry {
            replica: self.own,
            clock: self.clock,
            state: self.state.clone(),
        };
        awareness::encode([entry].iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(replica: u32, clock: u64, state: Option<&str>) -> Entry {
        Entry {
            replica: ReplicaId::ours(replica),
            clock,
            state: state.map(str::to_owned),
        }
    }

    #[test]
    fn who_is_said_to_be_gone_but_is_here_says_so() {
        let mut peers = Peers::new(ReplicaId::ours(1));
        peers.set_own(Millis(0), Some("{}".to_owned()));
        let (changed, answer) = peers.heard(Millis(1), vec![entry(1, 7, None)]);
        assert!(changed.is_empty());
        let said = awareness::decode(answer.expect("an answer")).expect("own bytes");
        assert_eq!(said, [entry(1, 8, Some("{}"))]);
    }

    #[test]
    fn peers_come_renew_and_expire() {
        let mut peers = Peers::new(ReplicaId::ours(1));
        let (changed, _) = peers.heard(Millis(0), vec![entry(2, 1, Some("{}"))]);
        assert_eq!(changed, [(ReplicaId::ours(2), Some("{}".to_owned()))]);
        let (changed, _) = peers.heard(Millis(15_000), vec![entry(2, 2, Some("{}"))]);
        assert!(changed.is_empty(), "a renewal is no news");
        assert!(peers.expire(Millis(15_000 + EXPIRE_MS - 1)).is_empty());
        assert_eq!(
            peers.expire(Millis(15_000 + EXPIRE_MS)),
            [ReplicaId::ours(2)]
        );
    }
}
