//! A file's text, whole. Must not know how a text is merged.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use super::body;
use crate::http::room_name::FileName;
use crate::http::{App, Problem};
use crate::rooms::describe::NotReplaced;

/// `GET /api/rooms/{room}/files/{file}`.
#[utoipa::path(get, path = "/api/rooms/{room}/files/{file}", tag = "files",
    params(("room" = String, Path), ("file" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 304), (status = 404, body = Problem)))]
pub async fn read(
    State(app): State<App>,
    FileName(room, file): FileName,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let text = app.inner.rooms.text(&room, &file).await?;
    let text = text.ok_or_else(no_file)?;
    let tag = etag(&text);
    let mut response = if names(&headers, header::IF_NONE_MATCH, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        text.into_response()
    };
    tagged(&mut response, &tag);
    Ok(response)
}

/// `PUT /api/rooms/{room}/files/{file}`.
#[utoipa::path(put, path = "/api/rooms/{room}/files/{file}", tag = "files",
    params(("room" = String, Path), ("file" = String, Path)),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 204, description = "merged and durable"), (status = 404, body = Problem),
        (status = 412, body = Problem)))]
pub async fn write(
    State(app): State<App>,
    FileName(room, file): FileName,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let bytes = body::whole(bytes, app.inner.max_message_bytes)?;
    let text = String::from_utf8(bytes.into())
        .map_err(|_| Problem::bad_request("not-utf8", "the body is not UTF-8 text"))?;
    let tag = etag(&text);
    let condition = headers.contains_key(header::IF_MATCH);
    let holds = |now: &str| !condition || names(&headers, header::IF_MATCH, &etag(now));
    let answer = match app.inner.rooms.replace(&room, &file, text, holds).await {
        Ok(answer) => answer,
        Err(NotReplaced::NoFile) => return Err(no_file()),
        Err(NotReplaced::Room(error)) => return Err(error.into()),
        Err(NotReplaced::Condition) => {
            return Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "text-changed",
                "The text is not what you saw",
                "somebody changed the text since; read it again",
            ));
        }
    };
    super::update::answered(answer)?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    tagged(&mut response, &tag);
    Ok(response)
}

fn no_file() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "file-not-found",
        "There is no such file",
        "the room has no file of this id",
    )
}

/// Of the text itself: equal texts have equal tags, on every server and after every restart.
fn etag(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

fn tagged(response: &mut Response, tag: &str) {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    // A text belongs in no cache that others read; the browser asks each time whether its copy
    // still holds.
    let keep = HeaderValue::from_static("private, no-cache");
    headers.insert(header::CACHE_CONTROL, keep);
}

/// Whether a condition names this tag, or any.
fn names(headers: &HeaderMap, condition: header::HeaderName, tag: &str) -> bool {
    headers
        .get_all(condition)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == tag)
}
