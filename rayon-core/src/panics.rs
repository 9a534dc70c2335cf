//! Panics that reach nobody: they go to a handler, or end the process.

use std::any::Any;
use std::mem;
use std::process;

/// Called with what a detached closure panicked with.
pub(crate) type PanicHandler = dyn Fn(Box<dyn Any + Send>) + Send + Sync;

/// Ends the process when it is dropped, unless the pool has a handler to tell. Forgotten when all went well.
struct AbortUnlessHandled {
    /// What has panicked.
    what: &'static str,
}

impl Drop for AbortUnlessHandled {
    fn drop(&mut self) {
        if !filch::drop_in::panics_are_handled() {
            abort(&format!("{} has panicked, and the pool has no panic handler", self.what));
        }
    }
}

/// Ends the process when it is dropped.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        abort("the panic handler has panicked");
    }
}

/// A detached closure whose panic is never overlooked.
pub(crate) fn guarded(f: impl FnOnce() + Send + 'static) -> impl FnOnce() + Send + 'static {
    || guarded_call(f)
}

pub(crate) fn guarded_call(f: impl FnOnce()) {
    guarded_as("a spawned closure", f);
}

/// Calls something of rayon's whose result nobody takes, on a thread of its pool.
pub(crate) fn guarded_as(what: &'static str, f: impl FnOnce()) {
    let guard = AbortUnlessHandled { what };
    f();
    mem::forget(guard);
}

/// What a pool that has a handler is told to do with panics, be they of rayon's closures or of filch's tasks. A pool
/// without one is told nothing: what is rayon's ends the process by itself, see above, and what is filch's need not.
pub(crate) fn handle(handler: Box<PanicHandler>) -> impl Fn(Box<dyn Any + Send>) + Send + Sync + 'static {
    move |payload| {
        let guard = AbortOnUnwind;
        handler(payload);
        mem::forget(guard);
    }
}

fn abort(why: &str) -> ! {
    eprintln!("rayon: {why}; aborting");
    process::abort();
}
