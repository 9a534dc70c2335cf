//! [`LinkedList`], by way of a vector of its items or of references to them.

use std::collections::LinkedList;

use crate::par::sources::vec;

/// A parallel iterator that takes the items out of a linked list.
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<T> {
    inner: vec::IntoIter<T>,
}

by_way_of_vec! { impl[T: Send] LinkedList<T> => IntoIter<T> }
delegate! { impl[T: Send] IntoIter<T> => T }

/// A parallel iterator over a linked list.
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

by_way_of_vec! { impl['a, T: Sync] &'a LinkedList<T> => Iter<'a, T> }
delegate! { impl['a, T: Sync + 'a] Iter<'a, T> => &'a T }

/// A parallel iterator over a linked list, by mutable reference.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterMut<'a, T> {
    inner: vec::IntoIter<&'a mut T>,
}

by_way_of_vec! { impl['a, T: Send] &'a mut LinkedList<T> => IterMut<'a, T> }
delegate! { impl['a, T: Send + 'a] IterMut<'a, T> => &'a mut T }
