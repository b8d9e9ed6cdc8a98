//! Who wrote which lines, and how much was written when, over HTTP. Must not know how either is found.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use collab_core::document::past::{Authors, BlameRun, Bucket, MAX_BUCKETS};
use collab_core::ids::RoomId;
use serde::{Deserialize, Serialize};

use super::texts::{TextName, no_file};
use super::versions::AuthorBody;
use super::{query, stored};
use crate::history::past::Point;
use crate::http::room_name::{self, RoomName};
use crate::http::{App, Problem};

/// Stretches when the request does not say.
const BUCKETS: usize = 200;

/// No cache keeps an answer: the next one says more.
const NO_STORE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// Authors as they are told.
pub fn told(authors: &Authors) -> Vec<AuthorBody> {
    let told = authors.list().iter().map(|author| AuthorBody {
        name: author.name.clone(),
        color: author.color.clone(),
    });
    told.collect()
}

/// How much was written when.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivityBody {
    /// Milliseconds since 1970: the first and the last change that are kept.
    pub from: u64,
    pub to: u64,
    /// How long a stretch is, in milliseconds.
    pub bucket_ms: u64,
    pub authors: Vec<AuthorBody>,
    /// By stretch: author (or `null`), UTF-16 code units inserted, deleted.
    #[schema(value_type = Vec<Vec<Vec<Option<u64>>>>)]
    pub buckets: Vec<Bucket>,
}

/// Into how many stretches.
#[derive(Debug, Deserialize)]
pub struct Stretches {
    buckets: Option<usize>,
}

/// `GET /api/rooms/{room}/activity`.
#[utoipa::path(get, path = "/api/rooms/{room}/activity", tag = "history",
    params(("room" = String, Path), ("buckets" = Option<usize>, Query, description = "1 to 2,000")),
    responses((status = 200, body = ActivityBody), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn activity(
    State(app): State<App>,
    RoomName(room): RoomName,
    stretches: Result<Query<Stretches>, QueryRejection>,
) -> Result<([(HeaderName, &'static str); 1], Json<ActivityBody>), Problem> {
    let buckets = query(stretches)?.buckets.unwrap_or(BUCKETS);
    if !(1..=MAX_BUCKETS).contains(&buckets) {
        let detail = format!("an answer has 1 to {MAX_BUCKETS} buckets");
        return Err(Problem::bad_request("buckets", detail).limit(MAX_BUCKETS, None));
    }
    let info = stored(&app, &room).await?;
    let active = app.inner.history.activity(&info, buckets).await?;
    let body = ActivityBody {
        from: active.from.0,
        to: active.to.0,
        bucket_ms: active.bucket_ms,
        authors: told(&active.authors),
        buckets: active.buckets,
    };
    Ok((NO_STORE, Json(body)))
}

/// Who wrote which lines.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BlameBody {
    /// From the first line on.
    pub runs: Vec<RunBody>,
    pub authors: Vec<AuthorBody>,
}

/// Lines that follow each other.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RunBody {
    pub lines: u32,
    /// Into `authors`; `null` where nobody said a name.
    pub author: Option<usize>,
    /// Milliseconds since 1970; `null` for what is older than the history that is kept.
    pub at: Option<u64>,
}

/// A room and a text out of a path.
pub struct FilePath(RoomId, TextName);

impl<S: Send + Sync> FromRequestParts<S> for FilePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<FilePath, Problem> {
        let Path((room, file)) = super::path::<(String, String), S>(parts, state).await?;
        Ok(FilePath(room_name::parse(&room)?, TextName::parse(&file)?))
    }
}

/// `GET /api/rooms/{room}/blame/{file}`.
#[utoipa::path(get, path = "/api/rooms/{room}/blame/{file}", tag = "history",
    params(("room" = String, Path), ("file" = String, Path)),
    responses((status = 200, body = BlameBody), (status = 404, body = Problem),
        (status = 503, body = Problem)))]
pub async fn blame(
    State(app): State<App>,
    FilePath(room, file): FilePath,
) -> Result<([(HeaderName, &'static str); 1], Json<BlameBody>), Problem> {
    let info = stored(&app, &room).await?;
    let now = Point::Place(info.head);
    let history = &app.inner.history;
    let blamed = history.blame(info.key, now, file.root).await?;
    if blamed.runs.is_empty() && !blamed.files.contains(&file.id) {
        return Err(no_file());
    }
    let run = |run: BlameRun| RunBody {
        lines: run.lines,
        author: run.author,
        at: run.at,
    };
    let body = BlameBody {
        runs: blamed.runs.into_iter().map(run).collect(),
        authors: told(&blamed.authors),
    };
    Ok((NO_STORE, Json(body)))
}
