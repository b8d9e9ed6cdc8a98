//! The task that removes history nobody wishes to keep: one room at a time, and only while nothing waits
//! to be saved. Must not know what is removed, or how; that is `keeping`'s.

use std::sync::Arc;
use std::time::{Duration, Instant};

use collab_core::time::Millis;
use tokio::sync::Semaphore;

use super::keeping::{self, Removed, Retention};
use super::past::PastError;
use crate::storage::{RoomKey, Store, StoreError, Writer};
use crate::telemetry::Metrics;

/// Rooms asked for at once.
const PAGE_ROOMS: usize = 256;

/// How often it is looked whether anything waits to be saved.
const LOOK: Duration = Duration::from_millis(20);

/// How long a step waits for such a moment before it is taken all the same: a server that is never idle
/// would keep everything.
const PATIENCE: Duration = Duration::from_secs(10);

/// When it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub retention: Retention,
    /// From the start of the server to the first round.
    pub first_after: Duration,
    /// From the end of a round to the next.
    pub every: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            retention: Retention::default(),
            first_after: Duration::from_secs(60),
            every: Duration::from_secs(3600),
        }
    }
}

/// What it works with.
#[derive(Debug, Clone)]
pub(crate) struct Housekeeper {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) writer: Writer,
    /// One permit for each processor: heavy jobs of rooms take them too.
    pub(crate) heavy: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
}

impl Housekeeper {
    /// Round after round, until it is dropped. Ends at once when everything is kept for ever.
    pub(crate) async fn run(self) {
        if self.settings.retention == Retention::default() {
            return;
        }
        tokio::time::sleep(self.settings.first_after).await;
        loop {
            self.round().await;
            tokio::time::sleep(self.settings.every).await;
        }
    }

    /// Once over all rooms.
    async fn round(&self) {
        let begun = Instant::now();
        let mut all = Removed::default();
        let mut rooms: u64 = 0;
        let mut after = RoomKey(0);
        loop {
            let page = match self.overdue(after).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "history is kept longer than wished; later again");
                    break;
                }
            };
            let Some(last) = page.last().copied() else {
                break;
            };
            for key in page {
                let removed = self.room(key).await;
                rooms += u64::from(removed.chunks > 0);
                all.add(removed);
            }
            after = last;
        }
        if rooms > 0 {
            tracing::info!(
                rooms,
                turns = all.turns,
                bytes = all.bytes,
                versions = all.versions,
                kept = all.kept,
                took_ms = begun.elapsed().as_millis(),
                "history that need not be kept any more was removed"
            );
        }
    }

    async fn overdue(&self, after: RoomKey) -> Result<Vec<RoomKey>, StoreError> {
        let Retention { room_bytes, .. } = self.settings.retention;
        let oldest = self.settings.retention.oldest(crate::rooms::now());
        let history = self.store.history();
        history.overdue(oldest, room_bytes, after, PAGE_ROOMS).await
    }

    /// Step after step of one room.
    async fn room(&self, key: RoomKey) -> Removed {
        let mut all = Removed::default();
        loop {
            self.idle().await;
            let Ok(_turn) = self.heavy.acquire().await else {
                return all;
            };
            let now: Millis = crate::rooms::now();
            match keeping::trim(&self.store, key, &self.settings.retention, now).await {
                Ok(Some(removed)) => {
                    self.metrics.history_removed(removed);
                    all.add(removed);
                }
                Ok(None) => break,
                Err(PastError::Store(error)) => {
                    tracing::debug!(%key, %error, "a room's history changed meanwhile; later again");
                    break;
                }
                Err(error) => {
                    self.metrics.history_not_removed();
                    tracing::error!(
                        %key, %error,
                        "a room's history cannot be read and is kept as it is; see collab fsck"
                    );
                    break;
                }
            }
        }
        if all.chunks > 0 {
            tracing::info!(
                %key,
                turns = all.turns,
                bytes = all.bytes,
                versions = all.versions,
                kept = all.kept,
                "a room's oldest history was removed"
            );
        }
        all
    }

    /// Waits until nothing waits to be saved.
    async fn idle(&self) {
        let begun = Instant::now();
        while !self.writer.is_idle() && begun.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK).await;
        }
    }
}
