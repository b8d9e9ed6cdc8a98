//! What a session is told and what it asks for. Must not know who carries it out.

use bytes::Bytes;

use crate::document::{Edit, FileId};
use crate::ids::{Lineage, ReplicaId};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// What an earlier stay in this room kept on this device. Before `Start` and before any edit;
    /// ignored later.
    Restore(Kept),
    /// The stay begins: connect.
    Start,
    /// The socket asked for by [`Effect::Connect`] is open.
    Opened,
    /// One inbound WebSocket message.
    Frame(Bytes),
    /// The socket is closed, or could not be opened (1006).
    Closed { code: u16, reason: String },
    /// The person edited. Offsets refer to the text before the call, ascending and disjoint.
    Edit { file: FileId, edits: Vec<Edit> },
    /// The person changed the list of files, or a value of the room.
    Describe(Description),
    /// The person's caret moved, or their name changed: the whole presence entry as JSON, at most
    /// `MAX_PRESENCE_BYTES`. `None` when the person leaves.
    Presence(Option<String>),
    /// The network came or went (`navigator.onLine`), or the person is back: connect now.
    Retry,
    /// The instant of [`Session::next_deadline`] has come.
    Tick,
    /// The stay ends: say goodbye and close.
    Stop,
}

/// A change of what is known about the room. An edit like any other: kept, sent, acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// A file is new, or gets another path or language; `None` leaves what there is.
    PutFile {
        file: FileId,
        path: Option<String>,
        language: Option<String>,
    },
    /// A file leaves the list, and its text is emptied.
    RemoveFile(FileId),
    /// A value of `meta`, such as the room's `name`.
    SetMeta { key: String, value: String },
}

/// All that a device needs to bring one stay's text back, whatever became of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Updates, each after what it rests on if that is among them.
    pub updates: Vec<Bytes>,
    /// How many edits of the stay, those it restored and this record's included, the server was
    /// not known to have saved when this was made. Of several records of one stay the last counts.
    pub unsaved: u32,
    /// Which document they belong to; `None` when no server had said so.
    pub lineage: Option<Lineage>,
}

/// Something that must be done, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a WebSocket to the room with subprotocol `collab.v1`.
    Connect,
    /// Send one binary message on it.
    Send(Bytes),
    /// Close it; `Closed` need not follow.
    Disconnect,
    /// One more unsaved edit: write this down on this device, now and whole. The last update is
    /// the edit; the others are what it rests on and no copy holds yet. It may be forgotten when a
    /// later [`Session::copy`](super::Session::copy) has been written down.
    Keep(Kept),
    /// Other people's edits: apply them to the editor. Offsets as in `Input::Edit`.
    Changed { file: FileId, edits: Vec<Edit> },
    /// An edit could not be taken (it would split a surrogate pair, or its offsets are wrong): show
    /// this text instead of what the editor has.
    Reset { file: FileId, text: String },
    /// The list of files or a `meta` value changed; read them again.
    Described,
    /// A `Describe` was not made, for this reason; `Described` follows.
    Refused { reason: String },
    /// Somebody's presence changed or ended (`None`).
    Peer {
        replica: ReplicaId,
        state: Option<String>,
    },
    /// The pill shows this now.
    Status(SaveState),
}

/// What the person is told about their text.
#[derive(Debug, Clone, PartialEq)]
pub enum SaveState {
    /// Connecting for the first time; nothing typed yet.
    Connecting,
    /// The server has committed everything typed here.
    Saved,
    /// This many edits are on their way.
    Saving { unsaved: u32 },
    /// The database does not answer; edits are shared with others but not saved.
    NotSaved { unsaved: u32 },
    /// The socket is lost; the next try is in so many milliseconds.
    Reconnecting { unsaved: u32, in_ms: u64 },
    /// Tries have failed for a while, or the device has no network.
    Offline { unsaved: u32 },
    /// Cannot go on by itself; the text stays in the editor.
    Attention { unsaved: u32, reason: String },
}
