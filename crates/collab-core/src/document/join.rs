//! Joins what was typed in a row, before the engine sees it. Must not know what the units say.
//!
//! The engine joins neighbours at the end of a transaction, from the last to the first, and copies
//! what it has joined so far at every step. For one update with `n` neighbours that is `n²/2` units
//! of time and of memory: 1.9 MB of single characters took 22 GB. Editors send such updates: `Y.mergeUpdates`
//! of keystrokes leaves each a block of its own. Joined here they are read once and are one block,
//! which is what the engine would have made of them.

use std::borrow::Cow;

use yrs::encoding::write::Write as _;

use super::clocks::Clocks;
use super::gate::{Allowance, Reader, block};
use super::place::Unit;
use super::refusal::Refusal;

/// Updates up to this many bytes go as they are: what the engine does with a few dozen neighbours
/// costs less than looking for them.
const JOINED_FROM_BYTES: usize = 512;

/// The same update with neighbours joined. It has passed the gate; nothing of it is known to
/// `clocks` yet.
pub(super) fn join<'a>(update: &'a [u8], clocks: &Clocks) -> Cow<'a, [u8]> {
    if update.len() <= JOINED_FROM_BYTES {
        return Cow::Borrowed(update);
    }
    match joined(update, clocks) {
        Ok(Some(joined)) => Cow::Owned(joined),
        // The gate has read all of it, so it can be read; whatever cannot goes as it is.
        Ok(None) | Err(_) => Cow::Borrowed(update),
    }
}

/// `None` when there are no neighbours.
fn joined(update: &[u8], clocks: &Clocks) -> Result<Option<Vec<u8>>, Refusal> {
    let mut reader = Reader::new(update);
    let mut out = Vec::with_capacity(update.len());
    let mut found = false;
    let clients = reader.count(1)?;
    out.write_var(clients);
    let mut blocks = Vec::new();
    for _ in 0..clients {
        let count = reader.count(1)?;
        let replica = reader.replica()?;
        let start = reader.clock()?;
        let mut run = Row::new(replica, clocks.clock(replica), &mut blocks);
        let mut clock = start;
        for _ in 0..count {
            let from = reader.position();
            let len = block::read(&mut reader, &mut Allowance::own())?.len;
            let bytes = update.get(from..reader.position()).unwrap_or_default();
            run.push(bytes, clock)?;
            clock = clock.saturating_add(len);
        }
        let left = run.end();
        found |= left < count;
        out.write_var(left);
        out.write_var(replica);
        out.write_var(start);
        out.append(&mut blocks);
    }
    out.extend_from_slice(reader.rest());
    Ok(found.then_some(out))
}

/// The blocks of one client, as they are written.
struct Row<'a, 'b> {
    replica: u64,
    /// What the document has of this client: a block that begins here begins something new, and what
    /// became of the one before it only the engine knows.
    known: u32,
    out: &'b mut Vec<u8>,
    count: usize,
    open: Option<Open<'a>>,
}

/// A block that may still grow.
struct Open<'a> {
    first: block::Content<'a>,
    amount: usize,
    more: Vec<u8>,
}

impl<'a, 'b> Row<'a, 'b> {
    fn new(replica: u64, known: u32, out: &'b mut Vec<u8>) -> Row<'a, 'b> {
        Row {
            replica,
            known,
            out,
            count: 0,
            open: None,
        }
    }

    fn push(&mut self, bytes: &'a [u8], clock: u32) -> Result<(), Refusal> {
        let Some(content) = block::content_of(bytes)? else {
            self.close();
            self.out.extend_from_slice(bytes);
            self.count += 1;
            return Ok(());
        };
        let last = clock.checked_sub(1).map(|clock| Unit {
            replica: self.replica,
            clock,
        });
        match &mut self.open {
            Some(open)
                if last.is_some()
                    && content.origin == last
                    && clock != self.known
                    && content.right == open.first.right
                    && content.number == open.first.number =>
            {
                open.amount = open.amount.saturating_add(content.amount);
                open.more.extend_from_slice(content.body);
            }
            _ => {
                self.close();
                self.open = Some(Open {
                    amount: content.amount,
                    first: content,
                    more: Vec::new(),
                });
            }
        }
        Ok(())
    }

