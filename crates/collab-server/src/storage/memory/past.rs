//! What was, in memory: the same rules as the databases. Must not know what is inside a chunk.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use collab_core::ids::{Epoch, Lineage, ReplicaId, Seq};
use collab_core::time::Millis;

use super::{MemoryRoom, MemoryStore, by_key};
use crate::storage::assemble::FoldBase;
use crate::storage::checksum::{check_record, unpack_snapshot};
use crate::storage::history::seal::{
    BaseRow, StateRow, check_chunk, chunk_sha, pack_base, pack_state, unpack_base, unpack_state,
};
use crate::storage::history::{
    Archived, Author, Base, Chunk, Foldable, Forgotten, HistoryStore, MAX_AUTHORS,
    MAX_NAMED_VERSIONS, MAX_PAGE_VERSIONS, MAX_READ_BYTES, NewVersion, Version, VersionId,
    VersionKind, fits,
};
use crate::storage::{Folded, RoomKey, RoomState, StoreError};

/// One room's rows of what was, public so that tests can damage them.
#[derive(Debug, Clone, Default)]
pub struct MemoryHistory {
    pub versions: BTreeMap<VersionId, Version>,
    pub states: BTreeMap<VersionId, StateRow>,
    pub authors: BTreeMap<ReplicaId, Author>,
    /// With the seal.
    pub chunks: BTreeMap<Seq, (Chunk, Vec<u8>)>,
    pub base: Option<BaseRow>,
}

impl MemoryHistory {
    fn room_for_a_name(&self) -> Result<(), StoreError> {
        let named = |version: &&Version| version.kind == VersionKind::Named;
        match self.versions.values().filter(named).count() {
            named if named < MAX_NAMED_VERSIONS => Ok(()),
            _ => Err(StoreError::TooLarge {
                what: "a room's list of named versions",
                bytes: MAX_NAMED_VERSIONS + 1,
                limit: MAX_NAMED_VERSIONS,
            }),
        }
    }
}

fn moved(why: &str) -> StoreError {
    StoreError::unavailable("folding a log into the archive", why)
}

/// What a fold of this room relies on.
fn fold_base(room: &MemoryRoom, epoch: Epoch) -> Result<Option<FoldBase>, StoreError> {
    if room.epoch != epoch {
        return Err(StoreError::Fenced);
    }
    let stored: Vec<Seq> = room.snapshots.keys().rev().copied().collect();
    let Some(base) = FoldBase::choose(room.key, room.snapshot, &stored)? else {
        return Ok(None);
    };
    for seq in [base.newest, base.previous] {
        unpack_snapshot(room.key, &room.snapshots[&seq])?;
    }
    Ok(Some(base))
}

