//! Partitions a slice on one thread.

use std::mem::ManuallyDrop;
use std::ptr;

/// Elements that are larger are swapped rather than moved at every step.
const LARGE: usize = 96;

/// Moves the elements for which `first` says so before the others; gives their number.
///
/// If `first` panics, the slice is a permutation of what it was. No element is looked at after it has been copied.
pub(crate) fn partition<T>(v: &mut [T], first: impl Fn(&T) -> bool) -> usize {
    if const { size_of::<T>() > LARGE } { by_swaps(v, first) } else { around_a_hole(v, first) }
}

/// Hoare's way: few moves, and a branch at each element.
fn by_swaps<T>(v: &mut [T], first: impl Fn(&T) -> bool) -> usize {
    let (mut low, mut high) = (0, v.len());
    loop {
        while low < high && first(&v[low]) {
            low += 1;
        }
        while low < high && !first(&v[high - 1]) {
            high -= 1;
        }
        if low == high {
            return low;
        }
        high -= 1;
        v.swap(low, high);
        low += 1;
    }
}

/// Lomuto's way without branches, in a cycle of moves (Peters and Bergdoll): the first element is kept aside, and its
/// place is the hole into which the next ones are moved.
fn around_a_hole<T>(v: &mut [T], first: impl Fn(&T) -> bool) -> usize {
    if v.is_empty() {
        return 0;
    }
    let len = v.len();
    let base = v.as_mut_ptr();
    // SAFETY: not empty. The element is there twice, and `Hole` puts it back, also on unwinding.
    let mut hole = Hole { aside: unsafe { ManuallyDrop::new(ptr::read(base)) }, at: base };
    let mut count = 0;
    for i in 1..len {
        // SAFETY: `count < i < len`. `first` sees an element that is in its place and has not been copied; if it
        // unwinds, all but the one aside are in the slice once, and `Hole` adds that. The moves fill the hole with
        // the element at `count` (which may be the hole itself: then it moves onto itself), and that place with the
        // element at `i`, whose place is the new hole.
        unsafe {
            let next = base.add(i);
            let goes_first = first(&*next);
            let border = base.add(count);
            ptr::copy(border, hole.at, 1);
            ptr::copy_nonoverlapping(next, border, 1);
            hole.at = next;
            count += usize::from(goes_first);
        }
    }
    let goes_first = first(&hole.aside);
    // SAFETY: `count < len`: at most all but the one aside have been counted. The hole is filled from the border, and
    // the border becomes the hole, which `Hole` fills.
    unsafe {
        let border = base.add(count);
        ptr::copy(border, hole.at, 1);
        hole.at = border;
    }
    count + usize::from(goes_first)
}

struct Hole<T> {
    aside: ManuallyDrop<T>,
    at: *mut T,
}

impl<T> Drop for Hole<T> {
    fn drop(&mut self) {
        // SAFETY: the place whose element is elsewhere in the slice gets the one that is nowhere in it.
        unsafe { ptr::copy_nonoverlapping(&raw const *self.aside, self.at, 1) };
    }
}
