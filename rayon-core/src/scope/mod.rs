//! Closures that borrow from the enclosing frame.

use filch::drop_in::in_worker;

pub use filch::{Scope, ScopeFifo};

/// Opens a scope on a thread of the current pool, or of the global one: what is spawned in it has ended when it returns.
///
/// # Panics
/// If `op` or a closure does, when all have ended.
pub fn scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R + Send,
    R: Send,
{
    in_worker(|_| filch::scope(op))
}

/// [`scope`] for closures that begin in the order in which they were spawned.
///
/// # Panics
/// As [`scope`].
pub fn scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R + Send,
    R: Send,
{
    in_worker(|_| filch::scope_fifo(op))
}

/// [`scope`], but `op` runs right here; only the closures that it spawns run in the pool.
///
/// # Panics
/// As [`scope`].
pub fn in_place_scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    filch::drop_in::in_place_scope(op)
}

/// [`scope_fifo`], but `op` runs right here; only the closures that it spawns run in the pool.
///
/// # Panics
/// As [`scope`].
pub fn in_place_scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R,
{
    filch::drop_in::in_place_scope_fifo(op)
}
