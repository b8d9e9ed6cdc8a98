//! A text again, change by change, between two points. Must not know how changes are told.

use std::sync::Arc;

use collab_core::document::past::{Authors, Change, Named, Past, Trail, lines_at_most};
use collab_core::document::{Document, StateVector};
use collab_core::ids::Seq;
use collab_core::record::Logged;
use collab_core::time::Millis;

use super::desk::Reading;
use super::pages::{Page, Pages};
use super::past::{History, PastError, Point, rest};
use crate::storage::RoomKey;
use crate::storage::history::Author;

/// Turns followed in one go, before somebody else gets the processor.
const STEP_TURNS: usize = 4_096;

/// What is to be played.
#[derive(Debug, Clone)]
pub struct Span {
    /// Name of the root text.
    pub root: String,
    pub from: Point,
    /// When that was.
    pub from_at: Millis,
    pub to: Point,
}

/// How a replay begins.
#[derive(Debug)]
pub struct Head {
    /// When: as asked for, or when the first turn was made that is kept.
    pub from: Millis,
    /// The text then.
    pub text: String,
    /// How many changes follow, at most.
    pub changes: u64,
    /// The ids of the files that the document listed at some time.
    pub files: Vec<String>,
    /// Whether the text never showed anything.
    pub is_empty: bool,
}

/// What one turn did to the text.
#[derive(Debug)]
pub struct Played {
    pub at: u64,
    pub change: Change,
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    reading: Arc<Reading>,
    pages: Pages,
    /// The one at hand, and how many of its turns were followed.
    page: Option<(Page, usize)>,
    /// As long as it is not reached.
    from: Option<Point>,
    /// `None` after a failure.
    trail: Option<Trail>,
    pub authors: Arc<Authors>,
}

/// Where the part before `from` ends.
#[derive(Debug, Default)]
struct Cut {
    /// Found, and its place in the log before the page it is in.
    found: Option<Seq>,
    first: Option<u64>,
    changes: u64,
}

impl History {
    /// Begins a replay. A time older than what is kept begins there; a place is [`PastError::Gone`].
    pub async fn replay(&self, key: RoomKey, span: Span) -> Result<(Head, Replay), PastError> {
        let reading = self.enter()?;
        let Span {
            root,
            from,
            from_at,
            to,
        } = span;
        let (base, mut pages) = Pages::open(self, &reading, key, to).await?;
        let begins = base.as_ref().map(|base| (base.seq, base.at));
        if let Some(base) = &base
            && from.is_before(base)
            && matches!(from, Point::Place(_))
        {
            return Err(PastError::Gone);
        }
        let mut past = rest(&reading, Past::of_texts(), base).await?;
        let mut cut = Cut::default();
        loop {
            let at = pages.at();
            let Some(page) = pages.next().await? else {
                break;
            };
            let merge = move || {
                cut.merge(&mut past, page.turns(), page.up_to(from), at)?;
                Ok((past, cut))
            };
            (past, cut) = reading.work(merge).await?;
        }
        let (trail, files, text) = reading
            .work(move || {
                let (trail, document) = Trail::new(past, &root)?;
                let (files, text) = (file_ids(&document), trail.text());
                Ok((trail, files, text))
            })
            .await?;
        let authors = Arc::new(self.authors(key, trail.replicas()).await?);
        let is_empty = trail.is_empty();
        let oldest = begins.map(|(_, at)| at.0).or(cut.first);
        let head = Head {
            from: Millis(from_at.0.max(oldest.unwrap_or(0))),
            text,
            changes: cut.changes,
            files,
            is_empty,
        };
        let resume = cut.found.unwrap_or(pages.at());
        pages.resume(resume);
        let replay = Replay {
            reading,
            pages,
            page: None,
            from: Some(from),
            trail: Some(trail),
            authors,
        };
        Ok((head, replay))
    }

    /// Who the replicas of a document said to be.
    pub(super) async fn authors(
        &self,
        key: RoomKey,
        replicas: &StateVector,
    ) -> Result<Authors, PastError> {
        let said = self.store().history().authors(key).await?.into_iter();
        let said = said.map(|author| {
            let Author { name, color, .. } = author;
            (author.replica, Named { name, color })
        });
        Ok(Authors::of(said, replicas))
    }
}

/// The ids of the files that a document lists.
pub(super) fn file_ids(document: &Document) -> Vec<String> {
    let files = document.files().into_iter();
    files.map(|file| file.id.as_str().to_owned()).collect()
}

impl Cut {
    /// Merges the turns of a page, of which so many are before the beginning.
    fn merge(
        &mut self,
        past: &mut Past,
        turns: &[Logged],
        before: usize,
        at: Seq,
    ) -> Result<(), PastError> {
        self.first = self.first.or(turns.first().map(|turn| turn.at));
        for (number, turn) in turns.iter().enumerate() {
            if self.found.is_none() && number >= before {
                self.found = Some(at);
                past.mark()?;
            }
            if self.found.is_some() {
                self.changes += lines_at_most(&turn.delta)?;
            }
            past.turn(&turn.delta)?;
        }
        Ok(())
    }
}

impl Replay {
    /// The next changes, as `tell` makes them of those that a few thousand turns did; `None` at the end.
    pub async fn next<T: Send + 'static>(
        &mut self,
        tell: impl FnOnce(Vec<Played>) -> T + Send + 'static,
    ) -> Result<Option<T>, PastError> {
        let (page, done) = match self.page.take() {
            Some(page) => page,
            None => match self.pages.next().await? {
                Some(page) => {
                    let before = self.from.map_or(0, |from| page.up_to(from));
                    if before < page.turns().len() {
                        self.from = None;
                    }
                    (page, before)
                }
                None => return Ok(None),
            },
        };
        let gone = || PastError::Damaged("a replay that failed goes on".to_owned());
        let mut trail = self.trail.take().ok_or_else(gone)?;
        let end = page.turns().len().min(done + STEP_TURNS);
        let of_page = page.clone();
        let follow = move || {
            let mut played = Vec::new();
            for turn in of_page.turns().get(done..end).unwrap_or_default() {
                let changes = trail.turn(&turn.delta, turn.at)?.into_iter();
                played.extend(changes.map(|change| Played {
                    at: turn.at,
                    change,
                }));
            }
            Ok((trail, tell(played)))
        };
        let (trail, told) = self.reading.work(follow).await?;
        self.trail = Some(trail);
        if end < page.turns().len() {
            self.page = Some((page, end));
        }
        Ok(Some(told))
    }
}
