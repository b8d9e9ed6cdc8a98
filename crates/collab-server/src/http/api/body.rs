//! A JSON body, or what was wrong with it. Must not know what it asks for.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Json, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::http::{App, Problem};

/// A body of this form; with nothing at all, its default.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<App> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<JsonBody<T>, Problem> {
        let headers = request.headers();
        let announced = headers.contains_key(header::TRANSFER_ENCODING)
            || headers
                .get(header::CONTENT_LENGTH)
                .is_some_and(|length| length != "0");
        if !announced {
            // `curl -X POST` without a body sends neither a length nor a type.
            return Ok(JsonBody(T::default()));
        }
        match Json::from_request(request, app).await {
            Ok(Json(body)) => Ok(JsonBody(body)),
            Err(rejection) => Err(refused(&rejection, app.inner.max_message_bytes)),
        }
    }
}

fn refused(rejection: &JsonRejection, max_bytes: usize) -> Problem {
    let status = rejection.status();
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The body has the wrong type",
            "this route reads application/json",
        ),
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => too_large(max_bytes),
        _ => Problem::new(
            status,
            "bad-json",
            "The body cannot be understood",
            rejection.body_text(),
        ),
    }
}

/// A body above the limit.
pub fn too_large(max_bytes: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-too-large",
        "The body is too large",
        format!("a body has at most {max_bytes} bytes (--max-message-bytes)"),
    )
    .limit(max_bytes, Some("--max-message-bytes"))
}

/// The bytes of a body.
pub fn whole(
    bytes: Result<axum::body::Bytes, axum::extract::rejection::BytesRejection>,
    max_bytes: usize,
) -> Result<axum::body::Bytes, Problem> {
    bytes.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_large(max_bytes)
        } else {
            Problem::bad_request("body", rejection.body_text())
        }
    })
}
