//! Making, showing, changing and deleting rooms. Must not know how a document is written.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use collab_core::ids::RoomId;
use collab_core::room::Answer;
use serde::{Deserialize, Serialize};

use super::body::JsonBody;
use crate::http::api::rfc3339::rfc3339;
use crate::http::room_name::RoomName;
use crate::http::{App, Problem};
use crate::rooms::Wake;
use crate::rooms::describe::{self, RoomView};
use crate::storage::{RoomInfo, StoreError};

/// What a new room is to hold.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewRoom {
    /// The name people see; not the id.
    pub name: Option<String>,
    /// The language of the main file, as in `python`.
    pub language: Option<String>,
    /// The text of the main file.
    #[serde(alias = "code")]
    pub text: Option<String>,
}

/// What is to change about a room.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomChange {
    /// The name people see.
    pub name: Option<String>,
    /// The language of the main file.
    pub language: Option<String>,
}

/// A room as it is now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomBody {
    /// The room's id: what its address ends in.
    pub id: String,
    /// The same, under the name that older services used.
    pub room_id: String,
    /// Where people open it.
    pub url: String,
    /// The name people see; empty until someone gives it one.
    pub name: String,
    /// The language of the main file; empty until someone chooses one.
    pub language: String,
    /// The text of the main file.
    pub code: String,
    /// Every file.
    pub files: Vec<FileBody>,
    /// RFC 3339, in UTC.
    pub created_at: String,
    /// RFC 3339, in UTC: the last saved edit.
    pub updated_at: String,
    /// Connections in the room.
    pub active_users: usize,
    /// Grows with every saved edit.
    pub version: u64,
}

/// One file of a room.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileBody {
    pub id: String,
    pub path: String,
    pub language: String,
}

/// `POST /api/rooms`.
#[utoipa::path(post, path = "/api/rooms", tag = "rooms", request_body = NewRoom,
    responses((status = 201, body = RoomBody), (status = 400, body = Problem)))]
pub async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<NewRoom>,
) -> Result<Response, Problem> {
    let room = RoomId::parse(&uuid::Uuid::new_v4().to_string()).expect("a UUID is a room name");
    let seed = describe::seed(new.name.as_deref(), new.language.as_deref(), new.text)
        .map_err(|reason| Problem::bad_request("room-content", reason))?;
    if let Some(seed) = seed {
        let asked = crate::rooms::Asked::Apply(seed);
        let answer = app.inner.rooms.ask(&room, Wake::OrCreate, asked).await?;
        super::update::answered(answer)?;
    }
    let body = view(&app, &headers, room, Wake::OrCreate).await?;
    let location = format!("{}/api/rooms/{}", app.inner.root.seen, body.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(body),
    )
        .into_response())
}

/// `GET /api/rooms/{room}`.
#[utoipa::path(get, path = "/api/rooms/{room}", tag = "rooms", params(("room" = String, Path)),
    responses((status = 200, body = RoomBody), (status = 404, body = Problem)))]
pub async fn show(
    State(app): State<App>,
    RoomName(room): RoomName,
    headers: HeaderMap,
) -> Result<Json<RoomBody>, Problem> {
    view(&app, &headers, room, Wake::Existing).await.map(Json)
}

/// `PATCH /api/rooms/{room}`.
#[utoipa::path(patch, path = "/api/rooms/{room}", tag = "rooms", params(("room" = String, Path)),
    request_body = RoomChange,
    responses((status = 200, body = RoomBody), (status = 404, body = Problem)))]
pub async fn change(
    State(app): State<App>,
    RoomName(room): RoomName,
    headers: HeaderMap,
    JsonBody(change): JsonBody<RoomChange>,
) -> Result<Json<RoomBody>, Problem> {
    for asked in describe::changes(change.name, change.language) {
        let answer = app.inner.rooms.ask(&room, Wake::Existing, asked).await?;
        if let Answer::Refused { reason, .. } = answer {
            return Err(Problem::bad_request("room-content", reason));
        }
        super::update::answered(answer)?;
    }
    view(&app, &headers, room, Wake::Existing).await.map(Json)
}

/// `DELETE /api/rooms/{room}`.
#[utoipa::path(delete, path = "/api/rooms/{room}", tag = "rooms", params(("room" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn remove(
    State(app): State<App>,
    RoomName(room): RoomName,
) -> Result<StatusCode, Problem> {
    if app.inner.rooms.delete(&room).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::room_not_found())
    }
}

async fn view(
    app: &App,
    headers: &HeaderMap,
    room: RoomId,
    wake: Wake,
) -> Result<RoomBody, Problem> {
    let RoomView {
        name,
        language,
        code,
        files,
        connections,
        head,
    } = app.inner.rooms.look(&room, wake, describe::view).await?;
    let info: Option<RoomInfo> = app.inner.store.describe(&room).await?;
    let info = info.ok_or(StoreError::NotFound)?;
    let id = room.as_str().to_owned();
    Ok(RoomBody {
        url: url(app, headers, &room),
        room_id: id.clone(),
        id,
        name,
        language,
        code,
        files: files
            .into_iter()
            .map(|file| FileBody {
                id: file.id.as_str().to_owned(),
                path: file.path,
                language: file.language,
            })
            .collect(),
        created_at: rfc3339(info.created_at),
        updated_at: rfc3339(info.updated_at),
        active_users: connections,
        version: head.0,
    })
}

/// Where people open a room.
fn url(app: &App, headers: &HeaderMap, room: &RoomId) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let base = app.inner.root.address(host);
    let mut url = format!("{base}/room/");
    for byte in room.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            write!(url, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    url
}
