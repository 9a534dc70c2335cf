//! A moment, by a clock that may stand.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{self, Duration};

use crate::pool::timers;

/// A moment, by the clock of the current pool.
///
/// The same as [`std::time::Instant`], and convertible both ways, as long as no clock is [paused](crate::time::pause);
/// with a paused clock [`now`](Self::now) is what that clock shows. Moments of pools with different clocks do not
/// compare well.
///
/// ```
/// use filch::time::{Duration, Instant};
///
/// let began = Instant::now();
/// assert!(began + Duration::from_secs(1) > began);
/// assert_eq!(Instant::from_std(began.into_std()), began);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(time::Instant);

impl Instant {
    /// The present, by the clock of the [current](crate::Handle::current) pool: the one that the thread is inside of,
    /// or has entered; else of the global one.
    ///
    /// As long as no clock has ever been paused in the process, this is the system's clock and one load.
    pub fn now() -> Instant {
        Instant(timers::now())
    }

    /// A moment of the standard library as one of ours.
    pub fn from_std(std: time::Instant) -> Instant {
        Instant(std)
    }

    /// The moment as one of the standard library.
    pub fn into_std(self) -> time::Instant {
        self.0
    }

    /// How long after `earlier` this is; zero if it is before.
    ///
    /// ```
    /// use filch::time::{Duration, Instant};
    ///
    /// let began = Instant::now();
    /// let later = began + Duration::from_secs(3);
    /// assert_eq!(later.duration_since(began), Duration::from_secs(3));
    /// assert_eq!(began.duration_since(later), Duration::ZERO);
    /// ```
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// How long after `earlier` this is; None if it is before.
    ///
    /// ```
    /// use filch::time::{Duration, Instant};
    ///
    /// let began = Instant::now();
    /// let later = began + Duration::from_secs(3);
    /// assert_eq!(later.checked_duration_since(began), Some(Duration::from_secs(3)));
    /// assert_eq!(began.checked_duration_since(later), None);
    /// ```
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// The same as [`duration_since`](Self::duration_since).
    ///
    /// ```
    /// use filch::time::{Duration, Instant};
    ///
    /// let began = Instant::now();
    /// assert_eq!(began.saturating_duration_since(began + Duration::from_secs(3)), Duration::ZERO);
    /// ```
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// How long ago this was; zero if it is to come.
    ///
    /// ```
    /// use filch::time::{Duration, Instant, sleep};
    ///
    /// filch::block_on(async {
    ///     let began = Instant::now();
    ///     sleep(Duration::from_millis(2)).await;
    ///     assert!(began.elapsed() >= Duration::from_millis(2));
    /// });
    /// ```
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// The moment `duration` later; None if the system has no such moment.
    ///
    /// ```
    /// use filch::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert_eq!(now.checked_add(Duration::from_secs(3)), Some(now + Duration::from_secs(3)));
    /// assert_eq!(now.checked_add(Duration::MAX), None);
    /// ```
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_add(duration).map(Instant)
    }

    /// The moment `duration` before; None if the system has no such moment.
    ///
    /// ```
    /// use filch::time::{Duration, Instant};
    ///
    /// let later = Instant::now() + Duration::from_secs(3);
    /// assert_eq!(later.checked_sub(Duration::from_secs(1)), Some(later - Duration::from_secs(1)));
    /// assert_eq!(later.checked_sub(Duration::MAX), None);
    /// ```
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.0.checked_sub(duration).map(Instant)
    }

    /// The moment `duration` later, or one in the far future if there is none.
    pub(crate) fn later(self, duration: Duration) -> Instant {
        self.checked_add(duration).or_else(|| self.checked_add(FAR)).unwrap_or(self)
    }
}

/// What stands for a time that is too long to be told: 30 years, which every system can add.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl From<time::Instant> for Instant {
    fn from(std: time::Instant) -> Instant {
        Instant(std)
    }
}

impl From<Instant> for time::Instant {
    fn from(instant: Instant) -> time::Instant {
        instant.0
    }
}

/// # Panics
/// If the system has no such moment, as [`std::time::Instant`]; [`checked_add`](Instant::checked_add) does not.
impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0 + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// # Panics
/// If the system has no such moment, as [`std::time::Instant`]; [`checked_sub`](Instant::checked_sub) does not.
impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0 - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

/// Zero if the other is later.
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
