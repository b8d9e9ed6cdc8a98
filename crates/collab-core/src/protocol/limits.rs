//! How large and how many: every bound of the protocol, with its unit and what happens there.
//! Must not know who configures them; these are the defaults and the hard ceilings.

/// Largest inbound frame, in bytes (16 MiB). A larger one closes the connection with 1009.
pub const MAX_FRAME_BYTES: usize = 16 << 20;

/// Messages in one inbound frame. More close the connection with 4400: honest clients send one,
/// `yrs` two.
pub const MAX_MESSAGES_PER_FRAME: usize = 64;

/// Bytes of a reason in a frame. Longer reasons are cut at a character.
pub const MAX_REASON_BYTES: usize = 1 << 10;

/// Awareness entries in one message. More make it malformed: a connection carries at most
/// [`MAX_REPLICAS_PER_CONNECTION`], but a server tells of everybody at once.
pub const MAX_AWARENESS_ENTRIES: usize = 4096;

/// Bytes of one presence entry (JSON). A larger one is dropped, and the sender's entry stays as
/// it was.
pub const MAX_PRESENCE_BYTES: usize = 4 << 10;

/// Presence entries one connection may speak for: same-origin tabs share a socket. More are
/// dropped.
pub const MAX_REPLICAS_PER_CONNECTION: usize = 16;

/// Nesting of a presence entry's JSON. Deeper ones are dropped.
pub const MAX_PRESENCE_DEPTH: usize = 8;
