//! Merges the two sorted parts of a slice, by way of a buffer.

use std::mem::MaybeUninit;
use std::ptr;
use std::slice;

use crate::par::sort::grain::{Grain, SMALL, inside, weigh};
use crate::par::sort::merge::cut;
use crate::par::sort::merging::{par_copy, par_merge};
use crate::par::sort::order::Order;

/// Merges `v[..middle]` and `v[middle..]`, stably.
///
/// # Panics
/// If `middle` is beyond the end.
pub(crate) fn merge_halves<T: Send, O: Order<T>>(v: &mut [T], middle: usize, order: &O) {
    assert!(middle <= v.len(), "the middle ({middle}) lies beyond the end ({})", v.len());
    if size_of::<T>() == 0 {
        return;
    }
    let Some((v, middle)) = between(v, middle, order) else { return };
    let mut buffer = Vec::new();
    if buffer.try_reserve_exact(v.len()).is_err() {
        // No room for a copy: the standard library needs half as much, and knows two runs when it sees them.
        return order.sort(v);
    }
    let buffer = &mut buffer.spare_capacity_mut()[..v.len()];
    let weight = weigh(v, order);
    if v.len().saturating_mul(weight) <= SMALL {
        merge_by(v, middle, buffer, Grain::alone(v.len()), order);
    } else {
        inside(|| merge_by(v, middle, buffer, Grain::of(v.len(), weight), order));
    }
}

/// [`merge_halves`], by way of a buffer that is there already, and as long as `v`.
pub(crate) fn merge_two<T: Send, O: Order<T>>(
    v: &mut [T],
    middle: usize,
    buffer: &mut [MaybeUninit<T>],
    grain: Grain,
    order: &O,
) {
    if let Some((v, middle)) = between(v, middle, order) {
        let len = v.len();
        merge_by(v, middle, &mut buffer[..len], grain, order);
    }
}

/// Without what comes first and last in any case, which stays where it is; `None` if that is all.
fn between<'v, T, O: Order<T>>(v: &'v mut [T], middle: usize, order: &O) -> Option<(&'v mut [T], usize)> {
    let (left, right) = v.split_at(middle);
    if order.follows(left, right) {
        return None;
    }
    let skip = left.partition_point(|x| !order.less(&right[0], x));
    let last = &left[middle - 1];
    let keep = right.partition_point(|x| order.less(x, last));
    Some((&mut v[skip..middle + keep], middle - skip))
}

fn merge_by<T: Send, O: Order<T>>(v: &mut [T], middle: usize, buffer: &mut [MaybeUninit<T>], grain: Grain, order: &O) {
    debug_assert!(cut(&v[..middle], &v[middle..], 0, order) == 0);
    par_copy(v, buffer, grain);
    // SAFETY: all of the buffer has just been written, with the elements of `v`.
    unsafe { merge_back(buffer, middle, v, grain, order) };
}

/// Merges `from[..middle]` and `from[middle..]` into `v`. On unwinding `v` gets the elements in the order that they
/// have in `from`.
///
/// # Safety
/// `from` is written, bit for bit, with the elements of `v`, each once, in any order. None of them is dropped or used
/// there afterwards.
pub(crate) unsafe fn merge_back<T: Send, O: Order<T>>(
    from: &mut [MaybeUninit<T>],
    middle: usize,
    v: &mut [T],
    grain: Grain,
    order: &O,
) {
    assert_eq!(from.len(), v.len());
    let len = v.len();
    assert!(middle <= len, "the runs lie in the buffer");
    let (to, from) = (v.as_mut_ptr(), from.as_mut_ptr().cast::<T>());
    // The guard's pointers come first, and the slices are made of the same: so they stay valid beside each other.
    let guard = Restore { from, to, len };
    // SAFETY: a slice of `T` of which every element is there twice. From here on those in `from` are the real ones,
    // until the end of the merge, or of the guard.
    let out = unsafe { slice::from_raw_parts_mut(to.cast::<MaybeUninit<T>>(), len) };
    // SAFETY: written, by the caller's promise.
    let left = unsafe { slice::from_raw_parts_mut(from, middle) };
    // SAFETY: as above; the part after that.
    let right = unsafe { slice::from_raw_parts_mut(from.add(middle), len - middle) };
    par_merge(left, right, out, grain, order);
    std::mem::forget(guard);
}

/// Copies all elements back if the merge unwinds.
struct Restore<T> {
    from: *const T,
    to: *mut T,
    len: usize,
}

impl<T> Drop for Restore<T> {
    fn drop(&mut self) {
        // SAFETY: `par_merge` has unwound, so nobody reads `from` or writes `to` any more; both live as long as this
        // guard's frame. What a merge reads from it leaves as it is: each element is there once.
        unsafe { ptr::copy_nonoverlapping(self.from, self.to, self.len) };
    }
}
