//! The inbound half of a connection. Must not know what a frame means.

use axum::extract::ws::{Message, WebSocket};
use collab_core::ids::ConnectionId;
use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;

use super::Timing;
use crate::listener::wire::Wire;
use crate::rooms::Handle;

/// Why reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Closed or broken: nobody is there.
    SocketGone,
    /// A message above the limit.
    TooBig,
    /// A text message.
    Text,
    /// Not WebSocket.
    Garbage,
    /// Nothing was heard for too long.
    Silent,
    /// The room takes no more frames.
    RoomGone,
}

pub(super) async fn run(
    timing: &Timing,
    stream: &mut SplitStream<WebSocket>,
    connection: ConnectionId,
    handle: &Handle,
    wire: &Wire,
) -> Ended {
    loop {
        let message = match next(timing, stream, wire).await {
            Ok(message) => message,
            Err(ended) => return ended,
        };
        match message {
            Message::Binary(frame) => {
                tracing::debug!(frame_bytes = frame.len(), "frame in");
                if handle.frame(connection, frame).await.is_err() {
                    return Ended::RoomGone;
                }
            }
            Message::Text(_) => return Ended::Text,
            // Pongs are sent by the WebSocket layer itself.
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return Ended::SocketGone,
        }
    }
}

/// The next message. Silence counts only while we read: a connection that waits for its room is
/// not silent, and a large message on its way is heard byte by byte.
async fn next(
    timing: &Timing,
    stream: &mut SplitStream<WebSocket>,
    wire: &Wire,
) -> Result<Message, Ended> {
    let since = Instant::now();
    loop {
        let silent_at = wire.heard().max(since) + timing.silence;
        match tokio::time::timeout_at(silent_at, stream.next()).await {
            Ok(Some(Ok(message))) => return Ok(message),
            Ok(Some(Err(error))) => return Err(classify(error)),
            Ok(None) => return Err(Ended::SocketGone),
            Err(_) if wire.heard().max(since) + timing.silence <= Instant::now() => {
                return Err(Ended::Silent);
            }
            Err(_) => {}
        }
    }
}

fn classify(error: axum::Error) -> Ended {
    let error = error.into_inner();
    match error.downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Ended::TooBig,
        // A text message that is not even UTF-8.
        Some(tungstenite::Error::Utf8(_)) => Ended::Text,
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => Ended::SocketGone,
        Some(tungstenite::Error::Protocol(_)) => Ended::Garbage,
        _ => Ended::SocketGone,
    }
}
