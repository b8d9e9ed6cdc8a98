//! What of a room is durable, what is on its way, and who waits to hear of it. Must not know the
//! document, nor what is inside a delta.
//!
//! One append is on its way at a time; what is merged meanwhile waits and becomes the next record.
//! So a busy room writes a record per commit, not per keystroke. An append that fails is offered
//! again with the same place and the same bytes, so that storage can tell whether it had committed.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Lane;
use crate::ids::{ConnectionId, Epoch, RequestId, Seq};
use crate::record::{Logged, MAX_TURNS, Record};
use crate::time::Millis;

/// Bytes of deltas put into one record, unless a single one is larger.
const RECORD_TARGET_BYTES: usize = 8 << 20;

/// First and longest pause before a failed append is offered again, in milliseconds.
const RETRY_MS: (u64, u64) = (100, 5_000);

/// Who waits for a turn to be durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiter {
    /// A client: its first `frames` state-changing frames are dealt with. `echo` is what plain
    /// Yjs clients take for an acknowledgement: their own edit, coming back.
    Connection {
        connection: ConnectionId,
        frames: u64,
        echo: Option<(Lane, Bytes)>,
    },
    /// A program.
    Request(RequestId),
}

/// One append, to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Append {
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
    pub(super) record: Bytes,
}

