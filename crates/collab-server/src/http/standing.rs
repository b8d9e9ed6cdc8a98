//! How the server stands: alive, ready, and in numbers. Must not know rooms.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::{App, Problem};

/// How long the database may take to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// What those ask who operate the server.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// The process runs.
async fn alive() -> &'static str {
    "ok\n"
}

/// New clients are welcome: the database answers and nothing stops.
async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.inner.draining.is_cancelled() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    match tokio::time::timeout(PING_TIMEOUT, app.inner.store.ping()).await {
        Ok(Ok(())) => Ok("ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::unavailable("the database does not answer"))
        }
        Err(_) => Err(Problem::unavailable("the database does not answer in time")),
    }
}

/// The page for Prometheus.
async fn metrics(State(app): State<App>) -> impl IntoResponse {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        app.inner.metrics.render(),
    )
}
