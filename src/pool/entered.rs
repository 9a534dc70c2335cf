//! Pools that a thread has entered by a guard: what the free functions mean where the thread is inside of no pool.
//!
//! A guard counts for nothing on a thread that is inside of a pool. Which pool is meant there belongs to the work that
//! the thread runs, not to the thread: while a guard is held the thread may take work up that knows nothing of it (the
//! thief's work in a wait, a broadcast, whatever `yield_now` finds), and a guard that is forgotten would turn the
//! thread over to another pool for good. So it is the last thing that is looked at before the global pool, and costs
//! nobody anything who has a pool already.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;

use crate::pool::shared::Shared;

/// The pools that a thread has entered, the newest last, each by the key of its guard.
struct Entered {
    pools: Vec<(u64, Arc<Shared>)>,
    next_key: u64,
}

thread_local! {
    // Constant and without a destructor, so that threads that are ending have it: guards may be taken and dropped then.
    // The last guard frees the list.
    static ENTERED: ManuallyDrop<RefCell<Entered>> =
        const { ManuallyDrop::new(RefCell::new(Entered { pools: Vec::new(), next_key: 0 })) };
}

/// The pool of the newest guard of this thread that is alive.
///
/// It is kept alive by the caller, and not by the guard: that may be dropped by what the pool is used for.
pub(crate) fn newest() -> Option<Arc<Shared>> {
    ENTERED.with(|entered| entered.borrow().pools.last().map(|(_, shared)| shared.clone()))
}

/// Whether a guard is alive on this thread.
#[inline]
pub(crate) fn has_any() -> bool {
    ENTERED.with(|entered| !entered.borrow().pools.is_empty())
}

/// While it lives, the free functions of this crate mean a given pool on this thread: made by
/// [`Handle::enter`](crate::Handle::enter), where more is said.
#[must_use = "the pool is entered only as long as the guard lives"]
pub struct EnterGuard {
    key: u64,
    /// The guard belongs to its thread.
    _not_send: PhantomData<*mut ()>,
}

impl EnterGuard {
    pub(crate) fn new(shared: Arc<Shared>) -> EnterGuard {
        let key = ENTERED.with(|entered| {
            let mut entered = entered.borrow_mut();
            let key = entered.next_key;
            entered.next_key += 1;
            entered.pools.push((key, shared));
            key
        });
        EnterGuard { key, _not_send: PhantomData }
    }
}

impl Drop for EnterGuard {
    fn drop(&mut self) {
        let left = ENTERED.with(|entered| {
            let pools = &mut entered.borrow_mut().pools;
            let at = pools.iter().rposition(|(key, _)| *key == self.key)?;
            let left = pools.remove(at);
            if pools.is_empty() {
                mem::take(pools);
            }
            Some(left)
        });
        // Not before now: its last owner drops the hooks that a pool was built with, and these are the user's.
        drop(left);
    }
}

impl fmt::Debug for EnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish_non_exhaustive()
    }
}
