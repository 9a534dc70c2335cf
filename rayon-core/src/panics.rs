//! Panics that reach nobody: they go to a handler, or end the process.

use std::any::Any;
use std::mem;
use std::process;

/// Called with what a detached closure panicked with.
pub(crate) type PanicHandler = dyn Fn(Box<dyn Any + Send>) + Send + Sync;

/// Ends the process when it is dropped, unless the pool has a handler to tell. Forgotten when all went well.
struct AbortUnlessHandled;

impl Drop for AbortUnlessHandled {
    fn drop(&mut self) {
        if !filch::drop_in::panics_are_handled() {
            abort("a spawned closure has panicked, and the pool has no panic handler");
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
    let guard = AbortUnlessHandled;
    f();
    mem::forget(guard);
}

/// What a pool is told to do with panics.
pub(crate) fn handle(handler: Option<Box<PanicHandler>>) -> impl Fn(Box<dyn Any + Send>) + Send + Sync + 'static {
    move |payload| match &handler {
        Some(handler) => {
            let guard = AbortOnUnwind;
            handler(payload);
            mem::forget(guard);
        }
        None => abort("something has panicked, and the pool has no panic handler"),
    }
}

fn abort(why: &str) -> ! {
    eprintln!("rayon: {why}; aborting");
    process::abort();
}
