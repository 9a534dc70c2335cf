//! [`Option`]: one item or none.

use std::option;

use crate::par::into::IntoParallelIterator;
use crate::par::plumbing::Producer;

/// A parallel iterator over what an option contains, by value.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    opt: Option<T>,
}

impl<T: Send> IntoParallelIterator for Option<T> {
    type Iter = IntoIter<T>;
    type Item = T;

    fn into_par_iter(self) -> Self::Iter {
        IntoIter { opt: self }
    }
}

counted! {
    impl[T: Send] IntoIter<T> => T,
    len: |it| usize::from(it.opt.is_some()),
    producer: |it| OptionProducer { opt: it.opt },
}

/// A parallel iterator over what an option contains.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<'a, T> {
    inner: IntoIter<&'a T>,
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { inner: self.inner.clone() }
    }
}

impl<'a, T: Sync> IntoParallelIterator for &'a Option<T> {
    type Iter = Iter<'a, T>;
    type Item = &'a T;

    fn into_par_iter(self) -> Self::Iter {
        Iter { inner: self.as_ref().into_par_iter() }
    }
}

delegate_counted! { impl['a, T: Sync] Iter<'a, T> => &'a T }

/// A parallel iterator over what an option contains, by mutable reference.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterMut<'a, T> {
    inner: IntoIter<&'a mut T>,
}

impl<'a, T: Send> IntoParallelIterator for &'a mut Option<T> {
    type Iter = IterMut<'a, T>;
    type Item = &'a mut T;

    fn into_par_iter(self) -> Self::Iter {
        IterMut { inner: self.as_mut().into_par_iter() }
    }
}

delegate_counted! { impl['a, T: Send] IterMut<'a, T> => &'a mut T }

pub(crate) struct OptionProducer<T> {
    pub(crate) opt: Option<T>,
}

impl<T: Send> Producer for OptionProducer<T> {
    type Item = T;
    type IntoIter = option::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.opt.into_iter()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        debug_assert!(index <= 1);
        let none = OptionProducer { opt: None };
        if index == 0 { (none, self) } else { (self, none) }
    }
}
