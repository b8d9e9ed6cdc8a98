//! Who wrote each line of a text, and when: of what still stands there. Must not know names.

use std::collections::BTreeMap;

use super::BadPast;
use super::authors::Authors;
use super::runs::Run;
use super::seen::{self, Arrivals, Range, Seen};
use crate::document::{Document, Poisoned};

/// Lines that follow each other and have the same author and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlameRun {
    /// At least 1.
    pub lines: u32,
    /// Number of the author; `None` where nobody said a name, or the line is older than the log.
    pub author: Option<usize>,
    /// Milliseconds since 1970; `None` where the line is older than the log.
    pub at: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Blame {
    lines: Vec<Line>,
    /// By replica, in order of clocks: what still stands.
    pieces: BTreeMap<u64, Vec<Piece>>,
    arrivals: Arrivals,
}

/// A line's last writer.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    last: Option<(u64, u64)>,
    /// Whether it has anything but its end.
    has_text: bool,
}

/// Units of one replica within one line.
#[derive(Debug, Clone, Copy)]
struct Piece {
    clock: u32,
    units: u32,
    line: usize,
    /// Whether it is the end of the line: who pressed Enter behind another's words wrote none of them.
    is_end: bool,
}

impl Blame {
    /// Of the root text of this name, as it is in `document`: as text, like
    /// [`Past::of_texts`](super::Past::of_texts) makes it.
    pub fn new(document: &mut Document, root: &str) -> Result<Blame, Poisoned> {
        let mut blame = Blame {
            lines: Vec::new(),
            pieces: BTreeMap::new(),
            arrivals: Arrivals::default(),
        };
        let mut begun = false;
        for run in document.runs(root)? {
            blame.add(&run, &mut begun);
        }
        for pieces in blame.pieces.values_mut() {
            pieces.sort_unstable_by_key(|piece| piece.clock);
        }
        Ok(blame)
    }

    fn add(&mut self, run: &Run, begun: &mut bool) {
        let mut clock = run.range.clock;
        let pieces = self.pieces.entry(run.range.replica).or_default();
        for part in run.text.split_inclusive('\n') {
            if !*begun {
                self.lines.push(Line::default());
                *begun = true;
            }
            let line = self.lines.len() - 1;
            let text = part.strip_suffix('\n').unwrap_or(part);
            for (units, is_end) in [
                (crate::document::edit::utf16_len(text), false),
                (u32::from(text.len() < part.len()), true),
            ] {
                if units == 0 {
                    continue;
                }
                if let Some(line) = self.lines.last_mut() {
                    line.has_text |= !is_end;
                }
                pieces.push(Piece {
                    clock,
                    units,
                    line,
                    is_end,
                });
                clock = clock.saturating_add(units);
                *begun &= !is_end;
            }
        }
    }

    /// The next turn of the log, from its beginning on, which was made at a time in milliseconds.
    pub fn turn(&mut self, update: &[u8], at: u64) -> Result<(), BadPast> {
        seen::each(update, |seen| {
            if let Seen::Block(found) = seen
                && let Some(fresh) = self.arrivals.fresh(found.range)
            {
                self.wrote(fresh, Some(at));
            }
            Ok(())
        })
    }

    /// The state with which the log begins: nobody knows when that was written.
    pub fn base(&mut self, update: &[u8]) -> Result<(), BadPast> {
        seen::each(update, |seen| {
            if let Seen::Block(found) = seen {
                self.arrivals.fresh(found.range);
            }
            Ok(())
        })
    }

    fn wrote(&mut self, range: Range, at: Option<u64>) {
        let Some(pieces) = self.pieces.get(&range.replica) else {
            return;
        };
        let behind = |piece: &Piece| piece.clock.saturating_add(piece.units) <= range.clock;
        let first = pieces.partition_point(behind);
        let rest = pieces.get(first..).unwrap_or_default().iter();
        for piece in rest.take_while(|piece| piece.clock < range.end()) {
            if let Some(line) = self.lines.get_mut(piece.line)
                && (!piece.is_end || !line.has_text)
            {
                line.last = at.map(|at| (range.replica, at));
            }
        }
    }

    /// The lines, from the first one on. What follows the last line feed is a line when it has
    /// something.
    pub fn finish(self, authors: &Authors) -> Vec<BlameRun> {
        let mut runs: Vec<BlameRun> = Vec::new();
        for line in self.lines {
            let author = authors.number(line.last.map(|(replica, _)| replica));
            let at = line.last.map(|(_, at)| at);
            match runs.last_mut() {
                Some(run) if run.author == author && run.at == at => {
                    run.lines = run.lines.saturating_add(1);
                }
                _ => runs.push(BlameRun {
                    lines: 1,
                    author,
                    at,
                }),
            }
        }
        runs
    }
}
