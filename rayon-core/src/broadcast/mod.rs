//! One closure on every thread of a pool.

use crate::panics::guarded_call;

pub use filch::BroadcastContext;

/// Runs `op` once on every thread of the current pool, or of the global one, and returns the results by index.
///
/// # Panics
/// If a call of `op` does, when all calls have ended; of several, the panic of the lowest index is passed on.
pub fn broadcast<OP, R>(op: OP) -> Vec<R>
where
    OP: Fn(BroadcastContext<'_>) -> R + Sync,
    R: Send,
{
    filch::drop_in::broadcast(op)
}

/// Runs `op` once on every thread of the current pool, or of the global one, some time from now.
///
/// A panic goes to the pool's panic handler; without one it ends the process.
pub fn spawn_broadcast<OP>(op: OP)
where
    OP: Fn(BroadcastContext<'_>) + Send + Sync + 'static,
{
    filch::drop_in::spawn_broadcast(move |context| guarded_call(|| op(context)));
}
