//! How often each thing really happened. A campaign in which a fault never occurred has not shown
//! that we survive it. Must not know why things happen.

use std::collections::BTreeMap;

use bytes::Bytes;
use collab_core::protocol::{Control, Message, RejectCode, codec};

macro_rules! happenings {
    ($($name:ident: $text:literal),* $(,)?) => {
        /// Something that a campaign must have seen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Happening {
            $(#[doc = $text] $name),*
        }

        impl Happening {
            /// All of them.
            pub const ALL: &[Happening] = &[$(Happening::$name),*];

            /// In words.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Happening::$name => $text),*
                }
            }
        }
    };
}

happenings! {
    Typed: "somebody typed",
    Deleted: "somebody deleted",
    Pasted: "somebody pasted a large text",
    Emoji: "somebody typed an emoji",
    Replaced: "somebody replaced a selection or several places at once",
    SplitPair: "an edit inside a surrogate pair was refused",
    OfflineEdit: "somebody edited while not connected",
    TabClosed: "a tab was closed",
    TabKilled: "a tab was killed with edits unsaved",
    NotKept: "a tab was killed before its device had an edit",
    CameBack: "a new page began with unsaved edits that its device had kept",
    TabOpened: "a new tab came with a new replica id",
    WentOffline: "a device lost its network",
    Relayed: "a tab passed another tab's edits on",
    Retyped: "a reconnected session offered its unsaved edits again",
    Delay: "a frame took more than a second",
    Crossed: "frames of two connections overtook each other",
    Cut: "a connection was cut",
    CutInFlight: "a connection was cut with frames on their way",
    CutUnnoticed: "an end learnt of a cut only after seconds",
    ConnectRefused: "a connection was refused",
    ConnectHung: "a connection never opened",
    SilenceNoticed: "a session gave up a silent connection",
    Backpressure: "a room's inbox was full and its senders had to wait",
    Overflow: "an outbox overflowed",
    Resync: "a connection was brought level by one diff",
    HeldFull: "a loading room turned a sender away",
    GapFromPage: "a page's update had a gap",
    AskedAgain: "a client was asked a second time for what it has",
    GapFromProgram: "a program's update had a gap",
    Frozen: "a room froze because too much was unsaved",
    RejectedFrozen: "an edit was refused for now because the room was frozen",
    Degraded: "a room told that storage does not answer",
    DiskSlow: "storage took more than a second",
    AppendFailedBefore: "an append failed and was not committed",
    AppendFailedAfter: "an append failed but was committed",
    AppendAgain: "an append that had committed was offered again and recognised",
    AppendFenced: "an append was refused because the room has another owner",
    LoadFailedBefore: "a load failed before the claim",
    LoadFailedAfter: "a load failed after the claim",
    Compacted: "a snapshot was stored",
    CompactFailed: "a snapshot could not be stored",
    HostileMerged: "a damaged update broke no rule and was merged",
    Versioned: "a room made a version of itself",
    VersionFailed: "storage did not take a version",
    CompactFenced: "a snapshot was refused because the room has another owner",
    Folded: "log records were deleted below a verified snapshot",
    FoldFailed: "a fold failed",
    CrashLoad: "the server died before it asked for a load",
    CrashSend: "the server died before it sent a frame",
    CrashFanout: "the server died before it relayed an edit",
    CrashResync: "the server died before it brought a reader level",
    CrashAppend: "the server died before it asked for an append",
    CrashCompact: "the server died before it asked for a snapshot",
    CrashClose: "the server died before it closed a connection",
    CrashAnswer: "the server died before it answered a program",
    CrashRetire: "the server died before it retired a room",
    CrashCommitted: "the server died between a commit and its answer",
    CrashUncommitted: "the server died before an append of its own committed",
    Restarted: "the server came back",
    Drained: "the server was stopped gracefully",
    Retired: "an idle room was retired",
    Woken: "a retired room with data was woken again",
    JoinWhileRetiring: "somebody came to a room that had just ended",
    SecondOwner: "a second owner claimed an awake room",
    LoadedWhole: "a room was loaded from a snapshot and its log",
    Poisoned: "the engine failed and the room was woken again from its log",
    HostileClosed: "a hostile connection was closed",
    GateRefused: "the gate refused an update",
    PresenceRefused: "somebody's presence was not taken",
    HostileMutant: "a damaged update was sent",
    ProgramSaved: "a program's edit was saved",
    ReaderRefused: "a reader's write was refused",
    SaidSaved: "a page said Saved after an edit",
}

/// Counters of one schedule or a whole campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    counts: BTreeMap<Happening, u64>,
}

impl Counts {
    /// It happened.
    pub fn add(&mut self, happening: Happening) {
        *self.counts.entry(happening).or_default() += 1;
    }

    /// The server sends this frame; `questions` counts those that ask for what the client has.
    pub fn count_frame(&mut self, frame: &Bytes, questions: &mut u32) {
        match frame.first_chunk() {
            Some([0, 0]) => {
                *questions += 1;
                if *questions > 1 {
                    self.add(Happening::AskedAgain);
                }
                return;
            }
            Some([0 | 1, _]) => return,
            _ => {}
        }
        for message in codec::decode(frame.clone()).unwrap_or_default() {
            if let Message::Control(Control::Rejected { code, .. }) = message {
                match code {
                    RejectCode::Gap => self.add(Happening::GapFromPage),
                    RejectCode::Frozen => self.add(Happening::RejectedFrozen),
                    RejectCode::ReadOnly => self.add(Happening::ReaderRefused),
                    RejectCode::Malformed | RejectCode::TooLarge => {}
                }
            }
        }
    }

    /// How often it happened.
    pub fn get(&self, happening: Happening) -> u64 {
        self.counts.get(&happening).copied().unwrap_or(0)
    }

    /// Adds another schedule's.
    pub fn merge(&mut self, other: &Counts) {
        for (happening, count) in &other.counts {
            *self.counts.entry(*happening).or_default() += count;
        }
    }

    /// What never happened.
    pub fn zeros(&self) -> Vec<Happening> {
        Happening::ALL
            .iter()
            .copied()
            .filter(|happening| self.get(*happening) == 0)
            .collect()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Happening::ALL.iter().try_for_each(|happening| {
            writeln!(f, "{:>9}  {}", self.get(*happening), happening.text())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_never_happened_is_named() {
        let mut counts = Counts::default();
        for happening in Happening::ALL {
            counts.add(*happening);
        }
        assert!(counts.zeros().is_empty());
        counts.counts.remove(&Happening::Cut);
        assert_eq!(counts.zeros(), [Happening::Cut]);
    }
}
