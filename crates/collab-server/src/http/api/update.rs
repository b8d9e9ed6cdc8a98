//! A document as Yjs updates, out and in. Must not know what is inside an update.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use collab_core::document::StateVector;
use collab_core::room::Answer;
use serde::{Deserialize, Serialize};

use super::body;
use crate::http::room_name::RoomName;
use crate::http::{App, Problem};
use crate::rooms::{Asked, Wake};

/// The query of a read.
#[derive(Debug, Deserialize)]
pub struct Since {
    /// A state vector, base64url.
    sv: Option<String>,
}

/// A change is durable.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Durable {
    /// At this place in the room's log, or before.
    pub version: u64,
}

/// `GET /api/rooms/{room}/update`.
#[utoipa::path(get, path = "/api/rooms/{room}/update", tag = "updates",
    params(("room" = String, Path), ("sv" = Option<String>, Query, description = "state vector, base64url")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<App>,
    RoomName(room): RoomName,
    query: Result<Query<Since>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(since) =
        query.map_err(|rejection| Problem::bad_request("query", rejection.body_text()))?;
    let have = since.sv.as_deref().map(state_vector).transpose()?;
    let update = app.inner.rooms.update(&room, have).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, update).into_response())
}

/// `POST /api/rooms/{room}/update`. Answers when it is durable.
#[utoipa::path(post, path = "/api/rooms/{room}/update", tag = "updates",
    params(("room" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Durable), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn apply(
    State(app): State<App>,
    RoomName(room): RoomName,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Durable>, Problem> {
    let update = body::whole(bytes, app.inner.max_message_bytes)?;
    if update.is_empty() {
        return Err(Problem::bad_request(
            "empty-update",
            "the body must be a Yjs update (v1)",
        ));
    }
    let asked = Asked::Apply(update);
    let answer = app.inner.rooms.ask(&room, Wake::Existing, asked).await?;
    answered(answer).map(Json)
}

/// What a room's answer is in HTTP.
pub fn answered(answer: Answer) -> Result<Durable, Problem> {
    match answer {
        Answer::Saved { seq } => Ok(Durable { version: seq.0 }),
        Answer::Refused { name, reason } => {
            let mut problem = Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "update-refused",
                "The update is refused",
                reason,
            );
            problem.rule = Some(name);
            Err(problem)
        }
        Answer::Gap => Err(Problem::new(
            StatusCode::CONFLICT,
            "update-gap",
            "The update rests on others",
            "the update builds on edits that the room does not have; send those too",
        )),
        Answer::Unavailable { reason } => Err(Problem::unavailable(reason)),
    }
}

fn state_vector(text: &str) -> Result<StateVector, Problem> {
    let bad = |why: String| Problem::bad_request("state-vector", format!("sv: {why}"));
    let bytes = URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .map_err(|_| bad("not base64url".to_owned()))?;
    StateVector::decode(&bytes).map_err(|refusal| bad(refusal.to_string()))
}
