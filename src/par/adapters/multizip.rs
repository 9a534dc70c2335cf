//! Tuples of iterators as iterators of tuples.

use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::{IntoParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, ProducerCallback};

/// Several iterators side by side: made of a tuple of up to twelve by
/// [`into_par_iter`](IntoParallelIterator::into_par_iter).
///
/// It is as long as the shortest of them.
///
/// ```
/// use filch::prelude::*;
///
/// let (xs, ys) = ([1, 2, 3], [10, 20, 30]);
/// let mut sums = vec![0; 3];
/// (&mut sums, &xs, &ys).into_par_iter().for_each(|(sum, x, y)| *sum = x + y);
/// assert_eq!(sums, [11, 22, 33]);
/// ```
///
/// A reference to a tuple iterates over references into each:
///
/// ```
/// use filch::prelude::*;
///
/// let mut both = (vec![1, 2, 3], vec![4, 5, 6]);
/// both.par_iter_mut().for_each(|(x, y)| std::mem::swap(x, y));
/// assert_eq!(both, (vec![4, 5, 6], vec![1, 2, 3]));
/// ```
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct MultiZip<T> {
    tuple: T,
}

/// `A B C` as `((A, B), C)`: what a row of `zip`s yields.
macro_rules! nested {
    ($nest:tt) => { $nest };
    ($nest:tt $next:ident $($rest:ident)*) => { nested!(($nest, $next) $($rest)*) };
}

macro_rules! multizip {
    ($A:ident $($T:ident)*) => {
        impl<$A, $($T),*> IntoParallelIterator for ($A, $($T,)*)
        where
            $A: IntoParallelIterator<Iter: IndexedParallelIterator>,
            $($T: IntoParallelIterator<Iter: IndexedParallelIterator>,)*
        {
            type Iter = MultiZip<($A::Iter, $($T::Iter,)*)>;
            type Item = ($A::Item, $($T::Item,)*);

            #[allow(non_snake_case)]
            fn into_par_iter(self) -> Self::Iter {
                let ($A, $($T,)*) = self;
                MultiZip { tuple: ($A.into_par_iter(), $($T.into_par_iter(),)*) }
            }
        }

        impl<'a, $A, $($T),*> IntoParallelIterator for &'a ($A, $($T,)*)
        where
            $A: IntoParallelRefIterator<'a, Iter: IndexedParallelIterator>,
            $($T: IntoParallelRefIterator<'a, Iter: IndexedParallelIterator>,)*
        {
            type Iter = MultiZip<($A::Iter, $($T::Iter,)*)>;
            type Item = ($A::Item, $($T::Item,)*);

            #[allow(non_snake_case)]
            fn into_par_iter(self) -> Self::Iter {
                let ($A, $($T,)*) = self;
                MultiZip { tuple: ($A.par_iter(), $($T.par_iter(),)*) }
            }
        }

        impl<'a, $A, $($T),*> IntoParallelIterator for &'a mut ($A, $($T,)*)
        where
            $A: IntoParallelRefMutIterator<'a, Iter: IndexedParallelIterator>,
            $($T: IntoParallelRefMutIterator<'a, Iter: IndexedParallelIterator>,)*
        {
            type Iter = MultiZip<($A::Iter, $($T::Iter,)*)>;
            type Item = ($A::Item, $($T::Item,)*);

            #[allow(non_snake_case)]
            fn into_par_iter(self) -> Self::Iter {
                let ($A, $($T,)*) = self;
                MultiZip { tuple: ($A.par_iter_mut(), $($T.par_iter_mut(),)*) }
            }
        }

        impl<$A, $($T),*> MultiZip<($A, $($T,)*)>
        where
            $A: IndexedParallelIterator,
            $($T: IndexedParallelIterator,)*
        {
            #[allow(non_snake_case)]
            fn zipped(self) -> impl IndexedParallelIterator<Item = ($A::Item, $($T::Item,)*)> {
                let ($A, $($T,)*) = self.tuple;
                $A$(.zip($T))*.map(|nested!($A $($T)*)| ($A, $($T,)*))
            }
        }

        impl<$A, $($T),*> ParallelIterator for MultiZip<($A, $($T,)*)>
        where
            $A: IndexedParallelIterator,
            $($T: IndexedParallelIterator,)*
        {
            type Item = ($A::Item, $($T::Item,)*);

            fn drive<CONSUMER: Consumer<Self::Item>>(self, consumer: CONSUMER, place: Place) -> CONSUMER::Result {
                self.zipped().drive(consumer, place)
            }

            fn opt_len(&self) -> Option<usize> {
                Some(self.len())
            }
        }

        impl<$A, $($T),*> IndexedParallelIterator for MultiZip<($A, $($T,)*)>
        where
            $A: IndexedParallelIterator,
            $($T: IndexedParallelIterator,)*
        {
            #[allow(non_snake_case)]
            fn len(&self) -> usize {
                let ($A, $($T,)*) = &self.tuple;
                $A.len()$(.min($T.len()))*
            }

            fn with_producer<CB: ProducerCallback<Self::Item>>(self, callback: CB) -> CB::Output {
                self.zipped().with_producer(callback)
            }
        }
    };
}

multizip!(A);
multizip!(A B);
multizip!(A B C);
multizip!(A B C D);
multizip!(A B C D E);
multizip!(A B C D E F);
multizip!(A B C D E F G);
multizip!(A B C D E F G H);
multizip!(A B C D E F G H I);
multizip!(A B C D E F G H I J);
multizip!(A B C D E F G H I J K);
multizip!(A B C D E F G H I J K L);
