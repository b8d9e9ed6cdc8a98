//! A room's turns from the beginning to a point, archive and log as one, a page at a time: a chunk, or
//! some rows. A fold may move rows into the archive meanwhile. Must not know what the turns say.

use std::ops::Range;
use std::sync::Arc;

use collab_core::ids::Seq;
use collab_core::record::{Logged, Record};

use super::chunk::{self, Turns};
use super::desk::Reading;
use super::past::{History, PastError, Point};
use crate::storage::history::{Archived, Base};
use crate::storage::{RoomKey, StoreError};

/// How often a reading that met a fold half-way looks where its rows went.
const TRIES: usize = 4;

/// See the module.
#[derive(Debug)]
pub struct Pages {
    history: History,
    reading: Arc<Reading>,
    key: RoomKey,
    archived: Archived,
    /// Everything up to this place has been given out.
    at: Seq,
    until: Point,
    ended: bool,
}

/// Turns that follow those of the page before.
#[derive(Debug, Clone)]
pub struct Page {
    turns: Arc<Turns>,
    range: Range<usize>,
}

impl Page {
    /// Its turns.
    pub fn turns(&self) -> &[Logged] {
        self.turns.turns.get(self.range.clone()).unwrap_or_default()
    }

    /// How many of its turns belong to what was before a point or at it.
    pub fn up_to(&self, point: Point) -> usize {
        let end = match point {
            Point::Place(place) => self.turns.up_to(place),
            Point::Time(then) => {
                let later = |turn: &Logged| turn.at > then.0;
                let later = self.turns().iter().position(later);
                later.map_or(self.range.end, |later| self.range.start + later)
            }
        };
        end.clamp(self.range.start, self.range.end) - self.range.start
    }
}

impl Pages {
    /// The state on which a room's log rests, and the turns from there to a point.
    pub async fn open(
        history: &History,
        reading: &Arc<Reading>,
        key: RoomKey,
        until: Point,
    ) -> Result<(Option<Base>, Pages), PastError> {
        let archived = history.store().history().archived(key).await?;
        let base = match archived.base {
            Some(_) => history.store().history().base(key).await?,
            None => None,
        };
        let at = base.as_ref().map(|base| base.seq).unwrap_or_default();
        let pages = Pages {
            history: history.clone(),
            reading: Arc::clone(reading),
            key,
            archived,
            at,
            until,
            ended: false,
        };
        Ok((base, pages))
    }

    /// Where it is.
    pub fn at(&self) -> Seq {
        self.at
    }

    /// Goes on behind a place where it, or another of the same room, was before.
    pub fn resume(&mut self, at: Seq) {
        self.at = at;
        self.ended = false;
    }

    /// The next page; `None` when the point is reached.
    pub async fn next(&mut self) -> Result<Option<Page>, PastError> {
        for _ in 0..TRIES {
            if self.ended || matches!(self.until, Point::Place(place) if place <= self.at) {
                return Ok(None);
            }
            if let Some(turns) = self.read().await? {
                return Ok(self.page(turns));
            }
            if self.ended {
                return Ok(None);
            }
            self.archived = self.history.store().history().archived(self.key).await?;
            if self.archived.base.is_some_and(|(seq, _)| seq > self.at) {
                // Its turns were removed while it was on its way to them.
                return Err(PastError::Gone);
            }
        }
        Err(PastError::Damaged(
            "a part of the room's log is missing".to_owned(),
        ))
    }

    fn page(&mut self, turns: Arc<Turns>) -> Option<Page> {
        let start = turns.up_to(self.at);
        self.at = turns.last();
        let mut page = Page {
            range: start..turns.turns.len(),
            turns,
        };
        let end = page.up_to(self.until);
        self.ended = end < page.turns().len();
        page.range.end = start + end;
        Some(page)
    }

    /// What holds the next place. `None` when it is not where it was looked for.
    async fn read(&mut self) -> Result<Option<Arc<Turns>>, PastError> {
        let next = self.at.next();
        let chunk = self.archived.chunks.iter().find(|it| it.last >= next);
        if let Some(info) = chunk.copied() {
            if let Point::Time(then) = self.until
                && next <= info.first
                && then < info.first_at
            {
                self.ended = true;
                return Ok(None);
            }
            if info.first > next {
                return Ok(None);
            }
            return match self.chunk(info.first).await {
                Err(PastError::Store(StoreError::NotFound)) => Ok(None),
                turns => turns.map(Some),
            };
        }
        let store = self.history.store();
        let rows = store.history().records(self.key, self.at).await?;
        let Some((first, _)) = rows.first() else {
            let archived = store.history().archived(self.key).await?;
            self.ended = archived.chunks.iter().all(|it| it.last < next);
            return Ok(None);
        };
        let first = *first;
        if first != next {
            return Ok(None);
        }
        let decode = move || {
            let mut turns = Turns {
                first,
                ..Turns::default()
            };
            for (_, row) in &rows {
                let record = Record::decode(row);
                let record = record.map_err(|error| PastError::Damaged(error.to_string()))?;
                turns.push(record.turns);
            }
            Ok(Some(Arc::new(turns)))
        };
        self.reading.work(decode).await
    }

    /// A decoded chunk.
    async fn chunk(&self, first: Seq) -> Result<Arc<Turns>, PastError> {
        let chunk = self.history.store().history().chunk(self.key, first).await;
        let chunk = chunk.map_err(|error| match error {
            StoreError::Corrupt { what, .. } => PastError::Damaged(what),
            other => PastError::Store(other),
        })?;
        let name = (self.key, first, chunk.last, chunk.body.len() as u64);
        if let Some(turns) = self.history.cache().get(name) {
            return Ok(turns);
        }
        let decode = move || {
            let turns = chunk::unpack(chunk.first, &chunk.body);
            turns.map_err(|error| PastError::Damaged(error.to_string()))
        };
        let turns = Arc::new(self.reading.work(decode).await?);
        self.history.cache().put(name, &turns);
        Ok(turns)
    }
}
