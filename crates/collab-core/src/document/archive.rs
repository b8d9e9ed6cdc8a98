//! Turns of a log in columns: what people typed and where, written so that the usual keystroke costs
//! a fraction of a byte once each column is compressed. Must not know compression, storage, or what an
//! update does to a document.
//!
//! Every number that follows from the turn before is written as "as expected": a typed letter
//! continues its author's clock behind the last one, a backspace deletes the unit before the last
//! deleted one. Texts stand one after the other in a column of their own. What this module does not
//! parse, or would not write back byte for byte, is kept as it is: no update is ever changed.
//!
//! Times are kept to [`QUANTUM_MS`].

mod columns;
mod guess;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use columns::{COLUMNS, Columns};
pub(super) use write::parse;

use crate::record::Logged;

/// Milliseconds to which times are kept, rounded down.
pub const QUANTUM_MS: u64 = 128;

/// The layout written today; a reader refuses one it does not know.
pub const FORMAT: u8 = 1;

/// Turns of one archive. More are an error; whoever archives begins another.
pub const MAX_TURNS: usize = 1 << 20;

/// Bytes of all updates of one archive when it is read (128 MiB). More are an error.
pub const MAX_BYTES: usize = 128 << 20;

/// Why columns are not an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadArchive {
    /// A column ends too early, or has something left.
    #[error("a column of the archive has a wrong length")]
    Length,
    /// A number that cannot be.
    #[error("a number of the archive is out of range")]
    Range,
    /// More than may be read: [`MAX_TURNS`] or [`MAX_BYTES`].
    #[error("the archive is larger than may be read")]
    TooLarge,
}

/// Writes turns into columns. At most [`MAX_TURNS`] and [`MAX_BYTES`] can be read back: the
/// caller's to keep.
pub fn encode(turns: &[Logged]) -> Columns {
    let mut writer = write::Writer::default();
    for turn in turns {
        writer.turn(turn);
    }
    writer.finish()
}

/// Reads them back: the same updates, at times rounded down to [`QUANTUM_MS`].
pub fn decode(columns: &Columns) -> Result<Vec<Logged>, BadArchive> {
    read::Reading::new(columns).all()
}

/// A time as an archive keeps it.
pub fn rounded(at: u64) -> u64 {
    at / QUANTUM_MS * QUANTUM_MS
}
