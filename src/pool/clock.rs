//! A pool's own time, which tests may stop: nanoseconds since the pool was made.

use std::time::{Duration, Instant};

use crate::core::wheel::NEVER;
use crate::ground::sync::{AtomicBool, AtomicU64, Mutex, Ordering};

/// The clock runs.
const RUNS: u64 = u64::MAX;
/// A stopped clock is never put further than this, some 146 years.
const FURTHEST: u64 = 1 << 62;

/// Whether any pool's clock has ever been stopped: as long as none has, nobody asks which pool's it is.
static EVER_PAUSED: AtomicBool = AtomicBool::new(false);

pub(crate) fn ever_paused() -> bool {
    // Relaxed: who learns of a pause from another thread learns of this too, by whatever told it.
    EVER_PAUSED.load(Ordering::Relaxed)
}

/// See the module.
#[derive(Debug)]
pub(crate) struct PoolClock {
    base: Instant,
    /// What is added to the time since `base`, wrapping: what pauses and advances have made of it.
    offset: AtomicU64,
    /// Where the clock stands, or [`RUNS`].
    frozen: AtomicU64,
    /// Held while it is stopped, put forward or let go.
    change: Mutex<()>,
}

impl PoolClock {
    pub(crate) fn new(paused: bool) -> Self {
        let clock = PoolClock {
            base: Instant::now(),
            offset: AtomicU64::new(0),
            frozen: AtomicU64::new(RUNS),
            change: Mutex::new(()),
        };
        if paused {
            clock.pause();
        }
        clock
    }

    fn real(&self) -> u64 {
        nanos(self.base.elapsed())
    }

    pub(crate) fn now(&self) -> u64 {
        // Acquire pairs with the Release in `resume`: with the clock running its offset is seen.
        match self.frozen.load(Ordering::Acquire) {
            RUNS => self.real().wrapping_add(self.offset.load(Ordering::Relaxed)),
            frozen => frozen,
        }
    }

    /// A moment of the user's as one of ours: before the pool's beginning is 0, too far away is all but never.
    pub(crate) fn at(&self, moment: Instant) -> u64 {
        nanos(moment.saturating_duration_since(self.base))
    }

    /// The present as the user sees it.
    pub(crate) fn instant(&self) -> Instant {
        // Cannot overflow on any system we know; if it does, the clock stands.
        self.base.checked_add(Duration::from_nanos(self.now())).unwrap_or(self.base)
    }

    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        self.frozen.load(Ordering::Relaxed) != RUNS
    }

    /// Stops the clock. False: it stands already.
    pub(crate) fn pause(&self) -> bool {
        let _change = self.change.lock();
        if self.is_paused() {
            return false;
        }
        EVER_PAUSED.store(true, Ordering::Relaxed);
        self.frozen.store(self.now().min(FURTHEST), Ordering::Relaxed);
        true
    }

    /// Lets the clock run on from where it stands. False: it runs.
    pub(crate) fn resume(&self) -> bool {
        let _change = self.change.lock();
        if !self.is_paused() {
            return false;
        }
        let frozen = self.frozen.load(Ordering::Relaxed);
        self.offset.store(frozen.wrapping_sub(self.real()), Ordering::Relaxed);
        // Release pairs with the Acquire in `now`.
        self.frozen.store(RUNS, Ordering::Release);
        true
    }

    /// Puts a stopped clock forward. False: it runs.
    pub(crate) fn advance(&self, by: Duration) -> bool {
        let _change = self.change.lock();
        let frozen = self.frozen.load(Ordering::Relaxed);
        if frozen == RUNS {
            return false;
        }
        self.frozen.store(frozen.saturating_add(nanos(by)).min(FURTHEST), Ordering::Relaxed);
        true
    }

    /// Puts a stopped clock forward to a moment. False: it runs, or has passed that moment, or would never come there.
    pub(crate) fn advance_to(&self, moment: u64) -> bool {
        let _change = self.change.lock();
        let frozen = self.frozen.load(Ordering::Relaxed);
        if frozen == RUNS || moment <= frozen || moment > FURTHEST {
            return false;
        }
        self.frozen.store(moment, Ordering::Relaxed);
        true
    }
}

/// Clamped to what a timer can have.
fn nanos(span: Duration) -> u64 {
    span.as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(u64::from(span.subsec_nanos())))
        .map_or(NEVER - 1, |nanos| nanos.min(NEVER - 1))
}

#[cfg(test)]
mod tests {
    use super::{FURTHEST, PoolClock};
    use std::time::{Duration, Instant};

    #[test]
    fn stands_and_goes_on() {
        let clock = PoolClock::new(true);
        let began = clock.now();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.now(), began);
        assert!(!clock.pause());
        assert!(clock.advance(Duration::from_secs(3600)));
        assert_eq!(clock.now(), began + 3_600_000_000_000);
        assert!(clock.resume());
        assert!(!clock.resume());
        assert!(!clock.advance(Duration::from_secs(1)));
        std::thread::sleep(Duration::from_millis(2));
        let later = clock.now();
        assert!(later >= began + 3_600_002_000_000);
        assert!(clock.instant() > Instant::now() + Duration::from_secs(3599));
        assert!(clock.pause());
        assert!(clock.now() >= later);
        assert!(clock.advance(Duration::MAX));
        assert_eq!(clock.now(), FURTHEST);
        assert!(clock.resume());
        assert!(clock.now() >= FURTHEST);
        assert!(clock.pause());
    }

    #[test]
    fn no_moment_is_too_far() {
        let clock = PoolClock::new(false);
        assert_eq!(clock.at(clock.base), 0);
        if let Some(before) = clock.base.checked_sub(Duration::from_secs(1)) {
            assert_eq!(clock.at(before), 0);
        }
        if let Some(far) = clock.base.checked_add(Duration::from_secs(1 << 40)) {
            assert_eq!(clock.at(far), u64::MAX - 1);
        }
    }
}
