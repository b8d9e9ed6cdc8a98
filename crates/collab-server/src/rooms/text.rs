//! A whole new text into the edits that make it of the old one, so that carets stay and edits made
//! meanwhile elsewhere in the text survive. Must not know documents or rooms.

use std::time::{Duration, Instant};

use collab_core::document::Edit;
use collab_core::ids::Offset;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// How long one comparison may look for the smallest difference. After it the rest is replaced in
/// larger pieces: correct still, only coarser.
const COMPARE_WITHIN: Duration = Duration::from_millis(200);

/// Lines of a changed stretch are compared by character when it has at most this many on each
/// side. Larger ones are replaced, but for what they share at both ends.
const MAX_CHARS: usize = 4_096;

/// The edits from `old` to `new`: ascending, disjoint, in UTF-16 code units of `old`.
pub fn edits_between(old: &str, new: &str) -> Vec<Edit> {
    let deadline = Instant::now() + COMPARE_WITHIN;
    let (head, tail) = shared_ends(old, new);
    let at = utf16_len(&old[..head]);
    let old = &old[head..old.len() - tail];
    let new = &new[head..new.len() - tail];
    let mut edits = Edits {
        at,
        ..Edits::default()
    };
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let ops =
        capture_diff_slices_deadline(Algorithm::Myers, &old_lines, &new_lines, Some(deadline));
    for op in ops {
        let old = old_lines[op.old_range()].concat();
        let new = new_lines[op.new_range()].concat();
        if let DiffOp::Equal { .. } = op {
            edits.keep(&old);
        } else {
            edits.refine(&old, &new, deadline);
        }
    }
    edits.done
}

#[derive(Default)]
struct Edits {
    done: Vec<Edit>,
    /// Code units of the old text behind us.
    at: u32,
    /// Whether the last edit ends exactly here and may grow.
    open: bool,
}

impl Edits {
    fn keep(&mut self, text: &str) {
        let units = utf16_len(text);
        self.at += units;
        self.open &= units == 0;
    }

    fn replace(&mut self, old: &str, new: &str) {
        let delete = utf16_len(old);
        if delete == 0 && new.is_empty() {
            return;
        }
        match self.done.last_mut().filter(|_| self.open) {
            Some(last) => {
                last.delete += delete;
                last.insert.push_str(new);
            }
            None => self.done.push(Edit {
                at: Offset(self.at),
                delete,
                insert: new.to_owned(),
            }),
        }
        self.at += delete;
        self.open = true;
    }

    /// Compares two stretches by character.
    fn refine(&mut self, old: &str, new: &str, deadline: Instant) {
        let (head, tail) = shared_ends(old, new);
        self.keep(&old[..head]);
        let middle_old = &old[head..old.len() - tail];
        let middle_new = &new[head..new.len() - tail];
        // Characters, not code units: no edit ever splits a surrogate pair.
        let from: Vec<char> = middle_old.chars().take(MAX_CHARS + 1).collect();
        let to: Vec<char> = middle_new.chars().take(MAX_CHARS + 1).collect();
        if from.len() > MAX_CHARS || to.len() > MAX_CHARS {
            self.replace(middle_old, middle_new);
        } else {
            for op in capture_diff_slices_deadline(Algorithm::Myers, &from, &to, Some(deadline)) {
                let old: String = from[op.old_range()].iter().collect();
                let new: String = to[op.new_range()].iter().collect();
                if let DiffOp::Equal { .. } = op {
                    self.keep(&old);
                } else {
                    self.replace(&old, &new);
                }
            }
        }
        self.keep(&old[old.len() - tail..]);
    }
}

/// Bytes that both texts begin with, and bytes that the rests end with, both at characters.
fn shared_ends(old: &str, new: &str) -> (usize, usize) {
    let head = old
        .char_indices()
        .zip(new.chars())
        .find(|((_, a), b)| a != b)
        .map_or(old.len().min(new.len()), |((at, _), _)| at);
    let tail = old[head..]
        .chars()
        .rev()
        .zip(new[head..].chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    (head, tail)
}

/// A text of a document has less than 2^32 code units: the document's limit in bytes is far below.
fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(old: &str, edits: &[Edit]) -> String {
        let units: Vec<u16> = old.encode_utf16().collect();
        let mut out = Vec::new();
        let mut done = 0;
        for edit in edits {
            let at = usize::try_from(edit.at.0).expect("small");
            assert!(at >= done, "ascending and disjoint: {edits:?}");
            out.extend_from_slice(&units[done..at]);
            out.extend(edit.insert.encode_utf16());
            done = at + usize::try_from(edit.delete).expect("small");
        }
        out.extend_from_slice(&units[done..]);
        String::from_utf16(&out).expect("no surrogate pair was split")
    }

    #[test]
    fn edits_make_the_new_text_of_the_old() {
        let texts = [
            "",
            "a",
            "hello world\n",
            "fn a() {}\nfn b() {}\nfn c() {}\n",
            "fn a() {}\nfn bb(x: u8) {}\nfn c() {}\nfn d() {}\n",
            "😀😁\n😂",
            "😀😂\n😁😁",
            "no newline at the end",
            "\n\n\n",
            "ééé\r\nfoo\r\n",
        ];
        for old in texts {
            for new in texts {
                let edits = edits_between(old, new);
                assert_eq!(apply(old, &edits), new, "{old:?} → {new:?}: {edits:?}");
                assert_eq!(edits.is_empty(), old == new);
            }
        }
    }

    #[test]
    fn only_what_differs_is_touched() {
        let old = "one\ntwo\nthree\nfour\n";
        let edits = edits_between(old, "one\ntwo!\nthree\nfive\n");
        assert_eq!(edits.len(), 2, "{edits:?}");
        assert_eq!((edits[0].at, edits[0].delete), (Offset(7), 0));
        assert_eq!(edits[0].insert, "!");
    }

    #[test]
    fn a_large_rewrite_ends_in_time() {
        let old: String = (0..20_000u32)
            .map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)))
            .collect();
        let new: String = (0..20_000u32)
            .map(|n| format!("{}\n", n.wrapping_mul(2_246_822_519)))
            .collect();
        let begun = Instant::now();
        assert_eq!(apply(&old, &edits_between(&old, &new)), new);
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }
}
