//! How long history is kept: the oldest chunks of an archive go when they are older than is wished, or
//! the archive is larger, and what has a name stays readable for ever. Must not know SQL, HTTP, rooms
//! that are awake, nor when it is called; that is `housekeeper`'s.
//!
//! Nothing here is ever needed to open a room: chunks, states and versions go, log rows and snapshots
//! do not. In this order, so that a failure at any point leaves too much and never too little: the state
//! that is to stand for the chunks is made and read back; versions without a name that would point
//! before it go, so that none of them can get a name any more; each version that is left gets its
//! state; only then go the chunks.

use std::sync::Arc;

use bytes::Bytes;
use collab_core::document::{Digest, Document, Outcome};
use collab_core::ids::{ReplicaId, Seq};
use collab_core::time::Millis;

use super::chunk;
use super::past::PastError;
use crate::storage::history::{
    Archived, Base, ChunkInfo, Forgotten, MAX_PAGE_VERSIONS, Version, VersionId,
};
use crate::storage::{RoomKey, Store, StoreError, heavy};

/// Days that history is kept when nothing else is said.
pub const DEFAULT_DAYS: u32 = 30;

/// Bytes of one room's archive when nothing else is said (256 MiB): at 2 bytes a keystroke, a hundred
/// people who type for 30 days without a break come near.
pub const DEFAULT_ROOM_BYTES: usize = 256 << 20;

/// Bytes of chunks that go in one transaction, unless a single one is larger (8 MiB): so long may a
/// commit of somebody's keystrokes have to wait for it.
const STEP_BYTES: u64 = 8 << 20;

/// Updates applied to a document in one transaction.
const BATCH: usize = 64;

/// What is to be kept. The default keeps everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Milliseconds; what is older goes, chunk by chunk. `None`: for ever.
    pub age_ms: Option<u64>,
    /// Bytes of one room's archive as stored; when it is larger, the oldest goes. `None`: any size.
    pub room_bytes: Option<u64>,
}

/// What was removed from one room's history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub chunks: u64,
    pub turns: u64,
    pub bytes: u64,
    /// Versions without a name.
    pub versions: u64,
    /// Versions whose state was put aside before.
    pub kept: u64,
}

impl Removed {
    /// And as much more.
    pub fn add(&mut self, more: Removed) {
        self.chunks += more.chunks;
        self.turns += more.turns;
        self.bytes += more.bytes;
        self.versions += more.versions;
        self.kept += more.kept;
    }
}

impl Retention {
    /// Times before this one need not be kept.
    pub fn oldest(&self, now: Millis) -> Option<Millis> {
        let age = self.age_ms?;
        Some(Millis(now.0.saturating_sub(age)))
    }

    /// How many chunks go now, the oldest ones, in one step.
    fn step(&self, archived: &Archived, now: Millis) -> usize {
        let chunks = &archived.chunks;
        let old = |chunk: &&ChunkInfo| self.oldest(now).is_some_and(|it| chunk.last_at < it);
        let by_age = chunks.iter().take_while(old).count();
        let mut left: u64 = chunks.iter().map(|chunk| chunk.bytes).sum();
        let mut by_size = 0;
        for chunk in chunks {
            if self.room_bytes.is_none_or(|most| left <= most) {
                break;
            }
            left = left.saturating_sub(chunk.bytes);
            by_size += 1;
        }
        let going = by_age.max(by_size);
        let mut bytes = 0u64;
        let fit = chunks.iter().take(going).take_while(|chunk| {
            bytes = bytes.saturating_add(chunk.bytes);
            bytes <= STEP_BYTES
        });
        let count = fit.count().max(usize::from(going > 0));
        // What lies before the state on which the archive rests goes with what rests on it.
        let base = archived.base.map_or(Seq(0), |(seq, _)| seq);
        let before = chunks.iter().take_while(|chunk| chunk.first <= base);
        if count == 0 {
            0
        } else {
            count.max(before.count())
        }
    }
}

