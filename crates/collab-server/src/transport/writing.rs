//! The outbound half of a connection. Must not know what a frame means.

use std::future::Future;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use collab_core::ids::ConnectionId;
use collab_core::protocol::{CloseCode, Dialect, codec};
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::time::Instant;

use super::Timing;
use crate::listener::wire::Wire;
use crate::rooms::Handle;
use crate::rooms::outbox::{Closing, Found, Outlet};

/// Bytes of a reason in a close frame (RFC 6455 §5.5).
const MAX_CLOSE_REASON_BYTES: usize = 123;

/// How writing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finished {
    /// Our close frame is out.
    Closed,
    /// The system takes no bytes, or refuses them.
    Stuck,
}

type Sink = SplitSink<WebSocket, Message>;

/// Sends what the outbox holds until the connection is to end, then says why and closes.
pub(super) async fn run(
    timing: &Timing,
    sink: &mut Sink,
    outlet: &Outlet,
    connection: ConnectionId,
    handle: Option<&Handle>,
    wire: &Wire,
) -> Finished {
    let mut out = Out { timing, sink, wire };
    let mut last_sent = Instant::now();
    let mut next_ping = last_sent + timing.ping;
    loop {
        let sent = match outlet.find() {
            Found::Frames(frames) => {
                last_sent = Instant::now();
                out.send(frames).await
            }
            Found::Missed(missed) => {
                // A room that is gone has said so in the outbox.
                if let Some(handle) = handle {
                    let _: Result<(), _> = handle.drained(connection, missed).await;
                }
                Ok(())
            }
            Found::Closing(closing) => return out.close(outlet.dialect(), closing).await,
            Found::Nothing => {
                let keepalive = last_sent + timing.keepalive;
                tokio::select! {
                    () = outlet.changed() => Ok(()),
                    () = tokio::time::sleep_until(keepalive) => {
                        last_sent = Instant::now();
                        out.send(vec![Bytes::from_static(codec::KEEPALIVE)]).await
                    }
                    () = tokio::time::sleep_until(next_ping) => {
                        next_ping = Instant::now() + timing.ping;
                        out.ping().await
                    }
                }
            }
        };
        if sent.is_err() {
            // Nothing can be said to who does not read; the room must not go on collecting for it.
            outlet.close(CloseCode::TooSlow, String::new());
            return Finished::Stuck;
        }
    }
}

/// The socket takes nothing.
struct Stuck;

struct Out<'a> {
    timing: &'a Timing,
    sink: &'a mut Sink,
    wire: &'a Wire,
}

impl Out<'_> {
    /// Several frames, one flush.
    async fn send(&mut self, frames: Vec<Bytes>) -> Result<(), Stuck> {
        let count = frames.len();
        for frame in frames {
            let fed = self.sink.feed(Message::Binary(frame));
            progressing(self.timing, self.wire, fed).await?;
        }
        progressing(self.timing, self.wire, self.sink.flush()).await?;
        tracing::debug!(frames = count, "frames out");
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), Stuck> {
        let ping = self.sink.send(Message::Ping(Bytes::new()));
        progressing(self.timing, self.wire, ping).await
    }

    async fn close(&mut self, dialect: Dialect, closing: Closing) -> Finished {
        if dialect == Dialect::YWebsocket && closing.code.is_final() {
            tokio::time::sleep(self.timing.farewell).await;
        }
        let end = closing.reason.floor_char_boundary(MAX_CLOSE_REASON_BYTES);
        let frame = CloseFrame {
            code: closing.code.number(),
            reason: closing.reason[..end].into(),
        };
        let close = self.sink.send(Message::Close(Some(frame)));
        match progressing(self.timing, self.wire, close).await {
            Ok(()) => Finished::Closed,
            Err(Stuck) => Finished::Stuck,
        }
    }
}

/// Waits for a write for as long as the system goes on taking bytes: a large answer on a slow line
/// takes minutes, and that is no reason to hang up.
async fn progressing(
    timing: &Timing,
    wire: &Wire,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Stuck> {
    let mut write = std::pin::pin!(write);
    loop {
        let before = wire.written();
        match tokio::time::timeout(timing.stalled, write.as_mut()).await {
            Ok(result) => return result.map_err(|_| Stuck),
            Err(_) if wire.written() == before => return Err(Stuck),
            Err(_) => {}
        }
    }
}
