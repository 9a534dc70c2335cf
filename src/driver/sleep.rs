//! Waiting until a moment.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::core::task_context;
use crate::driver::instant::Instant;
use crate::pool::clock::ever_paused;
use crate::pool::timers::{State, Timer};

/// Waits for as long as `duration` says.
///
/// Zero is over at the first poll. A time that is too long for the system, as [`Duration::MAX`], means the far future:
/// some decades. For work that happens again and again [`interval`](crate::time::interval) does not drift; to wait for
/// something else, but not for ever, there is [`timeout`](crate::time::timeout).
///
/// It begins when this is called, not when it is polled first. Dropping the future cancels it.
///
/// ```
/// use filch::time::{Duration, Instant, sleep};
///
/// filch::block_on(async {
///     let began = Instant::now();
///     sleep(Duration::from_millis(10)).await;
///     assert!(began.elapsed() >= Duration::from_millis(10));
/// });
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    let fresh = duration >= SURELY_LATER && !ever_paused();
    Sleep { deadline: Instant::now().later(duration), timer: None, fresh }
}

/// Waits until a moment; one that has passed is over at the first poll.
///
/// ```
/// use filch::time::{Duration, Instant, sleep_until};
///
/// filch::block_on(async {
///     sleep_until(Instant::now() + Duration::from_millis(5)).await;
///     sleep_until(Instant::now()).await;
/// });
/// ```
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, timer: None, fresh: false }
}

/// The time for which [`sleep`] saves its first poll a look at the clock, which costs more than all else about a
/// timer. If that poll comes so late that the time is over, it is pending all the same, and the timer fires at once.
const SURELY_LATER: Duration = Duration::from_millis(1);

/// The future of [`sleep`] and [`sleep_until`].
///
/// Once it is ready it stays so: polling it again is ready again, until [`reset`](Self::reset). Unlike tokio's it need
/// not be pinned to be polled, but may be, so that `pin!` and `select!` work as they do there:
///
/// ```
/// use filch::time::{Duration, Instant, sleep};
/// use std::pin::pin;
///
/// filch::block_on(async {
///     let mut sleep = pin!(sleep(Duration::from_millis(2)));
///     sleep.as_mut().await;
///     assert!(sleep.is_elapsed());
///     sleep.as_mut().reset(Instant::now() + Duration::from_millis(2));
///     sleep.await;
/// });
/// ```
///
/// # Panics
/// When it is polled first in a child of the process that made the pool.
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    deadline: Instant,
    /// From the first poll until it is over.
    timer: Option<Timer>,
    /// Never polled, and made for long enough that it cannot be over.
    fresh: bool,
}

impl Sleep {
    /// When it is over.
    ///
    /// ```
    /// use filch::time::{Duration, Instant, sleep_until};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(5);
    /// assert_eq!(sleep_until(deadline).deadline(), deadline);
    /// ```
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it is over, be it awaited or not.
    pub fn is_elapsed(&self) -> bool {
        match &self.timer {
            Some(timer) => timer.has_come(self.deadline.into_std()),
            None => self.deadline <= Instant::now(),
        }
    }

    /// Sets another moment, be this one over or not. Cheaper than a new `Sleep`.
    ///
    /// A task that waits for it need not poll it again: it is woken at the new moment.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.get_mut().set(deadline);
    }

    /// [`reset`](Self::reset), without the ceremony.
    pub(crate) fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.fresh = false;
        if self.timer.as_ref().is_some_and(|timer| !timer.reset(deadline.into_std())) {
            self.timer = None;
        }
    }

    /// [`reset`](Self::reset), but nobody is woken before the next poll.
    pub(crate) fn set_unnoted(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.fresh = false;
        self.timer = None;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let deadline = this.deadline.into_std();
        if let Some(timer) = &this.timer {
            match timer.poll(deadline, context.waker()) {
                State::Waiting => return Poll::Pending,
                State::Fired => {
                    this.timer = None;
                    return task_context::spend(context);
                }
                State::Orphaned => this.timer = None,
            }
        }
        if !std::mem::take(&mut this.fresh) && this.is_elapsed() {
            return task_context::spend(context);
        }
        this.timer = Some(Timer::start(deadline, context.waker()));
        Poll::Pending
    }
}
