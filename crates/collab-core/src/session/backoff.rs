//! How long to wait before the next try. Must not know what is tried.

/// Pauses before the first, second, … try, in milliseconds; the last one repeats.
const PAUSES_MS: [u64; 4] = [500, 1_000, 2_000, 5_000];

/// Pauses that double up to a ceiling, spread by chance so that a server that returns is not met
/// by everybody at once.
#[derive(Debug)]
pub(super) struct Backoff {
    tries: usize,
    state: u64,
}

impl Backoff {
    /// `seed` decides the spread.
    pub(super) fn new(seed: u64) -> Backoff {
        Backoff {
            tries: 0,
            state: seed,
        }
    }

    /// The next pause: the table's, and up to half of it more.
    pub(super) fn next_ms(&mut self) -> u64 {
        let last = PAUSES_MS.len() - 1;
        let pause = PAUSES_MS[self.tries.min(last)];
        self.tries += 1;
        pause + self.draw() % (pause / 2)
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): small, and replays from its seed.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_ceiling_and_start_again() {
        let mut backoff = Backoff::new(7);
        for pause in [500, 1_000, 2_000, 5_000, 5_000] {
            let drawn = backoff.next_ms();
            assert!((pause..pause * 3 / 2).contains(&drawn), "{drawn}");
        }
        backoff.reset();
        assert!(backoff.next_ms() < 750);
    }
}
