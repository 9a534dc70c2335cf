//! A thread outside that ticks every millisecond, and how late each tick is heard.
//!
//! Ticks do not wait for each other: when the task is late for one, the next comes in time all the same, and a poll
//! hears all that have been. So a task that is kept waiting for 50 ms is late for fifty ticks, not for one.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;

use super::contenders::{Closures, Mix, RayonAlone};
use crate::support::usage::own_thread;

/// From one tick to the next.
pub const PAUSE: Duration = Duration::from_millis(1);
const DEADLINE: Duration = Duration::from_secs(60);

/// Times are nanoseconds since the beginning.
pub struct Ticks {
    begin: Instant,
    waker: AtomicWaker,
    /// When each tick was.
    stamps: Vec<AtomicU64>,
    /// How long after that it was heard.
    late: Vec<AtomicU64>,
    rung: AtomicUsize,
    heard: AtomicUsize,
}

/// What the ticking thread calls after it has stamped a tick: a wake, or what stands for it.
pub type Bell = Box<dyn Fn(usize) + Send>;

impl Ticks {
    pub fn new(ticks: usize) -> Arc<Self> {
        let zeros = || (0..ticks).map(|_| AtomicU64::new(0)).collect();
        let (rung, heard) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (stamps, late) = (zeros(), zeros());
        Arc::new(Ticks { begin: Instant::now(), waker: AtomicWaker::new(), stamps, late, rung, heard })
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// A thread that ticks so many times more. It does not make up for ticks that it has missed itself.
    pub fn ring(self: &Arc<Self>, ticks: usize, bell: &Arc<std::sync::Mutex<Bell>>) -> JoinHandle<()> {
        let (ticks_of, bell) = (Arc::clone(self), Arc::clone(bell));
        let work = move || {
            let bell = bell.lock().expect("one thread rings at a time");
            let first = ticks_of.rung.load(Ordering::Relaxed);
            let mut next = Instant::now();
            for number in first..first + ticks {
                next = (next + PAUSE).max(Instant::now());
                thread::sleep(next.saturating_duration_since(Instant::now()));
                ticks_of.stamps[number].store(ticks_of.now(), Ordering::Relaxed);
                // Release pairs with the Acquire in `poll`, for the stamp.
                ticks_of.rung.store(number + 1, Ordering::Release);
                bell(number);
            }
        };
        own_thread("ticker", work)
    }

    fn hear(&self, number: usize, now: u64) {
        let late = now.saturating_sub(self.stamps[number].load(Ordering::Relaxed));
        self.late[number].store(late, Ordering::Relaxed);
        // Release pairs with the Acquire in `wait`, for the time.
        self.heard.fetch_add(1, Ordering::Release);
    }

    /// The task: hears all ticks that have been, and is ready after the last.
    fn poll(&self, context: &mut Context<'_>, seen: &mut usize) -> Poll<()> {
        let now = self.now();
        self.waker.register(context.waker());
        let rung = self.rung.load(Ordering::Acquire);
        (*seen..rung).for_each(|number| self.hear(number, now));
        *seen = rung;
        if rung == self.stamps.len() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn listen(self: Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let mut seen = 0;
        poll_fn(move |context| self.poll(context, &mut seen))
    }

    /// Waits until all ticks have been heard, but not longer.
    pub fn wait(&self, at_most: Duration) {
        let begin = Instant::now();
        while self.heard.load(Ordering::Acquire) < self.stamps.len() && begin.elapsed() < at_most {
            thread::sleep(PAUSE);
        }
    }

    /// How late each tick was heard, sorted; waits until all have been.
    pub fn all_heard(&self) -> Vec<u64> {
        self.wait(DEADLINE);
        assert_eq!(self.heard.load(Ordering::Acquire), self.stamps.len(), "each tick is heard, and once");
        let mut late: Vec<u64> = self.late.iter().map(|late| late.load(Ordering::Relaxed)).collect();
        late.sort_unstable();
        late
    }
}

/// A task hears the ticks.
pub fn by_task<M: Mix>(mix: M, ticks: &Arc<Ticks>) -> Bell {
    mix.task(Arc::clone(ticks).listen());
    let ticks = Arc::clone(ticks);
    Box::new(move |_| ticks.waker.wake())
}

/// A closure for each tick hears it.
pub fn by_closure(rayon: RayonAlone, ticks: &Arc<Ticks>) -> Bell {
    let ticks = Arc::clone(ticks);
    Box::new(move |number| {
        let ticks = Arc::clone(&ticks);
        rayon.closure(move || ticks.hear(number, ticks.now()));
    })
}
