//! Who has seen how much of whom: counts deliveries, losses and gaps, and says at the end whether
//! everybody has everything. Must not know sockets.

use std::ops::Range;
use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use crate::latency::Latencies;
use crate::yjs::{self, FIRST_ID, Units};

/// Members and what each has seen, of the rooms of one scenario. Members of a room are numbered in a row.
#[derive(Debug)]
pub struct Tally {
    people: usize,
    /// `seen[member][author in the same room]`: clocks.
    seen: Vec<Vec<u32>>,
    /// Units that each member typed.
    sent: Vec<u32>,
    /// The clock after each update and when it was sent, in order, while latencies are wanted.
    sent_at: Option<Vec<Vec<(u32, Instant)>>>,
    pub latencies: Latencies,
    /// Units seen by somebody who had not typed them.
    pub delivered: u64,
    /// Deleted units seen, anybody's.
    pub deleted: u64,
    /// Blocks that came before those below them.
    pub gaps: u64,
}

impl Tally {
    /// Rooms of so many people each.
    pub fn new(rooms: usize, people: usize) -> Tally {
        let members = rooms * people;
        Tally {
            people,
            seen: vec![vec![0; people]; members],
            sent: vec![0; members],
            sent_at: None,
            latencies: Latencies::default(),
            delivered: 0,
            deleted: 0,
            gaps: 0,
        }
    }

    pub fn with_latencies(mut self) -> Tally {
        self.sent_at = Some(vec![Vec::new(); self.sent.len()]);
        self
    }

    /// A member typed up to this clock.
    pub fn sent(&mut self, member: usize, clock: u32, now: Instant) {
        if let Some(sent) = self.sent.get_mut(member) {
            *sent = clock;
        }
        if let Some(times) = self.sent_at.as_mut().and_then(|all| all.get_mut(member)) {
            times.push((clock, now));
        }
    }

    /// A member was given an update. Tells `on` each author of whom it saw more, and up to where.
    pub fn saw(
        &mut self,
        member: usize,
        update: &[u8],
        now: Instant,
        mut on: impl FnMut(usize, u32),
    ) -> Result<()> {
        let first = member / self.people * self.people;
        let seen = self.seen.get_mut(member);
        let Some(seen) = seen else { return Ok(()) };
        yjs::read(update, |units| match units {
            Units::Inserted { id, from, to } => {
                let author = usize::try_from(id.wrapping_sub(FIRST_ID))
                    .ok()
                    .and_then(|global| global.checked_sub(first));
                let Some((author, seen)) =
                    author.and_then(|author| Some((author, seen.get_mut(author)?)))
                else {
                    return;
                };
                // One's own come back only when others were merged with them.
                if from > *seen && first + author != member {
                    self.gaps += 1;
                }
                if to <= *seen {
                    return;
                }
                let global = first + author;
                if global != member {
                    self.delivered += u64::from(to - *seen);
                    if let Some(times) = self.sent_at.as_ref().and_then(|all| all.get(global)) {
                        let first = times.partition_point(|(clock, _)| *clock <= *seen);
                        for (_, sent) in times
                            .iter()
                            .skip(first)
                            .take_while(|(clock, _)| *clock <= to)
                        {
                            self.latencies.add(now.saturating_duration_since(*sent));
                        }
                    }
                }
                *seen = to;
                on(global, to);
            }
            Units::Deleted { len } => self.deleted += u64::from(len),
        })?;
        Ok(())
    }

    /// Forgets what was measured until now, but not who has seen what.
    pub fn start(&mut self) {
        self.delivered = 0;
        self.latencies = Latencies::default();
    }

    /// Units that somebody has not seen, of all that others sent.
    pub fn missing(&self) -> u64 {
        self.missing_of(0..self.seen.len())
    }

    /// The same, of some members.
    pub fn missing_of(&self, members: Range<usize>) -> u64 {
        let mut missing = 0;
        let first = members.start;
        let seen = self.seen.get(members).unwrap_or_default();
        for (member, seen) in (first..).zip(seen) {
            let first = member / self.people * self.people;
            for (author, seen) in seen.iter().enumerate() {
                if first + author != member {
                    let sent = self.sent.get(first + author).copied().unwrap_or(0);
                    missing += u64::from(sent.saturating_sub(*seen));
                }
            }
        }
        missing
    }

    pub fn sent_by(&self, member: usize) -> u32 {
        self.sent.get(member).copied().unwrap_or(0)
    }

    /// What must hold at the end.
    pub fn verdict(&self) -> Value {
        json!({ "lost": self.missing(), "gaps": self.gaps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yjs::Typist;

    #[test]
    fn a_missed_update_is_a_gap_and_what_never_came_is_lost() {
        let now = Instant::now();
        let mut tally = Tally::new(2, 2);
        let mut typist = Typist::new(2);
        let mut updates = Vec::new();
        for _ in 0..3 {
            let mut update = Vec::new();
            typist.keystroke(&mut update);
            updates.push(update);
        }
        tally.sent(2, 3, now);
        assert_eq!(tally.missing(), 3);
        let mut saw = |update: &Vec<u8>| {
            let mut last = None;
            tally
                .saw(3, update, now, |author, clock| last = Some((author, clock)))
                .expect("an update");
            last
        };
        assert_eq!(saw(&updates[0]), Some((2, 1)));
        assert_eq!(saw(&updates[2]), Some((2, 3)));
        assert_eq!(saw(&updates[2]), None, "known already");
        assert_eq!((tally.gaps, tally.missing()), (1, 0));
    }
}
