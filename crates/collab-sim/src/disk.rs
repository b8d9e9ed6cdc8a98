//! Storage as the server knows it: a claim with an epoch, a fenced append that knows its own
//! repetition, snapshots that are only added, and a fold that deletes below the previous one.
//! Slow, failing before the commit, or after it. Must not know rooms in memory, nor what is inside
//! a record.
//!
//! The rules are those of the server's storage trait; its implementations have a conformance suite
//! of their own.

use std::collections::BTreeMap;

use bytes::Bytes;
use collab_core::document::Digest;
use collab_core::ids::{Epoch, Lineage, ReplicaId, Seq};
use collab_core::room::{AppendFailure, Author, LoadFailure, Loaded};
use collab_core::time::Millis;

use crate::bug::Bug;
use crate::scenario::Weather;

/// A room's rows. What is here survives everything.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which document.
    pub lineage: Lineage,
    /// Who may write.
    pub epoch: Epoch,
    /// Last place in the log.
    pub head: Seq,
    /// The log, as far as it was not folded.
    pub log: BTreeMap<Seq, (Epoch, Bytes)>,
    /// Snapshots and the digest each must give.
    pub snapshots: BTreeMap<Seq, (Bytes, Digest)>,
    /// Something of it went into quarantine.
    pub degraded: bool,
    /// Who replicas said to be.
    pub authors: BTreeMap<ReplicaId, Author>,
    /// Place and time of each version, in the order in which they were made.
    pub versions: Vec<(Seq, Millis)>,
}

impl Row {
    /// The newest snapshot's place; 0 when there is none.
    pub fn snapshot_seq(&self) -> Seq {
        self.snapshots
            .keys()
            .next_back()
            .copied()
            .unwrap_or_default()
    }

    /// What a load returns.
    pub fn load(&self) -> Loaded {
        let snapshot_seq = self.snapshot_seq();
        Loaded {
            lineage: self.lineage,
            epoch: self.epoch,
            head: self.head,
            snapshot_seq,
            snapshot: self
                .snapshots
                .get(&snapshot_seq)
                .map(|(state, _)| state.clone()),
            records: self
                .log
                .range(snapshot_seq.next()..)
                .map(|(seq, (_, record))| (*seq, record.clone()))
                .collect(),
            damage: Vec::new(),
            degraded: self.degraded,
            version: self.versions.last().copied(),
        }
    }
}

/// What the server asks for.
#[derive(Debug, Clone)]
pub enum Request {
    /// Claim and read, or only read under this epoch.
    Load { epoch: Option<Epoch> },
    /// Claim above this epoch and read.
    Reclaim { above: Epoch },
    /// Mark the room as degraded.
    Quarantine { epoch: Epoch },
    /// Mark it as whole.
    Mend { epoch: Epoch },
    /// Who wrote.
    Remember { authors: Vec<Author> },
    /// A version that the room makes of itself.
    Version {
        epoch: Epoch,
        seq: Seq,
        at: Millis,
        authors: Vec<Author>,
    },
    /// One record.
    Append {
        epoch: Epoch,
        seq: Seq,
        record: Bytes,
    },
    /// A snapshot that was verified.
    Snapshot {
        epoch: Epoch,
        seq: Seq,
        state: Bytes,
        digest: Digest,
    },
    /// Delete what the previous snapshot makes needless.
    Fold { epoch: Epoch },
}

/// What became of it.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// For a load.
    Loaded(Loaded),
    /// For a load.
    LoadFailed(LoadFailure),
    /// For an append.
    Appended { seq: Seq },
    /// For an append.
    AppendFailed { seq: Seq, failure: AppendFailure },
    /// For a snapshot.
    Stored { epoch: Epoch, seq: Seq },
    /// For a snapshot; whether another owner was the reason.
    NotStored { seq: Seq, fenced: bool },
    /// For a fold: records deleted, `None` when it failed.
    Folded(Option<usize>),
    /// For a version: whether there is one now.
    Versioned { seq: Seq, stored: bool },
    /// For authors.
    Remembered { stored: bool },
    /// For a mark, and whether it is a quarantine that was asked for.
    Marked { quarantine: bool, stored: bool },
}

