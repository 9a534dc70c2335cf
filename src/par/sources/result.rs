//! [`Result`]: one item, or none if it is an error.

use crate::par::into::IntoParallelIterator;
use crate::par::sources::option;

/// A parallel iterator over a result's value.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    inner: option::IntoIter<T>,
}

impl<T: Send, E> IntoParallelIterator for Result<T, E> {
    type Iter = IntoIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        IntoIter { inner: self.ok().into_par_iter() }
    }
}

delegate_counted! { impl[T: Send] IntoIter<T> => T }

/// A parallel iterator over a result's value, by reference.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<'a, T> {
    inner: option::IntoIter<&'a T>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { inner: self.inner.clone() }
    }
}

impl<'a, T: Sync, E> IntoParallelIterator for &'a Result<T, E> {
    type Iter = Iter<'a, T>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        Iter { inner: self.as_ref().ok().into_par_iter() }
    }
}

delegate_counted! { impl['a, T: Sync] Iter<'a, T> => &'a T }

/// A parallel iterator over a result's value, by mutable reference.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterMut<'a, T> {
    inner: option::IntoIter<&'a mut T>,
}

impl<'a, T: Send, E> IntoParallelIterator for &'a mut Result<T, E> {
    type Iter = IterMut<'a, T>;
    type Item = &'a mut T;

    fn into_par_iter(self) -> Self::Iter {
        IterMut { inner: self.as_mut().ok().into_par_iter() }
    }
}

delegate_counted! { impl['a, T: Send] IterMut<'a, T> => &'a mut T }
