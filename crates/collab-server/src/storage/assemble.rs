//! From rows to a document's bytes, or to a refusal: the rules of loading and folding, written once
//! for every database. Must not know where rows come from.

use bytes::Bytes;
use collab_core::ids::Seq;
use collab_core::room::{Damage, Part};

use super::checksum::{RecordRow, SnapshotRow, check_record, unpack_snapshot};
use super::damage::{Marks, RoomState, why};
use super::{RoomKey, StoreError, Stored, StoredSnapshot};

/// A row of the log as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogRow {
    /// To be checked.
    Read(RecordRow),
    /// Not even a row; why.
    Unreadable { seq: Seq, why: String },
}

impl LogRow {
    fn seq(&self) -> Seq {
        match self {
            LogRow::Read(row) => row.seq,
            LogRow::Unreadable { seq, .. } => *seq,
        }
    }
}

/// What the room's own row says, and what it has in quarantine.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    pub head: Seq,
    /// Place of the newest snapshot.
    pub newest: Seq,
    pub state: RoomState,
    pub marks: Marks,
}

/// Walks snapshots from the newest to the oldest, keeps the first that reads back right, and notes
/// which did not.
#[derive(Debug)]
pub struct SnapshotSearch {
    key: RoomKey,
    standing: Standing,
    found: Option<StoredSnapshot>,
    damage: Vec<Damage>,
}

impl SnapshotSearch {
    /// A snapshot that the room's own row names and that is not stored counts as damaged.
    pub fn new(key: RoomKey, standing: Standing, stored: &[Seq]) -> SnapshotSearch {
        let newest = standing.newest;
        let mut search = SnapshotSearch {
            key,
            standing,
            found: None,
            damage: Vec::new(),
        };
        if newest > Seq(0) && !stored.contains(&newest) {
            search.pass_over(newest, None, "the newest snapshot is missing");
        }
        search
    }

    /// Offers the next older snapshot; `true` when it is the one to load from.
    pub fn offer(&mut self, row: &SnapshotRow) -> bool {
        let part = Part::Snapshot(row.seq);
        if let Some(damage) = self.standing.marks.withheld(part, &row.body) {
            self.damage.push(damage);
            return false;
        }
        match unpack_snapshot(self.key, row) {
            Ok((state, content_sha256)) => {
                self.found = Some(StoredSnapshot {
                    seq: row.seq,
                    state,
                    content_sha256,
                });
                true
            }
            Err(error) => {
                self.pass_over(row.seq, Some(&row.body), &why(&error));
                false
            }
        }
    }

    /// A snapshot that must not be used; its body as far as there is one.
    pub fn pass_over(&mut self, seq: Seq, body: Option<&[u8]>, why: &str) {
        tracing::error!(key = self.key.0, seq = seq.0, why, "snapshot passed over");
        let part = Part::Snapshot(seq);
        self.damage
            .push(self.standing.marks.damage(part, body, why));
    }

    /// The log must be read from behind this place.
    pub fn base(&self) -> Seq {
        self.found.as_ref().map_or(Seq(0), |found| found.seq)
    }

    /// Joins the snapshot with *every* row behind [`base`](Self::base), in order of seq. What cannot
    /// be read is named, and the rest is returned without it.
    ///
    /// Errors: `Corrupt` when there is nothing to begin with: no snapshot, and the log was folded or
    /// has no record that can be read.
    pub fn finish(mut self, rows: &[LogRow]) -> Result<Stored, StoreError> {
        let base = self.base();
        let folded = base == Seq(0) && self.standing.newest > Seq(0);
        if folded && rows.first().map(LogRow::seq) != Some(Seq(1)) {
            return Err(self.corrupt(Seq(1), "no snapshot reads back right, and no log from 1 on"));
        }
        let mut last = base;
        let mut records: Vec<(Seq, Bytes)> = Vec::with_capacity(rows.len());
        for row in rows {
            if row.seq() > last.next() {
                self.lose(last.next(), Seq(row.seq().0 - 1), None, "not there");
            }
            last = last.max(row.seq());
            match row {
                LogRow::Unreadable { seq, why } => self.lose(*seq, *seq, None, why),
                LogRow::Read(row) => {
                    let part = Part::Records {
                        first: row.seq,
                        last: row.seq,
                    };
                    if let Some(damage) = self.standing.marks.withheld(part, &row.body) {
                        self.damage.push(damage);
                    } else if let Err(error) = check_record(self.key, row) {
                        self.lose(row.seq, row.seq, Some(&row.body), &why(&error));
                    } else {
                        records.push((row.seq, row.body.clone()));
                    }
                }
            }
        }
        let head = self.standing.head;
        if last < head {
            self.lose(last.next(), head, None, "the log ends before its head");
        } else if last > head {
            let why = "it names an older end of the log than there is";
            self.damage
                .push(self.standing.marks.damage(Part::Head, None, why));
        }
        let head = head.max(last);
        if head > Seq(0) && self.found.is_none() && records.is_empty() {
            let first = self.damage.first().map(|damage| damage.reason.clone());
            return Err(self.corrupt(Seq(1), &first.unwrap_or_default()));
        }
        Ok(Stored {
            snapshot: self.found,
            records,
            head,
            damage: self.damage,
            state: self.standing.state,
        })
    }

    fn lose(&mut self, first: Seq, last: Seq, body: Option<&[u8]>, why: &str) {
        let part = Part::Records { first, last };
        self.damage
            .push(self.standing.marks.damage(part, body, why));
    }

    fn corrupt(&self, seq: Seq, what: &str) -> StoreError {
        StoreError::Corrupt {
            room: self.key,
            what: what.to_owned(),
            seq,
        }
    }
}

/// The two snapshots a fold relies on: the room's newest and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldBase {
    pub newest: Seq,
    /// Records up to here go; snapshots below here go.
    pub previous: Seq,
}

impl FoldBase {
    /// Chooses among the stored snapshots, newest first. `None` when there is nothing to fold.
    pub fn choose(
        key: RoomKey,
        newest: Seq,
        stored: &[Seq],
    ) -> Result<Option<FoldBase>, StoreError> {
        if stored.first().copied().unwrap_or_default() != newest {
            return Err(StoreError::Corrupt {
                room: key,
                what: "the newest snapshot is not the one the room names".into(),
                seq: newest,
            });
        }
        Ok(stored.get(1).map(|&previous| FoldBase { newest, previous }))
    }

    /// `Corrupt` when the log behind the previous snapshot has not as many rows as it must: then
    /// that snapshot does not stand for the document, and nothing may go.
    pub fn check_log(self, key: RoomKey, head: Seq, rows_above: u64) -> Result<(), StoreError> {
        if head.0.checked_sub(self.previous.0) == Some(rows_above) {
            return Ok(());
        }
        Err(StoreError::Corrupt {
            room: key,
            what: format!("{rows_above} records behind the previous snapshot, head is {head}"),
            seq: self.previous,
        })
    }
}