/// What chance has in store for one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Done and answered.
    Fine,
    /// Not done.
    FailsBefore,
    /// Done, but the answer says that it is unknown.
    FailsAfter,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Disk {
    rooms: BTreeMap<u32, Row>,
    bug: Option<Bug>,
}

impl Weather {
    /// Draws an operation's fate.
    pub fn fate(&self, drawn: u64) -> Fate {
        if drawn < self.fails_before {
            Fate::FailsBefore
        } else if drawn < self.fails_before + self.fails_after {
            Fate::FailsAfter
        } else {
            Fate::Fine
        }
    }
}

/// What an operation did to the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// A new owner.
    Claimed,
    /// One more record, at this place.
    Appended(Seq),
    /// This record was there already.
    Known,
    /// One more snapshot, at this place.
    Snapshot(Seq),
    /// One more version, at this place.
    Version(Seq),
    /// So many records fewer.
    Folded(usize),
}

impl Disk {
    /// An empty one, perhaps with a bug.
    pub fn with(bug: Option<Bug>) -> Disk {
        Disk {
            rooms: BTreeMap::new(),
            bug,
        }
    }

    /// The rows of a room; `None` when it never existed.
    pub fn row(&self, room: u32) -> Option<&Row> {
        self.rooms.get(&room)
    }

    /// The last record of every room's log, gone: what a crash of a disk that lies would do. Only
    /// to prove that the checker sees it.
    pub fn lose_last_record(&mut self, room: u32) {
        if let Some(row) = self.rooms.get_mut(&room)
            && row.log.pop_last().is_some()
        {
            row.head = Seq(row.head.0.saturating_sub(1));
        }
    }

    /// Carries an operation out at one instant: what it did, and what is answered.
    pub fn execute(
        &mut self,
        room: u32,
        request: &Request,
        fate: Fate,
        lineage: Lineage,
    ) -> (Change, Outcome) {
        match request {
            Request::Load { epoch } => self.claim(room, *epoch, fate, lineage),
            Request::Reclaim { above } => {
                if let Some(row) = self.rooms.get_mut(&room) {
                    row.epoch = row.epoch.max(*above);
                }
                self.claim(room, None, fate, lineage)
            }
            Request::Quarantine { epoch } => self.mark(room, *epoch, true, fate),
            Request::Mend { epoch } => self.mark(room, *epoch, false, fate),
            Request::Remember { authors } => self.remember(room, authors, fate),
            Request::Version {
                epoch,
                seq,
                at,
                authors,
            } => {
                self.remember(room, authors, fate);
                self.version(room, *epoch, (*seq, *at), fate)
            }
            Request::Append { epoch, seq, record } => {
                self.append(room, (*epoch, *seq, record), fate)
            }
            Request::Snapshot {
                epoch,
                seq,
                state,
                digest,
            } => {
                let stored = (state.clone(), *digest);
                self.snapshot(room, *epoch, *seq, stored, fate)
            }
            Request::Fold { epoch } => self.fold(room, *epoch, fate),
        }
    }

    fn claim(
        &mut self,
        room: u32,
        kept: Option<Epoch>,
        fate: Fate,
        lineage: Lineage,
    ) -> (Change, Outcome) {
        let unavailable = Outcome::LoadFailed(LoadFailure::Unavailable);
        if fate == Fate::FailsBefore {
            return (Change::None, unavailable);
        }
        let row = self.rooms.entry(room).or_insert_with(|| Row {
            lineage,
            epoch: Epoch(0),
            head: Seq(0),
            log: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            degraded: false,
            authors: BTreeMap::new(),
            versions: Vec::new(),
        });
        if kept.is_none() {
            row.epoch.0 = match self.bug {
                Some(Bug::EpochWraps) => 1 + row.epoch.0 % 2,
                _ => row.epoch.0 + 1,
            };
        }
        let mut loaded = row.load();
        // A room that only reads again keeps its claim, fenced or not: its next append will tell.
        loaded.epoch = kept.unwrap_or(row.epoch);
        match fate {
            Fate::FailsAfter => (Change::Claimed, unavailable),
            _ => (Change::Claimed, Outcome::Loaded(loaded)),
        }
    }

