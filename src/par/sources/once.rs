//! `once`.

use crate::par::sources::option::OptionProducer;

/// A parallel iterator with this one item, for [`chain`](crate::iter::ParallelIterator::chain) and the like.
///
/// ```
/// use filch::prelude::*;
///
/// let items: Vec<i32> = filch::iter::once(7).chain(0..2).collect();
/// assert_eq!(items, [7, 0, 1]);
/// ```
pub fn once<T: Send>(item: T) -> Once<T> {
    Once { item }
}

/// Made by [`once`].
#[derive(Clone, Debug)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct Once<T> {
    item: T,
}

counted! {
    impl[T: Send] Once<T> => T,
    len: |_it| 1,
    producer: |it| OptionProducer { opt: Some(it.item) },
}
