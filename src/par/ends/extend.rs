//! What takes in the items of a parallel iterator: the standard library's collections.
//!
//! Vectors and linked lists are put together of what the pieces have made. The others are filled by the calling thread
//! in the end, from vectors.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};

use crate::par::ends::{fill, for_each, pieces};
use crate::par::into::{IntoParallelIterator, ParallelExtend};
use crate::par::iter::ParallelIterator;

/// The items in order, in vectors of which none is empty.
pub(crate) fn vec_list<I: ParallelIterator>(iter: I) -> LinkedList<Vec<I::Item>> {
    let Some(len) = iter.opt_len() else {
        return pieces::pieces(iter);
    };
    let mut list = LinkedList::new();
    let mut vec = Vec::new();
    fill::append(&mut vec, iter, len);
    if !vec.is_empty() {
        list.push_back(vec);
    }
    list
}

impl<T: Send> ParallelExtend<T> for Vec<T> {
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, par_iter: I) {
        let iter = par_iter.into_par_iter();
        if let Some(len) = iter.opt_len() {
            return fill::append(self, iter, len);
        }
        let mut pieces: LinkedList<Vec<T>> = pieces::pieces(iter);
        if self.capacity() == 0 {
            *self = pieces.pop_front().unwrap_or_default();
        }
        self.reserve(pieces.iter().map(Vec::len).sum());
        for mut piece in pieces {
            self.append(&mut piece);
        }
    }
}

/// Copies the items.
impl<'a, T: 'a + Copy + Send + Sync> ParallelExtend<&'a T> for Vec<T> {
    fn par_extend<I: IntoParallelIterator<Item = &'a T>>(&mut self, par_iter: I) {
        self.par_extend(par_iter.into_par_iter().map(|item| *item));
    }
}

impl<T: Send> ParallelExtend<T> for LinkedList<T> {
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, par_iter: I) {
        for mut piece in pieces::pieces::<_, LinkedList<T>>(par_iter.into_par_iter()) {
            self.append(&mut piece);
        }
    }
}

/// Copies the items.
impl<'a, T: 'a + Copy + Send + Sync> ParallelExtend<&'a T> for LinkedList<T> {
    fn par_extend<I: IntoParallelIterator<Item = &'a T>>(&mut self, par_iter: I) {
        self.par_extend(par_iter.into_par_iter().map(|item| *item));
    }
}

/// The items are dropped: there is nothing to collect.
impl ParallelExtend<()> for () {
    fn par_extend<I: IntoParallelIterator<Item = ()>>(&mut self, par_iter: I) {
        for_each::for_each(par_iter.into_par_iter(), &|()| ());
    }
}

// ----- filled in the end -------------------------------------------------------------------------------------------

/// Collections that can `reserve`, and those that cannot.
macro_rules! from_vecs {
    ($($(#[$doc:meta])* [$($generics:tt)*] $item:ty => $collection:ty, $reserve:tt;)*) => {$(
        $(#[$doc])*
        impl<$($generics)*> ParallelExtend<$item> for $collection {
            fn par_extend<It: IntoParallelIterator<Item = $item>>(&mut self, par_iter: It) {
                let vecs = vec_list(par_iter.into_par_iter());
                from_vecs!($reserve self vecs);
                for vec in vecs {
                    self.extend(vec);
                }
            }
        }
    )*};
    (true $self:ident $vecs:ident) => {
        $self.reserve($vecs.iter().map(Vec::len).sum());
    };
    (false $self:ident $vecs:ident) => {};
}

from_vecs! {
    [T: Send] T => VecDeque<T>, true;
    /// Copies the items.
    ['a, T: 'a + Copy + Send + Sync] &'a T => VecDeque<T>, true;
    [T: Ord + Send] T => BinaryHeap<T>, true;
    /// Copies the items.
    ['a, T: 'a + Copy + Ord + Send + Sync] &'a T => BinaryHeap<T>, true;
    /// Of equal keys the last one's value stays.
    [K: Eq + Hash + Send, V: Send, S: BuildHasher + Send] (K, V) => HashMap<K, V, S>, true;
    /// Copies the items.
    ['a, K: 'a + Copy + Eq + Hash + Send + Sync, V: 'a + Copy + Send + Sync, S: BuildHasher + Send]
        (&'a K, &'a V) => HashMap<K, V, S>, true;
    [T: Eq + Hash + Send, S: BuildHasher + Send] T => HashSet<T, S>, true;
    /// Copies the items.
    ['a, T: 'a + Copy + Eq + Hash + Send + Sync, S: BuildHasher + Send] &'a T => HashSet<T, S>, true;
    /// Of equal keys the last one's value stays.
    [K: Ord + Send, V: Send] (K, V) => BTreeMap<K, V>, false;
    /// Copies the items.
    ['a, K: 'a + Copy + Ord + Send + Sync, V: 'a + Copy + Send + Sync] (&'a K, &'a V) => BTreeMap<K, V>, false;
    [T: Ord + Send] T => BTreeSet<T>, false;
    /// Copies the items.
    ['a, T: 'a + Copy + Ord + Send + Sync] &'a T => BTreeSet<T>, false;
}
