//! [`BTreeMap`], by way of a vector of its items or of references to them.

use std::collections::BTreeMap;

use crate::par::sources::vec;

/// A parallel iterator that takes the entries, in order, out of a B-tree map.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<K, V> {
    inner: vec::IntoIter<(K, V)>,
}

by_way_of_vec! { impl[K: Send, V: Send] BTreeMap<K, V> => IntoIter<K, V> }
delegate! { impl[K: Send, V: Send] IntoIter<K, V> => (K, V) }

/// A parallel iterator over a B-tree map.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Iter<'a, K, V> {
    inner: vec::IntoIter<(&'a K, &'a V)>,
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter { inner: self.inner.clone() }
    }
}

by_way_of_vec! { impl['a, K: Sync, V: Sync] &'a BTreeMap<K, V> => Iter<'a, K, V> }
delegate! { impl['a, K: Sync + 'a, V: Sync + 'a] Iter<'a, K, V> => (&'a K, &'a V) }

/// A parallel iterator over a B-tree map, with mutable references to the values.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterMut<'a, K, V> {
    inner: vec::IntoIter<(&'a K, &'a mut V)>,
}

by_way_of_vec! { impl['a, K: Sync, V: Send] &'a mut BTreeMap<K, V> => IterMut<'a, K, V> }
delegate! { impl['a, K: Sync + 'a, V: Send + 'a] IterMut<'a, K, V> => (&'a K, &'a mut V) }
