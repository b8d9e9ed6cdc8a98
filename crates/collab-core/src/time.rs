//! Time as a number that is handed in. Must not know a clock.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch on the caller's clock. In a simulation: since its start.
///
/// Machines only compare and add them; a clock that steps back makes a deadline late, never wrong.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Millis(pub u64);

impl Millis {
    /// This instant and `ms` milliseconds; stays at the end of time instead of wrapping.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Millis {
        Millis(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here, 0 when the clock stepped back.
    pub const fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
