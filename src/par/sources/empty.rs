//! `empty`.

use std::fmt;
use std::iter;
use std::marker::PhantomData;

use crate::par::plumbing::Producer;

/// A parallel iterator without items.
///
/// ```
/// use filch::prelude::*;
///
/// let none = filch::iter::empty::<i32>();
/// assert_eq!(none.count(), 0);
/// ```
pub fn empty<T: Send>() -> Empty<T> {
    Empty { marker: PhantomData }
}

/// Made by [`empty`].
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Empty<T> {
    marker: PhantomData<T>,
}

impl<T> Clone for Empty<T> {
    fn clone(&self) -> Self {
        Empty { marker: PhantomData }
    }
}

impl<T: Send> fmt::Debug for Empty<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Empty")
    }
}

counted! {
    impl[T: Send] Empty<T> => T,
    len: |_it| 0,
    producer: |_it| EmptyProducer(PhantomData),
}

struct EmptyProducer<T>(PhantomData<T>);

impl<T: Send> Producer for EmptyProducer<T> {
    type Item = T;
    type IntoIter = iter::Empty<T>;

    fn into_iter(self) -> Self::IntoIter {
        iter::empty()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        debug_assert_eq!(index, 0);
        (self, EmptyProducer(PhantomData))
    }
}
