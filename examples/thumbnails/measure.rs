//! How long something takes, by the clock on the wall and by that of the processors.

use std::fmt;
use std::time::{Duration, Instant};

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub wall: Duration,
    /// Processor time of all threads of the process, and of the system for them.
    pub cpu: Duration,
}

/// Measures what is done meanwhile.
pub fn measure<R>(work: impl FnOnce() -> R) -> (R, Measured) {
    let (begin, before) = (Instant::now(), cpu());
    let result = work();
    (result, Measured { wall: begin.elapsed(), cpu: cpu().saturating_sub(before) })
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.wall.as_secs_f64())?;
        if cfg!(unix) { write!(f, ", {:.2} s of processor time", self.cpu.as_secs_f64()) } else { Ok(()) }
    }
}

#[cfg(unix)]
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours, which the call does not keep. It does not unwind.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "no such clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn cpu() -> Duration {
    Duration::ZERO
}
