//! One update as several, none longer than what a frame may hold. Must not know frames, nor why they
//! have a limit.
//!
//! Each part rests on nothing but what its receiver knew before and the parts before it, so the gate
//! lets them pass in order; all of them together say what the whole did. Between them is a text that
//! is complete up to a place, never one with a hole. A text longer than a part goes on in the next one,
//! behind its own last character, as if it had been typed there.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bytes::Bytes;
use yrs::encoding::write::Write as _;

use super::gate::{Allowance, Block, Parent, Reader, block};
use super::place::Unit;
use super::refusal::Refusal;

/// Bytes for the number of clients and an empty delete set, at most.
const FRAME_BYTES: usize = 12;
/// Bytes before one client's blocks, or before its deleted ranges: how many, its id, its clock.
const CLIENT_BYTES: usize = 20;
/// Bytes of one deleted range.
const RANGE_BYTES: usize = 10;
/// Bytes in front of a text that goes on: form, two neighbours, length.
const TEXT_HEAD_BYTES: usize = 40;

/// The parts of a sound update, in the order in which they are to be sent. `None` when something in
/// it that cannot be divided is longer than `limit` bytes.
pub(super) fn divide(update: &[u8], limit: usize) -> Option<Vec<Bytes>> {
    let mut reader = Reader::new(update);
    let mut runs = runs(&mut reader).ok()?;
    let mut parts = Parts::new(limit);
    while runs.iter().any(|run| run.left > 0) {
        let mut moved = false;
        for index in 0..runs.len() {
            while let Some(step) = next_block(update, &runs, index).ok()? {
                let run = runs.get_mut(index)?;
                parts.push(run.replica, run.clock, update.get(run.at..step.next)?)?;
                run.clock = run.clock.checked_add(step.units)?;
                run.at = step.next;
                run.left -= 1;
                moved = true;
            }
        }
        if !moved {
            return None;
        }
    }
    parts.deletes(&mut reader)?;
    Some(parts.done)
}

/// What of one client's blocks is still to be put into a part.
struct Run {
    replica: u64,
    /// Of the next block: its clock, and where it begins in the bytes.
    clock: u32,
    at: usize,
    left: usize,
}

/// Reads over the blocks. Clients come in descending order.
fn runs(reader: &mut Reader<'_>) -> Result<Vec<Run>, Refusal> {
    let mut runs = Vec::new();
    for _ in 0..reader.count(1)? {
        let left = reader.count(1)?;
        let replica = reader.replica()?;
        let clock = reader.clock()?;
        runs.push(Run {
            replica,
            clock,
            at: reader.position(),
            left,
        });
        for _ in 0..left {
            block::read(reader, &mut Allowance::own())?;
        }
    }
    Ok(runs)
}

/// A block that may go now, and where the one after it begins.
struct Step {
    units: u32,
    next: usize,
}

/// The next block of a client, unless there is none or it rests on one that has not gone yet.
fn next_block(update: &[u8], runs: &[Run], index: usize) -> Result<Option<Step>, Refusal> {
    let Some(run) = runs.get(index).filter(|run| run.left > 0) else {
        return Ok(None);
    };
    let mut reader = Reader::at(update, run.at);
    let block = block::read(&mut reader, &mut Allowance::own())?;
    let step = Step {
        units: block.len,
        next: reader.position(),
    };
    Ok(rests_on(&block)
        .all(|unit| is_gone(runs, unit))
        .then_some(step))
}

fn rests_on(block: &Block) -> impl Iterator<Item = Unit> + use<> {
    let parent = match block.parent {
        Parent::Type(unit, _) => Some(unit),
        Parent::Inherited | Parent::Root(_) => None,
    };
    [block.origin, block.right_origin, parent]
        .into_iter()
        .flatten()
}

/// Whether the receiver will know this unit by now.
fn is_gone(runs: &[Run], unit: Unit) -> bool {
    runs.binary_search_by(|run| unit.replica.cmp(&run.replica))
        .ok()
        .and_then(|index| runs.get(index))
        .is_none_or(|run| run.left == 0 || unit.clock < run.clock)
}

