//! What can be made of a parallel iterator: the standard library's collections.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;

use crate::par::into::{FromParallelIterator, IntoParallelIterator, ParallelExtend};

/// Collections that begin empty and are extended.
macro_rules! by_extending {
    ($([$($generics:tt)*] $item:ty => $collection:ty;)*) => {$(
        impl<$($generics)*> FromParallelIterator<$item> for $collection {
            fn from_par_iter<It: IntoParallelIterator<Item = $item>>(par_iter: It) -> Self {
                let mut collection = Self::default();
                collection.par_extend(par_iter);
                collection
            }
        }
    )*};
}

by_extending! {
    [T: Send] T => Vec<T>;
    [T: Send] T => LinkedList<T>;
    [K: Eq + Hash + Send, V: Send, S: BuildHasher + Default + Send] (K, V) => HashMap<K, V, S>;
    [T: Eq + Hash + Send, S: BuildHasher + Default + Send] T => HashSet<T, S>;
    [K: Ord + Send, V: Send] (K, V) => BTreeMap<K, V>;
    [T: Ord + Send] T => BTreeSet<T>;
    [] () => ();
}

/// What a vector can become.
macro_rules! by_a_vector {
    ($([$($generics:tt)*] $item:ty => $collection:ty;)*) => {$(
        impl<$($generics)*> FromParallelIterator<$item> for $collection {
            fn from_par_iter<It: IntoParallelIterator<Item = $item>>(par_iter: It) -> Self {
                Vec::from_par_iter(par_iter).into()
            }
        }
    )*};
}

by_a_vector! {
    [T: Send] T => Box<[T]>;
    [T: Send] T => Rc<[T]>;
    [T: Send] T => Arc<[T]>;
    [T: Send] T => VecDeque<T>;
    [T: Ord + Send] T => BinaryHeap<T>;
}

/// As the owned kind is made, whatever that is.
impl<C, T> FromParallelIterator<T> for Cow<'_, C>
where
    C: ToOwned<Owned: FromParallelIterator<T>> + ?Sized,
    T: Send,
{
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(par_iter: I) -> Self {
        Cow::Owned(C::Owned::from_par_iter(par_iter))
    }
}
