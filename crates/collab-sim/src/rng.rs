//! Chance from a seed. Must not know what is decided by it.

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Every draw follows from the seed.
    pub fn new(seed: u64) -> Chance {
        // Neighbouring seeds must not begin alike.
        let mut chance = Chance { state: seed };
        chance.state = chance.draw() ^ seed.rotate_left(32);
        chance
    }

    /// A stream of its own, so that more draws here do not change what is drawn there.
    pub fn fork(&mut self) -> Chance {
        Chance::new(self.draw())
    }

    /// 64 random bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `n`; 0 when `n` is 0. The bias of the remainder does not matter here.
    pub fn below(&mut self, n: u64) -> u64 {
        self.draw().checked_rem(n).unwrap_or(0)
    }

    /// From `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// A place in something of this length; 0 when it is empty.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// True `n` times in a thousand.
    pub fn permille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    /// 32 random bits.
    pub fn bits32(&mut self) -> u32 {
        u32::try_from(self.draw() >> 32).unwrap_or(0)
    }

    /// A random byte.
    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.draw() >> 56).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draws = |seed| {
            let mut chance = Chance::new(seed);
            [chance.draw(), chance.below(10), chance.fork().draw()]
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }

    #[test]
    fn bounds_are_reached_and_kept() {
        let mut chance = Chance::new(1);
        let drawn: std::collections::BTreeSet<u64> =
            (0..200).map(|_| chance.between(3, 5)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
        assert!((0..100).all(|_| !chance.permille(0) && chance.permille(1000)));
    }
}
