//! Requests at random times: the gaps between them are exponentially distributed (a Poisson process), by a fixed seed.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::log::Log;
use crate::support::rng::Rng;
use crate::support::usage::own_thread;

/// When so many requests a second are due, in nanoseconds, for so many seconds; at least a few.
pub fn poisson(rate: f64, seconds: f64) -> Vec<u64> {
    let mut random = Rng::new(1_000);
    let requests = (rate * seconds).ceil().max(5.0) as usize;
    let mut now = 0.0;
    let due = |_| {
        now -= (1.0 - random.unit()).ln() / rate;
        (now * 1e9) as u64
    };
    (0..requests).map(due).collect()
}

/// A thread that offers each request when it is due, or as soon after that as it can.
pub fn send(log: &'static Log, offer: impl Fn(usize) -> bool + Send + 'static) -> JoinHandle<()> {
    let work = move || {
        let begin = log.begin();
        for (number, &due) in log.due().iter().enumerate() {
            let due = begin + Duration::from_nanos(due);
            let left = due.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                thread::sleep(left);
            }
            if !offer(number) {
                log.refuse();
            }
        }
    };
    own_thread("arrivals", work)
}