#[derive(Debug)]
struct InFlight {
    append: Append,
    /// Turns that are durable once this is.
    covers: u64,
    attempts: u32,
    /// When it is offered again; `None` while storage has it.
    retry_at: Option<Millis>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Log {
    epoch: Epoch,
    /// Last committed place.
    head: Seq,
    /// Turns merged so far, and how many of them are durable.
    merged: u64,
    durable: u64,
    waiting: VecDeque<Logged>,
    waiting_bytes: usize,
    in_flight: Option<InFlight>,
    waiters: VecDeque<(u64, Waiter)>,
    records_since_snapshot: u64,
    bytes_since_snapshot: usize,
    /// Size of the newest snapshot's state; 0 when there is none.
    snapshot_bytes: usize,
    snapshot_on_its_way: Option<OnItsWay>,
}

/// A snapshot that is not stored yet.
#[derive(Debug)]
struct OnItsWay {
    seq: Seq,
    /// What of `bytes_since_snapshot` it covers.
    covers_bytes: usize,
    state_bytes: usize,
}

impl Log {
    /// The log of a room just loaded, with this much of it after a snapshot of that size.
    pub(super) fn new(
        epoch: Epoch,
        head: Seq,
        records: u64,
        bytes: usize,
        snapshot_bytes: usize,
    ) -> Log {
        Log {
            epoch,
            head,
            merged: 0,
            durable: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: None,
            waiters: VecDeque::new(),
            records_since_snapshot: records,
            bytes_since_snapshot: bytes,
            snapshot_bytes,
            snapshot_on_its_way: None,
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn head(&self) -> Seq {
        self.head
    }

    /// Records and bytes since the last snapshot.
    pub(super) fn since_snapshot(&self) -> (u64, usize) {
        (self.records_since_snapshot, self.bytes_since_snapshot)
    }

    /// Size of the newest snapshot's state, in bytes; 0 when there is none.
    pub(super) fn snapshot_bytes(&self) -> usize {
        self.snapshot_bytes
    }

    /// A snapshot equal to the log up to `seq`, which is [`Log::covers_all`], is about to be stored.
    pub(super) fn snapshot_prepared(&mut self, seq: Seq, state_bytes: usize) {
        let appending = self
            .in_flight
            .as_ref()
            .map_or(0, |it| it.append.record.len());
        self.snapshot_on_its_way = Some(OnItsWay {
            seq,
            covers_bytes: self.bytes_since_snapshot + appending,
            state_bytes,
        });
    }

    /// The snapshot that was prepared at `seq` is stored.
    pub(super) fn compacted_at(&mut self, seq: Seq) {
        let Some(stored) = self.snapshot_on_its_way.take_if(|it| it.seq == seq) else {
            return;
        };
        self.records_since_snapshot = self.head.0.saturating_sub(seq.0);
        self.bytes_since_snapshot = self
            .bytes_since_snapshot
            .saturating_sub(stored.covers_bytes);
        self.snapshot_bytes = stored.state_bytes;
    }

    /// Turns merged so far.
    pub(super) fn merged(&self) -> u64 {
        self.merged
    }

    /// Whether the append on its way has failed before.
    pub(super) fn is_failing(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|it| it.attempts > 0)
    }

    /// Whether everything merged is durable.
    pub(super) fn is_clean(&self) -> bool {
        self.waiting.is_empty() && self.in_flight.is_none()
    }

    /// The place up to which the log holds everything merged, once what is on its way has
    /// committed; `None` while something waits behind it, or nothing was ever merged.
    pub(super) fn covers_all(&self) -> Option<Seq> {
        let last = self
            .in_flight
            .as_ref()
            .map_or(self.head, |it| it.append.seq);
        (self.waiting.is_empty() && last > Seq(0)).then_some(last)
    }

    /// Bytes merged and not durable.
    pub(super) fn unsaved_bytes(&self) -> usize {
        let on_the_way = self
            .in_flight
            .as_ref()
            .map_or(0, |in_flight| in_flight.append.record.len());
        self.waiting_bytes + on_the_way
    }

    /// A turn was merged.
    pub(super) fn push(&mut self, now: Millis, delta: &[u8]) {
        self.merged += 1;
        self.waiting_bytes += delta.len();
        self.waiting.push_back(Logged {
            at: now.0,
            delta: delta.to_vec(),
        });
    }

    /// Somebody waits for everything merged so far. Answers at once (`Some`) when it is durable.
    pub(super) fn wait(&mut self, waiter: Waiter) -> Option<Waiter> {
        if self.durable == self.merged {
            return Some(waiter);
        }
        self.waiters.push_back((self.merged, waiter));
        None
    }

    /// The next append to carry out, if there is one: what waits, or what is to be offered again.
    pub(super) fn next_append(&mut self, now: Millis) -> Option<Append> {
        if let Some(in_flight) = &mut self.in_flight {
            if in_flight.retry_at.is_some_and(|at| at <= now) {
                in_flight.retry_at = None;
                return Some(in_flight.append.clone());
            }
            return None;
        }
        let mut record = Record::default();
        let mut bytes = 0;
        while let Some(next) = self.waiting.front()
            && record.turns.len() < MAX_TURNS
        {
            if bytes > 0 && bytes + next.delta.len() > RECORD_TARGET_BYTES {
                break;
            }
            bytes += next.delta.len();
            record.turns.extend(self.waiting.pop_front());
        }
        if record.turns.is_empty() {
            return None;
        }
        self.waiting_bytes -= bytes;
        let append = Append {
            epoch: self.epoch,
            seq: self.head.next(),
            record: record.encode(),
        };
        self.in_flight = Some(InFlight {
            append: append.clone(),
            covers: self.merged - self.waiting.len() as u64,
            attempts: 0,
            retry_at: None,
        });
        Some(append)
    }

    /// The append at this place has committed: who hears of it now, in order.
    pub(super) fn appended(&mut self, seq: Seq) -> Vec<Waiter> {
        let Some(in_flight) = self.in_flight.take_if(|it| it.append.seq == seq) else {
            return Vec::new();
        };
        self.head = seq;
        self.durable = in_flight.covers;
        self.records_since_snapshot += 1;
        self.bytes_since_snapshot += in_flight.append.record.len();
        let ready = self
            .waiters
            .partition_point(|(turn, _)| *turn <= self.durable);
        self.waiters
            .drain(..ready)
            .map(|(_, waiter)| waiter)
            .collect()
    }

    /// The append at this place failed: it is offered again after a pause that doubles.
    pub(super) fn failed(&mut self, now: Millis, seq: Seq) {
        if let Some(in_flight) = self.in_flight.as_mut().filter(|it| it.append.seq == seq) {
            let pause = RETRY_MS.0 << in_flight.attempts.min(10);
            in_flight.retry_at = Some(now.plus(pause.min(RETRY_MS.1)));
            in_flight.attempts += 1;
        }
    }

    /// Whether a log as it was read holds records that are not ours: somebody else owns the room.
    pub(super) fn is_overtaken(&self, head: Seq, records: &[(Seq, Bytes)]) -> bool {
        match &self.in_flight {
            None => head > self.head,
            Some(InFlight { append, .. }) => {
                let other =
                    |(seq, bytes): &(Seq, Bytes)| *seq == append.seq && *bytes != append.record;
                head > append.seq || records.iter().any(other)
            }
        }
    }

    /// When a failed append is offered again.
    pub(super) fn retry_at(&self) -> Option<Millis> {
        self.in_flight.as_ref().and_then(|it| it.retry_at)
    }

    /// Deltas merged and not known to be durable, oldest first: what a document woken again from
    /// storage may lack.
    pub(super) fn unsaved(&self) -> Vec<Vec<u8>> {
        let on_the_way = self
            .in_flight
            .iter()
            .filter_map(|it| Record::decode(&it.append.record).ok())
            .flat_map(|record| record.turns);
        on_the_way
            .chain(self.waiting.iter().cloned())
            .map(|logged| logged.delta)
            .collect()
    }

    /// The log turned out to end earlier, and has another owner's epoch: nothing of ours is on its
    /// way to it. What it lacks is to be pushed anew; whoever waits, waits for that.
    pub(super) fn rewind(&mut self, epoch: Epoch, head: Seq) {
        self.epoch = epoch;
        self.head = head;
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.in_flight = None;
        self.snapshot_on_its_way = None;
    }

    /// How much of the log there is after a snapshot of that size, as a load found it.
    pub(super) fn measured(&mut self, records: u64, bytes: usize, snapshot_bytes: usize) {
        self.records_since_snapshot = records;
        self.bytes_since_snapshot = bytes;
        self.snapshot_bytes = snapshot_bytes;
    }

    /// The log holds everything merged, as a load found: who hears of it.
    pub(super) fn all_durable(&mut self) -> Vec<Waiter> {
        self.durable = self.merged;
        self.take_waiters()
    }

    /// Everybody who waits, when the room is lost.
    pub(super) fn take_waiters(&mut self) -> Vec<Waiter> {
        self.waiters.drain(..).map(|(_, waiter)| waiter).collect()
    }

    /// Sabotage: calls everything durable.
    #[cfg(feature = "sabotage")]
    pub(super) fn forget_waiting(&mut self) -> Vec<Waiter> {
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.durable = self.merged;
        self.take_waiters()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(n: u64) -> Waiter {
        Waiter::Request(RequestId(n))
    }

    #[test]
    fn what_is_merged_while_an_append_is_on_its_way_waits_for_the_next() {
        let mut log = Log::new(Epoch(1), Seq(7), 0, 0, 0);
        assert_eq!(log.wait(waiter(0)), Some(waiter(0)), "nothing is unsaved");
        log.push(Millis(1), b"a");
        assert_eq!(log.wait(waiter(1)), None);
        let first = log.next_append(Millis(1)).expect("one waits");
        assert_eq!(first.seq, Seq(8));
        log.push(Millis(2), b"b");
        log.push(Millis(3), b"c");
        assert_eq!(log.wait(waiter(2)), None);
        assert_eq!(log.next_append(Millis(3)), None, "one at a time");
        assert_eq!(log.appended(Seq(8)), [waiter(1)]);
        let second = log.next_append(Millis(3)).expect("two wait");
        let record = Record::decode(&second.record).expect("own record");
        assert_eq!(record.turns.len(), 2);
        assert_eq!(log.unsaved(), [b"b".to_vec(), b"c".to_vec()]);
        assert_eq!(log.appended(Seq(9)), [waiter(2)]);
        assert!(log.is_clean());
        assert_eq!(log.unsaved_bytes(), 0);
    }

    #[test]
    fn a_failed_append_is_offered_again_with_the_same_place_and_bytes() {
        let mut log = Log::new(Epoch(1), Seq(0), 0, 0, 0);
        log.push(Millis(0), b"a");
        let first = log.next_append(Millis(0));
        log.failed(Millis(0), Seq(1));
        assert_eq!(log.next_append(Millis(99)), None);
        assert_eq!(log.next_append(Millis(100)), first);
        log.failed(Millis(100), Seq(1));
        assert_eq!(log.retry_at(), Some(Millis(300)));
        assert!(
            log.appended(Seq(9)).is_empty(),
            "an answer nobody waits for"
        );
    }

    #[test]
    fn records_stay_below_their_target() {
        let mut log = Log::new(Epoch(1), Seq(0), 0, 0, 0);
        for _ in 0..3 {
            log.push(Millis(0), &vec![0; RECORD_TARGET_BYTES / 2]);
        }
        assert_eq!(log.wait(waiter(3)), None);
        let first = log.next_append(Millis(0)).expect("three wait");
        assert_eq!(Record::decode(&first.record).map(|r| r.turns.len()), Ok(2));
        assert!(log.appended(Seq(1)).is_empty());
        assert!(log.next_append(Millis(0)).is_some());
        assert_eq!(log.appended(Seq(2)), [waiter(3)]);
    }

    #[test]
    fn a_flood_of_tiny_turns_becomes_records_that_can_be_read() {
        let mut log = Log::new(Epoch(1), Seq(0), 0, 0, 0);
        let turns = 4 * MAX_TURNS + 1;
        for _ in 0..turns {
            log.push(Millis(0), b"x");
        }
        let mut sizes = Vec::new();
        while let Some(append) = log.next_append(Millis(0)) {
            let record = Record::decode(&append.record).expect("what is written can be read");
            sizes.push(record.turns.len());
            log.appended(append.seq);
        }
        let full = MAX_TURNS;
        assert_eq!(sizes, [full, full, full, full, 1]);
        assert!(log.is_clean());
        assert_eq!(log.unsaved_bytes(), 0);
    }

    #[test]
    fn a_record_full_in_both_ways_can_be_read() {
        let mut log = Log::new(Epoch(1), Seq(0), 0, 0, 0);
        for _ in 0..MAX_TURNS {
            log.push(Millis(u64::MAX), &[0; RECORD_TARGET_BYTES / MAX_TURNS]);
        }
        let append = log.next_append(Millis(0)).expect("one waits");
        let turns = Record::decode(&append.record).map(|record| record.turns.len());
        assert_eq!(turns, Ok(MAX_TURNS));
    }

    #[test]
    fn what_a_snapshot_does_not_cover_is_counted_exactly() {
        let mut log = Log::new(Epoch(1), Seq(0), 0, 0, 0);
        let commit = |log: &mut Log, bytes: usize| {
            log.push(Millis(0), &vec![0; bytes]);
            let append = log.next_append(Millis(0)).expect("one waits");
            log.appended(append.seq);
            append.record.len()
        };
        commit(&mut log, 100);
        log.push(Millis(0), &[0; 10]);
        let on_its_way = log.next_append(Millis(0)).expect("one waits").seq;
        log.snapshot_prepared(on_its_way, 5_000);
        assert_eq!(log.snapshot_bytes(), 0, "it is not stored");
        log.appended(on_its_way);
        let since = commit(&mut log, 1_000) + commit(&mut log, 2_000);
        log.compacted_at(on_its_way);
        assert_eq!(log.since_snapshot(), (2, since));
        assert_eq!(log.snapshot_bytes(), 5_000);
        // An answer about another one changes nothing.
        log.compacted_at(Seq(1));
        assert_eq!(log.since_snapshot(), (2, since));
    }
}
