//! How much each author wrote and deleted in each stretch of time. Must not know names, nor which text
//! it was in.

use std::collections::BTreeMap;

use super::BadPast;
use super::authors::Authors;
use super::hands::Hands;
use super::seen::{self, Arrivals, Found, Range, Seen};
use crate::document::StateVector;
use crate::document::gate::block;

/// Most stretches that a time may be divided into.
pub const MAX_BUCKETS: usize = 2_000;

/// What authors did in one stretch: author, UTF-16 code units inserted, deleted.
pub type Bucket = Vec<(Option<usize>, u64, u64)>;

/// See the module.
#[derive(Debug)]
pub struct Activity {
    from: u64,
    bucket_ms: u64,
    buckets: Vec<BTreeMap<Option<u64>, (u64, u64)>>,
    hands: Hands,
    arrivals: Arrivals,
    /// By replica, in order of clocks: which units are text.
    texts: BTreeMap<u64, Vec<(u32, u32)>>,
}

impl Activity {
    /// From one time to another, in milliseconds, in so many stretches of the same length: at least 1
    /// and at most [`MAX_BUCKETS`]. What happens outside counts to the first or the last.
    pub fn new(from: u64, to: u64, buckets: usize) -> Activity {
        let buckets = buckets.clamp(1, MAX_BUCKETS);
        let span = to.saturating_sub(from).saturating_add(1);
        Activity {
            from,
            bucket_ms: span.div_ceil(buckets as u64),
            buckets: vec![BTreeMap::new(); buckets],
            hands: Hands::default(),
            arrivals: Arrivals::default(),
            texts: BTreeMap::new(),
        }
    }

    /// How long a stretch is, in milliseconds.
    pub fn bucket_ms(&self) -> u64 {
        self.bucket_ms
    }

    /// The state with which the log begins.
    pub fn base(&mut self, update: &[u8]) -> Result<(), BadPast> {
        seen::each(update, |seen| {
            if let Seen::Block(found) = seen {
                self.arrivals.fresh(found.range);
                self.text(&found)?;
            }
            Ok(())
        })
    }

    /// The next turn of the log, which was made at a time in milliseconds.
    pub fn turn(&mut self, update: &[u8], at: u64) -> Result<(), BadPast> {
        let mut deleted: Vec<Range> = Vec::new();
        let mut wrote: Vec<u64> = Vec::new();
        seen::each(update, |seen| {
            match seen {
                Seen::Block(found) => {
                    let Range { replica, .. } = found.range;
                    if wrote.last() != Some(&replica) {
                        wrote.push(replica);
                    }
                    if let Some(fresh) = self.arrivals.fresh(found.range) {
                        self.hands.inserted(fresh, at);
                        if self.text(&found)? {
                            self.count(at, Some(replica), u64::from(fresh.units), 0);
                        }
                    }
                }
                Seen::Deleted(range) => deleted.push(range),
            }
            Ok(())
        })?;
        if !deleted.is_empty() {
            let only = match wrote[..] {
                [only] => Some(only),
                _ => None,
            };
            let whose = self.hands.deleted(&deleted, only, at);
            let units: u64 = deleted.iter().map(|range| self.of_text(*range)).sum();
            if units > 0 {
                self.count(at, whose, 0, units);
            }
        }
        Ok(())
    }

    /// Remembers a block if it is text; whether it is.
    fn text(&mut self, found: &Found<'_>) -> Result<bool, BadPast> {
        if block::text(found.bytes)?.is_none() {
            return Ok(false);
        }
        let Range {
            replica,
            clock,
            units,
        } = found.range;
        let texts = self.texts.entry(replica).or_default();
        match texts.last_mut() {
            Some((start, len)) if start.saturating_add(*len) >= clock => {
                *len = (*len).max(found.range.end().saturating_sub(*start));
            }
            _ => texts.push((clock, units)),
        }
        Ok(true)
    }

    /// How many units of a range are text.
    fn of_text(&self, range: Range) -> u64 {
        let texts = self.texts.get(&range.replica);
        let texts = texts.map_or(&[][..], |texts| texts);
        let behind = |&(clock, units): &(u32, u32)| clock.saturating_add(units) <= range.clock;
        let first = texts.partition_point(behind);
        let rest = texts.get(first..).unwrap_or_default().iter();
        rest.take_while(|(clock, _)| *clock < range.end())
            .map(|(clock, units)| {
                let end = clock.saturating_add(*units).min(range.end());
                u64::from(end.saturating_sub(range.clock.max(*clock)))
            })
            .sum()
    }

    fn count(&mut self, at: u64, replica: Option<u64>, inserted: u64, deleted: u64) {
        let index = at.saturating_sub(self.from) / self.bucket_ms;
        let last = self.buckets.len().saturating_sub(1);
        let index = usize::try_from(index).map_or(last, |index| index.min(last));
        if let Some(bucket) = self.buckets.get_mut(index) {
            let sums = bucket.entry(replica).or_default();
            sums.0 += inserted;
            sums.1 += deleted;
        }
    }

    /// Every replica that inserted anything.
    pub fn replicas(&self) -> StateVector {
        self.arrivals.state_vector()
    }

    /// The stretches, in order.
    pub fn finish(self, authors: &Authors) -> Vec<Bucket> {
        let bucket = |replicas: BTreeMap<Option<u64>, (u64, u64)>| {
            let mut sums: BTreeMap<Option<usize>, (u64, u64)> = BTreeMap::new();
            for (replica, (inserted, deleted)) in replicas {
                let sum = sums.entry(authors.number(replica)).or_default();
                sum.0 += inserted;
                sum.1 += deleted;
            }
            let flat = |(author, (inserted, deleted))| (author, inserted, deleted);
            sums.into_iter().map(flat).collect()
        };
        self.buckets.into_iter().map(bucket).collect()
    }
}
