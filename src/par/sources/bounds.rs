//! The ranges that drains are given.

use std::ops::{Bound, Range, RangeBounds};

/// The range as two indexes, the second of which is not in it.
///
/// # Panics
/// If it does not lie in `0..len`.
pub(crate) fn within(range: &impl RangeBounds<usize>, len: usize) -> Range<usize> {
    let after = |i: usize| i.checked_add(1).expect("a range that ends at an index");
    let start = match range.start_bound() {
        Bound::Unbounded => 0,
        Bound::Included(&i) => i,
        Bound::Excluded(&i) => after(i),
    };
    let end = match range.end_bound() {
        Bound::Unbounded => len,
        Bound::Included(&i) => after(i),
        Bound::Excluded(&i) => i,
    };
    assert!(start <= end, "a range that starts at {start} and ends at {end}");
    assert!(end <= len, "a range that ends at {end}, of something of length {len}");
    start..end
}
