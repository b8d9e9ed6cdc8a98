//! The API described for programs (`/openapi.json`) and for people (`/docs`), with every file
//! served by us. Must not know how anything is done.

use axum::Json;
use axum::Router;
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

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
        complete::complete
    ),
    components(schemas(Problem))
)]
struct Api;

/// `/openapi.json` and `/docs`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/openapi.json", axum::routing::get(openapi))
        .merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
}

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
