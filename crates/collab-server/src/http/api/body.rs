//! A JSON body, or what was wrong with it. Must not know what it asks for.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Json, Request};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

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
        let object: Map<String, Value> = match Json::from_request(request, app).await {
            Ok(Json(object)) => object,
            Err(rejection) => return Err(refused(&rejection, app.inner.max_message_bytes)),
        };
        // In two steps, because serde would take a list for an object.
        T::deserialize(Value::Object(object))
            .map(JsonBody)
            .map_err(|error| bad_json(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
    }
}

/// A request whose body is coded, which no route here reads: taken as it is, the coded bytes would
/// become somebody's text.
pub async fn refuse_coded(request: Request, next: Next) -> Response {
    let codings = request.headers().get_all(header::CONTENT_ENCODING);
    if codings.iter().all(|coding| coding == "identity") {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content-encoding",
        "The body is compressed",
        "send it as it is, without Content-Encoding",
    )
    .into_response()
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
        _ => bad_json(status, rejection.body_text()),
    }
}

fn bad_json(status: StatusCode, why: String) -> Problem {
    Problem::new(status, "bad-json", "The body cannot be understood", why)
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
