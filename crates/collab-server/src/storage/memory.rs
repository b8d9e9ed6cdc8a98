//! Rooms in memory, for tests: the same rules as the databases, and faults on demand. Must not be
//! reachable from the command line: whoever starts a server wants to keep what is typed.

mod damage;
mod faults;
mod past;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use collab_core::ids::{Epoch, Lineage, RoomId, Seq};
use collab_core::room::Damage;
use collab_core::time::Millis;

use super::assemble::{FoldBase, LogRow, SnapshotSearch};
use super::checksum::{RecordRow, SnapshotRow, pack_snapshot, record_row, unpack_snapshot};
use super::{
    Append, Appended, Claim, Create, Folded, HistoryStore, MAX_PAGE_ROOMS, MAX_RECORD_BYTES,
    Quarantined, RoomInfo, RoomKey, RoomState, Snapshot, Store, StoreError, Stored, Whereabouts,
};
use damage::{places, whereabouts};

pub use faults::Faults;
pub use past::MemoryHistory;

/// A store that lives as long as its last `Arc`: a test "restarts the server" by keeping it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rooms: Mutex<BTreeMap<RoomId, MemoryRoom>>,
    faults: Faults,
    /// Number of the newest version ever.
    versions: AtomicU64,
}

/// One room's rows, public so that tests can damage them.
#[derive(Debug, Clone)]
pub struct MemoryRoom {
    pub key: RoomKey,
    pub lineage: Lineage,
    pub epoch: Epoch,
    pub head: Seq,
    pub snapshot: Seq,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub deleted: bool,
    pub records: BTreeMap<Seq, RecordRow>,
    pub snapshots: BTreeMap<Seq, SnapshotRow>,
    pub history: MemoryHistory,
    pub state: RoomState,
    pub load_attempts: u64,
    pub quarantine: Vec<Quarantined>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// What shall go wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Changes a room's rows behind everybody's back. `None` when there is no such room.
    pub fn tamper<T>(&self, key: RoomKey, change: impl FnOnce(&mut MemoryRoom) -> T) -> Option<T> {
        self.rooms()
            .values_mut()
            .find(|room| room.key == key)
            .map(change)
    }

