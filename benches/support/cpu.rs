//! CPU clocks of the process and of the calling thread, and a closure that keeps a core busy for a given time.

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