    fn mark(&mut self, room: u32, epoch: Epoch, quarantine: bool, fate: Fate) -> (Change, Outcome) {
        let owned = |row: &&mut Row| row.epoch == epoch && fate != Fate::FailsBefore;
        let row = self.rooms.get_mut(&room).filter(owned);
        let stored = row.is_some() && fate == Fate::Fine;
        if let Some(row) = row {
            row.degraded = quarantine;
        }
        (Change::None, Outcome::Marked { quarantine, stored })
    }

    fn version(
        &mut self,
        room: u32,
        epoch: Epoch,
        (seq, at): (Seq, Millis),
        fate: Fate,
    ) -> (Change, Outcome) {
        let may =
            |row: &&mut Row| row.epoch == epoch && seq <= row.head && fate != Fate::FailsBefore;
        let row = self.rooms.get_mut(&room).filter(may);
        let stored = row.is_some() && fate == Fate::Fine;
        let mut change = Change::None;
        if let Some(row) = row
            && !row.degraded
            && row.versions.last().is_none_or(|(newest, _)| *newest < seq)
        {
            row.versions.push((seq, at));
            change = Change::Version(seq);
        }
        (change, Outcome::Versioned { seq, stored })
    }

    fn remember(&mut self, room: u32, authors: &[Author], fate: Fate) -> (Change, Outcome) {
        if fate != Fate::FailsBefore
            && let Some(row) = self.rooms.get_mut(&room)
        {
            let authors = authors.iter().cloned();
            row.authors
                .extend(authors.map(|author| (author.replica, author)));
        }
        let stored = fate == Fate::Fine;
        (Change::None, Outcome::Remembered { stored })
    }

    fn append(
        &mut self,
        room: u32,
        (epoch, seq, record): (Epoch, Seq, &Bytes),
        fate: Fate,
    ) -> (Change, Outcome) {
        let failed = |failure| Outcome::AppendFailed { seq, failure };
        let Some(row) = self
            .rooms
            .get_mut(&room)
            .filter(|_| fate != Fate::FailsBefore)
        else {
            return (Change::None, failed(AppendFailure::Unavailable));
        };
        let owns = row.epoch == epoch || self.bug == Some(Bug::NoEpochCheck);
        let fits = owns && row.head.next() == seq;
        let known = row
            .log
            .get(&seq)
            .is_some_and(|(by, bytes)| *by == epoch && bytes == record);
        let change = if fits {
            row.log.insert(seq, (epoch, record.clone()));
            row.head = seq;
            Change::Appended(seq)
        } else if known {
            Change::Known
        } else {
            Change::None
        };
        let outcome = match fate {
            Fate::FailsAfter => failed(AppendFailure::Unavailable),
            _ if change == Change::None => failed(AppendFailure::Fenced),
            _ => Outcome::Appended { seq },
        };
        (change, outcome)
    }

    fn snapshot(
        &mut self,
        room: u32,
        epoch: Epoch,
        seq: Seq,
        stored: (Bytes, Digest),
        fate: Fate,
    ) -> (Change, Outcome) {
        let not = |fenced| Outcome::NotStored { seq, fenced };
        if self.bug == Some(Bug::FoldBeforeSnapshot)
            && let Some(row) = self.rooms.get_mut(&room)
            && row.epoch == epoch
        {
            let kept = row.log.split_off(&seq.next());
            let deleted = std::mem::replace(&mut row.log, kept).len();
            if fate == Fate::FailsBefore {
                return (Change::Folded(deleted), not(false));
            }
        }
        let Some(row) = self
            .rooms
            .get_mut(&room)
            .filter(|_| fate != Fate::FailsBefore)
        else {
            return (Change::None, not(false));
        };
        if row.epoch != epoch || seq > row.head || seq < row.snapshot_seq() {
            return (Change::None, not(true));
        }
        row.snapshots.insert(seq, stored);
        match fate {
            Fate::FailsAfter => (Change::Snapshot(seq), not(false)),
            _ => (Change::Snapshot(seq), Outcome::Stored { epoch, seq }),
        }
    }