/// One client's blocks in the part that is being filled.
struct Filled {
    clock: u32,
    blocks: u64,
    bytes: Vec<u8>,
}

/// Parts that are full, and the one that is not.
struct Parts {
    limit: usize,
    done: Vec<Bytes>,
    /// Descending, as everybody writes them.
    clients: BTreeMap<Reverse<u64>, Filled>,
    /// Bytes of the part at hand, at most.
    size: usize,
}

impl Parts {
    fn new(limit: usize) -> Parts {
        Parts {
            limit,
            done: Vec::new(),
            clients: BTreeMap::new(),
            size: FRAME_BYTES,
        }
    }

    /// Bytes that one more block of this client may have in the part at hand.
    fn room(&self, replica: u64) -> usize {
        let known = self.clients.contains_key(&Reverse(replica));
        let head = if known { 0 } else { CLIENT_BYTES };
        self.limit.saturating_sub(self.size + head)
    }

    fn push(&mut self, replica: u64, clock: u32, block: &[u8]) -> Option<()> {
        if block.len() > self.room(replica)
            && !self.clients.is_empty()
            && !is_long(block, self.limit)
        {
            self.flush();
        }
        if block.len() <= self.room(replica) {
            self.add(replica, clock, block);
            return Some(());
        }
        self.push_text(replica, clock, Text::of(block)?)
    }

    /// A text that is longer than a part.
    fn push_text(&mut self, replica: u64, mut clock: u32, mut text: Text<'_>) -> Option<()> {
        loop {
            let room = self.room(replica).saturating_sub(text.head.len() + 5);
            let (now, later) = text.text.split_at(boundary(text.text, room));
            if now.is_empty() {
                if self.clients.is_empty() {
                    return None;
                }
                self.flush();
                continue;
            }
            let mut block = text.head.clone();
            block.write_buf(now);
            self.add(replica, clock, &block);
            if later.is_empty() {
                return Some(());
            }
            let units: usize = now.chars().map(char::len_utf16).sum();
            clock = clock.checked_add(u32::try_from(units).ok()?)?;
            text = text.rest(replica, clock.checked_sub(1)?, later);
            self.flush();
        }
    }

    fn add(&mut self, replica: u64, clock: u32, block: &[u8]) {
        let filled = self.clients.entry(Reverse(replica)).or_insert_with(|| {
            self.size += CLIENT_BYTES;
            Filled {
                clock,
                blocks: 0,
                bytes: Vec::new(),
            }
        });
        filled.blocks += 1;
        filled.bytes.extend_from_slice(block);
        self.size += block.len();
    }

    /// The blocks of the part at hand, which is then empty.
    fn take(&mut self) -> Vec<u8> {
        let clients = std::mem::take(&mut self.clients);
        let mut part = Vec::with_capacity(self.size);
        self.size = FRAME_BYTES;
        part.write_var(clients.len());
        for (Reverse(replica), filled) in clients {
            part.write_var(filled.blocks);
            part.write_var(replica);
            part.write_var(filled.clock);
            part.extend_from_slice(&filled.bytes);
        }
        part
    }

    fn flush(&mut self) {
        let mut part = self.take();
        // Deletes nothing.
        part.write_var(0);
        self.done.push(part.into());
    }

    /// What is deleted comes last: it may be any of the units before it.
    fn deletes(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let whole = reader.rest();
        if self.size + whole.len() <= self.limit {
            let mut part = self.take();
            part.extend_from_slice(whole);
            self.done.push(part.into());
            return Some(());
        }
        if !self.clients.is_empty() {
            self.flush();
        }
        if self.limit < FRAME_BYTES + CLIENT_BYTES + RANGE_BYTES {
            return None;
        }
        let mut deleted = Deleted::default();
        for _ in 0..reader.count(1).ok()? {
            let replica = reader.replica().ok()?;
            for _ in 0..reader.count(1).ok()? {
                let range = (reader.clock().ok()?, reader.clock().ok()?);
                if deleted.size(replica) > self.limit {
                    self.done.push(deleted.take());
                }
                deleted.add(replica, range);
            }
        }
        self.done.push(deleted.take());
        Some(())
    }
}

