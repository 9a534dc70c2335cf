//! Two closures, perhaps in parallel.

use crate::FnContext;

/// Runs two closures, perhaps in parallel, and returns both results.
///
/// On a thread outside of any pool, both run on threads of the global one.
///
/// # Panics
/// If a closure does, when both have ended; the payload of `oper_a` wins.
#[inline(always)]
pub fn join<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    filch::drop_in::join(oper_a, oper_b)
}

/// [`join`], telling each closure whether it has moved to another thread.
///
/// # Panics
/// As [`join`].
#[inline(always)]
pub fn join_context<A, B, RA, RB>(oper_a: A, oper_b: B) -> (RA, RB)
where
    A: FnOnce(FnContext) -> RA + Send,
    B: FnOnce(FnContext) -> RB + Send,
    RA: Send,
    RB: Send,
{
    filch::drop_in::join_context(oper_a, oper_b)
}