/// Removes what need not be kept of one room's history, one step of it. `None` when nothing is left to
/// go. Errors: `Damaged` when the archive does not read, or not back: then nothing was removed.
pub async fn trim(
    store: &Arc<dyn Store>,
    key: RoomKey,
    retention: &Retention,
    now: Millis,
) -> Result<Option<Removed>, PastError> {
    let history = store.history();
    let archived = history.archived(key).await?;
    let step = retention.step(&archived, now);
    let going: Vec<ChunkInfo> = archived.chunks.iter().take(step).copied().collect();
    let from = archived.base.map_or(Seq(0), |(seq, _)| seq);
    // An archive that ends before its own base is being made just now.
    let Some(last) = going.last().copied().filter(|last| last.last >= from) else {
        return Ok(None);
    };
    let state = Walk::begin(store, key, &archived)
        .await?
        .on_to(&going, last.last)
        .await?
        .state()
        .await?;
    let base = Base {
        seq: last.last,
        at: last.last_at,
        state,
    };
    let mut removed = Removed {
        versions: history.forget_versions(key, base.seq).await?,
        ..Removed::default()
    };
    let mut walk = Walk::begin(store, key, &archived).await?;
    for version in versions_between(store, key, from, base.seq).await? {
        walk = walk.on_to(&going, version.seq).await?;
        keep(store, key, version.id, walk.state().await?).await?;
        removed.kept += 1;
    }
    let Forgotten {
        chunks,
        turns,
        bytes,
    } = history.forget(key, base).await?;
    Ok(Some(Removed {
        chunks,
        turns,
        bytes,
        ..removed
    }))
}

/// Versions at or behind a place and before another, by place.
async fn versions_between(
    store: &Arc<dyn Store>,
    key: RoomKey,
    from: Seq,
    to: Seq,
) -> Result<Vec<Version>, StoreError> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let history = store.history();
        let page = history.versions(key, before, MAX_PAGE_VERSIONS).await?;
        before = page.last().map(|version| version.id);
        if before.is_none() {
            break;
        }
        let inside = |version: &Version| (from..to).contains(&version.seq);
        found.extend(page.into_iter().filter(inside));
    }
    found.sort_by_key(|version| (version.seq, version.id));
    Ok(found)
}

/// Puts a version's state aside, and reads it back.
async fn keep(
    store: &Arc<dyn Store>,
    key: RoomKey,
    id: VersionId,
    state: Bytes,
) -> Result<(), PastError> {
    let history = store.history();
    match history.keep_state(key, id, state.clone()).await {
        // Somebody deleted the version just now.
        Err(StoreError::NotFound) => return Ok(()),
        kept => kept?,
    }
    match history.kept_state(key, id).await? {
        Some(back) if back == state => Ok(()),
        // Deleted meanwhile, as above.
        None if history.version(key, id).await?.is_none() => Ok(()),
        _ => Err(PastError::Damaged(
            "a version's state did not read back as it was written".to_owned(),
        )),
    }
}

/// A document on its way through the chunks that are to go.
struct Walk<'a> {
    store: &'a Arc<dyn Store>,
    key: RoomKey,
    document: Document,
    /// Everything up to here is in it.
    at: Seq,
}

impl<'a> Walk<'a> {
    /// At the state on which the archive rests.
    async fn begin(
        store: &'a Arc<dyn Store>,
        key: RoomKey,
        archived: &Archived,
    ) -> Result<Walk<'a>, PastError> {
        let base = match archived.base {
            Some(_) => store.history().base(key).await?,
            None => None,
        };
        let (at, updates) = base.map_or((Seq(0), Vec::new()), |it| (it.seq, vec![it.state]));
        let document = off_thread("reading a base", move || load(&updates)).await?;
        Ok(Walk {
            store,
            key,
            document,
            at,
        })
    }

    /// Goes on to a place.
    async fn on_to(mut self, chunks: &[ChunkInfo], place: Seq) -> Result<Walk<'a>, PastError> {
        for info in chunks {
            if info.last <= self.at {
                continue;
            }
            if place <= self.at {
                break;
            }
            if info.first > self.at.next() {
                return Err(damaged("a part of the archive is missing"));
            }
            let chunk = match self.store.history().chunk(self.key, info.first).await {
                Err(StoreError::Corrupt { what, .. }) => return Err(PastError::Damaged(what)),
                chunk => chunk?,
            };
            let (from, mut document) = (self.at, self.document);
            let to = place.min(info.last);
            self.document = off_thread("reading a chunk of the archive", move || {
                let turns = chunk::unpack(chunk.first, &chunk.body)
                    .map_err(|error| PastError::Damaged(error.to_string()))?;
                let (known, wanted) = (turns.up_to(from), turns.up_to(to));
                let turns = turns.turns.into_iter().take(wanted).skip(known);
                let updates: Vec<Bytes> = turns.map(|turn| Bytes::from(turn.delta)).collect();
                for batch in updates.chunks(BATCH) {
                    apply(&mut document, batch)?;
                }
                Ok(document)
            })
            .await?;
            self.at = to;
        }
        match self.at >= place {
            true => Ok(self),
            false => Err(damaged("a part of the archive is missing")),
        }
    }

    /// The state here, once it was found to decode to the same.
    async fn state(&mut self) -> Result<Bytes, PastError> {
        let (state, digest) = encoded(&mut self.document)?;
        let copy = state.clone();
        off_thread("reading a state back", move || {
            match load(&[copy])?.digest() {
                Ok(back) if back == digest => Ok(()),
                _ => Err(damaged("a state does not decode to what it was made of")),
            }
        })
        .await?;
        Ok(state)
    }
}

