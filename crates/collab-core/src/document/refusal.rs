//! Why bytes from outside do not become part of a document. Must not know who sent them.

/// A rule of the gate that an update or a state vector broke. Nothing of it was applied.
///
/// The rules are the gate's (`document::gate`); most keep away bytes on which the engine panics,
/// loops, or disagrees with Yjs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The bytes end in the middle of something.
    #[error("the bytes end too early")]
    Truncated,
    /// A number is longer than it needs to be, or longer than it may be.
    #[error("a number is not in its shortest form")]
    Varint,
    /// A count promises more entries than the remaining bytes can hold, or promises none where
    /// there must be one.
    #[error("a count does not fit the bytes that follow")]
    Count,
    /// Bytes are left over after the end.
    #[error("there are bytes after the end")]
    Trailing,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A client id of 2^53 or more.
    #[error("a client id is above 2^53 - 1")]
    ReplicaRange,
    /// Client ids are repeated or not in order.
    #[error("client ids are repeated or out of order")]
    ClientOrder,
    /// A clock, or a clock plus a length, of 2^31 or more.
    #[error("a clock is above 2^31 - 1")]
    ClockRange,
    /// A block or a range of length 0.
    #[error("a block is empty")]
    EmptyBlock,
    /// A gap written down as a block; yjs 13 would park what follows for ever.
    #[error("skip blocks are not accepted")]
    Skip,
    /// Block bits or a content number that no version of Yjs writes.
    #[error("a block has an unknown form")]
    BlockForm,
    /// Content number 2 of Yjs before version 13, which the engine misreads.
    #[error("JSON content of old Yjs versions is not supported")]
    LegacyJson,
    /// A document inside the document; the engine would use memory after freeing it.
    #[error("sub-documents are not supported")]
    SubDocument,
    /// An XML hook, which the engine misreads.
    #[error("XML hooks are not supported")]
    XmlHook,
    /// A weak link.
    #[error("weak links are not supported")]
    WeakLink,
    /// A JSON-like value that is malformed.
    #[error("a value is malformed")]
    Value,
    /// A JSON-like value nested deeper than [`MAX_VALUE_DEPTH`](super::MAX_VALUE_DEPTH).
    #[error("a value is nested too deeply")]
    ValueDepth,
    /// Shared types nested deeper than [`MAX_TYPE_DEPTH`](super::MAX_TYPE_DEPTH).
    #[error("shared types are nested too deeply")]
    Depth,
    /// A block names a parent that is not a shared type.
    #[error("a block has a parent that is not a shared type")]
    Parent,
    /// A block names one unit as both of its neighbours, or two that lie in different lists. Where
    /// it goes would depend on the order of updates.
    #[error("a block has impossible neighbours")]
    Neighbours,
    /// Blocks that wait for each other in a circle.
    #[error("blocks depend on each other in a circle")]
    Cycle,
    /// A delete set whose ranges overlap or are out of order.
    #[error("the delete set is out of order")]
    DeleteSet,
    /// More new client ids than the update, the sender or the room may bring.
    #[error("too many new client ids")]
    TooManyReplicas,
    /// Client ids chosen to collide in the engine's hash tables.
    #[error("too many client ids with the same low bits")]
    ClusteredReplicas,
    /// More blocks than [`MAX_BLOCKS`](super::MAX_BLOCKS) in one update.
    #[error("too many blocks in one update")]
    TooManyBlocks,
    /// More values than [`MAX_VALUES`](super::MAX_VALUES) in one update.
    #[error("too many values in one update")]
    TooManyValues,
    /// Blocks without content move clocks by more than
    /// [`MAX_HOLLOW_ADVANCE`](super::MAX_HOLLOW_ADVANCE).
    #[error("an update moves clocks too far without content")]
    ClockAdvance,
    /// The gate found nothing wrong but the engine's decoder did (malformed JSON, for instance).
    #[error("the update cannot be decoded")]
    Undecodable,
}

impl Refusal {
    /// A short name that never changes, for metrics, logs and close reasons.
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::Truncated => "truncated",
            Refusal::Varint => "varint",
            Refusal::Count => "count",
            Refusal::Trailing => "trailing",
            Refusal::Utf8 => "utf8",
            Refusal::ReplicaRange => "replica-range",
            Refusal::ClientOrder => "client-order",
            Refusal::ClockRange => "clock-range",
            Refusal::EmptyBlock => "empty-block",
            Refusal::Skip => "skip",
            Refusal::BlockForm => "block-form",
            Refusal::LegacyJson => "legacy-json",
            Refusal::SubDocument => "sub-document",
            Refusal::XmlHook => "xml-hook",
            Refusal::WeakLink => "weak-link",
            Refusal::Value => "value",
            Refusal::ValueDepth => "value-depth",
            Refusal::Depth => "depth",
            Refusal::Parent => "parent",
            Refusal::Neighbours => "neighbours",
            Refusal::Cycle => "cycle",
            Refusal::DeleteSet => "delete-set",
            Refusal::TooManyReplicas => "too-many-replicas",
            Refusal::ClusteredReplicas => "clustered-replicas",
            Refusal::TooManyBlocks => "too-many-blocks",
            Refusal::TooManyValues => "too-many-values",
            Refusal::ClockAdvance => "clock-advance",
            Refusal::Undecodable => "undecodable",
        }
    }
}
