//! [`HashMap`], by way of a vector of its items or of references to them.

use std::collections::HashMap;
use std::marker::PhantomData;

use crate::par::into::{IntoParallelIterator, ParallelDrainFull};
use crate::par::sources::vec;

/// A parallel iterator that takes the entries out of a hash map.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IntoIter<K, V> {
    inner: vec::IntoIter<(K, V)>,
}

by_way_of_vec! { impl[K: Send, V: Send, S] HashMap<K, V, S> => IntoIter<K, V> }
delegate! { impl[K: Send, V: Send] IntoIter<K, V> => (K, V) }

/// A parallel iterator over a hash map.
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

by_way_of_vec! { impl['a, K: Sync, V: Sync, S] &'a HashMap<K, V, S> => Iter<'a, K, V> }
delegate! { impl['a, K: Sync + 'a, V: Sync + 'a] Iter<'a, K, V> => (&'a K, &'a V) }

/// A parallel iterator over a hash map, with mutable references to the values.
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct IterMut<'a, K, V> {
    inner: vec::IntoIter<(&'a K, &'a mut V)>,
}

by_way_of_vec! { impl['a, K: Sync, V: Send, S] &'a mut HashMap<K, V, S> => IterMut<'a, K, V> }
delegate! { impl['a, K: Sync + 'a, V: Send + 'a] IterMut<'a, K, V> => (&'a K, &'a mut V) }

/// A parallel iterator that empties a hash map. Made by [`par_drain`](ParallelDrainFull::par_drain).
#[derive(Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Drain<'a, K, V> {
    inner: vec::IntoIter<(K, V)>,
    marker: PhantomData<&'a mut HashMap<K, V>>,
}

impl<'a, K: Send, V: Send, S> ParallelDrainFull for &'a mut HashMap<K, V, S> {
    type Iter = Drain<'a, K, V>;
    type Item = (K, V);

    fn par_drain(self) -> Self::Iter {
        Drain { inner: self.drain().collect::<Vec<_>>().into_par_iter(), marker: PhantomData }
    }
}

delegate! { impl[K: Send, V: Send] Drain<'_, K, V> => (K, V) }
