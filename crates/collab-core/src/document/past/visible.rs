//! Which units of a text are shown, and how many before each: a bit for each unit, and sums over them
//! in a Fenwick tree. Must not know what the units are.

use std::ops::Range;

/// Units of one word of bits.
const WORD: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Visible {
    words: Vec<u64>,
    /// Fenwick tree over the units shown in each word; entry `i` stands at `i - 1`.
    sums: Vec<u32>,
}

impl Visible {
    /// So many units, none of them shown.
    pub(super) fn new(units: usize) -> Visible {
        let words = units.div_ceil(WORD);
        Visible {
            words: vec![0; words],
            sums: vec![0; words],
        }
    }

    /// Whether a unit is shown.
    pub(super) fn get(&self, at: usize) -> bool {
        let word = self.words.get(at / WORD).copied().unwrap_or_default();
        word >> (at % WORD) & 1 == 1
    }

    /// Shows units, or hides them.
    pub(super) fn set(&mut self, range: Range<usize>, shown: bool) {
        let mut at = range.start;
        while at < range.end {
            let index = at / WORD;
            let end = range.end.min((index + 1) * WORD);
            let mask = ones(end - index * WORD) & !ones(at - index * WORD);
            let Some(word) = self.words.get_mut(index) else {
                return;
            };
            let before = word.count_ones();
            *word = if shown { *word | mask } else { *word & !mask };
            let more = word.count_ones().wrapping_sub(before);
            if more != 0 {
                self.add(index, more);
            }
            at = end;
        }
    }

    /// How many units before this one are shown.
    pub(super) fn before(&self, at: usize) -> u32 {
        let index = at / WORD;
        let word = self.words.get(index).copied().unwrap_or_default();
        let mut sum = (word & ones(at % WORD)).count_ones();
        let mut entry = index;
        while entry > 0 {
            let part = self.sums.get(entry - 1).copied().unwrap_or_default();
            sum = sum.wrapping_add(part);
            entry &= entry - 1;
        }
        sum
    }

    /// Adds to a word's sum, modulo 2^32: so is a subtraction.
    fn add(&mut self, index: usize, more: u32) {
        let mut entry = index + 1;
        while let Some(sum) = self.sums.get_mut(entry - 1) {
            *sum = sum.wrapping_add(more);
            entry += entry & entry.wrapping_neg();
        }
    }
}

/// The lowest so many bits.
fn ones(count: usize) -> u64 {
    match count {
        WORD.. => u64::MAX,
        _ => (1 << count) - 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_those_of_a_plain_list(
            units in 1usize..400,
            steps in prop::collection::vec((any::<prop::sample::Index>(), 0usize..150, any::<bool>()), 0..40)
        ) {
            let mut plain = vec![false; units];
            let mut visible = Visible::new(units);
            for (at, length, shown) in steps {
                let at = at.index(units);
                let end = (at + length).min(units);
                plain[at..end].fill(shown);
                visible.set(at..end, shown);
            }
            for at in 0..units {
                prop_assert_eq!(visible.get(at), plain[at]);
                let before = plain[..at].iter().filter(|shown| **shown).count();
                prop_assert_eq!(visible.before(at) as usize, before);
            }
        }
    }
}
