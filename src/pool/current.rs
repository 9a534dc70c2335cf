//! The slot of the current thread: one thread-local pointer, which is all that `join` looks at.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

use crate::pool::entered;
use crate::pool::express;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

thread_local! {
    // Constant and without a destructor: reading it is one load.
    static CURRENT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
    /// The pool that a thread is inside of without a slot there: a blocking thread, or one that polls for a pool.
    static HOST: Cell<Host> = const { Cell::new(Host { shared: ptr::null(), index: None }) };
    /// The slot that the thread has stepped out of, for a section that may block: it still owns it.
    static LEFT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy)]
struct Host {
    shared: *const Shared,
    /// The thread's index there, if it has one.
    index: Option<usize>,
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
    with(|slot| slot.is_some_and(|slot| ptr::eq(slot.shared(), shared)))
        || ptr::eq(HOST.get().shared, shared)
        || express::is_of(shared)
}

/// Whether the current thread is inside some pool, as [`is_inside`] says: then it belongs to that one.
pub(crate) fn is_inside_any() -> bool {
    with_owned(|slot| slot.is_some()) || !HOST.get().shared.is_null() || express::is_own_thread()
}

/// Whether the global pool is meant on this thread, which has no slot.
#[inline]
pub(crate) fn means_global() -> bool {
    HOST.get().shared.is_null() && !entered::has_any()
}

/// The pool that hosts this thread, if one does.
///
/// # Safety
/// The reference is not kept: the caller lets go of it before it returns to where the thread came to be hosted.
pub(crate) unsafe fn hosting<'a>() -> Option<&'a Shared> {
    // SAFETY: `host` keeps the pool alive while the pointer stands here.
    unsafe { HOST.get().shared.as_ref() }
}

/// The pool that the thread is inside of: owns a slot there, or is hosted by it.
///
/// # Safety
/// As for [`slot`] and [`hosting`].
#[inline]
unsafe fn inside<'a>() -> Option<&'a Shared> {
    // SAFETY: the caller's promise.
    match unsafe { slot() } {
        Some(slot) => Some(slot.shared()),
        // SAFETY: as above.
        None => unsafe { hosting() },
    }
}

/// Whether the thread is inside of another pool than this one.
pub(crate) fn is_elsewhere(shared: &Shared) -> bool {
    // SAFETY: the reference does not leave this function.
    unsafe { inside() }.is_some_and(|inside| !ptr::eq(inside, shared))
}

/// Calls `f` with the pool that the thread is inside of, or else has [entered](crate::pool::entered). None: the global
/// pool is meant.
#[inline]
pub(crate) fn with_pool<R>(f: impl FnOnce(Option<&Shared>) -> R) -> R {
    // SAFETY: `f` cannot keep the reference.
    match unsafe { inside() } {
        Some(shared) => f(Some(shared)),
        None => outside(f),
    }
}

/// Apart, so that who is inside of a pool pays nothing for it.
#[cold]
#[inline(never)]
fn outside<R>(f: impl FnOnce(Option<&Shared>) -> R) -> R {
    f(entered::newest().as_deref())
}

/// Runs `f` as inside of the pool, though without a slot there: what it calls uses this pool.
pub(crate) fn host<R>(shared: &Shared, f: impl FnOnce() -> R) -> R {
    host_with(Host { shared, index: None }, f)
}

/// The same for a thread that has an index in the pool.
pub(crate) fn host_as<R>(shared: &Shared, index: usize, f: impl FnOnce() -> R) -> R {
    host_with(Host { shared, index: Some(index) }, f)
}

fn host_with<R>(host: Host, f: impl FnOnce() -> R) -> R {
    struct Restore(Host);
    impl Drop for Restore {
        fn drop(&mut self) {
            HOST.set(self.0);
        }
    }
    let _restore = Restore(HOST.replace(host));
    f()
}

/// The index of the current thread in the pool that it is inside of, and that pool.
pub(crate) fn index<R>(f: impl FnOnce(&Shared, usize) -> R) -> Option<R> {
    with_owned(|slot| match slot {
        Some(slot) => Some(f(slot.shared(), slot.index)),
        None => {
            let index = HOST.get().index?;
            // SAFETY: `f` cannot keep the reference.
            unsafe { hosting() }.map(|host| f(host, index))
        }
    })
}

/// Runs `f` out of the thread's own slot, hosted by the slot's pool: what it calls finds no slot, until it
/// [steps in](step_in) again.
pub(crate) fn step_out<R>(slot: &Slot, f: impl FnOnce() -> R) -> R {
    struct Restore {
        current: *const Slot,
        left: *const Slot,
    }
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.left);
            CURRENT.set(self.current);
        }
    }
    debug_assert!(ptr::eq(CURRENT.get(), slot), "a thread steps out of its own slot");
    let _restore = Restore { left: LEFT.replace(slot), current: CURRENT.replace(ptr::null()) };
    host(slot.shared(), f)
}

/// Whether the thread has stepped out of its slot.
#[inline]
pub(crate) fn is_out() -> bool {
    !LEFT.get().is_null()
}

/// Runs `f` in the slot that the thread has stepped out of; None if it has not.
pub(crate) fn step_in<R>(f: impl FnOnce(Option<&Slot>) -> R) -> R {
    struct Restore(*const Slot);
    impl Drop for Restore {
        fn drop(&mut self) {
            if !self.0.is_null() {
                CURRENT.set(ptr::null());
                LEFT.set(self.0);
            }
        }
    }
    let left = LEFT.replace(ptr::null());
    if !left.is_null() {
        debug_assert!(CURRENT.get().is_null(), "a thread that has stepped out has no other slot");
        CURRENT.set(left);
    }
    let _restore = Restore(left);
    // SAFETY: while the pointer stood in `LEFT` a frame of `step_out` further down borrows the slot, and goes on doing
    // so until `f` has ended, which cannot keep the reference.
    f(unsafe { left.as_ref() })
}

/// Calls `f` with the slot that the thread owns, be it in it or out of it.
pub(crate) fn with_owned<R>(f: impl FnOnce(Option<&Slot>) -> R) -> R {
    let slot = CURRENT.get();
    // SAFETY: as in `slot` and `step_in`; `f` cannot keep the reference.
    f(unsafe { if slot.is_null() { LEFT.get() } else { slot }.as_ref() })
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