    fn fold(&mut self, room: u32, epoch: Epoch, fate: Fate) -> (Change, Outcome) {
        let Some(row) = self
            .rooms
            .get_mut(&room)
            .filter(|row| fate != Fate::FailsBefore && row.epoch == epoch)
        else {
            return (Change::None, Outcome::Folded(None));
        };
        let generation = match self.bug {
            Some(Bug::FoldToNewest) => 0,
            _ => 1,
        };
        let Some(previous) = row.snapshots.keys().rev().nth(generation).copied() else {
            return (Change::None, Outcome::Folded(Some(0)));
        };
        let kept = row.log.split_off(&previous.next());
        let deleted = std::mem::replace(&mut row.log, kept).len();
        row.snapshots = row.snapshots.split_off(&previous);
        let outcome = match fate {
            Fate::FailsAfter => None,
            _ => Some(deleted),
        };
        (Change::Folded(deleted), Outcome::Folded(outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(disk: &mut Disk, epoch: u64, seq: u64, byte: u8, fate: Fate) -> Change {
        let request = Request::Append {
            epoch: Epoch(epoch),
            seq: Seq(seq),
            record: vec![byte].into(),
        };
        disk.execute(0, &request, fate, Lineage([0; 16])).0
    }

    fn claim(disk: &mut Disk) {
        let request = Request::Load { epoch: None };
        disk.execute(0, &request, Fate::Fine, Lineage([0; 16]));
    }

    #[test]
    fn an_append_is_fenced_contiguous_and_knows_its_own_repetition() {
        let mut disk = Disk::default();
        claim(&mut disk);
        assert_eq!(append(&mut disk, 1, 2, 7, Fate::Fine), Change::None);
        assert_eq!(append(&mut disk, 1, 1, 7, Fate::FailsBefore), Change::None);
        assert_eq!(
            append(&mut disk, 1, 1, 7, Fate::FailsAfter),
            Change::Appended(Seq(1))
        );
        assert_eq!(append(&mut disk, 1, 1, 7, Fate::Fine), Change::Known);
        assert_eq!(append(&mut disk, 1, 1, 8, Fate::Fine), Change::None);
        claim(&mut disk);
        assert_eq!(append(&mut disk, 1, 2, 7, Fate::Fine), Change::None);
        assert_eq!(
            append(&mut disk, 2, 2, 7, Fate::Fine),
            Change::Appended(Seq(2))
        );
    }

    #[test]
    fn a_fold_deletes_only_below_the_previous_snapshot() {
        let mut disk = Disk::default();
        claim(&mut disk);
        for seq in 1..=4 {
            append(&mut disk, 1, seq, 0, Fate::Fine);
            if seq % 2 == 0 {
                let request = Request::Snapshot {
                    epoch: Epoch(1),
                    seq: Seq(seq),
                    state: Bytes::new(),
                    digest: Digest([0; 32]),
                };
                disk.execute(0, &request, Fate::Fine, Lineage([0; 16]));
            }
        }
        let fold = Request::Fold { epoch: Epoch(1) };
        let (change, _) = disk.execute(0, &fold, Fate::Fine, Lineage([0; 16]));
        assert_eq!(change, Change::Folded(2));
        let row = disk.row(0).expect("claimed");
        assert_eq!(row.log.keys().map(|seq| seq.0).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(row.load().records.len(), 0);
    }
}
