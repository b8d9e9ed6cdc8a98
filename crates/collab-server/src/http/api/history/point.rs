//! Which point of history a request means, and the document there. Must not know what is asked of it.

use axum::http::StatusCode;
use bytes::Bytes;
use collab_core::document::Document;
use collab_core::document::past::MAX_SINCE_BYTES;
use collab_core::ids::{ReplicaId, RoomId};
use collab_core::time::Millis;

use super::versions::VersionBody;
use super::{bad_version, no_version, stored};
use crate::history::desk::MAX_READINGS;
use crate::history::past::{PastError, Point};
use crate::http::api::rfc3339::rfc3339;
use crate::http::{App, Problem};
use crate::storage::RoomInfo;
use crate::storage::history::VersionId;

/// A `{v}` of a path or a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Version(VersionId),
    Now,
    Time(Millis),
}

/// The document at a point, and what is told of the point.
pub struct At {
    pub document: Document,
    pub version: VersionBody,
}

impl When {
    /// Reads one.
    pub fn parse(text: &str) -> Result<When, Problem> {
        let when = match text.strip_prefix('t') {
            _ if text == "now" => Some(When::Now),
            Some(time) => time.parse().ok().map(|time| When::Time(Millis(time))),
            None => text
                .parse()
                .ok()
                .filter(|id| *id > 0)
                .map(|id| When::Version(VersionId(id))),
        };
        when.ok_or_else(|| bad_version(text))
    }
}

/// Makes the document at a point.
pub async fn at(app: &App, room: &RoomId, when: When) -> Result<At, Problem> {
    let info = stored(app, room).await?;
    let (point, version) = match when {
        When::Now => {
            let update = app.inner.rooms.update(room, None).await?;
            let document = load(app, update).await?;
            let version = unnamed(crate::rooms::now());
            return Ok(At { document, version });
        }
        When::Time(time) => (Point::Time(time), unnamed(time)),
        When::Version(id) => {
            let history = app.inner.store.history();
            let version = history.version(info.key, id).await?;
            let version = version.ok_or_else(|| no_version(id))?;
            if let Some(state) = history.kept_state(info.key, id).await? {
                let document = load(app, state).await?;
                let version = VersionBody::new(&version);
                return Ok(At { document, version });
            }
            (Point::Place(version.seq), VersionBody::new(&version))
        }
    };
    let history = &app.inner.history;
    let document = history.document(info.key, point).await?;
    Ok(At { document, version })
}

/// A point of the log, and when it was.
pub async fn place(app: &App, info: &RoomInfo, when: When) -> Result<(Point, Millis), Problem> {
    Ok(match when {
        When::Now => (Point::Place(info.head), crate::rooms::now()),
        When::Time(time) => (Point::Time(time), time),
        When::Version(id) => {
            let version = app.inner.store.history().version(info.key, id).await?;
            let version = version.ok_or_else(|| no_version(id))?;
            (Point::Place(version.seq), version.at)
        }
    })
}

async fn load(app: &App, update: Bytes) -> Result<Document, Problem> {
    let load = move || {
        Document::load(ReplicaId::ours(0), [&update[..]])
            .map_err(|error| PastError::Damaged(error.to_string()))
    };
    Ok(app.inner.history.enter()?.work(load).await?)
}

/// Runs what takes a processor for long away from the runtime's own threads.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(damaged(&error.to_string())))
}

fn unnamed(at: Millis) -> VersionBody {
    VersionBody {
        id: None,
        at: rfc3339(at),
        kind: "automatic",
        name: None,
        authors: Vec::new(),
        insertions: 0,
        deletions: 0,
    }
}

fn damaged(why: &str) -> Problem {
    tracing::error!(why, "a part of a room's history cannot be read");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "history-damaged",
        "The history cannot be read",
        "a part of the room's history is damaged; the document itself is not concerned",
    )
}

impl From<PastError> for Problem {
    fn from(error: PastError) -> Problem {
        match error {
            PastError::Gone => Problem::new(
                StatusCode::GONE,
                "history-gone",
                "That time is not kept any more",
                error.to_string(),
            ),
            PastError::Damaged(why) => damaged(&why),
            PastError::Busy => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "history-busy",
                "Too many read the history just now",
                format!("the server reads the history for {MAX_READINGS} at a time; ask again"),
            )
            .limit(MAX_READINGS, None)
            .passing(),
            PastError::TooMuch => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "replay-too-long",
                "Too much for one replay",
                error.to_string(),
            )
            .limit(MAX_SINCE_BYTES, None),
            PastError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_history() {
        assert_eq!(When::parse("now").ok(), Some(When::Now));
        assert_eq!(When::parse("7").ok(), Some(When::Version(VersionId(7))));
        assert_eq!(When::parse("t12").ok(), Some(When::Time(Millis(12))));
        for bad in [
            "",
            "0",
            "-1",
            "t",
            "t-1",
            "then",
            "7x",
            "t99999999999999999999",
        ] {
            let problem = When::parse(bad).expect_err(bad);
            assert_eq!(problem.status, 400);
        }
    }
}
