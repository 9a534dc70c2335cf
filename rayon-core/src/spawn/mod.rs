//! Closures that nobody waits for.

use crate::panics::guarded;

/// Runs `func` in the current pool, or in the global one, some time from now. The newest closure of a thread comes first.
///
/// A panic goes to the pool's panic handler; without one it ends the process.
pub fn spawn<F>(func: F)
where
    F: FnOnce() + Send + 'static,
{
    filch::drop_in::spawn(guarded(func));
}

/// [`spawn`], but the closures that a thread spawns in this way begin in that order.
pub fn spawn_fifo<F>(func: F)
where
    F: FnOnce() + Send + 'static,
{
    filch::drop_in::spawn_fifo(guarded(func));
}
