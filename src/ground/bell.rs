//! Sleeping until a word changes.
//!
//! On Linux the kernel sleeps on the word itself (`futex(2)`): no lock is taken on either side, and a wake is one call.
//! Elsewhere, and in the models, a lock and a condition variable stand beside the word.

use std::time::Duration;

use crate::ground::sync::AtomicU32;

pub(crate) use imp::Bell;

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(filch_loom)))]
mod imp {
    use super::{AtomicU32, Duration};
    use std::ptr;

    /// Rings for one word.
    #[derive(Debug)]
    pub(crate) struct Bell;

    impl Bell {
        pub(crate) fn new() -> Self {
            Bell
        }

        /// Sleeps while `word` is `value`, until the bell rings, or until `limit` has passed: only then it is false.
        /// May also return true for no reason.
        pub(crate) fn wait(&self, word: &AtomicU32, value: u32, limit: Option<Duration>) -> bool {
            let limit = limit.map(|limit| libc::timespec {
                tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
                tv_nsec: limit.subsec_nanos() as _,
            });
            let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
            let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the word and the time outlive the call, which only reads them.
            let slept = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, limit) };
            slept == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::ETIMEDOUT)
        }

        /// Wakes one that sleeps. The word has been changed before.
        pub(crate) fn ring(&self, word: &AtomicU32) {
            let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the kernel takes the address as a name only.
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1) };
        }
    }
}

#[cfg(any(not(target_os = "linux"), not(target_pointer_width = "64"), filch_loom))]
mod imp {
    use super::{AtomicU32, Duration};
    use crate::ground::sync::{Condvar, Mutex, Ordering, wait_for};

    /// Rings for one word.
    #[derive(Debug)]
    pub(crate) struct Bell {
        // The flag is not read: it gives the condition variable something to guard.
        lock: Mutex<bool>,
        condvar: Condvar,
    }

    impl Bell {
        pub(crate) fn new() -> Self {
            Bell { lock: Mutex::new(false), condvar: Condvar::new() }
        }

        /// Sleeps while `word` is `value`, until the bell rings, or until `limit` has passed: only then it is false.
        /// May also return true for no reason.
        pub(crate) fn wait(&self, word: &AtomicU32, value: u32, limit: Option<Duration>) -> bool {
            let mut guard = self.lock.lock();
            // Relaxed: whoever changes the word takes the lock afterwards, so the change is seen here, or the bell has
            // not rung yet.
            if word.load(Ordering::Relaxed) != value {
                return true;
            }
            match limit {
                None => {
                    self.condvar.wait(&mut guard);
                    true
                }
                Some(limit) => !wait_for(&self.condvar, &mut guard, limit),
            }
        }

        /// Wakes one that sleeps. The word has been changed before.
        pub(crate) fn ring(&self, _: &AtomicU32) {
            // The sleeper holds the lock from before it looks at the word until it sleeps: taking it once here makes
            // sure that the bell does not ring in between.
            drop(self.lock.lock());
            self.condvar.notify_one();
        }
    }
}
