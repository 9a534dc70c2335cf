//! Two producers of the same kind, one after the other.

use std::iter;

use crate::par::plumbing::{Folder, Producer};

/// The items of `left`, of which there are `len`, then those of `right`.
pub(crate) struct Pair<P> {
    pub(crate) len: usize,
    pub(crate) left: P,
    pub(crate) right: P,
}

impl<P: Producer> Producer for Pair<P> {
    type Item = P::Item;
    type IntoIter = PairIter<P::IntoIter>;

    fn into_iter(self) -> Self::IntoIter {
        PairIter(self.left.into_iter().chain(self.right.into_iter()))
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        if index <= self.len {
            let (first, middle) = self.left.split_at(index);
            let (none, right) = self.right.split_at(0);
            (Pair { len: index, left: first, right: none }, Pair { len: self.len - index, left: middle, right })
        } else {
            let (left, none) = self.left.split_at(self.len);
            let (middle, last) = self.right.split_at(index - self.len);
            (Pair { len: self.len, left, right: middle }, Pair { len: 0, left: none, right: last })
        }
    }

    fn fold_with<F: Folder<P::Item>>(self, folder: F) -> F {
        let folder = self.left.fold_with(folder);
        if folder.full() { folder } else { self.right.fold_with(folder) }
    }
}

/// Both, as a plain iterator. Their lengths together are no more than `usize::MAX`: they are parts of one collection.
pub(crate) struct PairIter<I>(iter::Chain<I, I>);

impl<I: ExactSizeIterator> Iterator for PairIter<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<I::Item> {
        self.0.nth(n)
    }

    #[inline]
    fn fold<B, F: FnMut(B, I::Item) -> B>(self, init: B, f: F) -> B {
        self.0.fold(init, f)
    }
}

impl<I: ExactSizeIterator + DoubleEndedIterator> DoubleEndedIterator for PairIter<I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        self.0.next_back()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for PairIter<I> {}
