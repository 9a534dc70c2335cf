//! A million timers at once. Alone in its process, since it counts the memory in use.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
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
        let before = in_use();
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
                .fold(Vec::with_capacity(n as usize), |mut all, sleep| {
                    all.push(sleep);
                    all
                })
        });
        let bytes = in_use().saturating_sub(before) as u64 / n - size_of::<Sleep>() as u64;
        eprintln!("{:?} and {bytes} bytes per pending timer", began.elapsed() / n as u32);
        assert!(bytes < 64, "{bytes} bytes per timer");
        assert!(within(ms(60_000), || count.get() as u64 >= n / 2));
        assert_eq!(count.get() as u64, n / 2);
        // Others are not held up meanwhile.
        pool.spawn(sleep(ms(2))).join().unwrap();
        sleeps.truncate(10);
        sleeps.shrink_to_fit();
        let kept = in_use().saturating_sub(before);
        eprintln!("{kept} bytes kept");
        assert!(kept < 1_000_000, "{kept} bytes kept");
    });
}

/// Counts the bytes that are in use. (The resident set would tell of the allocator's habits as well.)
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}
