//! CPU clocks of the process and of the calling thread, and functions that keep a core busy for a given time or for a
//! given amount of work.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// CPU time that all threads of the process have used.
pub fn process_time() -> Duration {
    #[cfg(unix)]
    return clock(libc::CLOCK_PROCESS_CPUTIME_ID);
    #[cfg(not(unix))]
    return Duration::ZERO;
}

/// CPU time that the calling thread has used.
pub fn thread_time() -> Duration {
    #[cfg(unix)]
    return clock(libc::CLOCK_THREAD_CPUTIME_ID);
    #[cfg(not(unix))]
    return Duration::ZERO;
}

#[cfg(unix)]
fn clock(id: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, writable timespec for the length of the call.
    let status = unsafe { libc::clock_gettime(id, &mut time) };
    assert_eq!(status, 0, "no such clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Computes until so much wall-clock time has passed.
#[inline(never)]
pub fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// So many steps of a chain of multiplications, and its last link. Unlike [`spin`], it takes longer when somebody else
/// has the core meanwhile.
#[inline(never)]
pub fn compute(steps: u32) -> u64 {
    (0..steps).fold(black_box(1), |link: u64, _| {
        link.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
    })
}

/// How many steps of [`compute`] take `time`, by the quickest of many trials (0.1 s), made when this is first called.
pub fn steps_for(time: Duration) -> u32 {
    const STEPS: u32 = 50_000;
    static STEPS_PER_SECOND: OnceLock<f64> = OnceLock::new();
    let per_second = STEPS_PER_SECOND.get_or_init(|| {
        let trial = |_| {
            let start = Instant::now();
            black_box(compute(STEPS));
            start.elapsed()
        };
        let quickest = (0..2_000).map(trial).min().expect("there are trials");
        f64::from(STEPS) / quickest.as_secs_f64()
    });
    (per_second * time.as_secs_f64()) as u32
}
