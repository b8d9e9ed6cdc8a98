//! What went wrong, as `application/problem+json` (RFC 9457) with a stable `type`. Must not know
//! routes.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::rooms::RoomError;
use crate::storage::StoreError;

/// Seconds in `Retry-After` of a refusal that passes.
pub const RETRY_AFTER_SECONDS: u32 = 2;

/// Bytes of an answer of the framework that are read to find out what it says.
const MAX_PLAIN_BYTES: usize = 4 << 10;

/// A refusal.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// What kind of problem: `urn:collab:problem:…`, stable.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong with this request.
    pub detail: String,
    /// The limit that applied, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The flag that moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<&'static str>,
    /// The rule that an update broke, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    #[serde(skip)]
    retry: bool,
}

impl Problem {
    /// A problem of this kind.
    pub fn new(
        status: StatusCode,
        name: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            kind: format!("urn:collab:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            limit: None,
            flag: None,
            rule: None,
            retry: false,
        }
    }

    /// Names the limit that applied.
    #[must_use]
    pub fn limit(mut self, limit: usize, flag: Option<&'static str>) -> Problem {
        self.limit = u64::try_from(limit).ok();
        self.flag = flag;
        self
    }

    /// Says that it passes.
    #[must_use]
    pub fn passing(mut self) -> Problem {
        self.retry = true;
        self
    }

    /// Something in the request is not what it should be.
    pub fn bad_request(name: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            name,
            "The request cannot be understood",
            detail,
        )
    }

    /// No such room.
    pub fn room_not_found() -> Problem {
        let detail = "there is no room of this name";
        Problem::new(
            StatusCode::NOT_FOUND,
            "room-not-found",
            "There is no such room",
            detail,
        )
    }

    /// The server, its database or the room is not able to now.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Problem::new(status, "unavailable", "Not possible right now", detail).passing()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).expect("a struct of texts and numbers serialises");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

impl From<RoomError> for Problem {
    fn from(error: RoomError) -> Problem {
        match error {
            RoomError::NotFound => Problem::room_not_found(),
            RoomError::Corrupt => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "room-damaged",
                "The room cannot be read",
                error.to_string(),
            ),
            RoomError::Deadly => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "room-closed",
                "The room stays closed",
                error.to_string(),
            ),
            RoomError::Moved => Problem::new(
                StatusCode::CONFLICT,
                "text-moved",
                "The text keeps changing",
                "others typed faster than the new text could be merged; try again",
            )
            .passing(),
            RoomError::Unavailable(_)
            | RoomError::Retired
            | RoomError::Lost
            | RoomError::Draining => Problem::unavailable(error.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::NotFound => Problem::room_not_found(),
            StoreError::AlreadyExists => Problem::new(
                StatusCode::CONFLICT,
                "room-exists",
                "The room exists already",
                "there is a room of this name already",
            ),
            StoreError::Unavailable(_) | StoreError::Fenced => {
                tracing::warn!(%error, "a request failed");
                Problem::unavailable("the database does not answer")
            }
            StoreError::Corrupt { .. } | StoreError::TooLarge { .. } => {
                tracing::error!(%error, "a request failed");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "room-damaged",
                    "The room cannot be read",
                    "the room's stored data is damaged; it is kept as it is",
                )
            }
        }
    }
}

/// Makes problems of the framework's own refusals, whose bodies are plain text: every error of this
/// server looks the same. `max_message_bytes` is what a 413 names.
pub async fn dress(response: Response, max_message_bytes: usize) -> Response {
    let status = response.status();
    let dressed = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| {
            // The page says itself what is wrong.
            let ours: [&[u8]; 2] = [b"application/problem+json", b"text/html"];
            ours.iter().any(|ours| kind.as_bytes().starts_with(ours))
        });
    if dressed || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let said = axum::body::to_bytes(body, MAX_PLAIN_BYTES)
        .await
        .unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let said = said.trim();
    let detail = |otherwise: &str| {
        if said.is_empty() {
            otherwise.to_owned()
        } else {
            said.to_owned()
        }
    };
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::new(
            status,
            "no-such-route",
            "There is nothing here",
            detail("no route has this path"),
        ),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            status,
            "method-not-allowed",
            "Not with this method",
            detail("the Allow header names the methods of this path"),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            status,
            "body-too-large",
            "The body is too large",
            format!("a body has at most {max_message_bytes} bytes (--max-message-bytes)"),
        )
        .limit(max_message_bytes, Some("--max-message-bytes")),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            status,
            "unsupported-media-type",
            "The body has the wrong type",
            detail("the Content-Type is not one that this route reads"),
        ),
        StatusCode::UPGRADE_REQUIRED => Problem::new(
            status,
            "upgrade-required",
            "This is a WebSocket",
            detail("connect with a WebSocket client"),
        ),
        StatusCode::REQUEST_TIMEOUT => Problem::new(
            status,
            "too-slow",
            "The body came too slowly",
            detail("the request's body did not arrive in time"),
        ),
        _ if status.is_client_error() => Problem::new(
            status,
            "bad-request",
            "The request cannot be understood",
            detail("the request is malformed"),
        ),
        _ => {
            tracing::error!(status = status.as_u16(), "a request failed");
            Problem::new(
                status,
                "internal",
                "Something went wrong here",
                "the server's log says more",
            )
        }
    };
    let mut response = problem.into_response();
    for name in [
        header::ALLOW,
        header::RETRY_AFTER,
        header::CONNECTION,
        header::UPGRADE,
    ] {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
