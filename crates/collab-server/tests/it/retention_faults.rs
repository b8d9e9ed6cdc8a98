//! A server that dies at every call to its store in turn while it removes history, before the call's
//! work and after it: what has a name reads as before, and the next server finishes.

use std::sync::Arc;

use collab_core::document::{Document, Edit, FileId};
use collab_core::ids::{Lineage, Offset, ReplicaId, RoomId, Seq};
use collab_core::record::Record;
use collab_core::time::Millis;
use collab_server::history::fold;
use collab_server::history::keeping::{self, Retention};
use collab_server::history::past::{History, PastError, Point};
use collab_server::storage::history::{NewVersion, Version, VersionKind};
use collab_server::storage::memory::MemoryStore;
use collab_server::storage::{Append, Claim, Create, Snapshot, Store};

/// Records of the room, one letter each; a snapshot every fourth.
const RECORDS: u64 = 12;

const ALL: Retention = Retention {
    age_ms: None,
    room_bytes: Some(0),
};

struct Past {
    memory: Arc<MemoryStore>,
    store: Arc<dyn Store>,
    claim: Claim,
    named: Vec<Version>,
}

impl Past {
    async fn new() -> Past {
        let memory = Arc::new(MemoryStore::new());
        let store = Arc::clone(&memory) as Arc<dyn Store>;
        let room = RoomId::parse("r").expect("a name");
        let create = Create::New {
            lineage: Lineage([1; 16]),
        };
        let claim = store.claim(&room, create, Millis(1)).await.expect("new");
        let mut past = Past {
            memory,
            store,
            claim,
            named: Vec::new(),
        };
        let mut document = Document::new(ReplicaId::ours(1));
        for seq in 1..=RECORDS {
            past.write(&mut document, Seq(seq)).await;
        }
        let folded = fold::fold(&past.store, claim.key, claim.epoch).await;
        assert!(folded.expect("folds").records_deleted > 0);
        past
    }

    async fn write(&mut self, document: &mut Document, seq: Seq) {
        let edit = Edit {
            at: Offset(u32::try_from(seq.0).expect("small") - 1),
            delete: 0,
            insert: letter(seq),
        };
        let delta = document.edit(&FileId::main(), &[edit]).expect("at the end");
        let Claim { key, epoch, .. } = self.claim;
        let at = Millis(seq.0 * 1000);
        let mut record = Record::default();
        record.push(at, &delta);
        let append = Append {
            key,
            epoch,
            seq,
            record: record.encode(),
            at,
        };
        self.store.append(&[append]).await.expect("is taken");
        if seq.0.is_multiple_of(4) {
            let snapshot = Snapshot {
                key,
                epoch,
                seq,
                state: document.encode().expect("sound"),
                content_sha256: document.digest().expect("sound").0,
            };
            self.store.put_snapshot(snapshot).await.expect("is taken");
        }
        let kind = match seq.0 % 3 {
            0 => VersionKind::Named,
            _ => VersionKind::Automatic,
        };
        let new = NewVersion {
            seq,
            at,
            kind,
            name: (kind == VersionKind::Named).then(|| format!("version {seq}")),
            authors: "[]".to_owned(),
            insertions: 1,
            deletions: 0,
        };
        let history = self.store.history();
        let added = history.add_version(key, self.claim.lineage, new).await;
        let added = added.expect("is taken");
        if kind == VersionKind::Named {
            self.named.push(added);
        }
    }

    /// Every version with a name says what it said, and the room opens as before.
    async fn check(&self, when: &str) {
        let key = self.claim.key;
        let past = History::new(Arc::clone(&self.store));
        for version in &self.named {
            let kept = self.store.history().kept_state(key, version.id).await;
            let text = match kept.expect("reads") {
                Some(state) => {
                    let document = Document::load(ReplicaId::ours(0), [&state[..]]);
                    document.expect("sound").text(&FileId::main())
                }
                None => {
                    let document = past.document(key, Point::Place(version.seq)).await;
                    let document = document.unwrap_or_else(|error| {
                        panic!("{when}: version {} is gone: {error}", version.seq)
                    });
                    document.text(&FileId::main())
                }
            };
            assert_eq!(text, text_at(version.seq), "{when}");
        }
        let stored = self.store.load(key).await.expect("reads");
        assert_eq!((stored.head, stored.damage), (Seq(RECORDS), Vec::new()));
    }

    async fn trim(&self) -> Result<(), PastError> {
        let now = Millis(u64::MAX / 2);
        while keeping::trim(&self.store, self.claim.key, &ALL, now)
            .await?
            .is_some()
        {}
        Ok(())
    }
}

fn letter(seq: Seq) -> String {
    let letters = "abcdefghijklmnopqrstuvwxyz";
    let at = usize::try_from(seq.0 - 1).expect("small");
    letters[at..=at].to_owned()
}

fn text_at(seq: Seq) -> String {
    (1..=seq.0).map(|seq| letter(Seq(seq))).collect()
}

#[tokio::test]
async fn a_death_at_any_call_leaves_every_name_readable() {
    for after in [false, true] {
        let mut failed = 0;
        for call in 0.. {
            let past = Past::new().await;
            match after {
                false => past.memory.faults().fail_after(call, 1),
                true => past.memory.faults().lose_after(call, 1),
            }
            let died = past.trim().await.is_err();
            past.memory.faults().fail_after(0, 0);
            past.memory.faults().lose_after(0, 0);
            past.check(&format!("call {call}, after: {after}")).await;
            past.trim().await.expect("the next server finishes");
            past.check(&format!("call {call}, after: {after}, finished"))
                .await;
            let history = past.store.history();
            let archived = history.archived(past.claim.key).await.expect("reads");
            assert_eq!(archived.chunks, [], "everything that may go has gone");
            if !died {
                break;
            }
            failed += 1;
        }
        assert!(failed > 8, "only {failed} calls failed");
    }
}
