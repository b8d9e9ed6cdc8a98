//! A room's history over HTTP: what its routes have in common. Must not know how a past state is
//! made. The contract is docs/HISTORY.md.

pub mod diff;
pub mod lines;
pub mod point;
pub mod replay;
pub mod restore;
pub mod texts;
pub mod versions;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post};
use collab_core::ids::RoomId;
use serde::de::DeserializeOwned;

use crate::http::room_name;
use crate::http::{App, Problem};
use crate::storage::RoomInfo;
use crate::storage::history::VersionId;

/// Everything of history below a room.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/rooms/{room}/versions",
            get(versions::list).post(versions::create),
        )
        .route(
            "/api/rooms/{room}/versions/{v}",
            get(texts::all)
                .patch(versions::rename)
                .delete(versions::remove),
        )
        .route(
            "/api/rooms/{room}/versions/{v}/files/{file}",
            get(texts::one),
        )
        .route("/api/rooms/{room}/versions/{v}/update", get(texts::update))
        .route(
            "/api/rooms/{room}/versions/{v}/restore",
            post(restore::restore),
        )
        .route("/api/rooms/{room}/diff", get(diff::diff))
        .route("/api/rooms/{room}/replay", get(replay::replay))
        .route("/api/rooms/{room}/activity", get(lines::activity))
        .route("/api/rooms/{room}/blame/{file}", get(lines::blame))
}

/// A room and a version's number out of a path.
pub struct VersionPath(pub RoomId, pub VersionId);

impl<S: Send + Sync> FromRequestParts<S> for VersionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<VersionPath, Problem> {
        let Path((room, version)) = path::<(String, String), S>(parts, state).await?;
        let id = version.parse().ok().filter(|id| *id > 0);
        let id = id.ok_or_else(|| bad_version(&version))?;
        Ok(VersionPath(room_name::parse(&room)?, VersionId(id)))
    }
}

/// The decoded parts of a path.
async fn path<T: DeserializeOwned + Send, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<Path<T>, Problem> {
    Path::<T>::from_request_parts(parts, state)
        .await
        .map_err(|rejection: PathRejection| {
            Problem::bad_request("path-encoding", rejection.body_text())
        })
}

/// The query, or what is wrong with it.
fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    let Query(query) =
        query.map_err(|rejection| Problem::bad_request("query", rejection.body_text()))?;
    Ok(query)
}

/// Where the room stands in storage.
async fn stored(app: &App, room: &RoomId) -> Result<RoomInfo, Problem> {
    let info = app.inner.store.describe(room).await?;
    info.ok_or_else(Problem::room_not_found)
}

fn bad_version(given: &str) -> Problem {
    let given: String = given.chars().take(40).collect();
    Problem::bad_request(
        "bad-version",
        format!(
            "{given:?} names no point of history: give a version's id, `now`, or `t` and \
             milliseconds since 1970"
        ),
    )
}

fn no_version(id: VersionId) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "version-not-found",
        "There is no such version",
        format!("the room has no version {}", id.0),
    )
}
