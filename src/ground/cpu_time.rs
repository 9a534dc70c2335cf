//! How much processor time a thread has used, asked by another thread: whether it computes, or the system does not
//! let it.

/// The clock of a thread, as a plain number that may be stored in an atomic; 0 for none.
#[cfg(target_os = "linux")]
pub(crate) fn own_clock() -> i32 {
    let mut clock = 0;
    // SAFETY: the calling thread is alive; the call writes one integer.
    let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
    if failed == 0 { clock } else { 0 }
}

/// The processor time on a thread's clock, in nanoseconds. None if it has ended, or has no clock.
#[cfg(target_os = "linux")]
pub(crate) fn read(clock: i32) -> Option<u64> {
    if clock == 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one struct. A clock of a thread that has ended is an error, and so is any odd number.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (failed == 0).then_some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// There is no such clock here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn own_clock() -> i32 {
    0
}

/// As [`own_clock`].
#[cfg(not(target_os = "linux"))]
pub(crate) fn read(_: i32) -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{own_clock, read};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    #[test]
    fn tells_whether_another_computes() {
        let (tell, clock) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            tell.send(own_clock()).unwrap();
            wait.recv().unwrap();
            let begin = Instant::now();
            let own = own_clock();
            let before = read(own).unwrap();
            while begin.elapsed() < Duration::from_secs(10) && read(own).unwrap() < before + 2_000_000 {}
            tell.send(own).unwrap();
            let _ = wait.recv();
        });
        let own = clock.recv().unwrap();
        let before = read(own).expect("it is alive");
        std::thread::sleep(Duration::from_millis(5));
        assert!(read(own).unwrap() < before + 2_000_000, "it sleeps");
        go.send(()).unwrap();
        assert_eq!(clock.recv().unwrap(), own);
        assert!(read(own).unwrap() >= before + 2_000_000, "it has computed");
        drop(go);
        other.join().unwrap();
    }

    #[test]
    fn none_is_none() {
        assert_eq!(read(0), None);
    }
}
