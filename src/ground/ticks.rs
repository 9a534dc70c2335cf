//! A clock for guesses: cheaper to read than the system's, and of no use for anything but comparing short spans.
//!
//! On x86-64 it is the time stamp counter, on AArch64 the virtual counter, elsewhere the system's clock. The counter's
//! pace is measured once against the system's clock. If it ran unsteadily, or differently on two cores, guesses would
//! be wrong and work would be split badly; nothing else depends on it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn counter() -> u64 {
    // SAFETY: every x86-64 processor has it, and user code may read it but where a sandbox has forbidden it (seccomp's
    // strict mode), in which no thread could be started either.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn counter() -> u64 {
    let count: u64;
    // SAFETY: reads a register that user code may read.
    unsafe { core::arch::asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack)) };
    count
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn counter() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticks(u64);

impl Ticks {
    #[inline(always)]
    pub(crate) fn now() -> Ticks {
        Ticks(counter())
    }

    /// How many ticks after `earlier`; 0 if it seems to be before.
    #[inline(always)]
    pub(crate) fn since(self, earlier: Ticks) -> u64 {
        let span = self.0.wrapping_sub(earlier.0);
        if span > u64::MAX / 2 { 0 } else { span }
    }
}

/// How long the counter is watched to learn its pace.
const WATCHED: Duration = Duration::from_micros(50);

/// Ticks in a microsecond, at least 1. The first call takes 50 µs.
pub(crate) fn per_microsecond() -> u64 {
    static PACE: OnceLock<u64> = OnceLock::new();
    *PACE.get_or_init(|| {
        let (began, first) = (Instant::now(), Ticks::now());
        loop {
            let (passed, now) = (began.elapsed(), Ticks::now());
            if passed >= WATCHED {
                let ticks = u128::from(now.since(first)) * 1000 / passed.as_nanos().max(1);
                return u64::try_from(ticks).unwrap_or(u64::MAX).max(1);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_about_right() {
        let pace = per_microsecond();
        let (began, first) = (Instant::now(), Ticks::now());
        while began.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let (last, passed) = (Ticks::now(), began.elapsed());
        let counted = last.since(first) as f64 / pace as f64;
        let real = passed.as_micros() as f64;
        assert!(counted > 0.5 * real && counted < 2.0 * real, "{counted} instead of {real} µs");
    }

    #[test]
    fn time_does_not_run_backwards() {
        let earlier = Ticks::now();
        let later = Ticks::now();
        assert_eq!(earlier.since(Ticks(earlier.0.wrapping_add(10))), 0);
        assert!(later.since(earlier) < u64::MAX / 2);
    }
}
