//! Every route, and what all answers have in common. Must not know documents.

mod api;
mod assets;
mod coding;
mod compress;
mod docs;
mod error;
mod origin;
mod room_name;
mod root;
mod standing;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use axum::routing::{any, get};
use tokio_util::sync::CancellationToken;
use tower_http::timeout::RequestBodyTimeoutLayer;

pub use self::api::rfc3339::rfc3339;
pub use self::assets::PageSource;
pub use self::error::Problem;
pub use self::origin::Origins;
pub use self::root::{Root, is_path};
use crate::history::past::History;
use crate::rooms::Rooms;
use crate::storage::Store;
use crate::telemetry::Metrics;
use crate::transport::Doorway;

/// The longest pause inside a request's body. A slower one hears 408.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What handlers use.
#[derive(Clone)]
pub struct App {
    pub inner: Arc<Inner>,
}

/// See [`App`].
pub struct Inner {
    pub rooms: Rooms,
    pub store: Arc<dyn Store>,
    pub history: History,
    pub metrics: Metrics,
    pub doorway: Doorway,
    pub origins: Origins,
    pub page: PageSource,
    pub auto_create: bool,
    pub root: Root,
    pub max_message_bytes: usize,
    pub max_document_bytes: usize,
    /// Set when the server begins to stop.
    pub draining: CancellationToken,
    /// WebSockets run here, so that whoever stops can wait for them.
    pub sockets: tokio_util::task::TaskTracker,
}

/// All routes, below the path that the server answers under.
pub fn routes(app: App) -> Router {
    let limit = app.inner.max_message_bytes;
    let all = Router::new()
        .route("/yjs/{*room}", any(upgrade::yjs))
        .merge(api::routes().layer(middleware::from_fn(compress::compress)))
        .merge(docs::routes())
        .merge(standing::routes())
        .route("/", get(assets::page))
        .route("/room/{*room}", get(assets::page))
        .fallback(assets::file);
    let answers = &app.inner.root.answers;
    let all = match answers.rsplit_once('/') {
        None => all,
        Some((_, last)) => {
            let last = format!("{last}/");
            Router::new()
                .nest(&format!("{answers}/"), all)
                .route(answers, get(async move |uri: Uri| moved_with(&last, &uri)))
                // Whoever watches the process asks it directly and knows no prefix.
                .merge(standing::routes())
        }
    };
    all.layer(DefaultBodyLimit::max(limit))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(middleware::from_fn_with_state(app.clone(), every_answer))
        .with_state(app)
}

/// Sends the client to a relative address: that holds behind a proxy which changes the path too.
fn moved(to: &str) -> Response<Body> {
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// The same, with the request's query.
fn moved_with(to: &str, from: &Uri) -> Response<Body> {
    match from.query() {
        Some(query) => moved(&format!("{to}?{query}")),
        None => moved(to),
    }
}

/// What a socket hears when there are too many.
pub fn full(max_connections: usize) -> Response<Body> {
    let detail =
        format!("the server has {max_connections} connections, its limit (--max-connections)");
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too-many-connections",
        "Too many connections",
        detail,
    )
    .limit(max_connections, Some("--max-connections"))
    .passing()
    .into_response()
}

/// Refuses pages of other sites, dresses errors, and adds what every answer carries.
async fn every_answer(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let is_upgrade = request.headers().contains_key(header::UPGRADE);
    let response = if (changes || is_upgrade) && !app.inner.origins.allow(request.headers()) {
        origin::refused().into_response()
    } else {
        next.run(request).await
    };
    let mut response = error::dress(response, app.inner.max_message_bytes).await;
    let headers = response.headers_mut();
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    let no_referrer = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, no_referrer);
    response
}
