//! The order in which a server stops. Must not know why it stops.
//!
//! 1. `/readyz` says 503 and no room wakes any more.
//! 2. Every room tells its clients, saves everything, closes them (1012), and retires.
//! 3. No socket is accepted; requests and close handshakes are finished.
//! 4. The writer ends, and the database is let go.
//!
//! Every step has a limit, and the sum of them is below the 25 s after which hosts kill.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::rooms::Rooms;
use crate::storage::Store;

/// From the order to stop to closing the last client. What is not saved by then stays with the
/// clients that made it.
pub const DRAIN_WITHIN: Duration = Duration::from_secs(12);

/// What rooms may take beyond that to carry out what they decided.
const ROOMS_GRACE: Duration = Duration::from_secs(3);

/// For requests and close handshakes.
const SOCKETS_WITHIN: Duration = Duration::from_secs(4);

/// For the last commit and for closing the database.
const STORE_WITHIN: Duration = Duration::from_secs(4);

/// Whether everything ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every room retired and every socket was closed.
    Fully,
    /// Something was cut off.
    CutOff,
}

/// What stops.
pub(crate) struct Parts {
    pub(crate) draining: CancellationToken,
    pub(crate) rooms: Rooms,
    /// Stops the listener.
    pub(crate) closing: CancellationToken,
    pub(crate) connections: TaskTracker,
    pub(crate) sockets: TaskTracker,
}

pub(crate) async fn stop(parts: Parts) -> Drained {
    tracing::info!(rooms = parts.rooms.awake(), "stopping");
    parts.draining.cancel();
    let limit = DRAIN_WITHIN + ROOMS_GRACE;
    let rooms = tokio::time::timeout(limit, parts.rooms.drain()).await;
    if rooms.is_err() {
        tracing::error!(rooms = parts.rooms.awake(), "rooms did not retire in time");
    }
    parts.closing.cancel();
    parts.sockets.close();
    parts.connections.close();
    let sockets = tokio::time::timeout(SOCKETS_WITHIN, async {
        parts.sockets.wait().await;
        parts.connections.wait().await;
    })
    .await;
    if sockets.is_err() {
        tracing::warn!(
            sockets = parts.sockets.len(),
            connections = parts.connections.len(),
            "connections did not end in time"
        );
    }
    if rooms.is_ok() && sockets.is_ok() {
        Drained::Fully
    } else {
        Drained::CutOff
    }
}

pub(crate) async fn close_store(mut writer: JoinHandle<()>, store: Arc<dyn Store>) {
    // The writer ends when nobody holds its handle; a task that was cut off may.
    if tokio::time::timeout(STORE_WITHIN / 2, &mut writer)
        .await
        .is_err()
    {
        tracing::warn!("the writer did not end in time");
        writer.abort();
    }
    if tokio::time::timeout(STORE_WITHIN / 2, store.close())
        .await
        .is_err()
    {
        tracing::warn!("the database was not closed in time");
    }
    tracing::info!("stopped");
}
