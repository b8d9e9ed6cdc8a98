//! The list of versions, and naming points of it. Must not know what the text was at one.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use bytes::Bytes;
use collab_core::ids::RoomId;
use serde::{Deserialize, Deserializer, Serialize};

use super::{VersionPath, no_version, query, stored};
use crate::history::written;
use crate::http::api::body::JsonBody;
use crate::http::api::rfc3339::rfc3339;
use crate::http::room_name::RoomName;
use crate::http::{App, Problem};
use crate::rooms::{Asked, Wake};
use crate::storage::StoreError;
use crate::storage::history::{
    MAX_NAMED_VERSIONS, MAX_VERSION_NAME, NewVersion, Version, VersionId, VersionKind,
};

/// Versions of one page when the request does not say.
const PAGE: usize = 50;

/// An update that says nothing: its answer comes when everything before it is durable.
const NOTHING: &[u8] = &[0, 0];

/// A point of a room's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionBody {
    /// `null` for `now` and for a time.
    pub id: Option<u64>,
    /// RFC 3339, in UTC.
    pub at: String,
    /// `automatic`, `named` or `restored`.
    pub kind: &'static str,
    pub name: Option<String>,
    /// Who wrote since the version before, most first.
    pub authors: Vec<AuthorBody>,
    /// UTF-16 code units inserted since the version before.
    pub insertions: u64,
    /// And deleted.
    pub deletions: u64,
}

/// Somebody who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuthorBody {
    pub name: String,
    pub color: String,
}

impl VersionBody {
    /// As it is told.
    pub fn new(version: &Version) -> VersionBody {
        VersionBody {
            id: Some(version.id.0),
            at: rfc3339(version.at),
            kind: match version.kind {
                VersionKind::Automatic => "automatic",
                VersionKind::Named => "named",
                VersionKind::Restored => "restored",
            },
            name: version.name.clone(),
            // What does not read back is a list that says nothing; the version itself is sound.
            authors: serde_json::from_str(&version.authors).unwrap_or_default(),
            insertions: version.insertions,
            deletions: version.deletions,
        }
    }
}

/// A page of versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VersionPage {
    /// Newest first.
    pub versions: Vec<VersionBody>,
    /// The `before` of the next page; `null` on the last one.
    pub next: Option<u64>,
}

/// Which page.
#[derive(Debug, Deserialize)]
pub struct Page {
    before: Option<u64>,
    limit: Option<usize>,
}

/// What a version is to be called.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct NewName {
    /// 1 to 200 characters.
    pub name: Option<String>,
}

/// What a version is to be called from now on.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct Rename {
    /// 1 to 200 characters, or `null`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Option<String>>,
}

/// A field that is there, even as `null`.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// `GET /api/rooms/{room}/versions`.
#[utoipa::path(get, path = "/api/rooms/{room}/versions", tag = "history",
    params(("room" = String, Path), ("before" = Option<u64>, Query), ("limit" = Option<usize>, Query)),
    responses((status = 200, body = VersionPage), (status = 404, body = Problem)))]
pub async fn list(
    State(app): State<App>,
    RoomName(room): RoomName,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<VersionPage>, Problem> {
    let page = query(page)?;
    let info = stored(&app, &room).await?;
    let limit = page.limit.unwrap_or(PAGE).max(1);
    let before = page.before.map(VersionId);
    let versions = app
        .inner
        .store
        .history()
        .versions(info.key, before, limit)
        .await?;
    let last = versions.last().map(|version| version.id);
    let next = match last {
        Some(last) => {
            let more = app
                .inner
                .store
                .history()
                .versions(info.key, Some(last), 1)
                .await?;
            (!more.is_empty()).then_some(last.0)
        }
        None => None,
    };
    Ok(Json(VersionPage {
        versions: versions.iter().map(VersionBody::new).collect(),
        next,
    }))
}

/// `POST /api/rooms/{room}/versions`.
#[utoipa::path(post, path = "/api/rooms/{room}/versions", tag = "history",
    params(("room" = String, Path)), request_body = NewName,
    responses((status = 201, body = VersionBody), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn create(
    State(app): State<App>,
    RoomName(room): RoomName,
    JsonBody(new): JsonBody<NewName>,
) -> Result<(StatusCode, Json<VersionBody>), Problem> {
    let name = checked(new.name.as_deref().unwrap_or_default())?;
    let version = now(&app, &room, VersionKind::Named, Some(name)).await?;
    Ok((StatusCode::CREATED, Json(VersionBody::new(&version))))
}

/// A version of everything merged until now, durable.
pub async fn now(
    app: &App,
    room: &RoomId,
    kind: VersionKind,
    name: Option<String>,
) -> Result<Version, Problem> {
    let asked = Asked::Apply(Bytes::from_static(NOTHING));
    let answer = app.inner.rooms.ask(room, Wake::Existing, asked).await?;
    let durable = crate::http::api::update::answered(answer)?;
    let info = stored(app, room).await?;
    let seq = collab_core::ids::Seq(durable.version);
    let written = written::since_last(&app.inner.store, info.key, seq).await?;
    let new = NewVersion {
        seq,
        at: crate::rooms::now(),
        kind,
        name,
        authors: written.authors,
        insertions: written.insertions,
        deletions: written.deletions,
    };
    let added = app
        .inner
        .store
        .history()
        .add_version(info.key, info.lineage, new);
    added.await.map_err(full)
}

/// `PATCH /api/rooms/{room}/versions/{v}`.
#[utoipa::path(patch, path = "/api/rooms/{room}/versions/{v}", tag = "history",
    params(("room" = String, Path), ("v" = u64, Path)), request_body = Rename,
    responses((status = 200, body = VersionBody), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn rename(
    State(app): State<App>,
    VersionPath(room, id): VersionPath,
    JsonBody(rename): JsonBody<Rename>,
) -> Result<Json<VersionBody>, Problem> {
    let name = rename.name.ok_or_else(|| {
        Problem::bad_request(
            "version-name",
            "the body needs a name, or null to take it away",
        )
    })?;
    let name = name.as_deref().map(checked).transpose()?;
    let info = stored(&app, &room).await?;
    let renamed = app
        .inner
        .store
        .history()
        .name_version(info.key, id, name)
        .await;
    let version = renamed.map_err(full)?.ok_or_else(|| no_version(id))?;
    Ok(Json(VersionBody::new(&version)))
}

/// `DELETE /api/rooms/{room}/versions/{v}`.
#[utoipa::path(delete, path = "/api/rooms/{room}/versions/{v}", tag = "history",
    params(("room" = String, Path), ("v" = u64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn remove(
    State(app): State<App>,
    VersionPath(room, id): VersionPath,
) -> Result<StatusCode, Problem> {
    let info = stored(&app, &room).await?;
    match app
        .inner
        .store
        .history()
        .delete_version(info.key, id)
        .await?
    {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(no_version(id)),
    }
}

/// A name as it is kept: trimmed, of a length, on one line.
fn checked(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let long_enough = (1..=MAX_VERSION_NAME).contains(&name.chars().count());
    if long_enough && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    let detail = "a version's name has 1 to 200 characters, none of them a control character";
    Err(Problem::bad_request("version-name", detail).limit(MAX_VERSION_NAME, None))
}

fn full(error: StoreError) -> Problem {
    match error {
        StoreError::TooLarge { .. } => Problem::new(
            StatusCode::CONFLICT,
            "too-many-versions",
            "The room has too many named versions",
            format!("a room has at most {MAX_NAMED_VERSIONS} named versions; delete one first"),
        )
        .limit(MAX_NAMED_VERSIONS, None),
        other => other.into(),
    }
}
