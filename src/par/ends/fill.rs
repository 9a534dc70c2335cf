//! Collecting what can be counted: every item is written where it belongs, into the spare capacity of one vector.
//!
//! # Why this is sound
//!
//! The code between this consumer and its source may be anybody's, and need not behave: it may call `into_folder` as
//! often as it likes, drop or forget folders and results, join them in a wrong order, produce too much or too little.
//! So nothing is believed of it. Three things are relied upon:
//!
//! 1. An index of a [`Place`] with a root number is in one place only: a root number is given to one place, which
//!    cannot be copied, and can only be cut up.
//! 2. A [`Filling`] writes only to indexes that places of its own loop have granted it: `into_folder` and `advance`
//!    compare the root number, and each write is compared with the end of the grant. With 1: no two write to one index,
//!    and none writes outside.
//! 3. A [`Written`] covers items that are there, each owned by it alone: it begins empty, grows by one with each write,
//!    and takes over its right neighbour's only if that one begins at the very index where it ends, in the same loop.
//!
//! A `Written` that covers the whole of the loop is therefore proof that every index has been written. Without that
//! proof the vector keeps its old length. Whatever is not passed on, by an early end or a panic, is dropped along with
//! the `Written` that owns it. Folders and results borrow the vector, so none of them can be used once the loop is
//! over.

use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::ptr;

use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Puts the items of `iter` in place of what was there.
pub(crate) fn replace<I: IndexedParallelIterator>(vec: &mut Vec<I::Item>, iter: I) {
    vec.clear();
    let len = iter.len();
    append(vec, iter, len);
}

/// Appends the `len` items of `iter`.
///
/// # Panics
/// If there are more or fewer.
pub(crate) fn append<I: ParallelIterator>(vec: &mut Vec<I::Item>, iter: I, len: usize) {
    vec.reserve(len);
    let place = Place::indexed(len);
    let target = Target::new(&mut vec.spare_capacity_mut()[..len], &place);
    let written = iter.drive(target, place);
    written.pass_on(target);
    // SAFETY: the capacity has been reserved, and all of the first `len` spare items have been written, by `pass_on`,
    // which has also given up their ownership. Nothing unwinds between it and here.
    unsafe { vec.set_len(vec.len() + len) };
}

/// Where to write: the consumer.
struct Target<'v, T> {
    first: *mut T,
    len: usize,
    root: u64,
    memory: PhantomData<&'v mut [MaybeUninit<T>]>,
}

// SAFETY: what is done through it on other threads is to write items, which may be sent, to indexes that are granted to
// one folder only (see the module's documentation), and to drop them there. It does not run code, so nothing unwinds.
unsafe impl<T: Send> Send for Target<'_, T> {}

impl<T> Copy for Target<'_, T> {}

impl<T> Clone for Target<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'v, T> Target<'v, T> {
    /// The memory for the loop that `place` is the whole of.
    fn new(memory: &'v mut [MaybeUninit<T>], place: &Place) -> Self {
        assert_eq!((place.start(), place.end()), (0, memory.len()));
        Target { first: memory.as_mut_ptr().cast(), len: memory.len(), root: place.root(), memory: PhantomData }
    }

    /// `place` is used up: its indexes are the caller's now.
    fn grant(&self, place: Place) -> (usize, usize) {
        assert!(
            place.root() == self.root && place.start() <= place.end() && place.end() <= self.len,
            "a consumer gets the place of another loop: `drive` hands on the place that it is given"
        );
        (place.start(), place.end())
    }
}

impl<'v, T: Send> Consumer<T> for Target<'v, T> {
    type Folder = Filling<'v, T>;
    type Result = Written<'v, T>;

    fn into_folder(self, place: Place) -> Filling<'v, T> {
        let (start, end) = self.grant(place);
        Filling { target: self, written: Written { target: self, start, end: start }, granted: end }
    }

    fn reduce(self, mut left: Written<'v, T>, right: Written<'v, T>) -> Written<'v, T> {
        if left.start == left.end {
            // Where nothing was written does not matter: for a piece without items it may be anywhere (`intersperse`).
            return right;
        }
        if left.target.root == right.target.root && left.end == right.start {
            left.end = right.end;
            mem::forget(right);
        }
        left
    }
}

/// The items from `start` to `end`, and the duty to drop them.
struct Written<'v, T> {
    target: Target<'v, T>,
    start: usize,
    end: usize,
}

impl<T> Written<'_, T> {
    /// Leaves the items to the owner of the memory.
    ///
    /// # Panics
    /// If these are not all.
    fn pass_on(self, target: Target<'_, T>) {
        assert!(
            self.target.root == target.root && self.start == 0 && self.end == target.len,
            "expected {} total writes, but got {}",
            target.len,
            self.end - self.start
        );
        mem::forget(self);
    }
}

impl<T> Drop for Written<'_, T> {
    fn drop(&mut self) {
        let len = self.end - self.start;
        // SAFETY: the items are in the target's memory, they have been written, and nobody else owns them (3 in the
        // module's documentation). If one's drop unwinds, `drop_in_place` goes on with the others, as for a slice.
        unsafe { ptr::drop_in_place(ptr::slice_from_raw_parts_mut(self.target.first.add(self.start), len)) };
    }
}

/// Writes one piece: the folder.
struct Filling<'v, T> {
    target: Target<'v, T>,
    written: Written<'v, T>,
    /// It may write up to here.
    granted: usize,
}

#[cold]
#[inline(never)]
fn too_many() -> ! {
    panic!("too many values pushed to the consumer");
}

impl<T: Send> Filling<'_, T> {
    #[inline(always)]
    fn write(&mut self, item: T) {
        if self.written.end >= self.granted {
            too_many();
        }
        // SAFETY: the index has been granted to this folder, so it is in the target's memory, and nobody else reads or
        // writes it (2 in the module's documentation); it has not been written before, because `end` only grows. A
        // write does not unwind, and what `Written` covers is right before and after it.
        unsafe { self.target.first.add(self.written.end).write(item) };
        self.written.end += 1;
    }
}

impl<'v, T: Send> Folder<T> for Filling<'v, T> {
    type Result = Written<'v, T>;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        self.write(item);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        iter.into_iter().for_each(|item| self.write(item));
        self
    }

    fn complete(self) -> Written<'v, T> {
        self.written
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        let (start, end) = self.target.grant(next);
        assert!(start == self.granted, "a folder goes on right behind where it was");
        self.granted = end;
    }
}
