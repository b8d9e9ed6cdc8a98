//! Any past state of a room, made again from the archive and the log. Must not know HTTP or SQL.

use std::sync::Arc;

use collab_core::document::Document;
use collab_core::document::past::{BadPast, Past};
use collab_core::ids::Seq;
use collab_core::time::Millis;

use super::cache::Cache;
use super::desk::{Desk, Reading};
use super::pages::Pages;
use crate::storage::history::Base;
use crate::storage::{RoomKey, Store, StoreError};

/// A point of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Everything up to this place of the log.
    Place(Seq),
    /// Everything up to this time.
    Time(Millis),
}

impl Point {
    /// Whether it is before a state that stands for everything older.
    pub(super) fn is_before(self, base: &Base) -> bool {
        match self {
            Point::Place(place) => place < base.seq,
            Point::Time(then) => then < base.at,
        }
    }
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
    /// Too many read the past just now: ask again.
    #[error("too many are reading the history just now")]
    Busy,
    /// More was written since that point than one answer can follow.
    #[error("more was written since then than one replay holds; begin at a later version")]
    TooMuch,
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BadPast> for PastError {
    fn from(error: BadPast) -> PastError {
        match error {
            BadPast::TooMuch => PastError::TooMuch,
            BadPast::Turn(_) | BadPast::Gap | BadPast::Poisoned(_) => {
                PastError::Damaged(error.to_string())
            }
        }
    }
}

/// Reads what was, and remembers what it read for that. Cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    store: Arc<dyn Store>,
    cache: Arc<Cache>,
    desk: Desk,
}

impl History {
    /// Nothing remembered yet.
    pub fn new(store: Arc<dyn Store>) -> History {
        History::at(store, Desk::of_this_machine())
    }

    /// With a desk of its own.
    pub fn at(store: Arc<dyn Store>, desk: Desk) -> History {
        History {
            store,
            cache: Arc::default(),
            desk,
        }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A place among those who read. [`PastError::Busy`] without one.
    pub fn enter(&self) -> Result<Arc<Reading>, PastError> {
        self.desk.enter().map(Arc::new)
    }

    /// The document at a point.
    pub async fn document(&self, key: RoomKey, point: Point) -> Result<Document, PastError> {
        let reading = self.enter()?;
        let (base, mut pages) = Pages::open(self, &reading, key, point).await?;
        if base.as_ref().is_some_and(|base| point.is_before(base)) {
            return Err(PastError::Gone);
        }
        let mut past = rest(&reading, Past::default(), base).await?;
        while let Some(page) = pages.next().await? {
            let merge = move || {
                for turn in page.turns() {
                    past.turn(&turn.delta)?;
                }
                Ok(past)
            };
            past = reading.work(merge).await?;
        }
        reading.work(move || Ok(past.document()?)).await
    }
}

/// Begins with the state on which a log rests.
pub(super) async fn rest(
    reading: &Arc<Reading>,
    mut past: Past,
    base: Option<Base>,
) -> Result<Past, PastError> {
    let Some(base) = base else {
        return Ok(past);
    };
    let begin = move || {
        past.turn(&base.state)?;
        Ok(past)
    };
    reading.work(begin).await
}
