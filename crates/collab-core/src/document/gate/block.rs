//! The form of one block: what it depends on, how long it is, what it holds. Must not know which
//! blocks a document already has.

use std::ops::Range;

use super::reader::{MAX_CLOCK, Reader};
use crate::document::place::{List, Role, Unit};
use crate::document::refusal::Refusal;

/// JSON-like values may nest this deep. The engine's decoder recurses without bound, so 40 KB of
/// brackets would overflow the stack; deeper values are refused with [`Refusal::ValueDepth`].
pub const MAX_VALUE_DEPTH: u32 = 64;

/// Blocks in one update. A block takes about 250 bytes of the engine's memory and five on the
/// wire; a text of this many *runs* is far beyond any document we have seen (a paper of 260,000
/// keystrokes has 12,000). More are refused with [`Refusal::TooManyBlocks`].
pub const MAX_BLOCKS: u32 = 1 << 20;

/// JSON-like values in one update, counted with everything nested in them: about 100 MB of the
/// engine's memory. More are refused with [`Refusal::TooManyValues`].
pub const MAX_VALUES: u32 = 1 << 21;

const GC: u8 = 0;
/// The numbers of content that is text, and of content that is values.
const TEXT: u8 = 4;
const VALUES: u8 = 8;
const SKIP: u8 = 10;
const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_KEY: u8 = 0x20;
const UNUSED_BIT: u8 = 0x10;

/// Where a block says it belongs. With an origin it says nothing: it belongs where that one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum Parent {
    Inherited,
    Root(List),
    Type(Unit, List),
}

/// One block as it stands in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) struct Block {
    pub origin: Option<Unit>,
    pub right_origin: Option<Unit>,
    pub parent: Parent,
    pub role: Role,
    /// Units, at least 1.
    pub len: u32,
    /// Whether it has a place in a list, which collected units have no more.
    pub is_item: bool,
    /// Whether the length is merely stated, not carried by content bytes.
    pub hollow: bool,
}

/// What one update may still hold; goes down while it is read.
pub(in crate::document) struct Allowance {
    pub blocks: u32,
    pub values: u32,
}

impl Allowance {
    /// For an update from outside.
    pub(super) fn offer() -> Allowance {
        Allowance {
            blocks: MAX_BLOCKS,
            values: MAX_VALUES,
        }
    }

    /// For bytes that passed once already: our own log, our own edit, or the second walk.
    pub(in crate::document) fn own() -> Allowance {
        Allowance {
            blocks: u32::MAX,
            values: u32::MAX,
        }
    }

    fn value(&mut self) -> Result<(), Refusal> {
        self.values = self.values.checked_sub(1).ok_or(Refusal::TooManyValues)?;
        Ok(())
    }
}

/// Whether a block with this first byte is an item, which may have origins.
pub(super) fn is_item(info: u8) -> bool {
    info != GC && info != SKIP
}

/// Reads one block.
#[inline]
pub(in crate::document) fn read(
    reader: &mut Reader<'_>,
    allowance: &mut Allowance,
) -> Result<Block, Refusal> {
    allowance.blocks = allowance
        .blocks
        .checked_sub(1)
        .ok_or(Refusal::TooManyBlocks)?;
    let info = reader.byte()?;
    let block = match info {
        GC => Block {
            origin: None,
            right_origin: None,
            parent: Parent::Inherited,
            role: Role::Gone,
            is_item: false,
            len: reader.clock()?,
            hollow: true,
        },
        SKIP => return Err(Refusal::Skip),
        _ if info & UNUSED_BIT != 0 => return Err(Refusal::BlockForm),
        _ => item(reader, info, allowance)?,
    };
    if block.len == 0 {
        return Err(Refusal::EmptyBlock);
    }
    Ok(block)
}

#[inline]
fn item(reader: &mut Reader<'_>, info: u8, allowance: &mut Allowance) -> Result<Block, Refusal> {
    let mut origin = None;
    let mut right_origin = None;
    let mut parent = Parent::Inherited;
    if info & HAS_ORIGIN != 0 {
        origin = Some(unit(reader)?);
    }
    if info & HAS_RIGHT_ORIGIN != 0 {
        right_origin = Some(unit(reader)?);
    }
    if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
        parent = parent_of(reader, info & HAS_KEY != 0)?;
    }
    let (role, len) = content(reader, info & 0x0f, allowance)?;
    Ok(Block {
        origin,
        right_origin,
        parent,
        role,
        is_item: true,
        len,
        hollow: role == Role::Gone,
    })
}

