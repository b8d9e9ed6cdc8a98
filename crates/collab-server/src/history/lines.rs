//! Who wrote each line of a text as it is now, and how much was written when. Must not know how that is
//! told.

use collab_core::document::past::{Activity, Authors, Blame, BlameRun, Bucket, Past};
use collab_core::time::Millis;

use super::pages::{Page, Pages};
use super::past::{History, PastError, Point, rest};
use super::replay::file_ids;
use crate::storage::{RoomInfo, RoomKey};

/// Who wrote the lines of a text.
#[derive(Debug)]
pub struct Blamed {
    pub runs: Vec<BlameRun>,
    pub authors: Authors,
    /// The ids of the files that the document lists.
    pub files: Vec<String>,
}

/// How much was written in each stretch of a room's time.
#[derive(Debug)]
pub struct Active {
    /// When the first and the last turn were made that are kept.
    pub from: Millis,
    pub to: Millis,
    pub bucket_ms: u64,
    pub buckets: Vec<Bucket>,
    pub authors: Authors,
}

impl History {
    /// Who wrote the lines of the root text of this name, as it is after a point.
    pub async fn blame(&self, key: RoomKey, now: Point, root: String) -> Result<Blamed, PastError> {
        let reading = self.enter()?;
        let (base, mut pages) = Pages::open(self, &reading, key, now).await?;
        let begins = pages.at();
        let mut past = rest(&reading, Past::of_texts(), base.clone()).await?;
        while let Some(page) = pages.next().await? {
            let merge = move || {
                for turn in page.turns() {
                    past.turn(&turn.delta)?;
                }
                Ok(past)
            };
            past = reading.work(merge).await?;
        }
        let begin = move || {
            let mut document = past.document()?;
            let mut blame = Blame::new(&mut document, &root).map_err(damaged)?;
            if let Some(base) = base {
                blame.base(&base.state)?;
            }
            Ok((blame, file_ids(&document), document.state_vector()))
        };
        let (mut blame, files, replicas) = reading.work(begin).await?;
        pages.resume(begins);
        while let Some(page) = pages.next().await? {
            let ask = move || {
                for turn in page.turns() {
                    blame.turn(&turn.delta, turn.at)?;
                }
                Ok(blame)
            };
            blame = reading.work(ask).await?;
        }
        let authors = self.authors(key, &replicas).await?;
        Ok(Blamed {
            runs: blame.finish(&authors),
            authors,
            files,
        })
    }

    /// How much everybody wrote in a room, in so many stretches of the time that is kept.
    pub async fn activity(&self, info: &RoomInfo, buckets: usize) -> Result<Active, PastError> {
        let reading = self.enter()?;
        let until = Point::Place(info.head);
        let (base, mut pages) = Pages::open(self, &reading, info.key, until).await?;
        let mut next = pages.next().await?;
        let first = |page: &Page| page.turns().first().map(|turn| turn.at);
        let from = next.as_ref().and_then(first).unwrap_or(info.updated_at.0);
        let to = info.updated_at.0.max(from);
        let mut activity = Activity::new(from, to, buckets);
        if let Some(base) = base {
            activity.base(&base.state)?;
        }
        while let Some(page) = next {
            let count = move || {
                for turn in page.turns() {
                    activity.turn(&turn.delta, turn.at)?;
                }
                Ok(activity)
            };
            activity = reading.work(count).await?;
            next = pages.next().await?;
        }
        let authors = self.authors(info.key, &activity.replicas()).await?;
        Ok(Active {
            from: Millis(from),
            to: Millis(to),
            bucket_ms: activity.bucket_ms(),
            buckets: activity.finish(&authors),
            authors,
        })
    }
}

fn damaged(error: impl std::fmt::Display) -> PastError {
    PastError::Damaged(error.to_string())
}