/// Deleted ranges of a part that has nothing else.
#[derive(Default)]
struct Deleted {
    /// In the order of the whole.
    clients: Vec<(u64, Vec<(u32, u32)>)>,
    ranges: usize,
}

impl Deleted {
    /// Bytes with one more range of this client, at most.
    fn size(&self, replica: u64) -> usize {
        let more = usize::from(self.clients.last().is_none_or(|(last, _)| *last != replica));
        FRAME_BYTES + (self.clients.len() + more) * CLIENT_BYTES + (self.ranges + 1) * RANGE_BYTES
    }

    fn add(&mut self, replica: u64, range: (u32, u32)) {
        self.ranges += 1;
        match self.clients.last_mut() {
            Some((last, ranges)) if *last == replica => ranges.push(range),
            _ => self.clients.push((replica, vec![range])),
        }
    }

    fn take(&mut self) -> Bytes {
        self.ranges = 0;
        // No blocks.
        let mut part = vec![0];
        part.write_var(self.clients.len());
        for (replica, ranges) in self.clients.drain(..) {
            part.write_var(replica);
            part.write_var(ranges.len());
            for (clock, units) in ranges {
                part.write_var(clock);
                part.write_var(units);
            }
        }
        part.into()
    }
}

/// Whether a block is better begun in a part that has something already.
fn is_long(block: &[u8], limit: usize) -> bool {
    block.len() + FRAME_BYTES + CLIENT_BYTES > limit
}

/// A block of text: what stands in front of it, and itself.
struct Text<'a> {
    head: Vec<u8>,
    /// Its right neighbour, as it stands in the bytes.
    right: &'a [u8],
    text: &'a str,
}

