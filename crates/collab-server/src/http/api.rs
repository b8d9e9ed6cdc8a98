//! The HTTP API: rooms, their texts, updates and history, and completion. Must not know how a text is
//! edited.

mod body;
pub(super) mod complete;
pub(super) mod files;
pub(super) mod history;
pub(super) mod rfc3339;
pub(super) mod rooms;
pub(super) mod update;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

use super::App;

/// Everything below `/api`, and the aliases at the root for programs written for older services.
pub fn routes() -> Router<App> {
    let room = || get(rooms::show).patch(rooms::change).delete(rooms::remove);
    Router::new()
        .merge(history::routes())
        .route("/api/rooms", post(rooms::create))
        .route("/api/rooms/", post(rooms::create))
        .route("/api/rooms/{room}", room())
        .route("/api/rooms/{room}/", room())
        .route(
            "/api/rooms/{room}/files/{file}",
            get(files::read).put(files::write),
        )
        .route(
            "/api/rooms/{room}/update",
            get(update::read).post(update::apply),
        )
        .route("/api/autocomplete", post(complete::complete))
        .route("/api/autocomplete/", post(complete::complete))
        .route("/rooms", post(rooms::create))
        .route("/rooms/", post(rooms::create))
        .route("/rooms/{room}", get(rooms::show))
        .route("/rooms/{room}/", get(rooms::show))
        .route("/autocomplete", post(complete::complete))
        .route("/autocomplete/", post(complete::complete))
        .layer(middleware::from_fn(body::refuse_coded))
}
