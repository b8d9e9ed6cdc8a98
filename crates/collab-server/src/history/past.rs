//! Any past state of a room, made again from the archive and the log. Must not know HTTP or SQL.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use collab_core::document::Document;
use collab_core::ids::{ReplicaId, Seq};
use collab_core::record::Record;
use collab_core::time::Millis;

use super::chunk::{self, Turns};
use crate::storage::{RoomKey, Store, StoreError, heavy};

/// Bytes of decoded chunks kept for the next question (64 MiB): who moves a scrubber asks for the same
/// ones again and again. The ones asked for longest ago go first.
const CACHE_BYTES: usize = 64 << 20;

/// What a decoded turn takes beside its update, about, in bytes.
const TURN_BYTES: usize = 48;

/// How often a reading that met a fold half-way begins anew.
const TRIES: usize = 4;

/// A point of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Everything up to this place of the log.
    Place(Seq),
    /// Everything up to this time.
    Time(Millis),
}

/// Why a past state cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PastError {
    /// It is older than what is kept.
    #[error("that time is older than the history that is kept")]
    Gone,
    /// A part of the archive cannot be read; the document itself is not concerned.
    #[error("{0}")]
    Damaged(String),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A chunk of a room: while its last place is the same, it is the same.
type Name = (RoomKey, Seq, Seq, u64);

/// Makes past states, and remembers what it read for them.
#[derive(Debug)]
pub struct History {
    store: Arc<dyn Store>,
    /// Newest last.
    cache: Mutex<VecDeque<(Name, Arc<Turns>, usize)>>,
}

impl History {
    /// Nothing remembered yet.
    pub fn new(store: Arc<dyn Store>) -> History {
        History {
            store,
            cache: Mutex::default(),
        }
    }

    /// The document at a point.
    pub async fn document(&self, key: RoomKey, point: Point) -> Result<Document, PastError> {
        let updates = self.updates(key, point).await?;
        let loaded = tokio::task::spawn_blocking(move || {
            Document::load(ReplicaId::ours(0), updates.iter().map(|update| &update[..]))
        });
        loaded
            .await
            .map_err(|error| PastError::Damaged(error.to_string()))?
            .map_err(|error| PastError::Damaged(error.to_string()))
    }

    /// The updates that make the document at a point, in order.
    async fn updates(&self, key: RoomKey, point: Point) -> Result<Vec<Bytes>, PastError> {
        for _ in 0..TRIES {
            match self.read(key, point).await {
                // A fold moved what was to be read next into the archive.
                Ok(None) | Err(PastError::Store(StoreError::NotFound)) => {}
                Ok(Some(updates)) => return Ok(updates),
                Err(error) => return Err(error),
            }
        }
        Err(PastError::Damaged(
            "a part of the room's log is missing".to_owned(),
        ))
    }

    /// `None` when rows do not follow the archive.
    async fn read(&self, key: RoomKey, point: Point) -> Result<Option<Vec<Bytes>>, PastError> {
        let archived = self.store.history().archived(key).await?;
        let mut updates = Vec::new();
        let mut at = Seq(0);
        if let Some((seq, time)) = archived.base {
            let older = match point {
                Point::Place(place) => place < seq,
                Point::Time(then) => then < time,
            };
            if older {
                return Err(PastError::Gone);
            }
            if let Some(base) = self.store.history().base(key).await? {
                at = base.seq;
                updates.push(base.state);
            }
        }
        for info in &archived.chunks {
            if info.last <= at {
                continue;
            }
            if info.first != at.next() {
                return Ok(None);
            }
            let reached = match point {
                Point::Place(place) => place < info.first,
                Point::Time(then) => then < info.first_at,
            };
            if reached {
                return Ok(Some(updates));
            }
            let turns = self.chunk(key, info.first).await?;
            take(&turns, point, &mut updates);
            at = turns.last();
        }
        loop {
            if let Point::Place(place) = point
                && place <= at
            {
                return Ok(Some(updates));
            }
            let rows = self.store.history().records(key, at).await?;
            let Some((first, _)) = rows.first() else {
                return Ok(Some(updates));
            };
            if *first != at.next() {
                return Ok(None);
            }
            let mut turns = Turns {
                first: *first,
                ..Turns::default()
            };
            for (_, row) in &rows {
                let record = Record::decode(row);
                let record = record.map_err(|error| PastError::Damaged(error.to_string()))?;
                turns.push(record.turns);
            }
            at = turns.last();
            if take(&turns, point, &mut updates) {
                return Ok(Some(updates));
            }
        }
    }

    /// A decoded chunk.
    async fn chunk(&self, key: RoomKey, first: Seq) -> Result<Arc<Turns>, PastError> {
        let chunk = self.store.history().chunk(key, first).await;
        let chunk = chunk.map_err(|error| match error {
            StoreError::Corrupt { what, .. } => PastError::Damaged(what),
            other => PastError::Store(other),
        })?;
        let name = (key, first, chunk.last, chunk.body.len() as u64);
        if let Some(turns) = self.cached(name) {
            return Ok(turns);
        }
        let turns = heavy("reading a chunk of the archive", move || {
            Ok(chunk::unpack(chunk.first, &chunk.body))
        });
        let turns = turns.await?;
        let turns = turns.map_err(|error| PastError::Damaged(error.to_string()))?;
        let turns = Arc::new(turns);
        self.remember(name, &turns);
        Ok(turns)
    }

    fn cached(&self, name: Name) -> Option<Arc<Turns>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let at = cache.iter().position(|(other, ..)| *other == name)?;
        let found = cache.remove(at)?;
        let turns = Arc::clone(&found.1);
        cache.push_back(found);
        Some(turns)
    }

    fn remember(&self, name: Name, turns: &Arc<Turns>) {
        let bytes = turns
            .turns
            .iter()
            .map(|turn| turn.delta.len() + TURN_BYTES)
            .sum();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.push_back((name, Arc::clone(turns), bytes));
        while cache.iter().map(|(.., bytes)| bytes).sum::<usize>() > CACHE_BYTES {
            cache.pop_front();
        }
    }
}

/// Takes the turns up to a point; `true` when it is reached.
fn take(turns: &Turns, point: Point, updates: &mut Vec<Bytes>) -> bool {
    let count = match point {
        Point::Place(place) => turns.up_to(place),
        Point::Time(then) => {
            let later = turns.turns.iter().position(|turn| turn.at > then.0);
            later.unwrap_or(turns.turns.len())
        }
    };
    let taken = turns.turns.iter().take(count);
    updates.extend(taken.map(|turn| Bytes::copy_from_slice(&turn.delta)));
    count < turns.turns.len()
}
