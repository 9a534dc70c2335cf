//! Merges two sorted runs into a third place, on one thread.

use std::mem::MaybeUninit;
use std::ptr;

use crate::par::sort::order::Order;

/// How many of the first `count` elements of the merged run come from `left`. Of equal elements, those of `left` come
/// first.
///
/// Within the bounds of both runs whatever the order says.
pub(crate) fn cut<T, O: Order<T>>(left: &[T], right: &[T], count: usize, order: &O) -> usize {
    let (mut low, mut high) = (count.saturating_sub(right.len()), count.min(left.len()));
    while low < high {
        let i = low + (high - low) / 2;
        if order.less(&right[count - i - 1], &left[i]) {
            high = i;
        } else {
            low = i + 1;
        }
    }
    low
}

/// Merges `left` and `right` into `out`: bit for bit, so the elements are there twice afterwards, and it is for the
/// caller to say which are the real ones. If the comparison panics, `left` and `right` are, and `out` may have been
/// written in part.
///
/// No element is compared after it has been copied.
pub(crate) fn merge<T, O: Order<T>>(left: &mut [T], right: &mut [T], out: &mut [MaybeUninit<T>], order: &O) {
    assert_eq!(left.len() + right.len(), out.len());
    if order.follows(left, right) {
        return copy_both(left, right, out);
    }
    // Two merges that have nothing in common, step by step in turn: the processor works on both at once, where one
    // alone would have it wait for the last comparison at each step.
    let half = out.len() / 2;
    let from_left = cut(left, right, half, order);
    let (left_a, left_b) = left.split_at_mut(from_left);
    let (right_a, right_b) = right.split_at_mut(half - from_left);
    let (out_a, out_b) = out.split_at_mut(half);
    let (mut a, mut b) = (Cursor::new(left_a, right_a, out_a), Cursor::new(left_b, right_b, out_b));
    loop {
        let steps = a.sure_steps().min(b.sure_steps());
        if steps == 0 {
            break;
        }
        for _ in 0..steps {
            // SAFETY: as many steps are sure for both. Nothing to be undone if it unwinds: see above.
            unsafe {
                a.step(order);
                b.step(order);
            }
        }
    }
    a.finish(order);
    b.finish(order);
}

fn copy_both<T>(left: &[T], right: &[T], out: &mut [MaybeUninit<T>]) {
    let (out_left, out_right) = out.split_at_mut(left.len());
    copy(left, out_left);
    copy(right, out_right);
}

/// Copies bit for bit.
pub(crate) fn copy<T>(from: &[T], to: &mut [MaybeUninit<T>]) {
    assert_eq!(from.len(), to.len());
    // SAFETY: of one length, and apart, since one is borrowed mutably. The copies are `MaybeUninit`: nobody drops them.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr().cast(), from.len()) };
}

/// A merge under way. `out` has room for exactly what is left of both runs.
struct Cursor<T> {
    left: *const T,
    left_end: *const T,
    right: *const T,
    right_end: *const T,
    out: *mut T,
}

impl<T> Cursor<T> {
    /// The borrows end here: the caller keeps the slices alive and lets them alone while it uses the cursor.
    fn new(left: &mut [T], right: &mut [T], out: &mut [MaybeUninit<T>]) -> Self {
        assert_eq!(left.len() + right.len(), out.len());
        let (left, right) = (left.as_mut_ptr_range(), right.as_mut_ptr_range());
        let out = out.as_mut_ptr().cast();
        Cursor { left: left.start, left_end: left.end, right: right.start, right_end: right.end, out }
    }

    /// So many steps can be made without looking whether a run has ended.
    #[inline(always)]
    fn sure_steps(&self) -> usize {
        // SAFETY: pointers into one slice each, the end not before the beginning.
        let (left, right) =
            unsafe { (self.left_end.offset_from(self.left) as usize, self.right_end.offset_from(self.right) as usize) };
        left.min(right)
    }

    /// Copies the lesser of the first elements, without a branch.
    ///
    /// # Safety
    /// Neither run has ended.
    #[inline(always)]
    unsafe fn step<O: Order<T>>(&mut self, order: &O) {
        // SAFETY: both point to an element, by the caller's promise; `out` has room for it. Of both runs, only the one
        // whose element has been copied moves on, so that element is not compared again. If `less` unwinds, nothing
        // has changed.
        unsafe {
            let take_right = order.less(&*self.right, &*self.left);
            let from = if take_right { self.right } else { self.left };
            ptr::copy_nonoverlapping(from, self.out, 1);
            self.right = self.right.add(usize::from(take_right));
            self.left = self.left.add(usize::from(!take_right));
            self.out = self.out.add(1);
        }
    }

    /// Merges to the end.
    fn finish<O: Order<T>>(&mut self, order: &O) {
        loop {
            let steps = self.sure_steps();
            if steps == 0 {
                break;
            }
            for _ in 0..steps {
                // SAFETY: as many are sure.
                unsafe { self.step(order) };
            }
        }
        // SAFETY: one run has ended, the other one fills what is left of `out`.
        unsafe {
            let left = self.left_end.offset_from(self.left) as usize;
            ptr::copy_nonoverlapping(self.left, self.out, left);
            let right = self.right_end.offset_from(self.right) as usize;
            ptr::copy_nonoverlapping(self.right, self.out.add(left), right);
        }
    }
}