impl<'a> Text<'a> {
    /// `None` when the block is not the text of a list.
    fn of(block: &'a [u8]) -> Option<Text<'a>> {
        let read = block::text(block).ok()??;
        Some(Text {
            head: block.get(..read.at)?.to_vec(),
            right: block.get(read.right)?,
            text: read.text,
        })
    }

    /// How it goes on behind its own unit `last`.
    fn rest(&self, replica: u64, last: u32, text: &'a str) -> Text<'a> {
        let mut head = Vec::with_capacity(TEXT_HEAD_BYTES);
        head.push(block::text_form(!self.right.is_empty()));
        head.write_var(replica);
        head.write_var(last);
        head.extend_from_slice(self.right);
        Text {
            head,
            right: self.right,
            text,
        }
    }
}

/// The largest boundary of a character at or before this many bytes.
fn boundary(text: &str, bytes: usize) -> usize {
    if bytes >= text.len() {
        return text.len();
    }
    (0..=bytes)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::document::{Document, Edit, FileId, Offer, Outcome, StateVector};
    use crate::ids::{Offset, ReplicaId};

    fn replica(id: u32) -> Document {
        Document::new(ReplicaId::ours(id))
    }

    fn edit(document: &mut Document, at: u32, delete: u32, text: &str) {
        let edit = Edit {
            at: Offset(at),
            delete,
            insert: text.to_owned(),
        };
        document.edit(&FileId::main(), &[edit]).expect("in range");
    }

    /// Gives `document` the parts of what it lacks, as a stranger would; returns how many.
    fn give(document: &mut Document, from: &Document, limit: usize) -> usize {
        let whole = from.diff(&document.state_vector()).expect("sound");
        let parts = Document::parts(&whole, limit).expect("divisible");
        for part in &parts {
            assert!(part.len() <= limit, "{} of {limit} bytes", part.len());
            let offer = Offer {
                update: part,
                new_replicas: 10,
            };
            let turn = document.apply(&[offer]).expect("sound");
            assert!(
                matches!(turn.outcomes[..], [Outcome::Applied { .. }]),
                "{:?}",
                turn.outcomes
            );
        }
        parts.len()
    }

    fn assert_same(a: &Document, b: &Document) {
        assert_eq!(a.text(&FileId::main()), b.text(&FileId::main()));
        assert_eq!(a.state_vector(), b.state_vector());
        assert_eq!(a.digest(), b.digest());
        assert_eq!(a.deletions_digest(), b.deletions_digest());
    }

    #[test]
    fn what_fits_is_one_part() {
        let mut author = replica(1);
        edit(&mut author, 0, 0, "hello");
        let whole = author.diff(&StateVector::default()).expect("sound");
        let parts = Document::parts(&whole, 1_000).expect("divisible");
        assert_eq!(parts, [whole]);
    }

    #[test]
    fn a_text_longer_than_a_part_goes_on_in_the_next() {
        for text in ["a".repeat(1_000), "é€😀".repeat(111)] {
            let mut author = replica(1);
            edit(&mut author, 0, 0, "<>");
            edit(&mut author, 1, 0, &text);
            edit(&mut author, 1, 2, "");
            let mut reader = replica(2);
            assert!(give(&mut reader, &author, 100) > 10);
            assert_same(&reader, &author);
        }
    }

    #[test]
    fn many_deletions_are_parts_of_their_own() {
        let mut author = replica(1);
        edit(&mut author, 0, 0, &"ab".repeat(500));
        let mut reader = replica(2);
        give(&mut reader, &author, 5_000);
        for at in 0..500 {
            edit(&mut author, at, 1, "");
        }
        assert!(give(&mut reader, &author, 100) > 10);
        assert_same(&reader, &author);
    }

    #[test]
    fn what_cannot_be_divided_is_said() {
        let mut author = replica(1);
        author
            .set_meta("name", &"n".repeat(200))
            .expect("short enough");
        let whole = author.diff(&StateVector::default()).expect("sound");
        assert_eq!(Document::parts(&whole, 150), None);
        assert_eq!(Document::parts(&whole, 0), None);
        assert_eq!(Document::parts(b"junk", 150), None);
        assert!(Document::parts(&whole, 300).is_some());
    }

    proptest! {
        /// Three people who write beside and into each other's text, and hear of it now and then.
        #[test]
        fn parts_say_what_the_whole_does(
            steps in prop::collection::vec((0usize..3, 0usize..3, any::<u32>(), 0u32..6, "[a-z😀é]{0,40}"), 1..60),
            limit in 64usize..400,
        ) {
            let mut people = [replica(1), replica(2), replica(3)];
            let mut reader = replica(4);
            for (number, (who, to, at, delete, text)) in steps.into_iter().enumerate() {
                let document = &mut people[who];
                let before = document.text(&FileId::main());
                let units: Vec<usize> = before.char_indices().map(|(at, _)| before[..at].encode_utf16().count()).collect();
                let end = u32::try_from(before.encode_utf16().count()).expect("short");
                let start = units.get(at as usize % (units.len() + 1)).map_or(end, |at| u32::try_from(*at).expect("short"));
                let stop = units.iter().map(|at| u32::try_from(*at).expect("short")).find(|at| *at >= start + delete).unwrap_or(end);
                edit(document, start, stop - start, &text);
                if who != to {
                    let update = people[who].diff(&people[to].state_vector()).expect("sound");
                    people[to].apply_from_server(&update).expect("sound");
                }
                if number == 20 {
                    give(&mut reader, &people[0], limit);
                }
            }
            for person in &people {
                give(&mut reader, person, limit);
            }
            for person in &mut people {
                let update = reader.diff(&person.state_vector()).expect("sound");
                person.apply_from_server(&update).expect("sound");
                assert_same(&reader, person);
            }
        }
    }
}
