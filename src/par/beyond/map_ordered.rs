//! `par_map_ordered`: from a plain iterator to a sink, with a parallel map between them.
//!
//! In rounds, as [`ordered`](super::ordered): while one block is mapped in parallel, the results of the block before
//! go to the sink, and the items of the block after are taken from the iterator.

use std::time::Instant;

use crate::par::beyond::ordered::{Window, feed};
use crate::par::ends::fill;
use crate::par::into::IntoParallelRefMutIterator;
use crate::par::iter::ParallelIterator;
use crate::par::tries::Try;
use crate::work::join::join;

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
        rounds(self, &map_op, sink)
    }
}

impl<I: Iterator + Send> ParallelMapOrdered for I where I::Item: Send {}

fn rounds<I, M, R, F, E>(mut iter: I, map_op: &M, mut sink: F) -> E
where
    I: Iterator + Send,
    I::Item: Send,
    M: Fn(I::Item) -> R + Sync + Send,
    R: Send,
    F: FnMut(R) -> E + Send,
    E: Try<Output = ()> + Send,
{
    let mut window = Window::new();
    let mut taken: Vec<Option<I::Item>> = Vec::new();
    let (mut next, mut mapped, mut ready) = (Vec::new(), Vec::new(), Vec::new());
    let mut more = take(&mut iter, window.items(), &mut next);
    while !next.is_empty() {
        std::mem::swap(&mut taken, &mut next);
        let (items, wanted) = (taken.len(), if more { window.items() } else { 0 });
        let began = Instant::now();
        let make = || fill::replace(&mut mapped, taken.par_iter_mut().map(|item| map_op(item.take().expect("once"))));
        let go_on = || join(|| feed(&mut sink, &mut ready), || more && take(&mut iter, wanted, &mut next));
        let ((), (fed, still_more)) = join(make, go_on);
        if let Err(stopped) = fed {
            return stopped;
        }
        more = still_more;
        taken.clear();
        window.learn(items, began.elapsed());
        std::mem::swap(&mut ready, &mut mapped);
    }
    feed(&mut sink, &mut ready).err().unwrap_or_else(|| E::from_output(()))
}

/// Takes up to `items` from the iterator. False: that was all.
fn take<I: Iterator>(iter: &mut I, items: usize, into: &mut Vec<Option<I::Item>>) -> bool {
    into.extend(iter.take(items).map(Some));
    into.len() == items
}
