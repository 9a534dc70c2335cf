//! Items in somebody's memory that are handed out by value.
//!
//! The memory is a slice of [`MaybeUninit`], so that whose it is never drops what lies in it. An [`Owned`] is the right
//! to the items of a piece of it: who iterates gets them, who drops it drops them, and to split it splits the slice.

use std::iter::FusedIterator;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::slice;

use crate::par::plumbing::Producer;

/// The items in a slice, as a producer. Every slot of the slice is initialised, and the item in it is ours.
pub(crate) struct Owned<'data, T> {
    slots: &'data mut [MaybeUninit<T>],
}

impl<'data, T> Owned<'data, T> {
    /// Takes over the items.
    ///
    /// # Safety
    /// Every slot is initialised, and nobody else reads or drops the items, now or later.
    pub(crate) unsafe fn new(slots: &'data mut [MaybeUninit<T>]) -> Self {
        Owned { slots }
    }

    /// Takes over the items of a slice.
    ///
    /// # Safety
    /// Nobody reads or drops the items after this, although they lie in a slice of `T`.
    pub(crate) unsafe fn of_slice(slice: &'data mut [T]) -> Self {
        let slots = ptr::from_mut(slice) as *mut [MaybeUninit<T>];
        // SAFETY: the same memory under a type of the same layout, borrowed for as long. What may not be written into
        // a `[T]`, uninitialised slots, is not observed: the caller promises not to read it again. No code runs that
        // could unwind.
        Owned { slots: unsafe { &mut *slots } }
    }
}

impl<'data, T: Send> Producer for Owned<'data, T> {
    type Item = T;
    type IntoIter = OwnedIter<'data, T>;

    fn into_iter(mut self) -> OwnedIter<'data, T> {
        OwnedIter { slots: mem::take(&mut self.slots).iter_mut() }
    }

    fn split_at(mut self, index: usize) -> (Self, Self) {
        // If this panics, `self` still has all items, and drops them.
        assert!(index <= self.slots.len(), "a piece is split inside of it");
        let (left, right) = mem::take(&mut self.slots).split_at_mut(index);
        (Owned { slots: left }, Owned { slots: right })
    }
}

impl<T> Drop for Owned<'_, T> {
    fn drop(&mut self) {
        drop_items(mem::take(&mut self.slots));
    }
}

/// [`Owned`] items, as a plain iterator. Those that it has not come to are dropped with it.
pub(crate) struct OwnedIter<'data, T> {
    slots: slice::IterMut<'data, MaybeUninit<T>>,
}

/// Takes the item out of a slot.
#[inline(always)]
fn take<T>(slot: &mut MaybeUninit<T>) -> T {
    // SAFETY: every slot of an `Owned` was initialised, and its iterator hands each slot out once. From here on the
    // item is the caller's, who may unwind at will: no iterator has this slot any more.
    unsafe { slot.assume_init_read() }
}

/// Drops the items of slots that no iterator has handed out.
fn drop_items<T>(slots: &mut [MaybeUninit<T>]) {
    if mem::needs_drop::<T>() {
        let items = ptr::from_mut(slots) as *mut [T];
        // SAFETY: every slot was initialised, and its item is ours; nobody sees the slots after this, since an `Owned`
        // and its iterator give them up before they call this. If one drop unwinds, the others are still dropped, as
        // with any slice; none is dropped twice.
        unsafe { ptr::drop_in_place(items) };
    }
}

impl<T> Iterator for OwnedIter<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.slots.next().map(take)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }

    fn count(self) -> usize {
        // The items are dropped on return.
        self.slots.len()
    }

    fn nth(&mut self, n: usize) -> Option<T> {
        drop_items(self.take_front(n));
        self.next()
    }
}

impl<T> OwnedIter<'_, T> {
    /// The next `n` slots, or all that are left.
    fn take_front(&mut self, n: usize) -> &mut [MaybeUninit<T>] {
        let rest = mem::take(&mut self.slots).into_slice();
        let (front, rest) = rest.split_at_mut(n.min(rest.len()));
        self.slots = rest.iter_mut();
        front
    }
}

impl<T> DoubleEndedIterator for OwnedIter<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<T> {
        self.slots.next_back().map(take)
    }
}

impl<T> ExactSizeIterator for OwnedIter<'_, T> {}

impl<T> FusedIterator for OwnedIter<'_, T> {}

impl<T> Drop for OwnedIter<'_, T> {
    fn drop(&mut self) {
        drop_items(mem::take(&mut self.slots).into_slice());
    }
}
