//! From an HTTP request to a WebSocket in a room. Must not know frames.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{Extensions, HeaderMap, header};
use axum::response::{IntoResponse, Response};
use collab_core::protocol::{Dialect, SUBPROTOCOL};
use collab_core::room::Access;
use std::sync::Arc;

use super::room_name::RoomName;
use super::{App, Problem};
use crate::listener::wire::Wire;
use crate::rooms::Wake;
use crate::transport::{self, Arrival};

/// `GET /yjs/{room}`: y-websocket, or `collab.v1` when asked for by subprotocol.
pub async fn yjs(
    State(app): State<App>,
    room: Result<RoomName, Problem>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let RoomName(room) = room?;
    if app.inner.draining.is_cancelled() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    let wire = extensions
        .get::<Arc<Wire>>()
        .cloned()
        .ok_or_else(|| Problem::unavailable("this listener carries no WebSockets"))?;
    let offered = offered(&headers);
    let (dialect, selected) = if offered.contains(&SUBPROTOCOL) {
        (Dialect::CollabV1, Some(SUBPROTOCOL))
    } else {
        // A browser fails a connection whose offers were all ignored.
        (Dialect::YWebsocket, offered.first().copied())
    };
    let arrival = Arrival {
        room,
        wake: if app.inner.auto_create {
            Wake::OrCreate
        } else {
            Wake::Existing
        },
        dialect,
        access: Access::Write,
        wire,
    };
    let doorway = app.inner.doorway.clone();
    let max_message_bytes = doorway.max_message_bytes;
    // One outbound message may be a whole document, and frames are taken one at a time.
    let max_write_bytes = app.inner.max_document_bytes * 2 + transport::WRITE_BUFFER_BYTES;
    let sockets = app.inner.sockets.clone();
    Ok(upgrade
        .protocols(selected.map(str::to_owned))
        .read_buffer_size(transport::READ_BUFFER_BYTES)
        .write_buffer_size(transport::WRITE_BUFFER_BYTES)
        .max_write_buffer_size(max_write_bytes)
        .max_message_size(max_message_bytes)
        .max_frame_size(max_message_bytes)
        .on_failed_upgrade(|error| tracing::debug!(%error, "an upgrade failed"))
        .on_upgrade(move |socket| sockets.track_future(transport::serve(doorway, socket, arrival))))
}

/// The subprotocols that the client offers, in its order.
fn offered(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}
