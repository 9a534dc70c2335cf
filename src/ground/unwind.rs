//! Panics: caught, carried, raised again, and kept out of windows that must not unwind.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send + 'static>;

/// Runs `f`, catching its panic.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    panic::catch_unwind(AssertUnwindSafe(f))
}

/// Raises a caught panic again, without calling the panic hook a second time.
#[cold]
pub(crate) fn resume(payload: Payload) -> ! {
    panic::resume_unwind(payload)
}

/// Ends the process if it is dropped: for windows in which foreign code must not unwind.
pub(crate) struct Bomb(pub(crate) &'static str);

impl Bomb {
    pub(crate) fn defuse(self) {
        std::mem::forget(self);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        eprintln!("filch: {}; aborting", self.0);
        std::process::abort();
    }
}

/// Drops a value, swallowing a panic of its destructor; says whether there was one.
pub(crate) fn drop_quietly<T>(value: T) -> bool {
    match catch(move || drop(value)) {
        Ok(()) => false,
        Err(payload) => {
            // A payload whose own destructor panics would leave us nowhere to go: leak it.
            std::mem::forget(payload);
            true
        }
    }
}
