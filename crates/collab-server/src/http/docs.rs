//! The API described for programs (`/openapi.json`) and for people (`/docs`), with every file
//! served by us. Must not know how anything is done.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::Server;
use utoipa_swagger_ui::{Config, serve};

use super::api::history::{diff, lines, replay, restore, texts, versions};
use super::api::{complete, files, rooms, update};
use super::{App, Problem};

/// Everything below `/api`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Collab",
        description = "Text edited together in real time. Errors are application/problem+json (RFC 9457) with a stable `type`. Offsets are UTF-16 code units."
    ),
    paths(
        rooms::create,
        rooms::show,
        rooms::change,
        rooms::remove,
        files::read,
        files::write,
        update::read,
        update::apply,
        versions::list,
        versions::create,
        versions::rename,
        versions::remove,
        texts::all,
        texts::one,
        texts::update,
        diff::diff,
        replay::replay,
        lines::activity,
        lines::blame,
        restore::restore,
        complete::complete
    ),
    components(schemas(Problem))
)]
struct Api;

/// `/openapi.json` and `/docs`. Both name each other and the API by relative addresses or by the
/// path that browsers see, so that they work below any prefix.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/docs", get(async || super::moved("docs/")))
        .route("/docs/", get(async || viewer("")))
        .route(
            "/docs/{*file}",
            get(async |Path(file): Path<String>| viewer(&file)),
        )
}

async fn openapi(State(app): State<App>) -> Json<utoipa::openapi::OpenApi> {
    let mut api = Api::openapi();
    let seen = &app.inner.root.seen;
    if !seen.is_empty() {
        api.servers = Some(vec![Server::new(seen)]);
    }
    Json(api)
}

/// A file of the viewer.
fn viewer(file: &str) -> Response {
    let config = Arc::new(Config::from("../openapi.json"));
    let Some(found) = serve(file, config).ok().flatten() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = Response::new(Body::from(found.bytes.into_owned()));
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&found.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if found.gzpipped {
        let gzip = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, gzip);
    }
    response
}
