//! Rooms with real documents, written record by record. Must not know what is done with them.

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Offset, ReplicaId, Seq};
use collab_core::record::Record;
use collab_server::storage::{Append, Appended, Claim, Snapshot, Store};

use crate::stores::{NOON, new_room};

/// A room's document in the hands of whoever writes it.
pub struct Written {
    pub claim: Claim,
    pub document: Document,
    pub head: u64,
}

impl Written {
    pub async fn new(store: &dyn Store, name: &str) -> Written {
        Written {
            claim: new_room(store, name).await,
            document: Document::new(ReplicaId::ours(7)),
            head: 0,
        }
    }

    /// Appends so many records, each with one line of text.
    pub async fn write(&mut self, store: &dyn Store, records: u64) {
        for _ in 0..records {
            let line = format!("line {}\n", self.head + 1);
            let at = self.document.text_len(&FileId::main());
            let edit = Edit {
                at: Offset(at),
                delete: 0,
                insert: line,
            };
            let delta = self.document.edit(&FileId::main(), &[edit]);
            self.append(store, &delta.expect("it can be edited")).await;
        }
    }

    /// Appends one record with this update in it.
    pub async fn append(&mut self, store: &dyn Store, delta: &[u8]) {
        self.head += 1;
        let mut record = Record::default();
        record.push(NOON.plus(self.head), delta);
        let append = Append {
            key: self.claim.key,
            epoch: self.claim.epoch,
            seq: Seq(self.head),
            record: record.encode(),
            at: NOON.plus(self.head),
        };
        let appended = store.append(&[append]).await;
        assert_eq!(appended, Ok(vec![Appended::Committed]));
    }

    /// Stores a snapshot of what was written so far.
    pub async fn snapshot(&mut self, store: &dyn Store) {
        let state = self.document.encode().expect("it can be encoded");
        let digest = self.document.digest().expect("it can be read");
        self.snapshot_of(store, state, digest.0).await;
    }

    pub async fn snapshot_of(&self, store: &dyn Store, state: Bytes, content_sha256: [u8; 32]) {
        let snapshot = Snapshot {
            key: self.claim.key,
            epoch: self.claim.epoch,
            seq: Seq(self.head),
            state,
            content_sha256,
        };
        assert_eq!(store.put_snapshot(snapshot).await, Ok(()));
    }
}

/// What `records` lines written one after the other say.
pub fn lines(records: u64) -> String {
    (1..=records).map(|line| format!("line {line}\n")).collect()
}

/// How many lines a text has, if they are those that were written one after the other.
pub fn counted(text: &str) -> Option<u64> {
    let count = text.lines().count() as u64;
    (text == lines(count)).then_some(count)
}
