//! When a room makes a version of itself: after a pause, now and then while it stays busy, and before
//! it goes to sleep. Must not know what a version is to its reader, nor who asks for named ones.
//!
//! A version is a place of the log that has committed. What is newer waits for the next one. The place
//! of the newest one is read with the room, and storage adds none at or before one that it has: a
//! restart, or a second owner, makes no second version of anything.

use super::log::Log;
use super::{Effect, Phase, Room};
use crate::ids::Seq;
use crate::time::Millis;

/// Milliseconds without an edit after which a room makes a version.
pub const VERSION_PAUSE_MS: u64 = 30_000;

/// Milliseconds between two versions after pauses, at least.
pub const VERSION_APART_MS: u64 = 180_000;

/// Milliseconds from the first edit that no version has to the next version, while edits go on.
pub const VERSION_BUSY_MS: u64 = 600_000;

/// Milliseconds to the next try when storage did not take a version.
pub(super) const VERSION_RETRY_MS: u64 = 30_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// The newest version's place, and the time of its last edit.
    newest: Option<(Seq, Millis)>,
    /// Turns merged when this was last looked at.
    merged: u64,
    /// Times of the first and the last edit that no version has.
    edits: Option<(Millis, Millis)>,
    /// On its way to storage.
    asked: Option<(Seq, Millis)>,
    retry_after: Millis,
}

impl Versions {
    /// The room was read: its newest version, and when the last edit was made. The room itself may know
    /// of a newer one that storage had not told of then.
    pub(super) fn loaded(&mut self, newest: Option<(Seq, Millis)>, head: Seq, edited: Millis) {
        self.newest = newest;
        self.asked = None;
        if head > self.newest_place() {
            self.edits.get_or_insert((edited, edited));
        }
    }

    fn newest_place(&self) -> Seq {
        self.newest.map(|(seq, _)| seq).unwrap_or_default()
    }

    /// Notes that turns were merged.
    fn note(&mut self, now: Millis, merged: u64) {
        if merged > self.merged {
            self.merged = merged;
            let first = self.edits.map_or(now, |(first, _)| first);
            self.edits = Some((first, now));
        }
    }

    /// When the next version is due, if everything stays as it is.
    fn due_at(&self, log: &Log, periods: Periods) -> Option<Millis> {
        if log.head() <= self.newest_place() || self.asked.is_some() {
            return None;
        }
        let (first, last) = self.edits?;
        let busy = first.plus(periods.busy_ms);
        let at = match log.is_clean() {
            true => {
                let pause = last.plus(periods.pause_ms);
                let apart = self
                    .newest
                    .map_or(pause, |(_, at)| at.plus(periods.apart_ms));
                // A clock that was set back does not keep a room without versions.
                pause.max(apart.min(pause.plus(periods.apart_ms))).min(busy)
            }
            false => busy,
        };
        Some(at.max(self.retry_after))
    }
}

/// How often; see [`Settings`](super::Settings).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Periods {
    pause_ms: u64,
    apart_ms: u64,
    busy_ms: u64,
}

impl Room {
    /// Makes a version when one is due.
    pub(super) fn version_if_due(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if let Some(log) = &self.log {
            self.versions.note(now, log.merged());
        }
        if self.version_due_at().is_some_and(|at| at <= now) {
            self.make_version(now, effects);
        }
    }

    /// When the next version is due. None of a room of which something is missing: it would say that
    /// this is what there was.
    pub(super) fn version_due_at(&self) -> Option<Millis> {
        if !matches!(self.phase, Phase::Live(_)) || self.damaged.is_some() || self.is_failing() {
            return None;
        }
        let periods = Periods {
            pause_ms: self.settings.version_pause_ms,
            apart_ms: self.settings.version_apart_ms,
            busy_ms: self.settings.version_busy_ms,
        };
        self.versions.due_at(self.log.as_ref()?, periods)
    }

    /// The room goes to sleep, with everything saved.
    pub(super) fn last_version(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.version_due_at().is_some() {
            self.make_version(now, effects);
        }
    }

    fn make_version(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let Some(log) = &self.log else { return };
        let seq = log.head();
        #[cfg(feature = "sabotage")]
        let seq = match self.settings.sabotage {
            Some(super::Sabotage::VersionTooEarly) => log.covers_all().unwrap_or(seq),
            _ => seq,
        };
        let clean = log.is_clean();
        let last = self.versions.edits.map_or(now, |(_, last)| last);
        let at = if clean { last } else { now };
        self.versions.edits = (!clean).then_some((now, last));
        self.versions.asked = Some((seq, at));
        let epoch = log.epoch();
        let authors = self.authors.take_written(now);
        effects.push(Effect::Version {
            epoch,
            seq,
            at,
            authors,
        });
    }

    /// Answers [`Effect::Version`].
    pub(super) fn versioned(&mut self, now: Millis, seq: Seq, stored: bool) {
        let Some((seq, at)) = self.versions.asked.take_if(|(asked, _)| *asked == seq) else {
            return;
        };
        if stored {
            self.versions.newest = Some((seq, at));
        } else {
            let first = self.versions.edits.map_or(at, |(first, _)| first.min(at));
            let last = self.versions.edits.map_or(at, |(_, last)| last);
            self.versions.edits = Some((first, last));
            self.versions.retry_after = now.plus(VERSION_RETRY_MS);
            self.authors.forget_all_told();
        }
    }
}
