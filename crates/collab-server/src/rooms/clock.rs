//! Milliseconds for rooms. Must not know what they are for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use collab_core::time::Millis;
use tokio::time::Instant;

/// Reads as the time of day but never steps back: anchored once, then monotonic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
    base: u64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        let base = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            });
        Clock {
            start: Instant::now(),
            base,
        }
    }

    pub(super) fn now(&self) -> Millis {
        let elapsed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Millis(self.base.saturating_add(elapsed))
    }

    /// When `at` is, for sleeping. Rounded up, so that who wakes then finds the time come.
    pub(super) fn instant(&self, at: Millis) -> Instant {
        let wait = Duration::from_millis(at.0.saturating_sub(self.base).saturating_add(1));
        self.start
            .checked_add(wait)
            .unwrap_or_else(|| self.start + FAR)
    }
}

/// A deadline beyond the clock's range is as good as none: thirty years.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
