//! The slot of the current thread: one thread-local pointer, which is all that `join` looks at.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static CURRENT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
    /// The pool that a thread is inside of without a slot there: a blocking thread, or one that polls for a pool.
    static HOST: Cell<*const Shared> = const { Cell::new(ptr::null()) };
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Keeps a pool's shared state alive for a thread that `use_current_thread` made a worker, until the thread ends.
struct Kept(Arc<Shared>);

impl Drop for Kept {
    fn drop(&mut self) {
        with(|slot| {
            if let Some(slot) = slot {
                slot.own_last_mail();
                slot.offer_tasks();
                slot.leave_for_good();
            }
        });
        self.0.let_go_if_done();
        // Destructors of other thread-locals may still call us: from here on as from outside.
        CURRENT.set(ptr::null());
    }
}

/// The current thread's slot, if it has one.
///
/// # Safety
/// The reference is not kept: the caller lets go of it before it returns to where the thread got its slot.
#[inline(always)]
pub(crate) unsafe fn slot<'a>() -> Option<&'a Slot> {
    // SAFETY: `Occupied` keeps the slot's pool alive while the pointer stands here.
    unsafe { CURRENT.get().as_ref() }
}

/// Calls `f` with the current thread's slot, if it has one.
#[inline(always)]
pub(crate) fn with<R>(f: impl FnOnce(Option<&Slot>) -> R) -> R {
    // SAFETY: `f` cannot keep the reference.
    f(unsafe { slot() })
}

/// Whether the current thread is inside the pool: owns a slot of it, or is hosted by it.
pub(crate) fn is_inside(shared: &Shared) -> bool {
    with(|slot| slot.is_some_and(|slot| ptr::eq(slot.shared(), shared))) || ptr::eq(HOST.get(), shared)
}

/// Calls `f` with the pool that hosts this thread, if one does.
pub(crate) fn with_host<R>(f: impl FnOnce(Option<&Shared>) -> R) -> R {
    // SAFETY: `host` keeps the pool alive while the pointer stands here.
    f(unsafe { HOST.get().as_ref() })
}

/// Runs `f` as inside of the pool, though without a slot there: what it calls uses this pool.
pub(crate) fn host<R>(shared: &Shared, f: impl FnOnce() -> R) -> R {
    struct Restore(*const Shared);
    impl Drop for Restore {
        fn drop(&mut self) {
            HOST.set(self.0);
        }
    }
    let _restore = Restore(HOST.replace(shared));
    f()
}

/// While it lives, the thread is the owner of a slot.
pub(crate) struct Occupied(());

/// Makes the thread the owner of `slot`.
///
/// # Safety
/// Nobody else owns the slot, the thread owns no other, and the slot's pool outlives the `Occupied`, which is dropped
/// on this thread.
pub(crate) unsafe fn occupy(slot: &Slot) -> Occupied {
    debug_assert!(CURRENT.get().is_null());
    CURRENT.set(slot);
    Occupied(())
}

impl Drop for Occupied {
    fn drop(&mut self) {
        CURRENT.set(ptr::null());
    }
}

/// Makes the thread the owner of `slot` until its end. (Not until the end of the pool: frames further down the stack
/// may be inside of it.)
///
/// # Safety
/// Nobody else owns the slot or ever will; it belongs to `shared`; the thread owns no other.
pub(crate) unsafe fn keep(slot: &Slot, shared: Arc<Shared>) {
    KEPT.with_borrow_mut(|kept| *kept = Some(Kept(shared)));
    CURRENT.set(slot);
}

/// Whether the current thread is a worker of this pool by [`keep`].
pub(crate) fn is_kept(shared: &Shared) -> bool {
    // A thread that is ending keeps nothing any more.
    KEPT.try_with(|kept| kept.borrow().as_ref().is_some_and(|kept| ptr::eq(&raw const *kept.0, shared)))
        .unwrap_or(false)
}
