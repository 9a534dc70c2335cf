//! Which processors threads may run on (Linux).

/// The processors that the calling thread may run on.
pub fn cpus() -> Vec<usize> {
    // SAFETY: a plain array of bits, for which all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: writes as many bytes as it is told.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    assert_eq!(result, 0, "the mask can be read");
    // SAFETY: within the set's size.
    (0..libc::CPU_SETSIZE as usize).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).collect()
}

/// Keeps the calling thread, and those that it starts from here on, on these.
pub fn restrict_to(cpus: &[usize]) {
    // SAFETY: as in `cpus`.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for cpu in cpus {
        // SAFETY: the number comes from a mask of this size.
        unsafe { libc::CPU_SET(*cpu, &mut set) };
    }
    // SAFETY: reads as many bytes as it is told.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    assert_eq!(result, 0, "a mask can be narrowed");
}
