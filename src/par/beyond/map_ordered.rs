//! `par_map_ordered`: from a plain iterator to a sink, with a parallel map between them.
//!
//! On the [`belt`](super::belt), with the iterator as its source: while some threads map, one takes items from the
//! iterator, and one feeds the sink.

use std::time::Instant;

use crate::par::beyond::belt::{self, Source, Taken};
use crate::par::ends::fill;
use crate::par::into::IntoParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::tries::Try;

/// Plain iterators whose items are mapped in parallel and used in order.
///
/// Implemented for every [`Iterator`] that is `Send`.
pub trait ParallelMapOrdered: Iterator + Send + Sized
where
    Self::Item: Send,
{
    #[doc = include_str!("../doc/par_map_ordered.md")]
    fn par_map_ordered<M, R, F>(self, map_op: M, mut sink: F)
    where
        M: Fn(Self::Item) -> R + Sync + Send,
        R: Send,
        F: FnMut(R) + Send,
    {
        self.try_par_map_ordered(map_op, |item| {
            sink(item);
            Some(())
        });
    }

    #[doc = include_str!("../doc/try_par_map_ordered.md")]
    fn try_par_map_ordered<M, R, F, E>(self, map_op: M, sink: F) -> E
    where
        M: Fn(Self::Item) -> R + Sync + Send,
        R: Send,
        F: FnMut(R) -> E + Send,
        E: Try<Output = ()> + Send,
    {
        let make = |items: Vec<Self::Item>, into: &mut Vec<R>| fill::replace(into, items.into_par_iter().map(&map_op));
        belt::run(Items(self), &make, sink)
    }
}

impl<I: Iterator + Send> ParallelMapOrdered for I where I::Item: Send {}

/// The iterator, which is not asked again after its end.
struct Items<I>(I);

impl<I: Iterator + Send> Source for Items<I>
where
    I::Item: Send,
{
    type Block = Vec<I::Item>;

    /// In longer and longer stretches, until they have taken as long as it should take to make them: the iterator may
    /// be slower than that, and what it has given should not wait for what it has not.
    fn take(&mut self, items: usize) -> Option<Taken<Vec<I::Item>>> {
        let began = Instant::now();
        let (mut block, mut last) = (Vec::new(), false);
        while !last && block.len() < items && (block.is_empty() || began.elapsed() < belt::BLOCK) {
            let wanted = items.min(2 * block.len() + 1);
            block.extend(self.0.by_ref().take(wanted - block.len()));
            last = block.len() < wanted;
        }
        let items = block.len();
        (items > 0).then_some(Taken { block, items, last })
    }
}
