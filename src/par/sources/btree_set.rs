//! [`BTreeSet`], by way of a vector of its items or of references to them.

use std::collections::BTreeSet;

use crate::par::sources::vec;

/// A parallel iterator that takes the items, in order, out of a B-tree set.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    inner: vec::IntoIter<T>,
}

by_way_of_vec! { impl[T: Send] BTreeSet<T> => IntoIter<T> }
delegate! { impl[T: Send] IntoIter<T> => T }

/// A parallel iterator over a B-tree set.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<'a, T> {
    inner: vec::IntoIter<&'a T>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { inner: self.inner.clone() }
    }
}

by_way_of_vec! { impl['a, T: Sync] &'a BTreeSet<T> => Iter<'a, T> }
delegate! { impl['a, T: Sync + 'a] Iter<'a, T> => &'a T }
