//! What an operator may set about a room. Must not know flags or environment.

use super::versions::{VERSION_APART_MS, VERSION_BUSY_MS, VERSION_PAUSE_MS};
use crate::protocol::limits::MAX_FRAME_BYTES;

/// Bounds and periods of one room. The defaults are the product's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Largest inbound frame in bytes, told to clients. The transport enforces it.
    pub max_frame_bytes: usize,
    /// Bytes of the encoded document. An update that might pass it is refused (4413).
    pub max_document_bytes: usize,
    /// Connections in the room. One more is closed with 1013.
    pub max_connections: usize,
    /// New client ids one connection may bring in updates. More are refused by the gate.
    pub max_new_replicas: u32,
    /// Bytes of merged but unsaved updates. Above it the room is frozen: new edits are refused
    /// until storage is back.
    pub unsaved_budget_bytes: usize,
    /// Bytes of frames held while the room is loading. One more closes its sender with 1013.
    pub max_held_bytes: usize,
    /// Milliseconds from the last sign of life to retiring, once everything is saved.
    pub idle_ms: u64,
    /// Records in the log since the last snapshot that make the room compact it, when the snapshot
    /// is small. Both thresholds grow in step, so that `compact_bytes` is at least a fourth of it.
    pub compact_records: u64,
    /// Bytes in the log since the last snapshot that make the room compact it, likewise.
    pub compact_bytes: usize,
    /// Milliseconds without an edit after which the room makes a version.
    pub version_pause_ms: u64,
    /// Milliseconds between two such versions, at least.
    pub version_apart_ms: u64,
    /// Milliseconds from the first edit without a version to the next one, while edits go on.
    pub version_busy_ms: u64,
    /// Seeded bugs, to prove that the checkers can fail.
    #[cfg(feature = "sabotage")]
    pub sabotage: Option<Sabotage>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_frame_bytes: MAX_FRAME_BYTES,
            max_document_bytes: 128 << 20,
            max_connections: 1000,
            max_new_replicas: 16_384,
            unsaved_budget_bytes: 64 << 20,
            max_held_bytes: 32 << 20,
            idle_ms: 60_000,
            compact_records: 500,
            compact_bytes: 1 << 20,
            version_pause_ms: VERSION_PAUSE_MS,
            version_apart_ms: VERSION_APART_MS,
            version_busy_ms: VERSION_BUSY_MS,
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }
}

/// A bug put in on purpose. Only in test builds.
#[cfg(feature = "sabotage")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// `Saved` is sent when the append is asked for, not when it has committed.
    AckBeforeCommit,
    /// An update with a gap is called saved and forgotten.
    DropPending,
    /// A drained connection is told that it is level, without the diff.
    ForgetOverflow,
    /// A room whose load failed opens empty.
    EmptyOnError,
    /// An update that moves no state vector (a deletion) is called saved at once.
    AckByStateVector,
    /// When an append returns, everything merged meanwhile is called saved too.
    ClearDirtyAfterAwait,
    /// `Saved` counts one frame more than is durable.
    AckOneMore,
    /// A snapshot is given the place of the record after the one it ends with.
    SnapshotOneFurther,
    /// A version is made of edits that have not committed.
    VersionTooEarly,
    /// Who was sent away stays a member.
    KeepRefused,
    /// Waking a document of which an update holds [`DEADLY`] and a word for how ends the process.
    DieOfDeadly,
}

/// Text that ends the process of whoever wakes a document with it, under [`Sabotage::DieOfDeadly`]:
/// followed by `abort`, `stack`, `memory` or `hang`.
#[cfg(feature = "sabotage")]
pub const DEADLY: &[u8] = b"deadly:";

/// Dies of an update, if there is one that kills.
#[cfg(feature = "sabotage")]
pub(super) fn die_of_deadly(updates: &[bytes::Bytes]) {
    let after = |update: &bytes::Bytes| {
        let at = update
            .windows(DEADLY.len())
            .position(|window| window == DEADLY)?;
        Some(update.slice(at + DEADLY.len()..))
    };
    match updates.iter().find_map(after) {
        None => {}
        Some(how) if how.starts_with(b"stack") => {
            std::hint::black_box(deeper(1));
        }
        Some(how) if how.starts_with(b"memory") => {
            // Grows until an allocation fails, touching little of what it takes.
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(Vec::with_capacity(1 << 40));
            }
        }
        Some(how) if how.starts_with(b"hang") => loop {
            std::hint::spin_loop();
        },
        Some(_) => std::process::abort(),
    }
}

/// Recursion without an end.
#[cfg(feature = "sabotage")]
#[expect(unconditional_recursion, reason = "this is the bug")]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    deeper(frame[0] + 1) + frame[1]
}
