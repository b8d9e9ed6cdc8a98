//! What a document was, from the turns of its log: any state of it ([`Past`]), each change of a text
//! since ([`Trail`]), who wrote its lines ([`Blame`]), and how much was written when ([`Activity`]).
//! Must not know where a log is kept, nor who asks.
//!
//! Nothing here replays keystrokes into the engine one by one. The turns of any stretch are merged into
//! one update first, which the engine takes in a fraction of the time; and the order of a text's units,
//! deleted ones included, follows from loading their insertions without their deletions. From then on a
//! change of the text is arithmetic.

mod activity;
mod authors;
mod blame;
mod hands;
mod merged;
mod runs;
mod seen;
mod state;
#[cfg(test)]
mod tests;
mod trail;
mod visible;

pub use activity::{Activity, Bucket, MAX_BUCKETS};
pub use authors::{Authors, Named};
pub use blame::{Blame, BlameRun};
pub use hands::HAND_MS;
pub use seen::lines_at_most;
pub use state::{MAX_SINCE_BYTES, PART_BYTES, Past};
pub use trail::{Change, Replacement, Trail};

use super::guard::Poisoned;
use super::refusal::Refusal;

/// Why a past state cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPast {
    /// A turn is not an update, or breaks a rule.
    #[error("a turn of the log cannot be read: {0}")]
    Turn(#[from] Refusal),
    /// A turn builds on one that is not there.
    #[error("a turn of the log is missing")]
    Gap,
    /// The engine failed.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// More was written since the mark than may be followed: [`MAX_SINCE_BYTES`].
    #[error("more was written since then than can be followed in one go")]
    TooMuch,
}