    /// An id for a version, never given before.
    fn next_version(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes a room away without a trace, as a database does that goes back to before it.
    pub fn forget(&self, room: &RoomId) {
        self.rooms().remove(room);
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomId, MemoryRoom>> {
        // A panic in a test's own `tamper` must not turn every later call into another panic.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call between the faults before and after it.
    async fn call<T>(
        &self,
        act: impl FnOnce(&mut BTreeMap<RoomId, MemoryRoom>) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        self.faults.before().await?;
        let result = act(&mut self.rooms());
        self.faults.after()?;
        result
    }
}

fn by_key(
    rooms: &mut BTreeMap<RoomId, MemoryRoom>,
    key: RoomKey,
) -> Result<&mut MemoryRoom, StoreError> {
    rooms
        .values_mut()
        .find(|room| room.key == key && !room.deleted)
        .ok_or(StoreError::NotFound)
}

/// For writes of an owner: who owns a room that is gone is nobody.
fn owned(
    rooms: &mut BTreeMap<RoomId, MemoryRoom>,
    key: RoomKey,
) -> Result<&mut MemoryRoom, StoreError> {
    by_key(rooms, key).map_err(|_| StoreError::Fenced)
}

fn info(name: &RoomId, room: &MemoryRoom) -> RoomInfo {
    RoomInfo {
        room: name.clone(),
        key: room.key,
        lineage: room.lineage,
        epoch: room.epoch,
        head: room.head,
        snapshot: room.snapshot,
        created_at: room.created_at,
        updated_at: room.updated_at,
        state: room.state,
    }
}

impl MemoryRoom {
    /// Appends a run of records of one owner, all or nothing.
    fn append(&mut self, run: &[&Append]) -> Vec<Appended> {
        let fits = !self.deleted
            && self.records.range(self.head.next()..).next().is_none()
            && run
                .iter()
                .zip((self.head.0..).skip(1))
                .all(|(append, seq)| append.epoch == self.epoch && append.seq.0 == seq);
        if fits {
            for append in run {
                self.records.insert(append.seq, record_row(append));
                self.head = append.seq;
                self.updated_at = self.updated_at.max(append.at);
            }
            return vec![Appended::Committed; run.len()];
        }
        let stands = |append: &Append| {
            !self.deleted && self.records.get(&append.seq) == Some(&record_row(append))
        };
        run.iter()
            .map(|append| match stands(append) {
                true => Appended::Committed,
                false => Appended::Fenced,
            })
            .collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn claim(&self, name: &RoomId, create: Create, at: Millis) -> Result<Claim, StoreError> {
        self.call(|rooms| {
            let next_key = RoomKey(rooms.len() as i64 + 1);
            let exists = rooms.get(name).is_some_and(|room| !room.deleted);
            let created = match create {
                Create::Never if !exists => return Err(StoreError::NotFound),
                Create::New { .. } if exists => return Err(StoreError::AlreadyExists),
                Create::IfMissing { lineage } | Create::New { lineage } if !exists => {
                    let former = rooms.get(name);
                    let room = MemoryRoom {
                        key: former.map_or(next_key, |former| former.key),
                        lineage,
                        epoch: former.map_or(Epoch(0), |former| former.epoch),
                        head: Seq(0),
                        snapshot: Seq(0),
                        created_at: at,
                        updated_at: at,
                        deleted: false,
                        records: BTreeMap::new(),
                        snapshots: BTreeMap::new(),
                        history: MemoryHistory::default(),
                        state: RoomState::Active,
                        load_attempts: 0,
                        quarantine: Vec::new(),
                    };
                    rooms.insert(name.clone(), room);
                    true
                }
                _ => false,
            };
            let room = rooms.get_mut(name).ok_or(StoreError::NotFound)?;
            room.epoch.0 += 1;
            room.load_attempts += 1;
            Ok(Claim {
                key: room.key,
                lineage: room.lineage,
                epoch: room.epoch,
                head: room.head,
                snapshot: room.snapshot,
                created_at: room.created_at,
                created,
                load_attempts: room.load_attempts,
            })
        })
        .await
    }

    async fn load(&self, key: RoomKey) -> Result<Stored, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key)?;
            let mut search = SnapshotSearch::new(key, room.standing(), &places(room));
            for row in room.snapshots.values().rev() {
                if search.offer(row) {
                    break;
                }
            }
            let behind = room.records.range(search.base().next()..);
            let rows: Vec<LogRow> = behind.map(|(_, row)| LogRow::Read(row.clone())).collect();
            search.finish(&rows)
        })
        .await
    }

    async fn load_ended(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.call(|rooms| owned(rooms, key)?.load_ended(epoch))
            .await
    }

    async fn quarantine(
        &self,
        key: RoomKey,
        epoch: Epoch,
        parts: &[Damage],
        at: Millis,
    ) -> Result<(), StoreError> {
        self.call(|rooms| owned(rooms, key)?.quarantine(epoch, parts, at))
            .await
    }

    async fn mend(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.call(|rooms| owned(rooms, key)?.mend(epoch)).await
    }

    async fn quarantined(&self, key: RoomKey, after: i64) -> Result<Vec<Quarantined>, StoreError> {
        self.call(|rooms| Ok(by_key(rooms, key)?.quarantined(after)))
            .await
    }

