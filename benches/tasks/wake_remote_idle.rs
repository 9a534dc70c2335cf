//! A task sleeps on an idle pool; a thread outside wakes it. How long from the wake to the poll, as the median and as
//! the 99th percentile of a run's wakes.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;

use super::workload::{NO_FORTE, Workload, add_but_forte};
use crate::support::args::Scale;
use crate::support::row::{Row, Unit};
use crate::support::tasks::TaskLibrary;

const PAUSE: Duration = Duration::from_millis(1);

pub fn rows(scale: Scale) -> Vec<Row> {
    vec![
        row(scale, "wake-remote-idle-p50", "the median", 0.5),
        row(scale, "wake-remote-idle-p99", "the 99th percentile", 0.99),
    ]
}

fn row(scale: Scale, id: &'static str, what: &str, quantile: f64) -> Row {
    let wakes = scale.pick(1_000, 300, 5);
    let title = format!("from a wake by a thread outside to the poll, {what} of {wakes}");
    let mut row = Row::new(id, title, Unit::MICROSECONDS);
    row.note = NO_FORTE;
    add_but_forte(&mut row, 2, Wakes { wakes, quantile });
    row
}

#[derive(Clone, Copy)]
struct Wakes {
    wakes: u64,
    quantile: f64,
}

impl Workload for Wakes {
    fn run<L: TaskLibrary>(self, library: &L, _workers: usize) -> Duration {
        let bell = Arc::new(Bell::new(thread::current()));
        library.detach({
            let (bell, mut seen) = (bell.clone(), 0);
            poll_fn(move |context| bell.poll(context, &mut seen, self.wakes))
        });
        let mut latencies: Vec<u64> = (1..=self.wakes).map(|number| bell.ring(number)).collect();
        latencies.sort_unstable();
        let last = latencies.len() - 1;
        Duration::from_nanos(latencies[(last as f64 * self.quantile).round() as usize])
    }
}

/// Between the thread that wakes and the task that is woken. Times are nanoseconds since the beginning.
struct Bell {
    begin: Instant,
    waker: AtomicWaker,
    outside: Thread,
    rung_at: AtomicU64,
    rung: AtomicU64,
    latency: AtomicU64,
    heard: AtomicU64,
}

impl Bell {
    fn new(outside: Thread) -> Self {
        let zero = || AtomicU64::new(0);
        let (rung_at, rung, latency, heard) = (zero(), zero(), zero(), zero());
        Bell { begin: Instant::now(), waker: AtomicWaker::new(), outside, rung_at, rung, latency, heard }
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// Wakes the task after a pause, waits for its poll, and returns the time in between.
    fn ring(&self, number: u64) -> u64 {
        thread::sleep(PAUSE);
        self.rung_at.store(self.now(), Ordering::Relaxed);
        // Release pairs with the Acquire in `poll`, for the time.
        self.rung.store(number, Ordering::Release);
        self.waker.wake();
        while self.heard.load(Ordering::Acquire) != number {
            thread::park();
        }
        self.latency.load(Ordering::Relaxed)
    }

    /// The task: tells how late it is, and is ready after the last time.
    fn poll(&self, context: &mut Context<'_>, seen: &mut u64, last: u64) -> Poll<()> {
        let now = self.now();
        self.waker.register(context.waker());
        let rung = self.rung.load(Ordering::Acquire);
        if rung != *seen {
            *seen = rung;
            self.latency.store(now.saturating_sub(self.rung_at.load(Ordering::Relaxed)), Ordering::Relaxed);
            // Release pairs with the Acquire in `ring`, for the latency.
            self.heard.store(rung, Ordering::Release);
            self.outside.unpark();
        }
        if rung == last { Poll::Ready(()) } else { Poll::Pending }
    }
}
