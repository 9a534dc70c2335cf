//! [`ParallelIterator`].
//!
//! The methods' documentation lies in `doc/`, one file each, so that the trait can be seen at a glance.

use crate::par::adapters::chain::Chain;
use crate::par::adapters::cloned::{Cloned, Copied};
use crate::par::adapters::filter::{Filter, FilterMap};
use crate::par::adapters::flat_map::{FlatMap, Flatten};
use crate::par::adapters::flat_map_iter::{FlatMapIter, FlattenIter};
use crate::par::adapters::fold::{Fold, FoldWith};
use crate::par::adapters::inspect::{Inspect, Update};
use crate::par::adapters::intersperse::Intersperse;
use crate::par::adapters::map::Map;
use crate::par::adapters::map_with::{MapInit, MapWith};
use crate::par::adapters::panic_fuse::PanicFuse;
use crate::par::adapters::take_any::{SkipAny, TakeAny};
use crate::par::adapters::take_any_while::{SkipAnyWhile, TakeAnyWhile};
use crate::par::adapters::try_fold::{TryFold, TryFoldWith};
use crate::par::adapters::while_some::WhileSome;
use crate::par::into::IntoParallelIterator;
use std::cmp::Ordering;
use std::collections::LinkedList;
use std::iter::{Product, Sum};
use std::time::Instant;

use either::Either;

use crate::par::beyond::progress::{Progress, WithProgress};
use crate::par::beyond::run_async;
use crate::par::beyond::stop::{WithCancel, WithDeadline};
use crate::par::ends::{
    count, extend, extremes, find_any, find_ordered, for_each, for_each_with, product, reduce, routes, sum,
    try_for_each, try_reduce, unzip,
};
use crate::par::into::{FromParallelIterator, ParallelExtend};
use crate::par::place::Place;
use crate::par::plumbing::Consumer;
use crate::par::tries::Try;
use crate::work::cancel::CancellationToken;
use crate::work::task::JoinHandle;

/// An iterator whose items are worked on in parallel.
///
/// The methods are rayon's, with rayon's meaning. How the loop is cut is not for the caller to say: it begins as a
/// plain loop on the calling thread, and gives parts away when another thread is hungry. See the
/// [module](crate::iter) for what that means.
///
/// # Panics
/// If a closure panics, the loop panics with the same payload, after the pieces that were running have ended. Items
/// that were not reached are dropped.
#[must_use = "parallel iterators do nothing until they are consumed"]
pub trait ParallelIterator: Sized + Send {
    /// What it yields.
    type Item: Send;

    #[doc = include_str!("doc/drive.md")]
    fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result;

    #[doc = include_str!("doc/opt_len.md")]
    fn opt_len(&self) -> Option<usize> {
        None
    }

    // ----- adapters that work item by item ---------------------------------------------------------------------

    #[doc = include_str!("doc/map.md")]
    fn map<F, R>(self, map_op: F) -> Map<Self, F>
    where
        F: Fn(Self::Item) -> R + Sync + Send,
        R: Send,
    {
        Map::new(self, map_op)
    }

    #[doc = include_str!("doc/map_with.md")]
    fn map_with<F, T, R>(self, init: T, map_op: F) -> MapWith<Self, T, F>
    where
        F: Fn(&mut T, Self::Item) -> R + Sync + Send,
        T: Send + Clone,
        R: Send,
    {
        MapWith::new(self, init, map_op)
    }

    #[doc = include_str!("doc/map_init.md")]
    fn map_init<F, INIT, T, R>(self, init: INIT, map_op: F) -> MapInit<Self, INIT, F>
    where
        F: Fn(&mut T, Self::Item) -> R + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
        R: Send,
    {
        MapInit::new(self, init, map_op)
    }

    #[doc = include_str!("doc/cloned.md")]
    fn cloned<'a, T>(self) -> Cloned<Self>
    where
        T: 'a + Clone + Send,
        Self: ParallelIterator<Item = &'a T>,
    {
        Cloned::new(self)
    }

    #[doc = include_str!("doc/copied.md")]
    fn copied<'a, T>(self) -> Copied<Self>
    where
        T: 'a + Copy + Send,
        Self: ParallelIterator<Item = &'a T>,
    {
        Copied::new(self)
    }

    #[doc = include_str!("doc/inspect.md")]
    fn inspect<OP>(self, inspect_op: OP) -> Inspect<Self, OP>
    where
        OP: Fn(&Self::Item) + Sync + Send,
    {
        Inspect::new(self, inspect_op)
    }

    #[doc = include_str!("doc/update.md")]
    fn update<F>(self, update_op: F) -> Update<Self, F>
    where
        F: Fn(&mut Self::Item) + Sync + Send,
    {
        Update::new(self, update_op)
    }