/// A block of text in a list.
pub(in crate::document) struct TextBlock<'a> {
    /// Where the text begins, with its length.
    pub at: usize,
    /// Where its right neighbour stands; empty when it has none.
    pub right: Range<usize>,
    pub text: &'a str,
}

/// Reads a whole block of text; `None` when it is something else, or the entry of a map.
pub(in crate::document) fn text(block: &[u8]) -> Result<Option<TextBlock<'_>>, Refusal> {
    let mut reader = Reader::new(block);
    let info = reader.byte()?;
    if info & (0x0f | UNUSED_BIT | HAS_KEY) != TEXT {
        return Ok(None);
    }
    let right = neighbours(&mut reader, info)?;
    Ok(Some(TextBlock {
        at: reader.position(),
        right,
        text: reader.text()?,
    }))
}

/// A block of text or values in a list, divided where others of its kind can be joined to it.
pub(in crate::document) struct Content<'a> {
    /// [`TEXT`] or [`VALUES`].
    pub number: u8,
    pub origin: Option<Unit>,
    pub right: Option<Unit>,
    /// Everything before the amount.
    pub head: &'a [u8],
    /// Bytes of the text, or how many values.
    pub amount: usize,
    pub body: &'a [u8],
}

/// Divides a whole block that was read before; `None` when it is something else, or the entry of a map.
pub(in crate::document) fn content_of(block: &[u8]) -> Result<Option<Content<'_>>, Refusal> {
    let mut reader = Reader::new(block);
    let info = reader.byte()?;
    let number = info & 0x0f;
    if !matches!(number, TEXT | VALUES) || info & (UNUSED_BIT | HAS_KEY) != 0 {
        return Ok(None);
    }
    let mut neighbour = |bit| (info & bit != 0).then(|| unit(&mut reader)).transpose();
    let origin = neighbour(HAS_ORIGIN)?;
    let right = neighbour(HAS_RIGHT_ORIGIN)?;
    if origin.is_none() && right.is_none() {
        parent_of(&mut reader, false)?;
    }
    let head = block.get(..reader.position()).unwrap_or_default();
    let amount = reader.count(1)?;
    Ok(Some(Content {
        number,
        origin,
        right,
        head,
        amount,
        body: reader.rest(),
    }))
}

/// Where the content of a whole block begins, for a block that has a place.
pub(in crate::document) fn content_at(block: &[u8]) -> Result<usize, Refusal> {
    let mut reader = Reader::new(block);
    let info = reader.byte()?;
    neighbours(&mut reader, info)?;
    Ok(reader.position())
}

/// Reads over what stands between the form of a block and its content; returns where its right
/// neighbour does.
fn neighbours(reader: &mut Reader<'_>, info: u8) -> Result<Range<usize>, Refusal> {
    if info & HAS_ORIGIN != 0 {
        unit(reader)?;
    }
    let right = reader.position();
    if info & HAS_RIGHT_ORIGIN != 0 {
        unit(reader)?;
    }
    let right = right..reader.position();
    if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
        parent_of(reader, info & HAS_KEY != 0)?;
    }
    Ok(right)
}

/// How a text begins that has a left neighbour, and perhaps a right one.
pub(in crate::document) fn text_form(has_right_origin: bool) -> u8 {
    let right = if has_right_origin {
        HAS_RIGHT_ORIGIN
    } else {
        0
    };
    TEXT | HAS_ORIGIN | right
}

fn parent_of(reader: &mut Reader<'_>, has_key: bool) -> Result<Parent, Refusal> {
    match reader.uint()? {
        0 => {
            let parent = unit(reader)?;
            let list = List::nested(parent.replica, parent.clock, key(reader, has_key)?);
            Ok(Parent::Type(parent, list))
        }
        1 => {
            let name = reader.text()?;
            Ok(Parent::Root(List::root(name, key(reader, has_key)?)))
        }
        _ => Err(Refusal::BlockForm),
    }
}

