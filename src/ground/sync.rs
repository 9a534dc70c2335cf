//! The only door to atomics, locks and threads.
//!
//! A normal build gets the standard library's atomics and parking_lot's locks; a build with `--cfg filch_loom` gets
//! loom's, behind the same names, so that the protocols in `core` are model-checked as they are written.

#[cfg(not(filch_loom))]
mod imp {
    pub(crate) use parking_lot::{Condvar, Mutex};
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

    /// Waits on `condvar` for at most `limit`; says whether the time ran out.
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    pub(crate) fn wait_for(
        condvar: &Condvar,
        guard: &mut parking_lot::MutexGuard<'_, bool>,
        limit: std::time::Duration,
    ) -> bool {
        condvar.wait_for(guard, limit).timed_out()
    }

    /// Plain memory that a protocol hands from one thread to another. loom checks each access for races.
    #[derive(Debug)]
    pub(crate) struct HandOver<T>(std::cell::UnsafeCell<std::mem::MaybeUninit<T>>);

    impl<T: Copy> HandOver<T> {
        /// A cell nobody has written yet.
        pub(crate) fn new() -> Self {
            HandOver(std::cell::UnsafeCell::new(std::mem::MaybeUninit::uninit()))
        }

        /// The address of the cell's contents. Whoever reads or writes through it must have been handed the cell.
        #[inline(always)]
        pub(crate) fn as_ptr(&self) -> *mut T {
            self.0.get().cast()
        }
    }
}

#[cfg(filch_loom)]
mod imp {
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

    /// loom's mutex with parking_lot's face.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no model panics under a lock")
        }

        pub(crate) fn try_lock(&self) -> Option<loom::sync::MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }
    }

    /// loom's condition variable with parking_lot's face.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl Condvar {
        pub(crate) fn new() -> Self {
            Condvar(loom::sync::Condvar::new())
        }

        pub(crate) fn notify_one(&self) -> bool {
            self.0.notify_one();
            true
        }

        pub(crate) fn wait(&self, guard: &mut loom::sync::MutexGuard<'_, bool>) {
            // loom's `wait` takes the guard by value; the swap is by pointer because there is no spare guard.
            // SAFETY: the guard is moved out, handed to `wait`, and the one it returns is written back before
            // anybody can look; loom's `wait` does not unwind without ending the whole model.
            unsafe {
                let taken = std::ptr::read(guard);
                let back = self.0.wait(taken).expect("no model panics under a lock");
                std::ptr::write(guard, back);
            }
        }
    }

    /// loom has no clock: a timed wait is a wait that no model may depend on, so it times out at once.
    pub(crate) fn wait_for(_: &Condvar, _: &mut loom::sync::MutexGuard<'_, bool>, _: std::time::Duration) -> bool {
        true
    }

    /// Plain memory that a protocol hands from one thread to another, race-checked by loom.
    #[derive(Debug)]
    pub(crate) struct HandOver<T>(loom::cell::UnsafeCell<std::mem::MaybeUninit<T>>);

    impl<T: Copy> HandOver<T> {
        pub(crate) fn new() -> Self {
            HandOver(loom::cell::UnsafeCell::new(std::mem::MaybeUninit::uninit()))
        }

        pub(crate) unsafe fn write(&self, value: T) {
            // SAFETY: the caller has been handed the cell.
            self.0.with_mut(|cell| unsafe {
                (*cell).write(value);
            });
        }

        pub(crate) unsafe fn read(&self) -> T {
            // SAFETY: the caller has been handed the cell, which somebody has written.
            self.0.with(|cell| unsafe { (*cell).assume_init() })
        }
    }
}

pub(crate) use imp::*;

#[cfg(not(filch_loom))]
impl<T: Copy> HandOver<T> {
    /// Writes the cell.
    ///
    /// # Safety
    /// The protocol gives the cell to the caller: nobody reads or writes it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, value: T) {
        // SAFETY: exclusive by the caller's promise.
        unsafe { self.as_ptr().write(value) }
    }

    /// Reads the cell.
    ///
    /// # Safety
    /// Somebody has written it, that write happens before this call, and nobody writes meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn read(&self) -> T {
        // SAFETY: initialised and not written meanwhile, by the caller's promise.
        unsafe { self.as_ptr().read() }
    }
}
