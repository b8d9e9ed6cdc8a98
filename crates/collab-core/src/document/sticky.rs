//! Places that stay with their neighbours while a text changes: Yjs relative positions. Must not
//! know whose caret it is.

use yrs::branch::{Branch, BranchPtr};
use yrs::updates::encoder::Encode;
use yrs::{BranchID, ClientID, ID, IndexScope, ReadTxn, StickyIndex, Text, TextRef};

use super::edit;
use super::files::FileId;
use super::gate::Reader;
use super::refusal::Refusal;
use crate::ids::Offset;

/// To which neighbour a place belongs when text is inserted exactly there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assoc {
    /// It stays before the unit that follows it: text inserted there goes before it.
    After,
    /// It stays behind the unit before it: text inserted there goes behind it.
    Before,
}

/// The bytes of a relative position; `None` past the end of the text.
pub(super) fn at<T: ReadTxn>(
    txn: &T,
    text: &TextRef,
    offset: Offset,
    assoc: Assoc,
) -> Option<Vec<u8>> {
    let len = text.len(txn);
    let assoc = match assoc {
        Assoc::After => yrs::Assoc::After,
        Assoc::Before => yrs::Assoc::Before,
    };
    if offset.0 > len {
        return None;
    }
    let index = if offset.0 == len && assoc == yrs::Assoc::After {
        // The end of the text itself, as Yjs has it.
        StickyIndex::from_type(txn, text, assoc)
    } else {
        StickyIndex::at(
            txn,
            BranchPtr::from(AsRef::<Branch>::as_ref(text)),
            offset.0,
            assoc,
        )?
    };
    Some(index.encode_v1())
}

/// Where a relative position is now. Bytes come from anyone. `is_plain`: whether a file is known to
/// hold nothing that an offset could be in the midst of; others are read.
pub(super) fn resolve<T: ReadTxn>(
    txn: &T,
    bytes: &[u8],
    is_plain: impl Fn(&FileId) -> bool,
) -> Option<(FileId, Offset)> {
    let index = parse(bytes).ok()?;
    let place = index.get_offset(txn)?;
    let BranchID::Root(name) = place.branch.id() else {
        return None;
    };
    let file = FileId::from_root(&name)?;
    let text = TextRef::from(place.branch);
    if is_plain(&file) {
        return Some((file, Offset(place.index.min(text.len(txn)))));
    }
    let shown = edit::visible(txn, &text);
    Some((file, Offset(edit::boundary(&shown, place.index))))
}

fn parse(bytes: &[u8]) -> Result<StickyIndex, Refusal> {
    let mut reader = Reader::new(bytes);
    let scope = match reader.uint()? {
        0 => IndexScope::Relative(id(&mut reader)?),
        1 => IndexScope::Root(reader.text()?.into()),
        2 => IndexScope::Nested(id(&mut reader)?),
        _ => return Err(Refusal::BlockForm),
    };
    // A signed number: 0 and up is after, below 0 is before. Old peers leave it out.
    let assoc = match reader.left() {
        0 => yrs::Assoc::After,
        _ if reader.byte()? & 0x40 == 0 => yrs::Assoc::After,
        _ => yrs::Assoc::Before,
    };
    reader.end()?;
    Ok(StickyIndex::new(scope, assoc))
}

fn id(reader: &mut Reader<'_>) -> Result<ID, Refusal> {
    Ok(ID::new(ClientID::new(reader.replica()?), reader.clock()?))
}