    #[doc = include_str!("doc/filter.md")]
    fn filter<P>(self, filter_op: P) -> Filter<Self, P>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        Filter::new(self, filter_op)
    }

    #[doc = include_str!("doc/filter_map.md")]
    fn filter_map<P, R>(self, filter_op: P) -> FilterMap<Self, P>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        FilterMap::new(self, filter_op)
    }

    #[doc = include_str!("doc/flat_map.md")]
    fn flat_map<F, PI>(self, map_op: F) -> FlatMap<Self, F>
    where
        F: Fn(Self::Item) -> PI + Sync + Send,
        PI: IntoParallelIterator,
    {
        FlatMap::new(self, map_op)
    }

    #[doc = include_str!("doc/flat_map_iter.md")]
    fn flat_map_iter<F, SI>(self, map_op: F) -> FlatMapIter<Self, F>
    where
        F: Fn(Self::Item) -> SI + Sync + Send,
        SI: IntoIterator<Item: Send>,
    {
        FlatMapIter::new(self, map_op)
    }

    #[doc = include_str!("doc/flatten.md")]
    fn flatten(self) -> Flatten<Self>
    where
        Self::Item: IntoParallelIterator,
    {
        Flatten::new(self)
    }

    #[doc = include_str!("doc/flatten_iter.md")]
    fn flatten_iter(self) -> FlattenIter<Self>
    where
        Self::Item: IntoIterator<Item: Send>,
    {
        FlattenIter::new(self)
    }

    #[doc = include_str!("doc/fold.md")]
    fn fold<T, ID, F>(self, identity: ID, fold_op: F) -> Fold<Self, ID, F>
    where
        F: Fn(T, Self::Item) -> T + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        T: Send,
    {
        Fold::new(self, identity, fold_op)
    }

    #[doc = include_str!("doc/fold_with.md")]
    fn fold_with<F, T>(self, init: T, fold_op: F) -> FoldWith<Self, T, F>
    where
        F: Fn(T, Self::Item) -> T + Sync + Send,
        T: Send + Clone,
    {
        FoldWith::new(self, init, fold_op)
    }

    #[doc = include_str!("doc/try_fold.md")]
    fn try_fold<T, R, ID, F>(self, identity: ID, fold_op: F) -> TryFold<Self, R, ID, F>
    where
        F: Fn(T, Self::Item) -> R + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        R: Try<Output = T> + Send,
    {
        TryFold::new(self, identity, fold_op)
    }

    #[doc = include_str!("doc/try_fold_with.md")]
    fn try_fold_with<F, T, R>(self, init: T, fold_op: F) -> TryFoldWith<Self, R, F>
    where
        F: Fn(T, Self::Item) -> R + Sync + Send,
        R: Try<Output = T> + Send,
        T: Clone + Send,
    {
        TryFoldWith::new(self, init, fold_op)
    }

    #[doc = include_str!("doc/while_some.md")]
    fn while_some<T>(self) -> WhileSome<Self>
    where
        Self: ParallelIterator<Item = Option<T>>,
        T: Send,
    {
        WhileSome::new(self)
    }

    #[doc = include_str!("doc/panic_fuse.md")]
    fn panic_fuse(self) -> PanicFuse<Self> {
        PanicFuse::new(self)
    }

    #[doc = include_str!("doc/intersperse.md")]
    fn intersperse(self, element: Self::Item) -> Intersperse<Self>
    where
        Self::Item: Clone,
    {
        Intersperse::new(self, element)
    }

    #[doc = include_str!("doc/take_any.md")]
    fn take_any(self, n: usize) -> TakeAny<Self> {
        TakeAny::new(self, n)
    }

    #[doc = include_str!("doc/skip_any.md")]
    fn skip_any(self, n: usize) -> SkipAny<Self> {
        SkipAny::new(self, n)
    }

    #[doc = include_str!("doc/take_any_while.md")]
    fn take_any_while<P>(self, predicate: P) -> TakeAnyWhile<Self, P>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        TakeAnyWhile::new(self, predicate)
    }

    #[doc = include_str!("doc/skip_any_while.md")]
    fn skip_any_while<P>(self, predicate: P) -> SkipAnyWhile<Self, P>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        SkipAnyWhile::new(self, predicate)
    }

    // ----- chaining ----------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/chain.md")]
    fn chain<C>(self, chain: C) -> Chain<Self, C::Iter>
    where
        C: IntoParallelIterator<Item = Self::Item>,
    {
        Chain::new(self, chain.into_par_iter())
    }

    // ----- terminals ---------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/for_each.md")]
    fn for_each<OP>(self, op: OP)
    where
        OP: Fn(Self::Item) + Sync + Send,
    {
        for_each::for_each(self, &op);
    }

    #[doc = include_str!("doc/for_each_with.md")]
    fn for_each_with<OP, T>(self, init: T, op: OP)
    where
        OP: Fn(&mut T, Self::Item) + Sync + Send,
        T: Send + Clone,
    {
        for_each_with::for_each_init(self, &for_each_with::cloner(init), &op);
    }

    #[doc = include_str!("doc/for_each_init.md")]
    fn for_each_init<OP, INIT, T>(self, init: INIT, op: OP)
    where
        OP: Fn(&mut T, Self::Item) + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
    {
        for_each_with::for_each_init(self, &init, &op);
    }

    #[doc = include_str!("doc/try_for_each.md")]
    fn try_for_each<OP, R>(self, op: OP) -> R
    where
        OP: Fn(Self::Item) -> R + Sync + Send,
        R: Try<Output = ()> + Send,
    {
        try_for_each::try_for_each(self, &op)
    }

    #[doc = include_str!("doc/try_for_each_with.md")]
    fn try_for_each_with<OP, T, R>(self, init: T, op: OP) -> R
    where
        OP: Fn(&mut T, Self::Item) -> R + Sync + Send,
        T: Send + Clone,
        R: Try<Output = ()> + Send,
    {
        try_for_each::try_for_each_init(self, &for_each_with::cloner(init), &op)
    }

    #[doc = include_str!("doc/try_for_each_init.md")]
    fn try_for_each_init<OP, INIT, T, R>(self, init: INIT, op: OP) -> R
    where
        OP: Fn(&mut T, Self::Item) -> R + Sync + Send,
        INIT: Fn() -> T + Sync + Send,
        R: Try<Output = ()> + Send,
    {
        try_for_each::try_for_each_init(self, &init, &op)
    }

    #[doc = include_str!("doc/count.md")]
    fn count(self) -> usize {
        count::count(self)
    }

    #[doc = include_str!("doc/reduce.md")]
    fn reduce<OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
        ID: Fn() -> Self::Item + Sync + Send,
    {
        reduce::reduce(self, &identity, &op)
    }

    #[doc = include_str!("doc/reduce_with.md")]
    fn reduce_with<OP>(self, op: OP) -> Option<Self::Item>
    where
        OP: Fn(Self::Item, Self::Item) -> Self::Item + Sync + Send,
    {
        reduce::reduce_with(self, &op)
    }

    #[doc = include_str!("doc/try_reduce.md")]
    fn try_reduce<T, OP, ID>(self, identity: ID, op: OP) -> Self::Item
    where
        OP: Fn(T, T) -> Self::Item + Sync + Send,
        ID: Fn() -> T + Sync + Send,
        Self::Item: Try<Output = T>,
    {
        try_reduce::try_reduce(self, &identity, &op)
    }

    #[doc = include_str!("doc/try_reduce_with.md")]
    fn try_reduce_with<T, OP>(self, op: OP) -> Option<Self::Item>
    where
        OP: Fn(T, T) -> Self::Item + Sync + Send,
        Self::Item: Try<Output = T>,
    {
        try_reduce::try_reduce_with(self, &op)
    }

    #[doc = include_str!("doc/sum.md")]
    fn sum<S>(self) -> S
    where
        S: Send + Sum<Self::Item> + Sum<S>,
    {
        sum::sum(self)
    }

    #[doc = include_str!("doc/product.md")]
    fn product<P>(self) -> P
    where
        P: Send + Product<Self::Item> + Product<P>,
    {
        product::product(self)
    }

    #[doc = include_str!("doc/min.md")]
    fn min(self) -> Option<Self::Item>
    where
        Self::Item: Ord,
    {
        reduce::reduce_with(self, &Ord::min)
    }

    #[doc = include_str!("doc/min_by.md")]
    fn min_by<F>(self, f: F) -> Option<Self::Item>
    where
        F: Sync + Send + Fn(&Self::Item, &Self::Item) -> Ordering,
    {
        extremes::min_by(self, f)
    }

    #[doc = include_str!("doc/min_by_key.md")]
    fn min_by_key<K, F>(self, f: F) -> Option<Self::Item>
    where
        K: Ord + Send,
        F: Sync + Send + Fn(&Self::Item) -> K,
    {
        extremes::min_by_key(self, f)
    }

    #[doc = include_str!("doc/max.md")]
    fn max(self) -> Option<Self::Item>
    where
        Self::Item: Ord,
    {
        reduce::reduce_with(self, &Ord::max)
    }

    #[doc = include_str!("doc/max_by.md")]
    fn max_by<F>(self, f: F) -> Option<Self::Item>
    where
        F: Sync + Send + Fn(&Self::Item, &Self::Item) -> Ordering,
    {
        extremes::max_by(self, f)
    }

    #[doc = include_str!("doc/max_by_key.md")]
    fn max_by_key<K, F>(self, f: F) -> Option<Self::Item>
    where
        K: Ord + Send,
        F: Sync + Send + Fn(&Self::Item) -> K,
    {
        extremes::max_by_key(self, f)
    }

    #[doc = include_str!("doc/find_any.md")]
    fn find_any<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        find_any::find_any(self, &predicate)
    }

    #[doc = include_str!("doc/find_first.md")]
    fn find_first<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        find_ordered::find_first(self, &predicate)
    }

    #[doc = include_str!("doc/find_last.md")]
    fn find_last<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        find_ordered::find_last(self, &predicate)
    }

    #[doc = include_str!("doc/find_map_any.md")]
    fn find_map_any<P, R>(self, predicate: P) -> Option<R>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        find_any::find_map_any(self, &predicate)
    }

    #[doc = include_str!("doc/find_map_first.md")]
    fn find_map_first<P, R>(self, predicate: P) -> Option<R>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        find_ordered::find_map_first(self, &predicate)
    }

    #[doc = include_str!("doc/find_map_last.md")]
    fn find_map_last<P, R>(self, predicate: P) -> Option<R>
    where
        P: Fn(Self::Item) -> Option<R> + Sync + Send,
        R: Send,
    {
        find_ordered::find_map_last(self, &predicate)
    }

    /// As [`find_any`](Self::find_any).
    #[doc(hidden)]
    #[deprecated(note = "parallel `find` does not look in order: use `find_any`, `find_first` or `find_last`")]
    fn find<P>(self, predicate: P) -> Option<Self::Item>
    where
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        self.find_any(predicate)
    }

    #[doc = include_str!("doc/any.md")]
    fn any<P>(self, predicate: P) -> bool
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        find_any::gives(self, true, &predicate)
    }

    #[doc = include_str!("doc/all.md")]
    fn all<P>(self, predicate: P) -> bool
    where
        P: Fn(Self::Item) -> bool + Sync + Send,
    {
        !find_any::gives(self, false, &predicate)
    }

    // ----- collecting --------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/collect.md")]
    fn collect<C>(self) -> C
    where
        C: FromParallelIterator<Self::Item>,
    {
        C::from_par_iter(self)
    }

    #[doc = include_str!("doc/unzip.md")]
    fn unzip<A, B, FromA, FromB>(self) -> (FromA, FromB)
    where
        Self: ParallelIterator<Item = (A, B)>,
        FromA: Default + Send + ParallelExtend<A>,
        FromB: Default + Send + ParallelExtend<B>,
        A: Send,
        B: Send,
    {
        unzip::collect_both(self, routes::Halves)
    }

    #[doc = include_str!("doc/partition.md")]
    fn partition<A, B, P>(self, predicate: P) -> (A, B)
    where
        A: Default + Send + ParallelExtend<Self::Item>,
        B: Default + Send + ParallelExtend<Self::Item>,
        P: Fn(&Self::Item) -> bool + Sync + Send,
    {
        unzip::collect_both(self, routes::By(predicate))
    }

    #[doc = include_str!("doc/partition_map.md")]
    fn partition_map<A, B, P, L, R>(self, predicate: P) -> (A, B)
    where
        A: Default + Send + ParallelExtend<L>,
        B: Default + Send + ParallelExtend<R>,
        P: Fn(Self::Item) -> Either<L, R> + Sync + Send,
        L: Send,
        R: Send,
    {
        unzip::collect_both(self, routes::Mapped(predicate))
    }

    #[doc = include_str!("doc/collect_vec_list.md")]
    fn collect_vec_list(self) -> LinkedList<Vec<Self::Item>> {
        extend::vec_list(self)
    }

    // ----- beyond rayon ------------------------------------------------------------------------------------------

    #[doc = include_str!("doc/with_cancel.md")]
    fn with_cancel(self, token: &CancellationToken) -> WithCancel<'_, Self> {
        WithCancel::new(self, token)
    }

    #[doc = include_str!("doc/with_deadline.md")]
    fn with_deadline(self, deadline: impl Into<Instant>) -> WithDeadline<Self> {
        WithDeadline::new(self, deadline.into())
    }

    #[doc = include_str!("doc/with_progress.md")]
    fn with_progress<P: Progress>(self, progress: &P) -> WithProgress<'_, Self, P> {
        WithProgress::new(self, progress)
    }

    #[doc = include_str!("doc/run_async.md")]
    fn run_async<F, R>(self, f: F) -> JoinHandle<R>
    where
        Self: 'static,
        F: FnOnce(Self) -> R + Send + 'static,
        R: Send + 'static,
    {
        run_async::run_async(self, f)
    }
}
