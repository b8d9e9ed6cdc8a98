//! Latencies, kept as they are and summed up at the end. Must not know what took so long.

use std::time::Duration;

use serde_json::{Value, json};

/// Samples kept; further ones replace random-enough older ones.
const KEPT: usize = 1 << 20;

#[derive(Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
    seen: usize,
}

impl Latencies {
    pub fn add(&mut self, latency: Duration) {
        let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        if self.micros.len() < KEPT {
            self.micros.push(micros);
        } else if let Some(slot) = self.micros.get_mut(self.seen * 7_919 % KEPT) {
            *slot = micros;
        }
        self.seen += 1;
    }

    /// Milliseconds at the usual places.
    pub fn summary(&mut self) -> Value {
        self.micros.sort_unstable();
        let at = |share: f64| {
            let last = self.micros.len().checked_sub(1)?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a length"
            )]
            let index = (last as f64 * share) as usize;
            self.micros
                .get(index)
                .map(|micros| f64::from(*micros) / 1e3)
        };
        json!({
            "samples": self.seen,
            "p50_ms": at(0.5),
            "p90_ms": at(0.9),
            "p99_ms": at(0.99),
            "p999_ms": at(0.999),
            "max_ms": at(1.0),
        })
    }
}
