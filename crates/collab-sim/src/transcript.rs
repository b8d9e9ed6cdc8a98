//! The story of one schedule, for people. Must not influence it.

use std::collections::VecDeque;

use collab_core::time::Millis;

/// Lines kept when nobody asked for all of them.
const KEPT: usize = 120;

/// Off while a campaign runs: a schedule that fails is run again with it on.
#[derive(Debug, Default)]
pub struct Transcript {
    mode: Mode,
    lines: VecDeque<String>,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is not even made.
    #[default]
    Off,
    /// The last [`KEPT`] are kept.
    Tail,
    /// All are kept, and printed as they come.
    Aloud,
    /// All are kept.
    Whole,
}

impl Transcript {
    /// An empty one.
    pub fn new(mode: Mode) -> Transcript {
        Transcript {
            mode,
            lines: VecDeque::new(),
        }
    }

    /// Writes a line down. `line` is called only if somebody wants it.
    pub fn note(&mut self, now: Millis, line: impl FnOnce() -> String) {
        if self.mode == Mode::Off {
            return;
        }
        let line = format!("{:>9.3}  {}", now.0 as f64 / 1000.0, line());
        if self.mode == Mode::Aloud {
            println!("{line}");
        }
        if self.mode == Mode::Tail && self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// What was kept, oldest first.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
