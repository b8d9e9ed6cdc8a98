//! From rows to a document's bytes, or to a refusal: the rules of loading and folding, written once
//! for every database. Must not know where rows come from.

use bytes::Bytes;
use collab_core::ids::Seq;

use super::checksum::{RecordRow, SnapshotRow, check_record, unpack_snapshot};
use super::{RoomKey, StoreError, Stored, StoredSnapshot};

/// Walks snapshots from the newest to the oldest, keeps the first that reads back right, and notes
/// which did not.
#[derive(Debug)]
pub struct SnapshotSearch {
    key: RoomKey,
    head: Seq,
    found: Option<StoredSnapshot>,
    damaged: Vec<Seq>,
}

impl SnapshotSearch {
    /// `newest` is what the room's own row says; a snapshot missing there counts as damaged.
    pub fn new(
        key: RoomKey,
        head: Seq,
        newest: Seq,
        stored: &[Seq],
    ) -> Result<SnapshotSearch, StoreError> {
        let mut search = SnapshotSearch {
            key,
            head,
            found: None,
            damaged: Vec::new(),
        };
        if newest > head {
            return Err(search.corrupt(newest, "the newest snapshot is beyond the log's head"));
        }
        if newest > Seq(0) && !stored.contains(&newest) {
            search.pass_over(newest, "the newest snapshot is missing");
        }
        Ok(search)
    }

    /// Offers the next older snapshot; `true` when it is the one to load from.
    pub fn offer(&mut self, row: &SnapshotRow) -> bool {
        if row.seq > self.head {
            self.pass_over(row.seq, "the snapshot is beyond the log's head");
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
                self.pass_over(row.seq, &error.to_string());
                false
            }
        }
    }

    /// A snapshot row that could not even be read as one.
    pub fn pass_over(&mut self, seq: Seq, why: &str) {
        tracing::error!(key = self.key.0, seq = seq.0, why, "snapshot passed over");
        self.damaged.push(seq);
    }

    /// The log must be read from behind this place.
    pub fn base(&self) -> Seq {
        self.found.as_ref().map_or(Seq(0), |found| found.seq)
    }

    /// Joins the snapshot with *every* row behind [`base`](Self::base), in order of seq.
    pub fn finish(self, rows: &[RecordRow]) -> Result<Stored, StoreError> {
        let mut last = self.base();
        let mut records: Vec<(Seq, Bytes)> = Vec::with_capacity(rows.len());
        for row in rows {
            let expected = last.next();
            if row.seq != expected {
                return Err(self.corrupt(expected, "the record is missing"));
            }
            if row.seq > self.head {
                return Err(self.corrupt(row.seq, "the record is beyond the log's head"));
            }
            check_record(self.key, row)?;
            records.push((row.seq, row.body.clone()));
            last = row.seq;
        }
        if last != self.head {
            return Err(self.corrupt(last.next(), "the log ends before its head"));
        }
        Ok(Stored {
            snapshot: self.found,
            records,
            head: self.head,
            damaged_snapshots: self.damaged,
        })
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