fn encoded(document: &mut Document) -> Result<(Bytes, Digest), PastError> {
    let state = document.encode();
    let state = state.map_err(|error| PastError::Damaged(error.to_string()))?;
    let digest = document.digest();
    let digest = digest.map_err(|error| PastError::Damaged(error.to_string()))?;
    Ok((state, digest))
}

fn load(updates: &[Bytes]) -> Result<Document, PastError> {
    Document::load(ReplicaId::ours(0), updates.iter().map(|update| &update[..]))
        .map_err(|error| PastError::Damaged(error.to_string()))
}

fn apply(document: &mut Document, updates: &[Bytes]) -> Result<(), PastError> {
    let turn = document.apply_kept(updates);
    let turn = turn.map_err(|error| PastError::Damaged(error.to_string()))?;
    let applied = |outcome: &Outcome| matches!(outcome, Outcome::Applied { .. });
    match turn.outcomes.iter().all(applied) {
        true => Ok(()),
        false => Err(damaged("an update of the archive does not apply")),
    }
}

fn damaged(what: &str) -> PastError {
    PastError::Damaged(what.to_owned())
}

async fn off_thread<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, PastError> + Send + 'static,
) -> Result<T, PastError> {
    heavy(doing, move || Ok(work())).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;
    const NOW: Millis = Millis(100 * DAY);

    /// One chunk a day, the last one of today.
    fn archived(sizes: &[u64]) -> Archived {
        let days = sizes.len() as u64;
        let chunk = |(day, bytes): (u64, &u64)| ChunkInfo {
            first: Seq(day * 10 + 1),
            last: Seq(day * 10 + 10),
            first_at: Millis(NOW.0 - (days - day) * DAY),
            last_at: Millis(NOW.0 - (days - 1 - day) * DAY),
            turns: 10,
            bytes: *bytes,
        };
        Archived {
            base: None,
            chunks: (0..).zip(sizes).map(chunk).collect(),
        }
    }

    fn step(age_days: Option<u64>, room_bytes: Option<u64>, sizes: &[u64]) -> usize {
        let retention = Retention {
            age_ms: age_days.map(|days| days * DAY),
            room_bytes,
        };
        retention.step(&archived(sizes), NOW)
    }

    #[test]
    fn whole_chunks_go_when_all_of_them_is_too_old() {
        let sizes = [10; 5];
        assert_eq!(step(None, None, &sizes), 0, "for ever");
        assert_eq!(step(Some(30), None, &sizes), 0);
        assert_eq!(step(Some(4), None, &sizes), 0, "its end is not older");
        assert_eq!(step(Some(3), None, &sizes), 1);
        assert_eq!(step(Some(0), None, &sizes), 4, "what is of now stays");
        assert_eq!(step(Some(3), None, &[]), 0);
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        let sizes = [10; 5];
        assert_eq!(step(None, Some(50), &sizes), 0);
        assert_eq!(step(None, Some(49), &sizes), 1);
        assert_eq!(step(None, Some(20), &sizes), 3);
        assert_eq!(step(None, Some(0), &sizes), 5);
        assert_eq!(
            step(Some(3), Some(20), &sizes),
            3,
            "whichever asks for more"
        );
    }

    #[test]
    fn a_step_is_bounded_and_always_one() {
        let half = STEP_BYTES / 2;
        assert_eq!(step(None, Some(0), &[half; 5]), 2);
        assert_eq!(step(None, Some(0), &[STEP_BYTES + 1, 1]), 1);
    }
}
