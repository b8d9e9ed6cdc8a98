//! What a room said at a point of its history: texts, and the whole state. Must not know how a past
//! state is made.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use collab_core::document::{Document, FileId};
use collab_core::ids::RoomId;
use serde::Serialize;

use super::point::{At, When, at, off_thread};
use super::versions::VersionBody;
use crate::http::room_name;
use crate::http::{App, Problem};

/// What a file's id begins with when it is a root text of another editor.
const ROOT: &str = "root:";

/// Longest name of a root text in a request, in bytes.
const MAX_ROOT_NAME: usize = 256;

/// A text of a document: a file of our page, or a root text of another editor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextName {
    /// As requests and answers call it.
    pub id: String,
    /// The root type that holds it.
    pub root: String,
}

/// One text at a point.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TextBody {
    /// A file's id, or `root:` and a name.
    pub id: String,
    pub path: String,
    pub language: String,
    pub text: String,
}

/// A version with every text.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VersionTexts {
    #[serde(flatten)]
    pub version: VersionBody,
    pub files: Vec<TextBody>,
}

impl TextName {
    /// Reads one.
    pub fn parse(id: &str) -> Result<TextName, Problem> {
        let root = match id.strip_prefix(ROOT) {
            Some(root) if (1..=MAX_ROOT_NAME).contains(&root.len()) => Some(root.to_owned()),
            Some(_) => None,
            None => FileId::parse(id).map(|file| file.root()),
        };
        let root = root.ok_or_else(|| {
            let detail = "a file id has 1 to 64 characters out of A-Z a-z 0-9 _ -, or is `root:` \
                          and the name of a root text";
            Problem::bad_request("file-id", detail)
        })?;
        let id = id.to_owned();
        Ok(TextName { id, root })
    }
}

/// Every text that a document shows: the files of our page, then root texts of other editors.
pub fn texts(document: &Document) -> Vec<TextBody> {
    let mut texts: Vec<TextBody> = Vec::new();
    for file in document.files() {
        texts.push(TextBody {
            text: document.text(&file.id),
            id: file.id.as_str().to_owned(),
            path: file.path,
            language: file.language,
        });
    }
    for root in document.root_texts() {
        texts.push(TextBody {
            text: document.root_text(&root),
            id: format!("{ROOT}{root}"),
            path: root,
            language: String::new(),
        });
    }
    texts
}

/// A room and a point out of a path.
pub struct PointPath(pub RoomId, pub When);

impl<S: Send + Sync> FromRequestParts<S> for PointPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<PointPath, Problem> {
        let Path((room, when)) = super::path::<(String, String), S>(parts, state).await?;
        Ok(PointPath(room_name::parse(&room)?, When::parse(&when)?))
    }
}

/// A room, a point and a text out of a path.
pub struct TextPath(RoomId, When, TextName);

impl<S: Send + Sync> FromRequestParts<S> for TextPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<TextPath, Problem> {
        let Path((room, when, file)) =
            super::path::<(String, String, String), S>(parts, state).await?;
        let file = TextName::parse(&file)?;
        Ok(TextPath(
            room_name::parse(&room)?,
            When::parse(&when)?,
            file,
        ))
    }
}

/// `GET /api/rooms/{room}/versions/{v}`.
#[utoipa::path(get, path = "/api/rooms/{room}/versions/{v}", tag = "history",
    params(("room" = String, Path),
        ("v" = String, Path, description = "a version's id, `now`, or `t` and milliseconds")),
    responses((status = 200, body = VersionTexts), (status = 404, body = Problem),
        (status = 410, body = Problem)))]
pub async fn all(
    State(app): State<App>,
    PointPath(room, when): PointPath,
) -> Result<Json<VersionTexts>, Problem> {
    let At { document, version } = at(&app, &room, when).await?;
    let files = off_thread(move || Ok(texts(&document))).await?;
    Ok(Json(VersionTexts { version, files }))
}

/// `GET /api/rooms/{room}/versions/{v}/files/{file}`.
#[utoipa::path(get, path = "/api/rooms/{room}/versions/{v}/files/{file}", tag = "history",
    params(("room" = String, Path), ("v" = String, Path), ("file" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn one(
    State(app): State<App>,
    TextPath(room, when, file): TextPath,
) -> Result<Response, Problem> {
    let At { document, .. } = at(&app, &room, when).await?;
    let text = off_thread(move || {
        let text = document.root_text(&file.root);
        let listed = || document.files().iter().any(|it| it.id.as_str() == file.id);
        if text.is_empty() && !listed() {
            return Err(no_file());
        }
        Ok(text)
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], text.await?).into_response())
}

/// `GET /api/rooms/{room}/versions/{v}/update`.
#[utoipa::path(get, path = "/api/rooms/{room}/versions/{v}/update", tag = "history",
    params(("room" = String, Path), ("v" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream"),
        (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn update(
    State(app): State<App>,
    PointPath(room, when): PointPath,
) -> Result<Response, Problem> {
    let At { mut document, .. } = at(&app, &room, when).await?;
    let update = off_thread(move || {
        let encoded = document.encode();
        encoded.map_err(|error| Problem::unavailable(error.to_string()))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, update.await?).into_response())
}

/// There was no such text then.
pub fn no_file() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "file-not-found",
        "There is no such file",
        "the room had no file of this id at that time",
    )
}
