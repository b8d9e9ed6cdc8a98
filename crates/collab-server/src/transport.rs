//! One task per WebSocket: frames in go to the room's inbox, frames in the outbox go out. Must not
//! know what a frame means.
//!
//! Waiting points one way: this task waits for a place in the room's inbox, and meanwhile does not
//! read its socket; the room never waits for this task. The two halves run side by side, so that a
//! connection that may not be read is still written to.

mod reading;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::WebSocket;
use collab_core::ids::{ConnectionId, RoomId};
use collab_core::protocol::{CloseCode, Dialect};
use collab_core::room::Access;
use futures_util::StreamExt as _;
use tracing::Instrument as _;

use self::reading::Ended;
use self::writing::Finished;
use crate::listener::wire::Wire;
use crate::rooms::outbox::Outlet;
use crate::rooms::{Joining, RoomError, Rooms, Wake};
use crate::telemetry::room_tag;

/// The periods of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A ping is sent this often. Whoever does not read answers none.
    pub ping: Duration,
    /// A connection is closed (4501) when no byte came in for this long while we were reading.
    pub silence: Duration,
    /// A message without content is sent when nothing was for this long: browsers' clients hang up
    /// after 30 s, and do not see pings.
    pub keepalive: Duration,
    /// A connection is closed (4500) when the system takes none of its bytes for this long.
    pub stalled: Duration,
    /// From telling a plain client why it must not come back to closing: older ones ignore the
    /// reason and return at once, and this slows them down.
    pub farewell: Duration,
    /// From our close frame to hanging up, whether or not the client has answered it.
    pub linger: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(40),
            keepalive: Duration::from_secs(20),
            stalled: Duration::from_secs(30),
            farewell: Duration::from_secs(2),
            linger: Duration::from_secs(2),
        }
    }
}

/// WebSocket buffers (TOOLCHAIN: 6 KiB for an idle connection instead of 134).
pub const READ_BUFFER_BYTES: usize = 4 << 10;
/// Frames are gathered up to this before they go to the system.
pub const WRITE_BUFFER_BYTES: usize = 16 << 10;

/// What every connection uses.
#[derive(Debug, Clone)]
pub struct Doorway {
    pub rooms: Rooms,
    pub timing: Timing,
    /// Largest inbound message, in bytes.
    pub max_message_bytes: usize,
}

/// A client at the door.
pub struct Arrival {
    pub room: RoomId,
    pub wake: Wake,
    pub dialect: Dialect,
    pub access: Access,
    pub wire: Arc<Wire>,
}

/// Never used twice within a process.
fn next_connection() -> ConnectionId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    ConnectionId(LAST.fetch_add(1, Ordering::Relaxed) + 1)
}

/// Serves one WebSocket from its handshake to its end.
pub async fn serve(doorway: Doorway, socket: WebSocket, arrival: Arrival) {
    let connection = next_connection();
    let span = tracing::info_span!(
        "connection",
        connection = connection.0,
        room = %room_tag(&arrival.room)
    );
    attend(doorway, socket, arrival, connection)
        .instrument(span)
        .await;
}

async fn attend(doorway: Doorway, socket: WebSocket, arrival: Arrival, connection: ConnectionId) {
    let settings = doorway.rooms.settings();
    let outlet = Arc::new(Outlet::new(
        arrival.dialect,
        settings.outbox_bytes,
        settings.outbox_frames,
    ));
    let joining = Joining {
        connection,
        access: arrival.access,
        outlet: Arc::clone(&outlet),
    };
    let handle = match doorway
        .rooms
        .join(&arrival.room, arrival.wake, joining)
        .await
    {
        Ok(handle) => Some(handle),
        Err(error) => {
            let (code, reason) = refusal(&error);
            outlet.send_away(code, reason);
            None
        }
    };
    tracing::debug!(joined = handle.is_some(), "connected");

    let (mut sink, mut stream) = socket.split();
    let overrun = {
        let writing = writing::run(
            &doorway.timing,
            &mut sink,
            &outlet,
            connection,
            handle.as_ref(),
            &arrival.wire,
        );
        let mut writing = std::pin::pin!(writing);
        let ended = match &handle {
            Some(handle) => {
                let reading = reading::run(
                    &doorway.timing,
                    &mut stream,
                    connection,
                    handle,
                    &arrival.wire,
                );
                tokio::select! {
                    ended = reading => Some(ended),
                    finished = writing.as_mut() => {
                        tracing::debug!(?finished, "written to the end");
                        None
                    }
                }
            }
            None => Some(Ended::RoomGone),
        };
        // The socket is gone: nothing can be said.
        if matches!(ended, Some(Ended::SocketGone)) {
            leave(handle.as_ref(), connection).await;
            return;
        }
        if let Some(ended) = &ended {
            if let Some((code, reason)) = complaint(ended, doorway.max_message_bytes) {
                outlet.send_away(code, &reason);
            }
            // The room learns at once; what it had to say is in the outbox.
            leave(handle.as_ref(), connection).await;
            let finished: Finished = writing.await;
            tracing::debug!(?finished, ?ended, "written to the end");
        } else {
            leave(handle.as_ref(), connection).await;
        }
        matches!(ended, Some(Ended::TooBig))
    };
    if overrun {
        // What follows cannot be read as WebSocket messages any more.
        arrival.wire.linger(doorway.timing.linger).await;
    } else {
        // Until the client has answered our close frame.
        let answered = async { while let Some(Ok(_)) = stream.next().await {} };
        let _: Result<(), _> = tokio::time::timeout(doorway.timing.linger, answered).await;
    }
}

async fn leave(handle: Option<&crate::rooms::Handle>, connection: ConnectionId) {
    if let Some(handle) = handle {
        handle.leave(connection).await;
    }
}

/// What a client hears whose room could not be entered.
fn refusal(error: &RoomError) -> (CloseCode, &'static str) {
    match error {
        RoomError::Draining => (CloseCode::Restart, "the server is restarting"),
        RoomError::NotFound => (CloseCode::NotFound, "there is no such room"),
        RoomError::Corrupt => (
            CloseCode::Internal,
            "the room's stored data is damaged; it is kept",
        ),
        RoomError::Deadly => (
            CloseCode::Internal,
            "opening this room has ended the server; it stays closed and its data is kept",
        ),
        RoomError::Unavailable(_) | RoomError::Retired | RoomError::Lost | RoomError::Moved => {
            (CloseCode::TryLater, "the room cannot be entered now")
        }
    }
}

/// What a client hears that broke the rules of the transport.
fn complaint(ended: &Ended, max_message_bytes: usize) -> Option<(CloseCode, String)> {
    match ended {
        Ended::TooBig => Some((
            CloseCode::TooBig,
            format!("a message has at most {max_message_bytes} bytes (--max-message-bytes)"),
        )),
        Ended::Text => Some((
            CloseCode::Malformed,
            "a text message; this protocol is binary".to_owned(),
        )),
        Ended::Garbage => Some((
            CloseCode::Malformed,
            "bytes that are not WebSocket frames".to_owned(),
        )),
        Ended::Silent => Some((
            CloseCode::Silent,
            "nothing was heard from this client for too long".to_owned(),
        )),
        // Whoever ended the room said why; this is for the one who came too late to hear.
        Ended::RoomGone => Some((
            CloseCode::Restart,
            "the room was retired; come back".to_owned(),
        )),
        Ended::SocketGone => None,
    }
}
