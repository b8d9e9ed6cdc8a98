//! Many turns as one update: what somebody typed letter by letter is one text in it. Must not know the
//! engine, nor what is done with the update.
//!
//! A letter that continues its author's last one is the same as a longer text from the beginning: that
//! is what the engine itself makes of both. Everything else is kept byte for byte.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::BadPast;
use super::seen::{self, Found, Range, Seen};
use crate::document::edit::OBJECT;
use crate::document::gate::{self, block};
use crate::document::place::Unit;
use crate::protocol::wire::{put_bytes, put_uint};

/// Bytes for what stands around one block or range, about.
const FRAME_BYTES: usize = 16;

/// What content of other editors becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Objects {
    /// What it is.
    #[default]
    Kept,
    /// An embedded object becomes the character that stands for it, and so has a place that the engine
    /// tells of.
    Shown,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// Descending, as everybody writes them.
    clients: BTreeMap<Reverse<u64>, Filled>,
    deletes: BTreeMap<u64, Vec<(u32, u32)>>,
    objects: Objects,
    size: usize,
}

/// The blocks of one client.
#[derive(Debug, Default)]
struct Filled {
    first: u32,
    next: u32,
    blocks: u64,
    bytes: Vec<u8>,
    open: Option<Open>,
}

/// A text that may go on.
#[derive(Debug)]
struct Open {
    /// Everything in front of the text.
    head: Vec<u8>,
    /// Its right neighbour within `head`.
    right: std::ops::Range<usize>,
    text: String,
}

impl Merged {
    pub(super) fn new(objects: Objects) -> Merged {
        Merged {
            objects,
            ..Merged::default()
        }
    }

    /// Bytes, about and not less than they will be.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.deletes.is_empty()
    }

    /// Adds a turn, with what it deletes if `deletes`. `false`, and nothing is added, when it does not
    /// go on where its replicas ended: then it belongs into an update of its own.
    pub(super) fn push(&mut self, update: &[u8], deletes: bool) -> Result<bool, BadPast> {
        let mut blocks: Vec<Found<'_>> = Vec::new();
        let mut ranges: Vec<Range> = Vec::new();
        let mut last = None;
        let mut fits = true;
        seen::each(update, |seen| {
            match seen {
                Seen::Block(found) => {
                    let Range { replica, clock, .. } = found.range;
                    if last != Some(replica) {
                        let known = self.clients.get(&Reverse(replica));
                        fits &= known.is_none_or(|filled| filled.next == clock);
                        last = Some(replica);
                    }
                    blocks.push(found);
                }
                Seen::Deleted(range) if deletes => ranges.push(range),
                Seen::Deleted(_) => {}
            }
            Ok(())
        })?;
        if !fits {
            return Ok(false);
        }
        for found in blocks {
            self.block(&found)?;
        }
        for Range {
            replica,
            clock,
            units,
        } in ranges
        {
            self.size += FRAME_BYTES;
            let of_client = self.deletes.entry(replica).or_default();
            match of_client.last_mut() {
                // Backspaces, and what is deleted forward.
                Some((start, len)) if clock.checked_add(units) == Some(*start) => {
                    *start = clock;
                    *len += units;
                }
                Some((start, len)) if start.checked_add(*len) == Some(clock) => *len += units,
                _ => of_client.push((clock, units)),
            }
        }
        Ok(true)
    }

    fn block(&mut self, found: &Found<'_>) -> Result<(), BadPast> {
        let Range {
            replica,
            clock,
            units,
        } = found.range;
        self.size += found.bytes.len() + FRAME_BYTES;
        let filled = self
            .clients
            .entry(Reverse(replica))
            .or_insert_with(|| Filled {
                first: clock,
                next: clock,
                ..Filled::default()
            });
        filled.next = clock.saturating_add(units);
        let shown;
        let bytes = match self.objects {
            Objects::Shown => {
                shown = as_shown(found.bytes)?;
                shown.as_deref().unwrap_or(found.bytes)
            }
            Objects::Kept => found.bytes,
        };
        let Some(text) = block::text(bytes)? else {
            filled.close();
            filled.blocks += 1;
            filled.bytes.extend_from_slice(bytes);
            return Ok(());
        };
        let right = bytes.get(text.right.clone()).unwrap_or_default();
        let continues = found.block.origin.is_some_and(|origin| {
            let Unit { replica, clock } = origin;
            replica == found.range.replica && clock.checked_add(1) == Some(found.range.clock)
        });
        if continues
            && let Some(open) = &mut filled.open
            && open.head.get(open.right.clone()) == Some(right)
        {
            open.text.push_str(text.text);
            return Ok(());
        }
        filled.close();
        filled.open = Some(Open {
            head: bytes.get(..text.at).unwrap_or_default().to_vec(),
            right: text.right,
            text: text.text.to_owned(),
        });
        Ok(())
    }

    /// The update.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size);
        put_uint(&mut out, self.clients.len() as u64);
        for (Reverse(replica), mut filled) in self.clients {
            filled.close();
            put_uint(&mut out, filled.blocks);
            put_uint(&mut out, replica);
            put_uint(&mut out, u64::from(filled.first));
            out.extend_from_slice(&filled.bytes);
        }
        put_uint(&mut out, self.deletes.len() as u64);
        for (replica, ranges) in self.deletes {
            let ranges = apart(ranges);
            put_uint(&mut out, replica);
            put_uint(&mut out, ranges.len() as u64);
            for (clock, units) in ranges {
                put_uint(&mut out, u64::from(clock));
                put_uint(&mut out, u64::from(units));
            }
        }
        out
    }
}

impl Filled {
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.blocks += 1;
            self.bytes.extend_from_slice(&open.head);
            put_bytes(&mut self.bytes, open.text.as_bytes());
        }
    }
}

/// Ranges in order, with none touching another.
fn apart(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut apart: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (clock, units) in ranges {
        match apart.last_mut() {
            Some((start, len)) if clock <= start.saturating_add(*len) => {
                let end = clock.saturating_add(units);
                *len = (*len).max(end.saturating_sub(*start));
            }
            _ => apart.push((clock, units)),
        }
    }
    apart
}

/// The numbers of content that is an embedded object, and of text.
const EMBED: u8 = 5;
const TEXT: u8 = 4;
const KIND: u8 = 0x0f;

/// An embedded object as the character that stands for it; `None` for everything else.
fn as_shown(bytes: &[u8]) -> Result<Option<Vec<u8>>, BadPast> {
    let info = bytes.first().copied().unwrap_or_default();
    if !gate::is_item(info) || info & KIND != EMBED {
        return Ok(None);
    }
    let mut text = vec![info & !KIND | TEXT];
    let around = bytes.get(1..block::content_at(bytes)?);
    text.extend_from_slice(around.unwrap_or_default());
    put_bytes(&mut text, OBJECT.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(Some(text))
}
