//! A server that dies at every call to its store in turn, before the call's work and after it. What
//! was acknowledged is there when the next server loads.

use std::sync::Arc;

use async_trait::async_trait;
use collab_core::ids::{Epoch, Lineage, RoomId};
use collab_core::room::{self, Part};
use collab_core::time::Millis;
use collab_server::storage::memory::Faults;
use collab_server::storage::{
    Append, Appended, Claim, Create, Folded, HistoryStore, Quarantined, RoomInfo, RoomKey,
    Snapshot, Store, StoreError, Stored, Whereabouts,
};

use crate::stores::*;

/// Any store with faults before and after its calls.
#[derive(Debug)]
struct Faulty {
    store: Arc<dyn Store>,
    faults: Faults,
}

impl Faulty {
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.faults.before().await?;
        let result = call.await;
        self.faults.after()?;
        result
    }
}

#[async_trait]
impl Store for Faulty {
    async fn claim(&self, room: &RoomId, create: Create, at: Millis) -> Result<Claim, StoreError> {
        self.call(self.store.claim(room, create, at)).await
    }
    async fn load(&self, key: RoomKey) -> Result<Stored, StoreError> {
        self.call(self.store.load(key)).await
    }
    async fn load_ended(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.call(self.store.load_ended(key, epoch)).await
    }
    async fn quarantine(
        &self,
        key: RoomKey,
        epoch: Epoch,
        parts: &[room::Damage],
        at: Millis,
    ) -> Result<(), StoreError> {
        self.call(self.store.quarantine(key, epoch, parts, at))
            .await
    }
    async fn mend(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.call(self.store.mend(key, epoch)).await
    }
    async fn quarantined(&self, key: RoomKey, after: i64) -> Result<Vec<Quarantined>, StoreError> {
        self.call(self.store.quarantined(key, after)).await
    }
    async fn renew(
        &self,
        room: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> Result<RoomInfo, StoreError> {
        self.call(self.store.renew(room, lineage, above)).await
    }
    async fn whereabouts(&self, room: &RoomId) -> Result<Whereabouts, StoreError> {
        self.call(self.store.whereabouts(room)).await
    }
    async fn append(&self, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
        self.call(self.store.append(batch)).await
    }
    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.call(self.store.put_snapshot(snapshot)).await
    }
    async fn fold(&self, key: RoomKey, epoch: Epoch) -> Result<Folded, StoreError> {
        self.call(self.store.fold(key, epoch)).await
    }
    async fn describe(&self, room: &RoomId) -> Result<Option<RoomInfo>, StoreError> {
        self.call(self.store.describe(room)).await
    }
    async fn list(
        &self,
        after: Option<&RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomInfo>, StoreError> {
        self.call(self.store.list(after, limit)).await
    }
    async fn delete(&self, room: &RoomId, at: Millis) -> Result<bool, StoreError> {
        self.call(self.store.delete(room, at)).await
    }
    fn history(&self) -> &dyn HistoryStore {
        self.store.history()
    }
    async fn ping(&self) -> Result<(), StoreError> {
        self.call(self.store.ping()).await
    }
    async fn close(&self) {
        self.store.close().await;
    }
}

/// One server's life: claim, load, write, snapshot and fold, until a call fails. `acked` is what
/// clients were told.
async fn live(store: &dyn Store, acked: &mut u64) -> Result<(), StoreError> {
    let create = Create::IfMissing {
        lineage: lineage(1),
    };
    let claim = store.claim(&room("r"), create, NOON).await?;
    let loaded = store.load(claim.key).await?;
    check(&loaded, *acked);
    let mut seq = loaded.head.0;
    for _ in 0..3 {
        for _ in 0..2 {
            seq += 1;
            assert_eq!(
                store.append(&[record(&claim, seq)]).await?,
                [Appended::Committed]
            );
            *acked = seq;
        }
        store.put_snapshot(snapshot(&claim, seq)).await?;
        store.fold(claim.key, claim.epoch).await?;
    }
    // A place that damages nothing: what the calls do to the rest of the room is what matters.
    let part = room::Damage {
        part: Part::Head,
        reason: "a test".to_owned(),
        withhold: false,
        quarantined: false,
    };
    store.load_ended(claim.key, claim.epoch).await?;
    store
        .quarantine(claim.key, claim.epoch, &[part], NOON)
        .await?;
    store.mend(claim.key, claim.epoch).await?;
    Ok(())
}

/// Snapshot and records are one whole, and nothing acknowledged is missing.
fn check(loaded: &Stored, acked: u64) {
    assert!(
        loaded.head.0 >= acked,
        "{} acknowledged, head is {}",
        acked,
        loaded.head
    );
    assert_eq!(loaded.damage, []);
    let base = loaded
        .snapshot
        .as_ref()
        .map_or(0, |snapshot| snapshot.seq.0);
    if let Some(snapshot) = &loaded.snapshot {
        assert_eq!(snapshot.state, state(base));
    }
    assert_eq!(loaded.records, bodies(base + 1..=loaded.head.0));
}

async fn dies_at_every_call(kind: Kind, after_the_work: bool) {
    // How many calls one life makes.
    let calls = {
        let subject = Subject::new(kind).await;
        let faulty = Faulty {
            store: subject.store.clone(),
            faults: Faults::default(),
        };
        live(&faulty, &mut 0).await.expect("nothing fails yet");
        subject.finish().await;
        faulty.faults.calls()
    };
    assert_eq!(calls, 17, "claim, load, three rounds of four, and marks");
    let subject = Subject::new(kind).await;
    let mut acked = 0;
    for at in 0..calls {
        let faulty = Faulty {
            store: subject.store.clone(),
            faults: Faults::default(),
        };
        match after_the_work {
            false => faulty.faults.fail_after(at, 1),
            true => faulty.faults.lose_after(at, 1),
        }
        let died = live(&faulty, &mut acked).await;
        assert!(
            matches!(died, Err(StoreError::Unavailable(_))),
            "at call {at}"
        );
        assert_eq!(faulty.faults.calls(), at + 1);
    }
    let claim = subject
        .store
        .claim(&room("r"), Create::Never, NOON)
        .await
        .unwrap();
    check(&subject.store.load(claim.key).await.unwrap(), acked);
    assert!(acked > 20);
    subject.finish().await;
}

#[tokio::test]
async fn memory_before_the_work() {
    dies_at_every_call(Kind::Memory, false).await;
}

#[tokio::test]
async fn memory_after_the_work() {
    dies_at_every_call(Kind::Memory, true).await;
}

#[tokio::test]
async fn sqlite_before_the_work() {
    dies_at_every_call(Kind::Sqlite, false).await;
}

#[tokio::test]
async fn sqlite_after_the_work() {
    dies_at_every_call(Kind::Sqlite, true).await;
}

#[tokio::test]
async fn postgres_before_the_work() {
    dies_at_every_call(Kind::Postgres, false).await;
}

#[tokio::test]
async fn postgres_after_the_work() {
    dies_at_every_call(Kind::Postgres, true).await;
}