    /// Writes the block that was open.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.out.extend_from_slice(open.first.head);
            self.out.write_var(open.amount);
            self.out.extend_from_slice(open.first.body);
            self.out.extend_from_slice(&open.more);
            self.count += 1;
        }
    }

    /// How many blocks were written.
    fn end(mut self) -> usize {
        self.close();
        self.count
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::document::{Document, Edit, FileId, Offer, Outcome};
    use crate::ids::{Offset, ReplicaId};

    fn replica(id: u32) -> Document {
        Document::new(ReplicaId::ours(id))
    }

    fn edit(document: &mut Document, at: u32, delete: u32, text: &str) -> Vec<u8> {
        let edit = Edit {
            at: Offset(at),
            delete,
            insert: text.to_owned(),
        };
        let update = document.edit(&FileId::main(), &[edit]).expect("in range");
        update.to_vec()
    }

    /// Updates as one, every block as it was: what `Y.mergeUpdates` makes of them.
    fn merged(updates: &[Vec<u8>]) -> Vec<u8> {
        let mut clients: BTreeMap<Reverse<u64>, (u32, u32, Vec<u8>)> = BTreeMap::new();
        let mut deleted: BTreeMap<Reverse<u64>, Vec<(u32, u32)>> = BTreeMap::new();
        for update in updates {
            let mut reader = Reader::new(update);
            for _ in 0..reader.count(1).expect("sound") {
                let count = reader.count(1).expect("sound");
                let id = reader.replica().expect("sound");
                let clock = reader.clock().expect("sound");
                let from = reader.position();
                for _ in 0..count {
                    block::read(&mut reader, &mut Allowance::own()).expect("sound");
                }
                let (_, blocks, bytes) =
                    clients.entry(Reverse(id)).or_insert((clock, 0, Vec::new()));
                *blocks += u32::try_from(count).expect("few");
                bytes.extend_from_slice(&update[from..reader.position()]);
            }
            for _ in 0..reader.count(1).expect("sound") {
                let id = reader.replica().expect("sound");
                let ranges = deleted.entry(Reverse(id)).or_default();
                for _ in 0..reader.count(1).expect("sound") {
                    let clock = reader.clock().expect("sound");
                    ranges.push((clock, reader.clock().expect("sound")));
                }
            }
        }
        let mut out = Vec::new();
        out.write_var(clients.len());
        for (Reverse(id), (clock, blocks, bytes)) in clients {
            out.write_var(blocks);
            out.write_var(id);
            out.write_var(clock);
            out.extend(bytes);
        }
        out.write_var(deleted.len());
        for (Reverse(id), mut ranges) in deleted {
            ranges.sort_unstable();
            // Two people may delete the same.
            ranges.dedup_by(|(clock, len), (first, all)| {
                let touch = *clock <= *first + *all;
                if touch {
                    *all = (*all).max(*clock + *len - *first);
                }
                touch
            });
            out.write_var(id);
            out.write_var(ranges.len());
            for (clock, len) in ranges {
                out.write_var(clock);
                out.write_var(len);
            }
        }
        out
    }

    fn give(document: &mut Document, update: &[u8]) {
        let offer = Offer {
            update,
            new_replicas: 10,
        };
        let turn = document.apply(&[offer]).expect("sound");
        assert!(
            matches!(turn.outcomes[..], [Outcome::Applied { .. }]),
            "{:?}",
            turn.outcomes
        );
    }

    fn assert_same(a: &Document, b: &Document) {
        assert_eq!(a.text(&FileId::main()), b.text(&FileId::main()));
        assert_eq!(a.state_vector(), b.state_vector());
        assert_eq!(a.digest(), b.digest());
        assert_eq!(a.deletions_digest(), b.deletions_digest());
    }

    fn blocks(update: &[u8]) -> usize {
        let mut reader = Reader::new(update);
        assert_eq!(reader.count(1), Ok(1), "one client");
        reader.count(1).expect("sound")
    }

    #[test]
    fn what_was_typed_in_a_row_is_one_block() {
        let mut author = replica(1);
        let mut updates: Vec<Vec<u8>> = (0..300u32)
            .map(|at| edit(&mut author, at, 0, "é"))
            .collect();
        updates.push(edit(&mut author, 7, 1, ""));
        let update = merged(&updates);
        assert_eq!(blocks(&update), 300);
        assert_eq!(blocks(&join(&update, &Clocks::default())), 1);
        let mut reader = replica(2);
        give(&mut reader, &update);
        assert_same(&reader, &author);
    }

    #[test]
    fn what_is_known_and_what_is_new_stay_apart() {
        let mut author = replica(1);
        let updates: Vec<Vec<u8>> = (0..300u32)
            .map(|at| edit(&mut author, at, 0, "a"))
            .collect();
        let mut reader = replica(2);
        give(&mut reader, &merged(&updates[..100]));
        assert_eq!(blocks(&join(&merged(&updates), &reader.clocks)), 2);
        // What came before may be gone when the rest comes.
        let gone = edit(&mut reader, 0, 100, "");
        give(&mut reader, &merged(&updates));
        give(&mut author, &gone);
        assert_same(&reader, &author);
    }

    #[test]
    fn small_updates_go_as_they_are() {
        let update = edit(&mut replica(1), 0, 0, "a");
        assert!(matches!(
            join(&update, &Clocks::default()),
            Cow::Borrowed(_)
        ));
    }

    proptest! {
        /// Three people who write beside and into each other's text; a reader who is given their
        /// updates merged, some of them twice, sees what one sees who got them one by one.
        #[test]
        fn joined_or_one_by_one(
            steps in prop::collection::vec((0usize..3, 0usize..3, any::<u32>(), 0u32..4, "[a-z😀é]{0,4}"), 30..150),
            first in 0usize..150,
            second in 0usize..150,
        ) {
            let mut people = [replica(1), replica(2), replica(3)];
            let mut log = Vec::new();
            let mut at_caret = 0;
            for (who, to, at, delete, text) in steps {
                let document = &mut people[who];
                let before = document.text(&FileId::main());
                let units: Vec<u32> = before
                    .char_indices()
                    .map(|(at, _)| u32::try_from(before[..at].encode_utf16().count()).expect("short"))
                    .collect();
                let end = u32::try_from(before.encode_utf16().count()).expect("short");
                // Mostly where one typed last.
                let wanted = if at % 4 > 0 { at_caret } else { at % (end + 1) };
                let start = units.iter().copied().find(|at| *at >= wanted).unwrap_or(end);
                let stop = units.iter().copied().find(|at| *at >= start + delete / 3).unwrap_or(end);
                let update = edit(document, start, stop - start, &text);
                // Nothing was changed where nothing was typed.
                log.extend(Some(update).filter(|update| !update.is_empty()));
                at_caret = start + u32::try_from(text.encode_utf16().count()).expect("short");
                if who != to && at % 8 == 0 {
                    let update = people[who].diff(&people[to].state_vector()).expect("sound");
                    people[to].apply_from_server(&update).expect("sound");
                }
            }
            let mut plain = replica(4);
            for update in &log {
                give(&mut plain, update);
            }
            let mut reader = replica(5);
            let (first, second) = (first.min(log.len()), second.min(log.len()));
            give(&mut reader, &merged(&log[..first]));
            give(&mut reader, &merged(&log[..second]));
            give(&mut reader, &merged(&log));
            assert_same(&reader, &plain);
        }
    }
}
