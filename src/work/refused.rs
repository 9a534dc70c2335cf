//! What plain `spawn` and its kin do when the pool has been shut down and takes no more work.
//!
//! They panic: work must not vanish without a word, and who wants it back asks for it by the `try_` form. But a
//! destructor may spawn, and may run because something has panicked; a second panic would end the process there. So on a
//! thread that unwinds the work is dropped, and its handle is that of a task that was cancelled.
//!
//! Which work unwinds cannot be told, only that the thread does: where a destructor waits inside of a pool that runs
//! anything meanwhile, an unrelated job that spawns on another, closed pool is met by this too.

use std::future::Future;
use std::ptr::NonNull;
use std::sync::Arc;
use std::thread;

use crate::core::task::{Header, Task, Why};
use crate::core::task_cell::{Cell, Scheduler};
use crate::core::task_notes;
use crate::ground::error::{SHUT_DOWN, ShutDown};
use crate::ground::unwind::{self, Payload};
use crate::pool::tasks::report_here;
use crate::work::spawn_task::Once;
use crate::work::task::JoinHandle;

/// Of a task that no pool has taken: it ends before anybody gets its handle.
struct Homeless;

impl Scheduler for Homeless {
    fn schedule(&self, _: Task, _: Why) {
        unreachable!("it has the right to run from the beginning to the end");
    }

    fn list(&self, _: NonNull<Header>) -> Option<usize> {
        None
    }

    fn unlist(&self, _: &Header, _: usize) {}

    type Last = ();

    fn last(&self, _: &Header) {}

    fn report(&self, _: &Header, payload: Payload) {
        report_here(payload);
    }
}

/// For a future, with the name that its task would have had.
///
/// # Panics
/// Unless the thread unwinds.
#[cold]
pub(crate) fn refused<F>(ShutDown(future): ShutDown<F>, name: Option<Arc<str>>) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    panic_unless_unwinding(SHUT_DOWN);
    // SAFETY: future and output are Send, and borrow nothing.
    let (task, handle) = unsafe { Cell::allocate(future, Homeless, 0) };
    if let Some(name) = name {
        task_notes::set_name(task.header(), name);
    }
    task.run(true);
    // SAFETY: the handle's reference of a task with this output.
    unsafe { JoinHandle::new(handle) }
}

/// For a closure with a handle.
///
/// # Panics
/// Unless the thread unwinds.
pub(crate) fn refused_once<F, T>(ShutDown(f): ShutDown<F>, name: Option<Arc<str>>) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    refused(ShutDown(Once::new(f)), name)
}

/// For a closure without one.
///
/// # Panics
/// Unless the thread unwinds.
#[cold]
pub(crate) fn refused_detached<F>(refused: ShutDown<F>) {
    refused_detached_as(SHUT_DOWN, refused);
}

/// The same with another message.
#[cold]
pub(crate) fn refused_detached_as<F>(message: &str, ShutDown(f): ShutDown<F>) {
    panic_unless_unwinding(message);
    if let Err(payload) = unwind::catch(|| drop(f)) {
        report_here(payload);
    }
}

fn panic_unless_unwinding(message: &str) {
    if !thread::panicking() {
        panic!("{message}");
    }
}
