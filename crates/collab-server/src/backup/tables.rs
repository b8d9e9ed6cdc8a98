//! Which tables a backup holds. The one place to add a table to; a test compares it with what the
//! databases have. Must not know columns: all of them are copied.

/// What a backup does with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Every row is copied.
    Whole,
    /// It is left out, for this reason.
    Not(&'static str),
}

/// Every table of ours, in an order in which rows can be inserted: what is referred to comes first.
pub const TABLES: &[(&str, Kept)] = &[
    (
        "schema_migrations",
        Kept::Not("the restored database gets the same tables by the same migrations"),
    ),
    ("room", Kept::Whole),
    ("room_quarantine", Kept::Whole),
    ("room_update", Kept::Whole),
    ("room_snapshot", Kept::Whole),
    ("room_version", Kept::Whole),
    ("room_version_state", Kept::Whole),
    ("room_author", Kept::Whole),
    ("room_archive", Kept::Whole),
    ("room_base", Kept::Whole),
];

/// The tables whose rows are copied, in order.
pub fn copied() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .filter(|(_, kept)| *kept == Kept::Whole)
        .map(|(name, _)| *name)
}
