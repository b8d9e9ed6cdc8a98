//! The bounded queue of frames out to one connection. Must not know what is inside a frame, who
//! fills it, or who sends it.
//!
//! Three lanes share one capacity. A lane that overflows is dropped *whole*: what the peer lacks
//! is then one contiguous stretch, which one diff makes good when the rest has been sent
//! ([`Outbox::missed`]). A single update dropped in between would leave a gap instead. Frames stay
//! in the order they came in, across lanes.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::document::TurnNumber;
use crate::room::{Lane, Missed};

/// The turn before every other: what makes good a miss from here on is the whole document.
pub const FROM_NOTHING: TurnNumber = TurnNumber(0);

/// Bytes of droppable frames waiting for one connection (1 MiB). At the limit their lane is
/// dropped and the connection brought level later.
pub const OUTBOX_BYTES: usize = 1 << 20;

/// Droppable frames waiting for one connection: about two seconds of fast typing by twenty people.
pub const OUTBOX_FRAMES: usize = 256;

/// Bytes of control frames waiting for one connection. They are few and small and cannot be
/// dropped; a connection that lets this many pile up is hopeless and must be closed.
pub const OUTBOX_CONTROL_BYTES: usize = 1 << 20;

/// How a push ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It waits its turn.
    Queued,
    /// Its lane is being dropped until the connection is brought level.
    Dropped,
    /// Its lane overflowed just now, and everything in it was dropped.
    Overflowed,
    /// Even the control lane is full: close the connection.
    Hopeless,
}

/// See the module.
#[derive(Debug)]
pub struct Outbox {
    frames: VecDeque<(Lane, Bytes)>,
    max_bytes: usize,
    max_frames: usize,
    droppable: Load,
    control_bytes: usize,
    missed: Missed,
    /// Whether a frame that makes a peer level from nothing is out or on its way. Until then turns
    /// say nothing about what the peer holds: a diff from the first one it missed would be a gap.
    based: bool,
    /// Frames that went into a lane and will never come out; for invariants and metrics.
    dropped: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Load {
    frames: usize,
    bytes: usize,
}

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox::new(OUTBOX_BYTES, OUTBOX_FRAMES)
    }
}

impl Outbox {
    /// An empty outbox for at most this much that may be dropped.
    pub fn new(max_bytes: usize, max_frames: usize) -> Outbox {
        Outbox {
            frames: VecDeque::new(),
            max_bytes,
            max_frames,
            droppable: Load::default(),
            control_bytes: 0,
            missed: Missed::default(),
            based: false,
            dropped: 0,
        }
    }

    /// Puts a frame at the end, or drops its lane when it does not fit.
    ///
    /// A frame larger than the whole capacity is taken when nothing droppable waits: the answer
    /// that a joiner asked for may be as large as the document.
    pub fn push(&mut self, lane: Lane, frame: Bytes) -> Pushed {
        match lane {
            Lane::Control => {
                if self.control_bytes + frame.len() > OUTBOX_CONTROL_BYTES {
                    return Pushed::Hopeless;
                }
                self.control_bytes += frame.len();
                self.frames.push_back((lane, frame));
                return Pushed::Queued;
            }
            Lane::Sync(turn) if self.missed.sync.is_some() => {
                self.miss(turn);
                return Pushed::Dropped;
            }
            Lane::Presence if self.missed.presence => {
                self.dropped += 1;
                return Pushed::Dropped;
            }
            Lane::Sync(_) | Lane::Presence => {}
        }
        let fits = self.droppable.frames < self.max_frames
            && self.droppable.bytes + frame.len() <= self.max_bytes;
        if fits || self.droppable.frames == 0 {
            self.based |= lane == Lane::Sync(FROM_NOTHING);
            self.droppable.frames += 1;
            self.droppable.bytes += frame.len();
            self.frames.push_back((lane, frame));
            return Pushed::Queued;
        }
        self.drop_lane(lane);
        Pushed::Overflowed
    }

