//! [`HashSet`], by way of a vector of its items or of references to them.

use std::collections::HashSet;
use std::marker::PhantomData;

use crate::par::into::{IntoParallelIterator, ParallelDrainFull};
use crate::par::sources::vec;

/// A parallel iterator that takes the items out of a hash set.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    inner: vec::IntoIter<T>,
}

by_way_of_vec! { impl[T: Send, S] HashSet<T, S> => IntoIter<T> }
delegate! { impl[T: Send] IntoIter<T> => T }

/// A parallel iterator over a hash set.
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

by_way_of_vec! { impl['a, T: Sync, S] &'a HashSet<T, S> => Iter<'a, T> }
delegate! { impl['a, T: Sync + 'a] Iter<'a, T> => &'a T }

/// A parallel iterator that empties a hash set. Made by [`par_drain`](ParallelDrainFull::par_drain).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Drain<'a, T> {
    inner: vec::IntoIter<T>,
    marker: PhantomData<&'a mut HashSet<T>>,
}

impl<'a, T: Send, S> ParallelDrainFull for &'a mut HashSet<T, S> {
    type Iter = Drain<'a, T>;
    type Item = T;

    fn par_drain(self) -> Self::Iter {
        Drain { inner: self.drain().collect::<Vec<_>>().into_par_iter(), marker: PhantomData }
    }
}

delegate! { impl[T: Send] Drain<'_, T> => T }
