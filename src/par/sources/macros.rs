//! What sources have in common: those with a producer, and those that are another source under a name of their own.

/// Makes `$iter` a counted parallel iterator: of its length and its producer, both told of `$it`, the iterator.
macro_rules! counted {
    (
        impl[$($generics:tt)*] $iter:ty => $item:ty,
        len: |$this:ident| $len:expr,
        producer: |$it:ident| $producer:expr $(,)?
    ) => {
        impl<$($generics)*> $crate::par::iter::ParallelIterator for $iter {
            type Item = $item;

            fn drive<C: $crate::par::plumbing::Consumer<$item>>(
                self,
                consumer: C,
                place: $crate::par::place::Place,
            ) -> C::Result {
                $crate::par::bridge::bridge(self, consumer, place)
            }

            fn opt_len(&self) -> Option<usize> {
                Some($crate::par::indexed::IndexedParallelIterator::len(self))
            }
        }

        impl<$($generics)*> $crate::par::indexed::IndexedParallelIterator for $iter {
            fn len(&self) -> usize {
                let $this = self;
                $len
            }

            fn with_producer<CB: $crate::par::plumbing::ProducerCallback<$item>>(self, callback: CB) -> CB::Output {
                let $it = self;
                callback.callback($producer)
            }
        }
    };
}

/// Makes `$iter` a parallel iterator by way of its field `inner`.
macro_rules! delegate {
    (impl[$($generics:tt)*] $iter:ty => $item:ty) => {
        impl<$($generics)*> $crate::par::iter::ParallelIterator for $iter {
            type Item = $item;

            fn drive<C: $crate::par::plumbing::Consumer<$item>>(
                self,
                consumer: C,
                place: $crate::par::place::Place,
            ) -> C::Result {
                self.inner.drive(consumer, place)
            }

            fn opt_len(&self) -> Option<usize> {
                self.inner.opt_len()
            }
        }
    };
}

/// [`delegate`], and counted as well.
macro_rules! delegate_counted {
    (impl[$($generics:tt)*] $iter:ty => $item:ty) => {
        delegate! { impl[$($generics)*] $iter => $item }

        impl<$($generics)*> $crate::par::indexed::IndexedParallelIterator for $iter {
            fn len(&self) -> usize {
                self.inner.len()
            }

            fn with_producer<CB: $crate::par::plumbing::ProducerCallback<$item>>(self, callback: CB) -> CB::Output {
                self.inner.with_producer(callback)
            }
        }
    };
}

/// Makes `$source` iterable by gathering what its plain iterator yields in a vector first.
macro_rules! by_way_of_vec {
    (impl[$($generics:tt)*] $source:ty => $iter:ident<$($arg:tt),*>) => {
        impl<$($generics)*> $crate::par::into::IntoParallelIterator for $source {
            type Iter = $iter<$($arg),*>;
            type Item = <$source as IntoIterator>::Item;

            fn into_par_iter(self) -> Self::Iter {
                $iter { inner: self.into_iter().collect::<Vec<_>>().into_par_iter() }
            }
        }
    };
}
