//! Edits: what a person did to one text, in offsets. Must not know who did it.
//!
//! Offsets count UTF-16 code units of the text as [`visible`] shows it.

use yrs::types::Delta;
use yrs::types::text::YChange;
use yrs::{Any, GetString, Out, ReadTxn, Text, TextRef, TransactionMut};

use super::guard::Poisoned;
use crate::ids::Offset;

/// Stands in a text for what is not text: an embedded object or shared type of some editor. One
/// code unit, as long as the thing counts in the engine.
pub(super) const OBJECT: char = '\u{fffc}';

/// One replacement in one text. A list of them is like a CodeMirror change set: ascending,
/// disjoint, and all offsets mean the text before any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where.
    pub at: Offset,
    /// UTF-16 code units to delete from there.
    pub delete: u32,
    /// Text to insert there.
    pub insert: String,
}

/// Why an edit was not made. Nothing was changed unless it is [`EditError::Poisoned`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// An edit reaches past the end of the text.
    #[error("offset {at} is past the end of the text ({len} UTF-16 code units)")]
    OutOfRange {
        /// How far the edit reaches.
        at: u64,
        /// Length of the text.
        len: u32,
    },
    /// An edit would cut a surrogate pair; the engine would write U+FFFD for both halves.
    #[error("offset {} is inside a surrogate pair", .0.0)]
    SplitsSurrogatePair(Offset),
    /// Edits overlap or are not in ascending order.
    #[error("edits must be in ascending order and must not overlap")]
    OutOfOrder,
    /// The file holds something of another editor that takes up offsets but cannot be shown.
    #[error("the file holds content that is not text")]
    NotText,
    /// A path, a language or a value of `meta` is too long.
    #[error("{bytes} bytes are more than the limit of {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The document has as many files as it may have.
    #[error("a room has at most {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// The engine failed.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
}

/// The text of a file: what it says, with U+FFFC for every embedded object.
pub(super) fn visible<T: ReadTxn>(txn: &T, text: &TextRef) -> String {
    let plain = text.get_string(txn);
    if utf16_len(&plain) == text.len(txn) {
        return plain;
    }
    let mut shown = String::new();
    for piece in text.diff(txn, YChange::identity) {
        match piece.insert {
            Out::Any(Any::String(piece)) => shown.push_str(&piece),
            _ => shown.push(OBJECT),
        }
    }
    shown
}

/// UTF-16 code units of a text.
pub(super) fn utf16_len(text: &str) -> u32 {
    let units = if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    };
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// Whether every character is one code unit, and says just that: no surrogate pair that could be
/// cut, no half of one that was, and nothing embedded.
pub(super) fn is_plain(text: &str) -> bool {
    text.is_ascii()
        || !text
            .chars()
            .any(|c| c.len_utf16() == 2 || c == OBJECT || c == char::REPLACEMENT_CHARACTER)
}

/// Checks that edits ascend, do not overlap and end inside a text of `len` code units. Of a
/// [plain](is_plain) text that is all there is to check.
pub(super) fn check_range(len: u32, edits: &[Edit]) -> Result<(), EditError> {
    let mut end = 0;
    for edit in edits {
        if edit.at.0 < end {
            return Err(EditError::OutOfOrder);
        }
        let reaches = u64::from(edit.at.0) + u64::from(edit.delete);
        end = match u32::try_from(reaches) {
            Ok(reaches) if reaches <= len => reaches,
            _ => return Err(EditError::OutOfRange { at: reaches, len }),
        };
    }
    Ok(())
}

/// Checks edits against the text they are about.
pub(super) fn check(text: &str, edits: &[Edit]) -> Result<(), EditError> {
    check_range(utf16_len(text), edits)?;
    if text.is_ascii() {
        return Ok(());
    }
    let mut boundaries = edits
        .iter()
        .flat_map(|edit| [edit.at.0, edit.at.0.saturating_add(edit.delete)])
        .peekable();
    let mut at = 0u32;
    for character in text.chars() {
        while boundaries.next_if(|boundary| *boundary <= at).is_some() {}
        if character.len_utf16() == 2
            && let Some(cut) = boundaries.next_if(|boundary| *boundary == at + 1)
        {
            return Err(EditError::SplitsSurrogatePair(Offset(cut)));
        }
        at += if character.len_utf16() == 2 { 2 } else { 1 };
    }
    Ok(())
}

/// Units of the first character that an edit of `text` deletes; 0 when it deletes no more than that.
pub(super) fn head(text: &str, edit: &Edit) -> u32 {
    let next = edit.at.0.saturating_add(1);
    let head = if boundary(text, next) == next { 1 } else { 2 };
    if edit.delete > head { head } else { 0 }
}

/// Makes checked edits, last first, so that each finds its offsets untouched. `head` says for each how
/// many units stay in front of what it inserts.
///
/// A replacement is inserted among what it replaces, which is then deleted. So what others write in
/// front of it or behind it at the same moment stays there: inserted behind what was deleted, it would
/// have the same neighbours as their letters, and chance (whose id is smaller) would say which comes
/// first. Of a single character one side has to be left to chance; then it is the front.
pub(super) fn make(
    txn: &mut TransactionMut<'_>,
    text: &TextRef,
    edits: &[Edit],
    head: impl Fn(usize, &Edit) -> u32,
) {
    for (number, edit) in edits.iter().enumerate().rev() {
        let Edit { at, delete, insert } = edit;
        if insert.is_empty() {
            if *delete > 0 {
                text.remove_range(txn, at.0, *delete);
            }
            continue;
        }
        let head = head(number, edit);
        text.insert(txn, at.0 + head, insert);
        if *delete > head {
            text.remove_range(txn, at.0 + head + utf16_len(insert), delete - head);
        }
        if head > 0 {
            text.remove_range(txn, at.0, head);
        }
    }
}

/// The edits behind a change that the engine reports, in offsets before it.
pub(super) fn from_delta(delta: &[Delta]) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut at = 0u32;
    // Whether the last edit still touches the present place.
    let mut open = false;
    for part in delta {
        if let Delta::Retain(units, _) = part {
            at = at.saturating_add(*units);
            open = false;
            continue;
        }
        if !open {
            edits.push(Edit {
                at: Offset(at),
                delete: 0,
                insert: String::new(),
            });
            open = true;
        }
        let Some(edit) = edits.last_mut() else {
            continue;
        };
        match part {
            Delta::Inserted(Out::Any(Any::String(text)), _) => edit.insert.push_str(text),
            Delta::Inserted(..) => edit.insert.push(OBJECT),
            Delta::Deleted(units) => {
                edit.delete = edit.delete.saturating_add(*units);
                at = at.saturating_add(*units);
            }
            Delta::Retain(..) => {}
        }
    }
    edits
}

/// The nearest offset at or before `offset` that is inside the text and not inside a surrogate
/// pair.
pub(super) fn boundary(text: &str, offset: u32) -> u32 {
    if text.is_ascii() {
        return offset.min(utf16_len(text));
    }
    let mut at = 0u32;
    for character in text.chars() {
        let next = at + if character.len_utf16() == 2 { 2 } else { 1 };
        if next > offset {
            return at;
        }
        at = next;
    }
    at
}
