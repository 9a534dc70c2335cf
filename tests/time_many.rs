//! A million timers at once. Alone in its process, since it measures its memory.

mod support;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use filch::time::{Duration, Instant, Sleep, sleep};
use support::{pool, with_deadline, within};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn counter() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (count.clone(), Waker::from(count))
}

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_million_timers() {
    with_deadline(120, || {
        let n = 1_000_000u64;
        let pool = pool(2);
        let (count, waker) = counter();
        let before = resident();
        let began = Instant::now();
        // Half of them will fire, half will not.
        let mut sleeps = pool.install(|| {
            (0..n)
                .map(|i| {
                    let fires = i % 2 == 0;
                    let mut sleep =
                        sleep(if fires { ms(3000 + i % 500) } else { Duration::from_secs(60 + i % 100_000) });
                    assert!(poll(&mut sleep, &waker).is_pending());
                    sleep
                })
                .collect::<Vec<_>>()
        });
        let bytes = resident().saturating_sub(before) as u64 / n - size_of::<Sleep>() as u64;
        eprintln!("{:?} and {bytes} bytes per pending timer", began.elapsed() / n as u32);
        assert!(bytes < 64, "{bytes} bytes per timer");
        assert!(within(ms(60_000), || count.get() as u64 >= n / 2));
        assert_eq!(count.get() as u64, n / 2);
        // Others are not held up meanwhile.
        pool.spawn(sleep(ms(2))).join().unwrap();
        sleeps.truncate(10);
        sleeps.shrink_to_fit();
        let kept = resident().saturating_sub(before);
        eprintln!("{kept} bytes kept");
        // The allocator may keep some; the tables do not.
        assert!(kept < 30_000_000, "{kept} bytes kept");
    });
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
    pages * 4096
}
