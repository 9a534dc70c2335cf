//! The slot of the current thread: one thread-local pointer, which is all that `join` looks at.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static CURRENT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
    /// Keeps a pool's shared state alive for a thread that `use_current_thread` made a worker.
    static KEPT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Calls `f` with the current thread's slot, if it has one.
#[inline(always)]
pub(crate) fn with<R>(f: impl FnOnce(Option<&Slot>) -> R) -> R {
    let slot = CURRENT.get();
    // SAFETY: `Occupied` keeps the slot's pool alive while the pointer stands here, and takes the pointer away before
    // it lets go; `f` runs on this thread, so within that time, and cannot keep the reference.
    f(unsafe { slot.as_ref() })
}

/// Whether the current thread owns a slot of the pool, be it below those of other pools.
pub(crate) fn is_inside(shared: &Shared) -> bool {
    let mut slot = CURRENT.get();
    // SAFETY: as in `with`; the outer slots are kept by the `Occupied`s further down this thread's stack.
    while let Some(here) = unsafe { slot.as_ref() } {
        if ptr::eq(here.shared(), shared) {
            return true;
        }
        slot = here.outer().get();
    }
    false
}

/// While it lives, the thread is the owner of a slot.
pub(crate) struct Occupied {
    outer: *const Slot,
}

/// Makes the thread the owner of `slot`, on top of what it may own already.
///
/// # Safety
/// Nobody else owns the slot, and its pool's shared state outlives the `Occupied`, which is dropped on this thread,
/// innermost first.
pub(crate) unsafe fn occupy(slot: &Slot) -> Occupied {
    let outer = CURRENT.replace(slot);
    slot.outer().set(outer);
    Occupied { outer }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

/// Makes the thread the owner of `slot` until [`abandon`] or its end.
///
/// # Safety
/// Nobody else owns the slot or ever will; it belongs to `shared`; the thread owns no other.
pub(crate) unsafe fn keep(slot: &Slot, shared: Arc<Shared>) {
    KEPT.with_borrow_mut(|kept| *kept = Some(shared));
    CURRENT.set(slot);
}

/// Whether the current thread is a worker of this pool by [`keep`].
pub(crate) fn is_kept(shared: &Shared) -> bool {
    KEPT.with_borrow(|kept| kept.as_ref().is_some_and(|kept| ptr::eq(&raw const **kept, shared)))
}

/// Ends what [`keep`] began, if it was for this pool and the thread is not inside another one now.
pub(crate) fn abandon(shared: &Shared) {
    let mine = with(|slot| slot.is_some_and(|slot| ptr::eq(slot.shared(), shared)));
    if mine && is_kept(shared) {
        CURRENT.set(ptr::null());
        drop(KEPT.with_borrow_mut(Option::take));
    }
}