#[async_trait]
impl HistoryStore for MemoryStore {
    async fn add_version(
        &self,
        key: RoomKey,
        lineage: Lineage,
        new: NewVersion,
    ) -> Result<Version, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key)?;
            if room.lineage != lineage || new.seq > room.head {
                return Err(StoreError::NotFound);
            }
            if new.kind == VersionKind::Named {
                room.history.room_for_a_name()?;
            }
            let id = VersionId(self.next_version());
            let version = Version::new(id, new);
            room.history.versions.insert(id, version.clone());
            Ok(version)
        })
        .await
    }

    async fn add_automatic(
        &self,
        key: RoomKey,
        epoch: Epoch,
        new: NewVersion,
    ) -> Result<Option<Version>, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).map_err(|_| StoreError::Fenced)?;
            if room.epoch != epoch {
                return Err(StoreError::Fenced);
            }
            if new.seq > room.head {
                return Err(StoreError::NotFound);
            }
            let versions = &mut room.history.versions;
            let is_there = versions.values().any(|version| version.seq >= new.seq);
            if is_there || room.state == RoomState::Degraded {
                return Ok(None);
            }
            let id = VersionId(self.next_version());
            let version = Version::new(id, new);
            versions.insert(id, version.clone());
            Ok(Some(version))
        })
        .await
    }

    async fn versions(
        &self,
        key: RoomKey,
        before: Option<VersionId>,
        limit: usize,
    ) -> Result<Vec<Version>, StoreError> {
        self.call(|rooms| {
            let Ok(room) = by_key(rooms, key) else {
                return Ok(Vec::new());
            };
            let end = before.unwrap_or(VersionId(u64::MAX));
            let below = room.history.versions.range(..end).rev();
            let limit = limit.min(MAX_PAGE_VERSIONS);
            Ok(below.take(limit).map(|(_, it)| it.clone()).collect())
        })
        .await
    }

    async fn version(&self, key: RoomKey, id: VersionId) -> Result<Option<Version>, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).ok();
            Ok(room.and_then(|room| room.history.versions.get(&id).cloned()))
        })
        .await
    }

    async fn version_at(&self, key: RoomKey, seq: Seq) -> Result<Option<Version>, StoreError> {
        self.call(|rooms| {
            let versions = by_key(rooms, key).map(|room| &room.history.versions);
            let at = versions.into_iter().flat_map(|versions| versions.values());
            let newest = at
                .filter(|version| version.seq <= seq)
                .max_by_key(|version| (version.seq, version.id));
            Ok(newest.cloned())
        })
        .await
    }

    async fn name_version(
        &self,
        key: RoomKey,
        id: VersionId,
        name: Option<String>,
    ) -> Result<Option<Version>, StoreError> {
        self.call(|rooms| {
            let Ok(room) = by_key(rooms, key) else {
                return Ok(None);
            };
            let Some(mut version) = room.history.versions.get(&id).cloned() else {
                return Ok(None);
            };
            if name.is_some() && version.kind != VersionKind::Named {
                room.history.room_for_a_name()?;
            }
            version.kind = version.kind.renamed(name.as_deref());
            version.name = name;
            room.history.versions.insert(id, version.clone());
            Ok(Some(version))
        })
        .await
    }

    async fn delete_version(&self, key: RoomKey, id: VersionId) -> Result<bool, StoreError> {
        self.call(|rooms| {
            let Ok(room) = by_key(rooms, key) else {
                return Ok(false);
            };
            room.history.states.remove(&id);
            Ok(room.history.versions.remove(&id).is_some())
        })
        .await
    }

    async fn keep_state(
        &self,
        key: RoomKey,
        id: VersionId,
        state: Bytes,
    ) -> Result<(), StoreError> {
        let row = pack_state(key, id.0, &state)?;
        self.call(|rooms| {
            let room = by_key(rooms, key)?;
            if !room.history.versions.contains_key(&id) {
                return Err(StoreError::NotFound);
            }
            room.history.states.insert(id, row);
            Ok(())
        })
        .await
    }

    async fn kept_state(&self, key: RoomKey, id: VersionId) -> Result<Option<Bytes>, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).ok();
            let row = room.and_then(|room| room.history.states.get(&id));
            row.map(|row| unpack_state(key, id.0, row)).transpose()
        })
        .await
    }

    async fn put_authors(
        &self,
        key: RoomKey,
        lineage: Lineage,
        authors: Vec<Author>,
    ) -> Result<(), StoreError> {
        self.call(|rooms| {
            let Some(room) = by_key(rooms, key).ok().filter(|it| it.lineage == lineage) else {
                return Ok(());
            };
            let known = &mut room.history.authors;
            known.extend(authors.into_iter().map(|author| (author.replica, author)));
            while known.len() > MAX_AUTHORS {
                let oldest = known.values().min_by_key(|it| (it.at, it.replica));
                let Some(oldest) = oldest.map(|author| author.replica) else {
                    break;
                };
                known.remove(&oldest);
            }
            Ok(())
        })
        .await
    }

    async fn authors(&self, key: RoomKey) -> Result<Vec<Author>, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).ok();
            let authors = room
                .into_iter()
                .flat_map(|room| room.history.authors.values());
            Ok(authors.cloned().collect())
        })
        .await
    }

    async fn archived(&self, key: RoomKey) -> Result<Archived, StoreError> {
        self.call(|rooms| {
            let Ok(room) = by_key(rooms, key) else {
                return Ok(Archived::default());
            };
            let chunks = room.history.chunks.values();
            Ok(Archived {
                base: room.history.base.as_ref().map(|(seq, at, _)| (*seq, *at)),
                chunks: chunks.map(|(chunk, _)| chunk.info()).collect(),
            })
        })
        .await
    }

    async fn chunk(&self, key: RoomKey, first: Seq) -> Result<Chunk, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key)?;
            let (chunk, sha) = room
                .history
                .chunks
                .get(&first)
                .ok_or(StoreError::NotFound)?;
            check_chunk(key, chunk.clone(), sha)
        })
        .await
    }

    async fn base(&self, key: RoomKey) -> Result<Option<Base>, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).ok();
            let row = room.and_then(|room| room.history.base.as_ref());
            row.map(|row| unpack_base(key, row)).transpose()
        })
        .await
    }

    async fn records(&self, key: RoomKey, after: Seq) -> Result<Vec<(Seq, Bytes)>, StoreError> {
        self.call(|rooms| {
            let Ok(room) = by_key(rooms, key) else {
                return Ok(Vec::new());
            };
            let mut read: Vec<(Seq, Bytes)> = Vec::new();
            let mut bytes = 0;
            for row in room.records.range(after.next()..).map(|(_, row)| row) {
                if read.last().is_some_and(|(last, _)| last.next() != row.seq) {
                    return Err(StoreError::Corrupt {
                        room: key,
                        what: "the record is missing".to_owned(),
                        seq: row.seq,
                    });
                }
                check_record(key, row)?;
                bytes += row.body.len();
                read.push((row.seq, row.body.clone()));
                if bytes >= MAX_READ_BYTES {
                    break;
                }
            }
            Ok(read)
        })
        .await
    }

    async fn foldable(&self, key: RoomKey, epoch: Epoch) -> Result<Option<Foldable>, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key).map_err(|_| StoreError::Fenced)?;
            let Some(base) = fold_base(room, epoch)? else {
                return Ok(None);
            };
            let (state, _) = unpack_snapshot(key, &room.snapshots[&base.previous])?;
            Ok(Some(Foldable {
                previous: base.previous,
                state,
            }))
        })
        .await
    }

    async fn fold_into(
        &self,
        key: RoomKey,
        epoch: Epoch,
        chunk: Chunk,
        base: Option<Base>,
    ) -> Result<Folded, StoreError> {
        let rests_on = base.map(|base| pack_base(key, &base)).transpose()?;
        self.call(|rooms| {
            let room = by_key(rooms, key).map_err(|_| StoreError::Fenced)?;
            let base = fold_base(room, epoch)?;
            let base = base.ok_or_else(|| moved("its snapshots changed meanwhile"))?;
            let above = room.records.range(base.previous.next()..).count() as u64;
            base.check_log(key, room.head, above)?;
            if chunk.last > base.previous {
                return Err(moved("the chunk reaches beyond the previous snapshot"));
            }
            let below = room.records.range(..=chunk.last);
            let first_row = below.clone().next().map_or(Seq(0), |(seq, _)| *seq);
            let rows = below.count() as u64;
            let mut others = room.history.chunks.values().map(|(chunk, _)| chunk);
            let overlapping =
                others.any(|other| other.first != chunk.first && other.last >= chunk.first);
            let replaced = room.history.chunks.get(&chunk.first).map(|(it, _)| it.last);
            if overlapping || !fits(&chunk, replaced, first_row, rows) {
                return Err(moved("its rows changed meanwhile"));
            }
            let sha = chunk_sha(key, &chunk).to_vec();
            let above = room.records.split_off(&chunk.last.next());
            room.records = above;
            let mut folded = Folded {
                records_deleted: rows,
                snapshots_deleted: 0,
            };
            if chunk.last == base.previous {
                let kept = room.snapshots.split_off(&base.previous);
                let gone = std::mem::replace(&mut room.snapshots, kept);
                folded.snapshots_deleted = gone.len() as u64;
            }
            room.history.chunks.insert(chunk.first, (chunk, sha));
            if rests_on.is_some() {
                room.history.base = rests_on;
            }
            Ok(folded)
        })
        .await
    }

    async fn overdue(
        &self,
        before: Option<Millis>,
        above_bytes: Option<u64>,
        after: RoomKey,
        limit: usize,
    ) -> Result<Vec<RoomKey>, StoreError> {
        self.call(|rooms| {
            let is_overdue = |room: &&MemoryRoom| {
                let mut chunks = room.history.chunks.values().map(|(chunk, _)| chunk.info());
                let bytes: u64 = chunks.clone().map(|chunk| chunk.bytes).sum();
                let old = before.is_some_and(|before| chunks.any(|chunk| chunk.last_at < before));
                let large = above_bytes.is_some_and(|above| bytes > above);
                room.key > after && (old || large)
            };
            let mut keys: Vec<RoomKey> = rooms
                .values()
                .filter(is_overdue)
                .map(|room| room.key)
                .collect();
            keys.sort_unstable();
            keys.truncate(limit);
            Ok(keys)
        })
        .await
    }

    async fn forget(&self, key: RoomKey, base: Base) -> Result<Forgotten, StoreError> {
        let row = pack_base(key, &base)?;
        self.call(|rooms| {
            let room = by_key(rooms, key)?;
            let stay = room.history.chunks.split_off(&base.seq.next());
            let going: Vec<Chunk> = room
                .history
                .chunks
                .values()
                .map(|it| it.0.clone())
                .collect();
            if going.iter().map(|chunk| chunk.last).max() != Some(base.seq) {
                room.history.chunks.extend(stay);
                return Err(StoreError::unavailable(
                    "forgetting a part of an archive",
                    "its chunks changed meanwhile",
                ));
            }
            room.history.chunks = stay;
            room.history.base = Some(row);
            Ok(Forgotten {
                chunks: going.len() as u64,
                turns: going.iter().map(|chunk| chunk.turns).sum(),
                bytes: going.iter().map(|chunk| chunk.body.len() as u64).sum(),
            })
        })
        .await
    }

    async fn forget_versions(&self, key: RoomKey, below: Seq) -> Result<u64, StoreError> {
        self.call(|rooms| {
            let room = by_key(rooms, key)?;
            let versions = &mut room.history.versions;
            let before = versions.len();
            versions.retain(|_, it| it.seq >= below || it.kind == VersionKind::Named);
            Ok((before - versions.len()) as u64)
        })
        .await
    }
}