/// The key of an entry. With an origin its bit may be set too, but it is not written again.
fn key<'a>(reader: &mut Reader<'a>, has_key: bool) -> Result<Option<&'a str>, Refusal> {
    has_key.then(|| reader.text()).transpose()
}

fn unit(reader: &mut Reader<'_>) -> Result<Unit, Refusal> {
    Ok(Unit {
        replica: reader.replica()?,
        clock: reader.clock()?,
    })
}

/// Reads the content of an item and says how many units it is.
#[inline]
fn content(
    reader: &mut Reader<'_>,
    number: u8,
    allowance: &mut Allowance,
) -> Result<(Role, u32), Refusal> {
    match number {
        1 => Ok((Role::Gone, reader.clock()?)),
        2 => Err(Refusal::LegacyJson),
        3 => reader.bytes().map(|_| (Role::Leaf, 1)),
        TEXT => Ok((Role::Leaf, utf16_len(reader.text()?)?)),
        5 => json(reader.text()?, allowance).map(|()| (Role::Leaf, 1)),
        6 => {
            reader.text()?;
            json(reader.text()?, allowance).map(|()| (Role::Leaf, 1))
        }
        7 => {
            match reader.uint()? {
                // array, map, text, XML fragment, XML text
                0 | 1 | 2 | 4 | 6 => {}
                // XML element, with its name
                3 => {
                    reader.text()?;
                }
                5 => return Err(Refusal::XmlHook),
                7 => return Err(Refusal::WeakLink),
                _ => return Err(Refusal::BlockForm),
            }
            Ok((Role::Type, 1))
        }
        VALUES => {
            let count = reader.count(1)?;
            for _ in 0..count {
                value(reader, MAX_VALUE_DEPTH, allowance)?;
            }
            u32::try_from(count)
                .map(|len| (Role::Leaf, len))
                .map_err(|_| Refusal::ClockRange)
        }
        9 => Err(Refusal::SubDocument),
        _ => Err(Refusal::BlockForm),
    }
}

/// UTF-16 code units of a text.
#[inline]
fn utf16_len(text: &str) -> Result<u32, Refusal> {
    let units = if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    };
    match u32::try_from(units) {
        Ok(units) if units <= MAX_CLOCK => Ok(units),
        _ => Err(Refusal::ClockRange),
    }
}

/// One JSON-like value ("any" in lib0) and everything in it. Recursion is bounded by `depth`.
fn value(reader: &mut Reader<'_>, depth: u32, allowance: &mut Allowance) -> Result<(), Refusal> {
    allowance.value()?;
    let deeper = depth.checked_sub(1).ok_or(Refusal::ValueDepth)?;
    match reader.byte()? {
        // undefined, null, false, true
        127 | 126 | 121 | 120 => {}
        125 => reader.signed()?,
        124 => {
            reader.skip(4)?;
        }
        123 | 122 => {
            reader.skip(8)?;
        }
        119 => {
            reader.text()?;
        }
        118 => {
            for _ in 0..reader.count(2)? {
                reader.text()?;
                value(reader, deeper, allowance)?;
            }
        }
        117 => {
            for _ in 0..reader.count(1)? {
                value(reader, deeper, allowance)?;
            }
        }
        116 => {
            reader.bytes()?;
        }
        _ => return Err(Refusal::Value),
    }
    Ok(())
}

/// A cheap look at JSON text: how deep and how many. Its grammar is left to the engine's decoder,
/// which answers with an error.
fn json(text: &str, allowance: &mut Allowance) -> Result<(), Refusal> {
    allowance.value()?;
    let mut depth = 0u32;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => {
                        bytes.next();
                    }
                    Some(b'"') => break,
                    Some(_) => {}
                    None => return Err(Refusal::Value),
                }
            },
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_VALUE_DEPTH {
                    return Err(Refusal::ValueDepth);
                }
            }
            b']' | b'}' => depth = depth.checked_sub(1).ok_or(Refusal::Value)?,
            b',' => allowance.value()?,
            _ => {}
        }
    }
    Ok(())
}
