//! What a session is told and what it asks for. Must not know who carries it out.

use bytes::Bytes;

use crate::document::{Edit, FileId};
use crate::ids::ReplicaId;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Input {
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

/// Something that must be done, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a WebSocket to the room with subprotocol `collab.v1`.
    Connect,
    /// Send one binary message on it.
    Send(Bytes),
    /// Close it; `Closed` need not follow.
    Disconnect,
    /// Other people's edits: apply them to the editor. Offsets as in `Input::Edit`.
    Changed { file: FileId, edits: Vec<Edit> },
    /// An edit could not be taken (it would split a surrogate pair, or its offsets are wrong): show
    /// this text instead of what the editor has.
    Reset { file: FileId, text: String },
    /// The list of files or a `meta` value changed; read them again.
    Described,
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
