//! Surrogate pairs that somebody's edit cut in half. The engine, like Yjs, turns both halves into
//! U+FFFD where they stand, and its change events do not say so. Must not know whose edit it was.
//!
//! An editor that follows changes would go on showing the pair, so what was cut is found by
//! looking for U+FFFD that no edit explains, and told as a replacement.

use super::edit::{Edit, utf16_len};
use crate::ids::Offset;

/// What a cut half becomes.
const REPLACEMENT: char = '\u{fffd}';

/// Where a text shows U+FFFD, in ascending offsets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Halves(Vec<u32>);

impl Halves {
    pub(super) fn of(text: &str) -> Halves {
        if !text.contains(REPLACEMENT) {
            return Halves::default();
        }
        let mut at = 0u32;
        let mut found = Vec::new();
        for character in text.chars() {
            if character == REPLACEMENT {
                found.push(at);
            }
            at = at.saturating_add(if character.len_utf16() == 2 { 2 } else { 1 });
        }
        Halves(found)
    }

    /// Adds to `edits`, which led to `text`, what they silently cut; remembers `text`.
    pub(super) fn complete(&mut self, text: &str, edits: Vec<Edit>) -> Vec<Edit> {
        let now = Halves::of(text);
        let cut: Vec<Edit> = now
            .0
            .iter()
            .filter_map(|offset| origin(&edits, *offset))
            .filter(|origin| self.0.binary_search(origin).is_err())
            .map(|origin| Edit {
                at: Offset(origin),
                delete: 1,
                insert: REPLACEMENT.to_string(),
            })
            .collect();
        *self = now;
        if cut.is_empty() {
            return edits;
        }
        let mut all = Vec::with_capacity(edits.len() + cut.len());
        let mut cut = cut.into_iter().peekable();
        for edit in edits {
            all.extend(std::iter::from_fn(|| cut.next_if(|cut| cut.at < edit.at)));
            // Where something was inserted between two halves, it stays before the second.
            all.push(edit);
        }
        all.extend(cut);
        joined(all)
    }
}

/// Where the unit at `offset` stood before `edits`; `None` when they brought it.
fn origin(edits: &[Edit], offset: u32) -> Option<u32> {
    let mut inserted = 0u32;
    let mut deleted = 0u32;
    for edit in edits {
        let start = edit.at.0.checked_add(inserted)?.checked_sub(deleted)?;
        if offset < start {
            break;
        }
        let len = utf16_len(&edit.insert);
        if offset - start < len {
            return None;
        }
        inserted = inserted.checked_add(len)?;
        deleted = deleted.checked_add(edit.delete)?;
    }
    offset.checked_add(deleted)?.checked_sub(inserted)
}

/// The same with edits that touch made one, so that none begins or ends inside a pair.
fn joined(edits: Vec<Edit>) -> Vec<Edit> {
    let mut joined: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match joined.last_mut() {
            Some(last) if last.at.0.checked_add(last.delete) == Some(edit.at.0) => {
                last.delete = last.delete.saturating_add(edit.delete);
                last.insert.push_str(&edit.insert);
            }
            _ => joined.push(edit),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(at: u32, delete: u32, insert: &str) -> Edit {
        Edit {
            at: Offset(at),
            delete,
            insert: insert.to_owned(),
        }
    }

    #[test]
    fn a_pair_cut_by_an_insertion_is_replaced_around_it() {
        let mut halves = Halves::of("a😀b😀");
        let edits = halves.complete("a\u{fffd}x\u{fffd}b😀", vec![edit(2, 0, "x")]);
        assert_eq!(edits, [edit(1, 2, "\u{fffd}x\u{fffd}")]);
        assert_eq!(halves, Halves::of("a\u{fffd}x\u{fffd}b😀"));
    }

    #[test]
    fn half_a_pair_deleted_takes_the_other_half_with_it() {
        let mut halves = Halves::of("a😀b");
        let edits = halves.complete("\u{fffd}b!", vec![edit(0, 2, ""), edit(4, 0, "!")]);
        assert_eq!(edits, [edit(0, 3, "\u{fffd}"), edit(4, 0, "!")]);
    }

    #[test]
    fn a_pair_cut_without_a_visible_edit_is_told() {
        let mut halves = Halves::of("a😀");
        let edits = halves.complete("a\u{fffd}\u{fffd}", Vec::new());
        assert_eq!(edits, [edit(1, 2, "\u{fffd}\u{fffd}")]);
    }

    #[test]
    fn what_was_there_or_came_as_such_is_nobody_s_cut() {
        let mut halves = Halves::of("\u{fffd}ab");
        let edits = vec![edit(1, 1, "\u{fffd}😀")];
        assert_eq!(halves.complete("\u{fffd}\u{fffd}😀b", edits.clone()), edits);
        assert_eq!(
            halves.complete("\u{fffd}😀b", vec![edit(0, 1, "")]).len(),
            1
        );
    }
}
