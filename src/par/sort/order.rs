//! What elements are sorted by: themselves, a comparison, or a key.

use std::cmp::Ordering;

/// An order, with the standard library's sorts by it.
pub(crate) trait Order<T>: Sync {
    /// Whether `a` comes before `b`.
    fn less(&self, a: &T, b: &T) -> bool;

    /// The stable sort on one thread.
    fn sort(&self, v: &mut [T]);

    /// The unstable sort on one thread.
    fn sort_unstable(&self, v: &mut [T]);

    /// Selection on one thread.
    fn select(&self, v: &mut [T], index: usize);

    /// Whether `b` may follow `a`, both sorted.
    #[inline]
    fn follows(&self, a: &[T], b: &[T]) -> bool {
        match (a.last(), b.first()) {
            (Some(last), Some(first)) => !self.less(first, last),
            _ => true,
        }
    }
}

/// The elements' own order.
pub(crate) struct Natural;

impl<T: Ord> Order<T> for Natural {
    #[inline(always)]
    fn less(&self, a: &T, b: &T) -> bool {
        a.lt(b)
    }

    fn sort(&self, v: &mut [T]) {
        v.sort();
    }

    fn sort_unstable(&self, v: &mut [T]) {
        v.sort_unstable();
    }

    fn select(&self, v: &mut [T], index: usize) {
        v.select_nth_unstable(index);
    }
}

/// By a comparison.
pub(crate) struct By<F>(pub(crate) F);

impl<T, F: Fn(&T, &T) -> Ordering + Sync> Order<T> for By<F> {
    #[inline(always)]
    fn less(&self, a: &T, b: &T) -> bool {
        (self.0)(a, b) == Ordering::Less
    }

    fn sort(&self, v: &mut [T]) {
        v.sort_by(&self.0);
    }

    fn sort_unstable(&self, v: &mut [T]) {
        v.sort_unstable_by(&self.0);
    }

    fn select(&self, v: &mut [T], index: usize) {
        v.select_nth_unstable_by(index, &self.0);
    }
}

/// By a key.
pub(crate) struct ByKey<F>(pub(crate) F);

impl<T, K: Ord, F: Fn(&T) -> K + Sync> Order<T> for ByKey<F> {
    #[inline(always)]
    fn less(&self, a: &T, b: &T) -> bool {
        (self.0)(a).lt(&(self.0)(b))
    }

    fn sort(&self, v: &mut [T]) {
        v.sort_by_key(&self.0);
    }

    fn sort_unstable(&self, v: &mut [T]) {
        v.sort_unstable_by_key(&self.0);
    }

    fn select(&self, v: &mut [T], index: usize) {
        v.select_nth_unstable_by_key(index, &self.0);
    }
}
