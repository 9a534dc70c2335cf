//! Tells whether the process has forked: the child of a `fork(2)` has the pool's memory, but none of its threads.

#[cfg(target_os = "linux")]
mod imp {
    use std::sync::Once;
    use std::sync::atomic::{AtomicU32, Ordering};

    static FORKS: AtomicU32 = AtomicU32::new(0);

    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    /// How many forks lie between the first process and this one, from the first call on.
    pub(crate) fn generation() -> u32 {
        static REGISTER: Once = Once::new();
        // A refusal (no memory) leaves forked children unnoticed, as they are on other systems.
        REGISTER.call_once(|| {
            // SAFETY: the handler only adds to an atomic, which a child may do before it calls `exec`.
            let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
        FORKS.load(Ordering::Relaxed)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    pub(crate) fn generation() -> u32 {
        0
    }
}

pub(crate) use imp::generation;

/// The panic message of a pool that is used in a forked child.
pub(crate) const FORKED: &str =
    "filch: this process was forked from the one that made the pool, and has none of its threads; make a new pool";
