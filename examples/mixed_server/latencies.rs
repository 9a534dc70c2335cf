//! How long requests took: all of them, so that percentiles are exact.

use std::time::Duration;

/// The percentiles that are shown.
pub const SHARES: [f64; 3] = [0.5, 0.99, 0.999];

#[derive(Debug, Default)]
pub struct Latencies {
    all: Vec<Duration>,
}

impl Latencies {
    pub fn note(&mut self, latency: Duration) {
        self.all.push(latency);
    }

    pub fn add(&mut self, mut other: Latencies) {
        self.all.append(&mut other.all);
    }

    /// To be called before [`percentile`](Self::percentile).
    pub fn sort(&mut self) {
        self.all.sort_unstable();
    }

    /// The least latency that such a share of all does not exceed; none if there are none.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = (share * self.all.len() as f64).ceil() as usize;
        self.all.get(rank.max(1) - 1).copied()
    }
}
