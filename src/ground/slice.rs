//! A short turn on the processor, for a thread that must run soon when it wakes, and never for long.
//!
//! Linux, from 6.12 on, lets a thread of the ordinary scheduling class ask for the length of its slices
//! (`sched_setattr`, field `sched_runtime`, without any privilege). A thread with a short slice that wakes beside
//! others with the default one (some milliseconds) has the earlier deadline, so it runs at once; its share of the
//! processor stays what it was.

use std::time::Duration;

/// Asks for slices of that length for the current thread, not for those that it starts. False if the system has no such thing.
#[cfg(target_os = "linux")]
pub(crate) fn ask_for_slice(length: Duration) -> bool {
    /// The head of the kernel's `struct sched_attr` (its first version).
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }

    const SIZE: u32 = size_of::<Attributes>() as u32;
    const ORDINARY: u32 = libc::SCHED_OTHER as u32;
    /// Threads that this one starts, for whatever purpose, begin with the default.
    const RESET_ON_FORK: u64 = 1;
    let mut attributes = Attributes::default();
    // SAFETY: thread 0 is the caller; the kernel writes at most `SIZE` bytes there.
    let got = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, SIZE, 0) };
    if got != 0 || attributes.policy != ORDINARY {
        return false;
    }
    attributes.size = SIZE;
    attributes.runtime = length.as_nanos() as u64;
    attributes.flags |= RESET_ON_FORK;
    // SAFETY: as above; the kernel reads `size` bytes. Policy and nice value stay as they were.
    let set = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if set != 0 {
        return false;
    }
    // An older kernel takes the call and does nothing: it says so when asked.
    let mut now = Attributes::default();
    // SAFETY: as above.
    let got = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut now, SIZE, 0) };
    got == 0 && now.runtime == attributes.runtime
}

/// There is no such thing here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask_for_slice(_: Duration) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::ask_for_slice;
    use std::time::Duration;

    /// Whether the system is one that grants what is asked for.
    fn grants() -> bool {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
        cfg!(target_os = "linux") && (numbers.next(), numbers.next()) >= (Some(6), Some(12))
    }

    #[test]
    fn is_granted_where_the_system_can() {
        std::thread::spawn(|| {
            for micros in [100, 200, 100] {
                let granted = ask_for_slice(Duration::from_micros(micros));
                assert!(granted || !grants(), "a slice of {micros} µs was refused");
            }
        })
        .join()
        .unwrap();
    }
}