    /// The next frame to send.
    pub fn pop(&mut self) -> Option<Bytes> {
        let (lane, frame) = self.frames.pop_front()?;
        match lane {
            Lane::Control => self.control_bytes -= frame.len(),
            Lane::Sync(_) | Lane::Presence => {
                self.droppable.frames -= 1;
                self.droppable.bytes -= frame.len();
            }
        }
        Some(frame)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes that wait, in all lanes.
    pub fn bytes(&self) -> usize {
        self.droppable.bytes + self.control_bytes
    }

    /// Bytes that wait and may be dropped.
    pub fn droppable_bytes(&self) -> usize {
        self.droppable.bytes
    }

    /// Whether a lane is being dropped.
    pub fn is_lagging(&self) -> bool {
        self.missed != Missed::default()
    }

    /// What was dropped, once everything else is out: hand it to the room as `Input::Drained`.
    /// `None` while something waits or nothing was dropped. Stays until [`Outbox::resync`].
    pub fn missed(&self) -> Option<Missed> {
        (self.is_empty() && self.is_lagging()).then_some(self.missed)
    }

    /// Takes the frames that make good what `answers` names; those lanes take frames again behind
    /// them. What was missed since the room was asked, from an older turn on, stays missed.
    pub fn resync(&mut self, answers: Missed, frames: Vec<(Lane, Bytes)>) {
        if answers.sync.is_some() && self.missed.sync >= answers.sync {
            self.missed.sync = None;
            self.based |= answers.sync == Some(FROM_NOTHING);
        }
        self.missed.presence &= !answers.presence;
        for (lane, frame) in frames {
            if lane == Lane::Control {
                self.control_bytes += frame.len();
            } else {
                self.droppable.frames += 1;
                self.droppable.bytes += frame.len();
            }
            self.frames.push_back((lane, frame));
        }
    }

    /// Frames dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn drop_lane(&mut self, lane: Lane) {
        if lane == Lane::Presence {
            self.missed.presence = true;
            self.dropped += 1;
        } else if let Lane::Sync(turn) = lane {
            self.miss(turn);
        }
        // The sync lane's overflow drops presence as well: it is what frees room first.
        let sync = matches!(lane, Lane::Sync(_));
        let frames = std::mem::take(&mut self.frames);
        for (queued, frame) in frames {
            match queued {
                Lane::Sync(turn) if sync => self.forget(frame.len(), Some(turn)),
                Lane::Presence => self.forget(frame.len(), None),
                Lane::Sync(_) | Lane::Control => self.frames.push_back((queued, frame)),
            }
        }
    }

    fn forget(&mut self, bytes: usize, turn: Option<TurnNumber>) {
        self.droppable.frames -= 1;
        self.droppable.bytes -= bytes;
        match turn {
            Some(turn) => self.miss(turn),
            None => {
                self.missed.presence = true;
                self.dropped += 1;
            }
        }
    }

