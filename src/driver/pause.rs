//! A clock that tests can stop.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::pool::timers;

/// Stops the clock of the [current](crate::Handle::current) pool.
///
/// From then on [`Instant::now`](crate::time::Instant::now) stands still in this pool, and the pool's timers with it.
/// Tests that wait for hours take no time, and give the same each time. Only this crate's time is stopped, not that
/// of the standard library.
///
/// # It goes on when nothing else does
///
/// When the pool is at rest (no thread runs or searches, nothing is queued, no blocking call runs, no future is
/// polled by a [`block_on`](crate::block_on) anywhere) the clock is put forward to the next timer. So
/// `sleep(an_hour).await` returns at once, an hour later. A call that blocks holds the clock, unless it blocks in this
/// crate (`block_on`, `join` …).
///
/// Make futures where they run, inside of the pool: `pool.block_on(sleep(d))` asks the clock of the calling thread for
/// the deadline, `pool.block_on(async { sleep(d).await })` that of the pool.
///
/// Unlike tokio's, a pool with several workers can be paused too: then what happens between two steps of the clock
/// happens in any order.
///
/// A stopped clock ends with its pool. A deadline is kept as a moment by the clock it was asked for: who waits for it
/// outside of the pool, and still waits when the pool has ended, waits for that moment by the global pool's clock.
///
/// # Panics
/// If the clock stands already.
///
/// ```
/// use filch::time::{self, Duration, Instant};
///
/// let pool = filch::Pool::builder().workers(1).start_paused(true).build().unwrap();
/// pool.block_on(async {
///     let began = Instant::now();
///     time::sleep(Duration::from_secs(3600)).await;
///     assert_eq!(began.elapsed(), Duration::from_secs(3600));
///
///     time::resume();
///     time::pause();
/// });
/// ```
#[track_caller]
pub fn pause() {
    assert!(timers::pause_here(), "filch: the pool's clock is paused already");
}

/// Lets the clock of the current pool go on from where it stands.
///
/// # Panics
/// If the clock is not paused.
///
/// ```
/// use filch::time::{self, Duration, Instant};
///
/// let pool = filch::Pool::builder().workers(1).start_paused(true).build().unwrap();
/// pool.block_on(async {
///     let stood = Instant::now();
///     time::resume();
///     std::thread::sleep(Duration::from_millis(2));
///     assert!(stood.elapsed() >= Duration::from_millis(2));
/// });
/// ```
#[track_caller]
pub fn resume() {
    assert!(timers::resume_here(), "filch: the pool's clock is not paused");
}

/// Puts the stopped clock of the current pool forward, fires the timers that are due then, and lets other tasks run
/// once.
///
/// All of those timers fire at one moment, the last. A test in which one thing follows another better sleeps, and
/// leaves the clock to go on by itself; see [`pause`]. `Duration::MAX` is some decades.
///
/// # Panics
/// If the clock is not paused.
///
/// ```
/// use filch::time::{self, Duration, Instant};
///
/// let pool = filch::Pool::builder().workers(1).start_paused(true).build().unwrap();
/// pool.block_on(async {
///     let began = Instant::now();
///     time::advance(Duration::from_millis(250)).await;
///     assert_eq!(began.elapsed(), Duration::from_millis(250));
/// });
/// ```
pub async fn advance(duration: Duration) {
    assert!(timers::advance_here(duration), "filch: the pool's clock is not paused; call pause first");
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
