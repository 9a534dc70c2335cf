//! A section of a closure or poll that may block its thread.

use crate::pool::current;
use crate::pool::express;

/// Runs `f`, which may block the thread (in a lock, a system call, a sleep), right here; meanwhile another thread
/// works in its place.
///
/// On a thread of a pool it makes public what the thread holds for others to run, and hands its seat to an idle thread
/// or a spare, which also takes what waits in this thread's queues. When `f` returns, the thread goes on at once; if
/// that is one too many, the next one that comes to the end of a piece of work lies down. On any other thread it just
/// calls `f`, and so it does inside of another section.
///
/// It is for calls in the midst of what cannot be moved elsewhere: inside a loop, an arm of a [`join`](crate::join), a
/// poll, with borrows in hand. A call that can be moved is better off in [`spawn_blocking`](crate::spawn_blocking),
/// which has many more threads; and in async code an `.await` costs no thread at all. In a task, what is polled
/// together with the section (by `select!` or `join!`) stands still meanwhile; other tasks do not.
///
/// # What may be called inside
///
/// Everything. `spawn` and its kin use the same pool, and [`current_thread_index`](crate::current_thread_index) stays
/// the same. A `join`, scope, loop, broadcast or [`block_on`](crate::block_on) takes the seat back for its own time,
/// free or not, as a thread does that goes on after a wait: so a thread that computes is counted as one, also here.
/// [`yield_now`](crate::yield_now) does nothing. A [broadcast](crate::broadcast) of others waits for the end of the
/// section, or for one of those calls that waits in it.
///
/// # When spares are out
///
/// A pool has twice as many spares as workers. When they and the workers all wait or are inside sections, further work
/// waits until one of them comes back. So sections must not wait for each other, or for other work of the pool, in such
/// numbers: that is for `.await` and for `spawn_blocking`.
///
/// # Panics
/// If `f` does; the seat has been taken back by then.
///
/// # Cost
/// A fraction of a microsecond, and the waking of a thread (some microseconds) if there is work that waits. Not worth
/// it for a lock that is held for a moment.
///
/// # Source
/// The idea is that of `block_in_place` in tokio, and it stands as
/// [`task::block_in_place`](crate::task::block_in_place) too. That one panics in a runtime of one thread; this one
/// works with any number of workers.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(1).build()?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let received = pool.install(move || {
///     // Lies in this very thread's queue, and is run by another while this one blocks.
///     filch::spawn(async move { sender.send(6 * 7).unwrap() }).detach();
///     filch::blocking(|| receiver.recv().unwrap())
/// });
/// assert_eq!(received, 42);
/// # Ok(()) }
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    current::with(|slot| match slot {
        Some(slot) => slot.section(f),
        None => {
            // A thread of the express lane leaves the tasks to another.
            express::step_aside();
            f()
        }
    })
}
