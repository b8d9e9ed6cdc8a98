//! What clients and server say to each other, as values: y-protocols as `y-websocket` frames it,
//! and our own dialect `collab.v1` on top. Must not know what a message causes.
//!
//! Every byte is written down in `docs/PROTOCOL.md`. Sources: `y-protocols` 1.0.7 (`sync.js`,
//! `awareness.js`, `auth.js`), `y-websocket` 3.1.0, `lib0` 0.2 (`encoding.js`).

pub mod awareness;
pub mod codec;
pub mod limits;
pub mod wire;

use bytes::Bytes;

use crate::ids::{ConnectionId, Epoch, Lineage, Seq};

/// The WebSocket subprotocol by which a client asks for [`Dialect::CollabV1`].
pub const SUBPROTOCOL: &str = "collab.v1";

/// The version that [`Welcome`] announces. A client that does not know it must stop.
pub const VERSION: u64 = 1;

/// What a connection understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// `y-websocket` in all its published versions: [`Message::Control`] is never sent.
    YWebsocket,
    /// The same frames and [`Message::Control`], asked for by [`SUBPROTOCOL`].
    CollabV1,
}

/// One decoded protocol value. Payloads stay bytes here: what is inside an update is the
/// document's affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A state vector: "send me what I lack".
    SyncStep1(Bytes),
    /// An update (v1): the answer to a [`Message::SyncStep1`].
    SyncStep2(Bytes),
    /// An update (v1) that just happened.
    Update(Bytes),
    /// Names and carets; see [`awareness::Entries`].
    Awareness(Bytes),
    /// "Tell me about everybody."
    QueryAwareness,
    /// Type 2: permission denied, with the reason.
    Denied(String),
    /// Type 112, only in [`Dialect::CollabV1`].
    Control(Control),
    /// A type nobody here knows; ignored, so that newer clients can talk to older servers.
    Unknown(u64),
}

/// The messages of `collab.v1`, all from server to client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// First frame of a connection.
    Welcome(Welcome),
    /// "Your first `frames` state-changing frames (SyncStep2 and Update, counted from 1 on this
    /// connection) are committed to the database, at `seq` or before."
    Saved { frames: u64, seq: Seq },
    /// "Frame number `frame` will never be saved."
    Rejected {
        frame: u64,
        code: RejectCode,
        reason: String,
    },
    /// How the room stands now.
    Status(Status),
    /// Stands before the WebSocket close that follows, which has room for only 123 bytes.
    Closing {
        code: CloseCode,
        /// Milliseconds to wait before coming back; 0 when the client may choose.
        retry_after_ms: u64,
        reason: String,
    },
}

/// What a client learns at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// [`VERSION`] of the server.
    pub version: u64,
    /// Which document this is. A client that holds another one's text must not merge it.
    pub lineage: Lineage,
    /// This stay's number in the server's log lines.
    pub connection: ConnectionId,
    /// Who owns the room now, and how far its log goes.
    pub epoch: Epoch,
    /// Last committed place in the update log.
    pub seq: Seq,
    /// Largest frame the server takes, in bytes.
    pub max_frame_bytes: u64,
}

/// How the room stands, as a client should show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything works.
    Normal,
    /// The database does not answer: edits are merged and relayed, but not saved.
    Degraded,
    /// The budget for unsaved edits is spent: new edits are refused until storage is back.
    Frozen,
    /// The server is about to stop; everything is being flushed.
    Draining {
        /// Milliseconds until connections are closed, at most.
        within_ms: u64,
    },
    /// A part of the stored room is damaged. The rest is here, is edited and saved as ever; the
    /// part comes back with the next client that still holds it.
    Incomplete,
}

/// Why a frame will never be saved. The number is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum RejectCode {
    /// The bytes are not an update, or one that the gate refuses.
    Malformed = 1,
    /// Larger than a limit allows; the reason names it.
    TooLarge = 2,
    /// This connection may read only.
    ReadOnly = 3,
    /// Storage has been away for too long; keep the edit and offer it again.
    Frozen = 4,
    /// The update rests on edits that the server does not have. It has asked for them.
    Gap = 5,
}

impl RejectCode {
    /// The code with this number.
    pub fn from_number(number: u64) -> Option<RejectCode> {
        match number {
            1 => Some(RejectCode::Malformed),
            2 => Some(RejectCode::TooLarge),
            3 => Some(RejectCode::ReadOnly),
            4 => Some(RejectCode::Frozen),
            5 => Some(RejectCode::Gap),
            _ => None,
        }
    }

    /// Whether offering the same edit again may succeed.
    pub fn is_temporary(self) -> bool {
        matches!(self, RejectCode::Frozen | RejectCode::Gap)
    }
}

/// WebSocket close codes we send. 4400–4499 tell y-websocket ≥ 3.1 to stop, all others to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloseCode {
    /// 1009: a frame above the limit.
    TooBig,
    /// 1011: the room cannot be loaded or was lost; its data is kept.
    Internal,
    /// 1012: the server stops or the room moves; come back.
    Restart,
    /// 1013: too much to do right now; come back later.
    TryLater,
    /// 4400: bytes that are not the protocol, or an update the gate refuses.
    Malformed,
    /// 4403: not allowed here.
    Forbidden,
    /// 4404: no such room.
    NotFound,
    /// 4409: the room was deleted, or made anew under the same name.
    Gone,
    /// 4413: the document is as large as it may get.
    Full,
    /// 4500: the connection does not read what it is sent.
    TooSlow,
    /// 4501: nothing was heard from the client for too long.
    Silent,
}

impl CloseCode {
    /// Every code, for tables and tests.
    pub const ALL: [CloseCode; 11] = [
        CloseCode::TooBig,
        CloseCode::Internal,
        CloseCode::Restart,
        CloseCode::TryLater,
        CloseCode::Malformed,
        CloseCode::Forbidden,
        CloseCode::NotFound,
        CloseCode::Gone,
        CloseCode::Full,
        CloseCode::TooSlow,
        CloseCode::Silent,
    ];

    /// The number on the wire (RFC 6455 §7.4; 4000–4999 are private).
    pub fn number(self) -> u16 {
        match self {
            CloseCode::TooBig => 1009,
            CloseCode::Internal => 1011,
            CloseCode::Restart => 1012,
            CloseCode::TryLater => 1013,
            CloseCode::Malformed => 4400,
            CloseCode::Forbidden => 4403,
            CloseCode::NotFound => 4404,
            CloseCode::Gone => 4409,
            CloseCode::Full => 4413,
            CloseCode::TooSlow => 4500,
            CloseCode::Silent => 4501,
        }
    }

    /// The code with this number.
    pub fn from_number(number: u16) -> Option<CloseCode> {
        CloseCode::ALL
            .into_iter()
            .find(|code| code.number() == number)
    }

    /// Whether a client should stay away instead of connecting again.
    pub fn is_final(self) -> bool {
        (4400..4500).contains(&self.number())
    }
}