    fn miss(&mut self, turn: TurnNumber) {
        self.dropped += 1;
        let turn = if self.based { turn } else { FROM_NOTHING };
        self.missed.sync = Some(self.missed.sync.map_or(turn, |oldest| oldest.min(turn)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Bytes {
        vec![7; bytes].into()
    }

    fn sync(turn: u64) -> Lane {
        Lane::Sync(TurnNumber(turn))
    }

    /// The outbox of a peer that was answered what it asked when it came.
    fn answered(max_bytes: usize, max_frames: usize) -> Outbox {
        let mut outbox = Outbox::new(max_bytes, max_frames);
        assert_eq!(outbox.push(sync(0), frame(1)), Pushed::Queued);
        assert_eq!(outbox.pop(), Some(frame(1)));
        outbox
    }

    #[test]
    fn an_overflow_drops_the_whole_lane_and_remembers_the_oldest_turn() {
        let mut outbox = answered(10, 100);
        assert_eq!(outbox.push(Lane::Control, frame(3)), Pushed::Queued);
        assert_eq!(outbox.push(sync(4), frame(5)), Pushed::Queued);
        assert_eq!(outbox.push(sync(5), frame(5)), Pushed::Queued);
        assert_eq!(outbox.push(sync(6), frame(1)), Pushed::Overflowed);
        assert_eq!(outbox.push(sync(7), frame(1)), Pushed::Dropped);
        assert_eq!(outbox.missed(), None, "a control frame still waits");
        assert_eq!(outbox.pop(), Some(frame(3)));
        assert_eq!(outbox.pop(), None);
        assert_eq!(
            outbox.missed().and_then(|missed| missed.sync),
            Some(TurnNumber(4))
        );
        let answers = outbox.missed().expect("a lane was dropped");
        outbox.resync(answers, vec![(sync(7), frame(40))]);
        assert_eq!(outbox.missed(), None);
        assert_eq!(outbox.pop(), Some(frame(40)));
        assert_eq!(outbox.push(sync(8), frame(1)), Pushed::Queued);
    }

    #[test]
    fn the_frame_count_is_a_limit_too() {
        let mut outbox = Outbox::new(1000, 2);
        outbox.push(sync(1), frame(1));
        outbox.push(sync(2), frame(1));
        assert_eq!(outbox.push(sync(3), frame(1)), Pushed::Overflowed);
    }

    #[test]
    fn an_overflow_behind_the_question_is_not_forgotten() {
        let mut outbox = answered(1000, 1);
        outbox.push(Lane::Presence, frame(1));
        assert_eq!(outbox.push(Lane::Presence, frame(1)), Pushed::Overflowed);
        let asked = outbox.missed().expect("presence was dropped");
        assert_eq!(asked.sync, None);
        // The room has the question in its inbox; meanwhile others type.
        outbox.push(sync(3), frame(1));
        assert_eq!(outbox.push(sync(4), frame(1)), Pushed::Overflowed);
        outbox.resync(asked, vec![(Lane::Presence, frame(2))]);
        assert_eq!(outbox.push(sync(5), frame(1)), Pushed::Dropped);
        assert_eq!(outbox.pop(), Some(frame(2)));
        assert_eq!(
            outbox.missed().and_then(|missed| missed.sync),
            Some(TurnNumber(3))
        );
    }

    #[test]
    fn what_is_missed_while_the_room_answers_stays_missed() {
        let mut outbox = answered(10, 1);
        outbox.push(sync(57), frame(1));
        outbox.push(sync(58), frame(1));
        let asked = outbox
            .missed()
            .expect("nothing waits, and a lane was dropped");
        // The answer to a question of the peer's comes before the room has heard of the miss.
        assert_eq!(outbox.push(sync(0), frame(5)), Pushed::Dropped);
        outbox.resync(asked, vec![(sync(57), frame(2))]);
        assert_eq!(outbox.pop(), Some(frame(2)));
        assert_eq!(
            outbox.missed().and_then(|missed| missed.sync),
            Some(TurnNumber(0))
        );
    }

    /// Others type before the peer has asked for what it lacks.
    #[test]
    fn a_peer_that_was_given_nothing_yet_misses_everything() {
        let mut outbox = Outbox::new(10, 1);
        outbox.push(sync(57), frame(1));
        assert_eq!(outbox.push(sync(58), frame(1)), Pushed::Overflowed);
        let asked = outbox.missed().expect("a lane was dropped");
        assert_eq!(asked.sync, Some(TurnNumber(0)));
        assert_eq!(outbox.push(sync(0), frame(5)), Pushed::Dropped);
        outbox.resync(asked, vec![(sync(0), frame(2))]);
        assert_eq!(outbox.pop(), Some(frame(2)));
        assert_eq!(outbox.missed(), None);
        // Now it holds everything before a turn that it misses.
        outbox.push(sync(59), frame(1));
        outbox.push(sync(60), frame(1));
        let missed = outbox.missed().expect("a lane was dropped");
        assert_eq!(missed.sync, Some(TurnNumber(59)));
    }

    #[test]
    fn one_large_answer_is_taken_when_nothing_waits() {
        let mut outbox = Outbox::new(10, 10);
        assert_eq!(outbox.push(sync(0), frame(500)), Pushed::Queued);
        assert_eq!(outbox.push(sync(1), frame(1)), Pushed::Overflowed);
        assert!(outbox.is_empty(), "the whole lane is gone");
        assert_eq!(outbox.dropped(), 2);
    }

    #[test]
    fn presence_overflow_keeps_edits() {
        let mut outbox = Outbox::new(1000, 2);
        outbox.push(sync(1), frame(1));
        outbox.push(Lane::Presence, frame(1));
        assert_eq!(outbox.push(Lane::Presence, frame(1)), Pushed::Overflowed);
        assert_eq!(outbox.pop(), Some(frame(1)));
        assert_eq!(
            outbox.missed(),
            Some(Missed {
                sync: None,
                presence: true
            })
        );
    }

    #[test]
    fn control_frames_are_never_dropped_but_bounded() {
        let mut outbox = Outbox::new(10, 10);
        assert_eq!(
            outbox.push(Lane::Control, frame(OUTBOX_CONTROL_BYTES)),
            Pushed::Queued
        );
        assert_eq!(outbox.push(Lane::Control, frame(1)), Pushed::Hopeless);
    }
}
