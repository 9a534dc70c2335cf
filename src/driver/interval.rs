//! Ticking.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::driver::instant::Instant;
use crate::driver::sleep::{Sleep, sleep_until};

/// Ticks that are late by no more than this count as on time.
const TOLERANCE: Duration = Duration::from_millis(5);

/// An interval that ticks at once, and then each time a period has gone by.
///
/// Unlike `sleep` in a loop it does not drift: the time between two calls of [`tick`](Interval::tick) is part of the
/// period.
///
/// # Panics
/// If `period` is zero.
///
/// ```
/// use filch::time::{Duration, interval};
///
/// filch::block_on(async {
///     let mut interval = interval(Duration::from_millis(2));
///     let first = interval.tick().await;
///     let second = interval.tick().await;
///     assert_eq!(second - first, Duration::from_millis(2));
/// });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// An interval that ticks first at `start`, and then each time a period has gone by.
///
/// # Panics
/// If `period` is zero.
///
/// ```
/// use filch::time::{Duration, Instant, interval_at};
///
/// filch::block_on(async {
///     let start = Instant::now() + Duration::from_millis(3);
///     let mut interval = interval_at(start, Duration::from_millis(2));
///     assert_eq!(interval.tick().await, start);
///     assert_eq!(interval.tick().await, start + Duration::from_millis(2));
/// });
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "filch: an interval's period must be longer than zero");
    Interval { delay: sleep_until(start), period, missed: MissedTickBehavior::default() }
}

/// What an [`Interval`] does when a tick was asked for more than 5 ms too late.
///
/// With a period of 50 ms, and a second tick that is asked for at 200 ms, the ticks come at (in ms):
///
/// | | 1st | 2nd | 3rd | 4th | 5th | 6th |
/// |---|---|---|---|---|---|---|
/// | `Burst` | 0 | 200 | 200 | 200 | 200 | 250 |
/// | `Delay` | 0 | 200 | 250 | 300 | 350 | 400 |
/// | `Skip`, asked for at 220 | 0 | 220 | 250 | 300 | 350 | 400 |
///
/// Names and meaning are tokio's.
///
/// ```
/// use filch::time::{self, Duration, Instant, MissedTickBehavior};
///
/// let pool = filch::Pool::builder().workers(1).start_paused(true).build().unwrap();
/// pool.block_on(async {
///     let (began, period) = (Instant::now(), Duration::from_millis(50));
///     let mut interval = time::interval(period);
///     interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
///     interval.tick().await;
///     time::advance(Duration::from_millis(220)).await;
///     interval.tick().await;
///     // At 250 ms and not, as with `Burst`, at once.
///     interval.tick().await;
///     assert_eq!(began.elapsed(), 5 * period);
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Ticks as fast as it is asked, until it is where it would be: no tick is lost. The right one for counting.
    #[default]
    Burst,
    /// Ticks a period after the late one, and so on from there: no two are closer than a period.
    Delay,
    /// Leaves out what was missed: ticks stay at multiples of the period from the start.
    Skip,
}

impl MissedTickBehavior {
    /// The tick after one that was due at `due` and has come, too late, at `now`.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            MissedTickBehavior::Burst => due.later(period),
            MissedTickBehavior::Delay => now.later(period),
            MissedTickBehavior::Skip => {
                let over = now.duration_since(due).as_nanos() % period.as_nanos();
                // Less than the period, and less than the time since the tick was due.
                let over = Duration::new((over / 1_000_000_000) as u64, (over % 1_000_000_000) as u32);
                now.later(period - over)
            }
        }
    }
}

/// Ticks again and again; made by [`interval`] and [`interval_at`]. Dropping it ends it.
///
/// ```
/// use filch::time::{Duration, Instant, MissedTickBehavior, interval};
/// use std::future::poll_fn;
///
/// filch::block_on(async {
///     let mut interval = interval(Duration::from_millis(2));
///     interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
///     assert_eq!(interval.missed_tick_behavior(), MissedTickBehavior::Delay);
///     assert_eq!(interval.period(), Duration::from_millis(2));
///
///     // The first tick comes at once.
///     let first = interval.tick().await;
///     let second = poll_fn(|context| interval.poll_tick(context)).await;
///     assert!(second - first >= Duration::from_millis(2));
/// });
/// ```
#[derive(Debug)]
pub struct Interval {
    delay: Sleep,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick, and gives the moment at which it was due.
    ///
    /// Dropping the future loses no tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|context| self.poll_tick(context)).await
    }

    /// Asks for the next tick, as [`tick`](Self::tick); if there is none yet the context's waker is woken for it.
    pub fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        if Pin::new(&mut self.delay).poll(context).is_pending() {
            return Poll::Pending;
        }
        let (due, now) = (self.delay.deadline(), Instant::now());
        let next = if now.duration_since(due) > TOLERANCE {
            self.missed.next(due, now, self.period)
        } else {
            due.later(self.period)
        };
        self.delay.set_unnoted(next);
        Poll::Ready(due)
    }

    /// The next tick comes a period from now.
    ///
    /// ```
    /// use filch::time::{Duration, Instant, interval};
    ///
    /// filch::block_on(async {
    ///     let mut heartbeat = interval(Duration::from_millis(5));
    ///     heartbeat.tick().await;
    ///     // Something was sent: the next beat is not needed before a whole period has gone by.
    ///     let sent = Instant::now();
    ///     heartbeat.reset();
    ///     assert!(heartbeat.tick().await - sent >= Duration::from_millis(5));
    /// });
    /// ```
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// The next tick comes at once, the one after that a period from now.
    ///
    /// ```
    /// use filch::time::{Duration, Instant, interval};
    ///
    /// filch::block_on(async {
    ///     let mut interval = interval(Duration::from_secs(3600));
    ///     interval.tick().await;
    ///     interval.reset_immediately();
    ///     assert!(interval.tick().await <= Instant::now());
    /// });
    /// ```
    pub fn reset_immediately(&mut self) {
        self.delay.set(Instant::now());
    }

    /// The next tick comes when `after` has gone by.
    ///
    /// ```
    /// use filch::time::{Duration, Instant, interval};
    ///
    /// filch::block_on(async {
    ///     let mut interval = interval(Duration::from_secs(3600));
    ///     interval.tick().await;
    ///     let now = Instant::now();
    ///     interval.reset_after(Duration::from_millis(2));
    ///     assert!(interval.tick().await - now >= Duration::from_millis(2));
    /// });
    /// ```
    pub fn reset_after(&mut self, after: Duration) {
        self.delay.set(Instant::now().later(after));
    }

    /// The next tick comes at `deadline`.
    ///
    /// ```
    /// use filch::time::{Duration, Instant, interval};
    ///
    /// filch::block_on(async {
    ///     let mut interval = interval(Duration::from_secs(3600));
    ///     interval.tick().await;
    ///     let deadline = Instant::now() + Duration::from_millis(2);
    ///     interval.reset_at(deadline);
    ///     assert_eq!(interval.tick().await, deadline);
    /// });
    /// ```
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.set(deadline);
    }

    /// What is done about ticks that were missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Says what to do about ticks that were missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}
