//! How long a campaign goes on, and by which chance. Must not know what it does.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

/// Seconds for one campaign, set by `cargo xtask torture`; the test command does not set it.
const SECONDS: &str = "COLLAB_TEST_TORTURE_SECONDS";

/// A number of rounds in the test command, a time in the long form.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    rounds: u32,
    until: Option<Instant>,
}

impl Length {
    /// At least so many rounds; in the long form as many as fit into a campaign's time, of which
    /// this is one of `parts` equal parts.
    pub fn of(rounds: u32, parts: u32) -> Length {
        let seconds = number(SECONDS).map(|seconds| Duration::from_secs(seconds) / parts);
        Length {
            rounds,
            until: seconds.map(|time| Instant::now() + time),
        }
    }

    /// So many rounds, also in the long form.
    pub fn fixed(rounds: u32) -> Length {
        Length {
            rounds,
            until: None,
        }
    }

    /// Whether there is another round after so many.
    pub fn goes_on(&self, done: u32) -> bool {
        done < self.rounds || self.until.is_some_and(|until| Instant::now() < until)
    }
}

/// The campaign's chance, from `SEED` or a new seed, which is printed.
pub fn chance() -> StdRng {
    let seed = number("SEED").unwrap_or_else(rand::random);
    println!("SEED={seed}");
    StdRng::seed_from_u64(seed)
}

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {value:?}")),
    )
}