    async fn renew(
        &self,
        name: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> Result<RoomInfo, StoreError> {
        self.call(|rooms| {
            let room = rooms.get_mut(name).filter(|room| !room.deleted);
            let room = room.ok_or(StoreError::NotFound)?;
            Ok(room.renew(name, lineage, above))
        })
        .await
    }

    async fn whereabouts(&self, name: &RoomId) -> Result<Whereabouts, StoreError> {
        self.call(|rooms| Ok(whereabouts(name, rooms.get(name))))
            .await
    }

    async fn append(&self, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
        self.call(|rooms| {
            let mut outcomes = vec![Appended::Fenced; batch.len()];
            for run in super::runs(batch) {
                let appends: Vec<&Append> = run.iter().map(|&index| &batch[index]).collect();
                let outcome = if appends.iter().any(|a| a.record.len() > MAX_RECORD_BYTES) {
                    vec![Appended::TooLarge; appends.len()]
                } else {
                    match by_key(rooms, appends[0].key) {
                        Ok(room) => room.append(&appends),
                        Err(_) => continue,
                    }
                };
                for (index, outcome) in run.into_iter().zip(outcome) {
                    outcomes[index] = outcome;
                }
            }
            Ok(outcomes)
        })
        .await
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let row = pack_snapshot(&snapshot)?;
        self.call(|rooms| {
            let room = by_key(rooms, snapshot.key).map_err(|_| StoreError::Fenced)?;
            let place = room.snapshot..=room.head;
            if room.epoch != snapshot.epoch || !place.contains(&snapshot.seq) {
                return Err(StoreError::Fenced);
            }
            room.snapshot = snapshot.seq;
            if snapshot.seq > Seq(0) {
                room.snapshots.insert(snapshot.seq, row);
            }
            Ok(())
        })
        .await
    }

    async fn fold(&self, key: RoomKey, epoch: Epoch) -> Result<Folded, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).map_err(|_| StoreError::Fenced)?;
            if room.epoch != epoch {
                return Err(StoreError::Fenced);
            }
            let Some(base) = FoldBase::choose(key, room.snapshot, &places(room))? else {
                return Ok(Folded::default());
            };
            for seq in [base.newest, base.previous] {
                unpack_snapshot(key, &room.snapshots[&seq])?;
            }
            let above = room.records.split_off(&base.previous.next());
            if let Err(error) = base.check_log(key, room.head, above.len() as u64) {
                room.records.extend(above);
                return Err(error);
            }
            let records_deleted = std::mem::replace(&mut room.records, above).len() as u64;
            let kept = room.snapshots.split_off(&base.previous);
            let snapshots_deleted = std::mem::replace(&mut room.snapshots, kept).len() as u64;
            Ok(Folded {
                records_deleted,
                snapshots_deleted,
            })
        })
        .await
    }

    async fn describe(&self, name: &RoomId) -> Result<Option<RoomInfo>, StoreError> {
        self.call(|rooms| {
            let room = rooms.get(name).filter(|room| !room.deleted);
            Ok(room.map(|room| info(name, room)))
        })
        .await
    }

    async fn list(
        &self,
        after: Option<&RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomInfo>, StoreError> {
        self.call(|rooms| {
            Ok(rooms
                .iter()
                .filter(|(name, room)| !room.deleted && after.is_none_or(|after| *name > after))
                .take(limit.min(MAX_PAGE_ROOMS))
                .map(|(name, room)| info(name, room))
                .collect())
        })
        .await
    }

    async fn delete(&self, name: &RoomId, _at: Millis) -> Result<bool, StoreError> {
        self.call(|rooms| {
            let Some(room) = rooms.get_mut(name).filter(|room| !room.deleted) else {
                return Ok(false);
            };
            room.deleted = true;
            room.epoch.0 += 1;
            room.head = Seq(0);
            room.snapshot = Seq(0);
            room.records.clear();
            room.snapshots.clear();
            room.history = MemoryHistory::default();
            room.state = RoomState::Active;
            room.load_attempts = 0;
            room.quarantine.clear();
            Ok(true)
        })
        .await
    }

    fn history(&self) -> &dyn HistoryStore {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call(|_| Ok(())).await
    }

    async fn close(&self) {
        self.faults.close();
    }
}
